//! The public face: the only user of warp.
//!
//! A handler decodes, calls one room once, and encodes. What goes for every path stands in [`at`]: headers that can
//! be read in two ways are refused before anything else, a known path with an unknown method is a 405 with `Allow`,
//! and every answer gets its request id and security headers.
//!
//! Absent on purpose: scripts, outside resources, redirects of `/mcp`, limits by address alone, CORS on anything but
//! the discovery documents, and a log of queries, bodies, cookies or unknown paths (people paste secrets there).

mod limits;
mod mcp;
mod oauth;
mod pages;
mod reply;
mod request;
mod site;

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use http::{HeaderValue, Method, StatusCode};
use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_service::Service as _;
use warp::filters::BoxedFilter;
use warp::path::FullPath;
use warp::{Filter as _, Rejection};

use self::limits::Budget;
use self::reply::{Problem, Response};
use self::request::{Exchange, exchange};
use crate::foundation::clock::Clock;
use crate::foundation::config::{Live, PublicUrl};
use crate::foundation::http as accept_loop;
use crate::foundation::lifecycle::Lifecycle;
use crate::foundation::secrets::random_bytes;
use crate::gateway::Gateway;
use crate::mcp::{PublicHosts, RequestHeaders};
use crate::oauth::OAuth;

/// Whether the gateway can do its work now; `Err` says in a few words what is missing. It is shown to anybody.
pub type Ready = Arc<dyn Fn() -> Result<(), &'static str> + Send + Sync>;

/// What the public face stands on.
#[derive(Clone)]
pub struct WebParts {
    /// Discovery, clients, sign-in, tokens.
    pub oauth: OAuth,
    /// What `/mcp` asks.
    pub gateway: Gateway,
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

/// Serves the public face until the lifecycle stops; returns when the last connection is done or the drain is over.
pub async fn serve(listener: TcpListener, parts: WebParts, lifecycle: &Lifecycle) {
    let connections = parts.limits.connections;
    let routes = warp::service(routes(&Arc::new(Face::new(parts))));
    let handle = move |request| {
        let answer = routes.clone().call(request);
        async move {
            match answer.await {
                Ok(response) => response,
            }
        }
    };
    accept_loop::serve(listener, connections, handle, lifecycle.clone()).await;
}

const GET: &str = "GET, HEAD";
const POST: &str = "POST";
const FORM: &str = "GET, POST";
const DOCUMENT: &str = "GET, HEAD, OPTIONS";
/// The handler answers every method itself.
const ANY: &str = "*";

/// Every path there is; the first that matches answers. What is asked most stands first.
fn routes(face: &Arc<Face>) -> BoxedFilter<(Response,)> {
    let table = [
        // What Claude calls. Nothing redirects from one spelling to the other: a redirect loses the bearer token.
        at(face, "/mcp", ANY, mcp::endpoint),
        at(face, "/mcp/", ANY, mcp::endpoint),
        // Discovery: RFC 9728, RFC 8414 and OpenID Connect's name for it, each with the suffix that clients try.
        at(
            face,
            "/.well-known/oauth-protected-resource/mcp",
            DOCUMENT,
            oauth::protected_resource,
        ),
        at(
            face,
            "/.well-known/oauth-protected-resource",
            DOCUMENT,
            oauth::protected_resource,
        ),
        at(
            face,
            "/.well-known/oauth-authorization-server",
            DOCUMENT,
            oauth::authorization_server,
        ),
        at(
            face,
            "/.well-known/oauth-authorization-server/mcp",
            DOCUMENT,
            oauth::authorization_server,
        ),
        at(
            face,
            "/.well-known/openid-configuration",
            DOCUMENT,
            oauth::authorization_server,
        ),
        at(
            face,
            "/.well-known/openid-configuration/mcp",
            DOCUMENT,
            oauth::authorization_server,
        ),
        at(
            face,
            "/mcp/.well-known/openid-configuration",
            DOCUMENT,
            oauth::authorization_server,
        ),
        // The endpoints that they name.
        at(face, "/register", POST, oauth::register),
        at(face, "/authorize", FORM, oauth::authorize),
        at(face, "/token", POST, oauth::token),
        at(face, "/revoke", POST, oauth::revoke),
        // For people.
        at(face, "/", GET, site::landing),
        at(face, "/link", FORM, oauth::link),
        at(face, "/favicon.svg", GET, site::favicon),
        at(face, "/favicon.ico", GET, site::favicon),
        at(face, "/robots.txt", GET, site::robots),
        // For whatever watches the gateway.
        at(face, "/healthz", GET, site::healthz),
        at(face, "/readyz", GET, site::readyz),
    ];
    let anything = answered(face, "other", ANY, site::not_found);
    table
        .into_iter()
        .rev()
        .fold(anything, |later, route| route.or(later).unify().boxed())
}

/// One path, spelled exactly so.
fn at<H, F>(
    face: &Arc<Face>,
    path: &'static str,
    methods: &'static str,
    handler: H,
) -> BoxedFilter<(Response,)>
where
    H: Fn(Arc<Face>, Exchange) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let here = warp::path::full().and_then(move |asked: FullPath| {
        let found = asked.as_str() == path;
        std::future::ready(if found {
            Ok(())
        } else {
            Err(warp::reject::not_found())
        })
    });
    here.untuple_one()
        .and(answered(face, path, methods, handler))
        .boxed()
}

/// A handler, and what goes for all of them.
fn answered<H, F>(
    face: &Arc<Face>,
    path: &'static str,
    methods: &'static str,
    handler: H,
) -> BoxedFilter<(Response,)>
where
    H: Fn(Arc<Face>, Exchange) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let face = Arc::clone(face);
    exchange()
        .and_then(move |mut exchange: Exchange| {
            let (face, handler) = (Arc::clone(&face), handler.clone());
            async move {
                let started = Instant::now();
                let (method, id) = (exchange.method.clone(), face.next_request_id());
                exchange.id.clone_from(&id);
                let chunked = exchange.headers.contains_key(TRANSFER_ENCODING);
                let mut response = match exchange.check_headers() {
                    Err(smuggled) => face.refuse(&exchange, Problem::Headers(smuggled)),
                    Ok(()) if !allows(methods, &method) => face.refuse(&exchange, Problem::Method(methods)),
                    Ok(()) => handler(Arc::clone(&face), exchange).await,
                };
                reply::finish(&mut response, &id, face.parts.public_url.is_https());
                if chunked {
                    // There may have been a length as well; hyper drops it unseen, and RFC 9112 (section 6.3) wants
                    // the connection closed, so that no proxy's idea of the rest becomes a request.
                    response
                        .headers_mut()
                        .insert(CONNECTION, HeaderValue::from_static("close"));
                }
                log(&id, &method, path, response.status(), started);
                Ok::<_, Rejection>(response)
            }
        })
        .boxed()
}

fn allows(methods: &str, method: &Method) -> bool {
    methods == ANY || methods.split(", ").any(|allowed| allowed == method.as_str())
}

/// One line an answer; what a page calls a reference is its `request.id`.
fn log(id: &str, method: &Method, path: &'static str, status: StatusCode, started: Instant) {
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = status.as_u16();
    // Unknown methods are a stranger's text.
    let method = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::OPTIONS,
        Method::DELETE,
    ]
    .iter()
    .find(|known| *known == method)
    .map_or("other", Method::as_str);
    match status {
        500.. => {
            tracing::warn!(name: "web.answered", method, path, status, ms, request.id = id, "web.answered");
        }
        400.. if path != "other" && !path.starts_with("/mcp") => {
            tracing::info!(name: "web.answered", method, path, status, ms, request.id = id, "web.answered");
        }
        _ => {
            tracing::debug!(name: "web.answered", method, path, status, ms, request.id = id, "web.answered");
        }
    }
}

/// What the handlers share.
struct Face {
    parts: WebParts,
    hosts: PublicHosts,
    registrations: Budget,
    sign_ins: Budget,
    /// Tells apart the requests of two runs.
    run: u32,
    requests: AtomicU64,
}

impl Face {
    fn new(parts: WebParts) -> Self {
        Self {
            hosts: PublicHosts::new(parts.public_url.origin()),
            parts,
            registrations: Budget::new(),
            sign_ins: Budget::new(),
            run: u32::from_be_bytes(random_bytes()),
            requests: AtomicU64::new(1),
        }
    }

    fn next_request_id(&self) -> String {
        format!(
            "req_{:08x}-{:x}",
            self.run,
            self.requests.fetch_add(1, Ordering::Relaxed)
        )
    }

    fn origin(&self) -> &str {
        self.parts.public_url.origin()
    }

    fn frame(&self) -> pages::Frame {
        let live = self.parts.live.borrow();
        let operator = &live.operator;
        pages::Frame::new(
            self.parts.public_url.authority(),
            operator.name.as_deref(),
            operator.email.as_deref(),
            self.parts.simulated,
        )
    }

    /// Whether the request names this gateway or this machine; a stranger's name for it is how rebinding begins.
    fn is_own_host(&self, exchange: &Exchange) -> bool {
        let host = exchange.header(HOST).map(str::to_owned);
        let named = RequestHeaders {
            host,
            ..RequestHeaders::default()
        };
        self.hosts.check(&named).is_ok()
    }

    fn client_address(&self, exchange: &Exchange) -> Option<IpAddr> {
        exchange.client_address(&self.parts.trusted_proxies)
    }

    /// A page for a person, JSON for a program.
    fn refuse(&self, exchange: &Exchange, problem: Problem) -> Response {
        if exchange.wants_html() {
            problem.as_page(self.frame(), self.origin(), &exchange.id)
        } else {
            problem.as_json()
        }
    }
}
