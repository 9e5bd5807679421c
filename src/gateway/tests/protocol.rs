//! Tests of the answers that the gateway gives without a worker.

use super::*;

const META_SERVER: &str = "io.modelcontextprotocol/serverInfo";

/// In both eras, lists, `initialize`, `server/discover` and `ping` need no worker.
#[tokio::test]
async fn what_is_known_is_answered_without_a_worker() {
    let bench = Bench::new(Access::ReadAndChange).await;
    for (method, key) in [
        ("tools/list", "tools"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
        ("prompts/list", "prompts"),
    ] {
        let (status, legacy) = bench.legacy(method, "{}").await;
        assert_eq!(status, 200);
        assert_eq!(legacy["id"], 1);
        assert!(legacy["result"].get("resultType").is_none());
        let (status, modern) = bench.modern(method, "").await;
        assert_eq!(status, 200);
        assert_eq!(modern["result"]["resultType"], "complete");
        assert_eq!(modern["result"]["cacheScope"], "private");
        assert_eq!(modern["result"][key], legacy["result"][key], "{method}");
        let (_, paged) = bench.legacy(method, r#"{"cursor":"next"}"#).await;
        assert_eq!(paged["error"]["code"], -32602, "{method}: there is one page");
        let (_, unpaged) = bench.legacy(method, r#"{"cursor":null}"#).await;
        assert!(unpaged.get("result").is_some());
    }
    let (_, initialized) = bench
        .legacy(
            "initialize",
            r#"{"protocolVersion":"2025-06-18","capabilities":{}}"#,
        )
        .await;
    assert_eq!(initialized["result"]["protocolVersion"], "2025-06-18");
    assert_eq!(initialized["result"]["serverInfo"]["name"], "garmin-gateway");
    let (_, newest) = bench.legacy("initialize", r#"{"protocolVersion":3}"#).await;
    assert_eq!(
        newest["result"]["protocolVersion"], "2025-11-25",
        "never an error"
    );
    let (_, discovered) = bench.modern("server/discover", "").await;
    assert_eq!(discovered["result"]["supportedVersions"], json!([MODERN]));
    assert_eq!(
        discovered["result"]["_meta"][META_SERVER]["name"],
        "garmin-gateway"
    );
    let (_, pong) = bench.legacy("ping", "{}").await;
    assert_eq!(pong, json!({"jsonrpc": "2.0", "id": 1, "result": {}}));
    let (_, level) = bench.legacy("logging/setLevel", r#"{"level":"warning"}"#).await;
    assert_eq!(level["result"], json!({}));
    let (_, wrong) = bench.legacy("logging/setLevel", r#"{"level":"loud"}"#).await;
    assert_eq!(wrong["error"]["code"], -32602);
    assert_eq!(bench.worker.asked(), [] as [String; 0]);
}

#[tokio::test]
async fn a_read_only_connection_lists_what_reads() {
    let bench = Bench::new(Access::ReadOnly).await;
    let (_, list) = bench.legacy("tools/list", "{}").await;
    let tools = list["result"]["tools"].as_array().unwrap();
    let has = |name: &str| tools.iter().any(|tool| tool["name"] == name);
    assert!(has("stop_tracking") && has("get_stats") && !has("add_weigh_in"));
    let (_, initialized) = bench.legacy("initialize", "{}").await;
    assert!(
        initialized["result"]["instructions"]
            .as_str()
            .unwrap()
            .contains("only reads")
    );
    assert_eq!(bench.gateway.tool_count(Access::ReadOnly), tools.len());
    // Three tools of the worker that change something, use_change_tool, and giving and taking back a grant.
    assert_eq!(bench.gateway.tool_count(Access::ReadAndChange), tools.len() + 6);
}

/// The sign-in page offers and names only what the worker's tools can change.
#[tokio::test]
async fn what_can_be_changed_is_named() {
    let bench = Bench::new(Access::ReadAndChange).await;
    assert_eq!(bench.gateway.changes(), ["workouts", "weight"]);
    let lists = WorkerLists::BuiltIn {
        tools: r#"{"tools":[{"name":"get_stats"}]}"#.to_owned(),
        resources: RESOURCES.to_owned(),
        resource_templates: "[]".to_owned(),
    };
    let reading = Bench::with(Access::ReadAndChange, lists, tempfile::tempdir().unwrap()).await;
    assert_eq!(reading.gateway.changes(), [] as [&str; 0]);
}

/// `GET` and `DELETE` are not allowed, even with a valid token.
#[tokio::test]
async fn other_http_methods_are_not_allowed() {
    let bench = Bench::new(Access::ReadOnly).await;
    for http_method in ["GET", "DELETE", "PUT", "HEAD", "OPTIONS"] {
        let answer = bench
            .gateway
            .handle(
                bench.caller(),
                RequestHeaders::default(),
                http_method,
                Ok(Bytes::new()),
            )
            .await;
        assert!(matches!(answer, McpResponse::MethodNotAllowed), "{http_method}");
    }
}

/// Notifications, responses and arrays, and the header rules that apply before the body is parsed.
#[tokio::test]
async fn messages_and_headers_are_judged() {
    let bench = Bench::new(Access::ReadOnly).await;
    let none = RequestHeaders::default;
    let ping = legacy_body("ping", "{}");
    for body in [
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":77}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#,
        r#"{"jsonrpc":"2.0","id":4,"result":{}}"#,
    ] {
        assert!(
            matches!(bench.send(&none(), body).await, McpResponse::Accepted),
            "{body}"
        );
    }
    for (headers, body, expected) in [
        (none(), "[]", (400, -32600)),
        (none(), "not json", (400, -32700)),
        (
            RequestHeaders {
                origin: Some("https://evil.example"),
                ..none()
            },
            &ping,
            (403, -32600),
        ),
        (
            RequestHeaders {
                host: Some("evil.example"),
                ..none()
            },
            &ping,
            (403, -32600),
        ),
        (
            RequestHeaders {
                accept: Some("text/html"),
                ..none()
            },
            &ping,
            (406, -32600),
        ),
        (
            RequestHeaders {
                content_type: Some("text/plain"),
                ..none()
            },
            &ping,
            (415, -32600),
        ),
        (
            RequestHeaders {
                protocol_version: Some("1999-01-01"),
                ..none()
            },
            &ping,
            (400, -32022),
        ),
    ] {
        let (status, answer) = json_of(bench.send(&headers, body).await);
        assert_eq!(
            (status, answer["error"]["code"].as_i64().unwrap()),
            expected,
            "{headers:?} {body}"
        );
    }
    let answer = bench
        .gateway
        .handle(
            bench.caller(),
            none(),
            "POST",
            Err(McpError::TooLarge { limit: 1 }),
        )
        .await;
    assert_eq!(json_of(answer).0, 413);
}

/// An unknown method gives 404 to a modern client, but never to a legacy one.
#[tokio::test]
async fn unknown_methods_and_names_are_told() {
    let bench = Bench::new(Access::ReadAndChange).await;
    for method in [
        "resources/subscribe",
        "subscriptions/listen",
        "completion/complete",
        "tasks/list",
    ] {
        let (status, answer) = bench.modern(method, "").await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (404, &json!(-32601)),
            "{method}"
        );
        assert_eq!(answer["id"], 1);
        let (status, answer) = bench.legacy(method, "{}").await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (200, &json!(-32601)),
            "{method}"
        );
    }
    for (method, params, code) in [
        ("tools/call", r"{}", -32602),
        ("tools/call", r#"{"name":5}"#, -32602),
        ("tools/call", r#"{"name":"nope"}"#, -32602),
        ("tools/call", r#"{"name":"get_stats","arguments":[1]}"#, -32602),
        ("prompts/get", r#"{"name":"nope"}"#, -32602),
        ("resources/read", r"{}", -32602),
        ("resources/read", r#"{"uri":"a://b"}"#, -32002),
    ] {
        let (status, answer) = bench.legacy(method, params).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (200, &json!(code)),
            "{method} {params}"
        );
    }
    let (status, answer) = bench.modern("resources/read", r#""uri":"a://b""#).await;
    assert_eq!(
        (status, &answer["error"]),
        (
            200,
            &json!({"code": -32602, "message": "Resource not found: a://b", "data": {"uri": "a://b"}})
        )
    );
    assert_eq!(bench.worker.asked(), [] as [String; 0]);
}

/// The token is checked before everything else. The challenge has an `error` only if a token was presented.
#[tokio::test]
async fn strangers_are_challenged() {
    let bench = Bench::new(Access::ReadOnly).await;
    let unknown = format!("Bearer gat_{}", "x".repeat(43));
    for (authorization, presented) in [
        (None, false),
        (Some(""), false),
        (Some("Bearer"), false),
        (Some("Bearer "), false),
        (Some("Basic dXNlcjpwYXNz"), false),
        (Some("Bearer nonsense"), true),
        (Some("bearer  nonsense "), true),
        (Some(unknown.as_str()), true),
    ] {
        let refused = bench.gateway.admit(authorization).unwrap_err();
        let NotAdmitted::Unauthorized { challenge, body } = refused else {
            panic!("{refused:?}")
        };
        assert!(challenge.starts_with("Bearer "), "{challenge}");
        let metadata =
            r#"resource_metadata="https://garmin.example.com/.well-known/oauth-protected-resource/mcp""#;
        assert!(
            challenge.contains(metadata) && challenge.contains(r#"scope="garmin""#),
            "{challenge}"
        );
        assert_eq!(
            challenge.contains(r#"error="invalid_token""#),
            presented,
            "{authorization:?}"
        );
        assert!(serde_json::from_slice::<Value>(&body).is_ok());
    }
}
