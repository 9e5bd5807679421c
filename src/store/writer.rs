//! The one thread that writes, in groups: many units of work, one flush and one `fdatasync`.

use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::open::Files;
use super::tx::Changes;
use super::{Core, Health, Opened, StoreError, Tx, moment};

/// Told once the group is durable, or was lost.
type Acknowledge = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// A unit of work: does its reads and writes, says whether they are to be kept, and how to tell its caller.
pub(super) type Job = Box<dyn FnOnce(&mut Tx<'_>) -> (bool, Acknowledge) + Send>;

/// Something that the writer does between two groups, with nobody else at the files.
pub(super) type Alone = Box<dyn FnOnce(&Core, &Files) + Send>;

/// What is queued for the writer.
pub(super) enum Work {
    /// A unit of work; several share one flush.
    Unit(Job),
    /// Something of its own.
    Alone(Alone),
}

/// The most units that one flush acknowledges.
const GROUP: usize = 256;

/// How long to wait before a failed database is opened again.
const REOPEN_AFTER: Duration = Duration::from_secs(1);

/// The queue to the writer thread. Dropping it finishes what is queued and ends the thread.
pub(super) struct Writer {
    jobs: Mutex<Option<Sender<Work>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(core: Arc<Core>, files: Files) -> io::Result<Self> {
        let (jobs, queue) = channel();
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || Writing { core, files }.run(&queue))?;
        Ok(Self {
            jobs: Mutex::new(Some(jobs)),
            thread: Some(thread),
        })
    }

    pub(super) fn send(&self, job: Work) -> Result<(), StoreError> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.as_ref()
            .and_then(|jobs| jobs.send(job).ok())
            .ok_or(StoreError::Closed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = self.thread.take() {
            // It only ends by itself; a panic in it was logged by the thread.
            drop(thread.join());
        }
    }
}

struct Writing {
    core: Arc<Core>,
    files: Files,
}

impl Writing {
    fn run(self, queue: &Receiver<Work>) {
        let mut broken = false;
        loop {
            let first = if broken {
                queue.recv_timeout(REOPEN_AFTER)
            } else {
                queue.recv().map_err(Into::into)
            };
            match first {
                // A broken store takes no work: dropping the job tells its caller so.
                Ok(job) if broken => drop(job),
                Ok(Work::Alone(act)) => broken = !self.alone(act),
                Ok(Work::Unit(first)) => {
                    let (group, next) = group(first, queue);
                    broken = !self.commit(group);
                    if let Some(act) = next.filter(|_| !broken) {
                        broken = !self.alone(act);
                    }
                }
                Err(RecvTimeoutError::Timeout) => broken = !self.reopen(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Returns whether the database is open afterwards.
    fn alone(&self, act: Alone) -> bool {
        // As with units: whoever waits for it is told that the store closed.
        let ran = std::panic::catch_unwind(AssertUnwindSafe(|| act(&self.core, &self.files)));
        ran.is_ok() && self.core.opened().is_ok()
    }

    /// Runs a group and makes it durable. Returns whether the disk took it.
    fn commit(&self, group: Vec<Job>) -> bool {
        let Ok(opened) = self.core.opened() else {
            return false;
        };
        let mut all = Changes::new();
        let mut acknowledgements = Vec::new();
        for job in group {
            let mut tx = Tx {
                vault: &self.core.vault,
                tree: &opened.tree,
                before: &all,
                changes: Changes::new(),
            };
            // A unit that panics must not take the writer with it; its caller is told that the store closed.
            let ran = std::panic::catch_unwind(AssertUnwindSafe(|| job(&mut tx)));
            let changes = tx.changes;
            if let Ok((keep, acknowledge)) = ran {
                if keep {
                    all.extend(changes);
                }
                acknowledgements.push(acknowledge);
            }
        }
        let written = if all.is_empty() {
            Ok(())
        } else {
            write(&self.core, &opened, all)
        };
        if let Err(reason) = &written {
            tracing::error!(reason, "store.write_failed");
            self.core.health.send_replace(Health::Degraded(reason.clone()));
        }
        for acknowledge in acknowledgements {
            acknowledge(written.clone().map_err(StoreError::NotWritten));
        }
        written.is_ok()
    }

    /// sled stays broken after a failed write even when there is room again; only opening it anew helps. Until
    /// there is room it stays open for reading. Returns whether it takes writes again.
    fn reopen(&self) -> bool {
        if !self.files.has_room() {
            return false;
        }
        let mut opened = self.core.opened.write().unwrap_or_else(PoisonError::into_inner);
        // The old one must let go of the lock first.
        opened.take();
        match self.files.open() {
            Ok(anew) => {
                *opened = Some(anew);
                self.core.health.send_replace(Health::Writing);
                tracing::info!("store.reopened");
                true
            }
            Err(e) => {
                tracing::error!(reason = %e, "store.reopen_failed");
                false
            }
        }
    }
}

/// `first` and the units that wait behind it, and what waits behind those.
fn group(first: Job, queue: &Receiver<Work>) -> (Vec<Job>, Option<Alone>) {
    let mut group = vec![first];
    while group.len() < GROUP {
        match queue.try_recv() {
            Ok(Work::Unit(job)) => group.push(job),
            Ok(Work::Alone(act)) => return (group, Some(act)),
            Err(_) => break,
        }
    }
    (group, None)
}

pub(super) fn write(core: &Core, opened: &Opened, changes: Changes) -> Result<(), String> {
    let mut reading = moment::lock(core);
    if let Some(reading) = reading.as_mut() {
        reading.keep(&opened.tree, &changes).map_err(|e| e.to_string())?;
    }
    let mut batch = sled::Batch::default();
    for (at, value) in changes {
        match value {
            Some(value) => batch.insert(at, value),
            None => batch.remove(at),
        }
    }
    opened.tree.apply_batch(batch).map_err(|e| e.to_string())?;
    drop(reading);
    opened.durable().map_err(|e| e.to_string())
}
