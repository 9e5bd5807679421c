//! The first view: problems for the operator, figures, and the last minutes. A large terminal also shows people, races
//! and the newest events.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::circle;
use super::panes::{WIDE, boxed};
use crate::console::data::HistorySecond;
use crate::console::keys::VIEWS;
use crate::console::rows::ViewRow;
use crate::console::state::ConsoleState;
use crate::console::theme::{Role, Theme};
use crate::console::words::{cut, overview_figures, plain};

/// Height of the two lower panes in rows, if no mailbox is set up.
const FIGURE_ROWS: u16 = 12;
/// The least height of a terminal that also shows people, races and events.
const TALL: u16 = 34;
const MOST_ATTENTION_ROWS: u16 = 9;

pub(super) fn draw(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let overview = state.data.overview.as_ref();
    let has_mailbox = overview.is_some_and(|overview| overview.mailbox.is_some());
    let figure_rows = FIGURE_ROWS + u16::from(has_mailbox);
    let (needs, bottom) = if area.width >= WIDE && area.height >= TALL {
        let problems = u16::try_from(state.rows().0.len()).unwrap_or(MOST_ATTENTION_ROWS);
        let [needs, middle, bottom] = Layout::vertical([
            Constraint::Length((problems + 2).clamp(4, MOST_ATTENTION_ROWS)),
            Constraint::Min(0),
            Constraint::Length(figure_rows),
        ])
        .areas(area);
        circle::draw(state, theme, frame, middle);
        (needs, bottom)
    } else {
        let [needs, bottom] =
            Layout::vertical([Constraint::Min(5), Constraint::Length(figure_rows)]).areas(area);
        (needs, bottom)
    };
    attention(state, theme, frame, needs);
    let [now, lately] = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).areas(bottom);
    numbers(state, theme, frame, now);
    history(state, theme, frame, lately);
}

fn attention(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let block = boxed(state, theme, "Needs attention");
    let room = usize::from(area.width).saturating_sub(4);
    let (rows, selected) = state.rows();
    let rows_of_screen = usize::from(area.height.saturating_sub(2)).max(1);
    let skip = (selected + 1).saturating_sub(rows_of_screen);
    let mut lines = Vec::new();
    for (n, row) in rows.iter().enumerate().skip(skip).take(rows_of_screen) {
        let ViewRow::Attention(one) = row else { continue };
        let key = one.view as usize + 1;
        let name = VIEWS.get(one.view as usize).map_or("", |(_, name)| name);
        let way = format!("  [{key}] {name}");
        let text = plain(&format!(
            "{} {}: {}",
            Theme::sign(Role::Warn),
            one.subject,
            one.text
        ));
        let text = cut(&text, room.saturating_sub(way.len()));
        let style = if n == selected {
            theme.style(Role::Selection)
        } else {
            theme.style(Role::Warn)
        };
        lines.push(Line::from(vec![
            Span::styled(text, style),
            Span::styled(way, theme.style(Role::Accent)),
        ]));
    }
    if lines.is_empty() {
        lines.push(match &state.data.overview {
            Some(_) => Line::styled("Nothing needs attention.", theme.style(Role::Ok)),
            None => Line::raw("Waiting for the gateway."),
        });
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn numbers(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let block = boxed(state, theme, "Now");
    let Some(o) = &state.data.overview else {
        frame.render_widget(block, area);
        return;
    };
    let room = usize::from(area.width).saturating_sub(4);
    let figures: Vec<_> = overview_figures(o, state.now)
        .into_iter()
        .map(|(label, figure)| Line::raw(cut(&plain(&format!("{label:10}{figure}")), room)))
        .collect();
    frame.render_widget(Paragraph::new(figures).block(block), area);
}

fn history(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let block = boxed(state, theme, "Last minutes");
    let room = usize::from(area.width).saturating_sub(20);
    let last = state.data.history.back().copied().unwrap_or_default();
    let row = |name: &str, of: fn(&HistorySecond) -> f64, role| {
        let spark = Theme::spark(state.data.history.iter().map(of), room);
        Line::from(vec![
            Span::raw(format!("{name:9}")),
            Span::styled(spark, theme.style(role)),
            Span::raw(format!(" {}", of(&last))),
        ])
    };
    let lines = vec![
        row("calls/s", |s| s.calls, Role::Busy),
        Line::raw(""),
        row("workers", |s| s.workers, Role::Ok),
        Line::raw(""),
        row("people", |s| s.people, Role::Accent),
        Line::raw(""),
        row("races", |s| s.races, Role::Track),
    ];
    frame.render_widget(Paragraph::new(lines).block(block), area);
}
