//! The answers of `get_tracking_status` and `list_races`: how races stand now.

use serde_json::{Value, json};

use super::outlook::{ahead, with_outlook};
use super::values::{
    alert, clean, elapsed_s, km, leg_kind, local, moving_mps, name, round, short, stale_s, standing,
};
use crate::race::sport;
use crate::race::sport::LegKind;
use crate::race::text;
use crate::races::registry::RaceOverview;

const LAST_ALERTS: usize = 8;

/// One race as an entry of `list_races`.
pub fn line(view: &RaceOverview) -> Value {
    let snapshot = &view.snapshot;
    let track = &snapshot.track;
    let mut line = clean(json!({
        "race": snapshot.race.as_str(),
        "name": name(snapshot),
        "state": standing(snapshot).name(),
        "tracked_since": local(snapshot, snapshot.watch.since),
        "started_at": track.started_at.map(|at| local(snapshot, track.true_time(at))),
        "distance_km": track.started_at.map(|_| km(track.distance_m())),
        "elapsed": track.started_at.map(|_| text::time(snapshot.race_s())),
    }));
    if let Some(line) = line.as_object_mut().filter(|_| view.watched) {
        line.extend(ahead(snapshot));
    }
    line
}

pub fn status(view: &RaceOverview) -> Value {
    let snapshot = &view.snapshot;
    let (watch, track, now) = (&snapshot.watch, &snapshot.track, snapshot.now);
    let standing = standing(snapshot);
    let alerts: Vec<_> = snapshot
        .alerts
        .iter()
        .rev()
        .take(LAST_ALERTS)
        .map(|one| alert(snapshot, one))
        .collect();
    let answer = clean(json!({
        "race": snapshot.race.as_str(),
        "name": name(snapshot),
        "athlete": watch.session.as_ref().and_then(|s| s.athlete.as_deref()).map(short),
        "active": view.watched,
        "state": standing.name(),
        "meaning": standing.sentence(),
        "ended_because": watch.over().map(crate::race::ending::EndReason::sentence),
        "now": local(snapshot, now),
        "tracked_since": local(snapshot, watch.since),
        "started_at": track.started_at.map(|at| local(snapshot, track.true_time(at))),
        "elapsed_s": track.started_at.map(|at| elapsed_s(snapshot, at)),
        "stale_s": watch.silence(track).map(|_| stale_s(snapshot)),
        "last_point": track.last.map(|last| clean(json!({
            "at": local(snapshot, track.true_time(last.at)),
            "heart_rate_bpm": last.heart_rate_bpm,
            "power_w": last.power_w,
            "cadence": last.cadence_rpm.map(|sent| sport::cadence(leg_kind(track), sent)),
            "speed_kmh": last.speed_mps.map(|mps| round(mps * 3.6, 1)),
            "pace": last.speed_mps.and_then(|mps| text::pace(leg_kind(track), mps)),
            "altitude_m": last.altitude_m.map(|m| round(m, 0)),
            "lat": last.position.map(|p| round(p.lat, 5)),
            "lon": last.position.map(|p| round(p.lon, 5)),
        }))),
        "distance_km": track.started_at.map(|_| km(track.distance_m())),
        "course_km": snapshot.course.as_ref().map(|course| km(course.length_m())),
        "on_course_km": track.course_m.map(km),
        "off_course_m": track.off_course_m.filter(|m| *m > 50.0).map(|m| round(m, 0)),
        "leg": leg_kind(track).map(LegKind::word),
        "moving_average": track.leg().and_then(|leg| text::pace(leg.kind, moving_mps(leg))),
        "limits": snapshot.settings.thresholds,
        "recipients_waiting": (!view.waiting.is_empty()).then_some(&view.waiting),
        "poll": clean(json!({
            "interval_s": snapshot.settings.poll_interval_s,
            "answers": watch.polls,
            "errors": watch.errors,
            "last_answer_at": watch.last_ok_at.map(|at| local(snapshot, at)),
            "failing": watch.failing.as_ref().map(|f| json!({
                "reason": f.name, "times": f.times, "since": local(snapshot, f.since), "next_try_at": local(snapshot, f.until),
            })),
        })),
        "points": track.points,
        "last_alerts": alerts,
        "last_analysis": view.last_words,
    }));
    with_outlook(snapshot, answer)
}
