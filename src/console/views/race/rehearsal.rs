//! The line that says that a race is a rehearsal, and the score at its end.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Wrap};

use crate::console::rehearsal::{RaceReplay, RehearsedRace, score_lines};
use crate::console::state::ConsoleState;
use crate::console::theme::{Role, Theme};
use crate::console::views::panes::{boxed, lines};
use crate::console::words::{clock, cut};

/// The height of the score, and the least height of a race above it, in rows.
const SCORE_ROWS: u16 = 9;
const RACE_ROWS: u16 = 14;

pub(super) fn banner(
    state: &ConsoleState,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
    replay: &RaceReplay,
) {
    let room = usize::from(area.width).saturating_sub(2);
    let text = cut(&replay.banner(state.now), room);
    frame.render_widget(Line::styled(format!(" {text}"), theme.style(Role::Warn)), area);
}

/// Draws the score below the race, or instead of it if there is no room for both. Returns what is left for the race.
pub(super) fn score(
    state: &ConsoleState,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
    played: &RehearsedRace,
) -> Option<Rect> {
    let is_alone = area.height < SCORE_ROWS + RACE_ROWS;
    let [race, below] = if is_alone {
        [Rect::default(), area]
    } else {
        Layout::vertical([Constraint::Min(0), Constraint::Length(SCORE_ROWS)]).areas(area)
    };
    let [left, right] = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).areas(below);
    let [alerts, outlook] = score_lines(played);
    let way = &played.score;
    let what = format!(
        "{}, {:.1} km in {}",
        way.sport,
        way.distance_m / 1_000.0,
        clock(way.elapsed_s)
    );
    for (area, title, text) in [
        (left, "Rehearsal: alerts".to_owned(), alerts),
        (right, format!("Rehearsal: {what}"), outlook),
    ] {
        let text = Paragraph::new(lines(&text)).wrap(Wrap { trim: false });
        frame.render_widget(text.block(boxed(state, theme, &title)), area);
    }
    (!is_alone).then_some(race)
}
