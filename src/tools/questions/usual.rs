//! What is usual for a person, and how far a day is from it.
//!
//! The reference is the person's own: the 60 days that end a week before the day in question, so that a change of a few
//! days does not become usual while it lasts. The median and a robust spread are used, because one night with a fever
//! must not widen the band for two months.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::figures::{figure, median, object};
use super::metrics::Metric;
use super::period::Period;
use super::statistics::robust_spread;

const REFERENCE_DAYS: i64 = 60;
/// The days between the reference and the day in question.
const PAUSE_DAYS: i64 = 7;
/// Fewer values than this say nothing about what is usual.
pub(super) const LEAST_DAYS: usize = 14;
/// The band of what is usual, in spreads from the middle: about seven days of eight are within it.
pub(super) const BAND: f64 = 1.5;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usual {
    pub(super) middle: f64,
    spread: f64,
    pub(super) days: usize,
}

impl Usual {
    /// What was usual before `date`; `None` if there are too few days with data.
    pub(super) fn before(date: Date, points: &[(Date, f64)], metric: &Metric) -> Option<Self> {
        let reference = reference(date);
        let values: Vec<f64> = points
            .iter()
            .filter(|(day, _)| (reference.first..=reference.last).contains(day))
            .map(|(_, value)| *value)
            .collect();
        if values.len() < LEAST_DAYS {
            return None;
        }
        let middle = median(values.iter().copied())?;
        Some(Self {
            middle,
            spread: robust_spread(&values, middle)?.max(metric.noise),
            days: values.len(),
        })
    }

    /// How far a value is from the middle, in spreads.
    pub(super) fn deviation(&self, value: f64) -> f64 {
        (value - self.middle) / self.spread
    }

    /// The members `usual_low` and `usual_high`.
    pub(super) fn band(&self, digits: usize) -> Map<String, Value> {
        object([
            ("usual_low", figure(self.middle - BAND * self.spread, digits)),
            ("usual_high", figure(self.middle + BAND * self.spread, digits)),
        ])
    }
}

/// `period`, extended by the days before it that define what is usual on its first day.
pub(super) fn with_reference(period: Period) -> Period {
    Period {
        first: reference(period.first).first,
        last: period.last,
    }
}

fn reference(date: Date) -> Period {
    let last = date.saturating_sub((PAUSE_DAYS + 1).days());
    Period {
        first: last.saturating_sub((REFERENCE_DAYS - 1).days()),
        last,
    }
}

/// `above`, `below` or `within` the band.
pub(super) fn position(deviation: f64) -> Value {
    json!(match deviation {
        high if high > BAND => "above",
        low if low < -BAND => "below",
        _ => "within",
    })
}
