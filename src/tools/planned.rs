//! Planned training: one workout, the calendar, and Garmin's training plans (garmin_mcp's module `workouts`), and the
//! search for foods.

use serde_json::{Value, json};

use super::call::ToolCall;
use super::fields::{Changed, Field, at, fields, list, pick, pick_each};
use super::garmin_get::{GarminGet, failure};
use super::json::is_empty;
use super::parameter::Parameter;
use super::table::{AnswerError, AnswerShape, GarminQuery, Tool, ToolAnswer};
use super::workout_details::{self, is_truthy};

const PLAN_DAY: Parameter = Parameter::day(
    "calendar_date",
    "Any day of that week: YYYY-MM-DD, today or tomorrow",
)
.may_be_future();

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "get_workout_by_id",
        about: "A workout in detail: its steps with duration, target and repetitions. Takes the id from get_workouts, or the workout_uuid of a training plan.",
        parameters: &[Parameter::required_text(
            "workout_id",
            "The workout's id or its uuid",
        )],
        ask: GarminQuery::Made(|call| {
            vec![call.get(if call.text("workout_id").contains('-') {
                "/workout-service/fbt-adaptive/{workout_id}"
            } else {
                "/workout-service/workout/{workout_id}"
            })]
        }),
        tell: AnswerShape::Shaped(workout_details::workout),
        nothing: "No workout found with ID {workout_id}.",
        failing: "Error retrieving workout",
    },
    Tool {
        name: "get_scheduled_workouts",
        about: "Workouts on the calendar in a range, including those of training plans: day, name, sport, planned duration, and whether they are done. scheduled_workout_id is what unschedule_workout takes.",
        parameters: &[
            Parameter::day("start_date", "First day: YYYY-MM-DD, today or this week").may_be_future(),
            Parameter::day("end_date", "Last day: YYYY-MM-DD or this week").may_be_future(),
        ],
        ask: GarminQuery::Made(|call| {
            let (start, end) = (call.text("start_date"), call.text("end_date"));
            vec![GarminGet::graphql(format!(
                "query{{workoutScheduleSummariesScalar(startDate:\"{start}\", endDate:\"{end}\")}}"
            ))]
        }),
        tell: AnswerShape::Made(scheduled),
        nothing: "No workouts scheduled between {start_date} and {end_date}.",
        failing: "Error retrieving scheduled workouts",
    },
    Tool {
        name: "get_garmin_coach_workouts",
        about: "The workouts of Garmin's training plans (Garmin Coach) in the week of a day: day, name, sport, rest and race days, and which plan.",
        parameters: &[PLAN_DAY],
        ask: GarminQuery::Made(plan_query),
        tell: AnswerShape::Made(plan),
        nothing: "No training plan workouts scheduled for {calendar_date}.",
        failing: "Error retrieving training plan workouts",
    },
    Tool {
        name: "get_training_plan_workouts",
        about: "The same as get_garmin_coach_workouts, under its older name.",
        parameters: &[PLAN_DAY],
        ask: GarminQuery::Made(plan_query),
        tell: AnswerShape::Made(plan),
        nothing: "No training plan workouts scheduled for {calendar_date}.",
        failing: "Error retrieving training plan workouts",
    },
    Tool {
        name: "get_calendar_events",
        about: "Events on the calendar in a range: races and other events with day, place and time, or the planned and completed workouts of each day.",
        parameters: &[
            Parameter::day("start_date", "First day: YYYY-MM-DD, today or this month").may_be_future(),
            Parameter::last_day("end_date", "Last day: YYYY-MM-DD; at most 186 days in all", 186),
            Parameter::one_of(
                "kind",
                "What to list: event, workout, activity or all (default event)",
                KINDS,
                "event",
            ),
        ],
        ask: GarminQuery::Made(months),
        tell: AnswerShape::Made(calendar),
        nothing: "No {kind} entries on the calendar between {start_date} and {end_date}.",
        failing: "Error retrieving calendar events",
    },
    Tool {
        name: "search_foods",
        about: "Foods in Garmin's database by name, with calories and nutrients per serving.",
        parameters: &[
            Parameter::required_text("query", "The food's name, or a part of it"),
            Parameter::whole("start", "How many to skip (default 0)", (0, 100_000), 0),
            Parameter::whole(
                "limit",
                "How many to return (default 20, at most 100)",
                (1, 100),
                20,
            ),
        ],
        ask: GarminQuery::Get(
            "/nutrition-service/food/search?searchExpression={query}&start={start}&limit={limit}",
        ),
        tell: AnswerShape::Shaped(foods),
        nothing: "No foods found.",
        failing: "Error searching foods",
    },
];

const SCHEDULED: &[Field] = fields! {
    "date" <- "scheduleDate";
    "scheduled_workout_id" <- "scheduledWorkoutId";
    "workout_uuid" <- "workoutUuid";
    "workout_id" <- "workoutId";
    "training_plan_id" <- "trainingPlanId";
    "fbt_adaptive_plan_id" <- "fbtAdaptivePlanId";
    "tp_type" <- "tpType";
    "name" <- "workoutName";
    "sport" <- "workoutType";
    "training_plan" <- "tpPlanName";
    "workout_type" <- "workoutPhrase";
    "is_rest_day" <- "isRestDay";
    "is_race_day" <- "race";
    "estimated_duration_seconds" <- "estimatedDurationInSecs";
    "estimated_distance_meters" <- "estimatedDistanceInMeters";
    "activity_id" <- "associatedActivityId";
};

fn scheduled_item(document: &Value) -> Result<Value, Changed> {
    let mut told = pick(SCHEDULED, document)?;
    told.retain(|_, value| is_truthy(value));
    let after = [
        "training_plan",
        "workout_type",
        "is_rest_day",
        "is_race_day",
        "estimated_duration_seconds",
    ];
    let index = told
        .keys()
        .position(|key| after.contains(&key.as_str()))
        .unwrap_or(told.len());
    told.shift_insert(
        index,
        "completed".to_owned(),
        json!(told.contains_key("activity_id")),
    );
    Ok(told.into())
}

/// The answer to a GraphQL query, or the reason why there is none.
fn graphql<'a>(answers: &[&'a Value], name: &str) -> Result<&'a Value, AnswerError> {
    let document = answers.first().copied().unwrap_or(&Value::Null);
    let data = at(document, "data").ok_or_else(|| {
        AnswerError::Argument("Garmin's calendar did not answer the query; try again later".to_owned())
    })?;
    Ok(data.get(name).unwrap_or(&Value::Null))
}

fn scheduled(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let summaries = graphql(answers, "workoutScheduleSummariesScalar")?;
    let items: Result<Vec<Value>, Changed> = list(summaries, "")?.iter().map(scheduled_item).collect();
    let items = items?;
    if items.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    Ok(ToolAnswer::Json(json!({
        "count": items.len(),
        "date_range": {"start": call.text("start_date"), "end": call.text("end_date")},
        "scheduled_workouts": items,
    })))
}

fn plan_query(call: &ToolCall) -> Vec<GarminGet> {
    let day = call.text("calendar_date");
    vec![GarminGet::graphql(format!(
        "query{{trainingPlanScalar(calendarDate:\"{day}\", lang:\"en-US\", firstDayOfWeek:\"monday\")}}"
    ))]
}

const PLAN: &[Field] = fields! {
    "name" <- "planName";
    "training_plan_id" <- "trainingPlanId";
    "classification" <- "trainingPlanClassification";
    "training_type" <- "trainingPlanDetailsDTO.trainingType";
};

fn plan(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let scalar = graphql(answers, "trainingPlanScalar")?;
    let (mut names, mut plans, mut workouts) = (Vec::new(), Vec::new(), Vec::new());
    for plan in list(scalar, "trainingPlanWorkoutScheduleDTOS")? {
        if let Some(name) = at(plan, "planName").filter(|name| !names.contains(*name)) {
            names.push(name.clone());
        }
        let told = Value::Object(pick(PLAN, plan).unwrap_or_default());
        if !is_empty(&told) && !plans.contains(&told) {
            plans.push(told);
        }
        for workout in list(plan, "workoutScheduleSummaries")? {
            workouts.push(scheduled_item(workout)?);
        }
    }
    if workouts.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    Ok(ToolAnswer::Json(json!({
        "date": call.text("calendar_date"),
        "training_plans": names,
        "plans": plans,
        "count": workouts.len(),
        "workouts": workouts,
    })))
}

const KINDS: &[&str] = &["event", "workout", "activity", "all"];

/// One request for each month of the range. Garmin counts months from zero.
fn months(call: &ToolCall) -> Vec<GarminGet> {
    let (Some(first), Some(last)) = (call.day("start_date"), call.day("end_date")) else {
        return vec![];
    };
    let month = |day: jiff::civil::Date| {
        let path = format!("/calendar-service/year/{}/month/{}", day.year(), day.month() - 1);
        GarminGet::plain(&path).optional()
    };
    let months = first.first_of_month().series(jiff::Span::new().months(1));
    months.take_while(|day| *day <= last).map(month).collect()
}

const ENTRY: &[Field] = fields! {
    "date" <- "date";
    "kind" <- "itemType";
    "title" <- "title";
    "id" <- "id";
    "start_time_local" <- "eventTimeLocal.startTimeHhMm" | "startTimestampLocal";
    "time_zone" <- "eventTimeLocal.timeZoneId";
    "location" <- "location";
    "url" <- "url";
    "is_race" <- "isRace";
    "is_primary_event" <- "primaryEvent";
    "note" <- "note";
    "workout_id" <- "workoutId";
    "workout_uuid" <- "workoutUuid";
    "sport" <- "sportTypeKey";
};

fn calendar(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let (start, end, wanted) = (call.text("start_date"), call.text("end_date"), call.text("kind"));
    let (mut entries, mut failed): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    let first = call.day("start_date").map(jiff::civil::Date::first_of_month);
    let months = first
        .into_iter()
        .flat_map(|first| first.series(jiff::Span::new().months(1)));
    for (day, month) in months.zip(answers) {
        if let Some(reason) = failure(month) {
            failed.push(json!(format!("{}: {reason}", day.strftime("%Y-%m"))));
            continue;
        }
        for entry in pick_each(ENTRY, month, "calendarItems")? {
            let date = entry.get("date").and_then(Value::as_str).unwrap_or_default();
            let kind = entry.get("kind").and_then(Value::as_str).unwrap_or_default();
            // Months overlap: each begins and ends with whole weeks.
            if (start.as_str()..=end.as_str()).contains(&date)
                && is_of_kind(kind, &wanted)
                && !entries.contains(&entry)
            {
                entries.push(entry);
            }
        }
    }
    if entries.is_empty() && failed.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    entries.sort_by_key(|entry| {
        entry
            .get("date")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    });
    let mut told = json!({
        "count": entries.len(),
        "date_range": {"start": start, "end": end},
        "entries": entries,
    });
    if let (Some(told), false) = (told.as_object_mut(), failed.is_empty()) {
        told.insert("failed".to_owned(), failed.into());
    }
    Ok(ToolAnswer::Json(told))
}

/// Workouts of training plans have kinds of their own, such as `fbtAdaptiveWorkout`.
fn is_of_kind(kind: &str, wanted: &str) -> bool {
    wanted == "all" || kind.to_lowercase().contains(wanted)
}

const FOOD: &[Field] = fields! {
    "food_id" <- "foodMetaData.foodId";
    "name" <- "foodMetaData.foodName";
    "food_type" <- "foodMetaData.foodType";
    "source" <- "foodMetaData.source";
    "region" <- "foodMetaData.regionCode";
    "language" <- "foodMetaData.languageCode";
    "brand" <- "foodMetaData.brandName";
};
const SERVING: &[Field] = fields! {
    "serving_id" <- "servingId";
    "serving_unit" <- "servingUnit";
    "number_of_units" <- "numberOfUnits";
    "calories" <- "calories";
    "carbs_g" <- "carbs";
    "protein_g" <- "protein";
    "fat_g" <- "fat";
    "fiber_g" <- "fiber";
    "sodium_mg" <- "sodium";
};

fn foods(_: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let mut foods = Vec::new();
    for food in list(document, "results")? {
        let mut told = pick(FOOD, food)?;
        told.insert(
            "servings".to_owned(),
            pick_each(SERVING, food, "nutritionContents")?.into(),
        );
        foods.push(Value::Object(told));
    }
    if foods.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    let has_more = at(document, "moreDataAvailable") == Some(&Value::Bool(true));
    Ok(ToolAnswer::Json(
        json!({"count": foods.len(), "has_more": has_more, "results": foods}),
    ))
}
