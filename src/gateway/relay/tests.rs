use tokio::sync::mpsc::Receiver;

use super::*;

const BOTH: Accepts = Accepts {
    json: true,
    stream: true,
};

fn reply() -> Reply {
    Reply {
        status: 200,
        body: Bytes::from_static(b"{\"answer\":1}"),
    }
}

fn listener(era: Era, accepts: Accepts) -> Listener {
    Listener {
        era,
        accepts,
        progress_token: Some("\"mine\"".into()),
        log_level: Some(LogLevel::Info),
        wait_reason: None,
    }
}

fn call(listener: Listener, answer: impl Future<Output = Reply> + Send + 'static) -> Call {
    Call {
        listener,
        answer: answer.boxed(),
        progress: None,
        messages: None,
        cancelled: None,
    }
}

async fn after(seconds: f64) -> Reply {
    sleep(Duration::from_secs_f64(seconds)).await;
    reply()
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

async fn frames(answer: Answer) -> Vec<String> {
    let Answer::Stream(mut stream) = answer else {
        panic!("{answer:?}")
    };
    let mut frames = Vec::new();
    while let Some(frame) = stream.recv().await {
        frames.push(String::from_utf8(frame.to_vec()).unwrap());
    }
    frames
}

fn answer_frame() -> String {
    "event: message\ndata: {\"answer\":1}\n\n".to_owned()
}

/// Fires when the future that holds it is dropped.
struct OnDrop(Option<oneshot::Sender<()>>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.take().unwrap().send(()).ok();
    }
}

#[tokio::test(start_paused = true)]
async fn a_quick_answer_is_plain_json() {
    for (accepts, seconds) in [
        (BOTH, 0.0),
        (BOTH, 0.49),
        (
            Accepts {
                json: true,
                stream: false,
            },
            150.0,
        ),
    ] {
        let answer = relay(
            call(listener(Era::Modern, accepts), after(seconds)),
            &Lifecycle::new(),
        )
        .await;
        assert!(
            matches!(answer, Answer::Json { status: 200, ref body } if *body == reply().body),
            "{answer:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_becomes_a_stream() {
    let answer = relay(call(listener(Era::Modern, BOTH), after(2.0)), &Lifecycle::new()).await;
    assert_eq!(frames(answer).await, [answer_frame()]);
    let only_streams = Accepts {
        json: false,
        stream: true,
    };
    let answer = relay(
        call(listener(Era::Modern, only_streams), after(0.0)),
        &Lifecycle::new(),
    )
    .await;
    assert_eq!(frames(answer).await, [answer_frame()]);
}

/// Section 6, row *Timeouts*: a sign of life at least every 15 s.
#[tokio::test(start_paused = true)]
async fn a_stream_is_kept_alive() {
    let answer = relay(call(listener(Era::Legacy, BOTH), after(50.0)), &Lifecycle::new()).await;
    let alive = || ":\n\n".to_owned();
    assert_eq!(frames(answer).await, [alive(), alive(), alive(), answer_frame()]);
}

/// Section 4, translating, row 3; progress comes before the answer, however close they are.
#[tokio::test(start_paused = true)]
async fn notifications_are_told_in_order() {
    let (progress, progress_events) = mpsc::channel(8);
    let (messages, message_events) = mpsc::channel(8);
    let answer = async move {
        progress
            .send(raw(r#"{"progressToken":4,"progress":1}"#))
            .await
            .unwrap();
        sleep(Duration::from_secs(1)).await;
        messages
            .send(raw(r#"{"level":"debug","data":"unwanted"}"#))
            .await
            .unwrap();
        messages
            .send(raw(r#"{"level":"error","data":"x"}"#))
            .await
            .unwrap();
        progress.send(raw(r#"{"progress":2}"#)).await.unwrap();
        reply()
    };
    let call = Call {
        progress: Some(progress_events),
        messages: Some(message_events),
        ..call(listener(Era::Legacy, BOTH), answer)
    };
    let progress = |n: u8| {
        format!(
            "event: message\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{{\"progressToken\":\"mine\",\"progress\":{n}}}}}\n\n"
        )
    };
    let message = "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"error\",\"data\":\"x\"}}\n\n";
    assert_eq!(
        frames(relay(call, &Lifecycle::new()).await).await,
        [progress(1), progress(2), message.to_owned(), answer_frame()]
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_no_stream_gets_no_notifications() {
    let (progress, progress_events) = mpsc::channel(8);
    let answer = async move {
        progress.send(raw(r#"{"progress":1}"#)).await.unwrap();
        after(3.0).await
    };
    let accepts = Accepts {
        json: true,
        stream: false,
    };
    let call = Call {
        progress: Some(progress_events),
        ..call(listener(Era::Modern, accepts), answer)
    };
    assert!(matches!(
        relay(call, &Lifecycle::new()).await,
        Answer::Json { .. }
    ));
}

/// Section 6, Claude Code, row *Limits*: a cold start says what it waits for, and the worker's own progress must
/// grow from there.
#[tokio::test(start_paused = true)]
async fn a_wait_says_what_it_waits_for() {
    let (progress, progress_events) = mpsc::channel(8);
    let answer = async move {
        sleep(Duration::from_secs(1)).await;
        for n in ["0", "0.5", "1"] {
            progress
                .send(raw(&format!("{{\"progress\":{n}}}")))
                .await
                .unwrap();
        }
        reply()
    };
    let mut listener = listener(Era::Modern, BOTH);
    listener.wait_reason = Some(Box::new(|| Some("Starting")));
    let call = Call {
        progress: Some(progress_events),
        ..call(listener, answer)
    };
    let frames = frames(relay(call, &Lifecycle::new()).await).await;
    assert_eq!(frames.len(), 4, "{frames:?}");
    assert!(frames[0].contains(r#"{"progressToken":"mine","progress":0,"message":"Starting"}"#));
    assert!(frames[1].contains("0.5") && frames[2].contains("\"progress\":1}"));
}

/// Section 3, *Streams*: cancellation = the client closes the response stream. Before that, it is the request that
/// is dropped.
#[tokio::test(start_paused = true)]
async fn a_modern_client_that_goes_away_cancels() {
    for wait in [0.2, 5.0] {
        let (dropped, was_dropped) = oneshot::channel();
        let on_drop = OnDrop(Some(dropped));
        let answer = async move {
            let _held = on_drop;
            after(100.0).await
        };
        let started = Instant::now();
        let lifecycle = Lifecycle::new();
        let task = async {
            let answer = relay(call(listener(Era::Modern, BOTH), answer), &lifecycle).await;
            sleep(Duration::from_secs(60)).await;
            drop(answer);
        };
        assert!(
            tokio::time::timeout(Duration::from_secs_f64(wait), task)
                .await
                .is_err()
        );
        was_dropped.await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(20), "{wait}");
    }
}

/// Section 4, translating, row 5: a legacy client that goes away has not cancelled.
#[tokio::test(start_paused = true)]
async fn a_legacy_call_goes_on_without_its_client() {
    for wait in [0.2, 5.0] {
        let (done, is_done) = oneshot::channel();
        let answer = async move {
            let reply = after(100.0).await;
            done.send(()).unwrap();
            reply
        };
        let lifecycle = Lifecycle::new();
        let task = relay(call(listener(Era::Legacy, BOTH), answer), &lifecycle);
        drop(tokio::time::timeout(Duration::from_secs_f64(wait), task).await);
        is_done.await.expect("the call ended by itself");
    }
}

/// Section 4, translating, row 5: `notifications/cancelled`; a cancelled call has no answer.
#[tokio::test(start_paused = true)]
async fn a_cancelled_call_ends_without_an_answer() {
    for (cancel_after, streams) in [(0.1, false), (2.0, true)] {
        let (cancel, cancelled) = oneshot::channel();
        let (dropped, was_dropped) = oneshot::channel();
        let on_drop = OnDrop(Some(dropped));
        let answer = async move {
            let _held = on_drop;
            after(100.0).await
        };
        let lifecycle = Lifecycle::new();
        lifecycle.spawn("test.cancel", async move {
            sleep(Duration::from_secs_f64(cancel_after)).await;
            cancel.send(()).unwrap();
        });
        let call = Call {
            cancelled: Some(cancelled),
            ..call(listener(Era::Legacy, BOTH), answer)
        };
        match relay(call, &lifecycle).await {
            Answer::Accepted => assert!(!streams),
            answer => assert_eq!(frames(answer).await, [] as [String; 0], "{streams}"),
        }
        was_dropped.await.unwrap();
    }
}

/// A client that reads nothing misses notifications, and holds up nobody.
#[tokio::test(start_paused = true)]
async fn a_slow_client_does_not_hold_up_its_call() {
    let (progress, progress_events) = mpsc::channel(8);
    let (done, is_done) = oneshot::channel();
    let answer = async move {
        for n in 0..500 {
            progress
                .send(raw(&format!("{{\"progress\":{n}}}")))
                .await
                .unwrap();
        }
        done.send(()).unwrap();
        reply()
    };
    let call = Call {
        progress: Some(progress_events),
        ..call(listener(Era::Modern, BOTH), answer)
    };
    let Answer::Stream(mut stream) = relay(call, &Lifecycle::new()).await else {
        panic!()
    };
    is_done.await.unwrap();
    let last = last(&mut stream).await;
    assert_eq!(last, answer_frame());
}

async fn last(stream: &mut Receiver<Bytes>) -> String {
    let mut last = String::new();
    while let Some(frame) = stream.recv().await {
        last = String::from_utf8(frame.to_vec()).unwrap();
    }
    last
}
