//! Draws the state. Nothing in this module changes it.
//!
//! ```text
//! 1 Overview 2 Workers 3 …                                ● live
//! ┌ the view: a list, and beside it (wide) or below it the
//! │ selected row in detail
//! └
//!  s stop  enter open  / filter  ? help  q quit
//! ```

mod attention;
mod circle;
mod columns;
mod lists;
mod overlay;
mod overview;
mod panes;
mod race;
mod race_columns;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::keys::{self, VIEWS};
use super::state::{ConsoleState, LinkState};
use super::theme::{Role, Theme, to_ascii};
use super::words::{ago, cut, plain, width};
use crate::admin::views::ConsoleView;

/// The smallest supported terminal, in columns and rows.
const SMALLEST: (u16, u16) = (60, 15);

pub(super) fn draw(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let text = format!(
            "garmin-gateway: this terminal is {}x{}; the console needs {}x{}. q quits.",
            area.width, area.height, SMALLEST.0, SMALLEST.1
        );
        let lines = Paragraph::new(text).wrap(ratatui::widgets::Wrap { trim: true });
        frame.render_widget(lines, area);
        return;
    }
    let [head, body, notice, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(area);
    header(state, theme, frame, head);
    match state.view {
        ConsoleView::Overview => overview::draw(state, theme, frame, body),
        ConsoleView::Races => race::draw(state, theme, frame, body),
        ConsoleView::Workers | ConsoleView::Accounts | ConsoleView::Tokens | ConsoleView::Log => {
            lists::draw(state, theme, frame, body);
        }
    }
    status_line(state, theme, frame, notice);
    footer(state, theme, frame, foot);
    if state.help {
        overlay::help(state, theme, frame, body);
    }
    if let Some(dialog) = &state.dialog {
        overlay::dialog(dialog, theme, frame, body);
    }
    if theme.ascii {
        to_ascii(frame.buffer_mut());
    }
}

fn header(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let mut spans = vec![Span::raw(" ")];
    let room = if area.width < 100 { "" } else { " " };
    for (n, (view, name)) in VIEWS.iter().enumerate() {
        let style = if *view == state.view {
            theme.style(Role::Selection)
        } else {
            Style::new()
        };
        spans.push(Span::styled(format!("{room} {} {name} {room}", n + 1), style));
    }
    frame.render_widget(Line::from(spans), area);
    let (role, text) = match &state.link {
        LinkState::Live if state.silent_s().is_some() => (Role::Warn, "no answer".to_owned()),
        LinkState::Live => (Role::Ok, "live".to_owned()),
        LinkState::Connecting => (Role::Busy, "connecting".to_owned()),
        LinkState::Lost { .. } => (Role::Bad, "no gateway".to_owned()),
    };
    let text = format!("{} {text} ", Theme::sign(role));
    // The style is on the span: a line's own style would colour the whole row.
    let line = Line::from(Span::styled(text, theme.style(role))).right_aligned();
    frame.render_widget(line, area);
}

/// The line above the keys. It shows the first of these that exists: a command or a filter being typed, the result of
/// the last act, a lost or silent connection, the filter. The header shows the connection at the same time.
fn status_line(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let position = state.position();
    if let Some(line) = &state.line {
        let hint = format!("  {}", line.hint(state.view));
        let typed = format!(" :{}_", plain(&line.typed));
        let room = usize::from(area.width).saturating_sub(width(&typed) + 1);
        let spans = vec![
            Span::styled(typed, theme.style(Role::Accent)),
            Span::styled(cut(&hint, room), theme.style(Role::Dim)),
        ];
        frame.render_widget(Line::from(spans), area);
        return;
    }
    let (role, text) = match (&state.link, &state.notice) {
        _ if state.filtering => (Role::Accent, format!("filter: {}_", position.filter)),
        (_, Some((notice, _))) => (Role::Accent, notice.clone()),
        (LinkState::Lost { why, retry_at }, None) => {
            let since = state.updated_at.map_or_else(String::new, |at| {
                format!("; this is the state from {}", ago(at, state.now))
            });
            let wait = (retry_at.as_second() - state.now.as_second()).max(0);
            (Role::Bad, format!("next try in {wait} s{since}: {why}"))
        }
        (LinkState::Live, None) if state.silent_s().is_some() => {
            let pause = state.silent_s().unwrap_or_default();
            let text = format!("no answer for {pause} s; what is shown is from then, and acts wait in line");
            (Role::Warn, text)
        }
        _ if !position.filter.is_empty() => (
            Role::Warn,
            format!("filter: {}  (esc clears it)", position.filter),
        ),
        _ => return,
    };
    let text = cut(&plain(&text), usize::from(area.width).saturating_sub(2));
    frame.render_widget(Line::styled(format!(" {text}"), theme.style(role)), area);
}

fn footer(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let shown: Vec<_> = keys::valid_in(state.view)
        .filter(|binding| !binding.short.is_empty() && state.offers(binding.command))
        .collect();
    let takes = |binding: &keys::Binding| width(binding.shown) + width(binding.short) + 3;
    // Help and quit are always shown.
    let is_kept = |binding: &keys::Binding| {
        matches!(
            binding.command,
            keys::ConsoleCommand::Help | keys::ConsoleCommand::Quit
        )
    };
    let kept: usize = shown.iter().filter(|b| is_kept(b)).map(|b| takes(b)).sum();
    let mut room = usize::from(area.width).saturating_sub(kept);
    let mut spans = Vec::new();
    for binding in shown {
        if !is_kept(binding) {
            let Some(left) = room.checked_sub(takes(binding)) else {
                continue;
            };
            room = left;
        }
        spans.push(Span::styled(
            format!(" {}", binding.shown),
            theme.style(Role::Accent),
        ));
        spans.push(Span::raw(format!(" {} ", binding.short)));
    }
    frame.render_widget(Line::from(spans), area);
}
