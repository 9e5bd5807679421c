use super::*;

#[tokio::test]
async fn gotify_gets_a_message_with_the_token_of_its_reader() {
    let bench = Bench::new(&[]).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("gotify");
    std::fs::write(
        &file,
        "AEverybodys.Tok-1, acc_aaaaaaaaaaaaaaaa=AnnsOwnToken_123\n",
    )
    .unwrap();
    let gotify = [
        ("GOTIFY_URL", bench.ntfy.url.join("gotify/").unwrap().to_string()),
        ("GOTIFY_TOKEN_FILE", file.display().to_string()),
    ];
    let gotify = gotify.each_ref().map(|(name, value)| (*name, value.as_str()));
    bench
        .live
        .send_replace(settings(&bench.telegram.url, &bench.ntfy.url, &gotify));
    bench.push("started", "The race has started.").await;
    bench.settled().await;

    let asked = bench.ntfy.asked().remove(0);
    assert_eq!(
        (
            asked.path.as_str(),
            asked.headers["x-gotify-key"].to_str().unwrap()
        ),
        ("/gotify/message", "AnnsOwnToken_123")
    );
    assert_eq!(
        (&asked.json["message"], &asked.json["priority"]),
        (&"The race has started.".into(), &8.into())
    );
    let opens = &asked.json["extras"]["client::notification"]["click"]["url"];
    assert_eq!(opens, "https://gw.example.org");

    let told = &bench.notifier.test().await.unwrap()[0];
    assert_eq!((told.channel, told.sent), ("Gotify", 2));
    bench.ntfy.will_answer(401, &[], "");
    let told = &bench.notifier.test().await.unwrap()[0];
    assert_eq!(
        told.failed.as_deref(),
        Some("The Gotify server rejects the token: check GOTIFY_TOKEN")
    );
}
