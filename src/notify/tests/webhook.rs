use super::*;

/// The webhook is the operator's server. It gets the messages of people who have no phone of their own.
#[tokio::test]
async fn a_webhook_gets_signed_messages_of_people_without_a_phone() {
    let bench = Bench::new(&[]).await;
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let webhook = [
        ("WEBHOOK_URL", bench.ntfy.url.as_str()),
        ("WEBHOOK_SECRET", secret),
    ];
    let live = settings(&bench.telegram.url, &bench.ntfy.url, &webhook);
    bench.live.send_replace(live);
    bench.ntfy.will_answer(502, &[], "");
    bench.push("started", "The race has started.").await;
    bench.failure_noted().await;
    bench.clock.advance(SignedDuration::from_secs(6));
    bench.notifier.wake();
    bench.settled().await;

    let asked = bench.ntfy.asked();
    let [first, again] = asked.as_slice() else {
        panic!("{}", asked.len())
    };
    assert_eq!(first.headers["webhook-id"], again.headers["webhook-id"]);
    assert_ne!(
        first.headers["webhook-timestamp"],
        again.headers["webhook-timestamp"]
    );
    assert_ne!(
        first.headers["webhook-signature"],
        again.headers["webhook-signature"]
    );
    let data = &first.json["data"];
    assert_eq!(
        (&data["severity"], &data["text"], &data["link"]),
        (
            &"warning".into(),
            &"The race has started.".into(),
            &"https://gw.example.org".into()
        )
    );
    assert_eq!(first.json["timestamp"], "2026-10-04T09:00:00Z");
}
