//! The parts of a change: what is sent, what changes, and how to see whether it was made.

use http::Method;
use serde_json::{Map, Value, json};

use super::super::call::ToolCall;
use super::super::fields::at;
use super::super::garmin_get::GarminGet;
use crate::garmin::ApiBody;

/// Builds members of an answer from what is known after a change.
type ToldMembers = Box<dyn Fn(&Landed<'_>) -> Value + Send + Sync>;

/// Builds the answer to a plan of several parts.
pub(in crate::tools) type WholeAnswer = fn(&ToolCall, Vec<ChangedPart>) -> Value;

/// The next step of a tool that changes something.
#[derive(Debug)]
pub(in crate::tools) enum ChangeStep {
    /// Reads that the plan needs first.
    Read(Vec<GarminGet>),
    Plan(ChangePlan),
}

#[derive(Debug)]
pub(in crate::tools) struct ChangePlan {
    pub(in crate::tools) parts: Vec<PlanPart>,
    /// Builds the answer of a plan with several parts; `None` for a plan of one part, whose answer is that of the part.
    pub(in crate::tools) whole: Option<WholeAnswer>,
}

#[derive(Debug)]
pub(in crate::tools) enum PlanPart {
    Send(Box<PlannedChange>),
    /// Needs no request, because Garmin already has it.
    Settled(Map<String, Value>),
    /// Can't be sent. The members say which part it is, and the text says why.
    Refused(Map<String, Value>, String),
}

/// One request of a plan.
pub(in crate::tools) struct PlannedChange {
    pub(in crate::tools) request: GarminChange,
    /// The members that identify this part in an answer.
    pub(in crate::tools) names: Map<String, Value>,
    /// What is there now; `null` for something new, and `"unknown"` when it could not be read.
    pub(in crate::tools) before: Value,
    pub(in crate::tools) after: Value,
    pub(in crate::tools) look: Option<ChangeLook>,
    pub(super) tell: ToldMembers,
    pub(super) undo: ToldMembers,
    pub(in crate::tools) then: Option<NextPart>,
    /// Whether the undo also takes back the parts before this one.
    pub(in crate::tools) undoes_earlier: bool,
}

/// Builds the part that follows this one, from Garmin's response.
pub(in crate::tools) type NextPart =
    Box<dyn FnOnce(&Landed<'_>) -> Result<PlannedChange, String> + Send + Sync>;

impl std::fmt::Debug for PlannedChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.request.fmt(f)
    }
}

/// A read that shows whether a change was made.
pub(in crate::tools) struct ChangeLook {
    get: GarminGet,
    find: Box<dyn Fn(&Value) -> Sight + Send + Sync>,
    /// A more precise read that is possible once Garmin has responded, such as a read of the new id.
    by: Option<fn(&Value) -> Option<GarminGet>>,
    /// The tool with which the person can check.
    pub(in crate::tools) tool: &'static str,
}

impl ChangeLook {
    pub(in crate::tools) fn read(&self, response: &Value) -> GarminGet {
        let precise = self.by.and_then(|by| by(response));
        precise.unwrap_or_else(|| self.get.clone())
    }

    pub(in crate::tools) fn sight(&self, document: &Value) -> Sight {
        (self.find)(document)
    }
}

/// What the read after a change shows.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tools) enum Sight {
    /// The change was made. Holds the id of what was created, if that has one.
    Made(Option<Value>),
    NotMade,
}

impl From<bool> for Sight {
    fn from(is_made: bool) -> Self {
        if is_made {
            Sight::Made(None)
        } else {
            Sight::NotMade
        }
    }
}

/// What is known after a change was made.
pub(in crate::tools) struct Landed<'a> {
    /// Garmin's response; `null` if it was empty or lost.
    pub(in crate::tools) response: &'a Value,
    /// The id that the read after the change found.
    pub(in crate::tools) seen: Option<&'a Value>,
}

impl Landed<'_> {
    /// The id of what was created: from the response, or else from the read after the change.
    pub(in crate::tools) fn id(&self, path: &str) -> Option<Value> {
        at(self.response, path).or(self.seen).cloned()
    }
}

/// A request that changes something at Garmin.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tools) struct GarminChange {
    pub(in crate::tools) method: Method,
    /// The path, with its arguments percent-encoded.
    pub(in crate::tools) path: String,
    pub(in crate::tools) body: Option<ChangeBody>,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::tools) enum ChangeBody {
    Json(Value),
    File {
        name: String,
        content_type: Option<&'static str>,
        bytes: Vec<u8>,
    },
}

impl GarminChange {
    pub(in crate::tools) fn new(method: Method, path: impl Into<String>) -> Self {
        let path = path.into();
        Self {
            method,
            path,
            body: None,
        }
    }

    pub(in crate::tools) fn json(method: Method, path: impl Into<String>, body: Value) -> Self {
        let body = Some(ChangeBody::Json(body));
        Self {
            body,
            ..Self::new(method, path)
        }
    }

    pub(in crate::tools) fn body(&self) -> Option<ApiBody> {
        self.body.as_ref().map(|body| match body {
            ChangeBody::Json(value) => ApiBody::json(value),
            ChangeBody::File {
                name,
                content_type,
                bytes,
            } => ApiBody::file(name, *content_type, bytes),
        })
    }
}

impl PlannedChange {
    /// A change whose answer consists of `names` alone.
    pub(in crate::tools) fn new(request: GarminChange, names: &Value) -> Self {
        Self {
            request,
            names: names.as_object().cloned().unwrap_or_default(),
            before: Value::Null,
            after: Value::Null,
            look: None,
            tell: Box::new(|_| json!({})),
            undo: Box::new(|_| Value::Null),
            then: None,
            undoes_earlier: false,
        }
    }

    /// What changes: the same members before and after.
    pub(in crate::tools) fn changes(self, before: Value, after: Value) -> Self {
        Self {
            before,
            after,
            ..self
        }
    }

    /// How to see whether the change was made. `tool` is the tool with which the person can check.
    pub(in crate::tools) fn look(
        self,
        get: GarminGet,
        tool: &'static str,
        find: impl Fn(&Value) -> Sight + Send + Sync + 'static,
    ) -> Self {
        let find = Box::new(find);
        Self {
            look: Some(ChangeLook {
                get,
                find,
                by: None,
                tool,
            }),
            ..self
        }
    }

    /// A more precise read than that of [`PlannedChange::look`], possible once Garmin has responded.
    pub(in crate::tools) fn look_by(mut self, by: fn(&Value) -> Option<GarminGet>) -> Self {
        if let Some(look) = &mut self.look {
            look.by = Some(by);
        }
        self
    }

    /// The members of the answer besides the names.
    pub(in crate::tools) fn tells(self, tell: impl Fn(&Landed<'_>) -> Value + Send + Sync + 'static) -> Self {
        Self {
            tell: Box::new(tell),
            ..self
        }
    }

    /// The call that undoes the change, or a text that says why there is none.
    pub(in crate::tools) fn undo(self, undo: impl Fn(&Landed<'_>) -> Value + Send + Sync + 'static) -> Self {
        Self {
            undo: Box::new(undo),
            ..self
        }
    }

    /// An undo that also takes back the parts before this one. Without it, each part has its own.
    pub(in crate::tools) fn undo_of_all(
        self,
        undo: impl Fn(&Landed<'_>) -> Value + Send + Sync + 'static,
    ) -> Self {
        Self {
            undoes_earlier: true,
            ..self.undo(undo)
        }
    }

    /// The part that follows, such as the log entry for a food that is created first.
    pub(in crate::tools) fn then(
        self,
        next: impl FnOnce(&Landed<'_>) -> Result<PlannedChange, String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            then: Some(Box::new(next)),
            ..self
        }
    }

    pub(in crate::tools) fn plan(self) -> ChangePlan {
        ChangePlan {
            parts: vec![PlanPart::Send(Box::new(self))],
            whole: None,
        }
    }

    pub(in crate::tools) fn part(self) -> PlanPart {
        PlanPart::Send(Box::new(self))
    }
}

impl ChangeStep {
    pub(in crate::tools) fn one(change: PlannedChange) -> Self {
        ChangeStep::Plan(change.plan())
    }

    pub(in crate::tools) fn get(get: GarminGet) -> Self {
        ChangeStep::Read(vec![get])
    }

    /// A plan of several parts, whose answers `whole` puts together.
    pub(in crate::tools) fn many(parts: Vec<PlanPart>, whole: WholeAnswer) -> Self {
        let whole = Some(whole);
        ChangeStep::Plan(ChangePlan { parts, whole })
    }
}

/// The outcome of one part of a plan, as the members of its answer.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tools) struct ChangedPart {
    pub(in crate::tools) state: PartState,
    pub(in crate::tools) members: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tools) enum PartState {
    Made,
    /// Garmin already had it, so nothing was sent.
    Settled,
    /// Garmin refused it, or it was not sent.
    NotMade,
    /// It was sent, and the response was lost. Garmin does not show it, or could not be asked.
    Unknown,
}

impl PartState {
    /// The word in the log, so that events do not spell Rust types.
    pub(in crate::tools) fn name(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Settled => "settled",
            Self::NotMade => "not_made",
            Self::Unknown => "unknown",
        }
    }

    pub(in crate::tools) fn is_good(self) -> bool {
        matches!(self, PartState::Made | PartState::Settled)
    }
}
