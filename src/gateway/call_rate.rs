//! The rate limit of calls per account: a token bucket that holds one minute's worth of calls and refills continuously.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::accounts::AccountId;

/// The buckets of all accounts that have made calls.
#[derive(Debug, Default)]
pub(super) struct CallRate(Mutex<HashMap<AccountId, CallBucket>>);

#[derive(Debug, Clone, Copy)]
struct CallBucket {
    calls: f64,
    filled_at: Instant,
}

impl CallRate {
    /// Takes one call from the account's bucket. The error is the time until the next call is allowed.
    pub(super) fn take(&self, account: &AccountId, per_minute: u32) -> Result<(), Duration> {
        let now = Instant::now();
        let mut buckets = self.0.lock();
        if let Some(bucket) = buckets.get_mut(account) {
            return bucket.take(now, per_minute);
        }
        let mut bucket = CallBucket {
            calls: per_minute.into(),
            filled_at: now,
        };
        let taken = bucket.take(now, per_minute);
        buckets.insert(account.clone(), bucket);
        taken
    }
}

impl CallBucket {
    fn take(&mut self, now: Instant, per_minute: u32) -> Result<(), Duration> {
        let per_second = f64::from(per_minute) / 60.0;
        let since = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.calls = (self.calls + since * per_second).min(per_minute.into());
        self.filled_at = now;
        if self.calls >= 1.0 {
            self.calls -= 1.0;
            return Ok(());
        }
        Err(Duration::try_from_secs_f64((1.0 - self.calls) / per_second).unwrap_or(Duration::from_secs(60)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_a_fixed_number_of_calls() {
        let start = Instant::now();
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        let mut bucket = CallBucket {
            calls: 6.0,
            filled_at: start,
        };
        for _ in 0..6 {
            assert_eq!(bucket.take(at(0.0), 6), Ok(()));
        }
        let wait = bucket.take(at(1.0), 6).unwrap_err();
        assert!((8.9..9.1).contains(&wait.as_secs_f64()), "{wait:?}");
        assert_eq!(bucket.take(at(10.1), 6), Ok(()));
        assert!(bucket.take(at(10.2), 6).is_err());
        // After an hour the bucket holds six calls, not 360.
        for _ in 0..6 {
            assert_eq!(bucket.take(at(3_600.0), 6), Ok(()));
        }
        assert!(bucket.take(at(3_600.0), 6).is_err());
        // The operator lowers the limit to one call per minute.
        assert!(bucket.take(at(3_610.0), 1).is_err());
    }

    #[test]
    fn each_account_has_its_own_bucket() {
        let rate = CallRate::default();
        let account = |letter: &str| -> AccountId { format!("acc_{}", letter.repeat(16)).parse().unwrap() };
        assert!(rate.take(&account("a"), 1).is_ok());
        assert!(rate.take(&account("a"), 1).is_err());
        assert!(rate.take(&account("b"), 1).is_ok());
    }
}
