//! The pace of requests: so many at once, so many a second after a first burst.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

/// Lets requests through, in order.
pub(super) struct Pace {
    slots: Semaphore,
    bucket: Mutex<Bucket>,
}

/// A leaky bucket, as the moment at which it would be empty.
struct Bucket {
    interval: Duration,
    burst: u32,
    empty_at: Option<Instant>,
}

impl Pace {
    /// `in_flight` at once; `burst` at any speed, then one every `interval`.
    pub(super) fn new(in_flight: usize, interval: Duration, burst: u32) -> Self {
        let bucket = Bucket {
            interval,
            burst: burst.max(1),
            empty_at: None,
        };
        Self {
            slots: Semaphore::new(in_flight.max(1)),
            bucket: Mutex::new(bucket),
        }
    }

    /// Waits for a slot and for the moment; the request is over when the permit is dropped.
    pub(super) async fn wait(&self) -> Option<SemaphorePermit<'_>> {
        let permit = self.slots.acquire().await.ok();
        let wait = self
            .bucket
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        permit
    }
}

impl Bucket {
    /// Books the next moment and says how far away it is.
    fn take(&mut self, now: Instant) -> Duration {
        let empty_at = self.empty_at.map_or(now, |at| at.max(now));
        let room = self.interval * (self.burst - 1);
        self.empty_at = Some(empty_at + self.interval);
        empty_at.duration_since(now).saturating_sub(room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_the_pace() {
        let ms = Duration::from_millis;
        let mut bucket = Bucket {
            interval: ms(500),
            burst: 3,
            empty_at: None,
        };
        let start = Instant::now();
        let mut waits = |at: u64, n: usize| -> Vec<u64> {
            (0..n)
                .map(|_| u64::try_from(bucket.take(start + ms(at)).as_millis()).unwrap())
                .collect()
        };
        assert_eq!(waits(0, 5), [0, 0, 0, 500, 1000]);
        // After a rest there is room for a burst again, and not for two.
        assert_eq!(waits(60_000, 4), [0, 0, 0, 500]);
    }

    #[tokio::test]
    async fn no_more_than_the_slots_at_once() {
        let pace = Pace::new(2, Duration::ZERO, 1);
        let first = pace.wait().await;
        let _second = pace.wait().await;
        assert!(futures_util::FutureExt::now_or_never(pace.wait()).is_none());
        drop(first);
        assert!(futures_util::FutureExt::now_or_never(pace.wait()).is_some());
    }
}
