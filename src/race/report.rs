//! The report of a race in Markdown: the result, legs, splits and places against the plan, stops, and what was said.
//!
//! Long races are summed up: a table has a limited number of rows, each for several splits if need be.

mod markdown;
mod tables;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::pacing::planned_s;
use super::snapshot::{RaceStanding, Snapshot};
use super::text::{self, plain_text};
use super::track::{Leg, Track};
use super::trend;
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

/// The day of the race, and how it stands.
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
    let (track, plan) = (&snapshot.track, &snapshot.settings);
    let time_s = track.elapsed_s();
    let is_whole = snapshot.watch.finished_at.is_some()
        || snapshot
            .watch
            .over()
            .is_some_and(super::ending::EndReason::is_finish);
    let against = plan.target_time_s.filter(|_| is_whole).map(|target_s| {
        let target_s = f64::from(target_s);
        format!(
            " (target {}, {})",
            text::time(target_s),
            difference(time_s - target_s)
        )
    });
    let now = planned_s(snapshot.goal(), track.progress_m())
        .filter(|_| !is_whole)
        .map(|planned_s| format!(" ({} the plan)", ahead_or_behind(time_s - planned_s)));
    let whole = snapshot.goal().whole_m();
    let of = whole
        .filter(|_| !is_whole)
        .map_or_else(String::new, |m| format!(" of {}", text::mark(m)));
    let moving_s: f64 = track.legs.iter().map(|leg| leg.sums.moving_s).sum();
    let kind = track
        .legs
        .first()
        .and_then(|leg| leg.kind)
        .filter(|_| track.legs.len() == 1);
    let average = text::pace(kind, track.distance_m() / moving_s.max(1.0)).filter(|_| track.legs.len() == 1);
    let drift = trend::drift_percent(track);
    let stopped = track.stops();
    let stopped_s: f64 = stopped.iter().map(super::track::Stop::duration_s).sum();
    let gap_s: f64 = track
        .gaps
        .iter()
        .map(|gap| gap.to.duration_since(gap.from).as_secs_f64())
        .sum();
    let rows = [
        (
            "Time",
            Some(format!(
                "{}{}",
                text::time(time_s),
                against.or(now).unwrap_or_default()
            )),
        ),
        ("Moving", Some(text::time(moving_s)).filter(|_| moving_s > 0.0)),
        ("Distance", Some(format!("{}{of}", text::km(track.distance_m())))),
        ("Average while moving", average),
        (
            "Climb",
            Some(format!("{:.0} m", track.ascent_m)).filter(|_| track.ascent_m >= 1.0),
        ),
        ("Heart rate", heart_rate(track)),
        (
            "Drift of the heart rate",
            drift.map(|percent| {
                let word = if percent < 0.0 { "fewer" } else { "more" };
                format!("{:.1} % {word} beats a metre in the second half", percent.abs())
            }),
        ),
        (
            "Stops",
            (!stopped.is_empty()).then(|| format!("{}, {} in all", stopped.len(), text::time(stopped_s))),
        ),
        (
            "Without data",
            (!track.gaps.is_empty())
                .then(|| format!("{} times, {} in all", track.gaps.len(), text::time(gap_s))),
        ),
    ];
    let rows = rows
        .into_iter()
        .filter_map(|(name, value)| Some(vec![name.to_owned(), value?]));
    rows.collect()
}

fn heart_rate(track: &Track) -> Option<String> {
    let weighed = |leg: &Leg| Some((leg.sums.heart_rate.mean()?, leg.sums.moving_s.max(1.0)));
    let legs: Vec<_> = track.legs.iter().filter_map(weighed).collect();
    let seconds: f64 = legs.iter().map(|(_, seconds)| seconds).sum();
    let mean = legs.iter().map(|(bpm, seconds)| bpm * seconds).sum::<f64>() / seconds;
    let highest = track
        .legs
        .iter()
        .filter_map(|leg| leg.sums.heart_rate.highest())
        .max_by(f64::total_cmp)?;
    Some(format!("{mean:.0} bpm, at most {highest:.0}"))
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
