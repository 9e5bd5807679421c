//! What the service manager is told: ready, alive, stopping; and what it keeps: the listening socket, so that whoever
//! connects while the gateway is restarted waits and is not refused. Nothing where there is none.
//!
//! Source: sd_notify(3) with `FDSTORE=1`, sd_listen_fds(3), and `Type=notify`, `WatchdogSec=`, `FileDescriptorStoreMax=`
//! in systemd.service(5).

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;

use listenfd::ListenFd;
use sd_notify::NotifyState;
use tokio::net::TcpListener;

use crate::base::lifecycle::Lifecycle;

/// What the socket is called in the manager's keeping.
const LISTENER: NotifyState<'static> = NotifyState::FdName("listener");

/// What the service manager kept for us since the last run.
#[derive(Debug, Default)]
pub struct Kept(Option<std::net::TcpListener>);

impl Kept {
    /// Takes it, and its variables out of the environment: to be called before any thread is started. What is no
    /// listening TCP socket is not ours, and stays where it is.
    pub fn take() -> Self {
        Self(ListenFd::from_env().take_tcp_listener(0).unwrap_or_default())
    }
}

/// Listens on `address`: with the socket that was kept, if it is bound there, else with a new one, which is kept from now
/// on.
pub(super) async fn listen(address: SocketAddr, kept: Kept) -> io::Result<TcpListener> {
    if let Some(kept) = kept.0
        && kept.local_addr()? == address
    {
        kept.set_nonblocking(true)?;
        return TcpListener::from_std(kept);
    }
    let listener = TcpListener::bind(address).await?;
    // Settings may have changed: what was kept until now is of no use.
    tell(&[NotifyState::FdStoreRemove, LISTENER]);
    let kept = sd_notify::notify_with_fds(&[NotifyState::FdStore, LISTENER], &[listener.as_fd()]);
    told(kept);
    Ok(listener)
}

/// The gateway answers. From now on signs of life are sent as often as was asked for: they come from the same
/// runtime that answers requests, so a runtime that hangs is noticed.
pub(super) fn ready(lifecycle: &Lifecycle) {
    tell(&[NotifyState::Ready]);
    let Some(within) = sd_notify::watchdog_enabled() else {
        return;
    };
    let stopping = lifecycle.stopping();
    lifecycle.spawn("watchdog", async move {
        let mut beat = tokio::time::interval(within / 3);
        loop {
            tokio::select! {
                _ = beat.tick() => tell(&[NotifyState::Watchdog]),
                () = stopping.cancelled() => return,
            }
        }
    });
}

/// The drain begins.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(state: &[NotifyState<'_>]) {
    told(sd_notify::notify(state));
}

fn told(result: io::Result<()>) {
    if let Err(e) = result {
        tracing::debug!(reason = %e, "daemon.notify_failed");
    }
}
