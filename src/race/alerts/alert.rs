//! An alert, and the situation that the rules judge.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::race::course::Course;
use crate::race::ending;
use crate::race::plan::RacePlan;
use crate::race::schedule::RaceWatch;
use crate::race::track::Track;

/// Data older than this says nothing of now.
const FRESH: SignedDuration = SignedDuration::from_mins(4);

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    Started,
    /// Nothing has been seen of the athlete for a while.
    NoSignal,
    SignalBack,
    /// The athlete is seen to stand.
    Stopped,
    /// Heart rate above its ceiling.
    HrOver,
    /// Heart rate below its floor.
    HrUnder,
    PowerOver,
    PowerUnder,
    CadenceUnder,
    /// Ahead of the plan or behind it.
    OffPace,
    /// A mark of the way was passed.
    Split,
    Checkpoint,
    LegChange,
    Finished,
    /// It seems to be over.
    ProbablyFinished,
    /// The link is dead, and the race is not.
    LinkGone,
    /// Garmin's answers have another shape.
    GarminChanged,
}

impl AlertKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::NoSignal => "no_signal",
            Self::SignalBack => "signal_back",
            Self::Stopped => "stopped",
            Self::HrOver => "hr_over",
            Self::HrUnder => "hr_under",
            Self::PowerOver => "power_over",
            Self::PowerUnder => "power_under",
            Self::CadenceUnder => "cadence_under",
            Self::OffPace => "off_pace",
            Self::Split => "split",
            Self::Checkpoint => "checkpoint",
            Self::LegChange => "leg_change",
            Self::Finished => "finished",
            Self::ProbablyFinished => "probably_finished",
            Self::LinkGone => "link_gone",
            Self::GarminChanged => "garmin_changed",
        }
    }
}

/// How much an alert matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nice to know; told without a sound.
    Info,
    Notice,
    Warning,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    pub kind: AlertKind,
    pub severity: Severity,
    /// The same thing is told once under the same key.
    pub key: String,
    pub text: String,
    /// When it was raised, by our clock.
    pub at: Timestamp,
}

/// What is, when the rules are asked.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    pub now: Timestamp,
    pub track: &'a Track,
    pub watch: &'a RaceWatch,
    pub settings: &'a RacePlan,
    /// The way, if there is one.
    pub course: Option<&'a Course>,
}

impl Situation<'_> {
    /// Whether the newest point tells of now.
    pub(super) fn is_fresh(&self) -> bool {
        let silence = self.watch.silence(self.track);
        silence.is_some_and(|silence| silence < self.watch.quiet_after().min(FRESH))
    }

    pub(super) fn is_at_finish(&self) -> bool {
        let silence = self.watch.silence(self.track).unwrap_or_default();
        ending::at_finish(self.track, self.course, silence)
    }

    /// How far the athlete came: along the course if there is one.
    pub(super) fn progress_m(&self) -> f64 {
        self.track.course_m.unwrap_or_else(|| self.track.distance_m())
    }

    /// The whole way, if it is known.
    pub(super) fn whole_m(&self) -> Option<f64> {
        self.course.map(Course::length_m).or(self.settings.distance_m)
    }

    pub(super) fn alert(&self, kind: AlertKind, severity: Severity, key: String, text: String) -> Alert {
        Alert {
            kind,
            severity,
            key,
            text,
            at: self.now,
        }
    }
}
