//! Tables of requests in both eras. Each line gives a request and the expected decision.

mod message;

use proptest::prelude::*;

use super::*;

/// Replaces `META` in a row: the two required members of `_meta`.
const META: &str = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}"#;

fn headers<'a>(
    version: Option<&'a str>,
    method: Option<&'a str>,
    name: Option<&'a str>,
) -> RequestHeaders<'a> {
    RequestHeaders {
        protocol_version: version,
        mcp_method: method,
        mcp_name: name,
        ..RequestHeaders::default()
    }
}

/// The decision about a body: `modern tools/list`, `legacy ping`, `noted`, `cancelled 5`, or `400 -32020`.
fn outcome(headers: &RequestHeaders<'_>, body: &str) -> String {
    match Inbound::read(headers, body.as_bytes()) {
        Ok(Inbound::Request(request)) => {
            let era = if request.era == Era::Modern {
                "modern"
            } else {
                "legacy"
            };
            format!("{era} {}", request.method.name())
        }
        Ok(Inbound::Cancelled(id)) => format!("cancelled {}", id.map_or("-", RawValue::get)),
        Ok(Inbound::Ignored) => "noted".to_owned(),
        Err(rejected) => format!("{} {}", rejected.error.status(), rejected.error.code()),
    }
}

fn request(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
}

/// Checks a table with these columns: label | MCP-Protocol-Version | Mcp-Method | Mcp-Name | method | params |
/// decision. `-` means absent.
#[track_caller]
fn check(table: &str) {
    let mut rows = 0;
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let mut cells = line.split('|').map(|cell| cell.strip_prefix(' ').unwrap_or(cell));
        let mut cell = || {
            cells
                .next()
                .map(|cell| cell.strip_suffix(' ').unwrap_or(cell))
                .expect(line)
        };
        let row = cell().trim();
        let mut header = || Some(cell()).filter(|text| text.trim() != "-");
        let headers = headers(header(), header(), header());
        let body = request(cell().trim(), &cell().trim().replace("META", META));
        assert_eq!(
            outcome(&headers, &body),
            cell().trim(),
            "row {row:?}: {headers:?} {body}"
        );
        rows += 1;
    }
    assert!(rows > 0);
}

/// Request headers and metadata of the modern era.
#[test]
fn modern_headers_and_metadata() {
    check(
        r#"
all as it should be         | 2026-07-28 | tools/list | - | tools/list | {"_meta":{META}} | modern tools/list
MCP-Protocol-Version absent | - | tools/list | - | tools/list | {"_meta":{META}} | 400 -32020
MCP-Protocol-Version other  | 2025-11-25 | tools/list | - | tools/list | {"_meta":{META}} | 400 -32020
MCP-Protocol-Version blanks |  2026-07-28  | tools/list | - | tools/list | {"_meta":{META}} | modern tools/list
Mcp-Method absent           | 2026-07-28 | - | - | tools/list | {"_meta":{META}} | 400 -32020
Mcp-Method other            | 2026-07-28 | prompts/list | - | tools/list | {"_meta":{META}} | 400 -32020
Mcp-Method in capitals      | 2026-07-28 | TOOLS/LIST | - | tools/list | {"_meta":{META}} | 400 -32020
Mcp-Name not needed         | 2026-07-28 | tools/list | anything | tools/list | {"_meta":{META}} | modern tools/list
Mcp-Name of a tool          | 2026-07-28 | tools/call | get_stats | tools/call | {"name":"get_stats","_meta":{META}} | modern tools/call
Mcp-Name with blanks        | 2026-07-28 | tools/call |   get_stats  | tools/call | {"name":"get_stats","_meta":{META}} | modern tools/call
Mcp-Name absent             | 2026-07-28 | tools/call | - | tools/call | {"name":"get_stats","_meta":{META}} | 400 -32020
Mcp-Name other              | 2026-07-28 | tools/call | delete_workout | tools/call | {"name":"get_stats","_meta":{META}} | 400 -32020
Mcp-Name of a prompt        | 2026-07-28 | prompts/get | p | prompts/get | {"name":"p","_meta":{META}} | modern prompts/get
Mcp-Name of other prompt    | 2026-07-28 | prompts/get | q | prompts/get | {"name":"p","_meta":{META}} | 400 -32020
Mcp-Name of a resource      | 2026-07-28 | resources/read | a://b | resources/read | {"uri":"a://b","_meta":{META}} | modern resources/read
Mcp-Name of other resource  | 2026-07-28 | resources/read | a://c | resources/read | {"uri":"a://b","_meta":{META}} | 400 -32020
no name in the body         | 2026-07-28 | tools/call | - | tools/call | {"_meta":{META}} | modern tools/call
header values: Base64       | 2026-07-28 | tools/call | =?base64?Y2Fmw6k=?= | tools/call | {"name":"café","_meta":{META}} | modern tools/call
header values: blanks kept  | 2026-07-28 | tools/call | =?base64?IGEg?= | tools/call | {"name":" a ","_meta":{META}} | modern tools/call
header values: other text   | 2026-07-28 | tools/call | =?base64?Y2Fm?= | tools/call | {"name":"café","_meta":{META}} | 400 -32020
header values: not Base64   | 2026-07-28 | tools/call | =?base64?Y2F!?= | tools/call | {"name":"café","_meta":{META}} | 400 -32020
Mcp-Param-*: ignored        | 2026-07-28 | tools/call | a | tools/call | {"name":"a","arguments":{"x":1},"_meta":{META}} | modern tools/call
protocolVersion absent      | 2026-07-28 | tools/list | - | tools/list | {"_meta":{"io.modelcontextprotocol/clientCapabilities":{}}} | 400 -32602
protocolVersion, no _meta   | 2026-07-28 | tools/list | - | tools/list | {} | 400 -32602
protocolVersion no text     | 2026-07-28 | tools/list | - | tools/list | {"_meta":{"io.modelcontextprotocol/protocolVersion":1}} | 400 -32602
clientCapabilities absent   | 2026-07-28 | tools/list | - | tools/list | {"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}} | 400 -32602
clientCapabilities a list   | 2026-07-28 | tools/list | - | tools/list | {"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":[]}} | 400 -32602
clientInfo is optional      | 2026-07-28 | tools/list | - | tools/list | {"_meta":{META,"io.modelcontextprotocol/clientInfo":{"name":"x"}}} | modern tools/list
version unknown             | v999.0.0 | tools/list | - | tools/list | {"_meta":{"io.modelcontextprotocol/protocolVersion":"v999.0.0","io.modelcontextprotocol/clientCapabilities":{}}} | 400 -32022
version legacy              | 2025-11-25 | tools/list | - | tools/list | {"_meta":{"io.modelcontextprotocol/protocolVersion":"2025-11-25","io.modelcontextprotocol/clientCapabilities":{}}} | 400 -32022
version other than header   | 2026-07-28 | tools/list | - | tools/list | {"_meta":{"io.modelcontextprotocol/protocolVersion":"v999.0.0","io.modelcontextprotocol/clientCapabilities":{}}} | 400 -32020
"#,
    );
}

/// Methods of the modern era, including those that it removed.
#[test]
fn modern_methods() {
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "tasks/get",
        "tasks/list",
        "subscriptions/listen",
        "roots/list",
        "unknown/method",
    ] {
        check(&format!(
            "removed or unknown | 2026-07-28 | {method} | - | {method} | {{\"_meta\":{{META}}}} | 404 -32601"
        ));
    }
    for method in [
        "server/discover",
        "tools/list",
        "tools/call",
        "resources/list",
        "resources/templates/list",
        "resources/read",
        "prompts/list",
        "prompts/get",
        "completion/complete",
    ] {
        check(&format!(
            "known | 2026-07-28 | {method} | - | {method} | {{\"_meta\":{{META}}}} | modern {method}"
        ));
    }
}

/// Requests whose version and headers decide the era.
#[test]
fn dual_era_decisions() {
    check(
        r#"
_meta protocolVersion: modern          | 2026-07-28 | tools/list | - | tools/list | {"_meta":{META}} | modern tools/list
server/discover: modern                | 2026-07-28 | server/discover | - | server/discover | {"_meta":{META}} | modern server/discover
server/discover, no metadata           | 2026-07-28 | server/discover | - | server/discover | {} | 400 -32602
server/discover, nothing at all        | - | - | - | server/discover | {} | 400 -32602
initialize: legacy                     | - | - | - | initialize | {"protocolVersion":"2025-11-25"} | legacy initialize
initialize: never an error             | nonsense | - | - | initialize | {} | legacy initialize
initialize: whatever the header says   | 2026-07-28 | - | - | initialize | {} | legacy initialize
initialize with modern metadata        | 2026-07-28 | initialize | - | initialize | {"_meta":{META}} | 404 -32601
other, version absent: 2025-03-26      | - | - | - | tools/list | {} | legacy tools/list
other, version 2025-03-26              | 2025-03-26 | - | - | ping | {} | legacy ping
other, version 2024-11-05              | 2024-11-05 | - | - | ping | {} | legacy ping
other, version 2025-06-18              | 2025-06-18 | - | - | tools/call | {} | legacy tools/call
other, version 2025-11-25              | 2025-11-25 | - | - | logging/setLevel | {} | legacy logging/setLevel
other, version unknown                 | 2019-01-01 | - | - | tools/list | {} | 400 -32022
other, version modern, no metadata     | 2026-07-28 | tools/list | - | tools/list | {} | 400 -32602
legacy: other headers are not compared | - | x | y | tools/call | {"name":"a"} | legacy tools/call
legacy: unknown method, no 404         | - | - | - | resources/subscribe | {} | 200 -32601
legacy: metadata without a version     | - | - | - | tools/call | {"_meta":{"progressToken":1,"claudecode/toolUseId":"t"}} | legacy tools/call
"#,
    );
}

/// Notifications, responses and arrays.
#[test]
fn messages_without_an_answer() {
    for (row, version, body, expected) in [
        (
            "notification",
            None,
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            "noted",
        ),
        (
            "notification",
            Some(MODERN),
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            "noted",
        ),
        (
            "version unknown",
            Some("x"),
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            "400 -32022",
        ),
        (
            "cancelled",
            None,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"5"}}"#,
            r#"cancelled "5""#,
        ),
        (
            "cancelled nothing",
            None,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#,
            "cancelled -",
        ),
        (
            "response",
            None,
            r#"{"jsonrpc":"2.0","id":9,"result":{}}"#,
            "noted",
        ),
        (
            "JSON array",
            None,
            r#"[{"jsonrpc":"2.0","id":9,"method":"ping"}]"#,
            "400 -32600",
        ),
    ] {
        assert_eq!(
            outcome(&headers(version, None, None), body),
            expected,
            "row {row:?}: {body}"
        );
    }
}

/// An error has the id of its request.
#[test]
fn refusals_carry_the_id() {
    let body = r#"{"jsonrpc":"2.0","id":"x-1","method":"nope"}"#;
    let rejected = Inbound::read(&RequestHeaders::default(), body.as_bytes()).unwrap_err();
    assert_eq!(rejected.id.as_deref(), Some("\"x-1\""));
}

proptest! {
    #[test]
    fn arbitrary_requests_never_panic(
        version in proptest::option::of("(2026-07-28|2025-11-25|.{0,12})"),
        method in proptest::option::of(".{0,12}"),
        name in proptest::option::of(".{0,20}"),
        id in r#"(,"id":[0-9])?"#,
        called in "(tools/call|server/discover|[a-z]{0,5})",
        params in r#"("name":("a"|1))?(,"_meta":\{"io.modelcontextprotocol/protocolVersion":("2026-07-28"|1)\})?"#,
    ) {
        let body = format!(r#"{{"jsonrpc":"2.0"{id},"method":"{called}","params":{{{params}}}}}"#);
        outcome(&headers(version.as_deref(), method.as_deref(), name.as_deref()), &body);
    }
}
