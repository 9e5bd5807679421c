//! Splits: the time for every kilometre of a run, every 5 km of a ride, every 500 m of a swim.

use jiff::{SignedDuration, Timestamp};

use super::sums::WeightedMean;
use crate::race::sport::LegKind;

/// The time for one section of a leg.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// Index of the leg, from 0.
    pub leg: usize,
    /// Start of the split in metres from the start of the leg.
    pub from_m: f64,
    /// End of the split in metres from the start of the leg.
    pub to_m: f64,
    /// End of the split in metres from the start of the race.
    pub race_m: f64,
    /// Device time at the end of the split.
    pub at: Timestamp,
    /// Duration of the split in seconds.
    pub duration_s: f64,
    pub heart_rate_bpm: Option<f64>,
    pub power_w: Option<f64>,
    /// Highest heart rate within the split.
    pub highest_bpm: Option<f64>,
    pub highest_w: Option<f64>,
    /// Whether the split contains a gap in the data, so that its time is approximate.
    pub estimated: bool,
}

/// Length of a split in metres; `None` in a transition.
pub fn split_length_m(kind: Option<LegKind>) -> Option<f64> {
    match kind {
        Some(LegKind::Ride) => Some(5000.0),
        Some(LegKind::Swim) => Some(500.0),
        Some(LegKind::Transition) => None,
        Some(_) | None => Some(1000.0),
    }
}

/// The split that is in progress.
#[derive(Clone, Debug)]
pub(super) struct OpenSplit {
    from_m: f64,
    from_at: Timestamp,
    heart_rate: WeightedMean,
    power: WeightedMean,
    estimated: bool,
}

/// Two successive points, as needed by a split.
#[derive(Clone, Copy, Debug)]
pub(super) struct SplitStep {
    pub(super) leg: usize,
    /// Race distance in metres at the start of the leg.
    pub(super) leg_from_m: f64,
    pub(super) before_m: f64,
    pub(super) after_m: f64,
    pub(super) before_at: Timestamp,
    pub(super) after_at: Timestamp,
    pub(super) heart_rate_bpm: Option<u32>,
    pub(super) power_w: Option<u32>,
    pub(super) gap: bool,
}

/// Maximum number of splits per leg: 2000 km on foot.
const MOST: usize = 2000;

impl OpenSplit {
    pub(super) fn new(at: Timestamp) -> Self {
        Self {
            from_m: 0.0,
            from_at: at,
            heart_rate: WeightedMean::default(),
            power: WeightedMean::default(),
            estimated: false,
        }
    }

    /// Advances by one step and appends the splits that it completes.
    pub(super) fn advance(&mut self, length_m: f64, stretch: SplitStep, splits: &mut Vec<Split>) {
        let whole_s = stretch.after_at.duration_since(stretch.before_at).as_secs_f64();
        self.estimated |= stretch.gap;
        if let Some(bpm) = stretch.heart_rate_bpm {
            self.heart_rate.add(f64::from(bpm), whole_s.clamp(0.0, 60.0));
        }
        if let Some(watts) = stretch.power_w {
            self.power.add(f64::from(watts), whole_s.clamp(0.0, 60.0));
        }
        // The next mark after the last completed one. This holds even if the split length changed during the leg.
        let mut mark_m = (self.from_m / length_m).floor().mul_add(length_m, length_m);
        while stretch.after_m >= mark_m && splits.len() < MOST {
            let way_m = stretch.after_m - stretch.before_m;
            let part = if way_m > 0.0 {
                ((mark_m - stretch.before_m) / way_m).clamp(0.0, 1.0)
            } else {
                1.0
            };
            #[expect(clippy::cast_possible_truncation, reason = "milliseconds between two points")]
            let into = SignedDuration::from_millis((part * whole_s * 1000.0).round() as i64);
            let at = stretch.before_at.checked_add(into).unwrap_or(stretch.after_at);
            splits.push(Split {
                leg: stretch.leg,
                from_m: self.from_m,
                to_m: mark_m,
                race_m: stretch.leg_from_m + mark_m,
                at,
                duration_s: at.duration_since(self.from_at).as_secs_f64(),
                heart_rate_bpm: self.heart_rate.mean(),
                power_w: self.power.mean(),
                highest_bpm: self.heart_rate.highest(),
                highest_w: self.power.highest(),
                estimated: self.estimated,
            });
            *self = Self {
                from_m: mark_m,
                estimated: stretch.gap && stretch.after_m > mark_m,
                ..Self::new(at)
            };
            mark_m += length_m;
        }
    }
}
