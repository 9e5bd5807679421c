//! Links to pages, made and joined in a chat.

use super::wording;
use crate::accounts::AccountId;
use crate::race::id::RaceId;
use crate::race::page::PageWords;
use crate::race::share::{ShareRole, ShareTerms};
use crate::races::acts::RaceActError;
use crate::races::caller::RaceCaller;
use crate::races::registry::{RaceOverview, Races};
use crate::store::StoreError;

/// A link to the page of each running race, unless one was sent to a chat before. `is_local`: whether only this machine
/// can open it.
pub(super) async fn share(
    races: &Races,
    running: &[RaceOverview],
    another: bool,
    is_local: bool,
    words: &PageWords,
) -> Result<String, StoreError> {
    let mut texts = Vec::new();
    for (title, race) in wording::titles(running).into_iter().zip(running) {
        let snapshot = &race.snapshot;
        let known = races.shares(&snapshot.account, &snapshot.race)?;
        let known = known.iter().rev().find(|share| share.in_chat && !another);
        let text = match known {
            Some(share) => {
                let age = snapshot.now.duration_since(share.created_at);
                wording::shared_already(age, share.by_mail)
            }
            None => match family_link(races, &snapshot.account, &snapshot.race, is_local).await {
                Ok(text) => text,
                Err(problem) => refused(problem)?,
            },
        };
        texts.push((title, text));
    }
    Ok(wording::for_each_race(&texts, words))
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
    words: &PageWords,
) -> Result<String, StoreError> {
    let Some(race) = running else {
        return Ok(words.chat.no_race.to_owned());
    };
    if link.is_empty() {
        return Ok(wording::JOIN_HOW.to_owned());
    }
    let Ok(terms) = ShareTerms::new(ShareRole::Family, name, None, None) else {
        return Ok(wording::bad_name());
    };
    let snapshot = &race.snapshot;
    let caller = RaceCaller::Chat(snapshot.account.clone());
    match races.join_share(&caller, &snapshot.race, link, terms).await {
        Ok(joined) => Ok(wording::joined(joined.athletes)),
        Err(problem) => refused(problem),
    }
}

/// Why a race was not shared, in words for a chat. The errors' own texts name arguments of the tools, which mean
/// nothing there.
fn refused(problem: RaceActError) -> Result<String, StoreError> {
    let text = match problem {
        RaceActError::Store(e) => return Err(e),
        RaceActError::AccessEnded => wording::ENDED_ACCESS,
        RaceActError::NoSuchLink => wording::NO_SUCH_LINK,
        RaceActError::OnLinkAlready => wording::ON_LINK_ALREADY,
        RaceActError::TooManyAthletes => wording::FULL_LINK,
        RaceActError::TooManyShares => wording::MANY_LINKS,
        _ => wording::NOT_SHARED,
    };
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_no_words_of_the_tools() {
        for problem in [
            RaceActError::NoSuchRace,
            RaceActError::Over,
            RaceActError::NoSuchLink,
            RaceActError::OnLinkAlready,
            RaceActError::TooManyAthletes,
            RaceActError::TooManyShares,
            RaceActError::AccessEnded,
        ] {
            let text = refused(problem).unwrap();
            let is_sentence = text.starts_with(char::is_uppercase) && text.ends_with('.');
            assert!(is_sentence && !text.contains('_'), "{text}");
        }
    }
}
