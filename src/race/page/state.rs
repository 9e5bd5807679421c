//! The state of the race in words, which come before everything else on the page.

use super::moments::Moments;
use super::privacy::HiddenZones;
use super::words::fill;
use crate::race::outlook::{PlaceOutlook, PlaceState, at_race_time};
use crate::race::snapshot::{RaceStanding, Snapshot};
use crate::race::text;
use crate::race::track::Stop;

/// A stop this near to a place is a stop there; metres.
const AT_PLACE_M: f64 = 400.0;

/// How the state looks, besides its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageTone {
    /// The athlete is seen and all is well.
    Good,
    /// Nothing is seen, which may be harmless.
    Unsure,
    /// The race is over or has not begun.
    Quiet,
}

impl PageTone {
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Unsure => "unsure",
            Self::Quiet => "quiet",
        }
    }
}

/// The state as sentences in the language of the reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageState {
    /// One short sentence, the first that is read.
    pub headline: String,
    /// More sentences, the most important first.
    pub details: Vec<String>,
    pub tone: PageTone,
}

pub(super) fn state(snapshot: &Snapshot, hidden: &HiddenZones, moments: &Moments) -> PageState {
    let words = &moments.words.state;
    let standing = RaceStanding::of(snapshot.now, &snapshot.watch, &snapshot.track);
    let silence_s = snapshot.watch.silence(&snapshot.track);
    let silence_s = silence_s.map_or(0.0, |silence| silence.as_secs_f64());
    let seen = || seen(snapshot, hidden, moments);
    let mut details = Vec::new();
    let (tone, headline) = match standing {
        RaceStanding::Waiting => {
            details.push(words.waiting_more.to_owned());
            (PageTone::Quiet, words.waiting.to_owned())
        }
        RaceStanding::UnderWay => {
            details.extend(seen());
            let kind = snapshot.track.leg().and_then(|leg| leg.kind);
            (PageTone::Good, moments.words.moving(kind).to_owned())
        }
        RaceStanding::Stopped => {
            details.push(words.signal_good.to_owned());
            details.extend(seen());
            (
                PageTone::Good,
                stop(snapshot, hidden, words.stopped, words.stopped_at, moments),
            )
        }
        RaceStanding::Paused => {
            details.push(words.signal_good.to_owned());
            details.extend(seen());
            (
                PageTone::Good,
                stop(snapshot, hidden, words.paused, words.paused_at, moments),
            )
        }
        RaceStanding::NoSignal => {
            details.extend(expected(snapshot, moments));
            details.extend(seen());
            details.push(words.no_signal_more.to_owned());
            let long = moments.long(silence_s);
            (PageTone::Unsure, fill(words.no_signal, &[("long", &long)]))
        }
        RaceStanding::Unreachable => {
            details.extend(seen());
            details.push(words.unreachable_more.to_owned());
            (PageTone::Unsure, words.unreachable.to_owned())
        }
        over => ended(over, snapshot, hidden, moments, &mut details),
    };
    if matches!(tone, PageTone::Good) {
        details.extend(expected(snapshot, moments));
    }
    if !matches!(tone, PageTone::Quiet) {
        details.extend(progress(snapshot, hidden, moments));
    }
    PageState {
        headline,
        details,
        tone,
    }
}

/// The words for a race that is over.
fn ended(
    standing: RaceStanding,
    snapshot: &Snapshot,
    hidden: &HiddenZones,
    moments: &Moments,
    details: &mut Vec<String>,
) -> (PageTone, String) {
    let words = &moments.words.state;
    let headline = match standing {
        RaceStanding::Finished => match snapshot.finish() {
            Some(_) => fill(words.finished_in, &[("time", &text::time(snapshot.race_s()))]),
            None => words.finished.to_owned(),
        },
        RaceStanding::EndedEarly => words.ended_early.to_owned(),
        RaceStanding::ProbablyFinished => {
            details.push(words.probably_more.to_owned());
            words.probably.to_owned()
        }
        RaceStanding::LinkGone => {
            details.push(words.may_go_on.to_owned());
            words.link_gone.to_owned()
        }
        _ => {
            details.push(words.may_go_on.to_owned());
            words.tracking_stopped.to_owned()
        }
    };
    let track = &snapshot.track;
    if let Some(started_at) = track.started_at {
        if !hidden.hides_end(snapshot) {
            let (km, time) = (moments.km(track.progress_m()), text::time(track.elapsed_s()));
            details.push(fill(words.covered, &[("km", &km), ("time", &time)]));
        }
        let at = moments.at(track.true_time(started_at));
        details.push(fill(words.started, &[("time", &at)]));
    }
    (PageTone::Quiet, headline)
}

fn seen(snapshot: &Snapshot, hidden: &HiddenZones, moments: &Moments) -> Option<String> {
    let words = &moments.words.state;
    let track = &snapshot.track;
    let last = track.last?;
    let ago = moments.ago(track.true_time(last.at));
    if track.started_at.is_none() {
        return Some(fill(words.seen, &[("ago", &ago)]));
    }
    let at_m = track.progress_m();
    Some(if hidden.hides_distance(at_m, last.position) {
        fill(words.seen_near, &[("ago", &ago)])
    } else {
        fill(words.seen_at, &[("ago", &ago), ("km", &moments.km(at_m))])
    })
}

/// The stop in progress, with the place if there is one.
fn stop(snapshot: &Snapshot, hidden: &HiddenZones, plain: &str, at_place: &str, moments: &Moments) -> String {
    let track = &snapshot.track;
    let long_s = track.standing().map_or(0.0, Stop::duration_s);
    let long = moments.long(long_s);
    let here_m = track.progress_m();
    let places = snapshot.settings.checkpoints.iter();
    let is_hidden = hidden.hides_distance(here_m, track.last.and_then(|last| last.position));
    let place = places
        .filter(|_| !is_hidden)
        .map(|place| ((place.km * 1000.0 - here_m).abs(), place))
        .filter(|(off_m, _)| *off_m <= AT_PLACE_M)
        .min_by(|a, b| a.0.total_cmp(&b.0));
    match place {
        Some((_, place)) => fill(
            at_place,
            &[("long", &long), ("place", &text::isolated(&place.name))],
        ),
        None => fill(plain, &[("long", &long)]),
    }
}

/// When the athlete is expected at the next place.
fn expected(snapshot: &Snapshot, moments: &Moments) -> Option<String> {
    let outlook = snapshot.outlook()?;
    let places = outlook.places();
    // An athlete who stands at a place is not expected there.
    let stands = snapshot.track.standing().is_some();
    let from_m = snapshot.track.progress_m() + if stands { AT_PLACE_M } else { 0.0 };
    let is_ahead = |place: &&PlaceOutlook| place.at_m > from_m && matches!(place.state, PlaceState::Ahead(_));
    let next = places.iter().find(is_ahead)?;
    let PlaceState::Ahead(arrival) = &next.state else {
        return None;
    };
    let at = |race_s| moments.at(at_race_time(&snapshot.track, race_s));
    let name = moments.place_name(next);
    Some(fill(
        moments.words.state.expected,
        &[
            ("place", &text::isolated(name)),
            ("early", &at(arrival.early_s)),
            ("late", &at(arrival.late_s)),
        ],
    ))
}

/// Time since the start, and the distance left.
fn progress(snapshot: &Snapshot, hidden: &HiddenZones, moments: &Moments) -> Vec<String> {
    let words = &moments.words.state;
    let track = &snapshot.track;
    let mut sentences = Vec::new();
    if let Some(started_at) = track.started_at {
        let at = moments.at(track.true_time(started_at));
        sentences.push(fill(words.started, &[("time", &at)]));
    }
    let position = track.last.and_then(|last| last.position);
    let is_hidden = hidden.hides_distance(track.progress_m(), position);
    let left_m = snapshot.goal().left_m();
    if let Some(left_m) = left_m.filter(|left_m| *left_m > 0.0 && !is_hidden) {
        sentences.push(fill(words.left, &[("km", &moments.km(left_m))]));
    }
    sentences
}
