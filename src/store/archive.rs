//! The format of a backup: a snapshot of all records as one stream of bytes, sealed and authenticated as a whole.
//!
//! | part | bytes |
//! |---|---|
//! | mark | `garmin-gateway backup 1` and a line feed |
//! | head | its length (4 bytes, little-endian), then JSON: program, time, layout, the sealed data key |
//! | part | its length (4 bytes), then, sealed: `0`, and each record's key and value, each after its length |
//! | … | |
//! | end | the same with `1`, then the number of records (8 bytes) |
//!
//! Parts are sealed with the data key. The associated data of each part is the hash of mark and head plus the part's
//! number, so a part that is missing, moved or taken from another backup is detected. Values are copied as the store
//! holds them, each sealed to its own key. The secret that opens the data key is not included.

mod format;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub use self::format::{ArchiveError, Contents, Head};
pub use self::read::Archive;
pub use self::write::Backup;
