//! A pretend LiveTrack: plays races from scenarios and serves them as Garmin's site does (the page with its CSRF pair,
//! the session, points from `begin` on, the course, short links and profiles).
//!
//! It is as strict as Garmin. The API answers 403 without a valid CSRF pair, and 404 for a wrong token or after 24
//! hours.
//!
//! | part | where |
//! |---|---|
//! | the description of a race | [`scenario`] |
//! | its points | `track`, `route` |
//! | the points that are visible at a given moment | `race` |
//! | JSON and pages | `render` |

mod race;
mod render;
mod route;
pub mod scenario;
#[cfg(test)]
mod tests;
mod track;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use self::race::{PlayedRace, RaceLink};
use self::scenario::{BadScenario, Scenario};
use self::track::SimulatedTrack;
use super::dice::Dice;
use super::faults::{Fault, Place};
use super::reply::{SimulatedRequest, SimulatedResponse};

pub use self::race::Playback;

/// The lifetime of a CSRF pair. Garmin's is unknown; its page asks for a new one every five minutes.
const CSRF_LASTS: SignedDuration = SignedDuration::from_mins(10);

/// A link to a race, as LiveTrack issues it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayedLink {
    pub session_id: String,
    pub token: String,
    /// The code of the short link (`gar.mn`).
    pub short: String,
}

pub fn demo_race() -> Result<Scenario, BadScenario> {
    Scenario::read(include_str!("livetrack/demo.json"))
}

/// All races that this simulator has started.
#[derive(Debug)]
pub(super) struct SimulatedLiveTrack {
    races: Vec<PlayedRace>,
    /// Session id → indexes of the race and of its link.
    sessions: HashMap<String, (usize, usize)>,
    /// Short code or profile name → session id.
    shortcuts: HashMap<String, String>,
    /// CSRF token → its cookie, and when the pair was issued.
    pairs: HashMap<String, (String, Timestamp)>,
    /// Computed tracks, so that repeated plays of a scenario reuse them.
    tracks: Vec<(Arc<Scenario>, Arc<SimulatedTrack>)>,
    dice: Dice,
}

impl SimulatedLiveTrack {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            races: Vec::new(),
            sessions: HashMap::new(),
            shortcuts: HashMap::new(),
            pairs: HashMap::new(),
            tracks: Vec::new(),
            dice: Dice::of(seed, "livetrack"),
        }
    }

    /// Starts a race and returns its links in chronological order.
    pub(super) fn play(&mut self, scenario: &Scenario, pace: Playback, now: Timestamp) -> Vec<PlayedLink> {
        let (scenario, track) = self.track(scenario);
        let borders = scenario.new_link_at_s;
        let parts = [
            Some((0, borders.unwrap_or(u32::MAX))),
            borders.map(|at_s| (at_s, u32::MAX)),
        ];
        let links: Vec<_> = parts
            .into_iter()
            .flatten()
            .map(|(from_s, to_s)| RaceLink {
                session_id: self.session_id(),
                token: self.hex(31).to_uppercase(),
                short: self.hex(8),
                from_s,
                to_s,
            })
            .collect();
        let number = self.races.len();
        for (which, link) in links.iter().enumerate() {
            self.sessions.insert(link.session_id.clone(), (number, which));
            self.shortcuts.insert(link.short.clone(), link.session_id.clone());
            if which == 0 {
                self.shortcuts
                    .insert(profile(&scenario.athlete), link.session_id.clone());
            }
        }
        let played = links.iter().map(PlayedLink::of).collect();
        self.races
            .push(PlayedRace::new(scenario, track, links, pace, now));
        played
    }

    fn track(&mut self, scenario: &Scenario) -> (Arc<Scenario>, Arc<SimulatedTrack>) {
        let known = self.tracks.iter().find(|(known, _)| **known == *scenario);
        if let Some(known) = known {
            return known.clone();
        }
        let made = (
            Arc::new(scenario.clone()),
            Arc::new(SimulatedTrack::new(scenario)),
        );
        self.tracks.push(made.clone());
        made
    }

    fn hex(&mut self, digits: usize) -> String {
        (0..digits)
            .map(|_| char::from_digit(u32::try_from(self.dice.whole(0, 15)).unwrap_or(0), 16).unwrap_or('0'))
            .collect()
    }

    fn session_id(&mut self) -> String {
        let parts = [8, 4, 4, 4, 12].map(|digits| self.hex(digits));
        parts.join("-")
    }

    /// Every point that the session will ever return, as JSON.
    pub(super) fn points(&self, session_id: &str) -> Vec<Value> {
        let Some((race, link)) = self.race(session_id) else {
            return Vec::new();
        };
        race.all(link).map(|point| render::point(race, point)).collect()
    }

    /// The current state of a race, for tests and rehearsals.
    pub(super) fn report(&self, session_id: &str, now: Timestamp) -> Option<Value> {
        let (race, link) = self.race(session_id)?;
        Some(render::report(race, link, now))
    }

    fn race(&self, session_id: &str) -> Option<(&PlayedRace, &RaceLink)> {
        let (race, link) = self.sessions.get(session_id)?;
        let race = self.races.get(*race)?;
        Some((race, race.links.get(*link)?))
    }

    /// The part of LiveTrack that a request addresses, and its session; `None` for a request to another of Garmin's
    /// hosts.
    pub(super) fn place(&self, path: &str) -> Option<(Place, Option<String>)> {
        let request = Path::of(path)?;
        Some(match request {
            Path::Root => (Place::LivetrackPage, None),
            Path::Page { session, .. } => (Place::LivetrackPage, Some(session.to_owned())),
            Path::Session(session) => (Place::LivetrackSession, Some(session.to_owned())),
            Path::Points(session) => (Place::LivetrackPoints, Some(session.to_owned())),
            Path::Courses(session) => (Place::LivetrackCourse, Some(session.to_owned())),
            Path::Shortcut(code) => (Place::LivetrackPage, Some(self.shortcuts.get(code)?.clone())),
        })
    }

    /// The fault that the race's scenario plans for this moment.
    pub(super) fn fault(&self, place: Place, session_id: Option<&str>, now: Timestamp) -> Option<Fault> {
        let (race, _) = self.race(session_id?)?;
        let timed = race.fault(place, race.elapsed_s(now))?;
        Some(timed.fault.clone())
    }

    /// The response when no fault applies.
    pub(super) fn answer(&mut self, request: &SimulatedRequest, now: Timestamp) -> SimulatedResponse {
        let Some(path) = Path::of(&request.path) else {
            return SimulatedResponse::empty(404);
        };
        if request.method != "GET" && request.method != "HEAD" {
            return SimulatedResponse::empty(405);
        }
        match path {
            Path::Root => self.page(None, now),
            Path::Page { session, token } => {
                let token = token.map(str::to_owned).or_else(|| request.parameter("token"));
                self.page(token.map(|token| (session, token)), now)
            }
            Path::Shortcut(code) => self.redirect(code, request.header("host")),
            Path::Session(session) => self.data(request, session, now, |race, link, elapsed_s| {
                SimulatedResponse::json(200, &render::session(race, link, elapsed_s))
            }),
            Path::Points(session) => self.data(request, session, now, |race, link, elapsed_s| {
                points(race, link, elapsed_s, request.parameter("begin").as_deref())
            }),
            Path::Courses(session) => self.data(request, session, now, |race, _, _| {
                SimulatedResponse::json(200, &render::courses(race))
            }),
        }
    }

    /// A page with a new CSRF pair. Without a valid link it shows no race.
    fn page(&mut self, opened: Option<(&str, String)>, now: Timestamp) -> SimulatedResponse {
        self.pairs
            .retain(|_, (_, made_at)| now.duration_since(*made_at) < CSRF_LASTS);
        let (csrf, cookie) = (self.session_id(), self.hex(40));
        self.pairs.insert(csrf.clone(), (cookie.clone(), now));
        let shown = opened.and_then(|(session, token)| {
            let (race, link) = self.race(session)?;
            let elapsed_s = race.elapsed_s(now);
            (link.token == token && link.is_open(elapsed_s)).then_some((race, link, elapsed_s))
        });
        SimulatedResponse::html(200, render::page(&csrf, shown)).header(
            "set-cookie",
            format!("livetrack_csrf={cookie}; Path=/; HttpOnly; SameSite=Lax"),
        )
    }

    fn redirect(&self, code: &str, host: &str) -> SimulatedResponse {
        let session = self.shortcuts.get(code).map(String::as_str);
        let Some((_, link)) = session.and_then(|session| self.race(session)) else {
            return SimulatedResponse::empty(404);
        };
        let to = format!("http://{host}/session/{}/token/{}", link.session_id, link.token);
        SimulatedResponse::empty(302).header("location", to)
    }

    /// A response of the API, which requires a CSRF pair and a valid link.
    fn data(
        &self,
        request: &SimulatedRequest,
        session: &str,
        now: Timestamp,
        tell: impl FnOnce(&PlayedRace, &RaceLink, f64) -> SimulatedResponse,
    ) -> SimulatedResponse {
        let pair = self.pairs.get(request.header("livetrack-csrf-token"));
        let is_good = pair.is_some_and(|(cookie, made_at)| {
            request.cookie("livetrack_csrf") == Some(cookie) && now.duration_since(*made_at) < CSRF_LASTS
        });
        if !is_good {
            return SimulatedResponse::json(403, &json!({"message": "Forbidden"}));
        }
        let open = self.race(session).and_then(|(race, link)| {
            let elapsed_s = race.elapsed_s(now);
            let is_open = link.is_open(elapsed_s) && request.parameter("token").as_ref() == Some(&link.token);
            is_open.then(|| tell(race, link, elapsed_s))
        });
        open.unwrap_or_else(|| SimulatedResponse::json(404, &json!({"message": "Not Found"})))
    }
}

impl PlayedLink {
    /// The path of the link that people share, without the host.
    pub fn path(&self) -> String {
        format!("/session/{}/token/{}", self.session_id, self.token)
    }

    fn of(link: &RaceLink) -> Self {
        Self {
            session_id: link.session_id.clone(),
            token: link.token.clone(),
            short: link.short.clone(),
        }
    }
}

fn points(race: &PlayedRace, link: &RaceLink, elapsed_s: f64, begin: Option<&str>) -> SimulatedResponse {
    let begin = match begin.map(str::parse::<Timestamp>) {
        Some(Err(_)) => return SimulatedResponse::json(400, &json!({"message": "Bad Request"})),
        Some(Ok(begin)) => Some(begin),
        None => None,
    };
    let page = race.scenario.answers.page_points;
    let points: Vec<_> = race
        .seen(link, elapsed_s, begin)
        .take(page)
        .map(|point| render::point(race, point))
        .collect();
    if points.is_empty() && race.scenario.answers.empty_body {
        return SimulatedResponse::empty(200);
    }
    SimulatedResponse::json(200, &json!({"trackPoints": points}))
}

/// The name of an athlete's permanent page.
fn profile(athlete: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    athlete.to_lowercase().chars().map(word).collect()
}

enum Path<'a> {
    Root,
    Page {
        session: &'a str,
        token: Option<&'a str>,
    },
    Session(&'a str),
    Points(&'a str),
    Courses(&'a str),
    /// A short code (`gar.mn`) or a profile name (`live.garmin.com`).
    Shortcut(&'a str),
}

impl<'a> Path<'a> {
    fn of(path: &'a str) -> Option<Self> {
        let segments: Vec<_> = path.split('/').skip(1).filter(|part| !part.is_empty()).collect();
        Some(match segments.as_slice() {
            [] => Self::Root,
            ["session", session, "token", token] => Self::Page {
                session,
                token: Some(token),
            },
            ["session", session] => Self::Page { session, token: None },
            ["api", "sessions", session] | ["api", "v2", "sessions", session] => Self::Session(session),
            ["api", "sessions", session, "track-points", "common"] => Self::Points(session),
            ["api", "sessions", session, "courses"] | ["api", "v1", "sessions", session, "courses"] => {
                Self::Courses(session)
            }
            [code] => Self::Shortcut(code),
            _ => return None,
        })
    }
}

/// A path or a query with its token replaced by `…`.
pub(super) fn without_token(text: &str) -> String {
    let mut shown = String::new();
    for (number, part) in text.split_inclusive(['/', '&']).enumerate() {
        let after_token = number > 0 && shown.ends_with("/token/");
        if after_token {
            shown.push('…');
        } else if part.starts_with("token=") {
            shown.push_str("token=…");
            shown.push_str(if part.ends_with('&') { "&" } else { "" });
        } else {
            shown.push_str(part);
        }
    }
    shown
}
