//! Custom foods, the food log, and nutrition goals.
//!
//! Garmin expects the numbers in these requests as text.

mod custom_food;
mod goals;
mod log;

use super::change::ChangeStep;
use super::parameter::{DefaultValue, Parameter};
use super::table::{Effect, Tool};
use custom_food::{NUTRIENTS, SEARCH, creation, delete_custom_food, update_custom_food};
use goals::set_goals;
use log::{delete_food_log, entry_step, food_entry, log_food, upsert_and_log};

const ADD: Effect = Effect::Change { idempotent: false };
const SET: Effect = Effect::Change { idempotent: true };

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
            [] => Ok(ChangeStep::get(call.get(SEARCH).optional())),
            [foods, ..] => Ok(ChangeStep::one(creation(call, foods, &NUTRIENTS))),
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
                Ok(ChangeStep::one(food_entry(
                    call,
                    meals,
                    log,
                    ids,
                    &call.text("source"),
                )?))
            }
            _ => entry_step(call, None),
        },
        "Error logging food",
    ),
    Tool::change(
        "log_food",
        "Log something eaten by its calories and nutrients, without creating a food.",
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
