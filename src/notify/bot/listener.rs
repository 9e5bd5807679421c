//! The long polling: one poll after another, each with the current settings.

use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::health::{BotHealth, HealthEvent, PollFailure};
use super::offset::TakenUpdates;
use super::requests::{HOLD_S, get_updates, set_my_commands};
use super::update::{self, BotUpdate, UpdateBatch};
use crate::config::{ChannelConfig, Live};
use crate::notify::notifier::Notifier;
use crate::store::StoreError;

/// How long a poll may take: Telegram holds it for a while, and then answers.
const TIMEOUT: Duration = Duration::from_secs(HOLD_S as u64 + 10);

/// The largest answer. Twenty of the longest messages, each a reply to another one, are smaller.
const LONGEST_ANSWER: usize = 4 << 20;

/// Least time between two polls that bring nothing, for a server that answers at once instead of holding the poll.
const BETWEEN_EMPTY: Duration = Duration::from_secs(1);

/// Pause after the store has refused a write.
const STORE_RETRY: Duration = Duration::from_secs(5);

/// Reads what people write to the bot. A gateway has only one listener.
pub struct BotListener {
    notifier: Notifier,
    live: watch::Receiver<Live>,
    /// The commands that Telegram offers: name, and what it does.
    menu: &'static [(&'static str, &'static str)],
    stopping: CancellationToken,
    /// The bot that is polled, and which of its updates were taken.
    reading: Option<FollowedBot>,
}

struct FollowedBot {
    config: ChannelConfig,
    taken: Option<TakenUpdates>,
}

enum PollEnd {
    Answered(UpdateBatch),
    Failed(PollFailure),
    SettingsChanged,
}

impl BotListener {
    pub fn new(
        notifier: Notifier,
        live: watch::Receiver<Live>,
        menu: &'static [(&'static str, &'static str)],
        stopping: CancellationToken,
    ) -> Self {
        Self {
            notifier,
            live,
            menu,
            stopping,
            reading: None,
        }
    }

    /// The next updates, in order. Waits through failures and changes of the settings; `None` when the program stops.
    pub async fn next(&mut self) -> Option<Vec<BotUpdate>> {
        loop {
            let Some(config) = self.wanted() else {
                self.reading = None;
                self.tell(BotHealth::Off);
                self.sleep(Duration::MAX).await?;
                continue;
            };
            if let Err(e) = self.follow(config) {
                tracing::warn!(reason = %e, "notify.store_failed");
                self.sleep(STORE_RETRY).await?;
                continue;
            }
            let began = Instant::now();
            // A stop and a change of the settings end the poll at once.
            let (failure, batch) = match self.poll().await? {
                PollEnd::SettingsChanged => continue,
                PollEnd::Answered(batch) => (None, batch),
                PollEnd::Failed(failure) => (Some(failure), UpdateBatch::default()),
            };
            let now = self.notifier.clock().now();
            let (health, mut wait, event) = self.notifier.bot_health().after(failure, now);
            self.tell(health);
            match event {
                Some(HealthEvent::Listening) => {
                    tracing::info!("notify.bot_heard");
                    self.offer_menu().await?;
                }
                Some(HealthEvent::Failed(failure)) => {
                    tracing::warn!(
                        reason = failure.name(),
                        advice = failure.advice(),
                        "notify.bot_unheard"
                    );
                }
                None => {}
            }
            if let (Some(next), Some(reading)) = (batch.next, &mut self.reading) {
                reading.taken = Some(TakenUpdates { next, at: now });
            } else if failure.is_none() {
                wait = BETWEEN_EMPTY.saturating_sub(began.elapsed());
            }
            if !batch.updates.is_empty() {
                return Some(batch.updates);
            }
            self.sleep(wait).await?;
        }
    }

    /// Stores that an update was taken, before it has any effect. Waits while the store can't write. `None` when the
    /// program stops.
    pub async fn take(&self, update: &BotUpdate) -> Option<()> {
        let Some(reading) = &self.reading else {
            return Some(());
        };
        let key = TakenUpdates::key(&reading.config);
        loop {
            let taken = TakenUpdates {
                next: update.id.saturating_add(1),
                at: self.notifier.clock().now(),
            };
            match self.notifier.store().put(&key, taken).await {
                Ok(()) => return Some(()),
                Err(e) => tracing::warn!(reason = %e, "notify.store_failed"),
            }
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return None,
                () = tokio::time::sleep(STORE_RETRY) => {}
            }
        }
    }

    /// The bot that the current settings say to poll.
    fn wanted(&mut self) -> Option<ChannelConfig> {
        let live = self.live.borrow_and_update();
        live.notify
            .telegram
            .clone()
            .filter(|_| live.notify.telegram_listens)
    }

    /// Switches to this bot, and loads which of its updates were taken.
    fn follow(&mut self, config: ChannelConfig) -> Result<(), StoreError> {
        let is_same = |reading: &FollowedBot| {
            reading.config.url == config.url && reading.config.token.as_ref() == config.token.as_ref()
        };
        if self.reading.as_ref().is_some_and(is_same) {
            return Ok(());
        }
        let taken = self.notifier.store().find(&TakenUpdates::key(&config))?;
        self.reading = Some(FollowedBot { config, taken });
        self.tell(BotHealth::Starting);
        Ok(())
    }

    /// One poll. `None` when the program stops.
    async fn poll(&mut self) -> Option<PollEnd> {
        let Some(FollowedBot { config, taken }) = &self.reading else {
            return Some(PollEnd::SettingsChanged);
        };
        let now = self.notifier.clock().now();
        let offset = taken.as_ref().and_then(|taken| taken.offset(now));
        // Before the first success, Telegram is asked not to hold polls, so that the bot's health is known at once.
        let is_heard = self.notifier.bot_health() == BotHealth::Listening;
        let post = get_updates(config, offset, if is_heard { HOLD_S } else { 0 });
        let answer = tokio::select! {
            biased;
            () = self.stopping.cancelled() => return None,
            changed = self.live.changed() => return changed.ok().map(|()| PollEnd::SettingsChanged),
            answer = self.notifier.poster().post_within(post, TIMEOUT, LONGEST_ANSWER) => answer,
        };
        if let Some(failure) = PollFailure::of(&answer) {
            return Some(PollEnd::Failed(failure));
        }
        let batch = answer.ok().and_then(|answer| update::read(&answer.body));
        Some(batch.map_or(PollEnd::Failed(PollFailure::Unreadable), PollEnd::Answered))
    }

    /// Sets the commands that Telegram offers. The bot works without them. `None` when the program stops.
    async fn offer_menu(&self) -> Option<()> {
        let Some(FollowedBot { config, .. }) = &self.reading else {
            return Some(());
        };
        let post = set_my_commands(config, self.menu);
        let answer = tokio::select! {
            biased;
            () = self.stopping.cancelled() => return None,
            answer = self.notifier.poster().post(post) => answer,
        };
        if !answer.is_ok_and(|answer| answer.status == 200) {
            tracing::warn!("notify.bot_menu_not_set");
        }
        Some(())
    }

    /// Waits for this time, or for a change of the settings. `None` when the program stops.
    async fn sleep(&mut self, wait: Duration) -> Option<()> {
        if wait.is_zero() {
            return (!self.stopping.is_cancelled()).then_some(());
        }
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => None,
            changed = self.live.changed() => changed.ok(),
            () = tokio::time::sleep(wait) => Some(()),
        }
    }

    fn tell(&self, health: BotHealth) {
        self.notifier.set_bot_health(health);
    }
}
