//! One call of any tool, with arguments that the tool accepts.

use garmin_gateway::tools;
use jiff::ToSpan as _;
use serde_json::{Value, json};

use super::Chance;
use crate::tools::today;

/// The method and the parameters of a call.
pub(super) type Call = (&'static str, Value);

fn call((tool, arguments): (&str, Value)) -> Call {
    ("tools/call", json!({ "name": tool, "arguments": arguments }))
}

/// What the calls can refer to.
pub(super) struct Known {
    /// The id of an activity at Garmin.
    pub(super) activity: Value,
    pub(super) activity_name: String,
    /// The person's race.
    pub(super) race: String,
    /// A link that was not used before.
    pub(super) link: String,
}

/// A call of any tool that reads at Garmin, with the arguments that its schema requires.
pub(super) fn read(chance: &mut Chance, known: &Known) -> Call {
    let lists: Value = serde_json::from_str(&tools::lists().tools).unwrap();
    let reading: Vec<&Value> = lists["tools"].as_array().unwrap().iter().collect();
    let reading: Vec<&Value> = reading
        .into_iter()
        .filter(|tool| tool["annotations"]["readOnlyHint"] == true)
        .collect();
    assert!(reading.len() > 90);
    let tool = chance.pick(&reading);
    let schema = &tool["inputSchema"];
    let required = schema["required"].as_array().into_iter().flatten();
    let arguments = required
        .map(|name| {
            let name = name.as_str().unwrap();
            let value = match name {
                "activity_id" => known.activity.clone(),
                "start_date" => json!(today() - 20.days()),
                "end_date" | "date" => json!(today() - 1.day()),
                "metric" => json!("distance"),
                _ => sample(&schema["properties"][name]),
            };
            (name.to_owned(), value)
        })
        .collect();
    call((tool["name"].as_str().unwrap(), Value::Object(arguments)))
}

/// A value of this schema.
fn sample(schema: &Value) -> Value {
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    match schema["type"].as_str() {
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(false),
        Some("array") => json!([]),
        Some("object") => json!({}),
        _ => json!("running"),
    }
}

/// A call that changes something at Garmin. `number` makes it different from all others.
pub(super) fn change(chance: &mut Chance, known: &Known, number: u64) -> Call {
    let (day, tomorrow) = (today(), today() + 1.day());
    let points = (600..630).fold(String::new(), |points, n| {
        points + &format!("<trkpt lat=\"46.{n}\" lon=\"14.3\"/>")
    });
    let gpx = format!("<gpx><trk><name>Ridge</name><trkseg>{points}</trkseg></trk></gpx>");
    let steps = json!([{ "kind": "interval", "duration_min": 30 }]);
    let changes = [
        (
            "add_weigh_in",
            json!({ "weight": 50.0 + f64::from(u32::try_from(number).unwrap()) / 10.0 }),
        ),
        (
            "add_hydration_data",
            json!({ "value_in_ml": 100 + number, "cdate": day, "timestamp": format!("{day}T00:15:00") }),
        ),
        (
            "set_blood_pressure",
            json!({ "systolic": 121, "diastolic": 79, "pulse": 40 + number % 60 }),
        ),
        (
            "set_activity_name",
            json!({ "activity_id": known.activity, "activity_name": known.activity_name }),
        ),
        (
            "create_manual_activity",
            json!({ "type_key": "running", "date": day, "duration_minutes": 45, "distance_km": 8.5 + 0.1 * f64::from(u32::try_from(number).unwrap()) }),
        ),
        // Two requests, one after the other.
        (
            "create_workout",
            json!({ "name": format!("W {number}"), "steps": steps, "date": tomorrow }),
        ),
        (
            "upsert_and_log",
            json!({ "meal_date": day, "meal_time": "12:00", "food_name": format!("S {number}"), "calories": 160, "carbs": 20 }),
        ),
        // A change that the gateway makes in several parts.
        (
            "schedule_week",
            json!({ "week": [{ "workout_id": 123_450, "date": tomorrow }, { "workout_id": 123_450, "date": day + 2.days() }] }),
        ),
        (
            "create_custom_food",
            json!({ "food_name": format!("F {number}"), "calories": 160 }),
        ),
        (
            "set_nutrition_daily_settings",
            json!({ "date": day, "calorie_goal": 2000 + number }),
        ),
        (
            "upload_course",
            json!({ "gpx": gpx, "course_name": format!("C {number}") }),
        ),
    ];
    let chosen = chance.below(changes.len());
    let (tool, mut arguments) = changes[chosen].clone();
    arguments["again"] = json!(true);
    call((tool, arguments))
}

/// A call of any of the gateway's own tools.
pub(super) fn own(chance: &mut Chance, known: &Known, number: u64) -> Call {
    let race = &known.race;
    let of_race = json!({ "race": race });
    let calls = [
        ("list_races", json!({})),
        ("get_tracking_status", of_race.clone()),
        ("get_timeseries", of_race.clone()),
        ("get_race_summary", of_race.clone()),
        ("get_outlook", of_race.clone()),
        ("ask_crew_sheet", of_race.clone()),
        ("start_tracking", json!({ "url": known.link })),
        (
            "start_tracking",
            json!({ "url": known.link, "continue_race": race }),
        ),
        (
            "update_thresholds",
            json!({ "race": race, "thresholds": { "hr_max": 150 } }),
        ),
        (
            "update_race",
            json!({ "race": race, "changes": { "name": format!("R {number}") } }),
        ),
        ("trigger_analysis", of_race.clone()),
        (
            "send_coaching_message",
            json!({ "race": race, "text": "Keep it easy." }),
        ),
        ("get_race_report", of_race.clone()),
        (
            "watch_place",
            json!({ "race": race, "action": "add", "place": "finish", "on": "enter" }),
        ),
        ("share_race", json!({ "race": race, "action": "make" })),
        ("set_phone", json!({ "ntfy_topic": "anns-own" })),
        ("stop_tracking", of_race),
        ("find_tools", json!({ "query": "sleep" })),
        ("choose_tools", json!({ "tools": "all" })),
        ("open_my_page", json!({})),
        ("keep_history", json!({ "action": "on" })),
        ("keep_history", json!({ "action": "off" })),
        (
            "grant_access",
            json!({ "to": "ben@example.org", "groups": ["sleep"], "until": today() + 3.days() }),
        ),
        ("withdraw_grant", json!({ "to": "ben@example.org" })),
        ("list_grants", json!({})),
        ("set_coach", json!({ "action": "on" })),
        ("set_coach", json!({ "action": "off" })),
    ];
    let chosen = chance.below(calls.len());
    call(calls[chosen].clone())
}

/// Wraps a call in a call of one of the tools that call other tools.
pub(super) fn found(outer: &str, (method, params): Call) -> Call {
    let inner = json!({ "tool": params["name"], "arguments": params["arguments"] });
    assert_eq!(method, "tools/call");
    call((outer, inner))
}

/// A file of an activity as a resource.
pub(super) fn resource(chance: &mut Chance, known: &Known) -> Call {
    let format = chance.pick(&["fit", "gpx", "tcx"]);
    let uri = format!("garmin://activity/{}/{format}", known.activity);
    ("resources/read", json!({ "uri": uri }))
}
