//! Claude looks at races: through a runner that takes orders, or as a command that the gateway starts.
//!
//! Invariants:
//! - A look gets the token of one race and nothing else.
//! - Looks are limited in time, in number and, where the cost is known, in cost. A race goes on without a look.
//! - A command has its own process group, directory, environment and fence. All of it ends with the look or with the
//!   gateway.
//! - Prompts, tokens and replies are not logged.
//!
//! | file | what |
//! |---|---|
//! | `look` | what a look is given, and its errors |
//! | `prompt` | the text that Claude reads (pure) |
//! | `claude` | takes a look within its limits |
//! | `budget` | looks and cost of a day |
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
