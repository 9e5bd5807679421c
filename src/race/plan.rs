//! The plan of a race: everything that a person may choose for it.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::race::course::{BadCourse, Course};
use crate::race::place_rule::PlaceRule;
use crate::race::recipients::Recipient;
use crate::race::sport::{LegKind, RaceKind};
use crate::race::thresholds::Thresholds;

mod agreement;
mod fields;
mod implied;
mod recipient_fields;
mod waypoints;

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
    /// Planned stop in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_s: Option<u32>,
}

/// One leg of the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanLeg {
    pub kind: LegKind,
    pub distance_m: f64,
    /// Planned duration in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_s: Option<u32>,
}

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
    /// Seconds between two analyses by Claude.
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
    /// Legs of a race of several sports, in order; empty if unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legs: Vec<PlanLeg>,
    /// What the athlete eats and drinks, in the coach's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<Recipient>,
    /// The alerts about places that the person asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub place_rules: Vec<PlaceRule>,
    /// Where the race is, as a name of the time zone database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
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
            legs: Vec::new(),
            fuel: None,
            notes: None,
            recipients: Vec::new(),
            place_rules: Vec::new(),
            time_zone: None,
        }
    }
}

/// How far the length of a course file may differ from the distance, as a share: from a given one, and from one that
/// only the name of the race implies.
const SCALED_TO_GIVEN: f64 = 0.15;
const SCALED_TO_IMPLIED: f64 = 0.035;

/// Maximum number of checkpoints per race.
const MOST_CHECKPOINTS: usize = 100;

impl RacePlan {
    /// The zone for times of day; UTC if none is known.
    pub fn zone(&self) -> TimeZone {
        let name = self.time_zone.as_deref();
        name.and_then(|name| TimeZone::get(name).ok())
            .unwrap_or(TimeZone::UTC)
    }

    /// Whole distance in metres, if known: the course's or the given one.
    pub fn whole_m(&self, course: Option<&Course>) -> Option<f64> {
        course.map(Course::length_m).or(self.distance_m)
    }

    /// Whether the race is known to have legs of several sports.
    pub fn has_legs(&self) -> bool {
        !self.legs.is_empty() || matches!(self.kind, RaceKind::Triathlon | RaceKind::Duathlon)
    }

    /// The planned sport at a distance from the start.
    pub fn leg_at(&self, at_m: f64) -> Option<LegKind> {
        let mut end_m = 0.0;
        let mut legs = self.legs.iter();
        legs.find(|leg| {
            end_m += leg.distance_m;
            at_m <= end_m
        })
        .map(|leg| leg.kind)
    }

    /// How far the length of a course may differ from the distance, as a share. `is_given` tells whether the person gave
    /// the distance.
    pub fn course_tolerance(is_given: bool) -> f64 {
        if is_given {
            SCALED_TO_GIVEN
        } else {
            SCALED_TO_IMPLIED
        }
    }

    /// Whether the person gave the distance, instead of the race's type implying it.
    pub fn has_given_distance(&self) -> bool {
        let implied_m = self.type_text.as_deref().and_then(implied::distance_m);
        self.distance_m.is_some() && self.distance_m != implied_m
    }

    /// Refuses a course whose length contradicts the distance that the person gave. `is_given` tells whether they gave
    /// it just now; otherwise it counts if the race's type does not imply it.
    pub fn refuse_other_course(&self, course: &Course, is_given: bool) -> Result<(), BadCourse> {
        let given_m = self.distance_m.filter(|_| is_given || self.has_given_distance());
        match given_m {
            Some(given_m) if (given_m / course.length_m().max(1.0) - 1.0).abs() > SCALED_TO_GIVEN => {
                Err(BadCourse::Contradicts {
                    course_km: course.length_m() / 1000.0,
                    distance_km: given_m / 1000.0,
                })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
