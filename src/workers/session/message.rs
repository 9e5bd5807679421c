//! JSON-RPC messages to and from a worker: encoding, and decoding from the viewpoint of one call. No I/O.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::mcp::members::{Members, write_string};
use crate::workers::call::UpstreamAnswer;

/// A worker's message, as seen by one call.
#[derive(Debug)]
pub(super) enum WorkerMessage {
    /// The answer to this call's request.
    Answer(UpstreamAnswer),
    /// The `params` of `notifications/progress` with the call's progress token.
    Progress(Box<RawValue>),
    /// The `params` of `notifications/message`, for the log of a client.
    Log(Box<RawValue>),
    /// An error without a request id.
    Error(Box<RawValue>),
    /// The id of a request to the gateway.
    Request(Box<RawValue>),
    /// Another notification, the answer to another request, or not a JSON-RPC message.
    Other,
}

#[derive(Deserialize)]
struct ReceivedMessage<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// Decodes a message for the call that is waiting for the answer to request `id`.
pub(super) fn read(message: &[u8], id: u64) -> WorkerMessage {
    let Ok(envelope) = serde_json::from_slice::<ReceivedMessage<'_>>(message) else {
        return WorkerMessage::Other;
    };
    match (envelope.method, envelope.id) {
        (Some(_), Some(id)) => WorkerMessage::Request(id.to_owned()),
        (Some(method), None) => match envelope.params {
            Some(params) if method == "notifications/progress" && has_token(params, id) => {
                WorkerMessage::Progress(params.to_owned())
            }
            Some(params) if method == "notifications/message" => WorkerMessage::Log(params.to_owned()),
            _ => WorkerMessage::Other,
        },
        (None, Some(answered)) if is_number(answered, id) => match (envelope.result, envelope.error) {
            (Some(result), None) => WorkerMessage::Answer(UpstreamAnswer::Result(result.to_owned())),
            (None, Some(error)) => WorkerMessage::Answer(UpstreamAnswer::Error(error.to_owned())),
            _ => WorkerMessage::Other,
        },
        (None, _) => envelope.error.map_or(WorkerMessage::Other, |error| {
            WorkerMessage::Error(error.to_owned())
        }),
    }
}

fn is_number(raw: &RawValue, number: u64) -> bool {
    raw.get().parse() == Ok(number)
}

fn has_token(params: &RawValue, token: u64) -> bool {
    Members::of(params.get())
        .and_then(|members| members.get("progressToken"))
        .is_some_and(|sent| is_number(sent, token))
}

pub(super) fn request(id: u64, method: &str, params: Option<&RawValue>) -> Vec<u8> {
    message(Some(id), method, params)
}

pub(super) fn notification(method: &str, params: Option<&RawValue>) -> Vec<u8> {
    message(None, method, params)
}

fn message(id: Option<u64>, method: &str, params: Option<&RawValue>) -> Vec<u8> {
    let params = params.map_or("", RawValue::get);
    let mut out = String::with_capacity(64 + method.len() + params.len());
    out.push_str(r#"{"jsonrpc":"2.0","#);
    if let Some(id) = id {
        out.push_str(r#""id":"#);
        out.push_str(&id.to_string());
        out.push(',');
    }
    out.push_str(r#""method":"#);
    write_string(&mut out, method);
    if !params.is_empty() {
        out.push_str(r#","params":"#);
        out.push_str(params);
    }
    out.push('}');
    out.into_bytes()
}

/// The `params` of the `initialize` request.
pub(super) fn initialize_params(revision: &str) -> Box<RawValue> {
    raw(format!(
        r#"{{"protocolVersion":"{revision}","capabilities":{{}},"clientInfo":{{"name":"garmin-gateway","version":"{}"}}}}"#,
        env!("CARGO_PKG_VERSION"),
    ))
}

/// The protocol version in the result of `initialize`.
pub(super) fn negotiated(result: &RawValue) -> Option<String> {
    let version = Members::of(result.get())?.get("protocolVersion")?;
    serde_json::from_str(version.get()).ok()
}

/// The unchanged `serverInfo` in the result of `initialize`.
pub(super) fn server_info(result: &RawValue) -> Option<Arc<str>> {
    let members = Members::of(result.get())?;
    members.get("serverInfo").map(|server| server.get().into())
}

/// Puts the gateway's progress token into `_meta` of `params`; everything else stays unchanged.
pub(super) fn with_progress_token(params: Option<&RawValue>, token: u64) -> Box<RawValue> {
    let params = params.map_or("{}", RawValue::get);
    let mut out = String::with_capacity(params.len() + 40);
    extend(&mut out, params, "_meta", |out, meta| {
        extend(out, meta.unwrap_or("{}"), "progressToken", |out, _| {
            out.push_str(&token.to_string());
        });
    });
    raw(out)
}

/// Writes the object `json` with the member `key` replaced or added. `value` writes the new value, and receives the
/// old one.
fn extend(out: &mut String, json: &str, key: &str, value: impl FnOnce(&mut String, Option<&str>)) {
    let members = Members::of(json).unwrap_or_default();
    out.push('{');
    for member in members.iter().filter(|member| member.key != key) {
        member.write(out);
        out.push(',');
    }
    write_string(out, key);
    out.push(':');
    value(out, members.get(key).map(RawValue::get));
    out.push('}');
}

/// Encodes `notifications/cancelled` for request `id`.
pub(super) fn cancellation(id: u64) -> Vec<u8> {
    let params = raw(format!(r#"{{"requestId":{id},"reason":"the caller went away"}}"#));
    notification("notifications/cancelled", Some(&params))
}

/// The answer to a worker's request. The gateway offers neither `roots` nor `sampling`, and without an answer the
/// worker would wait.
pub(super) fn refusal(id: &RawValue) -> Vec<u8> {
    let id = id.get();
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"Method not found"}}}}"#)
        .into_bytes()
}

fn raw(json: String) -> Box<RawValue> {
    RawValue::from_string(json).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: &str, expected: &str) {
        let said = match read(message.as_bytes(), 7) {
            WorkerMessage::Answer(UpstreamAnswer::Result(result)) => format!("result {result}"),
            WorkerMessage::Answer(UpstreamAnswer::Error(error)) => format!("error {error}"),
            WorkerMessage::Progress(params) => format!("progress {params}"),
            WorkerMessage::Log(params) => format!("message {params}"),
            WorkerMessage::Error(error) => format!("refusal {error}"),
            WorkerMessage::Request(id) => format!("request {id}"),
            WorkerMessage::Other => "other".to_owned(),
        };
        assert_eq!(said, expected, "{message}");
    }

    #[test]
    fn messages_are_classified() {
        check(
            r#"{"jsonrpc":"2.0","id":7,"result":{ "a" : 1.0 }}"#,
            r#"result { "a" : 1.0 }"#,
        );
        check(r#"{"result":{},"id":7,"jsonrpc":"2.0","extra":1}"#, "result {}");
        check(
            r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"x"}}"#,
            r#"error {"code":-32602,"message":"x"}"#,
        );
        check(r#"{"jsonrpc":"2.0","id":8,"result":{}}"#, "other");
        check(r#"{"jsonrpc":"2.0","id":"7","result":{}}"#, "other");
        check(
            r#"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600}}"#,
            r#"refusal {"code":-32600}"#,
        );
        check(
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600}}"#,
            r#"refusal {"code":-32600}"#,
        );
        check(
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":7,"progress":1}}"#,
            r#"progress {"progressToken":7,"progress":1}"#,
        );
        check(
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":8}}"#,
            "other",
        );
        check(
            r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info"}}"#,
            r#"message {"level":"info"}"#,
        );
        check(
            r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#,
            "other",
        );
        check(
            r#"{"jsonrpc":"2.0","id":"a","method":"roots/list"}"#,
            r#"request "a""#,
        );
        check("", "other");
        check("[]", "other");
        check(r#"{"id":7,"id":7,"result":{}}"#, "other");
    }

    #[test]
    fn params_are_passed_on_byte_for_byte() {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let params = raw(r#"{ "name":"x", "arguments":{"n":1.50,"s":"ü\u0041"} }"#.into());
        assert_eq!(
            text(request(u64::MAX, "tools/call", Some(&params))),
            format!(
                r#"{{"jsonrpc":"2.0","id":{},"method":"tools/call","params":{params}}}"#,
                u64::MAX
            )
        );
        assert_eq!(
            text(notification("a\"b", None)),
            r#"{"jsonrpc":"2.0","method":"a\"b"}"#
        );
        assert_eq!(
            text(cancellation(3)),
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3,"reason":"the caller went away"}}"#
        );
    }

    #[test]
    fn the_progress_token_is_replaced() {
        for (params, expected) in [
            (None, r#"{"_meta":{"progressToken":7}}"#),
            (
                Some(r#"{"name":"x"}"#),
                r#"{"name":"x","_meta":{"progressToken":7}}"#,
            ),
            (
                Some(r#"{"_meta":{"progressToken":"theirs","x":{ }},"arguments":{"a": 1}}"#),
                r#"{"arguments":{"a": 1},"_meta":{"x":{ },"progressToken":7}}"#,
            ),
        ] {
            let params = params.map(|json| raw(json.into()));
            assert_eq!(with_progress_token(params.as_deref(), 7).get(), expected);
        }
    }

    #[test]
    fn initialize_names_the_gateway_and_its_answer_the_revision() {
        let params = initialize_params("2025-11-25");
        assert!(params.get().contains(r#""protocolVersion":"2025-11-25""#));
        let result = |json: &str| negotiated(&raw(json.into()));
        assert_eq!(
            result(r#"{"protocolVersion":"2025-06-18","x":1}"#).as_deref(),
            Some("2025-06-18")
        );
        assert_eq!(result(r#"{"protocolVersion":3}"#), None);
        let info = r#"{"name":"Garmin Connect v1.0","version":"1.30.0"}"#;
        let info_read = server_info(&raw(format!(r#"{{"protocolVersion":"x","serverInfo":{info}}}"#)));
        assert_eq!(info_read.as_deref(), Some(info));
        assert_eq!(server_info(&raw("{}".into())), None);
    }
}
