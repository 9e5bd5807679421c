//! A race as a scenario: data that says who goes where, what happens on the way, and how LiveTrack tells of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::simulator::faults::{Fault, Place};

/// The most seconds that a scenario lasts: two days.
const LONGEST_S: f64 = 172_800.0;

/// A race, start to end. All times (`…_s`) are seconds since LiveTrack was started, unless they say otherwise.
///
/// As JSON; only `name` and `legs` are needed, and an unknown member is an error.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// Who runs, as LiveTrack shows it.
    #[serde(default = "usual::athlete")]
    pub athlete: String,
    /// The session's name.
    #[serde(default = "usual::session_name")]
    pub session_name: String,
    /// Where all chance comes from.
    #[serde(default)]
    pub seed: u64,
    /// Where it starts: latitude and longitude.
    #[serde(default = "usual::start")]
    pub start: (f64, f64),
    /// Seconds in which only the phone's position comes, before the watch's timer runs.
    #[serde(default)]
    pub before_s: u32,
    /// Seconds from one sample to the next.
    #[serde(default = "usual::sample_every_s")]
    pub sample_every_s: u32,
    /// Seconds from one post of the phone to the next: `postTrackPointFrequency`.
    #[serde(default = "usual::post_every_s")]
    pub post_every_s: u32,
    /// The legs, in order.
    pub legs: Vec<LegPlan>,
    /// What happens on the way.
    #[serde(default)]
    pub happenings: Vec<Happening>,
    /// How the end is told.
    #[serde(default)]
    pub end: EndPlan,
    /// By how much the watch's clock is wrong.
    #[serde(default)]
    pub clock_off_s: i64,
    /// When the phone starts LiveTrack anew: from then on a second link tells of the race.
    #[serde(default)]
    pub new_link_at_s: Option<u32>,
    /// How LiveTrack answers.
    #[serde(default)]
    pub answers: Answers,
    /// What goes wrong with the answers.
    #[serde(default)]
    pub faults: Vec<TimedFault>,
    /// For whoever tracks it: a `race_config` that fits.
    #[serde(default)]
    pub race_config: Value,
}

/// One leg.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LegPlan {
    /// `activityType`; none = the watch sends none.
    #[serde(default)]
    pub activity_type: Option<String>,
    /// How long the way is.
    pub distance_m: f64,
    /// How fast it is gone.
    pub speed_mps: f64,
    /// Heart rate at its start and at its end, bpm.
    #[serde(default)]
    pub heart_rate_bpm: Option<(f64, f64)>,
    /// Turns, or strides of one leg, per minute.
    #[serde(default)]
    pub cadence_rpm: Option<f64>,
    /// Power, W.
    #[serde(default)]
    pub power_w: Option<f64>,
    /// Whether anything is heard of it: a phone in the bag on the shore tells nothing of a swim.
    #[serde(default = "usual::yes")]
    pub is_seen: bool,
    /// Whether points have positions.
    #[serde(default = "usual::yes")]
    pub has_positions: bool,
    /// Whether the leg's own counters begin at 0 here.
    #[serde(default = "usual::yes")]
    pub restarts_counters: bool,
}

/// Something that happens on the way.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Happening {
    /// The phone can't post.
    NoSignal {
        /// From when.
        at_s: u32,
        /// For how long.
        for_s: u32,
        /// What becomes of the samples.
        then: AfterSilence,
    },
    /// The athlete stands; the timer runs on.
    Stop {
        /// From when.
        at_s: u32,
        /// For how long.
        for_s: u32,
    },
    /// No position is known: a tunnel, with a phone that posts.
    NoPositions {
        /// From when.
        at_s: u32,
        /// For how long.
        for_s: u32,
    },
    /// Other values than the leg's.
    Values {
        /// From when.
        at_s: u32,
        /// For how long.
        for_s: u32,
        /// Heart rate, bpm; what no body does is sent all the same.
        #[serde(default)]
        heart_rate_bpm: Option<f64>,
        /// As in the leg.
        #[serde(default)]
        cadence_rpm: Option<f64>,
        /// W.
        #[serde(default)]
        power_w: Option<f64>,
        /// m/s.
        #[serde(default)]
        speed_mps: Option<f64>,
    },
    /// The watch is empty; nothing comes any more, and nobody says so.
    WatchDies {
        /// When.
        at_s: u32,
    },
}

impl Happening {
    /// The last second that it reaches to.
    fn last_s(&self) -> f64 {
        let (at_s, for_s, more_s) = match self {
            Self::NoSignal { at_s, for_s, then } => match then {
                AfterSilence::Late { by_s } => (*at_s, *for_s, *by_s),
                AfterSilence::Kept | AfterSilence::Lost => (*at_s, *for_s, 0),
            },
            Self::Stop { at_s, for_s }
            | Self::NoPositions { at_s, for_s }
            | Self::Values { at_s, for_s, .. } => (*at_s, *for_s, 0),
            Self::WatchDies { at_s } => (*at_s, 0, 0),
        };
        f64::from(at_s) + f64::from(for_s) + f64::from(more_s)
    }
}

/// What becomes of samples that could not be posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum AfterSilence {
    /// They come when there is a signal again, before the newer ones.
    Kept,
    /// They come in one batch, when newer ones have come for a while.
    Late {
        /// For how long.
        by_s: u32,
    },
    /// They are gone.
    Lost,
}

/// How the end is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct EndPlan {
    /// Whether the last point says END.
    pub event: bool,
    /// Whether the session's end moves from its 24 hours to the true end.
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

/// How LiveTrack answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "switches of a scenario, each on its own"
)]
pub struct Answers {
    /// Whether the fitness part of a point is in `fitnessPointData`.
    pub nested: bool,
    /// Whether a point at `begin` itself is among those that come.
    pub begin_inclusive: bool,
    /// Whether "nothing new" is an empty body instead of an empty list.
    pub empty_body: bool,
    /// The most points of one answer.
    pub page_points: usize,
    /// Whether there is a course.
    pub course: bool,
    /// How the page carries the data it was drawn from.
    pub hydration: Hydration,
}

impl Default for Answers {
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

/// How a page carries the data it was drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Hydration {
    /// Not at all.
    None,
    /// `__NEXT_DATA__`.
    NextData,
    /// `self.__next_f.push`.
    Fragments,
}

/// A fault that strikes this race for a while.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TimedFault {
    /// From when.
    pub at_s: u32,
    /// For how long.
    pub for_s: u32,
    /// One of the `livetrack_…` places.
    pub place: Place,
    /// What.
    pub fault: Fault,
}

/// Why a scenario can't be played.
#[derive(Debug, thiserror::Error)]
pub enum BadScenario {
    /// It is no scenario. Whoever wrote it can act.
    #[error("not a scenario")]
    Json(#[from] serde_json::Error),
    /// A value is out of range.
    #[error("{0}")]
    Value(&'static str),
}

impl Scenario {
    /// Reads a scenario from JSON.
    pub fn read(text: &str) -> Result<Self, BadScenario> {
        let scenario: Self = serde_json::from_str(text)?;
        scenario.checked()
    }

    /// Refuses what could not be played.
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

/// What holds where a scenario says nothing.
mod usual {
    pub(super) fn athlete() -> String {
        "Ann Example".to_owned()
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
    fn what_is_wrong_with_a_scenario_is_named() {
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
