//! The course of a race: a line with distances along it, and the search for a position on it.

mod choice;
mod gpx;
mod problem;
mod profile;
mod simplify;
#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::garmin::livetrack::Position;
use crate::race::geo::{distance_m, plane_m};
use gpx::GpxPoint;

pub use problem::BadCourse;
pub use profile::CourseProfile;

/// One corner of the line.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Corner {
    position: Position,
    along_m: f64,
}

/// The course of a race, simplified to the corners that its shape needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Columns", into = "Columns")]
pub struct Course {
    corners: Vec<Corner>,
    /// Elevations, if the file has them.
    profile: Option<CourseProfile>,
    /// Which line of the file was chosen and what was left out; empty for a file with one clean line.
    origin: String,
}

/// A waypoint of the file that lies on the course.
#[derive(Clone, Debug, PartialEq)]
pub struct CoursePlace {
    pub name: String,
    /// Distance from the start along the course.
    pub along_m: f64,
}

/// A course file: the line, and its waypoints in order.
#[derive(Clone, Debug, PartialEq)]
pub struct CourseFile {
    pub course: Course,
    pub places: Vec<CoursePlace>,
}

/// A place on the course.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OnCourse {
    /// Distance from the start along the course.
    pub along_m: f64,
    pub off_m: f64,
}

/// How far back the search goes, because positions jitter.
const BACK_M: f64 = 150.0;

/// How far ahead the search goes before it covers the rest of the course.
const AHEAD_M: f64 = 4000.0;

/// At a greater distance from the course than this, the rest of the course is searched.
const LOST_M: f64 = 200.0;

/// The course may be longer than the counted way by this factor, and by this many metres.
const LONGER: f64 = 1.5;
const LONGER_M: f64 = 600.0;

/// After a long way, the athlete is due at its end, give or take this share of it.
const DUE_PART: f64 = 0.2;

/// A place given with its distance is searched for this far before and after it.
const NEAR_M: f64 = 2000.0;

/// A later stretch must be nearer by more than this to win against an earlier one, because a course may return along
/// the same road.
const ABOUT_AS_NEAR_M: f64 = 20.0;

impl Course {
    /// Description for answers, such as `11.1 km of track 1 of 2`.
    pub fn describe(&self) -> String {
        format!("{:.1} km{}", self.length_m() / 1000.0, self.origin)
    }

    /// Builds a course from positions in order.
    pub fn from_places(places: &[Position]) -> Result<Self, BadCourse> {
        let points: Vec<_> = places
            .iter()
            .map(|position| GpxPoint {
                position: *position,
                altitude_m: None,
            })
            .collect();
        Self::from_points(&points)
    }

    fn from_points(points: &[GpxPoint]) -> Result<Self, BadCourse> {
        let mut corners: Vec<Corner> = Vec::with_capacity(points.len());
        let mut altitudes = Vec::with_capacity(points.len());
        let mut along_m = 0.0;
        for point in points {
            if let Some(last) = corners.last() {
                let step = distance_m(last.position, point.position);
                if step < 0.01 {
                    continue;
                }
                along_m += step;
            }
            corners.push(Corner {
                position: point.position,
                along_m,
            });
            altitudes.push((along_m, point.altitude_m));
        }
        match along_m {
            m if m < 100.0 => Err(BadCourse::TooShort),
            m if m > 2_000_000.0 => Err(BadCourse::TooLong),
            _ => Ok(Self {
                corners: simplify::thinned(&corners),
                profile: CourseProfile::of(&altitudes),
                origin: String::new(),
            }),
        }
    }

    /// Stretches the distances along the course to the official length, because files are a little short. If the
    /// lengths differ by more than the share `most`, the official length is that of another course and nothing is
    /// scaled.
    #[must_use]
    pub fn scaled_to(mut self, official_m: f64, most: f64) -> Self {
        let length_m = self.length_m();
        let by = official_m / length_m.max(1.0);
        let kilometres = official_m / 1000.0;
        if (by - 1.0).abs() < 1e-4 {
            return self;
        }
        if (by - 1.0).abs() > most {
            if most > 0.0 {
                self.origin = format!("{}, not scaled to {kilometres:.1} km", self.origin);
            }
            return self;
        }
        for corner in &mut self.corners {
            corner.along_m *= by;
        }
        if let Some(profile) = &mut self.profile {
            profile.scaled(by);
        }
        self.origin = format!("{}, {:.1} km in the file", self.origin, length_m / 1000.0);
        self
    }

    pub fn profile(&self) -> Option<&CourseProfile> {
        self.profile.as_ref()
    }

    /// The position at a distance along the course.
    pub fn position_at(&self, along_m: f64) -> Option<Position> {
        let next = self.corners.partition_point(|corner| corner.along_m < along_m);
        let (Some(a), Some(b)) = (
            next.checked_sub(1).and_then(|before| self.corners.get(before)),
            self.corners.get(next),
        ) else {
            let end = if next == 0 {
                self.corners.first()
            } else {
                self.corners.last()
            };
            return end.map(|corner| corner.position);
        };
        let part = (along_m - a.along_m) / (b.along_m - a.along_m).max(0.01);
        Some(Position {
            lat: part.mul_add(b.position.lat - a.position.lat, a.position.lat),
            lon: part.mul_add(b.position.lon - a.position.lon, a.position.lon),
        })
    }

    /// The place of a position on the whole course; the one nearest to `near_m` if the course passes it several times.
    pub fn place(&self, position: Position, near_m: Option<f64>) -> Option<OnCourse> {
        let around = near_m.and_then(|m| self.nearest(position, m - NEAR_M, m + NEAR_M));
        around
            .filter(|at| at.off_m <= LOST_M)
            .or_else(|| self.nearest(position, 0.0, f64::INFINITY))
            .filter(|at| at.off_m <= LOST_M)
    }

    /// How far a position is from the course, in metres.
    pub fn off_m(&self, position: Position) -> Option<f64> {
        self.nearest(position, 0.0, f64::INFINITY).map(|at| at.off_m)
    }

    /// Where an athlete who is at `from_m` passes `position` next, or where they passed it already if the course does
    /// not return there. `None` if the course does not lead there.
    pub fn next_pass(&self, position: Position, from_m: f64) -> Option<OnCourse> {
        let ahead = self.nearest(position, from_m, f64::INFINITY);
        ahead
            .filter(|at| at.off_m <= LOST_M)
            .or_else(|| self.place(position, Some(from_m)))
    }

    /// Length of the line before it was simplified, or the official length if it was scaled.
    pub fn length_m(&self) -> f64 {
        self.corners.last().map_or(0.0, |last| last.along_m)
    }

    pub fn end(&self) -> Option<Position> {
        self.corners.last().map(|last| last.position)
    }

    /// The positions of the corners, for drawing.
    pub fn places(&self) -> impl Iterator<Item = Position> + '_ {
        self.corners.iter().map(|corner| corner.position)
    }

    /// Where an athlete is who has covered `moved_m` since `from_m`; `None` if the course does not pass there within
    /// that way.
    pub fn reached(&self, position: Position, from_m: f64, moved_m: f64) -> Option<OnCourse> {
        let is_on = |at: &OnCourse| at.off_m <= LOST_M;
        let due_m = from_m + moved_m;
        // After a long way unseen, the place that is due wins over an earlier one on the same road.
        let due = (moved_m > AHEAD_M)
            .then(|| self.nearest(position, due_m - DUE_PART * moved_m, due_m + DUE_PART * moved_m));
        due.flatten()
            .filter(is_on)
            .or_else(|| self.nearest(position, from_m - BACK_M, from_m + reach_m(moved_m)))
            .filter(is_on)
    }

    /// The place of a position in either direction from `at_m`, no farther from it than an athlete gets who has covered
    /// `moved_m`.
    pub fn near(&self, position: Position, at_m: f64, moved_m: f64) -> Option<OnCourse> {
        self.nearest(position, at_m - reach_m(moved_m), at_m + reach_m(moved_m))
            .filter(|at| at.off_m <= LOST_M)
    }

    /// The place of a position on the rest of the course.
    pub fn ahead(&self, position: Position, from_m: f64) -> Option<OnCourse> {
        self.nearest(position, from_m - BACK_M, f64::INFINITY)
            .filter(|at| at.off_m <= LOST_M)
    }

    /// Finds `position` on the course for an athlete who was at `from_m`. Searches forward from there, and the rest
    /// of the course if the nearest place is too far off.
    pub fn locate(&self, position: Position, from_m: f64) -> Option<OnCourse> {
        let near = self.nearest(position, from_m - BACK_M, from_m + AHEAD_M);
        match near {
            Some(at) if at.off_m <= LOST_M => Some(at),
            _ => {
                let ahead = self.nearest(position, from_m - BACK_M, f64::INFINITY);
                ahead.filter(|at| at.off_m <= LOST_M).or(near).or(ahead)
            }
        }
    }

    fn nearest(&self, position: Position, from_m: f64, to_m: f64) -> Option<OnCourse> {
        let first = self
            .corners
            .partition_point(|corner| corner.along_m < from_m)
            .saturating_sub(1);
        let stretches = self.corners.get(first..)?.windows(2);
        let mut best: Option<OnCourse> = None;
        for stretch in stretches {
            let &[a, b] = stretch else { continue };
            if a.along_m > to_m {
                break;
            }
            let at = project(position, a, b, from_m..=to_m);
            if best.is_none_or(|best| at.off_m + ABOUT_AS_NEAR_M < best.off_m)
                // On the same stretch the nearest place wins, by however little.
                || best.is_some_and(|best| at.off_m < best.off_m && at.along_m - best.along_m < BACK_M)
            {
                best = Some(at);
            }
        }
        best
    }
}

impl CourseFile {
    /// Reads a GPX file. If it has several tracks, the one whose length is nearest to `official_m` is used, else the
    /// longest. It is scaled to `official_m` if the two differ by at most the share `most`.
    pub fn read(text: &str, official_m: Option<f64>, most: f64) -> Result<Self, BadCourse> {
        let mut lines = gpx::parse(text)?;
        let waypoints = std::mem::take(&mut lines.waypoints);
        let line = choice::choose(lines, official_m)?;
        let mut course = Course {
            origin: line.origin,
            ..Course::from_points(&line.points)?
        };
        if let Some(official_m) = official_m {
            course = course.scaled_to(official_m, most);
        }
        let mut places: Vec<_> = waypoints
            .into_iter()
            .filter(|waypoint| !waypoint.name.is_empty())
            .filter_map(|waypoint| {
                Some(CoursePlace {
                    along_m: course.place(waypoint.position, None)?.along_m,
                    name: waypoint.name,
                })
            })
            .collect();
        places.sort_by(|a, b| a.along_m.total_cmp(&b.along_m));
        Ok(Self { course, places })
    }
}

/// How far along the course an athlete may get by covering `moved_m`.
fn reach_m(moved_m: f64) -> f64 {
    LONGER.mul_add(moved_m, LONGER_M)
}

/// The foot of the perpendicular from `position` to the stretch from `a` to `b`, restricted to the distances
/// `within`.
fn project(position: Position, a: Corner, b: Corner, within: RangeInclusive<f64>) -> OnCourse {
    let (px, py) = plane_m(a.position, position);
    let (bx, by) = plane_m(a.position, b.position);
    let length_m = b.along_m - a.along_m;
    let length_2 = bx.mul_add(bx, by * by);
    let part = if length_2 > 0.0 && length_m > 0.0 {
        let low = ((within.start() - a.along_m) / length_m).clamp(0.0, 1.0);
        let high = ((within.end() - a.along_m) / length_m).clamp(low, 1.0);
        (px.mul_add(bx, py * by) / length_2).clamp(low, high)
    } else {
        0.0
    };
    OnCourse {
        along_m: part.mul_add(length_m, a.along_m),
        off_m: (px - part * bx).hypot(py - part * by),
    }
}

/// The stored form: differences of integers, so that a thousand corners fit into one record.
#[derive(Serialize, Deserialize)]
struct Columns {
    /// Differences in 1e-6 degrees.
    lat: Vec<i64>,
    lon: Vec<i64>,
    /// Differences in decimetres.
    along: Vec<i64>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    origin: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    profile: Option<CourseProfile>,
}

#[expect(clippy::cast_possible_truncation, reason = "all three are within bounds")]
impl From<Course> for Columns {
    fn from(course: Course) -> Self {
        let column = |value: fn(&Corner) -> f64| {
            let mut before = 0;
            let whole = course.corners.iter().map(|corner| value(corner).round() as i64);
            whole
                .map(|now| now - std::mem::replace(&mut before, now))
                .collect()
        };
        Self {
            lat: column(|corner| corner.position.lat * 1e6),
            lon: column(|corner| corner.position.lon * 1e6),
            along: column(|corner| corner.along_m * 10.0),
            profile: course.profile,
            origin: course.origin,
        }
    }
}

impl TryFrom<Columns> for Course {
    type Error = &'static str;

    fn try_from(columns: Columns) -> Result<Self, &'static str> {
        let sums = |column: Vec<i64>| {
            column.into_iter().scan(0_i64, |sum, step| {
                *sum = sum.saturating_add(step);
                Some(*sum as f64)
            })
        };
        if columns.lat.len() < 2
            || columns.lat.len() != columns.lon.len()
            || columns.lat.len() != columns.along.len()
        {
            return Err("the columns of a course differ in length");
        }
        let corners = sums(columns.lat).zip(sums(columns.lon)).zip(sums(columns.along));
        Ok(Self {
            corners: corners
                .map(|((lat, lon), along)| Corner {
                    position: Position {
                        lat: lat / 1e6,
                        lon: lon / 1e6,
                    },
                    along_m: along / 10.0,
                })
                .collect(),
            profile: columns.profile,
            origin: columns.origin,
        })
    }
}
