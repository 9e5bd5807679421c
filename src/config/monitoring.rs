//! External monitoring: metrics, a heartbeat and traces.

use std::net::SocketAddr;
use std::time::Duration;

use url::Url;

use super::hosts::any_url;
use super::reader::SettingsReader;
use super::settings;

#[derive(Clone, Debug)]
pub struct Monitoring {
    /// The loopback address at which Prometheus scrapes metrics.
    pub metrics: Option<SocketAddr>,
    pub heartbeat: Option<Heartbeat>,
    /// The collector to which traces are sent (OTLP over HTTP).
    pub otlp: Option<Url>,
}

/// A dead man's switch: a server that raises an alarm when the gateway's posts stop.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// Receives the posts. It is a secret: knowing it is enough to silence the alarm.
    pub url: Url,
    pub every: Duration,
}

impl Monitoring {
    pub(super) fn read(reader: &mut SettingsReader<'_>) -> Self {
        let metrics = reader.optional(&settings::METRICS_ADDRESS, |text| {
            let address: SocketAddr = text.parse().map_err(|_| "it is not an address with a port")?;
            if address.ip().is_loopback() {
                Ok(address)
            } else {
                Err("metrics are for this machine alone".to_owned())
            }
        });
        let url = reader.optional(&settings::HEARTBEAT_URL, any_url);
        let every = reader.duration(&settings::HEARTBEAT_SECS, 1);
        Self {
            metrics,
            heartbeat: url.map(|url| Heartbeat { url, every }),
            otlp: reader.optional(&settings::OTEL_EXPORTER_OTLP_ENDPOINT, any_url),
        }
    }
}
