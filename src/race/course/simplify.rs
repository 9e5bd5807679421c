//! Simplifies a line without losing its shape.

use super::Corner;

/// Maximum number of corners in a course.
pub(super) const MOST_CORNERS: usize = 1000;

/// Keeps the corners that the shape needs (Douglas–Peucker): within 3 m, or a larger tolerance if too many remain.
pub(super) fn thinned(corners: &[Corner]) -> Vec<Corner> {
    let mut tolerance_m = 3.0;
    loop {
        let kept = within(corners, tolerance_m);
        if kept.len() <= MOST_CORNERS || tolerance_m > 1e6 {
            return kept;
        }
        tolerance_m *= 1.6;
    }
}

fn within(corners: &[Corner], tolerance_m: f64) -> Vec<Corner> {
    let mut keep: Vec<bool> = vec![false; corners.len()];
    if let [first, .., last] = keep.as_mut_slice() {
        (*first, *last) = (true, true);
    }
    let mut open = vec![(0, corners.len().saturating_sub(1))];
    while let Some((from, to)) = open.pop() {
        let Some((at, off_m)) = farthest(corners, from, to) else {
            continue;
        };
        if off_m > tolerance_m
            && let Some(keep) = keep.get_mut(at)
        {
            *keep = true;
            open.extend([(from, at), (at, to)]);
        }
    }
    let kept = corners.iter().zip(keep).filter(|(_, keep)| *keep);
    kept.map(|(corner, _)| *corner).collect()
}

/// The corner between `from` and `to` that is farthest from the straight line between them.
fn farthest(corners: &[Corner], from: usize, to: usize) -> Option<(usize, f64)> {
    let (a, b) = (*corners.get(from)?, *corners.get(to)?);
    let between = corners.get(from + 1..to)?;
    let off = between.iter().enumerate().map(|(i, corner)| {
        let at = super::project(corner.position, a, b, 0.0..=f64::INFINITY);
        (from + 1 + i, at.off_m)
    });
    off.max_by(|(_, x), (_, y)| x.total_cmp(y))
}
