use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use super::*;
use crate::base::lifecycle::Lifecycle;
use crate::config::GarminHosts;
use crate::garmin::{ApiParts, ApiSettings};
use crate::tools::{stdio, tools};

/// A server without tokens, so that no call reaches the network.
fn server(marked: &Arc<AtomicBool>) -> Server {
    let garmin = url::Url::parse("http://127.0.0.1:9").unwrap();
    server_at(marked, &garmin, "/nonexistent/garmin_tokens.json".into())
}

fn server_at(marked: &Arc<AtomicBool>, garmin: &url::Url, tokens: PathBuf) -> Server {
    drop(rustls::crypto::ring::default_provider().install_default());
    let hosts = GarminHosts::at(garmin);
    let api = Api::new(ApiParts {
        permits: None,
        tokens,
        http: crate::garmin::client(&hosts).unwrap(),
        settings: ApiSettings::new(&hosts),
        hosts,
        clock: Clock::system(),
        lifecycle: Lifecycle::new(),
    });
    let marked = Arc::clone(marked);
    let sign_in_needed = Box::new(move || marked.store(true, Ordering::SeqCst));
    Server::new(tools().collect(), api, Clock::system(), sign_in_needed)
}

async fn reply(server: &Server, message: &str) -> McpReply {
    let (notifications, _) = mpsc::unbounded_channel();
    server.reply(message.as_bytes(), &notifications).await
}

async fn ask(message: &str) -> McpReply {
    reply(&server(&Arc::default()), message).await
}

async fn result(method: &str, params: Value) -> Value {
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    match ask(&message.to_string()).await {
        McpReply::Answer(body) | McpReply::Opened(body) => {
            let answer: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(answer["id"], 1);
            if answer["result"].is_null() {
                answer["error"].clone()
            } else {
                answer["result"].clone()
            }
        }
        other => panic!("{method}: {other:?}"),
    }
}

#[tokio::test]
async fn initialize_negotiates_the_revision_and_lists_match_the_capabilities() {
    for (asked, agreed) in [
        ("2025-06-18", "2025-06-18"),
        ("2026-07-28", "2025-11-25"),
        ("x", "2025-11-25"),
    ] {
        let result = result(
            "initialize",
            json!({"protocolVersion": asked, "capabilities": {}}),
        )
        .await;
        assert_eq!(result["protocolVersion"], agreed);
        assert_eq!(result["capabilities"]["tools"], json!({"listChanged": false}));
    }
    assert_eq!(result("ping", json!({})).await, json!({}));
    assert_eq!(
        result("tools/list", json!({})).await["tools"]
            .as_array()
            .unwrap()
            .len(),
        tools().count()
    );
    for (method, list) in [
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
    ] {
        let listed = result(method, json!({})).await;
        assert_eq!(listed[list].as_array().unwrap().len(), 5, "{method}");
    }
    let template = result("resources/read", json!({"uri": "workout://templates/simple-run"})).await;
    assert!(
        template["contents"][0]["text"]
            .as_str()
            .unwrap()
            .contains("Simple Run")
    );
    assert_eq!(result("prompts/list", json!({})).await, json!({"prompts": []}));
}

#[tokio::test]
async fn unknown_and_malformed_requests_get_their_own_errors() {
    assert_eq!(result("server/discover", json!({})).await["code"], -32601);
    assert_eq!(
        result("resources/read", json!({"uri": "x://y"})).await["code"],
        -32002
    );
    assert_eq!(result("tools/call", json!({})).await["code"], -32602);
    assert_eq!(
        result("tools/call", json!({"name": "get_stats", "arguments": [1]})).await["code"],
        -32602
    );
    let unknown = result("tools/call", json!({"name": "nope"})).await;
    assert_eq!(
        unknown,
        json!({"content": [{"type": "text", "text": "Unknown tool: nope"}], "isError": true})
    );
    assert!(matches!(ask("{").await, McpReply::Refused(400, _)));
    assert!(matches!(ask("[]").await, McpReply::Refused(400, _)));
    assert_eq!(
        ask(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await,
        McpReply::Nothing
    );
    assert_eq!(
        ask(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#).await,
        McpReply::Nothing
    );
}

#[tokio::test]
async fn wrong_arguments_and_a_missing_sign_in_are_results_with_is_error() {
    let marked = Arc::default();
    let server = server(&marked);
    let text = async |arguments: Value| {
        let params = json!({"name": "get_stats", "arguments": arguments});
        let message = json!({"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": params});
        let McpReply::Answer(body) = reply(&server, &message.to_string()).await else {
            panic!("no answer")
        };
        let answer: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(answer["result"]["isError"], true);
        answer["result"]["content"][0]["text"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(
        text(json!({}))
            .await
            .starts_with("Error executing tool get_stats: date is missing")
    );
    assert!(!marked.load(Ordering::SeqCst));
    let told = text(json!({"date": "2026-01-08"})).await;
    assert!(
        told.starts_with("Error retrieving stats: Garmin asks this person to sign in again"),
        "{told}"
    );
    assert!(marked.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_cancelled_call_ends_at_once() {
    // Takes connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let garmin = format!("http://{}", silent.local_addr().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let tokens = dir.path().join("garmin_tokens.json");
    std::fs::write(
        &tokens,
        r#"{"di_token":"a","di_refresh_token":null,"di_client_id":null}"#,
    )
    .unwrap();
    let server = server_at(&Arc::default(), &url::Url::parse(&garmin).unwrap(), tokens);
    let call = r#"{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{"name":"count_activities"}}"#;
    let mut in_progress = Box::pin(reply(&server, call));
    assert!(in_progress.as_mut().now_or_never().is_none());
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"c"}}"#;
    assert_eq!(reply(&server, cancel).await, McpReply::Nothing);
    let McpReply::Answer(body) = in_progress.await else {
        panic!("no answer")
    };
    assert!(String::from_utf8_lossy(&body).contains("Request cancelled"));
    assert!(server.in_progress().is_empty());
}

#[tokio::test]
async fn lines_go_in_and_answers_come_out_until_the_input_ends() {
    let input = concat!(
        r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#,
        "\n\n",
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        "\nnonsense\n",
        r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#,
    );
    let (output, mut told) = tokio::io::duplex(1 << 16);
    let server = server(&Arc::default());
    stdio::serve(&server, input.as_bytes(), output, std::future::pending())
        .await
        .unwrap();
    let mut text = String::new();
    told.read_to_string(&mut text).await.unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON in UTF-8"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":2,"result":{}}"#,
        ]
    );
}
