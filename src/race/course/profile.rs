//! The elevation along a course, in even steps.

use serde::{Deserialize, Serialize};

/// Maximum number of steps, so that a course fits into one record.
const MOST_STEPS: usize = 500;

/// Shorter steps would only show the noise of the elevations.
const SHORTEST_STEP_M: f64 = 50.0;

/// Share of the points that must have an elevation.
const WITH_ELEVATION: f64 = 0.9;

/// Smaller ups and downs are noise.
const NOISE_M: f64 = 3.0;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CourseProfile {
    step_m: f64,
    /// Elevation in metres at 0, 1, 2 … steps.
    altitude_m: Vec<f32>,
}

impl CourseProfile {
    /// Builds the profile from points with their distance along the course; `None` if too few have an elevation.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of steps, at most 500"
    )]
    pub(super) fn of(points: &[(f64, Option<f64>)]) -> Option<Self> {
        let length_m = points.last()?.0;
        let known: Vec<(f64, f64)> = points
            .iter()
            .filter_map(|(along_m, altitude_m)| Some((*along_m, (*altitude_m)?)))
            .collect();
        if (known.len() as f64) < WITH_ELEVATION * points.len() as f64 || length_m <= 0.0 {
            return None;
        }
        let steps = (length_m / SHORTEST_STEP_M).ceil().clamp(1.0, MOST_STEPS as f64);
        let step_m = length_m / steps;
        let mut next = 0;
        let altitude_m = (0..=steps as usize)
            .map(|step| {
                let at_m = step as f64 * step_m;
                while known.get(next + 1).is_some_and(|(along_m, _)| *along_m < at_m) {
                    next += 1;
                }
                let altitude_m = between(known.get(next), known.get(next + 1), at_m);
                // Decimetres are enough, and short in the record.
                ((altitude_m * 10.0).round() / 10.0) as f32
            })
            .collect();
        Some(Self { step_m, altitude_m })
    }

    /// The elevation at a distance along the course.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of steps, at most 500"
    )]
    pub fn altitude_m(&self, at_m: f64) -> f64 {
        let steps = (at_m.max(0.0) / self.step_m).min(self.altitude_m.len() as f64);
        let known = |step: usize| {
            let altitude_m = self.altitude_m.get(step).or(self.altitude_m.last());
            f64::from(altitude_m.copied().unwrap_or_default())
        };
        let step = steps.floor() as usize;
        (steps - steps.floor()).mul_add(known(step + 1) - known(step), known(step))
    }

    /// The lowest and the highest elevation.
    pub fn range_m(&self) -> (f64, f64) {
        let mut range = (f64::INFINITY, f64::NEG_INFINITY);
        for altitude_m in self.altitude_m.iter().copied().map(f64::from) {
            range = (range.0.min(altitude_m), range.1.max(altitude_m));
        }
        range
    }

    pub(super) fn scaled(&mut self, by: f64) {
        self.step_m *= by;
    }

    /// Calls `visit` for every part between two distances, with its length and grade. Beyond the profile it is flat.
    pub fn walk(&self, from_m: f64, to_m: f64, mut visit: impl FnMut(f64, f64)) {
        let mut reached_m = from_m.max(0.0);
        for (step, pair) in self.altitude_m.windows(2).enumerate() {
            let &[a, b] = pair else { continue };
            let end_m = (step + 1) as f64 * self.step_m;
            if end_m <= reached_m {
                continue;
            }
            if reached_m >= to_m {
                return;
            }
            let part_m = end_m.min(to_m) - reached_m;
            visit(part_m, f64::from(b - a) / self.step_m);
            reached_m += part_m;
        }
        if to_m > reached_m {
            visit(to_m - reached_m, 0.0);
        }
    }

    /// Metres of climb between two distances along the course.
    pub fn climb_m(&self, from_m: f64, to_m: f64) -> f64 {
        let (mut altitude_m, mut low_m, mut climb_m) = (0.0_f64, 0.0_f64, 0.0);
        self.walk(from_m, to_m, |length_m, grade| {
            altitude_m += length_m * grade;
            if altitude_m - low_m >= NOISE_M {
                climb_m += altitude_m - low_m;
                low_m = altitude_m;
            }
            low_m = low_m.min(altitude_m);
        });
        climb_m
    }
}

fn between(a: Option<&(f64, f64)>, b: Option<&(f64, f64)>, at_m: f64) -> f64 {
    match (a, b) {
        (Some((a_m, a)), Some((b_m, b))) if b_m > a_m => {
            let part = ((at_m - a_m) / (b_m - a_m)).clamp(0.0, 1.0);
            part.mul_add(b - a, *a)
        }
        (Some((_, a)), _) => *a,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hill_is_climbed_once() {
        // 1 km up at 10 %, 1 km down, with noise of one metre.
        let points: Vec<_> = (0..=200)
            .map(|i| {
                let along_m = f64::from(i) * 10.0;
                let height_m = 100.0 - (along_m - 1000.0).abs() / 10.0;
                (along_m, Some(height_m + f64::from(i % 2)))
            })
            .collect();
        let mut profile = CourseProfile::of(&points).unwrap();
        assert!((profile.climb_m(0.0, 2000.0) - 100.0).abs() < 6.0);
        assert!((profile.altitude_m(525.0) - 52.5).abs() < 2.0 && profile.altitude_m(9e9) < 3.0);
        assert!(profile.range_m().0 < 3.0 && profile.range_m().1 > 97.0);
        assert!((profile.climb_m(500.0, 1500.0) - 50.0).abs() < 6.0);
        assert!(profile.climb_m(1000.0, 2500.0) < 6.0);
        let mut grades = Vec::new();
        profile.walk(900.0, 2100.0, |length_m, grade| grades.push((length_m, grade)));
        let length_m: f64 = grades.iter().map(|(length_m, _)| length_m).sum();
        assert!((length_m - 1200.0).abs() < 0.01);
        assert!((grades[0].1 - 0.1).abs() < 0.03 && grades.last().unwrap().1.abs() < 1e-9);
        profile.scaled(2.0);
        assert!((profile.climb_m(0.0, 4000.0) - 100.0).abs() < 6.0);
        assert_eq!(CourseProfile::of(&[(0.0, None), (100.0, Some(1.0))]), None);
    }
}
