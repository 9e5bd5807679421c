//! The checks that apply to every path, and the state that the handlers share.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use http::{HeaderValue, Method, StatusCode};
use warp::Filter as _;
use warp::filters::BoxedFilter;
use warp::path::FullPath;

use super::me::limits::PageLimits;
use super::pages;
use super::parts::WebParts;
use super::problem::Problem;
use super::race_view::RaceReaders;
use super::reply::{self, Response};
use super::request::{Exchange, RequestId, exchange};
use crate::base::secrets::random_bytes;
use crate::mcp::{PublicHosts, RequestHeaders};

/// The methods of a handler that checks the method itself.
pub(super) const ANY: &str = "*";

/// The state that all handlers share.
pub(super) struct Face {
    pub(super) parts: WebParts,
    pub(super) race_readers: RaceReaders,
    pub(super) page_limits: PageLimits,
    hosts: PublicHosts,
    run: u32,
    requests: AtomicU64,
}

impl Face {
    pub(super) fn new(parts: WebParts) -> Self {
        Self {
            hosts: PublicHosts::new(parts.public_url.origin()),
            parts,
            race_readers: RaceReaders::default(),
            page_limits: PageLimits::default(),
            run: u32::from_be_bytes(random_bytes()),
            requests: AtomicU64::new(1),
        }
    }

    fn next_request_id(&self) -> RequestId {
        RequestId {
            run: self.run,
            number: self.requests.fetch_add(1, Ordering::Relaxed),
        }
    }

    pub(super) fn origin(&self) -> &str {
        self.parts.public_url.origin()
    }

    /// The frame of a page that answers this request, in the person's language.
    pub(super) fn frame(&self, exchange: &Exchange) -> pages::Frame {
        let live = self.parts.live.borrow();
        let operator = &live.operator;
        let frame = pages::Frame::new(
            self.parts.public_url.authority(),
            operator.name.as_deref(),
            operator.email.as_deref(),
            self.parts.simulated,
        );
        pages::Frame {
            words: exchange.language(),
            is_language_chosen: exchange.carried_language().is_some(),
            choice: exchange.language_links(),
            ..frame
        }
    }

    /// Whether `Host` names this gateway or this machine. Any other name may be a DNS rebinding attack.
    pub(super) fn is_own_host(&self, exchange: &Exchange) -> bool {
        let named = RequestHeaders {
            host: exchange.header(HOST),
            ..RequestHeaders::default()
        };
        self.hosts.check(&named).is_ok()
    }

    /// Refuses a request: with a page for a browser, with JSON for a program.
    pub(super) fn refuse(&self, exchange: &Exchange, problem: Problem) -> Response {
        if exchange.wants_html() {
            problem.as_page(self.frame(exchange), self.origin(), exchange.id)
        } else {
            problem.as_json()
        }
    }
}

pub(super) fn at<H, F>(
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

/// Paths with exactly one segment between `prefix` and `suffix`. The handler gets the segment. It may be a secret, so
/// only the prefix is logged.
pub(super) fn under<H, F>(
    face: &Arc<Face>,
    prefix: &'static str,
    suffix: &'static str,
    methods: &'static str,
    handler: H,
) -> BoxedFilter<(Response,)>
where
    H: Fn(Arc<Face>, Exchange, String) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let face = Arc::clone(face);
    let segment = warp::path::full().and_then(move |asked: FullPath| {
        let rest = asked.as_str().strip_prefix(prefix);
        let segment = rest.and_then(|rest| rest.strip_suffix(suffix));
        let segment = segment.filter(|segment| !segment.is_empty() && !segment.contains('/'));
        std::future::ready(segment.map(str::to_owned).ok_or_else(warp::reject::not_found))
    });
    segment
        .and(exchange())
        .then(move |segment: String, exchange| {
            let handler = handler.clone();
            let handler = move |face, exchange| handler(face, exchange, segment.clone());
            answer(Arc::clone(&face), prefix, methods, handler, exchange)
        })
        .boxed()
}

/// Turns a handler into a warp filter.
pub(super) fn answered<H, F>(
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
        .then(move |exchange| answer(Arc::clone(&face), path, methods, handler.clone(), exchange))
        .boxed()
}

/// Runs a handler: checks the request before it, adds headers and a log line after it.
pub(super) async fn answer<H, F>(
    face: Arc<Face>,
    path: &'static str,
    methods: &'static str,
    handler: H,
    mut exchange: Exchange,
) -> Response
where
    H: Fn(Arc<Face>, Exchange) -> F,
    F: Future<Output = Response>,
{
    let started = Instant::now();
    let (method, id) = (exchange.method.clone(), face.next_request_id());
    exchange.id = id;
    let chunked = exchange.headers.contains_key(TRANSFER_ENCODING);
    let mut response = match exchange.check_headers() {
        Err(smuggled) => face.refuse(&exchange, Problem::Headers(smuggled)),
        Ok(()) if !allows(methods, &method) => face.refuse(&exchange, Problem::Method(methods)),
        Ok(()) => handler(Arc::clone(&face), exchange).await,
    };
    reply::finish(&mut response, id, face.parts.public_url.is_https());
    if chunked {
        // The request may also have had a length, which hyper drops. RFC 9112 (section 6.3) requires the connection
        // to be closed, so that a proxy cannot read the rest as another request.
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    log(id, &method, path, response.status(), started);
    response
}

fn allows(methods: &str, method: &Method) -> bool {
    methods == ANY || methods.split(", ").any(|allowed| allowed == method.as_str())
}

/// Writes one log line for each response. The reference on an error page is its `request.id`.
fn log(id: RequestId, method: &Method, path: &'static str, status: StatusCode, started: Instant) {
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = status.as_u16();
    // Unknown methods are a stranger's text, so they are not logged.
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
            tracing::warn!(method, path, status, ms, request.id = %id, "web.answered");
        }
        400.. if path != "other" && !path.starts_with("/mcp") => {
            tracing::info!(method, path, status, ms, request.id = %id, "web.answered");
        }
        _ => {
            tracing::debug!(method, path, status, ms, request.id = %id, "web.answered");
        }
    }
}
