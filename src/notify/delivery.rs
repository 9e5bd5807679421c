//! Sending what waits: for each race and channel in order, with a pause after a failure, dead after a day.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::channel::Channel;
use super::queue::Waiting;
use super::{Inner, Notifier};
use crate::config::ChannelConfig;
use crate::store::StoreError;

/// What nobody could be told in a day is told no more.
const LIVES: SignedDuration = SignedDuration::from_hours(24);

/// How many lanes are sent on at once.
const AT_ONCE: usize = 8;

/// With nothing to wait for, a look all the same: settings may have changed.
const IDLE: Duration = Duration::from_secs(300);

/// The pauses of lanes: those on which something went wrong.
pub(super) type Lanes = HashMap<(String, Channel), Pause>;

#[derive(Clone, Copy, Debug)]
pub(super) struct Pause {
    until: Timestamp,
    times: u32,
}

/// The messages of one race on one channel, oldest first.
struct Lane {
    race: String,
    channel: Channel,
    config: ChannelConfig,
    target: String,
    messages: Vec<(Vec<u8>, Waiting)>,
}

impl Notifier {
    /// Sends until it is told to stop.
    pub(super) async fn deliver(&self, stopping: CancellationToken) {
        loop {
            // What is being sent is sent and noted before the end, or it would be sent again at the next start.
            let pause = self.round(&stopping).await;
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                () = self.0.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Sends what is due. Returns how long until something is.
    async fn round(&self, stopping: &CancellationToken) -> Duration {
        let lanes = match self.0.due().await {
            Ok(lanes) => lanes,
            Err(e) => {
                tracing::warn!(reason = %e, "notify.store_failed");
                return Duration::from_secs(30);
            }
        };
        let sending = lanes.into_iter().map(|lane| self.0.send_lane(lane, stopping));
        stream::iter(sending)
            .buffer_unordered(AT_ONCE)
            .collect::<()>()
            .await;
        let now = self.0.parts.clock.now();
        let lanes = self.0.lanes();
        let next = lanes
            .values()
            .map(|pause| pause.until)
            .filter(|until| *until > now)
            .min();
        let wait = next.and_then(|next| Duration::try_from(next.duration_since(now)).ok());
        wait.unwrap_or(IDLE).min(IDLE)
    }
}

impl Inner {
    /// The lanes on which something may be sent now. What is dead, or has nowhere to go, is taken out on the way.
    async fn due(&self) -> Result<Vec<Lane>, StoreError> {
        let now = self.parts.clock.now();
        let mut races = BTreeMap::<String, Vec<(Vec<u8>, Waiting)>>::new();
        let mut over = Vec::new();
        for (key, waiting) in self.parts.store.list::<Waiting>(b"")? {
            if now.duration_since(waiting.queued_at) >= LIVES {
                tracing::warn!(account.id = %waiting.account, race.id = waiting.race, "notify.dead");
                over.push(key);
            } else {
                races
                    .entry(waiting.race.clone())
                    .or_default()
                    .push((key, waiting));
            }
        }
        self.lanes().retain(|(race, _), _| races.contains_key(race));
        let mut due = Vec::new();
        for (race, messages) in races {
            let Some((_, first)) = messages.first() else {
                continue;
            };
            let (_, ways) = self.ways(&first.account)?;
            let settled = |waiting: &Waiting| ways.iter().all(|(channel, ..)| waiting.done.contains(channel));
            let (gone, left): (Vec<_>, Vec<_>) =
                messages.into_iter().partition(|(_, waiting)| settled(waiting));
            over.extend(gone.into_iter().map(|(key, _)| key));
            for (channel, config, target) in ways {
                let pause = self.lanes().get(&(race.clone(), channel)).copied();
                if pause.is_some_and(|pause| pause.until > now) {
                    continue;
                }
                let open = left
                    .iter()
                    .filter(|(_, waiting)| !waiting.done.contains(&channel));
                due.push(Lane {
                    race: race.clone(),
                    channel,
                    config,
                    target,
                    messages: open.cloned().collect(),
                });
            }
        }
        if !over.is_empty() {
            let taken = self.parts.store.atomic(move |tx| {
                for key in &over {
                    tx.remove::<Waiting>(key);
                }
                Ok::<_, StoreError>(())
            });
            taken.await?;
        }
        Ok(due)
    }

    /// Sends one message after the other, up to the first that fails, or the end of the program.
    async fn send_lane(&self, lane: Lane, stopping: &CancellationToken) {
        let Lane {
            race,
            channel,
            config,
            target,
            messages,
        } = lane;
        for (key, waiting) in messages {
            if stopping.is_cancelled() {
                return;
            }
            let sent = self
                .send(channel, &config, &target, waiting.severity, &waiting.text)
                .await;
            let at = (race.clone(), channel);
            match sent {
                Ok(()) => {
                    self.lanes().remove(&at);
                    tracing::info!(account.id = %waiting.account, race.id = race, channel = channel.name(), "notify.sent");
                    if let Err(e) = self.note_sent(key, channel).await {
                        tracing::warn!(reason = %e, "notify.store_failed");
                        return;
                    }
                }
                Err(failure) => {
                    let mut lanes = self.lanes();
                    let times = lanes.get(&at).map_or(0, |pause| pause.times) + 1;
                    let wait = failure.wait(times);
                    let until = self
                        .parts
                        .clock
                        .now()
                        .saturating_add(wait)
                        .unwrap_or(Timestamp::MAX);
                    lanes.insert(at, Pause { until, times });
                    tracing::warn!(
                        account.id = %waiting.account,
                        race.id = race,
                        channel = channel.name(),
                        reason = failure.name(),
                        times,
                        wait_s = wait.as_secs(),
                        "notify.failed"
                    );
                    return;
                }
            }
        }
    }

    /// Notes that a message is out on a channel; once it is on all, it no longer waits.
    async fn note_sent(&self, key: Vec<u8>, channel: Channel) -> Result<(), StoreError> {
        let open: Vec<Channel> = match self.parts.store.find::<Waiting>(&key)? {
            Some(waiting) => self
                .ways(&waiting.account)?
                .1
                .into_iter()
                .map(|(channel, ..)| channel)
                .collect(),
            None => return Ok(()),
        };
        let noted = self.parts.store.atomic(move |tx| {
            // Forgotten in between: then it stays so.
            let Some(mut waiting) = tx.find::<Waiting>(&key)? else {
                return Ok(());
            };
            waiting.done.push(channel);
            if open.iter().all(|channel| waiting.done.contains(channel)) {
                tx.remove::<Waiting>(&key);
                Ok(())
            } else {
                tx.put(&key, &waiting)
            }
        });
        noted.await
    }
}
