//! The fourth view: the list of races, and the map, figures over time, splits and alerts of the selected race.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Color;
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::canvas::{self, Canvas, Context};
use ratatui::widgets::{Axis, Chart, Dataset, GraphType, Paragraph, Wrap};
use serde_json::Value;

use super::lists::{self, ListShape};
use super::panes::{boxed, lines};
use crate::admin::views::{RaceDetail, TrackPointView};
use crate::console::rows::ViewRow;
use crate::console::state::ConsoleState;
use crate::console::theme::{Role, Theme};
use crate::console::words::{ago, clock, pace, second};

/// A figure that is plotted over time.
struct Figure {
    name: &'static str,
    role: Role,
    of: fn(&TrackPointView) -> Option<f64>,
    /// Names in `race_config` of the limits to draw.
    limits: &'static [&'static str],
    words: fn(f64) -> String,
    /// The minimum span of the scale, so that noise does not fill the chart.
    min_span: f64,
}

/// Pace is plotted as speed, so that faster is higher.
const FIGURES: [Figure; 3] = [
    Figure {
        name: "heart rate, bpm",
        role: Role::Heart,
        of: |s| s.heart_bpm,
        limits: &["hr_max", "hr_min", "run_hr_max", "run_hr_min"],
        words: |v| format!("{v:.0}"),
        min_span: 20.0,
    },
    Figure {
        name: "power, W",
        role: Role::Power,
        of: |s| s.power_w,
        limits: &["power_max", "power_min"],
        words: |v| format!("{v:.0}"),
        min_span: 50.0,
    },
    Figure {
        name: "pace, min/km",
        role: Role::Pace,
        of: |s| s.speed_mps,
        limits: &[],
        words: |v| pace(v).unwrap_or("stop".into()),
        min_span: 1.0,
    },
];

pub(super) fn draw(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    use Constraint::{Fill, Length, Min};
    let shape = ListShape {
        title: "Races".into(),
        header: &["RACE", "ATHLETE", "STATE", "LAST POINT", "DISTANCE"],
        widths: vec![Fill(3), Fill(2), Length(12), Length(12), Length(9)],
        empty: "No race is watched. n watches one: paste its LiveTrack link.",
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
    let [list, race] = Layout::vertical([Length(list_rows), Min(0)]).areas(area);
    lists::table(state, theme, frame, list, &shape);
    let [left, right] = Layout::horizontal([Fill(3), Fill(2)]).areas(race);
    map(state, theme, frame, left, detail);
    let [figures, words] = Layout::vertical([Fill(2), Fill(1)]).areas(right);
    let parts = Layout::vertical([Fill(1), Fill(1), Fill(1)]).split(figures);
    for (figure, part) in FIGURES.iter().zip(parts.iter()) {
        chart(state, theme, frame, *part, (detail, figure));
    }
    notes(state, theme, frame, words, detail);
}

fn map(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect, detail: &RaceDetail) {
    let last = detail.race.last_point_at.map_or("no point yet".into(), |at| {
        format!("last point {}", ago(at, state.now))
    });
    let title = format!("{}: {}, {last}", detail.race.name, detail.race.state);
    let block = boxed(state, theme, &title);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let Some(bounds) = MapBounds::around(detail, inner) else {
        return;
    };
    let course: Vec<(f64, f64)> = detail.course.iter().map(|place| bounds.project(*place)).collect();
    let draw_course = bounds.canvas(|on| polyline(on, &course, Color::Reset));
    frame.render_widget(draw_course, inner);
    frame.buffer_mut().set_style(inner, theme.style(Role::Dim));
    let track = segments(&detail.track, |sample| {
        sample.position.map(|place| bounds.project(place))
    });
    let color = theme.style(Role::Track).fg.unwrap_or_default();
    let positions = || detail.track.iter().filter_map(|sample| sample.position);
    let draw_track = bounds.canvas(|on| {
        for segment in &track {
            polyline(on, segment, color);
        }
        let mut mark = |place, text: String, role| {
            let (x, y) = bounds.project(place);
            on.print(x, y, Span::styled(text, theme.style(role)));
        };
        for (place, km) in kilometre_marks(&detail.track) {
            mark(place, km.to_string(), Role::Mark);
        }
        if let Some(start) = positions().next() {
            mark(start, "○".into(), Role::Mark);
        }
        if let Some(here) = positions().next_back() {
            mark(here, "◉".into(), Role::Accent);
        }
    });
    frame.render_widget(draw_track, inner);
}

fn polyline(on: &mut Context<'_>, points: &[(f64, f64)], color: Color) {
    if let [(x, y)] = points {
        on.draw(&canvas::Points::new(&[(*x, *y)], color));
    }
    for pair in points.windows(2) {
        if let [(x1, y1), (x2, y2)] = pair {
            on.draw(&canvas::Line::new(*x1, *y1, *x2, *y2, color));
        }
    }
}

/// The map's bounds around the positions of a race, in degrees of latitude. Both axes have the same scale, so shapes
/// are not distorted.
struct MapBounds {
    x: [f64; 2],
    y: [f64; 2],
    /// Length of a degree of longitude relative to a degree of latitude.
    shrink: f64,
}

impl MapBounds {
    /// The bounds for `area`. `None` if there are no positions or no room.
    fn around(detail: &RaceDetail, area: Rect) -> Option<Self> {
        let positions = detail.track.iter().filter_map(|sample| sample.position);
        let places: Vec<(f64, f64)> = detail.course.iter().copied().chain(positions).collect();
        let (south, north) = range(places.iter().map(|place| place.0))?;
        let (west, east) = range(places.iter().map(|place| place.1))?;
        if area.is_empty() {
            return None;
        }
        let shrink = f64::midpoint(south, north).to_radians().cos().max(0.01);
        // A cell has two braille dots across and four down.
        let (columns, rows) = (f64::from(area.width) * 2.0, f64::from(area.height) * 4.0);
        // The extent is at least about ten metres, for a single position. The margin keeps marks inside the map.
        let (high, wide) = ((north - south).max(1e-4), ((east - west) * shrink).max(1e-4));
        let degrees_per_dot = (wide / columns).max(high / rows) * 1.08;
        let around = |middle: f64, dots: f64| {
            let half = dots * degrees_per_dot / 2.0;
            [middle - half, middle + half]
        };
        Some(Self {
            x: around(f64::midpoint(west, east) * shrink, columns),
            y: around(f64::midpoint(south, north), rows),
            shrink,
        })
    }

    fn canvas<'a, F: Fn(&mut Context<'_>)>(&self, paint: F) -> Canvas<'a, F> {
        Canvas::default()
            .marker(Marker::Braille)
            .x_bounds(self.x)
            .y_bounds(self.y)
            .paint(paint)
    }

    fn project(&self, (latitude, longitude): (f64, f64)) -> (f64, f64) {
        (longitude * self.shrink, latitude)
    }
}

/// The smallest and the largest value.
fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |range, v| match range {
        None => Some((v, v)),
        Some((low, high)) => Some((low.min(v), high.max(v))),
    })
}

/// The points of a line, split where the track has a gap or a sample has no point.
fn segments(
    track: &[TrackPointView],
    of: impl Fn(&TrackPointView) -> Option<(f64, f64)>,
) -> Vec<Vec<(f64, f64)>> {
    let mut segments: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut continues = false;
    for sample in track {
        let Some(point) = of(sample) else {
            continues = false;
            continue;
        };
        match segments.last_mut().filter(|_| continues && !sample.after_gap) {
            Some(segment) => segment.push(point),
            None => segments.push(vec![point]),
        }
        continues = true;
    }
    segments
}

/// The positions of at most eight kilometre marks.
fn kilometre_marks(track: &[TrackPointView]) -> Vec<((f64, f64), u32)> {
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

fn chart(
    state: &ConsoleState,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
    (detail, figure): (&RaceDetail, &Figure),
) {
    let value = detail.track.iter().rev().find_map(figure.of);
    let value = value.map_or("-".into(), figure.words);
    let block = boxed(state, theme, &format!("{}: {value}", figure.name));
    let times = detail.track.iter().map(|sample| sample.at.as_second() as f64);
    let limits: Vec<f64> = figure
        .limits
        .iter()
        .filter_map(|name| detail.limits.get(*name).and_then(Value::as_f64))
        .collect();
    let values = detail.track.iter().filter_map(figure.of);
    let (Some((begin, end)), Some((low, high))) = (range(times), range(values.chain(limits.iter().copied())))
    else {
        frame.render_widget(block, area);
        return;
    };
    let spare = ((figure.min_span - (high - low)) / 2.0).max((high - low) * 0.05);
    let (low, high) = ((low - spare).max(0.0), high + spare);
    let line = segments(&detail.track, |sample| {
        (figure.of)(sample).map(|value| (sample.at.as_second() as f64, value))
    });
    let limit_lines: Vec<Vec<(f64, f64)>> = limits.iter().map(|limit| dotted(*limit, begin, end)).collect();
    let limit = |points| {
        Dataset::default()
            .data(points)
            .style(theme.style(Role::Mark))
            .marker(Marker::Braille)
    };
    let mut datasets: Vec<Dataset<'_>> = limit_lines
        .iter()
        .map(|points| limit(points.as_slice()))
        .collect();
    datasets.extend(line.iter().map(|points| {
        Dataset::default()
            .data(points)
            .graph_type(GraphType::Line)
            .style(theme.style(figure.role))
            .marker(Marker::Braille)
    }));
    let (mut x, mut y) = (
        Axis::default().bounds([begin, (end).max(begin + 1.0)]),
        Axis::default().bounds([low, high]),
    );
    // Labels and axes take two rows, which a small chart needs for its line.
    if block.inner(area).height >= 5 {
        let started = detail.race.started_at.map_or(begin, |at| at.as_second() as f64);
        x = x.labels([clock(begin - started), clock(end - started)]);
        y = y.labels([(figure.words)(low), (figure.words)(high)]);
    }
    let axes = theme.style(Role::Dim);
    let chart = Chart::new(datasets)
        .block(block)
        .x_axis(x.style(axes))
        .y_axis(y.style(axes))
        .legend_position(None);
    frame.render_widget(chart, area);
}

/// The points of a dotted horizontal line.
fn dotted(value: f64, begin: f64, end: f64) -> Vec<(f64, f64)> {
    (0..=32)
        .map(|n| (begin + (end - begin) * f64::from(n) / 32.0, value))
        .collect()
}

fn notes(state: &ConsoleState, theme: Theme, frame: &mut Frame<'_>, area: Rect, detail: &RaceDetail) {
    let mut text = Vec::new();
    if let Some(words) = &detail.last_words {
        text.push(format!("Claude: {words}"));
    }
    let alerts = detail.alerts.iter().rev().take(3);
    text.extend(alerts.map(|(at, alert)| format!("{} {alert}", second(*at, &state.zone))));
    let splits = detail.splits.iter().rev();
    text.extend(splits.map(|(label, seconds)| format!("{label} {}", clock(*seconds))));
    let text: Vec<Line<'_>> = lines(&text);
    let block = boxed(state, theme, "Messages, alerts, splits");
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }).block(block), area);
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn sample(second: i64, position: Option<(f64, f64)>, after_gap: bool) -> TrackPointView {
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

    #[test]
    fn no_line_crosses_a_gap() {
        let here = Some((46.5, 6.6));
        let track = [
            sample(0, here, false),
            sample(1, here, false),
            sample(2, here, true),
            sample(3, None, false),
            sample(4, here, false),
        ];
        let lengths: Vec<usize> = segments(&track, |s| s.position).iter().map(Vec::len).collect();
        assert_eq!(lengths, [2, 1, 1]);
        assert!(segments(&[], |s| s.position).is_empty());
    }

    #[test]
    fn all_places_are_inside_and_shapes_stay_true() {
        let places = [(46.5, 6.6), (46.6, 6.6), (46.5, 6.9)];
        let detail = crate::console::tests::samples::race_with(
            places.map(|place| sample(0, Some(place), false)).into(),
        );
        let bounds = MapBounds::around(&detail, Rect::new(0, 0, 40, 10)).unwrap();
        for place in places {
            let (x, y) = bounds.project(place);
            assert!(bounds.x[0] < x && x < bounds.x[1] && bounds.y[0] < y && y < bounds.y[1]);
        }
        // Dots are square: 80 across, 40 down.
        let (wide, high) = (bounds.x[1] - bounds.x[0], bounds.y[1] - bounds.y[0]);
        assert!((wide / 80.0 - high / 40.0).abs() < 1e-9);
        let nothing = crate::console::tests::samples::race_with(Vec::new());
        assert!(MapBounds::around(&nothing, Rect::new(0, 0, 40, 10)).is_none());
        let one = crate::console::tests::samples::race_with(vec![sample(0, Some((46.5, 6.6)), false)]);
        assert!(MapBounds::around(&one, Rect::new(0, 0, 40, 10)).is_some());
    }
}
