//! Which settings of an earlier race a new one takes over. Pure.
//!
//! Limits, recipients and intervals belong to the person. Course, checkpoints, distance and time zone belong to the
//! event: they are taken over only if the new race follows the same course, or begins where the earlier course begins.

#[cfg(test)]
mod tests;

use jiff::Timestamp;

use crate::garmin::livetrack::Position;
use crate::race::course::Course;
use crate::race::geo::distance_m;
use crate::race::plan::RacePlan;
use crate::race::sport::LegKind;
use crate::race::text;
use crate::race::thresholds::{THRESHOLDS, Thresholds};

/// Starts within this distance count as the same; metres.
const SAME_PLACE_M: f64 = 500.0;

/// Courses whose lengths differ by this share, or less, may be the same.
const SAME_LENGTH: f64 = 0.02;

/// A race of the same person that was watched before.
#[derive(Clone, Debug)]
pub(super) struct EarlierRace {
    pub(super) title: String,
    pub(super) created_at: Timestamp,
    pub(super) plan: RacePlan,
    pub(super) course: Option<Course>,
    /// The `activityType` that its session named.
    pub(super) activity_type: Option<String>,
    /// The athlete of its session, from [`LiveTrackSession::athlete_key`].
    ///
    /// [`LiveTrackSession::athlete_key`]: crate::garmin::livetrack::LiveTrackSession::athlete_key
    pub(super) athlete: Option<String>,
}

/// What is known about a new race before it is watched.
#[derive(Clone, Debug, Default)]
pub(super) struct NewRace {
    pub(super) activity_type: Option<String>,
    /// The first position of the athlete.
    pub(super) start: Option<Position>,
    /// The course that the athlete follows according to the session.
    pub(super) course: Option<Course>,
}

/// What a new race took from an earlier one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TakenSettings {
    pub(super) plan: RacePlan,
    pub(super) course: Option<Course>,
    /// What was taken and from where, in words.
    pub(super) told: String,
}

/// The settings of the newest earlier race of the same kind; `None` if there is none, or it has only default settings.
pub(super) fn inherit(new: &NewRace, earlier: &[EarlierRace]) -> Option<TakenSettings> {
    let same = earlier.iter().filter(|race| is_same_kind(new, race));
    let from = same.max_by_key(|race| race.created_at)?;
    let usual = RacePlan::default();
    let old = &from.plan;
    let mut plan = RacePlan {
        kind: old.kind,
        thresholds: old.thresholds.clone(),
        recipients: old.recipients.clone(),
        poll_interval_s: old.poll_interval_s,
        analyze_interval_s: old.analyze_interval_s,
        analyze_window_min: old.analyze_window_min,
        ..usual.clone()
    };
    let mut parts = Vec::new();
    parts.extend(limits(&old.thresholds));
    parts.extend(match old.recipients.len() {
        0 => None,
        1 => Some("1 recipient".to_owned()),
        more => Some(format!("{more} recipients")),
    });
    let intervals = |plan: &RacePlan| {
        (
            plan.poll_interval_s,
            plan.analyze_interval_s,
            plan.analyze_window_min,
        )
    };
    if intervals(old) != intervals(&usual) {
        parts.push("the intervals".to_owned());
    }
    let mut course = None;
    let mut not_taken = "";
    match &from.course {
        Some(known) if leads_the_same_way(new, known) => {
            plan.type_text.clone_from(&old.type_text);
            plan.distance_m = old.distance_m;
            plan.timed_s = old.timed_s;
            plan.legs.clone_from(&old.legs);
            plan.checkpoints.clone_from(&old.checkpoints);
            plan.time_zone.clone_from(&old.time_zone);
            course = Some(known.clone());
            parts.push(format!("the course of {}", text::km(known.length_m())));
            parts.extend(match old.checkpoints.len() {
                0 => None,
                1 => Some("1 checkpoint".to_owned()),
                more => Some(format!("{more} checkpoints")),
            });
        }
        Some(_) if new.start.is_none() && new.course.is_none() => {
            not_taken = " Its course was not taken, because it is not known yet where this race starts.";
        }
        Some(_) => not_taken = " Its course was not taken, because this race follows a different one.",
        None => {}
    }
    if parts.is_empty() {
        return None;
    }
    let day = from
        .created_at
        .to_zoned(old.zone())
        .strftime("%-d %b %Y")
        .to_string();
    let told = format!(
        "Taken from {} of {day}: {}.{not_taken} Claude can change all of it.",
        from.title,
        parts.join(", ")
    );
    Some(TakenSettings { plan, course, told })
}

/// Whether both races have the same sport, or the same type of activity if the type names no sport.
fn is_same_kind(new: &NewRace, earlier: &EarlierRace) -> bool {
    let Some(activity) = &new.activity_type else {
        return false;
    };
    let sport_then = earlier.activity_type.as_deref().and_then(LegKind::from_activity);
    match LegKind::from_activity(activity) {
        Some(sport) => earlier.plan.kind.first_leg().or(sport_then) == Some(sport),
        None => earlier.activity_type.as_ref() == Some(activity),
    }
}

fn leads_the_same_way(new: &NewRace, known: &Course) -> bool {
    let is_near = |a: Option<Position>, b: Option<Position>| {
        a.zip(b).is_some_and(|(a, b)| distance_m(a, b) <= SAME_PLACE_M)
    };
    let start = known.position_at(0.0);
    match &new.course {
        Some(own) => {
            let by = own.length_m() / known.length_m().max(1.0);
            (by - 1.0).abs() <= SAME_LENGTH
                && is_near(own.position_at(0.0), start)
                && is_near(own.end(), known.end())
        }
        None => is_near(new.start, start),
    }
}

/// The limits, under the names by which Claude changes them.
fn limits(thresholds: &Thresholds) -> Option<String> {
    let values = serde_json::to_value(thresholds).ok()?;
    let of =
        |(name, _, _, unit): (&str, u32, u32, &str)| Some(format!("{name} {} {unit}", values.get(name)?));
    let limits: Vec<_> = THRESHOLDS.into_iter().filter_map(of).collect();
    (!limits.is_empty()).then(|| format!("the limits {}", limits.join(", ")))
}
