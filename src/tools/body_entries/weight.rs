//! Weigh-ins, and body composition, which Garmin accepts only as a FIT file.

use http::Method;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::times::{milliseconds, moment};
use super::weight_file::weight_file;
use crate::tools::answer::AnswerError;
use crate::tools::call::ToolCall;
use crate::tools::change::{
    ChangeBody, ChangeStep, ChangedPart, GarminChange, PlannedChange, Sight, call_of, must_read, read,
};
use crate::tools::fields::{at, list};
use crate::tools::garmin_get::GarminGet;

pub(super) const DAYVIEW: &str = "/weight-service/weight/dayview/{day}?includeAll=true";

pub(super) fn day_of_weight(day: Date) -> GarminGet {
    GarminGet::of(DAYVIEW, |_| day.to_string())
}

pub(super) fn grams(weight: f64, unit: &str) -> f64 {
    if unit == "lbs" {
        weight * 453.592_37
    } else {
        weight * 1_000.0
    }
}

/// The weigh-ins of a day: id and weight.
pub(super) fn weighings(document: &Value) -> Vec<(Value, f64)> {
    let list = at(document, "dateWeightList").and_then(Value::as_array);
    let entry = |item: &Value| Some((item.get("samplePk")?.clone(), item.get("weight")?.as_f64()?));
    list.into_iter().flatten().filter_map(entry).collect()
}

pub(super) fn weigh_in(
    call: &ToolCall,
    answers: &[&Value],
    form: &[&str; 2],
) -> Result<ChangeStep, AnswerError> {
    let (local, gmt) = moment(call, "date_timestamp", "gmt_timestamp")?;
    let [of_day, ..] = answers else {
        return Ok(ChangeStep::get(day_of_weight(local.date()).optional()));
    };
    let (weight, unit) = (call.number("weight"), call.text("unit_key"));
    let grams = grams(
        weight
            .as_ref()
            .and_then(serde_json::Number::as_f64)
            .unwrap_or_default(),
        &unit,
    );
    let body = json!({
        "dateTimestamp": milliseconds(local),
        "gmtTimestamp": milliseconds(gmt),
        "unitKey": unit,
        "sourceType": "MANUAL",
        "value": weight,
    });
    let mut names = json!({"status": form[0], "weight": weight, "unit": unit, "message": "Weight measurement added successfully"});
    if let (true, Some(names)) = (form[1] == "times", names.as_object_mut()) {
        let seconds = |time: DateTime| json!(time.strftime("%Y-%m-%dT%H:%M:%S").to_string());
        names.insert("timestamp_local".to_owned(), seconds(local));
        names.insert("timestamp_gmt".to_owned(), seconds(gmt));
    }
    let earlier: Vec<Value> = read(of_day).map_or_else(Vec::new, |day| {
        weighings(day).into_iter().map(|(id, _)| id).collect()
    });
    // If the earlier weigh-ins are unknown, one with the same weight can't be told from the new one.
    let is_known = read(of_day).is_some();
    let before = read(of_day).map_or(json!("unknown"), |day| {
        let kg = weighings(day)
            .into_iter()
            .map(|(_, grams)| crate::tools::json::rounded(grams / 1_000.0, 2));
        json!({"weigh_ins_of_the_day_kg": kg.collect::<Vec<_>>()})
    });
    let date = local.date().to_string();
    Ok(ChangeStep::one(
        PlannedChange::new(
            GarminChange::json(Method::POST, "/weight-service/user-weight", body),
            &names,
        )
        .changes(
            before,
            json!({"adds": {"weight": weight, "unit": unit, "local_time": milliseconds(local)}}),
        )
        .look(day_of_weight(local.date()), "get_daily_weigh_ins", move |day| {
            let added = weighings(day)
                .into_iter()
                .find(|(id, weight)| is_known && (weight - grams).abs() < 10.0 && !earlier.contains(id));
            added.map_or(Sight::NotMade, |(id, _)| Sight::Made(Some(id)))
        })
        .undo(move |landed| match landed.seen {
            Some(id) => call_of("delete_weigh_ins", &json!({"date": date, "sample_pk": id})),
            None => json!("delete_weigh_ins with the sample_pk of the new weigh-in"),
        }),
    ))
}

pub(super) fn delete_weigh_ins(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let date = call.day("date").unwrap_or(call.today);
    let [of_day, ..] = answers else {
        return Ok(ChangeStep::get(day_of_weight(date).optional()));
    };
    let only = call.whole("sample_pk");
    let mut weighings = list(must_read(of_day, "The weigh-ins of the day")?, "dateWeightList")?.to_vec();
    if only > 0 {
        weighings.retain(|item| item.get("samplePk").and_then(Value::as_i64) == Some(only));
        if weighings.is_empty() {
            let text = format!("{date} has no weigh-in with sample_pk {only}. Nothing was deleted.");
            return Err(AnswerError::Argument(text));
        }
    } else if weighings.len() > 1 && !call.flag("delete_all") {
        return Err(AnswerError::Argument(several_weighings(date, &weighings)));
    }
    let parts = weighings.into_iter().map(|item| {
        let id = item.get("samplePk").cloned().unwrap_or_default();
        let kg = item.get("weight").and_then(Value::as_f64).map(|grams| crate::tools::json::rounded(grams / 1_000.0, 2));
        let seconds = |name: &str| {
            let ms = item.get(name).and_then(Value::as_i64)?;
            let time = Timestamp::from_millisecond(ms).ok()?.to_zoned(TimeZone::UTC).datetime();
            Some(time.strftime("%Y-%m-%dT%H:%M:%S").to_string())
        };
        let again = json!({
            "weight": kg, "unit_key": "kg", "date_timestamp": seconds("date"), "gmt_timestamp": seconds("timestampGMT"),
        });
        let request = GarminChange::new(Method::DELETE, format!("/weight-service/weight/{date}/byversion/{id}"));
        PlannedChange::new(request, &json!({"sample_pk": id}))
            .changes(json!({"weight_kg": kg}), Value::Null)
            .look(day_of_weight(date), "get_daily_weigh_ins", move |day| {
                self::weighings(day).iter().all(|(other, _)| *other != id).into()
            })
            .undo(move |_| call_of("add_weigh_in_with_timestamps", &again))
            .part()
    });
    Ok(ChangeStep::many(
        parts.collect(),
        |call, parts: Vec<ChangedPart>| {
            let deleted = parts.iter().filter(|part| part.state.is_good()).count();
            let (date, all) = (call.text("date"), deleted == parts.len());
            let parts_are_none = parts.is_empty();
            let deletions: Vec<Value> = parts.into_iter().map(|part| part.members.into()).collect();
            json!({
                "status": if all { "success" } else { "failed" },
                "date": date,
                "deleted_count": deleted,
                "message": if parts_are_none {
                    format!("No weigh-ins on {date}, so there was nothing to delete")
                } else if all {
                    format!("Weight measurements deleted for {date}")
                } else {
                    format!("{deleted} of {} weigh-ins deleted for {date}", deletions.len())
                },
                "deleted": deletions,
            })
        },
    ))
}

/// The error message for a call that does not say which of several weigh-ins to delete.
fn several_weighings(date: Date, weighings: &[Value]) -> String {
    let one = |item: &Value| {
        let kg = item.get("weight")?.as_f64()? / 1_000.0;
        Some(format!("{} for {kg:.1} kg", item.get("samplePk")?))
    };
    let each: Vec<String> = weighings.iter().filter_map(one).collect();
    format!(
        "{} weigh-ins on {date}: give sample_pk ({}) or delete_all: true. Nothing was deleted.",
        weighings.len(),
        each.join(", ")
    )
}

pub(super) fn body_composition(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let date = call.day("date").unwrap_or(call.today);
    let [of_day, ..] = answers else {
        return Ok(ChangeStep::get(day_of_weight(date).optional()));
    };
    let midnight = date
        .to_zoned(call.now.time_zone().clone())
        .map_err(|_| AnswerError::Argument(format!("{date} is not a day of this time zone")))?;
    let body = ChangeBody::File {
        name: "body_composition.fit".to_owned(),
        content_type: None,
        bytes: weight_file(
            call,
            midnight.timestamp().as_second(),
            call.now.timestamp().as_second(),
        ),
    };
    let grams = call
        .number("weight")
        .and_then(|weight| weight.as_f64())
        .unwrap_or_default()
        * 1_000.0;
    let earlier: Vec<Value> = read(of_day).map_or_else(Vec::new, |day| {
        weighings(day).into_iter().map(|(id, _)| id).collect()
    });
    let request = GarminChange {
        body: Some(body),
        ..GarminChange::new(Method::POST, "/upload-service/upload")
    };
    let is_known = read(of_day).is_some();
    let text_date = date.to_string();
    Ok(ChangeStep::one(
        PlannedChange::new(request, &json!({}))
            .changes(json!({"weigh_ins_of_the_day": earlier.len()}), json!({"adds": call.given_arguments()}))
            .look(day_of_weight(date), "get_daily_weigh_ins", move |day| {
                let added = weighings(day)
                    .into_iter()
                    .find(|(id, weight)| is_known && (weight - grams).abs() < 10.0 && !earlier.contains(id));
                added.map_or(Sight::NotMade, |(id, _)| Sight::Made(Some(id)))
            })
            .tells(|landed| landed.response.clone())
            .undo(move |landed| match landed.seen {
                Some(id) => call_of("delete_weigh_ins", &json!({"date": text_date, "sample_pk": id})),
                None => json!("delete_weigh_ins with the sample_pk of the new weigh-in, once get_daily_weigh_ins shows it"),
            }),
    ))
}
