//! Climbs, and the time on each kind of grade.

use serde_json::{Map, Value, json};

use super::analysis::{Analysis, Window};
use super::metric::SampleQuantity;
use crate::tools::json::rounded;

/// A climb begins at this grade, in percent.
const STEEP_PCT: f64 = 3.0;
/// A flatter stretch longer than this ends a climb.
const FLAT_S: f64 = 30.0;
const LEAST_GAIN_M: f64 = 50.0;
const LEAST_S: f64 = 120.0;

/// Classes of grade, each with its upper limit in percent.
const GRADES: [(&str, f64); 5] = [
    ("descending", -3.0),
    ("flat", 3.0),
    ("gentle", 6.0),
    ("moderate", 9.0),
    ("steep", f64::INFINITY),
];

impl Analysis<'_> {
    /// The parts of a recording that climb at least 50 m.
    pub(in crate::tools) fn climbs(&self) -> Vec<Window> {
        let mut climbs = Vec::new();
        let mut current: Option<Window> = None;
        for (index, held_s) in self.within(self.whole()) {
            let Some(at_s) = self.recording.samples.get(index).map(|sample| sample.at_s) else {
                continue;
            };
            let is_steep = self
                .value(index, SampleQuantity::Grade)
                .is_some_and(|grade| grade >= STEEP_PCT);
            match &mut current {
                Some(climb) if is_steep => climb.to_s = at_s + held_s,
                Some(climb) if at_s - climb.to_s > FLAT_S => climbs.extend(current.take()),
                None if is_steep => {
                    current = Some(Window {
                        from_s: at_s,
                        to_s: at_s + held_s,
                    });
                }
                _ => {}
            }
        }
        climbs.extend(current);
        climbs.retain(|climb| climb.to_s - climb.from_s >= LEAST_S && self.gain_m(*climb) >= LEAST_GAIN_M);
        climbs
    }

    /// The difference of altitude between the beginning and the end of a window.
    fn gain_m(&self, window: Window) -> f64 {
        let mut altitudes = self
            .within(window)
            .filter_map(|(index, _)| self.value(index, SampleQuantity::Altitude));
        let first = altitudes.next();
        first
            .zip(altitudes.last())
            .map_or(0.0, |(first, last)| last - first)
    }

    pub(in crate::tools) fn climb(&self, climb: Window, weight_kg: Option<f64>) -> Map<String, Value> {
        let mut told = Map::new();
        let mut put = |key: &str, value: Option<f64>, digits: usize| {
            if let Some(value) = value {
                told.insert(key.to_owned(), rounded(value, digits));
            }
        };
        let duration_s = climb.to_s - climb.from_s;
        let gain_m = self.gain_m(climb);
        let average = |metric| self.mean(metric, climb).map(|mean| mean.average);
        put("start_s", Some(climb.from_s), 0);
        put("duration_s", Some(duration_s), 0);
        put("elevation_gain_m", Some(gain_m), 1);
        put("vam_m_per_hr", Some(gain_m / duration_s * 3_600.0), 0);
        put("distance_m", self.distance_m(climb), 0);
        put("avg_grade_pct", average(SampleQuantity::Grade), 1);
        put(
            "max_grade_pct",
            self.mean(SampleQuantity::Grade, climb).map(|mean| mean.most),
            1,
        );
        put("avg_power_w", average(SampleQuantity::Power), 0);
        put("avg_cadence_rpm", average(SampleQuantity::Cadence), 0);
        put("avg_hr_bpm", average(SampleQuantity::HeartRate), 0);
        put(
            "avg_w_per_kg",
            average(SampleQuantity::Power)
                .zip(weight_kg)
                .map(|(watts, kg)| watts / kg),
            2,
        );
        told
    }

    /// Time, power, cadence and heart rate by grade; empty without altitudes.
    pub(in crate::tools) fn by_grade(&self) -> Map<String, Value> {
        let mut bins = GRADES.map(|(name, below)| (name, below, 0.0, [(0.0, 0.0); 3]));
        for (index, held_s) in self.within(self.whole()) {
            let Some(grade) = self.value(index, SampleQuantity::Grade) else {
                continue;
            };
            let Some((.., time_s, sums)) = bins.iter_mut().find(|(_, below, ..)| grade < *below) else {
                continue;
            };
            *time_s += held_s;
            for (sum, metric) in sums.iter_mut().zip([
                SampleQuantity::Power,
                SampleQuantity::Cadence,
                SampleQuantity::HeartRate,
            ]) {
                if let Some(value) = self.value(index, metric) {
                    sum.0 += value * held_s;
                    sum.1 += held_s;
                }
            }
        }
        let told = |(name, _, time_s, sums): (&str, f64, f64, [(f64, f64); 3])| {
            let mut bin = Map::new();
            bin.insert("time_s".to_owned(), rounded(time_s, 0));
            for (key, (sum, covered_s)) in ["avg_power_w", "avg_cadence_rpm", "avg_hr_bpm"]
                .into_iter()
                .zip(sums)
            {
                if covered_s > 0.0 {
                    bin.insert(key.to_owned(), rounded(sum / covered_s, 0));
                }
            }
            (name.to_owned(), json!(bin))
        };
        bins.into_iter()
            .filter(|(.., time_s, _)| *time_s > 0.0)
            .map(told)
            .collect()
    }
}
