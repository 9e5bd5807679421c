//! Times in the formats that these requests need.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::tools::answer::AnswerError;
use crate::tools::call::ToolCall;

/// Garmin's notation of a time without offset.
pub(super) fn milliseconds(time: DateTime) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3f").to_string()
}

/// The current time, as local time and as UTC.
pub(super) fn now(call: &ToolCall) -> (DateTime, DateTime) {
    let utc = call.now.timestamp().to_zoned(TimeZone::UTC).datetime();
    (call.now.datetime(), utc)
}

pub(super) fn time(text: &str, name: &str) -> Result<DateTime, AnswerError> {
    let text = text.trim();
    let utc = text
        .parse::<Timestamp>()
        .map(|time| time.to_zoned(TimeZone::UTC).datetime());
    utc.or_else(|_| text.parse::<DateTime>()).map_err(|_| {
        AnswerError::Argument(format!(
            "{name} must be a time such as 2026-01-08T07:30:00, not {text:?}"
        ))
    })
}
