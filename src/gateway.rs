//! Bearer → account → catalogue, own tool or worker → answer.
//!
//! The face asks in two steps, because a stranger's body is not to be read into memory: first [`Gateway::admit`]
//! (the 401 with its challenge), then, with the body, [`Gateway::handle`].
//!
//! # Invariants
//!
//! - Nothing is answered, not even an error of the protocol, before the bearer token was found good.
//! - No client has a session here: any request may come after any other, to a gateway or a worker just restarted.
//! - What a connection may do is judged at the call, not only in the list.
//! - HTTP 403 is for foreign pages and foreign host names only: Claude gives up a connector that answers it.
//!
//! | file | what |
//! |---|---|
//! | `plan` | what to do with a request (pure) |
//! | `offer` | what is offered, and how it is learned from a foreign worker |
//! | `serve` | carries the plan out |
//! | `relay` | one call under way: JSON or stream, notifications, cancellation |
//! | `pace` | calls per account and minute |
//! | `advice` | what a person is told when no worker answered |
//! | `caller` | who asks: a person's client, the holder of a race's token, or `doctor` |
//! | `probe` | tokens with which `doctor` goes the way of Claude |
//! | `cuts` | calls that a revocation ends |
//! | `in_flight` | legacy calls that can be cancelled |
//! | `usage` | calls per account, tool and day |
//! | `upstream` | the seams to workers and to the gateway's own tools |

mod advice;
mod caller;
mod cuts;
mod in_flight;
mod offer;
mod pace;
mod plan;
mod probe;
mod relay;
mod serve;
mod upstream;
pub mod usage;

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tracing::Instrument;

use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::base::secrets::Secret;
use crate::config::{Live, PublicUrl};
use crate::mcp::envelope::BODY_LIMIT;
use crate::mcp::headers::Accepts;
use crate::mcp::{Access, CatalogueError, Inbound, Message, PublicHosts, Refusal, Rejected, RequestHeaders};
use crate::oauth::{FamilyId, OAuth, Unauthenticated};
use crate::store::{Kind, Store, StoreError};

use cuts::Cuts;
use in_flight::InFlight;
use offer::{Offer, Offered};
use pace::Pace;
use probe::Probes;

pub use caller::Caller;
pub use offer::WorkerLists;
pub use upstream::{LocalTools, Upstream};

/// What this room keeps in the store.
pub const KINDS: &[Kind] = &[Kind::of::<usage::Usage>(), offer::KIND];

/// What the public face sends back for one request to `/mcp`.
#[derive(Debug)]
pub enum Answer {
    /// 401 with `WWW-Authenticate: <challenge>` and a JSON body.
    Unauthorized {
        /// The value of `WWW-Authenticate`.
        challenge: String,
        /// Says the same in JSON.
        body: Bytes,
    },
    /// `Content-Type: application/json` with this status.
    Json {
        /// HTTP status.
        status: u16,
        /// One JSON-RPC response.
        body: Bytes,
    },
    /// 202, empty.
    Accepted,
    /// 405 with `Allow: POST`, empty.
    MethodNotAllowed,
    /// 200, `Content-Type: text/event-stream`, `X-Accel-Buffering: no`; every item is one or more whole frames.
    /// Dropping the receiver cancels a modern call.
    Stream(mpsc::Receiver<Bytes>),
}

/// The face did not read the body: it is larger than [`BODY_LIMIT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

/// What the gateway is made of.
pub struct GatewayParts {
    /// Knows whose a bearer token is.
    pub oauth: OAuth,
    /// The workers.
    pub upstream: Arc<dyn Upstream>,
    /// Whose lists are offered.
    pub lists: WorkerLists,
    /// The gateway's own tools.
    pub own_tools: Option<Arc<dyn LocalTools>>,
    /// The names by which the gateway is reached.
    pub public_url: PublicUrl,
    /// Calls per minute and account.
    pub live: watch::Receiver<Live>,
    /// For usage, and for the lists of a foreign worker.
    pub store: Store,
    /// Tells the day that a call is counted on.
    pub clock: Clock,
    /// Runs streams.
    pub lifecycle: Lifecycle,
}

/// The gateway. Clones are the same gateway.
#[derive(Clone)]
pub struct Gateway(Arc<House>);

struct House {
    oauth: OAuth,
    upstream: Arc<dyn Upstream>,
    own_tools: Option<Arc<dyn LocalTools>>,
    hosts: PublicHosts,
    link: String,
    offer: Offer,
    /// What the holder of a race's token is offered.
    for_race: Arc<Offered>,
    /// What the holder of a probe is offered.
    for_probe: Arc<Offered>,
    probes: Probes,
    live: watch::Receiver<Live>,
    pace: Pace,
    in_flight: InFlight,
    cuts: Cuts,
    counters: usage::Counters,
    store: Store,
    lifecycle: Lifecycle,
}

impl Gateway {
    /// Reads what is offered, and begins to write down what is used.
    /// Errors: the built-in lists or the overlay of this build are damaged.
    pub fn start(parts: GatewayParts) -> Result<Self, CatalogueError> {
        let origin = parts.public_url.origin();
        let own_list = parts
            .own_tools
            .as_ref()
            .map_or_else(|| "[]".to_owned(), |tools| tools.list());
        let race_list = parts
            .own_tools
            .as_ref()
            .map_or_else(|| "[]".to_owned(), |tools| tools.list_for_race());
        let for_race = Arc::new(offer::only_own(&race_list, origin)?);
        let for_probe = Arc::new(offer::only_own("[]", origin)?);
        let offer = Offer::new(parts.lists, own_list, origin, &parts.store)?;
        let probes = Probes::new(parts.clock.clone());
        let counters = usage::Counters::new(parts.clock);
        counters.keep_flushing(parts.store.clone(), &parts.lifecycle);
        Ok(Gateway(Arc::new(House {
            oauth: parts.oauth,
            upstream: parts.upstream,
            own_tools: parts.own_tools,
            hosts: PublicHosts::new(origin),
            link: format!("{origin}/link"),
            offer,
            for_race,
            for_probe,
            probes,
            live: parts.live,
            pace: Pace::default(),
            in_flight: InFlight::default(),
            cuts: Cuts::default(),
            counters,
            store: parts.store,
            lifecycle: parts.lifecycle,
        })))
    }

    /// Finds out who asks, from the value of `Authorization`: a person's client, or who holds the token of a race. Ask this before anything else, for every HTTP method.
    /// Errors: the 401 with its challenge; 503 while the store can't be read, because a 401 would make a client
    /// throw a good token away.
    pub fn admit(&self, authorization: Option<&str>) -> Result<Caller, Answer> {
        let oauth = &self.0.oauth;
        let Some(token) = authorization.and_then(bearer) else {
            return Err(unauthorized(oauth, None));
        };
        let race = self
            .0
            .own_tools
            .as_ref()
            .map(|tools| tools.admit(token))
            .transpose();
        let admitted = match race.map(Option::flatten) {
            Ok(Some(race)) => return Ok(race.into()),
            Ok(None) => oauth.authenticate(token),
            Err(e) => Err(e.into()),
        };
        match admitted {
            Ok(grant) => Ok(grant.into()),
            Err(reason @ Unauthenticated::Unavailable(_)) => {
                tracing::error!(%reason, "mcp.admission_failed");
                let body = Bytes::from_static(b"{\"error\":\"temporarily_unavailable\"}");
                Err(Answer::Json { status: 503, body })
            }
            Err(_) if self.0.probes.admit(token) => Ok(Caller::probing()),
            Err(reason) => Err(unauthorized(oauth, Some(&reason))),
        }
    }

    /// Answers a request of somebody who was admitted.
    pub async fn handle(
        &self,
        caller: Caller,
        headers: RequestHeaders<'_>,
        http_method: &str,
        body: Result<Bytes, TooLarge>,
    ) -> Answer {
        if http_method != "POST" {
            return Answer::MethodNotAllowed;
        }
        let body = match &body {
            Ok(body) => body.as_ref(),
            Err(TooLarge) => return refused(&Refusal::TooLarge { limit: BODY_LIMIT }.into()),
        };
        match read(&self.0.hosts, &headers, body) {
            Ok((_, Inbound::Noted)) => Answer::Accepted,
            Ok((_, Inbound::Cancelled(id))) => {
                let cancelled = id.is_some_and(|id| self.0.in_flight.cancel(&caller.connection, id.get()));
                tracing::debug!(account.id = %caller.account, cancelled, "mcp.cancel_received");
                Answer::Accepted
            }
            Ok((accepts, Inbound::Request(request))) => {
                let method = request.method.name();
                let span = tracing::debug_span!("mcp.request", account.id = %caller.account, method);
                self.0
                    .clone()
                    .serve(caller, accepts, request)
                    .instrument(span)
                    .await
            }
            Err(rejected) => refused(&rejected),
        }
    }

    /// Ends the calls of sign-ins that were revoked: those with a worker or on their way to one. Returns how many.
    pub fn cut(&self, revoked: &[FamilyId]) -> usize {
        revoked
            .iter()
            .map(|family| self.0.cuts.cut(family.as_str()))
            .sum()
    }

    /// Writes down what was counted since the last time. Call it once more when all calls have ended.
    pub async fn flush_usage(&self) -> Result<(), StoreError> {
        self.0.counters.flush(&self.0.store).await
    }

    /// Calls since the start, of all accounts together.
    pub fn used_since_start(&self) -> usage::Usage {
        self.0.counters.since_start()
    }

    /// A token that is taken for a minute and opens the protocol and no tool.
    pub fn probe(&self) -> Secret {
        self.0.probes.give()
    }

    /// How many tools a connection with this access sees now.
    pub fn tool_count(&self, access: Access) -> usize {
        self.0.offer.now().catalogue.count(access)
    }
}

/// The token in `Bearer <token>`; the scheme is not case-sensitive (RFC 9110 §11.1).
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// 401. `reason`: a token was presented, and this is wrong with it.
fn unauthorized(oauth: &OAuth, reason: Option<&Unauthenticated>) -> Answer {
    if let Some(reason) = reason {
        tracing::info!(%reason, "mcp.token_refused");
    }
    let body: &[u8] = if reason.is_some() {
        br#"{"error":"invalid_token","error_description":"The access token is unknown, expired or revoked"}"#
    } else {
        br#"{"error":"unauthorized","error_description":"Sign in first"}"#
    };
    Answer::Unauthorized {
        challenge: oauth.challenge(reason.is_some()),
        body: Bytes::from_static(body),
    }
}

/// The rules that need no knowledge of who asks: foreign pages and names, types, envelope, era.
fn read<'a>(
    hosts: &PublicHosts,
    headers: &RequestHeaders<'_>,
    body: &'a [u8],
) -> Result<(Accepts, Inbound<'a>), Rejected> {
    hosts.check(headers)?;
    headers.check_content_type()?;
    let accepts = headers.accepts()?;
    Ok((accepts, Inbound::of(headers, Message::parse(body)?)?))
}

fn refused(rejected: &Rejected) -> Answer {
    let (status, code) = (rejected.refusal.status(), rejected.refusal.code());
    match rejected.refusal {
        Refusal::ForeignOrigin | Refusal::ForeignHost => {
            tracing::warn!(status, reason = %rejected.refusal, "mcp.foreign_refused");
        }
        _ => tracing::debug!(status, code, "mcp.request_refused"),
    }
    Answer::Json {
        status,
        body: rejected.body(),
    }
}

#[cfg(test)]
mod tests;
