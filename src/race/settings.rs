//! What a person may set for a race: `race_config`, read with every mistake named.

mod reading;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use reading::Reading;

/// The sport of a race, from `race_type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RaceKind {
    /// On foot.
    Run,
    /// By bicycle.
    Ride,
    /// In water.
    Swim,
    /// Swim, ride, run.
    Triathlon,
    /// Run, ride, run.
    Duathlon,
    /// Not said, or something else: legs follow what the watch says.
    #[default]
    Other,
}

impl RaceKind {
    /// From what people call a race: "marathon", "70.3", "gran fondo".
    pub fn from_words(text: &str) -> Self {
        let text = text.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if has(&["duathlon"]) {
            Self::Duathlon
        } else if has(&["triathlon", "ironman", "70.3", "140.6"]) || text == "tri" {
            Self::Triathlon
        } else if has(&[
            "cycl", "bike", "biking", "ride", "fondo", "gravel", "brevet", "mtb",
        ]) {
            Self::Ride
        } else if has(&["swim"]) {
            Self::Swim
        } else if has(&[
            "run", "marathon", "ultra", "trail", "5k", "10k", "5 km", "10 km", "walk", "hike",
        ]) {
            Self::Run
        } else {
            Self::Other
        }
    }

    /// Whether legs of several sports belong to it.
    pub fn is_multisport(self) -> bool {
        matches!(self, Self::Triathlon | Self::Duathlon | Self::Other)
    }
}

/// Limits that the athlete wants to keep to; those not set are not watched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// Heart-rate ceiling on the bicycle (and everywhere in a race of one sport), bpm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hr_max: Option<u32>,
    /// Heart-rate floor, as above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hr_min: Option<u32>,
    /// Power ceiling, watts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_max: Option<u32>,
    /// Power floor, watts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_min: Option<u32>,
    /// Lowest cadence on the bicycle, turns per minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cadence_min: Option<u32>,
    /// Heart-rate ceiling of the run, bpm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_hr_max: Option<u32>,
    /// Heart-rate floor of the run, bpm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_hr_min: Option<u32>,
    /// Lowest cadence of the run, steps per minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_cadence_min: Option<u32>,
}

/// Names, ranges and units of the thresholds, in the order in which they are told.
pub const THRESHOLDS: [(&str, u32, u32, &str); 8] = [
    ("hr_max", 30, 240, "bpm"),
    ("hr_min", 30, 240, "bpm"),
    ("power_max", 1, 2500, "W"),
    ("power_min", 1, 2500, "W"),
    ("cadence_min", 1, 250, "rpm"),
    ("run_hr_max", 30, 240, "bpm"),
    ("run_hr_min", 30, 240, "bpm"),
    ("run_cadence_min", 1, 300, "steps per minute"),
];

impl Thresholds {
    fn slot(&mut self, name: &str) -> Option<&mut Option<u32>> {
        Some(match name {
            "hr_max" => &mut self.hr_max,
            "hr_min" => &mut self.hr_min,
            "power_max" => &mut self.power_max,
            "power_min" => &mut self.power_min,
            "cadence_min" => &mut self.cadence_min,
            "run_hr_max" => &mut self.run_hr_max,
            "run_hr_min" => &mut self.run_hr_min,
            "run_cadence_min" => &mut self.run_cadence_min,
            _ => return None,
        })
    }

    /// These thresholds with `changes` made: a number sets one, null takes it away. Errors: every field that is
    /// unknown or out of range; then nothing is changed.
    pub fn with(&self, changes: &Map<String, Value>) -> Result<Self, BadFields> {
        let mut reading = Reading::new(changes.clone());
        let thresholds = reading.thresholds(self);
        reading.finish(thresholds)
    }
}

/// A place on the way that people wait at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// What it is called.
    pub name: String,
    /// Where, along the course.
    pub km: f64,
    /// When one must be through, after the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cutoff_s: Option<u32>,
    /// When the athlete wants to be there, after the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_s: Option<u32>,
}

/// Everything that may be set for a race, but the course itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RaceSettings {
    /// What the race is called.
    pub name: Option<String>,
    /// `race_type` as given.
    pub type_text: Option<String>,
    /// What it was understood as.
    pub kind: RaceKind,
    /// The limits.
    pub thresholds: Thresholds,
    /// Seconds between two looks at LiveTrack.
    pub poll_interval_s: u32,
    /// Seconds between two looks by Claude.
    pub analyze_interval_s: u32,
    /// Minutes that Claude is shown.
    pub analyze_window_min: u32,
    /// The whole distance, if known without a course.
    pub distance_m: Option<f64>,
    /// The time that the athlete wants to finish in.
    pub target_time_s: Option<u32>,
    /// Along the course, ascending.
    pub checkpoints: Vec<Checkpoint>,
}

impl Default for RaceSettings {
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
            target_time_s: None,
            checkpoints: Vec::new(),
        }
    }
}

/// A field that can't be taken, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct BadField {
    /// Its name as it was given.
    pub field: String,
    /// What is wrong, and what would be right.
    pub why: String,
}

/// All fields that can't be taken. Who can act: whoever sent them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFields(pub Vec<BadField>);

impl std::error::Error for BadFields {}

impl std::fmt::Display for BadFields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, bad) in self.0.iter().enumerate() {
            write!(f, "{}{bad}", if i == 0 { "" } else { ". " })?;
        }
        Ok(())
    }
}

impl RaceSettings {
    /// Reads a `race_config`. Returns the text of `course_gpx` apart, unread. Errors: every bad field at once.
    pub fn read(config: &Map<String, Value>) -> Result<(Self, Option<String>), BadFields> {
        let mut reading = Reading::new(config.clone());
        let usual = Self::default();
        let type_text = reading.text("race_type", 60);
        let kind = type_text.as_deref().map(RaceKind::from_words).unwrap_or_default();
        let mut seconds =
            |name: &str, usual, min, max| reading.number(name, min, max, "seconds").unwrap_or(usual);
        let poll_interval_s = seconds("poll_interval_secs", usual.poll_interval_s, 5, 600);
        let analyze_interval_s = seconds("analyze_interval_secs", usual.analyze_interval_s, 60, 7200);
        let window = reading.number("analyze_window_min", 1, 120, "minutes");
        let settings = Self {
            name: reading.text("race_name", 80),
            kind,
            thresholds: reading.thresholds(&Thresholds::default()),
            poll_interval_s,
            analyze_interval_s,
            analyze_window_min: window.unwrap_or(usual.analyze_window_min),
            distance_m: reading
                .km("distance_km")
                .or_else(|| usual_distance_m(type_text.as_deref()?)),
            target_time_s: reading.elapsed("target_time"),
            checkpoints: reading.checkpoints(),
            type_text,
        };
        let gpx = reading.gpx();
        reading.finish((settings, gpx))
    }
}

/// The distance that a name stands for.
fn usual_distance_m(type_text: &str) -> Option<f64> {
    let text = type_text.to_lowercase();
    match text.trim() {
        "marathon" => Some(42_195.0),
        "half marathon" | "half-marathon" | "half_marathon" => Some(21_097.5),
        "10k" | "10 km" => Some(10_000.0),
        "5k" | "5 km" => Some(5_000.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
