//! A race at one moment: the basis of every answer, prompt and check.

use std::sync::Arc;

use jiff::Timestamp;

use super::alerts::Alert;
use super::course::Course;
use super::ending::EndReason;
use super::goal::{ROUNDING_M, RaceGoal};
use super::id::RaceId;
use super::outlook::{self, Outlook, PlaceOutlook, PlaceState, fade};
use super::plan::RacePlan;
use super::schedule::{RacePhase, RaceWatch};
use super::text::plain_text;
use super::track::{Crossing, SHORTEST_STOP_S, Track};
use crate::accounts::AccountId;
use crate::garmin::livetrack::LiveTrackSession;

/// The state of a race at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub race: RaceId,
    pub account: AccountId,
    pub now: Timestamp,
    pub settings: RacePlan,
    /// The course, if the race has one.
    pub course: Option<Arc<Course>>,
    pub watch: RaceWatch,
    /// The track computed from all points.
    pub track: Track,
    /// The alerts so far, oldest first.
    pub alerts: Vec<Alert>,
}

/// The athlete and the race, as far as known, because one chat may follow several.
pub fn race_title(session: Option<&LiveTrackSession>, plan: &RacePlan) -> String {
    let short = |text: &str| plain_text(text).chars().take(60).collect::<String>();
    let athlete = session.and_then(|session| session.athlete.as_deref());
    let race = plan.name.as_deref().or(plan.type_text.as_deref());
    let parts: Vec<_> = [athlete, race].into_iter().flatten().map(short).collect();
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        "LiveTrack".to_owned()
    } else {
        parts.join(", ")
    }
}

/// The titles of races; with the local time of the start where two are the same, and with a number where those are the
/// same too.
pub fn distinct_titles<'a>(races: impl IntoIterator<Item = &'a Snapshot>) -> Vec<String> {
    let races: Vec<_> = races.into_iter().collect();
    let plain: Vec<_> = races.iter().map(|race| race.title()).collect();
    let mut titles: Vec<String> = Vec::with_capacity(races.len());
    for (race, title) in races.iter().zip(&plain) {
        let mut distinct = title.clone();
        if plain.iter().filter(|other| *other == title).count() > 1 {
            let start = race.start().map(|at| at.to_zoned(race.settings.zone()));
            if let Some(start) = start {
                distinct = format!("{title} ({})", start.strftime("%Y-%m-%d %H:%M"));
            }
            let dated = distinct.clone();
            let mut number = 2;
            while titles.contains(&distinct) {
                distinct = format!("{dated} {number}");
                number += 1;
            }
        }
        titles.push(distinct);
    }
    titles
}

impl Snapshot {
    /// The start of the race by the true clock; before it is known, that of the LiveTrack session.
    fn start(&self) -> Option<Timestamp> {
        let started_at = self.track.started_at.map(|at| self.track.true_time(at));
        started_at.or_else(|| self.watch.session.as_ref()?.start)
    }

    /// The athlete and the race, as in the messages to phones.
    pub fn title(&self) -> String {
        race_title(self.watch.session.as_ref(), &self.settings)
    }

    pub fn goal(&self) -> RaceGoal<'_> {
        RaceGoal {
            track: &self.track,
            plan: &self.settings,
            course: self.course.as_deref(),
        }
    }

    /// The outlook of a race under way. Its window widens without a signal.
    pub fn outlook(&self) -> Option<Outlook<'_>> {
        let is_open = self.watch.phase == RacePhase::Live && self.watch.finished_at.is_none();
        let silence = self.watch.silence(&self.track);
        let lost = silence.filter(|silence| *silence > self.watch.quiet_after());
        is_open
            .then(|| Outlook::of(self.goal(), self.now, lost, self.watch.fades()))
            .flatten()
    }

    /// Whether the finish was reached.
    pub fn is_finished(&self) -> bool {
        let reached = match self.watch.phase {
            RacePhase::Over { reason, .. } | RacePhase::Closing { reason, .. } => reason.is_finish(),
            RacePhase::Waiting | RacePhase::Live => false,
        };
        reached || self.watch.finished_at.is_some()
    }

    /// When a finished race ended: at the line, else at the last point, because the last metres may be missing.
    pub fn finish(&self) -> Option<Crossing> {
        let (last, _) = self
            .track
            .last
            .zip(self.track.started_at)
            .filter(|_| self.is_finished())?;
        Some(self.goal().finish().unwrap_or(Crossing {
            at: last.at,
            between: None,
        }))
    }

    /// Race time in seconds: to the finish, else to the last point. The watch may run on after the line.
    pub fn race_s(&self) -> f64 {
        let race_s = self.finish().zip(self.track.started_at);
        race_s.map_or(self.track.elapsed_s(), |(finish, started_at)| {
            finish.at.duration_since(started_at).as_secs_f64()
        })
    }

    /// When a place was passed. The end of a finished race is passed even if the last metres are missing.
    pub fn passed(&self, at_m: f64) -> Option<Crossing> {
        let is_end = || {
            self.goal()
                .whole_m()
                .is_some_and(|whole_m| at_m >= whole_m - ROUNDING_M)
        };
        let seen = self.track.crossing(at_m);
        seen.or_else(|| self.finish().filter(|_| is_end()))
    }

    /// Checkpoints and finish, in order.
    pub fn places(&self) -> Vec<PlaceOutlook> {
        let mut places = outlook::places(self.goal(), self.outlook().as_ref());
        for place in &mut places {
            if !matches!(place.state, PlaceState::Passed(_))
                && let Some(crossing) = self.passed(place.at_m)
            {
                place.state = PlaceState::Passed(crossing);
            }
        }
        places
    }

    /// What the slowdown of the outlook rests on.
    pub fn slowdown(&self, outlook: &Outlook<'_>) -> String {
        fade::basis(self.watch.fades(), outlook.sport())
    }
}

/// The status of a race. "No signal" and "stopped" are always kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RaceStanding {
    Waiting,
    UnderWay,
    Stopped,
    /// The watch's timer does not run; the signal is good.
    Paused,
    /// No data has arrived for a while.
    NoSignal,
    /// Garmin does not answer the gateway, so the status is unknown.
    Unreachable,
    Finished,
    /// The activity ended before the finish.
    EndedEarly,
    /// Silent for so long that the race is presumably over.
    ProbablyFinished,
    /// The link no longer works, and no end was seen.
    LinkGone,
    TrackingStopped,
}

impl RaceStanding {
    /// Derives the status of a race at `now`.
    pub fn of(now: Timestamp, watch: &RaceWatch, track: &Track) -> Self {
        match watch.phase {
            RacePhase::Over { reason, .. } | RacePhase::Closing { reason, .. } => match reason {
                EndReason::ByHand => Self::TrackingStopped,
                EndReason::LinkGone | EndReason::LinkExpired => Self::LinkGone,
                EndReason::Stale => Self::ProbablyFinished,
                EndReason::EndedEarly => Self::EndedEarly,
                EndReason::EndEvent | EndReason::SessionEnded | EndReason::CourseFinished => Self::Finished,
            },
            RacePhase::Live if watch.finished_at.is_some() => Self::Finished,
            RacePhase::Waiting | RacePhase::Live if watch.is_unreachable(now) => Self::Unreachable,
            RacePhase::Waiting => Self::Waiting,
            RacePhase::Live if watch.silence(track).is_some_and(|s| s >= watch.quiet_after()) => {
                Self::NoSignal
            }
            RacePhase::Live => match track
                .standing()
                .filter(|stop| stop.duration_s() >= SHORTEST_STOP_S)
            {
                Some(stop) if stop.is_paused() => Self::Paused,
                Some(_) => Self::Stopped,
                None => Self::UnderWay,
            },
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::UnderWay => "running",
            Self::Stopped => "stopped",
            Self::Paused => "paused",
            Self::NoSignal => "no_signal",
            Self::Unreachable => "garmin_unreachable",
            Self::Finished => "finished",
            Self::EndedEarly => "ended_early",
            Self::ProbablyFinished => "probably_finished",
            Self::LinkGone => "link_gone",
            Self::TrackingStopped => "tracking_stopped",
        }
    }

    /// A sentence that explains the status.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Waiting => "The race has not begun, or no data has come from it yet.",
            Self::UnderWay => "The race is under way and data is arriving.",
            Self::Stopped => "The athlete is standing still; the signal is good.",
            Self::Paused => "The athlete has paused the watch; the signal is good.",
            Self::NoSignal => {
                "No data is coming from the athlete. That is not a sign of a stop: a tunnel, no mobile network or an empty battery looks the same."
            }
            Self::Unreachable => {
                "Garmin does not answer, so nobody can see how the race is going. The gateway keeps trying."
            }
            Self::Finished => "The race is finished.",
            Self::EndedEarly => "The activity ended before the finish.",
            Self::ProbablyFinished => {
                "No data has come for a long time: probably finished, but Garmin has not reported the end."
            }
            Self::LinkGone => {
                "The LiveTrack link no longer works. If the race goes on, track the new link and continue it."
            }
            Self::TrackingStopped => "Tracking was stopped by hand; the race may go on.",
        }
    }
}
