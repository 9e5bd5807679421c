//! Training readiness, all day and after waking up.

use serde_json::{Map, Value, json};

use crate::tools::call::ToolCall;
use crate::tools::fields::{Field, fields, list, newest, pick, pick_each};
use crate::tools::table::{AnswerError, ToolAnswer};

const READINESS: &[Field] = fields! {
    "date" <- "calendarDate";
    "timestamp" <- "timestampLocal";
    "utc_offset" <- offset "timestampLocal" | "timestamp";
    "context" <- "inputContext";
    "level" <- "level";
    "score" <- "score";
    "feedback" <- "feedbackShort";
    "sleep_score" <- "sleepScore";
    "sleep_factor_percent" <- "sleepScoreFactorPercent";
    "sleep_factor_feedback" <- "sleepScoreFactorFeedback";
    "recovery_time_hours" <- hours "recoveryTime";
    "recovery_factor_percent" <- "recoveryTimeFactorPercent";
    "recovery_factor_feedback" <- "recoveryTimeFactorFeedback";
    "training_load_factor_percent" <- "acwrFactorPercent";
    "training_load_feedback" <- "acwrFactorFeedback";
    "acute_load" <- "acuteLoad";
    "hrv_factor_percent" <- "hrvFactorPercent";
    "hrv_factor_feedback" <- "hrvFactorFeedback";
    "hrv_weekly_avg" <- "hrvWeeklyAverage";
    "stress_history_factor_percent" <- "stressHistoryFactorPercent";
    "stress_history_feedback" <- "stressHistoryFactorFeedback";
    "sleep_history_factor_percent" <- "sleepHistoryFactorPercent";
    "sleep_history_feedback" <- "sleepHistoryFactorFeedback";
};

/// The keys are garmin_mcp's; the values come from the keys that Garmin actually uses.
const MORNING: &[Field] = fields! {
    "readiness_score" <- "score" | "readinessScore";
    "readiness_level" <- "level" | "readinessLevel";
    "recovery_time_hours" <- hours_or_zero "recoveryTime";
    "hrv_status" <- "hrvStatus" | "hrvFactorFeedback";
    "sleep_quality" <- "sleepQuality" | "sleepScoreFactorFeedback";
    "sleep_score" <- "sleepScore";
    "resting_heart_rate_bpm" <- "restingHeartRate";
    "hrv_baseline" <- "hrvBaseline";
    "hrv_weekly_avg" <- "hrvWeeklyAverage";
    "hrv_last_night" <- "hrvLastNight";
    "body_battery_percent" <- "bodyBattery";
    "stress_level" <- "stressLevel";
    "training_load_balance" <- "trainingLoadBalance" | "acwrFactorFeedback";
    "acute_load" <- "acuteLoad";
    "chronic_load" <- "chronicLoad";
};

pub(super) fn all(_: &ToolCall, entries: &Value) -> Result<ToolAnswer, AnswerError> {
    Ok(ToolAnswer::Json(pick_each(READINESS, entries, "")?.into()))
}

/// The entry made after waking up, or the newest one if there is none.
pub(super) fn morning(call: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let woke_up = |entry: &&Value| entry.get("inputContext") == Some(&json!("AFTER_WAKEUP_RESET"));
    let entry = match document {
        Value::Object(_) => document,
        entries => {
            let entries = list(entries, "")?;
            let Some(entry) = entries.iter().find(woke_up).or(newest(entries, "timestampLocal")) else {
                return Ok(ToolAnswer::Nothing);
            };
            entry
        }
    };
    let mut told = Map::new();
    told.insert("date".to_owned(), json!(call.text("date")));
    told.extend(pick(MORNING, entry)?);
    Ok(ToolAnswer::Json(Value::Object(told)))
}
