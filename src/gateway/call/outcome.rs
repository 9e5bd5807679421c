//! Tells answers that report a failure from all others.

use crate::workers::{UpstreamAnswer, WorkerError};

/// Whether a worker gave no answer, or one that reports a failure.
pub(super) fn has_failed(outcome: &Result<UpstreamAnswer, WorkerError>) -> bool {
    match outcome {
        Ok(UpstreamAnswer::Result(result)) => is_error(result.get().as_bytes()),
        Ok(UpstreamAnswer::Error(_)) | Err(_) => true,
    }
}

/// Whether a tool's result is an error, for the statistics. Workers write `isError` first or last, so only both ends of
/// the text are searched.
pub(super) fn is_error(result: &[u8]) -> bool {
    const FLAG: &[u8] = b"\"isError\":true";
    let has = |part: &[u8]| part.windows(FLAG.len()).any(|window| window == FLAG);
    has(result.get(..result.len().min(48)).unwrap_or_default())
        || has(result.get(result.len().saturating_sub(48)..).unwrap_or_default())
}
