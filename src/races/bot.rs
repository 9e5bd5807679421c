//! The Telegram bot: people ask about their races and change them in a chat. Rules give the answers, not a model.
//!
//! Invariants:
//! - The bot obeys a chat only if a person's race messages go there, and only as long as this person has access. In a
//!   group, only somebody whom the gateway knows may change something.
//! - An unknown chat learns nothing.
//! - An update is stored as taken before it has any effect. Each change checks again whether it is allowed.
//!
//! | file | what |
//! |---|---|
//! | `command` | a text as a command |
//! | `decision` | what to do about an update, by its content and sender |
//! | `strangers` | how often an unknown chat is answered |
//! | `buttons` | what is written into the buttons |
//! | `wording`, `places` | the answers |
//! | `sharing` | links to pages |
//! | `service` | the loop that receives updates and carries out the decisions |

mod buttons;
mod command;
mod decision;
mod places;
mod service;
mod sharing;
mod strangers;
mod wording;

pub use service::RaceBot;
pub use wording::MENU as BOT_MENU;
