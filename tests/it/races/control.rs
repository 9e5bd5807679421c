//! `POST /control` and `GET /health`, row by row, and what happens to races when their owner's access ends.

use garmin_gateway::accounts::AccountId;
use garmin_gateway::admin::api::{
    AdminAct, AdminAnswer, AdminRead, AdminRequest, RevocationSummary, RevocationTarget,
};
use garmin_gateway::admin::client::AdminClient;
use garmin_gateway::base::secrets::{RootSecret, Secret};
use garmin_gateway::notify::message::{Phone, SetPhoneError};
use garmin_gateway::oauth::FamilyId;
use garmin_gateway::race::id::RaceId;
use garmin_gateway::races::{RaceActError, RaceCaller, TrackingError};
use garmin_gateway::simulator::{Fault, FaultRule, Place};
use garmin_gateway::store::{Packed, Record, Store, Table};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Tracked, url};
use crate::whole::Connected;

/// A response: its status, its challenge header, and its JSON.
struct Told {
    status: u16,
    allow: Option<String>,
    challenge: Option<String>,
    json: Value,
}

impl Tracked {
    async fn send(&self, method: Method, path: &str, bearer: Option<&str>, body: String) -> Told {
        let mut request = self.world.http.request(method, self.world.url(path)).body(body);
        if let Some(bearer) = bearer {
            request = request.header("authorization", bearer);
        }
        let answer = request.send().await.unwrap();
        let header = |name: &str| {
            let value = answer.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        let (status, allow) = (answer.status().as_u16(), header("allow"));
        let challenge = header("www-authenticate");
        let json = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
        Told {
            status,
            allow,
            challenge,
            json,
        }
    }

    async fn control(&self, token: &Secret, body: &str) -> Told {
        let bearer = format!("Bearer {}", token.expose());
        self.send(Method::POST, "/control", Some(&bearer), body.to_owned())
            .await
    }

    /// Issues a token of a race, as for a look.
    async fn token(&self, of: &AccountId, race: &str) -> Secret {
        let race: RaceId = race.parse().unwrap();
        self.world.races().token(of, &race).await.unwrap()
    }

    async fn limits(&self) -> Value {
        let status = self.told("get_tracking_status", json!({"race": self.race})).await;
        status["limits"].clone()
    }

    fn account_of(&self, email: &str) -> AccountId {
        let accounts = self.world.accounts().list().unwrap();
        accounts
            .into_iter()
            .find(|account| account.email == email)
            .unwrap()
            .id
    }

    /// The id of the newest sign-in, as the operator sees it.
    async fn newest_sign_in(&self) -> FamilyId {
        let mut operator = AdminClient::connect(&self.world.socket()).await.unwrap();
        match operator.ask(AdminRequest::Read(AdminRead::Tokens)).await.unwrap() {
            AdminAnswer::Tokens(tokens) => tokens.families[0].id.parse().unwrap(),
            other => panic!("{other:?}"),
        }
    }

    async fn act(&self, act: AdminAct) -> RevocationSummary {
        let mut operator = AdminClient::connect(&self.world.socket()).await.unwrap();
        match operator.ask(AdminRequest::Act(act)).await.unwrap() {
            AdminAnswer::Revoked(fell) => fell,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn who_has_no_token_of_a_race_is_told_so() {
    let tracked = Tracked::start("tunnel").await;
    tracked.play(600).await;
    let persons = format!("Bearer {}", tracked.ann.access_token);
    for bearer in [
        None,
        Some(""),
        Some("Bearer"),
        Some("Bearer "),
        Some("Basic grc_x"),
        Some("Bearer grc_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        // Ann's own access token is not accepted here.
        Some(persons.as_str()),
    ] {
        let told = tracked
            .send(
                Method::POST,
                "/control",
                bearer,
                json!({"hr_max": 150}).to_string(),
            )
            .await;
        assert_eq!(told.status, 401, "{bearer:?}");
        assert_eq!(told.json["error"], "invalid_token", "{bearer:?}");
        assert_eq!(told.challenge.as_deref(), Some("Bearer"), "{bearer:?}");
    }
    assert_eq!(tracked.limits().await, json!({}));
}

#[tokio::test]
async fn what_control_can_not_take_changes_nothing_and_is_named() {
    let tracked = Tracked::start("tunnel").await;
    tracked.play(600).await;
    let token = tracked.token(&tracked.account(), &tracked.race).await;
    let set = tracked
        .control(&token, r#"{"hr_max": 171, "power_min": 90}"#)
        .await;
    let limits = json!({"hr_max": 171, "power_min": 90});
    assert_eq!((set.status, &set.json["limits"]), (200, &limits));
    assert_eq!(set.json["race"], json!(tracked.race));

    let refused: [(&str, u16, &[&str], &str); 15] = [
        (r#"{"hr_mx": 150}"#, 400, &["hr_mx"], "did you mean hr_max"),
        (r#"{"hr_max": 150, "speed": 3}"#, 400, &["speed"], "speed"),
        // Only the limits can be set, and only those of this race.
        (r#"{"poll_interval_secs": 60}"#, 400, &["poll_interval_secs"], ""),
        (r#"{"race": "race_abcdefgh12345678"}"#, 400, &["race"], ""),
        (r#"{"hr_max": 500}"#, 400, &["hr_max"], "from"),
        (r#"{"hr_max": 0}"#, 400, &["hr_max"], "from"),
        (r#"{"power_max": -1}"#, 400, &["power_max"], "from"),
        (r#"{"cadence_min": 80.5}"#, 400, &["cadence_min"], "whole number"),
        (r#"{"hr_min": true}"#, 400, &["hr_min"], "whole number"),
        (
            r#"{"hr_max": 999, "power_max": 99999}"#,
            400,
            &["hr_max", "power_max"],
            "",
        ),
        ("", 400, &[], "JSON object"),
        ("hr_max=150", 400, &[], "JSON object"),
        (r#"[{"hr_max": 150}]"#, 400, &[], "JSON object"),
        (r#"{"hr_max": 150"#, 400, &[], "JSON object"),
        ("null", 400, &[], "JSON object"),
    ];
    for (body, status, fields, words) in refused {
        let told = tracked.control(&token, body).await;
        assert_eq!(
            (told.status, &told.json["error"]),
            (status, &json!("invalid_request")),
            "{body}"
        );
        let named = told.json["fields"].as_array().map(|fields| {
            let fields = fields.iter().map(|field| field.as_str().unwrap());
            fields.collect::<Vec<_>>()
        });
        assert_eq!(named.unwrap_or_default(), fields, "{body}");
        let description = told.json["error_description"].as_str().unwrap();
        assert!(description.contains(words), "{body}: {description}");
    }
    let large = tracked.control(&token, &" ".repeat(5000)).await;
    assert_eq!((large.status, large.json["error"].is_string()), (413, true));
    assert_eq!(tracked.limits().await, limits);
    let told = tracked.send(Method::GET, "/control", None, String::new()).await;
    assert_eq!((told.status, told.allow.as_deref()), (405, Some("POST")));
    let told = tracked
        .send(Method::POST, "/control/hr_max", None, String::new())
        .await;
    assert_eq!(told.status, 404);

    let cleared = tracked.control(&token, r#"{"hr_max": null}"#).await;
    assert_eq!(
        (cleared.status, &cleared.json["limits"]),
        (200, &json!({"power_min": 90}))
    );
}

/// Connects Ben, who tracks the same link.
async fn ben(tracked: &Tracked) -> (Connected, String) {
    let world = &tracked.world;
    let ben = world.connect("ben@example.org", "demo-ben", Some("123456")).await;
    let link = json!({"url": url(&tracked.links[0])});
    let started = world
        .told(&ben.access_token, "start_tracking", link)
        .await
        .unwrap();
    let race = started["race"].as_str().unwrap().to_owned();
    assert_ne!(race, tracked.race);
    (ben, race)
}

#[tokio::test]
async fn a_token_changes_its_own_race_until_that_ends() {
    let tracked = Tracked::start("tunnel").await;
    tracked.play(600).await;
    let (ben, bens_race) = ben(&tracked).await;
    let bens = tracked
        .token(&tracked.account_of("ben@example.org"), &bens_race)
        .await;
    let anns = tracked.token(&tracked.account(), &tracked.race).await;
    let told = tracked.control(&bens, r#"{"hr_max": 150}"#).await;
    assert_eq!((told.status, &told.json["race"]), (200, &json!(bens_race)));
    assert_eq!(tracked.limits().await, json!({}), "Ann's are as they were");

    // At most two tokens are valid: a third one invalidates the first.
    let later = [
        tracked.token(&tracked.account(), &tracked.race).await,
        tracked.token(&tracked.account(), &tracked.race).await,
    ];
    assert_eq!(tracked.control(&anns, "{}").await.status, 401);
    for token in &later {
        assert_eq!(tracked.control(token, "{}").await.status, 200);
    }

    let stopped = tracked.world.told(&ben.access_token, "stop_tracking", json!({}));
    assert_eq!(stopped.await.unwrap()["state"], "tracking_stopped");
    tracked.play_to_the_end().await;
    for token in [&bens, &later[1]] {
        let told = tracked.control(token, r#"{"hr_max": 160}"#).await;
        assert_eq!((told.status, &told.json["error"]), (401, &json!("invalid_token")));
    }
}

#[tokio::test]
async fn health_tells_how_many_and_not_whose() {
    let tracked = Tracked::start("tunnel").await;
    let ask = async |method: Method, path: &str| tracked.send(method, path, None, String::new()).await;
    let at_first = ask(Method::GET, "/health").await;
    assert_eq!(at_first.status, 200);
    assert_eq!(at_first.json["tracking"]["states"], json!({"waiting": 1}));

    tracked.play(1200).await;
    let told = ask(Method::GET, "/health").await;
    assert_eq!((told.status, &told.json["status"]), (200, &json!("ok")));
    let tracking = &told.json["tracking"];
    assert_eq!(
        (&tracking["active"], &tracking["races"]),
        (&json!(true), &json!(1))
    );
    assert_eq!(tracking["states"], json!({"running": 1}));
    assert!(tracking["longest_stale_s"].as_u64().unwrap() < 120, "{tracking}");
    let store = &told.json["store"];
    assert_eq!(store["points"], json!(tracked.kept().len()));
    assert!(store["bytes"].as_u64().unwrap() > 0 && store["writing"] == true);
    let text = told.json.to_string();
    for private in ["Tunnel", "ann", &tracked.race, tracked.account().as_str(), "acc_"] {
        assert!(!text.contains(private), "{private} in {text}");
    }

    assert_eq!(ask(Method::HEAD, "/health").await.status, 200);
    let wrong = ask(Method::POST, "/health").await;
    assert_eq!((wrong.status, wrong.allow.as_deref()), (405, Some("GET, HEAD")));
    assert_eq!(ask(Method::GET, "/health/races").await.status, 404);

    tracked.play_to_the_end().await;
    let over = ask(Method::GET, "/health").await.json;
    assert_eq!(over["tracking"]["active"], json!(false));
    assert_eq!(over["tracking"]["longest_stale_s"], Value::Null);
}

#[tokio::test]
async fn revoked_access_ends_races_and_their_tokens_and_leaves_what_was_recorded() {
    let tracked = Tracked::start("marathon").await;
    tracked.play(1800).await;
    let (_, bens_race) = ben(&tracked).await;
    let anns = tracked.token(&tracked.account(), &tracked.race).await;
    let bens = tracked
        .token(&tracked.account_of("ben@example.org"), &bens_race)
        .await;
    let points = tracked.kept().len();
    assert!(points > 0);

    let fell = tracked
        .act(AdminAct::Revoke(RevocationTarget::Account(
            "ann@example.org".into(),
        )))
        .await;
    assert_eq!((fell.families, fell.races), (1, 1));
    // Revocation takes effect at once, before the race's task runs: the clock stands still.
    assert_eq!(tracked.control(&anns, "{}").await.status, 401);
    let mcp = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
    let bearer = format!("Bearer {}", anns.expose());
    let told = tracked.send(Method::POST, "/mcp", Some(&bearer), mcp).await;
    assert_eq!(told.status, 401);
    // Ben's token stays valid.
    assert_eq!(tracked.control(&bens, "{}").await.status, 200);

    let again = tracked.world.connect("ann@example.org", "demo-ann", None).await;
    let race = json!({"race": tracked.race});
    let status = tracked
        .world
        .told(&again.access_token, "get_tracking_status", race)
        .await;
    assert_eq!(status.unwrap()["state"], "tracking_stopped");
    assert_eq!(tracked.kept().len(), points);
}

/// Record types that accept any content of a table.
macro_rules! tables {
    ($($row:ident $name:literal),*) => {$(
        #[derive(Serialize, Deserialize)]
        struct $row(Value);
        impl Record for $row {
            const TABLE: Table = Table($name);
        }
    )*
    /// The tables of a store that are not empty, with their numbers of records.
    fn kept(store: &Store) -> Vec<(&'static str, usize)> {
        let points = store.range_packed::<Points>(b"", b"", &[0xff; 64]).unwrap().len();
        let mut kept = vec![("race_points", points)];
        $(kept.push(($name, store.list::<$row>(b"").unwrap().len()));)*
        kept.retain(|(_, n)| *n > 0);
        kept
    }};
}

tables!(Race "race", Progress "race_progress", Course "race_course", Alert "race_alert",
        OfAccount "race_of_account", RaceToken "race_token", Outbox "outbox", Said "outbox_told", Looks "looks");

struct Points;

impl Packed for Points {
    const TABLE: Table = Table("race_points");

    fn pack(&self) -> Vec<u8> {
        Vec::new()
    }

    fn unpack(_: u8, _: &[u8]) -> Option<Self> {
        Some(Self)
    }
}

impl Tracked {
    /// The race tables in the store of the stopped gateway.
    fn kept_on_disk(&self) -> Vec<(&'static str, usize)> {
        let settings = self.world.settings();
        let setting = |name: &str| &settings.iter().find(|(known, _)| known == name).unwrap().1;
        let secret = std::fs::read_to_string(setting("GATEWAY_SECRET_FILE")).unwrap();
        let path = format!("{}/gateway.db", setting("DATA_DIR"));
        let store = Store::open(path.as_ref(), &RootSecret::new(secret.trim()).unwrap()).unwrap();
        kept(&store)
    }
}

#[tokio::test]
async fn of_a_forgotten_person_no_point_no_link_and_no_token_is_left() {
    let mut tracked = Tracked::start("course").await;
    tracked.play(1800).await;
    let token = tracked.token(&tracked.account(), &tracked.race).await;
    tracked.world.stop_gateway().await;
    let tables: Vec<_> = tracked.kept_on_disk().into_iter().map(|(name, _)| name).collect();
    let expected = [
        "race_points",
        "race",
        "race_progress",
        "race_course",
        "race_alert",
        "race_of_account",
        "race_token",
    ];
    assert_eq!(tables, expected, "something to forget");

    tracked.world.start_gateway().await;
    let account = tracked.account();
    let fell = tracked
        .act(AdminAct::Forget {
            account: "ann@example.org".into(),
        })
        .await;
    assert_eq!((fell.accounts, fell.races), (1, 1));
    assert_eq!(tracked.world.races().count(), 0);
    assert_eq!(tracked.control(&token, "{}").await.status, 401);
    let race: RaceId = tracked.race.parse().unwrap();
    assert_eq!(tracked.world.races().owner(&race).unwrap(), None);
    assert!(tracked.world.races().list(&account).unwrap().is_empty());
    tracked.world.stop_gateway().await;
    assert_eq!(tracked.kept_on_disk(), []);
}

/// Access ends while `start_tracking` waits for LiveTrack. Afterwards no race is watched, and no other write by the
/// same sign-in is accepted. The calls bypass the gateway, which would abort them.
async fn ends_while_it_starts(end: AdminAct, carry_on: bool) {
    let tracked = Tracked::start("tunnel").await;
    let account = tracked.account();
    let second = tracked.world.connect("ann@example.org", "demo-ann", None).await;
    let caller = RaceCaller::SignIn(account.clone(), tracked.newest_sign_in().await);
    let race: RaceId = tracked.race.parse().unwrap();
    tracked.told("stop_tracking", json!({})).await;
    tracked.play_to_the_end().await;
    let slow = FaultRule::new(Place::LivetrackSession, Fault::Slow { ms: 700 }).times(1);
    tracked.world.simulator.add_fault(slow);
    let link = url(&tracked.links[0]);
    let config = serde_json::Map::new();
    let races = tracked.world.races();
    let started = races.start_tracking(&caller, &link, &config, carry_on.then_some(&race));
    let ended = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        if let AdminAct::Revoke(RevocationTarget::Token(of)) = &end {
            assert_eq!(of, "newest");
            let RaceCaller::SignIn(_, family) = &caller else {
                return;
            };
            let newest = RevocationTarget::Token(family.to_string());
            tracked.act(AdminAct::Revoke(newest)).await;
        } else {
            tracked.act(end.clone()).await;
        }
    };
    let (started, ()) = tokio::join!(started, ended);
    let is_gone = matches!(started, Err(TrackingError::NoSuchRace)) && carry_on;
    assert!(
        matches!(started, Err(TrackingError::AccessEnded)) || is_gone,
        "{started:?}"
    );
    assert_eq!(races.count(), 0);
    let limits = json!({"hr_max": 150}).as_object().unwrap().clone();
    let changed = races.update_thresholds(&caller, &race, &limits).await;
    assert!(
        matches!(changed, Err(RaceActError::Over | RaceActError::NoSuchRace)),
        "{changed:?}"
    );
    let set = races.set_phone(&caller, Phone::default()).await;
    assert!(matches!(set, Err(SetPhoneError::AccessEnded)), "{set:?}");
    drop(second);
}

#[tokio::test]
async fn no_race_starts_for_an_account_that_was_revoked_meanwhile() {
    for carry_on in [false, true] {
        let end = AdminAct::Revoke(RevocationTarget::Account("ann@example.org".into()));
        Box::pin(ends_while_it_starts(end, carry_on)).await;
    }
}

/// The person has another sign-in, so the account keeps its races; the revoked sign-in adds none.
#[tokio::test]
async fn no_race_starts_for_one_sign_in_that_was_revoked_meanwhile() {
    for carry_on in [false, true] {
        let end = AdminAct::Revoke(RevocationTarget::Token("newest".into()));
        Box::pin(ends_while_it_starts(end, carry_on)).await;
    }
}

#[tokio::test]
async fn no_race_starts_for_an_account_that_was_forgotten_meanwhile() {
    for carry_on in [false, true] {
        let end = AdminAct::Forget {
            account: "ann@example.org".into(),
        };
        Box::pin(ends_while_it_starts(end, carry_on)).await;
    }
}

/// A race of another sign-in stays watched, but the revoked sign-in can't change it.
#[tokio::test]
async fn a_sign_in_that_was_revoked_changes_no_limits() {
    let tracked = Tracked::start("tunnel").await;
    tracked.play(600).await;
    tracked.world.connect("ann@example.org", "demo-ann", None).await;
    let family = tracked.newest_sign_in().await;
    let caller = RaceCaller::SignIn(tracked.account(), family.clone());
    let race: RaceId = tracked.race.parse().unwrap();
    let limits = json!({"hr_max": 150}).as_object().unwrap().clone();
    let races = tracked.world.races();
    assert!(races.update_thresholds(&caller, &race, &limits).await.is_ok());
    let of_sign_in = RevocationTarget::Token(family.to_string());
    tracked.act(AdminAct::Revoke(of_sign_in)).await;
    let limits = json!({"hr_max": 160}).as_object().unwrap().clone();
    let changed = races.update_thresholds(&caller, &race, &limits).await;
    assert!(matches!(changed, Err(RaceActError::AccessEnded)), "{changed:?}");
    let sent = races.coach(&caller, &race, "Well begun.").await;
    assert!(sent.is_err(), "{sent:?}");
    assert_eq!(races.count(), 1);
    assert_eq!(tracked.limits().await, json!({"hr_max": 150}));
}

#[tokio::test]
async fn slow_livetrack_holds_up_no_other_account() {
    let tracked = Tracked::start("tunnel").await;
    let slow = FaultRule::new(Place::LivetrackCourse, Fault::Slow { ms: 3000 }).times(1);
    tracked.world.simulator.add_fault(slow);
    let (config, link) = (serde_json::Map::new(), url(&tracked.links[0]));
    let (first, second): (AccountId, AccountId) = (
        "acc_aaaaaaaaaaaaaaaa".parse().unwrap(),
        "acc_bbbbbbbbbbbbbbbb".parse().unwrap(),
    );
    let races = tracked.world.races();
    let (first, second) = (RaceCaller::Operator(first), RaceCaller::Operator(second));
    let quick = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        races.start_tracking(&second, &link, &config, None).await
    };
    let (slow, quick) = (races.start_tracking(&first, &link, &config, None), quick);
    tokio::select! {
        biased;
        quick = quick => assert!(quick.is_ok(), "{quick:?}"),
        slow = slow => panic!("the slow one came first: {slow:?}"),
    }
}
