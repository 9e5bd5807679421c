//! Which era a request belongs to, and whether it keeps that era's rules: the decision table.
//!
//! *Modern* (2026-07-28) requests carry their version in `params._meta`; *legacy* ones (up to 2025-11-25) were once
//! opened by `initialize`. Both are served at the same endpoint, and neither has a session.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{
    envelope::Message,
    headers::{RequestHeaders, decoded},
    members::Members,
    params::Params,
    refusal::{Refusal, Rejected, shortened},
};

/// The modern version.
pub const MODERN: &str = "2026-07-28";
/// The legacy versions, newest first.
pub const LEGACY: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// The two families of protocol versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// Up to 2025-11-25.
    Legacy,
    /// 2026-07-28: everything that a request needs is in it.
    Modern,
}

/// What a client asks for: the methods that exist in the era of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `initialize` (legacy)
    Initialize,
    /// `ping` (legacy)
    Ping,
    /// `logging/setLevel` (legacy)
    SetLogLevel,
    /// `server/discover` (modern)
    Discover,
    /// `tools/list`
    ListTools,
    /// `tools/call`
    CallTool,
    /// `resources/list`
    ListResources,
    /// `resources/templates/list`
    ListResourceTemplates,
    /// `resources/read`
    ReadResource,
    /// `prompts/list`
    ListPrompts,
    /// `prompts/get`
    GetPrompt,
    /// `completion/complete`
    Complete,
}

/// One well-formed message from a client.
#[derive(Debug)]
pub enum Inbound<'a> {
    /// Wants an answer.
    Request(Request<'a>),
    /// `notifications/cancelled`: the raw id of the request that nobody waits for any more.
    Cancelled(Option<&'a RawValue>),
    /// Any other notification, or a response: 202, and nothing to do.
    Noted,
}

/// A request that keeps the rules of its era.
#[derive(Debug)]
pub struct Request<'a> {
    /// A string or a whole number, as the client wrote it.
    pub id: &'a RawValue,
    /// Decides the form of the answer.
    pub era: Era,
    /// What is asked for.
    pub method: Method,
    /// With what.
    pub params: Params<'a>,
}

impl Method {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Method::Initialize => "initialize",
            Method::Ping => "ping",
            Method::SetLogLevel => "logging/setLevel",
            Method::Discover => "server/discover",
            Method::ListTools => "tools/list",
            Method::CallTool => "tools/call",
            Method::ListResources => "resources/list",
            Method::ListResourceTemplates => "resources/templates/list",
            Method::ReadResource => "resources/read",
            Method::ListPrompts => "prompts/list",
            Method::GetPrompt => "prompts/get",
            Method::Complete => "completion/complete",
        }
    }

    fn named(name: &str, era: Era) -> Option<Method> {
        let method = match name {
            "initialize" => Method::Initialize,
            "ping" => Method::Ping,
            "logging/setLevel" => Method::SetLogLevel,
            "server/discover" => Method::Discover,
            "tools/list" => Method::ListTools,
            "tools/call" => Method::CallTool,
            "resources/list" => Method::ListResources,
            "resources/templates/list" => Method::ListResourceTemplates,
            "resources/read" => Method::ReadResource,
            "prompts/list" => Method::ListPrompts,
            "prompts/get" => Method::GetPrompt,
            "completion/complete" => Method::Complete,
            _ => return None,
        };
        let removed = matches!(method, Method::Initialize | Method::Ping | Method::SetLogLevel);
        let added = method == Method::Discover;
        match era {
            Era::Modern if removed => None,
            Era::Legacy if added => None,
            _ => Some(method),
        }
    }

    /// The member of `params` that `Mcp-Name` repeats.
    fn named_by(self) -> Option<&'static str> {
        match self {
            Method::CallTool | Method::GetPrompt => Some("name"),
            Method::ReadResource => Some("uri"),
            _ => None,
        }
    }
}

impl<'a> Inbound<'a> {
    /// Applies the table (sections 3 and 4 of the protocol notes) to a message and the headers it came with.
    pub fn of(headers: &RequestHeaders<'_>, message: Message<'a>) -> Result<Self, Rejected> {
        match message {
            Message::Response => Ok(Inbound::Noted),
            Message::Notification { method, params } => {
                known_version(headers)?;
                Ok(if method == "notifications/cancelled" {
                    Inbound::Cancelled(params.and_then(|params| Members::of(params.get())?.get("requestId")))
                } else {
                    Inbound::Noted
                })
            }
            Message::Request { id, method, params } => {
                let read = || {
                    let params = Params::read(params)?;
                    let (era, method) = judge(headers, &method, &params)?;
                    Ok(Inbound::Request(Request {
                        id,
                        era,
                        method,
                        params,
                    }))
                };
                read().map_err(|refusal: Refusal| refusal.of(Some(id)))
            }
        }
    }
}

fn judge(headers: &RequestHeaders<'_>, name: &str, params: &Params<'_>) -> Result<(Era, Method), Refusal> {
    let says_modern = headers
        .protocol_version
        .is_some_and(|version| version.trim() == MODERN);
    let is_modern = params.meta.has_version()
        || name == "server/discover"
        || (says_modern && name != Method::Initialize.name());
    if is_modern {
        return modern(headers, name, params).map(|method| (Era::Modern, method));
    }
    let method = known_method(name, Era::Legacy)?;
    if method != Method::Initialize {
        known_version(headers)?;
    }
    Ok((Era::Legacy, method))
}

/// The order is that of the conformance suite: metadata, version, then the other headers, then the method.
fn modern(headers: &RequestHeaders<'_>, name: &str, params: &Params<'_>) -> Result<Method, Refusal> {
    let version = params.meta.required()?;
    same(
        "MCP-Protocol-Version",
        headers.protocol_version.map(Cow::Borrowed),
        &version,
    )?;
    if version != MODERN {
        return Err(Refusal::UnsupportedVersion {
            requested: shortened(&version),
            era: Era::Modern,
        });
    }
    same("Mcp-Method", headers.mcp_method.map(Cow::Borrowed), name)?;
    let method = known_method(name, Era::Modern)?;
    if let Some(value) = method
        .named_by()
        .map(|key| params.text(key))
        .transpose()?
        .flatten()
    {
        same("Mcp-Name", headers.mcp_name.map(decoded).transpose()?, &value)?;
    }
    Ok(method)
}

fn same(header: &'static str, value: Option<Cow<'_, str>>, body: &str) -> Result<(), Refusal> {
    let Some(value) = value else {
        return Err(Refusal::HeaderMismatch(
            format!("the header {header} is required").into(),
        ));
    };
    // Only what was not encoded may have white space around it.
    let value = if let Cow::Borrowed(plain) = value {
        Cow::Borrowed(plain.trim_matches([' ', '\t']))
    } else {
        value
    };
    if value == body {
        return Ok(());
    }
    let text = format!(
        "{header} says {:?}, the body {:?}",
        shortened(&value),
        shortened(body)
    );
    Err(Refusal::HeaderMismatch(text.into()))
}

fn known_method(name: &str, era: Era) -> Result<Method, Refusal> {
    Method::named(name, era).ok_or_else(|| Refusal::MethodNotFound {
        method: shortened(name),
        era,
    })
}

/// Legacy: no version means 2025-03-26; a version that nobody knows is refused.
fn known_version(headers: &RequestHeaders<'_>) -> Result<(), Refusal> {
    match headers.protocol_version.map(str::trim) {
        Some(version) if version != MODERN && !LEGACY.contains(&version) => {
            Err(Refusal::UnsupportedVersion {
                requested: shortened(version),
                era: Era::Legacy,
            })
        }
        _ => Ok(()),
    }
}

/// The version that `initialize` is answered with: the one asked for if it is one of [`LEGACY`], else the newest of
/// them.
pub fn negotiated(requested: Option<&str>) -> &'static str {
    LEGACY
        .into_iter()
        .find(|version| requested == Some(version))
        .unwrap_or(LEGACY[0])
}

#[cfg(test)]
mod tests;
