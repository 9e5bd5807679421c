//! The private interface: a Unix socket for the console and the CLI.
//!
//! [`api`] defines the protocol and [`views`] the data it shows; [`service`] carries out reads and acts; [`operations`]
//! holds the acts that span several modules, and [`news`] the news of new releases; `server` and [`client`] are the two
//! ends of the socket.

mod access;
pub mod api;
pub mod client;
mod export;
mod feed;
mod maintenance;
pub mod metrics;
pub mod news;
pub mod operations;
mod overview;
mod people;
mod races;
mod server;
pub mod service;
mod shares;
mod socket;
pub mod stream;
mod tools;
pub mod views;

pub use socket::{NAME as SOCKET_NAME, SocketError};

use std::path::Path;

use crate::base::lifecycle::Lifecycle;
use crate::base::log::Ring;
use service::AdminService;

/// Serves the admin socket in `runtime_dir` until the lifecycle stops.
pub fn start(
    runtime_dir: &Path,
    service: AdminService,
    ring: Ring,
    lifecycle: &Lifecycle,
) -> Result<(), SocketError> {
    let listener = socket::listen_at(&runtime_dir.join(socket::NAME))?;
    let feed = feed::Feed::start(service.clone(), &ring, lifecycle);
    let served = server::serve(listener, service, feed, ring, lifecycle.clone());
    lifecycle.spawn("admin", served);
    Ok(())
}
