//! What the service manager is told: ready, alive, stopping. Nothing where there is none.
//!
//! Source: sd_notify(3), and `Type=notify`, `WatchdogSec=` in systemd.service(5).

use sd_notify::NotifyState;

use crate::foundation::lifecycle::Lifecycle;

/// The gateway answers. From now on signs of life are sent as often as was asked for: they come from the same
/// runtime that answers requests, so a runtime that hangs is noticed.
pub(super) fn ready(lifecycle: &Lifecycle) {
    tell(NotifyState::Ready);
    let Some(within) = sd_notify::watchdog_enabled() else {
        return;
    };
    let stopping = lifecycle.stopping();
    lifecycle.spawn("watchdog", async move {
        let mut beat = tokio::time::interval(within / 3);
        loop {
            tokio::select! {
                _ = beat.tick() => tell(NotifyState::Watchdog),
                () = stopping.cancelled() => return,
            }
        }
    });
}

/// The drain begins.
pub(super) fn stopping() {
    tell(NotifyState::Stopping);
}

fn tell(state: NotifyState<'_>) {
    if let Err(e) = sd_notify::notify(&[state]) {
        tracing::debug!(reason = %e, "daemon.notify_failed");
    }
}
