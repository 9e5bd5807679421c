//! The sensor readings of a day, computed from what the person did.

use super::dice::{Dice, whole};
use super::timeline::{DAY_MINUTES, Day, Doing};

/// A value, and the minute of the day at which it was measured.
pub(super) type TimedValue<T> = (i64, T);

impl Day<'_> {
    /// Every `step`-th minute, up to the end of the data.
    fn minutes(&self, step: usize) -> impl Iterator<Item = i64> + use<> {
        (0..self.until.min(DAY_MINUTES)).step_by(step)
    }

    pub(super) fn dice(&self, purpose: &str) -> Dice {
        Dice::on(self.person.seed, purpose, self.date)
    }

    /// The activity at this index, and the fraction of it (0 to 1) that has passed at this minute.
    fn part(&self, index: usize, minute: i64) -> Option<(&super::training::Activity, f64)> {
        let activity = self.activities.get(index)?;
        Some((
            activity,
            (minute - activity.start) as f64 / activity.minutes.max(1) as f64,
        ))
    }

    /// Heart rate in bpm, every two minutes; `None` while the watch is not worn.
    pub(super) fn heart_rates(&self) -> Vec<TimedValue<Option<i64>>> {
        let mut dice = self.dice("beats");
        let resting = self.resting_bpm() as f64;
        // The watch is taken off for a shower after waking up.
        let off = self.night.wake + 16..self.night.wake + 26;
        let beats = |minute: i64| {
            let noise = dice.number(-3.0, 3.0);
            let slow = (minute as f64 / 47.0).sin();
            let bpm = match self.doing(minute) {
                Doing::Sleeping => resting + 2.5 + 2.5 * slow + noise / 3.0,
                Doing::Nothing => resting + 22.0 + 9.0 * slow + noise * 2.0,
                Doing::Training(index) => self
                    .part(index, minute)
                    .map_or(resting, |(activity, part)| activity.bpm(part) as f64),
            };
            (minute, (!off.contains(&minute)).then(|| whole(bpm)))
        };
        self.minutes(2).map(beats).collect()
    }

    pub(super) fn highest_bpm(&self) -> i64 {
        let measured = self.heart_rates().into_iter().filter_map(|(_, bpm)| bpm);
        measured
            .chain(self.activities.iter().map(|activity| activity.max_bpm))
            .max()
            .unwrap_or(0)
    }

    pub(super) fn lowest_bpm(&self) -> i64 {
        self.heart_rates()
            .into_iter()
            .filter_map(|(_, bpm)| bpm)
            .min()
            .unwrap_or(0)
    }

    /// Stress every three minutes, 1 to 100; -2 during an activity, -1 without a reading.
    pub(super) fn stress(&self) -> Vec<TimedValue<i64>> {
        let mut dice = self.dice("stress");
        let strain = dice.number(18.0, 34.0);
        let level = |minute: i64| {
            let noise = dice.number(-9.0, 9.0);
            let missing = dice.happens(0.03);
            let slow = (minute as f64 / 83.0).sin();
            let level = match self.doing(minute) {
                _ if missing => -1,
                Doing::Training(_) => -2,
                Doing::Sleeping => whole(self.night.stress + noise / 2.0).clamp(1, 100),
                Doing::Nothing => whole(strain + 16.0 + 18.0 * slow + noise).clamp(1, 100),
            };
            (minute, level)
        };
        self.minutes(3).map(level).collect()
    }

    /// Steps in each quarter of an hour of the day.
    pub(super) fn steps(&self) -> Vec<TimedValue<i64>> {
        let mut dice = self.dice("steps");
        let liveliness = dice.number(0.6, 1.5);
        let quarter = |minute: i64| {
            let (walks, sits) = (dice.whole(250, 900), dice.whole(0, 90));
            let walking = dice.happens(0.16);
            let idle = match self.doing(minute) {
                Doing::Sleeping | Doing::Training(_) => 0,
                Doing::Nothing if walking => walks,
                Doing::Nothing => sits,
            };
            let trained: f64 = self
                .activities
                .iter()
                .map(|activity| {
                    let shared = (activity.end().min(minute + 15) - activity.start.max(minute)).max(0);
                    activity.steps.unwrap_or(0) as f64 * shared as f64 / activity.minutes.max(1) as f64
                })
                .sum();
            (minute, whole(idle as f64 * liveliness + trained))
        };
        self.minutes(15).map(quarter).collect()
    }

    pub(super) fn total_steps(&self) -> i64 {
        self.steps().into_iter().map(|(_, steps)| steps).sum()
    }

    /// Distance walked and run, in metres.
    pub(super) fn distance_m(&self) -> i64 {
        whole(self.total_steps() as f64 * 0.79)
    }

    /// Floors climbed and descended, for each quarter of an hour that has any.
    pub(super) fn floors(&self) -> Vec<TimedValue<(i64, i64)>> {
        let mut dice = self.dice("floors");
        let quarter = |minute: i64| {
            let (up, down, moves) = (dice.whole(0, 3), dice.whole(0, 3), dice.happens(0.14));
            let awake = self.doing(minute) != Doing::Sleeping;
            (awake && moves && up + down > 0).then_some((minute, (up, down)))
        };
        self.minutes(15).filter_map(quarter).collect()
    }

    /// Breaths per minute, every two minutes.
    pub(super) fn breaths(&self) -> Vec<TimedValue<f64>> {
        let mut dice = self.dice("breath");
        let calm = dice.number(12.5, 14.5);
        let rate = |minute: i64| {
            let noise = dice.number(-1.5, 1.5);
            let rate = match self.doing(minute) {
                Doing::Sleeping => calm - 1.0 + noise,
                Doing::Nothing => calm + 1.0 + noise,
                Doing::Training(_) => calm + 9.0 + noise * 2.0,
            };
            (minute, rate.round())
        };
        self.minutes(2).map(rate).collect()
    }

    /// Seconds of sleep in the day so far.
    pub(super) fn sleeping_s(&self) -> i64 {
        60 * (self.night.wake.min(self.until) + (self.until - self.next_bed).max(0))
    }

    pub(super) fn step_goal(&self) -> i64 {
        Dice::of(self.person.seed, "step goal").whole(14, 20) * 500
    }
}
