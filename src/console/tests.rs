//! Tests that messages lead to the right state and effects, and keys to the right screen.

mod pictures;
mod questions;
pub(super) mod samples;
mod typed;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::{Map, json};

use super::keys::KeyPress;
use super::state::{ConsoleEffect, ConsoleMessage, ConsoleState, LinkState};
use super::theme::Theme;
use super::views;
use crate::admin::api::{
    AdminAct, AdminAnswer, AdminRead, AdminRefusal, AdminRequest, AdminUpdate, RevocationTarget,
};
use crate::admin::views::{
    AccessRequestView, AccountView, Attention, ConsoleView, CutoffView, EventView, FamilyView, HistoryView,
    InvitationView, LinkedAthleteView, Overview, People, RaceDetail, RacePlaceView, RaceView, RevocationView,
    ShareView, TokensView, TrackPointView, WorkerView,
};
use samples::{at, rich, typical};

/// Types keys as a person does: letters, and names in angle brackets.
pub(super) fn play(state: &mut ConsoleState, keys: &str) -> Vec<ConsoleEffect> {
    let mut effects = Vec::new();
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let (key, taken) = match rest.split_once('>') {
            Some((name, _)) if c == '<' => {
                let key = match name {
                    "<enter" => KeyPress::Enter,
                    "<esc" => KeyPress::Esc,
                    "<tab" => KeyPress::Tab,
                    "<right" => KeyPress::Right,
                    other => panic!("no key {other}>"),
                };
                (key, name.len() + 1)
            }
            _ => (KeyPress::Char(c), c.len_utf8()),
        };
        effects.extend(state.apply(ConsoleMessage::Key(key), at(0)));
        rest = &rest[taken..];
    }
    effects.retain(|effect| !matches!(effect, ConsoleEffect::Send(AdminRequest::Read(_))));
    effects
}

fn act(act: AdminAct) -> Vec<ConsoleEffect> {
    vec![ConsoleEffect::Send(AdminRequest::Act(act))]
}

#[test]
fn rows_are_sorted_by_a_figure() {
    let mut state = rich((80, 24));
    let first = |state: &ConsoleState| state.rows().0[0].copied();
    play(&mut state, "2");
    assert_eq!(first(&state), "ann@example.org");
    play(&mut state, "oo");
    assert_eq!(state.notice.as_ref().unwrap().0, "Sorted by memory.");
    assert_eq!(first(&state), "member4@example.org");
    play(&mut state, ":sort account<enter>");
    assert_eq!(first(&state), "ann@example.org");
    play(&mut state, ":sort colour<enter>");
    assert_eq!(
        state.notice.as_ref().unwrap().0,
        "This view can be sorted by account, memory, calls."
    );
    play(&mut state, "6o");
    assert_eq!(state.notice.as_ref().unwrap().0, "This view has only one order.");
}

#[test]
fn a_race_in_trouble_leads_to_itself() {
    let mut state = rich((80, 24));
    let (rows, _) = state.rows();
    let trouble = rows
        .iter()
        .position(|row| row.copied() == "Athlete 3")
        .expect("a race needs attention");
    play(&mut state, &"j".repeat(trouble));
    play(&mut state, "<enter>");
    let (rows, at) = state.rows();
    assert_eq!((state.view, rows[at].id()), (ConsoleView::Races, "race_3".into()));
}

#[test]
fn a_workers_events_are_rendered_and_other_output_is_left() {
    let mut state = typical((120, 40));
    let read = AdminRead::WorkerOutput {
        account: "acc_ann".into(),
    };
    let lines = vec![
        r#"{"at":"2026-11-18T23:06:40Z","level":"info","event":"garmin.answered","status":200}"#.to_owned(),
        "INFO: Uvicorn running".to_owned(),
    ];
    play(&mut state, "2");
    let answer = Ok(Box::new(AdminAnswer::Lines(lines)));
    state.apply(ConsoleMessage::Answer(AdminRequest::Read(read), answer), at(0));
    let text = screen(&state, Theme::default());
    assert!(text.contains("23:06:40 info garmin.answered"), "{text}");
    assert!(text.contains("INFO: Uvicorn running"), "{text}");
}

/// The link is shown nowhere else, so the dialog stays open until it is closed, even after copying.
#[test]
fn a_link_is_shown_until_it_is_closed() {
    let mut state = typical((80, 24));
    let url = "https://gateway.example.org/r/abc".to_owned();
    let request = AdminRequest::Act(AdminAct::TestNotify);
    let answer = AdminAnswer::Shared {
        id: "share_1".into(),
        url: url.clone(),
    };
    state.apply(ConsoleMessage::Answer(request, Ok(Box::new(answer))), at(0));
    assert!(screen(&state, Theme::default()).contains(&url));
    assert_eq!(play(&mut state, "xy"), [ConsoleEffect::Copy(url.clone())]);
    assert!(screen(&state, Theme::default()).contains(&url));
    play(&mut state, "<enter>");
    assert!(!screen(&state, Theme::default()).contains(&url));
}

#[test]
fn keys_that_do_not_apply_are_answered() {
    for (keys, answer) in [
        ("3s", "s does nothing here. ? shows the keys."),
        ("3ja", "a approves an access request; select one."),
        (
            "3x",
            "This key ends access, and the selected row has none; select an account or a sign-in.",
        ),
        ("1<enter><esc>", ""),
        (
            "5jjx",
            "This key ends access, and the selected row has none; select an account or a sign-in.",
        ),
    ] {
        let mut state = typical((80, 24));
        assert_eq!(play(&mut state, keys), [], "{keys}");
        assert_eq!(
            state.notice.map(|(text, _)| text).unwrap_or_default(),
            answer,
            "{keys}"
        );
    }
}

#[test]
fn a_filter_without_a_match_says_so() {
    let mut state = typical((80, 24));
    play(&mut state, "2/nobody<enter>");
    let text = screen(&state, Theme::default());
    assert!(
        text.contains("No row contains \"nobody\". esc clears the filter."),
        "{text}"
    );
}

#[test]
fn a_filter_is_visible_while_it_is_typed() {
    let mut state = typical((80, 24));
    let lost = LinkState::Lost {
        why: "gone".into(),
        retry_at: at(2),
    };
    state.apply(ConsoleMessage::Link(lost), at(0));
    play(&mut state, "4w/ann");
    assert!(state.notice.is_some());
    assert!(screen(&state, Theme::default()).contains("filter: ann_"));
}

#[test]
fn events_name_people_and_races() {
    let state = typical((80, 24));
    assert_eq!(
        state.data.event_line(&state.data.log[0]),
        "worker.ready account=ann@example.org"
    );
}

#[test]
fn an_event_tells_its_cause_first() {
    let state = typical((80, 24));
    let fields = json!({"account.id": "acc_ann", "alert": "off_course", "race.id": "race_1", "task": "race", "new": 3});
    let event = EventView {
        event: "race.alert_raised".into(),
        fields: fields.as_object().unwrap().clone(),
        ..state.data.log[0].clone()
    };
    assert_eq!(
        state.data.event_line(&event),
        "race.alert_raised alert=off_course new=3 account=ann@example.org race=Ann, Lausanne half"
    );
}

#[test]
fn a_selection_stays_with_its_row() {
    let mut state = typical((80, 24));
    play(&mut state, "2j");
    let mut workers = state.data.workers.clone();
    workers.reverse();
    state.apply(
        ConsoleMessage::Update(Box::new(AdminUpdate::Workers(workers.clone()))),
        at(1),
    );
    assert_eq!(state.rows().1, 0);
    // When the selected row disappears, the row that takes its place is selected.
    workers.remove(0);
    state.apply(
        ConsoleMessage::Update(Box::new(AdminUpdate::Workers(workers))),
        at(2),
    );
    assert_eq!(state.rows().1, 0);
    assert_eq!(state.rows().0[0].id(), "acc_ann");
}

#[test]
fn a_race_leads_to_the_athletes_account() {
    let mut state = typical((120, 40));
    play(&mut state, "4");
    assert!(screen(&state, Theme::default()).contains("enter open"));
    play(&mut state, "<enter>");
    let (rows, selected) = state.rows();
    assert_eq!(
        (state.view, rows[selected].id()),
        (ConsoleView::Accounts, "acc_ann".into())
    );
    // Nothing is offered where nothing can be opened: an invitation leads nowhere.
    play(&mut state, "G");
    assert!(!screen(&state, Theme::default()).contains("enter open"));
    let mut empty = samples::empty((80, 24));
    play(&mut empty, "1");
    assert!(!screen(&empty, Theme::default()).contains("enter open"));
}

#[test]
fn somebody_who_was_only_invited_was_never_seen() {
    let mut state = typical((80, 24));
    play(&mut state, "3");
    let text = screen(&state, Theme::default());
    let row = text
        .lines()
        .find(|line| line.contains("cleo@example.org"))
        .unwrap();
    assert!(row.contains("invited 60 min ago") && row.contains(" - "), "{row}");
}

#[test]
fn an_event_leads_to_its_account() {
    let mut state = typical((80, 24));
    play(&mut state, "6<enter>");
    assert_eq!(state.view, ConsoleView::Accounts);
    let (rows, selected) = state.rows();
    assert_eq!(rows[selected].id(), "acc_ben");
}

#[test]
fn the_log_is_filtered_held_and_bounded() {
    let mut state = typical((80, 24));
    play(&mut state, "6");
    assert_eq!(state.rows().0.len(), 2);
    play(&mut state, "v");
    assert_eq!(state.rows().0.len(), 3);
    play(&mut state, "/ready<enter>");
    assert_eq!(state.rows().0.len(), 1);
    play(&mut state, "<esc>/ready account=ann@<enter>");
    assert_eq!(state.rows().0.len(), 1, "what is shown is found");
    play(&mut state, "<esc>/acc_ann<enter>");
    assert!(!state.rows().0.is_empty(), "an id is found too");
    play(&mut state, "<esc>f");
    let held = state.position().selected;
    let events = vec![state.data.log[0].clone(); 3_000];
    let update = AdminUpdate::Log { anew: false, events };
    state.apply(ConsoleMessage::Update(Box::new(update)), at(1));
    assert_eq!(state.data.log.len(), 2_000);
    assert_eq!(state.position().selected, held);
    play(&mut state, "G");
    assert_eq!(state.rows().1, 1_999);
}

#[test]
fn answers_are_told() {
    let mut state = typical((80, 24));
    let request = AdminRequest::Act(AdminAct::TestNotify);
    let refused = Err(AdminRefusal::Unavailable("no way is set up".into()).to_string());
    state.apply(ConsoleMessage::Answer(request.clone(), refused), at(0));
    assert_eq!(state.notice.as_ref().unwrap().0, "Not done: no way is set up");
    let done = Ok(Box::new(AdminAnswer::Done("Sent.".into())));
    state.apply(ConsoleMessage::Answer(request, done), at(0));
    assert_eq!(state.notice.as_ref().unwrap().0, "Sent.");
    state.apply(ConsoleMessage::Tick, at(9));
    assert_eq!(state.notice, None);
}

#[test]
fn what_is_selected_is_asked_for() {
    let mut state = typical((80, 24));
    let effects = state.apply(ConsoleMessage::Key(KeyPress::Char('2')), at(0));
    let wanted = AdminRead::WorkerOutput {
        account: "acc_ann".into(),
    };
    assert_eq!(effects, [ConsoleEffect::Send(AdminRequest::Read(wanted))]);
}

/// Compares with the snapshot of this name in `tests/console/snapshots`.
pub(super) fn snapshot(name: &str, picture: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/console/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, picture));
}

/// Draws the screen and returns it as text.
pub(super) fn screen(state: &ConsoleState, theme: Theme) -> String {
    drawn(state, theme).to_string()
}

fn drawn(state: &ConsoleState, theme: Theme) -> TestBackend {
    let mut terminal = Terminal::new(TestBackend::new(state.size.0, state.size.1)).unwrap();
    terminal.draw(|frame| views::draw(state, theme, frame)).unwrap();
    terminal.backend().clone()
}
