//! The private face: a unix socket for the console and the CLI, and nothing else.
//!
//! [`api`] is the whole contract; [`desk`] reads the rooms for it; [`operations`] are the acts that concern several
//! rooms and read like the policy; [`server`] and [`client`] are the two ends of the socket.

pub mod api;
pub mod client;
pub mod desk;
mod export;
mod feed;
mod keeping;
mod lines;
pub mod metrics;
pub mod operations;
mod races;
mod server;
mod socket;
mod stream;

pub use socket::{NAME as SOCKET_NAME, SocketError};

use std::path::Path;

use crate::base::lifecycle::Lifecycle;
use crate::base::log::Ring;
use desk::Desk;

/// Serves the admin socket in `runtime_dir` until the lifecycle stops.
pub fn start(runtime_dir: &Path, desk: Desk, ring: Ring, lifecycle: &Lifecycle) -> Result<(), SocketError> {
    let listener = socket::listen_at(&runtime_dir.join(socket::NAME))?;
    let feed = feed::Feed::start(desk.clone(), &ring, lifecycle);
    lifecycle.spawn(
        "admin",
        server::serve(listener, desk, feed, ring, lifecycle.clone()),
    );
    Ok(())
}
