//! The map: the course, the track, kilometre marks, the start and the latest position.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Color;
use ratatui::symbols::Marker;
use ratatui::text::Span;
use ratatui::widgets::canvas::{self, Canvas, Context};

use super::lines::{range, segments};
use crate::admin::views::{RaceDetail, TrackPointView};
use crate::console::state::ConsoleState;
use crate::console::theme::{Role, Theme};
use crate::console::views::panes::boxed;
use crate::console::words::ago;

pub(super) fn draw(
    state: &ConsoleState,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
    detail: &RaceDetail,
) {
    let last = detail.race.last_point_at.map_or("no point yet".into(), |at| {
        format!("last point {}", ago(at, state.races_now()))
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

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;

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
