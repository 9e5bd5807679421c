//! What a tool is: a row of its module's table, and where the row does not suffice, a function.
//!
//! A row says what the tool takes, what it asks Garmin, and how it tells the answer. Everything else (checking
//! arguments, asking, telling failures, schemas) is the same for all rows and lives beside this file. A tool that
//! changes something at Garmin will need one more form of [`Ask`]; all tools so far read.

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::call::{Call, Get};
use super::fields::{Changed, Field};

/// One tool.
#[derive(Debug)]
pub(super) struct Tool {
    /// As `garmin_mcp` calls it.
    pub(super) name: &'static str,
    /// What it is for, told to the model; what the arguments mean is added from `parameters`.
    pub(super) about: &'static str,
    pub(super) parameters: &'static [Parameter],
    pub(super) ask: Ask,
    pub(super) tell: Tell,
    /// The text when Garmin has nothing; `{parameter}` stands for an argument.
    pub(super) nothing: &'static str,
    /// How the text of a failure begins; a colon and the reason follow.
    pub(super) failing: &'static str,
}

/// One parameter of a tool.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) kind: Kind,
    /// What counts when it is left out; none: it must be given.
    pub(super) default: Option<Default>,
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A day as YYYY-MM-DD, or `today` or `yesterday`.
    Day,
    /// The last day of a range that begins on `start_date` and has at most so many days.
    LastDay { within: i64 },
    /// Any text.
    Text,
    /// A whole number. More than `most` counts as `most`; less than `least` counts as `least`, or is refused.
    Whole {
        least: i64,
        most: i64,
        refuse_less: bool,
    },
    /// The number of something at Garmin, as a number or as text.
    Id,
}

/// A default as it stands in the schema.
#[derive(Debug, Clone, Copy)]
pub(super) enum Default {
    Nothing,
    Text(&'static str),
    Whole(i64),
}

/// What is asked of Garmin.
#[derive(Debug)]
pub(super) enum Ask {
    /// One GET: path and query in which `{parameter}` stands for an argument and `{display_name}` for the person.
    Get(&'static str),
    /// Two of them.
    Both(&'static str, &'static str),
    /// As many as the arguments call for; the answers keep this order.
    Made(fn(&Call) -> Vec<Get>),
}

/// How the answer is told.
#[derive(Debug)]
pub(super) enum Tell {
    /// As Garmin sent it.
    Raw,
    /// These keys of it.
    Fields(&'static [Field]),
    /// By a function of the call and the one answer, in which there is something.
    Shaped(fn(&Call, &Value) -> Result<Told, Untold>),
    /// By a function of the call and all answers, in the order asked. An answer without a body is `null`.
    Made(fn(&Call, &[&Value]) -> Result<Told, Untold>),
}

/// What a tool has to tell.
#[derive(Debug, PartialEq)]
pub(super) enum Told {
    Json(Value),
    /// Garmin's (first) answer as it is.
    AsSent,
    /// The row's `nothing`.
    Nothing,
    /// Words instead of JSON.
    Text(String),
}

impl Told {
    /// An object, or [`Told::Nothing`] when nothing filled it.
    pub(super) fn object(members: Map<String, Value>) -> Self {
        if members.is_empty() {
            Told::Nothing
        } else {
            Told::Json(Value::Object(members))
        }
    }
}

/// Why an answer of Garmin's could not be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Untold {
    #[error(transparent)]
    Changed(#[from] Changed),
    /// Garmin hides the data of this profile.
    #[error("Garmin keeps the data of this profile private (privacyProtected)")]
    Private,
}

impl Parameter {
    /// A day that must be given.
    pub(super) const fn day(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            kind: Kind::Day,
            default: None,
        }
    }

    /// The last day of a range of at most so many days; must be given.
    pub(super) const fn last_day(name: &'static str, about: &'static str, within: i64) -> Self {
        Self {
            name,
            about,
            kind: Kind::LastDay { within },
            default: None,
        }
    }

    /// The number of something at Garmin; must be given.
    pub(super) const fn id(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            kind: Kind::Id,
            default: None,
        }
    }

    /// A text that may be left out.
    pub(super) const fn text(name: &'static str, about: &'static str, default: &'static str) -> Self {
        Self {
            name,
            about,
            kind: Kind::Text,
            default: Some(Default::Text(default)),
        }
    }

    /// A whole number that may be left out: `least` to `most`, what is beyond counts as the bound.
    pub(super) const fn whole(
        name: &'static str,
        about: &'static str,
        (least, most): (i64, i64),
        default: i64,
    ) -> Self {
        let kind = Kind::Whole {
            least,
            most,
            refuse_less: false,
        };
        Self {
            name,
            about,
            kind,
            default: Some(Default::Whole(default)),
        }
    }

    /// The same parameter, which may be left out.
    pub(super) const fn optional(self) -> Self {
        Self {
            default: Some(Default::Nothing),
            ..self
        }
    }

    /// The same parameter; a number below its least is refused instead of raised.
    pub(super) const fn refuse_less(self) -> Self {
        let kind = match self.kind {
            Kind::Whole { least, most, .. } => Kind::Whole {
                least,
                most,
                refuse_less: true,
            },
            other => other,
        };
        Self { kind, ..self }
    }

    /// Its schema as pydantic writes it: default, title and type in alphabetical order.
    fn schema(&self) -> Value {
        let mut schema = Map::new();
        if let Kind::Id = self.kind {
            schema.insert(
                "anyOf".to_owned(),
                json!([{"type": "integer"}, {"type": "string"}]),
            );
        }
        match self.default {
            None => {}
            Some(Default::Nothing) => drop(schema.insert("default".to_owned(), Value::Null)),
            Some(Default::Text(text)) => drop(schema.insert("default".to_owned(), json!(text))),
            Some(Default::Whole(number)) => drop(schema.insert("default".to_owned(), json!(number))),
        }
        schema.insert("title".to_owned(), json!(title(self.name)));
        match self.kind {
            Kind::Day | Kind::LastDay { .. } | Kind::Text => {
                drop(schema.insert("type".to_owned(), json!("string")));
            }
            Kind::Whole { .. } => drop(schema.insert("type".to_owned(), json!("integer"))),
            Kind::Id => {}
        }
        Value::Object(schema)
    }
}

impl Tool {
    /// The tool as `tools/list` tells it, with the schemas that FastMCP makes of the same signature.
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

    /// What this call asks of Garmin, in order.
    pub(super) fn gets(&self, call: &Call) -> Vec<Get> {
        match self.ask {
            Ask::Get(one) => vec![call.get(one)],
            Ask::Both(one, other) => vec![call.get(one), call.get(other)],
            Ask::Made(make) => make(call),
        }
    }

    /// What Garmin's answers to [`Tool::gets`] tell.
    pub(super) fn told(&self, call: &Call, answers: &[&Value]) -> Result<Told, Untold> {
        let first = answers.first().copied().unwrap_or(&Value::Null);
        match self.tell {
            Tell::Made(tell) => tell(call, answers),
            _ if super::json::is_empty(first) => Ok(Told::Nothing),
            Tell::Shaped(tell) => tell(call, first),
            Tell::Raw => Ok(Told::AsSent),
            Tell::Fields(fields) => Ok(Told::Json(Value::Object(super::fields::pick(fields, first)?))),
        }
    }
}

/// `start_date` → `Start Date`, as pydantic titles a parameter.
fn title(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_ascii_uppercase().to_string() + letters.as_str()
        })
    };
    name.split('_').map(word).collect::<Vec<_>>().join(" ")
}

/// Days as the tools take them.
pub(super) const DAY_FORM: &str = "a day as YYYY-MM-DD";

/// The day that a text means.
pub(super) fn day(text: &str, today: &impl Fn() -> Date) -> Option<Date> {
    match text.trim() {
        "today" => Some(today()),
        "yesterday" => today().yesterday().ok(),
        // Date's own parser also takes other ISO forms (20260108), which Garmin's URLs don't.
        day if day.len() == 10 => day.parse().ok(),
        _ => None,
    }
}
