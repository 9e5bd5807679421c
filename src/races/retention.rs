//! Erasing races that are over: after some time, or because somebody wants the room.

use std::sync::Arc;

use jiff::Timestamp;

use super::Races;
use super::open::erase;
use super::records::{OfAccount, Progress, RaceRow, account_key};
use crate::accounts::AccountId;
use crate::store::StoreError;

impl Races {
    /// Erases the races that are over and told nothing new since `before`, of one account or of all, with their points,
    /// alerts and messages. Those that are watched stay. Returns how many went.
    pub async fn purge(&self, account: Option<&AccountId>, before: Timestamp) -> Result<usize, StoreError> {
        // None of them is carried on by a new link meanwhile.
        let _one = self.0.starting.lock().await;
        let prefix = account.map_or_else(Vec::new, |account| account_key(account, ""));
        let mut purged = 0;
        for (_, OfAccount { race: id }) in self.0.store.list::<OfAccount>(&prefix)? {
            let (Some(row), Some(progress)) = (
                self.0.store.find::<RaceRow>(id.key())?,
                self.0.store.find::<Progress>(id.key())?,
            ) else {
                continue;
            };
            let newest = progress.watch.last_new_at.max(Some(row.created_at));
            let is_over = progress.done && self.live_race(&id).is_none();
            if !is_over || newest.is_none_or(|newest| newest >= before) {
                continue;
            }
            self.0.past().remove(&id);
            let (account, outbox) = (row.account, Arc::clone(&self.0.outbox));
            let erased = self.0.store.atomic(move |tx| {
                erase(tx, &id, &account)?;
                outbox.forget_race(tx, &account, &id)
            });
            erased.await?;
            purged += 1;
        }
        Ok(purged)
    }
}
