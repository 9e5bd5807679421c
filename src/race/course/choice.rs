//! Chooses the line in a GPX file that is the course.
//!
//! Files from planners and watches contain stray points, segments from a walk to the start, and tracks for several
//! distances. Their sum would be a course that nobody runs. So one line is chosen, and the answer says what was left
//! out.

use super::gpx::{GpxLines, GpxPoint};
use super::problem::BadCourse;
use crate::race::geo::distance_m;

/// Minimum length of a course.
const MIN_COURSE_M: f64 = 100.0;

/// Segments separated by less than this belong together: the watch was paused, or lost its signal.
const MIN_GAP_M: f64 = 1000.0;

/// Segments separated by up to this share of the total length belong together too: a long tunnel, a ferry.
const GAP_PART: f64 = 0.1;

/// If the parts left out exceed this share of the main part, the line is refused, because either could be the course.
const MAX_LEFT_OUT_PART: f64 = 0.25;

/// A single point this many median steps, and at least [`MIN_JUMP_M`], from both neighbours is an error of the
/// receiver.
const JUMP_STEPS: f64 = 50.0;
const MIN_JUMP_M: f64 = 1000.0;

/// Segments with fewer points have no meaningful median step.
const MIN_POINTS_FOR_STEP: usize = 10;

#[derive(Debug)]
pub(super) struct ChosenLine {
    pub(super) points: Vec<GpxPoint>,
    /// Text after the length in an answer, such as ` of track 1 of 2`; empty for a file with one clean line.
    pub(super) origin: String,
}

/// A track or a route, reduced to its longest connected part.
struct MainPart {
    points: Vec<GpxPoint>,
    length_m: f64,
    /// Number in the file, from 1.
    number: usize,
    n_stray_points: usize,
    n_stray_parts: usize,
}

/// Chooses the line whose length is nearest to `expected_m`, else the longest. Routes count only if there are no
/// tracks.
pub(super) fn choose(lines: GpxLines, expected_m: Option<f64>) -> Result<ChosenLine, BadCourse> {
    let has_points = |lines: &[Vec<Vec<GpxPoint>>]| lines.iter().flatten().any(|segment| segment.len() > 1);
    let (word, lines) = if has_points(&lines.tracks) {
        ("track", lines.tracks)
    } else {
        ("route", lines.routes)
    };
    let mut parts = Vec::new();
    for (index, segments) in lines.into_iter().enumerate() {
        let part = main_part(word, index + 1, segments)?;
        parts.extend(part.filter(|part| part.length_m >= MIN_COURSE_M));
    }
    let n_lines = parts.len();
    let misfit = |part: &MainPart| expected_m.map_or(-part.length_m, |wanted| (part.length_m - wanted).abs());
    let chosen = parts
        .into_iter()
        .min_by(|a, b| misfit(a).total_cmp(&misfit(b)))
        .ok_or(BadCourse::TooShort)?;
    Ok(ChosenLine {
        origin: origin(word, n_lines, &chosen),
        points: chosen.points,
    })
}

fn origin(word: &str, n_lines: usize, chosen: &MainPart) -> String {
    let mut origin = String::new();
    if n_lines > 1 {
        origin = format!(" of {word} {} of {n_lines}", chosen.number);
    }
    let mut left_out = Vec::new();
    for (count, what) in [(chosen.n_stray_parts, "part"), (chosen.n_stray_points, "point")] {
        if count > 0 {
            let plural = if count == 1 { "" } else { "s" };
            left_out.push(format!("{count} stray {what}{plural}"));
        }
    }
    if !left_out.is_empty() {
        origin = format!("{origin} ({} left out)", left_out.join(" and "));
    }
    origin
}

/// The longest run of connected segments; `None` if no segment has two points.
fn main_part(word: &str, number: usize, segments: Vec<Vec<GpxPoint>>) -> Result<Option<MainPart>, BadCourse> {
    let (mut n_stray_points, mut cleaned) = (0, Vec::new());
    for segment in segments {
        let n_before = segment.len();
        let segment = without_jumps(segment);
        n_stray_points += n_before - segment.len();
        if segment.len() > 1 {
            cleaned.push(segment);
        } else {
            n_stray_points += segment.len();
        }
    }
    let total_m: f64 = cleaned.iter().map(|segment| length_m(segment)).sum();
    let max_gap_m = MIN_GAP_M.max(total_m * GAP_PART);
    let mut runs: Vec<Vec<GpxPoint>> = Vec::new();
    for segment in cleaned {
        let gap_m = |run: &Vec<GpxPoint>| Some(distance_m(run.last()?.position, segment.first()?.position));
        match runs.last_mut() {
            Some(run) if gap_m(run).is_some_and(|gap_m| gap_m <= max_gap_m) => run.extend(segment),
            _ => runs.push(segment),
        }
    }
    let lengths: Vec<f64> = runs.iter().map(|run| length_m(run)).collect();
    let n_runs = runs.len();
    let Some((points, length)) = runs
        .into_iter()
        .zip(lengths.iter().copied())
        .max_by(|a, b| a.1.total_cmp(&b.1))
    else {
        return Ok(None);
    };
    let left_out_m = lengths.iter().sum::<f64>() - length;
    if left_out_m > length * MAX_LEFT_OUT_PART {
        let parts: Vec<String> = lengths.iter().map(|m| format!("{:.1} km", m / 1000.0)).collect();
        return Err(BadCourse::Scattered {
            line: format!("{word} {number}"),
            parts: parts.join(", "),
        });
    }
    Ok(Some(MainPart {
        points,
        length_m: length,
        number,
        n_stray_points,
        n_stray_parts: n_runs - 1,
    }))
}

/// Removes single points far from their neighbours, including the first and the last.
fn without_jumps(segment: Vec<GpxPoint>) -> Vec<GpxPoint> {
    if segment.len() < MIN_POINTS_FOR_STEP {
        return segment;
    }
    let mut steps: Vec<f64> = segment
        .windows(2)
        .filter_map(|pair| Some(distance_m(pair.first()?.position, pair.get(1)?.position)))
        .collect();
    let (_, usual_m, _) = {
        let middle = steps.len() / 2;
        steps.select_nth_unstable_by(middle, f64::total_cmp)
    };
    let jump_m = (*usual_m * JUMP_STEPS).max(MIN_JUMP_M);
    let far =
        |a: Option<&GpxPoint>, b: &GpxPoint| a.is_none_or(|a| distance_m(a.position, b.position) > jump_m);
    let is_stray = |at: usize, point: &GpxPoint| {
        let before = at.checked_sub(1).and_then(|at| segment.get(at));
        far(before, point) && far(segment.get(at + 1), point)
    };
    segment
        .iter()
        .enumerate()
        .filter(|(at, point)| !is_stray(*at, point))
        .map(|(_, point)| *point)
        .collect()
}

fn length_m(points: &[GpxPoint]) -> f64 {
    points
        .windows(2)
        .filter_map(|pair| Some(distance_m(pair.first()?.position, pair.get(1)?.position)))
        .sum()
}
