//! Redirects requests over plain http to https. It accepts only GET and HEAD, so that nothing that was posted
//! unencrypted is accepted.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::base::http::{HttpServer, ServerLimits};
use crate::config::PublicUrl;

/// Few connections are enough, because each client asks once and then continues over https.
const MOST_CONNECTIONS: usize = 64;
const MOST_OF_ONE_SOURCE: usize = 8;

/// Serves the listener until `stopping` fires.
pub async fn send_to_https(listener: TcpListener, url: PublicUrl, stopping: CancellationToken) {
    let server = HttpServer {
        limits: ServerLimits {
            max_connections: MOST_CONNECTIONS,
            per_source: MOST_OF_ONE_SOURCE,
            ..ServerLimits::default()
        },
        ..HttpServer::new(listener)
    };
    let handle = move |request: Request<Incoming>| {
        let response = answer(
            request.method(),
            request.uri().path_and_query().map(PathAndQuery::as_str),
            &url,
        );
        std::future::ready(response)
    };
    server.serve(handle, stopping).await;
}

/// The host is that of `PUBLIC_URL`, whatever the request says, so that nobody is sent anywhere else.
fn answer(method: &Method, way: Option<&str>, url: &PublicUrl) -> Response<Full<Bytes>> {
    let origin = url.origin();
    let text = format!("This address is served over https only: {origin}\n");
    let mut response = Response::new(Full::new(Bytes::from(text)));
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let way = way.filter(|way| way.starts_with('/')).unwrap_or("/");
    let target = HeaderValue::from_str(&format!("{origin}{way}")).ok();
    let is_read = [Method::GET, Method::HEAD].contains(method);
    let status = if let Some(target) = target.filter(|_| is_read) {
        headers.insert(LOCATION, target);
        StatusCode::FOUND
    } else {
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        StatusCode::METHOD_NOT_ALLOWED
    };
    *response.status_mut() = status;
    response
}
