//! What races cost: disk space, a window, a summary, and a thousand races at once.
//!
//! Runs in this process, with the library as the daemon uses it: the store on a real disk, LiveTrack from the
//! simulator.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use garmin_gateway::accounts::{AccountId, Accounts};
use garmin_gateway::base::clock::Clock;
use garmin_gateway::base::lifecycle::Lifecycle;
use garmin_gateway::base::log::Traces;
use garmin_gateway::base::secrets::RootSecret;
use garmin_gateway::config::Live;
use garmin_gateway::garmin::livetrack::{LiveTrack, Position, Trackpoint};
use garmin_gateway::notify::{Notifier, NotifierParts};
use garmin_gateway::race::ending::EndRules;
use garmin_gateway::race::id::RaceId;
use garmin_gateway::race::plan::RacePlan;
use garmin_gateway::race::schedule::RaceWatch;
use garmin_gateway::race::snapshot::Snapshot;
use garmin_gateway::race::sport::RaceKind;
use garmin_gateway::race::track::{Track, TrackSample};
use garmin_gateway::races::{RaceCaller, RaceOverview, Races, RacesParts, answers, series};
use garmin_gateway::simulator::livetrack::{Playback, demo_race};
use garmin_gateway::simulator::{Simulator, SimulatorSettings};
use garmin_gateway::store::{Archive, Store, StoreError};
use garmin_gateway::upkeep::{PrivateFile, kinds};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::net::TcpListener;

use crate::figures::{Row, ms};
use crate::load::Times;
use crate::processes::{cpu, resident_mb};

struct Effort {
    points: usize,
    repeats: usize,
    races: usize,
    watched: Duration,
}

/// Measures all figures that concern races.
pub(crate) async fn all(smoke: bool) -> Result<Vec<Row>> {
    let effort = if smoke {
        Effort {
            points: 30_000,
            repeats: 20,
            races: 20,
            watched: Duration::from_secs(3),
        }
    } else {
        Effort {
            points: 1_000_000,
            repeats: 300,
            races: 1000,
            watched: Duration::from_secs(180),
        }
    };
    let directory = tempfile::tempdir()?;
    let mut rows = kept(directory.path(), &effort).await?;
    rows.extend(watched(directory.path(), &effort).await?);
    Ok(rows)
}

fn start() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A runner's sample with everything that a current watch sends; its values vary as real ones do.
fn sample(i: usize, every_s: i64) -> TrackSample {
    let n = i64::try_from(i).unwrap_or(i64::MAX);
    let at = start() + SignedDuration::from_secs(n * every_s);
    let (t, wave) = ((n * every_s) as f64, (i as f64 / 37.0).sin());
    let mut point = Trackpoint::at(at);
    point.reported_at = Some(at + SignedDuration::from_secs(8 + n % 7));
    // Garmin's unit for angles (2^31 per 180°), with all digits.
    let degrees = |angle: f64| angle.round() * 180.0 / 2_147_483_648.0;
    point.position = Some(Position {
        lat: degrees(556_300_000.0 + t * 11.0 + wave * 900.0),
        lon: degrees(170_600_000.0 + t * 35.0 + wave * 700.0),
    });
    point.altitude_m = Some(((440.0 + wave * 35.0) * 5.0).round() / 5.0);
    point.speed_mps = Some(((3.1 + wave / 3.0) * 1000.0).round() / 1000.0);
    point.distance_m = Some((t * 3.1 * 100.0).round() / 100.0);
    point.total_distance_m = point.distance_m;
    (point.duration_s, point.total_duration_s) = (Some(t), Some(t));
    let body = |base: f64| (base + wave * 9.0).round().max(0.0);
    let whole = |value: f64| format!("{value:.0}").parse().ok();
    point.heart_rate_bpm = whole(body(150.0));
    point.cadence_rpm = whole(body(85.0));
    point.power_w = whole(body(260.0) + (i * 7919 % 23) as f64);
    point.activity_type = Some("RUNNING".into());
    point.other.insert("elevationSource".into(), json!("BAROMETRIC"));
    TrackSample {
        point,
        seen_at: at + SignedDuration::from_secs(20),
    }
}

/// The points of one race: written in batches, read in windows, and measured on disk.
async fn kept(directory: &Path, effort: &Effort) -> Result<Vec<Row>> {
    let store = open(&directory.join("points"))?;
    let race = RaceId::random();
    let append = async |race: &RaceId, batch: Vec<TrackSample>| -> Result<()> {
        let race = race.clone();
        let kept = store.atomic(move |tx| series::append(tx, &race, batch));
        kept.await.map(drop).map_err(|e: StoreError| e.into())
    };
    // As they arrive in practice: several at a time, one write per batch.
    for first in (0..effort.points).step_by(60) {
        let batch = (first..effort.points.min(first + 60)).map(|i| sample(i, 1));
        append(&race, batch.collect()).await?;
    }
    let bytes = store.size_on_disk() as f64 / effort.points as f64;
    let mut writes = Vec::new();
    let other = RaceId::random();
    for first in (0..effort.repeats * 6).step_by(6) {
        let batch = (first..first + 6).map(|i| sample(i, 10)).collect();
        let began = Instant::now();
        append(&other, batch).await?;
        writes.push(began.elapsed());
    }
    let last = sample(effort.points - 1, 1).point.at;
    let mut windows = Vec::new();
    for _ in 0..effort.repeats {
        let began = Instant::now();
        let window = series::read(&store, &race, last - SignedDuration::from_mins(10), last)?;
        windows.push(began.elapsed());
        ensure!(window.len() == 601, "{} points in ten minutes", window.len());
    }
    let day = RaceId::random();
    append(&day, (0..8640).map(|i| sample(i, 10)).collect()).await?;
    let mut summaries = Vec::new();
    for _ in 0..effort.repeats.min(50) {
        let began = Instant::now();
        let samples = series::read_all(&store, &day)?;
        let track = Track::of(RaceKind::Run, None, &samples);
        let told = answers::summary(&view(&day, track)?).to_string();
        summaries.push(began.elapsed());
        ensure!(told.contains("splits"), "no summary");
    }
    let points = effort.points;
    let backup = backed_up(&store, directory, &race, last).await?;
    Ok(vec![
        backup,
        Row::alone(
            "race: a batch of 6 points durable, p99",
            ms(Times::new(writes)?.quantile(0.99)),
            "5 ms at most",
        ),
        Row::alone(
            "race: the last 10 min of 1,000,000 points, p50",
            ms(Times::new(windows)?.quantile(0.5)),
            "1 ms at most",
        ),
        Row::alone(
            "race: summary of 24 hours, from its points, p50",
            ms(Times::new(summaries)?.quantile(0.5)),
            "20 ms at most",
        ),
        Row::alone(
            "race: disk for a point",
            format!("{bytes:.1} bytes ({points} points)"),
            "60 bytes at most",
        ),
    ])
}

/// Backs up into a file, as a running gateway does, during constant reads and writes.
async fn backed_up(store: &Store, directory: &Path, race: &RaceId, last: Timestamp) -> Result<Row> {
    let path = directory.join("bench.backup");
    let (copied, from) = (path.clone(), store.clone());
    let making = tokio::task::spawn_blocking(move || -> Result<(Duration, u64, u64)> {
        let began = Instant::now();
        let mut file = PrivateFile::begin(copied)?;
        let mut backup = from.backup(start())?;
        for piece in backup.by_ref() {
            file.write(&piece?)?;
        }
        let (bytes, records) = (file.bytes(), backup.records());
        file.finish()?;
        Ok((began.elapsed(), bytes, records))
    });
    let (other, mut writes, mut reads) = (RaceId::random(), Vec::new(), Vec::new());
    while !making.is_finished() {
        let (to, first) = (other.clone(), writes.len() * 6);
        let batch = (first..first + 6).map(|i| sample(i, 10)).collect();
        let began = Instant::now();
        let kept = store.atomic(move |tx| series::append(tx, &to, batch));
        kept.await.map_err(|e: StoreError| anyhow::anyhow!(e))?;
        writes.push(began.elapsed());
        let began = Instant::now();
        series::read(store, race, last - SignedDuration::from_mins(10), last)?;
        reads.push(began.elapsed());
    }
    let (took, bytes, records) = making.await??;
    let secret = secret()?;
    let archive = Archive::open(std::io::BufReader::new(std::fs::File::open(&path)?), &secret)?;
    let checked = archive.verify(&kinds(), &mut |_| {})?;
    ensure!(
        checked.records == records,
        "{} of {records} records",
        checked.records
    );
    let (write, read) = (
        Times::new(writes)?.quantile(0.99),
        Times::new(reads)?.quantile(0.99),
    );
    let mb = bytes as f64 / 1e6;
    Ok(Row::alone(
        "backup of 1,000,000 points with calls going on",
        format!(
            "{:.1} s, {mb:.0} MB (a write meanwhile {}, a read {}, p99)",
            took.as_secs_f64(),
            ms(write),
            ms(read)
        ),
        "10 s at most",
    ))
}

fn view(race: &RaceId, track: Track) -> Result<RaceOverview> {
    Ok(RaceOverview {
        snapshot: Snapshot {
            race: race.clone(),
            account: account(0)?,
            now: start(),
            settings: RacePlan::default(),
            course: None,
            watch: RaceWatch::new(start()),
            track,
            alerts: Vec::new(),
        },
        last_words: None,
        watched: false,
        waiting: vec![],
    })
}

/// A thousand races at the usual interval of one minute. LiveTrack also runs in this process, so its cost is
/// included.
async fn watched(directory: &Path, effort: &Effort) -> Result<Vec<Row>> {
    let lifecycle = Lifecycle::new();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let simulator = Simulator::start(SimulatorSettings::default(), listener, &lifecycle)?;
    let clock = Clock::system();
    let http = garmin_gateway::garmin::client(&simulator.hosts())?;
    let before = resident_mb(std::process::id())?;
    let store = open(&directory.join("races"))?;
    let (_live, live) = tokio::sync::watch::channel(Live::default());
    let parts = NotifierParts {
        store: store.clone(),
        clock: clock.clone(),
        accounts: Accounts::new(store.clone(), clock.clone(), live.clone()),
        public_url: String::new(),
        live,
    };
    let races = Races::start(RacesParts {
        store,
        clock: clock.clone(),
        lifecycle: lifecycle.clone(),
        livetrack: LiveTrack::new(http, simulator.hosts(), clock),
        rules: EndRules::default(),
        notifier: Notifier::start(parts, &lifecycle),
        time_zone: None,
        coach: None,
        traces: Traces::off(),
        public_url: String::new(),
    })?;
    let scenario = demo_race().map_err(|e| anyhow::anyhow!("{e:?}"))?;
    let pace = Playback {
        elapsed_s: 600,
        ..Playback::default()
    };
    for number in 0..effort.races {
        let link = simulator
            .play(&scenario, pace)
            .into_iter()
            .next()
            .context("no link")?;
        let config = serde_json::Map::new();
        races
            .start_tracking(
                &RaceCaller::Operator(account(number / 8)?),
                link.as_str(),
                &config,
                None,
            )
            .await?;
    }
    // The first poll of each race reads everything so far; only the steady state counts.
    tokio::time::sleep(effort.watched / 3).await;
    let (began, cpu_before) = (Instant::now(), cpu(std::process::id())?);
    tokio::time::sleep(effort.watched).await;
    let busy =
        cpu(std::process::id())?.saturating_sub(cpu_before).as_secs_f64() / began.elapsed().as_secs_f64();
    let memory = resident_mb(std::process::id())?;
    let figures = races.metrics();
    ensure!(figures.races == effort.races && figures.points > 0, "{figures:?}");
    lifecycle.drain(Duration::from_secs(5)).await;
    let count = effort.races;
    Ok(vec![
        Row::alone(
            "1,000 races, processor with the pretend LiveTrack",
            format!("{:.0} % of a core ({count} races)", busy * 100.0),
            "30 % of a core at most",
        ),
        Row::alone(
            "1,000 races, resident memory with the pretend LiveTrack",
            format!("{memory:.0} MB ({before:.0} MB before)"),
            "150 MB at most",
        ),
    ])
}

fn secret() -> Result<RootSecret> {
    RootSecret::new("a secret of a bench, long enough for a store").context("no secret")
}

fn open(path: &Path) -> Result<Store> {
    Ok(Store::open(path, &secret()?)?)
}

fn account(number: usize) -> Result<AccountId> {
    Ok(format!("acc_{number:016}").parse()?)
}
