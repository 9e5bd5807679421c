//! The race tools, one row each. Titles and read-only hints come from the catalogue.

use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::arguments::LONGEST_WINDOW_MIN;
use super::calls::{self, RaceCall};
use super::error::RaceToolError;
use super::places::watch_place;
use super::schemas::{CONTINUED, only_race, race, race_config, thresholds};
use super::sharing::share_race;
use super::timeseries::get_timeseries;
use crate::race::place_rule::RADIUS_M;
use crate::race::share::ShareRole;
use crate::race::thresholds::THRESHOLDS;
use crate::races::answers::METRICS;
use crate::races::coaching::LONGEST_MESSAGE;
use crate::tools::output_schema::property;

/// One tool: how `tools/list` describes it, and what a call does.
pub(super) struct RaceTool {
    pub(super) name: &'static str,
    about: &'static str,
    /// The properties of the input schema.
    properties: fn() -> Value,
    required: &'static [&'static str],
    is_open_world: bool,
    pub(super) action: ToolAction,
}

/// A call returns JSON, which is paged afterwards.
pub(super) enum ToolAction {
    Read(fn(&mut RaceCall<'_>) -> Result<Value, RaceToolError>),
    Act(for<'a> fn(&'a mut RaceCall<'_>) -> BoxFuture<'a, Result<Value, RaceToolError>>),
}

impl RaceTool {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        TOOLS.iter().find(|tool| tool.name == name)
    }

    pub(super) fn input(&self) -> Value {
        json!({"type": "object", "properties": (self.properties)(), "required": self.required, "additionalProperties": false})
    }

    /// The entry of `tools/list`.
    pub(super) fn listing(&self) -> Value {
        let mut listing = json!({
            "name": self.name,
            "description": self.about,
            "inputSchema": self.input(),
            "annotations": {"openWorldHint": self.is_open_world},
        });
        if let (Some(output), Some(members)) = (output_schema(self.name), listing.as_object_mut()) {
            members.insert("outputSchema".to_owned(), output);
        }
        listing
    }
}

/// The output schema of a tool that reads; `None` for a tool that acts. No member is required, because answers omit
/// what a race does not have.
fn output_schema(tool: &str) -> Option<Value> {
    let outputs: Value = serde_json::from_str(include_str!("outputs.json")).ok()?;
    let mut properties = Map::new();
    for (name, described) in outputs.get(tool)?.as_object()? {
        let property = property(described.get(0)?.as_str()?, described.get(1)?.as_str()?);
        properties.insert(name.clone(), property);
    }
    Some(json!({"type": "object", "properties": properties}))
}

pub(super) const TOOLS: &[RaceTool] = &[
    RaceTool {
        name: "start_tracking",
        about: "Track a race live from its Garmin LiveTrack link: the gateway polls it to the end, keeps every point, and messages \
             the phone about the start, stops, lost signal, splits, limits passed, and the finish.",
        properties: || {
            json!({
                "url": {"type": "string", "description": "The LiveTrack link, a gar.mn link, or the text of the e-mail."},
                "race_config": race_config(),
                "continue_race": {"type": "string", "description": "A race that goes on with this new link."},
            })
        },
        required: &["url"],
        is_open_world: true,
        action: ToolAction::Act(|call| Box::pin(calls::start_tracking(call))),
    },
    RaceTool {
        name: "stop_tracking",
        about: "Stop tracking a race; what was recorded is kept. Returns the summary.",
        properties: only_race,
        required: &[],
        is_open_world: false,
        action: ToolAction::Act(|call| Box::pin(calls::stop_tracking(call))),
    },
    RaceTool {
        name: "get_tracking_status",
        about: "How a race stands now: state (running, stopped, no_signal, finished …), elapsed and stale time, last point, \
             distance, leg, limits, poll errors, last alerts. \"no_signal\" is not a stop: nothing is known then.",
        properties: only_race,
        required: &[],
        is_open_world: false,
        action: ToolAction::Read(calls::get_tracking_status),
    },
    RaceTool {
        name: "get_timeseries",
        about: "The recorded data of a race as columns: heart rate, power, cadence, speed, altitude, distance, position. \
             Where nothing was recorded there is no value.",
        properties: || {
            json!({
                "race": race(),
                "window_min": {"type": "integer", "minimum": 1, "maximum": LONGEST_WINDOW_MIN, "description": "The last N minutes; 10."},
                "from": {"type": "string", "description": "Instead of window_min: from this time …"},
                "to": {"type": "string", "description": "… to this one."},
                "resolution_s": {"type": "integer", "minimum": 1, "maximum": 3600, "description": "Seconds per value."},
                "metrics": {"type": "array", "items": {"type": "string", "enum": METRICS}, "description": "Which columns."},
                "cursor": {"type": "integer", "minimum": 0, "description": CONTINUED},
            })
        },
        required: &[],
        is_open_world: false,
        action: ToolAction::Read(get_timeseries),
    },
    RaceTool {
        name: "update_thresholds",
        about: "Change limits of a race that is tracked: thresholds sets some, remove takes some away.",
        properties: || {
            json!({
                "race": race(),
                "thresholds": {"type": "object", "properties": thresholds(), "additionalProperties": false, "description": "The limits to set."},
                "remove": {"type": "array", "items": {"type": "string", "enum": THRESHOLDS.map(|(name, ..)| name)}, "description": "The limits to remove."},
            })
        },
        required: &[],
        is_open_world: false,
        action: ToolAction::Act(|call| Box::pin(calls::update_thresholds(call))),
    },
    RaceTool {
        name: "update_race",
        about: "Change the plan of a race that is tracked. A value sets a field, null restores its default; a list replaces the \
             whole list. Returns plan and outlook.",
        properties: || json!({"race": race(), "changes": race_config()}),
        required: &["changes"],
        is_open_world: false,
        action: ToolAction::Act(|call| Box::pin(calls::update_race(call))),
    },
    RaceTool {
        name: "get_outlook",
        about: "When the athlete will be where: early, likely and late for the finish, every checkpoint and any place on the way, with \
             the margin to cut-offs; plan, distance and climb left, drift, time lost at stops, the last hour against the plan. Use it \
             for \"when will she be there?\" and \"does he make the cut-off?\".",
        properties: || {
            json!({
                "race": race(),
                "place": {"type": "string", "description": "A checkpoint, \"finish\", km, or lat,lon on the course."},
            })
        },
        required: &[],
        is_open_world: false,
        action: ToolAction::Read(calls::get_outlook),
    },
    RaceTool {
        name: "ask_crew_sheet",
        about: "For the crew: the places ahead, where they are, when to be there, cut-offs and planned stops.",
        properties: only_race,
        required: &[],
        is_open_world: false,
        action: ToolAction::Read(calls::ask_crew_sheet),
    },
    RaceTool {
        name: "trigger_analysis",
        about: "Have the race analysed now instead of at the next interval; coaching goes to the phone.",
        properties: only_race,
        required: &[],
        is_open_world: true,
        action: ToolAction::Read(calls::trigger_analysis),
    },
    RaceTool {
        name: "send_coaching_message",
        about: "Send a short coaching message about a race that is tracked to the phone of its person. What it says is checked \
             against the recorded data: a message that the data does not support is held, and the answer says why.",
        properties: || {
            json!({
                "race": race(),
                "text": {"type": "string", "minLength": 1, "maxLength": LONGEST_MESSAGE, "description": "One or two plain sentences."},
            })
        },
        required: &["text"],
        is_open_world: true,
        action: ToolAction::Act(|call| Box::pin(calls::send_coaching_message(call))),
    },
    RaceTool {
        name: "share_race",
        about: "Make, list or end private links to a race's live page; no account needed. family: no heart rate, power, texts, \
             place near start and end.",
        properties: || {
            json!({
                "race": {"type": "string", "description": "Its id"},
                "action": {"type": "string", "enum": ["make", "list", "end"], "description": "What to do"},
                "role": {"type": "string", "enum": ShareRole::ALL.map(ShareRole::name), "description": "For whom"},
                "name": {"type": "string", "description": "Shown; else nobody"},
                "privacy_m": {"type": "integer", "minimum": 0, "description": "Hidden radius; 300"},
                "hours_after": {"type": "integer", "minimum": 1, "description": "Stays; 24"},
                "with": {"type": "string", "description": "Another's link, to join"},
                "share": {"type": "string", "description": "To end; else all"},
            })
        },
        required: &["action"],
        is_open_world: false,
        action: ToolAction::Act(|call| Box::pin(share_race(call))),
    },
    RaceTool {
        name: "watch_place",
        about: "Tell the phone when an athlete is not at a place by a time (no-show, also without signal), comes, or goes.",
        properties: || {
            json!({
                "race": {"type": "string", "description": "Its id"},
                "action": {"type": "string", "enum": ["add", "list", "remove"], "description": "What to do"},
                "place": {"type": "string", "description": "Checkpoint, \"finish\", km, or lat,lon"},
                "by": {"type": "string", "description": "Not there by 14:00"},
                "on": {"type": "string", "enum": ["enter", "leave"], "description": "Or when"},
                "radius_m": {"type": "integer", "minimum": RADIUS_M.0, "description": "Around lat,lon; 100"},
                "name": {"type": "string", "description": "Its name"},
            })
        },
        required: &["action"],
        is_open_world: false,
        action: ToolAction::Act(|call| Box::pin(watch_place(call))),
    },
    RaceTool {
        name: "set_phone",
        about: "Send the messages of this person's races to their own Telegram chat, an ntfy topic, or both; with neither, back to \
             what the operator set. A test message is sent first. Use only what they said themselves.",
        properties: || {
            json!({
                "telegram_chat": {"type": "string", "description": "The number of their chat, after they pressed Start at the operator's bot; @userinfobot shows it."},
                "ntfy_topic": {"type": "string", "description": "A name that nobody guesses, subscribed in their ntfy app. The operator's token is not used for it."},
            })
        },
        required: &[],
        is_open_world: true,
        action: ToolAction::Act(|call| Box::pin(calls::set_phone(call))),
    },
    RaceTool {
        name: "list_races",
        about: "All races of this person, newest first, past ones too.",
        properties: || json!({"cursor": {"type": "integer", "minimum": 0, "description": CONTINUED}}),
        required: &[],
        is_open_world: false,
        action: ToolAction::Read(calls::list_races),
    },
    RaceTool {
        name: "get_race_summary",
        about: "A race as a whole, under way or past: time, distance, splits, legs, heart-rate zones, stops, gaps in the data, alerts.",
        properties: only_race,
        required: &[],
        is_open_world: false,
        action: ToolAction::Read(calls::get_race_summary),
    },
    RaceTool {
        name: "get_race_report",
        about: "The report of a race to read or to share: Markdown with the result, legs, splits, places and stops, each against \
                the plan, the drift of the heart rate, and what was said.",
        properties: only_race,
        required: &[],
        is_open_world: false,
        action: ToolAction::Read(calls::get_race_report),
    },
];
