//! A change at Garmin, as data: the request, what changes, how to see whether it was made, and how to undo it.
//!
//! A tool's row builds a [`ChangePlan`] from the arguments and from what Garmin has now. The server then sends each
//! part of the plan once, reads it back from Garmin, and reports what is known.
//!
//! # Invariants
//!
//! - A plan is complete before anything is sent, so a preview (`dry_run`) shows exactly what would be sent.
//! - A request that may have reached Garmin is never sent a second time.

mod plan;
mod recent;
mod requested;
#[cfg(test)]
mod tests;
mod told;

use serde_json::{Value, json};

use super::answer::AnswerError;
use super::garmin_get::FAILED;

pub(super) use plan::{
    ChangeBody, ChangePlan, ChangeStep, ChangedPart, GarminChange, Landed, PartState, PlanPart,
    PlannedChange, Sight,
};
pub(super) use recent::RecentChanges;
pub use recent::{EarlierChange, WINDOW as REPETITION_WINDOW};
pub use requested::RequestedChange;
pub(super) use told::{ReadBack, not_made, preview, settled, total};

/// A call of a tool, such as the one that undoes a change.
pub(super) fn call_of(tool: &str, arguments: &Value) -> Value {
    json!({"tool": tool, "arguments": arguments})
}

/// The document of an optional read; `None` if the read failed.
pub(super) fn read(document: &Value) -> Option<&Value> {
    document.get(FAILED).is_none().then_some(document)
}

/// The error for a tool that must not act without knowing what is there.
pub(super) fn must_read<'a>(document: &'a Value, what: &str) -> Result<&'a Value, AnswerError> {
    read(document).ok_or_else(|| {
        AnswerError::Argument(format!(
            "{what} could not be read from Garmin, so nothing was changed. Try again in a minute."
        ))
    })
}

/// Compares the name that a call gives with the one at Garmin, so that a wrong id deletes nothing.
pub(super) fn check_name(given: &str, actual: &str, what: &str, parameter: &str) -> Result<(), AnswerError> {
    let same = |text: &str| text.trim().to_lowercase();
    if same(given) == same(actual) && !given.trim().is_empty() {
        return Ok(());
    }
    Err(AnswerError::Argument(if given.trim().is_empty() {
        format!(
            "{parameter} is missing. {what} is {actual:?}: give {parameter}: {actual:?} to delete it. Nothing was deleted."
        )
    } else {
        format!(
            "{what} is {actual:?}, not {given:?}. Nothing was deleted: check the id, or give {parameter}: {actual:?}."
        )
    }))
}
