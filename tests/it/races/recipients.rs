//! Recipients with phones of their own: which messages about the same race each of them gets, and how they join and
//! leave.

use garmin_gateway::admin::api::{AdminAct, AdminAnswer, AdminRead, AdminRequest};
use garmin_gateway::admin::client::AdminClient;
use garmin_gateway::base::clock::Clock;
use garmin_gateway::base::lifecycle::Lifecycle;
use garmin_gateway::simulator::SimulatorSettings;
use garmin_gateway::simulator::livetrack::Playback;
use serde_json::{Value, json};

use super::{Tracked, scenario, start, url};
use crate::bot::BotApi;
use crate::coaching::{BOT, Taker};
use crate::whole::World;

const ANN: i64 = 42;
const OMA: i64 = 77;
const STRANGER: i64 = 99;

/// A gateway with a bot and an ntfy server.
struct Phones {
    tracked: Tracked,
    telegram: BotApi,
    ntfy: Taker,
    _lifecycle: Lifecycle,
}

impl Phones {
    /// Ann's messages go to her chat. Nothing is tracked yet.
    async fn start() -> Self {
        let lifecycle = Lifecycle::new();
        let (telegram, ntfy) = (BotApi::start(&lifecycle).await, Taker::start(&lifecycle).await);
        let settings = [
            ("TELEGRAM_API_URL", &*telegram.url.clone().leak()),
            ("TELEGRAM_BOT_TOKEN", BOT),
            ("TELEGRAM_CHAT_ID", "ann@example.org=42"),
            ("NTFY_URL", &*ntfy.url.clone().leak()),
        ];
        let clock = Clock::manual(start());
        let simulated = SimulatorSettings {
            clock: clock.clone(),
            ..SimulatorSettings::default()
        };
        let world = World::with(simulated, 1, &settings).await;
        let ann = world.connect("ann@example.org", "demo-ann", None).await;
        let links = world.simulator().links(&scenario("tunnel"), Playback::default());
        let tracked = Tracked {
            world,
            clock,
            ann,
            links,
            race: String::new(),
        };
        Self {
            tracked,
            telegram,
            ntfy,
            _lifecycle: lifecycle,
        }
    }

    async fn ask(&self, tool: &str, arguments: Value) -> Result<Value, String> {
        let token = &self.tracked.ann.access_token;
        self.tracked.world.told(token, tool, arguments).await
    }

    /// Tracks a run of 15 km with a tunnel from minute 30 to 42. Returns the invitations.
    async fn track(&mut self, recipients: Value) -> Result<Value, String> {
        let config = json!({
            "race_name": "Tunnel", "race_type": "run", "recipients": recipients,
            "checkpoints": [{"name": "Mill", "km": 14}],
        });
        let link = url(&self.tracked.links[0]);
        let started = self
            .ask("start_tracking", json!({"url": link, "race_config": config}))
            .await?;
        started["race"]
            .as_str()
            .unwrap()
            .clone_into(&mut self.tracked.race);
        Ok(started["invitations"].clone())
    }

    async fn waiting(&self) -> Value {
        let race = json!({"race": self.tracked.race});
        self.ask("get_tracking_status", race).await.unwrap()["recipients_waiting"].clone()
    }

    /// The texts that went to a topic.
    fn told_on(&self, topic: &str) -> Vec<String> {
        let sent = self.ntfy.after(0).into_iter();
        let sent = sent.filter(|json| json["topic"] == *topic);
        sent.map(|json| json["message"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// What the invited person writes to the bot when they open the link.
fn start_command(invitation: &Value) -> String {
    let link = invitation["link"].as_str().unwrap();
    let code = link.strip_prefix("https://t.me/RaceBot?start=").unwrap();
    assert!(code.starts_with("join_"), "{link}");
    format!("/start {code}")
}

#[tokio::test]
async fn each_reader_of_a_race_gets_their_own_messages() {
    let mut phones = Phones::start().await;
    let recipients = json!([
        {"role": "family", "name": "Oma", "language": "de", "units": "imperial", "telegram": "invite"},
        {"role": "crew", "name": "Bo", "ntfy_topic": "bo-and-nobody-else"},
        {"role": "coach", "language": "fr", "messages": "important", "ntfy_topic": "coach-and-nobody-else"},
    ]);
    let invitations = phones.track(recipients).await.unwrap();
    assert_eq!(invitations[0]["to"], "Oma");
    assert_eq!(phones.waiting().await, json!(["Oma"]));
    // A recipient whose phone was named by somebody else is told so first.
    assert_eq!(
        phones.told_on("coach-and-nobody-else"),
        ["Les messages de cette course arrivent ici désormais : Ann E, Tunnel."]
    );
    let command = start_command(&invitations[0]);
    let answer = phones.telegram.answer_to(OMA, &command).await;
    assert!(answer.contains("Hier kommen die Nachrichten"), "{answer}");
    assert!(answer.contains("Tunnel"), "{answer}");
    assert_eq!(phones.waiting().await, Value::Null);
    // A code works once.
    let answer = phones.telegram.answer_to(STRANGER, &command).await;
    assert!(answer.starts_with("This invitation has expired"), "{answer}");

    // Within the tunnel, and just before the end.
    for at_s in [2300, 4500] {
        phones.tracked.play(at_s).await;
        phones.tracked.world.restart().await;
    }
    phones.tracked.play_to_the_end().await;
    let is_finish = |json: &Value, word: &str| json["text"].as_str().is_some_and(|text| text.contains(word));
    let to = |chat: i64, json: &Value| json["chat_id"] == *chat.to_string();
    phones
        .telegram
        .call_after(0, |_, json| to(OMA, json) && is_finish(json, "Im Ziel"))
        .await;
    phones
        .telegram
        .call_after(0, |_, json| to(ANN, json) && is_finish(json, "Finished"))
        .await;
    for (topic, word) in [
        ("bo-and-nobody-else", "Finished"),
        ("coach-and-nobody-else", "Arrivée"),
    ] {
        let wanted = |json: &Value| {
            json["topic"] == topic
                && json["message"]
                    .as_str()
                    .is_some_and(|text| text.starts_with(word))
        };
        phones.ntfy.find(wanted).await;
    }

    // Family: at most three messages an hour besides the finish, in German and miles, without any body data.
    let oma = phones.telegram.messages_to(OMA, "Ann E, Tunnel: ");
    let oma: Vec<_> = oma
        .iter()
        .map(|text| text.trim_start_matches("Ann E, Tunnel: "))
        .collect();
    assert_eq!(oma.len(), 4, "{oma:#?}");
    assert_eq!(oma[0], "Das Rennen hat begonnen.");
    assert!(
        oma[1].starts_with("Kein Signal seit 10 min. Zuletzt gesehen bei 3,5 mi;"),
        "{oma:#?}"
    );
    assert!(oma[2].starts_with("Mill (8,7 mi) passiert nach 1:1"), "{oma:#?}");
    assert!(
        oma[3].starts_with("Im Ziel: 9,3 mi in 1:1") && oma[3].ends_with(" /mi)."),
        "{oma:#?}"
    );
    // Crew: all messages, in the default wording.
    let bo = phones.told_on("bo-and-nobody-else");
    for part in [
        "5 km run after",
        "heart rate",
        "Signal is back",
        "Passed Mill (14 km)",
        "Finished: 15.0 km",
    ] {
        assert!(bo.iter().any(|text| text.contains(part)), "{part}: {bo:#?}");
    }
    // The coach wants only important messages, and is told how the race ended.
    let coach = phones.told_on("coach-and-nobody-else");
    assert_eq!(coach.len(), 2, "{coach:#?}");
    assert!(coach[1].starts_with("Arrivée : 15,0 km en 1:1"), "{coach:#?}");
    // Ann's own phone still gets its messages.
    let ann = phones.telegram.messages_to(ANN, "Ann E, Tunnel: ");
    assert!(
        ann.iter().any(|text| text.contains("The race has started.")),
        "{ann:#?}"
    );
    phones.tracked.world.end().await;
}

#[tokio::test]
async fn nobody_reads_a_race_who_did_not_say_so() {
    let mut phones = Phones::start().await;
    // A chat that belongs to nobody on this gateway.
    let recipients = json!([{"role": "crew", "telegram": STRANGER.to_string()}]);
    let refused = phones.track(recipients).await.unwrap_err();
    assert!(
        refused.contains("recipients[0].telegram") && refused.contains("\"invite\""),
        "{refused}"
    );
    let own = json!([{"role": "crew", "telegram": ANN.to_string()}]);
    let refused = phones.track(own).await.unwrap_err();
    assert!(refused.contains("own messages"), "{refused}");
    let unknown = json!([{"role": "crew", "telegram": "chat_abcdefgh23456789"}]);
    let refused = phones.track(unknown).await.unwrap_err();
    assert!(refused.contains("no such invited chat"), "{refused}");
    assert_eq!(phones.telegram.messages_to(STRANGER, ""), Vec::<String>::new());

    let recipients = json!([
        {"role": "family", "name": "Oma", "language": "de", "telegram": "invite"},
        {"role": "crew", "name": "Bo", "telegram": "invite"},
    ]);
    let invitations = phones.track(recipients).await.unwrap();
    let answer = phones
        .telegram
        .answer_to(OMA, &start_command(&invitations[0]))
        .await;
    assert!(answer.contains("/leave"), "{answer}");
    // The bot answers a recipient only what concerns recipients.
    let answer = phones.telegram.answer_to(OMA, "/status").await;
    assert!(answer.contains("an invitation was accepted"), "{answer}");
    phones.tracked.play(120).await;
    let is_hers = |_: &str, json: &Value| json["chat_id"] == *OMA.to_string();
    phones.telegram.call_after(0, is_hers).await;

    // The operator sees who the recipients are, without their addresses.
    let mut operator = AdminClient::connect(&phones.tracked.world.socket())
        .await
        .unwrap();
    let read = AdminRead::Race {
        race: phones.tracked.race.clone(),
    };
    let AdminAnswer::Race(detail) = operator.ask(AdminRequest::Read(read)).await.unwrap() else {
        panic!("no race");
    };
    assert_eq!(
        detail.recipients,
        [
            "family Oma, de, metric: telegram",
            "crew Bo, metric: telegram, invitation not accepted, or left"
        ]
    );

    // The list is replaced. A recipient who is named again keeps their phone; the invitation of one who is not ends.
    let changes = json!({"recipients": [{"role": "family", "name": "Oma", "language": "de"}]});
    let race = phones.tracked.race.clone();
    phones
        .ask("update_race", json!({"race": race, "changes": changes}))
        .await
        .unwrap();
    assert_eq!(phones.waiting().await, Value::Null);
    let answer = phones
        .telegram
        .answer_to(STRANGER, &start_command(&invitations[1]))
        .await;
    assert!(answer.starts_with("This invitation has expired"), "{answer}");

    // Oma leaves, and gets no more messages about the race.
    let answer = phones.telegram.answer_to(OMA, "/leave").await;
    assert_eq!(answer, "Hier kommen keine Nachrichten zu Rennen mehr an.");
    assert_eq!(phones.waiting().await, json!(["Oma"]));
    let n = phones.telegram.count();
    phones.tracked.play_to_the_end().await;
    let is_anns = |_: &str, json: &Value| {
        json["chat_id"] == *ANN.to_string()
            && json["text"]
                .as_str()
                .is_some_and(|text| text.contains("Finished"))
    };
    phones.telegram.call_after(n, is_anns).await;
    let hers = phones.telegram.messages_to(OMA, "Ann E, Tunnel: ");
    assert_eq!(hers, ["Ann E, Tunnel: Das Rennen hat begonnen."]);
    phones.tracked.world.end().await;
}

#[tokio::test]
async fn an_invitation_ends_with_the_account() {
    let mut phones = Phones::start().await;
    let recipients = json!([{"role": "family", "name": "Oma", "telegram": "invite"}]);
    let invitations = phones.track(recipients).await.unwrap();
    let mut operator = AdminClient::connect(&phones.tracked.world.socket())
        .await
        .unwrap();
    let account = phones.tracked.account().to_string();
    operator
        .ask(AdminRequest::Act(AdminAct::Forget { account }))
        .await
        .unwrap();
    let answer = phones
        .telegram
        .answer_to(OMA, &start_command(&invitations[0]))
        .await;
    assert!(answer.starts_with("This invitation has expired"), "{answer}");
    phones.tracked.world.end().await;
}
