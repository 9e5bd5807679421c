//! Heart rate, respiration, SpO2 and sleep.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::day_documents::waking_breaths;
use super::life::{Day, Life, text};
use super::night::Depth;

/// `GET /wellness-service/wellness/dailyHeartRate/{name}`.
pub(super) fn heart_rate(life: &Life<'_>, date: Date) -> Option<Value> {
    let day = life.day(date)?;
    let rows: Vec<Value> = day
        .heart_rates()
        .into_iter()
        .map(|(minute, bpm)| json!([day.epoch_ms(minute), bpm]))
        .collect();
    Some(json!({
        "userProfilePK": life.person.profile_id,
        "calendarDate": date,
        "startTimestampGMT": text(day.gmt(0)),
        "endTimestampGMT": text(day.gmt(day.until)),
        "startTimestampLocal": text(day.local(0)),
        "endTimestampLocal": text(day.local(day.until)),
        "maxHeartRate": day.highest_bpm(),
        "minHeartRate": day.lowest_bpm(),
        "restingHeartRate": day.resting_bpm(),
        "lastSevenDaysAvgRestingHeartRate": day.resting_bpm_of_week(),
        "heartRateValueDescriptors": [{"key": "timestamp", "index": 0}, {"key": "heartrate", "index": 1}],
        "heartRateValues": rows,
    }))
}

/// `GET /userstats-service/wellness/daily/{name}?metricId=60`.
pub(super) fn resting_heart_rate(life: &Life<'_>, from: Date, to: Date) -> Option<Value> {
    let of = |day: Day<'_>| json!({"value": day.resting_bpm() as f64, "calendarDate": day.date});
    let values: Vec<Value> = life.days(from, to).map(of).collect();
    (!values.is_empty()).then(|| {
        json!({
            "userProfileId": life.person.profile_id,
            "statisticsStartDate": from,
            "statisticsEndDate": to,
            "allMetrics": {"metricsMap": {"WELLNESS_RESTING_HEART_RATE": values}},
            "groupedMetrics": null,
        })
    })
}

/// `GET /mobile-gateway/heartRate/forDate/{date}`: the day's activities beside its heart rate.
pub(super) fn of_day(life: &Life<'_>, date: Date) -> Value {
    let activities: Vec<Value> = life
        .day(date)
        .map(|day| {
            day.activities
                .iter()
                .rev()
                .map(|a| super::activities::item(&day, a))
                .collect()
        })
        .unwrap_or_default();
    json!({
        "ActivitiesForDay": {"requestUrl": null, "statusCode": 200, "payload": activities},
        "AllDayHR": {"requestUrl": null, "statusCode": 200, "payload": heart_rate(life, date)},
    })
}

/// `GET /wellness-service/wellness/daily/respiration/{date}`.
pub(super) fn respiration(life: &Life<'_>, date: Date) -> Option<Value> {
    let day = life.day(date)?;
    let breaths = day.breaths();
    let rates = || breaths.iter().map(|(_, rate)| *rate);
    let asleep: Vec<f64> = breaths
        .iter()
        .filter(|(minute, _)| *minute < day.night.wake)
        .map(|(_, rate)| *rate)
        .collect();
    let rows: Vec<Value> = breaths
        .iter()
        .map(|(minute, rate)| json!([day.epoch_ms(*minute), rate]))
        .collect();
    Some(json!({
        "userProfilePK": life.person.profile_id,
        "calendarDate": date,
        "startTimestampGMT": text(day.gmt(0)),
        "endTimestampGMT": text(day.gmt(day.until)),
        "startTimestampLocal": text(day.local(0)),
        "endTimestampLocal": text(day.local(day.until)),
        "sleepStartTimestampGMT": text(day.gmt(day.night.bed)),
        "sleepEndTimestampGMT": text(day.gmt(day.night.wake)),
        "sleepStartTimestampLocal": text(day.local(day.night.bed)),
        "sleepEndTimestampLocal": text(day.local(day.night.wake)),
        "lowestRespirationValue": rates().reduce(f64::min),
        "highestRespirationValue": rates().reduce(f64::max),
        "avgWakingRespirationValue": waking_breaths(&day),
        "avgSleepRespirationValue": (asleep.iter().sum::<f64>() / asleep.len().max(1) as f64).round(),
        "avgTomorrowSleepRespirationValue": null,
        "respirationVersion": 200,
        "respirationValueDescriptorsDTOList": [{"key": "timestamp", "index": 0}, {"key": "respiration", "index": 1}],
        "respirationValuesArray": rows,
    }))
}

/// `GET /wellness-service/wellness/daily/spo2/{date}`: measured by night.
pub(super) fn spo2(life: &Life<'_>, date: Date) -> Option<Value> {
    let day = life.day(date)?;
    let week: Vec<i64> = life
        .days(date.saturating_sub(6.days()), date)
        .map(|day| day.night.spo2)
        .collect();
    let hours: Vec<Value> = (0..day.night.wake)
        .step_by(60)
        .enumerate()
        .map(|(index, minute)| json!([day.epoch_ms(minute), day.night.spo2 - i64::from(index % 3 == 1)]))
        .collect();
    Some(json!({
        "userProfilePK": life.person.profile_id,
        "calendarDate": date,
        "averageSpO2": day.night.spo2,
        "lowestSpO2": day.night.lowest_spo2,
        "lastSevenDaysAvgSpO2": week.iter().sum::<i64>() as f64 / week.len().max(1) as f64,
        "latestSpO2": day.night.spo2,
        "latestSpO2TimestampGMT": text(day.gmt(day.night.wake)),
        "latestSpO2TimestampLocal": text(day.local(day.night.wake)),
        "avgSleepSpO2": day.night.spo2,
        "spO2HourlyAverages": hours,
    }))
}

/// `GET /wellness-service/wellness/dailySleepData/{name}`: without a night, the times are null.
pub(super) fn sleep(life: &Life<'_>, date: Date) -> Value {
    let Some(day) = life.day(date) else {
        return no_night(life, date);
    };
    let night = &day.night;
    let seconds = |depth| night.minutes(depth) * 60;
    let percent = |depth| super::dice::whole(night.minutes(depth) as f64 / night.asleep() as f64 * 100.0);
    let share = |depth, low: f64, high: f64| {
        json!({
            "value": percent(depth),
            "qualifierKey": qualifier(if (low..=high).contains(&(percent(depth) as f64)) { 85 } else { 65 }),
            "optimalStart": low,
            "optimalEnd": high,
            "idealStartInSeconds": (night.asleep() * 60) as f64 * low / 100.0,
            "idealEndInSeconds": (night.asleep() * 60) as f64 * high / 100.0,
        })
    };
    let levels: Vec<Value> = night
        .stages
        .iter()
        .map(|stage| {
            json!({
                "startGMT": text(day.gmt(stage.from)),
                "endGMT": text(day.gmt(stage.to)),
                "activityLevel": match stage.depth {
                    Depth::Deep => 0.0,
                    Depth::Light => 1.0,
                    Depth::Rem => 2.0,
                    Depth::Awake => 3.0,
                },
            })
        })
        .collect();
    let movement: Vec<Value> = (night.bed..night.wake)
        .step_by(10)
        .map(|minute| {
            let level = ((minute as f64 / 17.0).sin() + 1.0) * 1.4;
            json!({
                "startGMT": text(day.gmt(minute)),
                "endGMT": text(day.gmt(minute + 10)),
                "activityLevel": super::dice::tenths(level),
            })
        })
        .collect();
    json!({
        "dailySleepDTO": {
            "id": day.epoch_ms(night.bed),
            "userProfilePK": life.person.profile_id,
            "calendarDate": date,
            "sleepTimeSeconds": night.asleep() * 60,
            "napTimeSeconds": 0,
            "sleepWindowConfirmed": true,
            "sleepWindowConfirmationType": "enhanced_confirmed_final",
            "sleepStartTimestampGMT": day.epoch_ms(night.bed),
            "sleepEndTimestampGMT": day.epoch_ms(night.wake),
            "sleepStartTimestampLocal": day.local_ms(night.bed),
            "sleepEndTimestampLocal": day.local_ms(night.wake),
            "deepSleepSeconds": seconds(Depth::Deep),
            "lightSleepSeconds": seconds(Depth::Light),
            "remSleepSeconds": seconds(Depth::Rem),
            "awakeSleepSeconds": seconds(Depth::Awake),
            "averageSpO2Value": night.spo2 as f64,
            "lowestSpO2Value": night.lowest_spo2,
            "averageRespirationValue": 13.0,
            "awakeCount": night.awakenings(),
            "avgSleepStress": night.stress,
            "sleepScoreFeedback": if night.score >= 80 { "POSITIVE_LONG_AND_DEEP" } else { "NEGATIVE_NOT_RESTORATIVE" },
            "sleepScoreInsight": "NONE",
            "sleepScores": {
                "totalDuration": {"qualifierKey": qualifier(night.score), "optimalStart": 28_800.0, "optimalEnd": 28_800.0},
                "stress": {"qualifierKey": qualifier(night.score + 4), "optimalStart": 0.0, "optimalEnd": 15.0},
                "awakeCount": {"qualifierKey": qualifier(90), "optimalStart": 0.0, "optimalEnd": 1.0},
                "overall": {"value": night.score, "qualifierKey": qualifier(night.score)},
                "restlessness": {"qualifierKey": qualifier(75), "optimalStart": 0.0, "optimalEnd": 5.0},
                "remPercentage": share(Depth::Rem, 21.0, 31.0),
                "lightPercentage": share(Depth::Light, 30.0, 64.0),
                "deepPercentage": share(Depth::Deep, 16.0, 33.0),
            },
        },
        "sleepMovement": movement,
        "remSleepData": true,
        "sleepLevels": levels,
        "restlessMomentsCount": night.restless_moments,
        "wellnessSpO2SleepSummaryDTO": {
            "userProfilePk": life.person.profile_id,
            "averageSPO2": night.spo2 as f64,
            "averageSpO2HR": day.resting_bpm() as f64 + 3.0,
            "lowestSPO2": night.lowest_spo2,
        },
        "avgOvernightHrv": night.hrv_ms as f64,
        "hrvStatus": "BALANCED",
        "bodyBatteryChange": day.battery(night.wake) - day.battery(night.bed),
        "restingHeartRate": day.resting_bpm(),
        "skinTempDataExists": false,
    })
}

fn no_night(life: &Life<'_>, date: Date) -> Value {
    json!({
        "dailySleepDTO": {
            "id": null,
            "userProfilePK": life.person.profile_id,
            "calendarDate": date,
            "sleepTimeSeconds": null,
            "napTimeSeconds": 0,
            "sleepStartTimestampGMT": null,
            "sleepEndTimestampGMT": null,
            "deepSleepSeconds": null,
            "lightSleepSeconds": null,
            "remSleepSeconds": null,
            "awakeSleepSeconds": null,
        },
        "sleepMovement": [],
        "restingHeartRate": null,
    })
}

fn qualifier(score: i64) -> &'static str {
    match score {
        ..=59 => "POOR",
        60..=79 => "FAIR",
        80..=89 => "GOOD",
        _ => "EXCELLENT",
    }
}
