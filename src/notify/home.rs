//! What goes to the operator's MQTT broker: messages, and the athletes as devices of Home Assistant.

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use super::channel::PhoneChannel;
use super::message::ShownMessage;
use super::mqtt::{self, MessageParts};
use super::notifier::Notifier;
use super::send_error::SendError;
use crate::accounts::AccountId;
use crate::race::home::HomeState;
use crate::store::StoreError;

impl Notifier {
    /// The people whose messages go to the broker now. They also have a device there if they have a race.
    pub fn people_at_broker(&self) -> Result<Vec<AccountId>, StoreError> {
        if self.live().borrow().notify.mqtt.is_none() {
            return Ok(Vec::new());
        }
        let mut people = Vec::new();
        for account in self.accounts().list()? {
            let targets = self.targets(&account.id)?.1;
            if targets.iter().any(|target| target.channel == PhoneChannel::Mqtt) {
                people.push(account.id);
            }
        }
        Ok(people)
    }

    /// Sets which athletes have a device at the broker, and their states. All other devices are removed.
    pub fn show_at_broker(&self, athletes: BTreeMap<AccountId, HomeState>) {
        self.broker().show(athletes);
    }

    /// What the operator should do about the broker, if anything.
    pub fn broker_advice(&self) -> Option<String> {
        Some(self.broker().trouble()?.advice(PhoneChannel::Mqtt))
    }

    /// Keeps the connection to the broker until `stopping` is cancelled.
    pub(super) async fn keep_broker(&self, stopping: CancellationToken) {
        let live = self.live().clone();
        self.broker().keep(live, self.page(), stopping).await;
    }

    /// Publishes a message on the topic of `person`, which is an account, or the operator.
    pub(super) async fn publish(&self, person: &str, shown: ShownMessage<'_>) -> Result<(), SendError> {
        let parts = MessageParts {
            id: shown.id,
            queued_at: shown.queued_at,
            kind: shown.kind,
            race: shown.race,
            severity: shown.severity,
            title: shown.title,
            text: shown.text,
            link: shown.click,
        };
        let (topic, payload) = mqtt::message(&self.live().borrow().notify.broker, person, parts);
        self.broker().publish(topic, payload).await
    }
}
