//! The scenario of a race: the athlete, the legs, the events along the way, and how LiveTrack behaves.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::simulator::faults::{Fault, Place};

/// The longest scenario in seconds: two days.
const LONGEST_S: f64 = 172_800.0;

/// A race from start to finish, read from JSON. All times (`…_s`) are seconds since the start of LiveTrack unless
/// stated otherwise. Only `name` and `legs` are required, and an unknown member is an error.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub name: String,
    /// The athlete's name as LiveTrack shows it.
    #[serde(default = "usual::athlete")]
    pub athlete: String,
    #[serde(default = "usual::session_name")]
    pub session_name: String,
    #[serde(default)]
    pub seed: u64,
    /// The start: latitude and longitude in degrees.
    #[serde(default = "usual::start")]
    pub start: (f64, f64),
    /// Seconds until the watch's timer starts. During that time only the phone's position is sent.
    #[serde(default)]
    pub before_s: u32,
    /// Seconds between two samples.
    #[serde(default = "usual::sample_every_s")]
    pub sample_every_s: u32,
    /// Seconds between two posts of the phone (`postTrackPointFrequency`).
    #[serde(default = "usual::post_every_s")]
    pub post_every_s: u32,
    pub legs: Vec<LegPlan>,
    /// Whether there is no watch: the phone sends positions and speed alone.
    #[serde(default)]
    pub phone_only: bool,
    #[serde(default)]
    pub happenings: Vec<Happening>,
    #[serde(default)]
    pub end: EndPlan,
    /// Seconds by which the watch's clock is ahead.
    #[serde(default)]
    pub clock_off_s: i64,
    /// When the phone restarts LiveTrack. From then on a second link covers the race.
    #[serde(default)]
    pub new_link_at_s: Option<u32>,
    #[serde(default)]
    pub answers: LiveTrackBehavior,
    #[serde(default)]
    pub faults: Vec<TimedFault>,
    /// A `race_config` that suits this race, for testing the race tools.
    #[serde(default)]
    pub race_config: Value,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LegPlan {
    /// `activityType`; `None` = the watch sends none.
    #[serde(default)]
    pub activity_type: Option<String>,
    pub distance_m: f64,
    pub speed_mps: f64,
    /// Heart rate at the leg's start and end, in bpm.
    #[serde(default)]
    pub heart_rate_bpm: Option<(f64, f64)>,
    /// Cadence: revolutions, or strides of one leg, per minute.
    #[serde(default)]
    pub cadence_rpm: Option<f64>,
    #[serde(default)]
    pub power_w: Option<f64>,
    /// Whether LiveTrack receives points. A phone left in the bag on the shore sends none during a swim.
    #[serde(default = "usual::yes")]
    pub is_seen: bool,
    #[serde(default = "usual::yes")]
    pub has_positions: bool,
    /// Whether the leg's own counters restart at 0.
    #[serde(default = "usual::yes")]
    pub restarts_counters: bool,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Happening {
    /// The phone has no signal.
    NoSignal {
        at_s: u32,
        for_s: u32,
        then: AfterSilence,
    },
    /// The athlete stops; the timer keeps running.
    Stop {
        at_s: u32,
        for_s: u32,
        /// Metres that the receiver drifts every two minutes.
        #[serde(default)]
        jitter_m: f64,
    },
    /// The athlete stops and pauses the timer. The watch may or may not send points meanwhile.
    Pause { at_s: u32, for_s: u32, posts: bool },
    /// The athlete leaves the course by this many metres; the counters go on.
    OffCourse { at_s: u32, for_s: u32, off_m: f64 },
    /// The athlete ends the activity before the finish.
    GivesUp { at_s: u32 },
    /// The phone posts points without positions, as in a tunnel.
    NoPositions { at_s: u32, for_s: u32 },
    /// Sensor values that differ from the leg's.
    Values {
        at_s: u32,
        for_s: u32,
        /// The values are sent unchanged even if they are impossible.
        #[serde(default)]
        heart_rate_bpm: Option<f64>,
        #[serde(default)]
        cadence_rpm: Option<f64>,
        #[serde(default)]
        power_w: Option<f64>,
        #[serde(default)]
        speed_mps: Option<f64>,
        /// Metres of climb per second, on top of the route.
        #[serde(default)]
        climb_mps: f64,
    },
    /// The battery of the watch runs out: no more points, and no finish.
    WatchDies { at_s: u32 },
}

impl Happening {
    /// The last second that the event affects.
    fn last_s(&self) -> f64 {
        let (at_s, for_s, more_s) = match self {
            Self::NoSignal { at_s, for_s, then } => match then {
                AfterSilence::Late { by_s } => (*at_s, *for_s, *by_s),
                AfterSilence::Kept | AfterSilence::Lost => (*at_s, *for_s, 0),
            },
            Self::Stop { at_s, for_s, .. }
            | Self::Pause { at_s, for_s, .. }
            | Self::OffCourse { at_s, for_s, .. }
            | Self::NoPositions { at_s, for_s }
            | Self::Values { at_s, for_s, .. } => (*at_s, *for_s, 0),
            Self::WatchDies { at_s } | Self::GivesUp { at_s } => (*at_s, 0, 0),
        };
        f64::from(at_s) + f64::from(for_s) + f64::from(more_s)
    }
}

/// What happens to samples that the phone could not post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum AfterSilence {
    /// The samples are posted when the signal returns, before newer ones.
    Kept,
    /// The samples are posted in one batch, `by_s` seconds after the signal returned.
    Late {
        by_s: u32,
    },
    Lost,
}

/// How LiveTrack reports the finish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct EndPlan {
    /// Whether the last point has the event `END`.
    pub event: bool,
    /// Whether the session's `end` changes from start + 24 h to the time of the finish.
    pub session: bool,
}

impl Default for EndPlan {
    fn default() -> Self {
        Self {
            event: true,
            session: true,
        }
    }
}

/// How LiveTrack responds: variants that Garmin was observed to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of a scenario")]
pub struct LiveTrackBehavior {
    /// Whether a point's sensor values are nested inside `fitnessPointData`.
    pub nested: bool,
    /// Whether a point at exactly `begin` is returned.
    pub begin_inclusive: bool,
    /// Whether a response without new points is an empty body instead of an empty list.
    pub empty_body: bool,
    /// The maximum number of points in one response.
    pub page_points: usize,
    pub course: bool,
    pub hydration: Hydration,
}

impl Default for LiveTrackBehavior {
    fn default() -> Self {
        Self {
            nested: false,
            begin_inclusive: true,
            empty_body: false,
            page_points: 500,
            course: false,
            hydration: Hydration::Fragments,
        }
    }
}

/// How a page embeds the race data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Hydration {
    None,
    /// In the `__NEXT_DATA__` script element.
    NextData,
    /// In calls of `self.__next_f.push`.
    Fragments,
}

/// A fault of this race, scheduled by time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TimedFault {
    pub at_s: u32,
    pub for_s: u32,
    /// One of the places that begin with `livetrack_`.
    pub place: Place,
    pub fault: Fault,
}

/// Why a scenario can't be played. The author of the scenario can fix it.
#[derive(Debug, thiserror::Error)]
pub enum BadScenario {
    #[error("not a scenario")]
    Json(#[from] serde_json::Error),
    #[error("{0}")]
    Value(&'static str),
}

impl Scenario {
    /// Reads a scenario from JSON.
    pub fn read(text: &str) -> Result<Self, BadScenario> {
        let scenario: Self = serde_json::from_str(text)?;
        scenario.checked()
    }

    /// Rejects a scenario that cannot be played.
    pub(in crate::simulator) fn checked(self) -> Result<Self, BadScenario> {
        let positive = |number: f64| number.is_finite() && number > 0.0;
        let moves = |happening: &Happening| match happening {
            Happening::Values { speed_mps, .. } => speed_mps.is_none_or(positive),
            _ => true,
        };
        let goes = |leg: &LegPlan| positive(leg.distance_m) && positive(leg.speed_mps);
        let good = [
            (!self.legs.is_empty(), "legs: at least one is needed"),
            (
                self.legs.iter().all(goes),
                "legs: distance_m and speed_mps must be above 0",
            ),
            (
                self.happenings.iter().all(moves),
                "happenings: speed_mps must be above 0",
            ),
            (
                self.legs
                    .iter()
                    .map(|leg| leg.distance_m / leg.speed_mps)
                    .sum::<f64>()
                    <= LONGEST_S,
                "legs: all together may last two days",
            ),
            (
                (1..=3600).contains(&self.sample_every_s),
                "sample_every_s: 1 to 3600",
            ),
            ((1..=3600).contains(&self.post_every_s), "post_every_s: 1 to 3600"),
            (self.before_s <= 86_400, "before_s: up to a day"),
            (
                self.happenings
                    .iter()
                    .all(|happening| happening.last_s() <= LONGEST_S),
                "happenings: all within two days",
            ),
            (
                self.answers.page_points > 0,
                "answers.page_points must be above 0",
            ),
            (
                self.start.0.abs() < 80.0 && self.start.1.abs() < 170.0,
                "start: latitude within 80 and longitude within 170 degrees",
            ),
        ];
        match good.iter().find(|(is_good, _)| !is_good) {
            Some((_, why)) => Err(BadScenario::Value(why)),
            None => Ok(self),
        }
    }
}

/// Default values of a scenario's members.
mod usual {
    /// A shortened name, as many people show it. It is not that of anybody's Garmin profile.
    pub(super) fn athlete() -> String {
        "Ann E".to_owned()
    }

    pub(super) fn session_name() -> String {
        "Activity".to_owned()
    }

    pub(super) fn start() -> (f64, f64) {
        (46.62, 14.31)
    }

    pub(super) fn sample_every_s() -> u32 {
        10
    }

    pub(super) fn post_every_s() -> u32 {
        15
    }

    pub(super) fn yes() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_scenario_is_refused_with_the_field() {
        let leg = r#"{"distance_m": 1000, "speed_mps": 3}"#;
        for (text, why) in [
            (r#"{"name": "x", "legs": []}"#.to_owned(), "at least one"),
            (
                r#"{"name": "x", "legs": [{"distance_m": 0, "speed_mps": 3}]}"#.into(),
                "distance_m",
            ),
            (
                format!(r#"{{"name": "x", "legs": [{leg}], "sample_every_s": 0}}"#),
                "sample_every_s",
            ),
            (
                format!(r#"{{"name": "x", "legs": [{leg}], "start": [89.0, 0.0]}}"#),
                "latitude",
            ),
        ] {
            let error = Scenario::read(&text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        let typo = format!(r#"{{"name": "x", "legs": [{leg}], "happenigs": []}}"#);
        assert!(matches!(Scenario::read(&typo), Err(BadScenario::Json(_))));
        assert!(Scenario::read(&format!(r#"{{"name": "x", "legs": [{leg}]}}"#)).is_ok());
    }
}
