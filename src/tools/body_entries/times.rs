//! Times in the formats that these requests need.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::tools::answer::AnswerError;
use crate::tools::call::ToolCall;
use crate::tools::days::no_such_day;

/// Garmin's notation of a time without offset.
pub(super) fn milliseconds(time: DateTime) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3f").to_string()
}

/// The current time, as local time and as UTC.
pub(super) fn now(call: &ToolCall) -> (DateTime, DateTime) {
    let utc = call.now.timestamp().to_zoned(TimeZone::UTC).datetime();
    (call.now.datetime(), utc)
}

/// The moment that a call gives as local time, as UTC, or both, in that order; now if it gives neither. A time that was
/// not given follows from the person's time zone.
pub(super) fn moment(call: &ToolCall, local: &str, utc: &str) -> Result<(DateTime, DateTime), AnswerError> {
    let (given_local, given_utc) = (call.text(local), call.text(utc));
    let zone = call.now.time_zone();
    let (at_local, at_utc) = match (given_local.trim(), given_utc.trim()) {
        ("", "") => return Ok(now(call)),
        (text, "") => {
            let at = local_time(call, text, local)?;
            let ambiguous = zone.to_ambiguous_zoned(at);
            if matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. }) {
                return Err(AnswerError::Argument(format!(
                    "{local} ({at}) is skipped by the clocks of {}",
                    zone.iana_name().unwrap_or("the person's time zone")
                )));
            }
            let moment = ambiguous
                .compatible()
                .map_err(|error| AnswerError::Argument(format!("{local}: {error}")))?;
            (at, moment.timestamp().to_zoned(TimeZone::UTC).datetime())
        }
        ("", text) => {
            let at = time(text, utc, &TimeZone::UTC)?;
            let moment = TimeZone::UTC
                .to_timestamp(at)
                .map_err(|error| AnswerError::Argument(format!("{utc}: {error}")))?;
            (moment.to_zoned(zone.clone()).datetime(), at)
        }
        (local_text, utc_text) => (
            local_time(call, local_text, local)?,
            time(utc_text, utc, &TimeZone::UTC)?,
        ),
    };
    let now_utc = now(call).1;
    if at_utc > now_utc {
        let name = if given_local.trim().is_empty() { utc } else { local };
        let now_utc = now_utc.strftime("%Y-%m-%dT%H:%M:%S");
        return Err(AnswerError::Argument(format!(
            "{name} is in the future: in UTC it is {now_utc} now, and the time given is {at_utc}"
        )));
    }
    Ok((at_local, at_utc))
}

/// A local time of the person. One with an offset is converted to the person's time zone.
pub(super) fn local_time(call: &ToolCall, text: &str, name: &str) -> Result<DateTime, AnswerError> {
    time(text, name, call.now.time_zone())
}

/// A time of this zone. One with an offset is converted to it.
fn time(text: &str, name: &str, zone: &TimeZone) -> Result<DateTime, AnswerError> {
    let text = text.trim();
    let moment = text
        .parse::<Timestamp>()
        .map(|moment| moment.to_zoned(zone.clone()).datetime());
    moment.or_else(|_| text.parse::<DateTime>()).map_err(|_| {
        let day = text.get(..10).and_then(no_such_day);
        let why = day.unwrap_or_else(|| format!("must be a time such as 2026-01-08T07:30:00, not {text:?}"));
        AnswerError::Argument(format!("{name}: {why}"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tools::parameter::Parameter;

    const PARAMETERS: &[Parameter] = &[
        Parameter::required_text("local", "The local time").optional(),
        Parameter::required_text("utc", "The time in UTC").optional(),
    ];

    /// The local time and UTC of these arguments in Vienna, on 30 November 2026 at 10:00.
    fn told(local: &str, utc: &str) -> Result<(String, String), String> {
        let now = "2026-11-30T10:00:00[Europe/Vienna]".parse().unwrap();
        let given = json!({"local": local, "utc": utc});
        let call = ToolCall::check(PARAMETERS, given.as_object().unwrap(), &now).unwrap();
        let pair = moment(&call, "local", "utc").map_err(|error| error.to_string())?;
        Ok((pair.0.to_string(), pair.1.to_string()))
    }

    #[test]
    fn one_time_is_enough() {
        let both = |local: &str, utc: &str| Ok((local.to_owned(), utc.to_owned()));
        let morning = both("2026-11-30T07:30:00", "2026-11-30T06:30:00");
        assert_eq!(told("2026-11-30T07:30:00", ""), morning);
        assert_eq!(told("", "2026-11-30T06:30:00"), morning);
        assert_eq!(told("2026-11-30T06:30:00Z", " "), morning);
        assert_eq!(told("2026-11-30T07:30:00", "2026-11-30T06:30:00Z"), morning);
        // Elsewhere, both times say where.
        assert_eq!(
            told("2026-11-29T21:30:00", "2026-11-30T06:30:00"),
            both("2026-11-29T21:30:00", "2026-11-30T06:30:00")
        );
        assert_eq!(told("", ""), both("2026-11-30T10:00:00", "2026-11-30T09:00:00"));
    }

    #[test]
    fn a_time_to_come_or_of_no_clock_is_refused() {
        for (local, utc, why) in [
            ("2026-11-30T10:00:01", "", "local is in the future"),
            ("", "2026-11-30T09:30:00", "utc is in the future"),
            (
                "2026-03-29T02:30:00",
                "",
                "is skipped by the clocks of Europe/Vienna",
            ),
            ("2026-02-30T07:00:00", "", "local: there is no 30 February 2026"),
            ("half past seven", "", "local: must be a time such as"),
        ] {
            let refused = told(local, utc).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }
}
