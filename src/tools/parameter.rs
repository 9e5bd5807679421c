//! The parameters of a tool: their accepted values and their JSON schemas.

use serde_json::{Map, Value, json};

/// The name of the argument with which every tool continues a long answer.
pub(super) const CURSOR: &str = "cursor";
/// The name of the argument with which every tool that changes something only shows what it would do.
pub(super) const DRY_RUN: &str = "dry_run";
/// The name of the argument that allows the same change twice within a few minutes.
pub(super) const AGAIN: &str = "again";

#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) kind: ParameterKind,
    /// The value when the argument is omitted; `None` = it is required.
    pub(super) default: Option<DefaultValue>,
    /// The most characters of a text.
    pub(super) longest: usize,
    /// What to do instead of giving a number below the lower bound; the error message ends with it.
    pub(super) advice: &'static str,
}

/// The most characters of a text, unless its parameter has another bound.
const LONGEST_TEXT: usize = 255;
/// The most characters of a description or a note.
pub(super) const LONGEST_DESCRIPTION: usize = 5_000;

#[derive(Debug, Clone, Copy)]
pub(super) enum ParameterKind {
    /// A day; see [`super::days`]. Future days are rejected unless `may_be_future`.
    Day {
        may_be_future: bool,
    },
    /// The last day of a range that begins on `start_date` and has at most `within` days.
    LastDay {
        within: i64,
    },
    Text,
    /// One of Garmin's ids: a positive integer, as a number or as text.
    Id,
    /// A Boolean value: yes or no.
    Flag,
    /// One of a fixed list of words.
    OneOf(&'static [&'static str]),
    /// A number. A value outside the bounds is rejected.
    Number {
        least: f64,
        most: f64,
    },
    /// An integer. A value outside the bounds is rejected.
    Integer {
        least: i64,
        most: i64,
    },
    /// A list of at most `most` items. The item's own name and default are not used.
    List {
        item: &'static Parameter,
        most: usize,
    },
    /// An object with these members. Other members are rejected, except in Garmin's documents, which pass them on
    /// unchanged.
    Object {
        members: &'static [Parameter],
        is_document: bool,
    },
}

/// A default value, as the schema shows it.
#[derive(Debug, Clone, Copy)]
pub(super) enum DefaultValue {
    Nothing,
    Text(&'static str),
    Whole(i64),
    Number(f64),
    Flag(bool),
}

impl Parameter {
    const fn of(
        name: &'static str,
        about: &'static str,
        kind: ParameterKind,
        default: Option<DefaultValue>,
    ) -> Self {
        Self {
            name,
            about,
            kind,
            default,
            longest: LONGEST_TEXT,
            advice: "",
        }
    }

    pub(super) const fn day(name: &'static str, about: &'static str) -> Self {
        Self::of(name, about, ParameterKind::Day { may_be_future: false }, None)
    }

    /// Accepts future days too.
    pub(super) const fn may_be_future(self) -> Self {
        Self {
            kind: ParameterKind::Day { may_be_future: true },
            ..self
        }
    }

    /// The required last day of a range of at most `within` days.
    pub(super) const fn last_day(name: &'static str, about: &'static str, within: i64) -> Self {
        Self::of(name, about, ParameterKind::LastDay { within }, None)
    }

    pub(super) const fn id(name: &'static str, about: &'static str) -> Self {
        Self::of(name, about, ParameterKind::Id, None)
    }

    pub(super) const fn text(name: &'static str, about: &'static str, default: &'static str) -> Self {
        Self::of(
            name,
            about,
            ParameterKind::Text,
            Some(DefaultValue::Text(default)),
        )
    }

    pub(super) const fn required_text(name: &'static str, about: &'static str) -> Self {
        Self::of(name, about, ParameterKind::Text, None)
    }

    /// A Boolean parameter with the default no.
    pub(super) const fn flag(name: &'static str, about: &'static str) -> Self {
        Self::of(name, about, ParameterKind::Flag, Some(DefaultValue::Flag(false)))
    }

    /// A Boolean parameter with the default yes.
    pub(super) const fn flag_on(name: &'static str, about: &'static str) -> Self {
        Self::of(name, about, ParameterKind::Flag, Some(DefaultValue::Flag(true)))
    }

    /// A choice of fixed words, with a default.
    pub(super) const fn one_of(
        name: &'static str,
        about: &'static str,
        words: &'static [&'static str],
        default: &'static str,
    ) -> Self {
        Self::of(
            name,
            about,
            ParameterKind::OneOf(words),
            Some(DefaultValue::Text(default)),
        )
    }

    /// Makes the parameter required, so a call has to give it.
    pub(super) const fn required(self) -> Self {
        Self {
            default: None,
            ..self
        }
    }

    /// An integer with a default.
    pub(super) const fn whole(
        name: &'static str,
        about: &'static str,
        bounds: (i64, i64),
        default: i64,
    ) -> Self {
        Self::integer(name, about, bounds).or(DefaultValue::Whole(default))
    }

    /// A required number between two bounds, which are included.
    pub(super) const fn number(name: &'static str, about: &'static str, (least, most): (f64, f64)) -> Self {
        Self::of(name, about, ParameterKind::Number { least, most }, None)
    }

    /// A required integer between two bounds, which are included.
    pub(super) const fn integer(name: &'static str, about: &'static str, (least, most): (i64, i64)) -> Self {
        Self::of(name, about, ParameterKind::Integer { least, most }, None)
    }

    pub(super) const fn list(
        name: &'static str,
        about: &'static str,
        item: &'static Parameter,
        most: usize,
    ) -> Self {
        Self::of(name, about, ParameterKind::List { item, most }, None)
    }

    pub(super) const fn object(
        name: &'static str,
        about: &'static str,
        members: &'static [Parameter],
    ) -> Self {
        let kind = ParameterKind::Object {
            members,
            is_document: false,
        };
        Self::of(name, about, kind, None)
    }

    /// One of Garmin's documents, of which only these members are checked.
    pub(super) const fn document(
        name: &'static str,
        about: &'static str,
        members: &'static [Parameter],
    ) -> Self {
        let kind = ParameterKind::Object {
            members,
            is_document: true,
        };
        Self::of(name, about, kind, None)
    }

    /// Limits a text to this many characters.
    pub(super) const fn at_most(self, longest: usize) -> Self {
        Self { longest, ..self }
    }

    /// Makes the parameter optional, with this default.
    pub(super) const fn or(self, default: DefaultValue) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }

    /// Makes the parameter optional, without a default.
    pub(super) const fn optional(self) -> Self {
        Self {
            default: Some(DefaultValue::Nothing),
            ..self
        }
    }

    /// Says what to do instead of giving a number below the lower bound.
    pub(super) const fn advising(self, advice: &'static str) -> Self {
        Self { advice, ..self }
    }

    /// The JSON schema (2020-12): a single type, and the meaning of the value.
    pub(super) fn schema(&self) -> Value {
        let mut schema = match self.kind {
            ParameterKind::Day { .. } | ParameterKind::LastDay { .. } => {
                json!({"type": "string", "description": self.about})
            }
            ParameterKind::Text => {
                json!({"type": "string", "maxLength": self.longest, "description": self.about})
            }
            ParameterKind::Integer { least, most } => {
                json!({"type": "integer", "minimum": least, "maximum": most, "description": self.about})
            }
            ParameterKind::OneOf(words) => {
                json!({"type": "string", "enum": words, "description": self.about})
            }
            ParameterKind::Number { least, most } => {
                json!({"type": "number", "minimum": least, "maximum": most, "description": self.about})
            }
            ParameterKind::List { item, most } => {
                json!({"type": "array", "items": item.schema(), "maxItems": most, "description": self.about})
            }
            ParameterKind::Object { members, .. } => {
                let mut schema = members_schema(members);
                schema.insert("description".to_owned(), json!(self.about));
                Value::Object(schema)
            }
            ParameterKind::Flag => json!({"type": "boolean", "description": self.about}),
            ParameterKind::Id => json!({"type": "integer", "minimum": 1, "description": self.about}),
        };
        let default = match self.default {
            None | Some(DefaultValue::Nothing) => Value::Null,
            Some(DefaultValue::Text(text)) => json!(text),
            Some(DefaultValue::Whole(number)) => json!(number),
            Some(DefaultValue::Number(number)) => json!(number),
            Some(DefaultValue::Flag(flag)) => json!(flag),
        };
        if let (false, Some(schema)) = (default.is_null(), schema.as_object_mut()) {
            schema.insert("default".to_owned(), default);
        }
        schema
    }
}

/// The schema of an object with these members, and of a tool's arguments.
pub(super) fn members_schema(members: &[Parameter]) -> Map<String, Value> {
    let properties: Map<String, Value> = members
        .iter()
        .map(|member| (member.name.to_owned(), member.schema()))
        .collect();
    let mut schema = Map::from_iter([
        ("type".to_owned(), json!("object")),
        ("properties".to_owned(), Value::Object(properties)),
    ]);
    let required: Vec<&str> = members
        .iter()
        .filter(|member| member.default.is_none())
        .map(|member| member.name)
        .collect();
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema
}
