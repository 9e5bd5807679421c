//! How often a source and a person may post to the page.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

use parking_lot::Mutex;

use super::form::PageAct;
use crate::accounts::AccountId;
use crate::base::rate::TokenBucket;
use crate::base::source::network;

/// Buckets beyond this number are dropped once they are full again.
const MAX_BUCKETS: usize = 4_096;

/// The size of a burst, and how many more are allowed per second.
const FROM_A_SOURCE: (f64, f64) = (40.0, 0.5);
const BY_A_PERSON: (f64, f64) = (30.0, 0.25);
/// An export reads everything that is stored about a person.
const EXPORTS: (f64, f64) = (3.0, 1.0 / 300.0);

#[derive(Debug, Default)]
pub(in crate::web) struct PageLimits(Mutex<HashMap<LimitedBy, TokenBucket>>);

#[derive(Debug, PartialEq, Eq, Hash)]
enum LimitedBy {
    Source(Option<IpAddr>),
    Person(AccountId),
    Exports(AccountId),
}

impl PageLimits {
    /// A local proxy that forwards no addresses has no limit, because all people would share it with all strangers.
    pub(super) fn take_source(&self, source: Option<IpAddr>) -> bool {
        if source.is_some_and(|source| source.is_loopback()) {
            return true;
        }
        self.take(LimitedBy::Source(source.map(network)), FROM_A_SOURCE)
    }

    pub(super) fn take_act(&self, account: &AccountId, act: &PageAct) -> bool {
        // Leaving is always possible.
        if matches!(act, PageAct::SignOut | PageAct::Forget { .. }) {
            return true;
        }
        let may_export =
            !matches!(act, PageAct::Export) || self.take(LimitedBy::Exports(account.clone()), EXPORTS);
        may_export && self.take(LimitedBy::Person(account.clone()), BY_A_PERSON)
    }

    fn take(&self, by: LimitedBy, (burst, per_second): (f64, f64)) -> bool {
        let now = Instant::now();
        let mut buckets = self.0.lock();
        if buckets.len() >= MAX_BUCKETS {
            buckets.retain(|_, bucket| !bucket.is_full(now));
        }
        let bucket = buckets
            .entry(by)
            .or_insert_with(|| TokenBucket::full(burst, per_second, now));
        bucket.take(1.0, now).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_and_one_person_are_limited_alone() {
        let limits = PageLimits::default();
        let (busy, other) = ("192.0.2.1".parse().ok(), "192.0.2.2".parse().ok());
        let taken = (0..100).filter(|_| limits.take_source(busy)).count();
        assert_eq!(taken, 40);
        assert!(limits.take_source(other));
        assert!((0..500).all(|_| limits.take_source("127.0.0.1".parse().ok())));
        let (ann, ben) = (AccountId::random(), AccountId::random());
        let exports = (0..9).filter(|_| limits.take_act(&ann, &PageAct::Export)).count();
        assert_eq!(exports, 3);
        assert!(limits.take_act(&ann, &PageAct::HistoryOn) && limits.take_act(&ben, &PageAct::Export));
        let acts = (0..99)
            .filter(|_| limits.take_act(&ann, &PageAct::HistoryOn))
            .count();
        assert!(acts < 30);
        assert!(limits.take_act(&ann, &PageAct::SignOut));
    }
}
