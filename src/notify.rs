//! Messages to phones: an outbox in the store, and two channels that deliver from it, Telegram and ntfy.
//!
//! Invariants:
//! - A message that was queued in a transaction is sent, or dropped and logged after a day. It survives restarts. A
//!   crash during sending may send it twice, but loses none.
//! - Within a race, messages are sent in order on each channel. An outage of one channel does not delay the other.
//! - No text, chat, topic or token is logged.
//!
//! | file | what |
//! |---|---|
//! | `message` | a message, a person's phone, errors |
//! | `queue` | the messages waiting in the store |
//! | `channel` | a message as an HTTP request, and what the reply means |
//! | `telegram` | the Telegram request: chats, topics, groups that became supergroups |
//! | `notifier` | who receives messages where; queueing |
//! | `phone` | a person sets their own phone |
//! | `delivery` | the task that sends the queue |

mod channel;
mod delivery;
pub mod message;
mod notifier;
mod phone;
mod queue;
mod send_error;
mod telegram;
#[cfg(test)]
mod tests;

pub use notifier::{ChannelTest, Notifier, NotifierParts};
pub(super) use queue::KINDS;
