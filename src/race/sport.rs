//! The sports of a race and of its legs.

use serde::{Deserialize, Serialize};

/// The sport of a race, derived from `race_type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RaceKind {
    Run,
    Ride,
    Swim,
    Triathlon,
    Duathlon,
    /// Not given, or something else: legs follow the watch's activity type.
    #[default]
    Other,
}

impl RaceKind {
    /// Recognizes common names of races: "marathon", "70.3", "gran fondo".
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

    /// Whether the race may have legs of several sports.
    pub fn is_multisport(self) -> bool {
        matches!(self, Self::Triathlon | Self::Duathlon | Self::Other)
    }
}

/// The sport of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegKind {
    Swim,
    Ride,
    Run,
    Transition,
}

impl LegKind {
    /// Reads Garmin's `activityType`; `None` for uninformative types (`OTHER`, `MULTISPORT`).
    pub fn from_activity(text: &str) -> Option<Self> {
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if has(&["TRANSITION"]) {
            Some(Self::Transition)
        } else if has(&["SWIM"]) {
            Some(Self::Swim)
        } else if has(&["CYCL", "BIK", "RIDE", "RIDING"]) {
            Some(Self::Ride)
        } else if has(&["RUN", "WALK", "HIK"]) {
            Some(Self::Run)
        } else {
            None
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Swim => "swim",
            Self::Ride => "bike",
            Self::Run => "run",
            Self::Transition => "transition",
        }
    }
}

/// Converts cadence to the unit of the leg's limit: a watch counts the strides of one leg, runners count steps.
pub fn cadence(leg: Option<LegKind>, sent: u32) -> u32 {
    if leg == Some(LegKind::Run) && sent < 130 {
        sent * 2
    } else {
        sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_become_steps_on_a_run() {
        assert_eq!(cadence(Some(LegKind::Run), 84), 168);
        assert_eq!(cadence(Some(LegKind::Run), 172), 172);
        assert_eq!(cadence(Some(LegKind::Ride), 84), 84);
    }
}
