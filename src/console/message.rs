//! All that can happen to the console, and all that it may ask for.

use std::collections::HashMap;

use jiff::Timestamp;

use super::keys::KeyPress;
use crate::admin::api::{AdminAnswer, AdminLine, AdminRequest, AdminUpdate};

/// Something happened. All come through one channel, in one order.
#[derive(Clone, Debug)]
pub(super) enum ConsoleMessage {
    /// A key was pressed.
    Key(KeyPress),
    /// Text was pasted.
    Paste(String),
    /// The daemon told something.
    Update(Box<AdminUpdate>),
    /// The daemon answered a request, or said why not.
    Answer(AdminRequest, Result<Box<AdminAnswer>, String>),
    /// The connection changed.
    Link(LinkState),
    /// A second went by.
    Tick,
    /// The terminal has another size.
    Resize(u16, u16),
}

impl ConsoleMessage {
    /// What a line of the daemon means. `asked` are the requests that wait for an answer; the one that is answered goes.
    pub(super) fn of(line: AdminLine, asked: &mut HashMap<u64, AdminRequest>) -> Option<Self> {
        let (id, answer) = match line {
            AdminLine::Answer { id, answer } => (id, Ok(Box::new(answer))),
            AdminLine::Refused { id, refusal } => (id, Err(refusal.to_string())),
            // The console asks for nothing that comes in parts.
            AdminLine::Part { .. } => return None,
            AdminLine::Update { update, .. } => return Some(Self::Update(Box::new(update))),
        };
        asked.remove(&id).map(|request| Self::Answer(request, answer))
    }
}

/// The connection to the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LinkState {
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
pub(super) enum ConsoleEffect {
    /// Send a request.
    Call(AdminRequest),
    /// Leave.
    Quit,
}
