//! The Telegram bot: people ask for their races and change them in a chat. Answered by rules, without a model.
//!
//! Invariants:
//! - A chat is obeyed only if it is the one to which a person's race messages go, and as long as the person has access.
//!   In a group, only somebody whom the gateway knows may change something.
//! - An unknown chat learns nothing.
//! - An update is stored as taken before it has any effect. What it changes asks again whether it may.
//!
//! | file | what |
//! |---|---|
//! | `command` | a text as a command |
//! | `decision` | who wrote what → what to do |
//! | `strangers` | how often an unknown chat is answered |
//! | `buttons` | what is written into the buttons |
//! | `wording`, `places` | the answers |
//! | `sharing` | links to pages |
//! | `service` | the loop, and the doing |

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
