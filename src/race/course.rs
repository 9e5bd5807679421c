//! The course of a race: a line with distances along it, and the search for a position on it.

mod choice;
mod gpx;
mod problem;
mod simplify;
#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::garmin::livetrack::Position;
use crate::race::geo::{distance_m, plane_m};

pub use problem::BadCourse;

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
    /// Which line of the file was chosen and what was left out; empty for a file with one clean line.
    origin: String,
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

/// A later stretch must be nearer by more than this to win against an earlier one, because a course may return along
/// the same road.
const ABOUT_AS_NEAR_M: f64 = 20.0;

impl Course {
    /// Reads a GPX file. If it has several tracks, the longest is used.
    pub fn from_gpx(text: &str) -> Result<Self, BadCourse> {
        Self::from_gpx_near(text, None)
    }

    /// Reads a GPX file. If it has several tracks, the one whose length is nearest to `expected_m` is used.
    pub fn from_gpx_near(text: &str, expected_m: Option<f64>) -> Result<Self, BadCourse> {
        let line = choice::choose(gpx::parse(text)?, expected_m)?;
        Ok(Self {
            origin: line.origin,
            ..Self::from_places(&line.points)?
        })
    }

    /// Description for answers, such as `11.1 km of track 1 of 2`.
    pub fn describe(&self) -> String {
        format!("{:.1} km{}", self.length_m() / 1000.0, self.origin)
    }

    /// Builds a course from positions in order.
    pub fn from_places(places: &[Position]) -> Result<Self, BadCourse> {
        let mut corners: Vec<Corner> = Vec::with_capacity(places.len());
        let mut along_m = 0.0;
        for &position in places {
            if let Some(last) = corners.last() {
                let step = distance_m(last.position, position);
                if step < 0.01 {
                    continue;
                }
                along_m += step;
            }
            corners.push(Corner { position, along_m });
        }
        match along_m {
            m if m < 100.0 => Err(BadCourse::TooShort),
            m if m > 2_000_000.0 => Err(BadCourse::TooLong),
            _ => Ok(Self {
                corners: simplify::thinned(&corners),
                origin: String::new(),
            }),
        }
    }

    /// Length of the original line, before it was simplified.
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
            origin: columns.origin,
        })
    }
}
