//! Reads one request of a client from its body and headers, and refuses everything ambiguous.
//!
//! A message that two parsers could understand differently is refused: two `method` members, `"Method"` beside
//! `"method"`, or `method` together with `result`. Exactly such messages have bypassed the access rules of other
//! gateways.
//!
//! The two eras differ in where the protocol version is sent. *Modern* requests (2026-07-28) carry it in `params._meta`
//! and repeat it in a header. *Legacy* clients (up to 2025-11-25) send it once, in `initialize`.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::error::{McpError, RejectedRequest, shortened};
use super::headers::{RequestHeaders, decoded};
use super::members::{Members, is_string_or_integer, text};
use super::params::Params;
use super::revision::{Era, LEGACY, MODERN, McpMethod};

/// The maximum size of a body in bytes. A larger one is refused with [`McpError::TooLarge`].
pub const BODY_LIMIT: usize = 1 << 20;

/// The members of a JSON-RPC envelope. Others are ignored and never forwarded.
const CANONICAL: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];

/// A valid message from a client.
#[derive(Debug)]
pub enum Inbound<'a> {
    Request(McpRequest<'a>),
    /// `notifications/cancelled`, with the raw id of the request to cancel.
    Cancelled(Option<&'a RawValue>),
    /// Any other notification, or a response. It is answered with 202 and has no effect.
    Ignored,
}

/// A request that follows the rules of its era.
#[derive(Debug)]
pub struct McpRequest<'a> {
    /// The id as the client wrote it: a string or a whole number.
    pub id: &'a RawValue,
    /// The era whose format the answer must have.
    pub era: Era,
    pub method: McpMethod,
    pub params: Params<'a>,
}

impl<'a> Inbound<'a> {
    /// Parses a body and validates it together with its headers.
    pub fn read(headers: &RequestHeaders<'_>, body: &'a [u8]) -> Result<Self, RejectedRequest> {
        match JsonRpcMessage::parse(body)? {
            JsonRpcMessage::Response => Ok(Inbound::Ignored),
            JsonRpcMessage::Notification { method, params } => {
                require_known_version(headers)?;
                Ok(if method == "notifications/cancelled" {
                    Inbound::Cancelled(params.and_then(|params| Members::of(params.get())?.get("requestId")))
                } else {
                    Inbound::Ignored
                })
            }
            JsonRpcMessage::Request { id, method, params } => {
                let read = || {
                    let params = Params::read(params)?;
                    let (era, method) = era_and_method(headers, &method, &params)?;
                    Ok(Inbound::Request(McpRequest {
                        id,
                        era,
                        method,
                        params,
                    }))
                };
                read().map_err(|error: McpError| error.of(Some(id)))
            }
        }
    }
}

fn era_and_method(
    headers: &RequestHeaders<'_>,
    name: &str,
    params: &Params<'_>,
) -> Result<(Era, McpMethod), McpError> {
    let header_is_modern = headers
        .protocol_version
        .is_some_and(|version| version.trim() == MODERN);
    let is_modern = params.meta.has_version()
        || name == McpMethod::Discover.name()
        || (header_is_modern && name != McpMethod::Initialize.name());
    if is_modern {
        return modern_method(headers, name, params).map(|method| (Era::Modern, method));
    }
    let method = known_method(name, Era::Legacy)?;
    if method != McpMethod::Initialize {
        require_known_version(headers)?;
    }
    Ok((Era::Legacy, method))
}

/// Checks in the order that the conformance suite expects: metadata, version, other headers, method.
fn modern_method(
    headers: &RequestHeaders<'_>,
    name: &str,
    params: &Params<'_>,
) -> Result<McpMethod, McpError> {
    let version = params.meta.required()?;
    require_same(
        "MCP-Protocol-Version",
        headers.protocol_version.map(Cow::Borrowed),
        &version,
    )?;
    if version != MODERN {
        return Err(McpError::UnsupportedVersion {
            requested: shortened(&version),
            era: Era::Modern,
        });
    }
    require_same("Mcp-Method", headers.mcp_method.map(Cow::Borrowed), name)?;
    let method = known_method(name, Era::Modern)?;
    let named = method.name_param().map(|key| params.text(key)).transpose()?;
    if let Some(named) = named.flatten() {
        require_same("Mcp-Name", headers.mcp_name.map(decoded).transpose()?, &named)?;
    }
    Ok(method)
}

fn require_same(header: &'static str, value: Option<Cow<'_, str>>, body: &str) -> Result<(), McpError> {
    let Some(value) = value else {
        return Err(McpError::HeaderMismatch(
            format!("the header {header} is required").into(),
        ));
    };
    // White space around a plain value is ignored. In an encoded value it is part of the text.
    let value = match value {
        Cow::Borrowed(plain) => Cow::Borrowed(plain.trim_matches([' ', '\t'])),
        Cow::Owned(encoded) => Cow::Owned(encoded),
    };
    if value == body {
        return Ok(());
    }
    let text = format!(
        "{header} says {:?}, the body {:?}",
        shortened(&value),
        shortened(body)
    );
    Err(McpError::HeaderMismatch(text.into()))
}

fn known_method(name: &str, era: Era) -> Result<McpMethod, McpError> {
    McpMethod::named(name, era).ok_or_else(|| McpError::MethodNotFound {
        method: shortened(name),
        era,
    })
}

/// Checks the version header of a legacy request. A missing header means 2025-03-26.
fn require_known_version(headers: &RequestHeaders<'_>) -> Result<(), McpError> {
    match headers.protocol_version.map(str::trim) {
        Some(version) if version != MODERN && !LEGACY.contains(&version) => {
            Err(McpError::UnsupportedVersion {
                requested: shortened(version),
                era: Era::Legacy,
            })
        }
        _ => Ok(()),
    }
}

#[derive(Debug)]
pub enum JsonRpcMessage<'a> {
    Request {
        /// The id: a string or a whole number.
        id: &'a RawValue,
        method: Cow<'a, str>,
        /// The parameters: an object, or absent.
        params: Option<&'a RawValue>,
    },
    /// A message without an id, which gets no answer.
    Notification {
        method: Cow<'a, str>,
        /// The parameters: an object, or absent.
        params: Option<&'a RawValue>,
    },
    /// The answer to a request from the server. The gateway sends no requests, so it ignores these.
    Response,
}

impl<'a> JsonRpcMessage<'a> {
    /// Parses one message. The error contains the id if that can be read unambiguously.
    pub fn parse(body: &'a [u8]) -> Result<Self, RejectedRequest> {
        let json = std::str::from_utf8(body).map_err(|_| McpError::NotJson)?;
        let members: Members<'a> = match serde_json::from_str(json) {
            Ok(members) => members,
            Err(_) if json.trim_start().starts_with('[') && is_json(json) => {
                return Err(McpError::Batch.into());
            }
            Err(_) if is_json(json) => return Err(not_a_message("it must be an object").into()),
            Err(_) => return Err(McpError::NotJson.into()),
        };
        if let Some(key) = members.duplicate() {
            return Err(not_a_message(format!("the member {key:?} occurs twice")).into());
        }
        let id = members.get("id");
        let readable_id = id.filter(|id| is_string_or_integer(id));
        let refuse = |why: Cow<'static, str>| Err(not_a_message(why).of(readable_id));

        if let Some(key) = members.alias(&CANONICAL) {
            return refuse(
                format!("the member {key:?} must be written in lower case, without escapes").into(),
            );
        }
        if members
            .get("jsonrpc")
            .is_none_or(|version| version.get() != "\"2.0\"")
        {
            return refuse("the member \"jsonrpc\" must be \"2.0\"".into());
        }
        let is_response = members.get("result").is_some() || members.get("error").is_some();
        let Some(method) = members.get("method") else {
            return if is_response {
                Ok(JsonRpcMessage::Response)
            } else {
                refuse("the member \"method\" is missing".into())
            };
        };
        if is_response {
            return refuse("it has both a \"method\" and a \"result\" or \"error\"".into());
        }
        let Some(method) = text(method) else {
            return refuse("the member \"method\" must be a string".into());
        };
        let params = members.get("params").filter(|params| params.get() != "null");
        if params.is_some_and(|params| !params.get().starts_with('{')) {
            return refuse("the member \"params\" must be an object".into());
        }
        match (id, readable_id) {
            (None, _) => Ok(JsonRpcMessage::Notification { method, params }),
            (Some(_), Some(id)) => Ok(JsonRpcMessage::Request { id, method, params }),
            (Some(_), None) => refuse("the member \"id\" must be a string or a whole number".into()),
        }
    }
}

fn not_a_message(why: impl Into<Cow<'static, str>>) -> McpError {
    let why = why.into();
    McpError::NotAMessage(if why.len() > 200 {
        shortened(&why).into()
    } else {
        why
    })
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests;
