//! Drawing code shared by the views: boxes, panes and untrusted text.

use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Block;

use crate::console::state::{ConsoleState, LinkState};
use crate::console::theme::{Role, Theme};
use crate::console::words::plain;

/// The minimum width in columns for two panes side by side.
pub(super) const WIDE: u16 = 120;

/// A box with a title, dim while the gateway does not answer.
pub(super) fn boxed<'a>(state: &ConsoleState, theme: Theme, title: &str) -> Block<'a> {
    let block = Block::bordered().title(format!(" {} ", plain(title)));
    if state.link == LinkState::Live && state.silent_s().is_none() {
        block
    } else {
        block.style(theme.style(Role::Dim))
    }
}

/// Splits the area for the list and its details: side by side if there is room, otherwise one above the other.
pub(super) fn two_panes(area: Rect, detail_rows: u16) -> [Rect; 2] {
    if area.width >= WIDE {
        Layout::horizontal([Constraint::Percentage(64), Constraint::Min(0)]).areas(area)
    } else {
        Layout::vertical([Constraint::Min(5), Constraint::Length(detail_rows)]).areas(area)
    }
}

/// A state word after its sign, in the colour of its role.
pub(super) fn state_word(theme: Theme, word: &str) -> Line<'static> {
    let role = Theme::role_of(word);
    let text = format!("{} {}", Theme::sign(role), plain(word));
    Line::from(Span::styled(text, theme.style(role)))
}

/// Untrusted text as lines without control characters.
pub(super) fn lines<'a>(text: &[String]) -> Vec<Line<'a>> {
    text.iter().map(|line| Line::raw(plain(line))).collect()
}
