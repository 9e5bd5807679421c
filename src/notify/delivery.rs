//! The delivery task: sends the queue in order, separately for each race and channel, with a pause after a failure. A
//! message that could not be sent for a day is dropped.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::channel::PhoneChannel;
use super::message::ShownMessage;
use super::notifier::{MessageTarget, Notifier, SendPause};
use super::queue::QueuedMessage;
use crate::base::secrets::sha256;
use crate::store::StoreError;

/// Maximum age of a message; older ones are dropped.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(24);

/// How many pairs of race and channel are served concurrently.
const AT_ONCE: usize = 8;

/// Maximum time between two checks of the queue, because settings may have changed.
const IDLE: Duration = Duration::from_secs(300);

/// The messages of one race that are due on one channel, oldest first.
struct DueMessages {
    race: String,
    target: MessageTarget,
    messages: Vec<(Vec<u8>, QueuedMessage)>,
}

impl Notifier {
    /// Runs until `stopping` is cancelled.
    pub(super) async fn deliver(&self, stopping: CancellationToken) {
        loop {
            // A request in progress is finished and recorded. Otherwise the next start would send the message again.
            let pause = self.send_due(&stopping).await;
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                () = self.queued() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Sends what is due. Returns how long to wait before the next check.
    async fn send_due(&self, stopping: &CancellationToken) -> Duration {
        let due = match self.due().await {
            Ok(due) => due,
            Err(e) => {
                tracing::warn!(reason = %e, "notify.store_failed");
                return Duration::from_secs(30);
            }
        };
        let sending = due.into_iter().map(|due| self.send_in_order(due, stopping));
        stream::iter(sending)
            .buffer_unordered(AT_ONCE)
            .collect::<()>()
            .await;
        let now = self.clock().now();
        let pauses = self.pauses().lock();
        let next = pauses
            .values()
            .map(|pause| pause.until)
            .filter(|until| *until > now)
            .min();
        let wait = next.and_then(|next| Duration::try_from(next.duration_since(now)).ok());
        wait.unwrap_or(IDLE).min(IDLE)
    }

    /// The messages that may be sent now. Removes those that are too old or have no target left.
    async fn due(&self) -> Result<Vec<DueMessages>, StoreError> {
        let now = self.clock().now();
        let mut races = BTreeMap::<String, Vec<(Vec<u8>, QueuedMessage)>>::new();
        let mut over = Vec::new();
        for (key, message) in self.store().list::<QueuedMessage>(b"")? {
            if now.duration_since(message.queued_at) >= LONGEST_WAIT {
                tracing::warn!(
                    account.id = message.owner(),
                    race.id = message.race,
                    "notify.dead"
                );
                over.push(key);
            } else {
                races
                    .entry(message.race.clone())
                    .or_default()
                    .push((key, message));
            }
        }
        self.pauses()
            .lock()
            .retain(|(race, _), _| races.contains_key(race));
        let mut due = Vec::new();
        for (race, messages) in races {
            let Some((_, first)) = messages.first() else {
                continue;
            };
            let targets = self.targets_of(first)?;
            let is_sent = |message: &QueuedMessage| {
                targets
                    .iter()
                    .all(|target| message.done.contains(&target.channel))
            };
            let (sent, left): (Vec<_>, Vec<_>) =
                messages.into_iter().partition(|(_, message)| is_sent(message));
            over.extend(sent.into_iter().map(|(key, _)| key));
            for target in targets {
                let pause = self.pauses().lock().get(&(race.clone(), target.channel)).copied();
                if pause.is_some_and(|pause| pause.until > now) {
                    continue;
                }
                let open = left
                    .iter()
                    .filter(|(_, message)| !message.done.contains(&target.channel));
                due.push(DueMessages {
                    race: race.clone(),
                    messages: open.cloned().collect(),
                    target,
                });
            }
        }
        if !over.is_empty() {
            let removed = self.store().atomic(move |tx| {
                for key in &over {
                    tx.remove::<QueuedMessage>(key);
                }
                Ok::<_, StoreError>(())
            });
            removed.await?;
        }
        Ok(due)
    }

    /// Sends the messages in order until one fails or the program stops.
    async fn send_in_order(&self, due: DueMessages, stopping: &CancellationToken) {
        let DueMessages {
            race,
            target,
            messages,
        } = due;
        let channel = target.channel;
        for (key, message) in messages {
            if stopping.is_cancelled() {
                return;
            }
            let is_muted = channel == PhoneChannel::Telegram
                && self
                    .is_muted(&target.address, message.severity)
                    .unwrap_or_default();
            if is_muted {
                tracing::info!(account.id = message.owner(), race.id = race, "notify.muted");
                if let Err(e) = self.record_sent(key, channel).await {
                    tracing::warn!(reason = %e, "notify.store_failed");
                    return;
                }
                continue;
            }
            let (kind, about) = message.about();
            let shown = ShownMessage {
                id: &message_id(&key),
                queued_at: message.queued_at,
                kind,
                race: about,
                severity: message.severity,
                title: &message.title,
                text: &message.text,
                click: self.page(),
            };
            let sent = self.send(channel, &target.config, &target.address, shown).await;
            let lane = (race.clone(), channel);
            match sent {
                Ok(()) => {
                    self.pauses().lock().remove(&lane);
                    tracing::info!(
                        account.id = message.owner(),
                        race.id = race,
                        channel = channel.name(),
                        "notify.sent"
                    );
                    if let Err(e) = self.record_sent(key, channel).await {
                        tracing::warn!(reason = %e, "notify.store_failed");
                        return;
                    }
                }
                Err(error) => {
                    let mut pauses = self.pauses().lock();
                    let failures = pauses.get(&lane).map_or(0, |pause| pause.failures) + 1;
                    let wait = error.back_off(failures);
                    let until = self.clock().now().saturating_add(wait).unwrap_or(Timestamp::MAX);
                    pauses.insert(lane, SendPause { until, failures });
                    tracing::warn!(
                        account.id = message.owner(),
                        race.id = race,
                        channel = channel.name(),
                        reason = error.name(),
                        times = failures,
                        wait_s = wait.as_secs(),
                        "notify.failed"
                    );
                    return;
                }
            }
        }
    }

    /// Where a queued message goes under the current settings and choices.
    fn targets_of(&self, message: &QueuedMessage) -> Result<Vec<MessageTarget>, StoreError> {
        match (&message.account, &message.to) {
            (None, _) => Ok(self.operator_targets()),
            (Some(account), Some(phone)) => self.recipient_targets(account, phone),
            (Some(account), None) => Ok(self.targets(account)?.1),
        }
    }

    /// Records that a message was sent on a channel. Removes the message once it was sent on all of them.
    async fn record_sent(&self, key: Vec<u8>, channel: PhoneChannel) -> Result<(), StoreError> {
        let Some(message) = self.store().find::<QueuedMessage>(&key)? else {
            return Ok(());
        };
        let targets = self.targets_of(&message)?;
        let recorded = self.store().atomic(move |tx| {
            // The account may have been forgotten in the meantime.
            let Some(mut message) = tx.find::<QueuedMessage>(&key)? else {
                return Ok(());
            };
            message.done.push(channel);
            if targets
                .iter()
                .all(|target| message.done.contains(&target.channel))
            {
                tx.remove::<QueuedMessage>(&key);
                Ok(())
            } else {
                tx.put(&key, &message)
            }
        });
        recorded.await
    }
}

/// An id for a queued message that reveals nothing about it.
fn message_id(key: &[u8]) -> String {
    let hash = sha256(key);
    let id = hash.get(..16).unwrap_or_default();
    format!("msg_{}", URL_SAFE_NO_PAD.encode(id))
}
