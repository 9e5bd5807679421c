//! How much strangers may make the gateway do.
//!
//! All of a circle's traffic comes from a handful of addresses (Claude's cloud, or the proxy in front), so an
//! address alone never decides. A budget belongs to the whole gateway; one address can use up at most half of it,
//! so that a single flooder leaves room for everybody else. Tries within one sign-in are counted by the
//! authorization server, calls by the account's own limit.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// An hourly budget that refills evenly.
#[derive(Debug)]
pub(super) struct Budget {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    whole: Option<Bucket>,
    sources: HashMap<IpAddr, Bucket>,
}

/// What is left, and when that was true.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bucket {
    left: f64,
    at: Timestamp,
}

/// The budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exhausted {
    /// Seconds until one more fits, at least 1.
    pub(super) retry_after_s: u64,
}

impl Budget {
    /// A full budget.
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::default(),
        }
    }

    /// Takes one of `per_hour` for `source`. A refusal takes nothing.
    pub(super) fn take(
        &self,
        source: Option<IpAddr>,
        per_hour: u32,
        now: Timestamp,
    ) -> Result<(), Exhausted> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.take(source, f64::from(per_hour), now)
    }
}

impl State {
    fn take(&mut self, source: Option<IpAddr>, per_hour: f64, now: Timestamp) -> Result<(), Exhausted> {
        let share = (per_hour / 2.0).max(1.0);
        let source = source.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), network);
        let full = |left| Bucket { left, at: now };
        let whole = self.whole.unwrap_or_else(|| full(per_hour)).filled(per_hour, now);
        let own = self
            .sources
            .get(&source)
            .copied()
            .unwrap_or_else(|| full(share))
            .filled(share, now);
        let missing = [(1.0 - whole.left) / per_hour, (1.0 - own.left) / share];
        let wait_h = missing.into_iter().fold(0.0, f64::max);
        if wait_h > 0.0 {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "at most an hour, and positive"
            )]
            return Err(Exhausted {
                retry_after_s: (wait_h * 3600.0).ceil().max(1.0) as u64,
            });
        }
        self.whole = Some(whole.less_one());
        // Who took nothing for an hour is full again and needs no memory: at most two budgets' worth stay.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of 32 bits"
        )]
        if self.sources.len() > per_hour as usize {
            self.sources
                .retain(|_, bucket| bucket.filled(share, now).left < share);
        }
        self.sources.insert(source, own.less_one());
        Ok(())
    }
}

impl Bucket {
    /// As it is at `now`; a clock that went back gives nothing.
    fn filled(self, capacity: f64, now: Timestamp) -> Self {
        let hours = now
            .duration_since(self.at)
            .max(SignedDuration::ZERO)
            .as_secs_f64()
            / 3600.0;
        Self {
            left: (self.left + hours * capacity).min(capacity),
            at: now,
        }
    }

    fn less_one(self) -> Self {
        Self {
            left: self.left - 1.0,
            ..self
        }
    }
}

/// What one subscriber has: an IPv4 address, or the first half of an IPv6 one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// How many of `wanted` fit at one moment.
    fn fits(budget: &Budget, source: IpAddr, wanted: usize, now: Timestamp) -> usize {
        (0..wanted)
            .filter(|_| budget.take(Some(source), 60, now).is_ok())
            .count()
    }

    #[test]
    fn one_address_gets_half_and_leaves_the_rest() {
        let budget = Budget::new();
        assert_eq!(fits(&budget, address("192.0.2.1"), 100, at(0)), 30);
        assert_eq!(fits(&budget, address("192.0.2.2"), 100, at(0)), 30);
        assert_eq!(
            fits(&budget, address("192.0.2.3"), 100, at(0)),
            0,
            "the whole is used up"
        );
    }

    #[test]
    fn it_refills_evenly_and_says_when() {
        let budget = Budget::new();
        assert_eq!(fits(&budget, address("192.0.2.1"), 100, at(0)), 30);
        assert_eq!(
            budget.take(Some(address("192.0.2.1")), 60, at(0)),
            Err(Exhausted { retry_after_s: 120 })
        );
        assert_eq!(fits(&budget, address("192.0.2.1"), 100, at(2)), 1);
        assert_eq!(
            fits(&budget, address("192.0.2.1"), 100, at(2 + 60)),
            30,
            "never more than its share"
        );
        assert_eq!(
            fits(&budget, address("192.0.2.1"), 100, at(0)),
            0,
            "a clock that goes back gives nothing"
        );
    }

    #[test]
    fn a_refusal_costs_nothing() {
        let budget = Budget::new();
        assert_eq!(fits(&budget, address("192.0.2.1"), 1000, at(0)), 30);
        assert_eq!(fits(&budget, address("192.0.2.9"), 1, at(0)), 1);
    }

    #[test]
    fn a_subscriber_is_one_source() {
        let budget = Budget::new();
        assert_eq!(fits(&budget, address("2001:db8:1:1::1"), 30, at(0)), 30);
        assert_eq!(fits(&budget, address("2001:db8:1:1:ffff::9"), 1, at(0)), 0);
        assert_eq!(fits(&budget, address("2001:db8:1:2::1"), 1, at(0)), 1);
        assert_eq!(fits(&budget, address("::ffff:192.0.2.1"), 20, at(0)), 20);
        assert_eq!(
            fits(&budget, address("192.0.2.1"), 20, at(0)),
            9,
            "the whole had 9 left"
        );
    }

    #[test]
    fn addresses_are_forgotten() {
        let mut state = State::default();
        let takes = (0..100_000_u32).filter(|n| {
            let (source, minute) = (IpAddr::from(n.to_be_bytes()), i64::from(*n) / 100);
            state.take(Some(source), 60.0, at(minute)).is_ok()
        });
        assert_eq!(
            takes.count(),
            60 + 999,
            "the budget, and its refill of 999 minutes"
        );
        assert!(state.sources.len() <= 2 * 60 + 1, "{}", state.sources.len());
    }
}
