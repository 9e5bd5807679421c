use crate::base::id::{Id, Named};

/// Marker type that makes race ids distinct from other ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OfRace {}

impl Named for OfRace {
    const PREFIX: &'static str = "race_";
    const WORDS: &'static str = "a race id";
}

/// Identifies a race in answers, logs and keys: `race_` and 16 letters. Not a secret.
pub type RaceId = Id<OfRace>;
