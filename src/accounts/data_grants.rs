//! Grants: what a person lets other members see, by groups of data, until a given day.
//!
//! Invariants:
//! - A grant is a part of the granter's record. It ends after its last day, when it is withdrawn, or when either
//!   account is forgotten.
//! - A grant only permits reading. Only [`decide`] decides whether a call is within a grant.
//! - The name under which the grantee sees the granter is never an e-mail, and is unique among that grantee's granters.

mod decision;
mod wish;

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::account::AccountId;
use super::{Account, Accounts};
use crate::mcp::DataGroup;
use crate::store::{Record, StoreError, Table, Tx};

pub use decision::{HeldGrant, NotGranted, decide};
pub use wish::{GrantNameProblem, GrantProblem, GrantWish, LastDayProblem, MAX_GRANT_DAYS};

/// The limit is far above the size of a trusted circle.
const MAX_GRANTS: usize = 20;

/// What one member may see.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataGrant {
    pub to: AccountId,
    /// The grantee's e-mail as the granter typed it, for the granter's own list.
    pub to_email: String,
    /// The name under which the grantee sees the granter.
    pub name: String,
    pub groups: BTreeSet<DataGroup>,
    /// The last day, in the granter's time zone.
    pub until: Date,
    /// The end of that day.
    pub ends_at: Timestamp,
    pub given_at: Timestamp,
}

impl fmt::Debug for DataGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataGrant")
            .field("to", &self.to)
            .field("groups", &self.groups)
            .field("ends_at", &self.ends_at)
            .finish_non_exhaustive()
    }
}

impl DataGrant {
    pub fn is_valid(&self, now: Timestamp) -> bool {
        now < self.ends_at
    }

    pub fn covers(&self, wanted: DataGroup) -> bool {
        self.groups.contains(&DataGroup::Everything) || self.groups.contains(&wanted)
    }

    /// The names of the groups, with commas between them.
    pub fn groups_text(&self) -> String {
        let names: Vec<&str> = self.groups.iter().map(|group| group.name()).collect();
        names.join(", ")
    }
}

/// All grants of one granter. Key: the granter's account id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct GivenGrants {
    #[serde(default)]
    grants: Vec<DataGrant>,
}

/// The granter already has [`MAX_GRANTS`] valid grants.
#[derive(Debug)]
struct TooManyGrants;

impl GivenGrants {
    /// Adds a grant, replaces an earlier one for the same member, and drops those that have expired. Returns whether
    /// one was replaced.
    fn give(&mut self, grant: DataGrant, now: Timestamp) -> Result<bool, TooManyGrants> {
        self.grants.retain(|one| one.is_valid(now));
        let earlier = self.grants.iter().position(|one| one.to == grant.to);
        if let Some(earlier) = earlier {
            self.grants.remove(earlier);
        } else if self.grants.len() >= MAX_GRANTS {
            return Err(TooManyGrants);
        }
        self.grants.push(grant);
        Ok(earlier.is_some())
    }
}

impl Record for GivenGrants {
    const TABLE: Table = Table("data_grants");
}

/// The outcome of giving a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantGiven {
    Done {
        grant: DataGrant,
        /// Whether it replaced an earlier grant for the same member.
        replaced: bool,
    },
    /// The account was forgotten, or the caller's access has ended.
    NotAllowed,
    /// A part of the wish can't be carried out.
    Wrong(GrantProblem),
}

/// The outcome of withdrawing a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantWithdrawn {
    Done(AccountId),
    NotAllowed,
    /// There is no such grant.
    Missing,
}

/// The two sides of a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantSides {
    pub granter: AccountId,
    pub grantee: AccountId,
}

impl Accounts {
    /// Lets a member see data. An earlier grant for the same member is replaced. `is_allowed` is checked in the unit of
    /// work that stores the grant.
    pub async fn give_grant(
        &self,
        granter: &AccountId,
        wish: GrantWish,
        zone: TimeZone,
        is_allowed: impl FnOnce(&Tx<'_>) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<GrantGiven, StoreError> {
        let (id, now) = (granter.clone(), self.clock.now());
        let given = self.store.atomic(move |tx| {
            let Some(own) = tx.find::<Account>(id.key())? else {
                return Ok(GrantGiven::NotAllowed);
            };
            if !is_allowed(tx)? {
                return Ok(GrantGiven::NotAllowed);
            }
            let accounts: Vec<Account> = list(tx)?;
            let grant = match wish.grant(&own, &accounts, &zone, now) {
                Ok(grant) => grant,
                Err(wrong) => return Ok(GrantGiven::Wrong(wrong)),
            };
            let held = held_within(tx, &grant.to, now)?;
            if wish::is_name_taken(&held, &id, &grant.name) {
                return Ok(GrantGiven::Wrong(GrantProblem::NameTaken));
            }
            let mut given: GivenGrants = tx.find(id.key())?.unwrap_or_default();
            let Ok(replaced) = given.give(grant.clone(), now) else {
                return Ok(GrantGiven::Wrong(GrantProblem::TooMany(MAX_GRANTS)));
            };
            tx.put(id.key(), &given)?;
            Ok::<_, StoreError>(GrantGiven::Done { grant, replaced })
        });
        let given = given.await?;
        if let GrantGiven::Done { grant, replaced } = &given {
            tracing::info!(
                account.id = %granter, to.id = %grant.to, groups = grant.groups_text(), ends_at = %grant.ends_at, replaced,
                "grant.given"
            );
        }
        Ok(given)
    }

    /// Withdraws a grant. `to` is the e-mail that the granter typed, or the grantee's account id.
    pub async fn withdraw_grant(
        &self,
        granter: &AccountId,
        to: &str,
        is_allowed: impl FnOnce(&Tx<'_>) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<GrantWithdrawn, StoreError> {
        let (id, to, now) = (granter.clone(), to.trim().to_lowercase(), self.clock.now());
        let withdrawn = self.store.atomic(move |tx| {
            if !is_allowed(tx)? {
                return Ok(GrantWithdrawn::NotAllowed);
            }
            let given: GivenGrants = tx.find(id.key())?.unwrap_or_default();
            let is_meant =
                |one: &&DataGrant| one.is_valid(now) && (one.to_email == to || one.to.as_str() == to);
            let Some(other) = given.grants.iter().find(is_meant).map(|one| one.to.clone()) else {
                return Ok(GrantWithdrawn::Missing);
            };
            keep_only(tx, &id, given, |one| one.to != other)?;
            Ok::<_, StoreError>(GrantWithdrawn::Done(other))
        });
        let withdrawn = withdrawn.await?;
        if let GrantWithdrawn::Done(other) = &withdrawn {
            tracing::info!(account.id = %granter, to.id = %other, "grant.withdrawn");
        }
        Ok(withdrawn)
    }

    /// The valid grants of a granter.
    pub fn grants_given(&self, granter: &AccountId) -> Result<Vec<DataGrant>, StoreError> {
        let now = self.clock.now();
        let given: GivenGrants = self.store.find(granter.key())?.unwrap_or_default();
        Ok(given.grants.into_iter().filter(|one| one.is_valid(now)).collect())
    }

    /// The valid grants that a member has from others.
    pub fn grants_held(&self, grantee: &AccountId) -> Result<Vec<HeldGrant>, StoreError> {
        Ok(held_of(self.store.list(b"")?, grantee, self.clock.now()))
    }

    /// The valid grant between these two.
    pub fn grant_between(&self, sides: &GrantSides) -> Result<Option<DataGrant>, StoreError> {
        let given = self.grants_given(&sides.granter)?;
        Ok(given.into_iter().find(|one| one.to == sides.grantee))
    }

    /// The sides of all grants, each with the time when it was given.
    pub fn all_grants(&self) -> Result<Vec<(GrantSides, Timestamp)>, StoreError> {
        let all = self.store.list::<GivenGrants>(b"")?.into_iter();
        let sides = all.flat_map(|(key, given)| {
            let granter = account_id(&key);
            given.grants.into_iter().filter_map(move |one| {
                let granter = granter.clone()?;
                Some((
                    GrantSides {
                        granter,
                        grantee: one.to,
                    },
                    one.given_at,
                ))
            })
        });
        Ok(sides.collect())
    }

    /// Ends the grants for which `is_ended` returns true. Returns their sides.
    pub async fn end_grants(
        &self,
        is_ended: impl Fn(&AccountId, &DataGrant) -> bool + Send + 'static,
        why: &'static str,
    ) -> Result<Vec<GrantSides>, StoreError> {
        let ended = self.store.atomic(move |tx| end_within(tx, is_ended)).await?;
        for sides in &ended {
            tracing::info!(account.id = %sides.granter, to.id = %sides.grantee, why, "grant.ended");
        }
        Ok(ended)
    }

    /// Removes the grants whose day has passed.
    pub async fn sweep_grants(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let all = self.store.list::<GivenGrants>(b"")?;
        let has_ended = |given: &GivenGrants| given.grants.iter().any(|one| !one.is_valid(now));
        if all.iter().any(|(_, given)| has_ended(given)) {
            self.end_grants(move |_, one| !one.is_valid(now), "expired")
                .await?;
        }
        Ok(())
    }
}

/// Ends the grants of an account on both sides, inside a unit of work.
pub(super) fn erase(tx: &mut Tx<'_>, account: &AccountId) -> Result<(), StoreError> {
    end_within(tx, |granter, grant| granter == account || grant.to == *account)?;
    Ok(())
}

fn end_within(
    tx: &mut Tx<'_>,
    is_ended: impl Fn(&AccountId, &DataGrant) -> bool,
) -> Result<Vec<GrantSides>, StoreError> {
    let mut ended = Vec::new();
    for (key, given) in tx.list::<GivenGrants>(b"")? {
        let Some(granter) = account_id(&key) else { continue };
        let over = given.grants.iter().filter(|one| is_ended(&granter, one));
        let before = ended.len();
        ended.extend(over.map(|one| GrantSides {
            granter: granter.clone(),
            grantee: one.to.clone(),
        }));
        if ended.len() > before {
            keep_only(tx, &granter, given, |one| !is_ended(&granter, one))?;
        }
    }
    Ok(ended)
}

/// Keeps only some of a granter's grants, and removes the record if none is left.
fn keep_only(
    tx: &mut Tx<'_>,
    granter: &AccountId,
    mut given: GivenGrants,
    is_kept: impl FnMut(&DataGrant) -> bool,
) -> Result<(), StoreError> {
    given.grants.retain(is_kept);
    if given.grants.is_empty() {
        tx.remove::<GivenGrants>(granter.key());
        return Ok(());
    }
    tx.put(granter.key(), &given)
}

fn held_within(tx: &Tx<'_>, grantee: &AccountId, now: Timestamp) -> Result<Vec<HeldGrant>, StoreError> {
    Ok(held_of(tx.list(b"")?, grantee, now))
}

fn held_of(all: Vec<(Vec<u8>, GivenGrants)>, grantee: &AccountId, now: Timestamp) -> Vec<HeldGrant> {
    let held = all.into_iter().filter_map(|(key, given)| {
        let mut grants = given.grants.into_iter();
        let grant = grants.find(|one| one.to == *grantee && one.is_valid(now))?;
        let granter = account_id(&key)?;
        Some(HeldGrant { granter, grant })
    });
    held.collect()
}

fn list(tx: &Tx<'_>) -> Result<Vec<Account>, StoreError> {
    let all = tx.list::<Account>(b"")?.into_iter();
    Ok(all.map(|(_, account)| account).collect())
}

fn account_id(key: &[u8]) -> Option<AccountId> {
    std::str::from_utf8(key).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
