//! `/tiles/<zoom>-<x>-<y>`: a tile of the operator's own map, for the live pages of races. Anybody may request one, as
//! often as pages, because a map of a region tells nothing about a person.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING};
use http::{HeaderValue, StatusCode};

use super::face::Face;
use super::reply::{self, Response};
use super::request::Exchange;
use super::site;

pub(super) async fn tile(face: Arc<Face>, exchange: Exchange, place: String) -> Response {
    let Some(archive) = &face.parts.tile_archive else {
        return site::not_found(Arc::clone(&face), exchange).await;
    };
    let source = exchange.peer().map(|peer| peer.source);
    if !face.race_readers.may_have_tile(source) {
        return reply::typed(
            StatusCode::TOO_MANY_REQUESTS,
            HeaderValue::from_static("text/plain"),
            Bytes::new(),
        );
    }
    let tile = match archive.tile(&place).await {
        Ok(Some(tile)) => tile,
        Ok(None) => return site::not_found(Arc::clone(&face), exchange).await,
        Err(reason) => {
            tracing::error!(%reason, "map_tiles.not_read");
            return reply::typed(
                StatusCode::SERVICE_UNAVAILABLE,
                HeaderValue::from_static("text/plain"),
                Bytes::new(),
            );
        }
    };
    let (kind, encoding) = archive.form();
    let kind = HeaderValue::from_static(kind);
    let mut response = reply::typed(StatusCode::OK, kind, tile);
    let headers = response.headers_mut();
    if let Some(encoding) = encoding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    // Other sites can't use this server for their maps.
    headers.insert(
        "cross-origin-resource-policy",
        HeaderValue::from_static("same-origin"),
    );
    response
}
