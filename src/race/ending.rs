//! Decides when a race is over. Pure.
//!
//! Inactivity looks like an end but often is not one: an aid station, a tunnel, an empty phone battery. So silence
//! ends a race only after a while, and never while the course shows that the finish is still ahead.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::garmin::livetrack::LiveTrackSession;
use crate::race::course::Course;
use crate::race::geo::distance_m;
use crate::race::track::Track;

/// Why a race, or the tracking of it, is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    EndEvent,
    /// Garmin reports that the session has ended.
    SessionEnded,
    /// The end of the course was reached, followed by silence.
    CourseFinished,
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

    pub fn sentence(self) -> &'static str {
        match self {
            Self::EndEvent => "the watch ended the activity",
            Self::SessionEnded => "the athlete ended the LiveTrack session",
            Self::CourseFinished => "the end of the course was reached",
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
    pub track: &'a Track,
    /// `None` if the session was never read.
    pub session: Option<&'a LiveTrackSession>,
    /// The course, if the race has one.
    pub course: Option<&'a Course>,
    /// Time at which watching began.
    pub tracking_since: Timestamp,
    /// When a new link continued the race. An END before this time is ignored.
    pub carried_on_at: Option<Timestamp>,
    /// Time of Garmin's last successful answer.
    pub last_ok_at: Timestamp,
    pub last_new_at: Timestamp,
}

/// Within this distance of the end of the course, the athlete is near the finish.
const AT_FINISH_M: f64 = 150.0;

/// Within this distance of the end, the athlete is at the line. Positions jitter.
const AT_LINE_M: f64 = 20.0;

/// After this much silence near the finish, the athlete has crossed the line between two points.
const STAYS: SignedDuration = SignedDuration::from_mins(2);

/// Share of the course that must be completed.
const MOST_OF_COURSE: f64 = 0.97;

/// Upper bound of the required silence once the finish was reached.
const STALE_AFTER_FINISH: SignedDuration = SignedDuration::from_mins(5);

/// Why the race is over; `None` while it is not.
pub fn over(known: &EndEvidence<'_>) -> Option<EndReason> {
    if known
        .session
        .is_some_and(|session| session.ended_at(known.now).is_some())
    {
        return Some(EndReason::SessionEnded);
    }
    let ended_at = known.track.ended_at().map(|at| known.track.true_time(at));
    if ended_at.is_some_and(|at| known.carried_on_at.is_none_or(|since| at >= since)) {
        return Some(EndReason::EndEvent);
    }
    // Silence is measured up to Garmin's last answer, so an outage does not count.
    let silence = known.last_ok_at.duration_since(known.last_new_at);
    let begun_at = known.track.started_at?;
    let since = known.track.true_time(begun_at).min(known.tracking_since);
    let elapsed = known.now.duration_since(since);
    let finished = at_finish(known.track, known.course, silence);
    let enough = if finished {
        known.rules.stale_stop.min(STALE_AFTER_FINISH)
    } else {
        known.rules.stale_stop
    };
    if silence < enough || elapsed < known.rules.min_elapsed {
        return None;
    }
    match known.course {
        _ if finished => Some(EndReason::CourseFinished),
        Some(course) if is_ahead(known.track, course) => None,
        _ => Some(EndReason::Stale),
    }
}

/// Whether the end of the course was reached, given this much silence: at the line, or stopped near it.
pub fn at_finish(track: &Track, course: Option<&Course>, silence: SignedDuration) -> bool {
    let Some(course) = course else { return false };
    let (Some(end), Some(last)) = (course.end(), track.last) else {
        return false;
    };
    let near = last
        .position
        .is_some_and(|here| distance_m(here, end) <= AT_FINISH_M);
    // The counter must agree, because some courses pass their finish many times.
    let came = track.distance_m() >= course.length_m() * MOST_OF_COURSE;
    let at_line = track.course_m.is_some_and(|m| course.length_m() - m <= AT_LINE_M);
    let stays = silence >= STAYS || track.standing().is_some_and(|stop| stop.duration_s() >= 30.0);
    near && came && !is_ahead(track, course) && (at_line || stays)
}

fn is_ahead(track: &Track, course: &Course) -> bool {
    let progress = track.course_m.unwrap_or_else(|| track.distance_m());
    progress < course.length_m() * MOST_OF_COURSE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::sport::RaceKind;
    use crate::race::support::{at, running, steady};
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
            track: &track,
            session: Some(&case.session),
            course: case.course,
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
}
