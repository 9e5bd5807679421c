//! Responses to requests: a result or an error around raw JSON text, in the format of the client's era.
//!
//! For a legacy client, a worker's result is sent byte for byte. For a modern client, `resultType`, the server's name
//! in `_meta` and, for the methods that have them, cache hints are added. The bytes of the other members do not change.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::error::{INVALID_PARAMS, McpError, OLD_RESOURCE_NOT_FOUND, RejectedRequest};
use super::members::{self, Members, write_string};
use super::revision::{Era, McpMethod};

/// The member of `_meta` that names the server.
pub const META_SERVER: &str = "io.modelcontextprotocol/serverInfo";
/// How long a client may cache a list, in milliseconds.
pub const LIST_TTL_MS: u32 = 300_000;

/// One JSON-RPC response with its HTTP status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonReply {
    pub status: u16,
    pub body: Bytes,
}

impl JsonReply {
    fn ok(body: Bytes) -> Self {
        JsonReply { status: 200, body }
    }

    /// `id` and `result` are raw JSON text.
    pub fn result(id: &str, result: &str) -> Self {
        Self::ok(response(id, result))
    }

    /// `id` is raw JSON text.
    pub fn error(id: &str, error: &McpError) -> Self {
        JsonReply {
            status: error.status(),
            body: error.body(Some(id)),
        }
    }
}

impl From<&RejectedRequest> for JsonReply {
    fn from(rejected: &RejectedRequest) -> Self {
        JsonReply {
            status: rejected.error.status(),
            body: rejected.body(),
        }
    }
}

/// `{"jsonrpc":"2.0","id":…,"result":…}`. `id` and `result` are raw JSON text.
pub fn response(id: &str, result: &str) -> Bytes {
    let mut out = String::with_capacity(id.len() + result.len() + 40);
    open(&mut out, id);
    out.push_str(result);
    out.push('}');
    Bytes::from(out)
}

/// A worker's `result` for a client. `server` is the JSON text of the gateway's `serverInfo`. Returns `None` if the
/// result is not an object, because every MCP result must be one.
pub fn relayed(id: &str, era: Era, method: McpMethod, result: &RawValue, server: &str) -> Option<JsonReply> {
    if era == Era::Legacy {
        return result
            .get()
            .starts_with('{')
            .then(|| JsonReply::result(id, result.get()));
    }
    let mut out = String::with_capacity(id.len() + result.get().len() + server.len() + 160);
    open(&mut out, id);
    match without_era_members(result) {
        Some(members) => write_modern(&mut out, &Members::default(), members, method, server),
        None => write_modern(&mut out, &Members::of(result.get())?, "", method, server),
    }
    out.push('}');
    Some(JsonReply::ok(out.into()))
}

/// The modern form of one of the gateway's own results. `members` is the text between its braces, such as
/// `"tools":[…]`.
pub fn modern_list(members: &str, server: &str) -> String {
    format!(
        r#"{{"resultType":"complete",{members},"ttlMs":{LIST_TTL_MS},"cacheScope":"private","_meta":{{"{META_SERVER}":{server}}}}}"#
    )
}

/// A tool result with `isError` and a single text, which the model reads and relays to the person.
pub fn tool_error(id: &str, era: Era, text: &str, server: &str) -> JsonReply {
    let mut out = String::with_capacity(id.len() + text.len() + server.len() + 160);
    open(&mut out, id);
    out.push('{');
    if era == Era::Modern {
        out.push_str("\"resultType\":\"complete\",");
    }
    out.push_str("\"content\":[{\"type\":\"text\",\"text\":");
    write_string(&mut out, text);
    out.push_str("}],\"isError\":true");
    if era == Era::Modern {
        write_meta(&mut out, None, server);
    }
    out.push_str("}}");
    JsonReply::ok(out.into())
}

/// A worker's `error` for a client. `uri` is the requested resource.
///
/// Modern clients never see -32002, and an unknown method gives them HTTP 404.
pub fn relayed_error(
    id: &str,
    era: Era,
    method: McpMethod,
    error: &RawValue,
    uri: Option<&str>,
) -> JsonReply {
    let Some(members) = Members::of(error.get()) else {
        let error = McpError::NoAnswer("the worker sent a malformed error".to_owned());
        return JsonReply::error(id, &error);
    };
    let code = members
        .get("code")
        .and_then(|code| serde_json::from_str::<i64>(code.get()).ok());
    match (method, code, uri) {
        (McpMethod::ReadResource, Some(code), Some(uri)) if is_resource_not_found(code, &members) => {
            let uri = uri.to_owned();
            return JsonReply::error(id, &McpError::ResourceNotFound { uri, era });
        }
        (_, Some(-32601), _) => {
            let method = method.name().to_owned();
            return JsonReply::error(id, &McpError::MethodNotFound { method, era });
        }
        _ => {}
    }
    let mut out = String::with_capacity(id.len() + error.get().len() + 40);
    out.push_str("{\"jsonrpc\":\"2.0\",\"id\":");
    out.push_str(id);
    out.push_str(",\"error\":");
    if era == Era::Modern && code == Some(OLD_RESOURCE_NOT_FOUND) {
        out.push_str("{\"code\":");
        out.push_str(&INVALID_PARAMS.to_string());
        for member in members.iter().filter(|member| member.key != "code") {
            out.push(',');
            member.write(&mut out);
        }
        out.push('}');
    } else {
        out.push_str(error.get());
    }
    out.push('}');
    JsonReply::ok(out.into())
}

/// FastMCP 1.x reports an unknown resource with code 0 and this text.
fn is_resource_not_found(code: i64, members: &Members<'_>) -> bool {
    let message = || members.get("message").and_then(members::text);
    code == OLD_RESOURCE_NOT_FOUND
        || (code == 0 && message().is_some_and(|text| text.starts_with("Unknown resource")))
}

fn open(out: &mut String, id: &str) {
    out.push_str("{\"jsonrpc\":\"2.0\",\"id\":");
    out.push_str(id);
    out.push_str(",\"result\":");
}

/// The text between the braces of `result`, provided that no member that the modern era adds can occur in it at any
/// depth. This is true of most results, and saves parsing them.
fn without_era_members(result: &RawValue) -> Option<&str> {
    // Only this escape allows a different spelling of a key.
    const ESCAPE: &str = "\\u";
    let members = result.get().strip_prefix('{')?.strip_suffix('}')?;
    let era_members = [
        "\"resultType\"",
        "\"_meta\"",
        "\"ttlMs\"",
        "\"cacheScope\"",
        ESCAPE,
    ];
    let is_there = |text| result.get().contains(text);
    (!era_members.into_iter().any(is_there)).then(|| members.trim())
}

/// Writes either `members` or `unparsed`; the caller leaves the other one empty.
fn write_modern(out: &mut String, members: &Members<'_>, unparsed: &str, method: McpMethod, server: &str) {
    out.push('{');
    if members.get("resultType").is_none() {
        out.push_str("\"resultType\":\"complete\",");
    }
    // A resource may hold personal data and change at any time, so it is private and must not be cached.
    if method == McpMethod::ReadResource {
        if members.get("ttlMs").is_none() {
            out.push_str("\"ttlMs\":0,");
        }
        if members.get("cacheScope").is_none() {
            out.push_str("\"cacheScope\":\"private\",");
        }
    }
    for member in members.iter().filter(|member| member.key != "_meta") {
        member.write(out);
        out.push(',');
    }
    out.push_str(unparsed);
    write_meta(out, members.get("_meta"), server);
    out.push('}');
}

/// `,"_meta":{…}` with the server's name and the worker's own members.
fn write_meta(out: &mut String, meta: Option<&RawValue>, server: &str) {
    if !out.ends_with(['{', ',']) {
        out.push(',');
    }
    out.push_str("\"_meta\":{\"");
    out.push_str(META_SERVER);
    out.push_str("\":");
    out.push_str(server);
    for member in meta
        .and_then(|meta| Members::of(meta.get()))
        .unwrap_or_default()
        .iter()
    {
        if member.key != META_SERVER {
            out.push(',');
            member.write(out);
        }
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = r#"{"name":"s"}"#;
    const META: &str = r#""_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s"}}"#;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).unwrap()
    }

    fn text(reply: &JsonReply) -> &str {
        std::str::from_utf8(&reply.body).unwrap()
    }

    /// Unknown members, number formats, white space and the order of members must survive.
    #[test]
    fn a_legacy_result_goes_out_byte_for_byte() {
        let result = r#"{ "content":[{"type":"text","text":"a\u00e9","x-new":1.0}],"structuredContent":{"b":1e3}, "vendor":{} }"#;
        let out = relayed("\"i\"", Era::Legacy, McpMethod::CallTool, raw(result), SERVER).unwrap();
        assert_eq!(
            text(&out),
            format!(r#"{{"jsonrpc":"2.0","id":"i","result":{result}}}"#)
        );
        assert!(relayed("1", Era::Legacy, McpMethod::CallTool, raw("3"), SERVER).is_none());
        assert!(relayed("1", Era::Modern, McpMethod::CallTool, raw("[]"), SERVER).is_none());
    }

    /// A modern result has `resultType`, the server's name and cache hints. The worker's own members are kept.
    #[test]
    fn a_modern_result_gains_what_the_era_asks_for() {
        for (method, result, expected) in [
            (
                McpMethod::CallTool,
                r#"{"content":[ {"n":1.0} ],"x":2}"#,
                format!(r#"{{"resultType":"complete","content":[ {{"n":1.0}} ],"x":2,{META}}}"#),
            ),
            (McpMethod::CallTool, "{}", format!(r#"{{"resultType":"complete",{META}}}"#)),
            (
                McpMethod::CallTool,
                r#"{"_meta":{"a":1.0,"io.modelcontextprotocol/serverInfo":{"name":"worker"}},"content":[]}"#,
                r#"{"resultType":"complete","content":[],"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s"},"a":1.0}}"#.to_owned(),
            ),
            (McpMethod::CallTool, "{ }", format!(r#"{{"resultType":"complete",{META}}}"#)),
            (
                McpMethod::CallTool,
                r#"{"_m\u0065ta":{"a":1},"content":[]}"#,
                r#"{"resultType":"complete","content":[],"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s"},"a":1}}"#.to_owned(),
            ),
            (
                McpMethod::CallTool,
                r#"{"content":[{"text":"a \"_meta\"","_meta":{"b":1}}]}"#,
                format!(r#"{{"resultType":"complete","content":[{{"text":"a \"_meta\"","_meta":{{"b":1}}}}],{META}}}"#),
            ),
            (McpMethod::CallTool, r#"{"resultType":"complete"}"#, format!(r#"{{"resultType":"complete",{META}}}"#)),
            (
                McpMethod::ReadResource,
                r#"{"contents":[]}"#,
                format!(r#"{{"resultType":"complete","ttlMs":0,"cacheScope":"private","contents":[],{META}}}"#),
            ),
        ] {
            let out = relayed("1", Era::Modern, method, raw(result), SERVER).unwrap();
            assert_eq!(text(&out), format!(r#"{{"jsonrpc":"2.0","id":1,"result":{expected}}}"#), "{result}");
        }
    }

    #[test]
    fn tool_errors_are_results() {
        assert_eq!(
            text(&tool_error("1", Era::Legacy, "no \"luck\"", SERVER)),
            r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"no \"luck\""}],"isError":true}}"#
        );
        let modern = tool_error("1", Era::Modern, "x", SERVER);
        assert_eq!(
            text(&modern),
            format!(
                r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":"complete","content":[{{"type":"text","text":"x"}}],"isError":true,{META}}}}}"#
            )
        );
    }

    /// Each era gets its own codes, and modern clients never see -32002.
    #[test]
    fn errors_are_translated() {
        let old = r#"{"code":-32002,"message":"gone","data":{"x":1.0}}"#;
        let fastmcp = r#"{"code":0,"message":"Unknown resource: a://b"}"#;
        let other = r#"{ "code" : 0,"message":"broken"}"#;
        for (era, method, error, uri, status, expected) in [
            (Era::Legacy, McpMethod::CallTool, old, None, 200, old),
            (
                Era::Modern,
                McpMethod::CallTool,
                old,
                None,
                200,
                r#"{"code":-32602,"message":"gone","data":{"x":1.0}}"#,
            ),
            (
                Era::Modern,
                McpMethod::ReadResource,
                fastmcp,
                Some("a://b"),
                200,
                r#"{"code":-32602,"message":"Resource not found: a://b","data":{"uri":"a://b"}}"#,
            ),
            (
                Era::Legacy,
                McpMethod::ReadResource,
                old,
                Some("a://b"),
                200,
                r#"{"code":-32002,"message":"Resource not found: a://b","data":{"uri":"a://b"}}"#,
            ),
            (
                Era::Modern,
                McpMethod::ReadResource,
                other,
                Some("a://b"),
                200,
                other,
            ),
            (
                Era::Modern,
                McpMethod::Complete,
                r#"{"code":-32601,"message":"Method not found"}"#,
                None,
                404,
                r#"{"code":-32601,"message":"Method not found: completion/complete"}"#,
            ),
            (
                Era::Legacy,
                McpMethod::CallTool,
                "3",
                None,
                200,
                r#"{"code":-32603,"message":"the worker sent a malformed error"}"#,
            ),
        ] {
            let reply = relayed_error("1", era, method, raw(error), uri);
            assert_eq!(
                text(&reply),
                format!(r#"{{"jsonrpc":"2.0","id":1,"error":{expected}}}"#),
                "{error}"
            );
            assert_eq!(reply.status, status, "{error}");
        }
    }
}
