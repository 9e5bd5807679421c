//! Tests of the MCP endpoint over HTTP, for clients of both eras: status, headers and bytes.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::face::{FORM, Face, Reply};
use super::pages::bearer;

const META: &str = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}"#;

/// Sends one message to `/mcp`. `headers` is separated by semicolons. `META` in the body is replaced by the modern
/// metadata.
async fn send(face: &Face, bearer: &str, headers: &str, body: &str) -> Reply {
    let headers = headers
        .split(';')
        .map(str::trim)
        .filter(|h| !h.is_empty())
        .flat_map(|h| [h, "\r\n"])
        .collect::<String>();
    let headers = format!("{bearer}{headers}Content-Type: application/json\r\n");
    face.ask("POST /mcp", &headers, &body.replace("META", META)).await
}

fn said(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{reply:?}"))
}

/// Each line has these columns: label | headers | body | status | a part of the answer.
const ROWS: &str = r#"
modern: discover                     | MCP-Protocol-Version: 2026-07-28; Mcp-Method: server/discover | {"jsonrpc":"2.0","id":"server-discover-probe-1","method":"server/discover","params":{"_meta":{META}}} | 200 | "supportedVersions":["2026-07-28"]
modern: list                         | mcp-protocol-version: 2026-07-28; MCP-METHOD: tools/list | {"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{META}}} | 200 | "ttlMs":300000,"cacheScope":"private"
modern: header mismatch              | MCP-Protocol-Version: 2026-07-28; Mcp-Method: tools/call | {"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{META}}} | 400 | "code":-32020
modern: no metadata                  | MCP-Protocol-Version: 2026-07-28; Mcp-Method: tools/list | {"jsonrpc":"2.0","id":1,"method":"tools/list"} | 400 | "code":-32602
modern: unknown version              | MCP-Protocol-Version: v9; Mcp-Method: tools/list | {"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"v9","io.modelcontextprotocol/clientCapabilities":{}}}} | 400 | "code":-32022,"message":"Unsupported protocol version","data":{"supported":["2026-07-28"],"requested":"v9"}
modern: removed method               | MCP-Protocol-Version: 2026-07-28; Mcp-Method: ping | {"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{META}}} | 404 | "code":-32601
modern: nothing to listen to         | MCP-Protocol-Version: 2026-07-28; Mcp-Method: subscriptions/listen | {"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"_meta":{META}}} | 404 | "code":-32601
modern: notification                 | MCP-Protocol-Version: 2026-07-28 | {"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9,"_meta":{META}}} | 202 |
legacy: initialize                   | | {"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}} | 200 | "protocolVersion":"2025-06-18"
legacy: initialize of another era    | | {"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2026-07-28"}} | 200 | "protocolVersion":"2025-11-25"
legacy: initialized, no session      | MCP-Protocol-Version: 2025-11-25 | {"jsonrpc":"2.0","method":"notifications/initialized"} | 202 |
legacy: a session that nobody gave   | Mcp-Session-Id: 0123456789abcdef; MCP-Protocol-Version: 2025-11-25 | {"jsonrpc":"2.0","id":1,"method":"tools/list"} | 200 | "name":"get_stats"
legacy: without initialize           | | {"jsonrpc":"2.0","id":1,"method":"tools/list"} | 200 | "readOnlyHint":true
legacy: no version header            | | {"jsonrpc":"2.0","id":1,"method":"ping"} | 200 | "result":{}
legacy: unknown version header       | MCP-Protocol-Version: 1999-01-01 | {"jsonrpc":"2.0","id":1,"method":"ping"} | 400 | "code":-32022
legacy: unknown method is no 404     | MCP-Protocol-Version: 2025-11-25 | {"jsonrpc":"2.0","id":1,"method":"resources/subscribe"} | 200 | "code":-32601
legacy: response                     | | {"jsonrpc":"2.0","id":1,"result":{}} | 202 |
batch                                | | [{"jsonrpc":"2.0","id":1,"method":"ping"}] | 400 | "code":-32600
no JSON                              | | {"jsonrpc" | 400 | "code":-32700
duplicate member                     | | {"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"} | 400 | twice
aliased member                       | | {"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"} | 400 | lower case
Accept: */*                          | Accept: */* | {"jsonrpc":"2.0","id":1,"method":"ping"} | 200 | "result":{}
Accept excludes both                 | Accept: text/html | {"jsonrpc":"2.0","id":1,"method":"ping"} | 406 | Accept must allow
Origin: Claude's                     | Origin: https://claude.ai | {"jsonrpc":"2.0","id":1,"method":"ping"} | 200 | "result":{}
Origin: foreign                      | Origin: https://evil.example | {"jsonrpc":"2.0","id":1,"method":"ping"} | 403 | "code":-32600
Host: foreign                        | Host: evil.example | {"jsonrpc":"2.0","id":1,"method":"ping"} | 403 | "code":-32600
unknown tool                          | | {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"unheard_of"}} | 200 | Unknown tool
"#;

#[tokio::test]
async fn every_row_answers_as_the_notes_say() {
    let face = Face::start().await;
    let bearer = bearer(&face).await;
    let mut rows = 0;
    for line in ROWS.lines().filter(|line| !line.is_empty()) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [row, headers, body, status, piece] = cells[..] else {
            panic!("{line}")
        };
        let reply = send(&face, &bearer, headers, body).await;
        assert_eq!(reply.status.to_string(), status, "row {row:?}: {reply:?}");
        assert!(reply.body.contains(piece), "row {row:?}: {reply:?}");
        assert_eq!(
            reply.header("mcp-session-id"),
            None,
            "row {row:?}: no session is ever minted"
        );
        assert_eq!(reply.header("location"), None, "row {row:?}: nothing redirects");
        match reply.status {
            202 => assert_eq!(reply.body, "", "row {row:?}"),
            _ => assert_eq!(said(&reply)["jsonrpc"], "2.0", "row {row:?}"),
        }
        rows += 1;
    }
    assert_eq!(rows, 27);
    for method in ["GET", "DELETE"] {
        let reply = face.ask(&format!("{method} /mcp"), &bearer, "").await;
        assert_eq!(
            (reply.status, reply.header("allow")),
            (405, Some("POST")),
            "row {method}"
        );
    }
}

/// `/mcp/` gives the same response as `/mcp`.
#[tokio::test]
async fn a_trailing_slash_changes_nothing() {
    let face = Face::start().await;
    let headers = format!("{}Content-Type: application/json\r\n", bearer(&face).await);
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let (plain, slash) = (
        face.ask("POST /mcp", &headers, body).await,
        face.ask("POST /mcp/", &headers, body).await,
    );
    assert_eq!((plain.status, slash.status), (200, 200));
    assert_eq!(plain.body, slash.body);
}

/// The bytes of a legacy call that reports its progress.
fn legacy_call(bearer: &str, id: u32) -> String {
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"get_stats","arguments":{{"date":"2026-11-20"}},"_meta":{{"progressToken":"p{id}"}}}}}}"#
    );
    let length = body.len();
    format!(
        "POST /mcp HTTP/1.1\r\nHost: garmin.example.org\r\n{bearer}Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// Reads until this text has arrived.
async fn read_until(stream: &mut TcpStream, text: &str) {
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains(text) {
        let read = stream.read_buf(&mut seen).await.unwrap();
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&seen));
    }
}

/// RFC 7009: what a token permitted ends with its revocation, so its calls end too.
#[tokio::test]
async fn a_clients_own_revocation_ends_its_calls() {
    let face = Face::start().await;
    let bearer = bearer(&face).await;
    let mut stream = face.connect(legacy_call(&bearer, 1).as_bytes()).await;
    read_until(&mut stream, r#""progressToken":"p1""#).await;
    let token = bearer.trim_start_matches("Authorization: Bearer ").trim_end();
    let revoked = face.ask("POST /revoke", FORM, &format!("token={token}")).await;
    assert_eq!(revoked.status, 200, "{}", revoked.body);
    tokio::time::timeout(Duration::from_secs(10), face.worker.ended.notified())
        .await
        .expect("the call was cut");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("was stopped by the server"), "{rest}");
}

/// A disconnect does not cancel a legacy call; `notifications/cancelled` does.
#[tokio::test]
async fn legacy_calls_end_by_notification_only() {
    let face = Face::start().await;
    let bearer = bearer(&face).await;
    let call = |id| legacy_call(&bearer, id);
    let soon = |what| tokio::time::timeout(Duration::from_secs(10), what);

    let mut stream = face.connect(call(1).as_bytes()).await;
    read_until(&mut stream, r#""progressToken":"p1""#).await;
    drop(stream);
    // The worker continues, and finishes only when the test lets it.
    assert!(
        tokio::time::timeout(Duration::from_millis(300), face.worker.ended.notified())
            .await
            .is_err()
    );
    face.worker.go_on.notify_one();
    soon(face.worker.ended.notified())
        .await
        .expect("the call ended by itself");

    let mut stream = face.connect(call(2).as_bytes()).await;
    read_until(&mut stream, r#""progressToken":"p2""#).await;
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}"#;
    assert_eq!(send(&face, &bearer, "", cancel).await.status, 202);
    soon(face.worker.ended.notified())
        .await
        .expect("the call was cancelled");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(
        !rest.contains("all of it"),
        "a cancelled call has no answer: {rest}"
    );
}

/// With many concurrent calls, every answer has the id of its call.
#[tokio::test]
async fn many_calls_at_once_keep_their_ids() {
    let face = Face::start().await;
    let bearer = bearer(&face).await;
    let calls = (0..50).map(|id| {
        let (face, bearer) = (&face, &bearer);
        async move {
            let body = format!(
                r#"{{"jsonrpc":"2.0","id":"call-{id}","method":"tools/call","params":{{"name":"get_stats","arguments":{{"date":"2026-11-20"}},"_meta":{{META}}}}}}"#
            );
            let headers = "MCP-Protocol-Version: 2026-07-28; Mcp-Method: tools/call; Mcp-Name: get_stats; Accept: application/json";
            face.worker.go_on.notify_one();
            said(&send(face, bearer, headers, &body).await)
        }
    });
    let let_go = async {
        loop {
            face.worker.go_on.notify_waiters();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let answers = tokio::select! {
        answers = futures_util::future::join_all(calls) => answers,
        () = let_go => unreachable!(),
    };
    for (id, answer) in answers.iter().enumerate() {
        assert_eq!(answer["id"], format!("call-{id}"));
        assert_eq!(
            answer["result"]["content"],
            json!([{"type": "text", "text": "all of it"}])
        );
        assert_eq!(answer["result"]["resultType"], "complete");
    }
}
