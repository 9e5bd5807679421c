//! Tests of the store under `kill -9` and on a full disk. The test binary starts itself as the process to kill.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use garmin_gateway::base::secrets::{RootSecret, random_bytes};
use garmin_gateway::store::{Health, Record, Store, StoreError, Table};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

const DIRECTORY: &str = "STORE_TEST_DIRECTORY";

#[derive(Serialize, Deserialize)]
struct Entry {
    n: u64,
    filler: String,
}

impl Record for Entry {
    const TABLE: Table = Table("entry");
}

fn entry(n: u64) -> Entry {
    Entry {
        n,
        filler: "x".repeat(usize::try_from(n % 3_000).unwrap()),
    }
}

fn open(dir: &Path) -> Store {
    Store::open(
        &dir.join("db"),
        &RootSecret::new("an unguessable text of 32 letters").unwrap(),
    )
    .unwrap()
}

/// Runs one of the programs below in a separate process.
pub(crate) fn start(program: &str, dir: &Path, shell: &str) -> Child {
    let me = std::env::current_exe().unwrap();
    Command::new("sh")
        .args([
            "-c",
            &format!("{shell} exec \"$0\" --exact {program} --nocapture"),
            me.to_str().unwrap(),
        ])
        .env(DIRECTORY, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = 0_u64;
    for _ in 0..8 {
        let mut child = start("store::writer_program", dir.path(), "");
        let life = Duration::from_millis(60 + u64::from(random_bytes::<1>()[0]));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut killed_at = None;
        for line in lines {
            let Ok(line) = line else { break };
            if let Some(n) = line.strip_prefix("ack ") {
                acknowledged = n.parse().unwrap();
                let first = killed_at.get_or_insert_with(Instant::now);
                if first.elapsed() > life {
                    child.kill().unwrap();
                }
            }
        }
        child.wait().unwrap();
        let store = open(dir.path());
        for n in 1..=acknowledged {
            let found = store.find::<Entry>(&n.to_be_bytes()).unwrap();
            assert!(found.is_some_and(|e| e.n == n), "{n} of {acknowledged} is gone");
        }
    }
    assert!(
        acknowledged > 100,
        "the writer wrote next to nothing: {acknowledged}"
    );
}

/// Not a test itself: writes until it is killed, and prints each acknowledged write.
#[test]
fn writer_program() {
    let Ok(dir) = std::env::var(DIRECTORY) else { return };
    let store = open(Path::new(&dir));
    let mut n = store.list::<Entry>(b"").unwrap().last().map_or(0, |(_, e)| e.n);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        loop {
            n += 1;
            store.put(&n.to_be_bytes(), entry(n)).await.unwrap();
            println!("ack {n}");
        }
    });
}

#[test]
fn a_full_disk_loses_nothing_and_writing_resumes() {
    let dir = tempfile::tempdir().unwrap();
    // A limit on file sizes simulates a full disk: a write beyond it fails in the same way.
    let child = start(
        "store::full_disk_program",
        dir.path(),
        "trap '' XFSZ; ulimit -S -f 4000;",
    );
    assert!(child.wait_with_output().unwrap().status.success());
}

/// Not a test itself: fills the disk, checks that reads still work, frees space, and continues writing.
#[test]
fn full_disk_program() {
    let Ok(dir) = std::env::var(DIRECTORY) else { return };
    let store = open(Path::new(&dir));
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut n = 0_u64;
        let failed = loop {
            match store.put(&n.to_be_bytes(), entry(2_999)).await {
                Ok(()) => n += 1,
                Err(e) => break e,
            }
        };
        assert!(matches!(failed, StoreError::NotWritten(_)), "{failed}");
        assert!(matches!(*store.health().borrow(), Health::Degraded(_)));
        assert!(matches!(
            store.put(b"again", entry(1)).await,
            Err(StoreError::NotWritten(_))
        ));
        assert!(store.find::<Entry>(&0_u64.to_be_bytes()).unwrap().is_some());

        let (_, hard) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
        setrlimit(Resource::RLIMIT_FSIZE, hard, hard).unwrap();
        let mut health = store.health();
        let writes_again = health.wait_for(|health| *health == Health::Writing);
        tokio::time::timeout(Duration::from_secs(20), writes_again)
            .await
            .unwrap()
            .unwrap();
        store.put(b"again", entry(1)).await.unwrap();
        for written in 0..n {
            assert!(
                store.find::<Entry>(&written.to_be_bytes()).unwrap().is_some(),
                "{written} of {n}"
            );
        }
    });
}
