//! A claim: one statement of a message about a race, with everything that qualifies it.

use super::quantity::Quantity;
use crate::race::sport::LegKind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClaimMetric {
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClaimStat {
    Mean,
    Max,
    Min,
}

/// The tense, in ascending precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum When {
    Present,
    /// `has been`: until now.
    Perfect,
    Past,
    /// `now`, `at the moment`.
    Now,
    Future,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sense {
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
    pub(super) fn is_more(self) -> Option<bool> {
        match self {
            Self::Above | Self::Faster | Self::Ahead => Some(true),
            Self::Below | Self::Slower | Self::Behind => Some(false),
            Self::Same => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    Limit,
    Plan,
    Cutoff,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Done,
    ToGo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
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
pub(super) enum Mood {
    /// An imperative.
    Advice,
    Modal,
    If,
    /// `we cannot tell whether`
    Unknown,
}

/// Metres or seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Length {
    Metres(f64),
    Seconds(f64),
}

/// The part of the race that a claim is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ClaimScope {
    Race,
    /// The last few minutes.
    Window,
    First(Length),
    /// The stretch after the first of the same length.
    Second(Length),
    Last(Length),
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
pub(super) enum Bound {
    #[default]
    Exact,
    About,
    AtLeast,
    AtMost,
}

/// Everything around a number or a state.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "what a clause says or does not")]
pub(super) struct ClaimFrame {
    pub(super) metric: Option<ClaimMetric>,
    pub(super) stat: Option<ClaimStat>,
    pub(super) when: Option<When>,
    pub(super) scope: Option<ClaimScope>,
    pub(super) leg: Option<LegKind>,
    /// Which of several legs of one sport, from 1: the 2 of T2.
    pub(super) leg_number: Option<usize>,
    /// `on the bike` rather than `the bike`.
    pub(super) on_leg: bool,
    pub(super) sense: Option<Sense>,
    pub(super) reference: Option<Reference>,
    pub(super) progress: Option<Progress>,
    pub(super) mood: Option<Mood>,
    pub(super) not: bool,
    /// Index of a checkpoint.
    pub(super) checkpoint: Option<usize>,
    /// `you are at`
    pub(super) at_place: bool,
    pub(super) from_here: bool,
    /// What the number itself is called.
    pub(super) label: Option<ClaimMetric>,
    pub(super) reached: bool,
    pub(super) bound: Bound,
    /// A person about whom the data says nothing.
    pub(super) stranger: bool,
    pub(super) standing: bool,
    pub(super) silent: bool,
    /// Whether scope, mean or place were taken over from the clause before.
    pub(super) is_inherited: bool,
    /// Whether the clause itself names the part of the race, the place, the leg.
    pub(super) own_scope: bool,
    pub(super) own_place: bool,
    pub(super) own_leg: bool,
    pub(super) own_standing: bool,
    pub(super) own_stat: bool,
    /// Whether the clause is only a label for the next: `T2:`.
    pub(super) is_label: bool,
    /// `Limits: HR 150`
    pub(super) limit_leads: bool,
    /// What an earlier clause compared with.
    pub(super) reference_before: Option<Reference>,
    /// `left`: a place is claimed to be left.
    pub(super) departed: bool,
}

impl ClaimFrame {
    /// What holds for the next clause too.
    pub(super) fn carried_on(&self) -> Self {
        Self {
            metric: self.metric,
            stat: self.stat,
            when: self.when,
            scope: self.scope,
            leg: self.leg,
            leg_number: self.leg_number,
            mood: self.mood,
            checkpoint: self.checkpoint,
            standing: self.standing,
            silent: self.silent,
            ..Self::default()
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum ClaimBody {
    Value(Quantity),
    /// `15 beats under`: a distance from something else.
    Difference(Quantity),
    /// `the limit of 165`
    Reference(Quantity),
    /// `from 214 to 203 W`, with the sense of the verb.
    Change(Quantity, Option<Sense>),
    /// The highest value lies in the split that ends at this many metres.
    Peak(f64),
    /// A distance and the time at which it was or will be reached.
    Reaching(Quantity, Quantity),
    /// `above the limit`, `ahead of the plan`
    Relation,
    /// One part of the race against another or against a number.
    Comparison {
        with: Box<ClaimFrame>,
        said: Option<Quantity>,
        by: Option<Quantity>,
    },
    Trend(Sense),
    State(State),
    /// The split that ends at this many metres, or the last one, is the fastest or slowest.
    Extreme(Sense, Option<f64>),
    /// A place that the athlete is at, has passed or has yet to reach: in metres, or the checkpoint of the frame.
    Place(Option<f64>),
    Halfway,
    Leg(LegKind),
    NoStops,
    /// A person other than the athlete.
    Name(String),
    Unreadable,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Claim {
    /// As written in the message.
    pub(super) said: String,
    pub(super) frame: ClaimFrame,
    pub(super) body: ClaimBody,
}
