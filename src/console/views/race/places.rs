//! Checkpoints and finish: when the athlete passed them, or is expected there.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Span;
use ratatui::widgets::{Cell, Row, Table};

use crate::admin::views::{RaceDetail, RacePlaceView};
use crate::console::state::ConsoleState;
use crate::console::theme::{Role, Theme};
use crate::console::views::panes::boxed;
use crate::console::words::{plain, signed, time_of_day};

/// The greatest height of the pane, and the height that the column's other panes need, in rows.
const MOST_ROWS: u16 = 10;
const OTHER_ROWS: u16 = 20;

/// The height of the pane in a column of this height; 0 if there is no room or no place.
pub(super) fn rows(detail: &RaceDetail, height: u16) -> u16 {
    let room = height.saturating_sub(OTHER_ROWS).min(MOST_ROWS);
    let wanted = u16::try_from(detail.places.len()).unwrap_or(MOST_ROWS) + 3;
    if detail.places.is_empty() || room < 4 {
        0
    } else {
        wanted.min(room)
    }
}

pub(super) fn draw(
    state: &ConsoleState,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
    detail: &RaceDetail,
) {
    let room = usize::from(area.height.saturating_sub(3));
    // If not all places fit, the list begins with the last one that was passed.
    let ahead = detail.places.iter().position(|place| place.passed_at.is_none());
    let last_start = detail.places.len().saturating_sub(room);
    let from = ahead
        .unwrap_or(detail.places.len())
        .saturating_sub(1)
        .min(last_start);
    let shown = detail.places.iter().skip(from).take(room);
    let header = ["PLACE", "KM", "ARRIVAL", "CUT-OFF"];
    let widths = [
        Constraint::Fill(1),
        Constraint::Length(5),
        Constraint::Length(19),
        Constraint::Length(8),
    ];
    let table = Table::new(
        shown.map(|place| row(state, theme, place, ended_at(detail, place))),
        widths,
    )
    .header(Row::new(header).style(theme.style(Role::Accent)))
    .block(boxed(state, theme, "Places"));
    frame.render_widget(table, area);
}

/// The next place on one line, for a terminal without room for the pane.
pub(super) fn next(state: &ConsoleState, detail: &RaceDetail) -> Option<String> {
    detail.places.iter().find_map(|place| {
        let arrival = window(state, place.arrival?);
        Some(format!("{}: {arrival}", place.name))
    })
}

fn window(state: &ConsoleState, [early, likely, late]: [Timestamp; 3]) -> String {
    let time = |at| time_of_day(at, &state.zone);
    format!("{} ({}-{})", time(likely), time(early), time(late))
}

/// The end of a race that finished, for its finish.
fn ended_at(detail: &RaceDetail, place: &RacePlaceView) -> Option<Timestamp> {
    let is_finish =
        detail.places.last().is_some_and(|last| std::ptr::eq(last, place)) && place.name == "finish";
    detail
        .race
        .ended_at
        .filter(|_| is_finish && detail.race.state == "finished")
}

fn row(
    state: &ConsoleState,
    theme: Theme,
    place: &RacePlaceView,
    ended_at: Option<Timestamp>,
) -> Row<'static> {
    let time = |at| time_of_day(at, &state.zone);
    let passed_at = place.passed_at.or(ended_at);
    let arrival = match (passed_at, place.arrival) {
        (Some(at), _) => Span::styled(format!("passed {}", time(at)), theme.style(Role::Ok)),
        (None, Some(arrival)) => Span::raw(window(state, arrival)),
        (None, None) => Span::styled("not known yet", theme.style(Role::Dim)),
    };
    let margin = place
        .cutoff_at
        .zip(passed_at.or(place.arrival.map(|[_, likely, _]| likely)))
        .map(|(cutoff, arrives)| cutoff.duration_since(arrives).as_secs_f64());
    let cutoff = match (margin, place.cutoff_at) {
        (Some(margin_s), _) => {
            let role = if margin_s < 0.0 { Role::Warn } else { Role::Ok };
            Span::styled(signed(margin_s), theme.style(role))
        }
        (None, Some(at)) => Span::raw(time(at)),
        (None, None) => Span::raw(""),
    };
    Row::new([
        Cell::from(plain(&place.name)),
        Cell::from(format!("{:.1}", place.at_m / 1_000.0)),
        Cell::from(arrival),
        Cell::from(cutoff),
    ])
}
