//! The pace over the way, drawn below the elevation.

use super::drawing::{PathWriter, WIDTH};
use super::moments::Moments;
use super::words::fill;
use crate::race::report::figures::SplitFigures;
use crate::race::snapshot::Snapshot;
use crate::race::text;

const HEIGHT: f64 = 110.0;

/// Room above the fastest and below the slowest split.
const EDGE: f64 = 14.0;

/// With fewer splits, no line is drawn.
const FEWEST: usize = 3;

/// A line that is higher where the athlete was faster.
#[derive(Clone, Debug, PartialEq)]
pub struct PagePace {
    pub width: f64,
    pub height: f64,
    pub line: String,
    /// The slowest and the fastest split in words.
    pub range: String,
}

/// The pace of a race of one sport; the paces of several can't be compared.
pub(super) fn pace(splits: &[SplitFigures], snapshot: &Snapshot, moments: &Moments) -> Option<PagePace> {
    if snapshot.track.legs.len() != 1 || splits.len() < FEWEST {
        return None;
    }
    let course_m = snapshot.course.as_ref().map(|course| course.length_m());
    let end_m = splits.last().map(|split| split.to_m)?;
    let length_m = course_m.unwrap_or(end_m).max(end_m).max(1.0);
    let speeds = || splits.iter().map(|split| split.mps);
    let (slow, fast) = (speeds().reduce(f64::min)?, speeds().reduce(f64::max)?);
    let range = (fast - slow).max(0.1);
    let x = |at_m: f64| at_m / length_m * WIDTH;
    let y = |mps: f64| HEIGHT - EDGE - (mps - slow) / range * (HEIGHT - 2.0 * EDGE);
    let mut line = PathWriter::default();
    for split in splits {
        line.line_to((x(split.from_m), y(split.mps)));
        line.line_to((x(split.to_m), y(split.mps)));
    }
    let kind = splits.first()?.kind;
    let said = |mps| Some(moments.localized(&text::pace(kind, mps)?));
    Some(PagePace {
        width: WIDTH,
        height: HEIGHT,
        line: line.finish(),
        range: fill(
            moments.words.report.pace_range,
            &[("slow", &said(slow)?), ("fast", &said(fast)?)],
        ),
    })
}
