//! Distances on the surface of the Earth.

use crate::garmin::livetrack::{EARTH_RADIUS_M, Position};

/// Distance in metres between two places along the great circle.
pub fn distance_m(a: Position, b: Position) -> f64 {
    a.distance_m(b)
}

/// `place` in metres east and north of `origin`; accurate within a few kilometres.
pub fn plane_m(origin: Position, place: Position) -> (f64, f64) {
    let mut lon = place.lon - origin.lon;
    if lon.abs() > 180.0 {
        lon -= 360.0_f64.copysign(lon);
    }
    let east = lon.to_radians() * origin.lat.to_radians().cos() * EARTH_RADIUS_M;
    let north = (place.lat - origin.lat).to_radians() * EARTH_RADIUS_M;
    (east, north)
}

/// The position that is this far east and north of the origin, in metres. Its longitude may be beyond 180 degrees.
pub fn from_plane_m(origin: Position, (east, north): (f64, f64)) -> Position {
    let lon = (east / (origin.lat.to_radians().cos() * EARTH_RADIUS_M)).to_degrees();
    Position {
        lat: origin.lat + (north / EARTH_RADIUS_M).to_degrees(),
        lon: origin.lon + lon,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_distances() {
        let at = |lat, lon| Position { lat, lon };
        for (a, b, metres) in [
            (at(0.0, 0.0), at(0.0, 1.0), 111_195.0),
            (at(46.62, 14.31), at(46.62, 14.31), 0.0),
            // Vienna to Graz.
            (at(48.2082, 16.3738), at(47.0707, 15.4395), 144_600.0),
            (at(0.0, 179.9), at(0.0, -179.9), 22_239.0),
        ] {
            let measured = distance_m(a, b);
            assert!(
                (measured - metres).abs() <= metres * 0.002,
                "{a:?} {b:?} {measured}"
            );
        }
        let (east, north) = plane_m(at(60.0, 179.99), at(60.01, -179.99));
        assert!(
            (east - 1112.0).abs() < 2.0 && (north - 1112.0).abs() < 2.0,
            "{east} {north}"
        );
    }
}
