//! The coach who speaks first: opt-in messages to a person's phone that rest on the days that the person keeps. It also
//! tells everybody with a phone that their link to Garmin is broken.
//!
//! | file | what |
//! |---|---|
//! | [`choice`] | what a person wants of the coach (pure) |
//! | [`figure`] | the figures on which a message rests |
//! | [`reading`] | the answers of the questions about a history (pure) |
//! | [`rules`] | what to say on a morning (pure) |
//! | [`schedule`] | when to look at a person's days (pure) |
//! | [`wording`] | the rules' own sentences (pure) |
//! | `keeping`, `records` | switching on and off, what was said, erasing |
//! | `task` | the looks at people's days, and broken links |
//! | `claude`, `prompt`, `tokens` | Claude words a message |
//! | [`claims`] | the check of Claude's words (pure) |
//!
//! # Invariants
//!
//! - Off is the default. Switching off erases what was said; the end of a history does too.
//! - A message, its figures and the day of the look are stored in one write with the queue of the phone.
//! - There is at most one message a day, besides that of a broken link.
//! - Rules decide whether there is something to say. Claude's words go out only if the check finds each number known.
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
