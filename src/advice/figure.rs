//! The figures on which a message of the coach is based. They are stored with the message, so that `/why` and the check
//! of claims read the same figures.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A metric that the coach looks at.
#[derive(Debug)]
pub struct CoachMetric {
    /// The metric's name in the arguments of the built-in worker's tools.
    pub name: &'static str,
    /// The name in a sentence.
    pub words: &'static str,
    /// The words that name it in Claude's sentences, in lower case.
    pub named_by: &'static [&'static str],
    pub unit: &'static str,
    pub digits: usize,
    /// The sides of the usual band on which a run is worth a message. Some changes are only good news.
    pub tells: Sides,
    /// The least distance of a run's mean from the middle of the usual band: in half widths of the band, divided by the
    /// square root of the run's days. Metrics whose successive days resemble each other need a higher value.
    pub far: f64,
    /// The least distance as a share of the middle of the band. Weight needs one, because it drifts by itself.
    pub far_share: f64,
}

/// The sides of the usual band.
#[derive(Debug, Clone, Copy)]
pub struct Sides {
    pub above: bool,
    pub below: bool,
}

const ABOVE: Sides = Sides {
    above: true,
    below: false,
};
const BELOW: Sides = Sides {
    above: false,
    below: true,
};
const BOTH: Sides = Sides {
    above: true,
    below: true,
};

/// The metrics of the coach, in the order in which a message lists them.
pub static COACH_METRICS: [CoachMetric; 5] = [
    CoachMetric {
        name: "resting_heart_rate",
        words: "resting heart rate",
        named_by: &["resting heart rate", "resting pulse", "rhr", "heart rate"],
        unit: "bpm",
        digits: 1,
        tells: ABOVE,
        far: 5.4,
        far_share: 0.0,
    },
    CoachMetric {
        name: "hrv",
        words: "HRV",
        named_by: &["hrv", "heart rate variability", "variability"],
        unit: "ms",
        digits: 0,
        tells: BELOW,
        far: 4.3,
        far_share: 0.0,
    },
    CoachMetric {
        name: "sleep",
        words: "sleep",
        named_by: &["sleep", "slept"],
        unit: "h",
        digits: 1,
        tells: BELOW,
        far: 3.3,
        far_share: 0.0,
    },
    CoachMetric {
        name: "stress",
        words: "stress",
        named_by: &["stress"],
        unit: "",
        digits: 0,
        tells: ABOVE,
        far: 5.6,
        far_share: 0.0,
    },
    CoachMetric {
        name: "weight",
        words: "weight",
        named_by: &["weight", "weigh"],
        unit: "kg",
        digits: 1,
        tells: BOTH,
        far: 8.0,
        far_share: 0.03,
    },
];

/// The sums of a week's training that the weekly review reports.
pub static WEEK_SUMS: [CoachMetric; 3] = [
    CoachMetric {
        name: "activities",
        words: "activities",
        named_by: &["activities", "activity", "sessions", "session", "workouts"],
        unit: "",
        digits: 0,
        tells: BOTH,
        far: 0.0,
        far_share: 0.0,
    },
    CoachMetric {
        name: "training_hours",
        words: "training",
        named_by: &["training", "trained", "activities"],
        unit: "h",
        digits: 1,
        tells: BOTH,
        far: 0.0,
        far_share: 0.0,
    },
    CoachMetric {
        name: "distance",
        words: "distance",
        named_by: &[
            "distance",
            "km",
            "kilometres",
            "covered",
            "activities",
            "training",
        ],
        unit: "km",
        digits: 1,
        tells: BOTH,
        far: 0.0,
        far_share: 0.0,
    },
];

/// One measured fact: the value of a day, or the mean of several days.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoachFigure {
    /// The name of a [`CoachMetric`].
    pub metric: String,
    pub from: Date,
    pub to: Date,
    /// The days with data; 1 for a single day.
    pub days: u32,
    pub value: f64,
    /// The band of what is usual for this person, if it is known.
    #[serde(default)]
    pub usual: Option<(f64, f64)>,
}

impl CoachMetric {
    pub fn named(name: &str) -> Option<&'static Self> {
        COACH_METRICS
            .iter()
            .chain(&WEEK_SUMS)
            .find(|metric| metric.name == name)
    }

    /// A value with its unit.
    pub fn told(&self, value: f64) -> String {
        let number = self.number(value);
        if self.unit.is_empty() {
            number
        } else {
            format!("{number} {}", self.unit)
        }
    }

    /// A value without its unit, and without a needless `.0`.
    pub fn number(&self, value: f64) -> String {
        let text = format!("{value:.*}", self.digits);
        text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
    }

    /// A band with its unit.
    pub fn band(&self, (low, high): (f64, f64)) -> String {
        format!("{} to {}", self.number(low), self.told(high))
    }
}

impl CoachFigure {
    pub fn metric(&self) -> Option<&'static CoachMetric> {
        CoachMetric::named(&self.metric)
    }

    /// `Some(true)` above the usual band, `Some(false)` below it; `None` within it, or if the band is not known.
    pub fn is_above(&self) -> Option<bool> {
        let (low, high) = self.usual?;
        if self.value > high {
            Some(true)
        } else if self.value < low {
            Some(false)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_with_their_unit() {
        let told = |name, value| CoachMetric::named(name).unwrap().told(value);
        assert_eq!(told("resting_heart_rate", 52.0), "52 bpm");
        assert_eq!(told("resting_heart_rate", 52.44), "52.4 bpm");
        assert_eq!(told("hrv", 61.6), "62 ms");
        assert_eq!(told("stress", 31.0), "31");
        let sleep = CoachMetric::named("sleep").unwrap();
        assert_eq!(sleep.band((6.6, 8.02)), "6.6 to 8 h");
    }
}
