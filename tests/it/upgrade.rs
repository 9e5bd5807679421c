//! `upgrade`, run by the real program in a separate installation: signed releases, and releases that must be refused.
//! Also the operator's phone, which is notified of new releases.

mod releases;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use garmin_gateway::admin::api::{AdminAct, AdminAnswer, AdminRead, AdminRequest};
use garmin_gateway::admin::client::AdminClient;
use garmin_gateway::base::clock::Clock;
use garmin_gateway::base::lifecycle::Lifecycle;
use garmin_gateway::simulator::SimulatorSettings;
use jiff::{SignedDuration, civil, tz::TimeZone};

use crate::coaching::Taker;
use crate::whole::{World, program};
use releases::{ReleaseKey, ReleaseServer, archive_name, sealed};

const LOOK: Duration = Duration::from_millis(200);

/// A program that prints its version, records how it is asked to install itself, and replaces the installed one.
fn stand_in(version: &str) -> Vec<u8> {
    format!(
        "#!/bin/sh\n\
         if [ \"$1\" = --version ]; then echo garmin-gateway {version}; exit 0; fi\n\
         echo \"$*\" >>\"$HOME/calls\"\n\
         case \"$*\" in *--dry-run*) echo 'This would be done:'; exit 0;; esac\n\
         [ ! -e \"$HOME/fails\" ] || {{ echo 'the old one and its data have been restored' >&2; exit 70; }}\n\
         mv \"$HOME/.local/bin/garmin-gateway\" \"$HOME/.local/bin/garmin-gateway.old\"\n\
         cp \"$0\" \"$HOME/.local/bin/garmin-gateway\"\n"
    )
    .into_bytes()
}

/// A home in which this program is installed.
struct Home {
    dir: tempfile::TempDir,
    releases: ReleaseServer,
    key: ReleaseKey,
}

impl Home {
    fn new() -> Self {
        let home = Self {
            dir: tempfile::tempdir().unwrap(),
            releases: ReleaseServer::start(),
            key: ReleaseKey::new(),
        };
        for directory in [".local/bin", ".config/garmin-gateway", "tmp"] {
            fs::create_dir_all(home.path(directory)).unwrap();
        }
        home.put_program();
        let news = format!("{}/latest/download/notes.json", home.releases.url);
        home.set(&format!("NEWS_URL={news}\nNEWS_KEY={}\n", home.key.public()));
        home
    }

    fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    fn installed(&self) -> PathBuf {
        self.path(".local/bin/garmin-gateway")
    }

    fn put_program(&self) {
        fs::copy(program(), self.installed()).unwrap();
    }

    fn set(&self, settings: &str) {
        fs::write(self.path(".config/garmin-gateway/gateway.env"), settings).unwrap();
    }

    fn publish(&self, version: &str) {
        let files = sealed(&self.key, version, &stand_in(version));
        self.releases.publish("latest/download", files);
    }

    fn run_program(&self, program: &Path, options: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.arg("upgrade").args(options).env_clear();
        command.env("HOME", self.dir.path()).env("PATH", "/usr/bin:/bin");
        command.env("TMPDIR", self.path("tmp")).output().unwrap()
    }

    fn run(&self, options: &[&str]) -> Output {
        self.run_program(&self.installed(), options)
    }

    /// Every file with its size and content. The large program is represented by its size and time only.
    fn files(&self) -> BTreeMap<PathBuf, (u64, Vec<u8>)> {
        let mut files = BTreeMap::new();
        let mut left = vec![self.dir.path().to_owned()];
        while let Some(path) = left.pop() {
            if path.is_dir() {
                left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let found = path.metadata().unwrap();
            let seen = if found.len() < 1 << 20 {
                fs::read(&path).unwrap()
            } else {
                format!("{:?} {:?}", found.modified().unwrap(), found.permissions().mode()).into_bytes()
            };
            files.insert(path, (found.len(), seen));
        }
        files
    }

    /// Runs an upgrade that must change nothing, run nothing of the release, and exit with this code and these words.
    fn refuses(&self, what: &str, options: &[&str], code: i32, words: &[&str]) {
        let before = self.files();
        let done = self.run(options);
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(code), "{what}: {told}");
        for word in words {
            assert!(told.contains(word), "{what}: {told}");
        }
        assert!(before == self.files(), "{what}: nothing may change");
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.path("calls")).unwrap_or_default()
    }
}

fn told(done: &Output) -> String {
    let text = [&done.stdout[..], &done.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn the_newest_release_installs_itself() {
    let home = Home::new();
    home.publish("9.0.0");
    // A dry run lets the new program show its plan.
    let before = home.files();
    let shown = home.run(&["--dry-run"]);
    assert!(shown.status.success(), "{}", told(&shown));
    for words in [
        "Version 9.0.0 is out",
        &*archive_name(),
        &home.releases.url,
        "This would be done",
    ] {
        assert!(told(&shown).contains(words), "{words}: {}", told(&shown));
    }
    assert_eq!(home.calls(), "install --user --dry-run\n");
    fs::remove_file(home.path("calls")).unwrap();
    assert!(before == home.files(), "a dry run changes nothing");

    // The new program does not start, so the previous one is restored.
    fs::write(home.path("fails"), "").unwrap();
    let failed = home.run(&["--yes"]);
    assert_eq!(failed.status.code(), Some(70), "{}", told(&failed));
    assert!(told(&failed).contains("restored"));
    fs::remove_file(home.path("fails")).unwrap();
    fs::remove_file(home.path("calls")).unwrap();

    let done = home.run(&["--yes"]);
    assert!(done.status.success(), "{}", told(&done));
    assert_eq!(home.calls(), "install --user --yes\n");
    assert_eq!(fs::read(home.installed()).unwrap(), stand_in("9.0.0"));
    assert!(home.path(".local/bin/garmin-gateway.old").exists());
    assert_eq!(
        fs::read_dir(home.path("tmp")).unwrap().count(),
        0,
        "the download is gone"
    );

    // The address is given on the command line instead of in the settings, and the release is not the newest.
    home.put_program();
    home.set("");
    home.releases
        .publish("download/v8.1.0", sealed(&home.key, "8.1.0", &stand_in("8.1.0")));
    let (from, key) = (&*home.releases.url, &*home.key.public());
    let done = home.run(&["--yes", "--from", from, "--key", key, "--version", "8.1.0"]);
    assert!(done.status.success(), "{}", told(&done));
    assert_eq!(fs::read(home.installed()).unwrap(), stand_in("8.1.0"));
}

#[test]
fn nothing_is_done_where_nothing_is_newer() {
    let home = Home::new();
    let own = env!("CARGO_PKG_VERSION");
    for version in [own, "0.0.1"] {
        home.publish(version);
        let before = home.files();
        let done = home.run(&["--yes"]);
        assert!(done.status.success(), "{}", told(&done));
        assert!(told(&done).contains("Nothing to do"), "{}", told(&done));
        assert!(before == home.files());
        let asked = home.releases.asked();
        assert!(!asked.iter().any(|path| path.ends_with(".tar.gz")), "{asked:?}");
    }
    let older = sealed(&home.key, "0.0.1", &stand_in("0.0.1"));
    home.releases.publish("download/v0.0.1", older);
    home.refuses(
        "an older one that was asked for",
        &["--version", "0.0.1"],
        64,
        &["older"],
    );
    home.refuses(
        "no version",
        &["--version", "../1"],
        64,
        &["'../1' is not a version"],
    );
}

#[test]
fn a_release_that_is_not_the_published_one_changes_nothing() {
    let home = Home::new();
    let archive = archive_name();
    let good = sealed(&home.key, "9.0.0", &stand_in("9.0.0"));
    let other = [&stand_in("9.0.0")[..], b"# another\n"].concat();
    let others = sealed(&ReleaseKey::new(), "9.0.0", &other);
    let older = sealed(&home.key, "8.0.0", &stand_in("8.0.0"));
    let with = |name: &str, file: &[u8]| {
        let mut files = good.clone();
        files.insert(name.to_owned(), file.to_vec());
        files
    };
    let forged_sums = String::from_utf8_lossy(&good["SHA256SUMS"]).replace('a', "b");
    let liar = sealed(&home.key, "9.0.0", &stand_in("8.0.0"));
    let empty = sealed(&home.key, "9.0.0", b"");
    let broken = sealed(&home.key, "9.0.0", b"#!/bin/sh\nexit 1\n");
    let strange = sealed(&home.key, "9.0.0", b"\x7fELF of another machine");
    for (what, files, code, words) in [
        ("another key", others.clone(), 65, "another key"),
        (
            "a forged list",
            with("SHA256SUMS", forged_sums.as_bytes()),
            65,
            "signature",
        ),
        (
            "another release's signature",
            with("SHA256SUMS.sig", &older["SHA256SUMS.sig"]),
            65,
            "signature",
        ),
        ("no signature", with("SHA256SUMS.sig", b""), 65, "signature"),
        (
            "another archive",
            with(&archive, &others[&archive][..]),
            65,
            "checksum",
        ),
        (
            "an older archive",
            with(&archive, &older[&archive]),
            65,
            "checksum",
        ),
        (
            "newer notes on an older release",
            with("notes.json", &older["notes.json"]),
            65,
            "checksum",
        ),
        (
            "half an archive",
            with(&archive, &good[&archive][..99]),
            65,
            "checksum",
        ),
        ("an archive without a program", empty, 65, "no program"),
        ("a program that does not run", broken, 70, "TMPDIR"),
        ("no program of this machine", strange, 70, "TMPDIR"),
        ("a program of another version", liar, 65, "8.0.0"),
    ] {
        home.releases.publish("latest/download", files);
        home.refuses(what, &["--yes"], code, &[words, "nothing was changed"]);
        home.refuses(what, &["--dry-run"], code, &[words]);
    }
    home.releases.publish("download/v9.1.0", good.clone());
    home.refuses(
        "another version than named",
        &["--version", "9.1.0"],
        65,
        &["9.0.0"],
    );
}

#[test]
fn a_download_that_does_not_come_changes_nothing() {
    let home = Home::new();
    let good = sealed(&home.key, "9.0.0", &stand_in("9.0.0"));
    for name in good.keys().filter(|name| *name != "notes.json.sig") {
        home.releases.publish("latest/download", good.clone());
        home.releases.cut(&format!("/latest/download/{name}"));
        home.refuses(
            name,
            &["--yes"],
            69,
            &["could not fetch", "broke off", "nothing was changed"],
        );
        let mut missing = good.clone();
        missing.remove(name);
        home.releases.publish("latest/download", missing);
        home.refuses(name, &["--yes"], 69, &["could not fetch", "404"]);
    }
    home.set(&format!(
        "NEWS_URL=http://127.0.0.1:1/notes.json\nNEWS_KEY={}\n",
        home.key.public()
    ));
    home.refuses(
        "nobody there",
        &["--yes"],
        69,
        &["does not answer", "nothing was changed"],
    );
}

#[test]
fn who_is_not_installed_or_not_told_where_releases_are_is_told_what_to_do() {
    let home = Home::new();
    home.publish("9.0.0");
    let built = home.run_program(&program(), &["--yes"]);
    assert_eq!(built.status.code(), Some(64));
    assert!(
        told(&built).contains("is not an installed program"),
        "{}",
        told(&built)
    );
    home.set("");
    home.refuses(
        "no settings",
        &[],
        78,
        &["NEWS_URL", "NEWS_KEY", "gateway.env", "install.sh"],
    );
    home.set("NEWS_URL=https://example.org/notes.json\n");
    home.refuses("half of the settings", &[], 78, &["NEWS_URL", "NEWS_KEY"]);
    home.set(&format!(
        "NEWS_URL=http://example.org/notes.json\nNEWS_KEY={}\n",
        home.key.public()
    ));
    home.refuses("plain http", &[], 64, &["https://"]);
    home.set(&format!(
        "NEWS_URL={}/notes.json\nNEWS_KEY={}\n",
        home.releases.url,
        home.key.public()
    ));
    home.refuses(
        "no other versions there",
        &["--version", "9.0.0"],
        64,
        &["leave --version out"],
    );
    home.refuses(
        "an address without a key",
        &["--from", "https://example.org"],
        64,
        &["--key"],
    );
    home.refuses(
        "no key",
        &["--from", "https://example.org", "--key", "x"],
        64,
        &["--key"],
    );
    assert!(home.releases.asked().is_empty());
}

#[tokio::test]
async fn the_operators_phone_is_told_once_in_the_morning() {
    let zone = TimeZone::system();
    let evening = civil::date(2026, 1, 29).at(23, 0, 0, 0).to_zoned(zone).unwrap();
    let clock = Clock::manual(evening.timestamp());
    let lifecycle = Lifecycle::new();
    let ntfy = Taker::start(&lifecycle).await;
    let releases = ReleaseServer::start();
    let key = ReleaseKey::new();
    releases.publish("latest/download", sealed(&key, "9.0.0", b"program"));
    let own = [
        (
            "NEWS_URL",
            &*format!("{}/latest/download/notes.json", releases.url).leak(),
        ),
        ("NEWS_KEY", &*key.public().leak()),
        ("NTFY_URL", &*ntfy.url.clone().leak()),
        ("NTFY_TOPIC", "family"),
        ("OPERATOR_PHONE", "ntfy:me-alone"),
    ];
    let settings = SimulatorSettings {
        clock: clock.clone(),
        ..SimulatorSettings::default()
    };
    let mut world = World::with(settings, 1, &own).await;
    let is_read = async |count: usize| {
        while releases.asked().len() < count {
            tokio::time::sleep(LOOK).await;
        }
    };
    is_read(2).await;
    let mut client = AdminClient::connect(&world.socket()).await.unwrap();
    loop {
        let seen = client.ask(AdminRequest::Read(AdminRead::Overview)).await.unwrap();
        let AdminAnswer::Overview(overview) = seen else {
            panic!("{seen:?}")
        };
        if overview.attention.iter().any(|one| one.subject == "news") {
            break;
        }
    }
    // A test message reaches every phone at once, before the news that waits for the morning.
    client.ask(AdminRequest::Act(AdminAct::TestNotify)).await.unwrap();
    let topics = |from: usize| -> Vec<String> {
        let messages = ntfy.after(from).into_iter();
        messages
            .map(|json| json["topic"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(topics(0), ["family", "me-alone"], "it is night");
    clock.advance(SignedDuration::from_hours(8));
    let is_news = |json: &serde_json::Value| json["message"].as_str().unwrap().contains("9.0.0");
    let (_, message) = ntfy.find(is_news).await;
    assert_eq!(message["topic"], "me-alone");
    let own = env!("CARGO_PKG_VERSION");
    let says = format!("version 9.0.0 is out, but this is {own}: run garmin-gateway upgrade");
    assert_eq!(
        (&message["message"], &message["title"]),
        (&says.into(), &"garmin-gateway".into())
    );

    // The next start reads the same news, and a day later a newer one.
    world.restart().await;
    is_read(4).await;
    releases.publish("latest/download", sealed(&key, "9.0.1", b"program"));
    let is_newer = |json: &serde_json::Value| json["message"].as_str().unwrap().contains("9.0.1");
    let mut told = std::pin::pin!(ntfy.find(is_newer));
    while tokio::time::timeout(LOOK, &mut told).await.is_err() {
        clock.advance(SignedDuration::from_hours(1));
    }
    assert_eq!(topics(2), ["me-alone", "me-alone"], "each once, and nobody else");
    world.end().await;
}
