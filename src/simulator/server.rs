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
use serde::Deserialize;
use serde_json::json;

use super::faults::FaultRule;
use super::livetrack::scenario::Scenario;
use super::livetrack::{Pace, demo_race};
use super::reply::{Asked, Reply};
use super::world::World;
use crate::base::clock::Clock;

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
    /// `POST /simulator/livetrack` begins a race, `GET` of it with a session's id tells how it stands.
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
            ("POST", "/simulator/livetrack") => match serde_json::from_slice::<Play>(&asked.body) {
                Ok(play) => self.play(play, asked.header("host")),
                Err(e) => Reply::json(400, &json!({"error": e.to_string()})),
            },
            ("GET", path) if path.starts_with(RACES) => {
                let session_id = path.strip_prefix(RACES).unwrap_or_default();
                let report = self.world().livetrack.report(session_id, self.clock.now());
                report.map_or(Reply::empty(404), |report| Reply::json(200, &report))
            }
            ("GET", "/simulator/requests") => Reply::json(200, &json!(self.world().recorded)),
            _ => Reply::empty(404),
        }
    }
}

impl Shared {
    /// Begins a race, and tells its links in the order in which they tell of it.
    fn play(&self, play: Play, host: &str) -> Reply {
        let scenario = match play.scenario {
            Some(scenario) => scenario.checked(),
            None => demo_race(),
        };
        let scenario = match scenario {
            Ok(scenario) => scenario,
            Err(e) => return Reply::json(400, &json!({"error": e.to_string()})),
        };
        let pace = Pace {
            speed: play.speed.filter(|speed| *speed > 0.0).unwrap_or(1.0),
            elapsed_s: play.elapsed_s,
        };
        let links = self.world().livetrack.play(&scenario, pace, self.clock.now());
        let told: Vec<_> = links
            .iter()
            .map(|link| {
                json!({
                    "session_id": link.session_id,
                    "url": format!("http://{host}{}", link.path()),
                    "short_url": format!("http://{host}/{}", link.short),
                })
            })
            .collect();
        Reply::json(201, &json!({"links": told, "race_config": scenario.race_config}))
    }
}

/// Where races are begun and told of.
const RACES: &str = "/simulator/livetrack/";

/// What to play: `{"scenario": {…}, "speed": 60, "elapsed_s": 0}`; without a scenario it is the demo's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Play {
    #[serde(default)]
    scenario: Option<Scenario>,
    #[serde(default)]
    speed: Option<f64>,
    #[serde(default)]
    elapsed_s: u32,
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
