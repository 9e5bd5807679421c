//! Everything in a race that a time or a distance may be the value of.
//!
//! A number is right if one of these has its value and agrees with every role of the number.

mod fact;
mod kind;
mod lengths;
mod times;

pub(crate) use fact::{FactKind, KnownFact};
pub(crate) use lengths::lengths;
pub(crate) use times::times;
