//! The thresholds of a race, and which of them apply on a leg.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::race::fields::{BadFields, FieldReader};
use crate::race::sport::{LegKind, RaceKind};

/// Limits that the athlete wants to keep to. Limits that are not set are not monitored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// Maximum heart rate on the bike, or everywhere in a single-sport race, in bpm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hr_max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hr_min: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_min: Option<u32>,
    /// Minimum cadence on the bike in rpm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cadence_min: Option<u32>,
    /// Maximum heart rate on the run in bpm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_hr_max: Option<u32>,
    /// Minimum heart rate on the run in bpm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_hr_min: Option<u32>,
    /// Minimum cadence on the run in steps per minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_cadence_min: Option<u32>,
}

/// Names, ranges and units of the thresholds, in the order in which they are listed.
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

    /// Takes the thresholds from `fields` and applies them to a copy: a number sets one, null removes it.
    pub(super) fn read(&self, fields: &mut FieldReader) -> Self {
        let mut thresholds = self.clone();
        for (name, min, max, unit) in THRESHOLDS {
            let given = fields.has(name);
            let value = fields.number(name, min, max, unit);
            if let Some(slot) = thresholds.slot(name).filter(|_| given) {
                *slot = value;
            }
        }
        for (low_name, low, high_name, high) in [
            ("hr_min", thresholds.hr_min, "hr_max", thresholds.hr_max),
            (
                "power_min",
                thresholds.power_min,
                "power_max",
                thresholds.power_max,
            ),
            (
                "run_hr_min",
                thresholds.run_hr_min,
                "run_hr_max",
                thresholds.run_hr_max,
            ),
        ] {
            if let (Some(low), Some(high)) = (low, high)
                && low >= high
            {
                fields.refuse(low_name, format!("must be below {high_name}, which is {high}"));
            }
        }
        thresholds
    }

    /// A copy with `changes` applied: a number sets a threshold, null removes it. Errors: every field that is unknown
    /// or out of range; then nothing changes.
    pub fn with(&self, changes: &Map<String, Value>) -> Result<Self, BadFields> {
        let mut fields = FieldReader::new(changes.clone());
        let thresholds = self.read(&mut fields);
        fields.finish(thresholds, &THRESHOLDS.map(|(name, ..)| name))
    }
}

/// The limits of a leg. Cadence is in rpm, on a run in steps per minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LegLimits {
    /// Lower and upper limit of heart rate, bpm.
    pub hr_min: Option<u32>,
    pub hr_max: Option<u32>,
    /// Lower and upper limit of power, W.
    pub power_min: Option<u32>,
    pub power_max: Option<u32>,
    pub cadence_min: Option<u32>,
}

/// The limits on a leg of this sport.
///
/// In a triathlon or duathlon the plain fields apply to the bike and the `run_` fields to the run; swims and
/// transitions have no limits. In a single-sport race the plain fields also replace `run_` fields that are not set. On
/// a leg of unknown sport, the looser of the two limits applies.
pub fn limits(thresholds: &Thresholds, race: RaceKind, leg: Option<LegKind>) -> LegLimits {
    let ride = LegLimits {
        hr_min: thresholds.hr_min,
        hr_max: thresholds.hr_max,
        power_min: thresholds.power_min,
        power_max: thresholds.power_max,
        cadence_min: thresholds.cadence_min,
    };
    let strict = matches!(race, RaceKind::Triathlon | RaceKind::Duathlon);
    let run_only = LegLimits {
        hr_min: thresholds.run_hr_min,
        hr_max: thresholds.run_hr_max,
        cadence_min: thresholds.run_cadence_min,
        ..LegLimits::default()
    };
    let run = if strict {
        run_only
    } else {
        LegLimits {
            hr_min: run_only.hr_min.or(ride.hr_min),
            hr_max: run_only.hr_max.or(ride.hr_max),
            // Crank revolutions say nothing about steps.
            ..LegLimits {
                cadence_min: run_only.cadence_min,
                ..ride
            }
        }
    };
    match leg {
        Some(LegKind::Ride) => ride,
        Some(LegKind::Run | LegKind::Walk | LegKind::Hike) => run,
        Some(LegKind::Transition) => LegLimits::default(),
        Some(LegKind::Swim) if strict => LegLimits::default(),
        Some(LegKind::Swim) => LegLimits {
            hr_min: ride.hr_min,
            hr_max: ride.hr_max,
            ..LegLimits::default()
        },
        // Strokes are not crank revolutions.
        Some(LegKind::Row | LegKind::Kayak | LegKind::Paddle | LegKind::Ski | LegKind::Skate) => LegLimits {
            cadence_min: None,
            ..ride
        },
        None if strict => LegLimits {
            hr_min: both(ride.hr_min, run.hr_min, u32::min),
            hr_max: both(ride.hr_max, run.hr_max, u32::max),
            ..LegLimits::default()
        },
        None => LegLimits {
            cadence_min: None,
            ..run
        },
    }
}

/// Combines two limits. A limit that only one sport has does not apply to an unknown sport.
fn both(a: Option<u32>, b: Option<u32>, pick: fn(u32, u32) -> u32) -> Option<u32> {
    Some(pick(a?, b?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_follow_the_leg() {
        let thresholds = Thresholds {
            hr_max: Some(144),
            hr_min: Some(115),
            power_max: Some(165),
            cadence_min: Some(82),
            run_hr_max: Some(152),
            run_cadence_min: Some(165),
            ..Thresholds::default()
        };
        // (hr_min, hr_max, power_max, cadence_min)
        for (race, leg, expected) in [
            (
                RaceKind::Triathlon,
                Some(LegKind::Ride),
                (Some(115), Some(144), Some(165), Some(82)),
            ),
            (
                RaceKind::Triathlon,
                Some(LegKind::Run),
                (None, Some(152), None, Some(165)),
            ),
            (RaceKind::Triathlon, Some(LegKind::Swim), (None, None, None, None)),
            (
                RaceKind::Triathlon,
                Some(LegKind::Transition),
                (None, None, None, None),
            ),
            (RaceKind::Triathlon, None, (None, Some(152), None, None)),
            (
                RaceKind::Run,
                Some(LegKind::Run),
                (Some(115), Some(152), Some(165), Some(165)),
            ),
            (
                RaceKind::Swim,
                Some(LegKind::Swim),
                (Some(115), Some(144), None, None),
            ),
            (RaceKind::Other, None, (Some(115), Some(152), Some(165), None)),
            (
                RaceKind::Other,
                Some(LegKind::Ride),
                (Some(115), Some(144), Some(165), Some(82)),
            ),
        ] {
            let is = limits(&thresholds, race, leg);
            let is = (is.hr_min, is.hr_max, is.power_max, is.cadence_min);
            assert_eq!(is, expected, "{race:?} {leg:?}");
        }
    }
}
