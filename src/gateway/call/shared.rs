//! The parts of a call that depend on a grant: the argument `person` in tool lists, and the limits on answers from
//! another member's data.

use super::CallService;
use super::outcome::has_failed;
use super::pending::PendingRequest;
use crate::accounts::HeldGrant;
use crate::gateway::admission::{Caller, CallerScope};
use crate::gateway::in_flight::InFlightCall;
use crate::gateway::sharing::{SharedRead, list_with_person};
use crate::mcp::answer::JsonReply;
use crate::races::RaceCaller;
use crate::tools::ASKS_FOR_SIGN_IN;
use crate::workers::{UpstreamAnswer, WorkerError};

impl CallService {
    /// The grants that the caller holds. Only a person's own client can use them.
    pub(super) fn held(&self, caller: &Caller) -> Vec<HeldGrant> {
        match &caller.scope {
            CallerScope::Tools(RaceCaller::SignIn(account, _)) => self.sharing.held(account),
            _ => Vec::new(),
        }
    }

    /// The list with `person` in the tools that the caller can use on others' data; unchanged if there are none.
    pub(super) fn with_person(&self, pending: &PendingRequest, list: String) -> String {
        let held = self.held(&pending.caller);
        if held.is_empty() {
            return list;
        }
        list_with_person(&list, &pending.offered.catalogue, &held).unwrap_or(list)
    }

    /// Completes when the grant behind the call ends. Never completes for a call on the person's own data.
    pub(super) async fn grant_ended(&self, registered: Option<&InFlightCall>, pending: &PendingRequest) {
        match (registered, &pending.read) {
            (Some(registered), Some(read)) => self.sharing.ended(registered, read).await,
            _ => std::future::pending().await,
        }
    }

    /// The text for a failure of another member's worker whose usual text addresses that member.
    pub(super) fn failure_of_other(
        &self,
        read: &SharedRead,
        outcome: &Result<UpstreamAnswer, WorkerError>,
    ) -> Option<String> {
        let asks_for_sign_in = match outcome {
            Ok(UpstreamAnswer::Result(result)) => result.get().contains(ASKS_FOR_SIGN_IN),
            Ok(UpstreamAnswer::Error(_)) => false,
            Err(error) => *error == WorkerError::GarminSignInNeeded,
        };
        if has_failed(outcome) && (asks_for_sign_in || self.sharing.is_link_broken(read.granter())) {
            return Some(read.broken_link_text(&self.link));
        }
        matches!(outcome, Ok(UpstreamAnswer::Error(_)))
            .then(|| "The Garmin session refused this call. Check the arguments.".to_owned())
    }

    /// The response that replaces an answer whose grant has ended; `None` while the grant is valid.
    pub(super) fn beyond_grant(&self, pending: &PendingRequest) -> Option<JsonReply> {
        let read = pending.read.as_ref()?;
        if self.sharing.is_granted(read) {
            return None;
        }
        tracing::info!(account.id = %read.granter(), to.id = %pending.caller.account, "grant.answer_withheld");
        Some(pending.unlabelled_error(&read.ended_text()))
    }
}
