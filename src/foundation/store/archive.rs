//! A backup: the whole store at one moment as one stream of bytes, sealed and authenticated as a whole.
//!
//! | part | bytes |
//! |---|---|
//! | mark | `garmin-gateway backup 1` and a line feed |
//! | head | its length (4 bytes, little-endian), then JSON: program, time, layout, the data key as the secret seals it |
//! | part | its length (4 bytes), then sealed by the data key: `0`, then key and value of each record, each with its length |
//! | … | |
//! | end | the same, sealed: `1`, then how many records there were (8 bytes) |
//!
//! Each part is sealed to the hash of mark and head and to its number, so nothing can be cut off, moved or taken from
//! another backup unnoticed. Values are as they are stored: sealed once more, each to its own key. The secret that
//! opens the data key is not in it.

use std::collections::BTreeMap;
use std::io::{self, Read};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::moment::{Entries, Moment};
use super::{Kind, Store, StoreError, belongs_to};
use crate::foundation::secrets::{RootSecret, SealError, Vault, random_id, sha256};

const MARK: &[u8; 24] = b"garmin-gateway backup 1\n";

/// No head is longer.
const MAX_HEAD_BYTES: u32 = 64 * 1024;

/// No part is longer: what is read at once, one value more, and the seal.
const MAX_PART_BYTES: u32 = 1 << 20;

const RECORDS: u8 = 0;
const END: u8 = 1;

/// What a backup says of itself before anything is opened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Head {
    /// Makes each backup another one.
    id: String,
    /// The version of the program that made it.
    pub program: String,
    /// The moment that it holds.
    pub made_at: Timestamp,
    /// The layout of the store.
    pub(super) schema: u8,
    /// The data key, sealed by the secret.
    pub(super) data_key: String,
}

/// Why a backup can't be read; nothing was changed. All are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file is something else.
    #[error("it is no backup of garmin-gateway")]
    NotOurs,
    /// Made by a later program.
    #[error("it was made by a newer garmin-gateway ({0}); use that version")]
    Newer(String),
    /// Another secret seals it.
    #[error(
        "it was sealed with another secret; give the one of {made_at} with --secret-file FILE",
        made_at = .0.strftime("%Y-%m-%d")
    )]
    WrongSecret(Timestamp),
    /// It was cut short.
    #[error("it is not whole: it ends after {0} bytes; take another backup")]
    Cut(u64),
    /// It was changed.
    #[error("it was damaged or changed near byte {0}; take another backup")]
    Damaged(u64),
    /// A record in it does not open, though the backup does: it was damaged before.
    #[error("a record of table {0} does not open: it was damaged before the backup was made")]
    Record(String),
    /// It can't be read.
    #[error("it can't be read")]
    Disk(#[from] io::Error),
}

/// What is in a backup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// How many records of each table.
    pub tables: BTreeMap<String, u64>,
    /// All of them.
    pub records: u64,
    /// The length of the backup.
    pub bytes: u64,
}

/// A backup in the making: its bytes, piece by piece. Writing goes on meanwhile; what is written is not in it.
pub struct Backup {
    moment: Moment,
    vault: Vault,
    head: Option<Vec<u8>>,
    id: [u8; 32],
    parts: u64,
    records: u64,
    ended: bool,
}

impl Store {
    /// The store as it is now, as a backup. Errors: [`StoreError::Busy`] while another is made.
    pub fn backup(&self, now: Timestamp) -> Result<Backup, StoreError> {
        let moment = self.moment()?;
        let (schema, data_key) = self.core.opened()?.keys()?;
        let head = Head {
            id: random_id(""),
            program: env!("CARGO_PKG_VERSION").into(),
            made_at: now,
            schema,
            data_key: STANDARD.encode(data_key),
        };
        let json = serde_json::to_vec(&head).map_err(|e| StoreError::NotRead(e.to_string()))?;
        let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
        let bytes = [&MARK[..], &length.to_le_bytes(), &json].concat();
        Ok(Backup {
            moment,
            vault: self.core.vault.clone(),
            id: sha256(&bytes),
            head: Some(bytes),
            parts: 0,
            records: 0,
            ended: false,
        })
    }
}

impl Backup {
    /// Records so far.
    pub fn records(&self) -> u64 {
        self.records
    }

    fn part(&mut self) -> Result<Vec<u8>, StoreError> {
        let entries = self.moment.next()?;
        let mut plain = Vec::with_capacity(96 * 1024);
        if entries.is_empty() {
            self.ended = true;
            plain.push(END);
            plain.extend_from_slice(&self.records.to_le_bytes());
        } else {
            plain.push(RECORDS);
            self.records += entries.len() as u64;
            for bytes in entries.iter().flat_map(|(key, value)| [key, value]) {
                let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                plain.extend_from_slice(&length.to_le_bytes());
                plain.extend_from_slice(bytes);
            }
        }
        let sealed = self.vault.seal(&part_of(&self.id, self.parts), &plain);
        let sealed = sealed.map_err(|e| StoreError::NotRead(e.to_string()))?;
        self.parts += 1;
        let length = u32::try_from(sealed.len()).unwrap_or(u32::MAX);
        Ok([&length.to_le_bytes()[..], &sealed].concat())
    }
}

impl Iterator for Backup {
    type Item = Result<Vec<u8>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(head) = self.head.take() {
            return Some(Ok(head));
        }
        if self.ended {
            return None;
        }
        let part = self.part();
        self.ended |= part.is_err();
        Some(part)
    }
}

/// What a part is sealed to. No record's key begins with a zero byte.
fn part_of(id: &[u8; 32], number: u64) -> Vec<u8> {
    [b"\0backup", &id[..], &number.to_le_bytes()].concat()
}

/// A backup that is read. What it gives out was authenticated; that nothing is missing is known at its end.
pub struct Archive<R> {
    from: R,
    head: Head,
    vault: Vault,
    id: [u8; 32],
    parts: u64,
    records: u64,
    bytes: u64,
}

impl<R: Read> Archive<R> {
    /// Reads mark and head, and opens the data key with `secret`.
    pub fn open(mut from: R, secret: &RootSecret) -> Result<Self, ArchiveError> {
        let mut mark = [0; MARK.len()];
        from.read_exact(&mut mark).map_err(|_| ArchiveError::NotOurs)?;
        let (ours, version) = MARK.split_at(MARK.len() - 2);
        if !mark.starts_with(ours) {
            return Err(ArchiveError::NotOurs);
        }
        if !mark.ends_with(version) {
            return Err(ArchiveError::Newer("another kind of file".into()));
        }
        let mut bytes = mark.len() as u64;
        let json = read_part(&mut from, &mut bytes, MAX_HEAD_BYTES)?;
        let head: Head = serde_json::from_slice(&json).map_err(|_| ArchiveError::Damaged(bytes))?;
        if head.schema > super::open::SCHEMA {
            return Err(ArchiveError::Newer(head.program));
        }
        let sealed_key = STANDARD.decode(&head.data_key);
        let sealed_key = sealed_key.map_err(|_| ArchiveError::Damaged(bytes))?;
        let vault = Vault::unwrap(secret, &sealed_key).map_err(|e| match e {
            SealError::NotOurs => ArchiveError::WrongSecret(head.made_at),
            SealError::Refused => ArchiveError::Damaged(bytes),
        })?;
        let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
        let id = sha256(&[&mark[..], &length.to_le_bytes(), &json].concat());
        Ok(Self {
            from,
            head,
            vault,
            id,
            parts: 0,
            records: 0,
            bytes,
        })
    }

    /// What it says of itself. Right only when the first part opened.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// What opens its records.
    pub(super) fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next records; `None` at the end, once that is proved to be the end.
    pub(super) fn next(&mut self) -> Result<Option<Entries>, ArchiveError> {
        let began = self.bytes;
        let sealed = read_part(&mut self.from, &mut self.bytes, MAX_PART_BYTES)?;
        let plain = self.vault.open(&part_of(&self.id, self.parts), &sealed);
        let plain = plain.map_err(|_| ArchiveError::Damaged(began))?;
        self.parts += 1;
        match plain.split_first() {
            Some((&RECORDS, rest)) => {
                let entries = entries(rest).ok_or(ArchiveError::Damaged(began))?;
                self.records += entries.len() as u64;
                Ok(Some(entries))
            }
            Some((&END, rest)) if rest == self.records.to_le_bytes() => {
                match self.from.read(&mut [0])? {
                    0 => Ok(None),
                    // Something was put behind it.
                    _ => Err(ArchiveError::Damaged(self.bytes)),
                }
            }
            _ => Err(ArchiveError::Damaged(began)),
        }
    }

    /// Reads all of it and opens every record, giving each part to `each`. `kinds` are the tables that this program
    /// knows; `told` hears the bytes read so far.
    pub(super) fn check(
        mut self,
        kinds: &[Kind],
        told: &mut dyn FnMut(u64),
        each: &mut dyn FnMut(Entries) -> Result<(), ArchiveError>,
    ) -> Result<Contents, ArchiveError> {
        let mut contents = Contents::default();
        while let Some(entries) = self.next()? {
            for (at, value) in &entries {
                let table = self.check_record(kinds, at, value)?;
                *contents.tables.entry(table).or_default() += 1;
            }
            each(entries)?;
            told(self.bytes);
        }
        contents.records = self.records;
        contents.bytes = self.bytes;
        Ok(contents)
    }

    /// Whether a record opens and is of a version that this program knows. Returns its table.
    fn check_record(&self, kinds: &[Kind], at: &[u8], value: &[u8]) -> Result<String, ArchiveError> {
        let table = at.split(|byte| *byte == 0).next().unwrap_or_default();
        let name = String::from_utf8_lossy(table).into_owned();
        let Some((&version, sealed)) = value.split_first() else {
            return Err(ArchiveError::Record(name));
        };
        let known = kinds.iter().find(|kind| kind.table.as_bytes() == table);
        if known.is_none_or(|known| version > known.version) {
            return Err(ArchiveError::Newer(self.head.program.clone()));
        }
        match self.vault.open(&belongs_to(at, version), sealed) {
            Ok(_) => Ok(name),
            Err(_) => Err(ArchiveError::Record(name)),
        }
    }

    /// Reads all of it, opens every record, and changes nothing.
    pub fn verify(self, kinds: &[Kind], told: &mut dyn FnMut(u64)) -> Result<Contents, ArchiveError> {
        self.check(kinds, told, &mut |_| Ok(()))
    }
}

/// Reads a length and so many bytes; counts them.
fn read_part(from: &mut impl Read, so_far: &mut u64, most: u32) -> Result<Vec<u8>, ArchiveError> {
    let cut = |so_far: u64| {
        move |e: io::Error| match e.kind() {
            io::ErrorKind::UnexpectedEof => ArchiveError::Cut(so_far),
            _ => ArchiveError::Disk(e),
        }
    };
    let mut length = [0; 4];
    from.read_exact(&mut length).map_err(cut(*so_far))?;
    let length = u32::from_le_bytes(length);
    if length > most {
        return Err(ArchiveError::Damaged(*so_far));
    }
    let mut part = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    from.read_exact(&mut part).map_err(cut(*so_far))?;
    *so_far += 4 + u64::from(length);
    Ok(part)
}

/// Keys and values, each behind its length.
fn entries(mut from: &[u8]) -> Option<Entries> {
    let mut next = || -> Option<Vec<u8>> {
        let (length, rest) = from.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (bytes, rest) = rest.split_at_checked(length)?;
        from = rest;
        Some(bytes.to_vec())
    };
    let mut entries = Entries::new();
    while let Some(key) = next() {
        entries.push((key, next()?));
    }
    from.is_empty().then_some(entries)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::foundation::store::{Record, Table};

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

    /// Two tables, and more than a part holds.
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

    /// Cut anywhere, with any byte another one, with parts moved, left out, doubled or from another backup.
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
            assert!(verify(&whole[..at]).is_err(), "cut at {at}");
            let mut changed = whole.clone();
            changed[at] ^= 4;
            assert!(verify(&changed).is_err(), "changed at {at}");
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
        // A value that was damaged on the disk before.
        let tree = store.core.tree().unwrap();
        tree.insert(b"mark\0xxxx", &[1, 2, 3][..]).unwrap();
        let bytes = pieces(&store).concat();
        assert!(matches!(verify(&bytes), Err(ArchiveError::Record(table)) if table == "mark"));
    }
}
