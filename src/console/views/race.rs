//! The fourth view: the list of races, and the selected race with its map, elevation, arrivals at the places, figures
//! over time, and messages.

mod charts;
mod lines;
mod map;
mod places;
mod profile;
mod rehearsal;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Wrap};

use super::lists::{self, ListShape};
use super::panes;
use super::panes::boxed;
use super::race_columns;
use crate::admin::views::RaceDetail;
use crate::console::rows::ViewRow;
use crate::console::state::ConsoleState;
use crate::console::theme::Theme;
use crate::console::words::{clock, second};

/// The least height of a map above an elevation profile, and the height of the profile, in rows.
const MAP_ROWS: u16 = 8;
const PROFILE_ROWS: u16 = 8;

pub(super) fn draw(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    use Constraint::{Length, Min};
    let shape = ListShape {
        title: "Races".into(),
        header: race_columns::titles(area.width),
        widths: race_columns::widths(area.width),
        empty: "No race yet. n watches one: paste its LiveTrack link.",
        detail_rows: 0,
    };
    let (rows, selected) = state.rows();
    let id = rows.get(selected).map(ViewRow::id);
    let detail = state.data.race.as_ref();
    let Some(detail) = detail.filter(|detail| Some(&detail.race.id) == id.as_ref()) else {
        lists::table(state, theme, frame, area, &shape);
        return;
    };
    let list_rows = u16::try_from(rows.len().min(4)).unwrap_or(4) + 3;
    let replay = state
        .replay
        .as_ref()
        .filter(|replay| replay.race == detail.race.id);
    let banner_rows = u16::from(replay.is_some());
    let [list, banner, race] = Layout::vertical([Length(list_rows), Length(banner_rows), Min(0)]).areas(area);
    lists::table(state, theme, frame, list, &shape);
    let Some(replay) = replay else {
        instrument(state, theme, frame, race, detail);
        return;
    };
    rehearsal::banner(state, theme, frame, banner, replay);
    let race = match replay.score(state.now) {
        Some(played) => rehearsal::score(state, theme, frame, race, played),
        None => Some(race),
    };
    if let Some(race) = race {
        instrument(
            state,
            theme,
            frame,
            race,
            &replay.detail(detail, state.races_now()),
        );
    }
}

/// Draws the selected race, either live or in a rehearsal.
fn instrument(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, race: Rect, detail: &RaceDetail) {
    use Constraint::{Fill, Length, Min};
    let [left, right] = Layout::horizontal([Fill(3), Fill(2)]).areas(race);
    let has_profile = !detail.profile.is_empty() && left.height >= MAP_ROWS + PROFILE_ROWS;
    let [above, below] =
        Layout::vertical([Min(0), Length(if has_profile { PROFILE_ROWS } else { 0 })]).areas(left);
    map::draw(state, theme, frame, above, detail);
    if has_profile {
        profile::draw(state, theme, frame, below, detail);
    }
    let places_rows = places::rows(detail, right.height);
    let [figures, arrivals, words] = Layout::vertical([Fill(2), Length(places_rows), Fill(1)]).areas(right);
    charts::draw(state, theme, frame, figures, detail);
    if places_rows > 0 {
        places::draw(state, theme, frame, arrivals, detail);
    }
    let next = places::next(state, detail).filter(|_| places_rows == 0);
    notes(state, theme, frame, words, (detail, next));
}

fn notes(
    state: &ConsoleState,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
    (detail, next): (&RaceDetail, Option<String>),
) {
    let mut text: Vec<String> = next.into_iter().collect();
    if let Some(words) = &detail.last_words {
        text.push(format!("Claude: {words}"));
    }
    let alerts = detail.alerts.iter().rev().take(3);
    text.extend(alerts.map(|(at, alert)| format!("{} {alert}", second(*at, &state.zone))));
    text.extend(detail.recipients.iter().map(|line| format!("To {line}")));
    text.extend(detail.shares.iter().map(|share| {
        let name = share.name.iter().map(|name| format!(", {name}"));
        let with = share.others();
        let with = Some(with).filter(|with| !with.is_empty());
        let with = with.map(|with| format!("; with {with}")).unwrap_or_default();
        format!(
            "Link {}, {}{}{with}",
            share.id,
            share.role,
            name.collect::<String>()
        )
    }));
    let splits = detail.splits.iter().rev();
    text.extend(splits.map(|(label, seconds)| format!("{label} {}", clock(*seconds))));
    let text: Vec<Line<'_>> = panes::lines(&text);
    let block = boxed(state, theme, "Messages, alerts, splits");
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }).block(block), area);
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use crate::admin::views::TrackPointView;

    pub(super) fn sample(second: i64, position: Option<(f64, f64)>, after_gap: bool) -> TrackPointView {
        TrackPointView {
            at: Timestamp::from_second(second).unwrap(),
            position,
            distance_m: None,
            heart_bpm: None,
            power_w: None,
            speed_mps: None,
            after_gap,
        }
    }
}
