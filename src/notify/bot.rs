//! What people write back to the Telegram bot: receiving it, and answering.
//!
//! Messages are fetched by long polling (core.telegram.org/bots/api#getupdates). A webhook would need a public address.
//!
//! Invariants:
//! - One task polls, so a bot has one reader in this gateway. Another reader elsewhere is reported, not fought.
//! - Before an update has any effect, the store knows that it was taken. After a crash it is not taken again: a command
//!   that was cut is lost, and none is carried out twice.
//! - No text, chat, name or token is logged.
//!
//! | file | what |
//! |---|---|
//! | `update` | an update as Telegram sends it |
//! | `requests` | the requests to the Bot API |
//! | `health` | what the outcome of a poll means: how long to wait, what to tell the operator |
//! | `offset` | which updates were taken |
//! | `listener` | the long polling |
//! | `answering` | answers to a chat and to a pressed button |

mod answering;
pub(super) mod health;
mod listener;
pub(super) mod offset;
mod requests;
#[cfg(test)]
mod tests;
pub(super) mod update;

pub use health::{BotHealth, PollFailure};
pub use listener::BotListener;
pub use requests::{BotReply, ReplyButton};
pub use update::{BotChat, BotSender, BotUpdate, ButtonPress, UpdateContent};
