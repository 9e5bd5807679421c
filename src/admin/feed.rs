//! The state of all views, made at most a few times a second and only while somebody looks.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::api::{AdminUpdate, Overview, People, RaceView, TokensView, WorkerView};
use super::desk::Desk;
use crate::base::lifecycle::Lifecycle;
use crate::base::log::Ring;

/// How often figures that no event tells of are made anew.
const PACE: Duration = Duration::from_secs(1);

/// How soon after an event: long enough to gather a burst, short enough to seem at once.
const SOON: Duration = Duration::from_millis(50);

/// All views at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Views {
    pub(super) overview: Overview,
    pub(super) workers: Vec<WorkerView>,
    pub(super) people: People,
    pub(super) races: Vec<RaceView>,
    pub(super) tokens: TokensView,
}

/// Hands the views to those who follow. Clones are the same feed.
#[derive(Clone)]
pub(super) struct Feed {
    views: watch::Sender<Option<Arc<Views>>>,
    desk: Desk,
}

impl Feed {
    /// Starts the making.
    pub(super) fn start(desk: Desk, ring: &Ring, lifecycle: &Lifecycle) -> Self {
        let feed = Self {
            views: watch::Sender::new(None),
            desk,
        };
        let (making, stopping) = (feed.clone(), lifecycle.stopping());
        let (_, mut events) = ring.follow();
        lifecycle.spawn("admin feed", async move {
            let mut due = Instant::now();
            loop {
                tokio::select! {
                    () = stopping.cancelled() => return,
                    () = sleep_until(due) => {
                        if making.views.receiver_count() > 0 {
                            making.make();
                        }
                        due = Instant::now() + PACE;
                    }
                    // A lagged reader has heard something too.
                    _ = events.recv() => due = due.min(Instant::now() + SOON),
                }
            }
        });
        feed
    }

    fn make(&self) {
        match self.desk.views() {
            Ok(views) => {
                self.views.send_if_modified(|now| {
                    let changed = now.as_deref() != Some(&views);
                    if changed {
                        *now = Some(Arc::new(views));
                    }
                    changed
                });
            }
            Err(refusal) => tracing::debug!(reason = %refusal, "admin.views_failed"),
        }
    }

    /// A new follower, who has seen nothing yet.
    pub(super) fn follow(&self) -> Follower {
        let receiver = self.views.subscribe();
        self.make();
        Follower { receiver, seen: None }
    }
}

/// One who follows, and what they have seen.
pub(super) struct Follower {
    receiver: watch::Receiver<Option<Arc<Views>>>,
    seen: Option<Arc<Views>>,
}

impl Follower {
    /// The views that are not as they were seen, all of them the first time.
    pub(super) fn changed(&mut self) -> Vec<AdminUpdate> {
        let Some(now) = self.receiver.borrow_and_update().clone() else {
            return Vec::new();
        };
        let seen = self.seen.replace(Arc::clone(&now));
        let seen = seen.as_deref();
        let mut updates = Vec::new();
        if seen.is_none_or(|seen| seen.overview != now.overview) {
            updates.push(AdminUpdate::Overview(now.overview.clone()));
        }
        if seen.is_none_or(|seen| seen.workers != now.workers) {
            updates.push(AdminUpdate::Workers(now.workers.clone()));
        }
        if seen.is_none_or(|seen| seen.people != now.people) {
            updates.push(AdminUpdate::Accounts(now.people.clone()));
        }
        if seen.is_none_or(|seen| seen.races != now.races) {
            updates.push(AdminUpdate::Races(now.races.clone()));
        }
        if seen.is_none_or(|seen| seen.tokens != now.tokens) {
            updates.push(AdminUpdate::Tokens(now.tokens.clone()));
        }
        updates
    }

    /// Waits until something changed. Cancel-safe.
    pub(super) async fn next(&mut self) -> Vec<AdminUpdate> {
        if self.receiver.changed().await.is_err() {
            // The feed ends with the daemon, and so does this connection.
            std::future::pending::<()>().await;
        }
        self.changed()
    }
}
