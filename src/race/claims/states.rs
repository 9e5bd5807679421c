//! Claims without a number: states, trends, legs, places, the fastest split.

use super::evidence::{ClaimVerdict, check, no, no_leg};
use super::facts::{RaceFacts, RaceStage, StopFacts};
use super::lexicon::Tag;
use super::roles::Roles;
use super::terms::{Bound, ClaimScope, Progress, Reference, State, When};
use crate::race::sport::LegKind;

const UNSEEN: &str = "the data does not show that";

/// Nobody walks faster than this for long, in metres per second.
const FASTEST_WALK_MPS: f64 = 2.1;

/// A place counts as reached this far before it, because counters and courses differ.
const NEAR_M: f64 = 80.0;

pub(super) fn state(state: State, roles: &Roles, facts: &RaceFacts) -> ClaimVerdict {
    let is_past = roles.is_past();
    // "has not started yet"
    let denies_start = state == State::Started && roles.not();
    if roles.is_future() && !denies_start {
        return Ok(());
    }
    let stands = facts.standing_s.is_some_and(|s| s >= 20.0);
    // "You haven't stopped since kilometre 20."
    let from_m = match roles.scope() {
        Some(ClaimScope::Since(metres)) => metres + 400.0,
        _ => f64::NEG_INFINITY,
    };
    let of_leg = |stop: &StopFacts| facts.legs.get(stop.leg).map_or(0.0, |leg| leg.from_m);
    let stopped = facts
        .stops
        .iter()
        .any(|stop| stop.duration_s >= 60.0 && stop.at_m - of_leg(stop) > from_m);
    let leg_index = roles
        .leg()
        .and_then(|kind| facts.leg_index(kind, roles.leg_number()));
    let (holds, why) = match state {
        State::Standing if is_past && roles.not() => (stopped, "the data shows stops"),
        State::Standing if roles.when() == Some(When::Past) => (stopped, "the data shows no stop"),
        State::Standing | State::Moving if facts.is_silent => {
            // Without a signal, only past movement is known: "She was moving."
            let is_known = roles.when() == Some(When::Past) && state == State::Moving;
            return check(
                is_known,
                "there is no signal: whether the athlete moves is not known",
            );
        }
        State::Standing => (stands, UNSEEN),
        State::Moving if roles.when() == Some(When::Past) => (true, UNSEEN),
        State::Moving => (!stands && facts.stage == RaceStage::UnderWay, UNSEEN),
        State::Finished => {
            let leg_is_over = leg_index.is_some_and(|index| index + 1 < facts.legs.len());
            (
                facts.stage == RaceStage::Finished || (facts.is_multisport && leg_is_over),
                "the data shows no finish",
            )
        }
        State::Silent => (
            facts.is_silent || (is_past && !facts.gaps_s.is_empty()),
            "the signal is good",
        ),
        State::Heard => (!facts.is_silent, "there is no signal"),
        State::OffCourse => (facts.off_course_m.is_some_and(|metres| metres > 100.0), UNSEEN),
        State::OnCourse => (
            facts.off_course_m.is_none_or(|metres| metres < 150.0),
            "the athlete is off the course",
        ),
        State::Retired => (false, "the data does not say so"),
        State::Started | State::Waiting if facts.is_multisport && roles.leg().is_some() => {
            (leg_index.is_some() == (state == State::Started), UNSEEN)
        }
        State::Started => (facts.stage != RaceStage::Waiting, "the race has not begun"),
        State::Waiting => (facts.stage == RaceStage::Waiting, "the race has begun"),
        State::Walking => {
            let mut spans = facts.now();
            if is_past {
                spans.extend(facts.last_splits(roles.leg(), f64::INFINITY));
            }
            let walks = spans
                .iter()
                .any(|span| span.distance_m < span.elapsed_s * FASTEST_WALK_MPS);
            (walks && (is_past || !stands), "the data shows no walk")
        }
    };
    // "no signal" is one phrase, so its "no" does not negate the state.
    let is_whole = matches!(
        state,
        State::Silent | State::Waiting | State::OnCourse | State::Heard
    );
    check(holds != (roles.not() && !is_whole), why)
}

pub(super) fn leg(kind: LegKind, roles: &Roles, facts: &RaceFacts) -> ClaimVerdict {
    let on_leg = roles.has(Tag::OnLeg(kind));
    let Some(index) = facts.leg_index(kind, roles.leg_number()) else {
        let is_ahead = roles.is_future()
            || (roles.has(Tag::In) && roles.when().is_none() && facts.is_multisport)
            || roles.progress() == Some(Progress::ToGo)
            || roles.not();
        // Mentioning the run while riding is not a claim that the athlete runs.
        let is_left =
            roles.has_any(&[Tag::Reached, Tag::Departed]) || roles.progress() == Some(Progress::Done);
        let is_far = roles.has(Tag::FromHere) || roles.reference() == Some(Reference::Limit);
        let is_own = roles.has(Tag::Athlete) && roles.when().is_some();
        let is_claimed = (on_leg || is_own || roles.is_past() || is_left) && !is_far;
        let is_free = is_ahead || (facts.is_multisport && !is_claimed);
        return check(is_free || facts.legs.is_empty(), &no_leg(kind));
    };
    if roles.has(Tag::State(State::Waiting)) && !roles.is_past() {
        return no("that leg has begun");
    }
    let is_current = index + 1 == facts.legs.len();
    let is_present = on_leg && matches!(roles.when(), None | Some(When::Present | When::Now));
    if is_present && !is_current && roles.stat().is_none() && roles.scope().is_none() {
        let now = facts
            .leg_now()
            .and_then(|leg| leg.kind)
            .map_or("unknown", LegKind::word);
        return Err(format!("the leg now is: {now}"));
    }
    let is_done = roles.progress() == Some(Progress::Done)
        && facts.is_multisport
        && !roles.not()
        && !on_leg
        && roles.when() != Some(When::Past);
    check(!(is_done && is_current), "that leg is still under way")
}

/// A place without a time: the athlete is at it, has passed it or has yet to reach it. `at_m` counts from the start.
pub(super) fn place(at_m: f64, roles: &Roles, facts: &RaceFacts) -> ClaimVerdict {
    let whole_m = facts.whole_m.unwrap_or(f64::INFINITY);
    let here = facts.progress_m;
    let is_label = roles.when().is_none() && !roles.has(Tag::Reached);
    if roles.has(Tag::LastSeen) && (roles.has(Tag::Position) || is_label) && !roles.is_future() {
        return check(
            (at_m - here).abs() <= 400.0,
            "the athlete was last seen elsewhere",
        );
    }
    let is_near = (at_m - here).abs() <= 400.0;
    let rests_there = facts.standing_s.is_some() && is_near;
    let is_next = roles.is_future() || roles.has(Tag::Part(ClaimScope::Next));
    if roles.has(Tag::Departed) && !roles.not() && !is_next && rests_there {
        return no("the athlete is still there");
    }
    if roles.not() && roles.has(Tag::Reached) && rests_there {
        return no("the athlete is there already");
    }
    let is_to_go = roles.progress() == Some(Progress::ToGo) || roles.has(Tag::FromHere);
    if (is_next || (roles.not() && roles.has(Tag::Reached))) && !rests_there {
        return check(
            at_m >= here - NEAR_M && at_m <= whole_m + NEAR_M,
            "that place is already behind",
        );
    }
    if is_next {
        return no("the athlete is there already");
    }
    if is_to_go
        && !roles.is_past()
        && roles.mood.is_none()
        && !roles.has(Tag::Reached)
        && !rests_there
        && roles.place().is_none()
    {
        return check(
            at_m >= here - NEAR_M && at_m <= whole_m + NEAR_M,
            "that place is already behind",
        );
    }
    let is_behind = roles.has(Tag::Reached)
        || roles.progress() == Some(Progress::Done)
        || roles.is_past()
        || roles.has(Tag::Departed);
    if is_behind && !roles.not() && !is_to_go && roles.mood.is_none() {
        return check(at_m <= here + 150.0, "that place is still ahead");
    }
    let places = roles
        .tags
        .iter()
        .filter(|tag| matches!(tag, Tag::Place(_)))
        .count();
    let is_at = places <= 1 && roles.has(Tag::Position) && roles.has(Tag::Athlete) && roles.is_present();
    let is_beyond_plan = roles.not() || is_to_go || roles.reference().is_some();
    if is_at && !is_beyond_plan {
        let lag_m = here - facts.progress_before_m;
        return check((at_m - here).abs() <= 400.0 + lag_m, "the athlete is elsewhere");
    }
    check(at_m <= whole_m + NEAR_M, "that is beyond the finish")
}

/// `this is your second stop`
pub(super) fn nth_stop(number: f64, facts: &RaceFacts) -> ClaimVerdict {
    let count = facts.stops.iter().filter(|stop| stop.duration_s >= 45.0).count() as f64;
    check(
        (count - number).abs() < 0.5,
        "the data shows another number of stops",
    )
}

/// `this is your longest stop`
pub(super) fn longest_stop(longest: bool, facts: &RaceFacts) -> ClaimVerdict {
    let Some((last, others)) = facts.stops.split_last() else {
        return no("the data shows no stop");
    };
    let is_longer = |other: &StopFacts| other.duration_s > last.duration_s;
    check(
        !others.iter().any(|other| is_longer(other) == longest),
        "another stop was longer",
    )
}

/// The current stop, or else the last one, against that at `metres`.
pub(super) fn stop_against(metres: f64, longer: bool, facts: &RaceFacts) -> ClaimVerdict {
    let other = facts
        .stops
        .iter()
        .find(|stop| (stop.at_m - metres).abs() <= 400.0);
    let (Some(last), Some(other)) = (facts.stops.last(), other) else {
        return no("the data shows no stop there");
    };
    let more_s = last.duration_s - other.duration_s;
    check(
        more_s.abs() < 15.0 || (more_s > 0.0) == longer,
        "the other stop was on the other side",
    )
}

pub(super) fn stop_at(metres: f64, facts: &RaceFacts) -> ClaimVerdict {
    let from_m = |leg: usize| facts.legs.get(leg).map_or(0.0, |leg| leg.from_m);
    let near = |m: f64| (m - metres).abs() <= 600.0_f64.max(metres * 0.02);
    let holds = facts
        .stops
        .iter()
        .any(|stop| near(stop.at_m) || near(stop.at_m - from_m(stop.leg)));
    check(holds, "the data shows no stop there")
}

pub(super) fn halfway(roles: &Roles, facts: &RaceFacts) -> ClaimVerdict {
    let of_leg = facts
        .leg_length_m()
        .filter(|_| facts.is_multisport && roles.leg().is_some());
    let of_race = facts.whole_m.map(|whole_m| facts.progress_m / whole_m);
    let Some(done) = of_leg
        .map(|length_m| facts.leg_progress_m() / length_m)
        .or(of_race)
    else {
        return Ok(());
    };
    let is_near = roles.has_any(&[Tag::In, Tag::FromHere]) && roles.progress() != Some(Progress::Done);
    if roles.is_future() || (is_near && !roles.is_past()) {
        let is_ahead = done <= 0.505 || (facts.is_multisport && of_leg.is_none());
        return check(is_ahead, "halfway is behind");
    }
    if roles.progress() == Some(Progress::ToGo) {
        return check(done <= 0.515, "less than half is left");
    }
    match roles.bound {
        Bound::About => check(
            (0.43..0.57).contains(&done) != roles.not(),
            "halfway is elsewhere",
        ),
        // "just short of halfway"
        Bound::AtMost | Bound::JustUnder => check((0.42..0.5).contains(&done), "halfway is elsewhere"),
        _ => check((done >= 0.485) != roles.not(), "halfway is not there yet"),
    }
}
