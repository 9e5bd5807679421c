//! Answers requests: from the catalogue, by a race tool, or by the worker of the account.

mod pending;
mod shared;

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot, watch};

use crate::accounts::Accounts;
use crate::advice::{Advice, SEND_WORDS};
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::config::{Live, ToolProfile};
use crate::history::History;
use crate::history::reading::KeptFreshness;
use crate::mcp::answer::{self, JsonReply};
use crate::mcp::headers::Accepts;
use crate::mcp::{Era, McpMethod, McpRequest};
use crate::oauth::OAuth;
use crate::races::RaceCaller;
use crate::races::tools::RaceTools;
use crate::workers::{UpstreamAnswer, UpstreamCall, WorkerError, Workers};

use self::pending::PendingRequest;
use super::admission::{Caller, CallerAdmission, CallerScope};
use super::advice::advice;
use super::call_rate::CallRate;
use super::coach_choice;
use super::discovery;
use super::grants;
use super::in_flight::{InFlight, InFlightCall};
use super::kept_days;
use super::offer::{Offer, Offered};
use super::own_page;
use super::relay::{McpResponse, RelayedCall, WaitReason};
use super::repeats::{BegunChange, RepeatGuard};
use super::route::{Route, WorkerQuestion, route};
use super::sharing::Sharing;
use super::tool_list;
use super::usage::UsageCounters;
use super::views::{ViewOffer, view_contents};

/// The time limit of a call. It is below the 240 s or more for which Claude waits.
const DEADLINE: Duration = Duration::from_secs(200);
/// The number of notifications buffered per call. Further ones are dropped.
const NOTIFICATIONS: usize = 32;

/// The text for a person whose access was revoked during a call of a race tool.
const REVOKED: &str = "The access of this connection ended during the call. The change may or may not have been made. Connect \
                       again, and look at the data before you repeat the call.";

/// Everything that is needed to answer requests.
pub(super) struct CallService {
    pub(super) admission: Arc<CallerAdmission>,
    pub(super) workers: Workers,
    pub(super) race_tools: RaceTools,
    pub(super) history: History,
    pub(super) advice: Advice,
    pub(super) clock: Clock,
    pub(super) offer: Offer,
    pub(super) accounts: Accounts,
    pub(super) views: ViewOffer,
    /// The catalogue for callers with a race token.
    pub(super) offered_for_race: Arc<Offered>,
    /// The catalogue for Claude that words a message of the coach.
    pub(super) offered_for_history: Arc<Offered>,
    /// The catalogue for callers with a probe token.
    pub(super) offered_for_probe: Arc<Offered>,
    pub(super) oauth: OAuth,
    pub(super) origin: String,
    /// `PUBLIC_URL/link`, the page where a person signs in at Garmin again.
    pub(super) link: String,
    pub(super) live: watch::Receiver<Live>,
    pub(super) rate: CallRate,
    pub(super) in_flight: InFlight,
    pub(super) sharing: Sharing,
    pub(super) repeats: RepeatGuard,
    pub(super) counters: UsageCounters,
    pub(super) lifecycle: Lifecycle,
}

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
    pub(super) async fn answer(
        self: Arc<Self>,
        caller: Caller,
        accepts: Accepts,
        request: McpRequest<'_>,
    ) -> McpResponse {
        let offered = match caller.scope {
            CallerScope::Tools(RaceCaller::Race(_)) => self.offered_for_race.clone(),
            CallerScope::Tools(_) => {
                if !matches!(request.method, McpMethod::Ping | McpMethod::SetLogLevel) {
                    self.offer.ensure_known(&self.workers, &caller.account).await;
                }
                self.offer.current()
            }
            CallerScope::History => self.offered_for_history.clone(),
            CallerScope::Probe => self.offered_for_probe.clone(),
        };
        let has_views = self.views.is_for(&caller, &request);
        let route = route(&offered, caller.access, has_views, &request);
        let (route, read) = self.sharing.directed(&caller, &offered.catalogue, route);
        let pending = PendingRequest {
            caller,
            has_views,
            accepts,
            id: request.id.get().into(),
            era: request.era,
            method: request.method,
            offered: offered.clone(),
            read,
        };
        let caller = &pending.caller;
        if matches!(
            route,
            Route::OwnTool { .. } | Route::Discovery { .. } | Route::Worker(_)
        ) && let Some(text) = self.over_rate(caller)
        {
            return McpResponse::Json(pending.no_answer(&text));
        }
        if let Some(read) = &pending.read {
            read.tell_used(&route);
        }
        match route {
            Route::Result(list) if request.method == McpMethod::ListTools => {
                let list = self.with_person(&pending, list.into_owned());
                McpResponse::Json(JsonReply::result(&pending.id, &list))
            }
            Route::Result(result) => McpResponse::Json(JsonReply::result(&pending.id, &result)),
            Route::Error(error) => {
                tracing::debug!(
                    status = error.status(),
                    code = error.code(),
                    "mcp.request_refused"
                );
                McpResponse::Json(JsonReply::error(&pending.id, &error))
            }
            Route::SetLogLevel(level) => {
                self.in_flight.set_level(&caller.connection, level);
                McpResponse::Json(JsonReply::result(&pending.id, "{}"))
            }
            Route::Denied { tool, text } => {
                tracing::info!(account.id = %caller.account, tool = %tool, "mcp.call_denied");
                self.counters.count(&caller.account, &tool, true);
                McpResponse::Json(pending.tool_error(&text))
            }
            Route::ListTools => {
                let list = self.with_person(&pending, self.tool_list(&pending));
                McpResponse::Json(JsonReply::result(&pending.id, &list))
            }
            Route::View(view) => McpResponse::Json(pending.result(&view_contents(view))),
            Route::Prompt(result) => McpResponse::Json(pending.result(&result)),
            Route::Discovery { tool, arguments } => {
                let (catalogue, arguments) = (&offered.catalogue, arguments.as_deref());
                let result = match &caller.scope {
                    CallerScope::Tools(caller) if *tool == *discovery::CHOOSE => {
                        discovery::choose(catalogue, &self.accounts, caller, arguments).await
                    }
                    _ => discovery::find(catalogue, caller.access, &self.held(caller), arguments),
                };
                self.counters
                    .count(&caller.account, &tool, is_error(result.get().as_bytes()));
                McpResponse::Json(pending.result(&result))
            }
            Route::OwnTool { tool, arguments } => self.call_own_tool(pending, tool, arguments).await,
            Route::Worker(question) => self.ask_worker(&request, pending, question).await,
        }
    }

    /// The tools in the list of the caller: their own choice, else the gateway's default.
    fn tool_list(&self, pending: &PendingRequest) -> String {
        let caller = &pending.caller;
        let chosen = self
            .accounts
            .choices(&caller.account)
            .map(|choices| choices.tools);
        let chosen = chosen.unwrap_or_else(|reason| {
            tracing::error!(%reason, "tools.choice_not_read");
            None
        });
        let profile = match caller.scope {
            CallerScope::History => ToolProfile::All,
            _ => chosen.unwrap_or_else(|| self.live.borrow().tool_profile.clone()),
        };
        tool_list::listed(
            &pending.offered.catalogue,
            pending.era,
            caller.access,
            pending.has_views,
            &profile,
        )
    }

    /// The text for an account over its rate limit; `None` if the call is allowed.
    fn over_rate(&self, caller: &Caller) -> Option<String> {
        let per_minute = self.live.borrow().calls_per_minute;
        let wait = self.rate.take(&caller.account, per_minute).err()?;
        tracing::warn!(account.id = %caller.account, per_minute, "mcp.call_paced");
        // Rounded up, so that the next call succeeds.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Some(format!(
            "Too many calls: this server takes {per_minute} a minute. Nothing was changed. Try again in {seconds} s."
        ))
    }

    async fn call_own_tool(
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
        // Another member's races are read, and never changed.
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
            let call = async move {
                let arguments = arguments.as_deref();
                if grants::is_about_grants(&name) {
                    grants::call(&service.sharing, &caller, &name, arguments).await
                } else if *name == *kept_days::KEEP {
                    kept_days::keep(&service.history, &caller, arguments, service.clock.now()).await
                } else if *name == *own_page::OPEN {
                    own_page::open(&service.oauth, &service.origin, &caller).await
                } else if *name == *coach_choice::SET {
                    coach_choice::set(&service.advice, &caller, arguments).await
                } else if crate::tools::is_answered_from_history(&name) {
                    kept_days::answer_or_advice(&service.history, caller.account(), &name, arguments)
                } else {
                    service.race_tools.call(&caller, &name, arguments).await
                }
            };
            let reply = tokio::select! {
                biased;
                () = self.access_ended(&registered, &pending.caller) => pending.tool_error(REVOKED),
                // Another grant has taken its place, or it is over, which the answer then says.
                () = self.grant_ended(shared.as_ref(), &pending) => pending.tool_error("What may be seen was changed during the call. Ask again."),
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

    async fn ask_worker(
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
            // Without Garmin, days of some time ago are better than none.
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

    /// Completes when the caller's access ends. It completes at once if access ended before the call was registered.
    async fn access_ended(&self, registered: &InFlightCall, caller: &Caller) {
        if self.admission.still_admits(caller) {
            registered.revoked().await;
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

/// Whether a worker gave no answer, or one that tells a failure.
fn has_failed(outcome: &Result<UpstreamAnswer, WorkerError>) -> bool {
    match outcome {
        Ok(UpstreamAnswer::Result(result)) => is_error(result.get().as_bytes()),
        Ok(UpstreamAnswer::Error(_)) | Err(_) => true,
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

/// Whether a tool's result is an error, for the statistics. Workers write `isError` first or last, so only both ends of
/// the text are searched.
fn is_error(result: &[u8]) -> bool {
    const FLAG: &[u8] = b"\"isError\":true";
    let has = |part: &[u8]| part.windows(FLAG.len()).any(|window| window == FLAG);
    has(result.get(..result.len().min(48)).unwrap_or_default())
        || has(result.get(result.len().saturating_sub(48)..).unwrap_or_default())
}
