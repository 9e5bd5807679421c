//! The route of an activity as an encoded polyline.
//!
//! Columns of latitudes and longitudes would double the length of an answer. A polyline in Google's encoding, which map
//! programs read, has about six characters for each point.

use serde_json::{Value, json};

use super::analysis::{Analysis, Window};
use super::series::rows;
use crate::garmin::livetrack::Position;

/// More points would not show on a map in a conversation.
const MOST_POINTS: f64 = 150.0;

impl Analysis<'_> {
    /// The route in a window: points with a fixed interval, which is a multiple of `interval_s`. In a pause, and where
    /// the device had no signal, the last position is used. `None` if fewer than two positions were recorded.
    pub(in crate::tools) fn track(&self, window: Window, interval_s: f64) -> Option<Value> {
        let every = (rows(window, interval_s) as f64 / MOST_POINTS).ceil().max(1.0);
        let every_s = interval_s * every;
        let known = |from_s: f64, to_s: f64| {
            self.recording
                .samples
                .iter()
                .filter(move |sample| sample.at_s >= from_s && sample.at_s <= to_s)
                .filter_map(|sample| Some((sample.at_s, sample.position?)))
        };
        let first = known(window.from_s, window.to_s).next()?.1;
        let mut positions = known(window.from_s, window.to_s).skip(1).peekable();
        positions.peek()?;
        let mut last = first;
        let mut points = Vec::new();
        let mut at_s = window.from_s;
        while at_s <= window.to_s {
            while let Some((_, position)) = positions.next_if(|(sample_s, _)| *sample_s <= at_s) {
                last = position;
            }
            points.push(last);
            at_s += every_s;
        }
        // The end of the route, even if it lies between two points.
        points.push(positions.last().map_or(last, |(_, position)| position));
        Some(json!({"every_s": every_s, "polyline": encoded(&points)}))
    }
}

/// Differences from point to point in 1/100,000 of a degree, in groups of five bits.
fn encoded(points: &[Position]) -> String {
    let mut out = String::new();
    let mut last = (0_i64, 0_i64);
    for point in points {
        let here = (fixed(point.lat), fixed(point.lon));
        for difference in [here.0 - last.0, here.1 - last.1] {
            let mut left = if difference < 0 {
                !(difference << 1)
            } else {
                difference << 1
            };
            loop {
                let group = u8::try_from(left & 0x1f).unwrap_or_default();
                left >>= 5;
                out.push(char::from(group + 63 + if left > 0 { 0x20 } else { 0 }));
                if left == 0 {
                    break;
                }
            }
        }
        last = here;
    }
    out
}

fn fixed(degrees: f64) -> i64 {
    format!("{:.0}", degrees * 1e5).parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example in the description of the algorithm.
    #[test]
    fn the_polyline_is_the_known_one() {
        let points = [(38.5, -120.2), (40.7, -120.95), (43.252, -126.453)];
        let points = points.map(|(lat, lon)| Position { lat, lon });
        assert_eq!(encoded(&points), "_p~iF~ps|U_ulLnnqC_mqNvxq`@");
    }
}
