//! What is answered when somebody asks about a race: the status, the series, the summary. Pure.
//!
//! Times are UTC. Numbers are rounded to what they mean; what is unknown is left out.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{Coached, View};
use crate::race::id::RaceId;
use crate::race::limits;
use crate::race::plain::plain_text;
use crate::race::sample::Sample;
use crate::race::snapshot::Snapshot;
use crate::race::standing::Standing;
use crate::race::track::{Leg, LegKind, Track};
use crate::race::words;

/// The alerts that a status shows.
const LAST_ALERTS: usize = 8;

/// One line of `list_races`.
pub fn line(view: &View) -> Value {
    let snapshot = &view.snapshot;
    let track = &snapshot.track;
    clean(json!({
        "race": snapshot.race.as_str(),
        "name": name(snapshot),
        "state": standing(snapshot).name(),
        "tracked_since": snapshot.watch.since,
        "started_at": track.started_at,
        "distance_km": track.started_at.map(|_| km(track.distance_m())),
        "elapsed": track.started_at.map(|_| words::time(track.elapsed_s())),
    }))
}

/// The answer of `get_tracking_status`.
pub fn status(view: &View) -> Value {
    let snapshot = &view.snapshot;
    let (watch, track, now) = (&snapshot.watch, &snapshot.track, snapshot.now);
    let standing = standing(snapshot);
    let alerts: Vec<_> = snapshot
        .alerts
        .iter()
        .rev()
        .take(LAST_ALERTS)
        .map(alert)
        .collect();
    clean(json!({
        "race": snapshot.race.as_str(),
        "name": name(snapshot),
        "athlete": watch.session.as_ref().and_then(|s| s.athlete.as_deref()).map(short),
        "active": view.watched,
        "state": standing.name(),
        "meaning": standing.sentence(),
        "ended_because": watch.over().map(crate::race::ending::EndReason::sentence),
        "now": seconds(now),
        "tracked_since": seconds(watch.since),
        "started_at": track.started_at.map(|at| seconds(track.true_time(at))),
        "elapsed_s": track.started_at.map(|at| elapsed_s(snapshot, at)),
        "stale_s": watch.silence(track).map(|_| stale_s(snapshot)),
        "last_point": track.last.map(|last| clean(json!({
            "at": seconds(track.true_time(last.at)),
            "heart_rate_bpm": last.heart_rate_bpm,
            "power_w": last.power_w,
            "cadence": last.cadence_rpm.map(|sent| limits::cadence(leg_kind(track), sent)),
            "speed_kmh": last.speed_mps.map(|mps| round(mps * 3.6, 1)),
            "pace": last.speed_mps.and_then(|mps| words::pace(leg_kind(track), mps)),
            "altitude_m": last.altitude_m.map(|m| round(m, 0)),
            "lat": last.position.map(|p| round(p.lat, 5)),
            "lon": last.position.map(|p| round(p.lon, 5)),
        }))),
        "distance_km": track.started_at.map(|_| km(track.distance_m())),
        "course_km": snapshot.course.as_ref().map(|course| km(course.length_m())),
        "on_course_km": track.course_m.map(km),
        "off_course_m": track.off_course_m.filter(|m| *m > 50.0).map(|m| round(m, 0)),
        "leg": leg_kind(track).map(LegKind::word),
        "moving_average": track.leg().and_then(|leg| words::pace(leg.kind, moving_mps(leg))),
        "limits": snapshot.settings.thresholds,
        "poll": clean(json!({
            "interval_s": snapshot.settings.poll_interval_s,
            "answers": watch.polls,
            "errors": watch.errors,
            "last_answer_at": watch.last_ok_at.map(seconds),
            "failing": watch.failing.as_ref().map(|f| json!({
                "reason": f.name, "times": f.times, "since": seconds(f.since), "next_try_at": seconds(f.until),
            })),
        })),
        "points": track.points,
        "last_alerts": alerts,
        "last_analysis": view.last_words,
    }))
}

/// What of a series is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// From this time of the device …
    pub from: Timestamp,
    /// … to this one.
    pub to: Timestamp,
    /// Seconds that a row stands for; `None` = every point.
    pub resolution_s: Option<u32>,
    /// Which metrics, by their names in [`METRICS`].
    pub metrics: Vec<&'static str>,
}

/// The metrics of a series.
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

/// Those that are told when nobody names any: the first ones.
pub const USUAL_METRICS: &[&str] = METRICS.split_at(6).0;

/// The answer of `get_timeseries`: columns and rows. A row is the mean of its points; distance, position and timer are
/// those of its last point. Where nothing was recorded there is no row.
pub fn timeseries(snapshot: &Snapshot, samples: &[Sample], wanted: &Wanted) -> Value {
    let mut rows: Vec<Value> = Vec::new();
    let mut group: Vec<&Sample> = Vec::new();
    let slot = |sample: &Sample| {
        wanted.resolution_s.map_or(sample.point.at.as_millisecond(), |s| {
            sample.point.at.as_second().div_euclid(i64::from(s))
        })
    };
    for sample in samples {
        if group.last().is_some_and(|last| slot(last) != slot(sample)) {
            rows.push(row(snapshot, &group, wanted));
            group.clear();
        }
        group.push(sample);
    }
    if !group.is_empty() {
        rows.push(row(snapshot, &group, wanted));
    }
    let mut columns = vec!["at"];
    columns.extend(&wanted.metrics);
    json!({
        "race": snapshot.race.as_str(),
        "state": standing(snapshot).name(),
        "from": seconds(wanted.from),
        "to": seconds(wanted.to),
        "resolution_s": wanted.resolution_s,
        "points": samples.len(),
        "stale_s": snapshot.watch.silence(&snapshot.track).map(|_| stale_s(snapshot)),
        "columns": columns,
        "rows": rows,
    })
}

fn row(snapshot: &Snapshot, group: &[&Sample], wanted: &Wanted) -> Value {
    let Some(last) = group.last() else {
        return Value::Null;
    };
    let mean = |of: &dyn Fn(&Sample) -> Option<f64>, digits| {
        let values: Vec<f64> = group.iter().filter_map(|sample| of(sample)).collect();
        (!values.is_empty()).then(|| round(values.iter().sum::<f64>() / values.len() as f64, digits))
    };
    let newest = |of: &dyn Fn(&Sample) -> Option<f64>, digits| {
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
    for metric in &wanted.metrics {
        row.push(json!(match *metric {
            "heart_rate_bpm" => mean(&|s| s.point.heart_rate_bpm.map(f64::from), 0),
            "power_w" => mean(&|s| s.point.power_w.map(f64::from), 0),
            "cadence" => mean(
                &|s| s
                    .point
                    .cadence_rpm
                    .map(|rpm| f64::from(limits::cadence(leg, rpm))),
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

/// The answer of `get_race_summary`: splits, legs, zones, stops, gaps.
pub fn summary(view: &View) -> Value {
    let snapshot = &view.snapshot;
    let track = &snapshot.track;
    let legs: Vec<_> = track.legs.iter().map(|leg| leg_summary(snapshot, leg)).collect();
    let splits: Vec<_> = track
        .splits
        .iter()
        .map(|split| {
            let kind = track.legs.get(split.leg).and_then(|leg| leg.kind);
            let mps = (split.to_m - split.from_m) / split.duration_s.max(1.0);
            clean(json!({
                "leg": (track.legs.len() > 1).then_some(split.leg + 1),
                "to": words::mark(split.to_m),
                "time": words::time(split.duration_s),
                "pace": words::pace(kind, mps),
                "heart_rate_bpm": split.heart_rate_bpm.map(|bpm| round(bpm, 0)),
                "power_w": split.power_w.map(|w| round(w, 0)),
                "estimated": split.estimated.then_some(true),
            }))
        })
        .collect();
    let mut stops: Vec<_> = track.stops().to_vec();
    stops.extend(
        track
            .standing()
            .filter(|stop| stop.duration_s() >= crate::race::track::SHORTEST_STOP_S),
    );
    let stops: Vec<_> = stops
        .iter()
        .map(|stop| {
            json!({
                "at": seconds(track.true_time(stop.from)), "at_km": km(stop.at_m), "time": words::time(stop.duration_s()),
            })
        })
        .collect();
    let gaps: Vec<_> = track
        .gaps
        .iter()
        .map(|gap| {
            let lasted = gap.to.duration_since(gap.from).as_secs_f64();
            json!({
                "from": seconds(track.true_time(gap.from)), "at_km": km(gap.at_m), "time": words::time(lasted),
                "way_km": km(gap.distance_m),
            })
        })
        .collect();
    clean(json!({
        "race": snapshot.race.as_str(),
        "name": name(snapshot),
        "state": standing(snapshot).name(),
        "started_at": track.started_at.map(|at| seconds(track.true_time(at))),
        "last_point_at": track.last.map(|last| seconds(track.true_time(last.at))),
        "distance_km": track.started_at.map(|_| km(track.distance_m())),
        "time": track.started_at.map(|_| words::time(track.elapsed_s())),
        "moving_time": (!track.legs.is_empty()).then(|| words::time(track.legs.iter().map(|l| l.sums.moving_s).sum())),
        "ascent_m": round(track.ascent_m, 0),
        "legs": legs,
        "splits": splits,
        "heart_rate_zones": zones(track),
        "stops": stops,
        "gaps": gaps,
        "alerts": snapshot.alerts.iter().map(alert).collect::<Vec<_>>(),
        "last_analysis": view.last_words,
    }))
}

fn leg_summary(snapshot: &Snapshot, leg: &Leg) -> Value {
    let within = limits::limits(&snapshot.settings.thresholds, snapshot.settings.kind, leg.kind);
    let above = |limit: Option<u32>| limit.map(|limit| seconds_where(leg, |bpm| bpm > limit));
    let below = |limit: Option<u32>| limit.map(|limit| seconds_where(leg, |bpm| bpm < limit));
    clean(json!({
        "sport": leg.kind.map(LegKind::word),
        "started_at": seconds(snapshot.track.true_time(leg.started_at)),
        "distance_km": km(leg.distance_m()),
        "time": words::time(leg.elapsed_s()),
        "standing": (leg.sums.standing_s >= 1.0).then(|| words::time(leg.sums.standing_s)),
        "average": words::pace(leg.kind, moving_mps(leg)),
        "heart_rate_bpm": leg.sums.heart_rate.mean().map(|m| round(m, 0)),
        "heart_rate_max_bpm": leg.sums.heart_rate.highest(),
        "power_w": leg.sums.power.mean().map(|m| round(m, 0)),
        "cadence": leg.sums.cadence.mean().map(|m| {
            if leg.kind == Some(LegKind::Run) && m < 130.0 { round(m * 2.0, 0) } else { round(m, 0) }
        }),
        "ascent_m": round(leg.ascent_m, 0),
        "above_hr_max_s": above(within.hr_max),
        "below_hr_min_s": below(within.hr_min),
    }))
}

/// Time at heart rates, in steps of ten.
fn zones(track: &Track) -> Value {
    let mut zones: std::collections::BTreeMap<usize, f64> = std::collections::BTreeMap::new();
    for leg in &track.legs {
        for (bpm, seconds) in leg.sums.seconds_at_bpm.iter().enumerate() {
            *zones.entry(bpm / 10 * 10).or_default() += f64::from(*seconds);
        }
    }
    let told = zones.into_iter().filter(|(_, seconds)| *seconds >= 1.0);
    let zone = |(from, time): (usize, f64)| (format!("{from}-{} bpm", from + 9), json!(words::time(time)));
    Value::Object(told.map(zone).collect())
}

fn seconds_where(leg: &Leg, is: impl Fn(u32) -> bool) -> f64 {
    let at = leg.sums.seconds_at_bpm.iter().zip(0_u32..);
    round(
        at.filter(|(_, bpm)| is(*bpm)).map(|(s, _)| f64::from(*s)).sum(),
        0,
    )
}

fn moving_mps(leg: &Leg) -> f64 {
    leg.distance_m() / leg.sums.moving_s.max(1.0)
}

/// How a race stands now.
pub fn standing(snapshot: &Snapshot) -> Standing {
    Standing::of(snapshot.now, &snapshot.watch, &snapshot.track)
}

/// What a race is called.
pub fn name(snapshot: &Snapshot) -> String {
    let session = snapshot.watch.session.as_ref();
    let told = session.and_then(|session| session.athlete.as_deref()).map(short);
    let named = snapshot
        .settings
        .name
        .clone()
        .or_else(|| snapshot.settings.type_text.clone());
    named
        .or(told.map(|athlete| format!("{athlete}’s LiveTrack")))
        .unwrap_or_else(|| "LiveTrack".into())
}

/// A stranger's text, harmless and short.
fn short(text: &str) -> String {
    plain_text(text).chars().take(60).collect()
}

fn alert(alert: &crate::race::alerts::Alert) -> Value {
    json!({"at": seconds(alert.at), "kind": alert.kind.name(), "severity": alert.severity, "text": alert.text})
}

fn leg_kind(track: &Track) -> Option<LegKind> {
    track.leg().and_then(|leg| leg.kind)
}

/// Since the start: to the end of it, or to now.
fn elapsed_s(snapshot: &Snapshot, started_at: Timestamp) -> i64 {
    let track = &snapshot.track;
    let over = snapshot
        .watch
        .over()
        .and(track.last)
        .map(|last| track.true_time(last.at));
    let until = over.unwrap_or(snapshot.now);
    until.duration_since(track.true_time(started_at)).as_secs().max(0)
}

/// Since the newest point.
fn stale_s(snapshot: &Snapshot) -> Option<i64> {
    let last = snapshot.track.last?;
    let since = snapshot.now.duration_since(snapshot.track.true_time(last.at));
    Some(since.max(SignedDuration::ZERO).as_secs())
}

/// Whole seconds.
fn seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

fn km(metres: f64) -> f64 {
    round(metres / 1000.0, 2)
}

fn round(value: f64, digits: i32) -> f64 {
    let unit = 10_f64.powi(digits);
    (value * unit).round() / unit
}

/// Without what is null.
fn clean(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept: Map<String, Value> = members.into_iter().filter(|(_, v)| !v.is_null()).collect();
            Value::Object(kept)
        }
        other => other,
    }
}

/// What became of a coaching message.
pub(super) fn coached(race: &RaceId, coached: &Coached) -> Value {
    match coached {
        Coached::Sent => json!({"race": race.as_str(), "sent": true}),
        Coached::Corrected(untrue) => {
            let wrong: Vec<_> = untrue
                .iter()
                .map(|untrue| json!({"said": untrue.said, "about": untrue.about}))
                .collect();
            json!({
                "race": race.as_str(),
                "sent": false,
                "not_in_the_data": wrong,
                "note": "Plain figures were sent in its place. get_timeseries shows what was recorded.",
            })
        }
    }
}
