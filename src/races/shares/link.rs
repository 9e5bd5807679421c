//! The shares on one link: what its token opens, and how another athlete adds a race to it.

use jiff::Timestamp;

use super::making::may_share;
use crate::accounts::AccountId;
use crate::base::secrets::TokenHash;
use crate::race::id::RaceId;
use crate::race::share::{ShareId, ShareTerms};
use crate::races::acts::RaceActError;
use crate::races::caller::RaceCaller;
use crate::races::records::{LinkPart, RaceShare, ShareToken, hex, share_key, share_of, unhex};
use crate::races::registry::Races;
use crate::races::versions;
use crate::store::{StoreError, Tx};

/// Maximum number of athletes on one link. More could not be told apart on the map.
pub const MOST_ATHLETES: usize = 6;

/// The length of a token: 256 bits in base64url.
const TOKEN_LETTERS: usize = 43;

/// A share that a token opens now.
#[derive(Clone, Debug)]
pub struct OpenShare {
    pub race: RaceId,
    pub account: AccountId,
    pub terms: ShareTerms,
    /// `None` while the race goes on.
    pub ends_at: Option<Timestamp>,
}

/// What a token opens now: the shares of one athlete or of several, the oldest first. There is at least one.
#[derive(Clone, Debug)]
pub struct OpenLink {
    pub shares: Vec<OpenShare>,
}

impl OpenLink {
    /// When the next share ends, if it is known.
    pub fn changes_at(&self) -> Option<Timestamp> {
        self.shares.iter().filter_map(|share| share.ends_at).min()
    }
}

/// A share that was just added to a link.
#[derive(Debug)]
pub struct JoinedShare {
    pub share: ShareId,
    /// The number of athletes on the link.
    pub athletes: usize,
}

/// Another athlete on the link of a share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedAthlete {
    /// The name that they chose; `None` for one who chose none.
    pub name: Option<String>,
    /// Their share, if the athlete who made the link can take it off.
    pub share: Option<ShareId>,
}

impl Races {
    /// Adds a race of the caller to a link that another athlete made. `link` is its address, or the token in it.
    /// Errors: no such link or race, the race is on the link, too many athletes or shares, or the caller's access has
    /// ended.
    pub async fn join_share(
        &self,
        caller: &RaceCaller,
        race: &RaceId,
        link: &str,
        terms: ShareTerms,
    ) -> Result<JoinedShare, RaceActError> {
        let token = token_in(link).ok_or(RaceActError::NoSuchLink)?;
        if self.open_link(token)?.is_none() {
            return Err(RaceActError::NoSuchLink);
        }
        let (share, hash) = (ShareId::random(), TokenHash::of(token));
        let record = self.new_record(caller, terms, &hash);
        let (race_id, id, caller) = (race.clone(), share.clone(), caller.clone());
        let joined = self.0.store.atomic(move |tx| {
            may_share(tx, &caller, &race_id)?;
            let found = tx.find::<ShareToken>(hash.as_bytes())?;
            let mut parts = found.ok_or(RaceActError::NoSuchLink)?.parts();
            if parts.iter().any(|part| part.race == race_id) {
                return Err(RaceActError::OnLinkAlready);
            }
            if parts.len() >= MOST_ATHLETES {
                return Err(RaceActError::TooManyAthletes);
            }
            tx.put(&share_key(&race_id, id.as_str()), &record)?;
            parts.push(LinkPart {
                race: race_id,
                share: id,
            });
            if let Some(token) = ShareToken::with(parts.clone()) {
                tx.put(hash.as_bytes(), &token)?;
            }
            Ok(parts)
        });
        let parts = joined.await?;
        // Open pages watch only the races that were on the link before, so these count a change too.
        for part in &parts {
            versions::changed(&self.0.versions, &part.race);
        }
        tracing::info!(race.id = %race, share.id = %share, athletes = parts.len(), "race.joined_link");
        Ok(JoinedShare {
            share,
            athletes: parts.len(),
        })
    }

    /// What this token opens; `None` if it is unknown, or all its shares have ended.
    pub fn open_link(&self, token: &str) -> Result<Option<OpenLink>, StoreError> {
        if token.len() != TOKEN_LETTERS {
            return Ok(None);
        }
        let hash = TokenHash::of(token);
        let Some(found) = self.0.store.find::<ShareToken>(hash.as_bytes())? else {
            return Ok(None);
        };
        let now = self.0.clock.now();
        let mut shares = Vec::new();
        for LinkPart { race, share } in found.parts() {
            let row: Option<RaceShare> = self.0.store.find(&share_key(&race, share.as_str()))?;
            let Some(row) = row.filter(|row| row.token == hex(&hash)) else {
                continue;
            };
            let ends_at = self.ends_at(&race, &row)?;
            if ends_at.is_none_or(|end| now < end) {
                shares.push(OpenShare {
                    race,
                    account: row.account,
                    terms: row.terms,
                    ends_at,
                });
            }
        }
        Ok((!shares.is_empty()).then_some(OpenLink { shares }))
    }

    /// The other athletes on the link of a share.
    pub(super) fn others_on_link(
        &self,
        row: &RaceShare,
        own: &ShareId,
    ) -> Result<Vec<LinkedAthlete>, StoreError> {
        let Some(hash) = unhex(&row.token) else {
            return Ok(Vec::new());
        };
        let token = self.0.store.find::<ShareToken>(&hash)?;
        let parts = token.map_or_else(Vec::new, |token| token.parts());
        let is_makers = makes_link(&parts, own);
        let mut others = Vec::new();
        for part in parts {
            if part.share == *own {
                continue;
            }
            let key = share_key(&part.race, part.share.as_str());
            if let Some(other) = self.0.store.find::<RaceShare>(&key)? {
                others.push(LinkedAthlete {
                    name: other.terms.name,
                    share: is_makers.then_some(part.share),
                });
            }
        }
        Ok(others)
    }
}

/// Takes a share off its link, and removes the link with its last share.
pub(super) fn leave(tx: &mut Tx<'_>, hash: &[u8], share: &LinkPart) -> Result<(), StoreError> {
    let Some(token) = tx.find::<ShareToken>(hash)? else {
        return Ok(());
    };
    let parts = token.parts().into_iter().filter(|part| part != share);
    if let Some(rest) = ShareToken::with(parts.collect()) {
        return tx.put(hash, &rest);
    }
    tx.remove::<ShareToken>(hash);
    Ok(())
}

/// Whether the share made the link. Once its maker has left, the link is that of the athlete who joined next, so that
/// somebody can always say who is on it.
fn makes_link(parts: &[LinkPart], share: &ShareId) -> bool {
    parts.first().is_some_and(|first| first.share == *share)
}

/// Another athlete's share on a link that this race made; `None` if it is on no such link.
pub(super) fn joined_part(
    tx: &Tx<'_>,
    race: &RaceId,
    share: &ShareId,
) -> Result<Option<LinkPart>, StoreError> {
    for (key, row) in tx.list::<RaceShare>(race.key())? {
        let (Some(hash), Some(own)) = (unhex(&row.token), share_of(&key, race)) else {
            continue;
        };
        let token = tx.find::<ShareToken>(&hash)?;
        let parts = token.map_or_else(Vec::new, |token| token.parts());
        if makes_link(&parts, &own)
            && let Some(part) = parts.into_iter().find(|part| part.share == *share)
        {
            return Ok(Some(part));
        }
    }
    Ok(None)
}

/// The token in a link's address, or the token itself.
fn token_in(link: &str) -> Option<&str> {
    let link = link.trim();
    let after = link.rsplit_once("/r/").map_or(link, |(_, after)| after);
    let token = after.split(['/', '?', '#']).next()?;
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (token.len() == TOKEN_LETTERS && token.bytes().all(is_letter)).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_read_as_people_paste_it() {
        let token = "aB3-_".repeat(9)[..43].to_owned();
        for link in [
            token.clone(),
            format!("https://gw.example.org/r/{token}"),
            format!(" http://localhost:8080/r/{token}?lang=de#map\n"),
            format!("/r/{token}/live"),
        ] {
            assert_eq!(token_in(&link), Some(token.as_str()), "{link}");
        }
        for link in ["", "https://gw.example.org/r/", "share_abcdefgh23456723", "/r/x"] {
            assert_eq!(token_in(link), None, "{link}");
        }
        assert_eq!(token_in(&format!("/r/{token}x")), None);
    }

    /// A record from before links could be joined has one share, and is written back in the same form.
    #[test]
    fn a_record_of_one_share_stays_as_it_was() {
        let old = r#"{"race":"race_aaaaaaaaaaaaaaaa","share":"share_abcdefgh23456723"}"#;
        let token: ShareToken = serde_json::from_str(old).unwrap();
        assert_eq!(token.parts().len(), 1);
        assert_eq!(serde_json::to_string(&token).unwrap(), old);
        let mut parts = token.parts();
        parts.push(LinkPart {
            race: "race_bbbbbbbbbbbbbbbb".parse().unwrap(),
            share: ShareId::random(),
        });
        let two = ShareToken::with(parts.clone()).unwrap();
        let read: ShareToken = serde_json::from_str(&serde_json::to_string(&two).unwrap()).unwrap();
        assert_eq!(read.parts(), parts);
        // The second becomes the first when the first leaves, so that an older version of the program can open it too.
        let left = ShareToken::with(parts.split_off(1)).unwrap();
        assert_eq!((left.race, left.joined), (parts_race(&two), Vec::new()));
        assert!(ShareToken::with(Vec::new()).is_none());
    }

    fn parts_race(token: &ShareToken) -> RaceId {
        token.joined[0].race.clone()
    }
}
