//! Moving in from the Python gateway: the real program reads a database in its layout, and afterwards the tokens that
//! Claude holds still work.

mod python_gateway;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use garmin_gateway::base::secrets::Secret;
use garmin_gateway::garmin::{self, Credentials, GarminTokens, GovernorSettings, SignInOutcome, SignIns};
use garmin_gateway::simulator::{Person, SimulatorSettings};
use serde_json::{Value, json};

use crate::whole::{CALLBACK, World, program};
use python_gateway::{PythonGateway, SECRET};

const ANN: &str = "ann@example.org";
const BEN: &str = "ben@example.org";
const CLEO: &str = "cleo@example.org";

/// A bearer token as the Python gateway issues it: 32 random bytes in base64url.
const ANNS_TOKEN: &str = "9vXWmJ0b1cYQyT1mB0k3Zr7uQm0T2xqPjz8l-Qw4_eA";
const BENS_TOKEN: &str = "Bm3kq8sV0m2xYt1Rz4bLw9A0T2xqPjz8l-Qw4_eA9vX";
const CLEOS_TOKEN: &str = "C0k3Zr7uQm0T2xqPjz8lV0m2xYt1Rz4bLw9A-Qw4_eA";
const CLIENT: &str = "kq3J8sV0m2xYt1Rz4bLw9A";

fn password(email: &str) -> String {
    format!("secret-of-{email}")
}

/// A stopped gateway to which Cleo is already connected.
async fn world() -> World {
    let person = |n, name, email| Person::new(n, name, email, &password(email));
    let settings = SimulatorSettings {
        people: vec![
            person(1, "Ann", ANN),
            person(2, "Ben", BEN),
            person(3, "Cleo", CLEO),
        ],
        ..SimulatorSettings::default()
    };
    let mut world = World::of(settings, 3).await;
    world.connect(CLEO, &password(CLEO), None).await;
    world.stop_gateway().await;
    world
}

/// Garmin tokens from a sign-in outside this gateway.
async fn garmin_tokens(world: &World, email: &str) -> GarminTokens {
    let hosts = world.simulator().hosts();
    let http = garmin::client(&hosts).unwrap();
    let clock = garmin_gateway::base::clock::Clock::system();
    let sign_ins = SignIns::new(hosts, http, clock, GovernorSettings::without_pauses());
    let credentials = Credentials {
        email: email.to_owned(),
        password: Secret::new(password(email)),
    };
    match sign_ins.begin(credentials).await {
        SignInOutcome::SignedIn(signed_in) => signed_in.tokens,
        other => panic!("{other:?}"),
    }
}

/// The Python gateway of three people: Ann's client is connected, Ben's token has expired, and Cleo has moved.
async fn python_gateway(world: &World) -> PythonGateway {
    let python = PythonGateway::start(&world.dir().join("python"));
    for email in [ANN, BEN, CLEO] {
        python.account(email, &garmin_tokens(world, email).await);
    }
    python.client(CLIENT, "Claude", CALLBACK);
    python.client("elsewhere", "Stranger", "https://evil.example/cb");
    python.token(ANNS_TOKEN, ANN, CLIENT, "+30 days");
    python.token(BENS_TOKEN, BEN, CLIENT, "-1 seconds");
    python.token(CLEOS_TOKEN, CLEO, CLIENT, "+30 days");
    python
}

fn import(world: &World, from: &Path, more: &[&str], input: &str) -> Output {
    let mut command = Command::new(program());
    command
        .env_clear()
        .env("HOME", world.dir())
        .envs(world.settings());
    let mut child = command
        .args(["import", "--from"])
        .arg(from)
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may end without reading it.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output().unwrap()
}

/// The outcome in one text, which never holds a secret.
fn told(output: &Output) -> (i32, String) {
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    for secret in [ANNS_TOKEN, BENS_TOKEN, CLEOS_TOKEN, SECRET, "di_token", "eyJ"] {
        assert!(!text.contains(secret), "{text}");
    }
    (output.status.code().unwrap(), text)
}

#[track_caller]
fn check(output: &Output, code: i32, words: &[&str]) {
    let (ended, text) = told(output);
    assert_eq!(ended, code, "{text}");
    for word in words {
        assert!(text.contains(word), "{word} is missing: {text}");
    }
}

async fn status_with(world: &World, token: &str) -> u16 {
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let asked = world.http.post(world.url("/mcp")).bearer_auth(token).json(&ping);
    let asked = asked.header("accept", "application/json, text/event-stream");
    asked.send().await.unwrap().status().as_u16()
}

// The test blocks while the program talks to the gateway in this process, so the runtime needs another thread.
#[tokio::test(flavor = "multi_thread")]
async fn people_go_on_with_the_tokens_that_they_have() {
    let mut world = world().await;
    let mut python = python_gateway(&world).await;
    let dir = python.dir.clone();
    check(&import(&world, &dir, &["--yes"], ""), 69, &["stop it first"]);
    python.stop();
    fs::write(dir.join("livetrack.db"), "a letter that is not a database at all").unwrap();

    let dry = import(&world, &dir, &[], "");
    check(
        &dry,
        0,
        &[
            "ann@example.org: Garmin tokens, 1 access token",
            "ben@example.org: Garmin tokens, no valid access token",
            "cleo@example.org: not taken, this gateway already has an account with this e-mail",
            "1 client with a redirect address",
            "1 access token, expired",
            "1 client, with an address to which this gateway does not send codes",
            "Must connect again in Claude: ben@example.org.",
            "No races are taken: ",
            "is not a SQLite database",
            "Nothing was changed.",
        ],
    );
    assert_eq!(dry.stdout, import(&world, &dir, &[], "").stdout);

    let imported = ["Imported: 2 accounts, 1 access token, 1 client"];
    check(&import(&world, &dir, &["--yes"], ""), 0, &imported);
    check(&import(&world, &dir, &["--yes"], ""), 0, &["Nothing was new"]);
    let again = import(&world, &dir, &["--json"], "");
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((&again["accounts"], &again["clients"]), (&json!([]), &json!(0)));

    world.start_gateway().await;
    check(
        &import(&world, &dir, &[], ""),
        69,
        &["a gateway is using this store"],
    );
    assert_eq!(world.full_name(ANNS_TOKEN).await, "Ann Example");
    for refused in [BENS_TOKEN, CLEOS_TOKEN, &ANNS_TOKEN[1..], CLIENT] {
        assert_eq!(status_with(&world, refused).await, 401, "{refused}");
    }
    // Ben's client returns with its old client id, and Ben signs in with the same e-mail.
    let page = format!(
        "/authorize?response_type=code&client_id={CLIENT}&redirect_uri={CALLBACK}&code_challenge={}&code_challenge_method=S256",
        "A".repeat(43)
    );
    let page = world.http.get(world.url(&page)).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("Claude") && page.contains("localhost"), "{page}");
    let accounts = world.accounts().list().unwrap();
    let before = accounts.iter().find(|account| account.email == BEN).unwrap();
    world.connect(BEN, &password(BEN), None).await;
    let after = world.accounts().find(&before.id).unwrap().unwrap();
    assert_eq!((before.profile_id, after.profile_id.is_some()), (None, true));
    assert_eq!(world.accounts().list().unwrap().len(), 3);
    // A restart changes nothing, and a revocation ends an imported token like any other.
    world.restart().await;
    assert_eq!(status_with(&world, ANNS_TOKEN).await, 200);
    let revoked = Command::new(program())
        .args(["revoke", "--account", ANN, "--yes", "--socket"])
        .arg(world.socket())
        .output()
        .unwrap();
    assert!(revoked.status.success());
    assert_eq!(status_with(&world, ANNS_TOKEN).await, 401);
    world.stop_gateway().await;
    check(&import(&world, &dir, &["--yes"], ""), 0, &["Nothing was new"]);
    world.start_gateway().await;
    assert_eq!(status_with(&world, ANNS_TOKEN).await, 401, "it stays revoked");
    world.end().await;
}

#[tokio::test]
async fn what_can_not_be_imported_says_why_and_changes_nothing() {
    let mut world = world().await;
    let mut python = python_gateway(&world).await;
    let dir = python.dir.clone();
    let wrong = dir.join("wrong");
    fs::write(&wrong, "another secret, which is as long as it must be\n").unwrap();
    let wrong = wrong.to_str().unwrap();
    check(
        &import(&world, &dir, &["--secret-file", wrong], ""),
        78,
        &["the secret does not open"],
    );
    // The secret comes on standard input, with a line break.
    fs::remove_file(dir.join(".env")).unwrap();
    check(&import(&world, &dir, &[], ""), 78, &["--secret-file"]);
    let secret = format!("{SECRET}\n");
    let given = import(&world, &dir, &["--secret-file", "-"], &secret);
    check(&given, 0, &["ann@example.org", "The Python gateway is running"]);

    python.run("ALTER TABLE access_tokens RENAME COLUMN token_hash TO token", &[]);
    python.stop();
    let yes = ["--secret-file", "-", "--yes"];
    let layout = ["not a database of the Python gateway", "no column token_hash"];
    check(&import(&world, &dir, &yes, &secret), 74, &layout);
    fs::write(dir.join("gateway.db"), "a letter that is not a database at all").unwrap();
    check(
        &import(&world, &dir, &yes, &secret),
        74,
        &["not a SQLite database"],
    );
    fs::remove_file(dir.join("gateway.db")).unwrap();
    check(&import(&world, &dir, &yes, &secret), 64, &["no gateway.db"]);

    world.start_gateway().await;
    assert_eq!(world.accounts().list().unwrap().len(), 1);
    assert_eq!(status_with(&world, ANNS_TOKEN).await, 401);
    world.end().await;
}

/// A database of livetrack-mcp with one session of 40 minutes.
fn livetrack_database(path: &Path) {
    let database = rusqlite::Connection::open(path).unwrap();
    let sql = r#"
        CREATE TABLE sessions (id TEXT PRIMARY KEY, url TEXT, race_config TEXT);
        CREATE TABLE trackpoints (session_id TEXT, ts REAL, lat REAL, lon REAL, speed REAL, distance REAL, hr INTEGER);
        INSERT INTO sessions VALUES ('s1',
            'https://livetrack.garmin.com/session/d0b8f1d6-5a6c-4a4e-9f6b-3c2d1e0f9a8b/token/ABCDEF0123456789ABCDEF0123456789',
            '{"race_name": "Lake run", "race_type": "run", "run_hr_max": 152}');
        INSERT INTO trackpoints WITH RECURSIVE minute(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM minute WHERE n < 40)
            SELECT 's1', 1783242000 + 60 * n, 48.0 + 0.0016 * n, 11.0, 3.0, 180.0 * n, 140 + n % 5 FROM minute;"#;
    database.execute_batch(sql).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn races_of_livetrack_mcp_come_along() {
    let mut world = world().await;
    let file = world.dir().join("livetrack.db");
    livetrack_database(&file);
    let import = |world: &World, more: &[&str]| {
        let mut command = Command::new(program());
        command
            .env_clear()
            .env("HOME", world.dir())
            .envs(world.settings());
        command
            .args(["import", "--livetrack"])
            .arg(&file)
            .args(more)
            .output()
            .unwrap()
    };
    let plan = [
        "Lake run, 2026-07-05, 40:00 h, 41 points, for cleo@example.org",
        "--yes",
    ];
    check(&import(&world, &[]), 0, &plan);
    check(
        &import(&world, &["--races-of", "dora@example.org"]),
        64,
        &["no account with the e-mail"],
    );
    check(
        &import(&world, &["--races-of", "Cleo@example.org", "--yes"]),
        0,
        &["Imported: 1 race."],
    );
    check(
        &import(&world, &["--yes"]),
        0,
        &["not taken: 1 race, imported before", "Nothing was new"],
    );

    world.start_gateway().await;
    let cleo = world.connect(CLEO, &password(CLEO), None).await;
    let races = world
        .told(&cleo.access_token, "list_races", json!({}))
        .await
        .unwrap();
    let race = &races["races"][0];
    assert_eq!(races["races"].as_array().unwrap().len(), 1);
    assert!(race.to_string().contains("Lake run"), "{race}");
    let asked = json!({"race": race["race"]});
    let points = world
        .told(&cleo.access_token, "get_timeseries", asked.clone())
        .await
        .unwrap();
    assert!(points.to_string().contains("heart_rate"), "{points}");
    let report = world.call(&cleo.access_token, "get_race_report", asked).await;
    let report = report["content"][0]["text"].as_str().unwrap();
    assert!(
        report.contains("Lake run") && report.contains("7.2 km"),
        "{report}"
    );
    world.end().await;
}
