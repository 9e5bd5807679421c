//! The rate limit of calls per account: a bucket that holds one minute's worth of calls and refills continuously.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::accounts::AccountId;
use crate::base::rate::TokenBucket;

/// The buckets of all accounts that have made calls.
#[derive(Debug, Default)]
pub(super) struct CallRate(Mutex<HashMap<AccountId, TokenBucket>>);

impl CallRate {
    /// Takes one call from the account's bucket. The error is the time until the next call is allowed.
    pub(super) fn take(&self, account: &AccountId, per_minute: u32) -> Result<(), Duration> {
        let (now, capacity) = (Instant::now().into_std(), f64::from(per_minute));
        let mut buckets = self.0.lock();
        if let Some(bucket) = buckets.get_mut(account) {
            bucket.set(capacity, capacity / 60.0, now);
            return bucket.take(1.0, now);
        }
        let mut bucket = TokenBucket::full(capacity, capacity / 60.0, now);
        let taken = bucket.take(1.0, now);
        buckets.insert(account.clone(), bucket);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_account_has_its_own_calls_a_minute() {
        let rate = CallRate::default();
        let account = |letter: &str| -> AccountId { format!("acc_{}", letter.repeat(16)).parse().unwrap() };
        for _ in 0..6 {
            assert!(rate.take(&account("a"), 6).is_ok());
        }
        let wait = rate.take(&account("a"), 6).unwrap_err();
        assert!((9.9..10.1).contains(&wait.as_secs_f64()), "{wait:?}");
        assert!(rate.take(&account("b"), 1).is_ok());
        tokio::time::advance(Duration::from_secs(3600)).await;
        // The operator has lowered the limit. An hour without calls adds up to no more than one minute's worth.
        assert!(rate.take(&account("a"), 1).is_ok());
        assert!(rate.take(&account("a"), 1).is_err());
    }
}
