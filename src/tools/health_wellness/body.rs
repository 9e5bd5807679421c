//! Body composition, also as a part of the daily summary.

use serde_json::Value;

use crate::tools::call::ToolCall;
use crate::tools::fields::{Changed, at};
use crate::tools::garmin_get::GarminGet;
use crate::tools::json::is_empty;
use crate::tools::table::{AnswerError, ToolAnswer};

use super::days;

/// The range is a single day when `end_date` is omitted.
pub(super) fn composition_gets(call: &ToolCall) -> Vec<GarminGet> {
    let template = match call.day("end_date") {
        Some(_) => "/weight-service/weight/dateRange?startDate={start_date}&endDate={end_date}",
        None => "/weight-service/weight/dateRange?startDate={start_date}&endDate={start_date}",
    };
    vec![call.get(template)]
}

pub(super) fn composition(call: &ToolCall, answers: &[&Value]) -> ToolAnswer {
    match answers {
        [document, ..] if !is_empty(document) => ToolAnswer::AsSent,
        _ if call.day("end_date").is_none() => ToolAnswer::Nothing,
        _ => {
            ToolAnswer::Text(call.fill("No body composition data found between {start_date} and {end_date}"))
        }
    }
}

/// The daily summary, with the averages of the weigh-ins added. They take precedence over members of the same name.
pub(super) fn stats_and_body(_: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let [summary, composition, ..] = answers else {
        return Ok(ToolAnswer::Nothing);
    };
    let averages = at(composition, "totalAverage").filter(|averages| !is_empty(averages));
    let mut told = match days::open(summary)? {
        Value::Object(members) => members.clone(),
        nothing if is_empty(nothing) => serde_json::Map::new(),
        _ => {
            return Err(Changed {
                path: "$".to_owned(),
                expected: "an object",
            }
            .into());
        }
    };
    match averages {
        None => {}
        Some(Value::Object(averages)) => told.extend(averages.clone()),
        Some(_) => {
            return Err(Changed {
                path: "$.totalAverage".to_owned(),
                expected: "an object",
            }
            .into());
        }
    }
    Ok(ToolAnswer::object(told))
}
