//! A pretend LiveTrack: races that are played from scenarios, told as Garmin's site tells of them (section by section:
//! page and CSRF pair, session, points from `begin` on, course, short link, profile).
//!
//! Strict where Garmin is: without a CSRF pair, or with one that is too old, the interface answers 403; with a wrong
//! token, or after 24 hours, 404.
//!
//! | part | where |
//! |---|---|
//! | what a race is, as data | [`scenario`] |
//! | from that to points | `track`, `way` |
//! | what can be seen when | `race` |
//! | how it is written down | `render` |

mod race;
mod render;
pub mod scenario;
#[cfg(test)]
mod tests;
mod track;
mod way;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use self::race::{Link, Race};
use self::scenario::{BadScenario, Scenario};
use self::track::Track;
use super::dice::Dice;
use super::faults::{Fault, Place};
use super::reply::{Asked, Reply};

pub use self::race::Pace;

/// How long a CSRF pair is taken. What Garmin's last is not known; clients ask for a new one every five minutes.
const CSRF_LASTS: SignedDuration = SignedDuration::from_mins(10);

/// A link to a race that is played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayedLink {
    /// Its session.
    pub session_id: String,
    /// The token that opens it.
    pub token: String,
    /// The code of the short link.
    pub short: String,
}

/// The race of the demo.
pub fn demo_race() -> Result<Scenario, BadScenario> {
    Scenario::read(include_str!("livetrack/demo.json"))
}

/// All races that are played.
#[derive(Debug)]
pub(super) struct LiveTrack {
    races: Vec<Race>,
    /// Session → race and its link.
    sessions: HashMap<String, (usize, usize)>,
    /// Short code or profile → session.
    shortcuts: HashMap<String, String>,
    /// CSRF token → cookie, and when it was made.
    pairs: HashMap<String, (String, Timestamp)>,
    /// Tracks of scenarios that are played more than once.
    tracks: Vec<(Arc<Scenario>, Arc<Track>)>,
    dice: Dice,
}

impl LiveTrack {
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

    /// Begins a race; the links are in the order in which they tell of it.
    pub(super) fn play(&mut self, scenario: &Scenario, pace: Pace, now: Timestamp) -> Vec<PlayedLink> {
        let (scenario, track) = self.track(scenario);
        let borders = scenario.new_link_at_s;
        let parts = [
            Some((0, borders.unwrap_or(u32::MAX))),
            borders.map(|at_s| (at_s, u32::MAX)),
        ];
        let links: Vec<_> = parts
            .into_iter()
            .flatten()
            .map(|(from_s, to_s)| Link {
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
        self.races.push(Race::new(scenario, track, links, pace, now));
        played
    }

    fn track(&mut self, scenario: &Scenario) -> (Arc<Scenario>, Arc<Track>) {
        let known = self.tracks.iter().find(|(known, _)| **known == *scenario);
        if let Some(known) = known {
            return known.clone();
        }
        let made = (Arc::new(scenario.clone()), Arc::new(Track::new(scenario)));
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

    /// Every point that the session ever tells of, as it is told.
    pub(super) fn points(&self, session_id: &str) -> Vec<Value> {
        let Some((race, link)) = self.race(session_id) else {
            return Vec::new();
        };
        race.all(link).map(|point| race.told(point)).collect()
    }

    /// How a race stands, for whoever plays it.
    pub(super) fn report(&self, session_id: &str, now: Timestamp) -> Option<Value> {
        let (race, link) = self.race(session_id)?;
        Some(race.report(link, now))
    }

    fn race(&self, session_id: &str) -> Option<(&Race, &Link)> {
        let (race, link) = self.sessions.get(session_id)?;
        let race = self.races.get(*race)?;
        Some((race, race.links.get(*link)?))
    }

    /// Which part of LiveTrack a request is for, and which session it names; `None` when it is for another of
    /// Garmin's hosts.
    pub(super) fn place(&self, path: &str) -> Option<(Place, Option<String>)> {
        let asked = Path::of(path)?;
        Some(match asked {
            Path::Root => (Place::LivetrackPage, None),
            Path::Page { session, .. } => (Place::LivetrackPage, Some(session.to_owned())),
            Path::Session(session) => (Place::LivetrackSession, Some(session.to_owned())),
            Path::Points(session) => (Place::LivetrackPoints, Some(session.to_owned())),
            Path::Courses(session) => (Place::LivetrackCourse, Some(session.to_owned())),
            Path::Shortcut(code) => (Place::LivetrackPage, Some(self.shortcuts.get(code)?.clone())),
        })
    }

    /// What goes wrong now by the race's own scenario.
    pub(super) fn fault(&self, place: Place, session_id: Option<&str>, now: Timestamp) -> Option<Fault> {
        let (race, _) = self.race(session_id?)?;
        let timed = race.fault(place, race.elapsed_s(now))?;
        Some(timed.fault.clone())
    }

    /// The answer of a LiveTrack that works.
    pub(super) fn answer(&mut self, asked: &Asked, now: Timestamp) -> Reply {
        let Some(path) = Path::of(&asked.path) else {
            return Reply::empty(404);
        };
        if asked.method != "GET" && asked.method != "HEAD" {
            return Reply::empty(405);
        }
        match path {
            Path::Root => self.page(None, now),
            Path::Page { session, token } => {
                let token = token.map(str::to_owned).or_else(|| asked.parameter("token"));
                self.page(token.map(|token| (session, token)), now)
            }
            Path::Shortcut(code) => self.redirect(code, asked.header("host")),
            Path::Session(session) => self.data(asked, session, now, |race, link, elapsed_s| {
                Reply::json(200, &render::session(race, link, elapsed_s))
            }),
            Path::Points(session) => self.data(asked, session, now, |race, link, elapsed_s| {
                points(race, link, elapsed_s, asked.parameter("begin").as_deref())
            }),
            Path::Courses(session) => self.data(asked, session, now, |race, _, _| {
                Reply::json(200, &render::courses(race))
            }),
        }
    }

    /// A page; it is drawn empty for who has no good link.
    fn page(&mut self, opened: Option<(&str, String)>, now: Timestamp) -> Reply {
        self.pairs
            .retain(|_, (_, made_at)| now.duration_since(*made_at) < CSRF_LASTS);
        let (csrf, cookie) = (self.session_id(), self.hex(40));
        self.pairs.insert(csrf.clone(), (cookie.clone(), now));
        let shown = opened.and_then(|(session, token)| {
            let (race, link) = self.race(session)?;
            let elapsed_s = race.elapsed_s(now);
            (link.token == token && link.is_open(elapsed_s)).then_some((race, link, elapsed_s))
        });
        Reply::html(200, render::page(&csrf, shown)).header(
            "set-cookie",
            format!("livetrack_csrf={cookie}; Path=/; HttpOnly; SameSite=Lax"),
        )
    }

    fn redirect(&self, code: &str, host: &str) -> Reply {
        let session = self.shortcuts.get(code).map(String::as_str);
        let Some((_, link)) = session.and_then(|session| self.race(session)) else {
            return Reply::empty(404);
        };
        let to = format!("http://{host}/session/{}/token/{}", link.session_id, link.token);
        Reply::empty(302).header("location", to)
    }

    /// An answer of the interface: for who has a CSRF pair and a link that works.
    fn data(
        &self,
        asked: &Asked,
        session: &str,
        now: Timestamp,
        tell: impl FnOnce(&Race, &Link, f64) -> Reply,
    ) -> Reply {
        let pair = self.pairs.get(asked.header("livetrack-csrf-token"));
        let is_good = pair.is_some_and(|(cookie, made_at)| {
            asked.cookie("livetrack_csrf") == Some(cookie) && now.duration_since(*made_at) < CSRF_LASTS
        });
        if !is_good {
            return Reply::json(403, &json!({"message": "Forbidden"}));
        }
        let open = self.race(session).and_then(|(race, link)| {
            let elapsed_s = race.elapsed_s(now);
            let is_open = link.is_open(elapsed_s) && asked.parameter("token").as_ref() == Some(&link.token);
            is_open.then(|| tell(race, link, elapsed_s))
        });
        open.unwrap_or_else(|| Reply::json(404, &json!({"message": "Not Found"})))
    }
}

impl PlayedLink {
    /// The path of the link, as a person opens it.
    pub fn path(&self) -> String {
        format!("/session/{}/token/{}", self.session_id, self.token)
    }

    fn of(link: &Link) -> Self {
        Self {
            session_id: link.session_id.clone(),
            token: link.token.clone(),
            short: link.short.clone(),
        }
    }
}

fn points(race: &Race, link: &Link, elapsed_s: f64, begin: Option<&str>) -> Reply {
    let begin = match begin.map(str::parse::<Timestamp>) {
        Some(Err(_)) => return Reply::json(400, &json!({"message": "Bad Request"})),
        Some(Ok(begin)) => Some(begin),
        None => None,
    };
    let page = race.scenario.answers.page_points;
    let points: Vec<_> = race
        .seen(link, elapsed_s, begin)
        .take(page)
        .map(|point| race.told(point))
        .collect();
    if points.is_empty() && race.scenario.answers.empty_body {
        return Reply::empty(200);
    }
    Reply::json(200, &json!({"trackPoints": points}))
}

/// The name of an athlete's permanent page.
fn profile(athlete: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    athlete.to_lowercase().chars().map(word).collect()
}

/// The paths of LiveTrack.
enum Path<'a> {
    Root,
    Page {
        session: &'a str,
        token: Option<&'a str>,
    },
    Session(&'a str),
    Points(&'a str),
    Courses(&'a str),
    /// Of `gar.mn`, or of `live.garmin.com`.
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

/// A path or a query without the token that it may hold.
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
