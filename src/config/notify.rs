//! The recipients of race messages. These settings may change while the gateway runs.

use std::fmt;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::hosts::{any_url, base_url};
use super::mqtt::{self, BrokerConfig};
use super::reader::SettingsReader;
use super::settings::{self, Setting};
use crate::base::secrets::Secret;

/// The channels for race messages. `None`: not configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotifyConfig {
    pub telegram: Option<ChannelConfig>,
    /// Whether the gateway reads the messages to the Telegram bot. Never true without a bot.
    pub telegram_listens: bool,
    pub ntfy: Option<ChannelConfig>,
    /// The operator's Gotify server. Its targets are tokens of applications, and secret.
    pub gotify: Option<ChannelConfig>,
    /// The operator's own server, for people who have not set a phone.
    pub webhook: Option<ChannelConfig>,
    /// The operator's MQTT broker, for people in `MQTT_PEOPLE` who have not set a phone. The channel's token is the
    /// password.
    pub mqtt: Option<ChannelConfig>,
    pub broker: BrokerConfig,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelConfig {
    pub url: Url,
    /// Telegram's bot token, ntfy's access token, the secret that signs a webhook, or the broker's password.
    pub token: Option<Secret>,
    /// The chats or topics, by person.
    pub targets: Targets,
}

/// Pairs of an owner (e-mail or account id, in lower case; or [`OPERATOR`]) and a target. A target without an owner is
/// for everyone who has no target of their own.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Targets(Vec<(Option<String>, String)>);

/// The target of the webhook, which has only one.
const WEBHOOK: &str = "webhook";

/// The target of MQTT: the operator's own topic. Each person has a topic too, which no setting names.
const BROKER: &str = "operator";

/// The owner of the operator's own phone. No person has this name.
const OPERATOR: &str = "operator";

impl Targets {
    fn everybody(target: &str) -> Self {
        Self(vec![(None, target.to_owned())])
    }

    /// The target of the person identified by one of `names` (e-mail, account id), otherwise the common target.
    pub fn of(&self, names: &[&str]) -> Option<&str> {
        let is_theirs = |owner: &String| names.iter().any(|name| name.eq_ignore_ascii_case(owner));
        let theirs = self
            .0
            .iter()
            .find(|(owner, _)| owner.as_ref().is_some_and(is_theirs));
        let target = theirs.or_else(|| self.0.iter().find(|(owner, _)| owner.is_none()));
        target.map(|(_, target)| target.as_str())
    }

    /// The target that the operator named as their own phone.
    pub fn of_operator(&self) -> Option<&str> {
        let mut targets = self.0.iter();
        let theirs = targets.find(|(owner, _)| owner.as_deref() == Some(OPERATOR));
        theirs.map(|(_, target)| target.as_str())
    }

    /// All targets, without duplicates.
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

impl NotifyConfig {
    pub(super) fn read(reader: &mut SettingsReader<'_>) -> Self {
        let telegram = telegram(reader);
        let is_wanted = reader.flag(&settings::TELEGRAM_LISTEN);
        let mut config = Self {
            telegram_listens: is_wanted && telegram.is_some(),
            telegram,
            ntfy: ntfy(reader),
            gotify: gotify(reader),
            webhook: webhook(reader),
            mqtt: mqtt(reader),
            broker: BrokerConfig::default(),
        };
        let broker = BrokerConfig::read(reader);
        if config.mqtt.is_some() {
            config.broker = broker;
        }
        config.add_operator(reader);
        if config.mqtt.as_ref().is_some_and(|mqtt| mqtt.targets.0.is_empty()) {
            reader.problem_with(
                &settings::MQTT_PEOPLE,
                "MQTT_URL is set, but nobody's messages go there",
                "set MQTT_PEOPLE to e-mail addresses or all, or leave MQTT_URL out",
            );
        }
        let tokens = [&settings::GOTIFY_TOKEN, &settings::GOTIFY_TOKEN_FILE];
        let has_tokens = tokens.into_iter().any(|setting| reader.text(setting).is_some());
        let has_no_reader = |gotify: &ChannelConfig| gotify.targets.0.is_empty();
        if !has_tokens && config.gotify.as_ref().is_some_and(has_no_reader) {
            reader.problem_with(
                &settings::GOTIFY_TOKEN,
                "GOTIFY_URL is set without a token",
                "set both, or neither",
            );
        }
        config
    }

    /// Adds the operator's own phone to the channels that `OPERATOR_PHONE` names.
    fn add_operator(&mut self, reader: &mut SettingsReader<'_>) {
        for (channel, target) in reader.items(&settings::OPERATOR_PHONE, operator_phone) {
            let (channel, needed) = match channel {
                "telegram" => (&mut self.telegram, &settings::TELEGRAM_BOT_TOKEN),
                "ntfy" => (&mut self.ntfy, &settings::NTFY_URL),
                "gotify" => (&mut self.gotify, &settings::GOTIFY_URL),
                "mqtt" => (&mut self.mqtt, &settings::MQTT_URL),
                _ => (&mut self.webhook, &settings::WEBHOOK_URL),
            };
            match channel {
                Some(config) if config.targets.of_operator().is_some() => reader.problem_with(
                    &settings::OPERATOR_PHONE,
                    "two entries use the same channel",
                    "write one for each channel",
                ),
                Some(config) => config.targets.0.push((Some(OPERATOR.to_owned()), target)),
                None => reader.problem_with(
                    &settings::OPERATOR_PHONE,
                    format!("{} is not set", needed.name),
                    format!("set {}, or leave this phone out", needed.name),
                ),
            }
        }
    }
}

/// Parses an entry of `OPERATOR_PHONE`: a channel and its target.
fn operator_phone(text: &str) -> Result<(&'static str, String), String> {
    let (channel, target) = text.split_once(':').unwrap_or((text, ""));
    match channel {
        "telegram" if is_telegram_chat(target) => Ok(("telegram", target.to_owned())),
        "ntfy" if is_ntfy_topic(target) => Ok(("ntfy", target.to_owned())),
        "gotify" if is_gotify_token(target) => Ok(("gotify", target.to_owned())),
        "webhook" if text == channel => Ok(("webhook", WEBHOOK.to_owned())),
        "mqtt" if text == channel => Ok(("mqtt", BROKER.to_owned())),
        _ => Err("it is not a phone".to_owned()),
    }
}

fn telegram(reader: &mut SettingsReader<'_>) -> Option<ChannelConfig> {
    let (name, file) = (&settings::TELEGRAM_BOT_TOKEN, &settings::TELEGRAM_BOT_TOKEN_FILE);
    let token = token(reader, name, file, |text| {
        let (id, rest) = text.split_once(':').unwrap_or_default();
        !id.is_empty()
            && id.bytes().all(|b| b.is_ascii_digit())
            && rest.len() >= 16
            && rest.bytes().all(is_word)
    });
    let targets = targets_in(reader, &settings::TELEGRAM_CHAT_ID, is_telegram_chat);
    let url = reader.get(&settings::TELEGRAM_API_URL, base_url);
    // A bot without a chat is valid, because people may set their own.
    if token.is_none() && !targets.0.is_empty() {
        reader.problem_with(
            name,
            "TELEGRAM_CHAT_ID is set without a bot",
            "set both, or neither",
        );
    }
    Some(ChannelConfig {
        url,
        token: Some(token?),
        targets,
    })
}

fn ntfy(reader: &mut SettingsReader<'_>) -> Option<ChannelConfig> {
    let (name, file) = (&settings::NTFY_TOKEN, &settings::NTFY_TOKEN_FILE);
    let token = token(reader, name, file, |text| {
        text.bytes().all(|b| b.is_ascii_graphic() && b != b'"')
    });
    let targets = targets_in(reader, &settings::NTFY_TOPIC, is_ntfy_topic);
    // A server without a topic is valid, because people may set their own.
    let is_wanted = !targets.0.is_empty() || reader.text(&settings::NTFY_URL).is_some();
    let url = reader.get(&settings::NTFY_URL, base_url);
    is_wanted.then_some(ChannelConfig { url, token, targets })
}

fn gotify(reader: &mut SettingsReader<'_>) -> Option<ChannelConfig> {
    let (name, file) = (&settings::GOTIFY_TOKEN, &settings::GOTIFY_TOKEN_FILE);
    let targets = match secret_text(reader, name, file) {
        Some((from, text)) => targets(reader, from, &text, is_gotify_token),
        None => Targets::default(),
    };
    if !targets.0.is_empty() && reader.text(&settings::GOTIFY_URL).is_none() {
        reader.problem_with(
            name,
            "a token is set without a server",
            "set GOTIFY_URL too, or neither",
        );
    }
    // Plain http is allowed, because the server is often on the same network.
    let url = reader.optional(&settings::GOTIFY_URL, any_url)?;
    Some(ChannelConfig {
        url,
        token: None,
        targets,
    })
}

fn webhook(reader: &mut SettingsReader<'_>) -> Option<ChannelConfig> {
    let (name, file) = (&settings::WEBHOOK_SECRET, &settings::WEBHOOK_SECRET_FILE);
    let token = token(reader, name, file, |text| webhook_key(text).is_some());
    let is_wanted = reader.text(&settings::WEBHOOK_URL).is_some();
    if is_wanted != token.is_some() {
        reader.problem_with(
            name,
            "a webhook needs an address and a secret",
            "set WEBHOOK_URL and WEBHOOK_SECRET, or neither",
        );
    }
    // Plain http is allowed, because home automation is often on the same network and has no certificate.
    Some(ChannelConfig {
        url: reader.optional(&settings::WEBHOOK_URL, any_url)?,
        token: Some(token?),
        targets: Targets::everybody(WEBHOOK),
    })
}

fn mqtt(reader: &mut SettingsReader<'_>) -> Option<ChannelConfig> {
    let (name, file) = (&settings::MQTT_PASSWORD, &settings::MQTT_PASSWORD_FILE);
    let password = secret_text(reader, name, file).map(|(from, text)| {
        if text.is_empty() {
            reader.problem(from, "it is empty");
        }
        reader.show(name, &"(hidden)");
        Secret::new(text)
    });
    if password.is_some() && reader.text(&settings::MQTT_USER).is_none() {
        reader.problem_with(
            &settings::MQTT_USER,
            "a password is set without a user",
            "set MQTT_USER too, or neither",
        );
    }
    let people = reader.items(&settings::MQTT_PEOPLE, mqtt::person).into_iter();
    let targets: Vec<_> = people.map(|person| (person, BROKER.to_owned())).collect();
    let is_wanted = reader.text(&settings::MQTT_URL).is_some();
    if !is_wanted && (password.is_some() || !targets.is_empty()) {
        reader.problem_with(
            &settings::MQTT_URL,
            "people or a password are set without a broker",
            "set MQTT_URL too, or none of them",
        );
    }
    Some(ChannelConfig {
        url: reader.optional(&settings::MQTT_URL, mqtt::broker_url)?,
        token: password,
        targets: Targets(targets),
    })
}

/// The key in a webhook's secret: `whsec_` and base64 of 24 to 64 bytes, as Standard Webhooks defines it.
pub fn webhook_key(secret: &str) -> Option<Vec<u8>> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
    (24..=64).contains(&key.len()).then_some(key)
}

/// Whether `chat` has the form of a Telegram chat: a number, a number and a topic (`-1001234567890_7`), or `@name`.
pub fn is_telegram_chat(chat: &str) -> bool {
    let digits = chat.strip_prefix('-').unwrap_or(chat);
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_number = match digits.split_once('_') {
        Some((chat, topic)) => is_digits(chat) && is_digits(topic) && topic.len() <= 10,
        None => is_digits(digits),
    };
    let is_plain =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    chat.len() <= 64 && (is_number || chat.strip_prefix('@').is_some_and(is_plain))
}

pub fn is_ntfy_topic(topic: &str) -> bool {
    (1..=64).contains(&topic.len()) && topic.bytes().all(is_word)
}

/// Whether `token` has the form of a Gotify application token: the letter `A` and at least 14 more characters.
fn is_gotify_token(token: &str) -> bool {
    let is_letter = |c: u8| is_word(c) || c == b'.';
    (15..=128).contains(&token.len()) && token.starts_with('A') && token.bytes().all(is_letter)
}

fn is_word(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'-' || c == b'_'
}

/// A token from the setting `name`, or from the file that the setting `file` names.
fn token(
    reader: &mut SettingsReader<'_>,
    name: &'static Setting,
    file: &'static Setting,
    is_good: impl Fn(&str) -> bool,
) -> Option<Secret> {
    let (from, text) = secret_text(reader, name, file)?;
    if text.is_empty() || !is_good(&text) {
        reader.problem(from, "it does not look like a token");
    }
    reader.show(name, &"(hidden)");
    Some(Secret::new(text))
}

/// The text of the setting `name`, or of the file that the setting `file` names, and the setting that it came from.
pub(super) fn secret_text(
    reader: &mut SettingsReader<'_>,
    name: &'static Setting,
    file: &'static Setting,
) -> Option<(&'static Setting, String)> {
    let path = reader.string(file).map(PathBuf::from);
    match (reader.text(name), path) {
        (None, None) => None,
        (Some(_), Some(_)) => {
            reader.problem_with(name, format!("{} is set too", file.name), "set only one of them");
            None
        }
        (Some(text), None) => Some((name, text.to_owned())),
        (None, Some(path)) => match std::fs::read_to_string(&path) {
            Ok(text) => Some((file, text.trim().to_owned())),
            Err(e) => {
                reader.problem(file, format!("it can't be read ({e})"));
                None
            }
        },
    }
}

fn targets_in(
    reader: &mut SettingsReader<'_>,
    setting: &'static Setting,
    is_good: impl Fn(&str) -> bool,
) -> Targets {
    let text = reader.string(setting).unwrap_or_default();
    targets(reader, setting, &text, is_good)
}

/// Parses entries of the form `target` or `e-mail=target`. Problems are reported for `setting`.
fn targets(
    reader: &mut SettingsReader<'_>,
    setting: &'static Setting,
    text: &str,
    is_good: impl Fn(&str) -> bool,
) -> Targets {
    // Entries may be separated by blanks, so a target with a blank in it would become two.
    let has_blank = |part: &str| !part.contains('=') && part.trim().contains(char::is_whitespace);
    if text.split([',', '\n']).any(has_blank) {
        reader.problem_with(
            setting,
            "there is a space in it",
            "write it without spaces, and commas between entries",
        );
    }
    Targets(reader.items_of(setting, text, |text| {
        let (owner, target) = match text.split_once('=') {
            Some((owner, target)) => (Some(owner.trim().to_lowercase()), target.trim()),
            None => (None, text),
        };
        let is_known = |owner: &String| owner.contains('@') || owner.starts_with("acc_");
        if owner.as_ref().is_some_and(|owner| !is_known(owner)) {
            Err("it belongs to neither an e-mail nor an account".into())
        } else if is_good(target) {
            Ok((owner, target.to_owned()))
        } else {
            Err("its target does not have the right form".into())
        }
    }))
}
