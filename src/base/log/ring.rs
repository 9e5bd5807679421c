//! The most recent log events, for the console.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::broadcast;

use super::LogEvent;

/// How many events the ring keeps.
const KEPT: usize = 2_000;

/// The most recent events, and a feed of new ones. Clones share the same ring.
#[derive(Clone, Debug)]
pub struct Ring(Arc<RingState>);

#[derive(Debug)]
struct RingState {
    kept: Mutex<VecDeque<Arc<LogEvent>>>,
    feed: broadcast::Sender<Arc<LogEvent>>,
}

impl Default for Ring {
    fn default() -> Self {
        let (feed, _) = broadcast::channel(256);
        Self(Arc::new(RingState {
            kept: Mutex::new(VecDeque::new()),
            feed,
        }))
    }
}

impl Ring {
    pub(super) fn push(&self, event: LogEvent) {
        let event = Arc::new(event);
        let mut kept = self.0.kept.lock();
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(Arc::clone(&event));
        // Having no receivers is fine. Sending under the lock ensures that a reader sees each event exactly once.
        self.0.feed.send(event).unwrap_or_default();
    }

    /// The events so far, oldest first, and a feed of new ones. A reader that falls behind learns how many it missed.
    pub fn follow(&self) -> (Vec<Arc<LogEvent>>, broadcast::Receiver<Arc<LogEvent>>) {
        let kept = self.0.kept.lock();
        (kept.iter().cloned().collect(), self.0.feed.subscribe())
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::Map;

    use super::*;

    #[test]
    fn it_keeps_the_last_events_and_feeds_new_ones() {
        let ring = Ring::default();
        let event = |n: usize| LogEvent {
            at: Timestamp::UNIX_EPOCH,
            level: "info",
            event: n.to_string(),
            fields: Map::new(),
        };
        for n in 0..KEPT + 10 {
            ring.push(event(n));
        }
        let (kept, mut feed) = ring.follow();
        assert_eq!((kept.len(), kept[0].event.as_str()), (KEPT, "10"));
        ring.push(event(9_999));
        assert_eq!(feed.try_recv().unwrap().event, "9999");
    }
}
