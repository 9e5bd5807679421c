//! Reading another member's data within a grant.
//!
//! A call with `person` is directed to the granter's history, races or worker. It counts against the caller's own
//! limits, and its answer says whose data it contains.
//!
//! # Invariants
//!
//! - A call is checked against its grant before it starts, and again after every wait. A grant that ends during a call
//!   ends the call, and its answer is not delivered.
//! - The worker receives exactly the arguments that were checked: they are parsed once and serialised again.
//! - A tool that can change something is never directed to another person.

mod label;
mod listing;
mod shared_read;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::in_flight::{InFlight, InFlightCall};
use crate::accounts::{
    AccountId, Accounts, DataGrant, GarminLogin, GrantGiven, GrantSides, GrantWish, GrantWithdrawn, HeldGrant,
};
use crate::base::clock::Clock;
use crate::history::History;
use crate::store::{StoreError, Tx};

pub(super) use label::labelled;
pub(super) use listing::{add_person, list_with_person};
pub(super) use shared_read::SharedRead;

/// The grants between members, and the calls that are made within them.
#[derive(Clone)]
pub struct Sharing {
    pub(super) accounts: Accounts,
    pub(super) history: History,
    pub(super) clock: Clock,
    pub(super) in_flight: InFlight,
    /// The address of a person's own page.
    pub(super) page: String,
}

/// The name under which the calls within a grant are registered. No connection has it.
fn call_key(sides: &GrantSides) -> Arc<str> {
    format!("{}/{}", sides.granter, sides.grantee).into()
}

impl Sharing {
    /// The zone in which a person's days end: the chosen one, else that of their history, else UTC.
    pub fn zone(&self, account: &AccountId) -> Result<TimeZone, StoreError> {
        if let Some(zone) = self.accounts.choices(account)?.zone() {
            return Ok(zone);
        }
        let kept = self.history.kept(account)?;
        let local = kept.map(|kept| kept.local(self.clock.now()).time_zone().clone());
        Ok(local.unwrap_or(TimeZone::UTC))
    }

    /// Lets a member see data. Calls within an earlier grant for the same member end, because the new one may be
    /// narrower.
    pub async fn give(
        &self,
        granter: &AccountId,
        wish: GrantWish,
        is_allowed: impl FnOnce(&Tx<'_>) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<GrantGiven, StoreError> {
        let zone = self.zone(granter)?;
        let given = self.accounts.give_grant(granter, wish, zone, is_allowed).await?;
        if let GrantGiven::Done {
            grant,
            replaced: true,
        } = &given
        {
            self.cut(&GrantSides {
                granter: granter.clone(),
                grantee: grant.to.clone(),
            });
        }
        Ok(given)
    }

    /// Takes a grant back, and ends the calls within it. `to` is the e-mail that the granter typed, or the other's
    /// account id.
    pub async fn withdraw(
        &self,
        granter: &AccountId,
        to: &str,
        is_allowed: impl FnOnce(&Tx<'_>) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<GrantWithdrawn, StoreError> {
        let withdrawn = self.accounts.withdraw_grant(granter, to, is_allowed).await?;
        if let GrantWithdrawn::Done(grantee) = &withdrawn {
            self.cut(&GrantSides {
                granter: granter.clone(),
                grantee: grantee.clone(),
            });
        }
        Ok(withdrawn)
    }

    /// Ends the grants of an account that has no access any more, on both sides, and the calls within them.
    pub(super) async fn end_of(&self, account: &AccountId) -> Result<(), StoreError> {
        let of = account.clone();
        let is_ended = move |granter: &AccountId, grant: &DataGrant| *granter == of || grant.to == of;
        for sides in self.accounts.end_grants(is_ended, "access_ended").await? {
            self.cut(&sides);
        }
        Ok(())
    }

    /// Erases the grants of one granter, or of all, that ended before this time. Returns how many there were.
    pub async fn purge(&self, account: Option<&AccountId>, before: Timestamp) -> Result<usize, StoreError> {
        let of = account.cloned();
        let is_ended = move |granter: &AccountId, grant: &DataGrant| {
            of.as_ref().is_none_or(|of| of == granter) && grant.ends_at <= before
        };
        let ended = self.accounts.end_grants(is_ended, "purged").await?;
        for sides in &ended {
            self.cut(sides);
        }
        Ok(ended.len())
    }

    fn cut(&self, sides: &GrantSides) {
        let calls = self.in_flight.revoke(&call_key(sides));
        if calls > 0 {
            tracing::info!(account.id = %sides.granter, to.id = %sides.grantee, calls, "grant.calls_ended");
        }
    }

    /// Registers a call within a grant.
    pub(super) fn enter(&self, read: &SharedRead) -> InFlightCall {
        self.in_flight.enter(&call_key(&read.sides), "null", None)
    }

    /// Completes when the grant of a call ends. It completes at once if the grant ended before the call was registered.
    pub(super) async fn ended(&self, registered: &InFlightCall, read: &SharedRead) {
        if !self.is_granted(read) {
            return;
        }
        tokio::select! {
            () = registered.revoked() => {}
            () = self.clock.sleep_until(read.ends_at) => {}
        }
    }

    /// Whether a call is within its grant now. If the grants can't be read, it is not.
    pub(super) fn is_granted(&self, read: &SharedRead) -> bool {
        let found = self.accounts.grant_between(&read.sides);
        let found = found.inspect_err(|reason| tracing::error!(%reason, "grant.not_read"));
        let covers = |grant: &DataGrant| read.wanted.iter().all(|group| grant.covers(*group));
        found.is_ok_and(|grant| grant.as_ref().is_some_and(covers))
    }

    /// The grants that this member holds; none if they can't be read.
    pub(super) fn held(&self, account: &AccountId) -> Vec<HeldGrant> {
        let held = self.accounts.grants_held(account);
        held.inspect_err(|reason| tracing::error!(%reason, "grant.not_read"))
            .unwrap_or_default()
    }

    /// Whether Garmin refuses this person's tokens, so that only a new sign-in by this person helps.
    pub fn is_link_broken(&self, account: &AccountId) -> bool {
        let found = self.accounts.find(account);
        found.is_ok_and(|account| {
            account.is_some_and(|account| matches!(account.garmin, GarminLogin::SignInNeeded { .. }))
        })
    }
}
