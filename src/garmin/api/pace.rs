//! The pace of requests: how many at once, and how many per second after an initial burst.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::base::rate::TokenBucket;

pub(super) struct RequestPace {
    slots: Semaphore,
    bucket: Mutex<TokenBucket>,
}

impl RequestPace {
    /// At most `in_flight` requests at once; the first `burst` without delay, then one every `interval`.
    pub(super) fn new(in_flight: usize, interval: Duration, burst: u32) -> Self {
        // Without an interval, the bucket refills at once.
        let per_second = interval.as_secs_f64().recip().min(f64::MAX);
        let bucket = TokenBucket::full(burst.max(1).into(), per_second, Instant::now());
        Self {
            slots: Semaphore::new(in_flight.max(1)),
            bucket: Mutex::new(bucket),
        }
    }

    /// Waits for a free slot and for the next permitted moment. Drop the permit when the request is over.
    pub(super) async fn wait(&self) -> Option<SemaphorePermit<'_>> {
        let permit = self.slots.acquire().await.ok();
        let wait = self.bucket.lock().reserve(1.0, Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        permit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
