//! The views as updates: built at most a few times a second, only while a console follows, and serialized once for
//! all followers.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::api::{AdminRefusal, AdminUpdate};
use super::service::AdminService;
use crate::base::lifecycle::Lifecycle;
use crate::base::log::Ring;

/// The interval for refreshing figures that no event announces, such as memory.
const REFRESH: Duration = Duration::from_secs(1);

/// Delay after an event: long enough to coalesce a burst, short enough to seem immediate.
const DEBOUNCE: Duration = Duration::from_millis(50);

/// One serialized update for each view, in a fixed order.
type Serialized = Vec<Arc<RawValue>>;

/// Hands updates to followers. Clones share one feed.
#[derive(Clone)]
pub(super) struct Feed {
    views: watch::Sender<Serialized>,
    service: AdminService,
}

impl Feed {
    pub(super) fn start(service: AdminService, ring: &Ring, lifecycle: &Lifecycle) -> Self {
        let feed = Self {
            views: watch::Sender::new(Vec::new()),
            service,
        };
        let (refreshed, stopping) = (feed.clone(), lifecycle.stopping());
        let (_, mut events) = ring.follow();
        lifecycle.spawn("admin feed", async move {
            let mut due = Instant::now();
            loop {
                tokio::select! {
                    () = stopping.cancelled() => return,
                    () = sleep_until(due) => {
                        if refreshed.views.receiver_count() > 0 {
                            refreshed.refresh();
                        }
                        due = Instant::now() + REFRESH;
                    }
                    // A lag error also means that there were new events.
                    _ = events.recv() => due = due.min(Instant::now() + DEBOUNCE),
                }
            }
        });
        feed
    }

    fn refresh(&self) {
        let serialized = match self.serialized() {
            Ok(serialized) => serialized,
            Err(reason) => {
                tracing::debug!(%reason, "admin.views_failed");
                return;
            }
        };
        self.views.send_if_modified(|now| {
            let changed =
                now.len() != serialized.len() || now.iter().zip(&serialized).any(|(a, b)| a.get() != b.get());
            if changed {
                *now = serialized;
            }
            changed
        });
    }

    fn serialized(&self) -> Result<Serialized, AdminRefusal> {
        let views = self.service.views()?;
        let updates = [
            AdminUpdate::Overview(views.overview),
            AdminUpdate::Workers(views.workers),
            AdminUpdate::Accounts(views.people),
            AdminUpdate::Races(views.races),
            AdminUpdate::Tokens(views.tokens),
        ];
        let raw = updates.iter().map(|update| to_raw_value(update).map(Arc::from));
        raw.collect::<Result<_, _>>()
            .map_err(|e| AdminRefusal::Internal(e.to_string()))
    }

    pub(super) fn follow(&self) -> Follower {
        let receiver = self.views.subscribe();
        self.refresh();
        Follower {
            receiver,
            seen: Vec::new(),
        }
    }
}

/// A following connection and the updates it has already sent.
pub(super) struct Follower {
    receiver: watch::Receiver<Serialized>,
    seen: Serialized,
}

impl Follower {
    /// The updates that differ from those sent before; on the first call, all of them.
    pub(super) fn changed(&mut self) -> Serialized {
        let now = self.receiver.borrow_and_update().clone();
        let seen = std::mem::replace(&mut self.seen, now.clone());
        let is_new = |n: usize, update: &RawValue| seen.get(n).is_none_or(|seen| seen.get() != update.get());
        let numbered = now.into_iter().enumerate();
        numbered
            .filter(|(n, update)| is_new(*n, update))
            .map(|(_, update)| update)
            .collect()
    }

    /// Waits for a change. Cancel-safe.
    pub(super) async fn next(&mut self) -> Serialized {
        if self.receiver.changed().await.is_err() {
            // The feed ends with the daemon, and so does this connection.
            std::future::pending::<()>().await;
        }
        self.changed()
    }
}
