//! A person's plans and logs: workouts, courses, food, and the menstrual cycle (garmin_mcp's modules `workouts`,
//! `courses`, `nutrition` and `womens_health`). Only the tools that need a single request are here.

use serde_json::{Value, json};

use super::call::ToolCall;
use super::fields::{Field, at, fields, list, pick_each};
use super::parameter::Parameter;
use super::table::{AnswerError, AnswerShape, GarminQuery, Tool, ToolAnswer};

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "get_workouts",
        about: "The person's saved workouts (at most 100): id, name, sport, dates, planned duration and distance.",
        parameters: &[],
        ask: GarminQuery::Get("/workout-service/workouts?start=0&limit=100"),
        tell: AnswerShape::Shaped(workouts),
        nothing: "No workouts found.",
        failing: "Error retrieving workouts",
    },
    Tool {
        name: "get_courses",
        about: "The person's saved courses: id, name, distance, climb, sport.",
        parameters: &[],
        ask: GarminQuery::Get("/course-service/course"),
        tell: AnswerShape::Made(courses),
        nothing: "No courses found.",
        failing: "Error listing courses",
    },
    Tool {
        name: "get_nutrition_daily_food_log",
        about: "What the person ate on one day, by meal, with nutrients.",
        parameters: &[Parameter::day("date", "The day: YYYY-MM-DD, today or yesterday").may_be_future()],
        ask: GarminQuery::Get("/nutrition-service/food/logs/{date}"),
        tell: AnswerShape::Raw,
        nothing: "No food log data found for {date}.",
        failing: "Error retrieving food log data",
    },
    Tool {
        name: "get_nutrition_daily_meals",
        about: "Calories and nutrients of each meal of one day, with the goals.",
        parameters: &[Parameter::day("date", "The day: YYYY-MM-DD, today or yesterday").may_be_future()],
        ask: GarminQuery::Get("/nutrition-service/meals/{date}"),
        tell: AnswerShape::Raw,
        nothing: "No meal data found for {date}.",
        failing: "Error retrieving meal data",
    },
    Tool {
        name: "get_nutrition_daily_settings",
        about: "The nutrition goals in force on one day.",
        parameters: &[Parameter::day("date", "The day: YYYY-MM-DD, today or yesterday").may_be_future()],
        ask: GarminQuery::Get("/nutrition-service/settings/{date}"),
        tell: AnswerShape::Raw,
        nothing: "No nutrition settings found for {date}.",
        failing: "Error retrieving nutrition settings",
    },
    Tool {
        name: "get_custom_foods",
        about: "Foods that the person defined.",
        parameters: &[
            Parameter::text("search", "Only foods with this in their name; empty: all", ""),
            Parameter::whole("start", "How many to skip (default 0)", (0, 100_000), 0),
            Parameter::whole(
                "limit",
                "How many to return (default 20, at most 100)",
                (1, 100),
                20,
            ),
        ],
        ask: GarminQuery::Get(
            "/nutrition-service/customFood?searchExpression={search}&start={start}&limit={limit}&includeContent=true",
        ),
        tell: AnswerShape::Raw,
        nothing: "No custom foods found.",
        failing: "Error retrieving custom foods",
    },
    Tool {
        name: "get_custom_food_serving_units",
        about: "The units in which servings of food are measured.",
        parameters: &[],
        ask: GarminQuery::Get("/nutrition-service/metadata/customFoodServingUnits"),
        tell: AnswerShape::Raw,
        nothing: "No serving units found.",
        failing: "Error retrieving serving units",
    },
    Tool {
        name: "get_pregnancy_summary",
        about: "Pregnancy: due date, week, and what Garmin sums up about it.",
        parameters: &[],
        ask: GarminQuery::Get("/periodichealth-service/menstrualcycle/pregnancysnapshot"),
        tell: AnswerShape::Raw,
        nothing: "No pregnancy summary data found.",
        failing: "Error retrieving pregnancy summary",
    },
    Tool {
        name: "get_menstrual_data_for_date",
        about: "The menstrual cycle on one day: day of the cycle, phase, symptoms.",
        parameters: &[Parameter::day("date", "The day: YYYY-MM-DD, today or yesterday").may_be_future()],
        ask: GarminQuery::Get("/periodichealth-service/menstrualcycle/dayview/{date}"),
        tell: AnswerShape::Raw,
        nothing: "No menstrual data found for {date}.",
        failing: "Error retrieving menstrual data",
    },
    Tool {
        name: "get_menstrual_calendar_data",
        about: "Menstrual cycles and logged days in a range.",
        parameters: &[
            Parameter::day("start_date", "First day: YYYY-MM-DD, -30d or this month").may_be_future(),
            Parameter::last_day(
                "end_date",
                "Last day: YYYY-MM-DD, today or this week; at most 92 days in all",
                92,
            ),
        ],
        ask: GarminQuery::Get("/periodichealth-service/menstrualcycle/calendar/{start_date}/{end_date}"),
        tell: AnswerShape::Raw,
        nothing: "No menstrual calendar data found between {start_date} and {end_date}.",
        failing: "Error retrieving menstrual calendar data",
    },
];

/// Garmin has two spellings each of the planned duration, the planned distance and the date of the last change.
const WORKOUT: &[Field] = fields! {
    "id" <- "workoutId";
    "name" <- "workoutName";
    "sport" <- "sportType.sportTypeKey";
    "provider" <- "workoutProvider";
    "created_date" <- "createdDate";
    "updated_date" <- "updatedDate" | "updateDate";
    "description" <- "description";
    "estimated_duration_seconds" <- "estimatedDurationInSecs" | "estimatedDuration";
    "estimated_distance_meters" <- "estimatedDistanceInMeters" | "estimatedDistance";
};

fn workouts(_: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let workouts = pick_each(WORKOUT, document, "")?;
    Ok(ToolAnswer::Json(
        json!({"count": workouts.len(), "workouts": workouts}),
    ))
}

/// A person without courses gets an empty list.
fn courses(_: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let course = |course: &Value| {
        json!({
            "course_id": course.get("courseId"),
            "name": course.get("courseName"),
            "distance_m": course.get("distanceInMeters"),
            "elevation_gain_m": course.get("elevationGainInMeters"),
            "elevation_loss_m": course.get("elevationLossInMeters"),
            "activity": at(course, "activityType.typeKey"),
            "has_pace_band": course.get("hasPaceBand"),
            "created": course.get("createdDateFormatted"),
        })
    };
    let document = answers.first().copied().unwrap_or(&Value::Null);
    let courses: Vec<Value> = list(document, "")?.iter().map(course).collect();
    Ok(ToolAnswer::Json(
        json!({"count": courses.len(), "courses": courses}),
    ))
}
