use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::*;
use crate::base::secrets::random_bytes;
use crate::store::{Record, Table};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Note(Vec<u8>);

impl Record for Note {
    const TABLE: Table = Table("note");
}

const KINDS: [Kind; 1] = [Kind::of::<Note>()];

fn secret(text: &str) -> RootSecret {
    RootSecret::new(&format!("{text} text of more than 32 letters!")).unwrap()
}

async fn fill(store: &Store, keys: std::ops::Range<u32>) {
    for first in keys.clone().step_by(50) {
        let keys = first..keys.end.min(first + 50);
        let written = store.atomic(move |tx| {
            for n in keys {
                tx.put(&n.to_be_bytes(), &Note(random_bytes::<1000>().to_vec()))?;
            }
            Ok::<_, StoreError>(())
        });
        written.await.unwrap();
    }
}

fn all(store: &Store) -> Vec<(Vec<u8>, Note)> {
    store.list::<Note>(b"").unwrap()
}

fn disk(path: &Path) -> u64 {
    let of = |path: &Path| std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
    of(path)
        .map(|entry| match entry.metadata().unwrap() {
            found if found.is_dir() => disk(&entry.path()),
            found => found.len(),
        })
        .sum()
}

#[tokio::test]
async fn a_compaction_gives_room_back_and_keeps_all_that_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let store = Store::open(&path, &secret("an unguessable")).unwrap();
    fill(&store, 0..2000).await;
    let removed = store.atomic(|tx| {
        (100..2000_u32).for_each(|n| tx.remove::<Note>(&n.to_be_bytes()));
        Ok::<_, StoreError>(())
    });
    removed.await.unwrap();
    let (before, kept) = (disk(dir.path()), all(&store));
    let done = Arc::new(AtomicBool::new(false));
    let reading = std::thread::spawn({
        let (store, done, wanted) = (store.clone(), Arc::clone(&done), kept.len());
        move || {
            while !done.load(Ordering::Relaxed) {
                assert_eq!(all(&store).len(), wanted);
            }
        }
    });
    let compacted = store.compact().await.unwrap();
    done.store(true, Ordering::Relaxed);
    reading.join().unwrap();
    let after = disk(dir.path());
    let told = format!("{before} bytes on the disk before, {after} after: {compacted:?}");
    assert!(
        compacted.after < compacted.before / 4 && after < before / 4,
        "{told}"
    );
    assert!(all(&store) == kept);
    fill(&store, 100..110).await;
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        1,
        "something is left"
    );
    drop(store);
    let store = Store::open(&path, &secret("an unguessable")).unwrap();
    assert_eq!(all(&store).len(), kept.len() + 10);
}

#[tokio::test]
async fn a_backup_that_a_compaction_overtakes_is_of_its_moment() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("db"), &secret("an unguessable")).unwrap();
    fill(&store, 0..300).await;
    let then = all(&store).len() as u64;
    let mut pieces = store.backup(Timestamp::UNIX_EPOCH).unwrap();
    let mut bytes: Vec<u8> = pieces.by_ref().take(3).flat_map(Result::unwrap).collect();
    fill(&store, 250..320).await;
    store.compact().await.unwrap();
    fill(&store, 290..340).await;
    bytes.extend(pieces.by_ref().flat_map(Result::unwrap));
    let archive = Archive::open(&bytes[..], &secret("an unguessable")).unwrap();
    assert_eq!(archive.verify(&KINDS, &mut |_| {}).unwrap().records, then);
}

fn backup(store: &Store) -> Vec<u8> {
    let pieces = store.backup(Timestamp::UNIX_EPOCH).unwrap();
    pieces.collect::<Result<Vec<_>, _>>().unwrap().concat()
}

fn restore(path: &Path, bytes: &[u8], to: &str, old: Option<PathBuf>) -> Result<Restored, RestoreError> {
    let archive = Archive::open(bytes, &secret("an unguessable"))?;
    Store::restore(path, archive, &secret(to), old, &KINDS, &mut |_| {})
}

#[tokio::test]
async fn a_backup_comes_back_under_another_secret_and_the_store_before_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let [path, old] = ["db", "db.replaced"].map(|name| dir.path().join(name));
    let store = Store::open(&path, &secret("an unguessable")).unwrap();
    fill(&store, 0..300).await;
    let (bytes, then) = (backup(&store), all(&store));
    fill(&store, 300..310).await;
    let now = all(&store);
    let in_use = restore(&path, &bytes, "another", Some(old.clone()));
    assert!(matches!(in_use, Err(RestoreError::Open(OpenError::InUse(_)))));
    drop(store);
    let in_the_way = restore(&path, &bytes, "another", None);
    assert!(matches!(in_the_way, Err(RestoreError::InTheWay(_))));
    let cut = restore(&path, &bytes[..bytes.len() - 9], "another", Some(old.clone()));
    assert!(matches!(cut, Err(RestoreError::Archive(ArchiveError::Cut(_)))));
    assert_eq!(all(&Store::open(&path, &secret("an unguessable")).unwrap()), now);
    let restored = restore(&path, &bytes, "another", Some(old.clone())).unwrap();
    assert_eq!(
        (restored.contents.records, restored.old),
        (300, Some(old.clone()))
    );
    assert_eq!(all(&Store::open(&path, &secret("another")).unwrap()), then);
    assert_eq!(all(&Store::open(&old, &secret("an unguessable")).unwrap()), now);
}

/// Tests every state of the disk that a power cut during a swap can leave.
#[tokio::test]
async fn a_swap_that_is_cut_anywhere_leaves_a_whole_store() {
    for steps in 0..=4 {
        let dir = tempfile::tempdir().unwrap();
        let [path, old] = ["db", "db.replaced"].map(|name| dir.path().join(name));
        let store = Store::open(&path, &secret("an unguessable")).unwrap();
        fill(&store, 0..20).await;
        let (bytes, then) = (backup(&store), all(&store));
        fill(&store, 20..30).await;
        let now = all(&store);
        drop(store);
        let files = Files::at(&path);
        let mut making = Making::begin(&files).unwrap();
        let archive = Archive::open(&bytes[..], &secret("an unguessable")).unwrap();
        let vault = archive.vault().clone();
        let key = vault.wrap(&secret("an unguessable")).unwrap();
        let filled = archive.check(&KINDS, &mut |_| {}, &mut |entries| {
            making.take(entries).unwrap();
            Ok(())
        });
        filled.unwrap();
        if steps >= 1 {
            making.opened.put_census(making.census, &vault).unwrap();
            making.opened.put_keys(1, key).unwrap();
        }
        drop(making);
        if steps >= 2 {
            swap::made(&path).unwrap();
        }
        if steps >= 3 {
            std::fs::rename(&path, &old).unwrap();
        }
        if steps >= 4 {
            std::fs::rename(swap::new(&path), &path).unwrap();
        }
        let opened = Store::open(&path, &secret("an unguessable")).unwrap();
        assert_eq!(
            all(&opened),
            if steps < 3 { now } else { then },
            "after {steps} steps"
        );
        let left = std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(left, if steps < 3 { 1 } else { 2 }, "something is left");
    }
}
