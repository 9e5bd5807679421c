//! Checks the numbers in a message against the race, because nobody should change their pace over a figure that a
//! model made up. Pure.
//!
//! Every number that the data can confirm is checked: heart rate, power, cadence, distance, pace, speed, and times
//! with a colon. It is compared with the window, the legs, the splits, the limits and the plan. A number called a
//! mean or a maximum must be one. A target value in a piece of advice must lie in the range seen in this race, or be
//! one of its limits.
//!
//! Deliberately unchecked: quantities that the data does not contain (grams, minutes of advice, percentages), and
//! numbers written as words.

mod reading;
#[cfg(test)]
pub(super) mod tests;

use reading::{Claim, ClaimKind, ClaimSense};

use crate::race::figures::{WindowFigures, WindowSpread};
use crate::race::snapshot::Snapshot;
use crate::race::sport::LegKind;
use crate::race::sport::cadence;
use crate::race::text;
use crate::race::track::{TrackStep, WeightedMean};

/// The known values of one measured quantity.
#[derive(Clone, Debug, Default)]
struct KnownQuantity {
    low: Option<f64>,
    high: Option<f64>,
    means: Vec<f64>,
    highs: Vec<f64>,
    /// Limits are accepted even if nothing was measured.
    limits: Vec<f64>,
}

/// The figures that a message may mention at one moment of a race.
#[derive(Clone, Debug, Default)]
pub struct KnownFigures {
    heart_rate: KnownQuantity,
    power: KnownQuantity,
    cadence: KnownQuantity,
    /// Known speeds in metres per second.
    speed: KnownQuantity,
    distances_m: Vec<f64>,
    /// Total distance of the race in metres or, if unknown, the distance covered.
    farthest_m: f64,
    times_s: Vec<f64>,
}

/// A number that does not match the race.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FalseClaim {
    /// The number as written in the message.
    pub said: String,
    pub about: &'static str,
}

/// The numbers in `text` that do not match the race. If there are none, the message may be sent.
pub fn untrue(text: &str, known: &KnownFigures) -> Vec<FalseClaim> {
    let wrong = reading::claims(text)
        .into_iter()
        .filter(|claim| !known.holds(claim));
    wrong
        .map(|claim| FalseClaim {
            about: about(claim.kind),
            said: claim.said,
        })
        .collect()
}

fn about(kind: ClaimKind) -> &'static str {
    match kind {
        ClaimKind::HeartRate => "heart rate",
        ClaimKind::Power => "power",
        ClaimKind::Cadence => "cadence",
        ClaimKind::Distance => "distance",
        ClaimKind::Mark => "place on the way",
        ClaimKind::Speed => "pace",
        ClaimKind::Time => "time",
        ClaimKind::Unreadable => "digits of another script",
    }
}

impl KnownQuantity {
    fn measured(&mut self, mean: &WeightedMean, unit: impl Fn(f64) -> f64) {
        for value in [mean.lowest(), mean.highest()].into_iter().flatten() {
            self.reach(unit(value));
        }
        self.means.extend(mean.mean().map(&unit));
        self.highs.extend(mean.highest().map(&unit));
    }

    fn spread(&mut self, spread: Option<WindowSpread>) {
        let Some(spread) = spread else { return };
        self.reach(spread.low);
        self.reach(spread.high);
        self.means.extend([spread.mean, spread.median]);
        self.highs.push(spread.high);
    }

    fn reach(&mut self, value: f64) {
        self.low = Some(self.low.map_or(value, |low| low.min(value)));
        self.high = Some(self.high.map_or(value, |high| high.max(value)));
    }

    /// Whether a value is acceptable, with a tolerance of `slack`.
    fn holds(&self, value: f64, sense: ClaimSense, slack: f64) -> bool {
        let near = |values: &[f64]| values.iter().any(|known| (known - value).abs() <= slack);
        if near(&self.limits) {
            return true;
        }
        match sense {
            ClaimSense::Mean => near(&self.means),
            ClaimSense::Highest => near(&self.highs),
            ClaimSense::Value => {
                let within = self.low.zip(self.high);
                within.is_some_and(|(low, high)| (low - slack..=high + slack).contains(&value))
            }
        }
    }
}

impl KnownFigures {
    /// Collects the figures of a race and its window.
    pub fn of(race: &Snapshot, window: &[TrackStep]) -> Self {
        let (track, settings) = (&race.track, &race.settings);
        let leg = track.leg().and_then(|leg| leg.kind);
        let figures = WindowFigures::of(leg, window);
        let mut known = Self::default();

        if let Some(figures) = &figures {
            known.heart_rate.spread(figures.heart_rate);
            known.power.spread(figures.power);
            known.cadence.spread(figures.cadence);
            known.distances_m.push(figures.distance_m);
            known.speed.means.extend(figures.speed_mps());
        }
        for leg in &track.legs {
            known.heart_rate.measured(&leg.sums.heart_rate, |bpm| bpm);
            known.power.measured(&leg.sums.power, |watts| watts);
            let kind = leg.kind;
            known
                .cadence
                .measured(&leg.sums.cadence, |sent| in_its_unit(kind, sent));
            known.distances_m.push(leg.distance_m());
            known
                .times_s
                .extend([leg.elapsed_s(), leg.sums.moving_s, leg.sums.standing_s]);
            known
                .speed
                .means
                .push(leg.distance_m() / leg.elapsed_s().max(1.0));
            known
                .speed
                .means
                .push(leg.distance_m() / leg.sums.moving_s.max(1.0));
        }
        for split in &track.splits {
            known.heart_rate.means.extend(split.heart_rate_bpm);
            known.power.means.extend(split.power_w);
            known.distances_m.extend([split.race_m, split.to_m]);
            known.times_s.push(split.duration_s);
            known
                .speed
                .means
                .push((split.to_m - split.from_m) / split.duration_s.max(1.0));
            if let Some(start) = track.started_at {
                known.times_s.push(split.at.duration_since(start).as_secs_f64());
            }
        }
        known
            .times_s
            .extend(track.stops().iter().map(crate::race::track::Stop::duration_s));
        let gaps = track.gaps.iter();
        known
            .times_s
            .extend(gaps.map(|gap| gap.to.duration_since(gap.from).as_secs_f64()));
        let steps = window.iter().filter_map(|step| step.speed_mps);
        steps.for_each(|mps| known.speed.reach(mps));
        known.plan(race);

        let limits = &settings.thresholds;
        let of = |limits: &[Option<u32>]| limits.iter().flatten().map(|limit| f64::from(*limit)).collect();
        known.heart_rate.limits = of(&[limits.hr_max, limits.hr_min, limits.run_hr_max, limits.run_hr_min]);
        known.power.limits = of(&[limits.power_max, limits.power_min]);
        known.cadence.limits = of(&[limits.cadence_min, limits.run_cadence_min]);
        let slowest = known.speed.means.clone();
        slowest
            .into_iter()
            .filter(|mps| *mps > 0.3)
            .for_each(|mps| known.speed.reach(mps));
        known
    }

    /// Adds the athlete's position on the course, and the figures of the plan.
    fn plan(&mut self, race: &Snapshot) {
        let track = &race.track;
        let settings = &race.settings;
        let done_m = track.distance_m();
        let progress_m = track.course_m.unwrap_or(done_m);
        let elapsed_s = track.elapsed_s();
        self.distances_m.extend([done_m, progress_m]);
        self.times_s.push(elapsed_s);
        self.speed.means.push(done_m / elapsed_s.max(1.0));
        let course_m = race.course.as_ref().map(|course| course.length_m());
        let whole_m = course_m.or(settings.distance_m);
        self.farthest_m = whole_m.unwrap_or(progress_m).max(progress_m);
        let target_s = settings.target_time_s.map(f64::from);
        self.times_s.extend(target_s);
        if let Some(whole_m) = whole_m {
            self.distances_m
                .extend([whole_m, (whole_m - progress_m).max(0.0)]);
            self.speed
                .limits
                .extend(target_s.map(|target_s| whole_m / target_s.max(1.0)));
            let speeds = self.speed.means.clone();
            for mps in speeds.into_iter().filter(|mps| *mps > 0.3) {
                let left_s = (whole_m - progress_m).max(0.0) / mps;
                self.times_s.extend([left_s, elapsed_s + left_s]);
                self.times_s
                    .extend(target_s.map(|target_s| (target_s - elapsed_s - left_s).abs()));
            }
        }
        for checkpoint in &settings.checkpoints {
            let at_m = checkpoint.km * 1000.0;
            self.distances_m.extend([at_m, (at_m - progress_m).max(0.0)]);
            let times = [checkpoint.cutoff_s, checkpoint.target_s];
            for time_s in times.into_iter().flatten().map(f64::from) {
                self.times_s.extend([time_s, (time_s - elapsed_s).abs()]);
            }
        }
    }

    fn holds(&self, claim: &Claim) -> bool {
        let value = claim.value;
        match claim.kind {
            ClaimKind::HeartRate => self.heart_rate.holds(value, claim.sense, 1.5),
            ClaimKind::Power => self.power.holds(value, claim.sense, 5.0),
            ClaimKind::Cadence => self.cadence.holds(value, claim.sense, 1.5),
            ClaimKind::Speed => self.speed.holds(value, claim.sense, value * 0.03),
            ClaimKind::Distance => {
                let near = |known: &f64| (known - value).abs() <= (value * 0.01).max(150.0);
                // "The next 2 km" is not a measurement.
                let to_come = claim.ahead && value <= 10_000.0_f64.min(self.farthest_m);
                to_come || self.distances_m.iter().any(near)
            }
            ClaimKind::Mark => value <= self.farthest_m + 100.0,
            ClaimKind::Time => {
                let near = |known: &f64| (known - value).abs() <= (known * 0.02).max(5.0);
                // 4:57 without a unit is usually a pace.
                let as_pace = (120.0..1200.0).contains(&value) && {
                    let mps = 1000.0 / value;
                    self.speed.holds(mps, claim.sense, mps * 0.03)
                };
                as_pace || self.times_s.iter().any(near)
            }
            ClaimKind::Unreadable => false,
        }
    }
}

/// Converts a mean cadence to the unit of its leg: strides of one leg become steps.
fn in_its_unit(kind: Option<LegKind>, sent: f64) -> f64 {
    let doubled = cadence(kind, 100) == 200 && sent < 130.0;
    if doubled { sent * 2.0 } else { sent }
}

/// The text that replaces a message with wrong numbers: the athlete's position, and the figures of the last minutes.
pub fn own_words(race: &Snapshot, window: &[TrackStep]) -> String {
    let track = &race.track;
    let leg = track.leg().and_then(|leg| leg.kind);
    let progress_m = track.course_m.unwrap_or_else(|| track.distance_m());
    let mut text = format!(
        "{} after {}.",
        text::km(progress_m),
        text::time(track.elapsed_s())
    );
    let Some(figures) = WindowFigures::of(leg, window) else {
        return text;
    };
    let lasted_s = figures.to.duration_since(figures.from).as_secs_f64();
    let mut parts = Vec::new();
    parts.extend(figures.speed_mps().and_then(|mps| text::pace(leg, mps)));
    parts.extend(figures.heart_rate.map(|spread| format!("{:.0} bpm", spread.mean)));
    parts.extend(figures.power.map(|spread| format!("{:.0} W", spread.mean)));
    if !parts.is_empty() && lasted_s >= 60.0 {
        text.extend([format!(
            " Last {}: {}.",
            text::minutes(lasted_s),
            parts.join(", ")
        )]);
    }
    text
}
