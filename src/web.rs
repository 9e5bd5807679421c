//! The public face: the only user of warp.
//!
//! A handler decodes, calls one room once, and encodes. What goes for every path stands in `face`: headers that can
//! be read in two ways are refused before anything else, a known path with an unknown method is a 405 with `Allow`,
//! and every answer gets its request id and security headers.
//!
//! Absent on purpose: scripts, outside resources, redirects of `/mcp`, limits by address alone, CORS on anything but
//! the discovery documents, and a log of queries, bodies, cookies or unknown paths (people paste secrets there).

mod body;
mod face;
mod mcp;
mod oauth;
mod pages;
mod problem;
mod races;
mod reply;
mod request;
mod sign_in;
mod site;

use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;
use warp::Filter as _;
use warp::filters::BoxedFilter;

#[cfg(fuzzing)]
pub use self::request::fuzz as fuzz_headers;

use self::face::{Face, answer, answered, at};
use self::reply::Response;
use self::request::Exchange;
use crate::base::clock::Clock;
use crate::base::http as accept_loop;
use crate::base::http::Peer;
use crate::base::lanes::Lanes;
use crate::base::lifecycle::Lifecycle;
use crate::config::{Live, PublicUrl};
use crate::gateway::Gateway;
use crate::oauth::OAuth;
use crate::races::Races;

/// Whether the gateway can do its work now; `Err` says in a few words what is missing. It is shown to anybody.
pub type Ready = Arc<dyn Fn() -> Result<(), &'static str> + Send + Sync>;

/// What the public face stands on.
#[derive(Clone)]
pub struct WebParts {
    /// Discovery, clients, sign-in, tokens.
    pub oauth: OAuth,
    /// What `/mcp` asks.
    pub gateway: Gateway,
    /// What `/control` and `/health` ask.
    pub races: Races,
    /// The address people and Claude use.
    pub public_url: PublicUrl,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Garmin is the simulator: every page says so.
    pub simulated: bool,
    /// The operator's name and e-mail, and the registration budget.
    pub live: watch::Receiver<Live>,
    /// For budgets.
    pub clock: Clock,
    /// Asked by `/readyz`.
    pub ready: Ready,
    /// Connections, headers and bodies.
    pub limits: WebLimits,
    /// Answers pages.
    pub lifecycle: Lifecycle,
}

/// What a client may cost before it is known.
#[derive(Clone, Copy, Debug)]
pub struct WebLimits {
    /// Connections, header time, drain.
    pub connections: accept_loop::Limits,
    /// How long a body may take from its header to its end.
    pub body_timeout: Duration,
}

impl Default for WebLimits {
    fn default() -> Self {
        Self {
            connections: accept_loop::Limits::default(),
            body_timeout: Duration::from_secs(30),
        }
    }
}

/// Serves the public face in `lanes` until `stopping` fires; returns when the last connection is done or the drain is
/// over.
pub async fn serve(listener: TcpListener, lanes: &Lanes, parts: WebParts, stopping: CancellationToken) {
    let connections = parts.limits.connections;
    let face = Arc::new(Face::new(parts));
    let routes = warp::service(routes(&face));
    let handle = move |mut request: Request<Incoming>, peer: Peer| {
        let (face, mut routes) = (Arc::clone(&face), routes.clone());
        async move {
            // What Claude calls all day takes no way round by the table.
            if request.uri().path() == MCP {
                return answer(face, MCP, ANY, mcp::endpoint, Exchange::new(request, peer)).await;
            }
            request.extensions_mut().insert(peer);
            // A sign-in asks Garmin, and a page takes its time: calls wait for neither.
            let answered = async move { routes.call(request).await };
            match face.parts.lifecycle.apart(answered).await {
                Ok(response) => response,
            }
        }
    };
    accept_loop::serve_in(lanes, listener, connections, handle, stopping).await;
}

/// What Claude calls.
const MCP: &str = "/mcp";
const GET: &str = "GET, HEAD";
const POST: &str = "POST";
const FORM: &str = "GET, POST";
const DOCUMENT: &str = "GET, HEAD, OPTIONS";
/// The handler answers every method itself.
const ANY: &str = "*";

/// Every path but [`MCP`]; the first that matches answers.
#[rustfmt::skip] // It is a table.
fn routes(face: &Arc<Face>) -> BoxedFilter<(Response,)> {
    let table = [
        // [`MCP`] in its other spelling. Nothing redirects from one to the other: a redirect loses the bearer token.
        at(face, "/mcp/", ANY, mcp::endpoint),
        // Discovery: RFC 9728, RFC 8414 and OpenID Connect's name for it, each with the suffixes that clients try.
        at(face, "/.well-known/oauth-protected-resource/mcp", DOCUMENT, oauth::protected_resource),
        at(face, "/.well-known/oauth-protected-resource", DOCUMENT, oauth::protected_resource),
        at(face, "/.well-known/oauth-authorization-server", DOCUMENT, oauth::authorization_server),
        at(face, "/.well-known/oauth-authorization-server/mcp", DOCUMENT, oauth::authorization_server),
        at(face, "/.well-known/openid-configuration", DOCUMENT, oauth::authorization_server),
        at(face, "/.well-known/openid-configuration/mcp", DOCUMENT, oauth::authorization_server),
        at(face, "/mcp/.well-known/openid-configuration", DOCUMENT, oauth::authorization_server),
        // The endpoints that they name.
        at(face, "/register", POST, oauth::register),
        at(face, "/authorize", FORM, sign_in::authorize),
        at(face, "/token", POST, oauth::token),
        at(face, "/revoke", POST, oauth::revoke),
        // For whoever holds the token of a race.
        at(face, "/control", POST, races::control),
        // For people.
        at(face, "/", GET, site::landing),
        at(face, "/link", FORM, sign_in::link),
        at(face, "/favicon.svg", GET, site::favicon),
        at(face, "/favicon.ico", GET, site::favicon),
        at(face, "/robots.txt", GET, site::robots),
        // For whatever watches the gateway.
        at(face, "/health", GET, races::health),
        at(face, "/healthz", GET, site::healthz),
        at(face, "/readyz", GET, site::readyz),
    ];
    let anything = answered(face, "other", ANY, site::not_found);
    table.into_iter().rev().fold(anything, |later, route| route.or(later).unify().boxed())
}
