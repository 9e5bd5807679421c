//! Legacy calls that can still be cancelled, and the log level that legacy clients asked for, per sign-in.
//!
//! There is no session, so a call is found by the sign-in (token family) and its request id. Two windows of one
//! client may use the same id at the same time; then nobody knows which is meant, and a cancellation is ignored, as
//! the specification allows.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::mcp::progress::LogLevel;

/// More sign-ins than this don't get a log level of their own.
const LEVELS: usize = 4_096;

/// The calls in flight. Clones are the same set.
#[derive(Debug, Clone, Default)]
pub(super) struct InFlight(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    next: u64,
    calls: HashMap<Key, Vec<(u64, oneshot::Sender<()>)>>,
    levels: HashMap<Box<str>, LogLevel>,
}

/// Sign-in and raw request id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key(Box<str>, Box<str>);

/// A call is in flight as long as this lives.
#[derive(Debug)]
pub(super) struct Flight {
    set: InFlight,
    key: Key,
    number: u64,
}

impl InFlight {
    /// Enters a call. The receiver fires when the client cancels it.
    pub(super) fn enter(&self, family: &str, id: &str) -> (Flight, oneshot::Receiver<()>) {
        let (cancel, cancelled) = oneshot::channel();
        let key = Key(family.into(), id.into());
        let mut state = self.locked();
        state.next += 1;
        let number = state.next;
        state.calls.entry(key.clone()).or_default().push((number, cancel));
        (
            Flight {
                set: self.clone(),
                key,
                number,
            },
            cancelled,
        )
    }

    /// Cancels a call; returns whether exactly one was meant.
    pub(super) fn cancel(&self, family: &str, id: &str) -> bool {
        let key = Key(family.into(), id.into());
        let mut state = self.locked();
        let one = state
            .calls
            .get_mut(&key)
            .filter(|calls| calls.len() == 1)
            .and_then(Vec::pop);
        drop(state);
        one.is_some_and(|(_, cancel)| cancel.send(()).is_ok())
    }

    /// Remembers from which level on a sign-in wants log messages.
    pub(super) fn set_level(&self, family: &str, level: LogLevel) {
        let mut state = self.locked();
        if state.levels.len() >= LEVELS && !state.levels.contains_key(family) {
            state.levels.clear();
        }
        state.levels.insert(family.into(), level);
    }

    /// The level that a sign-in asked for; `info` if it never did.
    pub(super) fn level(&self, family: &str) -> LogLevel {
        self.locked()
            .levels
            .get(family)
            .copied()
            .unwrap_or(LogLevel::Info)
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut state = self.set.locked();
        if let Some(calls) = state.calls.get_mut(&self.key) {
            calls.retain(|(number, _)| *number != self.number);
            if calls.is_empty() {
                state.calls.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Section 4, translating, row 5: cancelled by request id, per sign-in.
    #[tokio::test]
    async fn a_call_is_cancelled_by_its_id() {
        let set = InFlight::default();
        let (_flight, cancelled) = set.enter("fam", "1");
        assert!(!set.cancel("fam", "\"1\""), "the number is not the text");
        assert!(!set.cancel("other", "1"), "another person's id");
        assert!(set.cancel("fam", "1"));
        assert!(cancelled.await.is_ok());
        assert!(!set.cancel("fam", "1"), "once is enough");
    }

    #[tokio::test]
    async fn an_id_that_two_calls_have_cancels_none() {
        let set = InFlight::default();
        let (first, _a) = set.enter("fam", "1");
        let (_second, b) = set.enter("fam", "1");
        assert!(!set.cancel("fam", "1"));
        drop(first);
        assert!(set.cancel("fam", "1"));
        assert!(b.await.is_ok());
    }

    #[test]
    fn nothing_is_kept_of_calls_that_ended() {
        let set = InFlight::default();
        for n in 0..100 {
            let (flight, _cancelled) = set.enter("fam", &n.to_string());
            set.cancel("fam", &n.to_string());
            drop(flight);
        }
        assert!(set.locked().calls.is_empty());
    }

    #[test]
    fn levels_are_per_sign_in_and_bounded() {
        let set = InFlight::default();
        assert_eq!(set.level("a"), LogLevel::Info);
        set.set_level("a", LogLevel::Error);
        assert_eq!(
            (set.level("a"), set.level("b")),
            (LogLevel::Error, LogLevel::Info)
        );
        for n in 0..LEVELS {
            set.set_level(&n.to_string(), LogLevel::Debug);
        }
        assert!(set.locked().levels.len() <= LEVELS);
    }
}
