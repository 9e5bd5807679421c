//! Messages to phones: an outbox in the store, and the channels that deliver from it: Telegram, ntfy, Gotify, the
//! operator's webhook and MQTT broker. It also reads what people write back to the Telegram bot.
//!
//! Invariants:
//! - A message that was queued in a transaction is sent, or dropped and logged after a day. It survives restarts. A
//!   crash during sending may send it twice, but loses none.
//! - Within a race, messages are sent in order on each channel. An outage of one channel does not delay the others.
//! - No text, chat, topic or token is logged.
//!
//! | file | what |
//! |---|---|
//! | `message` | a message, a person's phone, errors |
//! | `queue` | the messages waiting in the store |
//! | `channel` | a message as an HTTP request, and what the reply means |
//! | `telegram` | the Telegram request: chats, topics, groups that became supergroups |
//! | `gotify` | the request to a Gotify server |
//! | `webhook` | the signed request of the webhook |
//! | `mqtt` | the connection to the MQTT broker, and what the broker retains |
//! | `home` | what goes to the broker: messages, and athletes as devices of Home Assistant |
//! | `channel_test` | test messages |
//! | `notifier` | who receives messages where; queueing |
//! | `operator` | messages to the operator's own phone |
//! | `phone` | a person sets their own phone |
//! | `recipient_phones` | the phones of the recipients whom a person names for a race |
//! | `invited_chats` | Telegram chats that accept an invitation to read a race |
//! | `bot` | reads what people write to the bot, and answers |
//! | `chats` | which people a chat belongs to, and which people a sender is |
//! | `chat_records` | what is stored about chats |
//! | `mute` | chats that get no messages for a while |
//! | `delivery` | the task that sends the queue |

pub mod bot;
mod channel;
mod channel_test;
mod chat_records;
mod chats;
mod delivery;
mod gotify;
mod home;
mod invited_chats;
pub mod message;
mod mqtt;
mod mute;
mod notifier;
mod operator;
mod phone;
mod queue;
mod recipient_phones;
mod send_error;
mod telegram;
#[cfg(test)]
mod tests;
mod webhook;

pub use channel_test::ChannelTest;
pub use invited_chats::CODE_PREFIX;
pub use message::OperatorMessage;
pub use notifier::{Notifier, NotifierParts};
pub(super) use queue::KINDS;
