//! The tools that the gateway answers itself: races, grants, the kept days, a person's own page, the coach.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::CallService;
use super::outcome::is_error;
use super::pending::{DEADLINE, PendingRequest};
use crate::advice::SEND_WORDS;
use crate::gateway::admission::CallerScope;
use crate::gateway::relay::{McpResponse, RelayedCall};
use crate::gateway::{coach_choice, grants, kept_days, own_page};
use crate::races::RaceCaller;

/// The text for a person whose access was revoked during the call.
const REVOKED: &str = "This connection's access ended during the call. A change may or may not have been made. Connect again, \
                       and look at the data before you repeat the call.";

impl CallService {
    /// Calls a tool that the gateway answers itself.
    pub(super) async fn call_own_tool(
        self: Arc<Self>,
        pending: PendingRequest,
        tool: Arc<str>,
        arguments: Option<Box<RawValue>>,
    ) -> McpResponse {
        let caller = match pending.caller.scope.clone() {
            CallerScope::Tools(caller) => caller,
            CallerScope::History => {
                let (account, arguments) = (&pending.caller.account, arguments.as_deref());
                let result = match &pending.caller.bearer {
                    Some(token) if *tool == *SEND_WORDS => {
                        coach_choice::send_words(&self.advice, token, arguments)
                    }
                    _ => kept_days::answer_or_advice(&self.history, account, &tool, arguments),
                };
                return McpResponse::Json(pending.result(&result));
            }
            CallerScope::Probe => return McpResponse::Json(pending.no_answer("A probe has no tools.")),
        };
        let (era, accepts, lifecycle) = (pending.era, pending.accepts, self.lifecycle.clone());
        // Another member's races may be read but never changed.
        let caller = match &pending.read {
            Some(read) => RaceCaller::Member(read.granter().clone()),
            None => caller,
        };
        let registered = self
            .in_flight
            .enter(&pending.caller.connection, &pending.id, None);
        let shared = pending.read.as_ref().map(|read| self.sharing.enter(read));
        let answer = async move {
            let (service, name) = (self.clone(), tool.clone());
            let call = async move { service.perform(&caller, &name, arguments.as_deref()).await };
            let reply = tokio::select! {
                biased;
                () = self.access_ended(&registered, &pending.caller) => pending.tool_error(REVOKED),
                // Another grant has replaced this one, or it has ended. In the second case, `beyond_grant` replaces
                // this text.
                () = self.grant_ended(shared.as_ref(), &pending) => pending.tool_error("This person's access to that data changed during the call. Ask again."),
                called = tokio::time::timeout(DEADLINE, call) => match called {
                    Ok(result) => pending.result(&result),
                    Err(_) => pending.tool_error("This took too long. Try again."),
                },
            };
            drop((registered, shared));
            let reply = self.beyond_grant(&pending).unwrap_or(reply);
            let failed = is_error(&reply.body);
            self.counters.count(&pending.caller.account, &tool, failed);
            reply
        };
        RelayedCall::new(era, accepts, &lifecycle, answer).relay().await
    }

    /// Calls the module that implements the tool.
    async fn perform(&self, caller: &RaceCaller, tool: &str, arguments: Option<&RawValue>) -> Box<RawValue> {
        if grants::is_about_grants(tool) {
            grants::call(&self.sharing, caller, tool, arguments).await
        } else if *tool == *kept_days::KEEP {
            kept_days::keep(&self.history, caller, arguments, self.clock.now()).await
        } else if *tool == *own_page::OPEN {
            own_page::open(&self.oauth, &self.origin, caller).await
        } else if *tool == *coach_choice::SET {
            coach_choice::set(&self.advice, caller, arguments).await
        } else if crate::tools::is_answered_from_history(tool) {
            kept_days::answer_or_advice(&self.history, caller.account(), tool, arguments)
        } else {
            self.race_tools.call(caller, tool, arguments).await
        }
    }
}
