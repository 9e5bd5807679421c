//! Which thresholds hold on which leg.

use crate::race::settings::{RaceKind, Thresholds};
use crate::race::track::LegKind;

/// The limits of a leg. Cadence is in turns per minute, on a run in steps per minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Heart-rate floor and ceiling, bpm.
    pub hr_min: Option<u32>,
    /// See above.
    pub hr_max: Option<u32>,
    /// Power floor and ceiling, W.
    pub power_min: Option<u32>,
    /// See above.
    pub power_max: Option<u32>,
    /// Lowest cadence.
    pub cadence_min: Option<u32>,
}

/// The limits on a leg of this sport.
///
/// In a triathlon or duathlon the plain fields are the bicycle's and the `run_` fields the run's; swims and transitions
/// have none. In a race of one sport the plain fields hold too where no `run_` field is set. On a leg whose sport is
/// not known, the looser of both holds.
pub fn limits(thresholds: &Thresholds, race: RaceKind, leg: Option<LegKind>) -> Limits {
    let ride = Limits {
        hr_min: thresholds.hr_min,
        hr_max: thresholds.hr_max,
        power_min: thresholds.power_min,
        power_max: thresholds.power_max,
        cadence_min: thresholds.cadence_min,
    };
    let strict = matches!(race, RaceKind::Triathlon | RaceKind::Duathlon);
    let run_only = Limits {
        hr_min: thresholds.run_hr_min,
        hr_max: thresholds.run_hr_max,
        cadence_min: thresholds.run_cadence_min,
        ..Limits::default()
    };
    let run = if strict {
        run_only
    } else {
        Limits {
            hr_min: run_only.hr_min.or(ride.hr_min),
            hr_max: run_only.hr_max.or(ride.hr_max),
            // Turns of a crank say nothing about steps.
            ..Limits {
                cadence_min: run_only.cadence_min,
                ..ride
            }
        }
    };
    match leg {
        Some(LegKind::Ride) => ride,
        Some(LegKind::Run) => run,
        Some(LegKind::Transition) => Limits::default(),
        Some(LegKind::Swim) if strict => Limits::default(),
        Some(LegKind::Swim) => Limits {
            hr_min: ride.hr_min,
            hr_max: ride.hr_max,
            ..Limits::default()
        },
        None if strict => Limits {
            hr_min: both(ride.hr_min, run.hr_min, u32::min),
            hr_max: both(ride.hr_max, run.hr_max, u32::max),
            ..Limits::default()
        },
        None => Limits {
            cadence_min: None,
            ..run
        },
    }
}

/// Both where both are set; a limit that only one sport has is no limit of an unknown one.
fn both(a: Option<u32>, b: Option<u32>, pick: fn(u32, u32) -> u32) -> Option<u32> {
    Some(pick(a?, b?))
}

/// Cadence in the unit of the leg's limit: a watch counts the strides of one leg, runners count steps.
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

    #[test]
    fn strides_become_steps_on_a_run() {
        assert_eq!(cadence(Some(LegKind::Run), 84), 168);
        assert_eq!(cadence(Some(LegKind::Run), 172), 172);
        assert_eq!(cadence(Some(LegKind::Ride), 84), 84);
    }
}
