//! Has Claude analyze races and write messages, either through a runner that accepts orders or as a command that the
//! gateway starts. One such analysis is called a look.
//!
//! Invariants:
//! - A look gets the token of one race and no other credentials.
//! - Looks are limited in time, in number and, where the cost is known, in cost. A race continues without them.
//! - A command has its own process group, directory, environment and fence. All of it ends with the look or with the
//!   gateway.
//! - Prompts, tokens and replies are not logged.
//!
//! | file | what |
//! |---|---|
//! | `look` | the input of a look, its result, and its errors |
//! | `prompt` | the text that Claude reads (pure) |
//! | `claude` | runs a look within its limits |
//! | `budget` | daily limits of looks and cost |
//! | `command`, `confined` | the started command and its fence |

pub(super) mod budget;
mod claude;
mod command;
mod confined;
pub mod look;
pub mod prompt;
#[cfg(test)]
mod tests;

pub(super) use budget::KIND;
pub use claude::{Claude, ClaudeParts};
pub use confined::missing_program;
pub use look::ClaudeOrder;
