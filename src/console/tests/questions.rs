//! What questions say, and what becomes of an answer while the gateway is not connected.

use super::samples::{at, typical};
use super::*;

fn lose(state: &mut ConsoleState) {
    let lost = LinkState::Lost {
        why: "gone".into(),
        retry_at: at(2),
    };
    state.apply(ConsoleMessage::Link(lost), at(0));
}

fn shown(state: &ConsoleState) -> String {
    screen(state, Theme::default())
}

#[test]
fn an_answer_stays_in_its_question_until_the_gateway_is_there() {
    let mut state = typical((80, 24));
    lose(&mut state);
    assert_eq!(play(&mut state, "3ieve@example.org<enter>"), []);
    let text = shown(&state);
    assert!(text.contains("> eve@example.org_"), "{text}");
    assert!(text.contains("Not done: the gateway is not connected."), "{text}");
    state.apply(ConsoleMessage::Link(LinkState::Live), at(1));
    let invited = act(AdminAct::Invite {
        email: "eve@example.org".into(),
    });
    assert_eq!(play(&mut state, "<enter>"), invited);
    assert!(!shown(&state).contains("> eve"));
}

#[test]
fn an_act_without_a_gateway_is_refused_on_the_screen() {
    for keys in ["4w", "4sy", "3ay", "2sy", "3jFforget<enter>"] {
        let mut state = typical((80, 24));
        lose(&mut state);
        assert_eq!(play(&mut state, keys), [], "{keys}");
        let text = shown(&state);
        assert!(
            text.contains("Not done: the gateway is not connected."),
            "{keys}\n{text}"
        );
    }
}

#[test]
fn an_act_that_got_no_answer_is_told() {
    let mut state = typical((80, 24));
    lose(&mut state);
    state.apply(ConsoleMessage::Unanswered(1), at(0));
    assert!(shown(&state).contains("The last act got no answer before the gateway was lost."));
}

#[test]
fn a_stranger_is_not_invited_by_pressing_a_twice() {
    let mut state = typical((80, 24));
    assert_eq!(play(&mut state, "3aaa"), []);
    let text = shown(&state);
    assert!(text.contains("of dee@example.org?"), "{text}");
    assert!(text.contains("[ No ]"), "{text}");
}

#[test]
fn questions_about_a_race_name_the_athlete() {
    for keys in ["4s", "4l", "4p", "4P", "4:end-pages share_b<enter>"] {
        let mut state = typical((80, 24));
        play(&mut state, keys);
        let text = shown(&state);
        assert!(
            text.contains("of Ann, Lausanne half") || text.contains("Ann, Lausanne half?"),
            "{keys}\n{text}"
        );
    }
    let mut state = typical((80, 24));
    let stop = AdminAct::StopRace {
        race: "race_1".into(),
    };
    let done = Ok(Box::new(AdminAnswer::Done(
        "The race is no longer watched.".into(),
    )));
    state.apply(ConsoleMessage::Answer(AdminRequest::Act(stop), done), at(0));
    assert!(shown(&state).contains("Ann, Lausanne half: The race is no longer watched."));
}

#[test]
fn a_race_that_is_over_is_not_stopped() {
    let mut state = typical((80, 24));
    state.data.races[0].state = "finished".into();
    state.data.races[0].ended_at = Some(at(-10));
    assert_eq!(play(&mut state, "4sy"), [ConsoleEffect::Copy("race_1".into())]);
    play(&mut state, "s");
    assert!(shown(&state).contains("This race is over."));
}

#[test]
fn nothing_is_counted_that_is_not_there() {
    let mut state = typical((80, 24));
    play(&mut state, "2s");
    assert!(shown(&state).contains("This cuts off 2 calls."));
    let mut idle = typical((80, 24));
    for worker in &mut idle.data.workers {
        (worker.in_flight, worker.waiting) = (0, 0);
    }
    play(&mut idle, "2s");
    let text = shown(&idle);
    assert!(
        text.contains("The next call starts a new one.") && !text.contains("cuts off"),
        "{text}"
    );
    play(&mut idle, "<esc>3jx");
    let text = shown(&idle);
    assert!(text.contains("This ends 1 sign-in, 1 worker."), "{text}");
}
