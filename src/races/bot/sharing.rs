//! Links to pages, made and joined in a chat.

use super::wording;
use crate::accounts::AccountId;
use crate::race::id::RaceId;
use crate::race::share::{ShareRole, ShareTerms};
use crate::races::acts::RaceActError;
use crate::races::caller::RaceCaller;
use crate::races::registry::{RaceOverview, Races};
use crate::store::StoreError;

/// A link to the page of each running race, unless one was made in a chat before. `is_local`: whether only this machine
/// can open it.
pub(super) async fn share(
    races: &Races,
    running: &[RaceOverview],
    another: bool,
    is_local: bool,
) -> Result<String, StoreError> {
    let mut texts = Vec::new();
    for race in running {
        let snapshot = &race.snapshot;
        let known = races.shares(&snapshot.account, &snapshot.race)?;
        let known = known.iter().rev().find(|share| share.in_chat && !another);
        let text = match known {
            Some(share) => wording::shared_already(snapshot.now.duration_since(share.created_at)),
            None => match family_link(races, &snapshot.account, &snapshot.race, is_local).await {
                Ok(text) => text,
                Err(problem) => refused(problem)?,
            },
        };
        texts.push((snapshot.title(), text));
    }
    Ok(wording::for_each_race(&texts))
}

async fn family_link(
    races: &Races,
    account: &AccountId,
    race: &RaceId,
    is_local: bool,
) -> Result<String, RaceActError> {
    let caller = RaceCaller::Chat(account.clone());
    let terms = ShareTerms::usual(ShareRole::Family);
    let made = races.share(&caller, race, terms.clone()).await?;
    Ok(wording::shared(made.url.expose(), terms.hours_after, is_local))
}

/// Adds a running race to another athlete's link, with the terms for a family.
pub(super) async fn join(
    races: &Races,
    running: Option<&RaceOverview>,
    link: &str,
    name: Option<&str>,
) -> Result<String, StoreError> {
    let Some(race) = running else {
        return Ok(wording::NO_RACE.to_owned());
    };
    if link.is_empty() {
        return Ok(wording::JOIN_HOW.to_owned());
    }
    let terms = match ShareTerms::new(ShareRole::Family, name, None, None) {
        Ok(terms) => terms,
        Err(bad) => return Ok(bad.to_string()),
    };
    let snapshot = &race.snapshot;
    let caller = RaceCaller::Chat(snapshot.account.clone());
    match races.join_share(&caller, &snapshot.race, link, terms).await {
        Ok(joined) => Ok(wording::joined(joined.athletes)),
        Err(problem) => refused(problem),
    }
}

fn refused(problem: RaceActError) -> Result<String, StoreError> {
    match problem {
        RaceActError::Store(e) => Err(e),
        RaceActError::AccessEnded => Ok(wording::ENDED_ACCESS.to_owned()),
        RaceActError::NoSuchLink => Ok(wording::NO_SUCH_LINK.to_owned()),
        RaceActError::TooManyShares => {
            Ok("This race has as many links as are allowed. Claude or the operator can end some.".to_owned())
        }
        // The name of the argument means nothing in a chat.
        other => Ok(other.to_string().trim_start_matches("with: ").to_owned()),
    }
}
