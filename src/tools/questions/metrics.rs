//! The metrics of the questions about days: where Garmin keeps them for a range of days, and which columns they have.

use crate::mcp::DataGroup;
use crate::tools::fields::{Field, fields};

#[derive(Debug)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    /// Path and query, with `{from}`, `{to}` and possibly `{display_name}`.
    pub(super) path: &'static str,
    /// The longest range of one request.
    pub(super) window: i64,
    /// The path of the list of days in Garmin's answer; `""` when the answer is the list.
    pub(super) rows: &'static str,
    /// The key of a list inside each day, for days with several measurements.
    pub(super) nested: Option<&'static str>,
    /// The key of the events of a day, whose impacts are summed by kind.
    pub(super) events: Option<&'static str>,
    /// The paths to the day of a row, the usual one first.
    pub(super) date: &'static [&'static str],
    /// The columns. The statistics are about the first one.
    pub(super) columns: &'static [Column],
    /// What the newest row has besides the columns.
    pub(super) latest: &'static [Field],
    /// Whether a watch that is worn has a value on each day, so that a day without one is a gap.
    pub(super) is_daily: bool,
    /// Whether the value of a day changes until its end, so that today's can't be compared with others.
    pub(super) grows: bool,
    /// The smallest meaningful difference in the first column. Smaller ones come from the sensor or from chance.
    pub(super) noise: f64,
    /// The group of data in which a person shares this metric with others.
    pub(super) group: DataGroup,
}

#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) from: &'static [&'static str],
    /// Garmin's value is divided by this.
    pub(super) divisor: f64,
    pub(super) digits: usize,
    /// If set, the column is the percentage of days whose value is at least the one at this path.
    pub(super) reached: Option<&'static str>,
}

impl Column {
    const fn new(name: &'static str, from: &'static [&'static str], divisor: f64, digits: usize) -> Self {
        Self {
            name,
            from,
            divisor,
            digits,
            reached: None,
        }
    }

    /// All paths from which the column is read.
    pub(super) fn paths(&self) -> impl Iterator<Item = &'static str> {
        self.from.iter().copied().chain(self.reached)
    }

    const fn whole(name: &'static str, from: &'static [&'static str]) -> Self {
        Self::new(name, from, 1.0, 0)
    }
}

const DATE: &[&str] = &["calendarDate"];
const HOUR: f64 = 3_600.0;
const FOUR_WEEKS: i64 = 28;

const DEFAULT: Metric = Metric {
    name: "",
    path: "",
    window: FOUR_WEEKS,
    rows: "",
    nested: None,
    events: None,
    date: DATE,
    columns: &[],
    latest: &[],
    is_daily: true,
    grows: false,
    noise: 0.0,
    group: DataGroup::Everything,
};

/// The names of the metrics, after `all` for those that say something about health.
pub(super) const NAMES_OR_ALL: &[&str] = &[
    "all",
    "sleep",
    "resting_heart_rate",
    "hrv",
    "stress",
    "body_battery",
    "steps",
    "intensity_minutes",
    "weight",
    "blood_pressure",
    "vo2_max",
];

pub(super) const NAMES: &[&str] = NAMES_OR_ALL.split_at(1).1;

/// In the order of [`NAMES`].
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "sleep",
        path: "/sleep-service/stats/sleep/daily/{from}/{to}",
        rows: "individualStats",
        columns: &[
            Column::new("sleep_h", &["values.totalSleepTimeInSeconds"], HOUR, 2),
            Column::whole("sleep_score", &["values.sleepScore"]),
            Column::new("deep_h", &["values.deepTime"], HOUR, 2),
            Column::new("rem_h", &["values.remTime"], HOUR, 2),
            Column::new("awake_h", &["values.awakeTime"], HOUR, 2),
        ],
        noise: 0.25,
        group: DataGroup::Sleep,
        ..DEFAULT
    },
    Metric {
        name: "resting_heart_rate",
        path: "/usersummary-service/stats/heartRate/daily/{from}/{to}",
        columns: &[Column::new("resting_bpm", &["values.restingHR"], 1.0, 1)],
        noise: 1.0,
        group: DataGroup::Heart,
        ..DEFAULT
    },
    Metric {
        name: "hrv",
        path: "/hrv-service/hrv/daily/{from}/{to}",
        rows: "hrvSummaries",
        columns: &[
            Column::whole("last_night_avg_ms", &["lastNightAvg"]),
            Column::whole("seven_day_avg_ms", &["weeklyAvg"]),
        ],
        latest: fields! {
            "seven_day_avg_ms" <- "weeklyAvg";
            "baseline_low_ms" <- "baseline.balancedLow";
            "baseline_high_ms" <- "baseline.balancedUpper";
            "status" <- "status";
        },
        noise: 3.0,
        group: DataGroup::Heart,
        ..DEFAULT
    },
    Metric {
        name: "stress",
        path: "/usersummary-service/stats/stress/daily/{from}/{to}",
        columns: &[
            Column::whole("avg_stress", &["values.overallStressLevel"]),
            Column::new("high_stress_min", &["values.highStressDuration"], 60.0, 0),
            Column::new("medium_stress_min", &["values.mediumStressDuration"], 60.0, 0),
        ],
        grows: true,
        noise: 3.0,
        group: DataGroup::Heart,
        ..DEFAULT
    },
    Metric {
        name: "body_battery",
        path: "/wellness-service/wellness/bodyBattery/reports/daily?startDate={from}&endDate={to}",
        events: Some("bodyBatteryActivityEvent"),
        date: &["date", "calendarDate"],
        columns: &[
            Column::whole("drained", &["drained"]),
            Column::whole("charged", &["charged"]),
        ],
        grows: true,
        noise: 5.0,
        ..DEFAULT
    },
    Metric {
        name: "steps",
        path: "/usersummary-service/stats/steps/daily/{from}/{to}",
        columns: &[
            Column::whole("steps", &["totalSteps"]),
            Column::whole("goal", &["stepGoal"]),
            Column {
                reached: Some("stepGoal"),
                ..Column::whole("goal_reached_percent_of_days", &["totalSteps"])
            },
        ],
        grows: true,
        noise: 1_000.0,
        group: DataGroup::Steps,
        ..DEFAULT
    },
    Metric {
        name: "intensity_minutes",
        path: "/usersummary-service/stats/im/daily/{from}/{to}",
        columns: &[
            Column::whole("moderate_min", &["moderateValue"]),
            Column::whole("vigorous_min", &["vigorousValue"]),
        ],
        grows: true,
        noise: 10.0,
        group: DataGroup::Steps,
        ..DEFAULT
    },
    Metric {
        name: "weight",
        path: "/weight-service/weight/dateRange?startDate={from}&endDate={to}",
        window: 366,
        rows: "dateWeightList",
        columns: &[
            Column::new("weight_kg", &["weight"], 1_000.0, 1),
            Column::new("body_fat_percent", &["bodyFat"], 1.0, 1),
            Column::new("muscle_kg", &["muscleMass"], 1_000.0, 1),
        ],
        is_daily: false,
        noise: 0.3,
        group: DataGroup::Body,
        ..DEFAULT
    },
    Metric {
        name: "blood_pressure",
        path: "/bloodpressure-service/bloodpressure/range/{from}/{to}?includeAll=true",
        window: 366,
        rows: "measurementSummaries",
        nested: Some("measurements"),
        date: &["measurementSummaryDate", "startDate"],
        columns: &[
            Column::whole("systolic_mmhg", &["systolic"]),
            Column::whole("diastolic_mmhg", &["diastolic"]),
            Column::whole("pulse_bpm", &["pulse"]),
        ],
        is_daily: false,
        noise: 4.0,
        group: DataGroup::Body,
        ..DEFAULT
    },
    Metric {
        name: "vo2_max",
        path: "/metrics-service/metrics/maxmet/daily/{from}/{to}",
        window: 90,
        date: &["generic.calendarDate", "cycling.calendarDate"],
        columns: &[
            Column::new(
                "vo2_max",
                &["generic.vo2MaxPreciseValue", "generic.vo2MaxValue"],
                1.0,
                1,
            ),
            Column::new(
                "cycling_vo2_max",
                &["cycling.vo2MaxPreciseValue", "cycling.vo2MaxValue"],
                1.0,
                1,
            ),
        ],
        is_daily: false,
        noise: 0.3,
        group: DataGroup::Training,
        ..DEFAULT
    },
];

pub(super) fn metric(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_metric() {
        assert!(METRICS.iter().map(|metric| metric.name).eq(NAMES.iter().copied()));
        assert_eq!(NAMES_OR_ALL.first(), Some(&"all"));
        assert!(METRICS.iter().all(|metric| metric.noise > 0.0));
    }
}
