//! Decides when a race is over. Pure.
//!
//! Inactivity looks like an end but often is not one: an aid station, a tunnel, an empty phone battery. So silence
//! ends a race only after a while, and never while course, distance, checkpoints or target time show that the finish
//! is still ahead.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::garmin::livetrack::LiveTrackSession;
use crate::race::goal::RaceGoal;

/// Why a race, or the tracking of it, is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    EndEvent,
    /// Garmin reports that the session has ended.
    SessionEnded,
    /// The end of the course was reached, followed by silence.
    CourseFinished,
    /// The watch or Garmin reported an end while a clear part of the race was left.
    EndedEarly,
    Stale,
    /// The link expired after its 24 hours.
    LinkExpired,
    /// Garmin no longer knows the session.
    LinkGone,
    ByHand,
}

impl EndReason {
    /// Whether the athlete presumably finished.
    pub fn is_finish(self) -> bool {
        matches!(self, Self::EndEvent | Self::SessionEnded | Self::CourseFinished)
    }

    /// The word in the log, spelled as in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::EndEvent => "end_event",
            Self::SessionEnded => "session_ended",
            Self::CourseFinished => "course_finished",
            Self::EndedEarly => "ended_early",
            Self::Stale => "stale",
            Self::LinkExpired => "link_expired",
            Self::LinkGone => "link_gone",
            Self::ByHand => "by_hand",
        }
    }

    pub fn sentence(self) -> &'static str {
        match self {
            Self::EndEvent => "the watch ended the activity",
            Self::SessionEnded => "the athlete ended the LiveTrack session",
            Self::CourseFinished => "the end of the course was reached",
            Self::EndedEarly => "the activity was ended before the finish",
            Self::Stale => "no new data came for a while",
            Self::LinkExpired => "the link's 24 hours are over",
            Self::LinkGone => "Garmin does not know the link any more",
            Self::ByHand => "tracking was stopped by hand",
        }
    }
}

/// Limits that the operator sets (`STALE_STOP_MIN`, `MIN_ELAPSED_MIN`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndRules {
    /// Silence of this length ends a race …
    pub stale_stop: SignedDuration,
    /// … that has lasted at least this long.
    pub min_elapsed: SignedDuration,
}

impl Default for EndRules {
    fn default() -> Self {
        Self {
            stale_stop: SignedDuration::from_mins(15),
            min_elapsed: SignedDuration::from_mins(30),
        }
    }
}

/// The facts on which the decision is based.
#[derive(Clone, Copy, Debug)]
pub struct EndEvidence<'a> {
    pub now: Timestamp,
    pub rules: EndRules,
    pub goal: RaceGoal<'a>,
    /// `None` if the session was never read.
    pub session: Option<&'a LiveTrackSession>,
    /// Time at which watching began.
    pub tracking_since: Timestamp,
    /// When a new link continued the race. An END before this time is ignored.
    pub carried_on_at: Option<Timestamp>,
    /// Time of Garmin's last successful answer.
    pub last_ok_at: Timestamp,
    pub last_new_at: Timestamp,
}

/// Upper bound of the required silence once the finish was reached.
const STALE_AFTER_FINISH: SignedDuration = SignedDuration::from_mins(5);

/// Silence that means the finish when the end of the distance was reached.
const STALE_AT_END: SignedDuration = SignedDuration::from_secs(150);

/// Why the race is over; `None` while it is not.
pub fn over(known: &EndEvidence<'_>) -> Option<EndReason> {
    let track = known.goal.track;
    let ended = |reason| {
        if known.goal.is_short() {
            EndReason::EndedEarly
        } else {
            reason
        }
    };
    if known
        .session
        .is_some_and(|session| session.ended_at(known.now).is_some())
    {
        return Some(ended(EndReason::SessionEnded));
    }
    let ended_at = track.ended_at().map(|at| track.true_time(at));
    if ended_at.is_some_and(|at| known.carried_on_at.is_none_or(|since| at >= since)) {
        return Some(ended(EndReason::EndEvent));
    }
    // Silence is measured up to Garmin's last answer, so an outage does not count.
    let silence = known.last_ok_at.duration_since(known.last_new_at);
    let begun_at = track.started_at?;
    let since = track.true_time(begun_at).min(known.tracking_since);
    let elapsed = known.now.duration_since(since);
    let stale = known.rules.stale_stop;
    if known.goal.is_reached(silence) {
        return (silence >= stale.min(STALE_AFTER_FINISH)).then_some(EndReason::CourseFinished);
    }
    let at_end =
        known.goal.is_last_bit(known.now) && known.goal.plan.timed_s.is_none() && known.goal.course.is_none();
    let enough = if at_end { stale.min(STALE_AT_END) } else { stale };
    let young = !at_end && elapsed < known.rules.min_elapsed;
    if silence < enough || young || known.goal.is_ahead(known.now) {
        return None;
    }
    Some(EndReason::Stale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::course::Course;
    use crate::race::plan::RacePlan;
    use crate::race::sport::RaceKind;
    use crate::race::support::{at, running, steady};
    use crate::race::track::Track;
    use crate::race::track::TrackSample;

    fn straight(length_m: u32) -> Course {
        let places: Vec<_> = (0..=length_m / 100)
            .filter_map(|i| running(0, f64::from(i) * 100.0).point.position)
            .collect();
        Course::from_places(&places).unwrap()
    }

    struct Case<'a> {
        samples: Vec<TrackSample>,
        course: Option<&'a Course>,
        plan: RacePlan,
        session: LiveTrackSession,
        now_s: i64,
        last_ok_s: i64,
    }

    fn check(case: &Case<'_>, expected: Option<EndReason>) {
        let track = Track::of(RaceKind::Run, case.course, &case.samples);
        let last_new_at = case.samples.last().map_or(at(0), |last| last.seen_at);
        let known = EndEvidence {
            now: at(case.now_s),
            rules: EndRules::default(),
            goal: RaceGoal {
                track: &track,
                plan: &case.plan,
                course: case.course,
            },
            session: Some(&case.session),
            tracking_since: at(0),
            carried_on_at: None,
            last_ok_at: at(case.last_ok_s),
            last_new_at,
        };
        assert_eq!(over(&known), expected, "now {}", case.now_s);
    }

    fn session() -> LiveTrackSession {
        LiveTrackSession {
            start: Some(at(-60)),
            end: Some(at(86_340)),
            ..LiveTrackSession::default()
        }
    }

    fn case(run_s: i64, now_s: i64) -> Case<'static> {
        Case {
            samples: steady(run_s, 3.0),
            course: None,
            plan: RacePlan::default(),
            session: session(),
            now_s,
            last_ok_s: now_s,
        }
    }

    #[test]
    fn silence_ends_a_race_that_has_gone_on_for_a_while() {
        check(&case(3600, 3600 + 15 * 60), None);
        check(&case(3600, 3600 + 15 * 60 + 15), Some(EndReason::Stale));
        // The race is too young.
        check(&case(600, 600 + 16 * 60), None);
        check(&case(600, 30 * 60), Some(EndReason::Stale));
        // Garmin did not answer, so silence is unknown.
        let unreachable = Case {
            last_ok_s: 3700,
            ..case(3600, 9000)
        };
        check(&unreachable, None);
        // The race has not started.
        let waiting = Case {
            samples: vec![],
            ..case(0, 7200)
        };
        check(&waiting, None);
    }

    #[test]
    fn a_course_ahead_forbids_it_and_a_finish_hastens_it() {
        let (long, right) = (straight(20_000), straight(10_800));
        let ahead = Case {
            course: Some(&long),
            ..case(3600, 20_000)
        };
        check(&ahead, None);
        let done = |now_s| Case {
            course: Some(&right),
            ..case(3600, now_s)
        };
        check(&done(3600 + 4 * 60), None);
        check(&done(3600 + 5 * 60 + 15), Some(EndReason::CourseFinished));
        let expired = Case {
            course: Some(&long),
            ..case(3600, 86_400)
        };
        // The link's 24 hours are over, but Garmin still answers, so polling continues.
        check(&expired, None);
    }

    #[test]
    fn the_device_and_garmin_are_believed() {
        let mut ended = case(3600, 3630);
        ended.samples.last_mut().unwrap().point.events = vec!["END".into()];
        check(&ended, Some(EndReason::EndEvent));
        let by_garmin = Case {
            session: LiveTrackSession {
                end: Some(at(3590)),
                ..session()
            },
            ..case(3600, 3630)
        };
        check(&by_garmin, Some(EndReason::SessionEnded));
        // The link's 24 hours are over, but points still arrive.
        let ultra = case(86_400, 86_430);
        check(&ultra, None);
    }

    #[test]
    fn what_is_left_forbids_it_whoever_tells() {
        let plan = |change: fn(&mut RacePlan)| {
            let mut plan = RacePlan::default();
            change(&mut plan);
            plan
        };
        // 10.8 km in an hour, then 40 minutes of silence.
        for (plan, expected) in [
            (plan(|plan| plan.distance_m = Some(50_000.0)), None),
            (
                plan(|plan| plan.distance_m = Some(11_000.0)),
                Some(EndReason::Stale),
            ),
            (
                plan(|plan| {
                    plan.checkpoints = vec![crate::race::plan::Checkpoint {
                        name: "VP".into(),
                        km: 20.0,
                        ..crate::race::plan::Checkpoint::default()
                    }];
                }),
                None,
            ),
            (plan(|plan| plan.target_time_s = Some(4 * 3600)), None),
            (
                plan(|plan| plan.target_time_s = Some(3600)),
                Some(EndReason::Stale),
            ),
            (plan(|plan| plan.timed_s = Some(86_400)), None),
        ] {
            let silent = Case {
                plan,
                ..case(3600, 6000)
            };
            check(&silent, expected);
        }
        // At the end of the distance a short silence is enough.
        let at_end = |now_s| Case {
            plan: plan(|plan| plan.distance_m = Some(10_900.0)),
            ..case(3600, now_s)
        };
        check(&at_end(3720), None);
        check(&at_end(3800), Some(EndReason::Stale));
    }

    #[test]
    fn an_end_before_the_finish_is_no_finish() {
        let ended = |distance_m: f64| {
            let mut case = case(3600, 3630);
            case.plan.distance_m = Some(distance_m);
            case.samples.last_mut().unwrap().point.events = vec!["END".into()];
            case
        };
        check(&ended(11_000.0), Some(EndReason::EndEvent));
        check(&ended(36_000.0), Some(EndReason::EndedEarly));
        let timed = |hours: u32| {
            let mut case = ended(1.0);
            (case.plan.distance_m, case.plan.timed_s) = (None, Some(hours * 3600));
            case
        };
        check(&timed(1), Some(EndReason::EndEvent));
        check(&timed(24), Some(EndReason::EndedEarly));
    }
}
