//! The task that watches the mailbox: connect, look for new mails, handle each, wait for more.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::connection::MailboxConnection;
use super::handling::{MailEnd, MailHandler};
use super::health::{MailboxHealth, MailboxTrouble};
use super::position::MailboxPosition;
use crate::accounts::Accounts;
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::config::{Live, MailboxConfig};
use crate::races::registry::Races;
use crate::store::{Store, StoreError};

/// The longest wait for new mails. A waiting mail that is due earlier shortens it.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// How many failed attempts to fetch a mail are made before it is skipped.
const MOST_FETCHES: u32 = 3;

/// The interval at which a server without IDLE is asked for new mails.
const ASKED_EACH: Duration = Duration::from_secs(60);

pub struct MailboxParts {
    pub races: Races,
    pub accounts: Accounts,
    pub live: watch::Receiver<Live>,
    /// Whether only this machine can open the links to pages.
    pub is_local: bool,
}

/// Starts races from e-mails. Clones share everything.
#[derive(Clone)]
pub struct RaceMailbox(Arc<MailboxWatcher>);

struct MailboxWatcher {
    handler: MailHandler,
    live: watch::Receiver<Live>,
    health: Mutex<MailboxHealth>,
    /// A mail that could not be fetched, and how often it was tried.
    unfetched: Mutex<(u32, u32)>,
}

/// Why the connection is given up.
enum WatchEnd {
    Failed(MailboxTrouble),
    SettingsChanged,
}

impl From<MailboxTrouble> for WatchEnd {
    fn from(trouble: MailboxTrouble) -> Self {
        Self::Failed(trouble)
    }
}

impl From<StoreError> for WatchEnd {
    fn from(e: StoreError) -> Self {
        tracing::error!(reason = %e, "mailbox.store_failed");
        Self::Failed(MailboxTrouble::Store)
    }
}

impl RaceMailbox {
    /// Starts the task. Without the settings of a mailbox it waits for them.
    pub fn start(parts: MailboxParts, lifecycle: &Lifecycle) -> Self {
        let mailbox = Self(Arc::new(MailboxWatcher {
            handler: MailHandler {
                races: parts.races,
                accounts: parts.accounts,
                is_local: parts.is_local,
                last_mail: Mutex::default(),
            },
            live: parts.live,
            health: Mutex::default(),
            unfetched: Mutex::default(),
        }));
        let (watcher, stopping) = (Arc::clone(&mailbox.0), lifecycle.stopping());
        lifecycle.spawn("mailbox", async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = watcher.run() => {}
            }
        });
        mailbox
    }

    pub fn health(&self) -> MailboxHealth {
        *self.0.health.lock()
    }

    /// The state in a sentence; `None` without a mailbox.
    pub fn told(&self) -> Option<String> {
        let last_mail = *self.0.handler.last_mail.lock();
        self.health().told(last_mail)
    }
}

impl MailboxWatcher {
    /// Runs until the sender of the settings is dropped.
    async fn run(&self) {
        let mut live = self.live.clone();
        loop {
            let config = live.borrow_and_update().mailbox.clone();
            let Some(config) = config else {
                self.set(MailboxHealth::Off);
                if live.changed().await.is_err() {
                    return;
                }
                continue;
            };
            let wait = match self.watch(&config, &mut live).await {
                WatchEnd::SettingsChanged => {
                    self.set(MailboxHealth::Connecting);
                    continue;
                }
                WatchEnd::Failed(trouble) => self.failed(trouble),
            };
            tokio::select! {
                changed = live.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Watches until the connection fails, or the settings name another mailbox.
    async fn watch(&self, config: &MailboxConfig, live: &mut watch::Receiver<Live>) -> WatchEnd {
        if *self.health.lock() == MailboxHealth::Off {
            self.set(MailboxHealth::Connecting);
        }
        let mut opening = MailboxConnection::open(config).await;
        loop {
            let mut connection = match opening {
                Ok(connection) => connection,
                Err(trouble) => return trouble.into(),
            };
            let next_try = match self.pass(&mut connection, config).await {
                Ok(next_try) => next_try,
                Err(end) => return end,
            };
            self.set_watching(&connection);
            let wait = next_try.map_or(LONGEST_WAIT, |at| self.until(at));
            opening = tokio::select! {
                waited = self.wait(connection, wait) => waited,
                () = other_mailbox(config, live) => return WatchEnd::SettingsChanged,
            };
        }
    }

    /// Waits until there may be something to do, but at most for `most`.
    async fn wait(
        &self,
        connection: MailboxConnection,
        most: Duration,
    ) -> Result<MailboxConnection, MailboxTrouble> {
        if connection.tells {
            return connection.idle(most).await;
        }
        let (clock, wait) = (self.clock(), ASKED_EACH.min(most));
        let until = clock.now().checked_add(wait).unwrap_or(Timestamp::MAX);
        clock.sleep_until(until).await;
        Ok(connection)
    }

    /// Handles all new mails. Returns the time at which the next mail that waits for Garmin is due.
    async fn pass(
        &self,
        connection: &mut MailboxConnection,
        config: &MailboxConfig,
    ) -> Result<Option<Timestamp>, WatchEnd> {
        let (store, clock) = (self.store(), self.clock());
        let key = MailboxPosition::key(config);
        let known: Option<MailboxPosition> = store.find(&key)?;
        let known = known.filter(|known| known.uid_validity == connection.uid_validity);
        let mut position = known.unwrap_or_else(|| MailboxPosition::new(connection.uid_validity));
        loop {
            let now = clock.now();
            let mut mails = position.due(now);
            mails.extend(connection.new_mails(position.next, now).await?);
            for uid in mails {
                position = self.take(connection, key, position, uid).await?;
            }
            if !connection.was_told_of_more() {
                return Ok(position.next_try());
            }
        }
    }

    /// Handles one mail, and stores that it was handled. A mail that was taken is marked as read.
    async fn take(
        &self,
        connection: &mut MailboxConnection,
        key: [u8; 32],
        position: MailboxPosition,
        uid: u32,
    ) -> Result<MailboxPosition, WatchEnd> {
        let has_waited = position.waiting.iter().any(|mail| mail.uid == uid);
        let after = position.clone().handled(uid);
        let store = self.store();
        let end = match connection.fetch(uid).await {
            Ok(Some(mail)) => self.handler.handle(&mail, key, &after, has_waited).await?,
            Ok(None) => MailEnd::LeftAlone,
            Err(trouble) => {
                if self.gives_up(uid) {
                    tracing::warn!(reason = trouble.name(), "mailbox.mail_skipped");
                    store.put(&key, after).await?;
                }
                return Err(trouble.into());
            }
        };
        match end {
            MailEnd::Taken => {
                connection.mark_read(uid).await?;
                Ok(after)
            }
            MailEnd::LeftAlone => {
                store.put(&key, after.clone()).await?;
                Ok(after)
            }
            MailEnd::PutOff => {
                let later = position.put_off(uid, self.clock().now());
                tracing::info!("mailbox.mail_put_off");
                store.put(&key, later.clone()).await?;
                Ok(later)
            }
        }
    }

    /// Whether to skip a mail that could not be fetched, so that it does not hold up the others.
    fn gives_up(&self, uid: u32) -> bool {
        let mut unfetched = self.unfetched.lock();
        let tries = if unfetched.0 == uid { unfetched.1 + 1 } else { 1 };
        *unfetched = (uid, tries);
        tries >= MOST_FETCHES
    }

    /// Notes a failure. Returns the wait before the next try.
    fn failed(&self, trouble: MailboxTrouble) -> Duration {
        let now = self.clock().now();
        let (health, wait, is_new) = self.health.lock().after(trouble, now);
        self.set(health);
        if is_new {
            tracing::warn!(
                reason = trouble.name(),
                advice = trouble.fix(),
                "mailbox.unwatched"
            );
        }
        wait
    }

    fn set(&self, health: MailboxHealth) {
        *self.health.lock() = health;
    }

    fn set_watching(&self, connection: &MailboxConnection) {
        let mut health = self.health.lock();
        if !matches!(*health, MailboxHealth::Watching { .. }) {
            *health = MailboxHealth::Watching {
                since: self.clock().now(),
                tells: connection.tells,
            };
            tracing::info!(idle = connection.tells, "mailbox.watched");
        }
    }

    fn clock(&self) -> &Clock {
        &self.handler.races.0.clock
    }

    fn store(&self) -> &Store {
        &self.handler.races.0.store
    }

    fn until(&self, at: Timestamp) -> Duration {
        let wait = at.duration_since(self.clock().now());
        Duration::try_from(wait)
            .unwrap_or_default()
            .max(Duration::from_secs(1))
    }
}

/// Waits until the settings name another mailbox, or none.
async fn other_mailbox(config: &MailboxConfig, live: &mut watch::Receiver<Live>) {
    while live.borrow_and_update().mailbox.as_ref() == Some(config) {
        if live.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Signs in and opens the mailbox, for the doctor.
pub async fn probe_mailbox(config: &MailboxConfig) -> Result<(), MailboxTrouble> {
    MailboxConnection::open(config).await?.close().await;
    Ok(())
}
