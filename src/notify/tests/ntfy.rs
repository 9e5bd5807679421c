use super::*;

#[tokio::test]
async fn the_ntfy_token_goes_with_the_topics_of_the_operator_only() {
    let more = [("NTFY_TOPIC", "family,ann@example.org=ann"), BOTH[3]];
    let bench = Bench::new(&more).await;
    for (topic, has_token) in [("family", true), ("ann", true), ("somebody-else", false)] {
        let before = bench.ntfy.asked().len();
        assert_eq!(
            bench.set(phone(None, Some(topic))).await,
            Ok(MessageRoute::Personal)
        );
        let sent = bench.ntfy.asked().remove(before);
        assert_eq!(sent.headers.contains_key("authorization"), has_token, "{topic}");
    }
}
