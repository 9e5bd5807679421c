//! How a race stands, in one word for people.

use jiff::Timestamp;

use crate::race::ending::EndReason;
use crate::race::schedule::{Phase, Watch};
use crate::race::track::{SHORTEST_STOP_S, Track};

/// How a race stands. "No signal" and "stopped" are never one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing has begun.
    Waiting,
    /// Under way.
    Running,
    /// Seen to stand.
    Stopped,
    /// Nothing is seen of the athlete.
    NoSignal,
    /// Garmin does not answer us; nobody knows.
    Unreachable,
    /// Finished.
    Finished,
    /// Silent for so long that it is probably over.
    ProbablyFinished,
    /// The link works no longer, and no end was seen.
    LinkGone,
    /// Somebody stopped the tracking.
    TrackingStopped,
}

impl Standing {
    /// How it stands at `now`.
    pub fn of(now: Timestamp, watch: &Watch, track: &Track) -> Self {
        match watch.phase {
            Phase::Over { reason, .. } | Phase::Closing { reason, .. } => match reason {
                EndReason::ByHand => Self::TrackingStopped,
                EndReason::LinkGone | EndReason::LinkExpired => Self::LinkGone,
                EndReason::Stale => Self::ProbablyFinished,
                EndReason::EndEvent | EndReason::SessionEnded | EndReason::CourseFinished => Self::Finished,
            },
            Phase::Waiting | Phase::Live if watch.is_unreachable(now) => Self::Unreachable,
            Phase::Waiting => Self::Waiting,
            Phase::Live if watch.silence(track).is_some_and(|s| s >= watch.quiet_after()) => Self::NoSignal,
            Phase::Live
                if track
                    .standing()
                    .is_some_and(|stop| stop.duration_s() >= SHORTEST_STOP_S) =>
            {
                Self::Stopped
            }
            Phase::Live => Self::Running,
        }
    }

    /// In data.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::NoSignal => "no_signal",
            Self::Unreachable => "garmin_unreachable",
            Self::Finished => "finished",
            Self::ProbablyFinished => "probably_finished",
            Self::LinkGone => "link_gone",
            Self::TrackingStopped => "tracking_stopped",
        }
    }

    /// A sentence that says what it means.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Waiting => "The race has not begun yet, or nothing was seen of it so far.",
            Self::Running => "The race is under way and data comes.",
            Self::Stopped => "The athlete is seen to stand still; the signal is good.",
            Self::NoSignal => {
                "No data comes from the athlete. That is no sign of a stop: a tunnel, no mobile network, an empty battery."
            }
            Self::Unreachable => "Garmin does not answer; nobody knows how it goes. It is tried again.",
            Self::Finished => "The race is finished.",
            Self::ProbablyFinished => "No data has come for long: probably finished, but nothing said so.",
            Self::LinkGone => {
                "The LiveTrack link works no longer. If the race goes on, track the new link and continue it."
            }
            Self::TrackingStopped => "Tracking was stopped by hand; the race may go on.",
        }
    }
}
