//! The name of a race.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::foundation::secrets::random_id;

/// Names a race in answers, logs and keys: `race_` and 16 letters. Not a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RaceId(String);

impl RaceId {
    /// A new one.
    pub fn random() -> Self {
        Self(random_id("race_"))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As a key of the store.
    pub fn key(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Display for RaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is no race id.
#[derive(Debug, thiserror::Error)]
#[error("a race id is race_ and 16 letters")]
pub struct NotARaceId;

impl FromStr for RaceId {
    type Err = NotARaceId;

    fn from_str(text: &str) -> Result<Self, NotARaceId> {
        let letters = text.strip_prefix("race_").ok_or(NotARaceId)?;
        let fits = letters.len() == 16
            && letters
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        fits.then(|| Self(text.to_owned())).ok_or(NotARaceId)
    }
}

impl TryFrom<String> for RaceId {
    type Error = NotARaceId;

    fn try_from(text: String) -> Result<Self, NotARaceId> {
        text.parse()
    }
}

impl From<RaceId> for String {
    fn from(id: RaceId) -> Self {
        id.0
    }
}
