//! Receives what people write to the Telegram bot, and answers them.
//!
//! Messages are fetched by long polling (core.telegram.org/bots/api#getupdates). A webhook would need a public address.
//!
//! Invariants:
//! - One task polls, so a bot has one reader in this gateway. If another program polls with the same token, the
//!   operator is told, and the polls become rare.
//! - An update is recorded as taken before it has any effect. A crash may therefore lose a command, but no command is
//!   carried out twice.
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
