//! Parts of one task that wake each other, in turns.
//!
//! The two ends of a channel inside one task (a connection of hyper and the body that is read from it) tell each other
//! when to go on by waking their task. A task that is woken while it runs is queued again, and a runtime of several
//! threads wakes another one to take it: for nothing, and several times a call. So what is woken during a turn gets
//! another turn at once, and only what is woken between turns wakes the task.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;

/// After so many turns in one go others have theirs. (Who has used up its share of the runtime's time is woken at once,
/// and gets no further.)
const MOST: usize = 16;

/// The turns of one future.
#[derive(Debug)]
pub struct Turns {
    wakes: Arc<Wakes>,
    waker: Waker,
}

#[derive(Debug, Default)]
struct Wakes {
    /// A turn is under way.
    in_turn: AtomicBool,
    /// Somebody was woken since the last turn began.
    again: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // In this order, and the reverse in `poll`: one of the two sees the other.
        self.again.store(true, Ordering::SeqCst);
        if !self.in_turn.load(Ordering::SeqCst) {
            self.task.wake();
        }
    }
}

impl Default for Turns {
    fn default() -> Self {
        let wakes = Arc::new(Wakes::default());
        Self {
            waker: Waker::from(Arc::clone(&wakes)),
            wakes,
        }
    }
}

impl Turns {
    /// Polls until it is done or nothing in it was woken meanwhile. `context` is the task's.
    pub fn poll<T>(
        &self,
        context: &mut Context<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let Wakes { in_turn, again, task } = &*self.wakes;
        task.register(context.waker());
        for _ in 0..MOST {
            // Read, and not only written: who was woken until now is heard in this turn, on every processor.
            again.swap(false, Ordering::SeqCst);
            in_turn.store(true, Ordering::SeqCst);
            let done = poll(&mut Context::from_waker(&self.waker));
            in_turn.store(false, Ordering::SeqCst);
            if done.is_ready() || !again.load(Ordering::SeqCst) {
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
    struct Task(AtomicUsize);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn what_wakes_itself_goes_on_and_wakes_no_task() {
        let task = Arc::new(Task::default());
        let waker = Waker::from(Arc::clone(&task));
        let turns = Turns::default();
        let mut left = 3;
        let done = turns.poll(&mut Context::from_waker(&waker), |context| {
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
    fn what_is_woken_between_turns_wakes_the_task() {
        let task = Arc::new(Task::default());
        let waker = Waker::from(Arc::clone(&task));
        let turns = Turns::default();
        let mut inner = None;
        let done = turns.poll(&mut Context::from_waker(&waker), |context| {
            inner = Some(context.waker().clone());
            Poll::<()>::Pending
        });
        assert_eq!((done, task.0.load(Ordering::SeqCst)), (Poll::Pending, 0));
        inner.unwrap().wake();
        assert_eq!(task.0.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn what_never_rests_leaves_room_for_others() {
        let task = Arc::new(Task::default());
        let waker = Waker::from(Arc::clone(&task));
        let mut polls = 0;
        let done = Turns::default().poll(&mut Context::from_waker(&waker), |context| {
            polls += 1;
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        assert_eq!(
            (done, polls, task.0.load(Ordering::SeqCst)),
            (Poll::Pending, MOST, 1)
        );
    }

    /// Wakes from other threads come at any moment, and none is lost: else this never ends.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_wake_of_another_thread_is_lost() {
        let (sender, mut receiver) = mpsc::channel(1);
        let turns = Turns::default();
        let sending = tokio::task::spawn_blocking(move || {
            for number in 0..20_000 {
                sender.blocking_send(number).unwrap();
            }
        });
        for number in 0..20_000 {
            let received =
                poll_fn(|context| turns.poll(context, |context| receiver.poll_recv(context))).await;
            assert_eq!(received, Some(number));
        }
        sending.await.unwrap();
    }
}
