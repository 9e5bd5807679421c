//! The loopback server around the world: bytes in, bytes out, and the switches of the tests.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use serde_json::json;

use super::faults::FaultRule;
use super::reply::{Asked, Reply};
use super::world::World;
use crate::foundation::clock::Clock;

/// Uploads are some MB at most.
const LONGEST_BODY: usize = 16 * 1024 * 1024;

pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// The body of `/simulator/expire`.
#[derive(serde::Deserialize)]
struct Whose {
    email: String,
}

/// What the server shares.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) world: Arc<Mutex<World>>,
    pub(super) clock: Clock,
}

impl Shared {
    pub(super) fn world(&self) -> std::sync::MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one request.
    pub(super) async fn handle(self, request: Request<Incoming>) -> Response<Body> {
        let Some(asked) = read(request).await else {
            return response(Reply::empty(413));
        };
        let reply = if asked.path.starts_with("/simulator/") {
            self.control(&asked)
        } else {
            self.world().answer(&asked, self.clock.now())
        };
        if reply.delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(reply.delay_ms)).await;
        }
        response(reply)
    }

    /// `POST /simulator/faults` sets one, `DELETE` takes all back; `GET /simulator/requests` tells what was asked, and
    /// `GET /simulator/logins` which refresh tokens of each person still work; `POST /simulator/expire` ends a person's
    /// access tokens.
    fn control(&self, asked: &Asked) -> Reply {
        match (asked.method.as_str(), asked.path.as_str()) {
            ("POST", "/simulator/faults") => match serde_json::from_slice::<FaultRule>(&asked.body) {
                Ok(rule) => {
                    self.world().faults.add(rule);
                    Reply::empty(204)
                }
                Err(e) => Reply::json(400, &json!({"error": e.to_string()})),
            },
            ("DELETE", "/simulator/faults") => {
                self.world().faults.clear();
                Reply::empty(204)
            }
            ("GET", "/simulator/logins") => {
                let world = self.world();
                let logins: BTreeMap<&str, Vec<String>> = world
                    .people
                    .iter()
                    .map(|person| (&*person.email, world.tokens.live_refresh_tokens(&person.email)))
                    .collect();
                Reply::json(200, &json!(logins))
            }
            ("POST", "/simulator/expire") => match serde_json::from_slice::<Whose>(&asked.body) {
                Ok(Whose { email }) => {
                    self.world().tokens.expire(&email);
                    Reply::empty(204)
                }
                Err(e) => Reply::json(400, &json!({"error": e.to_string()})),
            },
            ("GET", "/simulator/requests") => Reply::json(200, &json!(self.world().recorded)),
            _ => Reply::empty(404),
        }
    }
}

async fn read(request: Request<Incoming>) -> Option<Asked> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, LONGEST_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(e) if e.is::<LengthLimitError>() => return None,
        Err(_) => Bytes::new(),
    };
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Some(Asked {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect(),
        body,
    })
}

fn response(reply: Reply) -> Response<Body> {
    let mut response = Response::builder()
        .status(reply.status)
        // Nothing that comes from here is to be taken for the real thing.
        .header("x-simulated", "true");
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    let body = if reply.hangs_up {
        let half = reply.body.slice(..reply.body.len() / 2);
        let parts = [Ok(Frame::data(half)), Err(io::ErrorKind::ConnectionReset.into())];
        StreamBody::new(futures_util::stream::iter(parts)).boxed_unsync()
    } else {
        Full::new(reply.body)
            .map_err(|never: Infallible| match never {})
            .boxed_unsync()
    };
    response.body(body).unwrap_or_else(|_| {
        let mut bug = Response::new(
            Full::new(Bytes::new())
                .map_err(|never| match never {})
                .boxed_unsync(),
        );
        *bug.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        bug
    })
}
