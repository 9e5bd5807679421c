//! A table and its version, for code that processes a whole store: backup and restore.

use super::{Packed, Record};

/// A table, and the newest version of its records that this program knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    pub table: &'static str,
    /// The version that this program writes.
    pub version: u8,
}

impl Kind {
    pub const fn of<R: Record>() -> Self {
        Self {
            table: R::TABLE.0,
            version: R::VERSION,
        }
    }

    pub const fn packed<P: Packed>() -> Self {
        Self {
            table: P::TABLE.0,
            version: P::VERSION,
        }
    }
}
