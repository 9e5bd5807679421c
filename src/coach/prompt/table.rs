//! Tables for the prompt: the window, and the race so far.

use crate::coach::look::RaceLook;
use crate::race::sport::LegKind;
use crate::race::sport::cadence;
use crate::race::text;
use crate::race::track::TrackStep;

const MOST_ROWS: usize = 30;

/// Only the newest of each kind are shown.
const MOST_LEGS: usize = 12;
const MOST_SPLITS: usize = 15;
const MOST_PAUSES: usize = 8;

/// The window in at most [`MOST_ROWS`] rows. Each row is the last point of its section.
pub(super) fn window(look: &RaceLook) -> String {
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
        text.extend([format!("{} {}\n", text::time(at_s), row(leg, step))]);
    }
    text
}

fn row(leg: Option<LegKind>, step: &TrackStep) -> String {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    let pace = if step.standing {
        Some("standing".to_owned())
    } else {
        step.speed_mps.and_then(|mps| text::pace(leg, mps))
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
pub(super) fn so_far(look: &RaceLook) -> String {
    let track = &look.snapshot.track;
    let mut text = String::new();
    for leg in newest(&track.legs, MOST_LEGS) {
        let mean = leg.sums.heart_rate.mean().map(|bpm| format!(", {bpm:.0} bpm"));
        let power = leg.sums.power.mean().map(|watts| format!(", {watts:.0} W"));
        let pace = text::pace(leg.kind, leg.distance_m() / leg.elapsed_s().max(1.0));
        let pace = pace.map(|pace| format!(", {pace}"));
        text.extend([format!(
            "leg {}: {} in {}{}{}{}\n",
            leg.kind.map_or("not known", LegKind::word),
            text::km(leg.distance_m()),
            text::time(leg.elapsed_s()),
            pace.unwrap_or_default(),
            mean.unwrap_or_default(),
            power.unwrap_or_default(),
        )]);
    }
    for split in newest(&track.splits, MOST_SPLITS) {
        let kind = track.legs.get(split.leg).and_then(|leg| leg.kind);
        let length_m = split.to_m - split.from_m;
        let pace = text::pace(kind, length_m / split.duration_s.max(1.0)).map(|pace| format!(", {pace}"));
        let mean = split.heart_rate_bpm.map(|bpm| format!(", {bpm:.0} bpm"));
        let power = split.power_w.map(|watts| format!(", {watts:.0} W"));
        text.extend([format!(
            "split of {} to {} of the {}: {}{}{}{}\n",
            text::mark(length_m),
            text::mark(split.to_m),
            kind.map_or("race", LegKind::word),
            text::time(split.duration_s),
            pace.unwrap_or_default(),
            mean.unwrap_or_default(),
            power.unwrap_or_default(),
        )]);
    }
    for stop in newest(track.stops(), MOST_PAUSES) {
        let (at, lasted) = (text::km(stop.at_m), text::time(stop.duration_s()));
        text.extend([format!("stood at {at} for {lasted}\n")]);
    }
    for gap in newest(&track.gaps, MOST_PAUSES) {
        let lasted_s = gap.to.duration_since(gap.from).as_secs_f64();
        text.extend([format!(
            "no data at {} for {}\n",
            text::km(gap.at_m),
            text::time(lasted_s)
        )]);
    }
    text
}

fn newest<T>(items: &[T], most: usize) -> &[T] {
    items.get(items.len().saturating_sub(most)..).unwrap_or_default()
}
