//! How far a connection reaches.

use serde::{Deserialize, Serialize};

/// What a person allowed a client to do when signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Tools that change data are neither listed nor called.
    ReadOnly,
    ReadAndChange,
}
