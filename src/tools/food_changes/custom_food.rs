//! A person's own foods, and the nutrients of one serving.

use http::Method;
use serde_json::{Map, Number, Value, json};

use crate::tools::answer::AnswerError;
use crate::tools::call::ToolCall;
use crate::tools::change::{
    ChangeStep, GarminChange, Landed, PlannedChange, Sight, call_of, check_name, must_read, read,
};
use crate::tools::fields::at;
use crate::tools::garmin_get::GarminGet;

pub(super) const CUSTOM_FOOD: &str = "/nutrition-service/customFood";
pub(super) const SEARCH: &str =
    "/nutrition-service/customFood?searchExpression={food_name}&start=0&limit=20&includeContent=true";

/// The optional figures of a food: parameter and Garmin's key.
pub(super) const NUTRIENTS: [(&str, &str); 13] = [
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

/// A number as the text that Garmin expects: `160`, `2.5`.
pub(super) fn as_text(number: &Number) -> String {
    number
        .as_f64()
        .map_or_else(|| number.to_string(), |number| number.to_string())
}

pub(super) fn given(call: &ToolCall, name: &str) -> Option<Value> {
    call.number(name).map(|number| json!(as_text(&number)))
}

pub(super) fn foods(document: &Value) -> Vec<Value> {
    at(document, "customFoods")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

pub(super) fn food_id(food: &Value) -> &str {
    at(food, "foodMetaData.foodId")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

pub(super) fn food_name(food: &Value) -> &str {
    at(food, "foodMetaData.foodName")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The first serving of a food, or the one with an id.
pub(super) fn serving<'a>(food: &'a Value, id: &str) -> &'a Value {
    let servings = at(food, "nutritionContents")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let mut matching =
        servings.filter(|serving| id.is_empty() || serving.get("servingId") == Some(&json!(id)));
    matching.next().unwrap_or(&Value::Null)
}

/// Garmin's document of the food that a call describes.
pub(super) fn food(call: &ToolCall, nutrients: &[(&str, &str)]) -> Value {
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
pub(super) fn arguments_of(food: &Value, serving: &Value) -> Map<String, Value> {
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

/// The ids that Garmin gave a new food: from its response, or else from the list read afterwards.
pub(super) fn new_ids(landed: &Landed<'_>) -> Option<[String; 2]> {
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

pub(super) fn creation(call: &ToolCall, listed: &Value, nutrients: &[(&str, &str)]) -> PlannedChange {
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
                &json!({"food_id": id, "food_name": undo_name}),
            ),
            None => json!("delete_custom_food with the id that get_custom_foods shows"),
        })
}

/// Garmin's response, or a message if it is empty.
pub(super) fn or_message(landed: &Landed<'_>, message: &str) -> Value {
    if landed.response.is_object() {
        landed.response.clone()
    } else {
        json!({"message": message})
    }
}

pub(super) fn update_custom_food(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let [listed, ..] = answers else {
        return Ok(ChangeStep::get(call.get(SEARCH).optional()));
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
                call_of("update_custom_food", &Value::Object(arguments))
            }
            _ => json!("the food before could not be read"),
        },
    );
    let seen_serving = serving_id.clone();
    Ok(ChangeStep::one(
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
    ))
}

pub(super) fn delete_custom_food(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let get = GarminGet::plain(
        "/nutrition-service/customFood?searchExpression=&start=0&limit=1000&includeContent=true",
    );
    let [listed, ..] = answers else {
        return Ok(ChangeStep::get(get.optional()));
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
    let undo = call_of("create_custom_food", &Value::Object(arguments.clone()));
    let message = format!("Custom food {id} deleted successfully.");
    let request = GarminChange::new(
        Method::DELETE,
        call.get("/nutrition-service/customFood/{food_id}").path,
    );
    Ok(ChangeStep::one(
        PlannedChange::new(
            request,
            &json!({"status": "success", "food_id": id, "message": message}),
        )
        .changes(arguments.into(), Value::Null)
        .look(get, "get_custom_foods", move |document| {
            foods(document).iter().all(|food| food_id(food) != id).into()
        })
        .undo(move |_| undo.clone()),
    ))
}
