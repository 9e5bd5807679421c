//! The timing of a watched race: what to ask of LiveTrack, and when. Pure.
//!
//! Invariants:
//! - A race is asked for no more often than its interval, nor than its phone posts; failures make it rarer.
//! - Silence is judged only by answers that were had: what Garmin could not be asked about is not the athlete's.
//! - After every sign of an end there is one more look, at everything, because late data comes then.

#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::garmin::livetrack::{LiveTrackError, LiveTrackSession, back_off};
use crate::race::course::Course;
use crate::race::ending;
use crate::race::ending::{EndEvidence, EndReason, EndRules};
use crate::race::plan::RacePlan;
use crate::race::track::Track;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum RacePhase {
    Waiting,
    Live,
    /// Something says that it is over; one more look is taken.
    Closing {
        reason: EndReason,
        since: Timestamp,
    },
    /// It is over. If only silence says so, a few more looks are taken, and new points take it back.
    Over {
        reason: EndReason,
        at: Timestamp,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollFailures {
    /// The name of the last one.
    pub name: String,
    /// How many in a row.
    pub times: u32,
    pub since: Timestamp,
    /// Until when LiveTrack is left alone.
    pub until: Timestamp,
}

/// What is known of the watching of one race. Kept over restarts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RaceWatch {
    pub phase: RacePhase,
    /// Since when the race is watched.
    pub since: Timestamp,
    /// When a new link carried the race on, if one did.
    pub carried_on_at: Option<Timestamp>,
    /// The session as last read.
    pub session: Option<LiveTrackSession>,
    pub session_at: Option<Timestamp>,
    pub last_ok_at: Option<Timestamp>,
    /// When a new point last came.
    pub last_new_at: Option<Timestamp>,
    pub polls: u64,
    pub errors: u64,
    /// The row of failures that lasts.
    pub failing: Option<PollFailures>,
    /// Answers in a row whose shape was not known, so that the page had to serve.
    pub changed: u32,
}

/// What an answer of LiveTrack brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PollResult {
    /// The session, if it was asked for.
    pub session: Option<LiveTrackSession>,
    /// How many points were new.
    pub new_points: usize,
    /// Whether the interface has another shape now.
    pub changed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextPoll {
    /// Ask LiveTrack at this time.
    Ask {
        at: Timestamp,
        session: bool,
        /// For points from this time of the device; `None` = all.
        begin: Option<Timestamp>,
    },
    Nothing,
}

/// How often the session is read while points come.
const SESSION_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// How long after the sign of an end the last look is taken.
const LAST_LOOK: SignedDuration = SignedDuration::from_secs(60);

/// When, after silence ended a race, it is looked at again, minutes.
const AFTER_LOOKS_MIN: [i64; 7] = [5, 10, 20, 30, 60, 90, 120];

/// Nobody moves yet, or any more: a look a minute is enough.
const IDLE_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// How long a gap is asked for again and again: phones send what they kept, newest or oldest first.
const ASK_FOR_GAP: SignedDuration = SignedDuration::from_mins(30);

/// From this on, silence is called that.
const QUIET: SignedDuration = SignedDuration::from_mins(5);

impl RaceWatch {
    /// The watch over a race that is watched from `now` on.
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
            changed: 0,
        }
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

    /// What it means that Garmin does not know the session: an end that was coming, or a dead link.
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

    /// Somebody wants it to end.
    pub fn stopped(&mut self, now: Timestamp) {
        if !matches!(self.phase, RacePhase::Over { .. }) {
            self.phase = RacePhase::Over {
                reason: EndReason::ByHand,
                at: now,
            };
        }
    }

    /// A new link carries the race on.
    pub fn carried_on(&mut self, now: Timestamp) {
        *self = Self {
            carried_on_at: Some(now),
            polls: self.polls,
            errors: self.errors,
            last_new_at: self.last_new_at,
            ..Self::new(now)
        };
    }

    /// Draws the conclusion from an answer and the track with it.
    pub fn conclude(&mut self, now: Timestamp, rules: EndRules, track: &Track, course: Option<&Course>) {
        let known = EndEvidence {
            now,
            rules,
            track,
            session: self.session.as_ref(),
            course,
            tracking_since: self.since,
            carried_on_at: self.carried_on_at,
            last_ok_at: self.last_ok_at.unwrap_or(self.since),
            last_new_at: self.last_new_at.unwrap_or(self.since),
        };
        let over = ending::over(&known);
        self.phase = match (self.phase, over) {
            (
                RacePhase::Over {
                    reason: EndReason::Stale,
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

    /// The next look after silence ended the race: a long tunnel looks like a finish without END.
    fn after_look(&self, reason: EndReason, ended_at: Timestamp) -> Option<Timestamp> {
        let looked_at = self
            .last_ok_at
            .max(self.failing.as_ref().map(|failing| failing.until));
        let looks = AFTER_LOOKS_MIN
            .iter()
            .map(|min| ended_at + SignedDuration::from_mins(*min));
        (reason == EndReason::Stale)
            .then(|| {
                looks
                    .into_iter()
                    .find(|look| looked_at.is_none_or(|at| *look > at))
            })
            .flatten()
    }

    fn wants_session(&self, now: Timestamp) -> bool {
        let quiet = self
            .last_new_at
            .is_none_or(|new| now.duration_since(new) >= QUIET / 2);
        let every = if quiet { IDLE_EVERY } else { SESSION_EVERY };
        self.session_at
            .is_none_or(|read| now.duration_since(read) + SignedDuration::from_secs(30) >= every)
    }

    /// The next look while all is well: after the interval, at a moment when the phone has just posted.
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

    /// How often the phone posts, seconds; 15 where it is not told.
    pub fn post_frequency_s(&self) -> u32 {
        let told = self.session.as_ref().and_then(|session| session.post_frequency_s);
        told.unwrap_or(15).min(600)
    }

    /// How long there has been no sign of the athlete, by the last answer that was had; `None` before the first point.
    pub fn silence(&self, track: &Track) -> Option<SignedDuration> {
        let last = track.true_time(track.last?.at);
        Some(self.last_ok_at?.duration_since(last).max(SignedDuration::ZERO))
    }

    /// Silence longer than this means that there is no signal: three posts, and five minutes at least.
    pub fn quiet_after(&self) -> SignedDuration {
        SignedDuration::from_secs(3 * i64::from(self.post_frequency_s())).max(QUIET)
    }

    /// Whether LiveTrack has been failing for longer than a hiccup.
    pub fn is_unreachable(&self, now: Timestamp) -> bool {
        self.failing
            .as_ref()
            .is_some_and(|failing| now.duration_since(failing.since) >= QUIET)
    }

    /// Why it is over, if it is.
    pub fn over(&self) -> Option<EndReason> {
        match self.phase {
            RacePhase::Over { reason, .. } => Some(reason),
            _ => None,
        }
    }
}

/// From where to ask for points: the last one, or an open gap not long ago. Both ends may or may not be included.
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
