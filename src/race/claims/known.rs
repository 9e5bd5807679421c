//! The times and distances of a race that a number in a message may refer to.
//!
//! A number is right if one of these has its value and agrees with every role of the number.

mod arrivals;
mod fact;
mod kind;
mod lengths;
mod times;

pub(crate) use fact::{FactKind, KnownFact};
pub(crate) use lengths::lengths;
pub(crate) use times::times;
