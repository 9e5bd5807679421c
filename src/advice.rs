//! The coach: opt-in messages to a person's phone, based on the history that the person keeps on the gateway. It also
//! tells everybody with a phone when their link to Garmin is broken.
//!
//! | file | what |
//! |---|---|
//! | [`choice`] | what a person wants from the coach (pure) |
//! | [`figure`] | the figures on which a message rests |
//! | [`reading`] | reads the answers to questions about a history (pure) |
//! | [`rules`] | what to say in the morning (pure) |
//! | [`schedule`] | when to look at a person's days (pure) |
//! | [`wording`] | the rules' own sentences (pure) |
//! | `keeping`, `records` | switching the coach on and off, what it said, and erasing |
//! | `task` | looks at people's days and reports broken links |
//! | `claude`, `prompt`, `tokens` | have Claude word a message |
//! | [`claims`] | the check of Claude's words (pure) |
//!
//! # Invariants
//!
//! - The coach is off by default. Switching it off erases what it said; ending the history does too.
//! - A message, its figures and the day of the look are stored in the same write that queues the message for the phone.
//! - There is at most one message a day, apart from the message about a broken link.
//! - Rules decide whether there is something to say. Claude's words are sent only if every number in them passes the
//!   check.
//! - Messages go to the phone that the person set themselves. No text and no value is logged.

pub mod choice;
pub mod claims;
mod claude;
pub mod figure;
mod keeping;
mod prompt;
pub mod reading;
mod records;
pub mod rules;
pub mod schedule;
mod task;
mod tokens;
pub mod wording;

use crate::store::Kind;

pub use claude::WORDING_QUESTIONS;
pub use keeping::{Advice, AdviceParts, CoachSet, CoachStanding, erase};
pub use prompt::SEND_WORDS;

/// The kinds of records that this module stores.
pub const KINDS: &[Kind] = &[
    Kind::of::<records::CoachChoice>(),
    Kind::of::<records::CoachSaid>(),
    Kind::of::<records::LinkNotice>(),
];
