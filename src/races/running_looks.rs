//! The looks of one race that are running, so that they end with the race or with its owner's access.

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// The looks of a race that were begun and have not ended.
#[derive(Debug, Default)]
pub(super) struct RunningLooks(Mutex<LookGroup>);

/// The looks that end together.
#[derive(Debug, Default)]
struct LookGroup {
    ended: CancellationToken,
    running: TaskTracker,
}

/// A registered look. It counts as running until this is dropped.
#[derive(Debug)]
pub(super) struct RunningLook {
    ended: CancellationToken,
    _running: TaskTrackerToken,
}

impl RunningLook {
    /// Completes when the look must end.
    pub(super) async fn ended(&self) {
        self.ended.cancelled().await;
    }
}

impl RunningLooks {
    /// Registers a look that begins.
    pub(super) fn enter(&self) -> RunningLook {
        let group = self.0.lock();
        RunningLook {
            ended: group.ended.clone(),
            _running: group.running.token(),
        }
    }

    /// Ends the looks that have begun, and waits until none of them runs. Later looks are not affected.
    pub(super) async fn end(&self) {
        let group = std::mem::take(&mut *self.0.lock());
        group.ended.cancel();
        group.running.close();
        group.running.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn the_end_waits_for_the_looks_that_have_begun_and_for_no_later_one() {
        let looks = RunningLooks::default();
        let first = looks.enter();
        let mut end = Box::pin(looks.end());
        assert!((&mut end).now_or_never().is_none(), "the look still runs");
        assert!(first.ended().now_or_never().is_some());
        let later = looks.enter();
        drop(first);
        end.await;
        assert!(later.ended().now_or_never().is_none());
    }
}
