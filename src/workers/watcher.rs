//! Reports changes in workers' directories, with one inotify instance for all workers.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use parking_lot::Mutex;
use tokio::sync::Notify;

type WatchListeners = Arc<Mutex<HashMap<PathBuf, Arc<Notify>>>>;

/// Watches directories. Clones share the same instance.
#[derive(Debug, Clone)]
pub(super) struct DirectoryWatcher {
    watcher: Arc<Mutex<RecommendedWatcher>>,
    listeners: WatchListeners,
}

/// A watched directory, until this is dropped.
#[derive(Debug)]
pub(super) struct DirectoryWatch {
    directory: PathBuf,
    changed: Arc<Notify>,
    changes: DirectoryWatcher,
}

impl DirectoryWatcher {
    pub(super) fn start() -> notify::Result<Self> {
        let listeners: WatchListeners = Arc::default();
        let told = Arc::clone(&listeners);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| match event {
            Ok(event) if is_change(event.kind) => {
                let listeners = told.lock();
                for directory in event.paths.iter().filter_map(|path| path.parent()) {
                    if let Some(listener) = listeners.get(directory) {
                        listener.notify_one();
                    }
                }
            }
            Ok(_) => {}
            // Events may have been lost, so every listener has to look.
            Err(_) => told.lock().values().for_each(|listener| listener.notify_one()),
        })?;
        Ok(DirectoryWatcher {
            watcher: Arc::new(Mutex::new(watcher)),
            listeners,
        })
    }

    pub(super) fn watch(&self, directory: &Path) -> notify::Result<DirectoryWatch> {
        let changed = Arc::new(Notify::new());
        self.listeners
            .lock()
            .insert(directory.to_owned(), Arc::clone(&changed));
        let watched = DirectoryWatch {
            directory: directory.to_owned(),
            changed,
            changes: self.clone(),
        };
        self.watcher
            .lock()
            .watch(directory, RecursiveMode::NonRecursive)?;
        Ok(watched)
    }
}

impl DirectoryWatch {
    /// Waits for a change that happened since the previous call.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl Drop for DirectoryWatch {
    fn drop(&mut self) {
        self.changes.listeners.lock().remove(&self.directory);
        // The directory may already be gone, and its watch with it.
        drop(self.changes.watcher.lock().unwatch(&self.directory));
    }
}

/// Reading is not a change. The gateway reads after each change, and would otherwise wake itself forever.
fn is_change(kind: EventKind) -> bool {
    !matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn each_hears_of_its_own_directory_and_reading_is_no_change() {
        let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let changes = DirectoryWatcher::start().unwrap();
        let watched = changes.watch(ours.path()).unwrap();
        let foreign = changes.watch(theirs.path()).unwrap();
        std::fs::write(ours.path().join("a"), "1").unwrap();
        tokio::time::timeout(Duration::from_secs(5), watched.changed())
            .await
            .expect("written in place");
        std::fs::rename(ours.path().join("a"), ours.path().join("b")).unwrap();
        tokio::time::timeout(Duration::from_secs(5), watched.changed())
            .await
            .expect("renamed");
        drop(watched);
        assert_eq!(changes.listeners.lock().len(), 1);
        std::fs::read_dir(theirs.path()).unwrap().for_each(drop);
        std::fs::write(theirs.path().join("x"), "1").unwrap();
        tokio::time::timeout(Duration::from_secs(5), foreign.changed())
            .await
            .expect("still heard");
    }
}
