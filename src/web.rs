//! The public web server: the only user of warp.
//!
//! A handler decodes, calls one function of another module, and encodes. `face` holds what applies to every path:
//! ambiguous headers are refused first, an unknown method on a known path is a 405 with `Allow`, and every response
//! gets its request id and security headers.
//!
//! Absent on purpose: scripts (except that of a race's page), external resources, redirects of `/mcp`, CORS on anything
//! but the discovery documents, and logging of queries, bodies, cookies or unknown paths (people paste secrets there).

mod body;
mod face;
mod language;
mod map_tiles;
mod mcp;
mod me;
mod oauth;
mod pages;
mod parts;
mod problem;
mod race_page;
mod race_view;
mod races;
mod reply;
mod request;
mod sign_in;
mod site;
mod tile_archive;
mod to_https;
mod words;

use std::sync::Arc;

use hyper::Request;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;
use warp::Filter as _;
use warp::filters::BoxedFilter;

#[cfg(fuzzing)]
pub use self::request::fuzz as fuzz_headers;

use self::face::{ANY, Face, answer, answered, at, under};
pub use self::parts::{PersonalExport, Ready, WebLimits, WebParts};
use self::reply::Response;
use self::request::Exchange;
pub use self::tile_archive::OpenArchive;
pub use self::to_https::send_to_https;
use crate::base::http::{HttpServer, ServerLimits};
use crate::config::OWN_TILES;

/// Serves requests until `stopping` fires. Returns when the last connection has ended or the drain deadline has
/// passed.
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    parts: WebParts,
    stopping: CancellationToken,
) {
    let server = HttpServer {
        listener,
        tls,
        limits: ServerLimits {
            proxies: Arc::clone(&parts.proxies),
            ..parts.limits.connections.clone()
        },
        threads: Some(parts.threads.clone()),
    };
    let face = Arc::new(Face::new(parts));
    let routes = warp::service(routes(&face));
    let handle = move |request: Request<Incoming>| {
        let (face, mut routes) = (Arc::clone(&face), routes.clone());
        async move {
            // Claude calls this path all day, so it skips the table.
            if request.uri().path() == MCP {
                return answer(face, MCP, ANY, mcp::endpoint, Exchange::new(request)).await;
            }
            // A sign-in waits for Garmin, and a page takes time to render. They run on another runtime, so that calls
            // to this path don't wait for them.
            let answered = async move { routes.call(request).await };
            match face.parts.lifecycle.run(answered).await {
                Ok(response) => response,
            }
        }
    };
    server.serve(handle, stopping).await;
}

const MCP: &str = "/mcp";
const GET: &str = "GET, HEAD";
const POST: &str = "POST";
const FORM: &str = "GET, POST";
const DOCUMENT: &str = "GET, HEAD, OPTIONS";

/// Every path except [`MCP`]. The first match answers.
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
        // The endpoints that discovery names.
        at(face, "/register", POST, oauth::register),
        at(face, "/authorize", FORM, sign_in::authorize),
        at(face, "/token", POST, oauth::token),
        at(face, "/revoke", POST, oauth::revoke),
        // For the holder of a race token.
        at(face, "/control", POST, races::control),
        // The page of a shared race, for whoever has its link.
        under(face, "/r/", "/live", GET, race_page::live),
        under(face, "/r/", "", GET, race_page::page),
        at(face, "/race.js", GET, race_page::script),
        under(face, OWN_TILES, "", GET, map_tiles::tile),
        // Pages that people open.
        at(face, "/", GET, site::landing),
        at(face, "/link", FORM, sign_in::link),
        at(face, "/me", FORM, me::own_page),
        at(face, "/favicon.svg", GET, site::favicon),
        at(face, "/favicon.ico", GET, site::favicon),
        at(face, "/robots.txt", GET, site::robots),
        // Probes for a monitoring system.
        at(face, "/health", GET, races::health),
        at(face, "/healthz", GET, site::healthz),
        at(face, "/readyz", GET, site::readyz),
    ];
    let anything = answered(face, "other", ANY, site::not_found);
    table.into_iter().rev().fold(anything, |later, route| route.or(later).unify().boxed())
}
