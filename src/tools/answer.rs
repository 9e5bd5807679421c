//! A tool's answer, or the reason why there is none.

use serde_json::{Map, Value};

use super::fields::Changed;
use crate::garmin::files::FileError;

#[derive(Debug, PartialEq)]
pub(super) enum ToolAnswer {
    Json(Value),
    /// Garmin's first answer is passed on unchanged.
    AsSent,
    /// There is no data: the answer is the text in the row's `nothing`.
    Nothing,
    Text(String),
}

impl ToolAnswer {
    /// The object, or [`ToolAnswer::Nothing`] if it has no members.
    pub(super) fn object(members: Map<String, Value>) -> Self {
        if members.is_empty() {
            ToolAnswer::Nothing
        } else {
            ToolAnswer::Json(Value::Object(members))
        }
    }
}

/// The reason why Garmin's answer could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum AnswerError {
    #[error(transparent)]
    Changed(#[from] Changed),
    /// The activity's file can't be used.
    #[error("the activity's file can't be read: {0}")]
    File(#[from] FileError),
    /// An invalid argument that only Garmin's answer revealed.
    #[error("{0}")]
    Argument(String),
    #[error("Garmin keeps the data of this profile private (privacyProtected)")]
    Private,
}
