//! A person's own page: opened by a link from Claude or by a sign-in at Garmin, used without a script, and closed.

use std::time::Duration;

use garmin_gateway::base::clock::Clock;
use garmin_gateway::simulator::SimulatorSettings;
use garmin_gateway::simulator::livetrack::Playback;
use jiff::SignedDuration;
use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use serde_json::{Value, json};

use crate::whole::{Connected, World, log};
use crate::withdrawal::Operator;

/// One browser. It keeps cookies, and follows no redirect by itself.
struct Browser<'w> {
    world: &'w World,
    http: reqwest::Client,
}

struct Shown {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Shown {
    async fn of(answer: reqwest::Response) -> Self {
        Self {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            text: answer.text().await.unwrap(),
        }
    }

    fn header(&self, name: impl reqwest::header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn sees(&self, text: &str) {
        assert!(
            self.text.contains(text),
            "no {text:?} on {} {}",
            self.status,
            self.text
        );
    }

    /// The value of the first hidden field with this name.
    fn hidden(&self, name: &str) -> String {
        let before = format!("name=\"{name}\" value=\"");
        let (_, rest) = self
            .text
            .split_once(&before)
            .unwrap_or_else(|| panic!("no {name}: {}", self.text));
        rest.split('"').next().unwrap().to_owned()
    }
}

impl<'w> Browser<'w> {
    fn new(world: &'w World) -> Self {
        let http = reqwest::Client::builder()
            .cookie_store(true)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        Self {
            world,
            http: http.build().unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Shown {
        let url = self.world.url(path);
        Shown::of(
            self.http
                .get(url)
                .header("accept", "text/html")
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    async fn post(&self, fields: &[(&str, &str)]) -> Shown {
        self.post_from("same-origin", fields).await
    }

    async fn post_from(&self, site: &str, fields: &[(&str, &str)]) -> Shown {
        let post = self.http.post(self.world.url("/me")).form(fields);
        let post = post.header("accept", "text/html").header("sec-fetch-site", site);
        Shown::of(post.send().await.unwrap()).await
    }

    /// Opens the page with a link, as a person does.
    async fn open(&self, link: &str) -> Shown {
        let page = self.get(&path_of(self.world, link)).await;
        assert_eq!(page.status, 200);
        self.post(&[("step", "open"), ("code", &page.hidden("code"))])
            .await
    }

    /// Posts a form of the open page.
    async fn act(&self, step: &str, fields: &[(&str, &str)]) -> Shown {
        let page = self.get("/me").await;
        let csrf = page.hidden("csrf");
        let mut form = vec![("csrf", csrf.as_str()), ("step", step)];
        form.extend(fields);
        self.post(&form).await
    }

    async fn is_open(&self) -> bool {
        self.get("/me").await.text.contains("Connected apps")
    }

    /// Signs in at Garmin in front of the page.
    async fn sign_in(&self, password: &str) -> (Shown, Vec<(String, String)>) {
        let page = self.get("/me").await;
        page.sees("Garmin password");
        let form: Vec<(String, String)> = [
            ("transaction", page.hidden("transaction")),
            ("csrf", page.hidden("csrf")),
            ("step", "credentials".into()),
            ("access", "read_only".into()),
            ("email", "ann@example.org".into()),
            ("password", password.into()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let fields: Vec<(&str, &str)> = form.iter().map(|(name, value)| (&**name, &**value)).collect();
        (self.post(&fields).await, form)
    }
}

fn path_of(world: &World, link: &str) -> String {
    let path = link.strip_prefix(&world.url("")).unwrap();
    assert!(path.starts_with("/me?code=gpc_"), "{path}");
    path.to_owned()
}

async fn link(world: &World, person: &Connected) -> String {
    let told = world
        .told(&person.access_token, "open_my_page", json!({}))
        .await
        .unwrap();
    told["link"].as_str().unwrap().to_owned()
}

async fn ann(world: &World) -> Connected {
    world.connect("ann@example.org", "demo-ann", None).await
}

async fn is_let_in(world: &World, token: &str) -> bool {
    let answer = world
        .http
        .post(world.url("/mcp"))
        .bearer_auth(token)
        .json(&json!({}));
    answer.send().await.unwrap().status() != 401
}

/// The page's boxes and buttons give and withdraw grants. Both sides see them, and Claude can read no more than they
/// permit.
#[tokio::test]
async fn the_page_gives_and_takes_back_what_others_may_see() {
    let world = World::start().await;
    let ann = ann(&world).await;
    let ben = world.connect("ben@example.org", "demo-ben", Some("123456")).await;
    let (browser, bens) = (Browser::new(&world), Browser::new(&world));
    browser.open(&link(&world, &ann).await).await;
    bens.open(&link(&world, &ben).await).await;
    browser.get("/me").await.sees("Nobody else sees your data");
    let until = Clock::system()
        .now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date()
        .tomorrow()
        .unwrap();
    let until = until.to_string();
    let wish = |to: &'static str, group: &'static str| {
        [
            ("to", to),
            ("group", group),
            ("group", "races"),
            ("until", until.as_str()),
            ("name", "Ann"),
        ]
    };
    for (to, group, expected) in [
        ("zoe@example.org", "sleep", "Nobody has connected"),
        ("ben@example.org", "dreams", "There is no group dreams"),
    ] {
        let refused = browser.act("grant_access", &wish(to, group)).await;
        assert_eq!(refused.status, 400);
        refused.sees(expected);
        // What was typed is still there.
        for kept in [to, until.as_str()] {
            refused.sees(&format!("value=\"{kept}\""));
        }
        refused.sees("value=\"races\" checked");
    }
    // The form of another person's page gives nothing.
    let bens_csrf = bens.get("/me").await.hidden("csrf");
    let mut forged = vec![("csrf", bens_csrf.as_str()), ("step", "grant_access")];
    forged.extend(wish("ben@example.org", "sleep"));
    assert_eq!(browser.post(&forged).await.status, 403);
    browser.get("/me").await.sees("Nobody else sees your data");

    let given = browser
        .act("grant_access", &wish("ben@example.org", "sleep"))
        .await;
    assert_eq!(given.header(LOCATION), "/me?done=grant_given");
    let page = browser.get("/me?done=grant_given").await;
    page.sees("They can see it from now on");
    page.sees("Sees sleep, races until the end of");
    let other = bens.get("/me").await;
    other.sees("You see data of Ann");
    assert!(!other.text.contains("ann@example.org"));
    let races = json!({ "person": "Ann" });
    let seen = world
        .told(&ben.access_token, "list_races", races.clone())
        .await
        .unwrap();
    assert_eq!(seen["data_of"], "Ann");

    let id = page.hidden("to");
    let taken_back = browser.act("withdraw_grant", &[("to", &id)]).await;
    assert_eq!(taken_back.header(LOCATION), "/me?done=grant_withdrawn");
    let again = browser.act("withdraw_grant", &[("to", &id)]).await;
    assert_eq!(again.status, 400);
    let refused = world
        .told(&ben.access_token, "list_races", races)
        .await
        .unwrap_err();
    assert!(refused.contains("nobody called"), "{refused}");
    assert!(!bens.get("/me").await.text.contains("You see data of"));
    world.end().await;
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "one story, from the link to the closed page"
)]
async fn a_link_opens_the_page_once_and_the_page_changes_what_it_shows() {
    let mut world = World::with(SimulatorSettings::default(), 10, &[("HISTORY_PACE", "0")]).await;
    let (first, second) = (ann(&world).await, ann(&world).await);
    let ben = world.connect("ben@example.org", "demo-ben", Some("123456")).await;
    let browser = Browser::new(&world);

    let older = link(&world, &first).await;
    let opening = link(&world, &first).await;
    // Programs that preview a link do not use it up.
    for _ in 0..3 {
        let looked = browser.get(&path_of(&world, &opening)).await;
        assert_eq!((looked.status, looked.header(SET_COOKIE)), (200, ""));
        assert_eq!(looked.header("referrer-policy"), "no-referrer");
        assert_eq!(looked.header("cache-control"), "no-store");
        assert!(
            looked
                .header("content-security-policy")
                .starts_with("default-src 'none'")
        );
    }
    assert_eq!(browser.open(&older).await.status, 400, "a newer link replaces it");
    let opened = browser.open(&opening).await;
    assert_eq!((opened.status, opened.header(LOCATION)), (303, "/me"));
    let cookie = opened.header(SET_COOKIE).to_owned();
    assert!(
        cookie.starts_with("own-page=gpv_") && cookie.contains("; HttpOnly; SameSite=Strict"),
        "{cookie}"
    );
    assert_eq!(
        Browser::new(&world).open(&opening).await.status,
        400,
        "a link opens once"
    );

    let page = browser.get("/me").await;
    for text in [
        "Ann Example",
        "A test",
        "It is off",
        "No phone is set up",
        "ann@example.org",
    ] {
        page.sees(text);
    }
    assert!(!page.text.contains("gpc_") && !page.text.contains("gpv_") && !page.text.contains("ben@"));

    // Neither another site nor another person's form changes anything.
    let bens = Browser::new(&world);
    bens.open(&link(&world, &ben).await).await;
    let bens_csrf = bens.get("/me").await.hidden("csrf");
    let csrf = page.hidden("csrf");
    for (site, csrf) in [
        ("same-origin", ""),
        ("same-origin", bens_csrf.as_str()),
        ("cross-site", csrf.as_str()),
    ] {
        let refused = browser
            .post_from(site, &[("csrf", csrf), ("step", "history_on")])
            .await;
        assert_eq!(refused.status, 403);
    }
    let stranger = Browser::new(&world)
        .post(&[("csrf", &csrf), ("step", "history_on")])
        .await;
    assert_eq!(stranger.status, 401);
    assert_eq!(browser.act("dance", &[]).await.status, 400);
    browser.get("/me").await.sees("It is off");

    let wrong = browser
        .act("set_time_zone", &[("time_zone", "Nowhere/Else")])
        .await;
    assert_eq!(wrong.status, 400);
    wrong.sees("id=\"time-zone-problem\" role=\"alert\">This time zone is not known");
    wrong.sees("value=\"Nowhere/Else\"");
    let set = browser
        .act("set_time_zone", &[("time_zone", "Pacific/Auckland")])
        .await;
    assert_eq!(set.header(LOCATION), "/me?done=time_zone_set");
    browser
        .get("/me?done=time_zone_set")
        .await
        .sees("Pacific/Auckland");
    browser.act("history_on", &[]).await;
    // The worker reports days in the chosen time zone.
    loop {
        let status = world
            .told(&first.access_token, "keep_history", json!({"action": "status"}))
            .await
            .unwrap();
        assert_eq!(status["history"], "on");
        let since = status["since"].as_str().unwrap().to_owned();
        if since.ends_with("+13:00") || since.ends_with("+12:00") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let unconfirmed = browser.act("history_off", &[]).await;
    assert_eq!(unconfirmed.status, 400);
    let off = browser.act("history_off", &[("confirm", "yes")]).await;
    assert_eq!(off.header(LOCATION), "/me?done=history_off");
    browser.get("/me").await.sees("It is off");

    assert_eq!(
        browser
            .act("set_tools", &[("tools", "own"), ("names", "get_dreams")])
            .await
            .status,
        400
    );
    let set = browser
        .act(
            "set_tools",
            &[("tools", "own"), ("names", "get_floors, get_stats")],
        )
        .await;
    assert_eq!(set.header(LOCATION), "/me?done=tools_set");
    let list = world.ask(&first.access_token, "tools/list", json!({})).await;
    assert!(list.to_string().contains("\"get_floors\""));
    browser.get("/me").await.sees("value=\"get_floors, get_stats\"");
    let taken = [("mail_addresses", "ben@example.org")];
    let taken = browser.act("set_mail_addresses", &taken).await;
    assert_eq!(taken.status, 400);
    taken.sees("ben@example.org belongs to somebody else here");
    let own = [("mail_addresses", " Races+Ann@example.net ")];
    let set = browser.act("set_mail_addresses", &own).await;
    assert_eq!(set.header(LOCATION), "/me?done=mails_set");
    browser.get("/me").await.sees("value=\"races+ann@example.net\"");
    let no_channel = browser.act("set_phone", &[("ntfy_topic", "anns-own")]).await;
    assert_eq!(no_channel.status, 400);
    no_channel.sees("This gateway has no ntfy");
    no_channel.sees("It is a secret, so it is not shown again");
    assert!(!no_channel.text.contains("anns-own"), "a topic is a secret");

    let exported = browser.act("export", &[]).await;
    assert!(
        exported
            .header("content-disposition")
            .starts_with("attachment; filename=")
    );
    let exported: Value = serde_json::from_str(&exported.text).unwrap();
    assert_eq!(exported["account"]["email"], "ann@example.org");
    assert_eq!(
        exported["choices"],
        json!({
            "time_zone": "Pacific/Auckland", "tools": "get_floors, get_stats",
            "mail_addresses": ["races+ann@example.net"],
        })
    );

    // The form of the app that opened the page says that ending it closes the page. The other form is that of the other
    // app.
    let page = browser.get("/me").await;
    let forms: Vec<&str> = page
        .text
        .split("<form")
        .filter(|form| form.contains("value=\"end_app\""))
        .collect();
    assert_eq!(forms.len(), 2);
    let other = forms
        .iter()
        .find(|form| !form.contains("close this page"))
        .unwrap();
    let app = other
        .split("name=\"app\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let bens_app = bens.get("/me").await.hidden("app");
    assert_eq!(
        browser.act("end_app", &[("app", &bens_app)]).await.status,
        400,
        "somebody else's app"
    );
    assert_eq!(
        browser.act("end_app", &[("app", app)]).await.header(LOCATION),
        "/me?done=app_ended"
    );
    assert!(is_let_in(&world, &first.access_token).await && is_let_in(&world, &ben.access_token).await);
    assert!(!is_let_in(&world, &second.access_token).await);

    // The page survives a restart, and ends with a click.
    let http = browser.http.clone();
    world.restart().await;
    let browser = Browser { world: &world, http };
    assert!(browser.is_open().await);
    let closed = browser.act("sign_out", &[]).await;
    closed.sees("The page is closed");
    assert!(closed.header(SET_COOKIE).contains("Max-Age=0"));
    assert!(!browser.is_open().await);
    let value = cookie.split(['=', ';']).nth(1).unwrap();
    let again = Browser::new(&world)
        .http
        .get(world.url("/me"))
        .header("cookie", format!("own-page={value}"));
    assert!(
        !again
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains("Connected apps")
    );

    let (events, _) = log().ring().follow();
    let lines: String = events.iter().map(|event| event.to_json()).collect();
    assert!(lines.contains("page.opened") && lines.contains("page.app_ended"));
    let code = opening.split("code=").nth(1).unwrap();
    assert!(!lines.contains(code) && !lines.contains(value));
}

#[tokio::test]
async fn a_sign_in_at_garmin_opens_the_page_and_forget_deletes_everything() {
    let world = World::start().await;
    let client = ann(&world).await;
    let browser = Browser::new(&world);
    let (refused, _) = browser.sign_in("a guess").await;
    assert_eq!(refused.status, 200);
    refused.sees("were not accepted");
    assert!(!browser.is_open().await);
    let (opened, form) = browser.sign_in("demo-ann").await;
    assert_eq!((opened.status, opened.header(LOCATION)), (303, "/me"));
    assert!(browser.is_open().await);
    browser.act("sign_out", &[]).await;
    // Going back and posting the form once more opens nothing.
    let fields: Vec<(&str, &str)> = form.iter().map(|(name, value)| (&**name, &**value)).collect();
    let again = browser.post(&fields).await;
    assert_eq!((again.status, again.header(SET_COOKIE)), (400, ""));
    assert!(!browser.is_open().await);

    browser.sign_in("demo-ann").await;
    let other = Browser::new(&world);
    other.open(&link(&world, &client).await).await;
    assert!(other.is_open().await);
    assert_eq!(browser.act("forget", &[]).await.status, 400);
    assert!(is_let_in(&world, &client.access_token).await);
    browser
        .act("forget", &[("confirm", "yes")])
        .await
        .sees("Everything about you is deleted");
    assert!(!is_let_in(&world, &client.access_token).await);
    assert!(!browser.is_open().await && !other.is_open().await);
    assert!(world.accounts().list().unwrap().is_empty());
}

#[tokio::test]
async fn the_page_closes_with_time_and_with_the_access() {
    let clock = Clock::manual("2026-11-20T12:00:00Z".parse().unwrap());
    let world = World::start_at(clock.clone()).await;
    let client = ann(&world).await;
    let late = link(&world, &client).await;
    clock.advance(SignedDuration::from_mins(11));
    assert_eq!(Browser::new(&world).open(&late).await.status, 400);

    let browser = Browser::new(&world);
    browser.open(&link(&world, &client).await).await;
    clock.advance(SignedDuration::from_mins(29));
    assert!(browser.is_open().await);
    clock.advance(SignedDuration::from_mins(2));
    assert!(!browser.is_open().await);

    // The page closes with the client that asked for the link.
    browser.open(&link(&world, &client).await).await;
    assert!(browser.is_open().await);
    let waiting = link(&world, &client).await;
    let revoked = [("token", client.refresh_token.as_str())];
    world
        .http
        .post(world.url("/revoke"))
        .form(&revoked)
        .send()
        .await
        .unwrap();
    assert!(!browser.is_open().await);
    assert_eq!(Browser::new(&world).open(&waiting).await.status, 400);

    // The page closes with the account's access, also after a sign-in at Garmin.
    let browser = Browser::new(&world);
    browser.sign_in("demo-ann").await;
    assert!(browser.is_open().await);
    let mut operator = Operator::connect(&world.socket()).await;
    operator
        .act(json!({"revoke": {"account": "ann@example.org"}}))
        .await;
    assert!(!browser.is_open().await);

    // Guesses are limited by address. Behind a proxy that forwards no addresses, everybody shares one limit.
    let stranger = Browser::new(&world);
    let guesses = async |from: Option<&str>| {
        let mut statuses = Vec::new();
        for n in 0..60 {
            let code = format!("gpc_{n}");
            let form = [("step", "open"), ("code", code.as_str())];
            let mut post = stranger.http.post(world.url("/me")).form(&form);
            if let Some(from) = from {
                post = post.header("x-forwarded-for", from);
            }
            statuses.push(post.send().await.unwrap().status().as_u16());
        }
        statuses
    };
    let guessed = guesses(Some("203.0.113.7")).await;
    assert!(
        guessed.iter().all(|status| [400, 429].contains(status)) && guessed.contains(&429),
        "{guessed:?}"
    );
    assert!(guesses(None).await.iter().all(|status| *status == 400));
}

#[tokio::test]
async fn the_links_of_a_race_are_made_joined_and_ended_on_the_page() {
    let world = World::start().await;
    let ann = ann(&world).await;
    let scenario = garmin_gateway::simulator::livetrack::demo_race().unwrap();
    let started = Playback {
        elapsed_s: 1800,
        ..Playback::default()
    };
    let livetrack = world.simulator.play(&scenario, started).remove(0).to_string();
    let tracking = json!({"url": livetrack, "race_config": scenario.race_config});
    let race = world
        .told(&ann.access_token, "start_tracking", tracking)
        .await
        .unwrap();
    let race = race["race"].as_str().unwrap();
    let browser = Browser::new(&world);
    browser.open(&link(&world, &ann).await).await;
    browser.get("/me").await.sees("It has no link.");

    let made = browser
        .act(
            "share_race",
            &[
                ("race", race),
                ("role", "family"),
                ("name", "Annie"),
                ("with", ""),
            ],
        )
        .await;
    made.sees("It is shown only now");
    let (_, url) = made.text.split_once("<a href=\"http").unwrap();
    let url = format!("http{}", url.split('"').next().unwrap());
    let page = world.http.get(&url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Annie"), "{page}");
    let shown = browser.get("/me").await;
    shown.sees("Your name on it: Annie. It ends 24 hours after the race.");
    assert!(!shown.text.contains(&url), "the address is told once");

    // A link that this race is already on, a link that does not exist, and a race that does not exist.
    for (race, with, why) in [
        (race, url.as_str(), "This race is on that link already"),
        (
            race,
            "https://gw.example.org/r/x",
            "No link with this address works",
        ),
        ("race_aaaaaaaaaaaaaaaa", "", "no longer here"),
    ] {
        let fields = [("race", race), ("role", "crew"), ("name", ""), ("with", with)];
        let refused = browser.act("share_race", &fields).await;
        assert_eq!(refused.status, 400);
        refused.sees(why);
        assert!(
            with.is_empty() || !refused.text.contains(with),
            "a link is a secret"
        );
    }
    // Ben joins the link, and Ann takes him off it.
    let ben = world.connect("ben@example.org", "demo-ben", Some("123456")).await;
    let livetrack = world
        .simulator
        .play(&scenario, Playback::default())
        .remove(0)
        .to_string();
    let tracking = json!({"url": livetrack, "race_config": scenario.race_config});
    let tracked = world.told(&ben.access_token, "start_tracking", tracking).await;
    let bens = tracked.unwrap()["race"].as_str().unwrap().to_owned();
    let joining = json!({"race": bens, "action": "make", "with": url, "name": "Ben"});
    world
        .told(&ben.access_token, "share_race", joining)
        .await
        .unwrap();
    let page = browser.get("/me").await;
    page.sees("Other athletes on it: 1.");
    let (before, _) = page.text.split_once("Take Ben off this link</button>").unwrap();
    let (_, part) = before.rsplit_once("name=\"share\" value=\"").unwrap();
    let part = part.split('"').next().unwrap();
    let off = browser.act("end_share", &[("race", race), ("share", part)]).await;
    assert_eq!(off.header(LOCATION), "/me?done=athlete_off");
    browser
        .get("/me?done=athlete_off")
        .await
        .sees("The athlete is off that page now");
    assert!(!browser.get("/me").await.text.contains("Other athletes on it"));
    let share = browser.get("/me").await.hidden("share");
    let ended = browser
        .act("end_share", &[("race", race), ("share", &share)])
        .await;
    assert_eq!(ended.status, 303);
    browser.get("/me").await.sees("It has no link.");
    assert_eq!(world.http.get(&url).send().await.unwrap().status(), 404);
    let again = browser
        .act("end_share", &[("race", race), ("share", &share)])
        .await;
    again.sees("no longer here");
}
