use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::super::demo_people;
use super::super::faults::{Fault, FaultRule, Place};
use super::super::reply::{SimulatedRequest, SimulatedResponse};
use super::super::world::World;
use super::scenario::Scenario;
use super::{Playback, PlayedLink, demo_race, without_token};
use crate::garmin::livetrack::{self, LiveTrackError, LiveTrackSession, Trackpoint};

fn start() -> Timestamp {
    "2026-10-04T08:00:00.250Z".parse().unwrap()
}

fn world() -> World {
    World::new(demo_people(), vec![], 1, SignedDuration::from_hours(1))
}

/// All scenario files by name.
fn scenarios() -> Vec<(String, Scenario)> {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios");
    // Files whose names begin with `claims`, and those in subdirectories, have other formats.
    let is_scenario = |path: &std::path::PathBuf| {
        path.is_file() && !path.file_name().unwrap().to_string_lossy().starts_with("claims")
    };
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(is_scenario)
        .collect();
    files.sort();
    let read = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let scenario = Scenario::read(&std::fs::read_to_string(&path).unwrap());
        (name.clone(), scenario.unwrap_or_else(|e| panic!("{name}: {e:?}")))
    };
    files.into_iter().map(read).collect()
}

fn named(name: &str) -> Scenario {
    scenarios()
        .into_iter()
        .find(|(known, _)| known == name)
        .unwrap()
        .1
}

/// A LiveTrack client that sends its CSRF pair with each request, as the site's own page does.
#[derive(Default)]
struct Client {
    csrf: String,
    cookie: String,
}

impl Client {
    fn ask(&self, world: &mut World, path_and_query: &str, now: Timestamp) -> SimulatedResponse {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let headers = [
            ("host", "127.0.0.1:1"),
            ("livetrack-csrf-token", self.csrf.as_str()),
            ("cookie", self.cookie.as_str()),
        ];
        let asked = SimulatedRequest {
            method: "GET".into(),
            path: path.into(),
            query: query.into(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ..SimulatedRequest::default()
        };
        world.answer(&asked, now)
    }

    fn bootstrap(&mut self, world: &mut World, page: &str, now: Timestamp) -> String {
        let reply = self.ask(world, page, now);
        let html = text(&reply).to_owned();
        self.csrf = livetrack::csrf_token(&html).unwrap_or_default();
        let cookie = reply.headers.iter().find(|(name, _)| *name == "set-cookie");
        let cookie = cookie.map(|(_, value)| value.split(';').next().unwrap_or_default());
        cookie.unwrap_or_default().clone_into(&mut self.cookie);
        html
    }

    /// Requests data from the API. After a 403 it fetches a new CSRF pair and tries once more.
    fn data(&mut self, world: &mut World, path: &str, now: Timestamp) -> SimulatedResponse {
        let reply = self.ask(world, path, now);
        if reply.status != 403 {
            return reply;
        }
        // The root page also issues a CSRF pair, without any race data.
        self.bootstrap(world, "/", now);
        self.ask(world, path, now)
    }

    fn points(
        &mut self,
        world: &mut World,
        link: &PlayedLink,
        begin: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Vec<Trackpoint>, u16> {
        let PlayedLink {
            session_id, token, ..
        } = link;
        let begin = begin.map_or_else(String::new, |begin| format!("&begin={begin}"));
        let path = format!("/api/sessions/{session_id}/track-points/common?token={token}{begin}");
        let reply = self.data(world, &path, now);
        if reply.status != 200 {
            return Err(reply.status);
        }
        match livetrack::points(&reply.body) {
            Ok(read) => {
                assert_eq!(read.unreadable, 0);
                Ok(read.points)
            }
            Err(_) => Ok(livetrack::page(&self.bootstrap(world, &link.path(), now)).points),
        }
    }
}

fn text(reply: &SimulatedResponse) -> &str {
    std::str::from_utf8(&reply.body).unwrap()
}

fn after(seconds: u32) -> Timestamp {
    start() + SignedDuration::from_secs(seconds.into())
}

/// Polls a link every quarter of an hour until `to_s`, and returns every point it served.
fn follow(world: &mut World, link: &PlayedLink, to_s: u32) -> BTreeMap<Timestamp, Trackpoint> {
    let mut client = Client::default();
    let mut series = BTreeMap::<Timestamp, Trackpoint>::new();
    for now in (900..to_s).step_by(900).chain([to_s]).map(after) {
        // Each poll overlaps the last 15 minutes, so that late points are found.
        let newest = series.last_key_value().map(|(at, _)| *at);
        let mut begin = newest.map(|at| at - SignedDuration::from_mins(15));
        loop {
            let told = client.points(world, link, begin, now).unwrap_or_default();
            let last = told.last().map(|point| point.at);
            let before = series.len();
            series.extend(told.into_iter().map(|point| (point.at, point)));
            if series.len() == before && last.is_none_or(|last| Some(last) >= newest) {
                break;
            }
            begin = last;
        }
    }
    series
}

#[test]
fn who_follows_a_scenario_has_exactly_its_points() {
    for (name, scenario) in scenarios() {
        let mut world = world();
        for link in world.livetrack.play(&scenario, Playback::default(), start()) {
            let all = world.livetrack.points(&link.session_id);
            let all: Vec<_> = all.iter().map(|point| Trackpoint::read(point).unwrap()).collect();
            assert!(all.len() > 100, "{name}: {}", all.len());
            let (race, part) = world.livetrack.race(&link.session_id).unwrap();
            let ends_s = race.all(part).map(|point| point.seen_s).max().unwrap();
            let seen = follow(&mut world, &link, ends_s);
            let seen: Vec<_> = seen.into_values().collect();
            let first_other = seen.iter().zip(&all).find(|(seen, told)| seen != told);
            assert_eq!((first_other, seen.len()), (None, all.len()), "{name}");
        }
    }
}

fn played(scenario: &Scenario, pace: Playback) -> (World, PlayedLink) {
    let mut world = world();
    let link = world.livetrack.play(scenario, pace, start()).remove(0);
    (world, link)
}

#[test]
fn the_interface_wants_a_pair_a_token_and_a_young_link() {
    let (mut world, link) = played(&named("marathon"), Playback::default());
    let PlayedLink {
        session_id, token, ..
    } = &link;
    let session = format!("/api/sessions/{session_id}?token={token}");
    let mut client = Client::default();
    assert_eq!(client.ask(&mut world, &session, after(60)).status, 403);
    client.bootstrap(&mut world, &link.path(), after(60));
    assert_eq!(client.ask(&mut world, &session, after(60)).status, 200);
    let without_cookie = Client {
        cookie: String::new(),
        csrf: client.csrf.clone(),
    };
    assert_eq!(without_cookie.ask(&mut world, &session, after(60)).status, 403);
    let wrong = format!("/api/sessions/{session_id}?token=0000000000000000000000000000000");
    assert_eq!(client.ask(&mut world, &wrong, after(60)).status, 404);
    assert_eq!(client.ask(&mut world, &session, after(60 + 600)).status, 403);
    assert_eq!(client.data(&mut world, &session, after(86_399)).status, 200);
    assert_eq!(client.data(&mut world, &session, after(86_401)).status, 404);
}

#[test]
fn the_session_ends_when_the_scenario_says_so() {
    for (name, moves) in [("marathon", true), ("no_end", false), ("watch_died", false)] {
        let (mut world, link) = played(&named(name), Playback::default());
        let mut client = Client::default();
        let path = format!("/api/sessions/{}?token={}", link.session_id, link.token);
        let mut at = |second| {
            let now = after(second);
            let reply = client.data(&mut world, &path, now);
            LiveTrackSession::read(&reply.body).unwrap().ended_at(now)
        };
        assert_eq!(at(3600), None, "{name}");
        assert_eq!(at(40_000).is_some(), moves, "{name}");
    }
}

#[test]
fn short_links_and_profiles_lead_to_the_session() {
    let (mut world, link) = played(&named("marathon"), Playback::default());
    for path in [format!("/{}", link.short), "/ann_e".to_owned()] {
        let reply = Client::default().ask(&mut world, &path, after(10));
        let (_, to) = reply
            .headers
            .iter()
            .find(|(name, _)| *name == "location")
            .unwrap();
        assert_eq!(
            (reply.status, to),
            (302, &format!("http://127.0.0.1:1{}", link.path()))
        );
    }
    assert_eq!(
        Client::default().ask(&mut world, "/nobody", after(10)).status,
        401
    );
}

#[test]
fn a_course_is_told_where_there_is_one() {
    for (name, there) in [("course", true), ("no_end", false)] {
        let (mut world, link) = played(&named(name), Playback::default());
        let path = format!(
            "/api/v1/sessions/{}/courses?token={}",
            link.session_id, link.token
        );
        let reply = Client::default().data(&mut world, &path, after(60));
        assert_eq!(
            !livetrack::course(&reply.body).unwrap().is_empty(),
            there,
            "{name}"
        );
    }
}

#[test]
fn the_page_tells_the_same_in_both_kinds() {
    for hydration in ["next_data", "fragments"] {
        let mut scenario = serde_json::to_value(named("marathon")).unwrap();
        scenario["answers"]["hydration"] = hydration.into();
        scenario["session_name"] = "</script><b> & \"so on\"".into();
        let (mut world, link) = played(&serde_json::from_value(scenario).unwrap(), Playback::default());
        let page = livetrack::page(&Client::default().bootstrap(&mut world, &link.path(), after(3600)));
        let seen = follow(&mut world, &link, 3600);
        assert_eq!(page.points, seen.into_values().collect::<Vec<_>>(), "{hydration}");
        let session = page.session.unwrap();
        assert_eq!(session.name.as_deref(), Some("</script><b> & \"so on\""));
    }
}

#[test]
fn time_goes_as_fast_as_it_is_told() {
    let pace = Playback {
        speed: 60.0,
        elapsed_s: 1800,
    };
    let (mut world, link) = played(&named("marathon"), pace);
    let mut client = Client::default();
    let mut newest = |second| {
        let told = client.points(&mut world, &link, None, after(second)).unwrap();
        told.len()
    };
    // Samples are taken every 10 s; those of the last 15 s are not posted yet.
    assert_eq!((newest(0), newest(10)), (179, 239));
}

#[test]
fn faults_are_set_by_the_scenario_or_by_hand() {
    let scenario = named("faults");
    let (mut world, link) = played(&scenario, Playback::default());
    let mut client = Client::default();
    let mut seen = HashMap::new();
    for timed in &scenario.faults {
        client.bootstrap(&mut world, &link.path(), after(timed.at_s.saturating_sub(30)));
        let PlayedLink {
            session_id, token, ..
        } = &link;
        let path = format!("/api/sessions/{session_id}/track-points/common?token={token}");
        let reply = client.ask(&mut world, &path, after(timed.at_s));
        let read = livetrack::points(&reply.body);
        seen.insert(
            (reply.status, matches!(read, Err(LiveTrackError::Page))),
            timed.at_s,
        );
    }
    for wanted in [(403, false), (429, false), (503, false), (200, true)] {
        assert!(seen.contains_key(&wanted), "{wanted:?}");
    }
    let rule = FaultRule::new(Place::LivetrackPoints, Fault::Status { status: 502 }).of(&link.session_id);
    world.faults.add(rule.times(1));
    assert_eq!(client.points(&mut world, &link, None, after(300)), Err(502));
    assert!(client.points(&mut world, &link, None, after(300)).is_ok());
}

#[test]
fn the_log_of_requests_has_no_token() {
    let (mut world, link) = played(&demo_race().unwrap(), Playback::default());
    follow(&mut world, &link, 200);
    let remembered = format!("{:?}", world.recorded);
    assert!(remembered.contains(&link.session_id) && !remembered.contains(&link.token));
    assert_eq!(without_token("/session/a/token/B/"), "/session/a/token/…");
    assert_eq!(without_token("a=1&token=B&begin=x"), "a=1&token=…&begin=x");
    assert_eq!(without_token("/a/b?c"), "/a/b?c");
}
