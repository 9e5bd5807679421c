use super::*;

#[tokio::test]
async fn the_operator_is_told_once_on_their_own_phone_alone() {
    let phone = ("OPERATOR_PHONE", "telegram:7,ntfy:me-alone");
    let bench = Bench::new(&[BOTH[0], BOTH[1], BOTH[2], BOTH[3], phone]).await;
    bench.telegram.will_answer(503, &[], "");
    let tell = async |key: &str, text: &str| {
        let message = OperatorMessage {
            key: key.into(),
            text: text.into(),
        };
        bench.notifier.tell_operator(message).await.unwrap();
    };
    tell("version:9.0.0", "version 9.0.0 is out").await;
    bench.failure_noted().await;
    bench.clock.advance(SignedDuration::from_mins(1));
    bench.notifier.wake();
    bench.settled().await;
    // The same news again, under the same key.
    tell("version:9.0.0", "version 9.0.0 is out, and this is another").await;
    tell("version:9.0.1", "version 9.0.1 is out").await;
    bench.settled().await;
    let first = "garmin-gateway: version 9.0.0 is out";
    assert_eq!(
        texts(&bench.telegram, "text"),
        [first, first, "garmin-gateway: version 9.0.1 is out"],
        "the first attempt failed"
    );
    assert_eq!(
        texts(&bench.ntfy, "message"),
        ["version 9.0.0 is out", "version 9.0.1 is out"]
    );
    assert_eq!(texts(&bench.ntfy, "topic"), ["me-alone"; 2]);
    assert!(
        bench
            .telegram
            .asked()
            .iter()
            .all(|asked| asked.json["chat_id"] == "7")
    );
    assert!(
        bench
            .ntfy
            .asked()
            .iter()
            .all(|asked| asked.headers.contains_key("authorization"))
    );
    // The operator's phone gets test messages, but not the messages of people.
    bench.push("a", "started").await;
    bench.settled().await;
    let tested = bench.notifier.test().await.unwrap();
    assert_eq!((tested[0].sent, tested[1].sent), (2, 2));
    assert_eq!(texts(&bench.ntfy, "topic")[2..], ["family", "family", "me-alone"]);
}

#[tokio::test]
async fn without_a_phone_of_the_operator_nothing_is_queued_and_nothing_is_used_up() {
    let bench = Bench::new(&BOTH).await;
    let message = || OperatorMessage {
        key: "version:9.0.0".into(),
        text: "version 9.0.0 is out".into(),
    };
    bench.notifier.tell_operator(message()).await.unwrap();
    assert!(!bench.notifier.has_operator() && bench.waiting() == 0);
    let more = [
        BOTH[0],
        BOTH[1],
        BOTH[2],
        BOTH[3],
        ("OPERATOR_PHONE", "ntfy:me-alone"),
    ];
    bench
        .live
        .send_replace(settings(&bench.telegram.url, &bench.ntfy.url, &more));
    bench.notifier.tell_operator(message()).await.unwrap();
    bench.settled().await;
    assert_eq!(texts(&bench.ntfy, "topic"), ["me-alone"]);
    assert!(bench.telegram.asked().is_empty());
}
