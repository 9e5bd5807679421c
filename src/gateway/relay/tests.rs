use tokio::sync::mpsc::Receiver;

use super::*;

const BOTH: Accepts = Accepts {
    json: true,
    stream: true,
};

fn reply() -> JsonReply {
    JsonReply {
        status: 200,
        body: Bytes::from_static(b"{\"answer\":1}"),
    }
}

/// A call with a progress token, from a client that wants log messages from `info` on.
fn call(
    era: Era,
    accepts: Accepts,
    lifecycle: &Lifecycle,
    answer: impl Future<Output = JsonReply> + Send + 'static,
) -> RelayedCall {
    let mut call = RelayedCall::new(era, accepts, lifecycle, answer);
    call.progress_token = Some("\"mine\"".into());
    call.log_level = Some(LogSeverity::Info);
    call
}

async fn after(seconds: f64) -> JsonReply {
    sleep(Duration::from_secs_f64(seconds)).await;
    reply()
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

async fn frames(answer: McpResponse) -> Vec<String> {
    let McpResponse::Stream(mut stream) = answer else {
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
        let answer = call(Era::Modern, accepts, &Lifecycle::new(), after(seconds))
            .relay()
            .await;
        assert!(
            matches!(answer, McpResponse::Json(ref json) if *json == reply()),
            "{answer:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_becomes_a_stream() {
    let answer = call(Era::Modern, BOTH, &Lifecycle::new(), after(2.0))
        .relay()
        .await;
    assert_eq!(frames(answer).await, [answer_frame()]);
    let only_streams = Accepts {
        json: false,
        stream: true,
    };
    let answer = call(Era::Modern, only_streams, &Lifecycle::new(), after(0.0))
        .relay()
        .await;
    assert_eq!(frames(answer).await, [answer_frame()]);
}

/// A stream has a frame at least every 15 s.
#[tokio::test(start_paused = true)]
async fn a_stream_is_kept_alive() {
    let answer = call(Era::Legacy, BOTH, &Lifecycle::new(), after(50.0))
        .relay()
        .await;
    let alive = || ":\n\n".to_owned();
    assert_eq!(frames(answer).await, [alive(), alive(), alive(), answer_frame()]);
}

/// Progress precedes the answer, even if both arrive at the same time.
#[tokio::test(start_paused = true)]
async fn notifications_keep_their_order() {
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
    let mut call = call(Era::Legacy, BOTH, &Lifecycle::new(), answer);
    call.progress = Some(progress_events);
    call.messages = Some(message_events);
    let progress = |n: u8| {
        format!(
            "event: message\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{{\"progressToken\":\"mine\",\"progress\":{n}}}}}\n\n"
        )
    };
    let message = "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"error\",\"data\":\"x\"}}\n\n";
    assert_eq!(
        frames(call.relay().await).await,
        [progress(1), progress(2), message.to_owned(), answer_frame()]
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_stream_there_are_no_notifications() {
    let (progress, progress_events) = mpsc::channel(8);
    let answer = async move {
        progress.send(raw(r#"{"progress":1}"#)).await.unwrap();
        after(3.0).await
    };
    let accepts = Accepts {
        json: true,
        stream: false,
    };
    let mut call = call(Era::Modern, accepts, &Lifecycle::new(), answer);
    call.progress = Some(progress_events);
    assert!(matches!(call.relay().await, McpResponse::Json(_)));
}

/// During a cold start, a progress message names the reason for the wait. The worker's own progress values exceed it.
#[tokio::test(start_paused = true)]
async fn a_long_wait_is_explained() {
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
    let mut call = call(Era::Modern, BOTH, &Lifecycle::new(), answer);
    call.wait_reason = Some(Box::new(|| Some("Starting")));
    call.progress = Some(progress_events);
    let frames = frames(call.relay().await).await;
    assert_eq!(frames.len(), 4, "{frames:?}");
    assert!(frames[0].contains(r#"{"progressToken":"mine","progress":0,"message":"Starting"}"#));
    assert!(frames[1].contains("0.5") && frames[2].contains("\"progress\":1}"));
}

/// A client cancels by closing the stream, or by closing the connection before the stream was opened.
#[tokio::test(start_paused = true)]
async fn a_modern_disconnect_cancels() {
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
            let answer = call(Era::Modern, BOTH, &lifecycle, answer).relay().await;
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

/// A disconnect does not cancel a legacy call.
#[tokio::test(start_paused = true)]
async fn a_legacy_call_survives_a_disconnect() {
    for wait in [0.2, 5.0] {
        let (done, is_done) = oneshot::channel();
        let answer = async move {
            let reply = after(100.0).await;
            done.send(()).unwrap();
            reply
        };
        let lifecycle = Lifecycle::new();
        let task = call(Era::Legacy, BOTH, &lifecycle, answer).relay();
        drop(tokio::time::timeout(Duration::from_secs_f64(wait), task).await);
        is_done.await.expect("the call ended by itself");
    }
}

/// A call that `notifications/cancelled` ends gets no answer.
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
        let mut call = call(Era::Legacy, BOTH, &lifecycle, answer);
        call.cancelled = Some(cancelled);
        match call.relay().await {
            McpResponse::Accepted => assert!(!streams),
            answer => assert_eq!(frames(answer).await, [] as [String; 0], "{streams}"),
        }
        was_dropped.await.unwrap();
    }
}

/// A client that does not read misses notifications, but the call completes.
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
    let mut call = call(Era::Modern, BOTH, &Lifecycle::new(), answer);
    call.progress = Some(progress_events);
    let McpResponse::Stream(mut stream) = call.relay().await else {
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
