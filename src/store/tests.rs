//! Tests of records, atomic writes and opening.

mod damage;

use std::path::Path;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::*;
use crate::base::secrets::RootSecret;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Note {
    text: String,
}

impl Record for Note {
    const TABLE: Table = Table("note");
    const VERSION: u8 = 2;

    fn upgrade(from: u8, old: serde_json::Value) -> Option<Self> {
        (from == 1).then(|| Note {
            text: format!("{} (old)", old.as_str().unwrap_or_default()),
        })
    }
}

/// The record that version 1 of the program wrote to the same table.
#[derive(Serialize, Deserialize)]
struct OldNote(String);

impl Record for OldNote {
    const TABLE: Table = Table("note");
}

fn note(text: &str) -> Note {
    Note { text: text.into() }
}

fn open(dir: &Path) -> Result<Store, OpenError> {
    Store::open(
        &dir.join("db"),
        &RootSecret::new("an unguessable text of 32 letters").unwrap(),
    )
}

#[tokio::test]
async fn records_survive_reopening_and_old_ones_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    store.put(b"a", note("one")).await.unwrap();
    store.put(b"b", OldNote("two".into())).await.unwrap();
    drop(store);
    let store = open(dir.path()).unwrap();
    assert_eq!(store.find::<Note>(b"a").unwrap(), Some(note("one")));
    let all = store.list::<Note>(b"").unwrap();
    assert_eq!(
        all,
        vec![(b"a".to_vec(), note("one")), (b"b".to_vec(), note("two (old)"))]
    );
    assert!(matches!(
        store.find::<OldNote>(b"a"),
        Err(StoreError::Newer("note", 2))
    ));
}

#[tokio::test]
async fn a_failed_unit_leaves_nothing_and_units_see_their_own_writes() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let refused: Result<(), StoreError> = store
        .atomic(|tx| {
            tx.put(b"a", &note("lost"))?;
            assert_eq!(tx.find::<Note>(b"a")?, Some(note("lost")));
            Err(StoreError::Closed)
        })
        .await;
    assert!(refused.is_err());
    assert_eq!(store.find::<Note>(b"a").unwrap(), None);
    store
        .atomic(|tx| {
            tx.put(b"a", &note("1"))?;
            tx.put(b"b", &note("2"))?;
            tx.remove::<Note>(b"a");
            assert_eq!(tx.list::<Note>(b"")?.len(), 1);
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    assert_eq!(store.list::<Note>(b"").unwrap().len(), 1);
}

#[tokio::test]
async fn concurrent_units_are_serial() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    store.put(b"n", note("0")).await.unwrap();
    let add = |store: Store| async move {
        store
            .atomic(|tx| {
                let old: u32 = tx.find::<Note>(b"n")?.unwrap().text.parse().unwrap();
                tx.put(b"n", &note(&(old + 1).to_string()))
            })
            .await
            .unwrap();
    };
    futures_util::future::join_all((0..200).map(|_| add(store.clone()))).await;
    assert_eq!(store.find::<Note>(b"n").unwrap(), Some(note("200")));
}

#[tokio::test]
async fn a_panicking_unit_does_not_stop_the_writer() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let broken: Result<(), StoreError> = store.atomic(|_| panic!("on purpose")).await;
    assert!(broken.is_err());
    store.put(b"a", note("still")).await.unwrap();
}

#[test]
fn a_second_opener_and_a_wrong_secret_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path()).unwrap();
    assert!(matches!(open(dir.path()), Err(OpenError::InUse(_))));
    drop(first);
    let other = RootSecret::new("another text that has 32 letters!").unwrap();
    assert!(matches!(
        Store::open(&dir.path().join("db"), &other),
        Err(OpenError::WrongSecret(_))
    ));
    open(dir.path()).unwrap();
}

#[tokio::test]
async fn the_copy_that_was_asked_for_is_of_before_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let text = |store: Store| store.find::<Note>(b"a").unwrap().map(|note| note.text);
    // Without a database there is nothing to copy.
    fallback::ask(&path).unwrap();
    let store = open(dir.path()).unwrap();
    assert!(!fallback::copy_of(&path).exists());
    store.put(b"a", note("before")).await.unwrap();

    // A copy requested while the database is open can be made only by the next process to open it.
    fallback::ask(&path).unwrap();
    store.put(b"a", note("still before")).await.unwrap();
    assert!(matches!(open(dir.path()), Err(OpenError::InUse(_))));
    assert!(!fallback::copy_of(&path).exists());
    drop(store);
    let store = open(dir.path()).unwrap();
    store.put(b"a", note("after")).await.unwrap();
    drop(store);
    // The copy is made only once.
    let store = open(dir.path()).unwrap();
    store.put(b"a", note("long after")).await.unwrap();
    drop(store);
    fallback::go_back(&path).unwrap();
    assert_eq!(text(open(dir.path()).unwrap()).as_deref(), Some("still before"));

    // Rolling back before the database was opened again leaves it unchanged and withdraws the request.
    fallback::ask(&path).unwrap();
    fallback::go_back(&path).unwrap();
    assert_eq!(text(open(dir.path()).unwrap()).as_deref(), Some("still before"));
    assert!(!fallback::copy_of(&path).exists());
}

#[tokio::test]
async fn a_value_moved_to_another_key_does_not_open() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    store.put(b"a", note("mine")).await.unwrap();
    let tree = store.core.tree().unwrap();
    let stolen = tree.get(full_key(Note::TABLE, b"a")).unwrap().unwrap();
    tree.insert(full_key(Note::TABLE, b"b"), stolen).unwrap();
    assert!(matches!(
        store.find::<Note>(b"b"),
        Err(StoreError::Sealed("note", _))
    ));
}

#[tokio::test]
async fn too_large_a_record_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let large = store.put(b"a", note(&"x".repeat(MAX_VALUE_BYTES))).await;
    assert!(matches!(large, Err(StoreError::TooLarge("note", _))));
}

/// The cost of the census with 50,000 records of 500 bytes: the start reads all of them, and a write reads the record
/// that it replaces.
#[tokio::test]
#[ignore = "measures; run it with --nocapture"]
#[expect(clippy::print_stdout, reason = "its result is what it prints")]
async fn what_the_census_costs() {
    const RECORDS: u32 = 50_000;
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let text = "x".repeat(450);
    for first in (0..RECORDS).step_by(500) {
        let text = text.clone();
        let filled = store.atomic(move |tx| {
            (first..first + 500).try_for_each(|key| tx.put(&key.to_be_bytes(), &note(&text)))
        });
        filled.await.unwrap();
    }
    let opened = store.core.opened().unwrap();
    let vault = &store.core.vault;
    let began = Instant::now();
    let (census, damage) = Census::take(&opened.tree, vault, &store.core.path).unwrap();
    println!("take: {:?}", began.elapsed());
    assert_eq!(damage, None);
    let began = Instant::now();
    let read: usize = opened.tree.iter().map(|entry| entry.unwrap().1.len()).sum();
    println!("read alone: {:?} for {read} bytes", began.elapsed());
    let changes = |key: u32| [(full_key(Note::TABLE, &key.to_be_bytes()), Some(vec![0; 500]))].into();
    let began = Instant::now();
    for key in 0..1000 {
        census.after(&opened.tree, &changes(key * 50)).unwrap();
    }
    println!("a write: {:?}", began.elapsed() / 1000);
    let began = Instant::now();
    for key in 0..100_u32 {
        store.put(&(key * 500).to_be_bytes(), note(&text)).await.unwrap();
    }
    println!("a whole write with its flush: {:?}", began.elapsed() / 100);
    drop((opened, store));
    let began = Instant::now();
    open(dir.path()).unwrap();
    println!("open: {:?}", began.elapsed());
}
