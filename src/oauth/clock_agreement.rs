//! Decides whether the clock can be trusted to end a sign-in.
//!
//! A machine without a battery-backed clock boots with a date years in the past and jumps when it is synchronised; a
//! wrong server or a typing mistake sets it years ahead. Such a jump must not look like years without use. So:
//! - Nothing ends for lack of use until the wall clock has advanced at the same rate as the monotonic one for an hour.
//! - Lack of use is counted only since the last jump of more than [`LONGEST_PAUSE`], which is remembered across
//!   restarts. A sign-in that nobody uses then ends later than it should, never earlier.

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::base::clock::Clock;
use crate::store::{Record, Table};

/// How long the two clocks must have agreed.
const STEADY_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Synchronisation routinely corrects by less than this.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// A longer gap is taken for a wrong clock, a shorter one for a machine that was switched off or suspended.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How often the last seen time is stored: well within [`LONGEST_PAUSE`], but rarely enough to spare an SD card.
const KEEP_EVERY: SignedDuration = SignedDuration::from_hours(6);

/// The last reading of the clock, which is stored across restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ClockSeen {
    pub(super) at: Timestamp,
    /// The time since which the clock has not jumped.
    pub(super) counted_since: Timestamp,
}

impl Record for ClockSeen {
    const TABLE: Table = Table("clock_seen");
}

/// Compares the clocks at each call, which the housekeeping makes every few minutes.
#[derive(Debug)]
pub(super) struct ClockAgreement(Mutex<Observed>);

#[derive(Clone, Copy, Debug)]
struct Observed {
    seen: ClockSeen,
    elapsed: SignedDuration,
    /// The monotonic time since which the clocks have agreed.
    even_since: SignedDuration,
    kept: Option<ClockSeen>,
}

/// Whether the machine may have been off for this long.
fn is_pause(gap: SignedDuration) -> bool {
    (-TOLERANCE..=LONGEST_PAUSE).contains(&gap)
}

impl ClockAgreement {
    /// `kept`: the last reading that an earlier run stored.
    pub(super) fn new(clock: &Clock, kept: Option<ClockSeen>) -> Self {
        let (at, elapsed) = (clock.now(), clock.elapsed());
        let goes_on = kept.filter(|kept| is_pause(at.duration_since(kept.at)));
        if kept.is_some() && goes_on.is_none() {
            tracing::warn!("clock.jumped");
        }
        let counted_since = goes_on.map_or(at, |kept| kept.counted_since);
        Self(Mutex::new(Observed {
            seen: ClockSeen { at, counted_since },
            elapsed,
            even_since: elapsed,
            kept,
        }))
    }

    /// Reads both clocks. Returns the time from which lack of use counts; `None` while the clock cannot be trusted.
    pub(super) fn counted_since(&self, clock: &Clock) -> Option<Timestamp> {
        let (at, elapsed) = (clock.now(), clock.elapsed());
        let mut observed = self.0.lock();
        let drift = at.duration_since(observed.seen.at) - (elapsed - observed.elapsed);
        if drift.abs() > TOLERANCE {
            tracing::warn!(seconds = drift.as_secs(), "clock.jumped");
            observed.even_since = elapsed;
        }
        if !is_pause(drift) {
            observed.seen.counted_since = at;
        }
        observed.seen.at = at;
        observed.elapsed = elapsed;
        (elapsed - observed.even_since >= STEADY_FOR).then_some(observed.seen.counted_since)
    }

    /// The reading to store, if one is due.
    pub(super) fn to_keep(&self) -> Option<ClockSeen> {
        let mut observed = self.0.lock();
        let seen = observed.seen;
        let is_kept = observed.kept.is_some_and(|kept| {
            kept.counted_since == seen.counted_since && seen.at.duration_since(kept.at) < KEEP_EVERY
        });
        observed.kept = Some(seen).filter(|_| !is_kept).or(observed.kept);
        (!is_kept).then_some(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: SignedDuration = SignedDuration::from_hours(24);

    #[test]
    fn a_clock_is_trusted_after_an_hour_without_a_jump() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let agreement = ClockAgreement::new(&clock, None);
        let steady_after = |minutes: i64| {
            clock.advance(SignedDuration::from_mins(minutes));
            agreement.counted_since(&clock).is_some()
        };
        assert!(!steady_after(0));
        assert!(!steady_after(59));
        assert!(steady_after(1));
        for jump in [DAY * 3650, SignedDuration::from_hours(-2)] {
            clock.set_by(jump);
            assert!(!steady_after(5), "{jump}");
            assert!(!steady_after(59), "{jump}");
            assert!(steady_after(1), "{jump}");
        }
        clock.set_by(SignedDuration::from_secs(30));
        assert!(steady_after(5), "a small correction is no jump");
    }

    /// Each step: what happens to the clock while the program is off, and whether the time before it still counts.
    #[test]
    fn time_counts_over_pauses_and_not_over_jumps() {
        let clock = Clock::manual("2026-03-01T12:00:00Z".parse().unwrap());
        let start = clock.now();
        let mut kept = None;
        for (gap, goes_on) in [
            (DAY, false), // nothing is known before the first run
            (SignedDuration::ZERO, true),
            (DAY * 6, true),
            (SignedDuration::from_secs(-30), true),
            (DAY * 3650, false),
            (DAY, true),
            (DAY * -3650, false),
            (DAY * 40, false),
        ] {
            clock.set_by(gap);
            let began = clock.now();
            let agreement = ClockAgreement::new(&clock, kept);
            clock.advance(STEADY_FOR);
            let since = agreement.counted_since(&clock).unwrap();
            assert_eq!(since < began, goes_on, "{gap}");
            kept = agreement.to_keep().or(kept);
            assert_eq!(kept.unwrap().counted_since, since);
            assert_eq!(agreement.to_keep(), None);
        }
        assert!(start < clock.now());
    }
}
