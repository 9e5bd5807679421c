//! The topics at the broker, and what is published there. Pure.
//!
//! A person is one device of Home Assistant, announced in one message
//! (home-assistant.io/integrations/mqtt/#device-discovery-payload, since 2024.12). All its entities read one topic with
//! JSON. A `null` there shows as "unknown".

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::accounts::AccountId;
use crate::config::BrokerConfig;
use crate::race::alerts::Severity;
use crate::race::home::HomeState;

/// The payloads of the availability topic. They are Home Assistant's defaults.
pub(super) const ONLINE: &str = "online";
pub(super) const OFFLINE: &str = "offline";

/// The name of a device whose athlete's name is not known.
const NO_NAME: &str = "Athlete";

impl BrokerConfig {
    /// Where the gateway says whether it is connected: the availability topic.
    pub(super) fn status_topic(&self) -> String {
        format!("{}/status", self.topic)
    }

    /// Where Home Assistant says that it has started: its birth message.
    pub(super) fn birth_topic(&self) -> String {
        format!("{}/status", self.discovery)
    }

    pub(super) fn state_topic(&self, person: &str) -> String {
        format!("{}/{person}/state", self.topic)
    }

    /// The person in a topic of [`BrokerConfig::state_topic`].
    pub(super) fn person_of<'a>(&self, topic: &'a str) -> Option<&'a str> {
        let person = topic.strip_prefix(&self.topic)?.strip_prefix('/')?;
        let person = person.strip_suffix("/state")?;
        person.parse::<AccountId>().ok().map(|_| person)
    }

    /// Where the device of a person is announced.
    pub(super) fn discovery_topic(&self, person: &str) -> String {
        format!("{}/device/{}/config", self.discovery, object_id(person))
    }

    /// The message that announces the device of a person.
    pub(super) fn discovery(&self, person: &str, state: &HomeState, page: &str) -> Value {
        let id = object_id(person);
        let entity = |platform: &str, name: &str, member: &str, icon: &str| {
            json!({
                "platform": platform,
                "unique_id": format!("{id}_{member}"),
                "name": name,
                "icon": icon,
                "value_template": format!("{{{{ value_json.{member} }}}}"),
            })
        };
        let mut words = entity("sensor", "State", "state", "mdi:run-fast");
        add_attributes(
            &mut words,
            &self.state_topic(person),
            &["race", "started_at", "seen_at"],
        );
        let mut distance = entity("sensor", "Distance", "distance_km", "mdi:map-marker-distance");
        set(&mut distance, "device_class", "distance");
        set(&mut distance, "state_class", "measurement");
        set(&mut distance, "unit_of_measurement", "km");
        add_attributes(&mut distance, &self.state_topic(person), &["distance_left_km"]);
        let mut arrival = entity("sensor", "Arrival at the finish", "eta", "mdi:flag-checkered");
        set(&mut arrival, "device_class", "timestamp");
        add_attributes(
            &mut arrival,
            &self.state_topic(person),
            &["eta_early", "eta_late"],
        );
        let mut activity = entity(
            "binary_sensor",
            "In an activity now",
            "in_activity",
            "mdi:timer-play-outline",
        );
        set(&mut activity, "device_class", "running");
        json!({
            "device": {
                "identifiers": [id],
                "name": state.athlete.as_deref().unwrap_or(NO_NAME),
                "manufacturer": "garmin-gateway",
                "model": "LiveTrack",
                "configuration_url": page,
            },
            "origin": {"name": "garmin-gateway", "sw_version": env!("CARGO_PKG_VERSION")},
            "components": {
                "state": words,
                "distance": distance,
                "arrival": arrival,
                "activity": activity,
            },
            "state_topic": self.state_topic(person),
            "availability_topic": self.status_topic(),
            "qos": 1,
        })
    }
}

fn object_id(person: &str) -> String {
    format!("garmin_gateway_{person}")
}

fn set(entity: &mut Value, name: &str, value: &str) {
    if let Some(members) = entity.as_object_mut() {
        members.insert(name.to_owned(), value.into());
    }
}

/// Lets an entity show members of the state as its attributes.
fn add_attributes(entity: &mut Value, topic: &str, members: &[&str]) {
    let parts: Vec<_> = members
        .iter()
        .map(|member| format!("'{member}': value_json.{member}"))
        .collect();
    let template = format!("{{{{ {{{}}} | tojson }}}}", parts.join(", "));
    set(entity, "json_attributes_topic", topic);
    set(entity, "json_attributes_template", &template);
}

/// A message as it is published.
#[derive(Clone, Copy, Debug)]
pub(in crate::notify) struct MessageParts<'a> {
    /// The same in a repeated delivery.
    pub(in crate::notify) id: &'a str,
    pub(in crate::notify) queued_at: Timestamp,
    /// `race`, `coach`, `link`, `mail`, `operator` or `test`.
    pub(in crate::notify) kind: &'a str,
    pub(in crate::notify) race: Option<&'a str>,
    pub(in crate::notify) severity: Severity,
    pub(in crate::notify) title: &'a str,
    pub(in crate::notify) text: &'a str,
    pub(in crate::notify) link: &'a str,
}

/// The topic and the payload of a message to a person, or to the operator.
pub(in crate::notify) fn message(
    broker: &BrokerConfig,
    person: &str,
    parts: MessageParts<'_>,
) -> (String, String) {
    let payload = json!({
        "id": parts.id,
        "at": parts.queued_at.to_string(),
        "kind": parts.kind,
        "race": parts.race,
        "severity": parts.severity,
        "title": parts.title,
        "text": parts.text,
        "link": parts.link,
    });
    (format!("{}/{person}/messages", broker.topic), payload.to_string())
}
