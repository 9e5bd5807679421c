//! The page of a shared race: what it shows to whom, when it ends, and what its token opens.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use garmin_gateway::admin::api::{AdminAct, AdminAnswer, AdminRead, AdminRequest, RevocationTarget};
use garmin_gateway::admin::client::AdminClient;
use garmin_gateway::simulator::livetrack::Playback;
use jiff::SignedDuration;
use reqwest::header::ACCEPT_LANGUAGE;
use serde_json::{Value, json};

use super::{Tracked, scenario, url};
use crate::whole::World;

/// The path of a page, with its token, from the whole URL.
pub(super) fn path(url: &str) -> String {
    let at = url.find("/r/").unwrap_or_else(|| panic!("{url}"));
    url[at..].to_owned()
}

pub(super) async fn get(world: &World, path: &str) -> (u16, String) {
    let answer = world.http.get(world.url(path)).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

pub(super) async fn ask(world: &World, request: AdminRequest) -> AdminAnswer {
    let mut client = AdminClient::connect(&world.socket()).await.unwrap();
    client.ask(request).await.unwrap()
}

impl Tracked {
    /// The path of a new share, made by Ann's client.
    pub(super) async fn shared(&self, mut arguments: Value) -> String {
        arguments["action"] = json!("make");
        let made = self.told("share_race", arguments).await;
        path(made["url"].as_str().unwrap())
    }
}

/// The bound for an open page to learn that a share has ended.
pub(super) const AT_ONCE: Duration = Duration::from_secs(1);

/// An open stream of a page.
pub(super) struct Stream(reqwest::Response);

impl Stream {
    pub(super) async fn open(world: &World, path: &str) -> Self {
        let answer = world
            .http
            .get(world.url(&format!("{path}/live")))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self(answer)
    }

    /// Reads until the text has arrived or the stream has ended. Returns everything that was read.
    pub(super) async fn until(&mut self, text: &str) -> String {
        let mut read = String::new();
        let reading = async {
            while !read.contains(text) {
                let Some(chunk) = self.0.chunk().await.unwrap() else {
                    break;
                };
                read.push_str(&String::from_utf8_lossy(&chunk));
            }
        };
        tokio::time::timeout(Duration::from_secs(20), reading)
            .await
            .unwrap();
        read
    }

    /// Reads until the state in words has changed. Beats without a change may come first, because joining a link
    /// changes two races, one after the other.
    pub(super) async fn change(&mut self) -> String {
        loop {
            let read = self.until("event: beat").await;
            if read.contains(r#""id":"now""#) {
                return read;
            }
        }
    }

    /// Reads the last event, which must come at once, and the end.
    pub(super) async fn ends(mut self) {
        let since = Instant::now();
        let last = self.until("never sent").await;
        assert!(last.contains("event: ended"), "{last}");
        assert!(since.elapsed() < AT_ONCE, "{:?}", since.elapsed());
    }
}

#[tokio::test]
async fn a_page_shows_the_race_to_whom_it_is_for() {
    let tracked = Tracked::start("marathon").await;
    let world = &tracked.world;
    let family = tracked.shared(json!({})).await;
    assert!(get(world, &family).await.1.contains("Not started yet."));
    tracked.play(3600).await;
    let crew = tracked.shared(json!({"role": "crew", "name": "Josi <3"})).await;

    let answer = world.http.get(world.url(&family)).send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert_eq!(header("x-robots-tag"), "noindex, nofollow");
    assert_eq!(header("cache-control"), "no-store");
    let policy = header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "style-src 'sha256-",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"));
    let page = answer.text().await.unwrap();
    let script = get(world, "/race.js").await.1;
    assert!(page.len() + script.len() <= 60_000, "{} bytes", page.len());
    for part in [
        "Running.",
        "Last seen",
        "km to go",
        "<title>Live race</title>",
        "http-equiv=\"refresh\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let session = &tracked.told("get_tracking_status", json!({})).await;
    let athlete = session["athlete"].as_str().unwrap();
    for hidden in [athlete, "bpm", "Heart rate", "ann@example.org", &tracked.race] {
        assert!(!page.contains(hidden), "{hidden}");
    }
    let page = get(world, &crew).await.1;
    for part in ["Heart rate", "bpm", "Josi &#60;3"] {
        assert!(page.contains(part), "{part}");
    }
    for (query, accept, words) in [
        ("", "de-AT,en;q=0.5", "Läuft."),
        ("", "nl", "Running."),
        ("?lang=fr", "de", "Court."),
        ("?lang=es", "de", "Corriendo."),
        ("?lang=it", "de", "Corre."),
        ("?lang=xx", "de", "Läuft."),
    ] {
        let asked = world.http.get(world.url(&format!("{family}{query}")));
        let page = asked.header(ACCEPT_LANGUAGE, accept).send().await.unwrap();
        let page = page.text().await.unwrap();
        assert!(page.contains(words), "{query} {accept}");
    }
}

#[tokio::test]
async fn an_ended_race_is_shown_until_its_share_expires() {
    let mut tracked = Tracked::start("marathon").await;
    let family = tracked.shared(json!({"hours_after": 2})).await;
    tracked.play_to_the_end().await;
    tracked.world.restart().await;
    let page = get(&tracked.world, &family).await.1;
    assert!(
        page.contains("Finished in") && page.contains("This link works until"),
        "{page}"
    );
    let stream = Stream::open(&tracked.world, &family).await;
    tracked.clock.advance(SignedDuration::from_hours(3));
    stream.ends().await;
    assert_eq!(get(&tracked.world, &family).await.0, 404);
    let listed = tracked.told("share_race", json!({"action": "list"})).await;
    assert_eq!(listed["shares"], json!([]));
}

/// The same link, once the race is over: words, tables, and for the crew the track as a file.
#[tokio::test]
async fn an_ended_race_is_reported_to_whom_it_is_for() {
    let tracked = Tracked::start("marathon").await;
    let world = &tracked.world;
    let family = tracked.shared(json!({})).await;
    let crew = tracked.shared(json!({"role": "crew", "name": "Josi & Co"})).await;
    tracked.play(3600).await;
    let live = get(world, &crew).await.1;
    assert!(!live.contains("<h2>Report</h2>") && live.contains("http-equiv=\"refresh\""));
    assert_eq!(
        get(world, &format!("{crew}?gpx=0")).await.0,
        404,
        "the race goes on"
    );
    tracked.play_to_the_end().await;
    let (for_family, for_crew) = (get(world, &family).await.1, get(world, &crew).await.1);
    for page in [&for_family, &for_crew] {
        for part in [
            "<h2>Report</h2>",
            "On average",
            "Pace: the higher the line",
            "<th scope=\"row\">km 42",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(
            !page.contains("http-equiv=\"refresh\""),
            "a report needs no reload"
        );
        assert!(page.len() <= 55_000, "{} bytes", page.len());
    }
    assert!(for_crew.contains("The heart beat at") && for_crew.contains("?gpx=0"));
    assert!(!for_family.contains("bpm") && !for_family.contains("gpx") && !for_family.contains("heart"));

    let answer = world
        .http
        .get(world.url(&format!("{crew}?gpx=0")))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["content-type"], "application/gpx+xml");
    assert_eq!(answer.headers()["x-robots-tag"], "noindex, nofollow");
    let file = answer.text().await.unwrap();
    assert!(file.contains("<name>Josi &amp; Co</name>") && file.ends_with("</gpx>\n"));
    let placed = tracked
        .kept()
        .iter()
        .filter(|point| point.position.is_some())
        .count();
    assert_eq!(file.matches("<trkpt").count(), placed);
    for (path, number) in [(&family, "0"), (&crew, "1"), (&crew, "x"), (&crew, "-1")] {
        let (status, body) = get(world, &format!("{path}?gpx={number}")).await;
        assert_eq!((status, body.contains("trkpt")), (404, false), "{number}");
    }
}

#[tokio::test]
async fn what_never_was_looks_like_what_has_ended() {
    let tracked = Tracked::start("marathon").await;
    let world = &tracked.world;
    tracked.play(1800).await;
    let path = tracked.shared(json!({"name": "Josi"})).await;
    let other = tracked.shared(json!({})).await;
    let listed = tracked.told("share_race", json!({"action": "list"})).await;
    let mut shares = listed["shares"].as_array().unwrap().iter();
    let named = shares.find(|share| share["name"] == "Josi").unwrap();
    let share = named["share"].as_str().unwrap();
    let stream = Stream::open(world, &path).await;
    let ended = tracked
        .told("share_race", json!({"action": "end", "share": share}))
        .await;
    assert_eq!(
        (&ended["ended"], ended["shares"].as_array().unwrap().len()),
        (&json!(1), 1)
    );
    stream.ends().await;
    let mut bodies = BTreeSet::new();
    let unknown = format!("/r/{}", "A".repeat(43));
    for gone in [
        &path,
        &unknown,
        "/r/x",
        &format!("{path}x"),
        &format!("{path}/live"),
    ] {
        let (status, body) = get(world, gone).await;
        assert_eq!(status, 404, "{gone}");
        bodies.insert(body);
    }
    assert_eq!(bodies.len(), 1, "they are told apart");
    assert!(!bodies.first().unwrap().contains("Josi"));
    assert_eq!(get(world, &other).await.0, 200, "the other link works on");
}

#[tokio::test]
async fn a_stream_sends_what_changes_and_ends_with_the_access() {
    let tracked = Tracked::start("marathon").await;
    let world = &tracked.world;
    tracked.play(1800).await;
    let shared = AdminAct::ShareRace {
        race: tracked.race.clone(),
        role: "crew".into(),
        name: None,
        privacy_m: None,
        hours_after: None,
        with: None,
    };
    let AdminAnswer::Shared { url, id } = ask(world, AdminRequest::Act(shared)).await else {
        panic!("no share")
    };
    let path = path(&url);
    let mut stream = Stream::open(world, &path).await;
    let first = stream.until("event: beat").await;
    assert!(
        first.contains(r#""id":"now""#) && first.contains("Running."),
        "{first}"
    );
    tracked.play(2400).await;
    let more = stream.until("event: beat").await;
    assert!(more.contains(r#""id":"now""#), "{more}");
    let read = AdminRequest::Read(AdminRead::Shares {
        race: tracked.race.clone(),
    });
    let AdminAnswer::Shares(shares) = ask(world, read).await else {
        panic!("no list")
    };
    assert_eq!(
        (shares[0].id.as_str(), shares[0].by_operator),
        (id.as_str(), true)
    );
    let revoke = AdminAct::Revoke(RevocationTarget::Account("ann@example.org".into()));
    ask(world, AdminRequest::Act(revoke)).await;
    stream.ends().await;
    assert_eq!(get(world, &path).await.0, 404);
}

#[tokio::test]
async fn a_forgotten_person_leaves_no_page() {
    let tracked = Tracked::start("marathon").await;
    let world = &tracked.world;
    tracked.play(1800).await;
    let path = tracked.shared(json!({})).await;
    let stream = Stream::open(world, &path).await;
    let forget = AdminAct::Forget {
        account: "ann@example.org".into(),
    };
    ask(world, AdminRequest::Act(forget)).await;
    stream.ends().await;
    assert_eq!(get(world, &path).await.0, 404);
}

/// Every path with every method, with the token wherever one may be given.
#[tokio::test]
async fn a_token_opens_one_page_and_nothing_else() {
    let tracked = Tracked::start("marathon").await;
    let world = &tracked.world;
    tracked.play(1800).await;
    let path = tracked.shared(json!({"role": "crew"})).await;
    // The token of a page with two athletes opens no more than that of a page with one.
    let ben = tracked
        .world
        .connect("ben@example.org", "demo-ben", Some("123456"))
        .await;
    let aid_station = scenario("aid_station");
    let links = world.simulator.links(&aid_station, Playback::default());
    let bens = json!({"url": url(&links[0])});
    world
        .told(&ben.access_token, "start_tracking", bens)
        .await
        .unwrap();
    let with = json!({"action": "make", "with": path});
    world.told(&ben.access_token, "share_race", with).await.unwrap();
    let token = path.strip_prefix("/r/").unwrap();
    let paths = [
        "/mcp",
        "/mcp/",
        "/control",
        "/token",
        "/revoke",
        "/register",
        "/authorize",
        "/link",
        "/health",
        "/race.js",
        "/r/",
        "/r",
        "/r/live",
        "/r//live",
        "/r/?gpx=0",
        "/races",
        "/admin",
        "/export",
        "/",
    ];
    let mut tries = 0;
    for path in paths {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            for (place, body) in [
                ("bearer", "{\"hr_max\": 100}"),
                ("query", ""),
                ("form", "token"),
                ("cookie", ""),
            ] {
                let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
                let url = if place == "query" {
                    let joint = if path.contains('?') { '&' } else { '?' };
                    format!("{path}{joint}token={token}&share={token}&with={token}&access_token={token}")
                } else {
                    path.to_owned()
                };
                let asked = world.http.request(method, world.url(&url));
                let asked = match place {
                    "bearer" => asked
                        .bearer_auth(token)
                        .header("content-type", "application/json")
                        .body(body),
                    "cookie" => asked.header("cookie", format!("gateway={token}")),
                    "form" => asked.form(&[
                        ("token", token),
                        ("code", token),
                        ("grant_type", "authorization_code"),
                    ]),
                    _ => asked,
                };
                let answer = asked.send().await.unwrap();
                let status = answer.status().as_u16();
                let body = answer.text().await.unwrap();
                let secret = [&tracked.race, "Running.", "race_config", "access_token\":"];
                assert!(
                    secret.iter().all(|secret| !body.contains(secret)),
                    "{path} {place}"
                );
                if ["/mcp", "/mcp/", "/control"].contains(&path) {
                    assert!([401, 405].contains(&status), "{path} {place} {status}");
                }
                tries += 1;
            }
        }
    }
    assert!(tries >= 500, "{tries}");
    for (method, status) in [("POST", 405), ("DELETE", 405), ("HEAD", 200)] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let answer = world.http.request(method, world.url(&path)).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
    }
}
