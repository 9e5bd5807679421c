//! `get_timeseries`: the window and the resolution of the rows.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::arguments::LONGEST_WINDOW_MIN;
use super::calls::RaceCall;
use super::error::RaceToolError;
use crate::races::answers::{self, SeriesRequest};

/// Maximum number of rows in an answer. If there are more points, they are averaged.
const MOST_ROWS: u32 = 400;

pub(super) fn get_timeseries(call: &mut RaceCall<'_>) -> Result<Value, RaceToolError> {
    let window_min = call.args.whole("window_min", 1, LONGEST_WINDOW_MIN)?;
    let (from, to) = (call.args.moment("from")?, call.args.moment("to")?);
    let resolution_s = call.args.whole("resolution_s", 1, 3600)?;
    let metrics = call.args.metrics()?;
    let names = ["window_min", "from", "to", "resolution_s", "metrics"];
    let race = call.race(&names)?;
    let snapshot = call.view(&race)?.snapshot;
    let Some(last) = snapshot.track.last else {
        let request = SeriesRequest {
            from: snapshot.now,
            to: snapshot.now,
            resolution_s,
            metrics,
        };
        return Ok(answers::timeseries(&snapshot, &[], &request));
    };
    if from.is_some() && window_min.is_some() {
        return Err(RaceToolError(
            "window_min: set either window_min or from, not both".into(),
        ));
    }
    let to = to.unwrap_or(last.at);
    let minutes = SignedDuration::from_mins(window_min.unwrap_or(10).into());
    let from = from.unwrap_or_else(|| to.checked_sub(minutes).unwrap_or(to));
    if from > to {
        return Err(RaceToolError("from: must be before to".into()));
    }
    let samples = call
        .races
        .samples(call.caller.account(), &snapshot.race, from, to)?;
    let resolution_s = resolution_s.or_else(|| coarse(samples.len(), from, to));
    let rows = |s: u32| to.duration_since(from).as_secs() / i64::from(s.max(1));
    if resolution_s
        .is_some_and(|s| rows(s) > 4 * i64::from(MOST_ROWS) && samples.len() > 4 * MOST_ROWS as usize)
    {
        return Err(RaceToolError(
            "resolution_s: too small for this window; leave it out or use a larger value".into(),
        ));
    }
    let request = SeriesRequest {
        from,
        to,
        resolution_s,
        metrics,
    };
    Ok(answers::timeseries(&snapshot, &samples, &request))
}

/// Seconds per row that keep the answer within [`MOST_ROWS`].
fn coarse(points: usize, from: Timestamp, to: Timestamp) -> Option<u32> {
    let span_s = u32::try_from(to.duration_since(from).as_secs()).unwrap_or(u32::MAX);
    let least = span_s.div_ceil(MOST_ROWS);
    let rounds = [10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
    (points > MOST_ROWS as usize).then(|| rounds.into_iter().find(|s| *s >= least).unwrap_or(3600))
}
