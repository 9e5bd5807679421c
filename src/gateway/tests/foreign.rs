//! A worker of another kind (`GARMIN_MCP_CMD`): what it lists is learned, kept, and offered.

use std::time::Duration;

use super::*;

fn foreign() -> WorkerLists {
    WorkerLists::Foreign {
        command: vec!["garmin-mcp".to_owned()],
        seed_tools: TOOLS.to_owned(),
        seed_resources: RESOURCES.to_owned(),
    }
}

fn bench() -> Bench {
    Bench::with(Access::ReadAndChange, foreign(), tempfile::tempdir().unwrap())
}

/// A worker with two pages of tools, a template and a prompt. Its descriptions don't fit into one record of the
/// store.
fn lists(method: &str, call: &UpstreamCall) -> Outcome {
    let second = call
        .params
        .as_ref()
        .is_some_and(|params| params.get() == r#"{"cursor":"2"}"#);
    let long = "é".repeat(30_000);
    match method {
        "tools/list" if second => result(r#"{"tools":[{"name":"other_tool"}]}"#),
        "tools/list" => result(
            &json!({"tools": [{"name": "get_stats", "description": long}], "nextCursor": "2"}).to_string(),
        ),
        "resources/list" => result(r#"{"resources":[]}"#),
        "resources/templates/list" => result(r#"{"resourceTemplates":[{"uriTemplate":"a://{x}"}]}"#),
        "prompts/list" => Ok(UpstreamAnswer::Error(raw(r#"{"code":-32601,"message":"no"}"#))),
        _ => result(r#"{"content":[]}"#),
    }
}

async fn names(bench: &Bench) -> Vec<String> {
    let (_, list) = bench.modern("tools/list", "").await;
    let tools = list["result"]["tools"].as_array().unwrap();
    tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn lists_are_learned_once_and_kept() {
    let bench = bench();
    bench.respond(|method, call| std::future::ready(lists(method, &call)));
    assert_eq!(names(&bench).await, ["stop_tracking", "get_stats", "other_tool"]);
    assert_eq!(bench.asked().len(), 5, "four lists, one of two pages");
    assert_eq!(names(&bench).await.len(), 3);
    let (_, templates) = bench.legacy("resources/templates/list", "{}").await;
    assert_eq!(
        templates["result"]["resourceTemplates"][0]["uriTemplate"],
        "a://{x}"
    );
    assert_eq!(bench.asked(), [] as [String; 0]);
    let (_, discovered) = bench.modern("server/discover", "").await;
    assert_eq!(discovered["result"]["capabilities"]["completions"], json!({}));

    // After a restart they are known, and no worker is needed to list them.
    let Bench {
        gateway,
        upstream,
        store,
        lifecycle,
        _dir: dir,
        ..
    } = bench;
    assert!(lifecycle.drain(Duration::from_secs(10)).await);
    drop((gateway, upstream, store));
    let bench = Bench::with(Access::ReadAndChange, foreign(), dir);
    bench.respond(|_, _| async { Err(WorkerError::Died) });
    assert_eq!(names(&bench).await, ["stop_tracking", "get_stats", "other_tool"]);
    assert_eq!(bench.asked(), [] as [String; 0]);
}

#[tokio::test]
async fn a_worker_that_cannot_be_asked_leaves_the_seed() {
    for answer in [
        Err(WorkerError::GarminSignInNeeded),
        result("3"),
        result(r#"{"tools":3}"#),
        Ok(UpstreamAnswer::Error(raw(r#"{"code":1}"#))),
    ] {
        let bench = bench();
        let answer = Mutex::new(Some(answer));
        bench.respond(move |_, _| {
            let answer = answer.lock().unwrap().take().expect("asked once only");
            async move { answer }
        });
        assert_eq!(names(&bench).await.len(), 5);
        assert_eq!(names(&bench).await.len(), 5, "and is not asked again at once");
    }
}

/// Who calls keeps the lists fresh, without waiting for it.
#[tokio::test]
async fn lists_are_refreshed_while_people_call() {
    let bench = bench();
    bench.respond(|method, call| std::future::ready(lists(method, &call)));
    assert_eq!(names(&bench).await.len(), 3);
    let Bench {
        gateway,
        upstream,
        store,
        lifecycle,
        _dir: dir,
        ..
    } = bench;
    assert!(lifecycle.drain(Duration::from_secs(10)).await);
    drop((gateway, upstream, store));

    let bench = Bench::with(Access::ReadAndChange, foreign(), dir);
    bench.respond(|method, _| {
        let newer = method == "tools/list";
        async move {
            if newer {
                result(r#"{"tools":[{"name":"get_stats"},{"name":"b"},{"name":"c"}]}"#)
            } else {
                result(r#"{"resources":[],"resourceTemplates":[],"prompts":[]}"#)
            }
        }
    });
    assert_eq!(names(&bench).await.len(), 3, "those of before");
    bench.legacy("tools/call", r#"{"name":"get_stats"}"#).await;
    assert!(bench.lifecycle.drain(Duration::from_secs(10)).await);
    assert_eq!(names(&bench).await, ["stop_tracking", "get_stats", "b", "c"]);
}

/// A program that was upgraded while the gateway runs: the first worker of the new version is asked at once.
#[tokio::test]
async fn another_version_of_the_worker_is_asked_for_its_lists_at_once() {
    let bench = bench();
    let version = |bench: &Bench, version: &str| {
        let server = format!(r#"{{"name":"x","version":"{version}"}}"#);
        *bench.upstream.server.lock().unwrap() = Some(server.into());
    };
    bench.respond(|method, call| std::future::ready(lists(method, &call)));
    version(&bench, "1");
    assert_eq!(names(&bench).await.len(), 3);
    bench.asked();
    bench.legacy("tools/call", r#"{"name":"get_stats"}"#).await;
    assert_eq!(bench.asked().len(), 1, "the same version is not asked again");

    version(&bench, "2");
    bench.legacy("tools/call", r#"{"name":"get_stats"}"#).await;
    assert!(bench.lifecycle.drain(Duration::from_secs(10)).await);
    assert_eq!(bench.asked().len(), 6, "the call, and the lists");
    let kept = bench.store.list::<Kept>(b"").unwrap();
    let kept: String = kept.into_iter().map(|(_, Kept(piece))| piece).collect();
    assert!(
        kept.contains(r#"\"version\":\"2\""#),
        "{}",
        &kept[kept.len() - 200..]
    );
}

/// What the store has of catalogues.
#[derive(serde::Serialize, serde::Deserialize)]
struct Kept(String);

impl crate::store::Record for Kept {
    const TABLE: crate::store::Table = crate::store::Table("catalogue");
}

/// Section 3: `notifications/message` only as the request asked for it; legacy as `logging/setLevel` said.
#[tokio::test]
async fn log_messages_reach_who_asked_for_them() {
    let bench = bench();
    bench.respond(|method, call| {
        let method = method.to_owned();
        async move {
            if method != "tools/call" {
                return lists(&method, &call);
            }
            if let Some(messages) = call.messages {
                for level in ["debug", "info", "error"] {
                    messages
                        .send(raw(&format!(r#"{{"level":"{level}","data":"x"}}"#)))
                        .await
                        .unwrap();
                }
            }
            result(r#"{"content":[]}"#)
        }
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
        matches!(bench.send(&none, &body).await, Answer::Json { .. }),
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
