//! Statistics of a window: the last few minutes of a race.

use jiff::Timestamp;

use crate::race::sport::LegKind;
use crate::race::sport::cadence;
use crate::race::track::TrackStep;

/// Maximum number of seconds that a single point counts for.
const LONGEST_S: f64 = 60.0;

/// How the values of one metric are distributed over a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WindowSpread {
    /// Half of the points lie above it. Insensitive to spikes.
    pub median: f64,
    /// The mean, weighted by the time that each point stands for.
    pub mean: f64,
    pub low: f64,
    pub high: f64,
    /// Number of points that have the metric.
    pub count: usize,
}

impl WindowSpread {
    /// The spread of values with the seconds that each stands for.
    fn of(mut values: Vec<(f64, f64)>) -> Option<Self> {
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        let count = values.len();
        let ((low, _), (high, _)) = (*values.first()?, *values.last()?);
        let (upper, _) = *values.get(count / 2)?;
        let median = if count % 2 == 1 {
            upper
        } else {
            f64::midpoint(values.get(count / 2 - 1)?.0, upper)
        };
        let seconds: f64 = values.iter().map(|(_, seconds)| seconds).sum();
        let mean = if seconds > 0.0 {
            values.iter().map(|(value, seconds)| value * seconds).sum::<f64>() / seconds
        } else {
            values.iter().map(|(value, _)| value).sum::<f64>() / count as f64
        };
        Some(Self {
            median,
            mean,
            low,
            high,
            count,
        })
    }
}

/// Statistics of all metrics over one window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WindowFigures {
    pub from: Timestamp,
    pub to: Timestamp,
    pub points: usize,
    pub distance_m: f64,
    /// Seconds covered by points that no gap separates.
    pub covered_s: f64,
    /// Seconds of these spent standing.
    pub standing_s: f64,
    /// Heart rate in beats per minute.
    pub heart_rate: Option<WindowSpread>,
    pub power: Option<WindowSpread>,
    /// Cadence in the unit of the sport; zeros are left out.
    pub cadence: Option<WindowSpread>,
}

impl WindowFigures {
    /// The statistics of these steps, which are in order; `None` without steps. Cadence is given in the unit of
    /// `leg`.
    pub fn of<'a>(leg: Option<LegKind>, steps: impl IntoIterator<Item = &'a TrackStep>) -> Option<Self> {
        let mut steps = steps.into_iter().peekable();
        let first = **steps.peek()?;
        let (mut last, mut points) = (first, 0);
        let (mut covered_s, mut standing_s) = (0.0, 0.0);
        let (mut bpm, mut watts, mut rpm) = (Vec::new(), Vec::new(), Vec::new());
        for step in steps {
            // The first step covers time before the window.
            if points > 0 {
                covered_s += step.dt_s;
                standing_s += if step.standing { step.dt_s } else { 0.0 };
            }
            points += 1;
            let seconds = step.dt_s.min(LONGEST_S);
            let weighted = |value: u32| (f64::from(value), seconds);
            bpm.extend(step.heart_rate_bpm.map(weighted));
            watts.extend(step.power_w.map(weighted));
            let turning = step.cadence_rpm.filter(|rpm| *rpm > 0);
            rpm.extend(turning.map(|sent| weighted(cadence(leg, sent))));
            last = *step;
        }
        Some(Self {
            from: first.at,
            to: last.at,
            points,
            distance_m: last.distance_m - first.distance_m,
            covered_s,
            standing_s,
            heart_rate: WindowSpread::of(bpm),
            power: WindowSpread::of(watts),
            cadence: WindowSpread::of(rpm),
        })
    }

    /// Mean speed over the whole window, gaps included.
    pub fn speed_mps(&self) -> Option<f64> {
        let whole_s = self.to.duration_since(self.from).as_secs_f64();
        (whole_s > 0.0).then(|| self.distance_m / whole_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::sport::RaceKind;
    use crate::race::support::steady;
    use crate::race::track::Track;

    #[test]
    fn a_steady_window() {
        let track = Track::of(RaceKind::Run, None, &steady(600, 3.0));
        let figures = WindowFigures::of(Some(LegKind::Run), track.recent.range(31..)).unwrap();
        assert_eq!((figures.points, figures.distance_m.round()), (30, 870.0));
        assert_eq!((figures.covered_s, figures.standing_s), (290.0, 0.0));
        let (bpm, rpm) = (figures.heart_rate.unwrap(), figures.cadence.unwrap());
        assert_eq!((bpm.median, rpm.mean), (145.0, 170.0));
        assert_eq!(figures.power, None);
        assert!((figures.speed_mps().unwrap() - 3.0).abs() < 0.001);
        assert_eq!(WindowFigures::of(None, []), None);
    }

    #[test]
    fn the_median_is_blind_to_a_spike() {
        let values = [140.0, 250.0, 141.0, 139.0].map(|value| (value, 10.0));
        let spread = WindowSpread::of(values.to_vec()).unwrap();
        assert_eq!((spread.median, spread.low, spread.high), (140.5, 139.0, 250.0));
    }

    #[test]
    fn a_mean_counts_time_and_not_points() {
        // Ten points of one second at 200 W, then 90 s at 100 W in three points.
        let mut values = vec![(200.0, 1.0); 10];
        values.extend([(100.0, 30.0); 3]);
        let spread = WindowSpread::of(values).unwrap();
        assert!((spread.mean - 110.0).abs() < 1e-9);
    }
}
