//! The form of a tool: a row of its module's table, with functions where a row is not enough.
//!
//! A row says which parameters the tool takes, what it requests from Garmin, and how it shapes the answer. Everything
//! else (argument checks, requests, failures, schemas) is the same for all rows. All tools so far read; a tool that
//! changes something at Garmin needs another variant of [`GarminQuery`].

use serde_json::{Map, Value, json};

use super::call::ToolCall;
use super::fields::{Changed, Field};
use super::garmin_get::GarminGet;
use super::parameter::{CURSOR, Parameter};

#[derive(Debug)]
pub(super) struct Tool {
    /// garmin_mcp's name of the tool.
    pub(super) name: &'static str,
    /// The description for the model; what the parameters mean stands in the schema.
    pub(super) about: &'static str,
    pub(super) parameters: &'static [Parameter],
    pub(super) ask: GarminQuery,
    pub(super) tell: AnswerShape,
    /// The text when Garmin has no data; `{parameter}` stands for an argument.
    pub(super) nothing: &'static str,
    /// The beginning of a failure's text; a colon and the reason follow.
    pub(super) failing: &'static str,
}

/// What a tool requests from Garmin.
#[derive(Debug)]
pub(super) enum GarminQuery {
    /// One GET: path and query, in which `{parameter}` stands for an argument and `{display_name}` for the person.
    Get(&'static str),
    Both(&'static str, &'static str),
    /// As many GETs as the arguments need; the answers keep this order.
    Made(fn(&ToolCall) -> Vec<GarminGet>),
    /// In rounds: the next GETs by the answers so far; none when there is nothing more to ask.
    Steps(fn(&ToolCall, &[&Value]) -> Vec<GarminGet>),
}

/// How a tool shapes Garmin's answers.
#[derive(Debug)]
pub(super) enum AnswerShape {
    /// Garmin's JSON unchanged.
    Raw,
    /// A selection of its keys.
    Fields(&'static [Field]),
    /// By a function of the call and the one answer, which is not empty.
    Shaped(fn(&ToolCall, &Value) -> Result<ToolAnswer, AnswerError>),
    /// By a function of the call and all answers, in the order of the requests. An answer without a body is `null`.
    Made(fn(&ToolCall, &[&Value]) -> Result<ToolAnswer, AnswerError>),
}

/// The answer of a tool.
#[derive(Debug, PartialEq)]
pub(super) enum ToolAnswer {
    Json(Value),
    /// Garmin's first answer unchanged.
    AsSent,
    /// The row's `nothing` text.
    Nothing,
    Text(String),
}

impl ToolAnswer {
    /// An object, or [`ToolAnswer::Nothing`] when it is empty.
    pub(super) fn object(members: Map<String, Value>) -> Self {
        if members.is_empty() {
            ToolAnswer::Nothing
        } else {
            ToolAnswer::Json(Value::Object(members))
        }
    }
}

/// Why an answer of Garmin's could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum AnswerError {
    #[error(transparent)]
    Changed(#[from] Changed),
    /// An argument that only Garmin could judge.
    #[error("{0}")]
    Argument(String),
    #[error("Garmin keeps the data of this profile private (privacyProtected)")]
    Private,
}

impl Tool {
    /// The entry of `tools/list`. There is no output schema: clients read the answer itself.
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

    /// Whether the answer may need more than one page, see [`super::page`].
    fn may_be_long(&self) -> bool {
        matches!(self.tell, AnswerShape::Raw) || self.parameters.iter().any(|p| p.name == "start_date")
    }

    /// The next requests of this call, by the answers so far.
    pub(super) fn next(&self, call: &ToolCall, answers: &[&Value]) -> Vec<GarminGet> {
        match self.ask {
            GarminQuery::Steps(next) => next(call, answers),
            _ if !answers.is_empty() => Vec::new(),
            GarminQuery::Get(one) => vec![call.get(one)],
            GarminQuery::Both(one, other) => vec![call.get(one), call.get(other)],
            GarminQuery::Made(make) => make(call),
        }
    }

    /// The answer of this call from Garmin's answers to the requests of [`Tool::next`].
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
