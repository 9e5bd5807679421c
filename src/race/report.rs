//! The report of a race in Markdown: the result, legs, splits and places against the plan, stops, and the messages.
//!
//! Long races are summed up: a table has a limited number of rows, each for several splits if need be.

pub mod figures;
mod markdown;
mod tables;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::snapshot::{RaceStanding, Snapshot};
use super::text::{self, plain_text};
use figures::ReportFigures;
use markdown::{cell, table};
use tables::{difference, legs, places, splits, stops};

/// Maximum number of messages that the report repeats.
const MOST_MESSAGES: usize = 80;

/// The report. `said` are the messages of the coach, oldest first.
pub fn report(snapshot: &Snapshot, title: &str, said: &[(Timestamp, String)]) -> String {
    let mut report = format!("# {}\n\n{}\n", cell(title), state(snapshot));
    if snapshot.track.started_at.is_none() {
        return report;
    }
    let zone = snapshot.settings.zone();
    let at = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%H:%M").to_string();
    report.push_str(&table(&["", ""], &result(snapshot)));
    let chapters = [
        ("Legs", legs(snapshot)),
        ("Splits", splits(snapshot)),
        ("Places", places(snapshot)),
        ("Stops", stops(snapshot, &at)),
        (
            "What happened",
            messages(
                snapshot
                    .alerts
                    .iter()
                    .map(|alert| (alert.at, alert.text.as_str())),
                &at,
            ),
        ),
        (
            "From the coach",
            messages(said.iter().map(|(at, text)| (*at, text.as_str())), &at),
        ),
    ];
    let filled = chapters.iter().filter(|(_, body)| !body.is_empty());
    report.extend(filled.map(|(heading, body)| format!("\n## {heading}\n{body}")));
    report
}

/// The day of the race, and its state.
fn state(snapshot: &Snapshot) -> String {
    let standing = RaceStanding::of(snapshot.now, &snapshot.watch, &snapshot.track);
    let started_at = snapshot.track.started_at.map(|at| snapshot.track.true_time(at));
    let day = started_at.map_or_else(String::new, |at| {
        let at = at.to_zoned(snapshot.settings.zone());
        format!("Started on {}. ", at.strftime("%Y-%m-%d at %H:%M"))
    });
    format!("{day}{}", standing.sentence())
}

/// The race in one table.
fn result(snapshot: &Snapshot) -> Vec<Vec<String>> {
    let figures = ReportFigures::of(snapshot);
    let against = match (figures.is_whole, figures.target_s, figures.behind_s) {
        (true, Some(target_s), Some(behind_s)) => {
            format!(" (target {}, {})", text::time(target_s), difference(behind_s))
        }
        (false, _, Some(behind_s)) => format!(" ({} the plan)", ahead_or_behind(behind_s)),
        _ => String::new(),
    };
    let of = figures
        .whole_m
        .filter(|_| !figures.is_whole)
        .map_or_else(String::new, |m| format!(" of {}", text::mark(m)));
    let moving_s = figures.moving_s;
    let (stops, stopped_s) = figures.stops;
    let (gaps, gap_s) = figures.gaps;
    let rows = [
        ("Time", Some(format!("{}{against}", text::time(figures.time_s)))),
        ("Moving", Some(text::time(moving_s)).filter(|_| moving_s > 0.0)),
        ("Distance", Some(format!("{}{of}", text::km(figures.distance_m)))),
        (
            "Average while moving",
            figures.average.and_then(|(kind, mps)| text::pace(kind, mps)),
        ),
        (
            "Climb",
            Some(format!("{:.0} m", figures.ascent_m)).filter(|_| figures.ascent_m >= 1.0),
        ),
        (
            "Heart rate",
            figures
                .heart_rate
                .map(|(mean, highest)| format!("{mean:.0} bpm, at most {highest:.0}")),
        ),
        (
            "Drift of the heart rate",
            figures.drift_percent.map(|percent| {
                let word = if percent < 0.0 { "fewer" } else { "more" };
                format!("{:.1} % {word} beats a metre in the second half", percent.abs())
            }),
        ),
        (
            "Stops",
            (stops > 0).then(|| format!("{stops}, {} in all", text::time(stopped_s))),
        ),
        (
            "Without data",
            (gaps > 0).then(|| format!("{gaps}, {} in all", text::time(gap_s))),
        ),
    ];
    let rows = rows
        .into_iter()
        .filter_map(|(name, value)| Some(vec![name.to_owned(), value?]));
    rows.collect()
}

/// Messages as a list, the newest [`MOST_MESSAGES`].
fn messages<'a>(all: impl Iterator<Item = (Timestamp, &'a str)>, at: &dyn Fn(Timestamp) -> String) -> String {
    let all: Vec<_> = all.collect();
    let left_out = all.len().saturating_sub(MOST_MESSAGES);
    let note = (left_out > 0).then(|| format!("\n{left_out} older messages are left out.\n"));
    let newest = all.iter().skip(left_out);
    let lines = newest.map(|(when, text)| format!("- {} {}\n", at(*when), plain_text(text)));
    let gap = (!all.is_empty()).then(|| "\n".to_owned());
    note.into_iter().chain(gap).chain(lines).collect()
}

fn ahead_or_behind(seconds: f64) -> String {
    let word = if seconds <= 0.0 { "ahead of" } else { "behind" };
    format!("{} {word}", text::time(seconds.abs()))
}
