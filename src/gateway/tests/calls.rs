//! What goes to a worker or an own tool, and how its answer comes back.

use std::time::Duration;

use tokio::time::sleep;

use super::*;

/// Section 4, translating, rows 1 to 3; section 8: both eras, byte for byte.
#[tokio::test]
async fn a_call_goes_to_the_worker_and_its_result_back() {
    let bench = Bench::new(Access::ReadOnly);
    let content = r#""content":[{"type":"text","text":"caf\u00e9 1.0","x-new":1.0}], "structuredContent":{"result":"x"}"#;
    bench.respond(move |_, _| async move { result(&format!("{{{content}}}")) });

    let body = legacy_body(
        "tools/call",
        r#"{"name":"get_stats","arguments":{"date":"2026-03-01", "n":1.0},"_meta":{"a/b":1}}"#,
    );
    let Answer::Json { status: 200, body } = bench.send(&RequestHeaders::default(), &body).await else {
        panic!()
    };
    assert_eq!(
        body,
        format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{{content}}}}}"#)
    );

    let answer = bench
        .send_modern(
            "tools/call",
            r#""name":"get_stats","arguments":{"date":"2026-03-01"}"#,
        )
        .await;
    let Answer::Json { status: 200, body } = answer else {
        panic!()
    };
    let content = content.replace("}], \"", "}],\"");
    let server = bench.gateway.0.offer.now().handshake.server().to_owned();
    assert_eq!(
        std::str::from_utf8(&body).unwrap(),
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":"complete",{content},"_meta":{{"io.modelcontextprotocol/serverInfo":{server}}}}}}}"#
        )
    );
    let me = account("a");
    assert_eq!(
        bench.asked(),
        [
            format!(
                r#"{me} tools/call {{"name":"get_stats","arguments":{{"date":"2026-03-01", "n":1.0}},"_meta":{{"a/b":1}}}} reads"#
            ),
            format!(r#"{me} tools/call {{"name":"get_stats","arguments":{{"date":"2026-03-01"}}}} reads"#),
        ]
    );
}

/// *Read only* at the call: a result that says how to get more, never HTTP 403, and the worker does not hear of it.
#[tokio::test]
async fn a_read_only_connection_changes_nothing() {
    let bench = Bench::new(Access::ReadOnly);
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
    assert_eq!(bench.asked(), [] as [String; 0]);
    let bench = Bench::new(Access::ReadAndChange);
    for (tool, kind) in [
        ("add_weigh_in", "changes"),
        ("unclassified", "changes"),
        ("get_stats", "reads"),
    ] {
        bench
            .legacy("tools/call", &format!(r#"{{"name":"{tool}"}}"#))
            .await;
        assert!(bench.asked()[0].ends_with(kind), "{tool}");
    }
}

/// When Garmin's login is gone, and in every other failure: the connector stays, and the answer says what to do.
#[tokio::test]
async fn failures_of_workers_are_answers() {
    let bench = Bench::new(Access::ReadAndChange);
    for (error, expected) in [
        (WorkerError::GarminSignInNeeded, "https://garmin.example.com/link"),
        (
            WorkerError::Busy {
                retry_after: Duration::from_secs(9),
            },
            "in 9 s",
        ),
        (WorkerError::MayHaveHappened, "may or may not"),
        (
            WorkerError::StartFailed {
                reason: "exit code 3".to_owned(),
            },
            "exit code 3",
        ),
        (WorkerError::Stopped, "stopped"),
    ] {
        bench.respond(move |_, _| {
            let error = error.clone();
            async move { Err(error) }
        });
        let (status, answer) = bench.legacy("tools/call", r#"{"name":"add_weigh_in"}"#).await;
        assert_eq!((status, &answer["result"]["isError"]), (200, &json!(true)));
        assert!(
            answer["result"]["content"][0]["text"]
                .as_str()
                .unwrap()
                .contains(expected),
            "{answer}"
        );
        let (status, answer) = bench
            .modern("resources/read", r#""uri":"workout://templates/simple-run""#)
            .await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (200, &json!(-32603)),
            "{answer}"
        );
    }
    bench.respond(|_, _| async { result("[1]") });
    let (_, answer) = bench.legacy("tools/call", r#"{"name":"get_stats"}"#).await;
    assert!(
        answer["result"]["content"][0]["text"]
            .as_str()
            .unwrap()
            .contains("could not be read")
    );
}

/// Section 3: `resources/read` carries cache hints; section 4, translating, row 4: old codes are mapped.
#[tokio::test]
async fn resources_are_read_from_the_worker() {
    let bench = Bench::new(Access::ReadOnly);
    bench.respond(|_, _| async {
        result(r#"{"contents":[{"uri":"workout://templates/simple-run","text":"{}"}]}"#)
    });
    let (_, answer) = bench
        .modern("resources/read", r#""uri":"workout://templates/simple-run""#)
        .await;
    assert_eq!(answer["result"]["ttlMs"], 0);
    assert_eq!(answer["result"]["cacheScope"], "private");
    bench.respond(|_, _| async { Ok(UpstreamAnswer::Error(raw(r#"{"code":-32002,"message":"gone"}"#))) });
    let (_, answer) = bench
        .modern("resources/read", r#""uri":"workout://templates/simple-run""#)
        .await;
    assert_eq!(answer["error"]["code"], -32602);
}

/// Section 6, row *Result cap*.
#[tokio::test]
async fn long_results_are_cut() {
    let bench = Bench::new(Access::ReadOnly);
    bench.respond(|_, _| async {
        result(&json!({"content": [{"type": "text", "text": "x".repeat(400_000)}]}).to_string())
    });
    let (_, answer) = bench.modern("tools/call", r#""name":"get_stats""#).await;
    let text = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.chars().count() <= 150_000 && text.contains("400000 characters"));
}

/// Section 4, translating, rows 2 and 3: progress under the client's own token, as a stream.
#[tokio::test]
async fn progress_becomes_a_stream() {
    let bench = Bench::new(Access::ReadOnly);
    bench.respond(|_, call| async move {
        let progress = call.progress.expect("the client gave a token");
        assert!(call.messages.is_none(), "the built-in worker logs nothing");
        progress
            .send(raw(r#"{"progressToken":12,"progress":0.5,"message":"half"}"#))
            .await
            .unwrap();
        result(r#"{"content":[]}"#)
    });
    let frames = frames(bench.send_modern("tools/call", r#""name":"get_stats""#).await).await;
    assert_eq!(frames[0]["method"], "notifications/progress");
    assert_eq!(
        frames[0]["params"],
        json!({"progressToken": "p", "progress": 0.5, "message": "half"})
    );
    assert_eq!(
        (&frames[1]["id"], &frames[1]["result"]["resultType"]),
        (&json!(1), &json!("complete"))
    );

    bench.respond(|_, call| async move {
        assert!(call.progress.is_none(), "no token, no progress");
        result(r#"{"content":[]}"#)
    });
    bench.legacy("tools/call", r#"{"name":"get_stats"}"#).await;
}

/// Section 6, row *Timeouts*: our own deadline of 200 s.
#[tokio::test(start_paused = true)]
async fn a_call_ends_at_the_deadline() {
    let bench = Bench::new(Access::ReadAndChange);
    bench.respond(|_, _| async {
        sleep(Duration::from_secs(10_000)).await;
        result("{}")
    });
    let started = tokio::time::Instant::now();
    let frames = frames(bench.send_modern("tools/call", r#""name":"add_weigh_in""#).await).await;
    assert_eq!(started.elapsed().as_secs(), 200);
    let last = frames.last().unwrap();
    assert!(
        last["result"]["content"][0]["text"]
            .as_str()
            .unwrap()
            .contains("may or may not"),
        "{last}"
    );
}

/// Section 4, translating, row 5: legacy, by notification.
#[tokio::test(start_paused = true)]
async fn a_legacy_call_is_cancelled_by_notification() {
    let bench = Bench::new(Access::ReadOnly);
    bench.respond(|_, _| async {
        sleep(Duration::from_secs(10_000)).await;
        result("{}")
    });
    let none = RequestHeaders::default();
    let call = legacy_body("tools/call", r#"{"name":"get_stats"}"#);
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    let started = tokio::time::Instant::now();
    let (called, cancelled) = tokio::join!(bench.send(&none, &call), async {
        sleep(Duration::from_millis(100)).await;
        bench.send(&none, cancel).await
    });
    assert!(matches!(
        (called, cancelled),
        (Answer::Accepted, Answer::Accepted)
    ));
    assert!(started.elapsed() < Duration::from_secs(1));
}

/// The gateway's own tools answer whoever is allowed to ask, for their own account only.
#[tokio::test]
async fn own_tools_answer_by_themselves() {
    let bench = Bench::new(Access::ReadOnly);
    let (_, answer) = bench
        .legacy(
            "tools/call",
            r#"{"name":"stop_tracking","arguments":{"race":"r"}}"#,
        )
        .await;
    assert_eq!(
        answer["result"]["content"][0]["text"],
        format!(r#"{} stop_tracking {{"race":"r"}}"#, account("a"))
    );
    let (_, answer) = bench.modern("tools/call", r#""name":"stop_tracking""#).await;
    assert_eq!(answer["result"]["resultType"], "complete");
    assert_eq!(bench.asked(), [] as [String; 0]);
}

#[tokio::test]
async fn calls_are_counted() {
    let bench = Bench::new(Access::ReadOnly);
    bench.legacy("tools/call", r#"{"name":"get_stats"}"#).await;
    bench.respond(|_, _| async { result(r#"{"content":[],"isError":true}"#) });
    bench.modern("tools/call", r#""name":"get_stats""#).await;
    bench.respond(|_, _| async { Err(WorkerError::Died) });
    bench.modern("tools/call", r#""name":"get_stats""#).await;
    bench.legacy("tools/call", r#"{"name":"stop_tracking"}"#).await;
    bench.legacy("tools/call", r#"{"name":"nope"}"#).await;
    bench.gateway.flush_usage().await.unwrap();
    let used = usage::used(&bench.store, &account("a")).unwrap();
    let lines: Vec<_> = used
        .iter()
        .map(|line| (line.tool.as_str(), line.usage.calls, line.usage.errors))
        .collect();
    assert_eq!(lines, [("get_stats", 3, 2), ("stop_tracking", 1, 0)]);
}

/// `CALLS_PER_MINUTE`, which the operator may change while we run.
#[tokio::test]
async fn an_account_has_so_many_calls_a_minute() {
    let bench = Bench::new(Access::ReadOnly);
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
    assert_eq!(bench.asked().len(), 2);
    assert!(
        bench.legacy("tools/list", "{}").await.1.get("result").is_some(),
        "lists are free"
    );
}

/// Who holds the token of a race sees that race's tools and nothing of the person's.
#[tokio::test]
async fn the_token_of_a_race_reaches_its_race_alone() {
    let bench = Bench::new(Access::ReadAndChange);
    let race = bench
        .gateway
        .admit(Some(&format!("Bearer {RACE_TOKEN}")))
        .unwrap();
    let ask = async |method: &str, params: &str| {
        let body = Ok(Bytes::from(legacy_body(method, params)));
        let answer = bench
            .gateway
            .handle(race.clone(), RequestHeaders::default(), "POST", body);
        json_of(answer.await).1
    };
    let listed = ask("tools/list", "{}").await;
    let names: Vec<_> = listed["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| &tool["name"])
        .collect();
    assert_eq!(names, ["get_timeseries"]);
    let called = ask("tools/call", r#"{"name":"get_timeseries","arguments":{"a":1}}"#).await;
    assert_eq!(
        called["result"]["content"][0]["text"],
        r#"race_abcdefgh12345678 get_timeseries {"a":1}"#
    );
    for tool in ["get_stats", "stop_tracking", "add_weigh_in"] {
        let refused = ask("tools/call", &format!(r#"{{"name":"{tool}"}}"#)).await;
        assert_eq!(refused["error"]["code"], -32602, "{tool}: {refused}");
    }
    assert_eq!(bench.asked(), Vec::<String>::new());
}
