//! What to do with a well-formed request: a pure step from (what is offered, who asks, what for) to (what to do).

use std::{borrow::Cow, sync::Arc};

use serde_json::value::RawValue;

use crate::mcp::{
    Access, Era, Method, Refusal, Request, members::is_object, params::Params, progress::LogLevel,
    revision::negotiated,
};

use super::offer::Offered;

/// What to do with a request.
#[derive(Debug)]
pub(super) enum Plan<'o> {
    /// Answer with this result, as JSON text.
    Reply(Cow<'o, str>),
    /// Answer with an error.
    Refuse(Refusal),
    /// Answer a tool call with a result that says why it was not made.
    Deny {
        /// The tool.
        tool: Arc<str>,
        /// For the model and the person.
        text: String,
    },
    /// Remember from which level on this client wants log messages, and answer with `{}`.
    SetLogLevel(LogLevel),
    /// Let one of the gateway's own tools answer.
    Own {
        /// The tool.
        tool: Arc<str>,
        /// Its arguments, an object.
        arguments: Option<Box<RawValue>>,
    },
    /// Ask the worker.
    Ask(Question),
}

/// What a worker is asked.
#[derive(Debug)]
pub(super) struct Question {
    /// The tool, if it is a call of one.
    pub(super) tool: Option<Arc<str>>,
    /// Its parameters.
    pub(super) params: Option<Box<RawValue>>,
    /// A repetition changes nothing.
    pub(super) read_only: bool,
    /// The resource asked for.
    pub(super) uri: Option<String>,
}

/// Decides. What can be refused without a worker is refused here.
pub(super) fn plan<'o>(offered: &'o Offered, access: Access, request: &Request<'_>) -> Plan<'o> {
    decide(offered, access, request).unwrap_or_else(Plan::Refuse)
}

fn decide<'o>(offered: &'o Offered, access: Access, request: &Request<'_>) -> Result<Plan<'o>, Refusal> {
    let Request {
        era, method, params, ..
    } = request;
    match method {
        Method::Initialize => {
            let version = negotiated(params.text("protocolVersion").ok().flatten().as_deref());
            Ok(Plan::Reply(offered.handshake.initialize(version, access).into()))
        }
        Method::Discover => Ok(Plan::Reply(offered.handshake.discover(access).into())),
        Method::Ping => Ok(Plan::Reply("{}".into())),
        Method::SetLogLevel => match params.text("level")?.as_deref().and_then(LogLevel::named) {
            Some(level) => Ok(Plan::SetLogLevel(level)),
            None => Err(Refusal::InvalidParams(
                "params.level must be one of debug, info, notice, warning, error, critical, alert, emergency"
                    .into(),
            )),
        },
        Method::ListTools | Method::ListResources | Method::ListResourceTemplates | Method::ListPrompts => {
            if params.get("cursor").is_some_and(|cursor| cursor.get() != "null") {
                return Err(Refusal::InvalidParams(
                    "params.cursor is not one of ours: lists have one page".into(),
                ));
            }
            let list = offered.catalogue.list(*method, *era, access);
            list.map(|list| Plan::Reply(list.into()))
                .ok_or_else(|| unknown_method(*method, *era))
        }
        Method::CallTool => call_tool(offered, access, params),
        Method::ReadResource => {
            let uri = required(params, "uri")?;
            if !offered.catalogue.may_have_resource(&uri) {
                return Err(Refusal::ResourceNotFound {
                    uri: uri.into_owned(),
                    era: *era,
                });
            }
            Ok(Plan::Ask(Question {
                uri: Some(uri.into_owned()),
                ..reading(params)
            }))
        }
        Method::GetPrompt => {
            let name = required(params, "name")?;
            if !offered.catalogue.has_prompt(&name) {
                return Err(Refusal::InvalidParams(
                    format!("Unknown prompt: {}", shortened(&name)).into(),
                ));
            }
            Ok(Plan::Ask(reading(params)))
        }
        Method::Complete if offered.catalogue.completes() => Ok(Plan::Ask(reading(params))),
        Method::Complete => Err(unknown_method(*method, *era)),
    }
}

fn call_tool<'o>(offered: &'o Offered, access: Access, params: &Params<'_>) -> Result<Plan<'o>, Refusal> {
    let name = required(params, "name")?;
    let Some(tool) = offered.catalogue.find(&name) else {
        return Err(Refusal::InvalidParams(
            format!("Unknown tool: {}", shortened(&name)).into(),
        ));
    };
    let arguments = params
        .get("arguments")
        .filter(|arguments| arguments.get() != "null");
    if arguments.is_some_and(|arguments| !is_object(arguments)) {
        return Err(Refusal::InvalidParams(
            "params.arguments must be an object".into(),
        ));
    }
    Ok(if !tool.allowed(access) {
        Plan::Deny {
            tool: tool.name.clone(),
            text: read_only_text(&tool.title),
        }
    } else if tool.own {
        Plan::Own {
            tool: tool.name.clone(),
            arguments: arguments.map(ToOwned::to_owned),
        }
    } else {
        Plan::Ask(Question {
            tool: Some(tool.name.clone()),
            read_only: tool.read_only,
            ..reading(params)
        })
    })
}

/// HTTP 403 would make Claude give up the connector; a result can be read and acted upon.
fn read_only_text(title: &str) -> String {
    format!(
        "Not done: this connection may only read Garmin data, and “{title}” may change it. To allow changes, disconnect this connector in \
         Claude, connect it again, and choose “read and change” on the sign-in page."
    )
}

fn reading(params: &Params<'_>) -> Question {
    Question {
        tool: None,
        params: params.for_worker(),
        read_only: true,
        uri: None,
    }
}

fn required<'a>(params: &Params<'a>, key: &'static str) -> Result<Cow<'a, str>, Refusal> {
    params
        .text(key)?
        .ok_or_else(|| Refusal::InvalidParams(format!("params.{key} is required").into()))
}

fn unknown_method(method: Method, era: Era) -> Refusal {
    Refusal::MethodNotFound {
        method: method.name().to_owned(),
        era,
    }
}

fn shortened(name: &str) -> String {
    name.chars().take(100).collect()
}
