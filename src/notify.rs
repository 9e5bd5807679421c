//! Messages to phones: an outbox in the store, and two channels out of it, Telegram and ntfy.
//!
//! Invariants:
//! - A message that was queued in a transaction is sent or reported as dead after a day. It survives restarts. A crash
//!   while it is being sent may send it twice; none is lost.
//! - Within a race messages leave in order on each channel. A channel that is down does not hold up the other.
//! - No text, chat, topic or token is logged.
//!
//! | file | what |
//! |---|---|
//! | `message` | a message, a person's phone, errors |
//! | `queue` | the messages that wait in the store |
//! | `channel` | a message as an HTTP request, and what the reply means |
//! | `telegram` | the same for Telegram: chats, topics, groups that moved |
//! | `notifier` | who is told where; queueing |
//! | `phone` | a person sets their own phone |
//! | `delivery` | the task that sends the queue |

mod channel;
mod delivery;
pub mod message;
mod notifier;
mod phone;
mod queue;
mod telegram;
#[cfg(test)]
mod tests;

pub use notifier::{ChannelTest, Notifier, NotifierParts};
pub(super) use queue::KINDS;
