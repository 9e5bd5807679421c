//! A mailbox whose LiveTrack mails start races by themselves.
//!
//! Invariants:
//! - A mail starts at most one race, and is handled once, even if connections break, the program is killed, or the
//!   server gives its mails new numbers.
//! - Anybody can send a mail. It can only start the watch of a public LiveTrack session for a person whom its headers
//!   name. It does not touch a race whose session still sends, and takes over settings only from races of the same
//!   athlete.
//! - A mail without a LiveTrack link is not changed, and not marked as read.
//! - No address, subject or text is logged.
//!
//! | file | what |
//! |---|---|
//! | `letter` | an e-mail as addresses and text |
//! | `links` | which links of an e-mail are followed |
//! | `addressee` | the person for whom an e-mail is |
//! | `successor` | whether a session continues a race |
//! | `position` | what is stored: the mails that were handled, the sessions that came |
//! | `handling` | what one mail does |
//! | `wire`, `connection` | the mail server |
//! | `health` | whether the mailbox is watched, and what to do if not |
//! | `watcher` | the task |
//! | `wording` | why a mail started nothing |

mod addressee;
mod connection;
mod handling;
mod health;
mod letter;
mod links;
mod position;
mod successor;
mod watcher;
mod wire;
mod wording;

use crate::store::Kind;

pub use health::{MailboxHealth, MailboxTrouble};
pub(super) use position::forget;
pub use watcher::{MailboxParts, RaceMailbox, probe_mailbox};

/// The tables of the mailbox.
pub(super) const KINDS: [Kind; 2] = [
    Kind::of::<position::MailboxPosition>(),
    Kind::of::<position::MailedSession>(),
];

/// Reads any bytes as an e-mail, for the fuzzer.
pub fn fuzz(bytes: &[u8]) -> usize {
    letter::Letter::read(bytes).text.len()
}
