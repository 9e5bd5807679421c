//! The settings of the races: their end, who looks at them, and whom they tell.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::hosts::base_url;
use super::reader::Reader;
use crate::base::secrets::Secret;

/// When races are over, and who looks at them.
#[derive(Clone, Debug)]
pub struct RacesConfig {
    /// Silence of this length ends a race …
    pub stale_stop: Duration,
    /// … that has gone on for so long.
    pub min_elapsed: Duration,
    /// How long races are kept once they are over; `None` = for ever.
    pub retention: Option<Duration>,
    /// How Claude looks at them.
    pub coach: CoachConfig,
}

/// How Claude looks at races.
#[derive(Clone, Debug)]
pub struct CoachConfig {
    /// Who runs Claude.
    pub by: CoachedBy,
    /// How long one look may take.
    pub timeout: Duration,
    /// How many looks at once.
    pub at_once: usize,
    /// How many looks a day at one person's races.
    pub daily: u32,
    /// What all looks of a day may cost together, as far as it is told, in cents of a US dollar; `None` = anything.
    pub daily_cents: Option<u32>,
}

/// Who runs Claude.
#[derive(Clone, Debug)]
pub enum CoachedBy {
    /// Nobody.
    Nobody,
    /// A runner that takes orders by HTTP.
    Runner {
        /// Its address; orders go to `/run` there.
        url: Url,
        /// What it calls the place where it works.
        workspace: String,
    },
    /// We, with this command.
    Command {
        /// As words.
        words: Vec<String>,
        /// All of its environment.
        environment: Vec<(String, String)>,
    },
}

/// Whom races tell. May change while the program runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotifyConfig {
    /// Telegram, if it is set up.
    pub telegram: Option<ChannelConfig>,
    /// ntfy, if it is set up.
    pub ntfy: Option<ChannelConfig>,
}

/// A way to reach phones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelConfig {
    /// The server.
    pub url: Url,
    /// What opens it.
    pub token: Option<Secret>,
    /// Chats or topics.
    pub targets: Targets,
}

/// Which chat or topic is whose.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Targets(Vec<(Option<String>, String)>);

impl Targets {
    /// The target of a person: by one of their names (e-mail, account id), else everybody's.
    pub fn of(&self, names: &[&str]) -> Option<&str> {
        let is_theirs = |whose: &String| names.iter().any(|name| name.eq_ignore_ascii_case(whose));
        let theirs = self
            .0
            .iter()
            .find(|(whose, _)| whose.as_ref().is_some_and(is_theirs));
        let target = theirs.or_else(|| self.0.iter().find(|(whose, _)| whose.is_none()));
        target.map(|(_, target)| target.as_str())
    }

    /// All targets, each once.
    pub fn all(&self) -> Vec<&str> {
        let mut all: Vec<_> = self.0.iter().map(|(_, target)| target.as_str()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

impl fmt::Debug for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Targets({})", self.0.len())
    }
}

/// Variables that Claude Code needs as they are: where its login is, how it gets out, who pays.
const FOR_CLAUDE: &[&str] = &[
    "HOME",
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_MODEL",
    "CLAUDE_CONFIG_DIR",
    "CLAUDE_CODE_OAUTH_TOKEN",
];

impl RacesConfig {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let minutes = |reader: &mut Reader<'_>, name, default, max| {
            let minutes = reader.number(name, default, 1, max);
            reader.show(name, minutes);
            Duration::from_secs(u64::from(minutes) * 60)
        };
        let stale_stop = minutes(reader, "STALE_STOP_MIN", 15, 1_440);
        let min_elapsed = minutes(reader, "MIN_ELAPSED_MIN", 30, 1_440);
        let days = reader.number("RACE_RETENTION_DAYS", 0, 0, 36_500);
        reader.show("RACE_RETENTION_DAYS", days);
        Self {
            stale_stop,
            min_elapsed,
            retention: (days > 0).then(|| Duration::from_secs(u64::from(days) * 86_400)),
            coach: coach(reader),
        }
    }
}

fn coach(reader: &mut Reader<'_>) -> CoachConfig {
    let fix = "write http://host:port or https://host";
    let runner = reader.parse("CLAUDE_RUNNER_URL", None, fix, |text| any_url(text).map(Some));
    let command = reader.parse("CLAUDE_CMD", None, "write a program and its arguments", |text| {
        let words = shlex::split(text).ok_or("a quotation mark is not closed")?;
        if words.is_empty() {
            Err("it is empty".into())
        } else {
            Ok(Some(words))
        }
    });
    if runner.is_some() && command.is_some() {
        reader.problem("CLAUDE_CMD", "CLAUDE_RUNNER_URL is set too", "set one of the two");
    }
    let workspace = reader
        .text("CLAUDE_RUNNER_WORKSPACE")
        .unwrap_or("training")
        .to_owned();
    let seconds = reader.number("ANALYSIS_TIMEOUT", 300, 10, 3_600);
    let at_once = reader.number("ANALYSIS_AT_ONCE", 2, 1, 100);
    let daily = reader.number("ANALYSIS_DAILY", 200, 0, 100_000);
    let cents = reader.parse(
        "ANALYSIS_DAILY_USD",
        500,
        "write an amount such as 2.50; 0 = no limit",
        cents,
    );
    reader.show("CLAUDE_RUNNER_URL", runner.as_ref().map_or("", Url::as_str));
    reader.show("CLAUDE_RUNNER_WORKSPACE", &workspace);
    // A command may carry a key.
    let program = command.as_ref().and_then(|words: &Vec<String>| words.first());
    reader.show("CLAUDE_CMD", program.map_or("", String::as_str));
    reader.show("ANALYSIS_TIMEOUT", seconds);
    reader.show("ANALYSIS_AT_ONCE", at_once);
    reader.show("ANALYSIS_DAILY", daily);
    reader.show(
        "ANALYSIS_DAILY_USD",
        format_args!("{}.{:02}", cents / 100, cents % 100),
    );
    let by = match (runner, command) {
        (Some(url), _) => CoachedBy::Runner { url, workspace },
        (None, Some(words)) => {
            let environment = FOR_CLAUDE.iter().filter_map(|name| {
                let (value, _) = reader.sources.find(name)?;
                Some(((*name).to_owned(), value.to_owned()))
            });
            let environment = environment.collect();
            CoachedBy::Command { words, environment }
        }
        (None, None) => CoachedBy::Nobody,
    };
    CoachConfig {
        by,
        timeout: Duration::from_secs(seconds.into()),
        at_once: usize::try_from(at_once).unwrap_or(1),
        daily,
        daily_cents: (cents > 0).then_some(cents),
    }
}

fn cents(text: &str) -> Result<u32, String> {
    let not_money = || "it is not an amount".to_owned();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = format!("{part:0<2}");
    let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    let (whole, part) = (
        whole.parse::<u32>().ok(),
        part.parse::<u32>().ok().filter(|_| digits),
    );
    whole
        .zip(part)
        .and_then(|(whole, part)| whole.checked_mul(100)?.checked_add(part))
        .ok_or_else(not_money)
}

/// A server of the operator's, also without TLS: it may be a neighbour in a closed network.
pub(super) fn any_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|e| format!("it is not a URL ({e})"))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        other => Err(format!("{other} is not a scheme for this")),
    }
}

impl NotifyConfig {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            telegram: telegram(reader),
            ntfy: ntfy(reader),
        }
    }
}

const TARGETS_FIX: &str = "write one for everybody, or e-mail=target, comma-separated";

fn telegram(reader: &mut Reader<'_>) -> Option<ChannelConfig> {
    let token = secret(reader, "TELEGRAM_BOT_TOKEN", "TELEGRAM_BOT_TOKEN_FILE", |text| {
        let (id, rest) = text.split_once(':').unwrap_or_default();
        let plain = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
        !id.is_empty()
            && id.bytes().all(|b| b.is_ascii_digit())
            && rest.len() >= 16
            && rest.bytes().all(plain)
    });
    let targets = targets(reader, "TELEGRAM_CHAT_ID", is_telegram_chat);
    let url = server(reader, "TELEGRAM_API_URL", "https://api.telegram.org");
    // A bot without a chat is good: people may name their own.
    if token.is_none() && !targets.0.is_empty() {
        reader.problem(
            "TELEGRAM_BOT_TOKEN",
            "TELEGRAM_CHAT_ID is set, and no bot",
            "set both, or none",
        );
    }
    let token = Some(token?);
    Some(ChannelConfig { url, token, targets })
}

fn ntfy(reader: &mut Reader<'_>) -> Option<ChannelConfig> {
    let token = secret(reader, "NTFY_TOKEN", "NTFY_TOKEN_FILE", |text| {
        text.bytes().all(|b| b.is_ascii_graphic())
    });
    let targets = targets(reader, "NTFY_TOPIC", is_ntfy_topic);
    // Whoever names a server wants it to be used: people may name their own topics.
    let is_wanted = !targets.0.is_empty() || reader.text("NTFY_URL").is_some();
    let url = server(reader, "NTFY_URL", "https://ntfy.sh");
    is_wanted.then_some(ChannelConfig { url, token, targets })
}

/// Whether this can be a chat of Telegram: its number, or `@name`.
pub fn is_telegram_chat(chat: &str) -> bool {
    let digits = chat.strip_prefix('-').unwrap_or(chat);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let is_plain =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    chat.len() <= 64 && (is_number || chat.strip_prefix('@').is_some_and(is_plain))
}

/// Whether this can be a topic of ntfy.
pub fn is_ntfy_topic(topic: &str) -> bool {
    let plain = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
    (1..=64).contains(&topic.len()) && topic.bytes().all(plain)
}

fn server(reader: &mut Reader<'_>, name: &'static str, usual: &'static str) -> Url {
    let fix = "write https://host; plain http is for loopback only";
    let url = reader.parse(name, None, fix, |text| base_url(text).map(Some));
    #[expect(clippy::expect_used, reason = "made of constants")]
    let url = url.unwrap_or_else(|| Url::parse(usual).expect("a host name parses"));
    reader.show(name, &url);
    url
}

/// A secret from the setting itself or from the file that another one names.
fn secret(
    reader: &mut Reader<'_>,
    name: &'static str,
    file: &'static str,
    is_good: impl Fn(&str) -> bool,
) -> Option<Secret> {
    let path = reader.text(file).map(PathBuf::from);
    reader.show(file, path.as_deref().unwrap_or("".as_ref()).display());
    let text = match (reader.text(name), path) {
        (Some(_), Some(_)) => {
            reader.problem(name, format!("{file} is set too"), "set one of the two");
            None
        }
        (Some(text), None) => Some((name, text.to_owned())),
        (None, Some(path)) => match std::fs::read_to_string(&path) {
            Ok(text) => Some((file, text)),
            Err(e) => {
                reader.problem(file, format!("it can't be read ({e})"), "name a readable file");
                None
            }
        },
        (None, None) => None,
    };
    let text = text.map(|(from, text)| (from, text.trim().to_owned()));
    if let Some((from, _)) = text
        .as_ref()
        .filter(|(_, text)| text.is_empty() || !is_good(text))
    {
        reader.problem(from, "it does not look like a token", "copy it again, whole");
    }
    reader.show(name, if text.is_some() { "(hidden)" } else { "" });
    text.map(|(_, text)| Secret::new(text))
}

/// `target`, or `e-mail=target`, comma-separated.
fn targets(reader: &mut Reader<'_>, name: &'static str, is_good: impl Fn(&str) -> bool) -> Targets {
    let targets = reader.items(name, TARGETS_FIX, |text| {
        let (whose, target) = match text.split_once('=') {
            Some((whose, target)) => (Some(whose.trim().to_lowercase()), target.trim()),
            None => (None, text),
        };
        if whose
            .as_ref()
            .is_some_and(|whose| !whose.contains('@') && !whose.starts_with("acc_"))
        {
            return Err("an entry is neither of an e-mail nor of an account".into());
        }
        if is_good(target) {
            Ok((whose, target.to_owned()))
        } else {
            Err("an entry has no target of the right shape".into())
        }
    });
    reader.show(name, format_args!("{} entries", targets.len()));
    Targets(targets)
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Sources};
    use super::*;

    fn load(pairs: &[(&str, &str)]) -> Result<Config, String> {
        let home = [
            ("HOME", "/home/ann"),
            ("GATEWAY_SECRET", "0123456789abcdef0123456789abcdef"),
        ];
        let sources = Sources::of_pairs(home.into_iter().chain(pairs.iter().copied()));
        let told = |problems: Vec<super::super::Problem>| {
            problems
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        };
        Config::load(&sources).map_err(told)
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
        assert_eq!(config.live.notify, NotifyConfig::default());
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
                vec![("CLAUDE_CMD", "claude"), ("CLAUDE_RUNNER_URL", "http://runner:1")],
                "CLAUDE_CMD",
            ),
            (vec![("ANALYSIS_DAILY_USD", "2.505")], "ANALYSIS_DAILY_USD"),
        ] {
            let told = load(&pairs).unwrap_err();
            assert!(told.contains(name) && !told.contains("oops"), "{told}");
        }
    }
}
