//! The window as rows, and the race so far.

use crate::coach::look::Look;
use crate::race::limits::cadence;
use crate::race::track::{LegKind, Step};
use crate::race::words;

/// How many rows the window is told in.
const MOST_ROWS: usize = 30;

/// How many legs, splits, stops and gaps of each kind are told, the newest.
const MOST_LEGS: usize = 12;
const MOST_SPLITS: usize = 15;
const MOST_PAUSES: usize = 8;

/// The window in at most [`MOST_ROWS`] rows, each the last point of its part.
pub(super) fn window(look: &Look) -> String {
    let track = &look.snapshot.track;
    let Some(start) = track.started_at.or(track.first_at) else {
        return String::new();
    };
    let leg = track.leg().and_then(|leg| leg.kind);
    let every = look.window.len().div_ceil(MOST_ROWS).max(1);
    let mut text = String::from("the window (time, km, pace, heart rate, power, cadence, height):\n");
    for part in look.window.chunks(every) {
        let Some(step) = part.last() else { continue };
        let at_s = step.at.duration_since(start).as_secs_f64();
        text.extend([format!("{} {}\n", words::time(at_s), row(leg, step))]);
    }
    text
}

fn row(leg: Option<LegKind>, step: &Step) -> String {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    let pace = if step.standing {
        Some("standing".to_owned())
    } else {
        step.speed_mps.and_then(|mps| words::pace(leg, mps))
    };
    [
        format!("{:.2}", step.distance_m / 1000.0),
        or_none(pace),
        or_none(step.heart_rate_bpm.map(|bpm| bpm.to_string())),
        or_none(step.power_w.map(|watts| watts.to_string())),
        or_none(step.cadence_rpm.map(|sent| cadence(leg, sent).to_string())),
        or_none(step.altitude_m.map(|metres| format!("{metres:.0}"))),
    ]
    .join(", ")
}

/// Legs, splits, stops and gaps.
pub(super) fn so_far(look: &Look) -> String {
    let track = &look.snapshot.track;
    let mut text = String::new();
    for leg in newest(&track.legs, MOST_LEGS) {
        let mean = leg.sums.heart_rate.mean().map(|bpm| format!(", {bpm:.0} bpm"));
        let power = leg.sums.power.mean().map(|watts| format!(", {watts:.0} W"));
        let pace = words::pace(leg.kind, leg.distance_m() / leg.elapsed_s().max(1.0));
        let pace = pace.map(|pace| format!(", {pace}"));
        text.extend([format!(
            "leg {}: {} in {}{}{}{}\n",
            leg.kind.map_or("not known", LegKind::word),
            words::km(leg.distance_m()),
            words::time(leg.elapsed_s()),
            pace.unwrap_or_default(),
            mean.unwrap_or_default(),
            power.unwrap_or_default(),
        )]);
    }
    for split in newest(&track.splits, MOST_SPLITS) {
        let mean = split.heart_rate_bpm.map(|bpm| format!(", {bpm:.0} bpm"));
        text.extend([format!(
            "split to {}: {}{}\n",
            words::mark(split.race_m),
            words::time(split.duration_s),
            mean.unwrap_or_default()
        )]);
    }
    for stop in newest(track.stops(), MOST_PAUSES) {
        let (at, lasted) = (words::km(stop.at_m), words::time(stop.duration_s()));
        text.extend([format!("stood at {at} for {lasted}\n")]);
    }
    for gap in newest(&track.gaps, MOST_PAUSES) {
        let lasted_s = gap.to.duration_since(gap.from).as_secs_f64();
        text.extend([format!(
            "no data at {} for {}\n",
            words::km(gap.at_m),
            words::time(lasted_s)
        )]);
    }
    text
}

fn newest<T>(items: &[T], most: usize) -> &[T] {
    items.get(items.len().saturating_sub(most)..).unwrap_or_default()
}
