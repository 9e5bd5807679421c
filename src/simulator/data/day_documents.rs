//! Documents that sum up a day or a week: summary, steps, floors, weekly sums.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use serde_json::{Value, json};

use super::dice::whole;
use super::joined;
use super::life::{DAY_MINUTES, Day, Life, text};
use super::profile::Body;

/// `GET /usersummary-service/usersummary/daily/{name}`: a day without data is the same document with nulls.
pub(super) fn summary(life: &Life<'_>, date: Date) -> Value {
    let Some(day) = life.day(date) else {
        return without_data(life, date);
    };
    let person = life.person;
    let part = day.until as f64 / DAY_MINUTES as f64;
    let body = Body::of(person);
    let bmr = (body.bmr_kcal(date) * part).round();
    let trained: f64 = day.activities.iter().map(|activity| activity.calories).sum();
    let steps = day.total_steps();
    let active = trained + (steps as f64 * 0.025).round();
    let highly_active: i64 = day.activities.iter().map(|activity| activity.minutes * 60).sum();
    let walked = day.steps().iter().filter(|(_, steps)| *steps > 200).count();
    let slept = day.sleeping_s();
    let moving = (i64::try_from(walked).unwrap_or(0) * 15 * 60 - highly_active).max(0) / 2;
    let stress: Vec<i64> = day
        .stress()
        .into_iter()
        .map(|(_, level)| level)
        .filter(|level| *level > 0)
        .collect();
    let (floors_up, floors_down) = floors_of(&day);
    let breaths: Vec<f64> = day.breaths().into_iter().map(|(_, rate)| rate).collect();
    let (charged, drained) = battery_change(&day);
    let levels = || (0..=day.until).map(|minute| day.battery(minute));
    let moved = json!({
        "userProfileId": person.profile_id,
        "calendarDate": date,
        "uuid": format!("{:032x}", day.epoch_ms(0)),
        "rule": {"typeId": 2, "typeKey": "private"},
        "totalKilocalories": bmr + active,
        "activeKilocalories": active,
        "bmrKilocalories": bmr,
        "consumedKilocalories": null,
        "totalSteps": steps,
        "dailyStepGoal": day.step_goal(),
        "totalDistanceMeters": day.distance_m(),
        "wellnessStartTimeGmt": text(day.gmt(0)),
        "wellnessStartTimeLocal": text(day.local(0)),
        "wellnessEndTimeGmt": text(day.gmt(day.until)),
        "wellnessEndTimeLocal": text(day.local(day.until)),
        "highlyActiveSeconds": highly_active,
        "activeSeconds": moving,
        "sedentarySeconds": day.until * 60 - highly_active - moving - slept,
        "sleepingSeconds": slept,
        "moderateIntensityMinutes": day.activities.iter().map(|a| a.moderate_minutes).sum::<i64>(),
        "vigorousIntensityMinutes": day.activities.iter().map(|a| a.vigorous_minutes).sum::<i64>(),
        "intensityMinutesGoal": 150,
        "floorsAscended": floors_up,
        "floorsDescended": floors_down,
        "floorsAscendedInMeters": floors_up * 3.048,
        "floorsDescendedInMeters": floors_down * 3.048,
        "userFloorsAscendedGoal": 10,
    });
    let measured = json!({
        "minHeartRate": day.lowest_bpm(),
        "maxHeartRate": day.highest_bpm(),
        "restingHeartRate": day.resting_bpm(),
        "lastSevenDaysAvgRestingHeartRate": day.resting_bpm_of_week(),
        "averageStressLevel": mean(&stress),
        "maxStressLevel": stress.iter().max(),
        "stressQualifier": if mean(&stress) > Some(38) { "STRESSFUL" } else { "BALANCED" },
        "bodyBatteryChargedValue": charged,
        "bodyBatteryDrainedValue": drained,
        "bodyBatteryHighestValue": levels().max(),
        "bodyBatteryLowestValue": levels().min(),
        "bodyBatteryMostRecentValue": day.battery(day.until),
        "bodyBatteryDuringSleep": day.battery(day.night.wake) - day.battery(day.night.bed),
        "bodyBatteryAtWakeTime": day.battery(day.night.wake),
        "averageSpo2": day.night.spo2 as f64,
        "lowestSpo2": day.night.lowest_spo2,
        "latestSpo2": day.night.spo2,
        "avgWakingRespirationValue": waking_breaths(&day),
        "highestRespirationValue": breaths.iter().copied().reduce(f64::max),
        "lowestRespirationValue": breaths.iter().copied().reduce(f64::min),
        "latestRespirationValue": breaths.last(),
        "bodyBatteryDynamicFeedbackEvent": super::battery_documents::feedback(&day),
        "bodyBatteryActivityEventList": super::battery_documents::activity_events(&day),
        "privacyProtected": false,
        "includesWellnessData": true,
        "includesActivityData": !day.activities.is_empty(),
        "includesCalorieConsumedData": false,
        "lastSyncTimestampGMT": text(day.gmt(day.until)),
    });
    joined(moved, measured)
}

fn without_data(life: &Life<'_>, date: Date) -> Value {
    // A day of the person's that certainly holds data shows which keys there are.
    let shape = life.day(life.first_day()).map(|day| summary(life, day.date));
    let mut document = shape.unwrap_or_else(|| json!({}));
    if let Some(members) = document.as_object_mut() {
        members.values_mut().for_each(|value| *value = Value::Null);
        members.insert("userProfileId".to_owned(), json!(life.person.profile_id));
        members.insert("calendarDate".to_owned(), json!(date));
        members.insert("privacyProtected".to_owned(), json!(false));
        members.insert("includesWellnessData".to_owned(), json!(false));
        members.insert("includesActivityData".to_owned(), json!(false));
    }
    document
}

/// Points charged and drained since midnight.
pub(super) fn battery_change(day: &Day<'_>) -> (i64, i64) {
    let changes = (0..day.until).map(|minute| day.battery(minute + 1) - day.battery(minute));
    changes.fold((0, 0), |(up, down), change| {
        (up + change.max(0), down - change.min(0))
    })
}

/// The average respiration while awake.
pub(super) fn waking_breaths(day: &Day<'_>) -> Option<f64> {
    let awake = day
        .breaths()
        .into_iter()
        .filter(|(minute, _)| *minute >= day.night.wake)
        .map(|(_, rate)| rate);
    let rates: Vec<f64> = awake.collect();
    (!rates.is_empty()).then(|| (rates.iter().sum::<f64>() / rates.len() as f64).round())
}

/// The rounded mean, where there is something.
pub(super) fn mean(numbers: &[i64]) -> Option<i64> {
    (!numbers.is_empty()).then(|| whole(numbers.iter().sum::<i64>() as f64 / numbers.len() as f64))
}

fn floors_of(day: &Day<'_>) -> (f64, f64) {
    let (up, down) = day
        .floors()
        .iter()
        .fold((0, 0), |(up, down), (_, floors)| (up + floors.0, down + floors.1));
    // A floor is three metres, and people don't climb in multiples of three metres.
    (up as f64 * 1.0421, down as f64 * 0.9873)
}

/// `GET /wellness-service/wellness/dailySummaryChart/{name}`.
pub(super) fn steps_chart(life: &Life<'_>, date: Date) -> Value {
    let Some(day) = life.day(date) else {
        return json!([]);
    };
    let quarter = |(minute, steps): (i64, i64)| {
        let level = match steps {
            _ if minute < day.night.wake || minute >= day.next_bed => "sleeping",
            0..=99 => "sedentary",
            100..=999 => "active",
            _ => "highlyActive",
        };
        json!({
            "startGMT": text(day.gmt(minute)),
            "endGMT": text(day.gmt(minute + 15)),
            "steps": steps,
            "pushes": 0,
            "primaryActivityLevel": level,
            "activityLevelConstant": level == "sleeping",
        })
    };
    day.steps().into_iter().map(quarter).collect()
}

/// `GET /usersummary-service/stats/steps/daily/{from}/{to}`.
pub(super) fn daily_steps(life: &Life<'_>, from: Date, to: Date) -> Value {
    let of = |day: Day<'_>| {
        json!({
            "calendarDate": day.date,
            "totalSteps": day.total_steps(),
            "totalDistance": day.distance_m(),
            "stepGoal": day.step_goal(),
        })
    };
    life.days(from, to).map(of).collect()
}

/// The weeks of seven days that end on a day, oldest first, that hold data.
fn weeks(life: &Life<'_>, end: Date, count: i64) -> Vec<(Date, Vec<i64>, Vec<i64>)> {
    let week = |back: i64| {
        let last = end.saturating_sub((back * 7).days());
        let first = last.saturating_sub(6.days());
        let days: Vec<Day<'_>> = life.days(first, last).collect();
        let steps = days.iter().map(Day::total_steps).collect();
        let distances = days.iter().map(Day::distance_m).collect();
        (!days.is_empty()).then_some((first, steps, distances))
    };
    (0..count.clamp(0, 52)).rev().filter_map(week).collect()
}

/// `GET /usersummary-service/stats/steps/weekly/{end}/{weeks}`.
pub(super) fn weekly_steps(life: &Life<'_>, end: Date, count: i64) -> Value {
    let of = |(first, steps, distances): (Date, Vec<i64>, Vec<i64>)| {
        let (total, distance) = (
            steps.iter().sum::<i64>() as f64,
            distances.iter().sum::<i64>() as f64,
        );
        json!({
            "calendarDate": first,
            "values": {
                "totalSteps": total,
                "averageSteps": total / steps.len().max(1) as f64,
                "wellnessDataDaysCount": steps.len(),
                "averageDistance": distance / steps.len().max(1) as f64,
                "totalDistance": distance,
            },
        })
    };
    weeks(life, end, count).into_iter().map(of).collect()
}

/// `GET /usersummary-service/stats/stress/weekly/{end}/{weeks}`.
pub(super) fn weekly_stress(life: &Life<'_>, end: Date, count: i64) -> Value {
    let week = |back: i64| {
        let last = end.saturating_sub((back * 7).days());
        let first = last.saturating_sub(6.days());
        let of_day = |day: Day<'_>| {
            let levels: Vec<i64> = day
                .stress()
                .into_iter()
                .map(|(_, level)| level)
                .filter(|level| *level > 0)
                .collect();
            mean(&levels)
        };
        let days: Vec<i64> = life.days(first, last).filter_map(of_day).collect();
        mean(&days).map(|value| json!({"calendarDate": first, "value": value}))
    };
    (0..count.clamp(0, 52)).rev().filter_map(week).collect()
}

/// `GET /usersummary-service/stats/im/weekly/{from}/{to}`: calendar weeks, named by their Monday.
pub(super) fn weekly_intensity(life: &Life<'_>, from: Date, to: Date) -> Value {
    let monday = |date: Date| date.saturating_sub(i64::from(date.weekday().since(Weekday::Monday)).days());
    let week = |first: Date| {
        let days: Vec<Day<'_>> = life.days(first, first.saturating_add(6.days())).collect();
        let sum = |of: fn(&super::training::Activity) -> i64| {
            days.iter().flat_map(|day| &day.activities).map(of).sum::<i64>()
        };
        (!days.is_empty()).then(|| {
            json!({
                "calendarDate": first,
                "weeklyGoal": 150,
                "moderateValue": sum(|activity| activity.moderate_minutes),
                "vigorousValue": sum(|activity| activity.vigorous_minutes),
            })
        })
    };
    monday(from)
        .series(7.days())
        .take_while(|first| *first <= to)
        .take(60)
        .filter_map(week)
        .collect()
}

/// `GET /wellness-service/wellness/floorsChartData/daily/{date}`.
pub(super) fn floors(life: &Life<'_>, date: Date) -> Option<Value> {
    let day = life.day(date)?;
    let keys = ["startTimeGMT", "endTimeGMT", "floorsAscended", "floorsDescended"];
    let descriptors: Vec<Value> = keys
        .iter()
        .enumerate()
        .map(|(index, key)| json!({"index": index, "key": key}))
        .collect();
    let rows: Vec<Value> = day
        .floors()
        .into_iter()
        .map(|(minute, (up, down))| json!([text(day.gmt(minute)), text(day.gmt(minute + 15)), up, down]))
        .collect();
    Some(json!({
        "startTimestampGMT": text(day.gmt(0)),
        "endTimestampGMT": text(day.gmt(day.until)),
        "startTimestampLocal": text(day.local(0)),
        "endTimestampLocal": text(day.local(day.until)),
        "floorsValueDescriptorDTOList": descriptors,
        "floorValuesArray": rows,
    }))
}
