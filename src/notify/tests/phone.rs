use super::*;

#[tokio::test]
async fn a_person_is_told_where_they_said_and_nowhere_else() {
    let bench = Bench::new(&BOTH).await;
    assert_eq!(bench.notifier.route(&bench.account), MessageRoute::Operator);
    assert_eq!(
        bench.set(phone(None, Some("anns-own"))).await,
        Ok(MessageRoute::Personal)
    );
    bench.push("a", "first").await;
    bench.settled().await;
    assert!(bench.telegram.asked().is_empty());
    let told = bench.ntfy.asked();
    let topics: Vec<_> = told.iter().map(|request| request.json["topic"].clone()).collect();
    assert_eq!(topics, ["anns-own", "anns-own"]);
    assert_eq!(told[1].json["message"], "first");
    // The operator's token is never sent to a topic that a member named.
    assert!(
        told.iter()
            .all(|request| !request.headers.contains_key("authorization"))
    );
    // The operator's test reaches every phone: the family's chat and topic, and Ann's own.
    let sent: Vec<_> = bench
        .notifier
        .test()
        .await
        .unwrap()
        .iter()
        .map(|one| one.sent)
        .collect();
    assert_eq!(sent, [1, 2]);

    // The choice survives a restart. An empty phone restores the operator's settings.
    let restarted = Lifecycle::new();
    let again = Notifier::start(
        parts(&bench.store, &bench.clock, bench.live.subscribe()),
        &restarted,
    );
    assert_eq!(again.route(&bench.account), MessageRoute::Personal);
    // Only one gateway at a time may send.
    assert!(restarted.drain(std::time::Duration::from_secs(5)).await);
    assert_eq!(bench.set(Phone::default()).await, Ok(MessageRoute::Operator));
    bench.push("b", "second").await;
    bench.settled().await;
    let told = texts(&bench.telegram, "text");
    assert_eq!((told.len(), told[1].as_str()), (2, "second"));
}

#[tokio::test]
async fn a_phone_that_can_not_be_reached_is_not_set() {
    let bench = Bench::new(&BOTH[..1]).await;
    for (wanted, words) in [
        (phone(Some("ann"), None), "telegram_chat: must be"),
        (phone(None, Some("a/b")), "ntfy_topic: must be"),
        (phone(None, Some("anns-own")), "its operator can set NTFY_URL"),
    ] {
        let refused = bench.set(wanted).await.unwrap_err();
        assert!(refused.contains(words), "{refused}");
    }
    bench.telegram.will_answer(403, &[], "");
    let refused = bench.set(phone(Some("42"), None)).await.unwrap_err();
    assert!(refused.contains("pressed Start"), "{refused}");
    assert_eq!(bench.notifier.route(&bench.account), MessageRoute::Nowhere);
    // An immediate second attempt is refused.
    let refused = bench
        .notifier
        .set_phone(&bench.account, phone(Some("42"), None), |_| Ok(true))
        .await;
    assert!(matches!(refused, Err(SetPhoneError::TooSoon)), "{refused:?}");
    assert_eq!(
        bench.set(phone(Some("42"), None)).await,
        Ok(MessageRoute::Personal)
    );
    // Without a configured bot there is no route to the chat.
    bench
        .live
        .send_replace(settings(&bench.telegram.url, &bench.ntfy.url, &[]));
    assert_eq!(bench.notifier.route(&bench.account), MessageRoute::Nowhere);
}

#[tokio::test]
async fn access_that_ended_during_the_test_message_sets_no_phone() {
    let bench = Bench::new(&BOTH).await;
    let refused = bench
        .notifier
        .set_phone(&bench.account, phone(Some("42"), None), |_| Ok(false))
        .await;
    assert!(matches!(refused, Err(SetPhoneError::AccessEnded)), "{refused:?}");
    assert!(bench.store.list::<Phone>(b"").unwrap().is_empty());
}
