//! The public web server over a real socket: every path and method, the headers of every response, and forbidden
//! requests.

use std::time::Duration;

use garmin_gateway::base::http::ServerLimits;
use garmin_gateway::web::WebLimits;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::face::{FORM, Face, HTML, Reply, Start};
use super::pages::bearer;

#[tokio::test]
async fn every_path_answers_as_the_table_says() {
    let face = Face::start().await;
    let document = "GET, HEAD, OPTIONS";
    let rows = [
        // Discovery, with every alias that clients try.
        ("GET /.well-known/oauth-protected-resource/mcp", 200, None),
        ("GET /.well-known/oauth-protected-resource", 200, None),
        ("HEAD /.well-known/oauth-protected-resource", 200, None),
        ("OPTIONS /.well-known/oauth-protected-resource", 204, None),
        ("POST /.well-known/oauth-protected-resource", 405, Some(document)),
        ("GET /.well-known/oauth-authorization-server", 200, None),
        ("GET /.well-known/oauth-authorization-server/mcp", 200, None),
        ("GET /.well-known/openid-configuration", 200, None),
        ("GET /.well-known/openid-configuration/mcp", 200, None),
        ("GET /mcp/.well-known/openid-configuration", 200, None),
        ("GET /.well-known/oauth-authorization-server?x=1", 200, None),
        ("DELETE /.well-known/openid-configuration", 405, Some(document)),
        // Endpoints refuse other methods.
        ("GET /register", 405, Some("POST")),
        ("GET /token", 405, Some("POST")),
        ("OPTIONS /token", 405, Some("POST")),
        ("GET /revoke", 405, Some("POST")),
        ("HEAD /authorize", 405, Some("GET, POST")),
        ("PUT /authorize", 405, Some("GET, POST")),
        ("DELETE /link", 405, Some("GET, POST")),
        // Pages for people, and probes for monitoring.
        ("GET /", 200, None),
        ("HEAD /", 200, None),
        ("POST /", 405, Some("GET, HEAD")),
        ("GET /favicon.svg", 200, None),
        ("GET /favicon.ico", 200, None),
        ("GET /robots.txt", 200, None),
        ("GET /healthz", 200, None),
        ("HEAD /healthz", 200, None),
        ("GET /readyz", 200, None),
        // Pages of shared races, none of which exists here.
        ("GET /race.js", 200, None),
        ("GET /r/x", 404, None),
        ("GET /r/x/live", 404, None),
        ("POST /r/x", 405, Some("GET, HEAD")),
        // No other path exists, however it is spelled.
        ("GET /sse", 404, None),
        ("POST /messages", 404, None),
        ("GET /authorize/", 404, None),
        ("GET /MCP", 404, None),
        ("GET //mcp", 404, None),
        ("GET /mcp/x", 404, None),
        ("GET /%6dcp", 404, None),
        ("GET /.well-known/jwks.json", 404, None),
        ("GET /../../etc/passwd", 404, None),
        ("BREW /coffee", 404, None),
    ];
    for (line, status, allow) in rows {
        let reply = face.ask(line, "", "").await;
        assert_eq!(reply.status, status, "{line}");
        assert_eq!(reply.header("allow"), allow, "{line}");
        if line.starts_with("HEAD") || status == 204 {
            assert_eq!(reply.body, "", "{line}");
        }
    }
}

#[tokio::test]
async fn the_mcp_endpoint_asks_for_a_token_before_anything_else() {
    let face = Face::start().await;
    let json = "Content-Type: application/json\r\n";
    let large = "x".repeat((1 << 20) + 1);
    for path in ["/mcp", "/mcp/"] {
        for (method, headers, body) in [
            ("POST", json, "{}"),
            ("POST", "", ""),
            ("POST", "Content-Type: text/plain\r\n", "not json at all"),
            ("POST", json, large.as_str()),
            ("POST", "Origin: https://evil.example\r\n", "{}"),
            ("POST", "Host: evil.example\r\n", "{}"),
            ("POST", "Authorization: Bearer wrong\r\n", "{}"),
            ("POST", "Authorization: Basic Z29vZDpnb29k\r\n", "{}"),
            ("GET", "Accept: text/event-stream\r\n", ""),
            ("GET", HTML, ""),
            ("DELETE", "", ""),
            (
                "OPTIONS",
                "Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n",
                "",
            ),
            ("PUT", "", ""),
        ] {
            let reply = face.ask(&format!("{method} {path}"), headers, body).await;
            assert_eq!(reply.status, 401, "{method} {path} {headers}");
            assert!(
                reply.header("www-authenticate").unwrap().starts_with("Bearer "),
                "{method} {path}"
            );
            assert_eq!(reply.header("location"), None, "nothing redirects");
            assert_eq!(
                reply.header("access-control-allow-origin"),
                None,
                "{method} {path}"
            );
        }
    }
    let person = face.ask("GET /mcp", HTML, "").await;
    assert!(person.body.contains("This address is for Claude"));
}

/// A call to the worker that asks for progress. `modern`: revision 2026-07-28, where closing the connection cancels
/// the call.
fn tool_call(bearer: &str, modern: bool) -> String {
    let (headers, meta) = if modern {
        (
            "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: get_stats\r\n",
            r#","io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}"#,
        )
    } else {
        ("MCP-Protocol-Version: 2025-11-25\r\n", "")
    };
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"get_stats","arguments":{{"date":"2026-11-20"}},"_meta":{{"progressToken":7{meta}}}}}}}"#
    );
    format!(
        "POST /mcp HTTP/1.1\r\nHost: garmin.example.org\r\n{bearer}{headers}Content-Type: application/json\r\n\
         Accept: application/json\r\nAccept: text/event-stream\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// Reads until the text has arrived, and no further.
async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut seen = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), async {
        while !String::from_utf8_lossy(&seen).contains(text) {
            assert_ne!(
                stream.read_buf(&mut seen).await.unwrap(),
                0,
                "{}",
                String::from_utf8_lossy(&seen)
            );
        }
    });
    assert!(read.await.is_ok(), "no {text} yet");
    String::from_utf8_lossy(&seen).into_owned()
}

#[tokio::test]
async fn a_stream_reaches_the_client_frame_by_frame() {
    let face = Face::start().await;
    let bearer = bearer(&face).await;
    let mut stream = face.connect(tool_call(&bearer, false).as_bytes()).await;
    // The worker has not answered yet, so this part was not held back.
    let begun = read_until(&mut stream, "half way").await;
    assert!(!begun.contains("all of it"), "{begun}");
    let reply = Reply::parse(&begun);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    assert_eq!(reply.header("x-accel-buffering"), Some("no"));
    assert_eq!(reply.header("cache-control"), Some("no-store, no-transform"));
    assert_eq!(reply.header("content-length"), None);
    face.worker.go_on.notify_one();
    read_until(&mut stream, "all of it").await;
}

#[tokio::test]
async fn hanging_up_reaches_the_worker() {
    let face = Face::start().await;
    let bearer = bearer(&face).await;
    let mut stream = face.connect(tool_call(&bearer, true).as_bytes()).await;
    read_until(&mut stream, "half way").await;
    drop(stream);
    tokio::time::timeout(Duration::from_secs(10), face.worker.ended.notified())
        .await
        .expect("the call was cancelled");
}

#[tokio::test]
async fn every_answer_carries_its_headers() {
    let face = Face::start().await;
    let mut ids = Vec::new();
    for (line, headers, cache) in [
        ("GET /", "", "no-store"),
        ("GET /nothing", HTML, "no-store"),
        ("GET /nothing", "", "no-store"),
        ("GET /authorize?client_id=x", "", "no-store"),
        ("GET /link", "", "no-store"),
        ("POST /mcp", "", "no-store"),
        ("POST /token", "", "no-store"),
        ("POST /revoke", "", "no-store"),
        ("GET /token", "", "no-store"),
        (
            "GET /.well-known/oauth-protected-resource",
            "",
            "public, max-age=300",
        ),
        ("GET /favicon.svg", "", "public, max-age=86400"),
        ("GET /healthz", "", "no-store"),
    ] {
        let reply = face.ask(line, headers, "").await;
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{line}");
        assert_eq!(
            reply.header("strict-transport-security"),
            Some("max-age=31536000"),
            "{line}"
        );
        assert_eq!(reply.header("cache-control"), Some(cache), "{line}");
        ids.push(reply.header("x-request-id").unwrap().to_owned());
        let page = reply
            .header("content-type")
            .is_some_and(|of| of.starts_with("text/html"));
        assert_eq!(reply.header("x-frame-options"), page.then_some("DENY"), "{line}");
        assert_eq!(
            reply.header("referrer-policy"),
            page.then_some("no-referrer"),
            "{line}"
        );
        let policy = reply.header("content-security-policy").unwrap_or_default();
        assert_eq!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            page,
            "{line}"
        );
        assert_eq!(policy.contains("frame-ancestors 'none'"), page, "{line}");
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 12, "request ids differ");

    let local = Start {
        public_url: None,
        ..Start::default()
    }
    .face()
    .await;
    let reply = local.ask("GET /", "", "").await;
    assert_eq!(
        reply.header("strict-transport-security"),
        None,
        "plain http promises no https"
    );
}

#[tokio::test]
async fn only_documents_may_be_read_by_other_sites() {
    let face = Face::start().await;
    let origin = "Origin: https://inspector.example\r\n";
    let preflight = "Origin: https://inspector.example\r\nAccess-Control-Request-Method: GET\r\n\
                     Access-Control-Request-Headers: mcp-protocol-version\r\n";
    for path in [
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-authorization-server",
    ] {
        let reply = face.ask(&format!("GET {path}"), origin, "").await;
        assert_eq!(
            (reply.status, reply.header("access-control-allow-origin")),
            (200, Some("*")),
            "{path}"
        );
        let reply = face.ask(&format!("OPTIONS {path}"), preflight, "").await;
        assert_eq!(
            (reply.status, reply.header("access-control-allow-origin")),
            (204, Some("*")),
            "{path}"
        );
        assert_eq!(reply.header("access-control-allow-headers"), Some("*"), "{path}");
    }
    for line in [
        "POST /token",
        "POST /register",
        "GET /authorize",
        "GET /",
        "GET /link",
        "POST /mcp",
        "GET /nothing",
    ] {
        let reply = face.ask(line, origin, "").await;
        assert_eq!(reply.header("access-control-allow-origin"), None, "{line}");
    }
}

#[tokio::test]
async fn what_two_readers_could_read_differently_is_refused() {
    let limits = WebLimits {
        connections: ServerLimits {
            header_timeout: Duration::from_millis(500),
            ..ServerLimits::default()
        },
        ..WebLimits::default()
    };
    let face = Start {
        limits,
        ..Start::default()
    }
    .face()
    .await;
    let refused = [
        "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n",
        "Host: garmin.example.org\r\nHost: evil.example\r\n",
        "Host: garmin.example.org\r\nHost: garmin.example.org\r\n",
        "Origin: https://claude.ai\r\nOrigin: https://evil.example\r\n",
        "Content-Type: application/json\r\nContent-Type: text/plain\r\n",
        "Mcp-Method: tools/call\r\nMcp-Method: tools/list\r\n",
        "Mcp-Name: a\r\nmcp-name: b\r\n",
        "MCP-Protocol-Version: 2026-07-28\r\nMCP-Protocol-Version: 2025-11-25\r\n",
        "Mcp_Method: tools/call\r\n",
        "X_Forwarded_For: 127.0.0.1\r\n",
        "Content_Length: 3\r\n",
        "Transfer_Encoding: chunked\r\n",
        "Mcp-Name: caf\u{e9}\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: -1\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Bad Header: x\r\n",
        "X-Fold: a\r\n b\r\n",
    ];
    for headers in refused {
        let reply = face.ask("POST /mcp", headers, "").await;
        assert_eq!(reply.status, 400, "{headers:?}");
        assert_eq!(reply.header("www-authenticate"), None, "{headers:?}");
    }
    // A body with two lengths ends the connection, so that the rest is not read as another request.
    let both = "POST /mcp HTTP/1.1\r\nHost: garmin.example.org\r\nContent-Length: 4\r\n\
                Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let answer = face.raw(both.as_bytes()).await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    for malformed in [
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\u{1}\u{2}\u{3}\r\n\r\n",
    ] {
        let answer = face.raw(malformed.as_bytes()).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
            "{malformed:?} {answer}"
        );
    }
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(100_000));
    assert!(face.raw(long.as_bytes()).await.starts_with("HTTP/1.1 4"));
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-A: b\r\n".repeat(100));
    assert!(face.raw(many.as_bytes()).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn bodies_have_limits() {
    let face = Face::start().await;
    for (line, headers, largest) in [
        ("POST /token", FORM, 32 << 10),
        ("POST /revoke", FORM, 32 << 10),
        ("POST /authorize", FORM, 32 << 10),
        ("POST /link", FORM, 32 << 10),
        ("POST /register", "Content-Type: application/json\r\n", 64 << 10),
    ] {
        let fits = face.ask(line, headers, &"x".repeat(largest)).await;
        assert_ne!(fits.status, 413, "{line}");
        let announced = face.ask(line, headers, &"x".repeat(largest + 1)).await;
        assert_eq!(announced.status, 413, "{line}");
        let chunk = format!("{:x}\r\n{}\r\n0\r\n\r\n", largest + 1, "x".repeat(largest + 1));
        let sent = format!(
            "{line} HTTP/1.1\r\nHost: garmin.example.org\r\n{headers}Transfer-Encoding: chunked\r\n\
             Connection: close\r\n\r\n{chunk}"
        );
        assert_eq!(
            Reply::parse(&face.raw(sent.as_bytes()).await).status,
            413,
            "{line}, chunked"
        );
    }
    let wrong_type = face
        .ask("POST /token", "Content-Type: application/json\r\n", "{}")
        .await;
    assert_eq!(wrong_type.status, 415);
    let not_text = face.ask("POST /token", FORM, "a=\u{fffd}").await;
    assert_eq!(not_text.status, 400);
    assert!(not_text.body.contains("\"error\""));
}

#[tokio::test]
async fn slow_clients_are_let_go() {
    let limits = WebLimits {
        connections: ServerLimits {
            header_timeout: Duration::from_millis(200),
            ..ServerLimits::default()
        },
        body_timeout: Duration::from_millis(200),
    };
    let face = Start {
        limits,
        ..Start::default()
    }
    .face()
    .await;
    assert_eq!(face.raw(b"").await, "", "a silent connection is closed");
    assert!(
        !face.raw(b"POST /token HTTP/1.1\r\nHo").await.contains(" 200 "),
        "so is half a header"
    );
    let head = "Host: garmin.example.org\r\nContent-Length: 100\r\n";
    for line in [
        "POST /token",
        "POST /register",
        "POST /revoke",
        "POST /authorize",
        "POST /link",
    ] {
        let slow = face
            .raw(format!("{line} HTTP/1.1\r\n{head}{FORM}\r\ngrant_type=").as_bytes())
            .await;
        assert!(slow.starts_with("HTTP/1.1 408"), "{line}: {slow}");
    }
    let stranger = face
        .raw(format!("POST /mcp HTTP/1.1\r\n{head}\r\n{{").as_bytes())
        .await;
    assert!(stranger.starts_with("HTTP/1.1 401"), "{stranger}");
}

#[tokio::test]
async fn unknown_paths_help_people_and_programs() {
    let face = Face::start().await;
    let page = face.ask("GET /wrong", HTML, "").await;
    assert_eq!(page.status, 404);
    assert!(page.body.contains("There is no page at this address"));
    assert!(page.body.contains("https://garmin.example.org/mcp"));
    let program = face.ask("POST /wrong", "Accept: */*\r\n", "").await;
    let body: serde_json::Value = serde_json::from_str(&program.body).unwrap();
    assert_eq!(body["error"], "not_found");
    assert_eq!(body["mcp_endpoint"], "https://garmin.example.org/mcp");
}

#[tokio::test]
async fn readiness_says_what_is_missing() {
    let missing = "the store can't be written";
    let face = Start {
        public_url: None,
        ready: Err(missing),
        ..Start::default()
    }
    .face()
    .await;
    let reply = face.ask("GET /readyz", "Host: 10.0.0.1\r\n", "").await;
    assert_eq!((reply.status, reply.body.as_str()), (503, missing));
    assert_eq!(
        face.ask("GET /healthz", "Host: 10.0.0.1\r\n", "").await.status,
        200
    );
}

/// Registrations and page views store nothing, so a stranger's flood of them leaves the pages usable for others.
#[tokio::test]
async fn registrations_and_page_views_are_no_budget() {
    let face = Face::start().await;
    let json = "Content-Type: application/json\r\n";
    let body = r#"{"redirect_uris":["http://localhost/callback"]}"#;
    for _ in 0..700 {
        assert_eq!(face.ask("GET /link", HTML, "").await.status, 200);
        assert_eq!(face.ask("POST /register", json, body).await.status, 201);
    }
}

#[tokio::test]
async fn the_sign_in_page_is_for_this_gateway_only() {
    let face = Face::start().await;
    for (line, headers, body) in [
        ("GET /authorize?client_id=x", "Host: evil.example\r\n", ""),
        ("GET /link", "Host: garmin.example.org.evil.example\r\n", ""),
        ("POST /authorize", "Host: evil.example\r\n", "step=deny"),
    ] {
        let reply = face.ask(line, headers, body).await;
        assert_eq!(reply.status, 421, "{line}");
        assert!(reply.body.contains("https://garmin.example.org"));
        assert!(!reply.body.contains("id=\"password\""));
    }
    let cross = format!("{FORM}Sec-Fetch-Site: cross-site\r\n");
    let reply = face
        .ask("POST /authorize", &cross, "transaction=t&csrf=c&step=deny")
        .await;
    assert_eq!(reply.status, 403);
    let reply = face
        .ask(
            "POST /authorize",
            FORM,
            "transaction=t&transaction=u&csrf=c&step=deny",
        )
        .await;
    assert_eq!(reply.status, 400);
    assert!(reply.body.contains("req_"), "a page with a reference");
}
