use super::*;
use crate::race::sport::RaceKind;
use crate::race::support::{at, running, steady};

fn live(run_s: i64) -> (RaceWatch, Track) {
    let mut watch = RaceWatch::new(at(0));
    let session = LiveTrackSession {
        start: Some(at(0)),
        end: Some(at(86_400)),
        post_frequency_s: Some(15),
        ..LiveTrackSession::default()
    };
    let answer = PollResult {
        session: Some(session),
        new_points: 1,
        changed: false,
    };
    watch.answered(at(run_s + 15), answer);
    let track = Track::of(RaceKind::Run, None, &steady(run_s, 3.0));
    watch.conclude(
        at(run_s + 15),
        EndRules::default(),
        &RacePlan::default(),
        &track,
        None,
    );
    (watch, track)
}

fn asks(next: &NextPoll) -> (i64, bool, Option<i64>) {
    let NextPoll::Ask {
        at: when,
        session,
        begin,
    } = next
    else {
        panic!("{next:?}")
    };
    let seconds = |when: Timestamp| when.duration_since(at(0)).as_secs();
    (seconds(*when), *session, begin.map(seconds))
}

#[test]
fn a_live_race_is_asked_for_just_after_the_phone_posts() {
    let settings = RacePlan::default();
    let (watch, track) = live(600);
    assert_eq!(watch.phase, RacePhase::Live);
    // Last point 600, posts every 15 s: 617 + n * 15. The interval ends at 675.
    assert_eq!(
        asks(&watch.next(at(615), &settings, &track)),
        (677, false, Some(600))
    );
    let often = RacePlan {
        poll_interval_s: 5,
        ..settings.clone()
    };
    assert_eq!(
        asks(&watch.next(at(615), &often, &track)),
        (632, false, Some(600))
    );
    let fresh = RaceWatch::new(at(0));
    let empty = Track::new(RaceKind::Run);
    assert_eq!(asks(&fresh.next(at(0), &settings, &empty)), (0, true, None));
}

#[test]
fn failures_make_it_rarer_and_an_answer_clears_them() {
    let settings = RacePlan::default();
    let (mut watch, track) = live(600);
    for expected in [30, 60, 120, 240, 480, 600, 600] {
        watch.failed(at(1000), &LiveTrackError::Server(502));
        assert_eq!(asks(&watch.next(at(1000), &settings, &track)).0, 1000 + expected);
    }
    assert_eq!(watch.errors, 7);
    assert!(!watch.is_unreachable(at(1000)) && watch.is_unreachable(at(1300)));
    watch.answered(at(2000), PollResult::default());
    assert_eq!(watch.failing, None);
    assert_eq!(asks(&watch.next(at(2000), &settings, &track)).0, 2060);
}

#[test]
fn a_session_that_is_gone_ends_the_watch() {
    for (now, reason) in [(1000, EndReason::LinkGone), (90_000, EndReason::LinkExpired)] {
        let (mut watch, track) = live(600);
        watch.failed(at(now), &LiveTrackError::Gone);
        assert_eq!(watch.over(), Some(reason));
        assert_eq!(
            watch.next(at(now), &RacePlan::default(), &track),
            NextPoll::Nothing
        );
    }
}

#[test]
fn there_is_one_more_look_at_everything_after_the_end() {
    let (mut watch, mut track) = live(600);
    let mut end = running(610, 1830.0);
    end.point.events = vec!["END".into()];
    track.push(None, &end);
    let settings = RacePlan::default();
    watch.answered(
        at(677),
        PollResult {
            new_points: 1,
            ..PollResult::default()
        },
    );
    watch.conclude(at(677), EndRules::default(), &RacePlan::default(), &track, None);
    let closing = RacePhase::Closing {
        reason: EndReason::EndEvent,
        since: at(677),
    };
    assert_eq!(watch.phase, closing);
    assert_eq!(asks(&watch.next(at(677), &settings, &track)), (737, true, None));
    // The race continues after all.
    let mut goes_on = (watch.clone(), track.clone());
    goes_on.1.push(None, &running(700, 2100.0));
    goes_on.0.answered(
        at(737),
        PollResult {
            new_points: 1,
            ..PollResult::default()
        },
    );
    goes_on.0.conclude(
        at(737),
        EndRules::default(),
        &RacePlan::default(),
        &goes_on.1,
        None,
    );
    assert_eq!(goes_on.0.phase, RacePhase::Live);
    // No new points arrive.
    watch.answered(at(737), PollResult::default());
    watch.conclude(at(737), EndRules::default(), &RacePlan::default(), &track, None);
    assert_eq!(watch.over(), Some(EndReason::EndEvent));
}

#[test]
fn silence_that_ended_a_race_is_looked_at_for_a_while() {
    let (mut watch, mut track) = live(3600);
    let settings = RacePlan::default();
    let mut looks = Vec::new();
    let mut now = at(3615);
    while let NextPoll::Ask { at: look, .. } = watch.next(now, &settings, &track) {
        now = look;
        watch.answered(now, PollResult::default());
        watch.conclude(now, EndRules::default(), &RacePlan::default(), &track, None);
        if watch.over().is_some() {
            looks.push(now.duration_since(at(3600)).as_secs() / 60);
        }
    }
    assert_eq!(looks, (16..=136).collect::<Vec<_>>());
    // New points reopen the race.
    track.push(None, &running(9000, 20_000.0));
    watch.answered(
        now,
        PollResult {
            new_points: 1,
            ..PollResult::default()
        },
    );
    watch.conclude(now, EndRules::default(), &RacePlan::default(), &track, None);
    assert_eq!(watch.phase, RacePhase::Live);
}

#[test]
fn a_gap_is_asked_for_again_for_a_while() {
    let (mut watch, mut track) = live(600);
    track.push(None, &running(1200, 3600.0));
    watch.answered(
        at(1215),
        PollResult {
            new_points: 1,
            ..PollResult::default()
        },
    );
    let settings = RacePlan::default();
    assert_eq!(asks(&watch.next(at(1215), &settings, &track)).2, Some(600));
    for second in (1210..3100).step_by(10) {
        track.push(None, &running(second, second as f64 * 3.0));
    }
    assert_eq!(asks(&watch.next(at(3100), &settings, &track)).2, Some(3090));
}

#[test]
fn silence_is_measured_by_answers() {
    let (mut watch, track) = live(600);
    let silence = |watch: &RaceWatch| watch.silence(&track).unwrap().as_secs();
    assert_eq!(silence(&watch), 15);
    watch.failed(at(2000), &LiveTrackError::Unreachable);
    assert_eq!(silence(&watch), 15);
    watch.answered(at(2400), PollResult::default());
    assert_eq!(silence(&watch), 1800);
}

#[test]
fn a_new_link_carries_the_race_on() {
    let (mut watch, mut track) = live(600);
    let mut end = running(610, 1830.0);
    end.point.events = vec!["END".into()];
    track.push(None, &end);
    watch.failed(at(1000), &LiveTrackError::Gone);
    watch.carried_on(at(1100));
    watch.conclude(at(1100), EndRules::default(), &RacePlan::default(), &track, None);
    assert_eq!(watch.phase, RacePhase::Live);
    assert_eq!(
        asks(&watch.next(at(1100), &RacePlan::default(), &track)),
        (1100, true, Some(610))
    );
}
