//! Chooses the part of the gateway that answers a well-formed request. Pure: the choice depends only on the catalogue
//! and the caller.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::value::{RawValue, to_raw_value};

use crate::mcp::members::is_object;
use crate::mcp::notification::LogSeverity;
use crate::mcp::params::Params;
use crate::mcp::revision::negotiated;
use crate::mcp::views::View;
use crate::mcp::{Access, Era, McpError, McpMethod, McpRequest, ToolEntry};

use super::discovery::{self, InnerCall};
use super::offer::Offered;

/// The part that answers a request, with what it needs.
#[derive(Debug)]
pub(super) enum Route<'o> {
    /// The gateway answers with this result, given as JSON text.
    Result(Cow<'o, str>),
    Error(McpError),
    /// A tool call that is refused, mostly because this connection may not make it. `text` tells the model and the
    /// person why.
    Denied {
        tool: Arc<str>,
        text: String,
    },
    /// `logging/setLevel`: the gateway stores the level and returns `{}`.
    SetLogLevel(LogSeverity),
    /// A tool about tools; see [`super::discovery`].
    Discovery {
        tool: Arc<str>,
        arguments: Option<Box<RawValue>>,
    },
    /// A filled-in prompt of the gateway.
    Prompt(Box<RawValue>),
    /// The list of tools, which depends on the caller's choice of tools and on views.
    ListTools,
    /// The document of a view.
    View(&'static View),
    OwnTool {
        tool: Arc<str>,
        /// The tool's arguments: an object, or absent.
        arguments: Option<Box<RawValue>>,
    },
    Worker(WorkerQuestion),
}

/// A request to the account's worker.
#[derive(Debug)]
pub(super) struct WorkerQuestion {
    /// The tool of a `tools/call` request.
    pub(super) tool: Option<Arc<str>>,
    pub(super) params: Option<Box<RawValue>>,
    /// Whether the call changes nothing, so that it may be repeated.
    pub(super) read_only: bool,
    /// The URI of a `resources/read` request.
    pub(super) uri: Option<String>,
}

/// `has_views`: the caller gets the views of tools; see [`super::views`].
pub(super) fn route<'o>(
    offered: &'o Offered,
    access: Access,
    has_views: bool,
    request: &McpRequest<'_>,
) -> Route<'o> {
    find_route(offered, access, has_views, request).unwrap_or_else(Route::Error)
}

fn find_route<'o>(
    offered: &'o Offered,
    access: Access,
    has_views: bool,
    request: &McpRequest<'_>,
) -> Result<Route<'o>, McpError> {
    let McpRequest {
        era, method, params, ..
    } = request;
    match method {
        McpMethod::Initialize => {
            let version = negotiated(params.text("protocolVersion").ok().flatten().as_deref());
            Ok(Route::Result(
                offered.handshake.initialize(version, access, has_views).into(),
            ))
        }
        McpMethod::Discover => Ok(Route::Result(
            offered.handshake.discover(access, has_views).into(),
        )),
        McpMethod::Ping => Ok(Route::Result("{}".into())),
        McpMethod::SetLogLevel => match params.text("level")?.as_deref().and_then(LogSeverity::named) {
            Some(level) => Ok(Route::SetLogLevel(level)),
            None => Err(McpError::InvalidParams(
                "params.level must be one of debug, info, notice, warning, error, critical, alert, emergency"
                    .into(),
            )),
        },
        McpMethod::ListTools
        | McpMethod::ListResources
        | McpMethod::ListResourceTemplates
        | McpMethod::ListPrompts => {
            if params.get("cursor").is_some_and(|cursor| cursor.get() != "null") {
                return Err(McpError::InvalidParams(
                    "params.cursor is unknown: every list has a single page; leave the cursor out".into(),
                ));
            }
            if *method == McpMethod::ListTools && (has_views || !offered.catalogue.is_short()) {
                return Ok(Route::ListTools);
            }
            if *method == McpMethod::ListResources && has_views {
                return Ok(Route::Result(offered.catalogue.resources_with_views(*era).into()));
            }
            let list = offered.catalogue.list(*method, *era, access);
            list.map(|list| Route::Result(list.into()))
                .ok_or_else(|| unknown_method(*method, *era))
        }
        McpMethod::CallTool => call_tool(offered, access, params),
        McpMethod::ReadResource => {
            let uri = required(params, "uri")?;
            let view = offered.catalogue.view(&uri).filter(|_| has_views);
            if let Some(view) = view {
                return Ok(Route::View(view));
            }
            // The gateway's own views are never requested from a worker, even if its templates match every URI.
            if View::at(&uri).is_some() || !offered.catalogue.may_have_resource(&uri) {
                return Err(McpError::ResourceNotFound {
                    uri: uri.into_owned(),
                    era: *era,
                });
            }
            Ok(Route::Worker(WorkerQuestion {
                uri: Some(uri.into_owned()),
                ..read_only(params)
            }))
        }
        McpMethod::GetPrompt => {
            let name = required(params, "name")?;
            if let Some(prompt) = offered.catalogue.own_prompt(&name) {
                let filled = prompt.filled(params.get("arguments"))?;
                return to_raw_value(&filled)
                    .map(Route::Prompt)
                    .map_err(|_| unknown("prompt", &name));
            }
            if !offered.catalogue.has_prompt(&name) {
                return Err(unknown("prompt", &name));
            }
            Ok(Route::Worker(read_only(params)))
        }
        McpMethod::Complete if offered.catalogue.completes() => Ok(Route::Worker(read_only(params))),
        McpMethod::Complete => Err(unknown_method(*method, *era)),
    }
}

fn call_tool<'o>(offered: &'o Offered, access: Access, params: &Params<'_>) -> Result<Route<'o>, McpError> {
    let name = required(params, "name")?;
    let Some(tool) = offered.catalogue.find(&name) else {
        return Err(unknown("tool", &name));
    };
    let arguments = params
        .get("arguments")
        .filter(|arguments| arguments.get() != "null");
    if arguments.is_some_and(|arguments| !is_object(arguments)) {
        return Err(McpError::InvalidParams(
            "params.arguments must be an object".into(),
        ));
    }
    Ok(if !tool.allowed(access) {
        Route::Denied {
            tool: tool.name.clone(),
            text: denied_text(&tool.title),
        }
    } else if tool.own && [discovery::USE_READ, discovery::USE_CHANGE].contains(&&*tool.name) {
        inner_call(offered, access, tool, arguments)
    } else if tool.own && discovery::is_about_tools(&tool.name) {
        Route::Discovery {
            tool: tool.name.clone(),
            arguments: arguments.map(ToOwned::to_owned),
        }
    } else if tool.own {
        Route::OwnTool {
            tool: tool.name.clone(),
            arguments: arguments.map(ToOwned::to_owned),
        }
    } else {
        Route::Worker(WorkerQuestion {
            tool: Some(tool.name.clone()),
            read_only: tool.read_only,
            ..read_only(params)
        })
    })
}

/// Routes a call made through `use_read_tool` or `use_change_tool`. The outer tool limits what the inner one may do.
fn inner_call<'o>(
    offered: &'o Offered,
    access: Access,
    outer: &ToolEntry,
    arguments: Option<&RawValue>,
) -> Route<'o> {
    let denied = |text: String| Route::Denied {
        tool: outer.name.clone(),
        text,
    };
    let call = match InnerCall::read(arguments) {
        Ok(call) => call,
        Err(wrong) => return denied(format!("Not done: {wrong}.")),
    };
    let known = offered.catalogue.find(&call.tool);
    let Some(tool) = known.filter(|tool| !discovery::is_about_tools(&tool.name)) else {
        let name: String = call.tool.chars().take(100).collect();
        return denied(format!(
            "Not done: there is no tool {name}. Use {} to look for one.",
            discovery::FIND
        ));
    };
    if !tool.allowed(access) {
        return denied(denied_text(&tool.title));
    }
    if !tool.read_only && *outer.name == *discovery::USE_READ {
        let text = format!(
            "Not done: “{}” changes something. Call it with {}.",
            tool.title,
            discovery::USE_CHANGE
        );
        return denied(text);
    }
    if tool.own {
        return Route::OwnTool {
            tool: tool.name.clone(),
            arguments: call.arguments,
        };
    }
    Route::Worker(WorkerQuestion {
        tool: Some(tool.name.clone()),
        params: call.params(),
        read_only: tool.read_only,
        uri: None,
    })
}

/// The text of a refused change. It is a tool result, which the model can act on; after an HTTP 403, Claude would
/// abandon the connector.
fn denied_text(title: &str) -> String {
    format!(
        "Not done: this connection may only read Garmin data, and “{title}” may change it. To allow changes, disconnect this connector in \
         Claude, connect it again, and choose “read and change” on the sign-in page."
    )
}

fn read_only(params: &Params<'_>) -> WorkerQuestion {
    WorkerQuestion {
        tool: None,
        params: params.for_worker(),
        read_only: true,
        uri: None,
    }
}

fn required<'a>(params: &Params<'a>, key: &'static str) -> Result<Cow<'a, str>, McpError> {
    params
        .text(key)?
        .ok_or_else(|| McpError::InvalidParams(format!("params.{key} is required").into()))
}

fn unknown(kind: &str, name: &str) -> McpError {
    let name: String = name.chars().take(100).collect();
    McpError::InvalidParams(format!("Unknown {kind}: {name}").into())
}

fn unknown_method(method: McpMethod, era: Era) -> McpError {
    McpError::MethodNotFound {
        method: method.name().to_owned(),
        era,
    }
}
