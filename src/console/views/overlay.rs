//! Overlays: the list of keys, and questions.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Wrap};

use crate::console::dialog::{Dialog, DialogKind};
use crate::console::keys;
use crate::console::state::ConsoleState;
use crate::console::theme::{Role, Theme};
use crate::console::words::plain;

pub(super) fn help(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let lines: Vec<Line<'_>> = keys::valid_in(state.view)
        .map(|binding| {
            Line::from(vec![
                Span::styled(format!(" {:9} ", binding.shown), theme.style(Role::Accent)),
                Span::raw(binding.long),
            ])
        })
        .collect();
    // Use two columns if one does not fit.
    let rows = usize::from(area.height.saturating_sub(2)).max(1);
    let columns = if lines.len() > rows { 2 } else { 1 };
    let half = lines.len().div_ceil(columns);
    let width = if columns == 2 { 80 } else { 70 };
    let height = u16::try_from(half + 2).unwrap_or(area.height);
    let over = area.centered(Constraint::Max(width), Constraint::Max(height));
    frame.render_widget(Clear, over);
    let block = Block::bordered().title(" Keys ");
    let inner = block.inner(over);
    frame.render_widget(block, over);
    for (column, part) in lines.chunks(half).enumerate() {
        // The view's own keys come first and have the longest lines.
        let left = if columns == 2 {
            inner.width * 2 / 3
        } else {
            inner.width
        };
        let rect = if column == 0 {
            Rect { width: left, ..inner }
        } else {
            Rect {
                x: inner.x + left,
                width: inner.width - left,
                ..inner
            }
        };
        frame.render_widget(Paragraph::new(part.to_vec()), rect);
    }
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
