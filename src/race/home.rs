//! What a home automation system shows about an athlete: the state of the race in plain values. Pure.
//!
//! Invariant: no position, no name of a place, and no body data.

use jiff::{Timestamp, Unit};
use serde::Serialize;

use super::outlook::Outlook;
use super::schedule::RacePhase;
use super::snapshot::{RaceStanding, Snapshot};
use super::text::plain_text;

/// Maximum length of a name in characters. Names come from strangers.
const LONGEST_NAME: usize = 60;

/// An athlete's race in plain values. The field names are published.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HomeState {
    /// The athlete's name as LiveTrack shows it.
    #[serde(skip)]
    pub athlete: Option<String>,
    /// The state in words that do not change, so that automations can compare them.
    pub state: &'static str,
    /// `ON` from the start of the race to its end, also without signal; else `OFF`.
    pub in_activity: &'static str,
    /// Kilometres from the start to the newest point.
    pub distance_km: Option<f64>,
    pub distance_left_km: Option<f64>,
    /// The likely arrival at the finish, to the minute, while the race is under way.
    pub eta: Option<Timestamp>,
    pub eta_early: Option<Timestamp>,
    pub eta_late: Option<Timestamp>,
    pub race: Option<String>,
    pub started_at: Option<Timestamp>,
    /// When the newest data was recorded.
    pub seen_at: Option<Timestamp>,
}

impl HomeState {
    pub fn of(snapshot: &Snapshot) -> Self {
        let track = &snapshot.track;
        let true_time = |at: Timestamp| to(track.true_time(at), Unit::Second);
        let started_at = track.started_at.map(true_time);
        let is_open = snapshot.watch.phase == RacePhase::Live && snapshot.watch.finished_at.is_none();
        let is_under_way = is_open && started_at.is_some();
        let outlook = snapshot.outlook();
        let finish = outlook.as_ref().and_then(Outlook::finish);
        let times = outlook.as_ref().zip(finish).filter(|_| is_under_way);
        let times = times.map(|(outlook, finish)| outlook.times(&finish).map(|at| to(at, Unit::Minute)));
        let session = snapshot.watch.session.as_ref();
        Self {
            athlete: session
                .and_then(|session| session.athlete.as_deref())
                .and_then(short),
            state: words(RaceStanding::of(snapshot.now, &snapshot.watch, track)),
            in_activity: if is_under_way { "ON" } else { "OFF" },
            distance_km: started_at.map(|_| tenths(track.progress_m())),
            distance_left_km: snapshot.goal().left_m().filter(|_| is_under_way).map(tenths),
            eta: times.map(|[_, likely, _]| likely),
            eta_early: times.map(|[early, ..]| early),
            eta_late: times.map(|[.., late]| late),
            race: snapshot.settings.name.as_deref().and_then(short),
            started_at,
            seen_at: track.last.map(|last| true_time(last.at)),
        }
    }

    pub fn is_in_activity(&self) -> bool {
        self.in_activity == "ON"
    }
}

/// A state as a few words.
fn words(standing: RaceStanding) -> &'static str {
    match standing {
        RaceStanding::Waiting => "Waiting for the start",
        RaceStanding::UnderWay => "Under way",
        RaceStanding::Stopped => "Stopped",
        RaceStanding::Paused => "Paused",
        RaceStanding::NoSignal => "No signal",
        RaceStanding::Unreachable => "LiveTrack does not answer",
        RaceStanding::Finished => "Finished",
        RaceStanding::EndedEarly => "Ended before the finish",
        RaceStanding::ProbablyFinished => "Probably finished",
        RaceStanding::LinkGone => "The link no longer works",
        RaceStanding::TrackingStopped => "No longer watched",
    }
}

fn short(text: &str) -> Option<String> {
    let text: String = plain_text(text).chars().take(LONGEST_NAME).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Kilometres with one decimal, so that a few steps do not count as a change.
fn tenths(metres: f64) -> f64 {
    (metres / 100.0).round() / 10.0
}

fn to(at: Timestamp, unit: Unit) -> Timestamp {
    at.round(unit).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::ending::EndReason;
    use crate::race::support::{at, hour};

    #[test]
    fn a_race_under_way_has_an_arrival_and_one_that_is_over_has_none() {
        let (mut snapshot, _) = hour();
        let waiting = HomeState::of(&snapshot);
        assert_eq!(
            (waiting.state, waiting.in_activity),
            ("Waiting for the start", "OFF")
        );
        snapshot.watch.phase = RacePhase::Live;
        snapshot.watch.last_ok_at = Some(at(3615));
        let running = HomeState::of(&snapshot);
        assert_eq!((running.state, running.in_activity), ("Under way", "ON"));
        assert_eq!(
            (running.distance_km, running.distance_left_km),
            (Some(10.8), Some(10.3))
        );
        let [early, likely, late] = [running.eta_early, running.eta, running.eta_late].map(Option::unwrap);
        // 21.1 km at 3 m/s take 1:57.
        assert!(early < likely && likely < late && (likely - at(7032)).get_minutes().abs() < 10);
        assert_eq!(running.seen_at, Some(at(3600)));

        snapshot.watch.last_ok_at = Some(at(5400));
        let lost = HomeState::of(&snapshot);
        assert_eq!((lost.state, lost.in_activity), ("No signal", "ON"));

        snapshot.watch.phase = RacePhase::Over {
            reason: EndReason::EndEvent,
            at: at(5400),
        };
        let over = HomeState::of(&snapshot);
        assert_eq!((over.state, over.in_activity), ("Finished", "OFF"));
        assert_eq!(
            (over.eta, over.eta_late, over.distance_km),
            (None, None, Some(10.8))
        );
    }

    #[test]
    fn a_strangers_name_is_one_short_line() {
        assert_eq!(short("  Ann\n\u{202e}Example "), Some("Ann Example".to_owned()));
        assert_eq!(short(&"x".repeat(300)).unwrap().len(), LONGEST_NAME);
        assert_eq!(short("\u{200b} "), None);
    }
}
