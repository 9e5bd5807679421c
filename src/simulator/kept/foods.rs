//! Custom foods, the food log, and nutrition goals.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{ChangeRequest, Planned, ReadRequest, at, done, merge, missing, refused, text, told, with};

#[derive(Debug, Default)]
pub(super) struct KeptFoods {
    /// New and changed custom foods by their id.
    foods: BTreeMap<String, Value>,
    deleted: BTreeSet<String>,
    /// Entries of the food log: the day, the meal, and what was eaten.
    logged: Vec<(String, Value, Value)>,
    removed: BTreeSet<String>,
    goals: BTreeMap<String, Value>,
}

fn hex_id(id: i64) -> String {
    format!("{id:032x}")
}

/// The custom foods that the computed document lists.
fn custom_foods(change: &ChangeRequest<'_>) -> Vec<Value> {
    let document = (change.read)("/nutrition-service/customFood?start=0&limit=1000");
    let list = document.as_ref().map(|document| at(document, "customFoods"));
    list.and_then(Value::as_array).cloned().unwrap_or_default()
}

pub(super) fn plan(change: &ChangeRequest<'_>) -> Option<Planned> {
    let body = &change.body;
    Some(match (change.method, change.path.as_slice()) {
        ("PUT", ["nutrition-service", "customFood"]) => {
            let mut food = body.clone();
            let known = text(at(&food, "foodMetaData"), "foodId").to_owned();
            if !known.is_empty()
                && !custom_foods(change)
                    .iter()
                    .any(|food| text(at(food, "foodMetaData"), "foodId") == known)
            {
                return Some(missing());
            }
            let id = if known.is_empty() {
                hex_id(change.id)
            } else {
                known
            };
            merge(&mut food, &json!({"foodMetaData": {"foodId": id}}));
            let serving = with(
                at(&json!({"n": first(&food)}), "n"),
                "servingId",
                change.id.to_string(),
            );
            if first(&food).get("servingId").is_none() {
                food = with(&food, "nutritionContents", json!([serving]));
            }
            let kept_food = food.clone();
            told(&food, move |kept| {
                kept.foods.foods.insert(id, kept_food);
            })
        }
        ("DELETE", ["nutrition-service", "customFood", id]) => {
            if !custom_foods(change)
                .iter()
                .any(|food| text(at(food, "foodMetaData"), "foodId") == *id)
            {
                return Some(missing());
            }
            let id = (*id).to_owned();
            done(204, move |kept| {
                kept.foods.foods.remove(&id);
                kept.foods.deleted.insert(id);
            })
        }
        ("PUT", ["nutrition-service", "food", "logs", rest @ ..])
            if rest.is_empty() || rest == ["quickAdd"] =>
        {
            log(change)?
        }
        ("DELETE", ["nutrition-service", "food", "logs", _]) => {
            let logs: Vec<String> = at(body, "logIds")
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|id| Some(id.as_str()?.to_owned()))
                .collect();
            done(204, move |kept| kept.foods.removed.extend(logs))
        }
        ("PUT", ["nutrition-service", "settings", date]) => {
            let (date, goals) = ((*date).to_owned(), body.clone());
            told(body, move |kept| {
                kept.foods.goals.insert(date, goals);
            })
        }
        _ => return None,
    })
}

/// The first of a food's servings.
fn first(food: &Value) -> Value {
    let servings = at(food, "nutritionContents").as_array();
    servings
        .and_then(|servings| servings.first())
        .cloned()
        .unwrap_or_default()
}

fn log(change: &ChangeRequest<'_>) -> Option<Planned> {
    let body = &change.body;
    let (quick, regular) = (at(body, "quickAddItems"), at(body, "foodLogItems"));
    let item = [quick, regular]
        .into_iter()
        .find_map(|items| items.as_array()?.first())?;
    let date = text(body, "mealDate").to_owned();
    let log_id = hex_id(change.id);
    let eaten = if quick.is_array() {
        json!({
            "logId": log_id, "name": item.get("name"), "logCategory": "QUICK_ADD", "mealTime": item.get("mealTime"),
            "nutritionContent": {
                "calories": item.get("calories"), "carbs": item.get("carbs"),
                "protein": item.get("protein"), "fat": item.get("fat"),
            },
        })
    } else {
        let food_id = text(item, "foodId");
        let foods = custom_foods(change);
        let Some(food) = foods
            .iter()
            .find(|food| text(at(food, "foodMetaData"), "foodId") == food_id)
        else {
            return Some(refused(
                400,
                "BadRequestException",
                "Custom food nutrition information is missing",
            ));
        };
        json!({
            "logId": log_id, "foodMetaData": at(food, "foodMetaData"), "nutritionContent": first(food),
            "servingQty": item.get("servingQty"), "logCategory": "REGULAR_LOG", "mealTime": item.get("mealTime"),
        })
    };
    let meal = json!({"mealId": item.get("mealId")});
    let answer = json!({"mealDate": date, "mealDetails": [{"meal": meal, "loggedFoods": [eaten]}]});
    Some(told(&answer, move |kept| {
        kept.foods.logged.push((date, meal, eaten));
    }))
}

impl KeptFoods {
    pub(super) fn document(&self, request: &ReadRequest<'_>, computed: Option<Value>) -> Option<Value> {
        match request.path.as_slice() {
            ["nutrition-service", "customFood"] => {
                let document = computed?;
                let wanted = request
                    .parameter("searchExpression")
                    .unwrap_or_default()
                    .to_lowercase();
                let id = |food: &Value| text(at(food, "foodMetaData"), "foodId").to_owned();
                let computed = at(&document, "customFoods")
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                let computed = computed
                    .into_iter()
                    .filter(|food| !self.foods.contains_key(&id(food)));
                let foods = computed.chain(self.foods.values().cloned()).filter(|food| {
                    let name = text(at(food, "foodMetaData"), "foodName").to_lowercase();
                    !self.deleted.contains(&id(food)) && name.contains(&wanted)
                });
                Some(with(&document, "customFoods", foods.collect::<Value>()))
            }
            ["nutrition-service", "food", "logs", date] => {
                let document = computed?;
                let meals = at(&document, "mealDetails")
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                let own = self.logged.iter().filter(|(day, ..)| day == date);
                let own = own.map(|(_, meal, eaten)| json!({"meal": meal, "loggedFoods": [eaten]}));
                let meals = meals.into_iter().chain(own).map(|meal| {
                    let eaten = at(&meal, "loggedFoods").as_array().cloned().unwrap_or_default();
                    let eaten = eaten
                        .into_iter()
                        .filter(|eaten| !self.removed.contains(text(eaten, "logId")));
                    with(&meal, "loggedFoods", eaten.collect::<Value>())
                });
                Some(with(&document, "mealDetails", meals.collect::<Value>()))
            }
            ["nutrition-service", "settings", date] => {
                let mut document = computed?;
                if let Some(goals) = self.goals.get(*date) {
                    merge(&mut document, goals);
                }
                Some(document)
            }
            _ => computed,
        }
    }
}
