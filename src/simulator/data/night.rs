//! The night that ended on a day.

use jiff::civil::Date;

use serde::{Serialize, Serializer};

use super::PersonSeed;
use super::dice::{Dice, whole};

/// One night; minutes count from local midnight of the day on which it ended.
#[derive(Serialize)]
pub(super) struct Night {
    /// Bedtime is always before midnight, so this is negative.
    pub(super) bed: i64,
    pub(super) wake: i64,
    pub(super) stages: Vec<SleepStage>,
    /// Sleep score, 0 to 100.
    pub(super) score: i64,
    pub(super) hrv_ms: i64,
    pub(super) spo2: i64,
    pub(super) lowest_spo2: i64,
    pub(super) stress: f64,
    pub(super) restless_moments: i64,
}

#[derive(Serialize)]
pub(super) struct SleepStage {
    pub(super) from: i64,
    pub(super) to: i64,
    #[serde(serialize_with = "number_of")]
    pub(super) depth: Depth,
}

/// The variants are in the order of Garmin's numeric codes, which start at 0.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Depth {
    Deep,
    Light,
    Rem,
    Awake,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn number_of<S: Serializer>(depth: &Depth, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(*depth as u8)
}

impl Night {
    pub(super) fn of(person: &PersonSeed, date: Date) -> Self {
        let mut dice = Dice::on(person.seed, "night", date);
        let bed = -dice.whole(25, 115);
        let wake = dice.whole(355, 420);
        let stages = stages(bed, wake, &mut dice);
        let asleep: i64 = stages
            .iter()
            .filter(|s| s.depth != Depth::Awake)
            .map(|s| s.to - s.from)
            .sum();
        let length = (asleep as f64 - 420.0) / 3.0;
        let spo2 = dice.whole(93, 97);
        Self {
            bed,
            wake,
            score: whole(78.0 + length * 0.5 + dice.number(-9.0, 9.0)).clamp(35, 97),
            hrv_ms: whole(Dice::of(person.seed, "hrv").number(42.0, 68.0) + dice.number(-6.0, 6.0)),
            spo2,
            lowest_spo2: spo2 - dice.whole(4, 9),
            stress: dice.whole(12, 24) as f64,
            restless_moments: dice.whole(18, 48),
            stages,
        }
    }

    pub(super) fn minutes(&self, depth: Depth) -> i64 {
        self.stages
            .iter()
            .filter(|s| s.depth == depth)
            .map(|s| s.to - s.from)
            .sum()
    }

    pub(super) fn asleep(&self) -> i64 {
        self.wake - self.bed - self.minutes(Depth::Awake)
    }

    pub(super) fn awakenings(&self) -> usize {
        self.stages.iter().filter(|s| s.depth == Depth::Awake).count()
    }
}

/// Sleep cycles of about 90 minutes, with deep sleep early, REM sleep late, and short awakenings in between.
fn stages(bed: i64, wake: i64, dice: &mut Dice) -> Vec<SleepStage> {
    let mut stages = Vec::new();
    let mut at = bed;
    let mut add = |depth, minutes: i64| {
        let to = (at + minutes).min(wake);
        if to > at {
            stages.push(SleepStage { from: at, to, depth });
            at = to;
        }
        at < wake
    };
    let mut cycle = 0;
    loop {
        let going = add(Depth::Light, dice.whole(25, 50))
            && add(Depth::Deep, (dice.whole(26, 40) - cycle * 8).max(4))
            && add(Depth::Light, dice.whole(10, 25))
            && add(Depth::Rem, dice.whole(6, 12) + cycle * 5)
            && (!dice.happens(0.3) || add(Depth::Awake, dice.whole(2, 8)));
        if !going {
            return stages;
        }
        cycle += 1;
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::tests::ann;
    use super::*;

    #[test]
    fn stages_cover_the_night_without_gaps() {
        for day in 1..=28 {
            let night = Night::of(&ann(), date(2026, 2, day));
            let mut at = night.bed;
            for stage in &night.stages {
                assert_eq!(stage.from, at);
                at = stage.to;
            }
            assert_eq!(at, night.wake);
            assert!(night.asleep() > 330, "{}", night.asleep());
            let depths = [Depth::Deep, Depth::Light, Depth::Rem];
            assert_eq!(
                depths.map(|depth| night.minutes(depth)).iter().sum::<i64>(),
                night.asleep()
            );
        }
    }
}
