//! Erases races: those of a forgotten account, and old ones.

use jiff::Timestamp;

use super::mailbox;
use super::messages::drop_phones;
use super::records::{AccountRace, CourseRow, RaceProgress, RaceRow, account_key, drop_tokens};
use super::registry::Races;
use super::series;
use super::shares::remove_shares;
use super::versions;
use crate::accounts::AccountId;
use crate::coach::budget;
use crate::race::alerts::Alert;
use crate::race::id::RaceId;
use crate::store::{StoreError, Tx};

impl Races {
    /// Erases all races of an account with their points, alerts, tokens, shares and queued messages. Also erases the
    /// account's phone, its invitations to recipients, and its count of looks. Returns the number of races.
    pub async fn forget(&self, account: &AccountId) -> Result<usize, StoreError> {
        let races = &self.0;
        let gate = races.gate(account);
        let _starting = gate.lock().await;
        let ids = self.ids_of(account)?;
        for id in &ids {
            let watched = races.watched.lock().remove(id);
            races.past.lock().remove(id);
            if let Some(race) = watched {
                race.erase().await;
            }
            let (race, account) = (id.clone(), account.clone());
            races.store.atomic(move |tx| erase(tx, &race, &account)).await?;
            versions::changed(&races.versions, id);
        }
        let (notifier, of) = (races.notifier.clone(), account.clone());
        let erased = races.store.atomic(move |tx| {
            budget::forget(tx, &of);
            mailbox::forget(tx, &of)?;
            notifier.forget_account(tx, &of)
        });
        erased.await?;
        Ok(ids.len())
    }

    /// Erases the races of one account, or of all, that are over and have had no new point since `before`. Watched
    /// races are kept. Returns how many were erased.
    pub async fn purge(&self, account: Option<&AccountId>, before: Timestamp) -> Result<usize, StoreError> {
        let races = &self.0;
        let prefix = account.map_or_else(Vec::new, |account| account_key(account, ""));
        let mut purged = 0;
        for (_, AccountRace { race: id }) in races.store.list::<AccountRace>(&prefix)? {
            let (Some(row), Some(progress)) = (
                races.store.find::<RaceRow>(id.key())?,
                races.store.find::<RaceProgress>(id.key())?,
            ) else {
                continue;
            };
            // Prevents the race from being continued while it is erased.
            let gate = races.gate(&row.account);
            let _starting = gate.lock().await;
            let newest = progress.watch.last_new_at.max(Some(row.created_at));
            let is_over = progress.done && races.watched_race(&id).is_none();
            if !is_over || newest.is_none_or(|newest| newest >= before) {
                continue;
            }
            races.past.lock().remove(&id);
            let (account, notifier) = (row.account, races.notifier.clone());
            let race = id.clone();
            let erased = races.store.atomic(move |tx| {
                erase(tx, &race, &account)?;
                notifier.forget_race(tx, &account, &race)
            });
            erased.await?;
            versions::changed(&races.versions, &id);
            purged += 1;
        }
        Ok(purged)
    }
}

fn erase(tx: &mut Tx<'_>, id: &RaceId, account: &AccountId) -> Result<(), StoreError> {
    series::forget(tx, id)?;
    for (key, _) in tx.list::<Alert>(id.key())? {
        tx.remove::<Alert>(&key);
    }
    if let Some(mut progress) = tx.find::<RaceProgress>(id.key())? {
        drop_tokens(tx, &mut progress, 0);
    }
    remove_shares(tx, id, None)?;
    let recipients = tx.find::<RaceRow>(id.key())?.map(|row| row.settings.recipients);
    let phones: Vec<_> = recipients
        .into_iter()
        .flatten()
        .filter_map(|one| one.phone)
        .collect();
    drop_phones(tx, account, id, &phones)?;
    tx.remove::<RaceProgress>(id.key());
    tx.remove::<CourseRow>(id.key());
    tx.remove::<RaceRow>(id.key());
    tx.remove::<AccountRace>(&account_key(account, id.as_str()));
    Ok(())
}
