//! Maintenance of the data: backup files, and changes of the secret file.
//!
//! `store` defines the content and the sealing of a backup; this module writes it to a file. The caller determines
//! whether a gateway is running, and passes the pieces from the gateway or from a store.
//!
//! Invariants:
//! - A file gets its final name only when it is complete and on the disk. Only its owner may read it (0600).
//! - An interruption at any moment leaves either the old state or the new one.

pub mod backups;
mod files;
mod secret;

pub use files::{NotWritten, PrivateFile, close_to_others, give_to_owner_of};
pub use secret::{Keys, RotateFileError, RotationStep, rotate};

use crate::store::Kind;
use crate::{accounts, advice, garmin, gateway, history, oauth, races, tls};

/// All tables of the store with their versions.
pub fn kinds() -> Vec<Kind> {
    [
        garmin::KINDS,
        tls::KINDS,
        accounts::KINDS,
        history::KINDS,
        advice::KINDS,
        oauth::KINDS,
        races::KINDS,
        gateway::KINDS,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If a table were missing from the list, every backup with records of that table would be unreadable.
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
            // The tables in the store's own module exist only for its tests.
            if path.components().any(|part| part.as_os_str() == "store") {
                continue;
            }
            // A former table has no record type, only its kind.
            let tables = text.split("const TABLE: Table = Table(\"").skip(1);
            let former = text.split("\n        table: \"").skip(1);
            for name in tables.chain(former) {
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
