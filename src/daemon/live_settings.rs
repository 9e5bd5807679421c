//! Settings that take effect while the gateway runs, for modules that do not watch the settings themselves.

use tokio::sync::watch;

use crate::base::lifecycle::Lifecycle;
use crate::base::log::Telemetry;
use crate::config::Live;
use crate::garmin::SignIns;

/// Applies each change of the accepted client ids to the sign-ins that begin after it.
pub(super) fn client_ids(sign_ins: &SignIns, mut live: watch::Receiver<Live>, lifecycle: &Lifecycle) {
    let (sign_ins, stopping) = (sign_ins.clone(), lifecycle.stopping());
    lifecycle.spawn("client ids", async move {
        loop {
            sign_ins.set_client_ids(live.borrow_and_update().client_ids.clone());
            tokio::select! {
                () = stopping.cancelled() => return,
                changed = live.changed() => if changed.is_err() { return },
            }
        }
    });
}

pub(super) fn log_level(telemetry: &Telemetry, mut live: watch::Receiver<Live>, lifecycle: &Lifecycle) {
    let (telemetry, stopping) = (telemetry.clone(), lifecycle.stopping());
    lifecycle.spawn("log level", async move {
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                changed = live.changed() => if changed.is_err() { return },
            }
            telemetry.set_level(live.borrow_and_update().log_level);
        }
    });
}
