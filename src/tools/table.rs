//! The definition of a tool: a row in the table of its module, with functions where data is not enough.
//!
//! A row lists the parameters of the tool, the requests to Garmin, and the shape of the answer. Everything else
//! (argument checks, requests, failures, schemas) is the same for all rows. All tools so far are read-only. A tool that
//! changes data at Garmin needs another variant of [`GarminQuery`].

use serde_json::{Map, Value, json};

use super::call::ToolCall;
use super::fields::{Changed, Field};
use super::garmin_get::GarminGet;
use super::parameter::{CURSOR, Parameter};

#[derive(Debug)]
pub(super) struct Tool {
    /// The tool's name, the same as in garmin_mcp.
    pub(super) name: &'static str,
    /// The description for the model. The schema explains the parameters.
    pub(super) about: &'static str,
    pub(super) parameters: &'static [Parameter],
    pub(super) ask: GarminQuery,
    pub(super) tell: AnswerShape,
    /// The text when Garmin has no data. Each `{parameter}` is replaced by its argument.
    pub(super) nothing: &'static str,
    /// The start of an error message. A colon and the reason follow.
    pub(super) failing: &'static str,
}

/// The requests that a tool sends to Garmin.
#[derive(Debug)]
pub(super) enum GarminQuery {
    /// One GET: path and query, with the placeholders `{parameter}` for an argument and `{display_name}` for the
    /// person.
    Get(&'static str),
    Both(&'static str, &'static str),
    /// GETs that a function builds from the arguments. The answers are in the same order.
    Made(fn(&ToolCall) -> Vec<GarminGet>),
    /// GETs in rounds. The function builds the next ones from the answers so far, and returns none when it is done.
    Steps(fn(&ToolCall, &[&Value]) -> Vec<GarminGet>),
}

/// The conversion of Garmin's answers to the tool's answer.
#[derive(Debug)]
pub(super) enum AnswerShape {
    /// Garmin's JSON is passed on unchanged.
    Raw,
    /// Selected keys of Garmin's document.
    Fields(&'static [Field]),
    /// A function of the call and the only answer, which is not empty.
    Shaped(fn(&ToolCall, &Value) -> Result<ToolAnswer, AnswerError>),
    /// A function of the call and all answers, in the order of the requests. An answer without a body is `null`.
    Made(fn(&ToolCall, &[&Value]) -> Result<ToolAnswer, AnswerError>),
}

#[derive(Debug, PartialEq)]
pub(super) enum ToolAnswer {
    Json(Value),
    /// Garmin's first answer is passed on unchanged.
    AsSent,
    /// The text of the row's member `nothing`.
    Nothing,
    Text(String),
}

impl ToolAnswer {
    /// The object, or [`ToolAnswer::Nothing`] if it has no members.
    pub(super) fn object(members: Map<String, Value>) -> Self {
        if members.is_empty() {
            ToolAnswer::Nothing
        } else {
            ToolAnswer::Json(Value::Object(members))
        }
    }
}

/// The reason why Garmin's answer could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum AnswerError {
    #[error(transparent)]
    Changed(#[from] Changed),
    /// An invalid argument that only Garmin's answer revealed.
    #[error("{0}")]
    Argument(String),
    #[error("Garmin keeps the data of this profile private (privacyProtected)")]
    Private,
}

impl Tool {
    /// The tool's entry in `tools/list`. It has no output schema, because clients can read the answer without one.
    pub(super) fn listing(&self) -> Value {
        let mut properties: Map<String, Value> = self
            .parameters
            .iter()
            .map(|p| (p.name.to_owned(), p.schema()))
            .collect();
        if self.may_be_long() {
            let cursor = json!({
                "type": "integer",
                "minimum": 0,
                "description": "Only to continue a long answer: the number that its `page` gives",
            });
            properties.insert(CURSOR.to_owned(), cursor);
        }
        let mut input = json!({"type": "object", "properties": properties});
        let required: Vec<&str> = self
            .parameters
            .iter()
            .filter(|p| p.default.is_none())
            .map(|p| p.name)
            .collect();
        if let (false, Some(input)) = (required.is_empty(), input.as_object_mut()) {
            input.insert("required".to_owned(), json!(required));
        }
        json!({"name": self.name, "description": self.about, "inputSchema": input})
    }

    /// Whether the answer may need more than one page; see [`super::page`].
    fn may_be_long(&self) -> bool {
        matches!(self.tell, AnswerShape::Raw) || self.parameters.iter().any(|p| p.name == "start_date")
    }

    /// The next requests of this call, given the answers so far.
    pub(super) fn next(&self, call: &ToolCall, answers: &[&Value]) -> Vec<GarminGet> {
        match self.ask {
            GarminQuery::Steps(next) => next(call, answers),
            _ if !answers.is_empty() => Vec::new(),
            GarminQuery::Get(one) => vec![call.get(one)],
            GarminQuery::Both(one, other) => vec![call.get(one), call.get(other)],
            GarminQuery::Made(make) => make(call),
        }
    }

    /// The tool's answer, converted from Garmin's answers to the requests of [`Tool::next`].
    pub(super) fn told(&self, call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
        let first = answers.first().copied().unwrap_or(&Value::Null);
        match self.tell {
            AnswerShape::Made(tell) => tell(call, answers),
            _ if super::json::is_empty(first) => Ok(ToolAnswer::Nothing),
            AnswerShape::Shaped(tell) => tell(call, first),
            AnswerShape::Raw => Ok(ToolAnswer::AsSent),
            AnswerShape::Fields(fields) => Ok(ToolAnswer::Json(Value::Object(super::fields::pick(
                fields, first,
            )?))),
        }
    }
}
