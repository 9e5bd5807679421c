//! The person's time zone: that of the Garmin profile, else the offset of the newest activity.
//!
//! It decides what `today` is. A profile has a named zone, which knows about summer time; an activity has only the
//! offset at its start, which is right until the clocks change.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use serde_json::Value;

use super::fields::at;
use super::local_time::with_offset;

/// The document with the zone that the person chose at Garmin.
pub(super) const PROFILE: &str = "/userprofile-service/userprofile/personal-information";
/// A list with the newest activity.
pub(super) const NEWEST_ACTIVITY: (&str, [(&str, &str); 2]) = (
    "/activitylist-service/activities/search/activities",
    [("start", "0"), ("limit", "1")],
);

pub(super) fn of_profile(document: &Value) -> Option<TimeZone> {
    let name = at(document, "userInfo.timezone").or_else(|| at(document, "userInfo.timeZone"))?;
    TimeZone::get(name.as_str()?.trim()).ok()
}

pub(super) fn of_newest_activity(list: &Value) -> Option<TimeZone> {
    let activity = list.get(0)?;
    let time = |key| -> Option<DateTime> { at(activity, key)?.as_str()?.replace(' ', "T").parse().ok() };
    let ahead = time("startTimeLocal")?.since(time("startTimeGMT")?).ok()?;
    let seconds = ahead.total(jiff::Unit::Second).ok()?;
    let offset = Offset::from_seconds(format!("{seconds:.0}").parse().ok()?).ok()?;
    Some(TimeZone::fixed(offset))
}

/// The zone of a document about a day or a night. It is the person's own if the start agrees with it, because that zone
/// follows a change of the clocks during the day; else it is the offset at the start. `None` for a document that does
/// not give its start.
pub(super) fn of_document(document: &Value, zone: &TimeZone) -> Option<TimeZone> {
    const STARTS: [(&str, &str); 2] = [
        ("startTimestampLocal", "startTimestampGMT"),
        (
            "dailySleepDTO.sleepStartTimestampLocal",
            "dailySleepDTO.sleepStartTimestampGMT",
        ),
    ];
    let (start, told) = STARTS
        .iter()
        .find_map(|(local, gmt)| with_offset(at(document, gmt)?, at(document, local)?))?;
    let is_theirs = zone.to_datetime(start) == told.to_datetime(start);
    Some(if is_theirs { zone.clone() } else { told })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::{Date, date};
    use serde_json::json;

    use super::*;
    use crate::tools::call::ToolCall;
    use crate::tools::parameter::Parameter;

    fn profile(zone: &str) -> TimeZone {
        of_profile(&json!({"userInfo": {"timezone": zone, "locale": "en"}})).unwrap()
    }

    /// The day that an argument means at this moment.
    fn meant(zone: &TimeZone, at: &str, text: &str) -> Result<Date, String> {
        let now = at.parse::<Timestamp>().unwrap().to_zoned(zone.clone());
        let parameters = [Parameter::day("date", "The day")];
        let given = json!({"date": text});
        let call = ToolCall::check(&parameters, given.as_object().unwrap(), &now);
        call.map(|call| call.day("date").unwrap())
            .map_err(|wrong| wrong.to_string())
    }

    /// In Auckland the clocks go back on 5 April 2026 and forward on 27 September 2026.
    #[test]
    fn today_in_auckland_follows_the_clocks_over_both_changes() {
        let zone = profile("Pacific/Auckland");
        for (at, text, day) in [
            // UTC+13 until 14:00 UTC on 4 April, UTC+12 after it.
            ("2026-04-03T10:59:59Z", "today", date(2026, 4, 3)),
            ("2026-04-03T11:00:00Z", "today", date(2026, 4, 4)),
            ("2026-04-05T11:30:00Z", "today", date(2026, 4, 5)),
            ("2026-04-05T12:00:00Z", "today", date(2026, 4, 6)),
            ("2026-04-05T12:00:00Z", "-7d", date(2026, 3, 30)),
            ("2026-09-26T11:59:59Z", "today", date(2026, 9, 26)),
            ("2026-09-27T10:59:59Z", "yesterday", date(2026, 9, 26)),
            ("2026-09-27T11:00:00Z", "yesterday", date(2026, 9, 27)),
        ] {
            assert_eq!(meant(&zone, at, text), Ok(day), "{text} at {at}");
        }
        // What is today in Auckland is tomorrow in London.
        let early = "2026-04-05T12:00:00Z";
        assert!(meant(&zone, early, "2026-04-06").is_ok());
        let refused = meant(&profile("Europe/London"), early, "2026-04-06").unwrap_err();
        assert!(refused.contains("today is 2026-04-05"), "{refused}");
    }

    /// Honolulu has no summer time, and is a day behind while others change their clocks.
    #[test]
    fn today_in_honolulu_is_behind() {
        let zone = profile("Pacific/Honolulu");
        for (at, day) in [
            ("2026-03-08T09:59:59Z", date(2026, 3, 7)),
            ("2026-03-08T10:00:00Z", date(2026, 3, 8)),
            ("2026-11-01T09:59:59Z", date(2026, 10, 31)),
            ("2026-11-01T10:00:00Z", date(2026, 11, 1)),
        ] {
            assert_eq!(meant(&zone, at, "today"), Ok(day), "{at}");
        }
        let refused = meant(&zone, "2026-03-08T09:00:00Z", "2026-03-08").unwrap_err();
        assert!(refused.contains("today is 2026-03-07"), "{refused}");
    }

    #[test]
    fn without_a_zone_in_the_profile_the_newest_activity_has_one() {
        for document in [
            json!({}),
            json!(null),
            json!({"userInfo": {"timezone": "Nowhere/Else"}}),
            json!({"userInfo": null}),
        ] {
            assert_eq!(of_profile(&document), None, "{document}");
        }
        let list = |local: &str, gmt: &str| json!([{"startTimeLocal": local, "startTimeGMT": gmt}]);
        let hours = |list: &Value| {
            of_newest_activity(list).map(|zone| zone.to_offset(Timestamp::UNIX_EPOCH).seconds())
        };
        assert_eq!(
            hours(&list("2026-04-06 06:00:00", "2026-04-05 18:00:00")),
            Some(12 * 3_600)
        );
        assert_eq!(
            hours(&list("2026-04-05 23:15:00", "2026-04-06 04:45:00")),
            Some(-19_800)
        );
        for list in [
            json!([]),
            json!(null),
            list("soon", "2026-04-06 04:45:00"),
            list("2026-04-05 00:00:00", "2027-04-05 00:00:00"),
        ] {
            assert_eq!(hours(&list), None, "{list}");
        }
    }
}
