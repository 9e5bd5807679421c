//! A counter for each race, which tells the readers of its page that something changed.

use std::collections::BTreeMap;

use tokio::sync::watch;

use crate::race::id::RaceId;

/// How often each race changed since the program started.
#[derive(Clone, Debug, Default)]
pub struct RaceVersions(BTreeMap<RaceId, u64>);

impl RaceVersions {
    /// The number of changes of a race so far.
    pub fn of(&self, race: &RaceId) -> u64 {
        self.0.get(race).copied().unwrap_or_default()
    }
}

/// Counts a change of a race, and wakes the readers.
pub(super) fn changed(versions: &watch::Sender<RaceVersions>, race: &RaceId) {
    versions.send_modify(|versions| *versions.0.entry(race.clone()).or_default() += 1);
}
