//! What is stored for the coach. All records are keyed by the account's id.
//!
//! | table | what |
//! |---|---|
//! | `coach` | what the person wants, and the day of the last look; exists while the coach is on |
//! | `coach_said` | the newest messages with their figures |
//! | `link_notice` | the broken link to Garmin that the person was told about |

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::choice::CoachWishes;
use super::rules::SaidAdvice;
use crate::store::{Record, Table};

/// Messages kept for one person. The rules look back over fewer.
const MOST_SAID: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CoachChoice {
    /// When the coach was switched on. It identifies this period, so that a look that began in an earlier one stores
    /// nothing.
    pub(super) since: Timestamp,
    pub(super) wishes: CoachWishes,
    #[serde(default)]
    pub(super) looked_on: Option<Date>,
}

impl Record for CoachChoice {
    const TABLE: Table = Table("coach");
}

/// A message as it was sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SentAdvice {
    pub at: Timestamp,
    pub text: String,
    /// Whether the words are Claude's.
    #[serde(default)]
    pub by_claude: bool,
    pub advice: SaidAdvice,
}

/// The newest messages, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CoachSaid {
    pub(super) said: Vec<SentAdvice>,
}

impl Record for CoachSaid {
    const TABLE: Table = Table("coach_said");
}

impl CoachSaid {
    pub(super) fn with(mut self, sent: SentAdvice) -> Self {
        self.said.push(sent);
        let surplus = self.said.len().saturating_sub(MOST_SAID);
        self.said.drain(..surplus);
        self
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LinkNotice {
    /// When Garmin refused the tokens.
    pub(super) since: Timestamp,
}

impl Record for LinkNotice {
    const TABLE: Table = Table("link_notice");
}
