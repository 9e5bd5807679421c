//! Why a race tool fails, in words for the model.

use super::arguments::ArgumentError;
use crate::notify::message::SetPhoneError;
use crate::races::acts::RaceActError;
use crate::races::coaching::CoachingError;
use crate::races::started::TrackingError;
use crate::store::StoreError;

/// Why a call failed, in words for Claude and the person.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct RaceToolError(pub(super) String);

impl From<ArgumentError> for RaceToolError {
    fn from(e: ArgumentError) -> Self {
        Self(e.0)
    }
}

impl From<StoreError> for RaceToolError {
    fn from(e: StoreError) -> Self {
        tracing::error!(reason = %e, "race.tool_failed");
        Self(
            "The races can't be read or saved right now. Try again; if it keeps failing, tell the operator."
                .into(),
        )
    }
}

impl From<RaceActError> for RaceToolError {
    fn from(e: RaceActError) -> Self {
        match e {
            RaceActError::Store(e) => e.into(),
            other => Self(other.to_string()),
        }
    }
}

impl From<TrackingError> for RaceToolError {
    fn from(e: TrackingError) -> Self {
        match e {
            TrackingError::Store(e) => e.into(),
            other => Self(other.to_string()),
        }
    }
}

impl From<SetPhoneError> for RaceToolError {
    fn from(e: SetPhoneError) -> Self {
        match e {
            SetPhoneError::Store(e) => e.into(),
            other => Self(other.to_string()),
        }
    }
}

impl From<CoachingError> for RaceToolError {
    fn from(e: CoachingError) -> Self {
        match e {
            CoachingError::Act(e) => e.into(),
            other => Self(other.to_string()),
        }
    }
}
