//! What tables there are, for whoever looks at a store as a whole.

use super::{Packed, Record};

/// A table, and the newest version of its records that this program knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name.
    pub table: &'static str,
    /// The version that is written now.
    pub version: u8,
}

impl Kind {
    /// The table of a record.
    pub const fn of<R: Record>() -> Self {
        Self {
            table: R::TABLE.0,
            version: R::VERSION,
        }
    }

    /// The table of a packed record.
    pub const fn packed<P: Packed>() -> Self {
        Self {
            table: P::TABLE.0,
            version: P::VERSION,
        }
    }
}
