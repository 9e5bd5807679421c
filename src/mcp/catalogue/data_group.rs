//! The groups of data that a person may share with others, in everyday words.
//!
//! The table of tools (`assets/catalogue.json`) gives every tool that reads a group. A tool whose answer mixes groups
//! is in [`DataGroup::Everything`], so that a grant of one group never shows a part of another.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A group of data that a person can let others see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataGroup {
    Activities,
    Training,
    Steps,
    Sleep,
    Heart,
    Body,
    Races,
    Everything,
}

/// Who may use a tool on a person's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolSharing {
    /// The table does not list the tool.
    #[serde(skip)]
    Unknown,
    /// The person alone: the tool changes something, or its answer is a file that only its owner can open.
    Owner,
    /// Its arguments name metrics, each with its own group.
    ByMetric,
    #[serde(untagged)]
    Group(DataGroup),
}

impl DataGroup {
    pub const ALL: [Self; 8] = [
        Self::Activities,
        Self::Training,
        Self::Steps,
        Self::Sleep,
        Self::Heart,
        Self::Body,
        Self::Races,
        Self::Everything,
    ];

    /// The name in arguments, answers and records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Activities => "activities",
            Self::Training => "training",
            Self::Steps => "steps",
            Self::Sleep => "sleep",
            Self::Heart => "heart",
            Self::Body => "body",
            Self::Races => "races",
            Self::Everything => "everything",
        }
    }

    /// What it shows, in words for people.
    pub fn about(self) -> &'static str {
        match self {
            Self::Activities => {
                "each activity with its track, laps and heart rate; gear, courses, records, badges"
            }
            Self::Training => "load, status, VO₂ max, scores, race predictions, workouts and plan",
            Self::Steps => "steps, floors and intensity minutes",
            Self::Sleep => "the nights: times, stages, score",
            Self::Heart => "heart rate, HRV, stress, breathing and blood oxygen, by day and night",
            Self::Body => "weight, body composition, blood pressure, food and drink",
            Self::Races => "tracked races, with position and heart rate",
            Self::Everything => {
                "all of these, the cycle, the profile, the devices, and what mixes groups, such as the training overview"
            }
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.name() == name)
    }
}

impl fmt::Display for DataGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_records() {
        for group in DataGroup::ALL {
            assert_eq!(serde_json::to_value(group).unwrap(), group.name());
            assert_eq!(DataGroup::named(group.name()), Some(group));
        }
        let read = |text: &str| serde_json::from_str::<ToolSharing>(text).ok();
        assert_eq!(read("\"owner\""), Some(ToolSharing::Owner));
        assert_eq!(read("\"by_metric\""), Some(ToolSharing::ByMetric));
        assert_eq!(read("\"heart\""), Some(ToolSharing::Group(DataGroup::Heart)));
        assert_eq!((read("\"unknown\""), read("\"hart\"")), (None, None));
    }
}
