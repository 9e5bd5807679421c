//! `/r/<token>`: the page of a shared race, for people without an account.
//!
//! Without its script, the page works by reloading. With the script, `/r/<token>/live` sends the parts that changed
//! over one stream. A token that has expired and one that never existed get the same answer.

mod live;
mod track_file;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use url::form_urlencoded;

use self::live::Viewer;
use super::face::Face;
use super::race_view::{MessageTemplate, MessageWhy, SCRIPT};
use super::reply::{self, Response};
use super::request::Exchange;
use crate::race::page::PageWords;
use crate::races::OpenLink;

/// The page, with everything in it.
pub(super) async fn page(face: Arc<Face>, exchange: Exchange, token: String) -> Response {
    let words = language(&exchange);
    let link = match admit(&face, &exchange, &token) {
        Ok(link) => link,
        Err(why) => return message(words, why),
    };
    if let Some(number) = query(&exchange, "gpx") {
        return track_file::gpx(&face, &link, &number, words);
    }
    match face.race_readers.rendered(&face.parts, &link, words) {
        Ok(rendered) => {
            let tiles = face.parts.map_tiles.as_ref();
            reply::race_page(StatusCode::OK, rendered.html.clone(), tiles)
        }
        Err(()) => message(words, MessageWhy::Broken),
    }
}

/// The parts that change, as server-sent events, until the share ends.
pub(super) async fn live(face: Arc<Face>, exchange: Exchange, token: String) -> Response {
    let words = language(&exchange);
    if let Err(why) = admit(&face, &exchange, &token) {
        return message(words, why);
    }
    let Some(place) = face.race_readers.stream_place() else {
        return message(words, MessageWhy::Busy);
    };
    let known = query(&exchange, "v");
    let events = Viewer::new(face, token, words, known, place).events();
    let mut response = warp::Reply::into_response(warp::reply::stream(events));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // A proxy that caches, compresses or buffers would delay the events.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    reply::never_indexed(&mut response);
    response
}

/// The page's script. Its address contains its hash, so it may be cached.
pub(super) async fn script(_: Arc<Face>, _: Exchange) -> Response {
    let script = Bytes::from_static(SCRIPT.as_bytes());
    let kind = HeaderValue::from_static("text/javascript; charset=utf-8");
    let mut response = reply::typed(StatusCode::OK, kind, script);
    let kept = HeaderValue::from_static("public, max-age=604800");
    response.headers_mut().insert(CACHE_CONTROL, kept);
    response
}

/// What the token opens, unless this reader asks too often.
fn admit(face: &Face, exchange: &Exchange, token: &str) -> Result<OpenLink, MessageWhy> {
    let source = exchange.peer().map(|peer| peer.source);
    if !face.race_readers.may_ask(source) {
        return Err(MessageWhy::Busy);
    }
    match face.parts.races.open_link(token) {
        Ok(link) => link.ok_or(MessageWhy::Gone),
        Err(e) => {
            tracing::error!(reason = %e, "race_page.failed");
            Err(MessageWhy::Broken)
        }
    }
}

/// The language that the address names, else the one that the browser asks for.
fn language(exchange: &Exchange) -> &'static PageWords {
    let named = query(exchange, "lang").and_then(|language| PageWords::named(&language));
    let accepted = || exchange.header(ACCEPT_LANGUAGE).unwrap_or_default();
    named.unwrap_or_else(|| PageWords::wanted(accepted()))
}

fn query(exchange: &Exchange, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(exchange.query.as_bytes());
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn message(words: &'static PageWords, why: MessageWhy) -> Response {
    let (status, retry_after) = match why {
        MessageWhy::Gone => (StatusCode::NOT_FOUND, None),
        MessageWhy::Busy => (StatusCode::TOO_MANY_REQUESTS, Some("60")),
        MessageWhy::Broken => (StatusCode::SERVICE_UNAVAILABLE, Some("30")),
    };
    let mut response = reply::race_page(status, MessageTemplate::new(words, why).html(), None);
    if let Some(seconds) = retry_after {
        let seconds = HeaderValue::from_static(seconds);
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    response
}
