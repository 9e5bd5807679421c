//! Tests of intact backups and of backups that were tampered with.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::*;
use crate::base::secrets::RootSecret;
use crate::store::{Kind, Record, Store, StoreError, Table};

#[derive(Serialize, Deserialize)]
struct Note(String);

impl Record for Note {
    const TABLE: Table = Table("note");
    const VERSION: u8 = 3;
}

#[derive(Serialize, Deserialize)]
struct Mark(u32);

impl Record for Mark {
    const TABLE: Table = Table("mark");
}

const KINDS: [Kind; 2] = [Kind::of::<Note>(), Kind::of::<Mark>()];

fn secret() -> RootSecret {
    RootSecret::new("an unguessable text of 32 letters").unwrap()
}

/// A store with two tables and more records than fit into one part.
async fn filled(dir: &Path) -> Store {
    let store = Store::open(&dir.join("db"), &secret()).unwrap();
    let written = store.atomic(|tx| {
        for n in 0..20_u32 {
            tx.put(&n.to_be_bytes(), &Note("health ".repeat(2000)))?;
            tx.put(&n.to_be_bytes(), &Mark(n))?;
        }
        Ok::<_, StoreError>(())
    });
    written.await.unwrap();
    store
}

fn pieces(store: &Store) -> Vec<Vec<u8>> {
    store
        .backup(Timestamp::UNIX_EPOCH)
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

fn verify(bytes: &[u8]) -> Result<Contents, ArchiveError> {
    Archive::open(bytes, &secret())?.verify(&KINDS, &mut |_| {})
}

#[tokio::test]
async fn a_backup_is_counted_and_tells_nothing_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = pieces(&filled(dir.path()).await).concat();
    let contents = verify(&bytes).unwrap();
    let tables = [("mark".to_owned(), 20), ("note".to_owned(), 20)];
    assert_eq!(contents.tables, tables.into());
    assert_eq!((contents.records, contents.bytes), (40, bytes.len() as u64));
    for text in [&b"health"[..], b"note"] {
        assert!(!bytes.windows(text.len()).any(|window| window == text));
    }
    let other = RootSecret::new("another text that has 32 letters!").unwrap();
    assert!(matches!(
        Archive::open(&bytes[..], &other),
        Err(ArchiveError::WrongSecret(_))
    ));
    assert!(matches!(
        verify(b"Dear Ada, how are you these days?"),
        Err(ArchiveError::NotOurs)
    ));
}

/// A backup is rejected when it is truncated, when any byte is changed, and when parts are moved, omitted, repeated
/// or taken from another backup.
#[tokio::test]
async fn nothing_can_be_changed() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    let (pieces, others) = (pieces(&store), pieces(&store));
    assert!(pieces.len() > 4, "{} pieces", pieces.len());
    let whole = pieces.concat();
    for at in (0..whole.len())
        .step_by(997)
        .chain([1, 23, 24, 27, 28, whole.len() - 1])
    {
        let cut = verify(&whole[..at]).unwrap_err();
        let is_told = matches!(cut, ArchiveError::Cut(length) if length == at as u64);
        assert!(
            is_told || at < 24 && matches!(cut, ArchiveError::NotOurs),
            "cut at {at}: {cut}"
        );
        let mut changed = whole.clone();
        changed[at] ^= 4;
        let damaged = verify(&changed).unwrap_err();
        if let ArchiveError::Damaged(from, to) = damaged {
            assert!(
                from <= at as u64 && (at as u64) < to,
                "changed at {at}: {damaged}"
            );
        }
    }
    let cut_between = pieces[..pieces.len() - 1].concat();
    assert!(matches!(verify(&cut_between), Err(ArchiveError::Cut(_))));
    for at in 1..pieces.len() {
        let mut moved = pieces.clone();
        moved.swap(at, at % (pieces.len() - 1) + 1);
        assert!(moved == pieces || verify(&moved.concat()).is_err(), "moved {at}");
        let mut foreign = pieces.clone();
        foreign[at].clone_from(&others[at]);
        assert!(verify(&foreign.concat()).is_err(), "foreign {at}");
        let mut left_out = pieces.clone();
        left_out.remove(at);
        assert!(verify(&left_out.concat()).is_err(), "left out {at}");
    }
    assert!(verify(&[&whole[..], b"x"].concat()).is_err());
}

#[tokio::test]
async fn records_that_do_not_open_and_unknown_ones_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    let bytes = pieces(&store).concat();
    let older = [
        Kind {
            version: 2,
            ..KINDS[0]
        },
        KINDS[1],
    ];
    for kinds in [&KINDS[..1], &older] {
        let read = Archive::open(&bytes[..], &secret())
            .unwrap()
            .verify(kinds, &mut |_| {});
        assert!(matches!(read, Err(ArchiveError::Newer(_))));
    }
    // A value that was damaged on the disk before the backup was made.
    let tree = store.core.tree().unwrap();
    tree.insert(b"mark\0xxxx", &[1, 2, 3][..]).unwrap();
    let bytes = pieces(&store).concat();
    assert!(matches!(verify(&bytes), Err(ArchiveError::Record(table)) if table == "mark"));
}
