//! What the console costs: drawing a long race, and the daemon's load with a console attached.

use std::time::Duration;

use anyhow::{Context, Result};
use garmin_gateway::admin::api::AdminRequest;

use garmin_gateway::admin::client::AdminClient;
use garmin_gateway::admin::views::{RaceDetail, RaceView, TrackPointView};
use garmin_gateway::console::measured::race_drawn;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, json};

use crate::client::Client;
use crate::figures::Row;
use crate::house::{Garmin, House};

/// Points of the race to draw: fourteen hours at one point per second.
const POINTS: u32 = 50_000;

/// Measures only the console's figures.
pub(crate) async fn all(smoke: bool) -> Result<Vec<Row>> {
    let idle = Duration::from_secs(if smoke { 1 } else { 20 });
    console(&Garmin::start(1).await?, idle).await
}

/// Measures all figures of the console.
pub(crate) async fn console(garmin: &Garmin, idle: Duration) -> Result<Vec<Row>> {
    let mut rows = vec![drawn()?];
    rows.push(attached(garmin, idle).await?);
    Ok(rows)
}

fn drawn() -> Result<Row> {
    let mut times = race_drawn(&race(), (120, 40), 50);
    times.sort_unstable();
    let of = |at: usize| times.get(at).copied().context("nothing was drawn");
    let (median, worst) = (of(times.len() / 2)?, of(times.len() - 1)?);
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    Ok(Row::alone(
        "a race of 50,000 points drawn at 120×40, p50 (worst)",
        format!("{:.1} ms ({:.1} ms)", ms(median), ms(worst)),
        "10 ms at most",
    ))
}

/// A race whose track winds across the map, with all metrics and an occasional gap.
fn race() -> RaceDetail {
    let start = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000);
    let sample = |n: u32| {
        let way = f64::from(n) / f64::from(POINTS) * 40.0;
        TrackPointView {
            at: start + SignedDuration::from_secs(n.into()),
            position: Some((47.0 + way.sin() / 10.0, 8.0 + (way * 0.7).cos() / 10.0)),
            distance_m: Some(f64::from(n) * 3.0),
            heart_bpm: Some(140.0 + 20.0 * way.sin()),
            power_w: Some(220.0 + 60.0 * way.cos()),
            speed_mps: Some(3.0 + way.sin()),
            after_gap: n.is_multiple_of(5000),
        }
    };
    let race = RaceView {
        id: "race_bench".into(),
        account: "ann@example.org".into(),
        name: "A long one".into(),
        state: "running".into(),
        started_at: Some(start),
        last_point_at: Some(start + SignedDuration::from_secs(POINTS.into())),
        distance_m: Some(f64::from(POINTS) * 3.0),
        points: POINTS.into(),
        last_alert: None,
        athlete: Some("Ann".into()),
        ended_at: None,
        finished_at: None,
        whole_m: Some(200_000.0),
        finish: None,
        ahead_of_plan_s: None,
        next_cutoff: None,
    };
    RaceDetail {
        race,
        track: (0..POINTS).map(sample).collect(),
        course: Vec::new(),
        profile: Vec::new(),
        progress_m: Some(f64::from(POINTS) * 3.0),
        places: Vec::new(),
        limits: Map::from_iter([("hr_max".to_owned(), json!(165))]),
        splits: Vec::new(),
        alerts: Vec::new(),
        last_words: None,
        recipients: vec![],
        shares: vec![],
    }
}

/// The daemon's share of a core with a worker running and a race in progress, with and without a console attached.
async fn attached(garmin: &Garmin, idle: Duration) -> Result<Row> {
    let house = House::start(garmin, &[]).await?;
    let mut client = Client::connect(garmin, &house).await?;
    client.call("get_full_name", &json!({})).await?;
    client.watch_race(garmin).await?;

    let without = house.share_of_a_core(idle).await?;
    let mut console = AdminClient::connect(&house.socket()).await?;
    console.send(AdminRequest::Follow).await?;
    let following = tokio::spawn(async move { while console.next().await.is_ok() {} });
    // Excludes the first full snapshot, which is sent only once.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let with = house.share_of_a_core(idle).await?;
    following.abort();
    let percent = |share: f64| format!("{:.2} %", share * 100.0);
    Ok(Row {
        direct: format!("{} without", percent(without)),
        ..Row::alone(
            "the daemon's share of a core, one console attached",
            percent(with),
            "1 % at most beyond",
        )
    })
}
