//! The roles that words have.

use crate::race::claims::terms::{
    Bound, ClaimMetric, ClaimScope, ClaimStat, Mood, Progress, Reference, Sense, State, When,
};
use crate::race::sport::LegKind;

/// The role of a word or phrase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Tag {
    Metric(ClaimMetric),
    Stat(ClaimStat),
    When(When),
    Scope(ScopeWord),
    /// The part of the race that a scope word, a mark or a stretch means.
    Part(ClaimScope),
    /// Index of a checkpoint in the plan.
    Place(usize),
    /// `km`, `lap`: what a split is called where no number precedes it.
    SplitNoun,
    Leg(LegKind),
    /// `on the bike`: the leg that the athlete is on.
    OnLeg(LegKind),
    /// Which of several legs: the 2 of T2.
    Nth(usize),
    Sense(Sense),
    /// A change over time: `has dropped`, `is rising`.
    Trend(Sense),
    Reference(Reference),
    Progress(Progress),
    State(State),
    /// A verb of motion: `running`, `climbing`.
    Motion,
    Mood(Mood),
    /// `at the beginning`
    Begins,
    /// `you need`: what a target asks for.
    Need,
    /// `is enough`: what meets a target.
    Suffices,
    /// Seconds of a target that the clause names: `if you want two hours`.
    Goal(f64),
    /// The speed that the clause supposes for the rest of the way, in metres per second.
    Keeps(f64),
    Not,
    /// `you`, `she`, `your`: the athlete.
    Athlete,
    /// Somebody else, about whom the data says nothing.
    Stranger,
    /// Family, crew, coach: whom a message may address.
    Reader,
    /// `fastest`, `slowest`.
    Extreme(Sense),
    /// Begins the other side of a comparison: `than`, `versus`.
    Than,
    /// A preposition before a place.
    At,
    Here,
    /// The place that was named before.
    There,
    /// A preposition before a duration from now, as in "in 20 minutes".
    In,
    Finish,
    /// Something to eat or drink.
    Food,
    /// `at` right before a mark or a distance.
    Position,
    Bound(Bound),
    /// `from here`, `away`, `up the road`.
    FromHere,
    /// `further on`: away from here, or from the place that was named before.
    Onward,
    /// What follows was seen before the signal was lost.
    LastSeen,
    /// Passing or reaching: the place next to it is claimed to be behind the athlete.
    Reached,
    /// What the athlete will do at a place: `reach`, `finish`.
    Arrive,
    /// `a margin of`, `by`: what follows is a difference.
    By,
    /// `left`, `set off from`: a place that follows is claimed to be left.
    Departed,
    Ago,
    /// An alert that was sent: what follows may be its age.
    Alert,
    /// What follows is how long something lasted, and no moment.
    Took,
    /// A time that says how long another value of its clause lasted: `171 for a minute`.
    Beside,
    /// A number that follows from others of its clause.
    Computed,
    /// A phrase without meaning for a claim, so that its words get no roles of their own: `first aid`, `way to go`.
    Neutral,
}

/// Methods that return the value inside a tag of the given kind.
macro_rules! carried {
    ($($name:ident: $kind:ident($of:ty)),*) => {
        impl Tag {
            $(pub(crate) fn $name(self) -> Option<$of> {
                if let Self::$kind(it) = self { Some(it) } else { None }
            })*
        }
    };
}

carried! {
    metric: Metric(ClaimMetric), stat: Stat(ClaimStat), when: When(When), scope: Scope(ScopeWord), sense: Sense(Sense),
    reference: Reference(Reference), progress: Progress(Progress), extreme: Extreme(Sense),
    bound: Bound(Bound), trend: Trend(Sense), state: State(State)
}

impl Tag {
    /// Whether the tags are of the same kind, so that one replaces the other.
    pub(crate) fn is_like(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
            || matches!(
                (self, other),
                (Self::Leg(_), Self::OnLeg(_)) | (Self::OnLeg(_), Self::Leg(_))
            )
    }

    /// Whether a word keeps this role inside a longer phrase.
    pub(super) fn outlives(self, phrase: &[Self]) -> bool {
        let of_state = matches!(self, Self::Leg(_) | Self::Motion)
            && phrase.iter().any(|tag| matches!(tag, Self::State(_)));
        let of_way = phrase.iter().any(|tag| matches!(tag, Self::Progress(_)));
        let of_bound = phrase.iter().any(|tag| matches!(tag, Self::Bound(_)));
        let is_tense = matches!(self, Self::When(When::Past | When::Present | When::Perfect));
        let is_tense = is_tense && !of_way && !of_bound;
        of_state || is_tense || matches!(self, Self::Athlete | Self::Stranger)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScopeWord {
    Race,
    Window,
    Last,
    First,
    Next,
    Each,
    FirstHalf,
    SecondHalf,
    Half,
    LastSplit,
}
