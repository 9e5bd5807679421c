//! Watches the replayed race step by step, on a simulated clock.

use jiff::{SignedDuration, Timestamp};

use super::course::RehearsedCourse;
use super::delivery::{Delivery, after};
use super::legs;
use crate::garmin::livetrack::LiveTrackSession;
use crate::race::alerts::{self, Alert, AlertState, Situation};
use crate::race::course::Course;
use crate::race::ending::EndRules;
use crate::race::goal::RaceGoal;
use crate::race::outlook::{ArrivalWindow, Outlook};
use crate::race::plan::{Checkpoint, RacePlan};
use crate::race::schedule::{NextPoll, PollResult, RacePhase, RaceWatch};
use crate::race::track::Track;

/// A replay that does not end is given up this long after the last point.
const GIVE_UP: SignedDuration = SignedDuration::from_hours(12);

/// One poll of the replayed race, on the clock of the recording.
#[derive(Clone, Copy, Debug)]
pub struct RehearsedPoll<'a> {
    pub at: Timestamp,
    /// Distance along the way at this moment.
    pub progress_m: f64,
    /// Early, likely and late arrival at the finish; `None` while there is no forecast.
    pub finish: Option<[Timestamp; 3]>,
    /// The alerts that would have been raised now.
    pub alerts: &'a [Alert],
}

/// The forecast made at one poll.
pub(super) struct Forecast {
    /// Race time of the newest point, and distance covered.
    pub(super) elapsed_s: f64,
    pub(super) progress_m: f64,
    pub(super) finish: ArrivalWindow,
    /// The next checkpoint, or without checkpoints the next quarter of the way, in metres, and its window; `None` after
    /// the last one.
    pub(super) next_place: Option<(f64, ArrivalWindow)>,
}

pub(super) struct PlayedRecording {
    pub(super) track: Track,
    pub(super) alerts: Vec<Alert>,
    pub(super) forecasts: Vec<Forecast>,
    pub(super) polls: usize,
    /// The places of the course.
    pub(super) checkpoints: Vec<Checkpoint>,
}

pub(super) fn play(
    delivery: &Delivery,
    course: Option<&RehearsedCourse>,
    on_poll: &mut dyn FnMut(&RehearsedPoll<'_>),
) -> PlayedRecording {
    let mut plan = RacePlan {
        kind: delivery.kind,
        distance_m: Some(delivery.whole_m()),
        legs: legs::plan_legs(&delivery.legs),
        ..RacePlan::default()
    };
    if let Some(course) = course {
        plan.adopt(&course.file);
    }
    let course = course.map(|course| &course.file.course);
    let mut now = delivery.start - SignedDuration::from_mins(1);
    let last_at = delivery.samples.last().map_or(now, |last| last.seen_at);
    let (mut watch, mut told) = (RaceWatch::new(now), AlertState::default());
    let mut played = PlayedRecording {
        track: Track::new(delivery.kind),
        alerts: Vec::new(),
        forecasts: Vec::new(),
        polls: 0,
        checkpoints: plan.checkpoints.clone(),
    };
    let mut delivered = 0;
    while let NextPoll::Ask { at, .. } = watch.next(now, &plan, &played.track) {
        // At least a second passes between two polls.
        now = at.max(now + SignedDuration::from_secs(1));
        if now > last_at + GIVE_UP {
            break;
        }
        played.polls += 1;
        let arrived = delivery
            .samples
            .iter()
            .skip(delivered)
            .take_while(|sample| sample.seen_at <= now);
        let mut new = 0;
        for sample in arrived {
            played.track.push(course, sample);
            new += 1;
        }
        delivered += new;
        let answer = PollResult {
            session: Some(session(delivery)),
            new_points: new,
            changed: false,
        };
        watch.answered(now, answer);
        watch.conclude(now, EndRules::default(), &plan, &played.track, course);
        let situation = Situation {
            now,
            track: &played.track,
            watch: &watch,
            settings: &plan,
            course,
        };
        let raised = alerts::judge(&mut told, &situation);
        let forecast = forecast(now, (&plan, course), &watch, &played.track);
        let started = played.track.started_at.unwrap_or(delivery.start);
        on_poll(&RehearsedPoll {
            at: now,
            progress_m: played.track.progress_m(),
            finish: forecast.as_ref().map(|forecast| {
                let window = &forecast.finish;
                [window.early_s, window.likely_s, window.late_s].map(|s| after(started, s))
            }),
            alerts: &raised,
        });
        played.alerts.extend(raised);
        played.forecasts.extend(forecast);
    }
    played
}

fn session(delivery: &Delivery) -> LiveTrackSession {
    LiveTrackSession {
        start: Some(delivery.start),
        end: Some(delivery.start + SignedDuration::from_hours(24)),
        post_frequency_s: Some(15),
        viewable: Some(true),
        ..LiveTrackSession::default()
    }
}

fn forecast(
    now: Timestamp,
    (plan, course): (&RacePlan, Option<&Course>),
    watch: &RaceWatch,
    track: &Track,
) -> Option<Forecast> {
    let goal = RaceGoal { track, plan, course };
    let lost = watch
        .silence(track)
        .filter(|silence| *silence > watch.quiet_after());
    let outlook = Outlook::of(goal, now, lost, None).filter(|_| watch.phase == RacePhase::Live)?;
    let whole_m = goal.whole_m()?;
    let mut places: Vec<f64> = plan
        .checkpoints
        .iter()
        .map(|checkpoint| checkpoint.km * 1000.0)
        .collect();
    if places.is_empty() {
        places.extend([0.25, 0.5, 0.75].map(|part| part * whole_m));
    }
    let next_m = places.into_iter().find(|at_m| *at_m > track.progress_m());
    Some(Forecast {
        elapsed_s: track.elapsed_s(),
        progress_m: track.progress_m(),
        finish: outlook.finish()?,
        next_place: next_m.and_then(|at_m| Some((at_m, outlook.at(at_m)?))),
    })
}
