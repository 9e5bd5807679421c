//! Paths of a drawing: positions become pixels, and pixels a path.

use crate::garmin::livetrack::Position;
use crate::race::geo::{from_plane_m, plane_m};

/// The width of every drawing in its own units; the page scales it.
pub(super) const WIDTH: f64 = 720.0;

/// Points nearer than this to the one before are left out of a path.
const NEAREST: f64 = 1.6;

/// Room between a drawing and its edge.
pub(super) const MARGIN: f64 = 18.0;

/// Maps positions to the units of a drawing, with north up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Projection {
    origin: Position,
    west_m: f64,
    north_m: f64,
    per_m: f64,
    margin_x: f64,
    margin_y: f64,
    pub(super) height: f64,
}

impl Projection {
    /// Fits these positions into the width and between two heights; `None` without an extent.
    pub(super) fn fit(positions: &[Position], lowest: f64, highest: f64) -> Option<Self> {
        let origin = *positions.first()?;
        let (mut west, mut east, mut south, mut north) = (0.0_f64, 0.0_f64, 0.0_f64, 0.0_f64);
        for position in positions {
            let (x, y) = plane_m(origin, *position);
            (west, east) = (west.min(x), east.max(x));
            (south, north) = (south.min(y), north.max(y));
        }
        let (wide_m, high_m) = ((east - west).max(1.0), (north - south).max(1.0));
        if wide_m.max(high_m) < 20.0 {
            return None;
        }
        let inner = WIDTH - 2.0 * MARGIN;
        let height = (inner * high_m / wide_m + 2.0 * MARGIN)
            .clamp(lowest, highest)
            .round();
        let per_m = (inner / wide_m).min((height - 2.0 * MARGIN) / high_m);
        Some(Self {
            origin,
            west_m: west,
            north_m: north,
            per_m,
            margin_x: (WIDTH - wide_m * per_m) / 2.0,
            margin_y: (height - high_m * per_m) / 2.0,
            height,
        })
    }

    pub(super) fn place(&self, position: Position) -> (f64, f64) {
        let (east_m, north_m) = plane_m(self.origin, position);
        (
            self.margin_x + (east_m - self.west_m) * self.per_m,
            self.margin_y + (self.north_m - north_m) * self.per_m,
        )
    }

    /// The position of a point of the drawing.
    pub(super) fn position(&self, x: f64, y: f64) -> Position {
        let east_m = self.west_m + (x - self.margin_x) / self.per_m;
        let north_m = self.north_m - (y - self.margin_y) / self.per_m;
        from_plane_m(self.origin, (east_m, north_m))
    }
}

/// A path that is written point by point.
#[derive(Clone, Debug, Default)]
pub(super) struct PathWriter {
    text: String,
    last: Option<(f64, f64)>,
}

impl PathWriter {
    /// Draws a line to the point, or begins there if the pen is up.
    pub(super) fn line_to(&mut self, (x, y): (f64, f64)) {
        match self.last {
            Some((last_x, last_y)) if (x - last_x).hypot(y - last_y) < NEAREST => return,
            Some(_) => self.text.push('L'),
            None => self.text.push('M'),
        }
        let point = format!("{x:.0} {y:.0}");
        self.text.push_str(&point);
        self.last = Some((x, y));
    }

    /// The next point begins a new line.
    pub(super) fn lift(&mut self) {
        self.last = None;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}
