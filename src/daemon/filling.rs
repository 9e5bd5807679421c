//! Fills the histories of the people who keep one. Each person has a task, so that a problem with one person's data
//! does not delay the others.
//!
//! The plan decides what to fetch. This loop paces the requests, calls the built-in worker, and stores the replies.
//! After each wait it checks again whether the person still keeps a history and still has access.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::reader::BackgroundReader;
use crate::accounts::{AccountId, GarminLogin};
use crate::gateway::FillPermit;
use crate::history::plan::{self, DaysToFetch, FillStep};
use crate::history::wire::{DaysReply, DaysRequest, FailedDays, READ_DAYS};
use crate::history::{FetchedRows, History, KeptHistory, TroubleClass};
use crate::oauth::OAuth;
use crate::store::StoreError;
use crate::workers::WorkerError;

/// The longest wait until the store and the person's access are checked again. A change of the history and a new
/// sign-in end the wait at once.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// The parts that filling needs. Clones share everything.
#[derive(Clone)]
pub(super) struct Filling {
    pub(super) history: History,
    pub(super) oauth: OAuth,
    pub(super) reader: BackgroundReader,
    /// The time between two requests for one person.
    pub(super) pace: SignedDuration,
}

/// Starts the filling, now and whenever a person switches on.
pub(super) fn start(filling: Filling) {
    let woken = filling.history.clone();
    // A new sign-in ends the trouble that the old tokens had.
    filling.reader.accounts.on_link(move |_| woken.wake());
    let mut begun = filling.oauth.sign_ins_begun();
    let lifecycle = filling.reader.lifecycle.clone();
    lifecycle.spawn("histories", async move {
        let (stopping, mut changes) = (filling.reader.lifecycle.stopping(), filling.history.changes());
        let running: Arc<Mutex<BTreeSet<AccountId>>> = Arc::default();
        loop {
            changes.borrow_and_update();
            let mut is_read = true;
            match filling.history.all() {
                Ok(all) => all
                    .into_iter()
                    .for_each(|(account, _)| filling.spawn(account, &running)),
                Err(reason) => {
                    tracing::error!(%reason, "history.not_read");
                    is_read = false;
                }
            }
            tokio::select! {
                () = stopping.cancelled() => return,
                _ = changes.changed() => {}
                // A person without access is skipped until a client of theirs signs in again.
                _ = begun.changed() => filling.history.wake(),
                () = tokio::time::sleep(Duration::from_secs(60)), if !is_read => {}
            }
        }
    });
}

impl Filling {
    /// Starts the task of a person, unless it runs already.
    fn spawn(&self, account: AccountId, running: &Arc<Mutex<BTreeSet<AccountId>>>) {
        if !running.lock().insert(account.clone()) {
            return;
        }
        let (filling, running) = (self.clone(), Arc::clone(running));
        self.reader.lifecycle.spawn("history", async move {
            filling.fill(&account).await;
            running.lock().remove(&account);
            // The person may have switched on again while this task ended.
            if matches!(filling.history.kept(&account), Ok(Some(_))) {
                filling.history.wake();
            }
        });
    }

    /// Fetches the days of a person until they switch off, or until the program stops.
    async fn fill(&self, account: &AccountId) {
        let (stopping, mut changes) = (self.reader.lifecycle.stopping(), self.history.changes());
        let mut next_request = self.reader.clock.now();
        // The generation of the tokens that Garmin refused.
        let mut refused: Option<u64> = None;
        while !stopping.is_cancelled() {
            changes.borrow_and_update();
            let now = self.reader.clock.now();
            let wait = match self.next(account, &mut refused).await {
                Ok(None) => return,
                Ok(Some((_, FillStep::Rest(until), _))) => until,
                Ok(Some(_)) if now < next_request => next_request,
                Ok(Some((kept, step, permit))) => {
                    next_request = now.saturating_add(self.pace).unwrap_or(now);
                    let days = match step {
                        FillStep::Fetch(days) => Some(days),
                        FillStep::FindZone | FillStep::Rest(_) => None,
                    };
                    let request = self.request(account, &kept, days);
                    let outcome = tokio::select! {
                        biased;
                        () = stopping.cancelled() => return,
                        () = ended(permit.as_ref()) => continue,
                        outcome = request => outcome,
                    };
                    match self.take_in(account, &kept, days, outcome, &mut refused).await {
                        Ok(()) => continue,
                        Err(reason) => {
                            tracing::error!(account.id = %account, %reason, "history.not_stored");
                            now.saturating_add(SignedDuration::from_mins(1)).unwrap_or(now)
                        }
                    }
                }
                Err(reason) => {
                    tracing::error!(account.id = %account, %reason, "history.not_read");
                    now.saturating_add(LOOK_AGAIN).unwrap_or(now)
                }
            };
            tokio::select! {
                () = stopping.cancelled() => return,
                _ = changes.changed() => {}
                () = self.reader.clock.sleep_until(wait) => {}
            }
        }
    }

    /// The next step for a person who keeps a history. A request comes with a permit, which is revoked when the
    /// person's access ends.
    async fn next(
        &self,
        account: &AccountId,
        refused: &mut Option<u64>,
    ) -> Result<Option<(KeptHistory, FillStep, Option<FillPermit>)>, StoreError> {
        let now = self.reader.clock.now();
        let (Some(mut kept), Some(known)) =
            (self.history.kept(account)?, self.reader.accounts.find(account)?)
        else {
            return Ok(None);
        };
        let later = FillStep::Rest(now.saturating_add(LOOK_AGAIN).unwrap_or(now));
        let class = kept.trouble.as_ref().map(|trouble| trouble.class);
        let is_refused = class == Some(TroubleClass::SignInNeeded);
        if known.garmin != GarminLogin::Working {
            if !is_refused {
                // Another call for this person found that Garmin refuses the tokens.
                let class = TroubleClass::SignInNeeded;
                self.history
                    .store_trouble(account, kept.since, None, class, None)
                    .await?;
            }
            return Ok(Some((kept, later, None)));
        }
        if self.reader.must_wait(account) {
            let soon = now.saturating_add(SignedDuration::from_mins(1)).unwrap_or(now);
            return Ok(Some((kept, FillStep::Rest(soon), None)));
        }
        if is_refused {
            let generation = self.reader.accounts.tokens(account)?.map(|held| held.generation);
            if generation.is_some() && generation != *refused {
                self.history.clear_trouble(account, kept.since).await?;
                kept.trouble = None;
            }
        }
        let step = plan::next(&kept, now);
        if matches!(step, FillStep::Rest(_)) {
            return Ok(Some((kept, step, None)));
        }
        Ok(Some(match self.reader.gateway.begin_fill(account)? {
            Some(permit) => (kept, step, Some(permit)),
            None => (kept, later, None),
        }))
    }

    /// Asks the person's worker for `days`, or only for the time zone if it is `None`.
    async fn request(
        &self,
        account: &AccountId,
        kept: &KeptHistory,
        days: Option<DaysToFetch>,
    ) -> Result<DaysReply, WorkerError> {
        let today = kept.local(self.reader.clock.now()).date();
        let request = DaysRequest {
            kind: days.map(|days| days.kind.name.to_owned()),
            from: days.map_or(today, |days| days.from),
            to: days.map_or(today, |days| days.to),
        };
        self.reader.read(account, READ_DAYS, &request).await
    }

    /// Stores the outcome of a request.
    async fn take_in(
        &self,
        account: &AccountId,
        kept: &KeptHistory,
        days: Option<DaysToFetch>,
        outcome: Result<DaysReply, WorkerError>,
        refused: &mut Option<u64>,
    ) -> Result<(), StoreError> {
        let failed = match outcome {
            Ok(DaysReply {
                failed: Some(failed), ..
            }) => failed,
            Ok(DaysReply { zone, document, .. }) => {
                match self.store(account, kept, days, zone, document).await? {
                    None => return Ok(()),
                    Some(class) => FailedDays { class, until: None },
                }
            }
            Err(error) => worker_failure(&error, self.reader.clock.now()),
        };
        if failed.class == TroubleClass::SignInNeeded {
            *refused = self.reader.accounts.tokens(account)?.map(|held| held.generation);
        }
        let kind = days.map_or("", |days| days.kind.name);
        tracing::warn!(account.id = %account, kind, class = failed.class.name(), "history.fetch_failed");
        let FailedDays { class, until } = failed;
        self.history
            .store_trouble(account, kept.since, days, class, until)
            .await?;
        Ok(())
    }

    /// Stores a reply. Returns the trouble if the reply can't be stored.
    async fn store(
        &self,
        account: &AccountId,
        kept: &KeptHistory,
        days: Option<DaysToFetch>,
        zone: Option<String>,
        document: Option<serde_json::Value>,
    ) -> Result<Option<TroubleClass>, StoreError> {
        let (history, since) = (&self.history, kept.since);
        match zone {
            Some(zone) if kept.zone.as_ref() != Some(&zone) => {
                history.store_zone(account, since, zone).await?;
            }
            // Garmin did not even return the time zone, so other requests would fail too.
            None if days.is_none() => return Ok(Some(TroubleClass::Unreachable)),
            _ => {}
        }
        let Some(days) = days else { return Ok(None) };
        let Ok(fetched) = FetchedRows::read(days, &document.unwrap_or_default()) else {
            return Ok(Some(TroubleClass::Changed));
        };
        let (gateway, id) = (self.reader.gateway.clone(), account.clone());
        let is_allowed = move || gateway.has_sign_in(&id);
        match history.store_days(account, since, fetched, is_allowed).await {
            Ok(_) => {
                let (from, to) = (days.from, days.to);
                tracing::debug!(account.id = %account, kind = days.kind.name, %from, %to, "history.days_stored");
                Ok(None)
            }
            Err(StoreError::TooLarge(..)) => Ok(Some(TroubleClass::NotStored)),
            Err(error) => Err(error),
        }
    }
}

/// Completes when the person's access ends.
async fn ended(permit: Option<&FillPermit>) {
    match permit {
        Some(permit) => permit.ended().await,
        None => std::future::pending().await,
    }
}

fn worker_failure(error: &WorkerError, now: Timestamp) -> FailedDays {
    let (class, until) = match error {
        WorkerError::GarminSignInNeeded => (TroubleClass::SignInNeeded, None),
        WorkerError::Busy { retry_after } => (TroubleClass::Worker, now.checked_add(*retry_after).ok()),
        _ => (TroubleClass::Worker, None),
    };
    FailedDays { class, until }
}
