//! What changes during a race: drift of the heart rate, the last hour against the plan, time lost at stops. Pure.

use jiff::SignedDuration;

use crate::race::goal::RaceGoal;
use crate::race::pacing::planned_s;
use crate::race::track::{Split, Track};

/// Minimum number of splits with a heart rate in each half.
const SPLITS_PER_HALF: usize = 3;

/// How many more heartbeats a metre takes in the second half of the current leg than in the first, in percent; positive
/// = worse. `None` if there is too little data.
pub fn drift_percent(track: &Track) -> Option<f64> {
    let leg = track.legs.len().checked_sub(1)?;
    let splits: Vec<&Split> = track
        .splits
        .iter()
        .filter(|split| split.leg == leg && !split.estimated && split.heart_rate_bpm.is_some())
        .collect();
    let (first, second) = splits.split_at_checked(splits.len() / 2)?;
    if first.len() < SPLITS_PER_HALF {
        return None;
    }
    // The beats of a stop bring no metre and are no sign of drift.
    let moving_s = |split: &Split| {
        let from = split.at - SignedDuration::try_from_secs_f64(split.duration_s).unwrap_or_default();
        let stops = track.stops().iter().chain(track.standing());
        let within = stops.map(|stop| stop.to.min(split.at).duration_since(stop.from.max(from)));
        let stood_s: f64 = within.map(|stood| stood.as_secs_f64().max(0.0)).sum();
        (split.duration_s - stood_s).max(0.0)
    };
    let beats_per_m = |splits: &[&Split]| {
        let beats: f64 = splits
            .iter()
            .filter_map(|split| Some(split.heart_rate_bpm? * moving_s(split)))
            .sum();
        let way_m: f64 = splits.iter().map(|split| split.to_m - split.from_m).sum();
        beats / way_m.max(1.0)
    };
    Some((beats_per_m(second) / beats_per_m(first).max(1e-9) - 1.0) * 100.0)
}

/// The last hour of a race.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LastHour {
    pub distance_m: f64,
    pub stood_s: f64,
    /// Seconds gained on the plan during the hour, if there is one; negative = lost.
    pub gained_s: Option<f64>,
}

/// The last hour; `None` if the race is younger.
pub fn last_hour(goal: RaceGoal<'_>) -> Option<LastHour> {
    let track = goal.track;
    let (last, hour) = (track.last?, SignedDuration::from_hours(1));
    let since = last.at.checked_sub(hour).ok()?;
    let first = track.way.iter().rev().find(|mark| mark.at <= since)?;
    let planned = |at_m: f64| planned_s(goal, at_m);
    let ran_s = last.at.duration_since(first.at).as_secs_f64();
    Some(LastHour {
        distance_m: track.progress_m() - first.progress_m,
        stood_s: track.stood_s() - first.stood_s,
        gained_s: planned(track.progress_m())
            .zip(planned(first.progress_m))
            .map(|(to_s, from_s)| (to_s - from_s) - ran_s),
    })
}

#[cfg(test)]
mod tests {
    use super::drift_percent;
    use crate::race::sport::RaceKind;
    use crate::race::support::{running, steady};
    use crate::race::track::Track;

    #[test]
    fn a_stop_is_no_drift() {
        let mut samples = steady(2700, 3.0);
        for i in 1..=60 {
            samples.push(running(2700 + i * 10, 8100.0));
        }
        for i in 1..=130 {
            samples.push(running(3300 + i * 10, (i * 10) as f64 * 3.0 + 8100.0));
        }
        let track = Track::of(RaceKind::Run, None, &samples);
        let drift = drift_percent(&track).unwrap();
        assert!(drift.abs() < 2.0, "{drift}");
    }
}
