//! Lines through the points of a track: split at gaps, with the range of their values.

use crate::admin::views::TrackPointView;

/// The smallest and the largest value.
pub(super) fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |range, v| match range {
        None => Some((v, v)),
        Some((low, high)) => Some((low.min(v), high.max(v))),
    })
}

/// The points of a line, split where the track has a gap or a sample has no point.
pub(super) fn segments(
    track: &[TrackPointView],
    of: impl Fn(&TrackPointView) -> Option<(f64, f64)>,
) -> Vec<Vec<(f64, f64)>> {
    let mut segments: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut continues = false;
    for sample in track {
        let Some(point) = of(sample) else {
            continues = false;
            continue;
        };
        match segments.last_mut().filter(|_| continues && !sample.after_gap) {
            Some(segment) => segment.push(point),
            None => segments.push(vec![point]),
        }
        continues = true;
    }
    segments
}

/// The points of a dotted horizontal line.
pub(super) fn dotted(value: f64, begin: f64, end: f64) -> Vec<(f64, f64)> {
    (0..=32)
        .map(|n| (begin + (end - begin) * f64::from(n) / 32.0, value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;

    #[test]
    fn no_line_crosses_a_gap() {
        let here = Some((46.5, 6.6));
        let track = [
            sample(0, here, false),
            sample(1, here, false),
            sample(2, here, true),
            sample(3, None, false),
            sample(4, here, false),
        ];
        let lengths: Vec<usize> = segments(&track, |s| s.position).iter().map(Vec::len).collect();
        assert_eq!(lengths, [2, 1, 1]);
        assert!(segments(&[], |s| s.position).is_empty());
    }
}
