//! The permissions of a connection.

use serde::{Deserialize, Serialize};

/// The access that a person granted to a client when signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Tools that change data are neither listed nor callable.
    ReadOnly,
    ReadAndChange,
}
