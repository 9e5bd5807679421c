//! A new share: who may make one, what is stored about it, and when it ends.

use jiff::Timestamp;

use crate::base::secrets::TokenHash;
use crate::race::id::RaceId;
use crate::race::schedule::RaceWatch;
use crate::race::share::ShareTerms;
use crate::races::acts::RaceActError;
use crate::races::caller::RaceCaller;
use crate::races::records::{RaceProgress, RaceRow, RaceShare, hex};
use crate::races::registry::Races;
use crate::store::{StoreError, Tx};

/// Maximum number of shares of one race.
const MOST_SHARES: usize = 20;

impl Races {
    pub(super) fn new_record(&self, caller: &RaceCaller, terms: ShareTerms, hash: &TokenHash) -> RaceShare {
        RaceShare {
            account: caller.account().clone(),
            terms,
            created_at: self.0.clock.now(),
            made_by: match caller {
                RaceCaller::SignIn(_, family) => Some(family.clone()),
                RaceCaller::Page(visitor) => visitor.via.clone(),
                RaceCaller::Operator(_)
                | RaceCaller::Race(_)
                | RaceCaller::Chat(_)
                | RaceCaller::Mail(_)
                | RaceCaller::Gateway(_)
                | RaceCaller::Member(_) => None,
            },
            in_chat: matches!(caller, RaceCaller::Chat(_) | RaceCaller::Mail(_)),
            by_mail: matches!(caller, RaceCaller::Mail(_)),
            token: hex(hash),
        }
    }

    pub(super) fn ends_at(&self, race: &RaceId, row: &RaceShare) -> Result<Option<Timestamp>, StoreError> {
        let ends_at = |watch: &RaceWatch| row.terms.ends_at(row.created_at, watch);
        if let Some(watched) = self.0.watched_race(race) {
            return Ok(ends_at(&watched.state().progress.watch));
        }
        let stored = self.0.store.find::<RaceProgress>(race.key())?;
        Ok(stored.and_then(|progress| ends_at(&progress.watch)))
    }
}

/// Refuses a new share if the caller may not make one, or if the race has too many.
pub(super) fn may_share(tx: &Tx<'_>, caller: &RaceCaller, race: &RaceId) -> Result<(), RaceActError> {
    if !caller.may_write(tx)? {
        return Err(RaceActError::AccessEnded);
    }
    let row = tx.find::<RaceRow>(race.key())?;
    if row.is_none_or(|row| row.account != *caller.account()) {
        return Err(RaceActError::NoSuchRace);
    }
    if tx.list::<RaceShare>(race.key())?.len() >= MOST_SHARES {
        return Err(RaceActError::TooManyShares);
    }
    Ok(())
}
