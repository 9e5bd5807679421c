//! Weigh-ins: the read-only tools of garmin_mcp's module `weight_management`.

use serde_json::{Map, Value, json};

use super::call::ToolCall;
use super::fields::{Field, at, fields, list, pick};
use super::json::rounded;
use super::parameter::Parameter;
use super::table::{AnswerError, AnswerShape, GarminQuery, Tool, ToolAnswer};

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "get_weigh_ins",
        about: "Every weigh-in between two days, newest first, with body composition, and the average weight.",
        parameters: &[
            Parameter::day("start_date", "First day: YYYY-MM-DD, -30d or this week"),
            Parameter::day("end_date", "Last day: YYYY-MM-DD, today or this week").may_be_future(),
        ],
        ask: GarminQuery::Get("/weight-service/weight/range/{start_date}/{end_date}?includeAll=true"),
        tell: AnswerShape::Shaped(of_range),
        nothing: "No weight measurements found between {start_date} and {end_date}.",
        failing: "Error retrieving weight measurements",
    },
    Tool {
        name: "get_daily_weigh_ins",
        about: "Every weigh-in of one day, with body composition, and the average weight.",
        parameters: &[Parameter::day(
            "date",
            "The day: YYYY-MM-DD, today, yesterday or -7d",
        )],
        ask: GarminQuery::Get("/weight-service/weight/dayview/{date}?includeAll=true"),
        tell: AnswerShape::Shaped(of_day),
        nothing: "No weight measurements found for {date}.",
        failing: "Error retrieving daily weight measurements",
    },
];

const WEIGHING: &[Field] = fields! {
    "bmi" <- "bmi";
    "body_fat_percent" <- "bodyFat";
    "body_water_percent" <- "bodyWater";
    "bone_mass_grams" <- "boneMass";
    "muscle_mass_grams" <- "muscleMass";
    "source_type" <- "sourceType";
    "timestamp_gmt" <- "timestampGMT";
};

fn kilograms(grams: &Value) -> Value {
    grams
        .as_f64()
        .map_or(Value::Null, |grams| rounded(grams / 1_000.0, 2))
}

fn weighing(weighing: &Value, with_date: bool) -> Result<Value, AnswerError> {
    let mut told = Map::new();
    if let (true, Some(date)) = (with_date, at(weighing, "calendarDate")) {
        told.insert("date".to_owned(), date.clone());
    }
    if let Some(grams) = at(weighing, "weight") {
        told.insert("weight_grams".to_owned(), grams.clone());
        told.insert("weight_kg".to_owned(), kilograms(grams));
    }
    told.extend(pick(WEIGHING, weighing)?);
    Ok(told.into())
}

fn add_average(told: &mut Map<String, Value>, document: &Value) {
    if let Some(grams) = at(document, "totalAverage.weight") {
        told.insert("average_weight_grams".to_owned(), grams.clone());
        told.insert("average_weight_kg".to_owned(), kilograms(grams));
    }
}

fn of_range(call: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let days = list(document, "dailyWeightSummaries")?;
    if days.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    let mut measurements = Vec::new();
    for day in days {
        for metrics in list(day, "allWeightMetrics")? {
            measurements.push(weighing(metrics, true)?);
        }
    }
    let date = |weighing: &Value| {
        weighing
            .get("date")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    measurements.sort_by_key(|weighing| std::cmp::Reverse(date(weighing)));
    let mut told = Map::new();
    told.insert(
        "date_range".to_owned(),
        json!({"start": call.text("start_date"), "end": call.text("end_date")}),
    );
    told.insert("measurement_count".to_owned(), json!(measurements.len()));
    told.insert("days_with_data".to_owned(), json!(days.len()));
    told.insert("measurements".to_owned(), measurements.into());
    add_average(&mut told, document);
    Ok(ToolAnswer::object(told))
}

fn of_day(call: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let weighings = list(document, "dateWeightList")?;
    if weighings.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    let measurements = weighings
        .iter()
        .map(|one| weighing(one, false))
        .collect::<Result<Vec<_>, _>>()?;
    let mut told = Map::new();
    told.insert("date".to_owned(), json!(call.text("date")));
    told.insert("measurement_count".to_owned(), json!(measurements.len()));
    told.insert("measurements".to_owned(), measurements.into());
    add_average(&mut told, document);
    Ok(ToolAnswer::object(told))
}
