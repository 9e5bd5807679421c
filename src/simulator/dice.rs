//! Reproducible randomness: the same seed gives the same numbers in every run.

use jiff::civil::Date;

/// A random generator for one purpose (splitmix64).
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// A generator for one purpose, for the person with this seed.
    pub(super) fn of(seed: u64, purpose: &str) -> Self {
        let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
        for byte in purpose.bytes() {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Self(state)
    }

    /// A generator for one purpose on one day.
    pub(super) fn on(seed: u64, purpose: &str, date: Date) -> Self {
        let mut dice = Self::of(seed, purpose);
        let day = i64::from(date.year()) * 10_000 + i64::from(date.month()) * 100 + i64::from(date.day());
        dice.0 ^= day.unsigned_abs().wrapping_mul(0xd6e8_feb8_6659_fd93);
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A uniform integer from `low` to `high`, both inclusive.
    pub(super) fn whole(&mut self, low: i64, high: i64) -> i64 {
        let span = high.saturating_sub(low).unsigned_abs() + 1;
        low + i64::try_from(self.next() % span).unwrap_or(0)
    }

    /// A uniform number from `low` (inclusive) to `high` (exclusive).
    pub(super) fn number(&mut self, low: f64, high: f64) -> f64 {
        // A double represents integers of up to 53 bits exactly.
        let part = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        low + part * (high - low)
    }

    /// True with this probability (0 to 1).
    pub(super) fn happens(&mut self, likelihood: f64) -> bool {
        self.number(0.0, 1.0) < likelihood
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the simulator's numbers are far below 2^53"
)]
pub(super) fn whole(number: f64) -> i64 {
    number.round() as i64
}

pub(super) fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_same_seed_purpose_and_day_repeat_the_same_numbers() {
        let throws = |mut dice: Dice| [dice.whole(0, 999), dice.whole(0, 999), dice.whole(0, 999)];
        let day = date(2026, 1, 8);
        assert_eq!(
            throws(Dice::on(7, "sleep", day)),
            throws(Dice::on(7, "sleep", day))
        );
        assert_ne!(
            throws(Dice::on(7, "sleep", day)),
            throws(Dice::on(8, "sleep", day))
        );
        assert_ne!(
            throws(Dice::on(7, "sleep", day)),
            throws(Dice::on(7, "steps", day))
        );
        assert_ne!(
            throws(Dice::on(7, "sleep", day)),
            throws(Dice::on(7, "sleep", date(2026, 1, 9)))
        );
    }

    #[test]
    fn numbers_stay_in_their_bounds() {
        let mut dice = Dice::of(1, "bounds");
        for _ in 0..2_000 {
            assert!((3..=5).contains(&dice.whole(3, 5)));
            assert!((0.5..1.5).contains(&dice.number(0.5, 1.5)));
        }
    }
}
