//! The tables of a report.

use jiff::Timestamp;

use super::markdown::{cell, table};
use crate::race::outlook::{self, PlaceOutlook, PlaceState};
use crate::race::pacing::planned_s;
use crate::race::snapshot::Snapshot;
use crate::race::sport::LegKind;
use crate::race::text;
use crate::race::track::{Leg, Split};

/// Maximum number of rows in a table.
const MOST_ROWS: usize = 60;

/// The legs of a race of several sports.
pub(super) fn legs(snapshot: &Snapshot) -> String {
    let legs = &snapshot.track.legs;
    if legs.len() < 2 {
        return String::new();
    }
    let row = |leg: &Leg| {
        let mps = leg.distance_m() / leg.sums.moving_s.max(1.0);
        vec![
            leg.kind.map_or("", LegKind::word).to_owned(),
            text::km(leg.distance_m()),
            text::time(leg.elapsed_s()),
            if leg.unseen {
                "not seen".to_owned()
            } else {
                text::pace(leg.kind, mps).unwrap_or_default()
            },
            leg.sums
                .heart_rate
                .mean()
                .map_or_else(String::new, |bpm| format!("{bpm:.0}")),
            leg.sums
                .power
                .mean()
                .map_or_else(String::new, |watts| format!("{watts:.0}")),
        ]
    };
    let rows: Vec<_> = legs.iter().take(MOST_ROWS).map(row).collect();
    table(&["leg", "distance", "time", "average", "bpm", "W"], &rows)
}

/// The splits, several in a row if there are many, with how far the athlete was from the plan at the end of each.
pub(super) fn splits(snapshot: &Snapshot) -> String {
    let splits = &snapshot.track.splits;
    let per_row = splits.len().div_ceil(MOST_ROWS).max(1);
    let mut rows = Vec::new();
    for leg in splits.chunk_by(|a, b| a.leg == b.leg) {
        rows.extend(
            leg.chunks(per_row)
                .filter_map(|splits| split_row(snapshot, splits)),
        );
    }
    table(&["to", "time", "pace", "bpm", "W", "against the plan"], &rows)
}

fn split_row(snapshot: &Snapshot, splits: &[Split]) -> Option<Vec<String>> {
    let (first, last) = (splits.first()?, splits.last()?);
    let track = &snapshot.track;
    let seconds: f64 = splits.iter().map(|split| split.duration_s).sum();
    let kind = track.legs.get(last.leg).and_then(|leg| leg.kind);
    let mean = |value: fn(&Split) -> Option<f64>| {
        let known = splits
            .iter()
            .filter_map(|split| Some((value(split)?, split.duration_s)));
        let (sum, seconds) = known.fold((0.0, 0.0), |(sum, all), (value, s)| (sum + value * s, all + s));
        if seconds > 0.0 {
            format!("{:.0}", sum / seconds)
        } else {
            String::new()
        }
    };
    let estimated = if splits.iter().any(|split| split.estimated) {
        "~"
    } else {
        ""
    };
    let race_s = track
        .started_at
        .map(|start| last.at.duration_since(start).as_secs_f64())?;
    let against = planned_s(snapshot.goal(), last.race_m).map(|planned_s| difference(race_s - planned_s));
    Some(vec![
        text::mark(last.race_m),
        format!("{estimated}{}", text::time(seconds)),
        text::pace(kind, (last.to_m - first.from_m) / seconds.max(1.0)).unwrap_or_default(),
        mean(|split| split.heart_rate_bpm),
        mean(|split| split.power_w),
        against.unwrap_or_default(),
    ])
}

/// The checkpoints and the finish: when they were passed, against plan and cut-off.
pub(super) fn places(snapshot: &Snapshot) -> String {
    let outlook = snapshot.outlook();
    let all = outlook::places(snapshot.goal(), outlook.as_ref());
    let rows: Vec<_> = all
        .iter()
        .take(MOST_ROWS)
        .map(|place| place_row(snapshot, place))
        .collect();
    table(
        &[
            "place",
            "at",
            "passed after",
            "against the plan",
            "to the cut-off",
        ],
        &rows,
    )
}

fn place_row(snapshot: &Snapshot, place: &PlaceOutlook) -> Vec<String> {
    let start = snapshot.track.started_at;
    let race_s = match &place.state {
        PlaceState::Passed(crossing) => start.map(|start| crossing.at.duration_since(start).as_secs_f64()),
        PlaceState::Ahead(_) | PlaceState::Unknown => None,
    };
    let passed = race_s.map_or_else(|| "not passed".to_owned(), text::time);
    let target_s = place
        .target_s
        .map(f64::from)
        .or_else(|| planned_s(snapshot.goal(), place.at_m));
    let against = race_s
        .zip(target_s)
        .map(|(race_s, target_s)| difference(race_s - target_s));
    let margin = race_s.zip(place.cutoff_s).map(|(race_s, cutoff_s)| {
        let margin_s = f64::from(cutoff_s) - race_s;
        let word = if margin_s < 0.0 { "too late" } else { "to spare" };
        format!("{} {word}", text::time(margin_s.abs()))
    });
    vec![
        cell(&place.name),
        text::mark(place.at_m),
        passed,
        against.unwrap_or_default(),
        margin.unwrap_or_default(),
    ]
}

/// The longest stops, in the order in which they were made.
pub(super) fn stops(snapshot: &Snapshot, at: &dyn Fn(Timestamp) -> String) -> String {
    let track = &snapshot.track;
    let mut longest: Vec<_> = track.stops().iter().collect();
    longest.sort_by(|a, b| b.duration_s().total_cmp(&a.duration_s()));
    longest.truncate(MOST_ROWS);
    longest.sort_by_key(|stop| stop.from);
    let rows: Vec<_> = longest
        .into_iter()
        .map(|stop| {
            let watch = if stop.is_paused() { "paused" } else { "ran on" };
            vec![
                at(track.true_time(stop.from)),
                text::mark(stop.at_m),
                text::time(stop.duration_s()),
                watch.to_owned(),
            ]
        })
        .collect();
    table(&["from", "at", "for", "the watch"], &rows)
}

/// `2:10 faster` or `0:45 slower`.
pub(super) fn difference(seconds: f64) -> String {
    let word = if seconds <= 0.0 { "faster" } else { "slower" };
    format!("{} {word}", text::time(seconds.abs()))
}
