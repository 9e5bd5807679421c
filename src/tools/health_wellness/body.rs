//! Weight and body composition.

use serde_json::Value;

use crate::tools::call::{Call, Get};
use crate::tools::fields::{Changed, at};
use crate::tools::json::is_empty;
use crate::tools::table::{Told, Untold};

use super::days;

/// One day, when no last day is given.
pub(super) fn composition_gets(call: &Call) -> Vec<Get> {
    let template = match call.day("end_date") {
        Some(_) => "/weight-service/weight/dateRange?startDate={start_date}&endDate={end_date}",
        None => "/weight-service/weight/dateRange?startDate={start_date}&endDate={start_date}",
    };
    vec![call.get(template)]
}

#[expect(clippy::unnecessary_wraps, reason = "the form of all functions of the table")]
pub(super) fn composition(call: &Call, answers: &[&Value]) -> Result<Told, Untold> {
    match answers {
        [document, ..] if !is_empty(document) => Ok(Told::AsSent),
        _ if call.day("end_date").is_none() => Ok(Told::Nothing),
        _ => Ok(Told::Text(call.fill(
            "No body composition data found between {start_date} and {end_date}",
        ))),
    }
}

/// The daily summary, overlaid with the averages of the weighings.
pub(super) fn stats_and_body(_: &Call, answers: &[&Value]) -> Result<Told, Untold> {
    let [summary, composition, ..] = answers else {
        return Ok(Told::Nothing);
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
    Ok(Told::object(told))
}
