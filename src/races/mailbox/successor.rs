//! Whether a new LiveTrack session is the continuation of a race: the phone was restarted, or the link's 24 hours ended
//! in mid-race. Pure.
//!
//! A race is never taken away from a session that still goes on, because athletes choose their names and anybody can
//! send a mail. For the same reason, the new session must begin where the old one left off.

use jiff::{SignedDuration, Timestamp};

use crate::garmin::livetrack::{LiveTrackSession, Position};
use crate::race::ending::EndReason;
use crate::race::geo::distance_m;
use crate::race::schedule::{RacePhase, RaceWatch};
use crate::race::sport::LegKind;

/// How long after it ended without a finish a race may be continued.
const AFTER_END: SignedDuration = SignedDuration::from_hours(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Succession {
    No,
    Yes,
    /// The session continues the race if the race's own session is over or silent.
    IfEnded,
}

/// How far apart two sessions of one race may be, in addition to what the athlete can cover in between; metres.
const NEARBY_M: f64 = 1_000.0;

/// A speed that hardly any athlete can keep up for minutes; metres per second.
const FASTEST_MPS: f64 = 20.0;

/// Where and when an athlete was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sighting {
    pub(super) at: Timestamp,
    pub(super) position: Position,
}

/// Whether an athlete who was last seen at `last` can have reached `new` in the time between.
pub(super) fn left_off_here(last: Sighting, new: Sighting) -> bool {
    let between_s = new.at.duration_since(last.at).as_secs_f64().max(0.0);
    distance_m(last.position, new.position) <= NEARBY_M + FASTEST_MPS * between_s
}

/// Whether the session `new` continues the race with this watch.
pub(super) fn succession(new: &LiveTrackSession, watch: &RaceWatch, now: Timestamp) -> Succession {
    let Some(old) = &watch.session else {
        return Succession::No;
    };
    let athlete = new.athlete_key();
    let is_later = new.start.zip(old.start).is_some_and(|(new, old)| new > old);
    if athlete.is_none() || athlete != old.athlete_key() || !is_later || is_other_sport(new, old) {
        return Succession::No;
    }
    match watch.phase {
        // The watch may go on for a while after the finish, so its phase does not show the finish.
        _ if watch.finished_at.is_some() => Succession::No,
        RacePhase::Over { reason, at } => {
            let is_cut_off = matches!(
                reason,
                EndReason::EndedEarly | EndReason::Stale | EndReason::LinkExpired | EndReason::LinkGone
            );
            if is_cut_off && now.duration_since(at) < AFTER_END {
                Succession::Yes
            } else {
                Succession::No
            }
        }
        _ => Succession::IfEnded,
    }
}

/// Whether both sessions name a sport, and the sports differ.
fn is_other_sport(new: &LiveTrackSession, old: &LiveTrackSession) -> bool {
    let sport = |session: &LiveTrackSession| LegKind::from_activity(session.activity_type.as_deref()?);
    sport(new).zip(sport(old)).is_some_and(|(new, old)| new != old)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-10-04T{text}:00Z").parse().unwrap()
    }

    fn session(athlete: &str, start: &str, sport: Option<&str>) -> LiveTrackSession {
        LiveTrackSession {
            athlete: Some(athlete.to_owned()),
            start: Some(at(start)),
            activity_type: sport.map(str::to_owned),
            ..LiveTrackSession::default()
        }
    }

    fn watch(phase: RacePhase) -> RaceWatch {
        RaceWatch {
            phase,
            session: Some(session("Ann E", "08:00", Some("RUNNING"))),
            ..RaceWatch::new(at("08:00"))
        }
    }

    #[test]
    fn a_race_goes_on_unless_it_was_finished_or_stopped() {
        let new = session("ann e ", "09:30", Some("TRAIL_RUNNING"));
        let over = |reason| RacePhase::Over {
            reason,
            at: at("09:00"),
        };
        for (phase, found) in [
            (RacePhase::Live, Succession::IfEnded),
            (RacePhase::Waiting, Succession::IfEnded),
            (over(EndReason::EndedEarly), Succession::Yes),
            (over(EndReason::Stale), Succession::Yes),
            (over(EndReason::LinkExpired), Succession::Yes),
            (over(EndReason::LinkGone), Succession::Yes),
            (over(EndReason::SessionEnded), Succession::No),
            (over(EndReason::EndEvent), Succession::No),
            (over(EndReason::CourseFinished), Succession::No),
            (over(EndReason::ByHand), Succession::No),
        ] {
            assert_eq!(succession(&new, &watch(phase), at("09:31")), found, "{phase:?}");
        }
        let late = succession(&new, &watch(over(EndReason::Stale)), at("11:00"));
        assert_eq!(late, Succession::No);
        let finished = RaceWatch {
            finished_at: Some(at("09:00")),
            ..watch(RacePhase::Live)
        };
        assert_eq!(succession(&new, &finished, at("09:31")), Succession::No);
    }

    #[test]
    fn a_race_goes_on_where_it_left_off() {
        let seen = |text: &str, lat: f64| Sighting {
            at: at(text),
            position: Position { lat, lon: 14.3 },
        };
        let last = seen("09:00", 46.6);
        assert!(left_off_here(last, seen("09:00", 46.605)));
        assert!(left_off_here(last, seen("09:10", 46.65)));
        assert!(!left_off_here(last, seen("09:10", 46.8)));
        assert!(!left_off_here(last, seen("08:00", 46.65)));
    }

    #[test]
    fn another_athlete_sport_or_an_earlier_session_is_another_race() {
        let watch = watch(RacePhase::Live);
        for new in [
            session("Ben E", "09:30", Some("RUNNING")),
            session("", "09:30", Some("RUNNING")),
            session("Ann E", "07:30", Some("RUNNING")),
            session("Ann E", "08:00", Some("RUNNING")),
            session("Ann E", "09:30", Some("CYCLING")),
        ] {
            assert_eq!(succession(&new, &watch, at("09:31")), Succession::No, "{new:?}");
        }
        let unknown = session("Ann E", "09:30", None);
        assert_eq!(succession(&unknown, &watch, at("09:31")), Succession::IfEnded);
    }
}
