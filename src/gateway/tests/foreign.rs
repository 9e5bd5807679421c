//! Tests that the lists of a foreign worker (`GARMIN_MCP_CMD`) are learned, stored and offered.

use std::time::Duration;

use super::*;
use crate::gateway::service::own_tools;

fn foreign() -> WorkerLists {
    WorkerLists::Foreign {
        command: vec!["garmin-mcp".to_owned()],
        seed_tools: TOOLS.to_owned(),
        seed_resources: RESOURCES.to_owned(),
    }
}

async fn bench() -> Bench {
    Bench::with(Access::ReadAndChange, foreign(), tempfile::tempdir().unwrap()).await
}

/// A worker with two pages of tools, a template and a prompt. Its descriptions don't fit into a single record of the
/// store.
fn lists(method: &str, params: Option<&str>) -> Scripted {
    let second = params == Some(r#"{"cursor":"2"}"#);
    let long = "é".repeat(30_000);
    match method {
        "tools/list" if second => result(r#"{"tools":[{"name":"other_tool"}]}"#),
        "tools/list" => result(
            &json!({"tools": [{"name": "get_stats", "description": long}], "nextCursor": "2"}).to_string(),
        ),
        "resources/list" => result(r#"{"resources":[]}"#),
        "resources/templates/list" => result(r#"{"resourceTemplates":[{"uriTemplate":"a://{x}"}]}"#),
        "prompts/list" => Scripted::Error(r#"{"code":-32601,"message":"no"}"#.to_owned()),
        _ => result(r#"{"content":[]}"#),
    }
}

/// The names of the tools that the worker contributes to the list.
async fn names(bench: &Bench) -> Vec<String> {
    let (_, list) = bench.modern("tools/list", "").await;
    let tools = list["result"]["tools"].as_array().unwrap();
    tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .filter(|name| !own_tools(true).contains(&format!("\"{name}\"")))
        .collect()
}

#[tokio::test]
async fn lists_are_learned_once_and_kept() {
    let bench = bench().await;
    bench.worker.script(lists);
    assert_eq!(names(&bench).await, ["get_stats", "other_tool"]);
    assert_eq!(bench.worker.asked().len(), 5, "four lists, one of two pages");
    assert_eq!(names(&bench).await.len(), 2);
    let (_, templates) = bench.legacy("resources/templates/list", "{}").await;
    assert_eq!(
        templates["result"]["resourceTemplates"][0]["uriTemplate"],
        "a://{x}"
    );
    assert_eq!(bench.worker.asked(), [] as [String; 0]);
    let (_, discovered) = bench.modern("server/discover", "").await;
    assert_eq!(discovered["result"]["capabilities"]["completions"], json!({}));

    // After a restart the lists are known, and listing them needs no worker.
    let Bench {
        gateway,
        worker,
        store,
        lifecycle,
        _dir: dir,
        ..
    } = bench;
    assert!(lifecycle.drain(Duration::from_secs(10)).await);
    drop((gateway, worker, store));
    let bench = Bench::with(Access::ReadAndChange, foreign(), dir).await;
    bench.worker.script(|_, _| Scripted::HangUp);
    assert_eq!(names(&bench).await, ["get_stats", "other_tool"]);
    assert_eq!(bench.worker.asked(), [] as [String; 0]);
}

#[tokio::test]
async fn a_worker_that_cannot_be_asked_leaves_the_seed() {
    for answer in [
        Scripted::HangUp,
        result("3"),
        result(r#"{"tools":3}"#),
        Scripted::Error(r#"{"code":1}"#.to_owned()),
    ] {
        let bench = bench().await;
        bench.worker.script(move |_, _| answer.clone());
        assert_eq!(names(&bench).await.len(), 4);
        bench.worker.asked();
        assert_eq!(names(&bench).await.len(), 4);
        assert_eq!(
            bench.worker.asked(),
            [] as [String; 0],
            "it is not asked again at once"
        );
    }
}

/// Calls trigger a refresh of the lists, but do not wait for it.
#[tokio::test]
async fn lists_are_refreshed_while_people_call() {
    let bench = bench().await;
    bench.worker.script(lists);
    assert_eq!(names(&bench).await.len(), 2);
    let Bench {
        gateway,
        worker,
        store,
        lifecycle,
        _dir: dir,
        ..
    } = bench;
    assert!(lifecycle.drain(Duration::from_secs(10)).await);
    drop((gateway, worker, store));

    let bench = Bench::with(Access::ReadAndChange, foreign(), dir).await;
    bench.worker.script(|method, _| match method {
        "tools/list" => result(r#"{"tools":[{"name":"get_stats"},{"name":"b"},{"name":"c"}]}"#),
        _ => result(r#"{"resources":[],"resourceTemplates":[],"prompts":[]}"#),
    });
    assert_eq!(names(&bench).await.len(), 2, "those of before");
    bench.legacy("tools/call", r#"{"name":"get_stats"}"#).await;
    eventually(async || names(&bench).await == ["get_stats", "b", "c"]).await;
}

/// If the program is upgraded while the gateway runs, the first worker of the new version is asked immediately.
#[tokio::test]
async fn another_version_of_the_worker_is_asked_for_its_lists_at_once() {
    let bench = bench().await;
    bench.worker.script(lists);
    assert_eq!(names(&bench).await.len(), 2);
    bench.worker.asked();
    bench.legacy("tools/call", r#"{"name":"get_stats"}"#).await;
    assert_eq!(
        bench.worker.asked().len(),
        1,
        "the same version is not asked again"
    );

    // The next session has the new version.
    bench.worker.set_version("2");
    bench.worker.hang_up_once();
    bench.legacy("tools/call", r#"{"name":"get_stats"}"#).await;
    let stored = || -> String {
        let chunks = bench.store.list::<StoredChunk>(b"").unwrap();
        chunks.into_iter().map(|(_, StoredChunk(piece))| piece).collect()
    };
    eventually(async || stored().contains(r#"\"version\":\"2\""#)).await;
    assert_eq!(bench.worker.asked().len(), 7, "the call twice, and the lists");
}

/// Waits until a background task has made the condition true.
async fn eventually(condition: impl AsyncFn() -> bool) {
    for _ in 0..1_000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not happen");
}

/// A stored chunk of a catalogue.
#[derive(serde::Serialize, serde::Deserialize)]
struct StoredChunk(String);

impl crate::store::Record for StoredChunk {
    const TABLE: crate::store::Table = crate::store::Table("catalogue");
}

/// A modern client gets log messages as its request specifies, and a legacy client as `logging/setLevel` specified.
#[tokio::test]
async fn log_messages_reach_who_asked_for_them() {
    let bench = bench().await;
    bench.worker.script(|method, params| {
        if method != "tools/call" {
            return lists(method, params);
        }
        let message = |level| ("notifications/message", json!({"level": level, "data": "x"}));
        let messages = ["debug", "info", "error"].map(message).to_vec();
        Scripted::Stream(messages, r#"{"content":[]}"#.to_owned())
    });
    let call = r#"{"name":"get_stats"}"#;
    let levels = |frames: Vec<Value>| -> Vec<String> {
        frames
            .iter()
            .filter_map(|frame| Some(frame["params"]["level"].as_str()?.to_owned()))
            .collect()
    };
    let none = RequestHeaders::default();
    let body = legacy_body("tools/call", call);
    assert_eq!(
        levels(frames(bench.send(&none, &body).await).await),
        ["info", "error"]
    );
    bench.legacy("logging/setLevel", r#"{"level":"error"}"#).await;
    assert_eq!(levels(frames(bench.send(&none, &body).await).await), ["error"]);
    bench.legacy("logging/setLevel", r#"{"level":"emergency"}"#).await;
    assert!(
        matches!(bench.send(&none, &body).await, McpResponse::Json(_)),
        "nothing to tell"
    );

    let (status, _) = bench.modern("tools/call", r#""name":"get_stats""#).await;
    assert_eq!(status, 200, "a modern request without a level gets none");
    let (name, body) = modern_request("tools/call", r#""name":"get_stats""#);
    let headers = modern_headers("tools/call", name.as_deref());
    let body = body.replace(
        r#""_meta":{"#,
        r#""_meta":{"io.modelcontextprotocol/logLevel":"debug","#,
    );
    assert_eq!(
        levels(frames(bench.send(&headers, &body).await).await),
        ["debug", "info", "error"]
    );
}
