//! The sports of a race and of its legs.

use serde::{Deserialize, Serialize};

/// The sport of a race, derived from `race_type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RaceKind {
    Run,
    Ride,
    Swim,
    Walk,
    Hike,
    Row,
    Paddle,
    Ski,
    Triathlon,
    Duathlon,
    /// Not given, or something else: legs follow the watch's activity type.
    #[default]
    Other,
}

/// Words in a `race_type`, in the order in which they are looked for: a "ski marathon" is a ski race.
const RACE_WORDS: [(RaceKind, &[&str]); 11] = [
    (RaceKind::Duathlon, &["duathlon"]),
    (
        RaceKind::Other,
        &["swimrun", "swim run", "aquathlon", "aquabike", "multisport"],
    ),
    (RaceKind::Triathlon, &["triathlon", "ironman", "70.3", "140.6"]),
    (
        RaceKind::Ride,
        &[
            "cycl", "bike", "biking", " ride", "fondo", "gravel", "brevet", "mtb",
        ],
    ),
    (RaceKind::Swim, &["swim"]),
    (RaceKind::Row, &["rowing"]),
    (RaceKind::Paddle, &["kayak", "canoe", "paddl"]),
    (RaceKind::Ski, &["ski"]),
    (RaceKind::Hike, &["hike", "hiking"]),
    (RaceKind::Walk, &["walk"]),
    (
        RaceKind::Run,
        &["run", "marathon", "ultra", "trail", "5k", "10k", "5 km", "10 km"],
    ),
];

impl RaceKind {
    /// Recognizes common names of races: "marathon", "70.3", "gran fondo".
    pub fn from_words(text: &str) -> Self {
        // Each word then begins with a space, so that " ride" is not found in "pride".
        let is_mark = |c: char| !c.is_alphanumeric() && c != '.';
        let text = format!(" {}", text.to_lowercase().replace(is_mark, " "));
        if text.trim() == "tri" {
            return Self::Triathlon;
        }
        let mut known = RACE_WORDS.into_iter();
        known
            .find(|(_, words)| words.iter().any(|word| text.contains(word)))
            .map_or(Self::Other, |(kind, _)| kind)
    }

    /// Whether the race may have legs of several sports.
    pub fn is_multisport(self) -> bool {
        matches!(self, Self::Triathlon | Self::Duathlon | Self::Other)
    }

    /// The sport of the first leg, as far as the kind of race determines it.
    pub fn first_leg(self) -> Option<LegKind> {
        match self {
            Self::Run => Some(LegKind::Run),
            Self::Ride => Some(LegKind::Ride),
            Self::Swim => Some(LegKind::Swim),
            Self::Walk => Some(LegKind::Walk),
            Self::Hike => Some(LegKind::Hike),
            Self::Row => Some(LegKind::Row),
            Self::Paddle => Some(LegKind::Paddle),
            Self::Ski => Some(LegKind::Ski),
            Self::Triathlon | Self::Duathlon | Self::Other => None,
        }
    }
}

/// The sport of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegKind {
    Swim,
    Ride,
    Run,
    Walk,
    Hike,
    Row,
    Kayak,
    Paddle,
    Ski,
    Skate,
    Transition,
}

/// The unit in which a sport gives its speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpeedUnit {
    PerKm,
    Per100m,
    Per500m,
    KmPerHour,
}

/// Parts of an `activityType` and the sport that they name. The first match counts; `None` marks another sport that
/// shares a word.
const ACTIVITY_WORDS: [(&str, Option<LegKind>); 21] = [
    ("TRANSITION", Some(LegKind::Transition)),
    ("SWIM", Some(LegKind::Swim)),
    ("HORSE", None),
    ("MOTOR", None),
    ("ROWING", Some(LegKind::Row)),
    ("KAYAK", Some(LegKind::Kayak)),
    ("CANOE", Some(LegKind::Paddle)),
    ("PADDL", Some(LegKind::Paddle)),
    ("SNOWSHOE", Some(LegKind::Hike)),
    ("SKI", Some(LegKind::Ski)),
    ("SKAT", Some(LegKind::Skate)),
    ("CYCL", Some(LegKind::Ride)),
    ("BIK", Some(LegKind::Ride)),
    ("RIDE", Some(LegKind::Ride)),
    ("RIDING", Some(LegKind::Ride)),
    ("BMX", Some(LegKind::Ride)),
    ("HIK", Some(LegKind::Hike)),
    ("MOUNTAINEERING", Some(LegKind::Hike)),
    ("RUCK", Some(LegKind::Hike)),
    ("WALK", Some(LegKind::Walk)),
    ("RUN", Some(LegKind::Run)),
];

impl LegKind {
    /// Reads Garmin's `activityType`; `None` for uninformative types (`OTHER`, `MULTISPORT`) and unknown sports.
    pub fn from_activity(text: &str) -> Option<Self> {
        let mut words = ACTIVITY_WORDS.into_iter();
        words.find(|(word, _)| text.contains(word))?.1
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Swim => "swim",
            Self::Ride => "bike",
            Self::Run => "run",
            Self::Walk => "walk",
            Self::Hike => "hike",
            Self::Row => "row",
            Self::Kayak => "kayak",
            Self::Paddle => "paddle",
            Self::Ski => "ski",
            Self::Skate => "skate",
            Self::Transition => "transition",
        }
    }

    /// Whether the athlete covers this leg on foot.
    pub fn is_on_foot(self) -> bool {
        matches!(self, Self::Run | Self::Walk | Self::Hike)
    }

    pub fn speed_unit(self) -> SpeedUnit {
        match self {
            Self::Swim => SpeedUnit::Per100m,
            Self::Row => SpeedUnit::Per500m,
            Self::Run | Self::Walk | Self::Hike | Self::Transition => SpeedUnit::PerKm,
            Self::Ride | Self::Kayak | Self::Paddle | Self::Ski | Self::Skate => SpeedUnit::KmPerHour,
        }
    }
}

/// Whether an `activityType` names a sport that stays in one place: on a treadmill, on a trainer, in a pool.
pub fn is_indoors(activity_type: &str) -> bool {
    [
        "INDOOR",
        "TREADMILL",
        "LAP_SWIM",
        "POOL",
        "VIRTUAL",
        "ELLIPTICAL",
        "STAIR",
    ]
    .iter()
    .any(|word| activity_type.contains(word))
}

/// Converts cadence to the unit of the limits: on foot, a watch may count strides, but runners count steps.
pub fn cadence(leg: Option<LegKind>, sent: u32) -> u32 {
    if leg.is_some_and(LegKind::is_on_foot) && sent < 130 {
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

    #[test]
    fn sports_are_named_as_they_are() {
        for (text, kind) in [
            ("TRAIL_RUNNING", Some(LegKind::Run)),
            ("HIKING", Some(LegKind::Hike)),
            ("INDOOR_ROWING", Some(LegKind::Row)),
            ("KAYAKING_V2", Some(LegKind::Kayak)),
            ("STAND_UP_PADDLEBOARDING_V2", Some(LegKind::Paddle)),
            ("SKATE_SKIING_WS", Some(LegKind::Ski)),
            ("BIKETORUNTRANSITION_V2", Some(LegKind::Transition)),
            ("HORSEBACK_RIDING", None),
            ("MOTORCYCLING_V2", None),
            ("OTHER", None),
        ] {
            assert_eq!(LegKind::from_activity(text), kind, "{text}");
        }
        for (text, kind) in [
            ("Ski marathon", RaceKind::Ski),
            ("70.3", RaceKind::Triathlon),
            ("tri", RaceKind::Triathlon),
            ("swimrun", RaceKind::Other),
            ("Gran Fondo", RaceKind::Ride),
            ("night hike", RaceKind::Hike),
            ("24 h", RaceKind::Other),
            ("trail run", RaceKind::Run),
            ("Pride run", RaceKind::Run),
            ("swim-run", RaceKind::Other),
            ("200 km ride", RaceKind::Ride),
        ] {
            assert_eq!(RaceKind::from_words(text), kind, "{text}");
        }
    }
}
