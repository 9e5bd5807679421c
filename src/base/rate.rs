//! A token bucket: a burst up to the capacity, then a fixed rate per second.

use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy)]
pub struct TokenBucket {
    capacity: f64,
    per_second: f64,
    /// The tokens left; negative after a reservation that must still be waited for.
    left: f64,
    at: Instant,
}

impl TokenBucket {
    /// Creates a full bucket of `capacity` that refills by `per_second`.
    pub fn full(capacity: f64, per_second: f64, now: Instant) -> Self {
        Self {
            capacity,
            per_second,
            left: capacity,
            at: now,
        }
    }

    /// Changes the limits. Tokens beyond the new capacity are lost.
    pub fn set(&mut self, capacity: f64, per_second: f64, now: Instant) {
        self.refill(now);
        (self.capacity, self.per_second) = (capacity, per_second);
        self.left = self.left.min(capacity);
    }

    /// Takes `amount` if enough is left. Otherwise returns how long to wait as the error.
    pub fn take(&mut self, amount: f64, now: Instant) -> Result<(), Duration> {
        self.refill(now);
        if self.left >= amount {
            self.left -= amount;
            return Ok(());
        }
        Err(self.time_for(amount - self.left))
    }

    /// Takes `amount` in any case, and returns how long to wait before using it.
    pub fn reserve(&mut self, amount: f64, now: Instant) -> Duration {
        self.refill(now);
        self.left -= amount;
        self.time_for(-self.left)
    }

    /// Whether the bucket is full again, so that it need not be kept.
    pub fn is_full(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.left >= self.capacity
    }

    fn refill(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + since * self.per_second).min(self.capacity);
        self.at = self.at.max(now);
    }

    fn time_for(&self, missing: f64) -> Duration {
        if missing <= 0.0 {
            return Duration::ZERO;
        }
        Duration::try_from_secs_f64(missing / self.per_second).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_followed_by_the_rate() {
        let start = Instant::now();
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        let mut bucket = TokenBucket::full(6.0, 0.1, start);
        for _ in 0..6 {
            assert_eq!(bucket.take(1.0, at(0.0)), Ok(()));
        }
        let wait = bucket.take(1.0, at(1.0)).unwrap_err();
        assert!((8.9..9.1).contains(&wait.as_secs_f64()), "{wait:?}");
        assert_eq!(bucket.take(1.0, at(10.1)), Ok(()));
        assert!(bucket.take(1.0, at(10.2)).is_err());
        assert!(bucket.is_full(at(3_600.0)));
        assert_eq!(bucket.take(6.0, at(3_600.0)), Ok(()));
        assert!(bucket.take(1.0, at(3_600.0)).is_err());
    }

    #[test]
    fn a_reservation_is_paid_back_by_waiting() {
        let start = Instant::now();
        let mut bucket = TokenBucket::full(2.0, 4.0, start);
        let waits = [(); 4].map(|()| bucket.reserve(1.0, start).as_millis());
        assert_eq!(waits, [0, 0, 250, 500]);
        assert_eq!(
            bucket.reserve(1.0, start + Duration::from_secs(60)).as_millis(),
            0
        );
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let start = Instant::now() + Duration::from_secs(60);
        let mut bucket = TokenBucket::full(1.0, 1.0, start);
        assert!(bucket.take(1.0, start).is_ok());
        assert!(
            bucket
                .take(1.0, start.checked_sub(Duration::from_secs(30)).unwrap())
                .is_err()
        );
        assert!(bucket.take(1.0, start).is_err());
    }
}
