//! The listeners beside the public one, and the addresses that follow from them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;

use super::StartError;
use crate::base::lifecycle::Lifecycle;
use crate::config::PublicUrl;
use crate::web;

/// A second listener, without TLS, for programs on this machine. The certificate is not valid for a loopback address.
pub(super) async fn plain_listener() -> Result<TcpListener, StartError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = TcpListener::bind(address).await;
    listener.map_err(|reason| StartError::Bind { address, reason })
}

/// Redirects plain http to https. This is a convenience, so a port that can't be bound does not stop the gateway.
pub(super) async fn plain_port(address: SocketAddr, url: &PublicUrl, lifecycle: &Lifecycle) {
    match TcpListener::bind(address).await {
        Ok(listener) => {
            let sent_on = web::send_to_https(listener, url.clone(), lifecycle.stopping());
            lifecycle.spawn("web to https", sent_on);
        }
        Err(error) => tracing::warn!(%address, %error, "web.http_port_not_served"),
    }
}

/// The gateway's URL for programs on this machine.
pub(super) fn local_url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}
