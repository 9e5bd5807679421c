//! The answer of `get_timeseries`: a column per metric.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::outlook::ahead;
use super::values::{local, round, stale_s, standing};
use crate::race::snapshot::Snapshot;
use crate::race::sport;
use crate::race::track::{Leg, TrackSample};

#[derive(Clone, Debug, PartialEq)]
pub struct SeriesRequest {
    /// Device time of the first point.
    pub from: Timestamp,
    /// Device time of the last point.
    pub to: Timestamp,
    /// Seconds per value; `None` = one value per point.
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

/// A column for each metric, with a value per point or interval: the mean of the points, but the newest distance,
/// position and timer. `at_s` is seconds after `from`. Periods without data have no value.
pub fn timeseries(snapshot: &Snapshot, samples: &[TrackSample], request: &SeriesRequest) -> Value {
    let slot = |sample: &TrackSample| {
        request
            .resolution_s
            .map_or(sample.point.at.as_millisecond(), |s| {
                sample.point.at.as_second().div_euclid(i64::from(s))
            })
    };
    let groups: Vec<&[TrackSample]> = samples.chunk_by(|a, b| slot(a) == slot(b)).collect();
    let mut columns = Map::new();
    let after = |group: &&[TrackSample]| Some(group.last()?.point.at.as_second() - request.from.as_second());
    columns.insert("at_s".into(), groups.iter().map(after).collect());
    for metric in &request.metrics {
        let values = groups.iter().map(|group| value(snapshot, group, metric));
        columns.insert((*metric).into(), values.collect());
    }
    let mut answer = json!({
        "race": snapshot.race.as_str(),
        "state": standing(snapshot).name(),
        "from": local(snapshot, request.from),
        "to": local(snapshot, request.to),
        "resolution_s": request.resolution_s,
        "points": samples.len(),
        "stale_s": snapshot.watch.silence(&snapshot.track).map(|_| stale_s(snapshot)),
        "rows": groups.len(),
        "columns": columns,
    });
    if let Some(members) = answer.as_object_mut() {
        members.extend(ahead(snapshot));
    }
    answer
}

/// The value of a metric for a group of points.
fn value(snapshot: &Snapshot, group: &[TrackSample], metric: &str) -> Option<f64> {
    let mean = |of: &dyn Fn(&TrackSample) -> Option<f64>, digits| {
        let values: Vec<f64> = group.iter().filter_map(of).collect();
        (!values.is_empty()).then(|| round(values.iter().sum::<f64>() / values.len() as f64, digits))
    };
    let newest = |of: &dyn Fn(&TrackSample) -> Option<f64>, digits| {
        group.iter().rev().find_map(of).map(|value| round(value, digits))
    };
    let begun = |leg: &&Leg| group.last().is_some_and(|last| leg.started_at <= last.point.at);
    let legs = snapshot.track.legs.iter();
    let leg = legs.rev().find(begun).and_then(|leg| leg.kind);
    match metric {
        "heart_rate_bpm" => mean(&|s| s.point.heart_rate_bpm.map(f64::from), 0),
        "power_w" => mean(&|s| s.point.power_w.map(f64::from), 0),
        "cadence" => mean(
            &|s| s.point.cadence_rpm.map(|rpm| f64::from(sport::cadence(leg, rpm))),
            0,
        ),
        "speed_kmh" => mean(&|s| s.point.speed_mps.map(|mps| mps * 3.6), 1),
        "altitude_m" => mean(&|s| s.point.altitude_m, 0),
        "distance_m" => newest(&|s| s.point.total_distance_m.or(s.point.distance_m), 0),
        "lat" => newest(&|s| s.point.position.map(|p| p.lat), 5),
        "lon" => newest(&|s| s.point.position.map(|p| p.lon), 5),
        _ => newest(&|s| s.point.total_duration_s.or(s.point.duration_s), 0),
    }
}
