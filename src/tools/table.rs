//! The definition of a tool: a row in the table of its module, with functions where data is not enough.
//!
//! A row lists the parameters of the tool, the requests to Garmin, and the shape of the answer. Everything else
//! (argument checks, requests, failures, schemas, hints about the effect) is the same for all rows.

use serde_json::{Value, json};

use super::call::ToolCall;
use super::change::{ChangePlan, ChangeStep};
use super::fields::Field;
use super::garmin_get::GarminGet;
use super::parameter::{AGAIN, CURSOR, DRY_RUN, Parameter, members_schema};
use super::questions::day_question::DayQuestion;

pub(super) use super::answer::{AnswerError, ToolAnswer};
use crate::history::KeptRows;

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
    /// Days of metrics, which may also come from a history.
    ByDay(DayQuestion),
    /// A change. The function requests what it needs to know, and then plans the change.
    Change(Effect, PlanChange),
}

/// Builds the plan of a change from the arguments and from the answers so far.
pub(super) type PlanChange = fn(&ToolCall, &[&Value]) -> Result<ChangeStep, AnswerError>;

/// The effect of a tool at Garmin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Read,
    /// Adds or changes something. An idempotent change has no further effect when it is made again.
    Change {
        idempotent: bool,
    },
    Delete,
}

/// The next step of a call.
#[derive(Debug)]
pub(super) enum NextStep {
    /// Reads that are sent together.
    Get(Vec<GarminGet>),
    Change(ChangePlan),
    Done,
}

/// The conversion of Garmin's answers to the tool's answer.
#[derive(Debug)]
pub(super) enum AnswerShape {
    /// Garmin's JSON is passed on unchanged.
    Raw,
    /// Garmin's JSON with its series of readings as columns; see [`super::series`].
    Series,
    /// Selected keys of Garmin's document.
    Fields(&'static [Field]),
    /// A function of the call and the only answer, which is not empty.
    Shaped(fn(&ToolCall, &Value) -> Result<ToolAnswer, AnswerError>),
    /// A function of the call and all answers, in the order of the requests. An answer without a body is `null`.
    Made(fn(&ToolCall, &[&Value]) -> Result<ToolAnswer, AnswerError>),
    /// The answer that the [`DayQuestion`] builds.
    ByDay,
}

impl Tool {
    /// The row of a tool that changes something. Its plan builds the answer.
    pub(super) const fn change(
        name: &'static str,
        about: &'static str,
        parameters: &'static [Parameter],
        effect: Effect,
        plan: PlanChange,
        failing: &'static str,
    ) -> Self {
        Self {
            name,
            about,
            parameters,
            ask: GarminQuery::Change(effect, plan),
            tell: AnswerShape::Raw,
            nothing: "",
            failing,
        }
    }

    /// The tool's entry in `tools/list`. Only a question has an output schema; see [`super::output_schema`].
    pub(super) fn listing(&self) -> Value {
        let mut input = members_schema(self.parameters);
        if let Some(properties) = input.get_mut("properties").and_then(Value::as_object_mut) {
            if self.may_be_long() {
                let cursor = json!({
                    "type": "integer",
                    "minimum": 0,
                    "description": "Only to continue a long answer: the number that its `page` gives",
                });
                properties.insert(CURSOR.to_owned(), cursor);
            }
            if self.effect() != Effect::Read {
                let switch = |about: &str| json!({"type": "boolean", "description": about, "default": false});
                let dry_run = switch("Only show what would change; nothing is sent");
                properties.insert(DRY_RUN.to_owned(), dry_run);
                let again = switch("Make the same change once more within 10 minutes");
                properties.insert(AGAIN.to_owned(), again);
            }
        }
        let annotations = match self.effect() {
            Effect::Read => json!({"readOnlyHint": true, "openWorldHint": true}),
            effect => json!({
                "readOnlyHint": false,
                "destructiveHint": effect == Effect::Delete,
                "idempotentHint": effect != Effect::Change { idempotent: false },
                "openWorldHint": true,
            }),
        };
        let mut listing = json!({
            "name": self.name, "description": self.about, "inputSchema": input, "annotations": annotations,
        });
        if let (Some(output), Some(members)) = (
            super::output_schema::output_schema(self.name),
            listing.as_object_mut(),
        ) {
            members.insert("outputSchema".to_owned(), output);
        }
        listing
    }

    pub(super) fn effect(&self) -> Effect {
        match self.ask {
            GarminQuery::Change(effect, _) => effect,
            _ => Effect::Read,
        }
    }

    /// Whether the answer may need more than one page; see [`super::page`].
    fn may_be_long(&self) -> bool {
        self.effect() == Effect::Read && matches!(self.tell, AnswerShape::Raw | AnswerShape::Series)
            || self.parameters.iter().any(|p| p.name == "start_date")
    }

    /// The next step of this call, given the answers so far.
    pub(super) fn next(&self, call: &ToolCall, answers: &[&Value]) -> Result<NextStep, AnswerError> {
        let gets = match self.ask {
            GarminQuery::Change(_, plan) => {
                return Ok(match plan(call, answers)? {
                    ChangeStep::Read(gets) => NextStep::Get(gets),
                    ChangeStep::Plan(plan) => NextStep::Change(plan),
                });
            }
            GarminQuery::Steps(next) => next(call, answers),
            _ if !answers.is_empty() => Vec::new(),
            GarminQuery::Get(one) => vec![call.get(one)],
            GarminQuery::Both(one, other) => vec![call.get(one), call.get(other)],
            GarminQuery::Made(make) => make(call),
            GarminQuery::ByDay(question) => question.gets(call)?,
        };
        Ok(if gets.is_empty() {
            NextStep::Done
        } else {
            NextStep::Get(gets)
        })
    }

    /// The answer to a question about days from kept rows; `None` if some are missing, or if the tool is not such a
    /// question.
    pub(super) fn told_from_kept(
        &self,
        call: &ToolCall,
        rows: impl Fn(&GarminGet) -> Option<KeptRows>,
    ) -> Option<ToolAnswer> {
        let GarminQuery::ByDay(question) = self.ask else {
            return None;
        };
        Some(match question.tell_kept(call, rows)? {
            ToolAnswer::Json(value) => ToolAnswer::Json(super::json::in_their_precision(value)),
            other => other,
        })
    }

    /// The tool's answer, converted from Garmin's answers to the requests of [`Tool::next`].
    pub(super) fn told(&self, call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
        let first = answers.first().copied().unwrap_or(&Value::Null);
        let told = match self.tell {
            AnswerShape::Made(tell) => tell(call, answers),
            AnswerShape::ByDay => match self.ask {
                GarminQuery::ByDay(question) => question.tell_answers(call, answers),
                _ => Ok(ToolAnswer::Nothing),
            },
            _ if super::json::is_empty(first) => Ok(ToolAnswer::Nothing),
            AnswerShape::Shaped(tell) => tell(call, first),
            AnswerShape::Raw => Ok(ToolAnswer::AsSent),
            AnswerShape::Series => Ok(ToolAnswer::Json(super::series::as_columns(
                first,
                call.now.time_zone(),
            ))),
            AnswerShape::Fields(fields) => Ok(ToolAnswer::Json(Value::Object(super::fields::pick(
                fields, first,
            )?))),
        };
        Ok(match told? {
            ToolAnswer::Json(value) => ToolAnswer::Json(super::json::in_their_precision(value)),
            ToolAnswer::AsSent if super::json::has_false_digits(first) => {
                ToolAnswer::Json(super::json::in_their_precision(first.clone()))
            }
            other => other,
        })
    }
}
