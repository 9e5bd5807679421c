//! The sleep of the night before a day.

use serde_json::Value;

use crate::tools::call::ToolCall;
use crate::tools::fields::{Field, fields, pick};
use crate::tools::json::rounded;
use crate::tools::table::{AnswerError, ToolAnswer};

/// Garmin has several spellings of SpO2 and has moved the resting heart rate out of `dailySleepDTO`, so the fields list
/// every known path.
const SLEEP: &[Field] = fields! {
    "sleep_seconds" <- "dailySleepDTO.sleepTimeSeconds";
    "nap_seconds" <- "dailySleepDTO.napTimeSeconds";
    "sleep_start" <- "dailySleepDTO.sleepStartTimestampGMT";
    "sleep_end" <- "dailySleepDTO.sleepEndTimestampGMT";
    "sleep_start_local" <- local_time "dailySleepDTO.sleepStartTimestampGMT" | "dailySleepDTO.sleepStartTimestampLocal";
    "sleep_end_local" <- local_time "dailySleepDTO.sleepEndTimestampGMT" | "dailySleepDTO.sleepEndTimestampLocal";
    "sleep_score" <- "dailySleepDTO.sleepScores.overall.value";
    "sleep_score_qualifier" <- "dailySleepDTO.sleepScores.overall.qualifierKey";
    "deep_sleep_seconds" <- "dailySleepDTO.deepSleepSeconds";
    "light_sleep_seconds" <- "dailySleepDTO.lightSleepSeconds";
    "rem_sleep_seconds" <- "dailySleepDTO.remSleepSeconds";
    "awake_seconds" <- "dailySleepDTO.awakeSleepSeconds";
    "awake_count" <- "dailySleepDTO.awakeCount";
    "restless_moments_count" <- "dailySleepDTO.restlessMomentsCount" | "restlessMomentsCount";
    "avg_sleep_stress" <- "dailySleepDTO.avgSleepStress";
    "resting_heart_rate_bpm" <- "dailySleepDTO.restingHeartRate" | "restingHeartRate";
    "avg_spo2_percent" <- "wellnessSpO2SleepSummaryDTO.averageSPO2" | "wellnessSpO2SleepSummaryDTO.averageSpo2"
        | "dailySleepDTO.averageSpO2Value";
    "lowest_spo2_percent" <- "wellnessSpO2SleepSummaryDTO.lowestSPO2" | "wellnessSpO2SleepSummaryDTO.lowestSpo2"
        | "dailySleepDTO.lowestSpO2Value";
    "avg_overnight_hrv" <- "avgOvernightHrv";
};

pub(super) fn sleep(_: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let mut told = pick(SLEEP, document)?;
    let number = |key: &str| {
        told.get(key)
            .and_then(Value::as_f64)
            .filter(|number| *number > 0.0)
    };
    let Some(slept) = number("sleep_seconds") else {
        // Without a recorded night the document still has a resting heart rate, which is not enough for an answer.
        let something = told.contains_key("sleep_start") || number("nap_seconds").is_some();
        return Ok(if something {
            ToolAnswer::object(told)
        } else {
            ToolAnswer::Nothing
        });
    };
    let share = |stage: &str| {
        let seconds = told.get(&format!("{stage}_sleep_seconds"))?.as_f64()?;
        Some((
            format!("{stage}_sleep_percent"),
            rounded(seconds / slept * 100.0, 1),
        ))
    };
    let shares: Vec<_> = ["deep", "light", "rem"].into_iter().filter_map(share).collect();
    told.extend(shares);
    told.insert("sleep_hours".to_owned(), rounded(slept / 3600.0, 2));
    Ok(ToolAnswer::object(told))
}
