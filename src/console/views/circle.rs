//! The middle part of the overview: people, races, and in a large terminal the newest events.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::columns;
use super::panes::{boxed, state_word};
use super::race_columns;
use crate::console::state::ConsoleState;
use crate::console::theme::{Role, Theme};
use crate::console::words::{ago, cut, many, plain, second};

/// Length of the longest bar of calls, in cells.
const BAR: u64 = 8;
/// The height from which the newest events are shown too, and their least height.
const WITH_EVENTS: u16 = 16;
const LEAST_EVENTS: u16 = 5;
/// The narrowest pane with more than the most important columns, and the narrowest with bars.
const MEDIUM: u16 = 50;
const BROAD: u16 = 70;

/// The height that shows all people and races.
pub(super) fn rows(state: &ConsoleState) -> u16 {
    let rows = state.data.people.accounts.len().max(state.data.races.len());
    u16::try_from(rows.max(1) + 3).unwrap_or(u16::MAX)
}

pub(super) fn draw(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let list_rows = if area.height >= WITH_EVENTS {
        rows(state).clamp(LEAST_EVENTS, area.height / 2)
    } else if area.height >= rows(state).saturating_add(LEAST_EVENTS) {
        rows(state)
    } else {
        area.height
    };
    let [lists, newest] = Layout::vertical([Constraint::Length(list_rows), Constraint::Min(0)]).areas(area);
    let [left, right] = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).areas(lists);
    people(state, theme, frame, left);
    races(state, theme, frame, right);
    if newest.height > 0 {
        events(state, theme, frame, newest);
    }
}

/// People with the most calls in the last 30 days come first.
fn people(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    use Constraint::{Fill, Length};
    let mut accounts: Vec<_> = state.data.people.accounts.iter().collect();
    accounts.sort_by_key(|account| std::cmp::Reverse(account.calls_30d));
    let most = accounts.first().map_or(1, |account| account.calls_30d.max(1));
    let is_broad = area.width >= BROAD;
    let rows = accounts.iter().map(|account| {
        let garmin = account.garmin.split(':').next().unwrap_or_default();
        let garmin = if is_broad { account.garmin.as_str() } else { garmin };
        let mut calls = format!("{:5}", account.calls_30d);
        if is_broad {
            let bar = usize::try_from(account.calls_30d * BAR / most).unwrap_or(0);
            calls = format!("{calls} {}", "█".repeat(bar));
        }
        let history = account.history.as_ref();
        vec![
            Line::raw(plain(&account.email)),
            state_word(theme, garmin),
            Line::raw(account.last_seen.map_or("-".into(), |at| ago(at, state.now))),
            Line::raw(calls),
            Line::raw(history.map_or("-".into(), |history| many(history.days, "day"))),
        ]
    });
    let columns = [
        ("PERSON", Fill(3)),
        ("GARMIN", Fill(2)),
        ("LAST SEEN", Length(9)),
        ("CALLS 30D", Length(9)),
        ("HISTORY", Length(9)),
    ];
    let shown = if area.width >= MEDIUM { 5 } else { 2 };
    let title = format!("People ({})", accounts.len());
    let head = ListHead {
        title: &title,
        columns: columns.split_at(shown).0,
    };
    list(state, theme, frame, area, &head, rows.collect());
}

fn races(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    use Constraint::{Fill, Length};
    let is_medium = area.width >= MEDIUM;
    let rows = state.data.races.iter().map(|race| {
        let mut row = vec![
            Line::raw(plain(state.data.athlete(race))),
            Line::raw(plain(&race.name)),
            state_word(theme, &race.state),
            Line::raw(race_columns::distance(race)),
            Line::raw(race_columns::finish(state, race)),
        ];
        if !is_medium {
            row = row
                .into_iter()
                .enumerate()
                .filter(|(n, _)| n % 2 == 0)
                .map(|(_, cell)| cell)
                .collect();
        }
        row
    });
    let columns = [
        ("ATHLETE", Fill(2)),
        ("RACE", Fill(2)),
        ("STATE", Length(11)),
        ("DISTANCE", Length(12)),
        ("FINISH", Length(6)),
    ];
    let narrow = [("ATHLETE", Fill(2)), ("STATE", Length(11)), ("FINISH", Length(6))];
    let columns = if is_medium { &columns[..] } else { &narrow[..] };
    let title = format!("Races ({})", state.data.races.len());
    let head = ListHead {
        title: &title,
        columns,
    };
    list(state, theme, frame, area, &head, rows.collect());
}

/// The head of a list: its title, and the name and width of each column.
struct ListHead<'a> {
    title: &'a str,
    columns: &'a [(&'static str, Constraint)],
}

/// A list in a box. If not all rows fit, the last line counts the others.
fn list(
    state: &ConsoleState,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
    head: &ListHead<'_>,
    mut rows: Vec<Vec<Line<'static>>>,
) {
    let (header, wanted): (Vec<&str>, Vec<Constraint>) = head.columns.iter().copied().unzip();
    let room = usize::from(area.height.saturating_sub(3));
    let more = if rows.len() > room {
        rows.len() + 1 - room.max(1)
    } else {
        0
    };
    if more > 0 {
        rows.truncate(room.saturating_sub(1));
    }
    for row in &mut rows {
        row.truncate(header.len());
    }
    let block = boxed(state, theme, head.title);
    let inner = block.inner(area);
    let table = columns::table(theme, &header, &wanted, rows, inner.width);
    frame.render_widget(table.block(block), area);
    if more > 0 && inner.height > 1 {
        let last = Rect {
            y: inner.bottom() - 1,
            height: 1,
            ..inner
        };
        frame.render_widget(
            Line::styled(format!("and {more} more"), theme.style(Role::Dim)),
            last,
        );
    }
}

/// The newest event comes last. Events of level `debug` are left out.
fn events(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let room = usize::from(area.height.saturating_sub(2));
    let width = usize::from(area.width).saturating_sub(17);
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
