//! Tests of calls to a worker or a race tool.

use super::*;
use crate::base::secrets::Secret;

/// In both eras, the worker gets the client's arguments byte for byte, and the client gets the worker's result.
#[tokio::test]
async fn a_call_goes_to_the_worker_and_its_result_back() {
    let bench = Bench::new(Access::ReadOnly).await;
    let content = r#""content":[{"type":"text","text":"caf\u00e9 1.0","x-new":1.0}], "structuredContent":{"result":"x"}"#;
    bench.worker.script(move |_, _| result(&format!("{{{content}}}")));

    let body = legacy_body(
        "tools/call",
        r#"{"name":"get_stats","arguments":{"date":"2026-03-01", "n":1.0},"_meta":{"a/b":1}}"#,
    );
    let McpResponse::Json(reply) = bench.send(&RequestHeaders::default(), &body).await else {
        panic!()
    };
    assert_eq!(
        reply.body,
        format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{{content}}}}}"#)
    );

    let answer = bench
        .send_modern(
            "tools/call",
            r#""name":"get_stats","arguments":{"date":"2026-03-01"}"#,
        )
        .await;
    let McpResponse::Json(reply) = answer else {
        panic!()
    };
    let content = content.replace("}], \"", "}],\"");
    let (_, initialized) = bench.legacy("initialize", "{}").await;
    let server = &initialized["result"]["serverInfo"];
    assert_eq!(
        std::str::from_utf8(&reply.body).unwrap(),
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":"complete",{content},"_meta":{{"io.modelcontextprotocol/serverInfo":{server}}}}}}}"#
        )
    );
    let asked = bench.worker.asked();
    assert_eq!(
        asked[0],
        r#"tools/call {"name":"get_stats","arguments":{"date":"2026-03-01", "n":1.0},"_meta":{"a/b":1}}"#
    );
    assert!(
        asked[1].starts_with(
            r#"tools/call {"name":"get_stats","arguments":{"date":"2026-03-01"},"_meta":{"progressToken":"#
        ),
        "the token is the session's own: {}",
        asked[1]
    );
}

/// A refused change gives a result that says how to allow changes, never HTTP 403. The worker gets no request.
#[tokio::test]
async fn a_read_only_connection_changes_nothing() {
    let bench = Bench::new(Access::ReadOnly).await;
    for tool in ["add_weigh_in", "delete_workout", "unclassified"] {
        let (status, answer) = bench
            .legacy("tools/call", &format!(r#"{{"name":"{tool}"}}"#))
            .await;
        assert_eq!(
            (status, &answer["result"]["isError"]),
            (200, &json!(true)),
            "{tool}"
        );
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert!(
            text.contains("may only read") && text.contains("connect it again"),
            "{text}"
        );
        let (status, answer) = bench.modern("tools/call", &format!(r#""name":"{tool}""#)).await;
        assert_eq!(
            (status, &answer["result"]["resultType"]),
            (200, &json!("complete"))
        );
    }
    assert_eq!(bench.worker.asked(), [] as [String; 0]);
    let bench = Bench::new(Access::ReadAndChange).await;
    for tool in ["add_weigh_in", "unclassified", "get_stats"] {
        bench
            .legacy("tools/call", &format!(r#"{{"name":"{tool}"}}"#))
            .await;
        assert_eq!(bench.worker.asked().len(), 1, "{tool}");
    }
}

/// When a worker dies during a call, a read-only call is repeated, but a change is not.
#[tokio::test]
async fn only_reading_calls_are_repeated() {
    let bench = Bench::new(Access::ReadAndChange).await;
    bench.worker.script(|_, _| Scripted::HangUp);
    for (tool, attempts, expected) in [
        ("get_stats", 2, "Nothing was changed"),
        ("add_weigh_in", 1, "may or may not"),
        ("unclassified", 1, "may or may not"),
    ] {
        let (_, answer) = bench
            .legacy("tools/call", &format!(r#"{{"name":"{tool}"}}"#))
            .await;
        assert_eq!(bench.worker.asked().len(), attempts, "{tool}");
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains(expected), "{tool}: {text}");
    }
}

/// `advice` has its own tests. This one checks that a tool call gets the advice as a result, and other requests as an
/// error.
#[tokio::test]
async fn failures_of_workers_are_answers() {
    let bench = Bench::new(Access::ReadAndChange).await;
    bench.worker.script(|_, _| Scripted::HangUp);
    let (status, answer) = bench.legacy("tools/call", r#"{"name":"add_weigh_in"}"#).await;
    assert_eq!((status, &answer["result"]["isError"]), (200, &json!(true)));
    let (status, answer) = bench
        .modern("resources/read", r#""uri":"workout://templates/simple-run""#)
        .await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (200, &json!(-32603)),
        "{answer}"
    );
    bench.worker.script(|_, _| result("[1]"));
    let (_, answer) = bench.legacy("tools/call", r#"{"name":"get_stats"}"#).await;
    let text = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("could not be read"), "{text}");
}

/// `resources/read` has cache hints, and old error codes are mapped.
#[tokio::test]
async fn resources_are_read_from_the_worker() {
    let bench = Bench::new(Access::ReadOnly).await;
    bench
        .worker
        .script(|_, _| result(r#"{"contents":[{"uri":"workout://templates/simple-run","text":"{}"}]}"#));
    let (_, answer) = bench
        .modern("resources/read", r#""uri":"workout://templates/simple-run""#)
        .await;
    assert_eq!(answer["result"]["ttlMs"], 0);
    assert_eq!(answer["result"]["cacheScope"], "private");
    bench
        .worker
        .script(|_, _| Scripted::Error(r#"{"code":-32002,"message":"gone"}"#.to_owned()));
    let (_, answer) = bench
        .modern("resources/read", r#""uri":"workout://templates/simple-run""#)
        .await;
    assert_eq!(answer["error"]["code"], -32602);
}

/// Results over Claude's limit are shortened.
#[tokio::test]
async fn long_results_are_cut() {
    let bench = Bench::new(Access::ReadOnly).await;
    bench.worker.script(|_, _| {
        result(&json!({"content": [{"type": "text", "text": "x".repeat(400_000)}]}).to_string())
    });
    let (_, answer) = bench.modern("tools/call", r#""name":"get_stats""#).await;
    let text = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.chars().count() <= 150_000 && text.contains("400000 characters"));
}

/// Progress arrives in a stream, under the client's own token.
#[tokio::test]
async fn progress_becomes_a_stream() {
    let bench = Bench::new(Access::ReadOnly).await;
    bench.worker.script(|_, params| {
        if params.unwrap().contains("progressToken") {
            let half = json!({"progress": 0.5, "message": "half"});
            let unwanted = json!({"level": "error", "data": "the built-in worker logs nothing"});
            let notifications = vec![
                ("notifications/progress", half),
                ("notifications/message", unwanted),
            ];
            Scripted::Stream(notifications, r#"{"content":[]}"#.to_owned())
        } else {
            result(r#"{"content":[]}"#)
        }
    });
    let frames = frames(bench.send_modern("tools/call", r#""name":"get_stats""#).await).await;
    assert_eq!(frames.len(), 2);
    assert_eq!(frames[0]["method"], "notifications/progress");
    assert_eq!(
        frames[0]["params"],
        json!({"progressToken": "p", "progress": 0.5, "message": "half"})
    );
    assert_eq!(
        (&frames[1]["id"], &frames[1]["result"]["resultType"]),
        (&json!(1), &json!("complete"))
    );
    bench.worker.asked();
    bench.legacy("tools/call", r#"{"name":"get_stats"}"#).await;
    assert!(
        !bench.worker.asked()[0].contains("progressToken"),
        "no token, no progress"
    );
}

/// The gateway ends a call after its own deadline of 200 s.
#[tokio::test]
async fn a_call_has_a_deadline() {
    let bench = Bench::new(Access::ReadAndChange).await;
    bench.worker.script(|_, _| Scripted::Silence);
    let started = tokio::time::Instant::now();
    let answer = bench.send_modern("tools/call", r#""name":"add_weigh_in""#).await;
    bench.worker.wait_until_asked().await;
    tokio::time::pause();
    let frames = frames(answer).await;
    assert!((200..205).contains(&started.elapsed().as_secs()));
    let last = frames.last().unwrap();
    assert!(
        last["result"]["content"][0]["text"]
            .as_str()
            .unwrap()
            .contains("may or may not"),
        "{last}"
    );
}

/// A legacy client cancels a call by a notification.
#[tokio::test]
async fn a_legacy_call_is_cancelled_by_notification() {
    let bench = Bench::new(Access::ReadOnly).await;
    bench.worker.script(|_, _| Scripted::Silence);
    let none = RequestHeaders::default();
    let call = legacy_body("tools/call", r#"{"name":"get_stats"}"#);
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    let (called, cancelled) = tokio::join!(bench.send(&none, &call), async {
        bench.worker.wait_until_asked().await;
        bench.send(&none, cancel).await
    });
    assert!(matches!(called, McpResponse::Accepted | McpResponse::Stream(_)));
    assert!(matches!(cancelled, McpResponse::Accepted));
    if let McpResponse::Stream(mut stream) = called {
        assert_eq!(stream.recv().await, None, "a cancelled call has no answer");
    }
}

/// A revocation ends running calls.
#[tokio::test]
async fn a_revocation_ends_calls() {
    let bench = Bench::new(Access::ReadOnly).await;
    bench.worker.script(|_, _| Scripted::Silence);
    let family = [Bench::family()];
    let call = async || bench.legacy("tools/call", r#"{"name":"get_stats"}"#).await.1;
    let (answer, cut) = tokio::join!(call(), async {
        bench.worker.wait_until_asked().await;
        bench.gateway.cut(&family)
    });
    assert_eq!(cut, 1);
    assert_eq!(answer["result"]["isError"], true);
}

/// A revocation also ends a race tool that waits for Garmin, and the race is not tracked afterwards.
#[tokio::test]
async fn a_revocation_ends_race_tools() {
    let bench = Bench::new(Access::ReadAndChange).await;
    let url =
        "https://livetrack.garmin.com/session/5f2e2b5c-0c1e-4f0e-9b1a-1f2a3b4c5d6e/token/ABCDEF0123456789";
    let call = format!(r#"{{"name":"start_tracking","arguments":{{"url":"{url}"}}}}"#);
    let (answer, cut) = tokio::join!(bench.legacy("tools/call", &call), async {
        let _waiting = bench.garmin.accept().await.unwrap();
        bench.gateway.cut(&[Bench::family()])
    });
    assert_eq!(cut, 1);
    let text = answer.1["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("connection's access ended"), "{text}");
    let listed = bench.legacy("tools/call", r#"{"name":"list_races"}"#).await.1;
    assert_eq!(listed["result"]["content"][0]["text"], r#"{"races":[]}"#);
}

/// A token may be valid at admission but revoked before the call begins.
#[tokio::test]
async fn access_is_checked_again_before_a_call_begins() {
    let bench = Bench::new(Access::ReadAndChange).await;
    for tool in ["get_stats", "add_weigh_in", "list_races"] {
        let mut caller = bench.caller();
        caller.bearer = Some(Secret::new("gat_revoked"));
        let call = legacy_body("tools/call", &format!(r#"{{"name":"{tool}"}}"#));
        let answer = bench
            .gateway
            .handle(caller, RequestHeaders::default(), "POST", Ok(Bytes::from(call)))
            .await;
        assert_eq!(json_of(answer).1["result"]["isError"], true, "{tool}");
    }
    assert_eq!(bench.worker.asked(), [] as [String; 0]);
}

/// Race tools answer without a worker, whatever the connection's access.
#[tokio::test]
async fn race_tools_answer_without_a_worker() {
    let bench = Bench::new(Access::ReadOnly).await;
    let (_, answer) = bench.legacy("tools/call", r#"{"name":"list_races"}"#).await;
    assert_eq!(
        answer["result"]["content"][0]["text"], r#"{"races":[]}"#,
        "{answer}"
    );
    let (_, answer) = bench.modern("tools/call", r#""name":"stop_tracking""#).await;
    assert_eq!(answer["result"]["resultType"], "complete");
    assert_eq!(answer["result"]["isError"], true, "there is no race to stop");
    assert_eq!(bench.worker.asked(), [] as [String; 0]);
}

#[tokio::test]
async fn calls_are_counted() {
    let bench = Bench::new(Access::ReadOnly).await;
    bench.legacy("tools/call", r#"{"name":"get_stats"}"#).await;
    bench
        .worker
        .script(|_, _| result(r#"{"content":[],"isError":true}"#));
    bench.modern("tools/call", r#""name":"get_stats""#).await;
    bench.worker.script(|_, _| Scripted::HangUp);
    bench.modern("tools/call", r#""name":"get_stats""#).await;
    bench.legacy("tools/call", r#"{"name":"list_races"}"#).await;
    bench.legacy("tools/call", r#"{"name":"nope"}"#).await;
    bench.gateway.flush_usage().await.unwrap();
    let used = usage::used(&bench.store, &account("a")).unwrap();
    let lines: Vec<_> = used
        .iter()
        .map(|line| (line.tool.as_str(), line.usage.calls, line.usage.errors))
        .collect();
    assert_eq!(lines, [("get_stats", 3, 2), ("list_races", 1, 0)]);
}

/// The operator may change `CALLS_PER_MINUTE` while the gateway is running.
#[tokio::test]
async fn an_account_has_so_many_calls_a_minute() {
    let bench = Bench::new(Access::ReadOnly).await;
    let call = async || bench.legacy("tools/call", r#"{"name":"get_stats"}"#).await.1;
    assert!(call().await["result"].get("isError").is_none());
    bench.live.send_modify(|live| live.calls_per_minute = 1);
    assert!(call().await["result"].get("isError").is_none());
    let paced = call().await;
    assert_eq!(paced["result"]["isError"], true);
    let text = paced["result"]["content"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("1 a minute") && text.contains("Try again in"),
        "{text}"
    );
    assert_eq!(bench.worker.asked().len(), 2);
    assert!(
        bench.legacy("tools/list", "{}").await.1.get("result").is_some(),
        "lists are free"
    );
}

/// A race token gives access to the tools of its race, and to nothing else of the person.
#[tokio::test]
async fn a_race_token_reaches_its_race_only() {
    let bench = Bench::new(Access::ReadAndChange).await;
    let ask = async |method: &str, params: &str| {
        let body = Ok(Bytes::from(legacy_body(method, params)));
        let caller = Caller::from(race_grant());
        let answer = bench
            .gateway
            .handle(caller, RequestHeaders::default(), "POST", body);
        json_of(answer.await).1
    };
    let listed = ask("tools/list", "{}").await;
    let names: Vec<_> = listed["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), crate::races::tools::FOR_RACE.len());
    assert!(
        names
            .iter()
            .all(|name| crate::races::tools::FOR_RACE.contains(name))
    );
    let foreign = r#"{"name":"get_timeseries","arguments":{"race":"race_zzzzzzzz12345678"}}"#;
    let called = ask("tools/call", foreign).await;
    let text = called["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("one race"), "{text}");
    for tool in ["get_stats", "stop_tracking", "add_weigh_in"] {
        let refused = ask("tools/call", &format!(r#"{{"name":"{tool}"}}"#)).await;
        assert_eq!(refused["error"]["code"], -32602, "{tool}: {refused}");
    }
    assert_eq!(bench.worker.asked(), Vec::<String>::new());
}
