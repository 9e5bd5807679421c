//! The operator's MQTT broker: its address and its topics.

use url::Url;

use super::reader::SettingsReader;
use super::settings;

/// The settings of the broker other than its address, its password and the people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerConfig {
    pub user: Option<String>,
    /// The first part of the gateway's own topics.
    pub topic: String,
    /// The topic under which Home Assistant looks for devices.
    pub discovery: String,
}

impl BrokerConfig {
    pub(super) fn read(reader: &mut SettingsReader<'_>) -> Self {
        let user = reader.string(&settings::MQTT_USER);
        Self {
            user: user.filter(|user| !user.is_empty()),
            topic: reader.get(&settings::MQTT_TOPIC, topic),
            discovery: reader.get(&settings::MQTT_DISCOVERY, topic),
        }
    }
}

/// Parses the first part of a topic: no wildcard, and no empty level.
fn topic(text: &str) -> Result<String, String> {
    let is_good = |c: char| !c.is_control() && !c.is_whitespace() && !matches!(c, '#' | '+' | '$');
    let has_empty_level = text.split('/').any(str::is_empty);
    if text.len() > 100 || has_empty_level || !text.chars().all(is_good) {
        return Err("it can't be the first part of a topic".to_owned());
    }
    Ok(text.to_owned())
}

/// The address of a broker, with its port.
pub(super) fn broker_url(text: &str) -> Result<Url, String> {
    let mut url = Url::parse(text).map_err(|e| format!("it is not a URL ({e})"))?;
    let usual_port = match url.scheme() {
        "mqtt" => 1883,
        "mqtts" => 8883,
        other => return Err(format!("{other} is not a scheme for this")),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "a user or password in it would be shown; set MQTT_USER and MQTT_PASSWORD_FILE instead".into(),
        );
    }
    let has_more = url.query().is_some() || url.fragment().is_some();
    if !url.has_host() || !matches!(url.path(), "" | "/") || has_more {
        return Err("it is not just a scheme, a host and a port".into());
    }
    if url.port().is_none() && url.set_port(Some(usual_port)).is_err() {
        return Err("it has no host".into());
    }
    Ok(url)
}

/// An entry of `MQTT_PEOPLE`: a person's e-mail or account, in lower case, or `None` for everybody.
pub(super) fn person(text: &str) -> Result<Option<String>, String> {
    match text.to_lowercase() {
        all if all == "all" => Ok(None),
        name if name.contains('@') || name.starts_with("acc_") => Ok(Some(name)),
        _ => Err("it is not an e-mail address, an account or all".to_owned()),
    }
}
