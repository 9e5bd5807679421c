//! Overlays: the list of keys, and questions.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Wrap};

use crate::console::dialog::{Dialog, DialogKind};
use crate::console::keys::{self, ConsoleCommand, VIEWS};
use crate::console::state::ConsoleState;
use crate::console::theme::{Role, Theme};
use crate::console::words::{plain, width, wrap};

/// The greatest width of the list of keys in one column, and in two.
const WIDTHS: [u16; 2] = [70, 110];

/// One line of the list of keys: the key, empty if the line continues the one above, and what it does.
type KeyLine = (&'static str, String);

pub(super) fn help(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let room = usize::from(area.height.saturating_sub(2)).max(1);
    let key_width = entries(state).map(|(key, _)| width(key)).max().unwrap_or(0) + 2;
    let [one, two] = WIDTHS.map(|most| area.width.min(most));
    let mut columns = vec![
        wrapped(
            state,
            usize::from(one.saturating_sub(3)).saturating_sub(key_width),
        )
        .concat(),
    ];
    let mut over_width = one;
    if columns.iter().any(|lines| lines.len() > room) {
        let half = usize::from(two.saturating_sub(2)) / 2;
        columns = halves(wrapped(state, half.saturating_sub(key_width + 2)));
        over_width = two;
    }
    let height = columns.iter().map(Vec::len).max().unwrap_or(0).min(room);
    let over_height = u16::try_from(height + 2).unwrap_or(area.height);
    let over = area.centered(Constraint::Max(over_width), Constraint::Max(over_height));
    frame.render_widget(Clear, over);
    let hidden = columns.iter().any(|lines| lines.len() > room);
    let title = if hidden {
        " Keys; a taller terminal shows all of them "
    } else {
        " Keys "
    };
    let block = Block::bordered().title(title);
    let inner = block.inner(over);
    frame.render_widget(block, over);
    let parts = Layout::horizontal(vec![Constraint::Fill(1); columns.len()]).split(inner);
    for (lines, part) in columns.into_iter().zip(parts.iter()) {
        let lines = lines.into_iter().map(|(key, text)| {
            let key = format!(" {key:key_width$}");
            Line::from(vec![
                Span::styled(key, theme.style(Role::Accent)),
                Span::raw(text),
            ])
        });
        frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), *part);
    }
}

/// The keys that do something here, and what they do. The views share one line: the header numbers them.
fn entries(state: &ConsoleState) -> impl Iterator<Item = (&'static str, &'static str)> {
    let views = VIEWS.first().map(|(view, _)| ConsoleCommand::Show(*view));
    keys::valid_in(state.view)
        .filter(|binding| state.offers(binding.command))
        .filter_map(move |binding| match binding.command {
            first @ ConsoleCommand::Show(_) if Some(first) == views => {
                Some(("1-6", "the view with this number"))
            }
            ConsoleCommand::Show(_) => None,
            _ => Some((binding.shown, binding.long)),
        })
}

/// Each key with its text in lines of `room` cells.
fn wrapped(state: &ConsoleState, room: usize) -> Vec<Vec<KeyLine>> {
    entries(state)
        .map(|(key, text)| {
            let keys = std::iter::once(key).chain(std::iter::repeat(""));
            keys.zip(wrap(text, room, 0)).collect()
        })
        .collect()
}

/// Two columns of about the same height. The lines of one key stay together.
fn halves(entries: Vec<Vec<KeyLine>>) -> Vec<Vec<KeyLine>> {
    let all: usize = entries.iter().map(Vec::len).sum();
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for entry in entries {
        if right.is_empty() && (left.len() + entry.len()) * 2 <= all + 1 {
            left.extend(entry);
        } else {
            right.extend(entry);
        }
    }
    vec![left, right]
}

pub(super) fn dialog(dialog: &Dialog, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let mut lines: Vec<Line<'_>> = dialog.lines.iter().map(|line| Line::raw(plain(line))).collect();
    lines.push(Line::raw(""));
    match &dialog.kind {
        DialogKind::YesNo { yes, .. } => {
            let choice = |text: &'static str, chosen| {
                let shown = if chosen {
                    format!("[ {text} ]")
                } else {
                    format!("  {text}  ")
                };
                Span::styled(
                    shown,
                    if chosen {
                        theme.style(Role::Selection)
                    } else {
                        theme.style(Role::Dim)
                    },
                )
            };
            lines.push(Line::from(vec![
                choice("No", !yes),
                Span::raw("  "),
                choice("Yes", *yes),
                Span::raw("   y/n, esc"),
            ]));
        }
        DialogKind::Word { word, typed, .. } => {
            lines.push(Line::raw(format!("Type {word} and press enter: {typed}_")));
        }
        DialogKind::Link(_) => lines.push(Line::styled("y copies it, enter closes", theme.style(Role::Dim))),
        DialogKind::Text { typed, .. } => lines.push(Line::raw(format!("> {}_", plain(typed)))),
    }
    if let Some(wrong) = dialog.wrong {
        lines.push(Line::styled(wrong, theme.style(Role::Bad)));
    }
    let height = u16::try_from(lines.len() + 3).unwrap_or(area.height);
    let over = area.centered(Constraint::Max(66), Constraint::Max(height));
    frame.render_widget(Clear, over);
    let block = Block::bordered()
        .border_style(theme.style(Role::Warn))
        .title(format!(" {} ", dialog.title));
    let text = Paragraph::new(lines).wrap(Wrap { trim: false }).block(block);
    frame.render_widget(text, over);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::tests::samples::typical;

    #[test]
    fn every_key_can_be_read_in_80_by_24() {
        let room = 24 - 3 - 2;
        for (view, name) in VIEWS {
            let mut state = typical((80, 24));
            state.view = view;
            let key_width = entries(&state).map(|(key, _)| width(key)).max().unwrap() + 2;
            let half = (80 - 2) / 2;
            let columns = halves(wrapped(&state, half - key_width - 2));
            for lines in &columns {
                assert!(lines.len() <= room, "{name}: {lines:?}");
                assert!(
                    lines.iter().all(|(_, text)| width(text) + key_width < half),
                    "{name}"
                );
            }
            let read: Vec<String> = columns.concat().into_iter().map(|(_, text)| text).collect();
            let meant: Vec<&str> = entries(&state).map(|(_, text)| text).collect();
            assert_eq!(read.join(" "), meant.join(" "), "{name}");
        }
    }

    #[test]
    fn only_keys_that_do_something_are_listed() {
        let mut state = typical((80, 24));
        let has = |state: &ConsoleState, key| entries(state).any(|(shown, _)| shown == key);
        assert!(has(&state, "enter") && !has(&state, "o"));
        state.view = crate::admin::views::ConsoleView::Races;
        assert!(has(&state, "enter") && has(&state, "o"));
        state.data.people.accounts.clear();
        assert!(!has(&state, "enter"));
    }
}
