//! Custom foods, the food log, and nutrition goals.
//!
//! Garmin takes the numbers of these requests as text.

use http::Method;
use serde_json::{Map, Number, Value, json};

use super::answer::AnswerError;
use super::call::ToolCall;
use super::change::{
    ChangeStep, GarminChange, Landed, PlannedChange, Sight, call_of, check_name, must_read, read,
};
use super::fields::at;
use super::garmin_get::GarminGet;
use super::parameter::{DefaultValue, Parameter};
use super::table::{Effect, Tool};

const ADD: Effect = Effect::Change { idempotent: false };
const SET: Effect = Effect::Change { idempotent: true };
const CUSTOM_FOOD: &str = "/nutrition-service/customFood";
const SEARCH: &str =
    "/nutrition-service/customFood?searchExpression={food_name}&start=0&limit=20&includeContent=true";
const LOG: &str = "/nutrition-service/food/logs/{meal_date}";
const MEALS: &str = "/nutrition-service/meals/{meal_date}";

/// The optional figures of a food: parameter and Garmin's key.
const NUTRIENTS: [(&str, &str); 13] = [
    ("carbs", "carbs"),
    ("protein", "protein"),
    ("fat", "fat"),
    ("fiber", "fiber"),
    ("sugar", "sugar"),
    ("saturated_fat", "saturatedFat"),
    ("sodium", "sodium"),
    ("cholesterol", "cholesterol"),
    ("potassium", "potassium"),
    ("trans_fat", "transFat"),
    ("calcium", "calcium"),
    ("iron", "iron"),
    ("vitamin_d", "vitaminD"),
];

const fn amount(name: &'static str, about: &'static str) -> Parameter {
    Parameter::number(name, about, (0.0, 100_000.0))
}

const FOOD_NAME: Parameter = Parameter::required_text("food_name", "The food's name");
const CALORIES: Parameter = amount("calories", "Kilocalories of one serving");
const UNIT: Parameter = Parameter::text(
    "serving_unit",
    "The unit of a serving, from get_custom_food_serving_units (default G)",
    "G",
);
const UNITS: Parameter =
    amount("number_of_units", "How many units a serving has (default 100)").or(DefaultValue::Number(100.0));
const MEAL_DATE: Parameter =
    Parameter::day("meal_date", "The day: YYYY-MM-DD, today, yesterday or -7d").may_be_future();
const MEAL_TIME: Parameter =
    Parameter::required_text("meal_time", "The local time as HH:MM:SS, such as 08:15:00");
const QUANTITY: Parameter =
    amount("serving_qty", "How many servings (default 1)").or(DefaultValue::Number(1.0));

/// The parameters of a food, after those that identify it.
macro_rules! food_parameters {
    ($($first:expr),*) => {
        &[
            $($first,)*
            FOOD_NAME,
            CALORIES,
            UNIT,
            UNITS,
            Parameter::required_text("brand_name", "The brand of the food").optional(),
            amount("carbs", "Carbohydrates in grams").optional(),
            amount("protein", "Protein in grams").optional(),
            amount("fat", "Fat in grams").optional(),
            amount("fiber", "Fibre in grams").optional(),
            amount("sugar", "Sugar in grams").optional(),
            amount("saturated_fat", "Saturated fat in grams").optional(),
            amount("sodium", "Sodium in milligrams").optional(),
            amount("cholesterol", "Cholesterol in milligrams").optional(),
            amount("potassium", "Potassium in milligrams").optional(),
            amount("trans_fat", "Trans fat in grams").optional(),
            amount("calcium", "Calcium in milligrams").optional(),
            amount("iron", "Iron in milligrams").optional(),
            amount("vitamin_d", "Vitamin D in micrograms").optional(),
        ]
    };
}

pub(super) const TOOLS: &[Tool] = &[
    Tool::change(
        "create_custom_food",
        "Create a custom food with its nutrients for one serving.",
        food_parameters!(),
        ADD,
        |call, answers| match answers {
            [] => ChangeStep::get(call.get(SEARCH).optional()),
            [foods, ..] => ChangeStep::one(creation(call, foods, &NUTRIENTS)),
        },
        "Error creating custom food",
    ),
    Tool::change(
        "update_custom_food",
        "Change a custom food. Nutrients that are not given stay as they are.",
        food_parameters!(
            Parameter::required_text("food_id", "The food's id, from get_custom_foods"),
            Parameter::required_text("serving_id", "The serving's id, from get_custom_foods")
        ),
        SET,
        update_custom_food,
        "Error updating custom food",
    ),
    Tool::change(
        "delete_custom_food",
        "Delete a custom food.",
        &[
            Parameter::required_text("food_id", "The food's id, from get_custom_foods"),
            Parameter::text(
                "food_name",
                "The food's name, which must match; it guards against a wrong id",
                "",
            ),
        ],
        Effect::Delete,
        delete_custom_food,
        "Error deleting custom food",
    ),
    Tool::change(
        "log_custom_food",
        "Log a custom food or one from search_foods as eaten.",
        &[
            MEAL_DATE,
            MEAL_TIME,
            Parameter::required_text("food_id", "The food's id"),
            Parameter::required_text("serving_id", "The serving's id"),
            QUANTITY,
            Parameter::text(
                "source",
                "The food's source, from search_foods (default GARMIN)",
                "GARMIN",
            ),
        ],
        ADD,
        |call, answers| match answers {
            [meals, log, ..] => {
                let ids = [call.text("food_id"), call.text("serving_id")];
                ChangeStep::one(food_entry(call, meals, log, ids, &call.text("source"))?)
            }
            _ => entry_step(call, None),
        },
        "Error logging food",
    ),
    Tool::change(
        "log_food",
        "Log something eaten by its calories and nutrients, without a food of its own.",
        &[
            MEAL_DATE,
            MEAL_TIME,
            Parameter::required_text("name", "What was eaten"),
            amount("calories", "Kilocalories"),
            amount("carbs", "Carbohydrates in grams"),
            amount("protein", "Protein in grams"),
            amount("fat", "Fat in grams"),
        ],
        ADD,
        log_food,
        "Error logging food",
    ),
    Tool::change(
        "delete_food_log",
        "Delete an entry of the food log.",
        &[
            Parameter::required_text("log_id", "The entry's logId, from get_nutrition_daily_food_log"),
            MEAL_DATE,
            Parameter::text(
                "food_name",
                "The name of the food, which must match; it guards against a wrong id",
                "",
            ),
        ],
        Effect::Delete,
        delete_food_log,
        "Error deleting food log",
    ),
    Tool::change(
        "upsert_and_log",
        "Log a custom food by its name; it is created first if there is none.",
        &[
            MEAL_DATE,
            MEAL_TIME,
            FOOD_NAME,
            CALORIES,
            amount("carbs", "Carbohydrates in g, for a new food").optional(),
            amount("protein", "Protein in g, for a new food").optional(),
            amount("fat", "Fat in g, for a new food").optional(),
            UNIT,
            UNITS,
            QUANTITY,
        ],
        ADD,
        upsert_and_log,
        "Error in upsert_and_log",
    ),
    Tool::change(
        "set_nutrition_daily_settings",
        "Set the daily goals of calories and macronutrients.",
        &[
            Parameter::day("date", "The day: YYYY-MM-DD or today").may_be_future(),
            Parameter::integer("calorie_goal", "Kilocalories a day", (0, 20_000)).optional(),
            Parameter::integer("carbs_grams", "Carbohydrates in g a day", (0, 5_000)).optional(),
            Parameter::integer("fat_grams", "Fat in g a day", (0, 5_000)).optional(),
            Parameter::integer("protein_grams", "Protein in g a day", (0, 5_000)).optional(),
        ],
        SET,
        set_goals,
        "Error updating nutrition settings",
    ),
];

/// A number as Garmin takes it: `160`, `2.5`.
fn as_text(number: &Number) -> String {
    number
        .as_f64()
        .map_or_else(|| number.to_string(), |number| number.to_string())
}

fn given(call: &ToolCall, name: &str) -> Option<Value> {
    call.number(name).map(|number| json!(as_text(&number)))
}

fn foods(document: &Value) -> Vec<Value> {
    at(document, "customFoods")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

fn food_id(food: &Value) -> &str {
    at(food, "foodMetaData.foodId")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn food_name(food: &Value) -> &str {
    at(food, "foodMetaData.foodName")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The first serving of a food, or the one with an id.
fn serving<'a>(food: &'a Value, id: &str) -> &'a Value {
    let servings = at(food, "nutritionContents")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let mut matching =
        servings.filter(|serving| id.is_empty() || serving.get("servingId") == Some(&json!(id)));
    matching.next().unwrap_or(&Value::Null)
}

/// Garmin's document of the food that a call describes.
fn food(call: &ToolCall, nutrients: &[(&str, &str)]) -> Value {
    let mut content = Map::from_iter([
        ("servingUnit".to_owned(), json!(call.text("serving_unit"))),
        ("numberOfUnits".to_owned(), json!(given(call, "number_of_units"))),
        ("calories".to_owned(), json!(given(call, "calories"))),
    ]);
    for (parameter, key) in nutrients {
        if let Some(value) = given(call, parameter) {
            content.insert((*key).to_owned(), value);
        }
    }
    let mut about = Map::from_iter([
        ("foodName".to_owned(), json!(call.text("food_name"))),
        ("foodType".to_owned(), json!("GENERIC")),
        ("source".to_owned(), json!("GARMIN")),
        ("regionCode".to_owned(), json!("US")),
        ("languageCode".to_owned(), json!("en")),
    ]);
    let brand = call.given_arguments().get("brand_name").cloned();
    if let Some(brand) = brand {
        about.insert("brandName".to_owned(), brand);
    }
    json!({"foodMetaData": about, "nutritionContents": [content]})
}

/// The arguments that describe a food, as an undo needs them.
fn arguments_of(food: &Value, serving: &Value) -> Map<String, Value> {
    let number = |value: &Value| {
        value
            .as_f64()
            .or_else(|| value.as_str()?.parse().ok())
            .map(Value::from)
    };
    let mut arguments = Map::from_iter([
        ("food_name".to_owned(), json!(food_name(food))),
        (
            "calories".to_owned(),
            json!(serving.get("calories").and_then(number)),
        ),
        ("serving_unit".to_owned(), json!(serving.get("servingUnit"))),
        (
            "number_of_units".to_owned(),
            json!(serving.get("numberOfUnits").and_then(number)),
        ),
        ("brand_name".to_owned(), json!(at(food, "foodMetaData.brandName"))),
    ]);
    for (parameter, key) in NUTRIENTS {
        arguments.insert(parameter.to_owned(), json!(serving.get(key).and_then(number)));
    }
    arguments
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .collect()
}

/// The ids that Garmin gave a new food: those of its response, or else of the list afterwards.
fn new_ids(landed: &Landed<'_>) -> Option<[String; 2]> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let told = at(landed.response, "foodMetaData.foodId").and_then(text);
    let told = told.zip(serving(landed.response, "").get("servingId").and_then(text));
    let seen = || {
        let seen = landed.seen?;
        seen.get("food_id")
            .and_then(text)
            .zip(seen.get("serving_id").and_then(text))
    };
    told.or_else(seen).map(|(food, serving)| [food, serving])
}

fn creation(call: &ToolCall, listed: &Value, nutrients: &[(&str, &str)]) -> PlannedChange {
    let document = food(call, nutrients);
    let (name, undo_name) = (call.text("food_name"), call.text("food_name"));
    let earlier: Vec<String> = foods(listed)
        .iter()
        .map(|food| food_id(food).to_owned())
        .collect();
    let is_known = read(listed).is_some();
    let namesakes = read(listed).map(|listed| {
        foods(listed)
            .iter()
            .filter(|food| food_name(food) == name)
            .count()
    });
    let after = json!({"creates": document});
    PlannedChange::new(GarminChange::json(Method::PUT, CUSTOM_FOOD, document), &json!({}))
        .changes(json!({"custom_foods_with_this_name": namesakes}), after)
        .look(call.get(SEARCH), "get_custom_foods", move |document| {
            let foods = foods(document);
            let new = foods.iter().find(|food| {
                is_known && food_name(food) == name && !earlier.iter().any(|id| id == food_id(food))
            });
            new.map_or(Sight::NotMade, |food| {
                Sight::Made(Some(
                    json!({"food_id": food_id(food), "serving_id": serving(food, "").get("servingId")}),
                ))
            })
        })
        .tells(|landed| or_message(landed, "Custom food created (no response data returned)."))
        .undo(move |landed| match new_ids(landed) {
            Some([id, _]) => call_of(
                "delete_custom_food",
                json!({"food_id": id, "food_name": undo_name}),
            ),
            None => json!("delete_custom_food with the id that get_custom_foods shows"),
        })
}

/// Garmin's response, or a message if it is empty.
fn or_message(landed: &Landed<'_>, message: &str) -> Value {
    if landed.response.is_object() {
        landed.response.clone()
    } else {
        json!({"message": message})
    }
}

fn update_custom_food(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let [listed, ..] = answers else {
        return ChangeStep::get(call.get(SEARCH).optional());
    };
    let (id, serving_id) = (call.text("food_id"), call.text("serving_id"));
    let listed = must_read(listed, "The food")?;
    let old = foods(listed)
        .into_iter()
        .find(|food| food_id(food) == id)
        .unwrap_or_default();
    let old_serving = serving(&old, &serving_id).clone();
    let mut document = food(call, &NUTRIENTS);
    if let Some(about) = document.get_mut("foodMetaData").and_then(Value::as_object_mut) {
        about.insert("foodId".to_owned(), json!(id));
        if let (None, Some(brand)) = (about.get("brandName"), at(&old, "foodMetaData.brandName")) {
            about.insert("brandName".to_owned(), brand.clone());
        }
    }
    if let Some(content) = document
        .pointer_mut("/nutritionContents/0")
        .and_then(Value::as_object_mut)
    {
        content.insert("servingId".to_owned(), json!(serving_id));
        for (_, key) in NUTRIENTS {
            let kept = old_serving
                .get(key)
                .and_then(Value::as_number)
                .map(|number| json!(as_text(number)));
            let kept = kept.or_else(|| old_serving.get(key).filter(|value| value.is_string()).cloned());
            if let (None, Some(kept)) = (content.get(key), kept) {
                content.insert(key.to_owned(), kept);
            }
        }
    }
    let told = |food: &Value| Value::Object(arguments_of(food, serving(food, &serving_id)));
    let (before, after) = if old.is_null() {
        (json!("unknown"), told(&document))
    } else {
        (told(&old), told(&document))
    };
    let (wanted, undo) = (
        after.clone(),
        match &before {
            Value::Object(old) => {
                let mut arguments = old.clone();
                arguments.insert("food_id".to_owned(), json!(id));
                arguments.insert("serving_id".to_owned(), json!(serving_id));
                call_of("update_custom_food", arguments.into())
            }
            _ => json!("the food before could not be read"),
        },
    );
    let seen_serving = serving_id.clone();
    ChangeStep::one(
        PlannedChange::new(GarminChange::json(Method::PUT, CUSTOM_FOOD, document), &json!({}))
            .changes(before, after)
            .look(call.get(SEARCH), "get_custom_foods", move |document| {
                let foods = foods(document);
                let now = foods.iter().find(|food| food_id(food) == id);
                now.is_some_and(|now| Value::Object(arguments_of(now, serving(now, &seen_serving))) == wanted)
                    .into()
            })
            .tells(|landed| or_message(landed, "Custom food updated (no response data returned)."))
            .undo(move |_| undo.clone()),
    )
}

fn delete_custom_food(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let get = GarminGet::plain(
        "/nutrition-service/customFood?searchExpression=&start=0&limit=1000&includeContent=true",
    );
    let [listed, ..] = answers else {
        return ChangeStep::get(get.optional());
    };
    let id = call.text("food_id");
    let listed = foods(must_read(listed, "The custom foods")?);
    let Some(old) = listed.iter().find(|food| food_id(food) == id) else {
        return Err(AnswerError::Argument(format!(
            "Garmin has no custom food {id:?}. Nothing was deleted."
        )));
    };
    check_name(
        &call.text("food_name"),
        food_name(old),
        &format!("Custom food {id}"),
        "food_name",
    )?;
    let arguments = arguments_of(old, serving(old, ""));
    let undo = call_of("create_custom_food", arguments.clone().into());
    let message = format!("Custom food {id} deleted successfully.");
    let request = GarminChange::new(
        Method::DELETE,
        call.get("/nutrition-service/customFood/{food_id}").path,
    );
    ChangeStep::one(
        PlannedChange::new(
            request,
            &json!({"status": "success", "food_id": id, "message": message}),
        )
        .changes(arguments.into(), Value::Null)
        .look(get, "get_custom_foods", move |document| {
            foods(document).iter().all(|food| food_id(food) != id).into()
        })
        .undo(move |_| undo.clone()),
    )
}

/// Reads the meals of the day and the log, and perhaps something before them.
fn entry_step(call: &ToolCall, first: Option<GarminGet>) -> Result<ChangeStep, AnswerError> {
    meal_time(call)?;
    let gets = [call.get(MEALS), call.get(LOG).optional()];
    Ok(ChangeStep::Read(first.into_iter().chain(gets).collect()))
}

fn meal_time(call: &ToolCall) -> Result<String, AnswerError> {
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
fn meal_id(meals: &Value, time: &str) -> Result<Value, AnswerError> {
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
fn logged(log: &Value) -> Vec<(String, Value)> {
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

fn entry_name(entry: &Value) -> String {
    let name = at(entry, "foodMetaData.foodName").or_else(|| at(entry, "name"));
    name.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn log_timestamp(call: &ToolCall) -> String {
    call.now
        .timestamp()
        .strftime("%Y-%m-%dT%H:%M:%S.000Z")
        .to_string()
}

/// The change that adds an entry to the log, and how to see it.
#[expect(clippy::needless_pass_by_value, reason = "every caller has just made it")]
fn entry(call: &ToolCall, path: &str, body: Value, log: &Value, after: Value) -> PlannedChange {
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
                call_of("delete_food_log", arguments.into())
            }
            None => json!("delete_food_log with the logId that get_nutrition_daily_food_log shows"),
        })
}

fn food_entry(
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
    Ok(entry(call, "/nutrition-service/food/logs", body, log, after))
}

fn log_food(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
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
    ChangeStep::one(entry(
        call,
        "/nutrition-service/food/logs/quickAdd",
        body,
        log,
        after,
    ))
}

fn delete_food_log(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let [log, ..] = answers else {
        return ChangeStep::get(call.get(LOG).optional());
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
            json!({
                "meal_date": date, "meal_time": at(&old, "mealTime"), "food_id": food, "serving_id": serving,
                "serving_qty": at(&old, "servingQty"), "source": at(&old, "foodMetaData.source"),
            }),
        ),
        _ => call_of(
            "log_food",
            json!({
                "meal_date": date, "meal_time": at(&old, "mealTime"), "name": entry_name(&old),
                "calories": content("calories"), "carbs": content("carbs"),
                "protein": content("protein"), "fat": content("fat"),
            }),
        ),
    };
    let before = json!({"food_name": entry_name(&old), "calories": content("calories"), "meal_time": at(&old, "mealTime")});
    let message = format!("Food log entry {id} deleted successfully.");
    let request = GarminChange::json(Method::DELETE, call.get(LOG).path, json!({"logIds": [id]}));
    ChangeStep::one(
        PlannedChange::new(
            request,
            &json!({"status": "success", "log_id": id, "message": message}),
        )
        .changes(before, Value::Null)
        .look(call.get(LOG), "get_nutrition_daily_food_log", move |log| {
            logged(log).iter().all(|(known, _)| *known != id).into()
        })
        .undo(move |_| undo.clone()),
    )
}

fn upsert_and_log(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
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
        return ChangeStep::one(food_entry(call, meals, log, ids, "GARMIN")?);
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
    ChangeStep::one(created.changes(before, after).then(move |landed: &Landed<'_>| {
        let ids = new_ids(landed)
            .ok_or_else(|| format!("could not retrieve foodId/servingId for '{name}' after creation."))?;
        food_entry(&call_after, &meals, &log, ids, "GARMIN").map_err(|error| error.to_string())
    }))
}

/// Parameters of the goals, and Garmin's keys.
const GOALS: [(&str, &str); 4] = [
    ("calorie_goal", "activeDailyCalories"),
    ("carbs_grams", "activeDailyCarbohydrateGrams"),
    ("fat_grams", "activeDailyFatGrams"),
    ("protein_grams", "activeDailyProteinGrams"),
];

fn set_goals(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let get = call.get("/nutrition-service/settings/{date}");
    let [old, ..] = answers else {
        return ChangeStep::get(get.optional());
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
    ChangeStep::one(
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
            .undo(move |_| call_of("set_nutrition_daily_settings", back.clone().into())),
    )
}
