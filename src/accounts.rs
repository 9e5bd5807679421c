//! Who is who: accounts, invitations and their Garmin tokens.
//!
//! Invariants:
//! - An account is its own random id, bound to Garmin's profile id. The e-mail that somebody typed is a label.
//! - Garmin spends a refresh token when it is used, so the newest tokens must win: every change of them has a
//!   generation, and a worker's write-back is taken only if nothing newer came in between.
//! - Keys of the store are not sealed, so an e-mail is never one: [`invitations`] are kept under its hash.

mod invitations;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::base::clock::Clock;
use crate::base::id::{Id, Named};
use crate::config::Live;
use crate::garmin::{GarminTokens, SignedIn};
use crate::store::{Kind, Record, Store, StoreError, Table, Tx};
pub use invitations::{AccessRequest, Invitation, is_email};

/// What an [`AccountId`] names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountIdKind {}

impl Named for AccountIdKind {
    const PREFIX: &'static str = "acc_";
    const WORDS: &'static str = "an account id";
}

/// Names an account in logs, paths and keys: `acc_` and 16 letters.
pub type AccountId = Id<AccountIdKind>;

/// A person whose Garmin account is linked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Our name for it.
    pub id: AccountId,
    /// Garmin's name for it: who signs in with the same one is the same person.
    pub profile_id: u64,
    /// The e-mail of the last sign-in: a label for people, never an identity.
    pub email: String,
    /// As Garmin has it.
    pub full_name: String,
    /// The first sign-in.
    pub linked_at: Timestamp,
    /// Whether Garmin still takes our tokens.
    pub garmin: GarminLogin,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id)
            .field("garmin", &self.garmin)
            .finish_non_exhaustive()
    }
}

impl Record for Account {
    const TABLE: Table = Table("account");
}

/// The state of an account's login at Garmin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum GarminLogin {
    /// It works, as far as we know.
    Working,
    /// Garmin refused our tokens: the person must sign in again at `PUBLIC_URL/link`.
    SignInNeeded {
        /// Since when.
        since: Timestamp,
        /// Why, in a word for the log.
        reason: String,
    },
}

/// Finds an account by Garmin's profile id.
#[derive(Serialize, Deserialize)]
struct ByProfile {
    account: AccountId,
}

impl Record for ByProfile {
    const TABLE: Table = Table("account_by_profile");
}

/// The Garmin tokens of an account, and how many times they changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HeldTokens {
    /// The newest that we know of.
    pub tokens: GarminTokens,
    /// Counts every change; a write-back says which one it is based on.
    pub generation: u64,
    /// When they last changed.
    pub changed_at: Timestamp,
}

impl Record for HeldTokens {
    const TABLE: Table = Table("garmin_tokens");
}

/// What became of tokens that a worker refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteBack {
    /// They are kept, as this generation.
    Sealed(u64),
    /// They are the ones that we have.
    Unchanged,
    /// A sign-in or another write-back was newer; these are dropped.
    Stale,
}

/// What this room keeps in the store.
pub const KINDS: &[Kind] = &[
    Kind::of::<Account>(),
    Kind::of::<ByProfile>(),
    Kind::of::<HeldTokens>(),
    Kind::of::<Invitation>(),
    Kind::of::<AccessRequest>(),
];

/// Knows all accounts. Clones share everything.
#[derive(Clone, Debug)]
pub struct Accounts {
    store: Store,
    clock: Clock,
    live: watch::Receiver<Live>,
    listeners: LinkListeners,
}

type LinkListener = Box<dyn Fn(&AccountId) + Send + Sync>;

/// Who hears of sign-ins.
#[derive(Clone, Default)]
struct LinkListeners(Arc<RwLock<Vec<LinkListener>>>);

impl fmt::Debug for LinkListeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkListeners")
    }
}

impl Accounts {
    /// Accounts in `store`, invitations from there and from the live settings.
    pub fn new(store: Store, clock: Clock, live: watch::Receiver<Live>) -> Self {
        Self {
            store,
            clock,
            live,
            listeners: LinkListeners::default(),
        }
    }

    /// Tells `listener` of every sign-in from now on: older tokens of that account are out of date. It is called before
    /// [`Accounts::link`] returns, so that whoever acts after a sign-in finds it told; it must not block.
    pub fn on_link(&self, listener: impl Fn(&AccountId) + Send + Sync + 'static) {
        let mut listeners = self.listeners.0.write().unwrap_or_else(PoisonError::into_inner);
        listeners.push(Box::new(listener));
    }

    /// Keeps a successful sign-in: makes the account or refreshes it. Its tokens win over all before.
    pub async fn link(&self, email: &str, signed_in: SignedIn) -> Result<Account, StoreError> {
        let (email, now) = (email.trim().to_lowercase(), self.clock.now());
        let account = self
            .store
            .atomic(move |tx| {
                let SignedIn {
                    profile_id,
                    full_name,
                    tokens,
                    ..
                } = signed_in;
                let known = match tx.find::<ByProfile>(&profile_id.to_be_bytes())? {
                    Some(index) => tx.find::<Account>(index.account.as_str().as_bytes())?,
                    None => None,
                };
                let garmin = GarminLogin::Working;
                let account = match known {
                    Some(known) => Account {
                        email,
                        full_name,
                        garmin,
                        ..known
                    },
                    None => Account {
                        id: AccountId::random(),
                        profile_id,
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
                    &ByProfile {
                        account: account.id.clone(),
                    },
                )?;
                tx.put(key, &account)?;
                Ok::<_, StoreError>(account)
            })
            .await?;
        tracing::info!(account.id = %account.id, "account.linked");
        let listeners = self.listeners.0.read().unwrap_or_else(PoisonError::into_inner);
        listeners.iter().for_each(|told| told(&account.id));
        Ok(account)
    }

    /// The account, if there is one.
    pub fn find(&self, id: &AccountId) -> Result<Option<Account>, StoreError> {
        self.store.find(id.as_str().as_bytes())
    }

    /// All accounts.
    pub fn list(&self) -> Result<Vec<Account>, StoreError> {
        Ok(self
            .store
            .list(b"")?
            .into_iter()
            .map(|(_, account)| account)
            .collect())
    }

    /// The newest Garmin tokens of an account.
    pub fn tokens(&self, id: &AccountId) -> Result<Option<HeldTokens>, StoreError> {
        self.store.find(id.as_str().as_bytes())
    }

    /// Keeps tokens that a worker refreshed, if nothing newer than `from_generation` came in between.
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
        tracing::info!(account.id = %id, ?outcome, "garmin_tokens.written_back");
        Ok(outcome)
    }

    /// Notes that Garmin refused the tokens of this generation. A sign-in in between makes it void.
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
        }
        Ok(())
    }

    /// Erases an account and its tokens. Returns whether there was one.
    pub async fn forget(&self, id: &AccountId) -> Result<bool, StoreError> {
        let key = id.as_str().as_bytes().to_vec();
        let forgotten = self
            .store
            .atomic(move |tx| {
                let Some(account) = tx.find::<Account>(&key)? else {
                    return Ok(false);
                };
                tx.remove::<ByProfile>(&account.profile_id.to_be_bytes());
                tx.remove::<HeldTokens>(&key);
                tx.remove::<Account>(&key);
                Ok::<_, StoreError>(true)
            })
            .await?;
        tracing::info!(account.id = %id, "account.forgotten");
        Ok(forgotten)
    }
}

/// Changes the login state; a state that already says the same keeps its time. Returns whether it changed.
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
mod tests {
    use super::*;
    use crate::base::secrets::{RootSecret, Secret};

    pub(super) struct Fixture {
        pub(super) accounts: Accounts,
        pub(super) live: watch::Sender<Live>,
        _dir: tempfile::TempDir,
    }

    pub(super) fn fixture() -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
        let store = Store::open(&dir.path().join("db"), &secret).unwrap();
        let (live, receiver) = watch::channel(Live::default());
        let accounts = Accounts::new(store, Clock::manual(Timestamp::UNIX_EPOCH), receiver);
        Fixture {
            accounts,
            live,
            _dir: dir,
        }
    }

    fn tokens(name: &str) -> GarminTokens {
        let secret = Secret::new(name);
        GarminTokens {
            di_token: secret.clone(),
            di_refresh_token: Some(secret),
            di_client_id: None,
        }
    }

    fn signed_in(profile_id: u64, token: &str) -> SignedIn {
        SignedIn {
            profile_id,
            display_name: "ann".into(),
            full_name: "Ann Example".into(),
            tokens: tokens(token),
        }
    }

    #[tokio::test]
    async fn the_profile_is_the_identity_and_the_e_mail_a_label() {
        let Fixture { accounts, .. } = fixture();
        let first = accounts.link("Ann@Example.org", signed_in(7, "a")).await.unwrap();
        let again = accounts.link("new@example.org", signed_in(7, "b")).await.unwrap();
        let other = accounts.link("new@example.org", signed_in(8, "c")).await.unwrap();
        assert_eq!((&first.id, again.email.as_str()), (&again.id, "new@example.org"));
        assert_ne!(first.id, other.id);
        assert_eq!(accounts.list().unwrap().len(), 2);
        assert!(accounts.forget(&first.id).await.unwrap());
        assert!(accounts.tokens(&first.id).unwrap().is_none());
        assert_ne!(
            accounts
                .link("x@example.org", signed_in(7, "d"))
                .await
                .unwrap()
                .id,
            first.id
        );
    }

    #[tokio::test]
    async fn a_sign_in_wins_over_an_older_write_back() {
        let Fixture { accounts, .. } = fixture();
        let id = accounts
            .link("ann@example.org", signed_in(7, "a"))
            .await
            .unwrap()
            .id;
        let write_back = |generation, name| accounts.write_back(&id, generation, tokens(name));
        assert_eq!(write_back(1, "a").await.unwrap(), WriteBack::Unchanged);
        assert_eq!(write_back(1, "b").await.unwrap(), WriteBack::Sealed(2));
        accounts.link("ann@example.org", signed_in(7, "c")).await.unwrap();
        assert_eq!(write_back(2, "d").await.unwrap(), WriteBack::Stale);
        assert_eq!(accounts.tokens(&id).unwrap().unwrap().tokens, tokens("c"));
    }

    #[tokio::test]
    async fn the_login_state_follows_the_newest_tokens() {
        let Fixture { accounts, .. } = fixture();
        let id = accounts
            .link("ann@example.org", signed_in(7, "a"))
            .await
            .unwrap()
            .id;
        let working = || accounts.find(&id).unwrap().unwrap().garmin == GarminLogin::Working;
        accounts.mark_sign_in_needed(&id, 0, "old").await.unwrap();
        assert!(working());
        accounts
            .mark_sign_in_needed(&id, 1, "invalid_grant")
            .await
            .unwrap();
        assert!(!working());
        accounts.link("ann@example.org", signed_in(7, "b")).await.unwrap();
        assert!(working());
    }

    #[test]
    fn account_ids_are_safe_as_directory_names() {
        for (text, ok) in [
            ("acc_abcdefghij234567", true),
            ("acc_../../etc/passwd", false),
            ("acc_ABCDEFGHIJ234567", false),
            ("acc_abc", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<AccountId>().is_ok(), ok, "{text}");
        }
        assert!(AccountId::random().as_str().parse::<AccountId>().is_ok());
    }
}
