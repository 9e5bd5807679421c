//! What the words of a message mean: metrics, tenses, states, parts of a race.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClaimMetric {
    HeartRate,
    Power,
    Cadence,
    /// Pace or speed.
    Pace,
    Distance,
    Ascent,
    Altitude,
    Stop,
    Gap,
    /// Something that the data does not contain.
    Other,
}

impl ClaimMetric {
    /// Whether a single point of the track has a value of it.
    pub(crate) fn is_measured(self) -> bool {
        matches!(self, Self::HeartRate | Self::Power | Self::Cadence | Self::Pace)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::HeartRate => "heart rate",
            Self::Power => "power",
            Self::Cadence => "cadence",
            Self::Pace => "pace",
            _ => "value",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClaimStat {
    Mean,
    Max,
    Min,
}

/// The tense, in ascending precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum When {
    Present,
    /// `has been`: until now.
    Perfect,
    Past,
    /// `now`, `at the moment`.
    Now,
    Future,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sense {
    Above,
    Below,
    Faster,
    Slower,
    Ahead,
    Behind,
    Same,
}

impl Sense {
    /// Whether a larger value is claimed: `None` for [`Sense::Same`]. Paces count as speeds.
    pub(crate) fn is_more(self) -> Option<bool> {
        match self {
            Self::Above | Self::Faster | Self::Ahead => Some(true),
            Self::Below | Self::Slower | Self::Behind => Some(false),
            Self::Same => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    Limit,
    Plan,
    Cutoff,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Done,
    ToGo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Standing,
    Moving,
    Finished,
    /// No signal.
    Silent,
    /// A signal.
    Heard,
    OffCourse,
    OnCourse,
    Retired,
    Started,
    Waiting,
    Walking,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// An imperative.
    Advice,
    Modal,
    If,
    /// `we cannot tell whether`
    Unknown,
}

/// Metres or seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Length {
    Metres(f64),
    Seconds(f64),
}

/// The part of the race that a claim is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ClaimScope {
    Race,
    /// The last few minutes.
    Window,
    First(Length),
    /// The stretch after the first of the same length.
    Second(Length),
    Last(Length),
    /// The stretch of this length before the last one.
    BeforeLast(Length),
    /// What is still to come.
    Next,
    /// `kilometre 7`: the split that ends there, or the place itself. In metres.
    Mark(f64),
    LastSplit,
    /// Between two distances in metres.
    Between(f64, f64),
    /// From this many metres until now.
    Since(f64),
    /// The fastest or slowest split.
    Extreme(Sense),
    FirstHalf,
    SecondHalf,
    /// Seconds before now.
    Ago(f64),
}

/// How exactly a number is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Bound {
    #[default]
    Exact,
    About,
    AtLeast,
    AtMost,
    /// `a little over`
    JustOver,
    /// `almost`
    JustUnder,
}
