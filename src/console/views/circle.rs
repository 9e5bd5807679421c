//! The middle part of a large overview: people, races, and the newest events.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Paragraph, Row, Table};

use super::panes::{boxed, state_cell};
use super::race_columns;
use crate::console::state::ConsoleState;
use crate::console::theme::{Role, Theme};
use crate::console::words::{ago, cut, many, plain, second, time_of_day};

/// Length of the longest bar of calls, in cells.
const BAR: u64 = 8;

pub(super) fn draw(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let halves = [Constraint::Fill(1), Constraint::Fill(1)];
    let [lists, newest] = Layout::vertical(halves).areas(area);
    let [left, right] = Layout::horizontal(halves).areas(lists);
    people(state, theme, frame, left);
    races(state, theme, frame, right);
    events(state, theme, frame, newest);
}

/// People with the most calls in the last 30 days come first.
fn people(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let mut accounts: Vec<_> = state.data.people.accounts.iter().collect();
    accounts.sort_by_key(|account| std::cmp::Reverse(account.calls_30d));
    let most = accounts.first().map_or(1, |account| account.calls_30d.max(1));
    let rows = accounts.iter().map(|account| {
        let bar = "█".repeat(usize::try_from(account.calls_30d * BAR / most).unwrap_or(0));
        let history = account.history.as_ref();
        Row::new([
            Cell::from(plain(&account.email)),
            state_cell(theme, &account.garmin),
            Cell::from(account.last_seen.map_or("-".into(), |at| ago(at, state.now))),
            Cell::from(format!("{:5} {bar}", account.calls_30d)),
            Cell::from(history.map_or("-".into(), |history| many(history.days, "day"))),
        ])
    });
    let widths = [
        Constraint::Fill(3),
        Constraint::Fill(2),
        Constraint::Length(11),
        Constraint::Length(14),
        Constraint::Length(10),
    ];
    let header = ["PERSON", "GARMIN", "LAST SEEN", "CALLS 30D", "HISTORY"];
    let title = format!("People ({})", accounts.len());
    let table = Table::new(rows, widths).header(Row::new(header).style(theme.style(Role::Accent)));
    frame.render_widget(table.block(boxed(state, theme, &title)), area);
}

fn races(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let rows = state.data.races.iter().map(|race| {
        let finish = race.finish.map(|[_, likely, _]| time_of_day(likely, &state.zone));
        Row::new([
            Cell::from(plain(state.data.athlete(race))),
            Cell::from(plain(&race.name)),
            state_cell(theme, &race.state),
            Cell::from(race_columns::distance(race)),
            Cell::from(finish.unwrap_or("-".into())),
        ])
    });
    let widths = [
        Constraint::Fill(2),
        Constraint::Fill(2),
        Constraint::Length(13),
        Constraint::Length(15),
        Constraint::Length(6),
    ];
    let header = ["ATHLETE", "RACE", "STATE", "DISTANCE", "FINISH"];
    let title = format!("Races ({})", state.data.races.len());
    let table = Table::new(rows, widths).header(Row::new(header).style(theme.style(Role::Accent)));
    frame.render_widget(table.block(boxed(state, theme, &title)), area);
}

/// The newest event comes last. Events of level `debug` are left out.
fn events(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let room = usize::from(area.height.saturating_sub(2));
    let width = usize::from(area.width).saturating_sub(20);
    let newest = state.data.log.iter().rev().filter(|event| event.level != "debug");
    let mut lines: Vec<Line<'_>> = newest
        .take(room)
        .map(|event| {
            let role = Theme::role_of(&event.level);
            Line::from(vec![
                Span::raw(second(event.at, &state.zone)),
                Span::styled(format!(" {:5} ", event.level), theme.style(role)),
                Span::raw(cut(&plain(&state.data.event_line(event)), width)),
            ])
        })
        .collect();
    lines.reverse();
    let block = boxed(state, theme, "Newest events");
    frame.render_widget(Paragraph::new(lines).block(block), area);
}
