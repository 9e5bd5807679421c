//! Accounts, invitations, and the Garmin tokens of each account.
//!
//! Invariants:
//! - An account is a random id, bound to Garmin's profile id. The e-mail that a person typed is only a label. The
//!   exception is an [imported account](ImportedAccount): the next sign-in with its e-mail sets its profile.
//! - Garmin accepts a refresh token only once, so the newest tokens must win. Every change of them has a generation,
//!   and a worker's write-back is kept only if nothing newer was stored in between.
//! - Keys of the store are not encrypted, so an e-mail is never one: [`invitations`] are stored under its hash.

mod account;
mod choices;
mod data_grants;
mod imported;
mod invitations;
mod mail_addresses;

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::RwLock;
use tokio::sync::watch;

use crate::base::clock::Clock;
use crate::config::Live;
use crate::garmin::{GarminTokens, SignedIn};
use crate::store::{Kind, Store, StoreError, Tx};

use account::AccountByProfile;

pub use account::{
    Account, AccountId, AccountIdKind, Choices, GarminLogin, HeldTokens, Tombstone, WriteBack,
};
pub use data_grants::{
    DataGrant, GrantGiven, GrantNameProblem, GrantProblem, GrantSides, GrantWish, GrantWithdrawn, HeldGrant,
    LastDayProblem, MAX_GRANT_DAYS, NotGranted, decide,
};
pub use imported::ImportedAccount;
pub use invitations::{AccessRequest, Invitation, is_email};
pub use mail_addresses::{MOST_MAIL_ADDRESSES, MailAddressProblem};

/// The kinds of record for accounts and invitations.
pub const KINDS: &[Kind] = &[
    Kind::of::<Account>(),
    Kind::of::<AccountByProfile>(),
    Kind::of::<HeldTokens>(),
    Kind::of::<Choices>(),
    Kind::of::<Invitation>(),
    Kind::of::<AccessRequest>(),
    Kind::of::<Tombstone>(),
    Kind::of::<data_grants::GivenGrants>(),
];

/// How long the id of a forgotten account is kept. Sign-ins, workers and races end long before that.
const TOMBSTONE_LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);

/// All accounts. Clones share everything.
#[derive(Clone, Debug)]
pub struct Accounts {
    store: Store,
    clock: Clock,
    live: watch::Receiver<Live>,
    listeners: LinkListeners,
    /// Signals that Garmin refused somebody's tokens.
    refused: watch::Sender<()>,
}

type LinkListener = Box<dyn Fn(&AccountId) + Send + Sync>;

/// Callbacks that run at every sign-in.
#[derive(Clone, Default)]
struct LinkListeners(Arc<RwLock<Vec<LinkListener>>>);

impl fmt::Debug for LinkListeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkListeners")
    }
}

impl Accounts {
    /// Creates the accounts on `store`. Invitations come from there and from the live settings.
    pub fn new(store: Store, clock: Clock, live: watch::Receiver<Live>) -> Self {
        Self {
            store,
            clock,
            live,
            listeners: LinkListeners::default(),
            refused: watch::Sender::new(()),
        }
    }

    /// Fires when Garmin has refused the tokens of an account.
    pub fn refusals(&self) -> watch::Receiver<()> {
        self.refused.subscribe()
    }

    /// Calls `listener` at every sign-in from now on, because older tokens of that account are then out of date. The
    /// call is made before [`Accounts::link`] returns, and must not block.
    pub fn on_link(&self, listener: impl Fn(&AccountId) + Send + Sync + 'static) {
        let mut listeners = self.listeners.0.write();
        listeners.push(Box::new(listener));
    }

    /// Stores a successful sign-in: creates or updates the account. Its tokens replace all earlier ones.
    pub async fn link(&self, email: &str, signed_in: SignedIn) -> Result<Account, StoreError> {
        let (email, now) = (email.trim().to_lowercase(), self.clock.now());
        let account = self
            .store
            .atomic(move |tx| put_sign_in(tx, email, signed_in, now))
            .await?;
        self.tell_linked(&account);
        Ok(account)
    }

    /// As [`Accounts::link`], but only if `email` is invited at that moment; `None` if it is not. `and_then` adds its
    /// own writes in the same unit of work: if it fails, nothing is stored.
    pub async fn link_invited<E: From<StoreError> + Send + 'static>(
        &self,
        email: &str,
        signed_in: SignedIn,
        and_then: impl FnOnce(&mut Tx<'_>, &Account) -> Result<(), E> + Send + 'static,
    ) -> Result<Option<Account>, E> {
        let (accounts, email, now) = (self.clone(), email.trim().to_lowercase(), self.clock.now());
        let account = self
            .store
            .atomic(move |tx| {
                if !accounts.is_invited_within(tx, &email)? {
                    return Ok(None);
                }
                let account = put_sign_in(tx, email, signed_in, now)?;
                and_then(tx, &account)?;
                Ok::<_, E>(Some(account))
            })
            .await?;
        if let Some(account) = &account {
            self.tell_linked(account);
        }
        Ok(account)
    }

    fn tell_linked(&self, account: &Account) {
        tracing::info!(account.id = %account.id, "account.linked");
        let listeners = self.listeners.0.read();
        listeners.iter().for_each(|listener| listener(&account.id));
    }

    pub fn find(&self, id: &AccountId) -> Result<Option<Account>, StoreError> {
        self.store.find(id.as_str().as_bytes())
    }

    pub fn list(&self) -> Result<Vec<Account>, StoreError> {
        Ok(self
            .store
            .list(b"")?
            .into_iter()
            .map(|(_, account)| account)
            .collect())
    }

    pub fn tokens(&self, id: &AccountId) -> Result<Option<HeldTokens>, StoreError> {
        self.store.find(id.as_str().as_bytes())
    }

    /// Stores tokens that a worker refreshed, unless newer ones than `from_generation` were stored in between.
    pub async fn write_back(
        &self,
        id: &AccountId,
        from_generation: u64,
        tokens: GarminTokens,
    ) -> Result<WriteBack, StoreError> {
        let (key, now) = (id.as_str().as_bytes().to_vec(), self.clock.now());
        let outcome = self
            .store
            .atomic(move |tx| {
                let Some(held) = tx.find::<HeldTokens>(&key)? else {
                    return Ok(WriteBack::Stale);
                };
                if held.tokens == tokens {
                    return Ok(WriteBack::Unchanged);
                }
                if held.generation != from_generation {
                    return Ok(WriteBack::Stale);
                }
                let generation = from_generation + 1;
                tx.put(
                    &key,
                    &HeldTokens {
                        tokens,
                        generation,
                        changed_at: now,
                    },
                )?;
                set_login(tx, &key, GarminLogin::Working)?;
                Ok::<_, StoreError>(WriteBack::Sealed(generation))
            })
            .await?;
        tracing::info!(account.id = %id, outcome = outcome.name(), "garmin_tokens.written_back");
        Ok(outcome)
    }

    /// Records that Garmin refused the tokens of this generation. No effect after a newer sign-in.
    pub async fn mark_sign_in_needed(
        &self,
        id: &AccountId,
        generation: u64,
        reason: &str,
    ) -> Result<(), StoreError> {
        let key = id.as_str().as_bytes().to_vec();
        let needed = GarminLogin::SignInNeeded {
            since: self.clock.now(),
            reason: reason.to_owned(),
        };
        let marked = self
            .store
            .atomic(move |tx| match tx.find::<HeldTokens>(&key)? {
                Some(held) if held.generation == generation => set_login(tx, &key, needed),
                _ => Ok(false),
            })
            .await?;
        if marked {
            tracing::warn!(account.id = %id, reason, "account.sign_in_needed");
            self.refused.send_replace(());
        }
        Ok(())
    }

    /// Whether the account exists, inside a unit of work. A task that has waited checks this where it writes its
    /// result, so that a `forget` in between leaves nothing behind.
    pub fn exists_within(tx: &Tx<'_>, id: &AccountId) -> Result<bool, StoreError> {
        Ok(tx.find::<Account>(id.as_str().as_bytes())?.is_some())
    }

    /// Whether the account was forgotten within the lifetime of a tombstone, inside a unit of work.
    pub fn is_forgotten_within(tx: &Tx<'_>, id: &AccountId) -> Result<bool, StoreError> {
        Ok(tx.find::<Tombstone>(id.as_str().as_bytes())?.is_some())
    }

    /// Accounts that were forgotten recently. Records that other modules still hold for them were written late and
    /// must be erased.
    pub fn tombstones(&self) -> Result<Vec<Tombstone>, StoreError> {
        let found = self.store.list::<Tombstone>(b"")?.into_iter();
        Ok(found.map(|(_, tombstone)| tombstone).collect())
    }

    /// Erases the remaining records of forgotten accounts in this module, and the tombstones that have expired.
    pub async fn sweep_tombstones(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let swept = self.store.atomic(move |tx| {
            for (key, tombstone) in tx.list::<Tombstone>(b"")? {
                erase(tx, &tombstone.account)?;
                if now.duration_since(tombstone.forgotten_at) >= TOMBSTONE_LIFETIME {
                    tx.remove::<Tombstone>(&key);
                }
            }
            Ok(())
        });
        swept.await
    }

    /// Erases an account and its tokens, and leaves a [`Tombstone`]. Returns whether it existed.
    pub async fn forget(&self, id: &AccountId) -> Result<bool, StoreError> {
        let tombstone = Tombstone {
            account: id.clone(),
            forgotten_at: self.clock.now(),
        };
        let forgotten = self
            .store
            .atomic(move |tx| {
                let existed = erase(tx, &tombstone.account)?;
                tx.put(tombstone.account.as_str().as_bytes(), &tombstone)?;
                Ok::<_, StoreError>(existed)
            })
            .await?;
        tracing::info!(account.id = %id, "account.forgotten");
        Ok(forgotten)
    }
}

/// Writes the account of a sign-in and its tokens.
fn put_sign_in(
    tx: &mut Tx<'_>,
    email: String,
    signed_in: SignedIn,
    now: Timestamp,
) -> Result<Account, StoreError> {
    let SignedIn {
        profile_id,
        full_name,
        tokens,
        ..
    } = signed_in;
    let known = match tx.find::<AccountByProfile>(&profile_id.to_be_bytes())? {
        Some(index) => tx.find::<Account>(index.account.as_str().as_bytes())?,
        None => imported::find_without_profile(tx, &email)?,
    };
    let garmin = GarminLogin::Working;
    let account = match known {
        Some(known) => Account {
            profile_id: Some(profile_id),
            email,
            full_name,
            garmin,
            ..known
        },
        None => Account {
            id: AccountId::random(),
            profile_id: Some(profile_id),
            email,
            full_name,
            linked_at: now,
            garmin,
        },
    };
    let key = account.id.as_str().as_bytes();
    let generation = tx.find::<HeldTokens>(key)?.map_or(0, |held| held.generation) + 1;
    tx.put(
        key,
        &HeldTokens {
            tokens,
            generation,
            changed_at: now,
        },
    )?;
    tx.put(
        &profile_id.to_be_bytes(),
        &AccountByProfile {
            account: account.id.clone(),
        },
    )?;
    tx.put(key, &account)?;
    Ok(account)
}

/// Removes all records of an account. Returns whether it existed.
fn erase(tx: &mut Tx<'_>, id: &AccountId) -> Result<bool, StoreError> {
    let key = id.as_str().as_bytes();
    let account = tx.find::<Account>(key)?;
    if let Some(profile_id) = account.as_ref().and_then(|account| account.profile_id) {
        let profile = profile_id.to_be_bytes();
        // A sign-in after the `forget` may have given the profile a new account.
        if tx
            .find::<AccountByProfile>(&profile)?
            .is_some_and(|by| by.account == *id)
        {
            tx.remove::<AccountByProfile>(&profile);
        }
    }
    tx.remove::<HeldTokens>(key);
    tx.remove::<Choices>(key);
    tx.remove::<Account>(key);
    data_grants::erase(tx, id)?;
    Ok(account.is_some())
}

/// Changes the login state and returns whether it changed. An unchanged state keeps its time.
fn set_login(tx: &mut Tx<'_>, key: &[u8], login: GarminLogin) -> Result<bool, StoreError> {
    let Some(account) = tx.find::<Account>(key)? else {
        return Ok(false);
    };
    if std::mem::discriminant(&account.garmin) == std::mem::discriminant(&login) {
        return Ok(false);
    }
    tx.put(
        key,
        &Account {
            garmin: login,
            ..account
        },
    )?;
    Ok(true)
}

#[cfg(test)]
mod tests;
