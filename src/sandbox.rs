//! Programs that run beside us: started by one thread, fenced in, and ended with us by whatever means we end.
//!
//! | what | where |
//! |---|---|
//! | starting them, and signals to their groups | `child` |
//! | what they may use of the machine | [`fence`], set up by our own binary before it becomes the program |
//! | what they may read: the program and all that belongs to it, nothing private | `program`, `readable` |
//! | what they may connect to | `network` |
//! | ending what we left behind | `watchdog` |
//! | what the gateway does to its own process | [`own_process`] |
//!
//! # Invariants
//!
//! - A program sees no secret of ours: its environment and its arguments are what it is given, and nothing of what is
//!   private is readable to it, as far as the kernel can fence it in.
//! - Every process group ends within two seconds of our own end.

mod child;
pub mod fence;
mod network;
pub mod own_process;
mod program;
mod readable;
mod watchdog;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use self::child::Spawner;
use self::watchdog::Watchdog;
use crate::base::lifecycle::Lifecycle;

pub(crate) use self::child::{Launch, Process, find_program};
pub(crate) use self::fence::{FencePlan, FenceReport, REPORT};
pub(crate) use self::network::ports;
pub(crate) use self::program::Program;
pub use self::readable::PrivatePaths;
pub(crate) use self::readable::ReadablePaths;

/// Where programs are when we have no `PATH` ourselves.
pub(crate) const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Starts programs. Clones are the same; when the last one goes, so do all programs that it started.
#[derive(Debug, Clone)]
pub struct Processes(Arc<ProcessesInner>);

#[derive(Debug)]
struct ProcessesInner {
    self_exe: PathBuf,
    private: PrivatePaths,
    spawner: Spawner,
    lifecycle: Lifecycle,
    /// From the first program on.
    watch: OnceLock<Watchdog>,
}

impl Processes {
    /// Ready to start programs by `self_exe`, our own binary; none of them sees anything of what is `private`. To be
    /// called within the runtime. Errors: no thread could be started.
    pub fn start(self_exe: PathBuf, private: PrivatePaths, lifecycle: &Lifecycle) -> io::Result<Self> {
        Ok(Self(Arc::new(ProcessesInner {
            self_exe,
            private,
            spawner: Spawner::start()?,
            lifecycle: lifecycle.clone(),
            watch: OnceLock::new(),
        })))
    }

    /// Our own binary.
    pub(crate) fn self_exe(&self) -> &Path {
        &self.0.self_exe
    }

    /// What no program may see.
    pub(crate) fn private(&self) -> &PrivatePaths {
        &self.0.private
    }

    /// Starts a program in its fence, in a process group of its own.
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
            .get_or_init(|| Watchdog::start(spawner.clone(), self_exe.clone(), lifecycle));
        spawner.launch(self_exe, launch, watch.clone()).await
    }
}
