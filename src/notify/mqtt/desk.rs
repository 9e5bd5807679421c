//! Publishes over one connection. The messages that the broker retains about each person are written where they differ,
//! and cleared where they are no longer wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::time::Duration;

use rumqttc::{AsyncClient, QoS};
use tokio::time::timeout;

use super::device::{OFFLINE, ONLINE};
use crate::accounts::AccountId;
use crate::config::BrokerConfig;
use crate::race::home::HomeState;

/// How long a gateway that stops or changes its broker waits for its last messages to arrive.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What is published over one connection.
pub(super) struct BrokerDesk<'a> {
    client: AsyncClient,
    broker: &'a BrokerConfig,
    page: &'a str,
    /// The announcement and the state of each person, as last published over this connection.
    shown: BTreeMap<String, (String, String)>,
    /// The people about whom the broker retains a state, but whose announcement and state must be published anew.
    kept: BTreeSet<String>,
}

impl<'a> BrokerDesk<'a> {
    pub(super) fn new(client: AsyncClient, broker: &'a BrokerConfig, page: &'a str) -> Self {
        Self {
            client,
            broker,
            page,
            shown: BTreeMap::new(),
            kept: BTreeSet::new(),
        }
    }

    pub(super) fn client(&self) -> AsyncClient {
        self.client.clone()
    }

    /// Makes the next `write` publish everything again, because Home Assistant has restarted and missed it.
    pub(super) fn announce_again(&mut self) {
        let shown = std::mem::take(&mut self.shown);
        self.kept.extend(shown.into_keys());
    }

    /// Notes that the broker retains a state of this person. The next `write` clears it unless it is wanted.
    pub(super) fn add_kept(&mut self, person: String) {
        self.kept.insert(person);
    }

    /// Subscribes to Home Assistant's start and to the retained states, and announces the gateway as online. False if
    /// the connection has ended.
    pub(super) async fn greet(&self) -> bool {
        let asked = [self.broker.birth_topic(), self.broker.state_topic("+")];
        for topic in asked {
            if self.client.subscribe(topic, QoS::AtLeastOnce).await.is_err() {
                return false;
            }
        }
        self.retain(self.broker.status_topic(), ONLINE.to_owned()).await
    }

    /// Writes what differs from `wanted`. False if the connection has ended.
    pub(super) async fn write(&mut self, wanted: &BTreeMap<AccountId, HomeState>) -> bool {
        for (person, state) in wanted {
            let person = person.as_str();
            let device = self.broker.discovery(person, state, self.page).to_string();
            let values = serde_json::to_string(state).unwrap_or_default();
            let (shown_device, shown_values) = self.shown.get(person).cloned().unwrap_or_default();
            if device != shown_device
                && !self
                    .retain(self.broker.discovery_topic(person), device.clone())
                    .await
            {
                return false;
            }
            if values != shown_values && !self.retain(self.broker.state_topic(person), values.clone()).await {
                return false;
            }
            self.shown.insert(person.to_owned(), (device, values));
        }
        let is_wanted = |person: &String| wanted.keys().any(|wanted| wanted.as_str() == person);
        let known: BTreeSet<_> = self.shown.keys().chain(&self.kept).cloned().collect();
        for person in known.into_iter().filter(|person| !is_wanted(person)) {
            tracing::info!(account.id = person, "mqtt.cleared");
            if !self.clear(&person).await {
                return false;
            }
            self.shown.remove(&person);
            self.kept.remove(&person);
        }
        true
    }

    /// Removes the device and the state of a person. A broker deletes what it retains when the payload is empty.
    async fn clear(&self, person: &str) -> bool {
        self.retain(self.broker.discovery_topic(person), String::new())
            .await
            && self.retain(self.broker.state_topic(person), String::new()).await
    }

    /// Removes everything, because the settings name other topics now.
    pub(super) async fn clear_all(&mut self) {
        let cleared = async {
            let known: BTreeSet<_> = self.shown.keys().chain(&self.kept).cloned().collect();
            for person in known {
                self.clear(&person).await;
            }
        };
        let _in_time = timeout(LAST_WORDS, cleared).await;
    }

    /// Announces the gateway as offline, and ends the connection.
    pub(super) async fn leave(&self) {
        let said = async {
            let topic = self.broker.status_topic();
            let said = self
                .client
                .publish_tracked(topic, QoS::AtLeastOnce, true, OFFLINE)
                .await;
            said.ok()?.wait_async().await.ok()
        };
        let _in_time = timeout(LAST_WORDS, said).await;
        self.part().await;
    }

    /// Disconnects without announcing it, but cleanly, so that the broker does not publish the last will. Usually the
    /// event loop ends first, and the caller drops this future.
    pub(super) async fn part(&self) {
        let parted = async {
            if self.client.disconnect().await.is_ok() {
                pending::<()>().await;
            }
        };
        let _in_time = timeout(LAST_WORDS, parted).await;
    }

    /// Publishes a message that the broker retains. False if the connection has ended.
    async fn retain(&self, topic: String, payload: String) -> bool {
        let published = self.client.publish(topic, QoS::AtLeastOnce, true, payload).await;
        published.is_ok()
    }
}
