//! The route of a pretend race: a winding road whose length along the ground is exact.

/// The distance in metres between two computed positions.
const STEP_M: f64 = 10.0;

/// The length in metres of one degree of latitude.
pub(super) const DEGREE_M: f64 = 111_195.0;

#[derive(Debug)]
pub(super) struct RaceRoute {
    /// One position for every [`STEP_M`] metres: degrees north and east.
    places: Vec<(f64, f64)>,
}

impl RaceRoute {
    pub(super) fn new(start: (f64, f64), length_m: f64) -> Self {
        let mut places = vec![start];
        let (mut lat, mut lon) = start;
        let mut gone_m = 0.0;
        while gone_m < length_m {
            let bends = 0.9 * (gone_m / 1_430.0).sin() + 0.5 * (gone_m / 366.0).sin();
            // A slow turn keeps even the longest route within a small area.
            let heading = bends + gone_m / 9_000.0;
            lat += STEP_M * heading.cos() / DEGREE_M;
            lon += STEP_M * heading.sin() / (DEGREE_M * lat.to_radians().cos());
            places.push((lat, lon));
            gone_m += STEP_M;
        }
        Self { places }
    }

    /// The position after this distance; beyond the length of the route, its end.
    pub(super) fn at(&self, metres: f64) -> (f64, f64) {
        let steps = (metres / STEP_M).max(0.0);
        let index = floor(steps).min(self.places.len().saturating_sub(1));
        let part = steps.fract();
        let from = self.places.get(index).copied().unwrap_or_default();
        let to = self.places.get(index + 1).copied().unwrap_or(from);
        (from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1))
    }

    /// Altitude above sea level after this distance.
    pub(super) fn altitude_m(metres: f64) -> f64 {
        450.0 + 25.0 * (metres / 2_100.0).sin() + 8.0 * (metres / 610.0).sin()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index, never negative"
)]
fn floor(number: f64) -> usize {
    number as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metre_of_the_route_is_a_metre_on_the_ground() {
        let way = RaceRoute::new((46.62, 14.31), 42_195.0);
        for metres in [0.0, 995.0, 10_000.0, 42_190.0] {
            let ((a_lat, a_lon), (b_lat, b_lon)) = (way.at(metres), way.at(metres + 5.0));
            let north = (b_lat - a_lat) * DEGREE_M;
            let east = (b_lon - a_lon) * DEGREE_M * a_lat.to_radians().cos();
            let ground_m = north.hypot(east);
            assert!((ground_m - 5.0).abs() < 0.2, "{metres}: {ground_m}");
        }
    }
}
