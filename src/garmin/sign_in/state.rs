//! What all sign-ins of this gateway share: the client, the governor, and the queue.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::{Mutex, MutexGuard};
use reqwest::Client;
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use super::credentials::Credentials;
use super::governor::{CredentialsHash, Governor, GovernorSettings, PersonKey, SignInAdmission, SourceKey};
use super::ledger;
use super::recent::RecentSignIns;
use crate::base::clock::Clock;
use crate::base::source::network;
use crate::config::GarminHosts;
use crate::garmin::token_service::CLIENT_IDS;
use crate::store::Store;

/// Upper bound of sign-ins from one source that wait for each other; further ones are refused as busy.
const MAX_WAITING_PER_SOURCE: usize = 4;

pub(super) struct SignInState {
    pub(super) hosts: GarminHosts,
    pub(super) http: Client,
    pub(super) clock: Clock,
    pub(super) settings: GovernorSettings,
    governor: Mutex<Governor>,
    /// Keeps the governor's records across restarts; `None` in tests.
    store: Option<Store>,
    /// Locked by the sign-in in progress. Contains the time at which the last one ended.
    queue: tokio::sync::Mutex<Option<Instant>>,
    /// One line per source, in front of the queue.
    lines: Mutex<HashMap<IpAddr, SourceLine>>,
    pub(super) recent: Mutex<RecentSignIns>,
    /// Client ids from the settings, which are tried before the built-in ones.
    client_ids: Mutex<Vec<String>>,
}

impl SignInState {
    pub(super) fn new(
        hosts: GarminHosts,
        http: Client,
        clock: Clock,
        governor: Governor,
        store: Option<Store>,
    ) -> Self {
        Self {
            hosts,
            http,
            clock,
            settings: governor.settings.clone(),
            governor: Mutex::new(governor),
            store,
            queue: tokio::sync::Mutex::default(),
            lines: Mutex::default(),
            recent: Mutex::default(),
            client_ids: Mutex::default(),
        }
    }

    pub(super) fn set_client_ids(&self, ids: Vec<String>) {
        *self.client_ids.lock() = ids;
    }

    /// The client ids to try, in this order and without duplicates.
    pub(super) fn client_ids(&self) -> Vec<String> {
        let mut ids = self.client_ids.lock().clone();
        for built_in in CLIENT_IDS {
            if !ids.iter().any(|id| id == built_in) {
                ids.push(built_in.to_owned());
            }
        }
        ids
    }

    pub(super) fn governor(&self) -> MutexGuard<'_, Governor> {
        self.governor.lock()
    }

    /// Checks whether these credentials may be sent to Garmin now, and returns the keys of the attempt.
    pub(super) fn admit(
        &self,
        credentials: &Credentials,
        from: Option<IpAddr>,
    ) -> (AttemptKeys, SignInAdmission) {
        let mut governor = self.governor();
        let person = governor.person(&credentials.email);
        let keys = AttemptKeys {
            person,
            credentials: governor.credentials_hash(person, &credentials.password),
            source: from.map(|address| governor.source(address)),
        };
        let now = self.clock.now();
        (keys, governor.admit(person, keys.credentials, keys.source, now))
    }

    /// Stores what the governor knows about this person and the methods.
    pub(super) async fn save(&self, person: PersonKey) {
        let Some(store) = &self.store else { return };
        let (shared, history) = self.governor().records(person);
        if let Err(e) = ledger::write(store, shared, person, history, self.clock.now()).await {
            tracing::error!(reason = %e, "sign_in.not_written_down");
        }
    }

    /// Waits until no other sign-in from this source is in progress; `None` when too many wait already.
    ///
    /// Each source has at most one place in the queue, so a source with many sign-ins delays the others by only one.
    /// Loopback does not count as a source: it is a proxy on this machine that forwards no client addresses, so it
    /// stands for everybody.
    pub(super) async fn wait_for_source(&self, from: Option<IpAddr>) -> Option<SourceTurn> {
        let Some(from) = from.filter(|address| !address.to_canonical().is_loopback()) else {
            return Some(SourceTurn { _turn: None });
        };
        let line = {
            let mut lines = self.lines.lock();
            lines.retain(|_, line| Arc::strong_count(&line.turn) > 1);
            lines.entry(network(from)).or_default().clone()
        };
        let room = line.room.try_acquire_owned().ok()?;
        let turn = line.turn.lock_owned().await;
        Some(SourceTurn {
            _turn: Some((turn, room)),
        })
    }

    /// Waits for this sign-in's turn; `None` when that takes longer than the `patience` setting.
    pub(super) async fn wait_in_queue(&self, from: Option<IpAddr>) -> Option<QueueTurn<'_>> {
        let turn = async {
            let source = self.wait_for_source(from).await?;
            let last_ended = self.queue.lock().await;
            if let Some(rest) = last_ended.and_then(|at| self.settings.spacing.checked_sub(at.elapsed())) {
                tokio::time::sleep(rest).await;
            }
            Some(QueueTurn {
                last_ended,
                _source: source,
            })
        };
        tokio::time::timeout(self.settings.patience, turn).await.ok()?
    }
}

/// The keys by which the governor identifies an attempt.
#[derive(Clone, Copy)]
pub(super) struct AttemptKeys {
    pub(super) person: PersonKey,
    pub(super) credentials: CredentialsHash,
    /// The source; `None` when the address is unknown.
    pub(super) source: Option<SourceKey>,
}

/// The sign-ins of one source. Clones share the same line.
#[derive(Clone)]
struct SourceLine {
    room: Arc<Semaphore>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Default for SourceLine {
    fn default() -> Self {
        Self {
            room: Arc::new(Semaphore::new(MAX_WAITING_PER_SOURCE)),
            turn: Arc::default(),
        }
    }
}

/// The turn of one sign-in among those from the same source.
pub(super) struct SourceTurn {
    _turn: Option<(OwnedMutexGuard<()>, OwnedSemaphorePermit)>,
}

/// The turn of one sign-in among all. However the sign-in ends, the spacing before the next one starts at that moment.
pub(super) struct QueueTurn<'a> {
    last_ended: tokio::sync::MutexGuard<'a, Option<Instant>>,
    _source: SourceTurn,
}

impl Drop for QueueTurn<'_> {
    fn drop(&mut self) {
        *self.last_ended = Some(Instant::now());
    }
}
