//! The timing of a watched race: what to request from LiveTrack, and when. Pure.
//!
//! Invariants:
//! - A race is polled no more often than its interval, nor more often than its phone posts. Failures reduce the rate.
//! - Silence is measured only up to the last successful answer: an outage at Garmin is not silence of the athlete.
//! - After every sign of an end there is one more complete poll, because late data arrives then.

#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::garmin::livetrack::{LiveTrackError, LiveTrackSession, back_off};
use crate::race::course::Course;
use crate::race::ending;
use crate::race::ending::{EndEvidence, EndReason, EndRules};
use crate::race::goal::RaceGoal;
use crate::race::outlook::fade::OwnFades;
use crate::race::plan::RacePlan;
use crate::race::track::Track;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum RacePhase {
    Waiting,
    Live,
    /// There is a sign that the race is over. One more poll follows.
    Closing {
        reason: EndReason,
        since: Timestamp,
    },
    /// The race is over. After silence or an early end, polling goes on for a while, and new points reopen the race.
    Over {
        reason: EndReason,
        at: Timestamp,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollFailures {
    /// Name of the latest error.
    pub name: String,
    /// Number of consecutive failures.
    pub times: u32,
    pub since: Timestamp,
    /// Time before which LiveTrack is not polled again.
    pub until: Timestamp,
}

/// The polling state of one race. Stored, so that it survives a restart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RaceWatch {
    pub phase: RacePhase,
    /// Time at which watching began.
    pub since: Timestamp,
    /// When a new link continued the race, if one did.
    pub carried_on_at: Option<Timestamp>,
    /// The session as last read.
    pub session: Option<LiveTrackSession>,
    pub session_at: Option<Timestamp>,
    pub last_ok_at: Option<Timestamp>,
    /// When the last new point arrived.
    pub last_new_at: Option<Timestamp>,
    pub polls: u64,
    pub errors: u64,
    /// The current run of consecutive failures.
    pub failing: Option<PollFailures>,
    /// When the finish was seen. The watch may run on.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
    /// Number of consecutive answers in an unknown format, for which the LiveTrack page was read instead.
    pub changed: u32,
    /// What the account's past activities say about the athlete's fade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_fades: Option<OwnFades>,
}

/// Result of one LiveTrack poll.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PollResult {
    /// The session, if it was requested.
    pub session: Option<LiveTrackSession>,
    pub new_points: usize,
    /// Whether the format of the interface has changed.
    pub changed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextPoll {
    /// Poll LiveTrack at this time.
    Ask {
        at: Timestamp,
        session: bool,
        /// Request points from this device time on; `None` = all points.
        begin: Option<Timestamp>,
    },
    Nothing,
}

/// How often the session is read while points arrive.
const SESSION_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// Delay between the first sign of an end and the final poll.
const LAST_LOOK: SignedDuration = SignedDuration::from_secs(60);

/// How long polling goes on after silence or an early end ended a race.
const AFTER_END: SignedDuration = SignedDuration::from_hours(2);

/// How long polling goes on after the finish if the watch runs on.
const AFTER_FINISH: SignedDuration = SignedDuration::from_hours(1);

/// Minimum interval between polls while no new points arrive.
const IDLE_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// How long the points of a gap are requested again. Phones may send buffered points newest first or oldest first.
const ASK_FOR_GAP: SignedDuration = SignedDuration::from_mins(30);

/// Silence shorter than this is treated as normal.
const QUIET: SignedDuration = SignedDuration::from_mins(5);

impl RaceWatch {
    /// Starts to watch a race at `now`.
    pub fn new(now: Timestamp) -> Self {
        Self {
            phase: RacePhase::Waiting,
            since: now,
            carried_on_at: None,
            session: None,
            session_at: None,
            last_ok_at: None,
            last_new_at: None,
            polls: 0,
            errors: 0,
            failing: None,
            finished_at: None,
            changed: 0,
            own_fades: None,
        }
    }

    /// What is known about the fade of the athlete whom the link shows now; `None` if nothing was read for this athlete.
    pub fn fades(&self) -> Option<&OwnFades> {
        let athlete = self.session.as_ref()?.athlete_key()?;
        self.own_fades.as_ref().filter(|fades| fades.athlete == athlete)
    }

    pub fn answered(&mut self, now: Timestamp, answer: PollResult) {
        self.polls += 1;
        self.last_ok_at = Some(now);
        self.failing = None;
        self.changed = if answer.changed { self.changed + 1 } else { 0 };
        if answer.new_points > 0 {
            self.last_new_at = Some(now);
        }
        if let Some(session) = answer.session {
            self.session = Some(session);
            self.session_at = Some(now);
        }
    }

    pub fn failed(&mut self, now: Timestamp, failure: &LiveTrackError) {
        self.errors += 1;
        if failure.is_change() {
            self.changed += 1;
        }
        let times = self.failing.as_ref().map_or(0, |failing| failing.times) + 1;
        let since = self.failing.as_ref().map_or(now, |failing| failing.since);
        let wait = back_off(failure, times);
        self.failing = Some(PollFailures {
            name: failure.name().to_owned(),
            times,
            since,
            until: later(now, wait.unwrap_or(Duration::ZERO)),
        });
        if wait.is_none() {
            self.phase = RacePhase::Over {
                reason: self.gone(now),
                at: now,
            };
        }
    }

    /// The reason if Garmin does not know the session: the end that was already expected, or a dead link.
    fn gone(&self, now: Timestamp) -> EndReason {
        if let RacePhase::Closing { reason, .. } | RacePhase::Over { reason, .. } = self.phase {
            return reason;
        }
        let link_ends_at = self.session.as_ref().and_then(LiveTrackSession::link_ends_at);
        if link_ends_at.is_some_and(|end| end <= now) {
            EndReason::LinkExpired
        } else {
            EndReason::LinkGone
        }
    }

    /// Ends the race on a user's request.
    pub fn stopped(&mut self, now: Timestamp) {
        if !matches!(self.phase, RacePhase::Over { .. }) {
            self.phase = RacePhase::Over {
                reason: EndReason::ByHand,
                at: now,
            };
        }
    }

    /// Continues the race with a new link.
    pub fn carried_on(&mut self, now: Timestamp) {
        *self = Self {
            carried_on_at: Some(now),
            polls: self.polls,
            errors: self.errors,
            last_new_at: self.last_new_at,
            ..Self::new(now)
        };
    }

    /// Updates the phase from the newest answer and the track that includes it.
    pub fn conclude(
        &mut self,
        now: Timestamp,
        rules: EndRules,
        plan: &RacePlan,
        track: &Track,
        course: Option<&Course>,
    ) {
        let goal = RaceGoal { track, plan, course };
        let known = EndEvidence {
            now,
            rules,
            goal,
            session: self.session.as_ref(),
            tracking_since: self.since,
            carried_on_at: self.carried_on_at,
            last_ok_at: self.last_ok_at.unwrap_or(self.since),
            last_new_at: self.last_new_at.unwrap_or(self.since),
        };
        if self.finished_at.is_none() && goal.is_reached(self.silence(track).unwrap_or_default()) {
            self.finished_at = Some(now);
        }
        let ran_on = self
            .finished_at
            .is_some_and(|at| now.duration_since(at) >= AFTER_FINISH);
        let over = ending::over(&known).or(ran_on.then_some(EndReason::CourseFinished));
        self.phase = match (self.phase, over) {
            (
                RacePhase::Over {
                    reason: EndReason::Stale | EndReason::EndedEarly,
                    ..
                },
                None,
            ) => RacePhase::Live,
            (over @ RacePhase::Over { .. }, _) => over,
            (RacePhase::Closing { since, .. }, Some(reason)) if now.duration_since(since) >= LAST_LOOK => {
                RacePhase::Over { reason, at: now }
            }
            (RacePhase::Closing { since, .. }, Some(reason)) => RacePhase::Closing { reason, since },
            (_, Some(reason)) => RacePhase::Closing { reason, since: now },
            (_, None) if track.started_at.is_some() => RacePhase::Live,
            (_, None) => RacePhase::Waiting,
        };
    }

    pub fn next(&self, now: Timestamp, settings: &RacePlan, track: &Track) -> NextPoll {
        let (at, session, begin) = match (&self.phase, &self.failing) {
            (RacePhase::Over { reason, at }, _) => match self.after_look(*reason, *at) {
                Some(look) => (look, true, begin(track)),
                None => return NextPoll::Nothing,
            },
            (RacePhase::Closing { since, .. }, None) => (later(*since, LAST_LOOK.unsigned_abs()), true, None),
            (RacePhase::Closing { .. }, Some(failing)) => (failing.until, true, None),
            (_, Some(failing)) => (failing.until, self.wants_session(now), begin(track)),
            (_, None) => (
                self.next_look(now, settings, track),
                self.wants_session(now),
                begin(track),
            ),
        };
        NextPoll::Ask {
            at: at.max(now),
            session,
            begin,
        }
    }

    /// The next poll after silence or an early end ended the race: a long tunnel looks like a finish without an END.
    fn after_look(&self, reason: EndReason, ended_at: Timestamp) -> Option<Timestamp> {
        let looked_at = self
            .last_ok_at
            .max(self.failing.as_ref().map(|failing| failing.until))
            .unwrap_or(ended_at);
        let look = looked_at.checked_add(IDLE_EVERY).ok()?;
        let goes_on = matches!(reason, EndReason::Stale | EndReason::EndedEarly);
        (goes_on && look.duration_since(ended_at) <= AFTER_END).then_some(look)
    }

    fn wants_session(&self, now: Timestamp) -> bool {
        let quiet = self
            .last_new_at
            .is_none_or(|new| now.duration_since(new) >= QUIET / 2);
        let every = if quiet { IDLE_EVERY } else { SESSION_EVERY };
        self.session_at
            .is_none_or(|read| now.duration_since(read) + SignedDuration::from_secs(30) >= every)
    }

    /// The next poll in normal operation: after the interval, just after the phone is expected to post.
    fn next_look(&self, now: Timestamp, settings: &RacePlan, track: &Track) -> Timestamp {
        if self.last_ok_at.is_none() {
            return now;
        }
        let post_s = self.post_frequency_s();
        let mut interval = SignedDuration::from_secs(i64::from(settings.poll_interval_s.max(post_s)));
        let fresh = self
            .last_new_at
            .is_some_and(|new| now.duration_since(new) < QUIET);
        if !fresh {
            interval = interval.max(IDLE_EVERY);
        }
        let at = now + interval;
        let Some(last) = track.last.filter(|_| fresh && post_s > 1) else {
            return at;
        };
        let posted = track.true_time(last.at) + SignedDuration::from_secs(i64::from(post_s) + 2);
        let into_s = at.duration_since(posted).as_secs().rem_euclid(i64::from(post_s));
        let wait_s = if into_s == 0 {
            0
        } else {
            i64::from(post_s) - into_s
        };
        at + SignedDuration::from_secs(wait_s)
    }

    /// Interval between the phone's posts in seconds; 15 if the session does not give it.
    pub fn post_frequency_s(&self) -> u32 {
        let told = self.session.as_ref().and_then(|session| session.post_frequency_s);
        told.unwrap_or(15).min(600)
    }

    /// Silence of the athlete, measured up to the last successful answer; `None` before the first point.
    pub fn silence(&self, track: &Track) -> Option<SignedDuration> {
        let last = track.true_time(track.last?.at);
        Some(self.last_ok_at?.duration_since(last).max(SignedDuration::ZERO))
    }

    /// Longer silence than this counts as loss of signal: three posting intervals, and at least five minutes.
    pub fn quiet_after(&self) -> SignedDuration {
        SignedDuration::from_secs(3 * i64::from(self.post_frequency_s())).max(QUIET)
    }

    /// Whether LiveTrack has been failing for at least five minutes.
    pub fn is_unreachable(&self, now: Timestamp) -> bool {
        self.failing
            .as_ref()
            .is_some_and(|failing| now.duration_since(failing.since) >= QUIET)
    }

    /// Why the race is over; `None` while it is not.
    pub fn over(&self) -> Option<EndReason> {
        match self.phase {
            RacePhase::Over { reason, .. } => Some(reason),
            _ => None,
        }
    }
}

/// Time from which to request points: the last point, or the start of the earliest recent gap. Garmin may or may not
/// include a point at exactly this time.
fn begin(track: &Track) -> Option<Timestamp> {
    let last = track.last?.at;
    let open = track
        .gaps
        .iter()
        .filter(|gap| last.duration_since(gap.to) < ASK_FOR_GAP)
        .map(|gap| gap.from);
    Some(open.min().unwrap_or(last))
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| at.checked_add(by).ok())
        .unwrap_or(at)
}
