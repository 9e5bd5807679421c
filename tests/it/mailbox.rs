//! Races that start from e-mails: the real daemon between the simulated Garmin and a stand-in for an IMAP server.

mod server;

use std::time::Duration;

use garmin_gateway::admin::api::{AdminAct, AdminAnswer, AdminRead, AdminRequest};
use garmin_gateway::admin::client::{AdminClient, ClientError};
use garmin_gateway::base::clock::Clock;
use garmin_gateway::base::lifecycle::Lifecycle;
use garmin_gateway::config::{Config, Sources};
use garmin_gateway::races::{MailboxTrouble, probe_mailbox};
use garmin_gateway::simulator::SimulatorSettings;
use garmin_gateway::simulator::livetrack::{Playback, PlayedLink, demo_race};
use jiff::{SignedDuration, Timestamp};

pub(crate) use self::server::ImapServer;
use crate::bot::BotApi;
use crate::coaching::BOT;
use crate::whole::{World, log};

const ANN: i64 = 42;
const BEN: i64 = 43;
const STARTED: &str = "LiveTrack: A LiveTrack e-mail came, so I'm watching";

/// A gateway that watches a mailbox and has a bot.
struct Mailed {
    world: World,
    bot: BotApi,
    mails: ImapServer,
    clock: Clock,
    _lifecycle: Lifecycle,
}

impl Mailed {
    async fn start(idles: bool, clock: Clock) -> Self {
        let lifecycle = Lifecycle::new();
        let bot = BotApi::start(&lifecycle).await;
        let mails = ImapServer::start(&lifecycle, idles).await;
        let mut settings = vec![
            ("TELEGRAM_API_URL", &*bot.url.clone().leak()),
            ("TELEGRAM_BOT_TOKEN", BOT),
            ("TELEGRAM_CHAT_ID", "ann@example.org=42,ben@example.org=43"),
        ];
        settings.extend(mails.settings());
        let simulated = SimulatorSettings {
            clock: clock.clone(),
            ..SimulatorSettings::default()
        };
        let world = World::with(simulated, 1, &settings).await;
        world.connect("ann@example.org", "demo-ann", None).await;
        Self {
            world,
            bot,
            mails,
            clock,
            _lifecycle: lifecycle,
        }
    }

    /// A session that began forty minutes ago.
    fn session(&self) -> PlayedLink {
        let pace = Playback {
            elapsed_s: 2400,
            ..Playback::default()
        };
        self.world
            .simulator()
            .links(&demo_race().unwrap(), pace)
            .remove(0)
    }

    fn deliver(&self, text: &str) -> u32 {
        self.mails.deliver(text, self.clock.now())
    }

    /// Waits until a chat has received `n` messages with this beginning, and returns them.
    async fn told(&self, chat: i64, beginning: &str, n: usize) -> Vec<String> {
        until(|| self.bot.messages_to(chat, beginning).len() >= n).await;
        self.bot.messages_to(chat, beginning)
    }

    /// Delivers a mail that starts nothing, and waits until it was examined. All mails before it have then been
    /// handled.
    async fn all_handled(&self) {
        let uid = self.deliver("From: ben@example.com\nTo: ann@example.org\nSubject: Dinner\n\nAt eight?\n");
        let fetched = format!("UID FETCH {uid} ");
        until(|| self.mails.count(&fetched) > 0).await;
        let searches = self.mails.count("UID SEARCH");
        until(|| {
            self.mails.count("UID SEARCH") > searches
                || self.mails.commands().last().is_some_and(|last| last == "IDLE")
        })
        .await;
        assert!(!self.mails.is_read(uid));
    }

    async fn operator(&self) -> AdminClient {
        AdminClient::connect(&self.world.socket()).await.unwrap()
    }

    async fn set_addresses(&self, account: &str, addresses: &str) -> Result<AdminAnswer, ClientError> {
        let act = AdminAct::ChooseMailAddresses {
            account: account.to_owned(),
            addresses: addresses.to_owned(),
        };
        self.operator().await.ask(AdminRequest::Act(act)).await
    }

    async fn mailbox(&self) -> String {
        let asked = self
            .operator()
            .await
            .ask(AdminRequest::Read(AdminRead::Overview))
            .await;
        let AdminAnswer::Overview(overview) = asked.unwrap() else {
            panic!("no overview");
        };
        overview.mailbox.unwrap()
    }
}

async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), waiting)
        .await
        .unwrap();
}

/// Garmin's e-mail with the link of this path.
pub(crate) fn mail(to: &str, path: &str) -> String {
    let (first, rest) = path.split_at(60);
    format!(
        "From: Garmin <noreply@garmin.com>\nTo: {to}\nSubject: Watch the live activity\nMIME-Version: 1.0\n\
         Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n\
         View: https://livetrack.garmin.com{first}=\n{rest}\n"
    )
}

/// A mail's message brings the link to the page, and the bot says so when it is asked for one.
#[tokio::test]
async fn the_bot_says_that_a_link_came_with_a_mail() {
    let mut mailed = Mailed::start(true, Clock::system()).await;
    // A link that opens only on the gateway's own machine is not sent.
    let address = "https://gw.example.org";
    mailed.world.restart_with("PUBLIC_URL", address).await;
    mailed.deliver(&mail("ann@example.org", &mailed.session().path()));
    let told = mailed.told(ANN, STARTED, 1).await;
    assert!(told[0].contains(&format!("{address}/r/")), "{told:?}");
    let answer = mailed.bot.answer_to(ANN, "/share").await;
    assert!(
        answer.contains("with the message that a LiveTrack e-mail started the race"),
        "{answer}"
    );
    assert!(!answer.contains("in a chat"), "{answer}");
}

#[tokio::test]
async fn a_mail_starts_one_race_whatever_happens_to_the_connection() {
    let mut mailed = Mailed::start(true, Clock::system()).await;
    until(|| mailed.mails.count("IDLE") > 0).await;
    let (link, letter) = (
        mailed.session(),
        "From: a@example.org\nTo: ann@example.org\n\nHello https://example.org\n",
    );
    let private = mailed.deliver(letter);
    let uid = mailed.deliver(&mail("ann@example.org", &link.path()));
    let told = mailed.told(ANN, STARTED, 1).await;
    assert!(told[0].contains("The settings are the usual ones"), "{told:?}");
    until(|| mailed.mails.is_read(uid)).await;
    assert!(!mailed.mails.is_read(private));
    assert_eq!(mailed.world.races().count(), 1);
    assert!(mailed.mailbox().await.contains("last LiveTrack mail"));

    // The same session in another mail, after a broken connection.
    let connections = mailed.mails.connections();
    mailed.mails.cut();
    let again = mailed.deliver(&mail("Ann <ANN@example.org>", &link.path()));
    until(|| mailed.mails.is_read(again)).await;
    assert!(mailed.mails.connections() > connections);
    // All mails have new numbers.
    mailed.mails.renumber();
    mailed.all_handled().await;
    // The gateway starts anew, and the person stops the race.
    mailed.world.restart().await;
    mailed.all_handled().await;
    let ann = mailed.world.accounts().list().unwrap().remove(0).id;
    let race = mailed.world.races().newest(&ann).unwrap().unwrap().snapshot.race;
    mailed.world.races().stop_tracking(&ann, &race).await.unwrap();
    mailed.mails.renumber();
    mailed.all_handled().await;
    assert_eq!(mailed.world.races().list(&ann).unwrap().len(), 1);
    assert!(
        mailed
            .world
            .races()
            .watched(&ann)
            .unwrap()
            .iter()
            .all(|one| one.snapshot.watch.over().is_some())
    );
    assert_eq!(mailed.bot.messages_to(ANN, "LiveTrack:").len(), 1);

    let (events, _) = log().ring().follow();
    let lines: String = events.iter().map(|event| event.to_json()).collect();
    assert!(lines.contains("mailbox.race_started"));
    for secret in [
        "races@example.net",
        server::PASSWORD,
        "Watch the live activity",
        "Dinner",
    ] {
        assert!(!lines.contains(secret), "{secret} is in the log");
    }
}

/// A forwarded thread has yesterday's link before today's.
#[tokio::test]
async fn an_old_link_in_a_mail_does_not_hide_the_new_one() {
    let mailed = Mailed::start(true, Clock::system()).await;
    let link = mailed.session().path();
    let mut gone = link.clone();
    gone.replace_range(9..17, "00000000");
    let host = "https://livetrack.garmin.com";
    mailed.deliver(&format!(
        "From: a@example.org\nTo: ann@example.org\nSubject: LiveTrack\n\nYesterday: {host}{gone}\nToday: {host}{link}\n"
    ));
    let told = mailed.told(ANN, STARTED, 1).await;
    assert!(
        told[0].contains("The e-mail has another LiveTrack link, which is not watched."),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_server_without_idle_is_asked_each_minute() {
    let start: Timestamp = "2026-10-04T08:00:00Z".parse().unwrap();
    let mailed = Mailed::start(false, Clock::manual(start)).await;
    while !mailed.mailbox().await.contains("checked every minute") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let uid = mailed.deliver(&mail("ann@example.org", &mailed.session().path()));
    until(|| {
        // Time passes only where the task waits for it.
        if !mailed.mails.is_read(uid) {
            mailed.clock.advance(SignedDuration::from_secs(1));
        }
        mailed.mails.is_read(uid)
    })
    .await;
    assert_eq!(mailed.world.races().count(), 1);
    assert_eq!(mailed.mails.count("IDLE"), 0);
}

#[tokio::test]
async fn mails_reach_their_person_and_nobody_else() {
    let mailed = Mailed::start(true, Clock::system()).await;
    mailed
        .world
        .connect("ben@example.org", "demo-ben", Some("123456"))
        .await;
    let now = mailed.clock.now();
    // A mail to nobody here, one to two people, and one that is more than a day old.
    let left = [
        mailed.deliver(&mail("eve@example.com", &mailed.session().path())),
        mailed.deliver(&mail(
            "ann@example.org, ben@example.org",
            &mailed.session().path(),
        )),
        mailed.mails.deliver(
            &mail("ann@example.org", &mailed.session().path()),
            now - SignedDuration::from_hours(25),
        ),
    ];
    mailed.all_handled().await;
    assert!(left.iter().all(|uid| !mailed.mails.is_read(*uid)));
    assert_eq!(mailed.world.races().count(), 0);

    // Ben sets an address. He can't set somebody else's, or that of the mailbox.
    for (addresses, why) in [
        ("ann@example.org", "belongs to somebody else"),
        ("races@example.net", "is the mailbox itself"),
        ("ben", "is not an e-mail address"),
        ("a@b.org b@b.org c@b.org d@b.org e@b.org f@b.org", "too many"),
    ] {
        let refused = mailed
            .set_addresses("ben@example.org", addresses)
            .await
            .unwrap_err();
        assert!(refused.to_string().contains(why), "{addresses}: {refused}");
    }
    mailed
        .set_addresses("ben@example.org", "Races+Ben@example.net")
        .await
        .unwrap();
    let taken = mailed
        .set_addresses("ann@example.org", "races+ben@example.net")
        .await;
    assert!(
        taken
            .unwrap_err()
            .to_string()
            .contains("belongs to somebody else")
    );
    mailed.deliver(&mail("races+ben@example.net", &mailed.session().path()));
    mailed.told(BEN, STARTED, 1).await;

    // A link that Garmin does not know, and one that is cut off.
    let link = mailed.session();
    let path = link.path();
    let id = path.split('/').nth(2).unwrap();
    let unknown = path.replace(id, "00000000-0000-4000-8000-000000000000");
    let unknown = mail("ann@example.org", &unknown);
    mailed.deliver(&unknown);
    mailed
        .told(
            ANN,
            "LiveTrack: A LiveTrack e-mail came, but Garmin does not know",
            1,
        )
        .await;
    let cut_off = mail("ann@example.org", &link.path()).replace("/token/", "/tok/");
    for _ in 0..3 {
        mailed.deliver(&cut_off);
    }
    mailed
        .told(
            ANN,
            "LiveTrack: A LiveTrack e-mail came, but its link is cut off",
            1,
        )
        .await;
    mailed.all_handled().await;
    assert_eq!(
        mailed.bot.messages_to(ANN, "LiveTrack:").len(),
        2,
        "one a day for each reason"
    );
    assert_eq!(mailed.world.races().count(), 1);
}

#[tokio::test]
async fn a_mail_that_cannot_be_fetched_holds_up_no_other() {
    let mailed = Mailed::start(true, Clock::system()).await;
    mailed.deliver(server::BROKEN);
    let uid = mailed.deliver(&mail("ann@example.org", &mailed.session().path()));
    until(|| mailed.mails.is_read(uid)).await;
    assert_eq!(mailed.mails.count("UID FETCH 1 "), 3);
    assert_eq!(mailed.world.races().count(), 1);
}

#[tokio::test]
async fn a_flood_of_mails_starts_few_races() {
    let mailed = Mailed::start(true, Clock::system()).await;
    for _ in 0..20 {
        mailed.deliver(&mail("ann@example.org", &mailed.session().path()));
    }
    mailed.all_handled().await;
    assert_eq!(mailed.world.races().count(), 8);
    let refused = mailed
        .told(ANN, "LiveTrack: Many LiveTrack e-mails have come today", 1)
        .await;
    assert_eq!(refused.len(), 1);
}

#[tokio::test]
async fn a_mailbox_that_does_not_open_says_why() {
    let lifecycle = Lifecycle::new();
    let server = ImapServer::start(&lifecycle, true).await;
    let [(_, url), (_, password)] = server.settings();
    let probed = async |url: &str, password: &str| {
        let settings = [("IMAP_URL", url), ("IMAP_PASSWORD", password)];
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().display().to_string();
        let base = [
            ("DATA_DIR", dir.as_str()),
            ("RUNTIME_DIR", dir.as_str()),
            ("GATEWAY_SECRET_FILE", dir.as_str()),
        ];
        let config = Config::load(&Sources::of_pairs(settings.into_iter().chain(base))).unwrap();
        probe_mailbox(&config.live.mailbox.unwrap()).await
    };
    assert_eq!(probed(url, password).await, Ok(()));
    assert_eq!(probed(url, "wrong").await, Err(MailboxTrouble::LoginRefused));
    let other = url.replace("Races", "Rowing");
    assert_eq!(probed(&other, password).await, Err(MailboxTrouble::NoMailbox));
    let with_tls = url.replace("imap://", "imaps://");
    assert_eq!(probed(&with_tls, password).await, Err(MailboxTrouble::Unreadable));
    lifecycle.stop();
}
