//! Lists of activities, and one activity.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::battery_documents::device_id;
use super::dice::{Dice, tenths};
use super::joined;
use super::life::{Day, Life, offset_minutes, text};
use super::training::{Activity, Sport, planned};

/// What an activity needs to be searched for.
pub(super) struct Search {
    pub(super) from: Option<Date>,
    pub(super) to: Option<Date>,
    /// Of this type, or of a type below it.
    pub(super) type_key: Option<String>,
    pub(super) start: usize,
    pub(super) limit: usize,
}

/// `GET /activitylist-service/activities/search/activities`: newest first.
pub(super) fn search(life: &Life<'_>, search: &Search) -> Value {
    let from = search.from.unwrap_or(life.first_day()).max(life.first_day());
    let to = search.to.unwrap_or(life.today).min(life.today);
    let mut found = Vec::new();
    let mut skip = search.start;
    let mut date = to;
    while date >= from && found.len() < search.limit {
        let wanted = |activity: &Activity| {
            search
                .type_key
                .as_deref()
                .is_none_or(|key| is_of(activity.sport, key))
        };
        // Working out a whole day costs more than knowing that nothing was planned.
        if planned(life.person, date).iter().any(wanted)
            && let Some(day) = life.day(date)
        {
            for activity in day.activities.iter().rev().filter(|activity| wanted(activity)) {
                if skip > 0 {
                    skip -= 1;
                } else if found.len() < search.limit {
                    found.push(item(&day, activity));
                }
            }
        }
        let Ok(yesterday) = date.yesterday() else { break };
        date = yesterday;
    }
    found.into()
}

/// A search for running finds trail running too.
fn is_of(sport: &Sport, key: &str) -> bool {
    let parent = match sport.type_key {
        "trail_running" => "running",
        "lap_swimming" => "swimming",
        "strength_training" => "fitness_equipment",
        _ => "",
    };
    sport.type_key == key || parent == key
}

/// `GET /activitylist-service/activities/count`.
pub(super) fn count(life: &Life<'_>) -> Value {
    let (first, today) = (life.first_day(), life.today);
    let past: usize = first
        .series(jiff::Span::new().days(1))
        .take_while(|date| *date < today)
        .map(|date| planned(life.person, date).len())
        .sum();
    json!({"totalCount": past + life.day(today).map_or(0, |day| day.activities.len())})
}

/// How fast it was on average, m/s.
fn speed(activity: &Activity) -> Option<f64> {
    activity.distance_m.map(|distance| distance / activity.duration_s)
}

fn type_of(sport: &Sport) -> Value {
    json!({
        "typeId": sport.type_id,
        "typeKey": sport.type_key,
        "parentTypeId": sport.parent_type_id,
        "isHidden": false,
        "restricted": false,
        "trimmable": true,
    })
}

fn event_of(activity: &Activity) -> Value {
    let (id, order) = match activity.event {
        "race" => (1, 1),
        "training" => (4, 4),
        _ => (9, 10),
    };
    json!({"typeId": id, "typeKey": activity.event, "sortOrder": order})
}

/// Where it began; each person lives in one place.
fn place(day: &Day<'_>) -> (f64, f64) {
    let mut dice = Dice::of(day.person.seed, "home");
    (dice.number(47.2, 49.8), dice.number(9.0, 12.9))
}

fn training_effect(activity: &Activity) -> (f64, f64, &'static str) {
    let effort = activity.effort as f64;
    let label = match activity.effort {
        ..=3 => "RECOVERY",
        4..=5 => "AEROBIC_BASE",
        6..=7 => "TEMPO",
        _ => "VO2MAX",
    };
    (
        tenths(1.2 + effort * 0.4),
        tenths((effort - 4.0).max(0.0) * 0.6),
        label,
    )
}

/// Seconds in each heart rate zone, which add up to the activity.
pub(super) fn zones(activity: &Activity) -> [f64; 5] {
    const FLOORS: [i64; 4] = [114, 133, 152, 171];
    let mut minutes = [0.0; 5];
    for minute in 0..activity.minutes {
        let bpm = activity.bpm(minute as f64 / activity.minutes as f64);
        let zone = FLOORS.iter().filter(|floor| bpm >= **floor).count();
        if let Some(minutes) = minutes.get_mut(zone) {
            *minutes += 1.0;
        }
    }
    minutes.map(|m| tenths(m / activity.minutes.max(1) as f64 * activity.duration_s))
}

/// An activity as lists show it.
pub(super) fn item(day: &Day<'_>, activity: &Activity) -> Value {
    let listed = |minute: i64| day.local(minute).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let listed_gmt = |minute: i64| day.gmt(minute).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let (aerobic, anaerobic, label) = training_effect(activity);
    let (latitude, longitude) = place(day);
    let outdoors = activity.climb_m > 0.0;
    let [zone_1, zone_2, zone_3, zone_4, zone_5] = zones(activity);
    let course = json!({
        "activityId": activity.id,
        "activityName": activity.name,
        "startTimeLocal": listed(activity.start),
        "startTimeGMT": listed_gmt(activity.start),
        "endTimeGMT": listed_gmt(activity.end()),
        "beginTimestamp": day.epoch_ms(activity.start),
        "activityType": type_of(activity.sport),
        "eventType": event_of(activity),
        "privacy": {"typeId": 2, "typeKey": "private"},
        "distance": activity.distance_m.unwrap_or(0.0),
        "duration": activity.duration_s,
        "elapsedDuration": activity.duration_s,
        "movingDuration": activity.moving_s,
        "elevationGain": outdoors.then_some(activity.climb_m),
        "elevationLoss": outdoors.then_some(activity.climb_m),
        "averageSpeed": speed(activity),
        "maxSpeed": speed(activity).map(|speed| speed * 1.35),
        "startLatitude": outdoors.then_some(latitude),
        "startLongitude": outdoors.then_some(longitude),
        "hasPolyline": outdoors,
        "ownerId": day.person.profile_id,
        "ownerDisplayName": day.person.display_name,
        "ownerFullName": day.person.full_name,
    });
    let effort = json!({
        "calories": activity.calories,
        "bmrCalories": (activity.minutes as f64 * 1.2).round(),
        "averageHR": activity.average_bpm as f64,
        "maxHR": activity.max_bpm as f64,
        "averageRunningCadenceInStepsPerMinute": cadence(activity),
        "steps": activity.steps,
        "timeZoneId": 124,
        "sportTypeId": activity.sport.type_id,
        "avgPower": activity.watts.map(|watts| watts as f64),
        "aerobicTrainingEffect": aerobic,
        "anaerobicTrainingEffect": anaerobic,
        "trainingEffectLabel": label,
        "activityTrainingLoad": activity.load,
        "deviceId": device_id(day),
        "manufacturer": "GARMIN",
        "locationName": outdoors.then_some("Simulated"),
        "lapCount": super::activity_documents::laps(activity).len(),
        "hasSplits": true,
        "moderateIntensityMinutes": activity.moderate_minutes,
        "vigorousIntensityMinutes": activity.vigorous_minutes,
        "differenceBodyBattery": day.battery_impact(activity),
        "hrTimeInZone_1": zone_1,
        "hrTimeInZone_2": zone_2,
        "hrTimeInZone_3": zone_3,
        "hrTimeInZone_4": zone_4,
        "hrTimeInZone_5": zone_5,
        "parent": false,
        "favorite": false,
        "pr": false,
        "manualActivity": false,
        "elevationCorrected": false,
    });
    joined(course, effort)
}

/// Steps a minute of what is run.
pub(super) fn cadence(activity: &Activity) -> Option<f64> {
    activity.distance_m?;
    activity
        .steps
        .map(|steps| tenths(steps as f64 / (activity.moving_s / 60.0)))
}

/// `GET /activity-service/activity/{id}`.
pub(super) fn single(day: &Day<'_>, activity: &Activity) -> Value {
    let (aerobic, anaerobic, label) = training_effect(activity);
    let (latitude, longitude) = place(day);
    let outdoors = activity.climb_m > 0.0;
    let runs = cadence(activity);
    let hours = offset_minutes(day.person) / 60;
    let course = json!({
            "startTimeLocal": text(day.local(activity.start)),
            "startTimeGMT": text(day.gmt(activity.start)),
            "startLatitude": outdoors.then_some(latitude),
            "startLongitude": outdoors.then_some(longitude),
            "distance": activity.distance_m.unwrap_or(0.0),
            "duration": activity.duration_s,
            "movingDuration": activity.moving_s,
            "elapsedDuration": activity.duration_s,
            "elevationGain": outdoors.then_some(activity.climb_m),
            "elevationLoss": outdoors.then_some(activity.climb_m),
            "maxElevation": outdoors.then_some(420.0 + activity.climb_m / 2.0),
            "minElevation": outdoors.then_some(420.0),
            "averageSpeed": speed(activity),
            "averageMovingSpeed": activity.distance_m.map(|distance| distance / activity.moving_s),
            "maxSpeed": speed(activity).map(|speed| speed * 1.35),
            "calories": activity.calories,
            "bmrCalories": (activity.minutes as f64 * 1.2).round(),
    });
    let effort = json!({
            "averageHR": activity.average_bpm as f64,
            "maxHR": activity.max_bpm as f64,
            "minHR": activity.bpm(0.0) as f64,
            "averageRunCadence": runs,
            "maxRunCadence": runs.map(|cadence| (cadence * 1.08).round()),
            "averagePower": activity.watts.map(|watts| watts as f64),
            "maxPower": activity.watts.map(|watts| (watts as f64 * 1.5).round()),
            "normalizedPower": activity.watts.map(|watts| (watts as f64 * 1.06).round()),
            "groundContactTime": runs.map(|_| 251.0),
            "strideLength": runs.zip(speed(activity)).map(|(cadence, speed)| tenths(speed * 60.0 / cadence * 100.0)),
            "verticalOscillation": runs.map(|_| 8.4),
            "trainingEffect": aerobic,
            "anaerobicTrainingEffect": anaerobic,
            "trainingEffectLabel": label,
            "activityTrainingLoad": activity.load,
            "directWorkoutFeel": if activity.effort >= 7 { 50 } else { 75 },
            "directWorkoutRpe": activity.effort * 10,
            "moderateIntensityMinutes": activity.moderate_minutes,
            "vigorousIntensityMinutes": activity.vigorous_minutes,
            "steps": activity.steps,
            "recoveryHeartRate": 26 + activity.effort,
            "differenceBodyBattery": day.battery_impact(activity),
            "waterEstimated": activity.minutes as f64 * 11.0,
    });
    json!({
        "activityId": activity.id,
        "activityUUID": {"uuid": format!("00000000-0000-4000-9000-{:012x}", activity.id)},
        "activityName": activity.name,
        "userProfileId": day.person.profile_id,
        "isMultiSportParent": false,
        "activityTypeDTO": type_of(activity.sport),
        "eventTypeDTO": event_of(activity),
        "accessControlRuleDTO": {"typeId": 2, "typeKey": "private"},
        "timeZoneUnitDTO": {"unitId": 124, "unitKey": format!("UTC{hours:+}"), "factor": 0.0, "timeZone": format!("UTC{hours:+}")},
        "metadataDTO": {
            "isOriginal": true,
            "fileFormat": {"formatId": 7, "formatKey": "fit"},
            "uploadedDate": text(day.gmt(activity.end() + 2)),
            "lastUpdateDate": text(day.gmt(activity.end() + 2)),
            "hasPolyline": outdoors,
            "hasChartData": true,
            "hasHrTimeInZones": true,
            "hasPowerTimeInZones": activity.watts.is_some(),
            "childIds": [],
            "childActivityTypes": [],
            "manufacturer": "GARMIN",
            "lapCount": super::activity_documents::laps(activity).len(),
            "associatedWorkoutId": null,
            "deviceMetaDataDTO": {"deviceId": device_id(day).to_string(), "deviceTypePk": 36_380, "deviceVersionPk": 973_000},
            "hasIntensityIntervals": activity.effort >= 7,
            "hasSplits": true,
            "manualActivity": false,
            "favorite": false,
        },
        "summaryDTO": joined(course, effort),
        "locationName": outdoors.then_some("Simulated"),
        "splitSummaries": [],
    })
}
