//! Gives the notifier the state of each athlete who is shown at the operator's MQTT broker.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::registry::{RaceOverview, Races};
use crate::accounts::AccountId;
use crate::oauth::OAuth;
use crate::race::home::HomeState;
use crate::store::StoreError;

/// Least time between two looks at all races.
const LEAST_PAUSE: Duration = Duration::from_secs(2);

/// Longest time between two looks, because settings, phones and access may change without a change of a race.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Races {
    /// Runs until the program stops.
    pub(super) async fn keep_home(&self) {
        let (mut versions, stopping) = (self.versions(), self.0.lifecycle.stopping());
        let watching = async {
            loop {
                versions.mark_unchanged();
                match self.athletes_at_home() {
                    Ok(athletes) => self.0.notifier.show_at_broker(athletes),
                    Err(e) => tracing::warn!(reason = %e, "race.home_unread"),
                }
                sleep(LEAST_PAUSE).await;
                let _in_time = timeout(LONGEST_PAUSE, versions.changed()).await;
            }
        };
        tokio::select! {
            () = stopping.cancelled() => {}
            () = watching => {}
        }
    }

    /// The people with a device, and the race that it shows: the one under way, else the newest.
    fn athletes_at_home(&self) -> Result<BTreeMap<AccountId, HomeState>, StoreError> {
        let mut athletes = BTreeMap::new();
        for account in self.0.notifier.people_at_broker()? {
            let watched = self.watched(&account)?;
            // A person without access is not shown, unless the operator watches a race for them.
            if watched.is_empty() && !OAuth::has_access(&self.0.store, &account)? {
                continue;
            }
            let home = |race: &RaceOverview| HomeState::of(&race.snapshot);
            let shown = match watched.iter().map(home).find(HomeState::is_in_activity) {
                Some(shown) => Some(shown),
                None => self.newest(&account)?.as_ref().map(home),
            };
            athletes.extend(shown.map(|shown| (account, shown)));
        }
        Ok(athletes)
    }
}
