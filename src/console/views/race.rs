//! The fourth view: races, and of the selected one its map, its figures over one time axis, splits and alerts.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Wrap};

use super::{boxed, lists};
use crate::admin::api::{RaceDetail, TrackSample};
use crate::console::chart::{self, Projection, Scale};
use crate::console::dots::Dots;
use crate::console::state::ConsoleState;
use crate::console::theme::{Role, Theme};
use crate::console::words::{ago, clock, pace, plain, second};

/// A figure over time: its name, its fixed range, where it comes from, what bounds it.
struct Figure {
    name: &'static str,
    role: Role,
    range: (f64, f64),
    of: fn(&TrackSample) -> Option<f64>,
    limits: &'static [&'static str],
    words: fn(f64) -> String,
}

/// Pace is drawn as speed, so that faster is up.
const FIGURES: [Figure; 3] = [
    Figure {
        name: "heart rate 40-200",
        role: Role::Heart,
        range: (40.0, 200.0),
        of: |s| s.heart_bpm,
        limits: &["hr_max", "hr_min", "run_hr_max", "run_hr_min"],
        words: |v| format!("{v:.0}"),
    },
    Figure {
        name: "power 0-500",
        role: Role::Power,
        range: (0.0, 500.0),
        of: |s| s.power_w,
        limits: &["power_max", "power_min"],
        words: |v| format!("{v:.0} W"),
    },
    Figure {
        name: "pace, faster is up",
        role: Role::Pace,
        range: (0.0, 6.0),
        of: |s| s.speed_mps,
        limits: &[],
        words: |v| pace(v).map_or("standing".into(), |pace| format!("{pace} /km")),
    },
];

pub(super) fn draw(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    use Constraint::{Fill, Length, Min};
    let columns = vec![Fill(1), Length(12), Length(12), Length(9)];
    let head = &["RACE", "STATE", "LAST POINT", "DISTANCE"];
    let otherwise = "No race is watched. n watches one: paste its LiveTrack link.";
    let (rows, selected) = state.rows();
    let id = rows.get(selected).map(crate::console::rows::ViewRow::id);
    let detail = state
        .race
        .as_ref()
        .filter(|detail| Some(&detail.race.id) == id.as_ref());
    let Some(detail) = detail else {
        lists::plain_table(state, theme, frame, area, ("Races", head, columns, otherwise));
        return;
    };
    let list_rows = u16::try_from(rows.len().min(4)).unwrap_or(4) + 3;
    let [list, race] = Layout::vertical([Length(list_rows), Min(0)]).areas(area);
    lists::plain_table(state, theme, frame, list, ("Races", head, columns, otherwise));
    let [left, right] = Layout::horizontal([Fill(3), Fill(2)]).areas(race);
    map(state, theme, frame, left, detail);
    let [figures, words] = Layout::vertical([Fill(2), Fill(1)]).areas(right);
    let parts = Layout::vertical([Fill(1), Fill(1), Fill(1)]).split(figures);
    for (figure, part) in FIGURES.iter().zip(parts.iter()) {
        curve(state, theme, frame, (*part, detail, figure));
    }
    told(state, theme, frame, words, detail);
}

fn map(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect, detail: &RaceDetail) {
    let last = detail.race.last_point_at.map_or("no point yet".into(), |at| {
        format!("last point {}", ago(at, state.now))
    });
    let block = boxed(
        state,
        theme,
        &format!("{}: {}, {last}", detail.race.name, detail.race.state),
    );
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let (mut course, mut track) = (
        Dots::new(inner.width, inner.height),
        Dots::new(inner.width, inner.height),
    );
    let mut positions = detail.track.iter().filter_map(|sample| sample.position);
    let places = detail.course.iter().copied().chain(positions.clone());
    let Some(on) = Projection::fit(&places, track.width(), track.height()) else {
        return;
    };
    for pair in detail.course.windows(2) {
        if let [from, to] = pair {
            course.line(on.dot(*from), on.dot(*to));
        }
    }
    chart::track(&mut track, &on, &detail.track);
    paint(frame, inner, &course, theme, Role::Dim);
    paint(frame, inner, &track, theme, Role::Track);
    let mut mark = |place, text: &str, role| {
        let (x, y) = on.dot(place);
        if let (Some(x), Some(y)) = (cell(x / 2.0), cell(y / 4.0)) {
            let room = usize::from(inner.width.saturating_sub(x));
            if y < inner.height {
                let (x, y) = (inner.x + x, inner.y + y);
                frame
                    .buffer_mut()
                    .set_stringn(x, y, text, room, theme.style(role));
            }
        }
    };
    for (place, km) in kilometres(&detail.track) {
        mark(place, &km.to_string(), Role::Mark);
    }
    if let Some(start) = positions.clone().next() {
        mark(start, theme.glyph("○", "o"), Role::Mark);
    }
    if let Some(here) = positions.next_back() {
        mark(here, theme.glyph("●", "@"), Role::Accent);
    }
}

/// At most eight places where a kilometre mark stands.
fn kilometres(track: &[TrackSample]) -> Vec<((f64, f64), u32)> {
    let far = track.iter().filter_map(|s| s.distance_m).fold(0.0, f64::max) / 1_000.0;
    let step = [1, 2, 5, 10, 20, 50, 100]
        .into_iter()
        .find(|step| far / f64::from(*step) <= 8.0)
        .unwrap_or(200);
    let (mut marks, mut next) = (Vec::new(), step);
    for sample in track {
        if let (Some(place), Some(metres)) = (sample.position, sample.distance_m)
            && metres >= f64::from(next) * 1_000.0
        {
            marks.push((place, next));
            next += step;
        }
    }
    marks
}

fn curve(
    state: &ConsoleState,
    theme: Theme,
    frame: &mut Frame<'_>,
    (area, detail, figure): (Rect, &RaceDetail, &Figure),
) {
    let last = detail.track.iter().rev().find_map(figure.of);
    let value = last.map_or("-".into(), figure.words);
    let block = boxed(state, theme, &format!("{}: {value}", figure.name));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let second = |sample: Option<&TrackSample>| sample.map_or(0.0, |sample| sample.at.as_second() as f64);
    let scale = Scale {
        time: (second(detail.track.first()), second(detail.track.last())),
        value: figure.range,
    };
    let (mut limits, mut line) = (
        Dots::new(inner.width, inner.height),
        Dots::new(inner.width, inner.height),
    );
    for name in figure.limits {
        if let Some(value) = detail.limits.get(*name).and_then(serde_json::Value::as_f64) {
            chart::limit(&mut limits, &scale, value);
        }
    }
    chart::curve(&mut line, &scale, &detail.track, figure.of);
    paint(frame, inner, &limits, theme, Role::Mark);
    paint(frame, inner, &line, theme, figure.role);
}

fn told(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect, detail: &RaceDetail) {
    let mut lines = Vec::new();
    if let Some(words) = &detail.last_words {
        lines.push(format!("Claude: {words}"));
    }
    let alerts = detail.alerts.iter().rev().take(3);
    lines.extend(alerts.map(|(at, alert)| format!("{} {alert}", second(*at, &state.zone))));
    let splits = detail.splits.iter().rev();
    lines.extend(splits.map(|(label, seconds)| format!("{label} {}", clock(*seconds))));
    let lines: Vec<Line<'_>> = lines.iter().map(|line| Line::raw(plain(line))).collect();
    let block = boxed(state, theme, "Words, alerts, splits");
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: true }).block(block), area);
}

fn paint(frame: &mut Frame<'_>, area: Rect, dots: &Dots, theme: Theme, role: Role) {
    let buffer = frame.buffer_mut();
    for (column, row, sign) in dots.cells(theme.ascii) {
        if column < area.width
            && row < area.height
            && let Some(cell) = buffer.cell_mut((area.x + column, area.y + row))
        {
            cell.set_char(sign).set_style(theme.style(role));
        }
    }
}

/// The whole cell at a place.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range was looked at"
)]
fn cell(at: f64) -> Option<u16> {
    (0.0..65_536.0).contains(&at).then_some(at as u16)
}
