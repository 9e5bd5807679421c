//! Erases races and usage older than `RACE_RETENTION_DAYS` at the start and once a day, and then compacts the
//! database if that frees much space.

use std::time::Duration;

use jiff::SignedDuration;

use crate::admin::operations::Rooms;
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::store::StoreError;

const EVERY: SignedDuration = SignedDuration::from_hours(24);

/// The interval between two checks of whether a day has passed.
const PACE: Duration = Duration::from_secs(600);

/// Starts the daily task, which erases races and usage older than `keep`; `None`: races and usage are kept forever.
pub(super) fn start(rooms: Rooms, keep: Option<Duration>, clock: Clock, lifecycle: &Lifecycle) {
    let stopping = lifecycle.stopping();
    lifecycle.spawn("retention", async move {
        let mut last = None;
        loop {
            let now = clock.now();
            if last.is_none_or(|last| now.duration_since(last) >= EVERY) {
                last = Some(now);
                tokio::select! {
                    () = stopping.cancelled() => return,
                    done = once(&rooms, keep, &clock) => if let Err(e) = done {
                        tracing::warn!(reason = %e, "retention.failed");
                    }
                }
            }
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(PACE) => {}
            }
        }
    });
}

async fn once(rooms: &Rooms, keep: Option<Duration>, clock: &Clock) -> Result<(), StoreError> {
    rooms.sweep_forgotten().await?;
    rooms.accounts.sweep_grants().await?;
    if let Some(before) = keep.and_then(|keep| clock.now().checked_sub(keep).ok()) {
        let purged = rooms.purge(None, before).await?;
        if purged.races + purged.usage > 0 {
            tracing::info!(races = purged.races, usage = purged.usage, "retention.purged");
        }
    }
    let store = rooms.store.clone();
    // The check may read the whole database, so it runs on a blocking thread.
    let wasteful = tokio::task::spawn_blocking(move || store.is_wasteful()).await;
    if matches!(wasteful, Ok(Ok(true))) {
        rooms.store.compact().await?;
    }
    Ok(())
}
