//! A person's history: switched on, filled from Garmin, read without Garmin and without a worker, and erased.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use garmin_gateway::admin::api::{AdminStream, ExportForm};
use garmin_gateway::admin::client::{AdminClient, ClientError};
use garmin_gateway::simulator::{Fault, FaultRule, Place, SimulatorSettings};
use jiff::ToSpan as _;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::tools::{own_today, today};
use crate::whole::{Connected, World};
use crate::withdrawal::{Operator, all_records};

/// The pause between two checks of a condition.
const LOOK: Duration = Duration::from_millis(20);

/// Requests to Garmin for kept days begin with these.
const KEPT_PATHS: [&str; 11] = [
    "/sleep-service/stats/sleep/daily/",
    "/usersummary-service/stats/heartRate/daily/",
    "/hrv-service/hrv/daily/",
    "/usersummary-service/stats/stress/daily/",
    "/wellness-service/wellness/bodyBattery/reports/daily",
    "/usersummary-service/stats/steps/daily/",
    "/usersummary-service/stats/im/daily/",
    "/weight-service/weight/dateRange",
    "/bloodpressure-service/bloodpressure/range/",
    "/metrics-service/metrics/maxmet/daily/",
    "/activitylist-service/activities/search/activities",
];

async fn world() -> World {
    World::with(SimulatorSettings::default(), 10, &[("HISTORY_PACE", "0")]).await
}

pub(crate) async fn keep(world: &World, person: &Connected, action: &str) -> Value {
    world
        .told(&person.access_token, "keep_history", json!({ "action": action }))
        .await
        .unwrap()
}

/// Waits until the status of a person's history is as wanted, and returns it.
pub(crate) async fn until(world: &World, person: &Connected, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let status = keep(world, person, "status").await;
        if wanted(&status) {
            return status;
        }
        sleep(LOOK).await;
    }
}

pub(crate) fn is_filled(status: &Value) -> bool {
    status["is_filled"] == true
}

/// The number of stored records of histories, by table.
async fn records(world: &World) -> BTreeMap<String, u64> {
    let mut tables = all_records(world).await;
    tables.retain(|table, n| table.starts_with("history") && *n > 0);
    tables
}

pub(crate) async fn export(world: &World, account: &str) -> Value {
    let mut client = AdminClient::connect(&world.socket()).await.unwrap();
    let mut text = Vec::new();
    let take = |part: &[u8]| {
        text.extend_from_slice(part);
        Ok::<_, ClientError>(())
    };
    let wanted = AdminStream::Export {
        account: account.to_owned(),
        race: None,
        form: ExportForm::Json,
    };
    client.stream(wanted, take).await.unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// The questions that the history answers, over ranges that it covers.
fn questions() -> Vec<(&'static str, Value)> {
    let three_years = format!("{}..{}", today() - 1_095.days(), today());
    vec![
        ("get_trend", json!({ "metric": "sleep", "range": three_years })),
        (
            "get_trend",
            json!({ "metric": "body_battery", "range": three_years }),
        ),
        (
            "get_trend",
            json!({ "metric": "resting_heart_rate", "range": "-8w" }),
        ),
        ("find_unusual", json!({ "range": "-8w" })),
        ("baseline", json!({ "metric": "hrv" })),
        (
            "compare_periods",
            json!({ "metric": "steps", "against": "a year before" }),
        ),
        (
            "correlate",
            json!({ "metric": "sleep", "other": "hrv", "lag_days": 1 }),
        ),
        ("get_training_volume", json!({ "range": "-1y" })),
        ("get_zone_distribution", json!({ "range": "-3m" })),
    ]
}

#[tokio::test]
async fn a_history_is_filled_read_without_garmin_and_erased() {
    let mut world = world().await;
    let ann = world.connect_to_change("ann@example.org", "demo-ann", None).await;
    let token = ann.access_token.clone();
    assert_eq!(keep(&world, &ann, "status").await["history"], "off");
    assert!(records(&world).await.is_empty());

    // A read-only connection has this tool too, because it changes nothing at Garmin.
    let ben = world.connect("ben@example.org", "demo-ben", Some("123456")).await;
    let list = world.ask(&ben.access_token, "tools/list", json!({})).await;
    assert!(list.to_string().contains("keep_history"));

    let filled_on = own_today().to_string();
    let past = json!({
        "metric": "resting_heart_rate",
        "range": format!("{}..{}", today() - 100.days(), today() - 20.days()),
    });
    let fresh = world.told(&token, "get_trend", past.clone()).await.unwrap();
    let on = json!({ "tool": "keep_history", "arguments": { "action": "on" } });
    let switched = world.told(&token, "use_change_tool", on).await.unwrap();
    assert_eq!(switched["history"], "on");
    let status = until(&world, &ann, is_filled).await;
    println!(
        "status: {} bytes in the answer: {status}",
        status.to_string().len()
    );
    assert_eq!(status["problems"], json!([]));
    assert!(status["days_with_data"].as_u64().unwrap() > 1_095);
    assert!(status["bytes"].as_u64().unwrap() < 600_000);

    // From here on, no worker runs and Garmin does not answer.
    let mut operator = Operator::connect(&world.socket()).await;
    operator
        .act(json!({ "stop_worker": { "account": "ann@example.org" } }))
        .await;
    world
        .simulator()
        .add_fault(FaultRule::new(Place::Anywhere, Fault::Status { status: 503 }));
    let asked = world.simulator().requests().len();
    let mut kept = world.told(&token, "get_trend", past).await.unwrap();
    assert_eq!(kept["source"], "history");
    for added in ["source", "as_of", "last_day"] {
        kept.as_object_mut().unwrap().remove(added);
    }
    assert_eq!(kept, fresh, "the history answers as Garmin's data do");
    for (tool, arguments) in questions() {
        let answer = world.told(&token, tool, arguments).await.unwrap();
        println!("{tool}: {} bytes", answer.to_string().len());
        crate::outputs::check(tool, &answer);
        assert_eq!(answer["source"], "history", "{tool}: {answer}");
        // The last day is the day of the filling, which may be yesterday by the time of the answer.
        let last_day = answer["last_day"]["date"].as_str().unwrap();
        let as_of = answer["as_of"].as_str().and_then(|at| at.get(..10)).unwrap();
        assert!(
            filled_on.as_str() <= last_day && last_day <= as_of,
            "{tool}: {last_day}"
        );
        if tool == "get_trend" {
            assert!(answer.to_string().len() <= 2_048, "{answer}");
        }
    }
    assert_eq!(world.simulator().requests().len(), asked);
    assert!(world.workers().iter().all(|worker| worker.process.is_none()));

    // An overview asks Garmin, because it needs more than what is kept. Without Garmin it names what is missing.
    let overview = world
        .told(&token, "get_training_overview", json!({}))
        .await
        .unwrap();
    crate::outputs::check("get_training_overview", &overview);
    assert_eq!(overview["source"], "history", "{overview}");
    assert!(overview["sleep_h"]["mean_28_days"].is_number(), "{overview}");
    assert!(overview["failed"].to_string().contains("readiness"), "{overview}");

    world.restart().await;
    let (tool, arguments) = questions().remove(0);
    assert_eq!(
        world.told(&token, tool, arguments.clone()).await.unwrap()["source"],
        "history"
    );
    let exported = export(&world, "ann@example.org").await;
    let days = exported["history"]["days"].as_array().unwrap();
    assert!(days.iter().any(|day| day["kind"] == "activities"));
    assert_eq!(
        records(&world).await.keys().collect::<Vec<_>>(),
        ["history", "history_days"]
    );

    assert_eq!(keep(&world, &ann, "off").await["history"], "off");
    assert!(records(&world).await.is_empty());
    assert!(export(&world, "ann@example.org").await.get("history").is_none());
    world.told(&token, tool, arguments).await.unwrap_err();

    world.simulator().clear_faults();
    keep(&world, &ann, "on").await;
    until(&world, &ann, |status| {
        status["days_with_data"].as_u64() > Some(20)
    })
    .await;
    let mut operator = Operator::connect(&world.socket()).await;
    operator
        .act(json!({ "forget": { "account": "ann@example.org" } }))
        .await;
    assert!(records(&world).await.is_empty());
    world.end().await;
}

/// The real program on the world's data, while the world's own gateway is stopped.
pub(crate) fn serve(world: &World) -> Child {
    Command::new(crate::whole::program())
        .arg("serve")
        .env_clear()
        .env("HOME", world.dir())
        .envs(world.settings())
        .current_dir(world.dir())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// The requests to Garmin for kept days, and how often each was sent.
fn requests(world: &World) -> BTreeMap<String, usize> {
    let mut sent = BTreeMap::new();
    for request in world.simulator().requests() {
        let is_zone = request.query == "start=0&limit=1";
        if KEPT_PATHS.iter().any(|path| request.path.starts_with(path)) && !is_zone {
            *sent
                .entry(format!("{}?{}", request.path, request.query))
                .or_default() += 1;
        }
    }
    sent
}

#[tokio::test]
async fn a_filling_that_is_killed_goes_on_where_it_was() {
    const KILLS: usize = 4;
    let mut world = world().await;
    let ann = world.connect("ann@example.org", "demo-ann", None).await;
    let begun_on = own_today();
    keep(&world, &ann, "on").await;
    world.stop_gateway().await;
    for kill in 1..=KILLS {
        let mut gateway = serve(&world);
        let before = requests(&world).len();
        while requests(&world).len() < before + 10 * kill {
            sleep(Duration::from_millis(1)).await;
        }
        gateway.kill().await.unwrap();
    }
    world.start_gateway().await;
    let status = until(&world, &ann, is_filled).await;
    let sent = requests(&world);
    let repeated: usize = sent.values().map(|n| n - 1).sum();
    println!(
        "{} requests for {} days, {repeated} repeated",
        sent.len(),
        status["days_with_data"]
    );
    // One request was in flight at each kill and at the stop.
    assert!(repeated <= KILLS + 1, "{sent:?}");
    let sleep_days = status["covered"]["sleep"]["days_with_data"].as_u64();
    assert_eq!(sleep_days, status["covered"]["steps"]["days_with_data"].as_u64());

    // Nothing is lost or stored twice: each day of the export is there once.
    let exported = export(&world, "ann@example.org").await;
    let mut days = Vec::new();
    for document in exported["history"]["days"].as_array().unwrap() {
        if document["kind"] == "steps" {
            let rows = document["document"].as_array().unwrap().iter();
            days.extend(rows.map(|row| row["calendarDate"].as_str().unwrap().to_owned()));
        }
    }
    assert_eq!(days.len(), usize::try_from(sleep_days.unwrap()).unwrap());
    assert!(days.windows(2).all(|pair| pair[0] < pair[1]));
    // The newest day is today in the person's time zone, which is ahead of UTC.
    let last_day = days.last().unwrap();
    assert!(begun_on.to_string() <= *last_day && *last_day <= own_today().to_string());
    world.end().await;
}

#[tokio::test]
async fn trouble_is_told_and_stays_with_its_kind_and_its_person() {
    let world = world().await;
    let ann = world.connect("ann@example.org", "demo-ann", None).await;
    let ben = world.connect("ben@example.org", "demo-ben", Some("123456")).await;
    let garmin = world.simulator();
    garmin.add_fault(
        FaultRule::new(Place::Api, Fault::ChangedShape)
            .of("ann@example.org")
            .on("/hrv-service"),
    );
    keep(&world, &ann, "on").await;
    let is_told = |status: &Value| status["problems"][0]["of"] == "hrv";
    let status = until(&world, &ann, is_told).await;
    assert!(
        status["problems"][0]["what"].as_str().unwrap().contains("update"),
        "{status}"
    );
    until(&world, &ann, |status| {
        status["covered"]["activities"]["days_with_data"].as_u64() > Some(10)
    })
    .await;

    // Garmin ends Ben's sign-in. He is told what to do, and Ann's filling goes on.
    keep(&world, &ben, "on").await;
    until(&world, &ben, |status| {
        status["days_with_data"].as_u64() > Some(20)
    })
    .await;
    garmin.revoke("ben@example.org");
    let is_told = |status: &Value| status["problems"][0]["of"] == "all";
    let status = until(&world, &ben, is_told).await;
    assert!(
        status["problems"][0]["what"].as_str().unwrap().contains("/link"),
        "{status}"
    );
    let days = |status: &Value| status["days_with_data"].as_u64().unwrap();
    let before = days(&keep(&world, &ann, "status").await);
    until(&world, &ann, |status| is_filled(status) || days(status) > before).await;

    let ben = world.connect("ben@example.org", "demo-ben", Some("123456")).await;
    let before = days(&status);
    until(&world, &ben, |status| {
        days(status) > before && status["problems"] == json!([])
    })
    .await;
    world.end().await;
}

#[tokio::test]
async fn a_filling_without_access_rests_and_goes_on_with_the_next_connection() {
    let world = world().await;
    let ann = world.connect("ann@example.org", "demo-ann", None).await;
    keep(&world, &ann, "on").await;
    until(&world, &ann, |status| {
        status["days_with_data"].as_u64() > Some(20)
    })
    .await;
    let mut operator = Operator::connect(&world.socket()).await;
    operator
        .act(json!({ "revoke": { "account": "ann@example.org" } }))
        .await;
    // The filling has stopped when no more requests are sent.
    let mut before = usize::MAX;
    while requests(&world).len() != before {
        before = requests(&world).len();
        sleep(LOOK * 10).await;
    }
    let again = world.connect("ann@example.org", "demo-ann", None).await;
    until(&world, &again, is_filled).await;
    assert!(requests(&world).len() > before);
    world.end().await;
}
