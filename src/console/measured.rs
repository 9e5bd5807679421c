//! Measures the cost of drawing, for the benchmark.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::state::{ConsoleState, LinkState};
use super::theme::Theme;
use super::views;
use crate::admin::views::{ConsoleView, RaceDetail};

/// Draws a race `times` times on an off-screen terminal of this size. Returns the time of each frame.
pub fn race_drawn(detail: &RaceDetail, size: (u16, u16), times: usize) -> Vec<Duration> {
    let now = detail.race.last_point_at.unwrap_or(Timestamp::UNIX_EPOCH);
    let mut state = ConsoleState::new(now, TimeZone::UTC, size);
    state.link = LinkState::Live;
    state.view = ConsoleView::Races;
    state.data.races = vec![detail.race.clone()];
    state.data.race = Some(detail.clone());
    let theme = Theme {
        color: true,
        ascii: false,
    };
    let Ok(mut terminal) = Terminal::new(TestBackend::new(size.0, size.1));
    let picture = |_| {
        let began = Instant::now();
        let Ok(_) = terminal.draw(|frame| views::draw(&state, theme, frame));
        began.elapsed()
    };
    (0..times).map(picture).collect()
}
