//! Where a family sees no position: around the start and the end of the course and of the way covered.

use super::source::PageSource;
use crate::base::secrets::sha256;
use crate::garmin::livetrack::{EARTH_RADIUS_M, Position};
use crate::race::course::Course;
use crate::race::geo::distance_m;
use crate::race::share::ShareTerms;
use crate::race::snapshot::{RaceStanding, Snapshot};

/// A circle around the place itself would give it away, because the ends of the drawn lines point to its centre. So the
/// circle is moved by this share of the radius, in a direction that readers do not know, and is larger by as much.
const MOVED: f64 = 0.4;

/// The places around which positions are hidden.
#[derive(Clone, Debug)]
pub(super) struct HiddenZones {
    centres: Vec<Position>,
    /// The radius that the athlete chose.
    radius_m: f64,
    whole_m: Option<f64>,
}

impl HiddenZones {
    /// The zones of a share; none for the crew. The newest position is an end of the way once the race is over.
    pub(super) fn of(source: &PageSource, terms: &ShareTerms) -> Self {
        let snapshot = &source.snapshot;
        let radius_m = if terms.is_crew() {
            0.0
        } else {
            f64::from(terms.privacy_m)
        };
        let course = snapshot.course.as_deref();
        let is_over = snapshot.watch.over().is_some() || snapshot.watch.finished_at.is_some();
        let ends = [
            course.and_then(|course| course.position_at(0.0)),
            course.and_then(Course::end),
            source.line.first().map(|first| first.position),
            source.line.last().filter(|_| is_over).map(|last| last.position),
        ];
        Self {
            centres: if radius_m > 0.0 {
                let direction = direction(snapshot.race.as_str());
                let moved = |end| moved(end, direction, MOVED * radius_m);
                ends.into_iter().flatten().map(moved).collect()
            } else {
                Vec::new()
            },
            radius_m,
            whole_m: snapshot.goal().whole_m(),
        }
    }

    /// No zones, for a reader who may see every position.
    pub(super) fn none() -> Self {
        Self {
            centres: Vec::new(),
            radius_m: 0.0,
            whole_m: None,
        }
    }

    pub(super) fn hides(&self, position: Position) -> bool {
        let mut centres = self.centres.iter();
        centres.any(|centre| distance_m(*centre, position) < (1.0 + MOVED) * self.radius_m)
    }

    /// Whether a distance from the start would reveal a hidden position.
    pub(super) fn hides_distance(&self, at_m: f64, position: Option<Position>) -> bool {
        if self.centres.is_empty() {
            return false;
        }
        let near_end = self.whole_m.is_some_and(|whole_m| whole_m - at_m < self.radius_m);
        at_m < self.radius_m || near_end || position.is_some_and(|position| self.hides(position))
    }

    /// Whether the distance covered would reveal on the course where an activity ended before the finish.
    pub(super) fn hides_end(&self, snapshot: &Snapshot) -> bool {
        let track = &snapshot.track;
        let standing = RaceStanding::of(snapshot.now, &snapshot.watch, track);
        let position = track.last.and_then(|last| last.position);
        snapshot.course.is_some()
            && standing != RaceStanding::Finished
            && self.hides_distance(track.progress_m(), position)
    }

    /// The radius in metres, if something is hidden.
    pub(super) fn radius_m(&self) -> Option<f64> {
        (!self.centres.is_empty()).then_some(self.radius_m)
    }
}

/// A direction in radians for a race. It is the same for all its shares, so that two of them reveal no more than one.
fn direction(race: &str) -> f64 {
    let byte = sha256(race.as_bytes()).first().copied().unwrap_or_default();
    f64::from(byte) / 256.0 * std::f64::consts::TAU
}

fn moved(place: Position, direction: f64, by_m: f64) -> Position {
    let (north_m, east_m) = (by_m * direction.cos(), by_m * direction.sin());
    let shrink = place.lat.to_radians().cos().max(0.01);
    Position {
        lat: place.lat + (north_m / EARTH_RADIUS_M).to_degrees(),
        lon: place.lon + (east_m / EARTH_RADIUS_M / shrink).to_degrees(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_circle_still_covers_the_place() {
        let home = Position {
            lat: 46.62,
            lon: 14.3,
        };
        for number in 0..50 {
            let centre = moved(home, direction(&number.to_string()), MOVED * 300.0);
            assert!((distance_m(home, centre) - 120.0).abs() < 1.0);
        }
    }
}
