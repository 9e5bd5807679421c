//! Test messages: the operator's test goes to everybody's phones, and a person's test to the phone that they name.

use std::collections::BTreeSet;

use super::channel::PhoneChannel;
use super::message::{Phone, ShownMessage};
use super::notifier::Notifier;
use super::send_error::SendError;
use super::telegram::ChatTarget;
use crate::base::secrets::random_id;
use crate::config::ChannelConfig;
use crate::race::alerts::Severity;
use crate::store::StoreError;

/// The result of a test message on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelTest {
    /// `Telegram`, `ntfy`, `Gotify`, `the webhook` or `MQTT`.
    pub channel: &'static str,
    /// Number of targets that received the message.
    pub sent: usize,
    /// The first failure, with advice for the operator.
    pub failed: Option<String>,
    /// What the operator should change even though the message arrived.
    pub notes: Vec<String>,
}

impl Notifier {
    /// Sends a test message to every target of the operator and of every person, bypassing the queue. Returns one
    /// report per channel that has a target.
    pub async fn test(&self) -> Result<Vec<ChannelTest>, StoreError> {
        let text = "A test from garmin-gateway: messages for you arrive here.";
        let phones = self.store().list::<Phone>(b"")?;
        let mut reports = Vec::new();
        for (channel, config) in self.channels() {
            let personal = phones.iter().filter_map(|(_, phone)| phone.on(channel));
            let targets: BTreeSet<&str> = config.targets.all().into_iter().chain(personal).collect();
            if targets.is_empty() {
                continue;
            }
            let mut report = ChannelTest {
                channel: channel.shown(),
                sent: 0,
                failed: None,
                notes: Vec::new(),
            };
            for target in targets {
                match self
                    .send_test_text(channel, &config, target, Severity::Notice, text)
                    .await
                {
                    Ok(()) => {
                        report.sent += 1;
                        report.notes.extend(self.note(channel, &config, target));
                    }
                    Err(error) => {
                        report.failed.get_or_insert_with(|| error.advice(channel));
                    }
                }
            }
            tracing::info!(
                channel = channel.name(),
                sent = report.sent,
                failed = report.failed.is_some(),
                "notify.tested"
            );
            reports.push(report);
        }
        Ok(reports)
    }

    /// Sends a test text at once, without queueing it.
    pub(super) async fn send_test_text(
        &self,
        channel: PhoneChannel,
        config: &ChannelConfig,
        target: &str,
        severity: Severity,
        text: &str,
    ) -> Result<(), SendError> {
        let message = ShownMessage {
            id: &random_id("msg_"),
            queued_at: self.clock().now(),
            kind: "test",
            race: None,
            severity,
            title: "",
            text,
            click: self.page(),
        };
        self.send(channel, config, target, message).await
    }

    /// What the operator should change about a target that messages still reach.
    fn note(&self, channel: PhoneChannel, config: &ChannelConfig, target: &str) -> Option<String> {
        let is_set_by_operator = config.targets.all().contains(&target);
        let old = ChatTarget::parse(target);
        let new = old.clone().follow(self.store()).ok()?;
        (channel == PhoneChannel::Telegram && is_set_by_operator && new != old)
            .then(|| SendError::Moved { to: new.chat }.advice(channel))
    }
}
