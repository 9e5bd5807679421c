use super::*;

#[tokio::test]
async fn a_message_goes_out_on_every_channel_once_per_key() {
    let bench = Bench::new(&BOTH).await;
    bench.push("started", "The race has started.").await;
    bench.push("started", "The race has started.").await;
    bench.push("split:1", "1 km").await;
    bench.settled().await;
    assert_eq!(texts(&bench.telegram, "text"), ["The race has started.", "1 km"]);
    assert_eq!(texts(&bench.ntfy, "message"), ["The race has started.", "1 km"]);
    let telegram = bench.telegram.asked().remove(0);
    assert_eq!(telegram.path, format!("/bot{BOT}/sendMessage"));
    assert_eq!(telegram.json["chat_id"], "-1001");
    assert_eq!(telegram.json["disable_notification"], false);
    let ntfy = bench.ntfy.asked().remove(0);
    assert_eq!(
        (ntfy.path.as_str(), &ntfy.headers["authorization"]),
        ("/", &"Bearer tk_secret".parse().unwrap())
    );
    assert_eq!(
        (&ntfy.json["topic"], &ntfy.json["priority"]),
        (&"family".into(), &4.into())
    );
}

#[tokio::test]
async fn order_is_kept_over_failures_and_one_channel_does_not_hold_up_the_other() {
    let bench = Bench::new(&BOTH).await;
    bench
        .telegram
        .will_answer(429, &[], r#"{"ok":false,"parameters":{"retry_after":33}}"#);
    bench.push("a", "first").await;
    bench.telegram.wait_for(1).await;
    bench.push("b", "second").await;
    bench.ntfy.wait_for(2).await;
    assert_eq!(texts(&bench.ntfy, "message"), ["first", "second"]);
    // The message is not retried before its pause is over.
    bench.clock.advance(SignedDuration::from_secs(32));
    bench.push("c", "third").await;
    bench.ntfy.wait_for(3).await;
    assert_eq!(texts(&bench.telegram, "text"), ["first"]);
    bench.clock.advance(SignedDuration::from_secs(2));
    bench.notifier.wake();
    bench.settled().await;
    assert_eq!(
        texts(&bench.telegram, "text"),
        ["first", "first", "second", "third"]
    );
    assert_eq!(bench.ntfy.asked().len(), 3);
}

#[tokio::test]
async fn what_waits_survives_a_restart_and_goes_where_it_was_not_yet() {
    let bench = Bench::new(&BOTH).await;
    bench.telegram.will_answer(502, &[], "");
    bench.push("a", "first").await;
    bench.telegram.wait_for(1).await;
    bench.ntfy.wait_for(1).await;
    assert!(bench.lifecycle.drain(std::time::Duration::from_secs(20)).await);
    assert_eq!(bench.waiting(), 1);

    let lifecycle = Lifecycle::new();
    let (telegram, ntfy) = (StandIn::start(&lifecycle).await, StandIn::start(&lifecycle).await);
    bench.live.send_replace(settings(&telegram.url, &ntfy.url, &BOTH));
    Notifier::start(
        parts(&bench.store, &bench.clock, bench.live.subscribe()),
        &lifecycle,
    );
    bench.settled().await;
    assert_eq!(texts(&telegram, "text"), ["first"]);
    assert_eq!(ntfy.asked().len(), 0);
}

#[tokio::test]
async fn after_a_day_a_message_is_dead() {
    let bench = Bench::new(&BOTH[..2]).await;
    bench.telegram.will_answer(403, &[], "");
    bench.push("a", "first").await;
    bench.telegram.wait_for(1).await;
    bench.clock.advance(SignedDuration::from_hours(24));
    bench.notifier.wake();
    bench.settled().await;
    assert_eq!(bench.telegram.asked().len(), 1);
}

#[tokio::test]
async fn a_forgotten_account_is_told_nothing_more() {
    let bench = Bench::new(&BOTH[..2]).await;
    bench
        .store
        .put(bench.account.as_str().as_bytes(), phone(Some("42"), None))
        .await
        .unwrap();
    bench.telegram.will_answer(500, &[], "");
    bench.push("a", "first").await;
    bench.failure_noted().await;
    let (outbox, account) = (bench.notifier.clone(), bench.account.clone());
    let forgotten = bench.store.atomic(move |tx| outbox.forget_account(tx, &account));
    forgotten.await.unwrap();
    assert_eq!(bench.waiting(), 0);
    assert!(bench.store.list::<Phone>(b"").unwrap().is_empty());
    // The same key may be used again, because nothing about it is stored any more.
    bench.clock.advance(SignedDuration::from_secs(60));
    bench.push("a", "again").await;
    bench.settled().await;
    assert_eq!(texts(&bench.telegram, "text"), ["first", "again"]);
}

#[tokio::test]
async fn without_a_channel_nothing_is_kept() {
    let bench = Bench::new(&[]).await;
    bench.push("a", "first").await;
    assert_eq!(bench.waiting(), 0);
    assert!(bench.notifier.test().await.unwrap().is_empty());
    assert_eq!(*bench.live.borrow().notify, NotifyConfig::default());
    // Another person's chat is not a target for this one.
    let more = [BOTH[0], ("TELEGRAM_CHAT_ID", "ben@example.org=7")];
    bench
        .live
        .send_replace(settings(&bench.telegram.url, &bench.ntfy.url, &more));
    bench.push("b", "second").await;
    bench.settled().await;
    assert!(bench.telegram.asked().is_empty());
}

#[tokio::test]
async fn a_test_message_really_goes_out_and_says_what_is_wrong() {
    let bench = Bench::new(&[BOTH[0], ("TELEGRAM_CHAT_ID", "1,ann@example.org=2"), BOTH[2]]).await;
    bench.ntfy.will_answer(403, &[], "");
    let tested = bench.notifier.test().await.unwrap();
    assert_eq!(
        (tested[0].channel, tested[0].sent, &tested[0].failed),
        ("Telegram", 2, &None)
    );
    let advice = tested[1].failed.clone().unwrap();
    assert!(tested[1].sent == 0 && advice.contains("NTFY_TOPIC"), "{advice}");
    assert_eq!((bench.telegram.asked().len(), bench.ntfy.asked().len()), (2, 1));
}

#[test]
fn the_kind_of_a_message_follows_its_subject() {
    let account: AccountId = "acc_aaaaaaaaaaaaaaaa".parse().unwrap();
    let race = RaceId::random();
    for (subject, kind, about) in [
        (MessageSubject::Race(race.clone()), "race", Some(race.as_str())),
        (MessageSubject::Coach, "coach", None),
        (MessageSubject::Link, "link", None),
        (MessageSubject::Mail, "mail", None),
    ] {
        let queued = QueuedMessage {
            race: subject.lane(&account),
            account: Some(account.clone()),
            to: None,
            severity: Severity::Info,
            title: String::new(),
            text: String::new(),
            queued_at: Timestamp::UNIX_EPOCH,
            done: vec![],
        };
        assert_eq!(queued.about(), (kind, about));
    }
}

#[tokio::test]
async fn a_message_names_the_athlete_and_the_race() {
    let bench = Bench::new(&BOTH).await;
    for (key, title) in [("a", "Ann, Lake Run"), ("b", "Ben, Lake Run"), ("c", "")] {
        let message = PhoneMessage {
            account: bench.account.clone(),
            to: None,
            subject: MessageSubject::Race(bench.race.clone()),
            severity: Severity::Notice,
            title: title.into(),
            key: key.into(),
            text: "10 km.".into(),
        };
        let outbox = bench.notifier.clone();
        let pushed = bench.store.atomic(move |tx| outbox.push(tx, &message));
        pushed.await.unwrap();
    }
    bench.notifier.wake();
    bench.settled().await;
    assert_eq!(
        texts(&bench.telegram, "text"),
        ["Ann, Lake Run: 10 km.", "Ben, Lake Run: 10 km.", "10 km."]
    );
    assert_eq!(
        texts(&bench.ntfy, "title"),
        ["Ann, Lake Run", "Ben, Lake Run", ""]
    );
    assert_eq!(texts(&bench.ntfy, "click"), ["https://gw.example.org"; 3]);
}
