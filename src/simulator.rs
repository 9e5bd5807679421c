//! A pretend Garmin for the demo, rehearsals and tests.
//!
//! One loopback server plays all of Garmin's hosts (their paths do not overlap), so every `GARMIN_*_URL` points at it.
//! It implements the three ways to sign in, MFA codes, tokens with rotation, the data API, and LiveTrack. It is as
//! strict as Garmin, and faults can be set while it runs. The same seed gives the same responses. Every response
//! carries `X-Simulated: true`.
//!
//! | part | where |
//! |---|---|
//! | people who can sign in | `people` |
//! | sign-in pages and JSON | `sso` |
//! | tokens | `token_service` |
//! | a person's data | [`data`] |
//! | what a person changed | `kept` |
//! | LiveTrack races | [`livetrack`] |
//! | faults | `faults` |
//!
//! Endpoints that control it:
//!
//! | request | |
//! |---|---|
//! | `POST /simulator/faults` | sets a fault ([`FaultRule`] as JSON) |
//! | `DELETE /simulator/faults` | clears all faults |
//! | `GET /simulator/requests` | the requests so far, without bodies or tokens |
//! | `GET /simulator/changes` | the changes that were carried out, with their bodies |
//! | `GET /simulator/logins` | the refresh tokens of each person that are still valid |
//! | `POST /simulator/expire` | expires the access tokens of `{"email"}` |
//! | `POST /simulator/livetrack` | starts a race from a scenario |
//! | `GET /simulator/livetrack/{session}` | the current state of a race |
//!
//! Invariants: it holds no data of real people, its state ends with its process, and it keeps no passwords.

pub mod data;
mod dice;
mod faults;
mod kept;
pub mod livetrack;
mod people;
mod reply;
mod server;
mod sso;
mod token_service;
mod world;

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::net::TcpListener;
use url::Url;

use self::livetrack::scenario::Scenario;
use self::livetrack::{Playback, PlayedLink};
use self::server::SimulatorServer;
use self::world::World;
use crate::base::clock::Clock;
use crate::base::http::HttpServer;
use crate::base::lifecycle::Lifecycle;
use crate::base::secrets::Secret;
use crate::config::GarminHosts;

pub use faults::{Fault, FaultRule, Place};
pub use kept::CarriedOut;
pub use people::{Mfa, MfaBy, Person, demo_people};
pub use world::Recorded;

/// The settings of a pretend Garmin.
#[derive(Debug, Clone)]
pub struct SimulatorSettings {
    pub people: Vec<Person>,
    /// The seed of all randomness in the simulator.
    pub seed: u64,
    /// The faults that are in force from the start.
    pub faults: Vec<FaultRule>,
    pub token_life: Duration,
    /// Determines the current day, and when tokens expire.
    pub clock: Clock,
    /// The clock of LiveTrack and its races; `None` for `clock`.
    pub races_clock: Option<Clock>,
}

impl Default for SimulatorSettings {
    fn default() -> Self {
        Self {
            people: demo_people(),
            seed: 1,
            faults: vec![],
            // The lifetime of Garmin's own tokens.
            token_life: Duration::from_secs(107_182),
            clock: Clock::system(),
            races_clock: None,
        }
    }
}

/// A running pretend Garmin. Clones share it.
#[derive(Debug, Clone)]
pub struct Simulator {
    base_url: Url,
    shared: SimulatorServer,
}

impl Simulator {
    /// Serves on `listener` (loopback) until the lifecycle stops. It accepts connections as soon as this returns.
    pub fn start(
        settings: SimulatorSettings,
        listener: TcpListener,
        lifecycle: &Lifecycle,
    ) -> std::io::Result<Self> {
        let base = format!("http://{}", listener.local_addr()?);
        let base_url = Url::parse(&base).map_err(std::io::Error::other)?;
        let token_life =
            SignedDuration::try_from(settings.token_life).unwrap_or(SignedDuration::from_hours(24));
        let world = World::new(settings.people, settings.faults, settings.seed, token_life);
        let shared = SimulatorServer {
            world: Arc::new(Mutex::new(world)),
            races_clock: settings.races_clock.unwrap_or_else(|| settings.clock.clone()),
            clock: settings.clock,
        };
        let answering = shared.clone();
        let handle = move |request| answering.clone().handle(request);
        lifecycle.spawn(
            "simulator",
            HttpServer::new(listener).serve(handle, lifecycle.stopping()),
        );
        Ok(Self { base_url, shared })
    }

    /// The root URL of the server: `http://127.0.0.1:<port>/`.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// The URLs of Garmin's hosts, all pointing at this server.
    pub fn hosts(&self) -> GarminHosts {
        GarminHosts::at(&self.base_url)
    }

    pub fn add_fault(&self, rule: FaultRule) {
        self.shared.world().faults.add(rule);
    }

    pub fn clear_faults(&self) {
        self.shared.world().faults.clear();
    }

    /// Starts a race. Most races have one link; a race with a second link returns both in chronological order.
    pub fn play(&self, scenario: &Scenario, pace: Playback) -> Vec<Url> {
        let links = self.links(scenario, pace);
        let joined = links.iter().map(|link| self.base_url.join(&link.path()));
        joined.filter_map(Result::ok).collect()
    }

    /// Like [`Simulator::play`], but returns session id and token separately.
    pub fn links(&self, scenario: &Scenario, pace: Playback) -> Vec<PlayedLink> {
        let now = self.shared.races_clock.now();
        self.shared.world().livetrack.play(scenario, pace, now)
    }

    /// Every point that a LiveTrack session will ever return, as JSON.
    pub fn points(&self, session_id: &str) -> Vec<Value> {
        self.shared.world().livetrack.points(session_id)
    }

    /// Adds a person, or replaces an existing person with the same e-mail.
    pub fn put_person(&self, person: Person) {
        let mut world = self.shared.world();
        world.people.retain(|known| known.email != person.email);
        world.people.push(person);
    }

    /// Serves a fixed document to everybody for `GET` of this path, for data that the simulated people lack.
    pub fn put_document(&self, path: &str, document: Value) {
        self.shared.world().documents.insert(path.to_owned(), document);
    }

    /// The requests so far, oldest first (at most 10,000).
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.world().recorded.iter().cloned().collect()
    }

    /// The changes that were carried out, oldest first.
    pub fn changes(&self) -> Vec<CarriedOut> {
        self.shared.world().kept.carried_out.clone()
    }

    /// The number of recorded requests whose path has this prefix.
    pub fn count(&self, path: &str) -> usize {
        self.shared
            .world()
            .recorded
            .iter()
            .filter(|recorded| recorded.path.starts_with(path))
            .count()
    }

    /// A person's refresh tokens that are still valid.
    pub fn live_refresh_tokens(&self, email: &str) -> Vec<Secret> {
        self.shared
            .world()
            .tokens
            .live_refresh_tokens(email)
            .into_iter()
            .map(Secret::new)
            .collect()
    }

    /// Expires the access tokens of a person; refreshing still works.
    pub fn expire_access_tokens(&self, email: &str) {
        self.shared.world().tokens.expire(email);
    }

    /// Revokes all tokens of a person, as Garmin does after a password change.
    pub fn revoke(&self, email: &str) {
        self.shared.world().tokens.revoke(email);
    }
}
