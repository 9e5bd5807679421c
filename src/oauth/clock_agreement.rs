//! Decides whether the clock can be trusted to end a sign-in.
//!
//! A machine without a battery-backed clock boots with a date years in the past and jumps when it is synchronised; a
//! wrong server or a typing mistake sets it years ahead. Such a jump must not look like years without use. Nothing
//! ends for lack of use until the wall clock has advanced at the same rate as the monotonic one for an hour.

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use crate::base::clock::Clock;

/// How long the two clocks must have agreed.
const STEADY_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Synchronisation routinely corrects by less than this.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// Compares the clocks at each call, which the housekeeping makes every few minutes.
#[derive(Debug, Default)]
pub(super) struct ClockAgreement(Mutex<Option<Observed>>);

#[derive(Clone, Copy, Debug)]
struct Observed {
    /// The last observation: wall clock and monotonic clock.
    wall: Timestamp,
    elapsed: SignedDuration,
    /// The monotonic time since which no jump was seen.
    even_since: SignedDuration,
}

impl ClockAgreement {
    /// Reads both clocks. Returns whether they have agreed for an hour.
    pub(super) fn is_steady(&self, clock: &Clock) -> bool {
        let (wall, elapsed) = (clock.now(), clock.elapsed());
        let mut observed = self.0.lock();
        let even_since = match *observed {
            Some(last) => {
                let drift = wall.duration_since(last.wall) - (elapsed - last.elapsed);
                if drift.abs() > TOLERANCE {
                    tracing::warn!(seconds = drift.as_secs(), "clock.jumped");
                    elapsed
                } else {
                    last.even_since
                }
            }
            None => elapsed,
        };
        *observed = Some(Observed {
            wall,
            elapsed,
            even_since,
        });
        elapsed - even_since >= STEADY_FOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_trusted_after_an_hour_without_a_jump() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let agreement = ClockAgreement::default();
        let steady_after = |minutes: i64| {
            clock.advance(SignedDuration::from_mins(minutes));
            agreement.is_steady(&clock)
        };
        assert!(!steady_after(0));
        assert!(!steady_after(59));
        assert!(steady_after(1));
        for jump in [
            SignedDuration::from_hours(24 * 3650),
            SignedDuration::from_hours(-2),
        ] {
            clock.set_by(jump);
            assert!(!steady_after(5), "{jump}");
            assert!(!steady_after(59), "{jump}");
            assert!(steady_after(1), "{jump}");
        }
        clock.set_by(SignedDuration::from_secs(30));
        assert!(steady_after(5), "a small correction is no jump");
    }
}
