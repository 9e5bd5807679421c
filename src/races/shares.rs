//! The shares of races: links that show one race's page to whoever has them.
//!
//! Invariants:
//! - A link's token is stored as SHA-256 only, and returned once.
//! - A share ends when its time after the race is over, when somebody ends it, when its race is erased, and when its
//!   owner loses access. Open pages then end at once.
//! - Several athletes on one link have a share each. Its owner makes and ends it. The athlete who made the link can end
//!   it, too.

mod link;
mod making;

use jiff::Timestamp;

use super::acts::RaceActError;
use super::caller::RaceCaller;
use super::records::{LinkPart, RaceShare, ShareToken, share_key, share_of, unhex};
use super::registry::Races;
use super::versions::{self, RaceVersions};
use crate::accounts::AccountId;
use crate::base::secrets::{Secret, TokenHash, random_token};
use crate::race::id::RaceId;
use crate::race::share::{ShareId, ShareTerms};
use crate::store::{StoreError, Tx};

pub use self::link::{JoinedShare, LinkedAthlete, MOST_ATHLETES, OpenLink, OpenShare};
use self::making::may_share;

/// A share that was just made. Its token can't be read again.
#[derive(Debug)]
pub struct NewShare {
    pub share: ShareId,
    /// The address of the page.
    pub url: Secret,
}

/// The outcome of ending shares of a race.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedShares {
    pub shares: usize,
    /// Whether it was another athlete's part of the link.
    pub is_anothers: bool,
}

/// A share as its owner sees it.
#[derive(Clone, Debug)]
pub struct ShareOverview {
    pub share: ShareId,
    pub terms: ShareTerms,
    pub created_at: Timestamp,
    /// `None` while the race goes on.
    pub ends_at: Option<Timestamp>,
    /// Whether the operator made it; otherwise the person did, through a client, in a chat or by an e-mail.
    pub by_operator: bool,
    /// Whether it was sent to a chat, because somebody asked there or an e-mail started the race.
    pub in_chat: bool,
    /// Whether an e-mail started the race and made it.
    pub by_mail: bool,
    /// The other athletes on the same link.
    pub others: Vec<LinkedAthlete>,
}

impl Races {
    /// Makes a share of a race of the caller. Errors: no such race, too many shares, or the caller's access has ended.
    pub async fn share(
        &self,
        caller: &RaceCaller,
        race: &RaceId,
        terms: ShareTerms,
    ) -> Result<NewShare, RaceActError> {
        let (share, token) = (ShareId::random(), random_token(""));
        let hash = TokenHash::of(token.expose());
        let record = self.new_record(caller, terms, &hash);
        let (race_id, id, caller) = (race.clone(), share.clone(), caller.clone());
        let written = self.0.store.atomic(move |tx| {
            may_share(tx, &caller, &race_id)?;
            tx.put(&share_key(&race_id, id.as_str()), &record)?;
            let part = LinkPart {
                race: race_id,
                share: id,
            };
            tx.put(hash.as_bytes(), &ShareToken::of(part))?;
            Ok::<_, RaceActError>(())
        });
        written.await?;
        tracing::info!(race.id = %race, share.id = %share, "race.shared");
        let url = Secret::new(format!("{}/r/{}", self.0.public_url, token.expose()));
        Ok(NewShare { share, url })
    }

    /// The shares of a race of this account, the oldest first. Those whose time is over are left out.
    pub fn shares(&self, account: &AccountId, race: &RaceId) -> Result<Vec<ShareOverview>, StoreError> {
        let now = self.0.clock.now();
        let mut shares = Vec::new();
        for (key, row) in self.0.store.list::<RaceShare>(race.key())? {
            let Some(share) = share_of(&key, race).filter(|_| row.account == *account) else {
                continue;
            };
            let ends_at = self.ends_at(race, &row)?;
            if ends_at.is_none_or(|end| now < end) {
                shares.push(ShareOverview {
                    others: self.others_on_link(&row, &share)?,
                    share,
                    terms: row.terms,
                    created_at: row.created_at,
                    ends_at,
                    by_operator: row.made_by.is_none() && !row.in_chat,
                    in_chat: row.in_chat,
                    by_mail: row.by_mail,
                });
            }
        }
        shares.sort_by_key(|share| share.created_at);
        Ok(shares)
    }

    /// Ends a share of a race of the caller, or all of them. `only` may be another athlete's share on a link that this race
    /// made: it is taken off that link, and their race and their other links stay. Open pages show it at once.
    pub async fn end_shares(
        &self,
        caller: &RaceCaller,
        race: &RaceId,
        only: Option<&ShareId>,
    ) -> Result<EndedShares, RaceActError> {
        if self.owner(race)?.is_none_or(|owner| owner != *caller.account()) {
            return Err(RaceActError::NoSuchRace);
        }
        let (id, share, writing) = (race.clone(), only.cloned(), caller.clone());
        let ended = self.0.store.atomic(move |tx| {
            if !writing.may_write(tx)? {
                return Err(RaceActError::AccessEnded);
            }
            let joined = share.as_ref().map(|share| link::joined_part(tx, &id, share));
            let of = joined.transpose()?.flatten().map_or(id, |part| part.race);
            Ok((remove_shares(tx, &of, share.as_ref())?, of))
        });
        let (shares, of) = ended.await?;
        versions::changed(&self.0.versions, &of);
        if shares == 0 && only.is_some() {
            return Err(RaceActError::NoSuchShare);
        }
        tracing::info!(race.id = %of, shares, "race.shares_ended");
        Ok(EndedShares {
            shares,
            is_anothers: of != *race,
        })
    }

    /// Ends all shares of an account.
    pub(super) async fn end_all_shares(&self, account: &AccountId) -> Result<(), StoreError> {
        for race in self.ids_of(account)? {
            if self.0.store.list::<RaceShare>(race.key())?.is_empty() {
                continue;
            }
            let id = race.clone();
            self.0
                .store
                .atomic(move |tx| remove_shares(tx, &id, None))
                .await?;
            versions::changed(&self.0.versions, &race);
        }
        Ok(())
    }

    /// Notifies of every change of a race and of its shares.
    pub fn versions(&self) -> tokio::sync::watch::Receiver<RaceVersions> {
        self.0.versions.subscribe()
    }

    /// The messages about a race of this account that were sent, oldest first.
    pub fn sent_messages(
        &self,
        account: &AccountId,
        race: &RaceId,
    ) -> Result<Vec<(Timestamp, String)>, StoreError> {
        let state = match self.0.watched_race(race) {
            Some(race) => Some(race.state()),
            None => self.0.past_race(race)?,
        };
        let said = state.filter(|state| state.row.account == *account);
        let said = said.iter().flat_map(|state| &state.progress.said);
        let sent = said.filter(|message| message.held.is_empty());
        Ok(sent.map(|message| (message.at, message.text.clone())).collect())
    }
}

/// Removes one share of a race, or all. Other athletes' shares of the same link stay. Returns how many there were.
pub(super) fn remove_shares(
    tx: &mut Tx<'_>,
    race: &RaceId,
    only: Option<&ShareId>,
) -> Result<usize, StoreError> {
    let mut removed = 0;
    for (key, row) in tx.list::<RaceShare>(race.key())? {
        if only.is_some_and(|only| share_of(&key, race).as_ref() != Some(only)) {
            continue;
        }
        if let (Some(hash), Some(share)) = (unhex(&row.token), share_of(&key, race)) {
            let part = LinkPart {
                race: race.clone(),
                share,
            };
            link::leave(tx, &hash, &part)?;
        }
        tx.remove::<RaceShare>(&key);
        removed += 1;
    }
    Ok(removed)
}
