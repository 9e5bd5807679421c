//! Values that several answers share.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::race::snapshot::RaceStanding;
use crate::race::snapshot::Snapshot;
use crate::race::sport::LegKind;
use crate::race::text::plain_text;
use crate::race::track::{Leg, Track};

pub(super) fn moving_mps(leg: &Leg) -> f64 {
    leg.distance_m() / leg.sums.moving_s.max(1.0)
}

pub fn standing(snapshot: &Snapshot) -> RaceStanding {
    RaceStanding::of(snapshot.now, &snapshot.watch, &snapshot.track)
}

/// The race's name, else its type, else the athlete's name.
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

/// Untrusted text, made harmless and cut to 60 characters.
pub(super) fn short(text: &str) -> String {
    plain_text(text).chars().take(60).collect()
}

pub(super) fn alert(snapshot: &Snapshot, alert: &crate::race::alerts::Alert) -> Value {
    json!({"at": local(snapshot, alert.at), "kind": alert.kind.name(), "severity": alert.severity, "text": alert.text})
}

pub(super) fn leg_kind(track: &Track) -> Option<LegKind> {
    track.leg().and_then(|leg| leg.kind)
}

/// Seconds from the start to the end of the race, or to the present.
pub(super) fn elapsed_s(snapshot: &Snapshot, started_at: Timestamp) -> i64 {
    let track = &snapshot.track;
    let over = snapshot
        .watch
        .over()
        .and(track.last)
        .map(|last| track.true_time(last.at));
    let finish = snapshot.finish().map(|crossing| track.true_time(crossing.at));
    let until = finish.or(over).unwrap_or(snapshot.now);
    until.duration_since(track.true_time(started_at)).as_secs().max(0)
}

/// Age of the newest point in seconds.
pub(super) fn stale_s(snapshot: &Snapshot) -> Option<i64> {
    let last = snapshot.track.last?;
    let since = snapshot.now.duration_since(snapshot.track.true_time(last.at));
    Some(since.max(SignedDuration::ZERO).as_secs())
}

/// The time of day where the race is, with its offset from UTC, truncated to whole seconds.
pub(super) fn local(snapshot: &Snapshot, at: Timestamp) -> String {
    let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
    let zone = snapshot.settings.zone();
    at.display_with_offset(zone.to_offset(at)).to_string()
}

pub(super) fn km(metres: f64) -> f64 {
    round(metres / 1000.0, 2)
}

pub(super) fn round(value: f64, digits: i32) -> f64 {
    let unit = 10_f64.powi(digits);
    (value * unit).round() / unit
}

pub(super) fn clean(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept: Map<String, Value> = members.into_iter().filter(|(_, v)| !v.is_null()).collect();
            Value::Object(kept)
        }
        other => other,
    }
}
