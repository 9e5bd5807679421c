//! The settings that a person may choose for a race: `race_config`. Every error in it is reported.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::race::course::Course;
use crate::race::fields::{BadFields, FieldReader};
use crate::race::sport::RaceKind;
use crate::race::thresholds::{THRESHOLDS, Thresholds};

/// A place on the course, such as an aid station, with optional time limits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    pub name: String,
    pub km: f64,
    /// Cut-off time in seconds after the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cutoff_s: Option<u32>,
    /// The athlete's target time in seconds after the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_s: Option<u32>,
}

/// The names in `race_config` besides the thresholds.
const OTHER_NAMES: [&str; 9] = [
    "race_name",
    "race_type",
    "poll_interval_secs",
    "analyze_interval_secs",
    "analyze_window_min",
    "distance_km",
    "target_time",
    "checkpoints",
    "course_gpx",
];

/// Maximum number of checkpoints per race.
const MOST_CHECKPOINTS: usize = 100;

/// All settings of a race except the course.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RacePlan {
    pub name: Option<String>,
    /// The value of `race_type` as given.
    pub type_text: Option<String>,
    /// The sport derived from `race_type`.
    pub kind: RaceKind,
    pub thresholds: Thresholds,
    /// Seconds between two polls of LiveTrack.
    pub poll_interval_s: u32,
    /// Seconds between two looks by Claude.
    pub analyze_interval_s: u32,
    /// Length in minutes of the window that Claude is shown.
    pub analyze_window_min: u32,
    /// Total distance in metres, if given without a course.
    pub distance_m: Option<f64>,
    /// Duration in seconds of a race over a fixed time, such as 24 hours.
    #[serde(default)]
    pub timed_s: Option<u32>,
    /// The athlete's target finish time in seconds.
    pub target_time_s: Option<u32>,
    pub checkpoints: Vec<Checkpoint>,
}

impl Default for RacePlan {
    fn default() -> Self {
        Self {
            name: None,
            type_text: None,
            kind: RaceKind::Other,
            thresholds: Thresholds::default(),
            poll_interval_s: 60,
            analyze_interval_s: 600,
            analyze_window_min: 10,
            distance_m: None,
            timed_s: None,
            target_time_s: None,
            checkpoints: Vec::new(),
        }
    }
}

impl RacePlan {
    /// Whole distance in metres, if known: the course's or the given one.
    pub fn whole_m(&self, course: Option<&Course>) -> Option<f64> {
        course.map(Course::length_m).or(self.distance_m)
    }

    /// Reads a `race_config`. Returns the text of `course_gpx` separately, without parsing it. Errors: all bad fields
    /// at once.
    pub fn read(config: &Map<String, Value>) -> Result<(Self, Option<String>), BadFields> {
        let mut fields = FieldReader::new(config.clone());
        let usual = Self::default();
        let type_text = fields.text("race_type", 60);
        let kind = type_text.as_deref().map(RaceKind::from_words).unwrap_or_default();
        let mut seconds =
            |name: &str, usual, min, max| fields.number(name, min, max, "seconds").unwrap_or(usual);
        let poll_interval_s = seconds("poll_interval_secs", usual.poll_interval_s, 5, 600);
        let analyze_interval_s = seconds("analyze_interval_secs", usual.analyze_interval_s, 60, 7200);
        let window = fields.number("analyze_window_min", 1, 120, "minutes");
        let settings = Self {
            name: fields.text("race_name", 80),
            kind,
            thresholds: Thresholds::default().read(&mut fields),
            poll_interval_s,
            analyze_interval_s,
            analyze_window_min: window.unwrap_or(usual.analyze_window_min),
            distance_m: fields
                .km("distance_km")
                .or_else(|| usual_distance_m(type_text.as_deref()?)),
            timed_s: type_text.as_deref().and_then(usual_time_s),
            target_time_s: fields.elapsed("target_time"),
            checkpoints: read_checkpoints(&mut fields),
            type_text,
        };
        let gpx = fields.gpx();
        let known: Vec<_> = THRESHOLDS
            .iter()
            .map(|(name, ..)| *name)
            .chain(OTHER_NAMES)
            .collect();
        fields.finish((settings, gpx), &known)
    }
}

fn read_checkpoints(fields: &mut FieldReader) -> Vec<Checkpoint> {
    let Some(value) = fields.take("checkpoints") else {
        return Vec::new();
    };
    let Some(items) = value.as_array().filter(|items| items.len() <= MOST_CHECKPOINTS) else {
        fields.refuse(
            "checkpoints",
            format!("must be a list of at most {MOST_CHECKPOINTS} checkpoints"),
        );
        return Vec::new();
    };
    let mut checkpoints: Vec<_> = items
        .iter()
        .enumerate()
        .filter_map(|(i, item)| read_checkpoint(fields, &format!("checkpoints[{i}]"), item))
        .collect();
    checkpoints.sort_by(|a, b| a.km.total_cmp(&b.km));
    checkpoints
}

fn read_checkpoint(fields: &mut FieldReader, place: &str, item: &Value) -> Option<Checkpoint> {
    let Some(object) = item.as_object() else {
        fields.refuse(place, "must be an object with name and km");
        return None;
    };
    let mut inner = FieldReader::new(object.clone());
    let name = inner.text("name", 40);
    let km = inner.km("km").map(|metres| metres / 1000.0);
    let (cutoff_s, target_s) = (inner.elapsed("cutoff"), inner.elapsed("target"));
    for (field, is_bad) in [("name", name.is_none()), ("km", km.is_none())] {
        if is_bad && !object.contains_key(field) {
            inner.refuse(field, "is missing");
        }
    }
    let checkpoint = name.zip(km).map(|(name, km)| Checkpoint {
        name,
        km,
        cutoff_s,
        target_s,
    });
    match inner.finish(checkpoint, &["name", "km", "cutoff", "target"]) {
        Ok(checkpoint) => checkpoint,
        Err(BadFields(bad)) => {
            for bad in bad {
                fields.refuse(&format!("{place}.{}", bad.field), bad.why);
            }
            None
        }
    }
}

/// The distance in metres that a common race name implies: "marathon", "70.3", "100 km", "50 miles".
fn usual_distance_m(type_text: &str) -> Option<f64> {
    let text = type_text.to_lowercase();
    let text = text.trim();
    let named = NAMED_DISTANCES.into_iter().find(|(name, _)| *name == text);
    named
        .map(|(_, metres)| metres)
        .or_else(|| measured(text, &DISTANCE_UNITS).filter(|m| (100.0..=2_000_000.0).contains(m)))
}

const NAMED_DISTANCES: [(&str, f64); 9] = [
    ("marathon", 42_195.0),
    ("half marathon", 21_097.5),
    ("half-marathon", 21_097.5),
    ("half_marathon", 21_097.5),
    ("70.3", 113_000.0),
    ("ironman 70.3", 113_000.0),
    ("ironman", 226_000.0),
    ("140.6", 226_000.0),
    ("olympic triathlon", 51_500.0),
];

const DISTANCE_UNITS: [(&str, f64); 6] = [
    ("km", 1000.0),
    ("k", 1000.0),
    ("kilometres", 1000.0),
    ("miles", 1609.344),
    ("mile", 1609.344),
    ("mi", 1609.344),
];

const TIME_UNITS: [(&str, f64); 5] = [
    ("h", 3600.0),
    ("hours", 3600.0),
    ("hour", 3600.0),
    ("hrs", 3600.0),
    ("hr", 3600.0),
];

/// The duration in seconds of a race over a fixed time: "24 h", "12-hour run".
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most six days in seconds"
)]
fn usual_time_s(type_text: &str) -> Option<u32> {
    measured(&type_text.to_lowercase(), &TIME_UNITS)
        .filter(|s| (3600.0..=518_400.0).contains(s))
        .map(|s| s as u32)
}

/// The first number in `text` that is followed by one of the units, in the unit's base.
fn measured(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let bare = text.replace(['-', '_'], " ");
    let mut rest = bare.as_str();
    while let Some(from) = rest.find(|c: char| c.is_ascii_digit()) {
        let number = rest.get(from..)?;
        let length = number
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(number.len());
        let (digits, after) = number.split_at_checked(length)?;
        let word: String = after
            .trim_start()
            .chars()
            .take_while(|c| c.is_alphabetic())
            .collect();
        let unit = units.iter().find(|(unit, _)| *unit == word);
        if let (Ok(value), Some((_, base))) = (digits.parse::<f64>(), unit) {
            return Some(value * base);
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests;
