//! The form of a tool: a row of its module's table, with functions where a row is not enough.
//!
//! A row says which parameters the tool takes, what it requests from Garmin, and how it shapes the answer. Everything
//! else (argument checks, requests, failures, schemas) is the same for all rows. All tools so far read; a tool that
//! changes something at Garmin needs another variant of [`GarminQuery`].

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::call::{GarminGet, ToolCall};
use super::fields::{Changed, Field};

#[derive(Debug)]
pub(super) struct Tool {
    /// garmin_mcp's name of the tool.
    pub(super) name: &'static str,
    /// The description for the model; the descriptions of the parameters are appended.
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
    /// A day as YYYY-MM-DD, or `today` or `yesterday`.
    Day,
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
}

/// A default as the schema shows it.
#[derive(Debug, Clone, Copy)]
pub(super) enum DefaultValue {
    Nothing,
    Text(&'static str),
    Whole(i64),
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
    #[error("Garmin keeps the data of this profile private (privacyProtected)")]
    Private,
}

impl Parameter {
    /// A required day.
    pub(super) const fn day(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            kind: ParameterKind::Day,
            default: None,
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

    /// The JSON schema in pydantic's form: default, title and type in alphabetical order.
    fn schema(&self) -> Value {
        let mut schema = Map::new();
        if let ParameterKind::Id = self.kind {
            schema.insert(
                "anyOf".to_owned(),
                json!([{"type": "integer"}, {"type": "string"}]),
            );
        }
        match self.default {
            None => {}
            Some(DefaultValue::Nothing) => drop(schema.insert("default".to_owned(), Value::Null)),
            Some(DefaultValue::Text(text)) => drop(schema.insert("default".to_owned(), json!(text))),
            Some(DefaultValue::Whole(number)) => drop(schema.insert("default".to_owned(), json!(number))),
        }
        schema.insert("title".to_owned(), json!(title(self.name)));
        match self.kind {
            ParameterKind::Day | ParameterKind::LastDay { .. } | ParameterKind::Text => {
                drop(schema.insert("type".to_owned(), json!("string")));
            }
            ParameterKind::Whole { .. } => drop(schema.insert("type".to_owned(), json!("integer"))),
            ParameterKind::Id => {}
        }
        Value::Object(schema)
    }
}

impl Tool {
    /// The entry of `tools/list`, with the schemas that FastMCP generates for the same signature.
    pub(super) fn listing(&self) -> Value {
        let properties: Map<String, Value> = self
            .parameters
            .iter()
            .map(|p| (p.name.to_owned(), p.schema()))
            .collect();
        let required: Vec<&str> = self
            .parameters
            .iter()
            .filter(|p| p.default.is_none())
            .map(|p| p.name)
            .collect();
        let mut input = Map::new();
        input.insert("properties".to_owned(), Value::Object(properties));
        if !required.is_empty() {
            input.insert("required".to_owned(), json!(required));
        }
        input.insert("title".to_owned(), json!(format!("{}Arguments", self.name)));
        input.insert("type".to_owned(), json!("object"));
        json!({
            "name": self.name,
            "description": self.description(),
            "inputSchema": input,
            "outputSchema": {
                "properties": {"result": {"title": "Result", "type": "string"}},
                "required": ["result"],
                "title": format!("{}Output", self.name),
                "type": "object",
            },
        })
    }

    fn description(&self) -> String {
        let mut text = self.about.to_owned();
        if !self.parameters.is_empty() {
            text.push_str("\n\nArgs:");
        }
        for parameter in self.parameters {
            text.push_str("\n    ");
            text.push_str(parameter.name);
            text.push_str(": ");
            text.push_str(parameter.about);
        }
        text
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

/// `start_date` → `Start Date`, pydantic's title of a parameter.
fn title(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_ascii_uppercase().to_string() + letters.as_str()
        })
    };
    name.split('_').map(word).collect::<Vec<_>>().join(" ")
}

pub(super) const DAY_FORM: &str = "a day as YYYY-MM-DD";

/// Reads a day: `YYYY-MM-DD`, `today` or `yesterday`.
pub(super) fn day(text: &str, today: &impl Fn() -> Date) -> Option<Date> {
    match text.trim() {
        "today" => Some(today()),
        "yesterday" => today().yesterday().ok(),
        // The parser also accepts other ISO forms (20260108), which Garmin's URLs do not.
        day if day.len() == 10 => day.parse().ok(),
        _ => None,
    }
}
