//! The answer of `get_timeseries`: the names of the columns, and a row per point or interval.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::outlook::ahead;
use super::values::{round, seconds, stale_s, standing};
use crate::race::snapshot::Snapshot;
use crate::race::sport;
use crate::race::track::TrackSample;

#[derive(Clone, Debug, PartialEq)]
pub struct SeriesRequest {
    /// Device time of the first point.
    pub from: Timestamp,
    /// Device time of the last point.
    pub to: Timestamp,
    /// Seconds per row; `None` = one row per point.
    pub resolution_s: Option<u32>,
    /// The requested metrics, as names from [`METRICS`].
    pub metrics: Vec<&'static str>,
}

pub const METRICS: [&str; 9] = [
    "heart_rate_bpm",
    "power_w",
    "cadence",
    "speed_kmh",
    "altitude_m",
    "distance_m",
    "lat",
    "lon",
    "moving_s",
];

/// The default metrics: the first six.
pub const USUAL_METRICS: &[&str] = METRICS.split_at(6).0;

/// Columns and rows. A row has the means of its points, and the distance, position and timer of its last point.
/// Periods without data have no row.
pub fn timeseries(snapshot: &Snapshot, samples: &[TrackSample], request: &SeriesRequest) -> Value {
    let mut rows: Vec<Value> = Vec::new();
    let mut group: Vec<&TrackSample> = Vec::new();
    let slot = |sample: &TrackSample| {
        request
            .resolution_s
            .map_or(sample.point.at.as_millisecond(), |s| {
                sample.point.at.as_second().div_euclid(i64::from(s))
            })
    };
    for sample in samples {
        if group.last().is_some_and(|last| slot(last) != slot(sample)) {
            rows.push(row(snapshot, &group, request));
            group.clear();
        }
        group.push(sample);
    }
    if !group.is_empty() {
        rows.push(row(snapshot, &group, request));
    }
    let mut columns = vec!["at"];
    columns.extend(&request.metrics);
    let mut answer = json!({
        "race": snapshot.race.as_str(),
        "state": standing(snapshot).name(),
        "from": seconds(request.from),
        "to": seconds(request.to),
        "resolution_s": request.resolution_s,
        "points": samples.len(),
        "stale_s": snapshot.watch.silence(&snapshot.track).map(|_| stale_s(snapshot)),
        "columns": columns,
        "rows": rows,
    });
    if let Some(members) = answer.as_object_mut() {
        members.extend(ahead(snapshot));
    }
    answer
}

fn row(snapshot: &Snapshot, group: &[&TrackSample], request: &SeriesRequest) -> Value {
    let Some(last) = group.last() else {
        return Value::Null;
    };
    let mean = |of: &dyn Fn(&TrackSample) -> Option<f64>, digits| {
        let values: Vec<f64> = group.iter().filter_map(|sample| of(sample)).collect();
        (!values.is_empty()).then(|| round(values.iter().sum::<f64>() / values.len() as f64, digits))
    };
    let newest = |of: &dyn Fn(&TrackSample) -> Option<f64>, digits| {
        group
            .iter()
            .rev()
            .find_map(|sample| of(sample))
            .map(|value| round(value, digits))
    };
    let legs = &snapshot.track.legs;
    let leg = legs
        .iter()
        .rev()
        .find(|leg| leg.started_at <= last.point.at)
        .and_then(|leg| leg.kind);
    let mut row = vec![json!(seconds(last.point.at))];
    for metric in &request.metrics {
        row.push(json!(match *metric {
            "heart_rate_bpm" => mean(&|s| s.point.heart_rate_bpm.map(f64::from), 0),
            "power_w" => mean(&|s| s.point.power_w.map(f64::from), 0),
            "cadence" => mean(
                &|s| s.point.cadence_rpm.map(|rpm| f64::from(sport::cadence(leg, rpm))),
                0
            ),
            "speed_kmh" => mean(&|s| s.point.speed_mps.map(|mps| mps * 3.6), 1),
            "altitude_m" => mean(&|s| s.point.altitude_m, 0),
            "distance_m" => newest(&|s| s.point.total_distance_m.or(s.point.distance_m), 0),
            "lat" => newest(&|s| s.point.position.map(|p| p.lat), 5),
            "lon" => newest(&|s| s.point.position.map(|p| p.lon), 5),
            _ => newest(&|s| s.point.total_duration_s.or(s.point.duration_s), 0),
        }));
    }
    Value::Array(row)
}
