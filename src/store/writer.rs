//! The writer thread. It runs units of work in groups: one flush and one `fdatasync` for up to 256 of them.

use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::open::Files;
use super::tx::TxChanges;
use super::{Core, Health, OpenDatabase, StoreError, Tx, census, moment};

/// Called once the group is durable or has failed.
type Acknowledge = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// A unit of work. Returns whether to keep its changes, and the callback that answers its caller.
pub(super) type WriteUnit = Box<dyn FnOnce(&mut Tx<'_>) -> (bool, Acknowledge) + Send>;

/// Work that runs between two groups, while nothing else touches the files.
pub(super) type Alone = Box<dyn FnOnce(&Core, &Files) + Send>;

pub(super) enum Work {
    /// A unit that shares its flush with others.
    Unit(WriteUnit),
    Alone(Alone),
}

/// The maximum number of units that share a flush.
const GROUP: usize = 256;

/// The pause before a failed database is opened again.
const REOPEN_AFTER: Duration = Duration::from_secs(1);

/// The queue to the writer thread. Dropping it runs the queued work and then stops the thread.
pub(super) struct WriterThread {
    jobs: Mutex<Option<Sender<Work>>>,
    thread: Option<JoinHandle<()>>,
}

impl WriterThread {
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
        let jobs = self.jobs.lock();
        jobs.as_ref()
            .and_then(|jobs| jobs.send(job).ok())
            .ok_or(StoreError::Closed)
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        self.jobs.lock().take();
        if let Some(thread) = self.thread.take() {
            // The only error is a panic, which the thread has reported.
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
        // While the database is broken: when it is opened again. Work that arrives until then does not postpone it.
        let mut reopen_at: Option<Instant> = None;
        loop {
            let is_open = match reopen_at {
                None => match queue.recv() {
                    Ok(Work::Alone(act)) => self.alone(act),
                    Ok(Work::Unit(first)) => {
                        let (group, next) = group(first, queue);
                        self.commit(group) && next.is_none_or(|act| self.alone(act))
                    }
                    Err(_) => return,
                },
                Some(at) => match at.checked_duration_since(Instant::now()) {
                    None => self.reopen(),
                    Some(wait) => match queue.recv_timeout(wait) {
                        // Dropping the unit drops its reply, so the caller learns that the store is broken.
                        Ok(job) => {
                            drop(job);
                            continue;
                        }
                        Err(RecvTimeoutError::Timeout) => self.reopen(),
                        Err(RecvTimeoutError::Disconnected) => return,
                    },
                },
            };
            reopen_at = (!is_open).then(|| Instant::now() + REOPEN_AFTER);
        }
    }

    /// Runs `act`. Returns whether the database is open afterwards.
    fn alone(&self, act: Alone) -> bool {
        // As with units, a panic drops the reply, and the caller learns that the store is closed.
        let ran = std::panic::catch_unwind(AssertUnwindSafe(|| act(&self.core, &self.files)));
        ran.is_ok() && self.core.opened().is_ok() && *self.core.health.borrow() == Health::Writing
    }

    /// Runs a group and makes it durable. Returns whether that succeeded.
    fn commit(&self, group: Vec<WriteUnit>) -> bool {
        let Ok(opened) = self.core.opened() else {
            return false;
        };
        let mut all = TxChanges::new();
        let mut acknowledgements = Vec::new();
        for job in group {
            let mut tx = Tx {
                vault: &self.core.vault,
                tree: &opened.tree,
                before: &all,
                changes: TxChanges::new(),
            };
            // A panic must not end the writer. It drops the reply, and the caller learns that the store is closed.
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

    /// Reopens the database after a failed write: sled stays broken until then, even when the disk has space again.
    /// Until the disk has space, the database stays open for reading. Returns whether it accepts writes again.
    fn reopen(&self) -> bool {
        if !self.files.has_room() {
            return false;
        }
        let mut opened = self.core.opened.write();
        // The old handle still holds the lock.
        opened.take();
        match self.files.open() {
            Ok(anew) => {
                match anew.take_census(&self.core.path, &self.core.vault) {
                    Ok(census) => *self.core.census.lock() = census,
                    Err(e) => {
                        tracing::error!(reason = %e, "store.reopen_failed");
                        return false;
                    }
                }
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

/// `first` with the units queued behind it, and the other kind of work if that comes next in the queue.
fn group(first: WriteUnit, queue: &Receiver<Work>) -> (Vec<WriteUnit>, Option<Alone>) {
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

pub(super) fn write(core: &Core, opened: &OpenDatabase, changes: TxChanges) -> Result<(), String> {
    let mut reading = moment::lock(core);
    if let Some(reading) = reading.as_mut() {
        reading.keep(&opened.tree, &changes).map_err(|e| e.to_string())?;
    }
    let next = core.census.lock().after(&opened.tree, &changes);
    let next = next.map_err(|e| e.to_string())?;
    let sealed = next.seal(&core.vault).map_err(|e| e.to_string())?;
    let mut batch = sled::Batch::default();
    batch.insert(census::KEY, sealed);
    for (at, value) in changes {
        match value {
            Some(value) => batch.insert(at, value),
            None => batch.remove(at),
        }
    }
    opened.tree.apply_batch(batch).map_err(|e| e.to_string())?;
    drop(reading);
    opened.durable().map_err(|e| e.to_string())?;
    *core.census.lock() = next;
    next.witness(&core.path);
    Ok(())
}
