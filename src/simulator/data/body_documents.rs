//! What a person notes or measures beside the watch: drinks, habits, weight, blood pressure; and found walks.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::dice::{Dice, tenths};
use super::life::{DAY_MINUTES, Day, Doing, Life, ms, text};
use super::profile::Body;

/// `GET /usersummary-service/usersummary/hydration/daily/{date}`.
pub(super) fn hydration(life: &Life<'_>, date: Date) -> Option<Value> {
    let day = life.day(date)?;
    let mut dice = Dice::on(life.person.seed, "hydration", date);
    let glasses = dice.whole(4, 10) * day.until / DAY_MINUTES;
    let last = day.night.wake + dice.whole(20, (day.until - day.night.wake - 20).min(900));
    let sweat: i64 = day.activities.iter().map(|activity| activity.minutes * 11).sum();
    Some(json!({
        "userId": life.person.profile_id,
        "calendarDate": date,
        "valueInML": glasses as f64 * 250.0,
        "goalInML": 2_500.0 + sweat as f64,
        "dailyAverageinML": null,
        "lastEntryTimestampLocal": text(day.local(last)),
        "sweatLossInML": sweat as f64,
        "activityIntakeInML": 0.0,
    }))
}

/// `GET /wellness-service/wellness/dailyEvents`: walks that the watch found by itself (its shape is our guess).
pub(super) fn events(life: &Life<'_>, date: Date) -> Value {
    let Some(day) = life.day(date) else {
        return json!([]);
    };
    let walk = |(minute, steps): &(i64, i64)| {
        json!({
            "eventType": "WALKING",
            "startTimestampGMT": text(day.gmt(*minute)),
            "endTimestampGMT": text(day.gmt(minute + 15)),
            "durationInMilliseconds": 15 * 60 * 1_000,
            "steps": steps,
        })
    };
    day.steps()
        .iter()
        .filter(|(minute, steps)| *steps >= 300 && day.doing(*minute) == Doing::Nothing)
        .map(walk)
        .collect()
}

/// `GET /lifestylelogging-service/dailyLog/{date}`: habits (its shape is our guess).
pub(super) fn lifestyle(life: &Life<'_>, date: Date) -> Option<Value> {
    life.day(date)?;
    let mut dice = Dice::on(life.person.seed, "habits", date);
    let habits = [
        ("ALCOHOL", 0.15),
        ("CAFFEINE_LATE", 0.3),
        ("LATE_MEAL", 0.25),
        ("MEDITATION", 0.2),
    ];
    let logged: Vec<Value> = habits
        .into_iter()
        .map(|(behavior, likely)| json!({"behavior": behavior, "logged": dice.happens(likely)}))
        .collect();
    Some(json!({"userProfilePk": life.person.profile_id, "calendarDate": date, "dailyLogs": logged}))
}

/// `GET /weight-service/weight/dateRange`.
pub(super) fn weights(life: &Life<'_>, from: Date, to: Date) -> Value {
    let body = Body::of(life.person);
    let mut weighings: Vec<Value> = Vec::new();
    let mut sum = 0.0;
    let mut before: Option<f64> = None;
    for day in life.days(from, to) {
        let mut dice = Dice::on(life.person.seed, "scale", day.date);
        if !dice.happens(0.45) {
            continue;
        }
        let season = (f64::from(day.date.day_of_year()) / 40.0).sin() * 900.0;
        let grams = ((body.weight_g + season + dice.number(-500.0, 500.0)) / 100.0).round() * 100.0;
        let fat = tenths(if body.female { 23.5 } else { 15.0 } + season / 900.0 + dice.number(-0.4, 0.4));
        let minute = day.night.wake + dice.whole(4, 14);
        sum += grams;
        weighings.push(json!({
            "samplePk": day.epoch_ms(minute) + 7,
            "date": day.local_ms(minute),
            "calendarDate": day.date,
            "weight": grams,
            "bmi": tenths(grams / 1_000.0 / (body.height_cm / 100.0).powi(2)),
            "bodyFat": fat,
            "bodyWater": tenths(73.0 * (1.0 - fat / 100.0)),
            "boneMass": (grams * 0.045).round(),
            "muscleMass": (grams * (0.955 - fat / 100.0)).round(),
            "physiqueRating": null,
            "visceralFat": null,
            "metabolicAge": null,
            "sourceType": "INDEX_SCALE",
            "timestampGMT": day.epoch_ms(minute),
            "weightDelta": before.map(|before| grams - before),
        }));
        before = Some(grams);
    }
    let average = (!weighings.is_empty()).then(|| (sum / weighings.len() as f64).round());
    let bmi = average.map(|grams| tenths(grams / 1_000.0 / (body.height_cm / 100.0).powi(2)));
    // The newest comes first.
    weighings.reverse();
    let edge = |date: Date| ms(date.at(0, 0, 0, 0));
    json!({
        "startDate": from,
        "endDate": to,
        "dateWeightList": weighings,
        "totalAverage": {
            "from": edge(from),
            "until": edge(to.saturating_add(1.day())) - 1,
            "weight": average,
            "bmi": bmi,
            "bodyFat": null,
            "bodyWater": null,
            "boneMass": null,
            "muscleMass": null,
            "physiqueRating": null,
            "visceralFat": null,
            "metabolicAge": null,
        },
    })
}

/// `GET /bloodpressure-service/bloodpressure/range/{from}/{to}`.
pub(super) fn blood_pressure(life: &Life<'_>, from: Date, to: Date) -> Value {
    let of = |day: Day<'_>| {
        let mut dice = Dice::on(life.person.seed, "pressure", day.date);
        let minute = day.night.wake + dice.whole(10, 40);
        let (systolic, diastolic) = (dice.whole(108, 128), dice.whole(66, 82));
        dice.happens(0.2).then(|| {
            json!({
                "startDate": day.date,
                "measurementSummaryDate": day.date,
                "highSystolic": systolic,
                "lowSystolic": systolic,
                "highDiastolic": diastolic,
                "lowDiastolic": diastolic,
                "numOfMeasurements": 1,
                "measurements": [{
                    "version": day.epoch_ms(minute),
                    "systolic": systolic,
                    "diastolic": diastolic,
                    "pulse": day.resting_bpm() + 9,
                    "multiMeasurement": false,
                    "measurementTimestampLocal": text(day.local(minute)),
                    "measurementTimestampGMT": text(day.gmt(minute)),
                    "sourceType": "MANUAL",
                    "notes": "",
                }],
            })
        })
    };
    let summaries: Vec<Value> = life.days(from, to).filter_map(of).collect();
    json!({"from": from, "until": to, "measurementSummaries": summaries})
}
