//! The elevation along the course with its places, filled up to the athlete's position.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::symbols::Marker;
use ratatui::widgets::{Axis, Chart, Dataset, GraphType};

use super::lines::range;
use crate::admin::views::RaceDetail;
use crate::console::state::ConsoleState;
use crate::console::theme::{Role, Theme};
use crate::console::views::panes::boxed;

/// The least range of the elevation axis in metres, so that a flat course looks flat.
const LEAST_RANGE_M: f64 = 40.0;

pub(super) fn draw(
    state: &ConsoleState,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
    detail: &RaceDetail,
) {
    let altitudes = || detail.profile.iter().map(|(_, altitude_m)| *altitude_m);
    let (Some((low, high)), Some((_, end_m))) =
        (range(altitudes()), range(detail.profile.iter().map(|p| p.0)))
    else {
        return;
    };
    let here_m = detail.progress_m.unwrap_or(0.0);
    let spare = ((LEAST_RANGE_M - (high - low)) / 2.0).max(0.0);
    let (bottom, top) = (low - spare, high + spare);
    let behind: Vec<(f64, f64)> = detail
        .profile
        .iter()
        .filter(|(at_m, _)| *at_m <= here_m)
        .flat_map(|(at_m, altitude_m)| filled(*at_m, *altitude_m, bottom, top))
        .collect();
    let places: Vec<(f64, f64)> = detail
        .places
        .iter()
        .filter(|place| place.at_m < end_m)
        .flat_map(|place| filled(place.at_m, top, bottom, top))
        .collect();
    let line = |points, graph, role| {
        Dataset::default()
            .data(points)
            .graph_type(graph)
            .style(theme.style(role))
            .marker(Marker::Braille)
    };
    let datasets = vec![
        line(places.as_slice(), GraphType::Scatter, Role::Mark),
        line(behind.as_slice(), GraphType::Scatter, Role::Track),
        line(detail.profile.as_slice(), GraphType::Line, Role::Dim),
    ];
    let middle_km = format!("{:.0}", end_m / 2_000.0);
    let x = Axis::default()
        .bounds([0.0, end_m.max(1.0)])
        .labels(["0".to_owned(), middle_km, format!("{:.1} km", end_m / 1_000.0)])
        .style(theme.style(Role::Dim));
    let y = Axis::default()
        .bounds([bottom, top])
        .labels([format!("{bottom:.0}"), format!("{top:.0} m")])
        .style(theme.style(Role::Dim));
    let title = format!("Elevation: {low:.0} to {high:.0} m");
    let chart = Chart::new(datasets)
        .block(boxed(state, theme, &title))
        .x_axis(x)
        .y_axis(y)
        .legend_position(None);
    frame.render_widget(chart, area);
}

/// The dots of a vertical line from the bottom up to an altitude. The pane is about twenty dots high.
fn filled(at_m: f64, altitude_m: f64, bottom: f64, top: f64) -> impl Iterator<Item = (f64, f64)> {
    let step = ((top - bottom) / 24.0).max(f64::EPSILON);
    (0..=24_u8)
        .map(move |n| bottom + f64::from(n) * step)
        .take_while(move |y| *y <= altitude_m)
        .map(move |y| (at_m, y))
}
