//! The tables of a report in Markdown.

use jiff::Timestamp;

use super::figures::{self, LegFigures, PlaceFigures, SplitFigures, StopFigures};
use super::markdown::{cell, table};
use crate::race::snapshot::Snapshot;
use crate::race::sport::LegKind;
use crate::race::text;

/// The legs of a race of several sports.
pub(super) fn legs(snapshot: &Snapshot) -> String {
    let row = |leg: &LegFigures| {
        let average = leg
            .mps
            .map_or(Some("not seen".to_owned()), |mps| text::pace(leg.kind, mps));
        vec![
            leg.kind.map_or("", LegKind::word).to_owned(),
            text::km(leg.distance_m),
            text::time(leg.time_s),
            average.unwrap_or_default(),
            whole(leg.heart_rate_bpm),
            whole(leg.power_w),
        ]
    };
    let rows: Vec<_> = figures::legs(snapshot).iter().map(row).collect();
    table(&["leg", "distance", "time", "average", "bpm", "W"], &rows)
}

/// The splits, several in a row if there are many, with how far the athlete was from the plan at the end of each.
pub(super) fn splits(snapshot: &Snapshot) -> String {
    let row = |split: &SplitFigures| {
        vec![
            text::mark(split.to_m),
            format!(
                "{}{}",
                if split.estimated { "~" } else { "" },
                text::time(split.time_s)
            ),
            text::pace(split.kind, split.mps).unwrap_or_default(),
            whole(split.heart_rate_bpm),
            whole(split.power_w),
            split.behind_s.map_or_else(String::new, difference),
        ]
    };
    let rows: Vec<_> = figures::splits(snapshot).iter().map(row).collect();
    table(&["to", "time", "pace", "bpm", "W", "plan so far"], &rows)
}

/// The checkpoints and the finish: when they were passed, against plan and cut-off.
pub(super) fn places(snapshot: &Snapshot) -> String {
    let row = |place: &PlaceFigures| {
        let margin = place.margin_s.map(|margin_s| {
            let word = if margin_s < 0.0 { "too late" } else { "to spare" };
            format!("{} {word}", text::time(margin_s.abs()))
        });
        vec![
            cell(&place.place.name),
            text::mark(place.place.at_m),
            place.race_s.map_or_else(|| "not passed".to_owned(), text::time),
            place.behind_s.map_or_else(String::new, difference),
            margin.unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = figures::places(snapshot).iter().map(row).collect();
    table(
        &["place", "at", "passed after", "plan so far", "to the cut-off"],
        &rows,
    )
}

/// The longest stops, in the order in which they were made.
pub(super) fn stops(snapshot: &Snapshot, at: &dyn Fn(Timestamp) -> String) -> String {
    let row = |stop: &StopFigures| {
        vec![
            at(stop.from),
            text::mark(stop.at_m),
            text::time(stop.time_s),
            if stop.is_paused { "paused" } else { "ran on" }.to_owned(),
        ]
    };
    let rows: Vec<_> = figures::stops(snapshot).iter().map(row).collect();
    table(&["from", "at", "for", "the watch"], &rows)
}

fn whole(number: Option<f64>) -> String {
    number.map_or_else(String::new, |number| format!("{number:.0}"))
}

/// `2:10 faster` or `0:45 slower` since the start.
pub(super) fn difference(seconds: f64) -> String {
    if seconds.abs() < 0.5 {
        return "on plan".to_owned();
    }

    let word = if seconds <= 0.0 { "faster" } else { "slower" };
    format!("{} {word}", text::time(seconds.abs()))
}
