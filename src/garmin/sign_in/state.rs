//! What all sign-ins of this gateway share: the client, the governor, and the queue.

use std::time::Instant;

use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};
use reqwest::Client;

use super::credentials::Credentials;
use super::governor::{Admission, CredentialsHash, Governor, GovernorSettings, PersonKey};
use super::ledger;
use super::recent::RecentSignIns;
use crate::base::clock::Clock;
use crate::config::GarminHosts;
use crate::store::Store;

pub(super) struct SignInState {
    pub(super) hosts: GarminHosts,
    pub(super) http: Client,
    pub(super) clock: Clock,
    pub(super) settings: GovernorSettings,
    governor: Mutex<Governor>,
    /// Where the governor's records outlive a restart; `None` in tests.
    store: Option<Store>,
    /// Held by the sign-in that is under way; holds when the last one ended.
    queue: tokio::sync::Mutex<Option<Instant>>,
    pub(super) recent: Mutex<RecentSignIns>,
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
            recent: Mutex::default(),
        }
    }

    pub(super) fn governor(&self) -> MutexGuard<'_, Governor> {
        self.governor.lock()
    }

    /// Whether these credentials may be sent to Garmin, and the hashes that the governor knows them by.
    pub(super) fn admit(
        &self,
        credentials: &Credentials,
        now: Timestamp,
    ) -> (PersonKey, CredentialsHash, Admission) {
        let mut governor = self.governor();
        let person = governor.person(&credentials.email);
        let hash = governor.credentials_hash(person, &credentials.password);
        (person, hash, governor.admit(person, hash, now))
    }

    /// Writes down what the governor knows of this person and of the methods.
    pub(super) async fn save(&self, person: PersonKey) {
        let Some(store) = &self.store else { return };
        let (shared, history) = self.governor().records(person);
        if let Err(e) = ledger::write(store, shared, person, history, self.clock.now()).await {
            tracing::error!(reason = %e, "sign_in.not_written_down");
        }
    }

    /// Waits for this sign-in's turn; `None` when that takes longer than the patience.
    pub(super) async fn wait_in_queue(&self) -> Option<QueueTurn<'_>> {
        let turn = async {
            let last_ended = self.queue.lock().await;
            if let Some(rest) = last_ended.and_then(|at| self.settings.spacing.checked_sub(at.elapsed())) {
                tokio::time::sleep(rest).await;
            }
            QueueTurn(last_ended)
        };
        tokio::time::timeout(self.settings.patience, turn).await.ok()
    }
}

/// The head of the queue. However its sign-in ends, the next one keeps its distance to that moment.
pub(super) struct QueueTurn<'a>(tokio::sync::MutexGuard<'a, Option<Instant>>);

impl Drop for QueueTurn<'_> {
    fn drop(&mut self) {
        *self.0 = Some(Instant::now());
    }
}
