//! From points to dots: the map of a track, and a figure over time. Lines are broken at gaps.

use super::dots::Dots;
use crate::admin::api::TrackSample;

/// Latitude and longitude in degrees to dots of a picture: everything fits, and shapes stay true.
pub(super) struct Projection {
    west: f64,
    north: f64,
    /// Dots a degree of latitude.
    scale: f64,
    /// How much shorter a degree of longitude is here.
    shrink: f64,
    margin: (f64, f64),
}

impl Projection {
    /// One that shows all of `places` in a picture of `width` by `height` dots. None without places.
    pub(super) fn fit(
        places: &(impl Iterator<Item = (f64, f64)> + Clone),
        width: f64,
        height: f64,
    ) -> Option<Self> {
        let fold = |pick: fn((f64, f64)) -> f64, of: fn(f64, f64) -> f64| places.clone().map(pick).reduce(of);
        let (south, north) = (fold(|p| p.0, f64::min)?, fold(|p| p.0, f64::max)?);
        let (west, east) = (fold(|p| p.1, f64::min)?, fold(|p| p.1, f64::max)?);
        let shrink = f64::midpoint(south, north).to_radians().cos().max(0.01);
        // A single place has no extent; this is about ten metres.
        let (high, wide) = ((north - south).max(1e-4), ((east - west) * shrink).max(1e-4));
        // A dot of room at each side.
        let scale = ((width - 3.0) / wide).min((height - 3.0) / high);
        let margin = ((width - wide * scale) / 2.0, (height - high * scale) / 2.0);
        (scale > 0.0).then_some(Self {
            west,
            north,
            scale,
            shrink,
            margin,
        })
    }

    /// Where a place is, in dots from the left and from the top.
    pub(super) fn dot(&self, (latitude, longitude): (f64, f64)) -> (f64, f64) {
        (
            self.margin.0 + (longitude - self.west) * self.shrink * self.scale,
            self.margin.1 + (self.north - latitude) * self.scale,
        )
    }
}

/// Draws a track into `dots`; no line crosses a gap.
pub(super) fn track(dots: &mut Dots, on: &Projection, samples: &[TrackSample]) {
    let mut before = None;
    for sample in samples {
        let Some(place) = sample.position else {
            before = None;
            continue;
        };
        let here = on.dot(place);
        let from = before.filter(|_| !sample.after_gap).unwrap_or(here);
        dots.line(from, here);
        before = Some(here);
    }
}

/// A figure over time within fixed limits, so that pictures compare.
pub(super) struct Scale {
    /// Seconds at the left and at the right.
    pub(super) time: (f64, f64),
    /// The figure at the bottom and at the top.
    pub(super) value: (f64, f64),
}

/// Draws one figure of the samples; what is missing is not bridged.
pub(super) fn curve(
    dots: &mut Dots,
    scale: &Scale,
    samples: &[TrackSample],
    figure: impl Fn(&TrackSample) -> Option<f64>,
) {
    let (width, height) = (dots.width() - 1.0, dots.height() - 1.0);
    let long = (scale.time.1 - scale.time.0).max(1.0);
    let mut before = None;
    for sample in samples {
        let Some(value) = figure(sample) else {
            before = None;
            continue;
        };
        let x = (sample.at.as_second() as f64 - scale.time.0) / long * width;
        let here = (x, height_of(scale, value, height));
        let from = before.filter(|_| !sample.after_gap).unwrap_or(here);
        dots.line(from, here);
        before = Some(here);
    }
}

/// Draws a limit: a dotted line.
pub(super) fn limit(dots: &mut Dots, scale: &Scale, value: f64) {
    let y = height_of(scale, value, dots.height() - 1.0);
    let mut x = 0.0;
    while x < dots.width() {
        dots.dot(x, y);
        x += 3.0;
    }
}

fn height_of(scale: &Scale, value: f64, height: f64) -> f64 {
    let part = (value - scale.value.0) / (scale.value.1 - scale.value.0);
    (1.0 - part.clamp(0.0, 1.0)) * height
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn sample(second: i64, position: (f64, f64), after_gap: bool) -> TrackSample {
        TrackSample {
            at: Timestamp::from_second(second).unwrap(),
            position: Some(position),
            distance_m: None,
            heart_bpm: Some(second as f64),
            power_w: None,
            speed_mps: None,
            after_gap,
        }
    }

    #[test]
    fn everything_fits_and_north_is_up() {
        let places = [(46.5, 6.6), (46.6, 6.6), (46.5, 6.9)];
        let on = Projection::fit(&places.into_iter(), 80.0, 40.0).unwrap();
        for place in places {
            let (x, y) = on.dot(place);
            assert!((0.0..80.0).contains(&x) && (0.0..40.0).contains(&y), "{x} {y}");
        }
        assert!(on.dot((46.6, 6.6)).1 < on.dot((46.5, 6.6)).1);
        assert!(Projection::fit(&std::iter::empty(), 80.0, 40.0).is_none());
        assert!(Projection::fit(&[(46.5, 6.6)].into_iter(), 80.0, 40.0).is_some());
    }

    #[test]
    fn no_line_crosses_a_gap() {
        let count = |after_gap| {
            let samples = [sample(0, (46.5, 6.5), false), sample(60, (46.5, 6.9), after_gap)];
            let mut dots = Dots::new(20, 2);
            let places = samples.iter().filter_map(|s| s.position);
            let on = Projection::fit(&places, dots.width(), dots.height()).unwrap();
            track(&mut dots, &on, &samples);
            dots.cells(false).count()
        };
        assert_eq!((count(false), count(true)), (20, 2));
    }

    #[test]
    fn a_figure_beyond_the_scale_stays_in_the_picture() {
        let scale = Scale {
            time: (0.0, 100.0),
            value: (40.0, 60.0),
        };
        let samples = [sample(0, (0.0, 0.0), false), sample(100, (0.0, 0.0), false)];
        let mut dots = Dots::new(10, 1);
        curve(&mut dots, &scale, &samples, |s| s.heart_bpm);
        assert_eq!(dots.cells(false).count(), 10);
    }

    /// Fifty thousand points are drawn between two pictures.
    #[test]
    fn a_long_track_is_drawn_at_once() {
        let samples: Vec<TrackSample> = (0..50_000)
            .map(|n| {
                let turn = f64::from(n) / 5_000.0;
                sample(
                    n.into(),
                    (46.5 + turn.sin() / 10.0, 6.6 + turn.cos() / 10.0),
                    false,
                )
            })
            .collect();
        let mut dots = Dots::new(80, 30);
        let places = samples.iter().filter_map(|s| s.position);
        let on = Projection::fit(&places, dots.width(), dots.height()).unwrap();
        track(&mut dots, &on, &samples);
        assert!(dots.cells(false).count() > 100);
    }
}
