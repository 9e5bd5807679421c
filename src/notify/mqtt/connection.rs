//! Opening a connection to the broker, and what its errors mean.

use std::io;
use std::time::Duration;

use rumqttc::{
    AsyncClient, Broker, ConnectReturnCode, ConnectionError, EventLoop, LastWill, MqttOptions, QoS,
};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::device::OFFLINE;
use crate::base::causes::chain;
use crate::base::secrets::random_id;
use crate::base::system_trust;
use crate::config::{BrokerConfig, ChannelConfig};
use crate::notify::send_error::SendError;

/// The MQTT keep-alive: the client pings the broker after this time without traffic. The broker publishes the last will
/// when it has received nothing for one and a half times as long.
const KEEP_ALIVE_S: u16 = 30;

/// Upper bound for a connection with its TLS handshake and sign-in.
const CONNECTING_S: u64 = 10;

/// Upper bound for a packet. What is published here has less than 4 KB.
const LARGEST_PACKET: usize = 64 * 1024;

/// How many requests the client queues for the network. Tasks with further requests wait.
const WAITING_REQUESTS: usize = 64;

/// A client, and the event loop that does its work. Nothing happens before the loop is polled.
pub(super) fn prepare(
    config: &ChannelConfig,
    broker: &BrokerConfig,
) -> Result<(AsyncClient, EventLoop), SendError> {
    let host = config.url.host_str().unwrap_or_default();
    let host = host.trim_matches(['[', ']']).to_owned();
    let port = config.url.port().unwrap_or_default();
    // A random client id, because a broker ends a connection when another one uses the same id.
    let mut options = MqttOptions::new(random_id("garmin-gateway-"), Broker::tcp(host.clone(), port));
    options.set_keep_alive(KEEP_ALIVE_S);
    options.set_max_packet_size(LARGEST_PACKET, LARGEST_PACKET);
    options.set_last_will(LastWill::new(
        broker.status_topic(),
        OFFLINE,
        QoS::AtLeastOnce,
        true,
    ));
    match (&broker.user, &config.token) {
        (Some(user), Some(password)) => {
            options.set_credentials(user.clone(), password.expose().as_bytes().to_vec());
        }
        (Some(user), None) => {
            options.set_username(user.clone());
        }
        (None, _) => {}
    }
    if config.url.scheme() == "mqtts" {
        let tls = system_trust::client().map_err(|e| {
            tracing::warn!(reason = %e, "mqtt.no_roots");
            SendError::Untrusted
        })?;
        options.set_socket_connector(move |_, _| {
            let (host, tls) = (host.clone(), TlsConnector::from(tls.clone()));
            async move {
                let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
                let stream = TcpStream::connect((host, port)).await?;
                stream.set_nodelay(true)?;
                tls.connect(name, stream).await
            }
        });
    }
    let (client, mut events) = AsyncClient::new(options, WAITING_REQUESTS);
    let mut network = events.network_options();
    network.set_connection_timeout(CONNECTING_S);
    events.set_network_options(network);
    Ok((client, events))
}

/// What ended a connection, or kept it from being made.
pub(super) fn read_error(error: &ConnectionError) -> SendError {
    tracing::debug!(reason = chain(error), "mqtt.disconnected");
    match error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) => SendError::Refused(401),
        ConnectionError::ConnectionRefused(ConnectReturnCode::ServiceUnavailable) => SendError::Server(503),
        ConnectionError::ConnectionRefused(_) => SendError::Refused(400),
        ConnectionError::Io(e) if is_untrusted(e) => SendError::Untrusted,
        _ => SendError::Unreachable,
    }
}

fn is_untrusted(error: &io::Error) -> bool {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::InvalidCertificate(_)))
}

/// Wait before the next connection after `failures` in a row (1 is the first).
pub(super) fn back_off(error: &SendError, failures: u32) -> Duration {
    let longest_s = match error {
        // Some brokers lock out an address that tries a wrong password too often.
        SendError::Refused(_) => 300,
        _ => 60,
    };
    let doubled = 1_u64 << failures.saturating_sub(1).min(16);
    Duration::from_secs(doubled.min(longest_s))
}
