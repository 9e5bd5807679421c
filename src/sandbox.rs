//! Child programs: spawned by one thread, sandboxed, and terminated when the gateway ends, however it ends.
//!
//! | what | where |
//! |---|---|
//! | spawning programs, and signalling their process groups | `child` |
//! | limits on what they may use | [`fence`], set up by the gateway's own binary before it executes the program |
//! | what they may read: the program and its parts, nothing private | `program`, `readable` |
//! | what they may connect to | `network` |
//! | terminating processes that outlive the gateway | `watchdog` |
//! | hardening of the gateway's own process | [`own_process`] |
//!
//! # Invariants
//!
//! - A program sees none of the gateway's secrets: it gets only the environment and arguments meant for it, and it
//!   can't read private files, as far as the kernel can enforce that.
//! - Every process group ends within two seconds of the gateway's end.

mod child;
pub mod fence;
mod network;
pub mod own_process;
mod program;
mod readable;
mod watch_note;
mod watchdog;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use self::child::Spawner;
use self::watch_note::Watchdog;
use crate::base::lifecycle::Lifecycle;

pub(crate) use self::child::{Launch, Process, find_program};
pub(crate) use self::fence::{FencePlan, FenceReport, REPORT};
pub(crate) use self::network::ports;
pub(crate) use self::program::Program;
pub use self::readable::PrivatePaths;
pub(crate) use self::readable::ReadablePaths;

/// The search path if the gateway itself has no `PATH`.
pub(crate) const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Spawns programs. Clones share the same state. When the last clone is dropped, all spawned programs are killed.
#[derive(Debug, Clone)]
pub struct Processes(Arc<ProcessesInner>);

#[derive(Debug)]
struct ProcessesInner {
    self_exe: PathBuf,
    private: PrivatePaths,
    spawner: Spawner,
    lifecycle: Lifecycle,
    /// Started together with the first program.
    watch: OnceLock<Watchdog>,
}

impl Processes {
    /// Prepares to spawn programs through `self_exe`, the gateway's own binary; none of them can see what is
    /// `private`. Must be called within the tokio runtime. Fails if the thread can't be started.
    pub fn start(self_exe: PathBuf, private: PrivatePaths, lifecycle: &Lifecycle) -> io::Result<Self> {
        Ok(Self(Arc::new(ProcessesInner {
            self_exe,
            private,
            spawner: Spawner::start()?,
            lifecycle: lifecycle.clone(),
            watch: OnceLock::new(),
        })))
    }

    /// The path of the gateway's own binary.
    pub(crate) fn self_exe(&self) -> &Path {
        &self.0.self_exe
    }

    /// The paths that no program may see.
    pub(crate) fn private(&self) -> &PrivatePaths {
        &self.0.private
    }

    /// Starts a program in the fence and in its own process group.
    pub(crate) async fn launch(&self, launch: Launch<'_>) -> io::Result<Process> {
        let ProcessesInner {
            self_exe,
            spawner,
            lifecycle,
            ..
        } = &*self.0;
        let watch = self
            .0
            .watch
            .get_or_init(|| watchdog::start(spawner.clone(), self_exe.clone(), lifecycle));
        spawner.launch(self_exe, launch, watch.clone()).await
    }
}
