//! Integration with systemd: readiness, watchdog, stop, and the file descriptor store, which keeps the listening
//! socket during a restart so that clients wait instead of being refused. Without systemd, all of this does nothing.
//!
//! Sources: sd_notify(3) with `FDSTORE=1`, sd_listen_fds(3), and `Type=notify`, `WatchdogSec=`,
//! `FileDescriptorStoreMax=` in systemd.service(5).

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;

use listenfd::ListenFd;
use sd_notify::NotifyState;
use tokio::net::TcpListener;

use crate::base::lifecycle::Lifecycle;

/// The name of the socket in the descriptor store.
const LISTENER: NotifyState<'static> = NotifyState::FdName("listener");

/// The listening socket that systemd kept during a restart, if any.
#[derive(Debug, Default)]
pub struct Kept(Option<std::net::TcpListener>);

impl Kept {
    /// Takes the socket and removes its variables from the environment, so it must be called before any thread is
    /// started. Anything but a listening TCP socket is ignored.
    pub fn take() -> Self {
        Self(ListenFd::from_env().take_tcp_listener(0).unwrap_or_default())
    }
}

/// Listens on `address`: with the kept socket if that is bound there, otherwise with a new one, which is then handed to
/// systemd to keep.
pub(super) async fn listen(address: SocketAddr, kept: Kept) -> io::Result<TcpListener> {
    if let Some(kept) = kept.0
        && kept.local_addr()? == address
    {
        kept.set_nonblocking(true)?;
        return TcpListener::from_std(kept);
    }
    let listener = TcpListener::bind(address).await?;
    // The address may have changed, so an old socket would be useless.
    notify(&[NotifyState::FdStoreRemove, LISTENER]);
    let kept = sd_notify::notify_with_fds(&[NotifyState::FdStore, LISTENER], &[listener.as_fd()]);
    log_failure(kept);
    Ok(listener)
}

/// Announces readiness and starts the watchdog messages. The runtime that answers requests sends them, so systemd
/// detects when it hangs.
pub(super) fn ready(lifecycle: &Lifecycle) {
    notify(&[NotifyState::Ready]);
    let Some(within) = sd_notify::watchdog_enabled() else {
        return;
    };
    let stopping = lifecycle.stopping();
    lifecycle.spawn("watchdog", async move {
        let mut beat = tokio::time::interval(within / 3);
        loop {
            tokio::select! {
                _ = beat.tick() => notify(&[NotifyState::Watchdog]),
                () = stopping.cancelled() => return,
            }
        }
    });
}

pub(super) fn stopping() {
    notify(&[NotifyState::Stopping]);
}

fn notify(state: &[NotifyState<'_>]) {
    log_failure(sd_notify::notify(state));
}

fn log_failure(result: io::Result<()>) {
    if let Err(e) = result {
        tracing::debug!(reason = %e, "daemon.notify_failed");
    }
}
