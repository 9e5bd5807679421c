//! A request as the handlers see it.
//!
//! Clients are not trusted: a header that affects a decision may occur only once, a body has a size limit and a
//! deadline.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName, ORIGIN,
};
use hyper::body::Incoming;
use warp::{Filter, Rejection};

use super::body::{self, Body, BodyError, collect};
use super::words::SiteWords;
use crate::base::http::{ClientConnection, ReadingBody};
use crate::base::source::Peer;

/// Headers that affect a decision. If one occurred twice, a proxy and the gateway could read different values.
/// `Accept` is not among them: it is a list, and a list may span several lines (RFC 9110, section 5.3).
const ONCE: [HeaderName; 8] = [
    AUTHORIZATION,
    HOST,
    ORIGIN,
    CONTENT_TYPE,
    HeaderName::from_static("mcp-protocol-version"),
    HeaderName::from_static("mcp-method"),
    HeaderName::from_static("mcp-name"),
    HeaderName::from_static("sec-fetch-site"),
];

/// Identifies a request in its response, on its error page and in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RequestId {
    /// A random number for each run of the gateway.
    pub(super) run: u32,
    /// The number of the request within the run.
    pub(super) number: u64,
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "req_{:08x}-{:x}", self.run, self.number)
    }
}

/// One request. Its body can be taken only once.
pub(super) struct Exchange {
    /// Assigned when the request arrives.
    pub(super) id: RequestId,
    pub(super) method: Method,
    /// The query without its question mark; empty if there is none.
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    /// The language that a posted form carries.
    pub(super) posted_language: Option<&'static SiteWords>,
    connection: Option<ClientConnection>,
    body: Option<Body>,
}

/// Splits a request into its parts. It rejects nothing.
pub(super) fn exchange() -> impl Filter<Extract = (Exchange,), Error = Rejection> + Clone {
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let body = warp::body::stream().map(body::through_warp);
    warp::method()
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional::<ClientConnection>())
        .and(body)
        .map(|method, query, headers, connection, body| Exchange {
            id: RequestId::default(),
            method,
            query,
            headers,
            posted_language: None,
            connection,
            body: Some(body),
        })
}

/// Headers that a proxy and the gateway could interpret differently. Such a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Smuggled {
    /// A header name with an underscore. Some proxies turn it into a hyphen, which changes the header.
    #[error("a header name has an underscore")]
    Underscore,
    /// One of [`ONCE`] occurs twice.
    #[error("a header that may come only once came twice")]
    Doubled,
    /// One of [`ONCE`] is not text.
    #[error("a header is not text")]
    NotText,
}

impl Exchange {
    /// A request that does not go through warp.
    pub(super) fn new(request: http::Request<Incoming>) -> Self {
        let (mut head, body) = request.into_parts();
        Exchange {
            id: RequestId::default(),
            method: head.method,
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            posted_language: None,
            connection: head.extensions.remove(),
            body: Some(body::incoming(body)),
        }
    }

    /// Marks the connection as a known client's, so that it is kept when there are too many.
    pub(super) fn keep_connection(&self) {
        if let Some(connection) = &self.connection {
            connection.keep();
        }
    }

    /// Errors: a proxy and the gateway could interpret the request differently.
    pub(super) fn check_headers(&self) -> Result<(), Smuggled> {
        check_headers(&self.headers)
    }

    /// The value of a header; `None` if it is absent. Call [`Exchange::check_headers`] first.
    pub(super) fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All lines of `Accept`, joined with commas.
    pub(super) fn accept(&self) -> Option<Cow<'_, str>> {
        let mut lines = self
            .headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|line| line.to_str().ok());
        let first = Cow::Borrowed(lines.next()?);
        Some(lines.fold(first, |all, line| Cow::Owned(format!("{all}, {line}"))))
    }

    /// Whether a browser sent the request: browsers accept HTML, and programs do not ask for it.
    pub(super) fn wants_html(&self) -> bool {
        self.accept()
            .is_some_and(|accept| accept.to_ascii_lowercase().contains("text/html"))
    }

    /// Whether the body is declared as a form. A missing type counts as a form, because clients send only forms to
    /// these paths.
    pub(super) fn is_form(&self) -> bool {
        self.header(CONTENT_TYPE).is_none_or(|value| {
            let essence = value.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        })
    }

    /// The value of a cookie; `None` if it is absent or occurs twice.
    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        let mut found = self
            .headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(of, _)| *of == name)
            .map(|(_, value)| value);
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// Who sent the request; `None` in tests without a connection.
    pub(super) fn peer(&self) -> Option<Peer> {
        self.connection.as_ref().map(|connection| connection.peer)
    }

    /// Takes the body to read it. The connection counts as reading a body until the second value is dropped.
    fn take_body(&mut self) -> Option<(Body, Option<ReadingBody>)> {
        let body = self.body.take()?;
        let reading = self.connection.as_ref().map(ClientConnection::reads_body);
        Some((body, reading))
    }

    /// Reads the whole body. A body over the limit (in bytes) is read for a while longer and discarded, so that a
    /// client that is still sending sees the refusal instead of a reset connection.
    pub(super) async fn body(&mut self, limit: usize, deadline: Duration) -> Result<Bytes, BodyError> {
        let announced = self
            .header(CONTENT_LENGTH)
            .and_then(|length| length.parse::<u64>().ok());
        let Some((body, _reading)) = self.take_body() else {
            return Ok(Bytes::new());
        };
        let keep = announced.is_none_or(|length| length <= limit as u64);
        let limit = if keep { limit } else { 0 };
        match tokio::time::timeout(deadline, collect(body, limit)).await {
            Ok(read) => read,
            Err(_) if !keep => Err(BodyError::TooLarge),
            Err(_) => Err(BodyError::TooSlow),
        }
    }

    /// Reads and discards the body for a while, so that a client that is still sending sees the response.
    pub(super) async fn discard_body(&mut self, deadline: Duration) {
        if let Some((body, _reading)) = self.take_body()
            && tokio::time::timeout(deadline, collect(body, 0)).await.is_err()
        {
            tracing::debug!("web.body_abandoned");
        }
    }
}

fn check_headers(headers: &HeaderMap) -> Result<(), Smuggled> {
    let repeated = headers.len() != headers.keys_len();
    for (name, value) in headers {
        if name.as_str().as_bytes().contains(&b'_') {
            return Err(Smuggled::Underscore);
        }
        if !ONCE.contains(name) {
            continue;
        }
        if repeated && headers.get_all(name).iter().nth(1).is_some() {
            return Err(Smuggled::Doubled);
        }
        if value.to_str().is_err() {
            return Err(Smuggled::NotText);
        }
    }
    Ok(())
}

/// Fuzzer entry point (`tests/fuzz`): one header per line. Each of [`ONCE`] is read once or not at all, and without
/// trusted proxies no forwarded address counts.
#[cfg(fuzzing)]
pub fn fuzz(text: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in text.split(|byte| *byte == b'\n') {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (name, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or_default();
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), http::HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    let peer = std::net::IpAddr::from([203, 0, 113, 7]);
    assert_eq!(
        crate::base::source::Proxies::default()
            .peer(peer, &headers)
            .address,
        peer
    );
    let everybody = vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()];
    crate::base::source::Proxies::new(everybody).peer(peer, &headers);
    let exchange = Exchange {
        id: RequestId::default(),
        method: Method::POST,
        query: String::new(),
        headers,
        posted_language: None,
        connection: None,
        body: None,
    };
    exchange.cookie("gateway");
    exchange.wants_html();
    exchange.is_form();
    if exchange.check_headers().is_ok() {
        for name in &ONCE {
            let sent = exchange.headers.get_all(name).iter().count();
            assert_eq!(sent, usize::from(exchange.header(name).is_some()), "{name}");
        }
        let accept = exchange.accept();
        let read = super::mcp::request_headers(&exchange, accept.as_deref());
        drop(read.accepts());
        drop(read.check_content_type());
        drop(crate::mcp::PublicHosts::new("https://gw.example.org").check(&read));
    }
}
