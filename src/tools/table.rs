//! The form of a tool: a row of its module's table, with functions where a row is not enough.
//!
//! A row says which parameters the tool takes, what it requests from Garmin, and how it shapes the answer. Everything
//! else (argument checks, requests, failures, schemas) is the same for all rows. All tools so far read; a tool that
//! changes something at Garmin needs another variant of [`GarminQuery`].

use serde_json::{Map, Value, json};

use super::call::{GarminGet, ToolCall};
use super::fields::{Changed, Field};

/// The argument with which every tool continues a long answer.
pub(super) const CURSOR: &str = "cursor";

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

#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) kind: ParameterKind,
    /// The value when it is left out; `None` = it is required.
    pub(super) default: Option<DefaultValue>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum ParameterKind {
    /// A day, see [`super::days`]. Days without data yet are refused unless `may_be_future`.
    Day {
        may_be_future: bool,
    },
    /// The last day of a range that begins on `start_date` and has at most `within` days.
    LastDay {
        within: i64,
    },
    Text,
    /// An integer. A larger one counts as `most`; a smaller one counts as `least`, or is refused.
    Whole {
        least: i64,
        most: i64,
        refuse_less: bool,
    },
    /// An id of Garmin's: a positive integer, or the same as text.
    Id,
    /// Yes or no.
    Flag,
}

/// A default as the schema shows it.
#[derive(Debug, Clone, Copy)]
pub(super) enum DefaultValue {
    Nothing,
    Text(&'static str),
    Whole(i64),
    Flag(bool),
}

/// What a tool requests from Garmin.
#[derive(Debug)]
pub(super) enum GarminQuery {
    /// One GET: path and query, in which `{parameter}` stands for an argument and `{display_name}` for the person.
    Get(&'static str),
    Both(&'static str, &'static str),
    /// As many GETs as the arguments need; the answers keep this order.
    Made(fn(&ToolCall) -> Vec<GarminGet>),
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

impl Parameter {
    /// A required day.
    pub(super) const fn day(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            kind: ParameterKind::Day { may_be_future: false },
            default: None,
        }
    }

    /// Also accepts days to come.
    pub(super) const fn may_be_future(self) -> Self {
        Self {
            kind: ParameterKind::Day { may_be_future: true },
            ..self
        }
    }

    /// The required last day of a range of at most `within` days.
    pub(super) const fn last_day(name: &'static str, about: &'static str, within: i64) -> Self {
        Self {
            name,
            about,
            kind: ParameterKind::LastDay { within },
            default: None,
        }
    }

    /// A required id.
    pub(super) const fn id(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            kind: ParameterKind::Id,
            default: None,
        }
    }

    /// An optional text.
    pub(super) const fn text(name: &'static str, about: &'static str, default: &'static str) -> Self {
        Self {
            name,
            about,
            kind: ParameterKind::Text,
            default: Some(DefaultValue::Text(default)),
        }
    }

    /// A required text.
    pub(super) const fn required_text(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            kind: ParameterKind::Text,
            default: None,
        }
    }

    /// Yes or no; no when it is left out.
    pub(super) const fn flag(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            kind: ParameterKind::Flag,
            default: Some(DefaultValue::Flag(false)),
        }
    }

    /// An optional integer. Values outside the bounds count as the nearer bound.
    pub(super) const fn whole(
        name: &'static str,
        about: &'static str,
        (least, most): (i64, i64),
        default: i64,
    ) -> Self {
        let kind = ParameterKind::Whole {
            least,
            most,
            refuse_less: false,
        };
        Self {
            name,
            about,
            kind,
            default: Some(DefaultValue::Whole(default)),
        }
    }

    /// Makes the parameter optional, without a default.
    pub(super) const fn optional(self) -> Self {
        Self {
            default: Some(DefaultValue::Nothing),
            ..self
        }
    }

    /// Refuses a number below the lower bound instead of raising it.
    pub(super) const fn refuse_less(self) -> Self {
        let kind = match self.kind {
            ParameterKind::Whole { least, most, .. } => ParameterKind::Whole {
                least,
                most,
                refuse_less: true,
            },
            other => other,
        };
        Self { kind, ..self }
    }

    /// The JSON schema (2020-12): one type, and what the value means.
    fn schema(&self) -> Value {
        let mut schema = match self.kind {
            ParameterKind::Day { .. } | ParameterKind::LastDay { .. } | ParameterKind::Text => {
                json!({"type": "string", "description": self.about})
            }
            ParameterKind::Whole { least, most, .. } => {
                json!({"type": "integer", "minimum": least, "maximum": most, "description": self.about})
            }
            ParameterKind::Flag => json!({"type": "boolean", "description": self.about}),
            ParameterKind::Id => json!({"type": "integer", "minimum": 1, "description": self.about}),
        };
        let default = match self.default {
            None | Some(DefaultValue::Nothing) => Value::Null,
            Some(DefaultValue::Text(text)) => json!(text),
            Some(DefaultValue::Whole(number)) => json!(number),
            Some(DefaultValue::Flag(flag)) => json!(flag),
        };
        if let (false, Some(schema)) = (default.is_null(), schema.as_object_mut()) {
            schema.insert("default".to_owned(), default);
        }
        schema
    }
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

    /// The requests of this call, in order.
    pub(super) fn gets(&self, call: &ToolCall) -> Vec<GarminGet> {
        match self.ask {
            GarminQuery::Get(one) => vec![call.get(one)],
            GarminQuery::Both(one, other) => vec![call.get(one), call.get(other)],
            GarminQuery::Made(make) => make(call),
        }
    }

    /// The answer of this call from Garmin's answers to [`Tool::gets`].
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
