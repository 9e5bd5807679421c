//! Series: columns of time-weighted means with a fixed interval.

use serde_json::{Map, Value, json};

use super::analysis::{Analysis, Window};
use super::laps::pace_s_per_km;
use super::metric::SampleQuantity;
use super::power::index;
use crate::tools::json::rounded;

/// The most rows of a series if no interval is requested.
const USUAL_ROWS: f64 = 240.0;
/// The most rows of any series.
pub(in crate::tools) const MOST_ROWS: usize = 1_200;
const INTERVALS_S: [f64; 12] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0,
];

/// A round interval that divides a window into a readable number of rows.
pub(in crate::tools) fn usual_interval_s(window: Window) -> f64 {
    let wanted = (window.to_s - window.from_s) / USUAL_ROWS;
    INTERVALS_S
        .into_iter()
        .find(|interval| *interval >= wanted)
        .unwrap_or(7_200.0)
}

/// The number of rows of a series.
pub(in crate::tools) fn rows(window: Window, interval_s: f64) -> usize {
    index(((window.to_s - window.from_s) / interval_s).ceil()).max(1)
}

impl Analysis<'_> {
    /// The columns of a window. A row without a value, as in a pause, is null. With `is_run`, speeds are given as pace
    /// too.
    pub(in crate::tools) fn columns(
        &self,
        metrics: &[SampleQuantity],
        window: Window,
        interval_s: f64,
        is_run: bool,
    ) -> Map<String, Value> {
        let rows = rows(window, interval_s).min(MOST_ROWS);
        let mut columns = Map::new();
        for metric in metrics {
            let values = self.column(*metric, window, interval_s, rows);
            if values.iter().all(Option::is_none) {
                continue;
            }
            let pace = match metric {
                SampleQuantity::Speed if is_run => Some("pace_s_per_km"),
                SampleQuantity::GradeAdjustedSpeed if is_run => Some("grade_adjusted_pace_s_per_km"),
                _ => None,
            };
            if let Some(name) = pace {
                let paces = values
                    .iter()
                    .map(|speed| speed.map_or(Value::Null, pace_s_per_km));
                columns.insert(name.to_owned(), paces.collect());
            }
            let digits = metric.digits();
            let told = values
                .into_iter()
                .map(|value| value.map_or(Value::Null, |value| short(value, digits)));
            columns.insert(metric.name().to_owned(), told.collect());
        }
        columns
    }

    fn column(
        &self,
        metric: SampleQuantity,
        window: Window,
        interval_s: f64,
        rows: usize,
    ) -> Vec<Option<f64>> {
        let mut sums = vec![(0.0, 0.0); rows];
        for (sample, held_s) in self.within(window) {
            let (Some(value), Some(at)) = (self.value(sample, metric), self.recording.samples.get(sample))
            else {
                continue;
            };
            let mut from_s = at.at_s.max(window.from_s) - window.from_s;
            let to_s = from_s + held_s;
            let mut row = index(from_s / interval_s);
            while from_s < to_s && row < rows {
                let end_s = to_s.min((row + 1) as f64 * interval_s);
                if let Some((sum, covered_s)) = sums.get_mut(row) {
                    if metric == SampleQuantity::Distance {
                        // The distance at the end of the interval, not a mean.
                        *sum = value;
                        *covered_s = 1.0;
                    } else {
                        *sum += value * (end_s - from_s);
                        *covered_s += end_s - from_s;
                    }
                }
                from_s = end_s;
                row += 1;
            }
        }
        sums.into_iter()
            .map(|(sum, covered_s)| (covered_s > 0.0).then(|| sum / covered_s))
            .collect()
    }
}

/// A rounded number; a whole one if `digits` is 0.
pub(in crate::tools) fn short(value: f64, digits: usize) -> Value {
    if digits > 0 {
        return rounded(value, digits);
    }
    format!("{value:.0}")
        .parse::<i64>()
        .map_or(Value::Null, |whole| json!(whole))
}
