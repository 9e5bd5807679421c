//! Looking after the data: backups in files, bringing one back, changing the secret.
//!
//! What is in a backup, and how it is sealed, is the store's (`store`); here it becomes a file, or comes from
//! one. Whether a gateway runs is for whoever calls to find out: `backup` takes the pieces from wherever they come.
//!
//! Invariants:
//! - A file has its name only when it is whole and on the disk, and is its owner's alone (0600).
//! - Whatever is interrupted at any moment leaves the old state, or the new one.

pub mod backups;
mod files;
mod secret;

pub use files::{NotWritten, PrivateFile, give_to_owner_of};
pub use secret::{Keys, RotateFileError, Step, rotate};

use crate::store::Kind;
use crate::{accounts, garmin, gateway, oauth, races};

/// All tables of the store.
pub fn kinds() -> Vec<Kind> {
    [
        garmin::KINDS,
        accounts::KINDS,
        oauth::KINDS,
        races::KINDS,
        gateway::KINDS,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table that is in no list would make every backup with it unreadable.
    #[test]
    fn every_table_is_known_once() {
        let kinds = kinds();
        for (n, kind) in kinds.iter().enumerate() {
            assert!(
                !kinds[..n].iter().any(|other| other.table == kind.table),
                "{}",
                kind.table
            );
        }
        let mut left = vec![std::path::PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src"
        ))];
        let mut found = 0;
        while let Some(path) = left.pop() {
            if path.is_dir() {
                left.extend(
                    std::fs::read_dir(path)
                        .unwrap()
                        .map(|entry| entry.unwrap().path()),
                );
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            // The store's own tables are those of its tests.
            if path.components().any(|part| part.as_os_str() == "store") {
                continue;
            }
            for name in text.split("const TABLE: Table = Table(\"").skip(1) {
                let name = name.split('"').next().unwrap();
                assert!(
                    kinds.iter().any(|kind| kind.table == name),
                    "{name} is in no KINDS"
                );
                found += 1;
            }
        }
        assert_eq!(found, kinds.len());
    }
}
