//! What a device recorded, independent of the file format.

use jiff::{SignedDuration, Timestamp};

use super::error::{FileError, MOST_SAMPLES};
use crate::garmin::livetrack::Position;

/// One sample. Everything except the time may be missing.
///
/// The interval between samples varies: with "smart recording" a watch writes a sample only when something changed. A
/// mean over samples is therefore wrong unless each sample is weighted with its time; see [`Recording::held_s`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sample {
    /// Seconds since the start of the recording, pauses included.
    pub at_s: f64,
    pub position: Option<Position>,
    /// Distance since the start, as the device counts it.
    pub distance_m: Option<f32>,
    pub altitude_m: Option<f32>,
    pub heart_rate_bpm: Option<f32>,
    /// Revolutions per minute. In a run it counts one leg, so there are twice as many steps per minute.
    pub cadence_rpm: Option<f32>,
    pub power_w: Option<f32>,
    pub speed_mps: Option<f32>,
    pub temperature_c: Option<f32>,
}

/// A period during which the timer was stopped, in seconds since the start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pause {
    pub from_s: f64,
    pub to_s: f64,
}

/// A lap, with the device's own totals where the file has them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RecordedLap {
    /// Seconds since the start.
    pub from_s: f64,
    pub to_s: f64,
    /// Time without pauses.
    pub timer_s: Option<f64>,
    pub distance_m: Option<f64>,
    pub ascent_m: Option<f64>,
    pub descent_m: Option<f64>,
    pub calories: Option<f64>,
}

/// The part of a recording in one sport. A file of a single sport has one session, if its format has sessions at all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordedSession {
    /// Garmin's word, such as `swimming` or `transition`.
    pub sport: Option<String>,
    /// Seconds since the start.
    pub from_s: f64,
    pub to_s: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// The time of the first sample.
    pub start: Timestamp,
    /// The device's offset from UTC in seconds, positive to the east; only FIT files store it.
    pub utc_offset_s: Option<i32>,
    /// Garmin's word, such as `running`; the first sport of a multisport file.
    pub sport: Option<String>,
    /// In chronological order, no two at the same time.
    pub samples: Vec<Sample>,
    /// In chronological order, without overlaps.
    pub pauses: Vec<Pause>,
    pub laps: Vec<RecordedLap>,
    /// In chronological order; FIT and TCX files have them.
    pub sessions: Vec<RecordedSession>,
    /// Whether the file broke off or had more than [`MOST_SAMPLES`] samples, so that the end is missing.
    pub is_cut: bool,
}

/// The longest time for which one sample counts. Watches with smart recording write a sample at least this often.
const LONGEST_HOLD_S: f64 = 30.0;

impl Recording {
    /// Builds a recording from samples whose `at_s` counts from the Unix epoch, in any order. Samples of the same
    /// moment become one. Pauses and laps count from the epoch too.
    pub(super) fn of(
        mut samples: Vec<Sample>,
        mut pauses: Vec<Pause>,
        mut laps: Vec<RecordedLap>,
        sport: Option<String>,
        is_cut: bool,
    ) -> Result<Self, FileError> {
        let is_cut = is_cut || samples.len() >= MOST_SAMPLES;
        samples.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
        samples.dedup_by(|later, kept| {
            let same = later.at_s <= kept.at_s;
            if same {
                kept.merge(later);
            }
            same
        });
        let origin_s = samples.first().ok_or(FileError::NoSamples)?.at_s;
        let end_s = samples.last().map_or(origin_s, |last| last.at_s);
        let start = SignedDuration::try_from_secs_f64(origin_s)
            .ok()
            .and_then(|since| Timestamp::from_duration(since).ok())
            .ok_or(FileError::NoSamples)?;
        for sample in &mut samples {
            sample.at_s -= origin_s;
        }
        pauses.sort_by(|a, b| a.from_s.total_cmp(&b.from_s));
        let mut last_s = origin_s;
        pauses.retain_mut(|pause| {
            pause.from_s = pause.from_s.max(last_s);
            pause.to_s = pause.to_s.min(end_s);
            let is_kept = pause.to_s > pause.from_s;
            if is_kept {
                last_s = pause.to_s;
            }
            is_kept
        });
        for pause in &mut pauses {
            pause.from_s -= origin_s;
            pause.to_s -= origin_s;
        }
        laps.sort_by(|a, b| a.from_s.total_cmp(&b.from_s));
        for lap in &mut laps {
            lap.from_s -= origin_s;
            lap.to_s -= origin_s;
        }
        Ok(Self {
            start,
            utc_offset_s: None,
            sport,
            samples,
            pauses,
            laps,
            sessions: Vec::new(),
            is_cut,
        })
    }

    /// Adds sessions that are already in order. Their times count from the Unix epoch.
    pub(super) fn with_sessions(mut self, mut sessions: Vec<RecordedSession>) -> Self {
        let origin_s = self.start.as_duration().as_secs_f64();
        for session in &mut sessions {
            session.from_s -= origin_s;
            session.to_s -= origin_s;
        }
        self.sessions = sessions;
        self
    }

    /// Seconds from the first sample to the last, pauses included.
    pub fn elapsed_s(&self) -> f64 {
        self.samples.last().map_or(0.0, |last| last.at_s)
    }

    /// Seconds of pause between two moments.
    pub fn paused_s(&self, from_s: f64, to_s: f64) -> f64 {
        let begin = self.pauses.partition_point(|pause| pause.to_s <= from_s);
        let pauses = self.pauses.get(begin..).unwrap_or_default();
        pauses
            .iter()
            .take_while(|pause| pause.from_s < to_s)
            .map(|pause| pause.to_s.min(to_s) - pause.from_s.max(from_s))
            .sum()
    }

    /// For each sample, the seconds for which its values count: until the next sample, without pauses, and at most half
    /// a minute. These are the weights of every mean.
    pub fn held_s(&self) -> impl Iterator<Item = f64> + '_ {
        let mut pauses = self.pauses.iter().peekable();
        self.samples.iter().enumerate().map(move |(index, sample)| {
            let from_s = sample.at_s;
            let Some(next) = self.samples.get(index + 1) else {
                return if index == 0 { 0.0 } else { 1.0 };
            };
            while pauses.next_if(|pause| pause.to_s <= from_s).is_some() {}
            let to_s = match pauses.peek() {
                // The time after a pause belongs to the next sample.
                Some(pause) if pause.from_s < next.at_s => pause.from_s.max(from_s),
                _ => next.at_s,
            };
            (to_s - from_s).min(LONGEST_HOLD_S)
        })
    }
}

impl Sample {
    /// Fills in what this sample lacks from another one of the same moment.
    fn merge(&mut self, other: &Self) {
        self.position = self.position.or(other.position);
        self.distance_m = self.distance_m.or(other.distance_m);
        self.altitude_m = self.altitude_m.or(other.altitude_m);
        self.heart_rate_bpm = self.heart_rate_bpm.or(other.heart_rate_bpm);
        self.cadence_rpm = self.cadence_rpm.or(other.cadence_rpm);
        self.power_w = self.power_w.or(other.power_w);
        self.speed_mps = self.speed_mps.or(other.speed_mps);
        self.temperature_c = self.temperature_c.or(other.temperature_c);
    }
}

/// The nearest `f32`: precise to a few centimetres in 100 km.
#[expect(
    clippy::cast_possible_truncation,
    reason = "samples are kept small; the precision is enough"
)]
pub(super) fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn recording(times: &[f64], pauses: &[(f64, f64)]) -> Recording {
        let samples = times.iter().map(|at_s| Sample {
            at_s: *at_s,
            ..Sample::default()
        });
        let pauses = pauses.iter().map(|(from_s, to_s)| Pause {
            from_s: *from_s,
            to_s: *to_s,
        });
        Recording::of(samples.collect(), pauses.collect(), vec![], None, false).unwrap()
    }

    #[test]
    fn a_sample_counts_until_the_next_one_but_not_in_a_pause() {
        let recording = recording(&[100.0, 101.0, 105.0, 200.0, 201.0, 300.0], &[(107.0, 199.0)]);
        let held: Vec<f64> = recording.held_s().collect();
        assert_eq!(held, [1.0, 4.0, 2.0, 1.0, 30.0, 1.0]);
        assert!((recording.paused_s(0.0, 50.0) - 43.0).abs() < 1e-9);
        assert!((recording.elapsed_s() - 200.0).abs() < 1e-9);
    }

    #[test]
    fn samples_come_in_order_and_each_moment_once() {
        let sample = |at_s: f64, bpm: Option<f32>, watts: Option<f32>| Sample {
            at_s,
            heart_rate_bpm: bpm,
            power_w: watts,
            ..Sample::default()
        };
        let samples = vec![
            sample(12.0, Some(120.0), None),
            sample(11.0, Some(110.0), None),
            sample(12.0, None, Some(250.0)),
        ];
        let recording = Recording::of(samples, vec![], vec![], None, false).unwrap();
        assert_eq!(recording.start.as_second(), 11);
        assert_eq!(
            recording.samples,
            [
                sample(0.0, Some(110.0), None),
                sample(1.0, Some(120.0), Some(250.0))
            ]
        );
    }

    #[test]
    fn pauses_do_not_overlap_and_lie_within_the_recording() {
        let recording = recording(
            &[10.0, 100.0],
            &[(20.0, 40.0), (0.0, 12.0), (30.0, 50.0), (90.0, 500.0)],
        );
        let pauses: Vec<_> = recording.pauses.iter().map(|p| (p.from_s, p.to_s)).collect();
        assert_eq!(pauses, [(0.0, 2.0), (10.0, 30.0), (30.0, 40.0), (80.0, 90.0)]);
    }
}
