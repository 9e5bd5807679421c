//! Sends a request to the account's worker, or answers it from the person's history.

use std::sync::Arc;

use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};

use super::CallService;
use super::outcome::has_failed;
use super::pending::{DEADLINE, PendingRequest};
use crate::gateway::admission::{Caller, CallerScope};
use crate::gateway::advice::advice;
use crate::gateway::kept_days;
use crate::gateway::relay::{McpResponse, RelayedCall, WaitReason};
use crate::gateway::repeats::BegunChange;
use crate::gateway::route::WorkerQuestion;
use crate::history::reading::KeptFreshness;
use crate::mcp::{Era, McpRequest, answer};
use crate::workers::{UpstreamAnswer, UpstreamCall, WorkerError};

/// The number of notifications buffered per call. Further ones are dropped.
const NOTIFICATIONS: usize = 32;

/// A call that a person's history may answer.
struct KeptQuestion {
    tool: Arc<str>,
    params: Option<Box<RawValue>>,
}

impl KeptQuestion {
    fn of(tool: Option<&Arc<str>>, call: &UpstreamCall) -> Option<Self> {
        let tool = tool.filter(|tool| crate::tools::is_answered_from_history(tool))?;
        Some(Self {
            tool: tool.clone(),
            params: call.params.clone(),
        })
    }
}

impl CallService {
    /// Asks the account's worker, or answers from the person's history.
    pub(super) async fn ask_worker(
        self: Arc<Self>,
        request: &McpRequest<'_>,
        pending: PendingRequest,
        question: WorkerQuestion,
    ) -> McpResponse {
        let (era, accepts, lifecycle) = (pending.era, pending.accepts, self.lifecycle.clone());
        let meta = &request.params.meta;
        let log_level = match era {
            // What another person's worker logs is not for the caller.
            _ if !accepts.stream || !pending.offered.handshake.logs() || pending.read.is_some() => None,
            Era::Modern => meta.log_level(),
            Era::Legacy => Some(self.in_flight.level(&pending.caller.connection)),
        };
        let progress_token = meta.progress_token.filter(|_| accepts.stream);
        let (progress, progress_events) = channel(progress_token.is_some());
        let (messages, message_events) = channel(log_level.is_some());
        let (cancel, cancelled) = (era == Era::Legacy).then(oneshot::channel).unzip();
        let wait_reason = (progress_token.is_some() && pending.read.is_none()).then(|| {
            let (workers, account) = (self.workers.clone(), pending.caller.account.clone());
            Box::new(move || wait_reason(workers.state(&account)?)) as WaitReason
        });

        let WorkerQuestion {
            tool,
            params,
            read_only,
            uri,
        } = question;
        let call = UpstreamCall {
            method: request.method.name(),
            params,
            read_only,
            progress,
            messages,
        };
        // The call stays registered until it is answered, even if its client has gone.
        let registered = self
            .in_flight
            .enter(&pending.caller.connection, &pending.id, cancel);
        let shared = pending.read.as_ref().map(|read| self.sharing.enter(read));
        let answer = async move {
            let begun = match self.begin_change(&pending.caller, tool.as_deref(), &call).await {
                Ok(begun) => begun,
                Err(refused) => return pending.tool_error(&refused),
            };
            let question = KeptQuestion::of(tool.as_ref(), &call);
            let kept = |freshness| {
                let question = question.as_ref()?;
                self.kept_answer(&pending, question, freshness)
            };
            if let Some(result) = kept(KeptFreshness::Complete) {
                return pending.result(&result);
            }
            let call = self.workers.call(pending.account(), call);
            let outcome = tokio::select! {
                // Revocation is polled first, so that a revoked sign-in does not start a worker.
                biased;
                () = self.access_ended(&registered, &pending.caller) => Err(WorkerError::Stopped),
                () = self.grant_ended(shared.as_ref(), &pending) => Err(WorkerError::Stopped),
                outcome = tokio::time::timeout(DEADLINE, call) => outcome.unwrap_or(Err(WorkerError::TimedOut)),
            };
            drop((registered, shared));
            if let Some(begun) = begun {
                begun.end(&outcome).await;
            }
            // While Garmin fails, old days are better than none.
            if has_failed(&outcome)
                && let Some(result) = kept(KeptFreshness::MayBeOld)
            {
                return pending.result(&result);
            }
            self.record(&pending.caller, tool.as_ref(), &outcome);
            if let Some(reply) = self.beyond_grant(&pending) {
                return reply;
            }
            if let Some(read) = &pending.read
                && let Some(text) = self.failure_of_other(read, &outcome)
            {
                return pending.tool_error(&text);
            }
            match outcome {
                Ok(UpstreamAnswer::Result(result)) => pending.result(&result),
                Ok(UpstreamAnswer::Error(error)) => {
                    answer::relayed_error(&pending.id, era, pending.method, &error, uri.as_deref())
                }
                Err(error) => pending.no_answer(&advice(&error, read_only, &self.link)),
            }
        };
        let mut call = RelayedCall::new(era, accepts, &lifecycle, answer);
        call.progress_token = progress_token.map(|token| token.get().into());
        call.log_level = log_level;
        call.wait_reason = wait_reason;
        call.progress = progress_events;
        call.messages = message_events;
        call.cancelled = cancelled;
        call.relay().await
    }

    /// The answer from the history of a person who keeps one and still has access.
    fn kept_answer(
        &self,
        pending: &PendingRequest,
        question: &KeptQuestion,
        freshness: KeptFreshness,
    ) -> Option<Box<RawValue>> {
        let caller = &pending.caller;
        if !self.admission.still_admits(caller) || self.beyond_grant(pending).is_some() {
            return None;
        }
        let KeptQuestion { tool, params } = question;
        let result = kept_days::answer(
            &self.history,
            pending.account(),
            tool,
            params.as_deref(),
            freshness,
        )?;
        self.counters.count(&caller.account, tool, false);
        tracing::debug!(account.id = %caller.account, tool = %tool, "mcp.answered_from_history");
        Some(result)
    }

    /// Records a change before it is passed on to the built-in worker. Error: the text for a repetition.
    async fn begin_change(
        &self,
        caller: &Caller,
        tool: Option<&str>,
        call: &UpstreamCall,
    ) -> Result<Option<BegunChange>, String> {
        match tool.filter(|_| !call.read_only && !self.offer.is_foreign()) {
            Some(tool) => {
                let CallerScope::Tools(acting) = &caller.scope else {
                    return Ok(None);
                };
                let begun = self.repeats.begin(acting, tool, call.params.as_deref());
                begun
                    .await
                    .map_err(|refused| format!("Error executing tool {tool}: {refused}"))
            }
            None => Ok(None),
        }
    }

    /// Counts and logs a call to a worker.
    fn record(
        self: &Arc<Self>,
        caller: &Caller,
        tool: Option<&Arc<str>>,
        outcome: &Result<UpstreamAnswer, WorkerError>,
    ) {
        let failed = has_failed(outcome);
        if let Some(tool) = tool {
            self.counters.count(&caller.account, tool, failed);
        }
        let tool = tool.map_or("", |tool| tool.as_ref());
        match outcome {
            Ok(_) => tracing::debug!(account.id = %caller.account, tool, failed, "mcp.call_answered"),
            Err(reason) => tracing::warn!(account.id = %caller.account, tool, %reason, "mcp.call_failed"),
        }
        if outcome.is_ok() && self.offer.is_stale(&self.workers) {
            let (service, account) = (self.clone(), caller.account.clone());
            self.lifecycle.spawn("catalogue.refresh", async move {
                service.offer.refresh(&service.workers, &account).await;
            });
        }
    }
}

/// What a call waits for, as a text for the person. `state` is the state of the account's worker.
fn wait_reason(state: &str) -> Option<&'static str> {
    match state {
        "waiting" => Some("Waiting for a free place for your Garmin session"),
        "ready" => None,
        _ => Some("Starting your Garmin session"),
    }
}

fn channel<T>(wanted: bool) -> (Option<mpsc::Sender<T>>, Option<mpsc::Receiver<T>>) {
    wanted.then(|| mpsc::channel(NOTIFICATIONS)).unzip()
}
