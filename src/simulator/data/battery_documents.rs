//! Body battery, stress and training readiness.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::day_documents::{battery_change, mean};
use super::dice::{Dice, whole};
use super::life::{Day, Life, offset_minutes, text};
use super::training::Activity;

/// The version that battery rows carry.
const BATTERY_VERSION: f64 = 3.0;

fn battery_rows(day: &Day<'_>, from: i64, to: i64) -> Vec<Value> {
    (from..to)
        .step_by(3)
        .map(|minute| {
            json!([
                day.epoch_ms(minute),
                "MEASURED",
                day.battery(minute),
                BATTERY_VERSION
            ])
        })
        .collect()
}

/// `GET /wellness-service/wellness/dailyStress/{date}`.
pub(super) fn stress(life: &Life<'_>, date: Date) -> Option<Value> {
    let day = life.day(date)?;
    let readings = day.stress();
    let levels: Vec<i64> = readings
        .iter()
        .map(|(_, level)| *level)
        .filter(|level| *level > 0)
        .collect();
    let rows: Vec<Value> = readings
        .iter()
        .map(|(minute, level)| json!([day.epoch_ms(*minute), level]))
        .collect();
    Some(json!({
        "userProfilePK": life.person.profile_id,
        "calendarDate": date,
        "startTimestampGMT": text(day.gmt(0)),
        "endTimestampGMT": text(day.gmt(day.until)),
        "startTimestampLocal": text(day.local(0)),
        "endTimestampLocal": text(day.local(day.until)),
        "maxStressLevel": levels.iter().max(),
        "avgStressLevel": mean(&levels),
        "stressChartValueOffset": 1,
        "stressChartYAxisOrigin": -1,
        "stressValueDescriptorsDTOList": [{"key": "timestamp", "index": 0}, {"key": "stressLevel", "index": 1}],
        "stressValuesArray": rows,
        "bodyBatteryValueDescriptorsDTOList": [
            {"bodyBatteryValueDescriptorIndex": 0, "bodyBatteryValueDescriptorKey": "timestamp"},
            {"bodyBatteryValueDescriptorIndex": 1, "bodyBatteryValueDescriptorKey": "bodyBatteryStatus"},
            {"bodyBatteryValueDescriptorIndex": 2, "bodyBatteryValueDescriptorKey": "bodyBatteryLevel"},
            {"bodyBatteryValueDescriptorIndex": 3, "bodyBatteryValueDescriptorKey": "bodyBatteryVersion"},
        ],
        "bodyBatteryValuesArray": battery_rows(&day, 0, day.until),
    }))
}

/// What charged and drained the battery on a day, in the order of time.
pub(super) fn activity_events(day: &Day<'_>) -> Vec<Value> {
    let mut events = vec![event(
        day,
        "SLEEP",
        day.night.bed,
        day.night.wake,
        sleep_charge(day),
        None,
    )];
    events.extend(day.activities.iter().map(|activity| {
        event(
            day,
            "ACTIVITY",
            activity.start,
            activity.end(),
            day.battery_impact(activity),
            Some(activity),
        )
    }));
    events
}

fn sleep_charge(day: &Day<'_>) -> i64 {
    day.battery(day.night.wake) - day.battery(day.night.bed)
}

fn event(day: &Day<'_>, kind: &str, from: i64, to: i64, impact: i64, activity: Option<&Activity>) -> Value {
    let feedback = match (activity, impact) {
        (None, 55..) => "GOOD_SLEEP",
        (None, _) => "NONE",
        (Some(activity), _) if activity.effort >= 6 => "EXERCISE_TRAINING_EFFECT_4",
        (Some(_), _) => "EXERCISE_TRAINING_EFFECT_2",
    };
    json!({
        "eventType": kind,
        "eventStartTimeGmt": text(day.gmt(from)),
        "timezoneOffset": offset_minutes(day.person) * 60_000,
        "durationInMilliseconds": (to - from) * 60_000,
        "bodyBatteryImpact": impact,
        "feedbackType": feedback,
        "shortFeedback": feedback,
        "deviceId": device_id(day),
        "activityName": activity.map(|activity| activity.name),
        "activityType": activity.map(|activity| activity.sport.type_key),
        "activityId": activity.map(|activity| activity.id),
    })
}

/// The person's watch.
pub(super) fn device_id(day: &Day<'_>) -> i64 {
    3_400_000_000 + i64::try_from(day.person.seed % 1_000_000).unwrap_or(0)
}

/// What the watch says of the battery at the end of the data.
pub(super) fn feedback(day: &Day<'_>) -> Value {
    let (level, short) = match day.battery(day.until) {
        ..=25 => ("LOW", "SLEEP_PREPARATION_RECOVERED_AND_INACTIVE"),
        26..=60 => ("MODERATE", "DAY_BALANCED_AND_ACTIVE"),
        _ => ("HIGH", "DAY_RECOVERED_AND_INACTIVE"),
    };
    json!({
        "eventTimestampGmt": text(day.gmt(day.until)),
        "bodyBatteryLevel": level,
        "feedbackShortType": short,
        "feedbackLongType": short,
    })
}

/// `GET /wellness-service/wellness/bodyBattery/reports/daily`.
pub(super) fn reports(life: &Life<'_>, from: Date, to: Date) -> Value {
    let of = |day: Day<'_>| {
        let (charged, drained) = battery_change(&day);
        let rows: Vec<Value> = (0..day.until)
            .step_by(15)
            .map(|minute| json!([day.epoch_ms(minute), day.battery(minute)]))
            .collect();
        json!({
            "date": day.date,
            "charged": charged,
            "drained": drained,
            "startTimestampGMT": text(day.gmt(0)),
            "endTimestampGMT": text(day.gmt(day.until)),
            "startTimestampLocal": text(day.local(0)),
            "endTimestampLocal": text(day.local(day.until)),
            "bodyBatteryValuesArray": rows,
            "bodyBatteryValueDescriptorDTOList": [
                {"bodyBatteryValueDescriptorIndex": 0, "bodyBatteryValueDescriptorKey": "timestamp"},
                {"bodyBatteryValueDescriptorIndex": 1, "bodyBatteryValueDescriptorKey": "bodyBatteryLevel"},
            ],
            "bodyBatteryActivityEvent": activity_events(&day),
            "bodyBatteryDynamicFeedbackEvent": feedback(&day),
        })
    };
    life.days(from, to).map(of).collect()
}

/// `GET /wellness-service/wellness/bodyBattery/events/{date}`.
pub(super) fn events(life: &Life<'_>, date: Date) -> Value {
    let Some(day) = life.day(date) else {
        return json!([]);
    };
    let stress = day.stress();
    let told = |kind: &str, from: i64, to: i64, impact: i64, activity: Option<&Activity>| {
        let within: Vec<_> = stress
            .iter()
            .filter(|(minute, _)| (from..to).contains(minute))
            .collect();
        let levels: Vec<i64> = within
            .iter()
            .map(|(_, level)| *level)
            .filter(|level| *level > 0)
            .collect();
        let rows: Vec<Value> = within
            .iter()
            .map(|(minute, level)| json!([day.epoch_ms(*minute), level]))
            .collect();
        let event = event(&day, kind, from, to, impact, activity);
        let keys = [
            "eventType",
            "eventStartTimeGmt",
            "timezoneOffset",
            "durationInMilliseconds",
            "bodyBatteryImpact",
            "feedbackType",
            "shortFeedback",
        ];
        let event: serde_json::Map<String, Value> = keys
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), event.get(*key)?.clone())))
            .collect();
        json!({
            "event": event,
            "activityName": activity.map(|activity| activity.name),
            "activityType": activity.map(|activity| activity.sport.type_key),
            "activityId": activity.map(|activity| activity.id),
            "averageStress": mean(&levels).map(|level| level as f64),
            "stressValuesArray": rows,
            "bodyBatteryValuesArray": battery_rows(&day, from, to),
        })
    };
    let mut events = vec![told(
        "SLEEP",
        day.night.bed,
        day.night.wake,
        sleep_charge(&day),
        None,
    )];
    events.extend(day.activities.iter().map(|activity| {
        told(
            "ACTIVITY",
            activity.start,
            activity.end(),
            day.battery_impact(activity),
            Some(activity),
        )
    }));
    events.into()
}

/// `GET /metrics-service/metrics/trainingreadiness/{date}`: newest first, the one after waking up last.
pub(super) fn readiness(life: &Life<'_>, date: Date) -> Value {
    let Some(day) = life.day(date) else {
        return json!([]);
    };
    let mut dice = Dice::on(life.person.seed, "readiness", date);
    let week: Vec<Day<'_>> = life.days(date.saturating_sub(6.days()), date).collect();
    let load = |until_today: bool| {
        let of = |day: &Day<'_>| day.activities.iter().map(|activity| activity.load).sum::<f64>();
        week.iter()
            .filter(|day| until_today || day.date != date)
            .map(of)
            .sum::<f64>()
    };
    let hrv = mean(&week.iter().map(|day| day.night.hrv_ms).collect::<Vec<_>>());
    // Each point of load asks for some minutes of recovery; a day passes since the last training.
    let yesterday = life.day(date.saturating_sub(1.day()));
    let tired = |day: &Day<'_>| {
        day.activities
            .iter()
            .map(|activity| whole(activity.load * 16.0))
            .sum::<i64>()
    };
    let rested = (yesterday.map_or(0, |day| tired(&day)) - 720).max(0);
    let device = device_id(&day);
    let mut entry = |minute: i64, context: &str, recovery: i64, load: f64| {
        let score =
            (whole(day.night.score as f64 * 0.9 - recovery as f64 / 90.0) + dice.whole(-4, 6)).clamp(1, 100);
        let (level, feedback) = match score {
            ..=24 => ("POOR", "LET_YOUR_BODY_RECOVER"),
            25..=49 => ("LOW", "TAKE_IT_EASY"),
            50..=74 => ("MODERATE", "LISTEN_TO_YOUR_BODY"),
            75..=94 => ("HIGH", "READY_FOR_THE_DAY"),
            _ => ("PRIME", "READY_TO_GO"),
        };
        let factor = |percent: i64| match percent {
            ..=39 => "POOR",
            40..=69 => "MODERATE",
            70..=89 => "GOOD",
            _ => "VERY_GOOD",
        };
        let recovered = (100 - recovery / 40).clamp(1, 100);
        let loaded = (100 - whole(load / 18.0)).clamp(30, 100);
        let (stress, sleep) = (dice.whole(60, 95), dice.whole(55, 95));
        json!({
            "userProfilePK": life.person.profile_id,
            "calendarDate": date,
            "timestamp": text(day.gmt(minute)),
            "timestampLocal": text(day.local(minute)),
            "deviceId": device,
            "level": level,
            "feedbackLong": feedback,
            "feedbackShort": feedback,
            "score": score,
            "sleepScore": day.night.score,
            "sleepScoreFactorPercent": day.night.score,
            "sleepScoreFactorFeedback": factor(day.night.score),
            "recoveryTime": recovery,
            "recoveryTimeFactorPercent": recovered,
            "recoveryTimeFactorFeedback": factor(recovered),
            "acwrFactorPercent": loaded,
            "acwrFactorFeedback": factor(loaded),
            "acuteLoad": whole(load),
            "stressHistoryFactorPercent": stress,
            "stressHistoryFactorFeedback": factor(stress),
            "hrvFactorPercent": 88,
            "hrvFactorFeedback": "GOOD",
            "hrvWeeklyAverage": hrv,
            "sleepHistoryFactorPercent": sleep,
            "sleepHistoryFactorFeedback": factor(sleep),
            "validSleep": true,
            "inputContext": context,
            "primaryActivityTracker": true,
            "sleepScoreFactorPhrase": null,
            "recoveryTimeFactorPhrase": null,
        })
    };
    let mut entries = vec![entry(day.night.wake, "AFTER_WAKEUP_RESET", rested, load(false))];
    for activity in &day.activities {
        let recovery = rested / 2 + whole(activity.load * 16.0);
        entries.push(entry(
            activity.end(),
            "AFTER_POST_EXERCISE_RESET",
            recovery,
            load(true),
        ));
    }
    entries.reverse();
    entries.into()
}
