//! The interface to the HTTP layer: [`Gateway::admit`] with the headers, then [`Gateway::handle`] with the body.
//!
//! There are two steps because the body of an unauthenticated request must not be read into memory.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;
use tracing::Instrument;

use crate::accounts::{AccountId, Accounts};
use crate::advice::{Advice, WORDING_QUESTIONS};
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::base::secrets::Secret;
use crate::config::{Live, PublicUrl, ToolProfile};
use crate::history::History;
use crate::mcp::answer::JsonReply;
use crate::mcp::headers::Accepts;
use crate::mcp::{
    Access, CatalogueError, Inbound, McpError, PublicHosts, RejectedRequest, RequestHeaders, ToolEntry,
};
use crate::oauth::{FamilyId, OAuth};
use crate::races::Races;
use crate::races::tools::RaceTools;
use crate::store::{Store, StoreError};
use crate::workers::{StopReason, Workers};

use super::admission::{Caller, CallerAdmission, NotAdmitted};
use super::call::CallService;
use super::call_rate::CallRate;
use super::coach_choice;
use super::discovery;
use super::grants;
use super::in_flight::{InFlight, InFlightCall};
use super::kept_days;
use super::offer::{Offer, WorkerLists, own_tools_only};
use super::own_page;
use super::relay::McpResponse;
use super::repeats::RepeatGuard;
use super::sharing::Sharing;
use super::tool_names::{UnknownTool, unknown_choice};
use super::usage::{CallCounts, UsageCounters};
use super::views::ViewOffer;

/// The dependencies of the gateway.
pub struct GatewayParts {
    pub oauth: OAuth,
    pub workers: Workers,
    /// The workers that read days for histories, if the people's own workers are a foreign program.
    pub history_workers: Option<Workers>,
    pub lists: WorkerLists,
    pub races: Races,
    /// The days that people have chosen to keep.
    pub history: History,
    /// The coach who speaks first.
    pub advice: Advice,
    /// The accounts, and what their people have chosen.
    pub accounts: Accounts,
    pub public_url: PublicUrl,
    /// The current settings, such as `CALLS_PER_MINUTE` and `TOOL_PROFILE`.
    pub live: watch::Receiver<Live>,
    /// Stores usage, and the lists of a foreign worker.
    pub store: Store,
    pub clock: Clock,
    pub lifecycle: Lifecycle,
}

/// The gateway. Clones share its state.
#[derive(Clone)]
pub struct Gateway(Arc<GatewayState>);

struct GatewayState {
    admission: Arc<CallerAdmission>,
    hosts: PublicHosts,
    calls: Arc<CallService>,
    history_workers: Option<Workers>,
    store: Store,
}

impl Gateway {
    /// Fails if the built-in lists or the overlay of this build are damaged.
    pub fn start(parts: GatewayParts) -> Result<Self, CatalogueError> {
        let origin = parts.public_url.origin();
        let counters = UsageCounters::new(parts.clock.clone());
        counters.keep_flushing(parts.store.clone(), &parts.lifecycle);
        let in_flight = InFlight::default();
        let ended = in_flight.clone();
        parts.oauth.when_sign_in_ends(move |family| {
            ended.revoke(family.as_str());
        });
        let repeats = RepeatGuard::new(parts.store.clone(), parts.clock.clone());
        let admission = Arc::new(CallerAdmission::new(
            parts.oauth.clone(),
            parts.races.clone(),
            parts.advice.clone(),
            parts.clock.clone(),
        ));
        let sharing = Sharing {
            accounts: parts.accounts.clone(),
            history: parts.history.clone(),
            clock: parts.clock.clone(),
            in_flight: in_flight.clone(),
            page: format!("{origin}/me"),
        };
        let is_foreign = matches!(parts.lists, WorkerLists::Foreign { .. });
        let calls = CallService {
            admission: admission.clone(),
            workers: parts.workers,
            race_tools: RaceTools(parts.races),
            history: parts.history,
            advice: parts.advice,
            clock: parts.clock.clone(),
            offer: Offer::new(parts.lists, own_tools(is_foreign), origin, &parts.store)?,
            views: ViewOffer::new(parts.accounts.clone()),
            accounts: parts.accounts,
            offered_for_race: Arc::new(own_tools_only(&RaceTools::list_for_race(), origin)?),
            offered_for_history: Arc::new(own_tools_only(&history_tools(), origin)?),
            offered_for_probe: Arc::new(own_tools_only("[]", origin)?),
            oauth: parts.oauth.clone(),
            origin: origin.to_owned(),
            link: format!("{origin}/link"),
            live: parts.live,
            rate: CallRate::default(),
            in_flight,
            sharing,
            repeats,
            counters,
            lifecycle: parts.lifecycle,
        };
        Ok(Gateway(Arc::new(GatewayState {
            admission,
            hosts: PublicHosts::new(origin),
            calls: Arc::new(calls),
            history_workers: parts.history_workers,
            store: parts.store,
        })))
    }

    /// Authenticates a request of any HTTP method before anything else is done with it. `authorization` is the value of
    /// that header.
    pub fn admit(&self, authorization: Option<&str>) -> Result<Caller, NotAdmitted> {
        self.0.admission.admit(authorization)
    }

    /// Answers an admitted request. `body` is the body, or the reason why it was not read.
    pub async fn handle(
        &self,
        caller: Caller,
        headers: RequestHeaders<'_>,
        http_method: &str,
        body: Result<Bytes, McpError>,
    ) -> McpResponse {
        if http_method != "POST" {
            return McpResponse::MethodNotAllowed;
        }
        match read(&self.0.hosts, &headers, &body) {
            Ok((_, Inbound::Ignored)) => McpResponse::Accepted,
            Ok((_, Inbound::Cancelled(id))) => {
                let in_flight = &self.0.calls.in_flight;
                let cancelled = id.is_some_and(|id| in_flight.cancel(&caller.connection, id.get()));
                tracing::debug!(account.id = %caller.account, cancelled, "mcp.cancel_received");
                McpResponse::Accepted
            }
            Ok((accepts, Inbound::Request(request))) => {
                let method = request.method.name();
                let span = tracing::debug_span!("mcp.request", account.id = %caller.account, method);
                let calls = self.0.calls.clone();
                calls.answer(caller, accepts, request).instrument(span).await
            }
            Err(rejected) => {
                let (status, code) = (rejected.error.status(), rejected.error.code());
                match rejected.error {
                    McpError::ForeignOrigin | McpError::ForeignHost => {
                        tracing::warn!(status, reason = %rejected.error, "mcp.foreign_refused");
                    }
                    _ => tracing::debug!(status, code, "mcp.request_refused"),
                }
                McpResponse::Json(JsonReply::from(&rejected))
            }
        }
    }

    /// Ends the running calls of sign-ins that the operator revoked. Returns how many there were.
    pub fn cut(&self, revoked: &[FamilyId]) -> usize {
        revoked
            .iter()
            .map(|family| self.cut_connection(family.as_str()))
            .sum()
    }

    /// Whether a client is signed in to this account.
    pub fn has_sign_in(&self, account: &AccountId) -> Result<bool, StoreError> {
        self.0.admission.has_sign_in(account)
    }

    /// Whether the operator, the person or a client ended a sign-in of this account at this time or later.
    pub(super) fn was_withdrawn(&self, account: &AccountId, since: Timestamp) -> Result<bool, StoreError> {
        self.0.admission.was_withdrawn(account, since)
    }

    pub(super) fn history_workers(&self) -> Option<&Workers> {
        self.0.history_workers.as_ref()
    }

    /// Registers a request for the history of an account, under the account's id, which no connection has.
    pub(super) fn register_fill(&self, account: &AccountId) -> InFlightCall {
        let key: Arc<str> = account.as_str().into();
        self.0.calls.in_flight.enter(&key, "null", None)
    }

    /// Ends the running calls of one connection.
    pub(super) fn cut_connection(&self, connection: &str) -> usize {
        self.0.calls.in_flight.revoke(connection)
    }

    /// The grants by which members share their data.
    pub fn sharing(&self) -> &Sharing {
        &self.0.calls.sharing
    }

    pub(super) fn advice(&self) -> &Advice {
        &self.0.calls.advice
    }

    pub(super) fn workers_and_races(&self) -> (&Workers, &Races) {
        (&self.0.calls.workers, &self.0.calls.race_tools.0)
    }

    /// Stores the counts since the last flush. The last flush must come after all tool calls have ended.
    pub async fn flush_usage(&self) -> Result<(), StoreError> {
        self.0.calls.counters.flush(&self.0.store).await
    }

    /// The calls of all accounts since the start.
    pub fn used_since_start(&self) -> CallCounts {
        self.0.calls.counters.since_start()
    }

    /// A token that is valid for a minute and allows the protocol but no tools. `doctor` uses it to check the path from
    /// Claude.
    pub fn probe(&self) -> Secret {
        self.0.admission.new_probe()
    }

    /// What a connection with change access can change, in words for people.
    pub fn changes(&self) -> Vec<&'static str> {
        const WORDS: [(&str, &[&str]); 8] = [
            ("activities", &["activit", "perceived_effort"]),
            ("workouts", &["workout", "schedule_week"]),
            ("weight", &["weigh", "body_composition"]),
            ("gear", &["gear"]),
            ("blood pressure", &["blood_pressure"]),
            ("hydration", &["hydration"]),
            ("food", &["food", "nutrition"]),
            ("courses", &["course"]),
        ];
        let offered = self.0.calls.offer.current();
        let names: Vec<&str> = offered.catalogue.changes().collect();
        let is_changed = |parts: &[&str]| {
            names
                .iter()
                .any(|name| parts.iter().any(|part| name.contains(part)))
        };
        let words = WORDS.into_iter().filter(|(_, parts)| is_changed(parts));
        let words: Vec<&str> = words.map(|(word, _)| word).collect();
        if words.is_empty() && !names.is_empty() {
            return vec!["your data"];
        }
        words
    }

    /// The first name in a person's own list of tools that no tool has.
    pub fn unknown_tool(&self, profile: Option<&ToolProfile>) -> Option<UnknownTool> {
        unknown_choice(&self.0.calls.offer.current().catalogue, profile)
    }

    /// Every tool, in the order of the list.
    pub fn tools(&self) -> Vec<ToolEntry> {
        let offered = self.0.calls.offer.current();
        let entries = offered.catalogue.entries(Access::ReadAndChange);
        entries.map(|(tool, _)| tool.clone()).collect()
    }

    /// Stops the account's worker, so that the next call starts one with the person's current choices. Running calls
    /// are still answered.
    pub async fn renew_worker(&self, account: &AccountId) {
        let own = Some(&self.0.calls.workers);
        for workers in own.into_iter().chain(self.history_workers()) {
            workers.stop(account, StopReason::SettingsChanged).await;
        }
    }

    /// The number of tools that a connection with this access currently sees.
    pub fn tool_count(&self, access: Access) -> usize {
        self.0.calls.offer.current().catalogue.count(access)
    }
}

/// The tools that the gateway answers, as a JSON array.
pub(super) fn own_tools(is_foreign: bool) -> String {
    let mut tools = discovery::listings();
    tools.push(kept_days::listing());
    tools.push(own_page::listing());
    tools.push(coach_choice::listing());
    tools.extend(grants::listings());
    if is_foreign {
        tools.extend(kept_days::question_listings());
    }
    tools.extend(RaceTools::listings());
    Value::Array(tools).to_string()
}

/// The tools for Claude while it words a message of the coach, as a JSON array.
fn history_tools() -> String {
    let mut tools = kept_days::question_listings();
    tools.retain(|tool| {
        let name = tool.get("name").and_then(Value::as_str);
        name.is_some_and(|name| WORDING_QUESTIONS.contains(&name))
    });
    tools.push(coach_choice::send_words_listing());
    Value::Array(tools).to_string()
}

/// Applies the rules that do not depend on the caller: hosts, content types, envelope and era.
fn read<'a>(
    hosts: &PublicHosts,
    headers: &RequestHeaders<'_>,
    body: &'a Result<Bytes, McpError>,
) -> Result<(Accepts, Inbound<'a>), RejectedRequest> {
    let body = body.as_ref().map_err(Clone::clone)?;
    hosts.check(headers)?;
    headers.check_content_type()?;
    let accepts = headers.accepts()?;
    Ok((accepts, Inbound::read(headers, body)?))
}
