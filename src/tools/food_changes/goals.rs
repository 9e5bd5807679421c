//! The daily goals for calories and macronutrients.

use http::Method;
use serde_json::{Map, Value, json};

use crate::tools::answer::AnswerError;
use crate::tools::call::ToolCall;
use crate::tools::change::{ChangeStep, GarminChange, PlannedChange, call_of, read};

/// Parameters of the goals, and Garmin's keys.
pub(super) const GOALS: [(&str, &str); 4] = [
    ("calorie_goal", "activeDailyCalories"),
    ("carbs_grams", "activeDailyCarbohydrateGrams"),
    ("fat_grams", "activeDailyFatGrams"),
    ("protein_grams", "activeDailyProteinGrams"),
];

pub(super) fn set_goals(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let get = call.get("/nutrition-service/settings/{date}");
    let [old, ..] = answers else {
        return Ok(ChangeStep::get(get.optional()));
    };
    let date = call.text("date");
    let given = call.given_arguments();
    let given: Vec<(&str, Value)> = GOALS
        .into_iter()
        .filter_map(|(name, key)| Some((key, given.get(name)?.clone())))
        .collect();
    if given.is_empty() {
        let names = GOALS.map(|(name, _)| name).join(", ");
        return Err(AnswerError::Argument(format!(
            "No fields to update — supply at least one of {names}"
        )));
    }
    let old = read(old).and_then(Value::as_object).ok_or_else(|| {
        AnswerError::Argument(format!(
            "Could not read current nutrition settings for {date} — cannot apply update."
        ))
    })?;
    let mut new = old.clone();
    new.extend(given.into_iter().map(|(key, value)| (key.to_owned(), value)));
    let told = |document: &Map<String, Value>| -> Map<String, Value> {
        GOALS
            .into_iter()
            .map(|(name, key)| (name.to_owned(), json!(document.get(key))))
            .collect()
    };
    let (before, after) = (told(old), told(&new));
    let mut back = before.clone();
    back.insert("date".to_owned(), json!(date));
    let (wanted, sent) = (after.clone(), new.clone());
    let request = GarminChange::json(Method::PUT, get.path.clone(), Value::Object(new));
    Ok(ChangeStep::one(
        PlannedChange::new(request, &json!({"status": "updated", "date": date}))
            .changes(before.into(), after.into())
            .look(get, "get_nutrition_daily_settings", move |document| {
                (document.as_object().map(told).as_ref() == Some(&wanted)).into()
            })
            .tells(move |landed| {
                let document = landed
                    .response
                    .as_object()
                    .filter(|response| !response.is_empty());
                told(document.unwrap_or(&sent)).into()
            })
            .undo(move |_| call_of("set_nutrition_daily_settings", &Value::Object(back.clone()))),
    ))
}
