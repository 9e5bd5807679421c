//! A person's own days, kept at their request in sealed columns, so that questions can be answered while Garmin is
//! down.
//!
//! Claude forgets, and Garmin's API is slow and breaks for days each year. This module keeps what the questions about
//! days and activities read, and serves it in the shape of Garmin's own documents. The questions therefore have one
//! implementation, wherever their data comes from. Questions about years read the stored rows directly.
//!
//! | file | what |
//! |---|---|
//! | [`kind`] | the documents that are kept, and which of their members |
//! | `rows` | Garmin's document to rows, and back |
//! | `block` | the rows of some weeks as one compressed record |
//! | [`kept`] | the state of one person's history |
//! | [`plan`] | which days to fetch next (pure) |
//! | [`wire`] | how the gateway asks a worker for days |
//! | [`keeping`] | switching on and off, storing, erasing |
//! | [`reading`] | documents from the history, and how fresh they are |
//!
//! # Invariants
//!
//! - Nothing is kept for a person who did not ask for it. Switching off erases all records in the same write.
//! - The fetched days and the progress are stored in one write, so a crash repeats at most the request in flight.
//! - The covered days of a kind are one period without gaps.
//! - No value of a person's days reaches a log or the operator's views, which show sizes and dates only.

mod block;
pub mod keeping;
pub mod kept;
pub mod kind;
pub mod plan;
pub mod reading;
mod rows;
pub mod wire;

use crate::store::Kind;

pub use keeping::{FetchedRows, History, Switched};
pub use kept::{HistoryTrouble, KeptHistory, TroubleClass};
pub use rows::{KeptRow, KeptRows, UnknownShape};

/// The kinds of records that this module stores.
pub const KINDS: &[Kind] = &[Kind::of::<KeptHistory>(), Kind::packed::<block::DayBlock>()];
