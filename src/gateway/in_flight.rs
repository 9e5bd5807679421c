//! The running calls. A client can cancel its own calls, and a revocation ends those of a connection.
//!
//! Clients have no session, so a call is identified by its connection (the sign-in, or the race of a race token) and
//! its request id. Two windows of one client may use the same id at the same time. A cancellation is then ambiguous and
//! is ignored, as the specification allows.
//!
//! A call that was admitted before a revocation but registers after it is not found here. It checks its token itself.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::mcp::notification::LogSeverity;

/// The maximum number of connections whose log level is remembered.
const MAX_LEVELS: usize = 4_096;

/// The registered calls and log levels. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct InFlight(Arc<Mutex<CallTable>>);

#[derive(Debug, Default)]
struct CallTable {
    last_number: u64,
    connections: HashMap<Arc<str>, ConnectionCalls>,
    levels: HashMap<Box<str>, LogSeverity>,
}

#[derive(Debug, Default)]
struct ConnectionCalls {
    revoked: CancellationToken,
    calls: Vec<CallEntry>,
}

#[derive(Debug)]
struct CallEntry {
    number: u64,
    /// The request's id as raw JSON text.
    id: Box<str>,
    /// `None` for a modern call, which is cancelled by closing its stream.
    cancel: Option<oneshot::Sender<()>>,
}

/// A registered call. It counts as running until this is dropped.
#[derive(Debug)]
pub(super) struct InFlightCall {
    table: InFlight,
    connection: Arc<str>,
    number: u64,
    revoked: CancellationToken,
}

impl InFlightCall {
    /// Completes when the connection is revoked.
    pub(super) async fn revoked(&self) {
        self.revoked.cancelled().await;
    }
}

impl InFlight {
    /// Registers a call. `cancel` fires when the client cancels it by notification.
    pub(super) fn enter(
        &self,
        connection: &Arc<str>,
        id: &str,
        cancel: Option<oneshot::Sender<()>>,
    ) -> InFlightCall {
        let mut table = self.0.lock();
        table.last_number += 1;
        let number = table.last_number;
        let entry = table.connections.entry(Arc::clone(connection)).or_default();
        entry.calls.push(CallEntry {
            number,
            id: id.into(),
            cancel,
        });
        let revoked = entry.revoked.clone();
        InFlightCall {
            table: self.clone(),
            connection: Arc::clone(connection),
            number,
            revoked,
        }
    }

    /// Cancels the call with this id. Returns false unless exactly one such call is running.
    pub(super) fn cancel(&self, connection: &str, id: &str) -> bool {
        let mut table = self.0.lock();
        let Some(entry) = table.connections.get_mut(connection) else {
            return false;
        };
        let mut matching = entry
            .calls
            .iter_mut()
            .filter(|call| call.cancel.is_some() && *call.id == *id);
        match (matching.next(), matching.next()) {
            (Some(call), None) => call.cancel.take().is_some_and(|cancel| cancel.send(()).is_ok()),
            _ => false,
        }
    }

    /// Ends all running calls of a connection. Returns how many there were.
    pub(super) fn revoke(&self, connection: &str) -> usize {
        let Some(entry) = self.0.lock().connections.remove(connection) else {
            return 0;
        };
        entry.revoked.cancel();
        entry.calls.len()
    }

    /// Sets the lowest severity of log messages that a legacy connection gets.
    pub(super) fn set_level(&self, connection: &str, level: LogSeverity) {
        let mut table = self.0.lock();
        if table.levels.len() >= MAX_LEVELS && !table.levels.contains_key(connection) {
            table.levels.clear();
        }
        table.levels.insert(connection.into(), level);
    }

    /// The log level of a connection, `info` by default.
    pub(super) fn level(&self, connection: &str) -> LogSeverity {
        let table = self.0.lock();
        table.levels.get(connection).copied().unwrap_or(LogSeverity::Info)
    }
}

impl Drop for InFlightCall {
    fn drop(&mut self) {
        let mut table = self.table.0.lock();
        if let Some(entry) = table.connections.get_mut(&self.connection) {
            entry.calls.retain(|call| call.number != self.number);
            if entry.calls.is_empty() {
                table.connections.remove(&self.connection);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn cancellable(set: &InFlight, connection: &str, id: &str) -> (InFlightCall, oneshot::Receiver<()>) {
        let (cancel, cancelled) = oneshot::channel();
        (set.enter(&connection.into(), id, Some(cancel)), cancelled)
    }

    /// A notification cancels exactly the call with its id.
    #[tokio::test]
    async fn a_call_is_cancelled_by_its_id() {
        let set = InFlight::default();
        let (_call, cancelled) = cancellable(&set, "fam", "1");
        let _modern = set.enter(&"fam".into(), "1", None);
        assert!(!set.cancel("fam", "\"1\""), "a number is not a string");
        assert!(!set.cancel("other", "1"), "another connection's call");
        assert!(set.cancel("fam", "1"));
        assert!(cancelled.await.is_ok());
        assert!(!set.cancel("fam", "1"), "a second cancellation has no effect");
    }

    #[tokio::test]
    async fn an_ambiguous_id_cancels_nothing() {
        let set = InFlight::default();
        let (first, _a) = cancellable(&set, "fam", "1");
        let (_second, b) = cancellable(&set, "fam", "1");
        assert!(!set.cancel("fam", "1"));
        drop(first);
        assert!(set.cancel("fam", "1"));
        assert!(b.await.is_ok());
    }

    #[test]
    fn a_revocation_ends_the_calls_of_its_connection() {
        let (set, a, b) = (InFlight::default(), Arc::from("fam_a"), Arc::from("fam_b"));
        let enter = |connection| set.enter(connection, "1", None);
        let (one, two, other) = (enter(&a), enter(&a), enter(&b));
        drop(enter(&a));
        assert_eq!(set.revoke("fam_a"), 2);
        let is_revoked = |call: &InFlightCall| call.revoked().now_or_never().is_some();
        assert!(is_revoked(&one) && is_revoked(&two) && !is_revoked(&other));
        assert_eq!((set.revoke("fam_a"), set.revoke("fam_b")), (0, 1));
        drop((one, two, other));
        assert!(set.0.lock().connections.is_empty());
    }

    #[test]
    fn ended_calls_leave_nothing_behind() {
        let set = InFlight::default();
        for n in 0..100 {
            let (call, _cancelled) = cancellable(&set, "fam", &n.to_string());
            set.cancel("fam", &n.to_string());
            drop(call);
        }
        assert!(set.0.lock().connections.is_empty());
    }

    #[test]
    fn log_levels_are_per_connection_and_bounded() {
        let set = InFlight::default();
        assert_eq!(set.level("a"), LogSeverity::Info);
        set.set_level("a", LogSeverity::Error);
        assert_eq!(
            (set.level("a"), set.level("b")),
            (LogSeverity::Error, LogSeverity::Info)
        );
        for n in 0..MAX_LEVELS {
            set.set_level(&n.to_string(), LogSeverity::Debug);
        }
        assert!(set.0.lock().levels.len() <= MAX_LEVELS);
    }
}
