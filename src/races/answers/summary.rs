//! The answer of `get_race_summary`: a race as a whole, under way or past.

use serde_json::{Value, json};

use super::outlook::with_outlook;
use super::values::{alert, clean, km, local, moving_mps, name, round, standing};
use crate::race::snapshot::Snapshot;
use crate::race::sport::LegKind;
use crate::race::text;
use crate::race::thresholds;
use crate::race::track::{Leg, Track};
use crate::races::registry::RaceOverview;

pub fn summary(view: &RaceOverview) -> Value {
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
                "to": text::mark(split.to_m),
                "time": text::time(split.duration_s),
                "pace": text::pace(kind, mps),
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
                "at": local(snapshot, track.true_time(stop.from)), "at_km": km(stop.at_m), "time": text::time(stop.duration_s()),
            })
        })
        .collect();
    let gaps: Vec<_> = track
        .gaps
        .iter()
        .map(|gap| {
            let lasted = gap.to.duration_since(gap.from).as_secs_f64();
            json!({
                "from": local(snapshot, track.true_time(gap.from)), "at_km": km(gap.at_m), "time": text::time(lasted),
                "way_km": km(gap.distance_m),
            })
        })
        .collect();
    let answer = clean(json!({
        "race": snapshot.race.as_str(),
        "name": name(snapshot),
        "state": standing(snapshot).name(),
        "started_at": track.started_at.map(|at| local(snapshot, track.true_time(at))),
        "last_point_at": track.last.map(|last| local(snapshot, track.true_time(last.at))),
        "distance_km": track.started_at.map(|_| km(track.distance_m())),
        "time": track.started_at.map(|_| text::time(snapshot.race_s())),
        "moving_time": (!track.legs.is_empty()).then(|| text::time(track.legs.iter().map(|l| l.sums.moving_s).sum())),
        "ascent_m": round(track.ascent_m, 0),
        "legs": legs,
        "splits": splits,
        "heart_rate_zones": zones(track),
        "stops": stops,
        "gaps": gaps,
        "alerts": snapshot.alerts.iter().map(|one| alert(snapshot, one)).collect::<Vec<_>>(),
        "last_analysis": view.last_words,
    }));
    with_outlook(snapshot, answer)
}

fn leg_summary(snapshot: &Snapshot, leg: &Leg) -> Value {
    let within = thresholds::limits(&snapshot.settings.thresholds, snapshot.settings.kind, leg.kind);
    let above = |limit: Option<u32>| limit.map(|limit| seconds_where(leg, |bpm| bpm > limit));
    let below = |limit: Option<u32>| limit.map(|limit| seconds_where(leg, |bpm| bpm < limit));
    clean(json!({
        "sport": leg.kind.map(LegKind::word),
        "started_at": local(snapshot, snapshot.track.true_time(leg.started_at)),
        "distance_km": km(leg.distance_m()),
        "time": text::time(leg.elapsed_s()),
        "not_seen": leg.unseen.then_some(true),
        "standing": (leg.sums.standing_s >= 1.0).then(|| text::time(leg.sums.standing_s)),
        "average": text::pace(leg.kind, moving_mps(leg)),
        "heart_rate_bpm": leg.sums.heart_rate.mean().map(|m| round(m, 0)),
        "heart_rate_max_bpm": leg.sums.heart_rate.highest(),
        "power_w": leg.sums.power.mean().map(|m| round(m, 0)),
        "cadence": leg.sums.cadence.mean().map(|m| {
            if leg.kind.is_some_and(LegKind::is_on_foot) && m < 130.0 { round(m * 2.0, 0) } else { round(m, 0) }
        }),
        "ascent_m": round(leg.ascent_m, 0),
        "above_hr_max_s": above(within.hr_max),
        "below_hr_min_s": below(within.hr_min),
    }))
}

/// Time per heart-rate zone of 10 bpm.
fn zones(track: &Track) -> Value {
    let mut zones: std::collections::BTreeMap<usize, f64> = std::collections::BTreeMap::new();
    for leg in &track.legs {
        for (bpm, seconds) in leg.sums.seconds_at_bpm.iter().enumerate() {
            *zones.entry(bpm / 10 * 10).or_default() += f64::from(*seconds);
        }
    }
    let told = zones.into_iter().filter(|(_, seconds)| *seconds >= 1.0);
    let zone = |(from, time): (usize, f64)| (format!("{from}-{} bpm", from + 9), json!(text::time(time)));
    Value::Object(told.map(zone).collect())
}

fn seconds_where(leg: &Leg, is: impl Fn(u32) -> bool) -> f64 {
    let at = leg.sums.seconds_at_bpm.iter().zip(0_u32..);
    round(
        at.filter(|(_, bpm)| is(*bpm)).map(|(s, _)| f64::from(*s)).sum(),
        0,
    )
}
