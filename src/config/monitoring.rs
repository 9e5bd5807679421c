//! External monitoring: metrics, a heartbeat and traces.

use std::net::SocketAddr;
use std::time::Duration;

use url::Url;

use super::hosts::any_url;
use super::problem::SettingProblem;
use super::reader::SettingsReader;
use super::settings;
use super::sources::Sources;
use crate::base::ssh_signature::SignerKey;

#[derive(Clone, Debug)]
pub struct Monitoring {
    /// The loopback address at which Prometheus scrapes metrics.
    pub metrics: Option<SocketAddr>,
    pub heartbeat: Option<Heartbeat>,
    /// The collector to which traces are sent (OTLP over HTTP).
    pub otlp: Option<Url>,
    pub news: Option<NewsSettings>,
}

/// The address of the news of this program, and the key that must have signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewsSettings {
    pub url: Url,
    pub key: SignerKey,
}

/// A dead man's switch: a server that raises an alarm when the gateway's posts stop.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// The URL that receives the posts. It is a secret, because anybody who knows it can silence the alarm.
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
                Err("metrics may only be served to this machine".to_owned())
            }
        });
        let url = reader.optional(&settings::HEARTBEAT_URL, any_url);
        let every = reader.duration(&settings::HEARTBEAT_SECS, 1);
        Self {
            metrics,
            heartbeat: url.map(|url| Heartbeat { url, every }),
            otlp: reader.optional(&settings::OTEL_EXPORTER_OTLP_ENDPOINT, any_url),
            news: NewsSettings::read(reader),
        }
    }
}

impl NewsSettings {
    /// Reads only these settings. Errors: what is wrong with them.
    pub fn load(sources: &Sources) -> Result<Option<Self>, Vec<SettingProblem>> {
        let mut reader = SettingsReader::new(sources);
        let news = Self::read(&mut reader);
        reader.finish().map(|_| news)
    }

    fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        let url = reader.optional(&settings::NEWS_URL, any_url);
        let key = reader.optional(&settings::NEWS_KEY, str::parse::<SignerKey>);
        // A value that does not parse is set, and has already been reported.
        let is_set = |reader: &mut SettingsReader<'_>, setting| reader.string(setting).is_some();
        if url.is_some() && !is_set(reader, &settings::NEWS_KEY) {
            let fix = "set NEWS_KEY to the public key of the releases";
            reader.problem_with(&settings::NEWS_URL, "no key says who may sign the news", fix);
        }
        if key.is_some() && !is_set(reader, &settings::NEWS_URL) {
            let fix = "set NEWS_URL, or remove NEWS_KEY";
            reader.problem_with(&settings::NEWS_KEY, "the address of the news is not set", fix);
        }
        Some(Self { url: url?, key: key? })
    }
}
