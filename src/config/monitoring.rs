//! Who watches the gateway from elsewhere.

use std::net::SocketAddr;
use std::time::Duration;

use url::Url;

use super::races::any_url;
use super::reader::Reader;

/// Where what is measured goes, each if anywhere.
#[derive(Clone, Debug)]
pub struct Monitoring {
    /// Where Prometheus asks for metrics: an address of this machine.
    pub metrics: Option<SocketAddr>,
    /// A dead-man's switch.
    pub heartbeat: Option<Heartbeat>,
    /// A collector of traces (OTLP over HTTP).
    pub otlp: Option<Url>,
}

/// A server that raises the alarm when it hears nothing.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// Where to post; whoever knows it can silence the alarm.
    pub url: Url,
    /// How often.
    pub every: Duration,
}

impl Monitoring {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let metrics = reader.parse(
            "METRICS_ADDRESS",
            None,
            "write an address of this machine with a port, such as 127.0.0.1:9464",
            |text| {
                let address: SocketAddr = text.parse().map_err(|_| "it is not an address with a port")?;
                if address.ip().is_loopback() {
                    Ok(Some(address))
                } else {
                    Err("metrics are for this machine alone".to_owned())
                }
            },
        );
        let shown = metrics.map_or_else(String::new, |address| address.to_string());
        reader.show("METRICS_ADDRESS", shown);
        let fix = "write the address that the service gave you, such as https://hc-ping.com/…";
        let url = reader.parse("HEARTBEAT_URL", None, fix, |text| any_url(text).map(Some));
        let every = reader.seconds("HEARTBEAT_SECS", 300, 10, 86_400);
        reader.show("HEARTBEAT_URL", if url.is_some() { "(hidden)" } else { "" });
        reader.show("HEARTBEAT_SECS", every.as_secs());
        let fix = "write the collector's address, such as http://127.0.0.1:4318";
        let otlp = reader.parse("OTEL_EXPORTER_OTLP_ENDPOINT", None, fix, |text| {
            any_url(text).map(Some)
        });
        reader.show(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            otlp.as_ref().map_or("", Url::as_str),
        );
        Self {
            metrics,
            heartbeat: url.map(|url| Heartbeat { url, every }),
            otlp,
        }
    }
}
