//! A person's training: a weekly plan that is followed most of the time.

use jiff::civil::{Date, Weekday, date};

use serde::Serialize;
use serde_json::{Value, json};

use super::PersonSeed;
use super::dice::{Dice, tenths, whole};

/// One of Garmin's activity types, with the figures from which its activities are computed.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Sport {
    pub(super) type_id: i64,
    pub(super) type_key: &'static str,
    pub(super) parent_type_id: i64,
    /// Speed range in m/s, slow to fast; `None` for types without a distance.
    #[serde(skip)]
    speed: Option<(f64, f64)>,
    /// Steps per minute; `None` for types without steps.
    #[serde(skip)]
    steps_per_minute: Option<(f64, f64)>,
    /// Metres climbed per kilometre.
    #[serde(skip)]
    climb: (f64, f64),
    /// Power in W; `None` without a power meter.
    #[serde(skip)]
    watts: Option<(f64, f64)>,
    #[serde(skip)]
    kcal_per_minute: f64,
}

const RUN: Sport = Sport {
    type_id: 1,
    type_key: "running",
    parent_type_id: 17,
    speed: Some((2.6, 3.4)),
    steps_per_minute: Some((158.0, 174.0)),
    climb: (2.0, 12.0),
    watts: Some((230.0, 320.0)),
    kcal_per_minute: 11.5,
};
const TRAIL_RUN: Sport = Sport {
    type_id: 6,
    type_key: "trail_running",
    parent_type_id: 1,
    speed: Some((2.1, 2.8)),
    steps_per_minute: Some((148.0, 164.0)),
    climb: (15.0, 40.0),
    watts: Some((220.0, 310.0)),
    kcal_per_minute: 11.0,
};
const RIDE: Sport = Sport {
    type_id: 2,
    type_key: "cycling",
    parent_type_id: 17,
    speed: Some((6.4, 8.6)),
    steps_per_minute: None,
    climb: (5.0, 14.0),
    watts: Some((140.0, 215.0)),
    kcal_per_minute: 9.5,
};
const SWIM: Sport = Sport {
    type_id: 27,
    type_key: "lap_swimming",
    parent_type_id: 26,
    speed: Some((0.7, 1.0)),
    steps_per_minute: None,
    climb: (0.0, 0.0),
    watts: None,
    kcal_per_minute: 8.5,
};
const STRENGTH: Sport = Sport {
    type_id: 13,
    type_key: "strength_training",
    parent_type_id: 29,
    speed: None,
    steps_per_minute: Some((4.0, 12.0)),
    climb: (0.0, 0.0),
    watts: None,
    kcal_per_minute: 5.5,
};

impl Sport {
    /// Whether a search for `type_key` matches this type. A search for running also matches trail running.
    pub(super) fn is_of(&self, type_key: &str) -> bool {
        let parent = match self.type_key {
            "trail_running" => "running",
            "lap_swimming" => "swimming",
            "strength_training" => "fitness_equipment",
            _ => "",
        };
        self.type_key == type_key || parent == type_key
    }
}

/// The sports that people train, and their parent groups, by id.
pub(super) fn activity_types() -> Value {
    let groups = [
        (17, "all", 17),
        (26, "swimming", 17),
        (29, "fitness_equipment", 17),
        (9, "walking", 17),
    ];
    let sports = [&RUN, &TRAIL_RUN, &RIDE, &SWIM, &STRENGTH];
    let trained = sports.map(|sport| (sport.type_id, sport.type_key, sport.parent_type_id));
    let mut types: Vec<_> = groups.into_iter().chain(trained).collect();
    types.sort_unstable();
    types
        .into_iter()
        .map(|(id, key, parent)| json!({"id": id, "key": key, "parent": parent}))
        .collect()
}

pub(super) struct Activity {
    pub(super) id: i64,
    pub(super) sport: &'static Sport,
    pub(super) name: &'static str,
    /// `race`, `training` or `uncategorized`.
    pub(super) event: &'static str,
    /// The start in minutes from local midnight.
    pub(super) start: i64,
    pub(super) minutes: i64,
    pub(super) duration_s: f64,
    pub(super) moving_s: f64,
    pub(super) distance_m: Option<f64>,
    pub(super) average_bpm: i64,
    pub(super) max_bpm: i64,
    pub(super) calories: f64,
    pub(super) steps: Option<i64>,
    pub(super) climb_m: f64,
    pub(super) watts: Option<i64>,
    /// Perceived effort, 1 to 10.
    pub(super) effort: i64,
    pub(super) moderate_minutes: i64,
    pub(super) vigorous_minutes: i64,
    pub(super) load: f64,
}

impl Activity {
    /// The first minute after the activity.
    pub(super) fn end(&self) -> i64 {
        self.start + self.minutes
    }

    /// The heart rate at this fraction (0 to 1) of the activity: it rises, stays steady, and peaks near the end.
    pub(super) fn bpm(&self, part: f64) -> i64 {
        let (average, max) = (self.average_bpm as f64, self.max_bpm as f64);
        let bpm = if part < 0.15 {
            average * (0.72 + part / 0.15 * 0.28)
        } else {
            let hill = (-((part - 0.85) / 0.06).powi(2)).exp();
            average + (max - average) * hill + 3.0 * (part * 40.0).sin()
        };
        whole(bpm.min(max))
    }
}

/// The months in which a race takes place, on the first Sunday.
pub(super) const RACE_MONTHS: [i8; 4] = [4, 6, 9, 10];

/// A slot of the weekly plan: duration in minutes, effort from 1 to 10, start in minutes from midnight, and the
/// probability that the training takes place.
struct TrainingSlot {
    sport: &'static Sport,
    name: &'static str,
    minutes: (i64, i64),
    effort: (i64, i64),
    start: (i64, i64),
    kept: f64,
}

const MORNING: (i64, i64) = (430, 460);
const LATE_MORNING: (i64, i64) = (540, 570);
const EVENING: (i64, i64) = (1050, 1110);

fn plan(weekday: Weekday) -> &'static [TrainingSlot] {
    macro_rules! plan {
        ($($sport:ident $name:literal $minutes:expr, $effort:expr, $start:ident, $kept:literal;)*) => {
            &[$(TrainingSlot { sport: &$sport, name: $name, minutes: $minutes, effort: $effort, start: $start, kept: $kept }),*]
        };
    }
    match weekday {
        Weekday::Monday => plan! { STRENGTH "Strength" (35, 50), (4, 6), EVENING, 0.7; },
        Weekday::Tuesday => plan! { RUN "Easy run" (38, 55), (3, 4), MORNING, 0.85; },
        Weekday::Wednesday => plan! { SWIM "Pool swim" (35, 50), (4, 5), EVENING, 0.6; },
        Weekday::Thursday => plan! {
            RUN "Intervals" (45, 58), (7, 8), EVENING, 0.8;
            STRENGTH "Core" (18, 25), (3, 4), MORNING, 0.3;
        },
        Weekday::Friday => plan! { RUN "Recovery run" (28, 36), (2, 3), MORNING, 0.3; },
        Weekday::Saturday => plan! { RIDE "Long ride" (90, 150), (4, 6), LATE_MORNING, 0.8; },
        Weekday::Sunday => plan! { TRAIL_RUN "Long trail run" (75, 115), (5, 7), LATE_MORNING, 0.85; },
    }
}

/// Activity ids encode the day as a count from here.
const EPOCH: Date = date(2020, 1, 1);
/// The ids of one person share a block of this size.
const PERSON_BLOCK: i64 = 1_000_000;
const FIRST_ID: i64 = 20_000_000_000;

fn first_id(person: &PersonSeed) -> i64 {
    FIRST_ID + i64::try_from(person.seed % 10_000).unwrap_or(0) * PERSON_BLOCK
}

/// The day of an activity of this person; `None` for another person's id.
pub(super) fn day_of(person: &PersonSeed, id: i64) -> Option<Date> {
    let within = id - first_id(person);
    (0..PERSON_BLOCK)
        .contains(&within)
        .then(|| EPOCH.saturating_add(jiff::Span::new().days(within / 10)))
}

/// The activities of a day, ordered by start time.
pub(super) fn planned(person: &PersonSeed, date: Date) -> Vec<Activity> {
    let days = (date - EPOCH).get_days();
    let mut activities: Vec<Activity> = plan(date.weekday())
        .iter()
        .enumerate()
        .filter_map(|(index, plan)| {
            let mut dice = Dice::on(person.seed, plan.name, date);
            let id = first_id(person) + i64::from(days) * 10 + i64::try_from(index).unwrap_or(0);
            dice.happens(plan.kept)
                .then(|| activity(person, date, id, plan, &mut dice))
        })
        .collect();
    activities.sort_by_key(|activity| activity.start);
    activities
}

fn activity(person: &PersonSeed, date: Date, id: i64, plan: &TrainingSlot, dice: &mut Dice) -> Activity {
    let sport = plan.sport;
    // A race takes place on the first Sunday of April, June, September and October.
    let race = date.weekday() == Weekday::Sunday && date.day() <= 7 && RACE_MONTHS.contains(&date.month());
    let minutes = dice.whole(plan.minutes.0, plan.minutes.1);
    let duration_s = minutes as f64 * 60.0 - tenths(dice.number(0.0, 59.0));
    let moving_s = tenths(duration_s * dice.number(0.97, 0.995));
    let effort = if race {
        9
    } else {
        dice.whole(plan.effort.0, plan.effort.1)
    };
    let hard = effort as f64 / 10.0;
    let form = Dice::of(person.seed, "form").number(0.0, 1.0);
    let between = |(low, high): (f64, f64), part: f64| low + (high - low) * part;
    let pace = form * 0.6 + hard * 0.4;
    let distance_m = sport.speed.map(|speed| tenths(between(speed, pace) * moving_s));
    // A pool swim is a whole number of 25 m lengths.
    let distance_m = distance_m.map(|m| {
        if sport.type_key == "lap_swimming" {
            (m / 25.0).round() * 25.0
        } else {
            m
        }
    });
    let average_bpm = whole(108.0 + 52.0 * hard + dice.number(-4.0, 4.0));
    let climb_per_km = dice.number(sport.climb.0, sport.climb.1.max(sport.climb.0 + f64::EPSILON));
    let vigorous = if effort >= 6 {
        minutes * 3 / 4
    } else {
        minutes * (effort - 2).max(0) / 10
    };
    Activity {
        id,
        sport,
        name: if race { "Half marathon" } else { plan.name },
        event: if race {
            "race"
        } else if effort >= 6 {
            "training"
        } else {
            "uncategorized"
        },
        start: dice.whole(plan.start.0, plan.start.1),
        minutes,
        duration_s,
        moving_s,
        distance_m,
        average_bpm,
        max_bpm: average_bpm + dice.whole(14, 24),
        calories: (minutes as f64 * sport.kcal_per_minute * (0.7 + 0.5 * hard)).round(),
        steps: sport
            .steps_per_minute
            .map(|steps| whole(between(steps, pace) * moving_s / 60.0)),
        climb_m: (climb_per_km * distance_m.unwrap_or(0.0) / 1_000.0).round(),
        watts: sport.watts.map(|watts| whole(between(watts, pace))),
        effort,
        moderate_minutes: minutes * 9 / 10 - vigorous,
        vigorous_minutes: vigorous,
        load: tenths(minutes as f64 * (0.6 + 2.4 * hard * hard)),
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::super::tests::ann;
    use super::*;

    #[test]
    fn every_week_has_training_and_an_id_names_its_day() {
        let person = ann();
        let week: Vec<(Date, Activity)> = date(2026, 1, 5)
            .series(1.day())
            .take(28)
            .flat_map(|day| {
                planned(&person, day)
                    .into_iter()
                    .map(move |activity| (day, activity))
            })
            .collect();
        assert!((12..=28).contains(&week.len()), "{}", week.len());
        for (day, activity) in &week {
            assert_eq!(day_of(&person, activity.id), Some(*day));
            assert!((60..=200).contains(&activity.bpm(0.5)));
            let highest = (0..=100).map(|part| activity.bpm(f64::from(part) / 100.0)).max();
            assert_eq!(highest, Some(activity.max_bpm));
            assert!(activity.moderate_minutes + activity.vigorous_minutes <= activity.minutes);
        }
    }

    #[test]
    fn ids_of_other_people_are_unknown() {
        let (ann, mut bob) = (ann(), ann());
        bob.seed += 1;
        let sunday = date(2026, 1, 4);
        for activity in planned(&bob, sunday) {
            assert_eq!(day_of(&ann, activity.id), None);
        }
        assert_eq!(day_of(&ann, 7), None);
    }
}
