//! Compares what was reported with what happened.

use serde::Serialize;

use super::delivery::Delivery;
use super::play::PlayedRecording;
use super::stages::{self, RehearsedCheckpoint, RehearsedLeg};
use super::truth::{RecordedTruth, TruePart};
use crate::race::alerts::AlertKind;
use crate::race::outlook::ArrivalWindow;

/// A stop is reported after four minutes and a gap after ten. A stop or gap that lasts at least this long must be
/// reported.
const STOP_DUE_S: f64 = 6.0 * 60.0;
const GAP_DUE_S: f64 = 12.0 * 60.0;

/// An alert may come this long after the end of the stop or gap that it is about, because data and polls take time.
const LATE_S: f64 = 4.0 * 60.0;

/// A finish must be reported within this time.
const FINISH_S: f64 = 5.0 * 60.0;

/// From this part of the way on, a finish may be reported: watches and courses differ by as much.
const FINISH_PART: f64 = 0.99;

/// The finish counts as reached at this part of the whole distance.
const REACHED_PART: f64 = 0.998;

/// Windows are judged between these parts of the way.
const FIRST_PART: f64 = 0.1;
const LAST_PART: f64 = 0.95;

/// Windows of a place on the way are judged up to this part of the whole distance before it.
const BEFORE_PLACE_PART: f64 = 0.02;

/// Alerts of one kind against the truth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KindScore {
    pub kind: &'static str,
    pub told: usize,
    /// How many of the raised alerts were right.
    pub right: usize,
    /// How many events the recording shows that should have been reported.
    pub due: usize,
    pub found: usize,
}

/// Errors of the predicted finish in seconds, at one part of the way: positive = predicted too late.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct EtaError {
    /// 0.25, 0.5 or 0.75
    pub part: f64,
    pub outlook_s: f64,
    /// Error of the elapsed time scaled to the whole distance.
    pub plain_s: f64,
}

/// One recording, played and judged.
#[derive(Clone, Debug, Serialize)]
pub struct RaceRehearsal {
    /// The sport, or the sports in order such as `swim-bike-run`.
    pub sport: String,
    pub distance_m: f64,
    /// From the first to the last point, in seconds.
    pub elapsed_s: f64,
    pub polls: usize,
    /// Per kind of alert: told, right, due and found.
    pub alerts: Vec<KindScore>,
    /// Largest error of a split's time against the recording, in seconds; `None` without splits.
    pub worst_split_s: Option<f64>,
    /// Number of forecasts, and how many of their windows contained the real finish.
    pub windows: usize,
    pub windows_right: usize,
    /// The same for the next checkpoint of the course; without a course for the next quarter of the way.
    pub place_windows: usize,
    pub place_windows_right: usize,
    /// Errors of the predicted finish at a quarter, half and three quarters of the way.
    pub eta: Vec<EtaError>,
    /// The legs of a race of several sports; empty for one sport.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub legs: Vec<RehearsedLeg>,
    /// The waypoints of the course.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checkpoints: Vec<RehearsedCheckpoint>,
}

pub(super) fn judge(delivery: &Delivery, truth: &RecordedTruth, played: &PlayedRecording) -> RaceRehearsal {
    let times = |kinds: &[AlertKind]| {
        let alerts = played.alerts.iter().filter(|alert| kinds.contains(&alert.kind));
        alerts
            .map(|alert| alert.at.duration_since(delivery.start).as_secs_f64())
            .collect::<Vec<_>>()
    };
    let end_s = delivery.end_s();
    // Watches are stopped a while after the line.
    let reached_s = truth.passed_s(delivery.whole_m() * REACHED_PART).unwrap_or(end_s);
    let finish = TruePart {
        from_s: truth.passed_s(delivery.whole_m() * FINISH_PART).unwrap_or(end_s),
        to_s: end_s + FINISH_S,
    };
    let mut alerts = vec![
        score(
            "stopped",
            &times(&[AlertKind::Stopped]),
            &truth.stops,
            (150.0, STOP_DUE_S),
        ),
        score(
            "no signal",
            &times(&[AlertKind::NoSignal]),
            &truth.gaps,
            (480.0, GAP_DUE_S),
        ),
        score(
            "finished",
            &times(&[AlertKind::Finished, AlertKind::Ended, AlertKind::ProbablyFinished]),
            &[finish],
            (0.0, 0.0),
        ),
    ];
    let (legs, checkpoints) = (
        stages::legs(delivery, &played.track),
        stages::checkpoints(delivery, truth, played),
    );
    let moment = |at_s: f64| TruePart {
        from_s: at_s,
        to_s: at_s,
    };
    if !legs.is_empty() {
        let borders: Vec<_> = legs.iter().skip(1).map(|leg| moment(leg.began_s)).collect();
        let told = times(&[AlertKind::LegChange]);
        alerts.push(score("leg change", &told, &borders, (0.0, 0.0)));
    }
    if !checkpoints.is_empty() {
        let passed = checkpoints.iter().filter_map(|checkpoint| checkpoint.passed_s);
        let passed: Vec<_> = passed.map(moment).collect();
        let told = times(&[AlertKind::Checkpoint]);
        alerts.push(score("checkpoint", &told, &passed, (0.0, 0.0)));
    }
    let started_s = played
        .track
        .started_at
        .map_or(0.0, |at| at.duration_since(delivery.start).as_secs_f64());
    let finish_s = reached_s - started_s;
    let [finish_windows, place_windows] = windows(delivery, truth, played, started_s, finish_s);
    let eta = [0.25, 0.5, 0.75].into_iter().filter_map(|part| {
        let due_m = part * delivery.whole_m();
        let forecast = played
            .forecasts
            .iter()
            .find(|forecast| forecast.progress_m >= due_m)?;
        let plain_s = forecast.elapsed_s * delivery.whole_m() / forecast.progress_m.max(1.0);
        // A file that begins late has no forecast near its first quarter.
        (forecast.progress_m < due_m + 0.1 * delivery.whole_m()).then_some(EtaError {
            part,
            outlook_s: forecast.finish.likely_s - finish_s,
            plain_s: plain_s - finish_s,
        })
    });
    let splits = played
        .track
        .splits
        .iter()
        .filter(|split| !split.estimated)
        .filter_map(|split| {
            let told_s = split.at.duration_since(delivery.start).as_secs_f64();
            Some((told_s - truth.passed_s(split.race_m)?).abs())
        });
    RaceRehearsal {
        sport: delivery.sport(),
        distance_m: delivery.whole_m(),
        elapsed_s: end_s,
        polls: played.polls,
        alerts,
        worst_split_s: splits.reduce(f64::max),
        windows: finish_windows.len(),
        windows_right: finish_windows.iter().filter(|is_right| **is_right).count(),
        place_windows: place_windows.len(),
        place_windows_right: place_windows.iter().filter(|is_right| **is_right).count(),
        eta: eta.collect(),
        legs,
        checkpoints,
    }
}

/// Whether each window of the finish, and each of the next place, contained the real time.
fn windows(
    delivery: &Delivery,
    truth: &RecordedTruth,
    played: &PlayedRecording,
    started_s: f64,
    finish_s: f64,
) -> [Vec<bool>; 2] {
    let holds = |window: &ArrivalWindow, at_s: f64| (window.early_s..=window.late_s).contains(&at_s);
    let (mut finish, mut places) = (Vec::new(), Vec::new());
    for forecast in &played.forecasts {
        let part = forecast.progress_m / delivery.whole_m();
        if !(FIRST_PART..=LAST_PART).contains(&part) {
            continue;
        }
        finish.push(holds(&forecast.finish, finish_s));
        if let Some((at_m, window)) = &forecast.next_place
            && at_m - forecast.progress_m >= BEFORE_PLACE_PART * delivery.whole_m()
            && let Some(passed_s) = truth.reached_s(*at_m)
        {
            places.push(holds(window, passed_s - started_s));
        }
    }
    [finish, places]
}

/// `told`: when alerts were raised. An alert is right if it comes at least `least_s` after the start of a true part. A
/// part must be reported if it lasts at least `due_s`.
fn score(kind: &'static str, told: &[f64], parts: &[TruePart], (least_s, due_s): (f64, f64)) -> KindScore {
    let is_about = |at_s: f64, part: &TruePart| (part.from_s + least_s..=part.to_s + LATE_S).contains(&at_s);
    let due = parts.iter().filter(|part| part.lasts_s() >= due_s);
    let found = due
        .clone()
        .filter(|part| told.iter().any(|at_s| is_about(*at_s, part)));
    KindScore {
        kind,
        told: told.len(),
        right: told
            .iter()
            .filter(|at_s| parts.iter().any(|part| is_about(**at_s, part)))
            .count(),
        due: due.clone().count(),
        found: found.count(),
    }
}

/// Recordings with fewer windows do not count for the coverage.
const LEAST_WINDOWS: usize = 5;

/// The results of several rehearsals together.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RehearsalSummary {
    pub recordings: usize,
    pub hours: f64,
    pub alerts: Vec<KindScore>,
    /// Percent of the windows that contained the real finish: the mean over the recordings, so that a long one does not
    /// count for more.
    pub coverage_percent: Option<f64>,
    /// The same for the next quarter of the way.
    pub places_coverage_percent: Option<f64>,
    /// Median of the absolute errors, in percent of the whole time.
    pub eta: Vec<EtaError>,
}

impl RehearsalSummary {
    pub fn of(rehearsals: &[RaceRehearsal]) -> Self {
        let mut alerts: Vec<KindScore> = Vec::new();
        for score in rehearsals.iter().flat_map(|rehearsal| &rehearsal.alerts) {
            match alerts.iter_mut().find(|sum| sum.kind == score.kind) {
                Some(sum) => {
                    sum.told += score.told;
                    sum.right += score.right;
                    sum.due += score.due;
                    sum.found += score.found;
                }
                None => alerts.push(score.clone()),
            }
        }
        let eta = [0.25, 0.5, 0.75].into_iter().filter_map(|part| {
            let at = rehearsals.iter().flat_map(|rehearsal| {
                let errors = rehearsal
                    .eta
                    .iter()
                    .filter(move |eta| (eta.part - part).abs() < 0.01);
                errors.map(move |eta| (eta, rehearsal.elapsed_s))
            });
            let (outlook, plain): (Vec<f64>, Vec<f64>) = at
                .map(|(eta, whole_s)| {
                    (
                        eta.outlook_s.abs() / whole_s * 100.0,
                        eta.plain_s.abs() / whole_s * 100.0,
                    )
                })
                .unzip();
            Some(EtaError {
                part,
                outlook_s: median(outlook)?,
                plain_s: median(plain)?,
            })
        });
        Self {
            recordings: rehearsals.len(),
            hours: rehearsals
                .iter()
                .map(|rehearsal| rehearsal.elapsed_s / 3600.0)
                .sum(),
            alerts,
            coverage_percent: percent(rehearsals, |one| (one.windows_right, one.windows)),
            places_coverage_percent: percent(rehearsals, |one| (one.place_windows_right, one.place_windows)),
            eta: eta.collect(),
        }
    }
}

/// Mean over the recordings of their share of right windows, in percent.
fn percent(rehearsals: &[RaceRehearsal], right_of: impl Fn(&RaceRehearsal) -> (usize, usize)) -> Option<f64> {
    let judged = rehearsals
        .iter()
        .map(right_of)
        .filter(|(_, windows)| *windows >= LEAST_WINDOWS);
    let shares: Vec<f64> = judged
        .map(|(right, windows)| right as f64 / windows as f64)
        .collect();
    (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64 * 100.0)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
