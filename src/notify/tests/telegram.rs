use super::*;

#[tokio::test]
async fn a_muted_chat_gets_warnings_only_until_its_time() {
    let bench = Bench::new(&BOTH).await;
    let chat = BotChat {
        id: -1001,
        username: None,
        is_private: false,
        topic: Some(7),
    };
    let until = bench.clock.now() + SignedDuration::from_hours(1);
    bench.notifier.mute_chat(&chat, Some(until)).await.unwrap();
    bench.push_as(Severity::Notice, "a", "Passed the mill.").await;
    bench
        .push_as(Severity::Warning, "b", "No signal for 20 min.")
        .await;
    bench.settled().await;
    assert_eq!(texts(&bench.telegram, "text"), ["No signal for 20 min."]);
    // The other channel of the same person is not muted.
    let both = ["Passed the mill.", "No signal for 20 min."];
    assert_eq!(texts(&bench.ntfy, "message"), both);
    bench.clock.advance(SignedDuration::from_hours(1));
    bench.push_as(Severity::Info, "c", "20 km.").await;
    bench.settled().await;
    bench
        .notifier
        .mute_chat(&chat, Some(Timestamp::MAX))
        .await
        .unwrap();
    bench.notifier.mute_chat(&chat, None).await.unwrap();
    bench.push_as(Severity::Info, "d", "21 km.").await;
    bench.settled().await;
    assert_eq!(texts(&bench.telegram, "text")[1..], ["20 km.", "21 km."]);
}

const MOVED: &str = r#"{"ok":false,"error_code":400,
    "description":"Bad Request: group chat was upgraded to a supergroup chat",
    "parameters":{"migrate_to_chat_id":-1001234567890}}"#;

#[tokio::test]
async fn a_group_that_became_a_supergroup_is_followed_and_told_to_the_operator() {
    let bench = Bench::new(&[BOTH[0], ("TELEGRAM_CHAT_ID", "-55")]).await;
    bench.telegram.will_answer(400, &[], MOVED);
    bench.push("a", "first").await;
    bench.settled().await;
    bench.push("b", "second").await;
    bench.settled().await;
    let chats: Vec<_> = bench
        .telegram
        .asked()
        .iter()
        .map(|request| request.json["chat_id"].clone())
        .collect();
    assert_eq!(chats, ["-55", "-1001234567890", "-1001234567890"]);
    // The move also survives a restart, and the operator's test shows the new id.
    let restarted = Lifecycle::new();
    let again = Notifier::start(
        parts(&bench.store, &bench.clock, bench.live.subscribe()),
        &restarted,
    );
    let tested = again.test().await.unwrap();
    assert_eq!((tested[0].sent, &tested[0].failed), (1, &None));
    let note = &tested[0].notes[0];
    assert!(note.contains("set TELEGRAM_CHAT_ID to -1001234567890"), "{note}");
    assert!(restarted.drain(std::time::Duration::from_secs(5)).await);
}

#[tokio::test]
async fn a_message_to_a_topic_names_it() {
    let bench = Bench::new(&[BOTH[0], ("TELEGRAM_CHAT_ID", "-1001234567890_7")]).await;
    bench.push("a", "first").await;
    bench.settled().await;
    let sent = &bench.telegram.asked()[0].json;
    assert_eq!(
        (&sent["chat_id"], &sent["message_thread_id"]),
        (&"-1001234567890".into(), &7.into())
    );
}

#[tokio::test]
async fn refusals_of_telegram_say_what_to_do() {
    let bench = Bench::new(&BOTH[..1]).await;
    for (status, description, words) in [
        (403, "Forbidden: bot was blocked by the user", "press Start"),
        (400, "Bad Request: chat not found", "knows no such chat"),
        (400, "Bad Request: TOPIC_CLOSED", "topic is closed"),
        (
            403,
            "Forbidden: bot was kicked from the group chat",
            "add it to the group",
        ),
    ] {
        let body = serde_json::json!({"ok": false, "description": description}).to_string();
        bench.telegram.will_answer(status, &[], &body);
        let refused = bench.set(phone(Some("-42"), None)).await.unwrap_err();
        assert!(refused.contains(words), "{description}: {refused}");
    }
}
