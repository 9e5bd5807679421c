//! Tests that a change of the secret can be killed at any point, with and without a gateway: the secret file still
//! opens the store, and no data is lost. They run the real program and use `kill -9`.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use garmin_gateway::admin::client::AdminClient;
use garmin_gateway::base::secrets::{RootSecret, random_bytes};
use garmin_gateway::store::Store;
use jiff::Timestamp;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::keys::done;
use crate::whole::World;

/// The number of kills without a gateway, and with one.
const ROUNDS: (usize, usize) = (20, 10);

/// The approximate time from the creation of the new secret's file to the last step.
const ROTATION: Duration = Duration::from_millis(8);

fn program(world: &World, subcommand: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_garmin-gateway"))
        .arg(subcommand)
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

/// Opens the store with the secret file and reads all of it. Returns the number of records.
fn records(world: &World) -> u64 {
    let secret = RootSecret::read(&world.dir().join("secret")).unwrap();
    let store = Store::open(&world.dir().join("data/gateway.db"), &secret).unwrap();
    let mut backup = store.backup(Timestamp::UNIX_EPOCH).unwrap();
    for piece in backup.by_ref() {
        piece.unwrap();
    }
    backup.records()
}

/// Starts a change, and returns its process at a random point of its work, or at its end.
async fn midway(world: &World) -> Child {
    let new = world.dir().join("secret.new");
    // A change that was killed earlier may have left this file.
    let stamp = || fs::metadata(&new).and_then(|seen| seen.modified()).ok();
    let before = stamp();
    let mut changing = program(world, "rotate-secret");
    while stamp() == before && changing.try_wait().unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    let part = f64::from(u32::from_be_bytes(random_bytes())) / f64::from(u32::MAX);
    sleep(ROTATION.mul_f64(part)).await;
    changing
}

#[tokio::test]
async fn a_change_of_the_secret_that_is_killed_anywhere_loses_nothing() {
    let mut world = World::start().await;
    let ann = world.connect("ann@example.org", "demo-ann", None).await;
    world.stop_gateway().await;
    let held = records(&world);
    let (mut changed, mut cut) = (0, 0);
    let mut count = |world: &World, before: &[u8]| {
        let secret = fs::read(world.dir().join("secret")).unwrap();
        changed += usize::from(secret != before);
        cut += usize::from(world.dir().join("secret.new").exists());
        secret
    };
    let mut secret = fs::read(world.dir().join("secret")).unwrap();

    for round in 0..ROUNDS.0 {
        midway(&world).await.kill().await.unwrap();
        assert_eq!(records(&world), held, "round {round} without a gateway");
        secret = count(&world, &secret);
    }
    for round in 0..ROUNDS.1 {
        let mut gateway = program(&world, "serve");
        while AdminClient::connect(&world.socket()).await.is_err() {
            assert_eq!(gateway.try_wait().unwrap(), None, "it does not start");
            sleep(Duration::from_millis(5)).await;
        }
        // Either process may be killed first; the other continues for a moment.
        let mut both = [gateway, midway(&world).await];
        if round % 2 == 0 {
            both.reverse();
        }
        for victim in &mut both {
            victim.kill().await.unwrap();
        }
        assert!(records(&world) >= held, "round {round} with a gateway");
        secret = count(&world, &secret);
    }
    println!("{changed} changed the secret, {cut} were killed before");
    assert!(changed + cut > 0, "no change was ever under way");

    // A complete change is still possible.
    done(&world, &["rotate-secret", "--json"]).await;
    world.start_gateway().await;
    assert_eq!(world.full_name(&ann.access_token).await, "Ann Example");
    let renewed = world
        .token(&[
            ("grant_type", "refresh_token"),
            ("client_id", &ann.client_id),
            ("refresh_token", &ann.refresh_token),
        ])
        .await;
    let token = renewed["access_token"].as_str().unwrap();
    assert_eq!(world.full_name(token).await, "Ann Example");
}
