//! Heart rate, power and pace over time, with their limits.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::symbols::Marker;
use ratatui::widgets::{Axis, Chart, Dataset, GraphType};
use serde_json::Value;

use super::lines::{dotted, range, segments};
use crate::admin::views::{RaceDetail, TrackPointView};
use crate::console::state::ConsoleState;
use crate::console::theme::{Role, Theme};
use crate::console::views::panes::boxed;
use crate::console::words::{clock, pace};

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

pub(super) fn draw(
    state: &ConsoleState,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
    detail: &RaceDetail,
) {
    let parts = Layout::vertical([Constraint::Fill(1); 3]).split(area);
    for (figure, part) in FIGURES.iter().zip(parts.iter()) {
        chart(state, theme, frame, *part, (detail, figure));
    }
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
