//! What really happened, by the recording itself.

use super::delivery::Delivery;
use crate::race::sport::LegKind;

/// Moving less than this for [`SHORTEST_STOP_S`] is a stop.
const STAYS_M: f64 = 25.0;
const SHORTEST_STOP_S: f64 = 210.0;

/// No sample for this long is a gap: a pause of the timer, or no reception.
const GAP_S: f64 = 120.0;

/// A part of the recording, in seconds since its start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TruePart {
    pub(super) from_s: f64,
    pub(super) to_s: f64,
}

impl TruePart {
    pub(super) fn lasts_s(self) -> f64 {
        self.to_s - self.from_s
    }
}

pub(super) struct RecordedTruth {
    pub(super) stops: Vec<TruePart>,
    pub(super) gaps: Vec<TruePart>,
    way: Vec<(f64, f64)>,
}

impl RecordedTruth {
    pub(super) fn of(delivery: &Delivery) -> Self {
        let way = &delivery.way;
        let two = |pair: &[(f64, f64)]| match *pair {
            [(from_s, _), (to_s, _)] if to_s - from_s > GAP_S => Some(TruePart { from_s, to_s }),
            _ => None,
        };
        Self {
            // Swimmers at the wall of a pool have not stopped.
            stops: if delivery.leg == Some(LegKind::Swim) {
                Vec::new()
            } else {
                stops(way)
            },
            gaps: way.windows(2).filter_map(two).collect(),
            way: way.clone(),
        }
    }

    /// When a distance was reached, between the two samples around it.
    pub(super) fn passed_s(&self, metres: f64) -> Option<f64> {
        let next = self.way.partition_point(|(_, at_m)| *at_m < metres);
        let (to_s, to_m) = *self.way.get(next)?;
        let Some((from_s, from_m)) = next
            .checked_sub(1)
            .and_then(|before| self.way.get(before))
            .copied()
        else {
            return Some(to_s);
        };
        let part = (metres - from_m) / (to_m - from_m).max(0.01);
        Some(part.mul_add(to_s - from_s, from_s))
    }
}

/// The longest stretches without a gap in which the distance hardly grows.
fn stops(way: &[(f64, f64)]) -> Vec<TruePart> {
    let mut stops = Vec::new();
    let mut from = 0;
    while let Some((from_s, from_m)) = way.get(from).copied() {
        let rest = way.get(from..).unwrap_or_default();
        let stays = rest.windows(2).take_while(|pair| match **pair {
            [(before_s, _), (at_s, at_m)] => at_m - from_m <= STAYS_M && at_s - before_s <= GAP_S,
            _ => false,
        });
        let to = from + stays.count();
        let to_s = way.get(to).map_or(from_s, |(at_s, _)| *at_s);
        if to_s - from_s >= SHORTEST_STOP_S {
            stops.push(TruePart { from_s, to_s });
            from = to;
        }
        from += 1;
    }
    stops
}
