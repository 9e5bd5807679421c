//! Moments as local times with their offset.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use serde_json::Value;

/// Reads a time in UTC from a text or from epoch milliseconds.
fn as_utc(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => utc(text),
        _ => Timestamp::from_millisecond(value.as_i64()?).ok(),
    }
}

/// A time without a zone, which Garmin means as UTC.
pub(super) fn utc(text: &str) -> Option<Timestamp> {
    let time: DateTime = text.replace(' ', "T").parse().ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// The offset between a local time and the same moment in UTC, as `+13:00`.
pub(super) fn offset_text(local: &Value, gmt: &Value) -> Option<String> {
    let (_, zone) = with_offset(gmt, local)?;
    Some(Timestamp::UNIX_EPOCH.to_zoned(zone).strftime("%:z").to_string())
}

/// A moment in UTC with the offset to the same moment in local time, as `2026-01-08T07:00:00+13:00`.
pub(super) fn local_text(gmt: &Value, local: &Value) -> Option<String> {
    let (moment, zone) = with_offset(gmt, local)?;
    Some(text(moment, &zone))
}

/// A moment in the time of a zone, with the offset: `2026-01-08T07:00:00+13:00`.
pub(super) fn text(moment: Timestamp, zone: &TimeZone) -> String {
    let local = moment.to_zoned(zone.clone());
    local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// The moment, and the zone of the offset between its two times.
pub(super) fn with_offset(gmt: &Value, local: &Value) -> Option<(Timestamp, TimeZone)> {
    let moment = as_utc(gmt)?;
    // Garmin writes a local time as if it were UTC.
    let ahead = as_utc(local)?.duration_since(moment);
    Some((moment, TimeZone::fixed(Offset::try_from(ahead).ok()?)))
}
