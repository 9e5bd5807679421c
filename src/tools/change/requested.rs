//! The change that a call asks for, so that the gateway can recognize a repetition without carrying it out.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::super::call::ToolCall;
use super::super::table::{Effect, Tool};

/// A change that a call asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedChange {
    /// A text that is equal for two calls that ask for the same change, however they were written. It contains the
    /// person's data.
    pub content: String,
    /// Whether an equal change that was made a moment ago is wanted once more.
    pub again: bool,
}

impl RequestedChange {
    /// `None` if the tool changes nothing, the call is a preview, or its arguments are refused. `today` means the day
    /// in UTC, so a repetition around midnight is recognized only if the calls name the date.
    pub(in crate::tools) fn of(tool: &Tool, arguments: &Map<String, Value>, now: Timestamp) -> Option<Self> {
        if tool.effect() == Effect::Read {
            return None;
        }
        let call = ToolCall::check(tool.parameters, arguments, &now.to_zoned(TimeZone::UTC)).ok()?;
        (!call.dry_run).then(|| Self::of_call(tool, &call))
    }

    pub(in crate::tools) fn of_call(tool: &Tool, call: &ToolCall) -> Self {
        Self {
            content: format!("{} {}", tool.name, call.fingerprint()),
            again: call.again,
        }
    }
}
