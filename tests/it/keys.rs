//! Tests of backups made during tool calls, of restoring them after all data was lost, and of changing the secret of
//! a running gateway. They run the real program as an operator would.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use garmin_gateway::oauth::{EndedBy, RevocationScope};
use serde_json::{Value, json};

use crate::whole::World;

/// Runs the program with the settings of this world's gateway and without a terminal.
pub(crate) async fn cli(world: &World, args: &[&str]) -> Output {
    let at = |name: &str| world.dir().join(name);
    tokio::process::Command::new(env!("CARGO_BIN_EXE_garmin-gateway"))
        .args(args)
        .env_clear()
        .env("HOME", world.dir())
        .env("DATA_DIR", at("data"))
        .env("RUNTIME_DIR", at("runtime"))
        .env("GATEWAY_SECRET_FILE", at("secret"))
        .current_dir(world.dir())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap()
}

/// Runs the program, which must succeed, and returns the JSON that it prints.
pub(crate) async fn done(world: &World, args: &[&str]) -> Value {
    let output = cli(world, args).await;
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {words}");
    assert_eq!(words, "", "no terminal, no progress");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs the program, which must fail, and returns its exit code and error message.
pub(crate) async fn refused(world: &World, args: &[&str]) -> (i32, String) {
    let output = cli(world, args).await;
    let words = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), words)
}

fn file(report: &Value) -> PathBuf {
    PathBuf::from(report["file"].as_str().unwrap())
}

fn names(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

async fn status_of(world: &World, token: &str) -> u16 {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    let asked = world.http.post(world.url("/mcp")).bearer_auth(token).json(&call);
    asked.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn after_backup_and_loss_and_restore_every_sign_in_works() {
    let mut world = World::start().await;
    let ann = world.connect("ann@example.org", "demo-ann", None).await;
    let report = done(&world, &["backup", "--json"]).await;
    let backup = file(&report);
    assert_eq!(backup.parent().unwrap(), world.dir().join("data/backups"));
    assert_eq!(fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);

    // Backups are made during tool calls, and two of them are kept.
    let calls = async {
        for _ in 0..20 {
            assert_eq!(world.full_name(&ann.access_token).await, "Ann Example");
        }
    };
    let ((), kept) = tokio::join!(
        calls,
        done(&world, &["backup", "backups/", "--keep", "2", "--json"])
    );
    assert!(kept["records"].as_u64().unwrap() >= report["records"].as_u64().unwrap());
    let checked = done(
        &world,
        &["restore", "--verify", backup.to_str().unwrap(), "--json"],
    )
    .await;
    assert_eq!(checked["records"], report["records"]);
    assert_eq!(checked["tables"]["account"], 1);
    assert!(checked["tables"]["access_token"].as_u64() >= Some(1));

    // Restoring is refused while the gateway is running.
    let wanted = backup.to_str().unwrap();
    let (code, words) = refused(&world, &["restore", wanted, "--replace"]).await;
    assert!(code == 69 && words.contains("stop it first"), "{code} {words}");

    // Access revoked after the backup is valid again, and the output says so.
    let oauth = world.daemon().oauth();
    oauth
        .end_access(RevocationScope::All, EndedBy::Operator(None))
        .await
        .unwrap();
    assert_eq!(status_of(&world, &ann.access_token).await, 401);
    world.stop_gateway().await;
    let (code, words) = refused(&world, &["restore", wanted]).await;
    assert!(code == 64 && words.contains("--replace"), "{code} {words}");
    let output = cli(&world, &["restore", wanted, "--replace"]).await;
    let words = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && words.contains("are back: end them once more"),
        "{words}"
    );
    assert_eq!(
        names(&world.dir().join("data"))
            .iter()
            .filter(|name| name.contains("replaced"))
            .count(),
        1
    );
    world.start_gateway().await;
    assert_eq!(world.full_name(&ann.access_token).await, "Ann Example");

    // All data except the backup and the secret is lost. After restoring, the refresh token works too.
    world.stop_gateway().await;
    let apart = world.dir().join("apart.backup");
    fs::copy(&backup, &apart).unwrap();
    fs::remove_dir_all(world.dir().join("data")).unwrap();
    let restored = done(&world, &["restore", "apart.backup", "--json"]).await;
    assert_eq!(
        (&restored["records"], &restored["old_store"]),
        (&report["records"], &Value::Null)
    );
    world.start_gateway().await;
    assert_eq!(world.full_name(&ann.access_token).await, "Ann Example");
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", &ann.client_id),
        ("refresh_token", &ann.refresh_token),
    ];
    let renewed = world.token(&form).await;
    assert_eq!(
        world.full_name(renewed["access_token"].as_str().unwrap()).await,
        "Ann Example"
    );

    // A backup made without a gateway has the same contents.
    world.stop_gateway().await;
    let offline = done(&world, &["backup", "offline.backup", "--json"]).await;
    done(&world, &["restore", "--verify", "offline.backup", "--json"]).await;
    assert!(offline["records"].as_u64() >= report["records"].as_u64());
    world.start_gateway().await;
    assert_eq!(
        status_of(&world, renewed["access_token"].as_str().unwrap()).await,
        200
    );
}

#[tokio::test]
async fn a_dash_is_standard_output_and_restored_files_are_private() {
    let mut world = World::start().await;
    world.connect("ann@example.org", "demo-ann", None).await;
    for stopped in [false, true] {
        if stopped {
            world.stop_gateway().await;
        }
        let output = cli(&world, &["backup", "-"]).await;
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && words.is_empty(), "{words}");
        fs::write(world.dir().join("piped"), &output.stdout).unwrap();
        done(&world, &["restore", "--verify", "piped", "--json"]).await;
    }
    let (code, words) = refused(&world, &["rotate-secret", "--apart", "-"]).await;
    assert!(code == 64 && words.contains("needs a file"), "{code} {words}");
    let (code, _) = refused(&world, &["backup", "-", "--keep", "2"]).await;
    assert_eq!(code, 64);
    assert!(!names(world.dir()).contains(&"-".to_owned()));

    let data = world.dir().join("data");
    fs::remove_dir_all(&data).unwrap();
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    done(&world, &["restore", "piped", "--json"]).await;
    let mut left = vec![data];
    while let Some(path) = left.pop() {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, expected, "{}", path.display());
        if path.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    world.start_gateway().await;
}

#[tokio::test]
async fn only_the_newest_are_kept_and_a_cut_one_is_told() {
    let world = World::start().await;
    let directory = world.dir().join("backups");
    fs::create_dir(&directory).unwrap();
    for day in 1..=4 {
        let name = format!("garmin-gateway-2026010{day}T000000Z.backup");
        fs::write(directory.join(name), "garmin-gateway backup 1\n").unwrap();
    }
    let report = done(&world, &["backup", "backups", "--keep", "3", "--json"]).await;
    assert_eq!(report["removed"], 2);
    let left = names(&directory);
    assert_eq!(left.len(), 3);
    assert_eq!(left[0], "garmin-gateway-20260103T000000Z.backup");

    let backup = file(&report);
    let whole = fs::read(&backup).unwrap();
    fs::write(world.dir().join("cut"), &whole[..whole.len() - 1]).unwrap();
    let (code, words) = refused(&world, &["restore", "--verify", "cut"]).await;
    assert!(code == 74 && words.contains("incomplete"), "{code} {words}");
    let (code, words) = refused(&world, &["backup", "one.backup", "--keep", "3"]).await;
    assert!(code == 64 && words.contains("--keep"), "{code} {words}");
    let (code, words) = refused(&world, &["backup", "secret"]).await;
    assert!(code == 64 && words.contains("is not a backup"), "{code} {words}");
}

#[tokio::test]
async fn a_secret_is_changed_while_people_call() {
    let mut world = World::start().await;
    let ann = world.connect("ann@example.org", "demo-ann", None).await;
    let before = file(&done(&world, &["backup", "before.backup", "--json"]).await);
    let secret = world.dir().join("secret");
    let first = fs::read(&secret).unwrap();
    fs::write(world.dir().join("first"), &first).unwrap();

    let changed = done(&world, &["rotate-secret", "--json"]).await;
    assert_eq!(
        (&changed["done"], &changed["running"]),
        (&json!(true), &json!(true))
    );
    assert_ne!(fs::read(&secret).unwrap(), first);
    assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(world.full_name(&ann.access_token).await, "Ann Example");
    world.restart().await;
    assert_eq!(world.full_name(&ann.access_token).await, "Ann Example");

    // A backup from before the change opens only with the old secret, and is restored under the new one.
    let before = before.to_str().unwrap();
    let (code, words) = refused(&world, &["restore", "--verify", before]).await;
    assert!(code == 78 && words.contains("--secret-file"), "{code} {words}");
    world.stop_gateway().await;
    let args = ["restore", before, "--secret-file", "first", "--replace", "--json"];
    done(&world, &args).await;
    world.start_gateway().await;
    assert_eq!(world.full_name(&ann.access_token).await, "Ann Example");

    // Change the secret without a gateway. The old secret no longer opens the store.
    world.stop_gateway().await;
    let second = fs::read(&secret).unwrap();
    done(&world, &["rotate-secret", "--json"]).await;
    let third = fs::read(&secret).unwrap();
    fs::write(&secret, second).unwrap();
    let (code, words) = refused(&world, &["backup", "x.backup"]).await;
    assert!(code == 78 && words.contains("another secret"), "{code} {words}");
    fs::write(&secret, third).unwrap();
    world.start_gateway().await;
    assert_eq!(world.full_name(&ann.access_token).await, "Ann Example");
}
