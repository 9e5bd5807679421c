//! Finished races: exported by their owner, and erased by hand or automatically.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use garmin_gateway::base::clock::Clock;
use garmin_gateway::simulator::SimulatorSettings;
use jiff::SignedDuration;
use quick_xml::events::Event;
use serde_json::{Value, json};

use super::{Tracked, start};
use crate::keys::{cli, done, refused};
use crate::whole::World;

impl Tracked {
    async fn n_races(&self) -> usize {
        let told = self.told("list_races", json!({})).await;
        told["races"].as_array().unwrap().len()
    }
}

#[tokio::test]
async fn a_person_takes_everything_away_and_no_token() {
    let ann = Tracked::start("tunnel").await;
    ann.play_to_the_end().await;
    let (world, kept) = (&ann.world, ann.kept());
    let export = ["export", "--account", "ann@example.org"];
    let with = |more: &[&'static str]| [&export[..], more].concat();

    let output = cli(world, &with(&["all.json"])).await;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let path = world.dir().join("all.json");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&path).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(all["account"]["email"], "ann@example.org");
    assert!(!all["usage"].as_array().unwrap().is_empty() || !all["sign_ins"].as_array().unwrap().is_empty());
    let points = all["races"][0]["points"].as_array().unwrap();
    assert_eq!(points.len(), kept.len());
    for (told, point) in points.iter().zip(&kept) {
        assert_eq!(told["at"], json!(point.at));
        assert_eq!(
            told["heart_rate_bpm"].as_u64(),
            point.heart_rate_bpm.map(u64::from)
        );
        assert_eq!(told["lat"].as_f64(), point.position.map(|place| place.lat));
    }
    for secret in [
        &ann.ann.access_token,
        &ann.ann.refresh_token,
        &ann.links[0].path(),
    ] {
        assert!(!text.contains(secret.as_str()));
    }
    let (code, words) = refused(world, &with(&["all.json"])).await;
    assert!(code == 64 && words.contains("another name"), "{code} {words}");

    let race = ann.race.as_str();
    let gpx = cli(world, &[&export[..], &["--race", race, "--as", "gpx"]].concat())
        .await
        .stdout;
    let mut reader = quick_xml::Reader::from_reader(&gpx[..]);
    let (mut buffer, mut places) = (Vec::new(), 0);
    loop {
        match reader.read_event_into(&mut buffer).unwrap() {
            Event::Start(tag) if tag.name().as_ref() == "trkpt" => places += 1,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(
        places,
        kept.iter().filter(|point| point.position.is_some()).count()
    );
    let csv = cli(world, &[&export[..], &["--race", race, "--as", "csv"]].concat())
        .await
        .stdout;
    let csv = String::from_utf8(csv).unwrap();
    assert_eq!(csv.lines().count(), kept.len() + 1);
    let columns = csv.lines().next().unwrap().split(',').count();
    assert!(csv.lines().all(|line| line.split(',').count() == columns));
    let (code, words) = refused(world, &with(&["--as", "gpx"])).await;
    assert!(code == 64 && words.contains("--race"), "{code} {words}");
    let (code, _) = refused(world, &["export", "--account", "zoe@example.org"]).await;
    assert_eq!(code, 64);
}

#[tokio::test]
async fn what_is_past_is_erased_by_hand_and_what_is_not_stays() {
    let ann = Tracked::start("tunnel").await;
    let world = &ann.world;
    let purge = ["purge", "--account", "ann@example.org", "--yes", "--json"];
    // A race in progress is not purged.
    assert_eq!(done(world, &purge).await["races"], 0);
    ann.play_to_the_end().await;
    let (code, words) = refused(world, &purge[..3]).await;
    assert!(code == 64 && words.contains("--yes"), "{code} {words}");
    let (code, _) = refused(world, &["purge", "--yes"]).await;
    assert_eq!(code, 64);
    let before = |day: &'static str| ["purge", "--races-before", day, "--yes", "--json"];
    assert_eq!(done(world, &before("2026-10-04")).await["races"], 0);
    assert_eq!(ann.n_races().await, 1);
    assert_eq!(done(world, &before("2026-10-06")).await["races"], 1);
    assert_eq!((ann.n_races().await, ann.kept().len()), (0, 0));
    let told = done(world, &["purge", "--compact", "--json"]).await;
    // There is too little data to compact, but the command works and loses nothing.
    assert!(told["compacted"][1].as_u64().unwrap() <= 1 << 20, "{told}");
    // Ann's connection still works.
    assert_eq!(world.full_name(&ann.ann.access_token).await, "Ann Example");
}

#[tokio::test]
async fn what_is_too_old_is_erased_by_itself() {
    let clock = Clock::manual(start());
    let settings = SimulatorSettings {
        clock: clock.clone(),
        ..SimulatorSettings::default()
    };
    let world = World::with(settings, 10, &[("RACE_RETENTION_DAYS", "30")]).await;
    let mut ann = Tracked::in_world(world, clock.clone(), "tunnel").await;
    ann.play_to_the_end().await;
    assert_eq!(ann.n_races().await, 1);
    clock.advance(SignedDuration::from_hours(24 * 31));
    ann.world.restart().await;
    let gone = async {
        while !ann.world.races().all().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), gone).await.unwrap();
    assert!(ann.kept().is_empty());
}
