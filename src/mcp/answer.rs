//! Answers to requests: a result or an error around raw JSON text, in the form of the client's era.
//!
//! Legacy: a worker's result goes out byte for byte. Modern: `resultType`, the server's name in `_meta` and, where
//! the method has them, the cache hints are added around the members, whose own bytes stay as they are.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::{
    members::{Members, write_string},
    refusal::{INVALID_PARAMS, OLD_RESOURCE_NOT_FOUND, Refusal},
    revision::{Era, Method},
};

/// The member of `_meta` that names the server.
pub const META_SERVER: &str = "io.modelcontextprotocol/serverInfo";
/// How long a client may keep a list, in milliseconds.
pub const LIST_TTL_MS: u32 = 300_000;

/// `{"jsonrpc":"2.0","id":…,"result":…}`. `id` and `result` are raw JSON text.
pub fn response(id: &str, result: &str) -> Bytes {
    let mut out = String::with_capacity(id.len() + result.len() + 40);
    open(&mut out, id);
    out.push_str(result);
    out.push('}');
    Bytes::from(out)
}

/// The response that carries a worker's `result` to a client. `server` is the JSON text of our `serverInfo`.
/// `None` if the result is no object, which no method of MCP has.
pub fn relayed(id: &str, era: Era, method: Method, result: &RawValue, server: &str) -> Option<Bytes> {
    if era == Era::Legacy {
        return result.get().starts_with('{').then(|| response(id, result.get()));
    }
    let mut out = String::with_capacity(id.len() + result.get().len() + server.len() + 160);
    open(&mut out, id);
    match has_nothing_of_ours(result) {
        Some(members) => write_modern(&mut out, &Members::default(), members, method, server),
        None => write_modern(&mut out, &Members::of(result.get())?, "", method, server),
    }
    out.push('}');
    Some(Bytes::from(out))
}

/// The modern form of a result that we made ourselves, from its members' text (without braces), e.g. `"tools":[…]`.
pub fn modern_list(members: &str, server: &str) -> String {
    format!(
        r#"{{"resultType":"complete",{members},"ttlMs":{LIST_TTL_MS},"cacheScope":"private","_meta":{{"{META_SERVER}":{server}}}}}"#
    )
}

/// A tool's result that says what went wrong, for the model and the person: `isError`, one text.
pub fn tool_error(id: &str, era: Era, text: &str, server: &str) -> Bytes {
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
    Bytes::from(out)
}

/// The response that carries a worker's `error` to a client, with its HTTP status.
///
/// Modern clients must not see -32002, and learn of an unknown method by 404 (section 4, translating, row 4).
pub fn relayed_error(
    id: &str,
    era: Era,
    method: Method,
    error: &RawValue,
    uri: Option<&str>,
) -> (u16, Bytes) {
    let Some(members) = Members::of(error.get()) else {
        let refusal = Refusal::NoAnswer("the worker sent an error that is not one".to_owned());
        return (refusal.status(), refusal.body(Some(id)));
    };
    let code = members
        .get("code")
        .and_then(|code| serde_json::from_str::<i64>(code.get()).ok());
    let refusal = match (method, code, uri) {
        (Method::ReadResource, Some(code), Some(uri)) if is_not_found(code, &members) => {
            Some(Refusal::ResourceNotFound {
                uri: uri.to_owned(),
                era,
            })
        }
        (_, Some(-32601), _) => Some(Refusal::MethodNotFound {
            method: method.name().to_owned(),
            era,
        }),
        _ => None,
    };
    if let Some(refusal) = refusal {
        return (refusal.status(), refusal.body(Some(id)));
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
    (200, Bytes::from(out))
}

/// FastMCP 1.x says it with code 0 and words.
fn is_not_found(code: i64, members: &Members<'_>) -> bool {
    let words = || members.get("message").and_then(super::members::text);
    code == OLD_RESOURCE_NOT_FOUND
        || (code == 0 && words().is_some_and(|text| text.starts_with("Unknown resource")))
}

fn open(out: &mut String, id: &str) {
    out.push_str("{\"jsonrpc\":\"2.0\",\"id\":");
    out.push_str(id);
    out.push_str(",\"result\":");
}

/// The text between the braces of an object that has no member that the modern era adds, at any depth: most have none,
/// and need not be read a second time to be sure.
fn has_nothing_of_ours(result: &RawValue) -> Option<&str> {
    // A key can be spelled in another way only with this.
    const ESCAPE: &str = "\\u";
    let mentions = |text| result.get().contains(text);
    let members = result.get().strip_prefix('{')?.strip_suffix('}')?;
    let ours = [
        "\"resultType\"",
        "\"_meta\"",
        "\"ttlMs\"",
        "\"cacheScope\"",
        ESCAPE,
    ];
    (!ours.into_iter().any(mentions)).then(|| members.trim())
}

/// The members that were read, and the text of others that need not be.
fn write_modern(out: &mut String, members: &Members<'_>, unread: &str, method: Method, server: &str) {
    out.push('{');
    if members.get("resultType").is_none() {
        out.push_str("\"resultType\":\"complete\",");
    }
    // What a resource says may be the person's own, and changes when it likes: private, and not to be kept.
    if method == Method::ReadResource {
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
    out.push_str(unread);
    write_meta(out, members.get("_meta"), server);
    out.push('}');
}

/// `,"_meta":{…}` with the server's name and what the worker had there.
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

    fn text(bytes: &Bytes) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    /// Section 8, fidelity: unknown members, number forms, blanks and the order of members survive.
    #[test]
    fn a_legacy_result_goes_out_byte_for_byte() {
        let result = r#"{ "content":[{"type":"text","text":"a\u00e9","x-new":1.0}],"structuredContent":{"b":1e3}, "vendor":{} }"#;
        let out = relayed("\"i\"", Era::Legacy, Method::CallTool, raw(result), SERVER).unwrap();
        assert_eq!(
            text(&out),
            format!(r#"{{"jsonrpc":"2.0","id":"i","result":{result}}}"#)
        );
        assert!(relayed("1", Era::Legacy, Method::CallTool, raw("3"), SERVER).is_none());
        assert!(relayed("1", Era::Modern, Method::CallTool, raw("[]"), SERVER).is_none());
    }

    /// Section 3, bodies and answers; section 4, translating, row 3.
    #[test]
    fn a_modern_result_gains_what_the_era_asks_for() {
        for (method, result, expected) in [
            (
                Method::CallTool,
                r#"{"content":[ {"n":1.0} ],"x":2}"#,
                format!(r#"{{"resultType":"complete","content":[ {{"n":1.0}} ],"x":2,{META}}}"#),
            ),
            (Method::CallTool, "{}", format!(r#"{{"resultType":"complete",{META}}}"#)),
            (
                Method::CallTool,
                r#"{"_meta":{"a":1.0,"io.modelcontextprotocol/serverInfo":{"name":"worker"}},"content":[]}"#,
                r#"{"resultType":"complete","content":[],"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s"},"a":1.0}}"#.to_owned(),
            ),
            (Method::CallTool, "{ }", format!(r#"{{"resultType":"complete",{META}}}"#)),
            (
                Method::CallTool,
                r#"{"_m\u0065ta":{"a":1},"content":[]}"#,
                r#"{"resultType":"complete","content":[],"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s"},"a":1}}"#.to_owned(),
            ),
            (
                Method::CallTool,
                r#"{"content":[{"text":"a \"_meta\"","_meta":{"b":1}}]}"#,
                format!(r#"{{"resultType":"complete","content":[{{"text":"a \"_meta\"","_meta":{{"b":1}}}}],{META}}}"#),
            ),
            (Method::CallTool, r#"{"resultType":"complete"}"#, format!(r#"{{"resultType":"complete",{META}}}"#)),
            (
                Method::ReadResource,
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

    /// Section 4, translating, row 4, and section 3 (-32002 must not be emitted).
    #[test]
    fn errors_are_translated() {
        let old = r#"{"code":-32002,"message":"gone","data":{"x":1.0}}"#;
        let fastmcp = r#"{"code":0,"message":"Unknown resource: a://b"}"#;
        let other = r#"{ "code" : 0,"message":"broken"}"#;
        for (era, method, error, uri, status, expected) in [
            (Era::Legacy, Method::CallTool, old, None, 200, old),
            (
                Era::Modern,
                Method::CallTool,
                old,
                None,
                200,
                r#"{"code":-32602,"message":"gone","data":{"x":1.0}}"#,
            ),
            (
                Era::Modern,
                Method::ReadResource,
                fastmcp,
                Some("a://b"),
                200,
                r#"{"code":-32602,"message":"Resource not found: a://b","data":{"uri":"a://b"}}"#,
            ),
            (
                Era::Legacy,
                Method::ReadResource,
                old,
                Some("a://b"),
                200,
                r#"{"code":-32002,"message":"Resource not found: a://b","data":{"uri":"a://b"}}"#,
            ),
            (
                Era::Modern,
                Method::ReadResource,
                other,
                Some("a://b"),
                200,
                other,
            ),
            (
                Era::Modern,
                Method::Complete,
                r#"{"code":-32601,"message":"Method not found"}"#,
                None,
                404,
                r#"{"code":-32601,"message":"Method not found: completion/complete"}"#,
            ),
            (
                Era::Legacy,
                Method::CallTool,
                "3",
                None,
                200,
                r#"{"code":-32603,"message":"the worker sent an error that is not one"}"#,
            ),
        ] {
            let (got_status, body) = relayed_error("1", era, method, raw(error), uri);
            assert_eq!(
                text(&body),
                format!(r#"{{"jsonrpc":"2.0","id":1,"error":{expected}}}"#),
                "{error}"
            );
            assert_eq!(got_status, status, "{error}");
        }
    }
}
