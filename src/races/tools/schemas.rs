//! The parts that input schemas of the race tools share.

use serde_json::{Map, Value, json};

use crate::race::thresholds::THRESHOLDS;

pub(super) const CONTINUED: &str = "Only to continue a long answer: the number in its page.";

pub(super) fn race() -> Value {
    json!({"type": "string", "description": "Its id; left out: the newest."})
}

pub(super) fn only_race() -> Value {
    json!({"race": race()})
}

pub(super) fn thresholds() -> Map<String, Value> {
    let field = |(name, min, max, unit): (&str, u32, u32, &str)| {
        (
            name.to_owned(),
            json!({"type": "integer", "minimum": min, "maximum": max, "description": unit}),
        )
    };
    THRESHOLDS.into_iter().map(field).collect()
}

pub(super) fn race_config() -> Value {
    let mut fields = thresholds();
    let more = json!({
        "race_name": {"type": "string", "description": "What to call it."},
        "race_type": {"type": "string", "description": "marathon, 10k, trail run, triathlon, 70.3, duathlon, bike, swim … In a triathlon run_* are the run's limits, the others the bike's."},
        "distance_km": {"type": "number", "minimum": 0, "description": "The official distance. A course file is scaled to it."},
        "target_time": {"type": "string", "description": "The time to finish in, h:mm:ss."},
        "checkpoints": {"type": "array", "description": "Places on the way. Waypoints of the course are added; the nearest of the same name decides the place.", "items": {"type": "object", "properties": {
            "name": {"type": "string", "description": "The place."},
            "km": {"type": "number", "minimum": 0, "description": "From the start."},
            "cutoff": {"type": "string", "description": "h:mm:ss after the start."},
            "target": {"type": "string", "description": "h:mm:ss after the start."},
            "stop_min": {"type": "integer", "minimum": 0, "maximum": 1440, "description": "Planned stop in minutes."},
        }}},
        "legs": {"type": "array", "description": "Legs of a race of several sports, in order.", "items": {"type": "object", "properties": {
            "sport": {"type": "string", "description": "swim, bike, run, walk, hike, row, kayak, paddle, ski or skate."},
            "km": {"type": "number", "minimum": 0, "description": "Its length."},
            "target": {"type": "string", "description": "Planned duration, h:mm:ss."},
        }}},
        "fuel": {"type": "string", "description": "What is eaten and drunk."},
        "notes": {"type": "string", "description": "Notes of the coach."},
        "recipients": {"type": "array", "description": "Who reads. The rules' messages come in their language and units, Claude's as written. Family: 3 an hour.", "items": {"type": "object", "properties": {
            "role": {"type": "string", "description": "family, crew or coach."},
            "name": {"type": "string", "description": "Who."},
            "language": {"type": "string", "description": "en, de, fr, es or it."},
            "units": {"type": "string", "description": "metric or imperial."},
            "messages": {"type": "string", "description": "all or important."},
            "messages_per_hour": {"type": "integer", "minimum": 1, "maximum": 60, "description": "At most."},
            "telegram": {"type": "string", "description": "\"invite\": a link to pass on; or a chat of the circle."},
            "ntfy_topic": {"type": "string", "description": "Or this; else the phone this name had."},
        }}},
        "time_zone": {"type": "string", "description": "Such as Europe/Vienna."},
        "course_gpx": {"type": "string", "description": "The text of the course's GPX file; elevations and waypoints are used."},
        "poll_interval_secs": {"type": "integer", "minimum": 5, "maximum": 600, "description": "Between looks at LiveTrack; 60."},
        "analyze_interval_secs": {"type": "integer", "minimum": 60, "maximum": 7200, "description": "Between analyses; 600."},
        "analyze_window_min": {"type": "integer", "minimum": 1, "maximum": 120, "description": "Minutes that an analysis is shown; 10."},
    });
    if let Value::Object(more) = more {
        fields.extend(more);
    }
    json!({"type": "object", "properties": fields, "additionalProperties": false, "description": "All may be left out."})
}
