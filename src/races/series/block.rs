//! A block: successive samples of a race as compressed columns.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::garmin::livetrack::{PointStatus, Position, Trackpoint};
use crate::race::track::TrackSample;
use crate::store::columns::{ColumnReader, ColumnWriter};
use crate::store::{Packed, Table};

/// Maximum samples per block. Ten minutes at one per second fill five blocks, so an append rewrites little.
pub(super) const MOST: usize = 128;

/// Upper bound of a decompressed block in bytes, far above any real one.
const LARGEST: usize = 8 << 20;

/// Maximum bytes of unknown members kept per sample; longer ones are dropped.
const LARGEST_OTHER: usize = 2048;

/// Deflate's default level: higher ones take longer and save little.
const LEVEL: u8 = 6;

/// Samples in order of time, without duplicate times.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Block(pub(super) Vec<TrackSample>);

impl Packed for Block {
    const TABLE: Table = Table("race_points");

    fn pack(&self) -> Vec<u8> {
        let samples = &self.0;
        let mut out = ColumnWriter::default();
        out.whole(samples.len() as u64);
        let point = || samples.iter().map(|sample| &sample.point);
        let ms = Timestamp::as_millisecond;
        out.numbers(point().map(|p| ms(p.at)));
        out.numbers(samples.iter().map(|s| ms(s.seen_at)));
        // The delay hardly varies, so its differences are small.
        out.optional(&each(point(), |p| p.reported_at.map(|at| ms(at) - ms(p.at))));
        out.optional(&each(point(), |p| p.activity_created_at.map(ms)));
        out.floats(&each(point(), |p| p.position.map(|place| place.lat)));
        out.floats(&each(point(), |p| p.position.map(|place| place.lon)));
        for float in FLOATS {
            out.floats(&each(point(), float.0));
        }
        for number in NUMBERS {
            out.optional(&each(point(), |p| number.0(p).map(i64::from)));
        }
        out.optional(&each(point(), |p| {
            p.status.map(|s| i64::from(s == PointStatus::Moving))
        }));
        out.texts(&each(point(), |p| p.activity_type.clone()));
        out.texts(&each(point(), |p| {
            (!p.events.is_empty()).then(|| serde_json::to_string(&p.events).unwrap_or_default())
        }));
        out.texts(&each(point(), |p| {
            let text = (!p.other.is_empty()).then(|| serde_json::to_string(&p.other).unwrap_or_default());
            text.filter(|text| text.len() <= LARGEST_OTHER)
        }));
        miniz_oxide::deflate::compress_to_vec(&out.0, LEVEL)
    }

    fn unpack(_: u8, bytes: &[u8]) -> Option<Self> {
        let plain = miniz_oxide::inflate::decompress_to_vec_with_limit(bytes, LARGEST).ok()?;
        let mut from = ColumnReader(&plain);
        let count = usize::try_from(from.whole()?)
            .ok()
            .filter(|count| *count <= MOST)?;
        let at = |ms: i64| Timestamp::from_millisecond(ms).ok();
        let mut samples = Vec::with_capacity(count);
        let times = from.numbers(count)?;
        for (taken, seen) in times.iter().zip(from.numbers(count)?) {
            samples.push(TrackSample {
                point: Trackpoint::at(at(*taken)?),
                seen_at: at(seen)?,
            });
        }
        for (sample, late) in samples.iter_mut().zip(from.optional(count)?) {
            sample.point.reported_at =
                late.and_then(|late| at(sample.point.at.as_millisecond().checked_add(late)?));
        }
        for (sample, ms) in samples.iter_mut().zip(from.optional(count)?) {
            sample.point.activity_created_at = ms.and_then(at);
        }
        let (lats, lons) = (from.floats(count)?, from.floats(count)?);
        for (sample, place) in samples.iter_mut().zip(lats.into_iter().zip(lons)) {
            sample.point.position = place.0.zip(place.1).map(|(lat, lon)| Position { lat, lon });
        }
        for float in FLOATS {
            for (sample, value) in samples.iter_mut().zip(from.floats(count)?) {
                *float.1(&mut sample.point) = value;
            }
        }
        for number in NUMBERS {
            for (sample, value) in samples.iter_mut().zip(from.optional(count)?) {
                *number.1(&mut sample.point) = value.and_then(|value| u32::try_from(value).ok());
            }
        }
        for (sample, status) in samples.iter_mut().zip(from.optional(count)?) {
            sample.point.status = status.map(|status| match status {
                0 => PointStatus::Stationary,
                _ => PointStatus::Moving,
            });
        }
        for (sample, text) in samples.iter_mut().zip(from.texts(count)?) {
            sample.point.activity_type = text;
        }
        for (sample, text) in samples.iter_mut().zip(from.texts(count)?) {
            sample.point.events = json(text)?;
        }
        for (sample, text) in samples.iter_mut().zip(from.texts(count)?) {
            sample.point.other = json::<Map<String, Value>>(text)?;
        }
        Some(Self(samples))
    }
}

/// One member of a point: how to read it, and how to access it mutably.
type PointField<T> = (
    fn(&Trackpoint) -> Option<T>,
    fn(&mut Trackpoint) -> &mut Option<T>,
);

const FLOATS: [PointField<f64>; 6] = [
    (|p| p.altitude_m, |p| &mut p.altitude_m),
    (|p| p.speed_mps, |p| &mut p.speed_mps),
    (|p| p.distance_m, |p| &mut p.distance_m),
    (|p| p.total_distance_m, |p| &mut p.total_distance_m),
    (|p| p.duration_s, |p| &mut p.duration_s),
    (|p| p.total_duration_s, |p| &mut p.total_duration_s),
];

const NUMBERS: [PointField<u32>; 3] = [
    (|p| p.heart_rate_bpm, |p| &mut p.heart_rate_bpm),
    (|p| p.cadence_rpm, |p| &mut p.cadence_rpm),
    (|p| p.power_w, |p| &mut p.power_w),
];

fn each<'a, T>(
    points: impl Iterator<Item = &'a Trackpoint>,
    member: impl Fn(&Trackpoint) -> Option<T>,
) -> Vec<Option<T>> {
    points.map(member).collect()
}

/// Parses an optional text. A missing one gives the default. `None` if it cannot be parsed.
fn json<T: serde::de::DeserializeOwned + Default>(text: Option<String>) -> Option<T> {
    text.map_or_else(|| Some(T::default()), |text| serde_json::from_str(&text).ok())
}
