//! What the views share: boxes, panes and foreign text.

use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Block;

use crate::console::state::{ConsoleState, LinkState};
use crate::console::theme::{Role, Theme};
use crate::console::words::plain;

/// From this width on, two panes are side by side.
pub(super) const WIDE: u16 = 120;

/// A box with a title, dim while the connection is lost.
pub(super) fn boxed<'a>(state: &ConsoleState, theme: Theme, title: &str) -> Block<'a> {
    let block = Block::bordered().title(format!(" {} ", plain(title)));
    if state.link == LinkState::Live {
        block
    } else {
        block.style(theme.style(Role::Dim))
    }
}

/// The list and its detail: side by side if there is room, else one above the other.
pub(super) fn two_panes(area: Rect, detail_rows: u16) -> [Rect; 2] {
    if area.width >= WIDE {
        Layout::horizontal([Constraint::Percentage(64), Constraint::Min(0)]).areas(area)
    } else {
        Layout::vertical([Constraint::Min(5), Constraint::Length(detail_rows)]).areas(area)
    }
}

/// Foreign text as lines.
pub(super) fn lines<'a>(text: &[String]) -> Vec<Line<'a>> {
    text.iter().map(|line| Line::raw(plain(line))).collect()
}
