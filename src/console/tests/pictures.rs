//! Every view as a picture: at each size, with little and with much to show.

use std::fmt::Write;

use ratatui::style::{Color, Modifier, Style};

use super::samples::{at, empty, race_detail, rich, typical};
use super::*;

/// The styles of the screen: a letter for each styled cell, and a legend.
fn styles(state: &ConsoleState, theme: Theme) -> String {
    let buffer = drawn(state, theme).buffer().clone();
    let mut known: Vec<Style> = Vec::new();
    let plain = Style::reset();
    let rows = buffer.content.chunks(usize::from(state.size.0)).map(|row| {
        let letters: String = row
            .iter()
            .map(|cell| {
                let style = cell.style();
                if (style.fg, style.bg, style.add_modifier) == (plain.fg, plain.bg, Modifier::empty()) {
                    return '.';
                }
                let n = known.iter().position(|one| *one == style).unwrap_or_else(|| {
                    known.push(style);
                    known.len() - 1
                });
                char::from(b'A' + u8::try_from(n).unwrap())
            })
            .collect();
        letters.trim_end_matches('.').to_owned()
    });
    let mut text = rows.collect::<Vec<_>>().join("\n");
    for (letter, style) in ('A'..).zip(&known) {
        let color = style.fg.filter(|fg| *fg != Color::Reset);
        let color = color.map_or_else(String::new, |color| format!(" {color}"));
        write!(text, "\n{letter} ={color} {:?}", style.add_modifier).unwrap();
        assert!(
            theme.color || style.fg == plain.fg,
            "a colour where there are none"
        );
        assert_eq!(style.bg, plain.bg, "backgrounds are the terminal's own");
    }
    text
}

#[test]
fn every_view_at_every_size_and_state() {
    let color = Theme {
        color: true,
        ascii: false,
    };
    for size in [(80, 24), (120, 40), (200, 60)] {
        for (key, (_, name)) in ('1'..).zip(crate::console::keys::VIEWS) {
            let show = |mut state: ConsoleState, kind: &str, theme| {
                if kind != "empty" {
                    let read = AdminRead::Race {
                        race: "race_1".into(),
                    };
                    let answer = Ok(Box::new(AdminAnswer::Race(Box::new(race_detail()))));
                    state.apply(ConsoleMessage::Answer(AdminRequest::Read(read), answer), at(0));
                }
                play(&mut state, &key.to_string());
                let text = screen(&state, theme);
                if kind == "ascii" {
                    assert!(text.is_ascii(), "{name} is not ASCII:\n{text}");
                }
                let name = format!("{name}_{kind}_{}x{}", size.0, size.1).to_lowercase();
                snapshot(&format!("{name}_styles"), &styles(&state, theme));
                snapshot(&name, &text);
            };
            show(empty(size), "empty", color);
            show(typical(size), "typical", color);
            show(rich(size), "rich", color);
            show(
                typical(size),
                "ascii",
                Theme {
                    color: false,
                    ascii: true,
                },
            );
            let mut lost = typical(size);
            let link = LinkState::Lost {
                why: "no garmin-gateway answers".into(),
                retry_at: at(0) + SignedDuration::from_secs(2),
            };
            lost.apply(ConsoleMessage::Link(link), at(0));
            show(lost, "lost", color);
        }
    }
}

#[test]
fn questions_and_keys_lie_over_the_view() {
    for (name, keys) in [
        ("revoke", "3jx"),
        ("forget", "3jFfor"),
        ("invite", "3ieve"),
        ("keys", "3?"),
        ("keys_overview", "?"),
        ("keys_races", "4?"),
        ("keys_log", "6?"),
        ("approve", "3a"),
    ] {
        let mut state = typical((80, 24));
        play(&mut state, keys);
        snapshot(&format!("over_{name}"), &screen(&state, Theme::default()));
    }
}

#[test]
fn a_low_overview_shows_problems_people_and_races() {
    let mut state = rich((80, 24));
    let mut overview = state.data.overview.clone().unwrap();
    overview.attention.clear();
    let quiet = AdminUpdate::Overview(overview.clone());
    state.apply(ConsoleMessage::Update(Box::new(quiet)), at(0));
    snapshot("overview_quiet_80x24", &screen(&state, Theme::default()));
    overview.attention = (1..=10)
        .map(|n| Attention {
            subject: format!("averyveryverylongname.of.somebody{n}@example.org"),
            text: "Garmin requires a new sign-in: send them to https://gateway.example.org/link".into(),
            account: None,
            race: None,
            view: ConsoleView::Accounts,
        })
        .collect();
    let troubled = AdminUpdate::Overview(overview);
    state.apply(ConsoleMessage::Update(Box::new(troubled)), at(0));
    let text = screen(&state, Theme::default());
    assert!(text.contains("more below"), "{text}");
    snapshot("overview_troubled_80x24", &text);
    play(&mut state, "jjjjjjjjj");
    let text = screen(&state, Theme::default());
    assert!(text.contains("more above"), "{text}");
}

#[test]
fn a_silent_gateway_is_told() {
    let mut state = typical((80, 24));
    let mut overview = state.data.overview.clone().unwrap();
    overview.attention.clear();
    let quiet = AdminUpdate::Overview(overview);
    state.apply(ConsoleMessage::Update(Box::new(quiet)), at(0));
    assert_eq!(state.apply(ConsoleMessage::Tick, at(1)), []);
    let probe = [ConsoleEffect::Send(AdminRequest::Read(AdminRead::Overview))];
    assert_eq!(state.apply(ConsoleMessage::Tick, at(3)), probe);
    assert_eq!(state.apply(ConsoleMessage::Tick, at(4)), []);
    assert!(screen(&state, Theme::default()).contains("● live"));
    state.apply(ConsoleMessage::Tick, at(12));
    let text = screen(&state, Theme::default());
    assert!(
        text.contains("▲ no answer") && text.contains("no answer for 12 s"),
        "{text}"
    );
    assert!(
        text.contains("nothing needed attention") && !text.contains("● live"),
        "{text}"
    );
    snapshot("overview_silent_80x24", &text);
    let answer = Err("none".to_owned());
    let read = AdminRequest::Read(AdminRead::Overview);
    state.apply(ConsoleMessage::Answer(read, answer), at(13));
    let text = screen(&state, Theme::default());
    assert!(
        text.contains("● live") && text.contains("Nothing needs attention."),
        "{text}"
    );
}

#[test]
fn a_tiny_terminal_gets_a_sentence() {
    assert!(screen(&typical((40, 5)), Theme::default()).contains("the console needs 60x15"));
    for width in 1..60 {
        screen(&typical((width, 3)), Theme::default());
    }
}
