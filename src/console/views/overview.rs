//! The first view: problems for the operator, people, races, figures, and the last minutes. A large terminal also shows
//! the newest events.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::panes::boxed;
use super::{attention, circle};
use crate::console::data::HistorySecond;
use crate::console::state::ConsoleState;
use crate::console::theme::{Role, Theme};
use crate::console::words::{cut, overview_figures, plain};

/// The least height of a view that has room for much.
const TALL: u16 = 34;
/// The greatest height of the problems, in a tall and in a low view.
const PROBLEM_ROWS: [u16; 2] = [12, 8];
/// The least height of the lists of people and races: one row of each.
const LEAST_LISTS: u16 = 4;
/// The number of rows of people and races for which the last minutes give way.
const MOST_LISTS: u16 = 12;

pub(super) fn draw(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let figures = figures(state);
    let count = u16::try_from(figures.len().max(10)).unwrap_or(10);
    let [tall, low] = PROBLEM_ROWS;
    let most = if area.height >= TALL { tall } else { low };
    let problem_rows = attention::rows(state, theme, area.width).min(most);
    let left = area.height.saturating_sub(problem_rows);
    let has_minutes = left >= count + 2 + circle::rows(state).min(MOST_LISTS);
    let bottom_rows = if has_minutes {
        count + 2
    } else {
        count.div_ceil(2) + 2
    };
    let list_rows = left.saturating_sub(bottom_rows);
    let list_rows = if list_rows < LEAST_LISTS { 0 } else { list_rows };
    let [needs, lists, bottom] = Layout::vertical([
        Constraint::Min(3),
        Constraint::Length(list_rows),
        Constraint::Length(bottom_rows),
    ])
    .areas(area);
    attention::draw(state, theme, frame, needs);
    if list_rows > 0 {
        circle::draw(state, theme, frame, lists);
    }
    if has_minutes {
        let [now, lately] = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).areas(bottom);
        numbers(state, theme, frame, now, &figures, 1);
        history(state, theme, frame, lately);
    } else {
        numbers(state, theme, frame, bottom, &figures, 2);
    }
}

fn figures(state: &ConsoleState) -> Vec<String> {
    let overview = state.data.overview.as_ref();
    let figures = overview.map_or_else(Vec::new, |overview| overview_figures(overview, state.now));
    figures
        .into_iter()
        .map(|(label, figure)| plain(&format!("{label:10}{figure}")))
        .collect()
}

/// The figures in one or two columns.
fn numbers(
    state: &ConsoleState,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
    figures: &[String],
    columns: usize,
) {
    let block = boxed(state, theme, "Now");
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let parts = Layout::horizontal(vec![Constraint::Fill(1); columns])
        .spacing(2)
        .split(inner);
    let rows = figures.len().div_ceil(columns).max(1);
    for (part, figures) in parts.iter().zip(figures.chunks(rows)) {
        let lines = figures
            .iter()
            .map(|figure| Line::raw(cut(figure, usize::from(part.width))));
        frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), *part);
    }
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
