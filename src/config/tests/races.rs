//! Tests of the settings for races, Claude and messages.

use super::super::*;

fn load(pairs: &[(&str, &str)]) -> Result<Config, String> {
    let home = [
        ("HOME", "/home/ann"),
        ("GATEWAY_SECRET", "0123456789abcdef0123456789abcdef"),
    ];
    let sources = Sources::of_pairs(home.into_iter().chain(pairs.iter().copied()));
    let told = |problems: Vec<SettingProblem>| {
        problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    Config::load(&sources).map_err(told)
}

/// The settings of a working broker, with some of them replaced.
fn broker<'a>(settings: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let good = [("MQTT_URL", "mqtts://home.example.org"), ("MQTT_PEOPLE", "all")];
    let is_kept = |(name, _): &(&str, &str)| settings.iter().all(|(other, _)| other != name);
    good.into_iter()
        .filter(is_kept)
        .chain(settings.iter().copied())
        .collect()
}

#[test]
fn a_broker_has_a_port_and_people() {
    let notify = |settings: &[(&str, &str)]| load(&broker(settings)).unwrap().live.notify;
    let mqtt = notify(&[("MQTT_PEOPLE", "Ann@example.org")]).mqtt.unwrap();
    assert_eq!(mqtt.url.as_str(), "mqtts://home.example.org:8883");
    assert!(mqtt.targets.of(&["ann@example.org"]).is_some());
    assert!(mqtt.targets.of(&["ben@example.org"]).is_none());
    let plain = [("MQTT_URL", "mqtt://[::1]"), ("MQTT_TOPIC", "home/garmin")];
    let plain = notify(&plain);
    assert_eq!(plain.mqtt.unwrap().url.as_str(), "mqtt://[::1]:1883");
    assert_eq!(
        (plain.broker.topic.as_str(), plain.broker.discovery.as_str()),
        ("home/garmin", "homeassistant")
    );
    // A broker that is only for the operator's own news.
    let own = [("MQTT_URL", "mqtt://home"), ("OPERATOR_PHONE", "mqtt")];
    let own = load(&own).unwrap().live.notify.mqtt.unwrap().targets;
    assert!(own.of_operator().is_some() && own.of(&["ann@example.org"]).is_none());
}

const BOT: (&str, &str) = ("TELEGRAM_BOT_TOKEN", "123456:AAbbCCddEEffGGhhIIjj");

#[test]
fn everybody_has_the_common_chat_but_who_has_their_own() {
    let config = load(&[
        BOT,
        (
            "TELEGRAM_CHAT_ID",
            "-100, Ann@example.org=42,acc_aaaaaaaaaaaaaaaa=43",
        ),
    ])
    .unwrap();
    let telegram = config.live.notify.telegram.unwrap();
    assert_eq!(telegram.targets.of(&["ann@example.org", "acc_x"]), Some("42"));
    assert_eq!(
        telegram.targets.of(&["x@example.org", "acc_aaaaaaaaaaaaaaaa"]),
        Some("43")
    );
    assert_eq!(telegram.targets.of(&["ben@example.org"]), Some("-100"));
    assert_eq!(telegram.targets.all(), ["-100", "42", "43"]);
    assert_eq!(Targets::default().of(&["ben@example.org"]), None);
}

#[test]
fn the_operators_phone_is_nobody_elses() {
    let notify = load(&[
        BOT,
        ("NTFY_TOPIC", "family"),
        ("OPERATOR_PHONE", "telegram:42, ntfy:me-alone"),
    ])
    .unwrap()
    .live
    .notify;
    let (telegram, ntfy) = (notify.telegram.unwrap().targets, notify.ntfy.unwrap().targets);
    assert_eq!(
        (telegram.of_operator(), ntfy.of_operator()),
        (Some("42"), Some("me-alone"))
    );
    assert_eq!(telegram.of(&["ann@example.org", "operator@example.org"]), None);
    assert_eq!(ntfy.of(&["ann@example.org"]), Some("family"));
    assert_eq!(ntfy.all(), ["family", "me-alone"]);
    for (phone, told) in [
        ("telegram:", "it is not a phone"),
        ("ntfy:a/b", "it is not a phone"),
        ("webhook:x", "it is not a phone"),
        ("+431234", "it is not a phone"),
        ("telegram:1,telegram:2", "two entries use the same channel"),
        ("ntfy:me", "NTFY_URL is not set"),
        ("gotify:Coops0123456789", "it is not a phone"),
        ("gotify:A0123456789abcd", "GOTIFY_URL is not set"),
        ("webhook", "WEBHOOK_URL is not set"),
    ] {
        let problem = load(&[BOT, ("OPERATOR_PHONE", phone)]).unwrap_err();
        assert!(
            problem.starts_with("OPERATOR_PHONE") && problem.contains(told),
            "{phone}: {problem}"
        );
    }
}

#[test]
fn a_gotify_server_may_be_the_operators_alone() {
    let notify = load(&[
        ("GOTIFY_URL", "http://gotify.local"),
        ("OPERATOR_PHONE", "gotify:A0123456789abcd"),
    ])
    .unwrap()
    .live
    .notify;
    let targets = notify.gotify.unwrap().targets;
    assert_eq!(
        (targets.of_operator(), targets.of(&["ada@example.org"])),
        (Some("A0123456789abcd"), None)
    );
}

#[test]
fn a_way_without_a_target_is_there_for_who_has_their_own() {
    let notify = load(&[BOT, ("NTFY_URL", "https://ntfy.example.org")])
        .unwrap()
        .live
        .notify;
    for way in [notify.telegram, notify.ntfy] {
        assert_eq!(way.unwrap().targets, Targets::default());
    }
    for (chat, is_one) in [
        ("42", true),
        ("-100", true),
        ("@ann_1", true),
        ("@", false),
        ("-", false),
        ("ann", false),
        ("@a/b", false),
    ] {
        assert_eq!(is_telegram_chat(chat), is_one, "{chat}");
    }
}

#[test]
fn nothing_set_means_nobody_is_told_and_nobody_looks() {
    let config = load(&[]).unwrap();
    assert_eq!(*config.live.notify, NotifyConfig::default());
    assert!(matches!(config.races.coach.by, CoachedBy::Nobody));
    assert_eq!(config.races.stale_stop.as_secs(), 15 * 60);
    assert_eq!(config.races.coach.daily_cents, Some(500));
}

#[test]
fn claude_gets_what_it_needs_and_nothing_else() {
    let config = load(&[
        ("CLAUDE_CMD", "claude --model 'sonnet'"),
        ("ANTHROPIC_API_KEY", "k"),
        ("AWS_SECRET", "x"),
    ]);
    let CoachedBy::Command { words, environment } = config.unwrap().races.coach.by else {
        panic!("no command")
    };
    assert_eq!(words, ["claude", "--model", "sonnet"]);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        environment,
        [pair("HOME", "/home/ann"), pair("ANTHROPIC_API_KEY", "k")]
    );
}

#[test]
fn what_does_not_fit_together_is_told_without_the_secret() {
    for (pairs, name) in [
        (vec![("TELEGRAM_CHAT_ID", "42")], "TELEGRAM_BOT_TOKEN"),
        (
            vec![
                ("TELEGRAM_BOT_TOKEN", "123456-oops-secret"),
                ("TELEGRAM_CHAT_ID", "42"),
            ],
            "TELEGRAM_BOT_TOKEN",
        ),
        (vec![BOT, ("TELEGRAM_CHAT_ID", "ann=42")], "TELEGRAM_CHAT_ID"),
        (vec![("NTFY_TOPIC", "a/b")], "NTFY_TOPIC"),
        (
            vec![("NTFY_URL", "http://example.org"), ("NTFY_TOPIC", "a")],
            "NTFY_URL",
        ),
        (
            vec![("NTFY_TOKEN_FILE", "/does/not/exist"), ("NTFY_TOPIC", "a")],
            "NTFY_TOKEN_FILE",
        ),
        (
            vec![("WEBHOOK_URL", "http://home.example.org:8123/api/webhook/oops")],
            "WEBHOOK_SECRET",
        ),
        (
            vec![
                ("WEBHOOK_URL", "https://home.example.org"),
                ("WEBHOOK_SECRET", "oops"),
            ],
            "WEBHOOK_SECRET",
        ),
        (
            vec![("WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")],
            "WEBHOOK_SECRET",
        ),
        (
            vec![("GOTIFY_URL", "http://home.example.org:8080")],
            "GOTIFY_TOKEN",
        ),
        (vec![("GOTIFY_TOKEN", "Aoops0123456789")], "GOTIFY_TOKEN"),
        (
            vec![
                ("GOTIFY_URL", "http://home.example.org:8080"),
                ("GOTIFY_TOKEN", "ada@example.org=Coops0123456789"),
            ],
            "GOTIFY_TOKEN",
        ),
        (
            vec![
                ("GOTIFY_URL", "http://home.example.org:8080"),
                ("GOTIFY_TOKEN_FILE", "/does/not/exist"),
            ],
            "GOTIFY_TOKEN_FILE",
        ),
        (
            vec![("CLAUDE_CMD", "claude"), ("CLAUDE_RUNNER_URL", "http://runner:1")],
            "CLAUDE_CMD",
        ),
        (vec![("ANALYSIS_DAILY_USD", "2.505")], "ANALYSIS_DAILY_USD"),
        (vec![("MQTT_URL", "mqtt://home.example.org")], "MQTT_PEOPLE"),
        (vec![("MQTT_PEOPLE", "oops@example.org")], "MQTT_URL"),
        (
            broker(&[("MQTT_URL", "http://home.example.org/oops")]),
            "MQTT_URL",
        ),
        (
            broker(&[("MQTT_URL", "mqtt://home.example.org/oops")]),
            "MQTT_URL",
        ),
        (
            broker(&[("MQTT_URL", "mqtt://ann:oops@home.example.org")]),
            "MQTT_URL",
        ),
        (broker(&[("MQTT_PEOPLE", "all, oops")]), "MQTT_PEOPLE"),
        (broker(&[("MQTT_PASSWORD", "oops")]), "MQTT_USER"),
        (broker(&[("MQTT_TOPIC", "home/#")]), "MQTT_TOPIC"),
        (broker(&[("MQTT_DISCOVERY", "home/")]), "MQTT_DISCOVERY"),
        (vec![("OPERATOR_PHONE", "mqtt")], "OPERATOR_PHONE"),
    ] {
        let told = load(&pairs).unwrap_err();
        assert!(told.contains(name) && !told.contains("oops"), "{told}");
    }
}
