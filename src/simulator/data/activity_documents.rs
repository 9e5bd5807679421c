//! What belongs to one activity: laps, splits, weather, zones, gear, sets; and the types of activities.

use serde_json::{Value, json};

use super::activities::{cadence, zones};
use super::dice::{Dice, tenths};
use super::life::{Day, text};
use super::training::{Activity, SPORTS};

/// A lap: a kilometre, five on a bike, 100 m in a pool; the last one is what was left.
pub(super) struct Lap {
    from_s: f64,
    duration_s: f64,
    distance_m: f64,
}

/// The laps, which add up to the activity.
pub(super) fn laps(activity: &Activity) -> Vec<Lap> {
    let distance = activity.distance_m.unwrap_or(0.0);
    let length = match activity.sport.type_key {
        "cycling" => 5_000.0,
        "lap_swimming" => 100.0,
        _ => 1_000.0,
    };
    let mut laps = Vec::new();
    let mut from = 0.0;
    while distance - from > 0.05 {
        let lap = (distance - from).min(length);
        let seconds = |metres: f64| metres / distance * activity.duration_s;
        laps.push(Lap {
            from_s: seconds(from),
            duration_s: tenths(seconds(lap)),
            distance_m: tenths(lap),
        });
        from += lap;
    }
    if laps.is_empty() {
        laps.push(Lap {
            from_s: 0.0,
            duration_s: activity.duration_s,
            distance_m: 0.0,
        });
    }
    laps
}

/// `GET …/{id}/splits`.
pub(super) fn splits(day: &Day<'_>, activity: &Activity) -> Value {
    let swims = activity.sport.type_key == "lap_swimming";
    let lap = |(index, lap): (usize, &Lap)| {
        let part = (lap.from_s + lap.duration_s / 2.0) / activity.duration_s;
        let share = lap.duration_s / activity.duration_s;
        let at = |seconds: f64| {
            day.gmt(activity.start)
                .saturating_add(jiff::Span::new().seconds(super::dice::whole(seconds)))
        };
        let speed = (lap.distance_m > 0.0).then(|| lap.distance_m / lap.duration_s);
        let lengths: Vec<Value> = (0..if swims {
            super::dice::whole(lap.distance_m / 25.0)
        } else {
            0
        })
            .map(|length| {
                let seconds = lap.duration_s * 25.0 / lap.distance_m;
                json!({
                    "lengthIndex": length + 1,
                    "startTimeGMT": text(at(lap.from_s + seconds * length as f64)),
                    "distance": 25.0,
                    "duration": tenths(seconds),
                    "averageSpeed": speed,
                    "maxSpeed": speed,
                    "calories": (activity.calories * share / 4.0).round(),
                    "averageHR": activity.bpm(part) as f64,
                    "maxHR": (activity.bpm(part) + 4) as f64,
                    "totalNumberOfStrokes": 18,
                    "averageSWOLF": tenths(seconds + 18.0),
                    "swimStroke": "FREESTYLE",
                })
            })
            .collect();
        json!({
            "lapIndex": index + 1,
            "startTimeGMT": text(at(lap.from_s)),
            "distance": lap.distance_m,
            "duration": lap.duration_s,
            "movingDuration": lap.duration_s,
            "elapsedDuration": lap.duration_s,
            "elevationGain": tenths(activity.climb_m * share),
            "elevationLoss": tenths(activity.climb_m * share),
            "averageSpeed": speed,
            "averageMovingSpeed": speed,
            "maxSpeed": speed.map(|speed| speed * 1.2),
            "calories": (activity.calories * share).round(),
            "bmrCalories": (activity.minutes as f64 * 1.2 * share).round(),
            "averageHR": activity.bpm(part) as f64,
            "maxHR": (activity.bpm(part) + 5).min(activity.max_bpm) as f64,
            "averageRunCadence": cadence(activity),
            "averagePower": activity.watts.map(|watts| watts as f64),
            "averageSwimCadence": swims.then_some(26.0),
            "numberOfActiveLengths": swims.then_some(lengths.len()),
            "totalNumberOfStrokes": swims.then_some(lengths.len() * 18),
            "averageStrokes": swims.then_some(18.0),
            "averageSWOLF": swims.then(|| tenths(lap.duration_s * 25.0 / lap.distance_m + 18.0)),
            "averageStrokeDistance": swims.then_some(1.39),
            "intensityType": if activity.effort >= 7 && index % 2 == 0 { "INTERVAL" } else { "ACTIVE" },
            "lengthDTOs": lengths,
        })
    };
    let laps: Vec<Value> = laps(activity).iter().enumerate().map(lap).collect();
    json!({"activityId": activity.id, "lapDTOs": laps, "eventDTOs": []})
}

/// What was run and what was walked of it, in seconds and metres; for runs only.
fn parts(activity: &Activity) -> Option<[(&'static str, f64, f64); 2]> {
    let (distance, _) = activity.distance_m.zip(cadence(activity))?;
    let walked_s = tenths(activity.duration_s - activity.moving_s);
    let walked_m = tenths(walked_s * 1.1);
    Some([
        (
            "RWD_RUN",
            tenths(activity.duration_s - walked_s),
            tenths(distance - walked_m),
        ),
        ("RWD_WALK", walked_s, walked_m),
    ])
}

/// `GET …/{id}/typedsplits`.
pub(super) fn typed_splits(day: &Day<'_>, activity: &Activity) -> Option<Value> {
    let split = |(index, (kind, seconds, metres)): (usize, (&str, f64, f64))| {
        json!({
            "type": kind,
            "messageIndex": index,
            "startTimeGMT": text(day.gmt(activity.start)),
            "distance": metres,
            "duration": seconds,
            "elapsedDuration": seconds,
            "movingDuration": seconds,
            "averageHR": activity.average_bpm as f64,
            "maxHR": activity.max_bpm as f64,
            "calories": (activity.calories * seconds / activity.duration_s).round(),
        })
    };
    let splits: Vec<Value> = parts(activity)?.into_iter().enumerate().map(split).collect();
    Some(json!({
        "activityUUID": {"uuid": format!("00000000-0000-4000-9000-{:012x}", activity.id)},
        "splits": splits,
    }))
}

/// `GET …/{id}/split_summaries`.
pub(super) fn split_summaries(activity: &Activity) -> Option<Value> {
    let summary = |(kind, seconds, metres): (&str, f64, f64)| {
        json!({
            "splitType": kind,
            "noOfSplits": 1,
            "totalAscent": activity.climb_m,
            "duration": seconds,
            "distance": metres,
            "maxDistance": metres,
            "averageSpeed": metres / seconds.max(1.0),
            "calories": (activity.calories * seconds / activity.duration_s).round(),
            "averageHR": activity.average_bpm as f64,
            "numFalls": 0,
        })
    };
    let summaries: Vec<Value> = parts(activity)?.into_iter().map(summary).collect();
    Some(json!({"activityId": activity.id, "splitSummaries": summaries}))
}

/// `GET …/{id}/weather`: °F for everybody, wind by the person's units; nothing indoors.
pub(super) fn weather(day: &Day<'_>, activity: &Activity) -> Option<Value> {
    if activity.climb_m <= 0.0 {
        return None;
    }
    let mut dice = Dice::on(day.person.seed, "weather", day.date);
    let season = ((f64::from(day.date.day_of_year()) - 110.0) / 58.0).sin();
    let celsius = 10.0 + 10.0 * season + dice.number(-4.0, 4.0);
    let fahrenheit = |celsius: f64| (celsius * 1.8 + 32.0).round();
    let wind_mps = dice.number(0.5, 8.0);
    let wind = if day.person.unit_system == "metric" {
        wind_mps * 3.6
    } else {
        wind_mps / 0.447_04
    };
    let bearing = dice.whole(0, 7) * 45;
    let points = ["n", "ne", "e", "se", "s", "sw", "w", "nw"];
    let compass = usize::try_from(bearing / 45)
        .ok()
        .and_then(|point| points.get(point));
    let sky = ["Fair", "Partly Cloudy", "Cloudy", "Light Rain"];
    let desc = usize::try_from(dice.whole(0, 3)).ok().and_then(|at| sky.get(at));
    Some(json!({
        "issueDate": format!("{}.000+0000", day.gmt(activity.start)),
        "temp": fahrenheit(celsius),
        "apparentTemp": fahrenheit(celsius - wind_mps * 0.4),
        "dewPoint": fahrenheit(celsius - 6.0),
        "relativeHumidity": dice.whole(45, 92),
        "windDirection": bearing,
        "windDirectionCompassPoint": compass,
        "windSpeed": wind.round(),
        "windGust": null,
        "weatherStationDTO": {"id": "SIM1", "name": "Simulated Station", "timezone": null},
        "weatherTypeDTO": {"weatherTypePk": null, "desc": desc, "image": null},
    }))
}

/// `GET …/{id}/hrTimeInZones`.
pub(super) fn heart_rate_zones(activity: &Activity) -> Value {
    let floors = [95, 114, 133, 152, 171];
    let zone = |(number, (seconds, floor)): (usize, (f64, i64))| json!({"zoneNumber": number + 1, "secsInZone": seconds, "zoneLowBoundary": floor});
    zones(activity)
        .into_iter()
        .zip(floors)
        .enumerate()
        .map(zone)
        .collect()
}

/// `GET …/{id}/powerTimeInZones`; nothing without a power meter.
pub(super) fn power_zones(activity: &Activity) -> Value {
    let Some(watts) = activity.watts else {
        return json!([]);
    };
    let parts = [0.08, 0.34, 0.3, 0.16, 0.08, 0.03, 0.01];
    let floors = [0.0, 0.55, 0.75, 0.9, 1.05, 1.2, 1.5];
    let zone = |(number, (part, floor)): (usize, (f64, f64))| {
        json!({
            "zoneNumber": number + 1,
            "secsInZone": tenths(activity.duration_s * part),
            "zoneLowBoundary": (watts as f64 * floor).round(),
        })
    };
    parts.into_iter().zip(floors).enumerate().map(zone).collect()
}

/// `GET /gear-service/gear/filterGear?activityId=`.
pub(super) fn gear(day: &Day<'_>, activity: &Activity) -> Value {
    let (number, kind, name) = match activity.sport.type_key {
        "running" => (1, "Shoes", "Road shoe"),
        "trail_running" => (2, "Shoes", "Trail shoe"),
        "cycling" => (3, "Bike", "Road bike"),
        _ => return json!([]),
    };
    let key = 30_000_000 + day.person.seed % 1_000_000 * 10 + number;
    json!([{
        "gearPk": key,
        "uuid": format!("{key:032x}"),
        "userProfilePk": day.person.profile_id,
        "gearMakeName": "Other",
        "gearModelName": format!("Unknown {kind}"),
        "gearTypeName": kind,
        "gearStatusName": "active",
        "displayName": name,
        "customMakeModel": format!("Simulated {name}"),
        "imageNameLarge": null,
        "dateBegin": "2022-02-01T00:00:00.0",
        "dateEnd": null,
        "maximumMeters": if kind == "Shoes" { 800_000.0 } else { 0.0 },
        "notified": false,
        "createDate": "2022-02-01T08:00:00.0",
        "updateDate": "2022-02-01T08:00:00.0",
    }])
}

/// `GET …/{id}/exerciseSets`; only strength training has sets.
pub(super) fn exercise_sets(day: &Day<'_>, activity: &Activity) -> Option<Value> {
    const EXERCISES: [(&str, f64); 4] = [
        ("SQUAT", 60_000.0),
        ("BENCH_PRESS", 50_000.0),
        ("ROW", 40_000.0),
        ("PLANK", 0.0),
    ];
    if activity.sport.type_key != "strength_training" {
        return None;
    }
    let mut dice = Dice::on(day.person.seed, activity.name, day.date);
    let mut sets = Vec::new();
    let mut at = activity.start;
    for (category, grams) in EXERCISES.into_iter().flat_map(|exercise| [exercise; 3]) {
        if at + 3 > activity.end() {
            break;
        }
        let repetitions = dice.whole(6, 12);
        sets.push(json!({
            "setType": "ACTIVE",
            "startTime": text(day.gmt(at)),
            "duration": 45.0,
            "repetitionCount": repetitions,
            "weight": grams,
            "exercises": [{"category": category, "name": null, "probability": 98.0}],
            "messageIndex": sets.len(),
            "wktStepIndex": null,
        }));
        sets.push(json!({
            "setType": "REST",
            "startTime": text(day.gmt(at + 1)),
            "duration": 90.0,
            "repetitionCount": null,
            "weight": null,
            "exercises": [],
            "messageIndex": sets.len(),
            "wktStepIndex": null,
        }));
        at += 3;
    }
    Some(json!({"activityId": activity.id, "exerciseSets": sets}))
}

/// `GET /activity-service/activity/activityTypes`.
pub(super) fn types() -> Value {
    let kind = |id: i64, key: &str, parent: i64| json!({"typeId": id, "typeKey": key, "parentTypeId": parent, "isHidden": false, "restricted": false, "trimmable": true});
    let groups = [
        (17, "all", 17),
        (26, "swimming", 17),
        (29, "fitness_equipment", 17),
        (9, "walking", 17),
    ];
    let trained = SPORTS.map(|sport| (sport.type_id, sport.type_key, sport.parent_type_id));
    let mut types: Vec<_> = groups.into_iter().chain(trained).collect();
    types.sort_unstable();
    types
        .into_iter()
        .map(|(id, key, parent)| kind(id, key, parent))
        .collect()
}
