//! The pace of requests: how many at once, and how many per second after an initial burst.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

pub(super) struct RequestPace {
    slots: Semaphore,
    bucket: Mutex<LeakyBucket>,
}

/// A leaky bucket, stored as the moment at which it would be empty.
struct LeakyBucket {
    interval: Duration,
    burst: u32,
    empty_at: Option<Instant>,
}

impl RequestPace {
    /// At most `in_flight` requests at once; the first `burst` without delay, then one every `interval`.
    pub(super) fn new(in_flight: usize, interval: Duration, burst: u32) -> Self {
        let bucket = LeakyBucket {
            interval,
            burst: burst.max(1),
            empty_at: None,
        };
        Self {
            slots: Semaphore::new(in_flight.max(1)),
            bucket: Mutex::new(bucket),
        }
    }

    /// Waits for a free slot and for the next permitted moment. Drop the permit when the request is over.
    pub(super) async fn wait(&self) -> Option<SemaphorePermit<'_>> {
        let permit = self.slots.acquire().await.ok();
        let wait = self.bucket.lock().take(Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        permit
    }
}

impl LeakyBucket {
    /// Reserves the next moment and returns the time until then.
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
    fn after_a_burst_the_interval_applies() {
        let ms = Duration::from_millis;
        let mut bucket = LeakyBucket {
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
        // After a rest, one burst is allowed again, but not two.
        assert_eq!(waits(60_000, 4), [0, 0, 0, 500]);
    }

    #[tokio::test]
    async fn requests_in_flight_are_limited() {
        let pace = RequestPace::new(2, Duration::ZERO, 1);
        let first = pace.wait().await;
        let _second = pace.wait().await;
        assert!(futures_util::FutureExt::now_or_never(pace.wait()).is_none());
        drop(first);
        assert!(futures_util::FutureExt::now_or_never(pace.wait()).is_some());
    }
}
