//! Trackpoints. The reader accepts flat and nested forms, with missing and unknown members.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::LiveTrackError;
use super::json_fields::JsonFields;

/// Mean radius of the Earth in metres.
pub const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// A position in WGS 84 degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    pub lat: f64,
    pub lon: f64,
}

impl Position {
    /// Distance in metres to another place along the great circle.
    pub fn distance_m(self, other: Self) -> f64 {
        let (lat, other_lat) = (self.lat.to_radians(), other.lat.to_radians());
        let half_lat = ((other_lat - lat) / 2.0).sin();
        let half_lon = ((other.lon - self.lon).to_radians() / 2.0).sin();
        let h = half_lat.mul_add(half_lat, lat.cos() * other_lat.cos() * half_lon * half_lon);
        2.0 * EARTH_RADIUS_M * h.clamp(0.0, 1.0).sqrt().asin()
    }
}

/// The device's own report about its movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointStatus {
    Moving,
    Stationary,
}

/// One sample of the device. Everything except the time may be missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Trackpoint {
    /// `dateTime`: when the device took the sample, by its own clock, in whole milliseconds. Identifies the point.
    pub at: Timestamp,
    /// `reportedTime`: when the sample reached Garmin, by Garmin's clock.
    pub reported_at: Option<Timestamp>,
    /// Missing without GPS: tunnels, pools, indoors.
    pub position: Option<Position>,
    pub altitude_m: Option<f64>,
    /// The device's own speed (`speedMetersPerSec`), else the point's `speed`.
    pub speed_mps: Option<f64>,
    /// Distance within the current activity (leg).
    pub distance_m: Option<f64>,
    /// Distance within the whole session.
    pub total_distance_m: Option<f64>,
    /// Timer of the current activity (leg).
    pub duration_s: Option<f64>,
    /// Timer of the whole session.
    pub total_duration_s: Option<f64>,
    pub heart_rate_bpm: Option<u32>,
    /// Crank revolutions, or strides of one leg, per minute.
    pub cadence_rpm: Option<u32>,
    pub power_w: Option<u32>,
    /// `activityType`, in upper case as sent; the set of values is open.
    pub activity_type: Option<String>,
    /// When the current activity began.
    pub activity_created_at: Option<Timestamp>,
    pub status: Option<PointStatus>,
    /// `eventTypes`, in upper case as sent; the set of values is open. `END` ends the activity.
    pub events: Vec<String>,
    /// Unknown members and implausible values, under Garmin's names.
    pub other: Map<String, Value>,
}

impl Trackpoint {
    /// A point with only a time.
    pub fn at(at: Timestamp) -> Self {
        Self {
            at,
            reported_at: None,
            position: None,
            altitude_m: None,
            speed_mps: None,
            distance_m: None,
            total_distance_m: None,
            duration_s: None,
            total_duration_s: None,
            heart_rate_bpm: None,
            cadence_rpm: None,
            power_w: None,
            activity_type: None,
            activity_created_at: None,
            status: None,
            events: Vec::new(),
            other: Map::new(),
        }
    }

    /// Reads one point; `None` without a plausible time.
    pub fn read(value: &Value) -> Option<Self> {
        let mut flat = JsonFields(value.as_object()?.clone());
        let mut point = Self::at(flat.moment("dateTime")?);
        let nested = flat.object("fitnessPointData");
        point.reported_at = flat.moment("reportedTime");
        point.position = position(&mut flat);
        let speed = flat.number("speed", SPEED);
        point.altitude_m = flat.number("altitude", ALTITUDE);
        point.fitness(&mut flat);
        if let Some(mut nested) = nested {
            // The nested part is the older form; the point itself takes precedence.
            let mut inner = Self::at(point.at);
            inner.fitness(&mut nested);
            point.absorb(inner);
            if !nested.0.is_empty() {
                point
                    .other
                    .insert("fitnessPointData".into(), Value::Object(nested.0));
            }
        }
        point.speed_mps = point.speed_mps.or(speed);
        point.other.extend(flat.0);
        Some(point)
    }

    /// Reads the members that are flat today and were nested in older generations.
    fn fitness(&mut self, fields: &mut JsonFields) {
        self.speed_mps = fields.number("speedMetersPerSec", SPEED);
        self.distance_m = fields.number("distanceMeters", DISTANCE);
        self.total_distance_m = fields.number("totalDistanceMeters", DISTANCE);
        self.duration_s = fields.number("durationSecs", DURATION);
        self.total_duration_s = fields.number("totalDurationSecs", DURATION);
        // 0 means that there is no heart rate sensor.
        self.heart_rate_bpm = fields
            .whole("heartRateBeatsPerMin", 0..=250)
            .filter(|bpm| *bpm > 0);
        self.cadence_rpm = fields.whole("cadenceCyclesPerMin", 0..=300);
        self.power_w = fields.whole("powerWatts", 0..=3000);
        let upper = |text: String| text.to_ascii_uppercase();
        self.activity_type = fields.text("activityType").map(upper);
        self.activity_created_at = fields.moment("activityCreatedTime");
        self.events = fields.texts("eventTypes").into_iter().map(upper).collect();
        self.status = match fields.text("pointStatus") {
            Some(text) if text.eq_ignore_ascii_case("MOVING") => Some(PointStatus::Moving),
            Some(text) if text.eq_ignore_ascii_case("STATIONARY") => Some(PointStatus::Stationary),
            Some(text) => {
                self.other.insert("pointStatus".into(), text.into());
                None
            }
            None => None,
        };
        if self.altitude_m.is_none() {
            self.altitude_m = fields.number("elevation", ALTITUDE);
        }
    }

    /// Fills missing members from another report of the same moment. Members that are present stay.
    pub fn absorb(&mut self, other: Self) {
        fn fill<T>(mine: &mut Option<T>, other: Option<T>) {
            if mine.is_none() {
                *mine = other;
            }
        }
        fill(&mut self.reported_at, other.reported_at);
        fill(&mut self.position, other.position);
        fill(&mut self.altitude_m, other.altitude_m);
        fill(&mut self.speed_mps, other.speed_mps);
        fill(&mut self.distance_m, other.distance_m);
        fill(&mut self.total_distance_m, other.total_distance_m);
        fill(&mut self.duration_s, other.duration_s);
        fill(&mut self.total_duration_s, other.total_duration_s);
        fill(&mut self.heart_rate_bpm, other.heart_rate_bpm);
        fill(&mut self.cadence_rpm, other.cadence_rpm);
        fill(&mut self.power_w, other.power_w);
        fill(&mut self.activity_type, other.activity_type);
        fill(&mut self.activity_created_at, other.activity_created_at);
        fill(&mut self.status, other.status);
        for event in other.events {
            if !self.events.contains(&event) {
                self.events.push(event);
            }
        }
        for (name, value) in other.other {
            self.other.entry(name).or_insert(value);
        }
    }

    /// Whether the device reported the end of the activity.
    pub fn is_end(&self) -> bool {
        self.events.iter().any(|event| event == "END")
    }
}

const SPEED: std::ops::RangeInclusive<f64> = 0.0..=60.0;
const ALTITUDE: std::ops::RangeInclusive<f64> = -1000.0..=12_000.0;
const DISTANCE: std::ops::RangeInclusive<f64> = 0.0..=10_000_000.0;
const DURATION: std::ops::RangeInclusive<f64> = 0.0..=1_000_000.0;

/// Takes a valid position. (0, 0) counts as missing; an invalid position stays among the other members.
fn position(fields: &mut JsonFields) -> Option<Position> {
    let mut inner = fields.object("position")?;
    let whole = inner.0.clone();
    let lat = inner.number("lat", -90.0..=90.0);
    let lon = inner.number("lon", -180.0..=180.0);
    match (lat, lon) {
        (Some(lat), Some(lon)) if (lat, lon) != (0.0, 0.0) => Some(Position { lat, lon }),
        _ => {
            let empty = whole.values().all(Value::is_null) || (lat, lon) == (Some(0.0), Some(0.0));
            if !empty {
                fields.0.insert("position".into(), Value::Object(whole));
            }
            None
        }
    }
}

/// The points of one response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrackpointBatch {
    /// Points in the order of the response.
    pub points: Vec<Trackpoint>,
    /// Number of entries without a plausible time, which cannot be stored.
    pub unreadable: usize,
}

/// Reads a response of the track-points interface. An empty body or list means that there is nothing new.
///
/// Errors: [`LiveTrackError::Page`] for HTML, [`LiveTrackError::Unreachable`] for truncated JSON,
/// [`LiveTrackError::Changed`] for JSON of another shape, or if no entry has a time.
pub fn points(body: &[u8]) -> Result<TrackpointBatch, LiveTrackError> {
    let Some(value) = json(body)? else {
        return Ok(TrackpointBatch::default());
    };
    let entries = match &value {
        Value::Object(object) => match object.get("trackPoints") {
            Some(Value::Array(entries)) => entries,
            Some(Value::Null) => return Ok(TrackpointBatch::default()),
            _ => return Err(LiveTrackError::Changed("$.trackPoints")),
        },
        Value::Array(entries) => entries,
        Value::Null => return Ok(TrackpointBatch::default()),
        _ => return Err(LiveTrackError::Changed("$")),
    };
    let points: Vec<_> = entries.iter().filter_map(Trackpoint::read).collect();
    if points.is_empty() && !entries.is_empty() {
        return Err(LiveTrackError::Changed("$.trackPoints[].dateTime"));
    }
    Ok(TrackpointBatch {
        unreadable: entries.len() - points.len(),
        points,
    })
}

/// Parses a body; `None` when it is empty.
pub(super) fn json(body: &[u8]) -> Result<Option<Value>, LiveTrackError> {
    let text = body.trim_ascii();
    if text.is_empty() {
        return Ok(None);
    }
    if text.starts_with(b"<") {
        return Err(LiveTrackError::Page);
    }
    serde_json::from_slice(text)
        .map(Some)
        .map_err(|_| LiveTrackError::Unreachable)
}
