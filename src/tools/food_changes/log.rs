//! The food log: its entries belong to a meal of a day.

use http::Method;
use serde_json::{Value, json};

use super::custom_food::{
    NUTRIENTS, creation, food_id, food_name, foods, given, new_ids, or_message, serving,
};
use crate::tools::answer::AnswerError;
use crate::tools::call::ToolCall;
use crate::tools::change::{
    ChangeStep, GarminChange, Landed, PlannedChange, Sight, call_of, check_name, must_read, read,
};
use crate::tools::fields::at;
use crate::tools::garmin_get::GarminGet;

pub(super) const LOG: &str = "/nutrition-service/food/logs/{meal_date}";
pub(super) const MEALS: &str = "/nutrition-service/meals/{meal_date}";

/// Reads the meals of the day and the log, after `first` if that is given.
pub(super) fn entry_step(call: &ToolCall, first: Option<GarminGet>) -> Result<ChangeStep, AnswerError> {
    meal_time(call)?;
    let gets = [call.get(MEALS), call.get(LOG).optional()];
    Ok(ChangeStep::Read(first.into_iter().chain(gets).collect()))
}

pub(super) fn meal_time(call: &ToolCall) -> Result<String, AnswerError> {
    let text = call.text("meal_time").trim().to_owned();
    let is_time = text.len() == 8 && text.parse::<jiff::civil::Time>().is_ok();
    let is_short = text.len() == 5 && format!("{text}:00").parse::<jiff::civil::Time>().is_ok();
    match (is_time, is_short) {
        (true, _) => Ok(text),
        (_, true) => Ok(format!("{text}:00")),
        _ => Err(AnswerError::Argument(format!(
            "meal_time must be HH:MM:SS, such as 08:15:00, not {text:?}"
        ))),
    }
}

/// The meal of a time: the first whose hours include it, or else the snacks.
pub(super) fn meal_id(meals: &Value, time: &str) -> Result<Value, AnswerError> {
    let meals = at(meals, "meals")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let text = |meal: &Value, name: &str| meal.get(name).and_then(Value::as_str).map(str::to_owned);
    let includes = |meal: &&Value| {
        let hours = text(meal, "startTime").zip(text(meal, "endTime"));
        hours.is_some_and(|(start, end)| start.as_str() <= time && time <= end.as_str())
    };
    let snacks = || {
        meals
            .iter()
            .find(|meal| text(meal, "mealName").as_deref() == Some("SNACKS"))
    };
    let meal = meals.iter().find(includes).or_else(snacks);
    meal.and_then(|meal| meal.get("mealId")).cloned().ok_or_else(|| {
        AnswerError::Argument(format!(
            "could not match meal for time '{time}' and no SNACKS meal found."
        ))
    })
}

/// The entries of a day's log: the id, and the entry.
pub(super) fn logged(log: &Value) -> Vec<(String, Value)> {
    let meals = at(log, "mealDetails")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let entries = meals
        .filter_map(|meal| meal.get("loggedFoods")?.as_array())
        .flatten();
    entries
        .filter_map(|entry| Some((entry.get("logId")?.as_str()?.to_owned(), entry.clone())))
        .collect()
}

pub(super) fn entry_name(entry: &Value) -> String {
    let name = at(entry, "foodMetaData.foodName").or_else(|| at(entry, "name"));
    name.and_then(Value::as_str).unwrap_or_default().to_owned()
}

pub(super) fn log_timestamp(call: &ToolCall) -> String {
    call.now
        .timestamp()
        .strftime("%Y-%m-%dT%H:%M:%S.000Z")
        .to_string()
}

/// The change that adds an entry to the log, and how to see whether it was made.
pub(super) fn entry(call: &ToolCall, path: &str, body: Value, log: &Value, after: &Value) -> PlannedChange {
    let earlier: Vec<String> = logged(log).into_iter().map(|(id, _)| id).collect();
    let before = read(log).map_or(json!("unknown"), |_| json!({"entries_of_the_day": earlier.len()}));
    let date = call.text("meal_date");
    let is_known = read(log).is_some();
    PlannedChange::new(GarminChange::json(Method::PUT, path, body), &json!({}))
        .changes(before, json!({"adds": after}))
        .look(call.get(LOG), "get_nutrition_daily_food_log", move |log| {
            let new = logged(log)
                .into_iter()
                .find(|(id, _)| is_known && !earlier.contains(id));
            new.map_or(Sight::NotMade, |(id, entry)| {
                Sight::Made(Some(json!({"log_id": id, "food_name": entry_name(&entry)})))
            })
        })
        .tells(|landed| or_message(landed, "Food logged successfully."))
        .undo(move |landed| match landed.seen {
            Some(seen) => {
                let mut arguments = seen.as_object().cloned().unwrap_or_default();
                arguments.insert("meal_date".to_owned(), json!(date));
                call_of("delete_food_log", &Value::Object(arguments))
            }
            None => json!("delete_food_log with the logId that get_nutrition_daily_food_log shows"),
        })
}

pub(super) fn food_entry(
    call: &ToolCall,
    meals: &Value,
    log: &Value,
    [food, serving]: [String; 2],
    source: &str,
) -> Result<PlannedChange, AnswerError> {
    let time = meal_time(call)?;
    let after = json!({"food_id": food, "serving_id": serving, "serving_qty": call.number("serving_qty"), "meal_time": time});
    let item = json!({
        "logTimestamp": log_timestamp(call),
        "logSource": "GCW",
        "logCategory": "REGULAR_LOG",
        "mealTime": time,
        "action": "ADD",
        "mealId": meal_id(meals, &time)?,
        "foodId": food,
        "servingId": serving,
        "source": source,
        "regionCode": "US",
        "languageCode": "en",
        "servingQty": call.number("serving_qty"),
    });
    let body = json!({"mealDate": call.text("meal_date"), "foodLogItems": [item]});
    Ok(entry(call, "/nutrition-service/food/logs", body, log, &after))
}

pub(super) fn log_food(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let [meals, log, ..] = answers else {
        return entry_step(call, None);
    };
    let time = meal_time(call)?;
    let item = json!({
        "name": call.text("name"),
        "logId": null,
        "logTimestamp": log_timestamp(call),
        "logSource": "GCW",
        "logCategory": "QUICK_ADD",
        "mealTime": time,
        "mealId": meal_id(meals, &time)?,
        "action": "ADD",
        "calories": given(call, "calories"),
        "carbs": given(call, "carbs"),
        "protein": given(call, "protein"),
        "fat": given(call, "fat"),
    });
    let body = json!({"mealDate": call.text("meal_date"), "quickAddItems": [item]});
    let after = json!({"name": call.text("name"), "calories": call.number("calories"), "meal_time": time});
    Ok(ChangeStep::one(entry(
        call,
        "/nutrition-service/food/logs/quickAdd",
        body,
        log,
        &after,
    )))
}

pub(super) fn delete_food_log(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let [log, ..] = answers else {
        return Ok(ChangeStep::get(call.get(LOG).optional()));
    };
    let (id, date) = (call.text("log_id"), call.text("meal_date"));
    let entries = logged(must_read(log, "The food log")?);
    let Some((_, old)) = entries.into_iter().find(|(known, _)| *known == id) else {
        let text = format!("the food log of {date} has no entry {id:?}. Nothing was deleted.");
        return Err(AnswerError::Argument(text));
    };
    check_name(
        &call.text("food_name"),
        &entry_name(&old),
        &format!("Entry {id}"),
        "food_name",
    )?;
    let content = |name: &str| at(&old, &format!("nutritionContent.{name}")).cloned();
    let undo = match (at(&old, "foodMetaData.foodId"), content("servingId")) {
        (Some(food), Some(serving)) => call_of(
            "log_custom_food",
            &json!({
                "meal_date": date, "meal_time": at(&old, "mealTime"), "food_id": food, "serving_id": serving,
                "serving_qty": at(&old, "servingQty"), "source": at(&old, "foodMetaData.source"),
            }),
        ),
        _ => call_of(
            "log_food",
            &json!({
                "meal_date": date, "meal_time": at(&old, "mealTime"), "name": entry_name(&old),
                "calories": content("calories"), "carbs": content("carbs"),
                "protein": content("protein"), "fat": content("fat"),
            }),
        ),
    };
    let before = json!({"food_name": entry_name(&old), "calories": content("calories"), "meal_time": at(&old, "mealTime")});
    let message = format!("Food log entry {id} deleted successfully.");
    let request = GarminChange::json(Method::DELETE, call.get(LOG).path, json!({"logIds": [id]}));
    Ok(ChangeStep::one(
        PlannedChange::new(
            request,
            &json!({"status": "success", "log_id": id, "message": message}),
        )
        .changes(before, Value::Null)
        .look(call.get(LOG), "get_nutrition_daily_food_log", move |log| {
            logged(log).iter().all(|(known, _)| *known != id).into()
        })
        .undo(move |_| undo.clone()),
    ))
}

pub(super) fn upsert_and_log(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let search =
        "/nutrition-service/customFood?searchExpression={food_name}&start=0&limit=10&includeContent=true";
    let [listed, meals, log, ..] = answers else {
        return entry_step(call, Some(call.get(search).optional()));
    };
    let listed = must_read(listed, "The custom foods")?;
    let name = call.text("food_name");
    let known = foods(listed)
        .into_iter()
        .find(|food| food_name(food).to_lowercase() == name.trim().to_lowercase());
    let serving_id = |food: &Value| {
        serving(food, "")
            .get("servingId")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let ids = known
        .as_ref()
        .and_then(|food| Some([food_id(food).to_owned(), serving_id(food)?]));
    if let Some(ids) = ids {
        return Ok(ChangeStep::one(food_entry(call, meals, log, ids, "GARMIN")?));
    }
    // The meal must be known before a food is created.
    meal_id(meals, &meal_time(call)?)?;
    let (call_after, meals, log) = (call.clone(), (*meals).clone(), (*log).clone());
    let macros: Vec<(&str, &str)> = NUTRIENTS.into_iter().take(3).collect();
    let created = creation(call, listed, &macros);
    let mut after = created.after.clone();
    if let Some(after) = after.as_object_mut() {
        after.insert("logs_for".to_owned(), json!(call.text("meal_date")));
    }
    let before = created.before.clone();
    Ok(ChangeStep::one(created.changes(before, after).then(
        move |landed: &Landed<'_>| {
            let ids = new_ids(landed)
                .ok_or_else(|| format!("could not retrieve foodId/servingId for '{name}' after creation."))?;
            food_entry(&call_after, &meals, &log, ids, "GARMIN").map_err(|error| error.to_string())
        },
    )))
}
