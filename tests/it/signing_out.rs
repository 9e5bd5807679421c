//! A client signs out by itself (RFC 7009): its own access ends, and with a person's last client the work that was done
//! for the person.

use std::time::Duration;

use garmin_gateway::oauth::{EndedBy, RevocationScope};
use garmin_gateway::simulator::livetrack::{Playback, demo_race};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::whole::{Connected, World};
use crate::withdrawal::Operator;

async fn connect(world: &World) -> Connected {
    world.connect("ann@example.org", "demo-ann", None).await
}

async fn sign_out(world: &World, token: &str) {
    let sent = world.http.post(world.url("/revoke")).form(&[("token", token)]);
    assert_eq!(sent.send().await.unwrap().status(), 200);
}

async fn status(world: &World, client: &Connected) -> u16 {
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    let sent = world
        .http
        .post(world.url("/mcp"))
        .bearer_auth(&client.access_token);
    sent.json(&ping).send().await.unwrap().status().as_u16()
}

/// How many races are watched.
fn watched(world: &World) -> usize {
    let races = world.races().all().unwrap().into_iter();
    races.filter(|race| race.snapshot.watch.over().is_none()).count()
}

/// The races that are watched, and the workers.
fn work(world: &World) -> (usize, usize) {
    (watched(world), world.workers().len())
}

/// A link that was not used before.
fn link(world: &World) -> String {
    let pace = Playback {
        elapsed_s: 2400,
        ..Playback::default()
    };
    world
        .simulator()
        .play(&demo_race().unwrap(), pace)
        .remove(0)
        .into()
}

async fn start_race(world: &World, client: &Connected) -> Value {
    let arguments = json!({ "url": link(world) });
    world
        .told(&client.access_token, "start_tracking", arguments.clone())
        .await
        .unwrap();
    arguments
}

/// Starts a race and a worker.
async fn start_work(world: &World, client: &Connected) -> Value {
    let arguments = start_race(world, client).await;
    world.full_name(&client.access_token).await;
    assert_eq!(work(world), (1, 1));
    arguments
}

#[tokio::test(flavor = "multi_thread")]
async fn the_work_for_a_person_ends_with_the_last_client() {
    let world = World::start().await;
    let (phone, desktop) = (connect(&world).await, connect(&world).await);
    let arguments = start_work(&world, &phone).await;

    // The race and the worker belong to the account, which has another client.
    sign_out(&world, &phone.refresh_token).await;
    assert_eq!(
        (status(&world, &phone).await, status(&world, &desktop).await),
        (401, 200)
    );
    assert_eq!(work(&world), (1, 1));
    // Revoking an access token ends only that token. The sign-in can get another one, so it still exists.
    sign_out(&world, &desktop.access_token).await;
    assert_eq!(status(&world, &desktop).await, 401);
    assert_eq!(work(&world), (1, 1));

    sign_out(&world, &desktop.refresh_token).await;
    assert_eq!(work(&world), (0, 0));
    // Signing out again is no error, and changes nothing.
    sign_out(&world, &desktop.refresh_token).await;
    sign_out(&world, "unknown").await;

    // After the next sign-in, the race goes on with the same link.
    let again = connect(&world).await;
    let continued = world.told(&again.access_token, "start_tracking", arguments).await;
    assert_eq!(work(&world), (1, 0), "{continued:?}");
    assert_eq!(world.races().all().unwrap().len(), 1, "it is the same race");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_persons_work_goes_on() {
    let world = World::start().await;
    let ann = connect(&world).await;
    let ben = world.connect("ben@example.org", "demo-ben", Some("123456")).await;
    start_work(&world, &ben).await;
    world.full_name(&ann.access_token).await;
    assert_eq!(work(&world), (1, 2));
    sign_out(&world, &ann.refresh_token).await;
    assert_eq!(work(&world), (1, 1));
    assert_eq!(status(&world, &ben).await, 200);
    world.end().await;
}

/// A gateway that is killed between the end of the last sign-in and the end of its work ends the work when it starts.
#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_that_was_cut_short_is_finished_at_the_next_start() {
    let mut world = World::start().await;
    let ann = connect(&world).await;
    start_work(&world, &ann).await;
    let ben = world.connect("ben@example.org", "demo-ben", Some("123456")).await;
    start_race(&world, &ben).await;
    let account = world.workers().remove(0).account;
    // The first half of a revocation.
    let scope = RevocationScope::Account(account.clone());
    world
        .daemon()
        .oauth()
        .end_access(scope, EndedBy::Operator(None))
        .await
        .unwrap();
    assert_eq!(watched(&world), 2);
    world.restart().await;
    assert_eq!(watched(&world), 1, "Ben's race goes on");

    // The operator may watch a race for a person without a sign-in.
    let mut operator = Operator::connect(&world.socket()).await;
    let start = json!({ "start_race": { "account": account.to_string(), "link": link(&world) } });
    operator.act(start).await;
    world.restart().await;
    assert_eq!(watched(&world), 2);
    world.end().await;
}

/// Signing out is often the last thing that a client does before it exits.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_wait_for_the_answer_is_signed_out_too() {
    let world = World::start().await;
    for _ in 0..10 {
        let ann = connect(&world).await;
        start_work(&world, &ann).await;
        let body = format!("token={}", ann.refresh_token);
        let head = format!(
            "POST /revoke HTTP/1.1\r\nHost: localhost:{}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n",
            world.port(),
            body.len()
        );
        let mut connection = TcpStream::connect(("127.0.0.1", world.port())).await.unwrap();
        connection
            .write_all(format!("{head}{body}").as_bytes())
            .await
            .unwrap();
        // The client must not close before its request was read, because the request would then be lost.
        for _ in 0..2_000 {
            if status(&world, &ann).await == 401 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(connection);
        for _ in 0..2_000 {
            if work(&world) == (0, 0) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(work(&world), (0, 0));
    }
    world.end().await;
}
