//! Pauses of random length, so that requests do not arrive at regular intervals.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::base::secrets::random_bytes;

pub(super) fn random_duration(range: &RangeInclusive<Duration>) -> Duration {
    let part = f64::from(u32::from_be_bytes(random_bytes())) / f64::from(u32::MAX);
    let span = range.end().saturating_sub(*range.start());
    *range.start() + span.mul_f64(part)
}
