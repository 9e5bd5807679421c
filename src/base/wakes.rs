//! Wakes between the parts of one task, without the runtime.
//!
//! Two ends of a channel can be in one task, such as a connection of hyper and the body that is read from it. They wake
//! their own task to make each other continue. A task that is woken while it runs is queued again, and a multi-threaded
//! runtime wakes another thread to take it: several times per call, for nothing. Here, a wake during a poll leads to
//! another poll at once, and only a wake between polls wakes the task.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;

/// The maximum number of polls in a row, so that other tasks run too. (A future that has used up its share of tokio's
/// cooperative budget wakes itself at once and gets no further.)
const MAX_POLLS: usize = 16;

/// The wakes of one future.
#[derive(Debug)]
pub struct CoalescedWakes {
    flags: Arc<WakeFlags>,
    waker: Waker,
}

#[derive(Debug, Default)]
struct WakeFlags {
    is_polled: AtomicBool,
    /// Whether there was a wake since the last poll began.
    was_woken: AtomicBool,
    task: AtomicWaker,
}

impl Wake for WakeFlags {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // `poll` accesses the two flags in the opposite order, so one of the two sides sees the other.
        self.was_woken.store(true, Ordering::SeqCst);
        if !self.is_polled.load(Ordering::SeqCst) {
            self.task.wake();
        }
    }
}

impl Default for CoalescedWakes {
    fn default() -> Self {
        let flags = Arc::new(WakeFlags::default());
        Self {
            waker: Waker::from(Arc::clone(&flags)),
            flags,
        }
    }
}

impl CoalescedWakes {
    /// Polls until the future is ready, or nothing woke it during its poll. `context` is the task's.
    pub fn poll<T>(
        &self,
        context: &mut Context<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let WakeFlags {
            is_polled,
            was_woken,
            task,
        } = &*self.flags;
        task.register(context.waker());
        for _ in 0..MAX_POLLS {
            // A swap also reads: what was written before an earlier wake is visible to this poll.
            was_woken.swap(false, Ordering::SeqCst);
            is_polled.store(true, Ordering::SeqCst);
            let done = poll(&mut Context::from_waker(&self.waker));
            is_polled.store(false, Ordering::SeqCst);
            if done.is_ready() || !was_woken.load(Ordering::SeqCst) {
                return done;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::AtomicUsize;

    use tokio::sync::mpsc;

    use super::*;

    /// Counts how often the task is woken.
    #[derive(Default)]
    struct CountingTask(AtomicUsize);

    impl Wake for CountingTask {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_wake_during_a_poll_does_not_wake_the_task() {
        let task = Arc::new(CountingTask::default());
        let waker = Waker::from(Arc::clone(&task));
        let wakes = CoalescedWakes::default();
        let mut left = 3;
        let done = wakes.poll(&mut Context::from_waker(&waker), |context| {
            if left == 0 {
                return Poll::Ready("done");
            }
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        });
        assert_eq!((done, task.0.load(Ordering::SeqCst)), (Poll::Ready("done"), 0));
    }

    #[test]
    fn a_wake_between_polls_wakes_the_task() {
        let task = Arc::new(CountingTask::default());
        let waker = Waker::from(Arc::clone(&task));
        let wakes = CoalescedWakes::default();
        let mut inner = None;
        let done = wakes.poll(&mut Context::from_waker(&waker), |context| {
            inner = Some(context.waker().clone());
            Poll::<()>::Pending
        });
        assert_eq!((done, task.0.load(Ordering::SeqCst)), (Poll::Pending, 0));
        inner.unwrap().wake();
        assert_eq!(task.0.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_future_that_never_rests_lets_others_run() {
        let task = Arc::new(CountingTask::default());
        let waker = Waker::from(Arc::clone(&task));
        let mut polls = 0;
        let done = CoalescedWakes::default().poll(&mut Context::from_waker(&waker), |context| {
            polls += 1;
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        assert_eq!(
            (done, polls, task.0.load(Ordering::SeqCst)),
            (Poll::Pending, MAX_POLLS, 1)
        );
    }

    /// Another thread wakes at any moment. A lost wake would hang this test.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_wake_of_another_thread_is_lost() {
        let (sender, mut receiver) = mpsc::channel(1);
        let wakes = CoalescedWakes::default();
        let sending = tokio::task::spawn_blocking(move || {
            for number in 0..20_000 {
                sender.blocking_send(number).unwrap();
            }
        });
        for number in 0..20_000 {
            let received =
                poll_fn(|context| wakes.poll(context, |context| receiver.poll_recv(context))).await;
            assert_eq!(received, Some(number));
        }
        sending.await.unwrap();
    }
}
