//! A pretend Garmin, for the demo and for tests.
//!
//! One loopback server plays all of Garmin's hosts (their paths don't meet), so every `GARMIN_*_URL` points at it:
//! the three ways to sign in, codes, tokens with rotation, the data API, and LiveTrack. It is strict where Garmin is
//! strict, and faults can be set while it runs. The same seed gives the same answers; everything it says carries
//! `X-Simulated: true`.
//!
//! | part | where |
//! |---|---|
//! | who there is | `people` |
//! | sign-in pages and JSON | `sso` |
//! | tokens | `token_service` |
//! | what the API says of a person | [`data`] |
//! | races that are watched live | [`livetrack`] |
//! | what can go wrong | `faults` |
//!
//! While it runs, `POST /simulator/faults` with a rule as JSON (see [`FaultRule`]) breaks something, `DELETE` of the same
//! path mends everything, `GET /simulator/requests` tells what it was asked, and `GET /simulator/logins` which refresh
//! tokens of each person still work; `POST /simulator/expire` with `{"email"}` ends a person's access tokens. `POST
//! /simulator/livetrack` begins a race from a scenario.
//!
//! Invariants: it knows no real person; its state ends with its process; what was typed is not remembered.

pub mod data;
mod dice;
mod faults;
pub mod livetrack;
mod people;
mod reply;
mod server;
mod sso;
mod token_service;
mod world;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value;
use tokio::net::TcpListener;
use url::Url;

use self::livetrack::scenario::Scenario;
use self::livetrack::{Pace, PlayedLink};
use self::server::Shared;
use self::world::World;
use crate::base::clock::Clock;
use crate::base::http::{Limits, serve};
use crate::base::lifecycle::Lifecycle;
use crate::base::secrets::Secret;
use crate::config::GarminHosts;

pub use faults::{Fault, FaultRule, Place};
pub use people::{Mfa, MfaBy, Person, demo_people};
pub use world::Recorded;

/// What a pretend Garmin is made of.
#[derive(Debug, Clone)]
pub struct SimulatorSettings {
    /// Who can sign in.
    pub people: Vec<Person>,
    /// Where all chance comes from.
    pub seed: u64,
    /// What goes wrong from the start.
    pub faults: Vec<FaultRule>,
    /// How long access tokens last.
    pub token_life: Duration,
    /// What it takes for today, and for the end of a token.
    pub clock: Clock,
}

impl Default for SimulatorSettings {
    /// The demo.
    fn default() -> Self {
        Self {
            people: demo_people(),
            seed: 1,
            faults: vec![],
            // What Garmin's own tokens last.
            token_life: Duration::from_secs(107_182),
            clock: Clock::system(),
        }
    }
}

/// A pretend Garmin that runs. Clones are the same.
#[derive(Debug, Clone)]
pub struct Simulator {
    base_url: Url,
    shared: Shared,
}

impl Simulator {
    /// Serves on `listener` (loopback) until the lifecycle stops. It is ready when this returns.
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
        let shared = Shared {
            world: Arc::new(Mutex::new(world)),
            clock: settings.clock,
        };
        let answering = shared.clone();
        let handle = move |request, _| answering.clone().handle(request);
        lifecycle.spawn(
            "simulator",
            serve(listener, Limits::default(), handle, lifecycle.stopping()),
        );
        Ok(Self { base_url, shared })
    }

    /// `http://127.0.0.1:<port>/`
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// All of Garmin's hosts, here.
    pub fn hosts(&self) -> GarminHosts {
        GarminHosts::at(&self.base_url)
    }

    /// Sets a fault.
    pub fn add_fault(&self, rule: FaultRule) {
        self.shared.world().faults.add(rule);
    }

    /// Takes all faults back.
    pub fn clear_faults(&self) {
        self.shared.world().faults.clear();
    }

    /// Begins a race. Its links come in the order in which they tell of it; most races have one.
    pub fn play(&self, scenario: &Scenario, pace: Pace) -> Vec<Url> {
        let links = self.links(scenario, pace);
        let joined = links.iter().map(|link| self.base_url.join(&link.path()));
        joined.filter_map(Result::ok).collect()
    }

    /// As [`Simulator::play`], with the parts of each link.
    pub fn links(&self, scenario: &Scenario, pace: Pace) -> Vec<PlayedLink> {
        let now = self.shared.clock.now();
        self.shared.world().livetrack.play(scenario, pace, now)
    }

    /// Every point that a session of LiveTrack tells of from its start to its end, as it is told.
    pub fn points(&self, session_id: &str) -> Vec<Value> {
        self.shared.world().livetrack.points(session_id)
    }

    /// Lets somebody in who was not there, or changes who was.
    pub fn put_person(&self, person: Person) {
        let mut world = self.shared.world();
        world.people.retain(|known| known.email != person.email);
        world.people.push(person);
    }

    /// The requests so far, oldest first.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.world().recorded.iter().cloned().collect()
    }

    /// How many requests had a path that begins so.
    pub fn count(&self, path: &str) -> usize {
        self.shared
            .world()
            .recorded
            .iter()
            .filter(|recorded| recorded.path.starts_with(path))
            .count()
    }

    /// The refresh tokens of a person that still work.
    pub fn live_refresh_tokens(&self, email: &str) -> Vec<Secret> {
        self.shared
            .world()
            .tokens
            .live_refresh_tokens(email)
            .into_iter()
            .map(Secret::new)
            .collect()
    }

    /// Ends the access tokens of a person; refreshing still works.
    pub fn expire_access_tokens(&self, email: &str) {
        self.shared.world().tokens.expire(email);
    }

    /// Ends everything of a person, as a new password at Garmin does.
    pub fn revoke(&self, email: &str) {
        self.shared.world().tokens.revoke(email);
    }
}
