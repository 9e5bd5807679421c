//! What the gateway does to its own process at the start.

use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Closes the process's memory, which holds the data key: no core dump, and no other process of the same user looks into it
/// or attaches to it. Then raises the limit of open files to the most that is allowed, because each client and each worker
/// needs some. Both are best effort; a refusal is an event.
pub fn prepare() {
    if let Err(error) = prctl::set_dumpable(false) {
        tracing::warn!(reason = %error, "process.dumpable");
    }
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    if let Err(error) = raised {
        tracing::warn!(reason = %error, "process.files_not_raised");
    }
}
