//! The race tools of the connector: arguments in, a tool result out.
//!
//! Every tool uses only the caller's own races. Without `race` it uses the newest watched race, else the newest. An
//! error names the argument and says what is valid.

mod arguments;
mod calls;
mod error;
mod places;
mod schemas;
mod sharing;
mod table;
mod timeseries;

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use self::arguments::RaceArguments;
use self::calls::RaceCall;
use self::error::RaceToolError;
use self::table::{RaceTool, TOOLS, ToolAction};
use super::caller::RaceCaller;
use super::registry::Races;
use crate::tools::page::page;

/// The race tools. Clones share the same races.
#[derive(Clone)]
pub struct RaceTools(pub Races);

/// The argument that continues a long answer.
const CURSOR: &str = "cursor";

/// The tools that the token of a race may call.
pub const FOR_RACE: [&str; 3] = ["get_timeseries", "update_thresholds", "send_coaching_message"];

impl RaceTools {
    /// All tools, as entries of `tools/list`. The fields of a race and its limits are described once, at
    /// `start_tracking`.
    pub fn listings() -> Vec<Value> {
        let mut tools: Vec<Value> = TOOLS.iter().map(RaceTool::listing).collect();
        for (name, property, short) in [
            (
                "update_race",
                "changes",
                json!({"type": "object", "description": "Fields of race_config, as in start_tracking"}),
            ),
            (
                "update_thresholds",
                "thresholds",
                json!({"type": "object", "description": "Limits to set, as in start_tracking"}),
            ),
            (
                "update_thresholds",
                "remove",
                json!({"type": "array", "items": {"type": "string"}, "description": "Names to remove"}),
            ),
        ] {
            let mut named = tools.iter_mut();
            let tool = named.find(|tool| tool.get("name").is_some_and(|of| of == name));
            let path = format!("/inputSchema/properties/{property}");
            if let Some(described) = tool.and_then(|tool| tool.pointer_mut(&path)) {
                *described = short;
            }
        }
        tools
    }

    /// The tools of [`FOR_RACE`], as a JSON array.
    pub fn list_for_race() -> String {
        let tools = TOOLS.iter().filter(|tool| FOR_RACE.contains(&tool.name));
        Value::Array(tools.map(RaceTool::listing).collect()).to_string()
    }

    /// Calls a tool. A failure is also returned as a tool result. A race's token gives access to that race only.
    pub async fn call(&self, caller: &RaceCaller, tool: &str, arguments: Option<&RawValue>) -> Box<RawValue> {
        result(self.answer(caller, tool, arguments).await)
    }

    async fn answer(
        &self,
        caller: &RaceCaller,
        name: &str,
        arguments: Option<&RawValue>,
    ) -> Result<Value, RaceToolError> {
        let tool = RaceTool::named(name);
        let mut args = RaceArguments::read(&tool.map(RaceTool::input).unwrap_or_default(), arguments)?;
        let cursor = args.whole(CURSOR, 0, u32::MAX)?.unwrap_or_default() as usize;
        if let RaceCaller::Race(grant) = caller
            && (!args.is_for(&grant.race) || !FOR_RACE.contains(&name))
        {
            return Err(RaceToolError(
                "This token reaches one race, and only the tools of a race.".into(),
            ));
        }
        let tool = tool.ok_or_else(|| RaceToolError(format!("There is no tool {name}.")))?;
        let mut call = RaceCall {
            races: &self.0,
            caller,
            args,
        };
        let answer = match tool.action {
            ToolAction::Read(read) => read(&mut call)?,
            ToolAction::Act(act) => act(&mut call).await?,
        };
        Ok(page(&answer, cursor).unwrap_or(answer))
    }
}

fn result(answered: Result<Value, RaceToolError>) -> Box<RawValue> {
    let result = match answered {
        Ok(value) => {
            let text = value.to_string();
            // MCP requires an object here, so a bare list is wrapped in `result`.
            let structured = if value.is_object() {
                value
            } else {
                json!({"result": value})
            };
            json!({"content": [{"type": "text", "text": text}], "structuredContent": structured, "isError": false})
        }
        Err(reason) => json!({"content": [{"type": "text", "text": reason.to_string()}], "isError": true}),
    };
    to_raw_value(&result).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
