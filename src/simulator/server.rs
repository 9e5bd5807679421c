//! The loopback HTTP server around [`World`], and the `/simulator/…` endpoints that control it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use parking_lot::{Mutex, MutexGuard};
use serde::Deserialize;
use serde_json::json;

use super::faults::FaultRule;
use super::livetrack::scenario::Scenario;
use super::livetrack::{Playback, demo_race};
use super::reply::{SimulatedRequest, SimulatedResponse};
use super::world::World;
use crate::base::clock::Clock;

/// The largest request body in bytes. Uploaded activities have a few MB.
const LONGEST_BODY: usize = 16 * 1024 * 1024;

pub(super) type ResponseBody = UnsyncBoxBody<Bytes, io::Error>;

/// The body of `/simulator/expire`.
#[derive(serde::Deserialize)]
struct ExpireRequest {
    email: String,
}

/// Serves a [`World`]. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct SimulatorServer {
    pub(super) world: Arc<Mutex<World>>,
    pub(super) clock: Clock,
    pub(super) races_clock: Clock,
}

impl SimulatorServer {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock()
    }

    pub(super) async fn handle(self, request: Request<Incoming>) -> Response<ResponseBody> {
        let Some(request) = read(request).await else {
            return response(SimulatedResponse::empty(413));
        };
        let reply = if request.path.starts_with("/simulator/") {
            self.control(&request)
        } else {
            let mut world = self.world();
            let is_livetrack = world.livetrack.place(&request.path).is_some();
            let clock = if is_livetrack {
                &self.races_clock
            } else {
                &self.clock
            };
            world.answer(&request, clock.now())
        };
        if reply.delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(reply.delay_ms)).await;
        }
        response(reply)
    }

    /// The control endpoints, which the module docs of [`crate::simulator`] list.
    fn control(&self, request: &SimulatedRequest) -> SimulatedResponse {
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/simulator/faults") => match serde_json::from_slice::<FaultRule>(&request.body) {
                Ok(rule) => {
                    self.world().faults.add(rule);
                    SimulatedResponse::empty(204)
                }
                Err(e) => SimulatedResponse::json(400, &json!({"error": e.to_string()})),
            },
            ("DELETE", "/simulator/faults") => {
                self.world().faults.clear();
                SimulatedResponse::empty(204)
            }
            ("GET", "/simulator/logins") => {
                let world = self.world();
                let logins: BTreeMap<&str, Vec<String>> = world
                    .people
                    .iter()
                    .map(|person| (&*person.email, world.tokens.live_refresh_tokens(&person.email)))
                    .collect();
                SimulatedResponse::json(200, &json!(logins))
            }
            ("POST", "/simulator/expire") => match serde_json::from_slice::<ExpireRequest>(&request.body) {
                Ok(ExpireRequest { email }) => {
                    self.world().tokens.expire(&email);
                    SimulatedResponse::empty(204)
                }
                Err(e) => SimulatedResponse::json(400, &json!({"error": e.to_string()})),
            },
            ("POST", "/simulator/livetrack") => match serde_json::from_slice::<Play>(&request.body) {
                Ok(play) => self.play(play, request.header("host")),
                Err(e) => SimulatedResponse::json(400, &json!({"error": e.to_string()})),
            },
            ("GET", path) if path.starts_with(RACES) => {
                let session_id = path.strip_prefix(RACES).unwrap_or_default();
                let report = self.world().livetrack.report(session_id, self.races_clock.now());
                report.map_or(SimulatedResponse::empty(404), |report| {
                    SimulatedResponse::json(200, &report)
                })
            }
            ("GET", "/simulator/changes") => {
                SimulatedResponse::json(200, &json!(self.world().kept.carried_out))
            }
            ("GET", "/simulator/requests") => SimulatedResponse::json(200, &json!(self.world().recorded)),
            _ => SimulatedResponse::empty(404),
        }
    }
}

impl SimulatorServer {
    /// Starts a race and returns its links in chronological order.
    fn play(&self, play: Play, host: &str) -> SimulatedResponse {
        let scenario = match play.scenario {
            Some(scenario) => scenario.checked(),
            None => demo_race(),
        };
        let scenario = match scenario {
            Ok(scenario) => scenario,
            Err(e) => return SimulatedResponse::json(400, &json!({"error": e.to_string()})),
        };
        let pace = Playback {
            speed: play.speed.filter(|speed| *speed > 0.0).unwrap_or(1.0),
            elapsed_s: play.elapsed_s,
        };
        let links = self
            .world()
            .livetrack
            .play(&scenario, pace, self.races_clock.now());
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
        SimulatedResponse::json(201, &json!({"links": told, "race_config": scenario.race_config}))
    }
}

/// The prefix of the path that reports on a race; a session id follows.
const RACES: &str = "/simulator/livetrack/";

/// The body of `POST /simulator/livetrack`: `{"scenario": {…}, "speed": 60, "elapsed_s": 0}`. Without a scenario the
/// demo's race is played.
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

async fn read(request: Request<Incoming>) -> Option<SimulatedRequest> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, LONGEST_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(e) if e.is::<LengthLimitError>() => return None,
        Err(_) => Bytes::new(),
    };
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Some(SimulatedRequest {
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

fn response(reply: SimulatedResponse) -> Response<ResponseBody> {
    // A 204 has no body that could break off.
    let status = if reply.hangs_up && reply.status == 204 {
        200
    } else {
        reply.status
    };
    let mut response = Response::builder()
        .status(status)
        // Marks every answer as simulated.
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
