//! Blood pressure readings, and the fluid intake of a day.

use http::Method;
use serde_json::{Value, json};

use super::times::{local_time, milliseconds, now};
use crate::tools::answer::AnswerError;
use crate::tools::call::ToolCall;
use crate::tools::change::{ChangeStep, GarminChange, PlannedChange, call_of, read};
use crate::tools::fields::at;
use crate::tools::garmin_get::GarminGet;

pub(super) fn blood_pressure(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let (systolic, diastolic) = (call.whole("systolic"), call.whole("diastolic"));
    if diastolic >= systolic {
        return Err(AnswerError::Argument(format!(
            "diastolic ({diastolic}) must be below systolic ({systolic}): are they swapped?"
        )));
    }
    let (local, gmt) = now(call);
    let day = local.date().to_string();
    let get = GarminGet::of(
        "/bloodpressure-service/bloodpressure/range/{day}/{day}?includeAll=true",
        |_| day.clone(),
    );
    let [of_day, ..] = answers else {
        return Ok(ChangeStep::get(get.optional()));
    };
    let values = ["systolic", "diastolic", "pulse"].map(|name| (name, call.whole(name)));
    let count = move |document: &Value| {
        let days = at(document, "measurementSummaries")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let readings = days
            .filter_map(|day| day.get("measurements")?.as_array())
            .flatten();
        readings
            .filter(|reading| {
                values
                    .iter()
                    .all(|(name, value)| reading.get(*name) == Some(&json!(value)))
            })
            .count()
    };
    let notes = Some(call.text("notes")).filter(|notes| !notes.is_empty());
    let [_, _, (_, pulse)] = values;
    let body = json!({
        "measurementTimestampLocal": milliseconds(local),
        "measurementTimestampGMT": milliseconds(gmt),
        "systolic": systolic,
        "diastolic": diastolic,
        "pulse": pulse,
        "sourceType": "MANUAL",
        "notes": notes,
    });
    let is_known = read(of_day).is_some();
    let earlier = read(of_day).map_or(0, count);
    Ok(ChangeStep::one(
        PlannedChange::new(
            GarminChange::json(Method::POST, "/bloodpressure-service/bloodpressure", body),
            &json!({}),
        )
        .changes(
            json!({"equal_readings_of_the_day": earlier}),
            json!({"adds": {"systolic": systolic, "diastolic": diastolic, "pulse": pulse, "local_time": milliseconds(local)}}),
        )
        .look(get, "get_blood_pressure", move |document| (is_known && count(document) > earlier).into())
        .tells(|landed| landed.response.clone())
        .undo(|_| json!("no tool deletes a reading; Garmin Connect can, under Health Stats, Blood Pressure")),
    ))
}

pub(super) fn hydration(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let (date, amount) = (call.text("cdate"), call.whole("value_in_ml"));
    let time = local_time(call, &call.text("timestamp"), "timestamp")?;
    if time.date().to_string() != date {
        let text = format!("timestamp ({}) is not on the day of cdate ({date})", time.date());
        return Err(AnswerError::Argument(text));
    }
    let get = call.get("/usersummary-service/usersummary/hydration/daily/{cdate}");
    let [of_day, ..] = answers else {
        return Ok(ChangeStep::get(get.optional()));
    };
    let drunk = |document: &Value| {
        at(document, "valueInML")
            .and_then(Value::as_f64)
            .unwrap_or_default()
    };
    let before = read(of_day).map(drunk);
    let after = before.map(|before| before + amount as f64);
    let body = json!({"calendarDate": date, "timestampLocal": milliseconds(time), "valueInML": amount});
    let back = json!({"value_in_ml": -amount, "cdate": date, "timestamp": call.text("timestamp")});
    Ok(ChangeStep::one(
        PlannedChange::new(
            GarminChange::json(
                Method::PUT,
                "/usersummary-service/usersummary/hydration/log",
                body,
            ),
            &json!({}),
        )
        .changes(
            before.map_or(json!("unknown"), |before| json!({"valueInML": before})),
            json!({"valueInML": after}),
        )
        .look(get, "get_hydration_data", move |document| {
            after
                .is_some_and(|after| (drunk(document) - after).abs() < 1.0)
                .into()
        })
        .tells(|landed| landed.response.clone())
        .undo(move |_| call_of("add_hydration_data", &back)),
    ))
}
