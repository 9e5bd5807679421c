//! When a race is over. Pure.
//!
//! Inactivity looks like an end and often is none: an aid station, a tunnel, an empty phone. So silence ends a race only
//! after a while, and not at all while a course says that the finish is ahead.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::garmin::livetrack::LiveTrackSession;
use crate::race::course::Course;
use crate::race::geo::distance_m;
use crate::race::track::Track;

/// Why a race is over, or its watching.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    EndEvent,
    /// Garmin says that the session ended.
    SessionEnded,
    /// The end of the course was reached, and then silence.
    CourseFinished,
    Stale,
    /// 24 hours are over, and the link with them.
    LinkExpired,
    /// Garmin does not know the session any more.
    LinkGone,
    ByHand,
}

impl EndReason {
    /// Whether the athlete finished, as far as anybody can tell.
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

/// The two figures of the operator (`STALE_STOP_MIN`, `MIN_ELAPSED_MIN`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndRules {
    /// Silence of this length ends a race …
    pub stale_stop: SignedDuration,
    /// … that has gone on for so long.
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

/// What is known when the question is asked.
#[derive(Clone, Copy, Debug)]
pub struct EndEvidence<'a> {
    pub now: Timestamp,
    pub rules: EndRules,
    pub track: &'a Track,
    /// The session, if it was ever read.
    pub session: Option<&'a LiveTrackSession>,
    /// The way, if there is one.
    pub course: Option<&'a Course>,
    /// Since when this race is watched.
    pub tracking_since: Timestamp,
    /// When a new link carried it on: what was said to be over before that is not.
    pub carried_on_at: Option<Timestamp>,
    /// When Garmin last answered, and when the last new point came.
    pub last_ok_at: Timestamp,
    pub last_new_at: Timestamp,
}

/// How near to the end of the course the finish is.
const AT_FINISH_M: f64 = 150.0;

/// Positions jitter; so near to the end is at it.
const AT_LINE_M: f64 = 20.0;

/// Who is near the finish and silent for so long has crossed it between two points.
const STAYS: SignedDuration = SignedDuration::from_mins(2);

/// How much of the course must be behind.
const MOST_OF_COURSE: f64 = 0.97;

/// With the finish behind, silence need not last longer than this.
const STALE_AFTER_FINISH: SignedDuration = SignedDuration::from_mins(5);

/// Whether the race is over, and why.
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
    // What Garmin could not be asked about is not the athlete's silence.
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

/// Whether the end of the course was reached, after so much silence: at the line itself, or near it without going on.
pub fn at_finish(track: &Track, course: Option<&Course>, silence: SignedDuration) -> bool {
    let Some(course) = course else { return false };
    let (Some(end), Some(last)) = (course.end(), track.last) else {
        return false;
    };
    let near = last
        .position
        .is_some_and(|here| distance_m(here, end) <= AT_FINISH_M);
    // The counter must agree: some courses pass their finish many times.
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
        // Too young.
        check(&case(600, 600 + 16 * 60), None);
        check(&case(600, 30 * 60), Some(EndReason::Stale));
        // Garmin did not answer: nobody knows.
        let unreachable = Case {
            last_ok_s: 3700,
            ..case(3600, 9000)
        };
        check(&unreachable, None);
        // Not begun.
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
        // The link's day is over, but Garmin still answers: it is asked on.
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
        // The link's day is over, but points still come.
        let ultra = case(86_400, 86_430);
        check(&ultra, None);
    }
}
