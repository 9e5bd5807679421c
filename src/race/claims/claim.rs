//! A claim: one statement of a message about a race.

use super::quantity::Quantity;
use super::roles::Roles;
use super::terms::{Sense, State};
use crate::race::sport::LegKind;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ClaimBody {
    /// A number, and the roles that it may have, the most likely first.
    Number(Quantity, Vec<Roles>),
    /// A distance and the time at which it was or will be reached.
    Reaching(Quantity, Quantity),
    /// `from 214 to 203 W`, with the sense of the verb.
    Change(Quantity, Option<Sense>),
    /// Times of splits one after the other, and where the first of them begins, in metres, if the sentence says so.
    Sequence(Vec<f64>, Option<f64>),
    /// Splits by the place where they end, in metres, each with its time.
    Splits(Vec<(f64, f64)>),
    /// `above the limit`, `ahead of the plan`
    Relation,
    /// One part of the race against another or against a number.
    Comparison {
        with: Roles,
        said: Option<Quantity>,
        by: Option<Quantity>,
    },
    /// The highest value lies in the split that ends at this many metres.
    Peak(f64),
    Trend(Sense),
    State(State),
    /// The current stop is the first, second or nth.
    NthStop(f64),
    /// The current stop is the longest (or the shortest) so far.
    LongestStop(bool),
    /// The current stop is longer (or shorter) than that at this many metres.
    StopAgainst(f64, bool),
    /// The split that ends at this many metres, or the last one, is the fastest or slowest.
    Extreme(Sense, Option<f64>),
    /// A place that the athlete is at, has passed or has yet to reach: in metres from the start.
    Place(f64),
    /// Where a checkpoint is said to be, and where it is, in metres.
    Located(f64, f64),
    /// A stop at this many metres.
    StopAt(f64),
    Halfway,
    Leg(LegKind),
    /// A person other than the athlete.
    Name(String),
    /// The author as the one who runs.
    Speaker,
    Unreadable,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Claim {
    /// As written in the message.
    pub(crate) said: String,
    /// The roles of all words of its clause.
    pub(crate) roles: Roles,
    pub(crate) body: ClaimBody,
}
