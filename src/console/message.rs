//! All that can happen to the console, and all that it may ask for.

use std::collections::HashMap;

use jiff::Timestamp;

use super::keys::Key;
use crate::admin::api::{Answer, Line, Request, Update};

/// Something happened. All come through one channel, in one order.
#[derive(Clone, Debug)]
pub(super) enum Message {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The daemon told something.
    Update(Box<Update>),
    /// The daemon answered a request, or said why not.
    Answer(Request, Result<Box<Answer>, String>),
    /// The connection changed.
    Link(Link),
    /// A second went by.
    Tick,
    /// The terminal has another size.
    Resize(u16, u16),
}

impl Message {
    /// What a line of the daemon means. `asked` are the requests that wait for an answer; the one that is answered goes.
    pub(super) fn of(line: Line, asked: &mut HashMap<u64, Request>) -> Option<Self> {
        let (id, answer) = match line {
            Line::Answer { id, answer } => (id, Ok(Box::new(answer))),
            Line::Refused { id, refusal } => (id, Err(refusal.to_string())),
            // The console asks for nothing that comes in parts.
            Line::Part { .. } => return None,
            Line::Update { update, .. } => return Some(Self::Update(Box::new(update))),
        };
        asked.remove(&id).map(|request| Self::Answer(request, answer))
    }
}

/// The connection to the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// Not tried yet, or for the first seconds.
    Connecting,
    /// What is shown is as it is.
    Live,
    /// What is shown is as it was.
    Lost {
        /// Why.
        why: String,
        /// When it is tried again.
        retry_at: Timestamp,
    },
}

/// Something to be done outside.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Effect {
    /// Send a request.
    Call(Request),
    /// Leave.
    Quit,
}
