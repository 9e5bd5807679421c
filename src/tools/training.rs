//! Training and performance: the tools of garmin_mcp's module `training` that need a single round of requests.

mod threshold;
mod totals;

use serde_json::{Map, Value, json};

use super::call::ToolCall;
use super::fields::{Field, at, fields, list, newest, pick, pick_each};
use super::json::rounded;
use super::multisport::ACTIVITY;
use super::parameter::Parameter;
use super::table::{AnswerError, AnswerShape, GarminQuery, Tool, ToolAnswer};
use threshold::{threshold, threshold_gets};
use totals::{METRICS, totals};

const DATE: Parameter = Parameter::day("date", "The day: YYYY-MM-DD, today, yesterday or -7d");
const START: Parameter = Parameter::day("start_date", "First day: YYYY-MM-DD, -30d or this week");

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "get_hrv_data",
        about: "Heart rate variability of the night before a day: average, highest five minutes, weekly average, the person's baseline and status.",
        parameters: &[
            DATE,
            Parameter::flag(
                "return_timeseries",
                "Whether to add the readings of every five minutes (default false)",
            ),
        ],
        ask: GarminQuery::Get("/hrv-service/hrv/{date}"),
        tell: AnswerShape::Shaped(hrv),
        nothing: "No HRV data found for {date}.",
        failing: "Error retrieving HRV data",
    },
    Tool {
        name: "get_training_status",
        about: "Training status of a day: productive, maintaining, …; acute and chronic load with their ratio, VO2 max, and the load of four weeks by intensity. Values are those of the primary training device.",
        parameters: &[DATE],
        ask: GarminQuery::Get("/metrics-service/metrics/trainingstatus/aggregated/{date}"),
        tell: AnswerShape::Shaped(status),
        nothing: "No training status data found for {date}.",
        failing: "Error retrieving training status data",
    },
    Tool {
        name: "get_hill_score",
        about: "Hill score of each day in a range: strength and endurance uphill.",
        parameters: &[
            START,
            Parameter::day("end_date", "Last day: YYYY-MM-DD, today or this week").may_be_future(),
        ],
        ask: GarminQuery::Get(
            "/metrics-service/metrics/hillscore/stats?startDate={start_date}&endDate={end_date}&aggregation=daily",
        ),
        tell: AnswerShape::Shaped(hill_score),
        nothing: "No hill score data found between {start_date} and {end_date}.",
        failing: "Error retrieving hill score data",
    },
    Tool {
        name: "get_fitnessage_data",
        about: "Fitness age of a day beside the real age, and what would lower it.",
        parameters: &[
            DATE,
            Parameter::flag(
                "details",
                "Whether to add the components, such as resting heart rate and BMI (default false)",
            ),
        ],
        ask: GarminQuery::Get("/fitnessage-service/fitnessage/{date}"),
        tell: AnswerShape::Shaped(fitness_age),
        nothing: "No fitness age data found for {date}.",
        failing: "Error retrieving fitness age data",
    },
    Tool {
        name: "get_training_effect",
        about: "Aerobic and anaerobic training effect, training load and recovery time of an activity.",
        parameters: &[Parameter::id(
            "activity_id",
            "The activity's id, from one of the lists of activities",
        )],
        ask: GarminQuery::Get(ACTIVITY),
        tell: AnswerShape::Shaped(effect),
        nothing: "No activity found with ID {activity_id}.",
        failing: "Error retrieving training effect data",
    },
    Tool {
        name: "get_lactate_threshold",
        about: "Lactate threshold: speed, pace, heart rate and power; the newest values, or those of a range of days.",
        parameters: &[
            Parameter::day(
                "start_date",
                "First day of a range: YYYY-MM-DD, -30d or this week; left out with end_date: the newest values",
            )
            .optional(),
            Parameter::day("end_date", "Last day of a range: YYYY-MM-DD, today or this week")
                .may_be_future()
                .optional(),
        ],
        ask: GarminQuery::Made(threshold_gets),
        tell: AnswerShape::Made(threshold),
        nothing: "No lactate threshold data found",
        failing: "Error retrieving lactate threshold data",
    },
    Tool {
        name: "get_cycling_ftp",
        about: "The functional threshold power of the person in cycling, in watts.",
        parameters: &[],
        ask: GarminQuery::Get("/biometric-service/biometric/latestFunctionalThresholdPower/CYCLING"),
        tell: AnswerShape::Fields(FTP),
        nothing: "No cycling FTP data found",
        failing: "Error retrieving cycling FTP data",
    },
    Tool {
        name: "get_progress_summary_between_dates",
        about: "Sums, averages and extremes of one metric by type of activity between two days, in meters or seconds.",
        parameters: &[
            START,
            Parameter::day("end_date", "Last day: YYYY-MM-DD, today or this week").may_be_future(),
            Parameter::one_of("metric", "What is summed up", METRICS, "distance").required(),
        ],
        ask: GarminQuery::Get(
            "/fitnessstats-service/activity?startDate={start_date}&endDate={end_date}&aggregation=lifetime&groupByParentActivityType=true&metric={metric}",
        ),
        tell: AnswerShape::Shaped(totals),
        nothing: "No progress summary found for {metric} between {start_date} and {end_date}.",
        failing: "Error retrieving progress summary",
    },
];

const HRV: &[Field] = fields! {
    "date" <- "hrvSummary.calendarDate";
    "last_night_avg_hrv_ms" <- "hrvSummary.lastNightAvg";
    "last_night_5min_high_hrv_ms" <- "hrvSummary.lastNight5MinHigh";
    "weekly_avg_hrv_ms" <- "hrvSummary.weeklyAvg";
    "baseline_balanced_low_ms" <- "hrvSummary.baseline.balancedLow";
    "baseline_balanced_upper_ms" <- "hrvSummary.baseline.balancedUpper";
    "baseline_low_upper_ms" <- "hrvSummary.baseline.lowUpper";
    "status" <- "hrvSummary.status";
    "feedback" <- "hrvSummary.feedbackPhrase";
    "sleep_start" <- "sleepStartTimestampLocal";
    "sleep_end" <- "sleepEndTimestampLocal";
};

const HRV_READING: &[Field] = fields! {
    "time" <- "readingTimeLocal";
    "hrv_ms" <- "hrvValue";
};

const DEVICE_STATUS: &[Field] = fields! {
    "date" <- "calendarDate";
    "training_status" <- "trainingStatus";
    "training_status_feedback" <- "trainingStatusFeedbackPhrase";
    "sport" <- "sport";
    "fitness_trend" <- "fitnessTrend";
    "acute_load" <- "acuteTrainingLoadDTO.dailyTrainingLoadAcute";
    "chronic_load" <- "acuteTrainingLoadDTO.dailyTrainingLoadChronic";
    "load_ratio" <- "acuteTrainingLoadDTO.dailyAcuteChronicWorkloadRatio";
    "acwr_status" <- "acuteTrainingLoadDTO.acwrStatus";
    "acwr_percent" <- "acuteTrainingLoadDTO.acwrPercent";
    "optimal_chronic_load_min" <- "acuteTrainingLoadDTO.minTrainingLoadChronic";
    "optimal_chronic_load_max" <- "acuteTrainingLoadDTO.maxTrainingLoadChronic";
};

const VO2_MAX: &[Field] = fields! {
    "vo2_max" <- "mostRecentVO2Max.generic.vo2MaxValue";
    "vo2_max_precise" <- "mostRecentVO2Max.generic.vo2MaxPreciseValue";
    "cycling_vo2_max" <- "mostRecentVO2Max.cycling.vo2MaxValue";
    "cycling_vo2_max_precise" <- "mostRecentVO2Max.cycling.vo2MaxPreciseValue";
};

const LOAD_BALANCE: &[Field] = fields! {
    "monthly_load_aerobic_low" <- "monthlyLoadAerobicLow";
    "monthly_load_aerobic_high" <- "monthlyLoadAerobicHigh";
    "monthly_load_anaerobic" <- "monthlyLoadAnaerobic";
    "training_balance_feedback" <- "trainingBalanceFeedbackPhrase";
};

const EFFECT: &[Field] = fields! {
    "training_effect" <- "summaryDTO.trainingEffect";
    "aerobic_effect" <- "summaryDTO.trainingEffect";
    "anaerobic_effect" <- "summaryDTO.anaerobicTrainingEffect";
    "training_effect_label" <- "summaryDTO.trainingEffectLabel";
    "recovery_time_hours" <- hours "summaryDTO.recoveryTime";
    "training_load" <- "summaryDTO.activityTrainingLoad";
    "performance_condition" <- "summaryDTO.performanceCondition";
};

const FTP: &[Field] = fields! {
    "sport" <- "sport";
    "functional_threshold_power_watts" <- "functionalThresholdPower";
    "calendar_date" <- "calendarDate";
    "is_stale" <- "isStale";
    "biometric_source_type" <- "biometricSourceType";
};

const HILL: &[Field] = fields! {
    "max_score" <- "maxScore";
};

const LATEST_HILL: &[Field] = fields! {
    "latest_date" <- "calendarDate";
    "latest_overall_score" <- "overallScore";
    "latest_strength_score" <- "strengthScore";
    "latest_endurance_score" <- "enduranceScore";
    "latest_classification_id" <- "hillScoreClassificationId";
};

const FITNESS_AGE: &[Field] = fields! {
    "fitness_age_years" <- rounded "fitnessAge";
    "chronological_age_years" <- "chronologicalAge";
    "achievable_fitness_age_years" <- rounded "achievableFitnessAge";
    "previous_fitness_age_years" <- rounded "previousFitnessAge";
    "last_updated" <- "lastUpdated";
};

const COMPONENT: &[Field] = fields! {
    "value" <- "value";
    "target" <- "targetValue";
    "improvement_needed" <- "improvementValue";
    "potential_age_if_improved" <- rounded "potentialAge";
    "priority" <- "priority";
    "stale" <- "stale";
    "last_measurement" <- "lastMeasurementDate";
};

fn hrv(call: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let mut told = pick(HRV, document)?;
    told.remove("date");
    if at(document, "hrvSummary").is_none() && told.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    let date = at(document, "hrvSummary.calendarDate")
        .cloned()
        .unwrap_or_else(|| json!(call.text("date")));
    told.shift_insert(0, "date".to_owned(), date);
    if call.flag("return_timeseries") {
        let readings = pick_each(HRV_READING, document, "hrvReadings")?;
        told.insert("readings_count".to_owned(), json!(readings.len()));
        told.insert("hrv_readings".to_owned(), readings.into());
    }
    Ok(ToolAnswer::object(told))
}

/// The entry of the primary training device in a map by device, or the first entry if there is none.
pub(super) fn of_primary_device<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    let devices = at(document, path)?.as_object()?;
    let is_primary = |device: &&Value| device.get("primaryTrainingDevice") == Some(&Value::Bool(true));
    devices
        .values()
        .find(is_primary)
        .or_else(|| devices.values().next())
}

pub(super) const LOAD_BALANCE_BY_DEVICE: &str =
    "mostRecentTrainingLoadBalance.metricsTrainingLoadBalanceDTOMap";
pub(super) const STATUS_BY_DEVICE: &str = "mostRecentTrainingStatus.latestTrainingStatusData";

fn status(call: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let mut told = Map::new();
    if let Some(device) = of_primary_device(document, STATUS_BY_DEVICE) {
        told.extend(pick(DEVICE_STATUS, device)?);
    }
    told.extend(pick(VO2_MAX, document)?);
    if let Some(device) = of_primary_device(document, LOAD_BALANCE_BY_DEVICE) {
        told.extend(pick(LOAD_BALANCE, device)?);
    }
    if told.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    if !told.contains_key("date") {
        told.shift_insert(0, "date".to_owned(), json!(call.text("date")));
    }
    Ok(ToolAnswer::object(told))
}

fn hill_score(call: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let days = list(document, "hillScoreDTOList")?;
    let mut told = Map::new();
    told.insert("start_date".to_owned(), json!(call.text("start_date")));
    told.insert("end_date".to_owned(), json!(call.text("end_date")));
    let averages = at(document, "periodAvgScore").and_then(Value::as_object);
    if let Some(average) = averages
        .and_then(|averages| averages.values().next())
        .filter(|value| !value.is_null())
    {
        told.insert("period_avg_score".to_owned(), average.clone());
    }
    told.extend(pick(HILL, document)?);
    if let Some(latest) = newest(days, "calendarDate") {
        told.extend(pick(LATEST_HILL, latest)?);
    }
    let day = |day: &Value| {
        json!({
            "date": day.get("calendarDate"),
            "overall": day.get("overallScore"),
            "strength": day.get("strengthScore"),
            "endurance": day.get("enduranceScore"),
        })
    };
    if !days.is_empty() {
        told.insert("daily_scores".to_owned(), days.iter().map(day).collect());
    }
    Ok(ToolAnswer::object(told))
}

fn fitness_age(call: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let ages = pick(FITNESS_AGE, document)?;
    let mut told = Map::new();
    told.insert("date".to_owned(), json!(call.text("date")));
    let years = |key| at(document, key).and_then(Value::as_f64);
    for (key, value) in ages {
        let is_age = key == "chronological_age_years";
        told.insert(key, value);
        if let (true, Some(real), Some(fit)) = (is_age, years("chronologicalAge"), years("fitnessAge")) {
            told.insert("age_difference_years".to_owned(), rounded(real - fit, 1));
        }
    }
    let components = at(document, "components").and_then(Value::as_object);
    if let (true, Some(components)) = (call.flag("details"), components) {
        let mut parts = Map::new();
        for (name, component) in components.iter().filter(|(_, component)| component.is_object()) {
            parts.insert(name.clone(), Value::Object(pick(COMPONENT, component)?));
        }
        told.insert("components".to_owned(), parts.into());
    }
    Ok(ToolAnswer::object(told))
}

fn effect(call: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let mut told = Map::new();
    told.insert("activity_id".to_owned(), json!(call.whole("activity_id")));
    let effect = pick(EFFECT, document)?;
    if effect.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    told.extend(effect);
    Ok(ToolAnswer::object(told))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_hill_score_is_that_of_the_newest_day() {
        let tool = TOOLS.iter().find(|tool| tool.name == "get_hill_score").unwrap();
        let noon = jiff::civil::date(2026, 1, 31)
            .at(12, 0, 0, 0)
            .in_tz("UTC")
            .unwrap();
        let arguments = json!({"start_date": "-7d", "end_date": "today"});
        let call = ToolCall::check(tool.parameters, arguments.as_object().unwrap(), &noon).unwrap();
        let day = |date: &str, score: i64| json!({"calendarDate": date, "overallScore": score});
        let oldest_first =
            json!({"maxScore": 41, "hillScoreDTOList": [day("2026-01-29", 40), day("2026-01-30", 41)]});
        let Ok(ToolAnswer::Json(told)) = hill_score(&call, &oldest_first) else {
            panic!("it is not told")
        };
        assert_eq!(
            (&told["latest_date"], &told["latest_overall_score"]),
            (&json!("2026-01-30"), &json!(41))
        );
    }
}
