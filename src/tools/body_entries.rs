//! Entries by hand: weigh-ins, body composition, blood pressure, hydration, activities, and the reload of a day.

mod weight_file;

use http::Method;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::answer::AnswerError;
use super::call::ToolCall;
use super::change::{
    ChangeBody, ChangePlan, ChangeStep, ChangedPart, GarminChange, PlannedChange, Sight, call_of, check_name,
    must_read, read,
};
use super::fields::{at, list};
use super::garmin_get::GarminGet;
use super::parameter::{DefaultValue, Parameter};
use super::table::{Effect, Tool};
use weight_file::weight_file;

const ADD: Effect = Effect::Change { idempotent: false };
const DAYVIEW: &str = "/weight-service/weight/dayview/{day}?includeAll=true";
const WEIGHT: Parameter = Parameter::number("weight", "The weight, in the unit of unit_key", (1.0, 1_500.0));
const UNIT: Parameter = Parameter::one_of(
    "unit_key",
    "The unit of the weight (default kg)",
    &["kg", "lbs"],
    "kg",
);
const ACTIVITY: &str = "/activity-service/activity/{activity_id}";

/// An optional figure of a body composition.
const fn figure(name: &'static str, about: &'static str, most: f64) -> Parameter {
    Parameter::number(name, about, (0.0, most)).optional()
}

pub(super) const TOOLS: &[Tool] = &[
    Tool::change(
        "add_weigh_in",
        "Add a weigh-in of now.",
        &[WEIGHT, UNIT],
        ADD,
        |call, answers| weigh_in(call, answers, &["success", ""]),
        "Error adding weight measurement",
    ),
    Tool::change(
        "add_weigh_in_with_timestamps",
        "Add a weigh-in of a given time; without both times, of now.",
        &[
            WEIGHT,
            UNIT,
            Parameter::required_text("date_timestamp", "The local time, such as 2026-01-08T07:30:00")
                .optional(),
            Parameter::required_text(
                "gmt_timestamp",
                "The same time in UTC, such as 2026-01-08T06:30:00",
            )
            .optional(),
        ],
        ADD,
        |call, answers| weigh_in(call, answers, &["success", "times"]),
        "Error adding weight measurement with timestamps",
    ),
    Tool::change(
        "delete_weigh_ins",
        "Delete the weigh-ins of a day, or one of them by its sample_pk.",
        &[
            Parameter::day("date", "The day: YYYY-MM-DD, today, yesterday or -7d"),
            Parameter::flag_on(
                "delete_all",
                "Whether to delete several weigh-ins of the day (default true)",
            ),
            Parameter::id("sample_pk", "Only the weigh-in with this sample_pk").optional(),
        ],
        Effect::Delete,
        delete_weigh_ins,
        "Error deleting weight measurements",
    ),
    Tool::change(
        "add_body_composition",
        "Add a weight with body composition, as a scale would.",
        &[
            Parameter::day("date", "The day: YYYY-MM-DD, today, yesterday or -7d"),
            Parameter::number("weight", "The weight in kg", (1.0, 650.0)),
            figure("percent_fat", "Body fat in percent", 100.0),
            figure("percent_hydration", "Body water in percent", 100.0),
            figure("visceral_fat_mass", "Visceral fat in kg", 600.0),
            figure("bone_mass", "Bones in kg", 600.0),
            figure("muscle_mass", "Muscles in kg", 600.0),
            figure("basal_met", "Basal metabolism in kcal a day", 16_000.0),
            figure("active_met", "Active metabolism in kcal a day", 16_000.0),
            Parameter::integer("physique_rating", "Physique from 1 to 9", (0, 254)).optional(),
            figure("metabolic_age", "Metabolic age in years", 254.0),
            Parameter::integer("visceral_fat_rating", "Visceral fat from 1 to 59", (0, 254)).optional(),
            figure("bmi", "Body mass index", 6_500.0),
        ],
        ADD,
        body_composition,
        "Error adding body composition data",
    ),
    Tool::change(
        "set_blood_pressure",
        "Add a blood pressure reading of now.",
        &[
            Parameter::integer("systolic", "The upper value in mmHg", (70, 260)),
            Parameter::integer("diastolic", "The lower value in mmHg", (40, 150)),
            Parameter::integer("pulse", "The pulse in beats a minute", (20, 250)),
            Parameter::required_text("notes", "A note about the reading").optional(),
        ],
        ADD,
        blood_pressure,
        "Error setting blood pressure values",
    ),
    Tool::change(
        "add_hydration_data",
        "Add what was drunk; a negative amount takes some away.",
        &[
            Parameter::integer("value_in_ml", "The amount in millilitres", (-10_000, 10_000)),
            Parameter::day("cdate", "The day: YYYY-MM-DD, today, yesterday or -7d"),
            Parameter::required_text(
                "timestamp",
                "The local time on that day, such as 2026-01-08T09:15:00",
            ),
        ],
        ADD,
        hydration,
        "Error adding hydration data",
    ),
    Tool::change(
        "request_reload",
        "Ask Garmin to load a day again that was moved to its archive. The data appears some minutes later.",
        &[Parameter::day(
            "date",
            "The day: YYYY-MM-DD, today, yesterday or -7d",
        )],
        Effect::Change { idempotent: true },
        |call, _| {
            let change = GarminChange::new(
                Method::POST,
                call.get("/wellness-service/wellness/epoch/request/{date}").path,
            );
            let change = PlannedChange::new(change, &json!({}));
            ChangeStep::one(
                change
                    .changes(Value::Null, json!({"requests_reload_of": call.text("date")}))
                    .tells(|landed| landed.response.clone())
                    .undo(|_| json!("nothing to take back: only the loading was asked for")),
            )
        },
        "Error requesting data reload",
    ),
    Tool::change(
        "create_manual_activity",
        "Create an activity that no device recorded.",
        &[
            Parameter::required_text(
                "type_key",
                "The type, such as running; get_activity_types lists them",
            ),
            Parameter::day("date", "The day: YYYY-MM-DD, today, yesterday or -7d"),
            Parameter::integer("duration_minutes", "The duration in minutes", (1, 100_000)),
            Parameter::text(
                "start_time",
                "The local time of the start as HH:MM (default 09:00)",
                "09:00",
            ),
            Parameter::text("activity_name", "The name; empty: named after the type", ""),
            Parameter::number(
                "distance_km",
                "The distance in kilometres (default 0)",
                (0.0, 100_000.0),
            )
            .or(DefaultValue::Number(0.0)),
            Parameter::text(
                "time_zone",
                "The time zone of the start, such as Europe/Vienna (default UTC)",
                "UTC",
            ),
        ],
        ADD,
        manual_activity,
        "Error creating manual activity",
    ),
    Tool::change(
        "delete_activity",
        "Delete an activity with all its data. This can't be undone.",
        &[
            Parameter::id(
                "activity_id",
                "The activity's id, from one of the lists of activities",
            ),
            Parameter::required_text(
                "activity_name",
                "The activity's name, which must match; it guards against a wrong id",
            ),
        ],
        Effect::Delete,
        delete_activity,
        "Error deleting activity",
    ),
];

/// Garmin's notation of a time without offset.
fn milliseconds(time: DateTime) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3f").to_string()
}

/// The local time and UTC of now.
fn now(call: &ToolCall) -> (DateTime, DateTime) {
    let utc = call.now.timestamp().to_zoned(TimeZone::UTC).datetime();
    (call.now.datetime(), utc)
}

fn time(text: &str, name: &str) -> Result<DateTime, AnswerError> {
    let text = text.trim();
    let utc = text
        .parse::<Timestamp>()
        .map(|time| time.to_zoned(TimeZone::UTC).datetime());
    utc.or_else(|_| text.parse::<DateTime>()).map_err(|_| {
        AnswerError::Argument(format!(
            "{name} must be a time such as 2026-01-08T07:30:00, not {text:?}"
        ))
    })
}

fn day_of_weight(day: Date) -> GarminGet {
    GarminGet::of(DAYVIEW, |_| day.to_string())
}

fn grams(weight: f64, unit: &str) -> f64 {
    if unit == "lbs" {
        weight * 453.592_37
    } else {
        weight * 1_000.0
    }
}

/// The weigh-ins of a day: id and weight.
fn weighings(document: &Value) -> Vec<(Value, f64)> {
    let list = at(document, "dateWeightList").and_then(Value::as_array);
    let entry = |item: &Value| Some((item.get("samplePk")?.clone(), item.get("weight")?.as_f64()?));
    list.into_iter().flatten().filter_map(entry).collect()
}

fn weigh_in(call: &ToolCall, answers: &[&Value], form: &[&str; 2]) -> Result<ChangeStep, AnswerError> {
    let given = (call.text("date_timestamp"), call.text("gmt_timestamp"));
    let (local, gmt) = if given.0.is_empty() || given.1.is_empty() {
        now(call)
    } else {
        (
            time(&given.0, "date_timestamp")?,
            time(&given.1, "gmt_timestamp")?,
        )
    };
    let [of_day, ..] = answers else {
        return ChangeStep::get(day_of_weight(local.date()).optional());
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
    // Without the weigh-ins before, an equal one can't be told from the new one.
    let is_known = read(of_day).is_some();
    let before = read(of_day).map_or(json!("unknown"), |day| {
        let kg = weighings(day)
            .into_iter()
            .map(|(_, grams)| super::json::rounded(grams / 1_000.0, 2));
        json!({"weigh_ins_of_the_day_kg": kg.collect::<Vec<_>>()})
    });
    let date = local.date().to_string();
    ChangeStep::one(
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
            Some(id) => call_of("delete_weigh_ins", json!({"date": date, "sample_pk": id})),
            None => json!("delete_weigh_ins with the sample_pk of the new weigh-in"),
        }),
    )
}

fn delete_weigh_ins(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let date = call.day("date").unwrap_or(call.today);
    let [of_day, ..] = answers else {
        return ChangeStep::get(day_of_weight(date).optional());
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
        weighings.clear();
    }
    let parts = weighings.into_iter().map(|item| {
        let id = item.get("samplePk").cloned().unwrap_or_default();
        let kg = item.get("weight").and_then(Value::as_f64).map(|grams| super::json::rounded(grams / 1_000.0, 2));
        let moment = |name: &str| {
            let ms = item.get(name).and_then(Value::as_i64)?;
            let time = Timestamp::from_millisecond(ms).ok()?.to_zoned(TimeZone::UTC).datetime();
            Some(time.strftime("%Y-%m-%dT%H:%M:%S").to_string())
        };
        let again = json!({
            "weight": kg, "unit_key": "kg", "date_timestamp": moment("date"), "gmt_timestamp": moment("timestampGMT"),
        });
        let request = GarminChange::new(Method::DELETE, format!("/weight-service/weight/{date}/byversion/{id}"));
        PlannedChange::new(request, &json!({"sample_pk": id}))
            .changes(json!({"weight_kg": kg}), Value::Null)
            .look(day_of_weight(date), "get_daily_weigh_ins", move |day| {
                self::weighings(day).iter().all(|(other, _)| *other != id).into()
            })
            .undo(move |_| call_of("add_weigh_in_with_timestamps", again.clone()))
            .part()
    });
    ChangeStep::many(parts.collect(), |call, parts: Vec<ChangedPart>| {
        let deleted = parts.iter().filter(|part| part.state.is_good()).count();
        let (date, all) = (call.text("date"), deleted == parts.len());
        let deletions: Vec<Value> = parts.into_iter().map(|part| part.members.into()).collect();
        json!({
            "status": if all { "success" } else { "failed" },
            "date": date,
            "deleted_count": deleted,
            "message": if all {
                format!("Weight measurements deleted for {date}")
            } else {
                format!("{deleted} of {} weigh-ins deleted for {date}", deletions.len())
            },
            "deleted": deletions,
        })
    })
}

fn body_composition(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let date = call.day("date").unwrap_or(call.today);
    let [of_day, ..] = answers else {
        return ChangeStep::get(day_of_weight(date).optional());
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
    ChangeStep::one(
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
                Some(id) => call_of("delete_weigh_ins", json!({"date": text_date, "sample_pk": id})),
                None => json!("delete_weigh_ins with the sample_pk of the new weigh-in, once get_daily_weigh_ins shows it"),
            }),
    )
}

fn blood_pressure(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let (local, gmt) = now(call);
    let day = local.date().to_string();
    let get = GarminGet::of(
        "/bloodpressure-service/bloodpressure/range/{day}/{day}?includeAll=true",
        |_| day.clone(),
    );
    let [of_day, ..] = answers else {
        return ChangeStep::get(get.optional());
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
    let [(_, systolic), (_, diastolic), (_, pulse)] = values;
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
    ChangeStep::one(
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
        .undo(|_| json!("no tool deletes a reading: Garmin Connect does, under Health Stats, Blood Pressure")),
    )
}

fn hydration(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let (date, amount) = (call.text("cdate"), call.whole("value_in_ml"));
    let time = time(&call.text("timestamp"), "timestamp")?;
    if time.date().to_string() != date {
        let text = format!("timestamp ({}) is not on the day of cdate ({date})", time.date());
        return Err(AnswerError::Argument(text));
    }
    let get = call.get("/usersummary-service/usersummary/hydration/daily/{cdate}");
    let [of_day, ..] = answers else {
        return ChangeStep::get(get.optional());
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
    ChangeStep::one(
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
        .undo(move |_| call_of("add_hydration_data", back.clone())),
    )
}

fn manual_activity(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let start: DateTime = format!("{}T{}", call.text("date"), call.text("start_time").trim())
        .parse()
        .map_err(|_| AnswerError::Argument("start_time must be HH:MM, such as 09:00".to_owned()))?;
    if TimeZone::get(&call.text("time_zone")).is_err() {
        let text = format!(
            "time_zone {:?} is unknown: give one such as Europe/Vienna or UTC",
            call.text("time_zone")
        );
        return Err(AnswerError::Argument(text));
    }
    let get = call.get(
        "/activitylist-service/activities/search/activities?startDate={date}&endDate={date}&start=0&limit=100",
    );
    let [of_day, ..] = answers else {
        return ChangeStep::get(get.optional());
    };
    let type_key = call.text("type_key").trim().to_owned();
    if type_key.is_empty() {
        return Err(AnswerError::Argument("type_key is required".to_owned()));
    }
    let name = match call.text("activity_name").trim() {
        "" => title_case(&type_key),
        name => name.to_owned(),
    };
    let km = call
        .number("distance_km")
        .and_then(|km| km.as_f64())
        .unwrap_or_default();
    let body = json!({
        "activityTypeDTO": {"typeKey": type_key},
        "accessControlRuleDTO": {"typeId": 2, "typeKey": "private"},
        "timeZoneUnitDTO": {"unitKey": call.text("time_zone")},
        "activityName": name,
        "metadataDTO": {"autoCalcCalories": true},
        "summaryDTO": {
            "startTimeLocal": milliseconds(start),
            "distance": km * 1_000.0,
            "duration": call.whole("duration_minutes") * 60,
        },
    });
    let id_of = |item: &Value| item.get("activityId").cloned();
    let is_known = read(of_day).is_some();
    let earlier: Vec<Value> = of_day
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(id_of)
        .collect();
    let listed = start.strftime("%Y-%m-%d %H:%M:%S").to_string();
    let after = json!({"creates": {"activity_name": name, "type": type_key, "start_time_local": listed}});
    let seen_name = name.clone();
    ChangeStep::one(
        PlannedChange::new(
            GarminChange::json(Method::POST, "/activity-service/activity", body),
            &json!({"success": true}),
        )
        .changes(json!({"activities_of_the_day": earlier.len()}), after)
        .look(get, "get_activities_fordate", move |document| {
            let mut items = document.as_array().into_iter().flatten();
            let item = items.find(|item| {
                item.get("activityName").and_then(Value::as_str) == Some(&seen_name)
                    && item.get("startTimeLocal").and_then(Value::as_str) == Some(&listed)
                    && is_known
                    && id_of(item).is_none_or(|id| !earlier.contains(&id))
            });
            item.map_or(Sight::NotMade, |item| Sight::Made(id_of(item)))
        })
        .tells(|landed| {
            let activity = Some(landed.response).filter(|response| response.is_object());
            json!({"activity": activity.cloned().unwrap_or_else(|| json!({})), "activity_id": landed.id("activityId")})
        })
        .undo(move |landed| match landed.id("activityId") {
            Some(id) => call_of("delete_activity", json!({"activity_id": id, "activity_name": name})),
            None => json!("delete_activity with the new activity's id and name"),
        }),
    )
}

/// `trail_running` as `Trail Running`.
fn title_case(key: &str) -> String {
    let words = key.split(['_', ' ']).map(|word| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| {
                first
                    .to_uppercase()
                    .chain(letters.flat_map(char::to_lowercase))
                    .collect::<String>()
            })
            .unwrap_or_default()
    });
    words.collect::<Vec<_>>().join(" ")
}

fn delete_activity(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let [activity, ..] = answers else {
        return ChangeStep::get(call.get(ACTIVITY));
    };
    let name = at(activity, "activityName")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let id = call.whole("activity_id");
    check_name(
        &call.text("activity_name"),
        name,
        &format!("Activity {id}"),
        "activity_name",
    )?;
    let before = json!({
        "activity_name": name,
        "start_time_local": at(activity, "summaryDTO.startTimeLocal"),
        "type": at(activity, "activityTypeDTO.typeKey"),
    });
    let names = json!({"status": "success", "activity_id": id, "message": format!("Activity {id} deleted")});
    let change = PlannedChange::new(GarminChange::new(Method::DELETE, call.get(ACTIVITY).path), &names);
    let plan: ChangePlan = change
        .changes(before, Value::Null)
        .look(call.get(ACTIVITY), "get_activity", |activity| {
            activity.is_null().into()
        })
        .undo(|_| {
            json!("not possible: only the original file, uploaded again in Garmin Connect, brings it back")
        })
        .plan();
    Ok(ChangeStep::Plan(plan))
}
