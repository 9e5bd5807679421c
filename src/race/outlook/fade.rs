//! The slowdown with the length of a leg: the usual one, and the athlete's own, from long past activities.
//!
//! The law: at the share x of a leg's effort, a metre of effort takes 1 + s·x times as long as at the start of the leg,
//! where s = b · log2(moving hours) beyond one hour, and b is the slowing per doubling. The halves of such a leg, by
//! effort, are in the ratio r = (1 + 3s/4) : (1 + s/4). So a past activity gives s = (r − 1) / (3/4 − r/4), and
//! b = s / log2(hours).
//!
//! The athlete's own b is the weighted median of their activities. The weight is log2(hours): a short activity shows
//! less of the fade, with the same noise. One bad day or one wrong lap does not move the median much. A few activities
//! prove little, so it is drawn towards the usual b. Most of them are training, which is run more evenly than a race,
//! so at least half of the usual slowing stays.

use serde::{Deserialize, Serialize};

use super::effort::lap_effort_m;
use crate::race::past::{PastActivity, PastLap};
use crate::race::sport::LegKind;

/// Legs up to this length are expected to stay even; hours. The recordings fit one hour a little better than two.
const EVEN_HOURS: f64 = 1.0;

/// How much slower the end of a leg is than its start, for every doubling beyond [`EVEN_HOURS`]: in runs, and in other
/// sports. The second half of a marathon of four hours is expected to be 7 % slower than the first, as in the results
/// of big races. For an even runner, the recent pace corrects this after the first hour.
const SLOWING_RUN: f64 = 0.07;
const SLOWING: f64 = 0.03;
const MOST_SLOWING: f64 = 0.25;

/// Bounds of an athlete's own slowing, relative to the usual one.
const OWN_BOUNDS: (f64, f64) = (0.5, 3.0);

/// The usual slowing counts as much as this many activities.
const USUAL_WEIGHT: f64 = 3.0;

/// Moving time of the usable laps from which an activity counts; seconds. Less than the length for which activities are
/// chosen, because stops and unusable laps are left out.
const LEAST_MOVING_S: f64 = 4500.0;

/// A lap that is this many times as slow or as fast as the median lap is an error, or a stop that counts as motion.
/// Walking is not: it takes about twice as long as running.
const LAP_OUTLIER: f64 = 3.0;

/// The longest lap as a share of the activity. Within a lap the pace is unknown, so long laps hide a fade.
const LONGEST_LAP: f64 = 0.3;

/// Bounds of the ratio of the halves. Beyond them the law has no sensible slowing.
const HALVES: (f64, f64) = (0.5, 2.0);

/// The slowing of one athlete in one sport.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnFade {
    /// How much slower the end of a leg is than its start, as a share, for every doubling beyond one hour.
    pub per_doubling: f64,
    /// The number of activities that it comes from.
    pub activities: u32,
}

/// What is known about the fade of a race's athlete. Stored with the race.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnFades {
    /// The athlete's name for whom this was decided.
    pub athlete: String,
    /// Whether the athlete is clearly the owner of the account. Only then were past activities read.
    pub is_owner: bool,
    /// The sports whose past activities were read.
    #[serde(default)]
    pub sports: Vec<SportFade>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SportFade {
    pub sport: LegKind,
    /// `None` if no past activity shows a fade.
    pub fade: Option<OwnFade>,
}

impl OwnFades {
    /// The fade in a sport, if its past activities were read; the inner `None` if none shows one.
    pub fn read(&self, sport: LegKind) -> Option<Option<OwnFade>> {
        let mut sports = self.sports.iter();
        sports.find(|read| read.sport == sport).map(|read| read.fade)
    }

    pub(super) fn of(&self, kind: Option<LegKind>) -> Option<OwnFade> {
        self.read(kind?).flatten()
    }
}

impl OwnFade {
    /// The fade that past activities of this sport show; `None` if none of them can be used.
    pub fn of(sport: LegKind, past: &[PastActivity]) -> Option<Self> {
        let mut shown: Vec<(f64, f64)> = past.iter().filter_map(|one| shown(sport, one)).collect();
        let activities = u32::try_from(shown.len()).ok()?;
        let usual = usual(Some(sport));
        let (least, most) = OWN_BOUNDS;
        let median = weighted_median(&mut shown)?.clamp(least * usual, most * usual);
        let own_weight = f64::from(activities);
        Some(Self {
            per_doubling: USUAL_WEIGHT.mul_add(usual, own_weight * median) / (USUAL_WEIGHT + own_weight),
            activities,
        })
    }
}

/// What the slowdown of an outlook for this sport rests on.
pub fn basis(fades: Option<&OwnFades>, sport: Option<LegKind>) -> String {
    match fades {
        Some(fades) if !fades.is_owner => {
            "the usual slowdown: the athlete is not clearly the owner of this account".to_owned()
        }
        known => match sport.and_then(|sport| known?.read(sport)) {
            Some(Some(fade)) => format!(
                "the athlete's own slowdown in past activities of this sport, {} of them",
                fade.activities
            ),
            Some(None) => {
                "the usual slowdown: no past activity of 90 minutes or more shows the athlete's own"
                    .to_owned()
            }
            None => "the usual slowdown: past activities of this sport have not been read".to_owned(),
        },
    }
}

/// How much slower the end of a leg of this length is expected to be than its start.
pub(super) fn slowing(kind: Option<LegKind>, hours: f64, own: Option<OwnFade>) -> f64 {
    let per_doubling = own.map_or_else(|| usual(kind), |own| own.per_doubling);
    (per_doubling * doublings(hours)).clamp(0.0, MOST_SLOWING)
}

fn usual(kind: Option<LegKind>) -> f64 {
    match kind {
        Some(LegKind::Run) => SLOWING_RUN,
        _ => SLOWING,
    }
}

fn doublings(hours: f64) -> f64 {
    (hours / EVEN_HOURS).log2()
}

/// The slowing per doubling that one activity shows, and its weight.
fn shown(sport: LegKind, activity: &PastActivity) -> Option<(f64, f64)> {
    let laps = usable(sport, &activity.laps);
    let whole_m: f64 = laps.iter().map(|lap| lap.effort_m).sum();
    let whole_s: f64 = laps.iter().map(|lap| lap.moving_s).sum();
    let longest_m = laps.iter().map(|lap| lap.effort_m).fold(0.0, f64::max);
    if whole_s < LEAST_MOVING_S || longest_m > LONGEST_LAP * whole_m {
        return None;
    }
    let (mut done_m, mut first_s) = (0.0, 0.0);
    for lap in &laps {
        let share = ((whole_m / 2.0 - done_m) / lap.effort_m).clamp(0.0, 1.0);
        first_s += share * lap.moving_s;
        done_m += lap.effort_m;
    }
    let ratio = ((whole_s - first_s) / first_s).clamp(HALVES.0, HALVES.1);
    let doublings = doublings(whole_s / 3600.0);
    let slowing = (ratio - 1.0) / (0.75 - ratio / 4.0);
    Some((slowing / doublings, doublings))
}

/// A lap whose numbers can be used.
struct UsableLap {
    effort_m: f64,
    moving_s: f64,
}

impl UsableLap {
    fn pace(&self) -> f64 {
        self.moving_s / self.effort_m
    }
}

fn usable(sport: LegKind, laps: &[PastLap]) -> Vec<UsableLap> {
    let read = |lap: &PastLap| {
        let effort_m = lap_effort_m(sport, lap);
        // Not a number, infinite, zero and negative are all unusable.
        let is_usable = |number: f64| number.is_finite() && number > 0.0;
        (is_usable(effort_m) && is_usable(lap.moving_s)).then_some(UsableLap {
            effort_m,
            moving_s: lap.moving_s,
        })
    };
    let mut laps: Vec<UsableLap> = laps.iter().filter_map(read).collect();
    let mut paces: Vec<(f64, f64)> = laps.iter().map(|lap| (lap.pace(), lap.effort_m)).collect();
    if let Some(median) = weighted_median(&mut paces) {
        laps.retain(|lap| (median / LAP_OUTLIER..=median * LAP_OUTLIER).contains(&lap.pace()));
    }
    laps
}

/// The median of values with weights; between two values if each side weighs the same. `None` without a value.
fn weighted_median(values: &mut [(f64, f64)]) -> Option<f64> {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let whole: f64 = values.iter().map(|(_, weight)| weight).sum();
    let at = |share: f64| {
        let mut below = 0.0;
        let mut known = values.iter();
        let found = known.find(|(_, weight)| {
            below += weight;
            below >= share * whole
        });
        found.or(values.last()).map(|(value, _)| *value)
    };
    // Sums of weights are not exact.
    Some(f64::midpoint(at(0.5 - 1e-9)?, at(0.5 + 1e-9)?))
}

#[cfg(test)]
mod tests;
