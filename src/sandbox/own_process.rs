//! Hardening of the gateway's own process at startup.

use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Protects the process's memory, which holds the data key: no core dumps, and no other process of the same user can
/// read it or attach to it. Then raises the open-file limit to the maximum allowed, because every client and worker
/// needs some. Both are best effort; a failure is logged.
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
