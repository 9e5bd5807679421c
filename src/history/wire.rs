//! How the gateway asks a built-in worker for days: by a JSON-RPC method that is not part of MCP. Claude can't call it,
//! because the gateway passes on only what is in its catalogue.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kept::TroubleClass;

/// The method of the request.
pub const READ_DAYS: &str = "gateway/read_days";

/// The parameters of [`READ_DAYS`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaysRequest {
    /// The name of a [`super::kind::KeptKind`]. `None` asks for the person's time zone alone.
    pub kind: Option<String>,
    pub from: Date,
    pub to: Date,
}

/// The result of [`READ_DAYS`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DaysReply {
    /// The person's time zone as [`super::kept::time_zone`] reads it; `None` if Garmin could not be asked.
    pub zone: Option<String>,
    /// Garmin's document, reduced to what is kept.
    #[serde(default)]
    pub document: Option<Value>,
    #[serde(default)]
    pub failed: Option<FailedDays>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedDays {
    pub class: TroubleClass,
    /// The end of a pause that Garmin asked for.
    #[serde(default)]
    pub until: Option<Timestamp>,
}
