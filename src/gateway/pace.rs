//! How many calls an account may make in a minute: a bucket per account, refilled steadily.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::accounts::AccountId;

/// The buckets of all accounts that called.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<HashMap<AccountId, Bucket>>);

/// Holds at most a minute's calls.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    calls: f64,
    filled: Instant,
}

impl Pace {
    /// Takes one call of this account. Errors: the time after which there is one again.
    pub(super) fn take(&self, account: &AccountId, per_minute: u32) -> Result<(), Duration> {
        let now = Instant::now();
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(account) {
            return bucket.take(now, per_minute);
        }
        let mut bucket = Bucket {
            calls: per_minute.into(),
            filled: now,
        };
        let taken = bucket.take(now, per_minute);
        buckets.insert(account.clone(), bucket);
        taken
    }
}

impl Bucket {
    fn take(&mut self, now: Instant, per_minute: u32) -> Result<(), Duration> {
        let per_second = f64::from(per_minute) / 60.0;
        let since = now.saturating_duration_since(self.filled).as_secs_f64();
        self.calls = (self.calls + since * per_second).min(per_minute.into());
        self.filled = now;
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
    fn a_minute_has_so_many_calls_and_no_more() {
        let start = Instant::now();
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        let mut bucket = Bucket {
            calls: 6.0,
            filled: start,
        };
        for _ in 0..6 {
            assert_eq!(bucket.take(at(0.0), 6), Ok(()));
        }
        let wait = bucket.take(at(1.0), 6).unwrap_err();
        assert!((8.9..9.1).contains(&wait.as_secs_f64()), "{wait:?}");
        assert_eq!(bucket.take(at(10.1), 6), Ok(()));
        assert!(bucket.take(at(10.2), 6).is_err());
        // An hour later there are six, not three hundred and sixty.
        for _ in 0..6 {
            assert_eq!(bucket.take(at(3_600.0), 6), Ok(()));
        }
        assert!(bucket.take(at(3_600.0), 6).is_err());
        // The operator allows fewer from now on.
        assert!(bucket.take(at(3_610.0), 1).is_err());
    }

    #[test]
    fn accounts_do_not_share() {
        let pace = Pace::default();
        let account = |letter: &str| -> AccountId { format!("acc_{}", letter.repeat(16)).parse().unwrap() };
        assert!(pace.take(&account("a"), 1).is_ok());
        assert!(pace.take(&account("a"), 1).is_err());
        assert!(pace.take(&account("b"), 1).is_ok());
    }
}
