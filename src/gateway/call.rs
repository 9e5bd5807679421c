//! Answers requests: from the catalogue, by a race tool, or by the worker of the account.

mod outcome;
mod own_tool;
mod pending;
mod shared;
mod worker;

use std::sync::Arc;

use tokio::sync::watch;

use crate::accounts::Accounts;
use crate::advice::Advice;
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::config::{Live, ToolProfile};
use crate::history::History;
use crate::mcp::answer::JsonReply;
use crate::mcp::headers::Accepts;
use crate::mcp::{McpMethod, McpRequest};
use crate::oauth::OAuth;
use crate::races::RaceCaller;
use crate::races::tools::RaceTools;
use crate::workers::Workers;

use self::outcome::is_error;
use self::pending::PendingRequest;
use super::admission::{Caller, CallerAdmission, CallerScope};
use super::call_rate::CallRate;
use super::discovery;
use super::in_flight::{InFlight, InFlightCall};
use super::offer::{Offer, Offered};
use super::relay::McpResponse;
use super::repeats::RepeatGuard;
use super::route::{Route, route};
use super::sharing::Sharing;
use super::tool_list;
use super::usage::UsageCounters;
use super::views::{ViewOffer, view_contents};

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
    /// The catalogue for Claude while it words a message of the coach.
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
            "Too many calls: this server allows {per_minute} a minute. Nothing was changed. Try again in {seconds} s."
        ))
    }

    /// Completes when the caller's access ends. It completes at once if access ended before the call was registered.
    async fn access_ended(&self, registered: &InFlightCall, caller: &Caller) {
        if self.admission.still_admits(caller) {
            registered.revoked().await;
        }
    }
}
