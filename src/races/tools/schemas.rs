//! The race tools as `tools/list` describes them. Titles and read-only hints come from the catalogue.

use serde_json::{Map, Value, json};

use super::arguments::LONGEST_WINDOW_MIN;
use crate::race::thresholds::THRESHOLDS;
use crate::races::answers::METRICS;
use crate::races::coaching::LONGEST_MESSAGE;

const RACE: &str = "Its id from list_races; left out: the newest.";

const CONTINUED: &str = "Only to continue a long answer: the number in its page.";

fn tool(name: &str, description: &str, properties: &Value, required: &[&str], open_world: bool) -> Value {
    json!({
        "name": name,
        "description": description,
        "inputSchema": {"type": "object", "properties": properties, "required": required, "additionalProperties": false},
        "annotations": {"openWorldHint": open_world},
    })
}

fn thresholds() -> Map<String, Value> {
    let field = |(name, min, max, unit): (&str, u32, u32, &str)| {
        (
            name.to_owned(),
            json!({"type": "integer", "minimum": min, "maximum": max, "description": unit}),
        )
    };
    THRESHOLDS.into_iter().map(field).collect()
}

fn race_config() -> Value {
    let mut fields = thresholds();
    let more = json!({
        "race_name": {"type": "string", "description": "What to call it."},
        "race_type": {"type": "string", "description": "marathon, half marathon, 10k, trail run, triathlon, 70.3, duathlon, bike, swim … In a triathlon hr_*, power_* and cadence_min are the bike's and run_* the run's."},
        "distance_km": {"type": "number", "description": "The official distance. A course file is scaled to it."},
        "target_time": {"type": "string", "description": "The time to finish in, h:mm:ss."},
        "checkpoints": {"type": "array", "description": "Places on the way: name, km, cutoff and target as h:mm:ss after the start, planned stop. Waypoints of the course are added; one of the same name decides the place.", "items": {"type": "object", "properties": {
            "name": {"type": "string"},
            "km": {"type": "number", "description": "Kilometres from the start."},
            "cutoff": {"type": "string", "description": "h:mm:ss after the start."},
            "target": {"type": "string", "description": "h:mm:ss after the start."},
            "stop_min": {"type": "integer", "minimum": 0, "maximum": 1440, "description": "Planned stop in minutes."},
        }}},
        "legs": {"type": "array", "description": "Legs of a race of several sports, in order.", "items": {"type": "object", "properties": {
            "sport": {"type": "string", "description": "swim, bike, run, walk, hike, row, kayak, paddle, ski or skate."},
            "km": {"type": "number"},
            "target": {"type": "string", "description": "Planned duration of the leg, h:mm:ss."},
        }}},
        "fuel": {"type": "string", "description": "What the athlete eats and drinks, and when."},
        "notes": {"type": "string", "description": "Notes of the coach."},
        "recipients": {"type": "array", "description": "Who reads the messages. A family gets at most 3 an hour, crew and coach what they choose.", "items": {"type": "object", "properties": {
            "role": {"type": "string", "description": "family, crew or coach."},
            "name": {"type": "string"},
            "language": {"type": "string", "description": "Such as en or de."},
            "units": {"type": "string", "description": "metric or imperial."},
            "messages_per_hour": {"type": "integer", "minimum": 1, "maximum": 60},
        }}},
        "course_gpx": {"type": "string", "description": "The text of the course's GPX file; elevations and waypoints are used."},
        "poll_interval_secs": {"type": "integer", "minimum": 5, "maximum": 600, "description": "Seconds between two looks at LiveTrack; 60."},
        "analyze_interval_secs": {"type": "integer", "minimum": 60, "maximum": 7200, "description": "Seconds between two analyses; 600."},
        "analyze_window_min": {"type": "integer", "minimum": 1, "maximum": 120, "description": "Minutes that an analysis is shown; 10."},
    });
    if let Value::Object(more) = more {
        fields.extend(more);
    }
    json!({"type": "object", "properties": fields, "additionalProperties": false, "description": "Limits and settings of the race; all may be left out."})
}

/// The input schema of one tool; `null` for an unknown one.
pub(super) fn input_of(tool: &str) -> Value {
    let mut tools = all().into_iter();
    let described = tools.find(|described| described.get("name").is_some_and(|name| name == tool));
    described
        .and_then(|mut described| Some(described.get_mut("inputSchema")?.take()))
        .unwrap_or_default()
}

#[expect(clippy::too_many_lines, reason = "a table: one entry a tool")]
pub(super) fn all() -> Vec<Value> {
    let race = json!({"type": "string", "description": RACE});
    let only_race = || json!({"race": race.clone()});
    vec![
        tool(
            "start_tracking",
            "Track a race live from its Garmin LiveTrack link: it is polled until it ends, every point is kept, and rules tell \
             the phone of the start, stops, lost signal, splits, limits that are passed, and the finish. Use it when somebody \
             shares a LiveTrack link (or the e-mail with it). Tracking goes on by itself; nothing must stay open.",
            &json!({
                "url": {"type": "string", "description": "The LiveTrack link, a gar.mn link, or the text of the e-mail."},
                "race_config": race_config(),
                "continue_race": {"type": "string", "description": "The id of a race that goes on with this new link, when the athlete had to start LiveTrack again."},
            }),
            &["url"],
            true,
        ),
        tool(
            "stop_tracking",
            "Stop tracking a race; what was recorded stays. Races stop by themselves at their end. Returns the summary.",
            &only_race(),
            &[],
            false,
        ),
        tool(
            "get_tracking_status",
            "How a race stands now: state (running, stopped, no_signal, finished …), elapsed and stale time, last point, \
             distance, leg, limits, poll errors, last alerts. \"no_signal\" is no stop: nothing is known then.",
            &only_race(),
            &[],
            false,
        ),
        tool(
            "get_timeseries",
            "The recorded data of a race as columns and rows: heart rate, power, cadence, speed, altitude, distance, position. \
             Without arguments the last 10 minutes. Where nothing was recorded there is no row.",
            &json!({
                "race": race.clone(),
                "window_min": {"type": "integer", "minimum": 1, "maximum": LONGEST_WINDOW_MIN, "description": "The last so many minutes; 10."},
                "from": {"type": "string", "description": "Instead of window_min: from this time (UTC) …"},
                "to": {"type": "string", "description": "… to this one."},
                "resolution_s": {"type": "integer", "minimum": 1, "maximum": 3600, "description": "Seconds in a row; left out, every point, or what keeps the answer readable."},
                "metrics": {"type": "array", "items": {"type": "string", "enum": METRICS}, "description": "Which columns."},
                "cursor": {"type": "integer", "minimum": 0, "description": CONTINUED},
            }),
            &[],
            false,
        ),
        tool(
            "update_thresholds",
            "Change limits of a race that is tracked: thresholds sets some, remove takes some away. Alerts follow at once.",
            &json!({
                "race": race.clone(),
                "thresholds": {"type": "object", "properties": thresholds(), "additionalProperties": false, "description": "The limits to set."},
                "remove": {"type": "array", "items": {"type": "string", "enum": THRESHOLDS.map(|(name, ..)| name)}, "description": "The limits to take away."},
            }),
            &[],
            false,
        ),
        tool(
            "update_race",
            "Change the plan of a race that is tracked: name, type, distance, course, checkpoints with cut-offs and stops, target, \
             legs, fuel, notes, recipients, limits, intervals. A value sets a field, null restores its default; a list replaces the \
             whole list. Returns plan and outlook.",
            &json!({"race": race.clone(), "changes": race_config()}),
            &["changes"],
            false,
        ),
        tool(
            "get_outlook",
            "When the athlete will be where: early, likely and late for the finish, every checkpoint and any place on the way, with \
             the margin to cut-offs; plan, distance and climb left, drift, time lost at stops, the last hour against the plan. Use it \
             for \"when will she be there?\" and \"does he make the cut-off?\".",
            &json!({
                "race": race.clone(),
                "place": {"type": "string", "description": "A checkpoint's name, \"finish\", kilometres from the start, or lat,lon on the course."},
            }),
            &[],
            false,
        ),
        tool(
            "ask_crew_sheet",
            "For the crew: the places ahead, where they are, when to be there, cut-offs and planned stops.",
            &only_race(),
            &[],
            false,
        ),
        tool(
            "trigger_analysis",
            "Have the race analysed now instead of at the next interval; coaching goes to the phone. Needs an analysis that is \
             set up on the server.",
            &only_race(),
            &[],
            true,
        ),
        tool(
            "send_coaching_message",
            "Send a short coaching message about a race that is tracked to the phone of its person. What it says is checked \
             against the recorded data: a message that the data does not support is held, and the answer says why.",
            &json!({
                "race": race.clone(),
                "text": {"type": "string", "minLength": 1, "maxLength": LONGEST_MESSAGE, "description": "One or two plain sentences."},
            }),
            &["text"],
            true,
        ),
        tool(
            "set_phone",
            "Set where the messages of this person's races go: their own Telegram chat, an ntfy topic, or both; with neither, back \
             to what the operator set. A message is sent there first, and nothing is changed where that fails. Use it when \
             somebody asks to be told on their own phone, and only with what they said themselves.",
            &json!({
                "telegram_chat": {"type": "string", "description": "The number of their chat, after they pressed Start at the operator's bot; @userinfobot tells it."},
                "ntfy_topic": {"type": "string", "description": "A name that nobody guesses, subscribed in their ntfy app. The operator's token is not used for it."},
            }),
            &[],
            true,
        ),
        tool(
            "list_races",
            "All races of this person, newest first, past ones too.",
            &json!({"cursor": {"type": "integer", "minimum": 0, "description": CONTINUED}}),
            &[],
            false,
        ),
        tool(
            "get_race_summary",
            "A race as a whole, under way or past: time, distance, splits, legs, heart-rate zones, stops, gaps in the data, alerts.",
            &only_race(),
            &[],
            false,
        ),
    ]
}
