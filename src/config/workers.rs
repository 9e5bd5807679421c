//! The settings for running workers.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::reader::SettingsReader;
use super::settings;

#[derive(Clone, Debug)]
pub struct WorkerSettings {
    /// The command, split into words; `None`: the built-in worker.
    pub command: Option<Vec<String>>,
    /// The ports for workers on 127.0.0.1.
    pub ports: RangeInclusive<u16>,
    /// The time without use after which a worker is stopped.
    pub idle_ttl: Duration,
    /// The maximum time until a worker is ready. After that, it counts as failed.
    pub startup_timeout: Duration,
    /// The maximum number of concurrent workers.
    pub max: usize,
    /// The value of `GARMIN_ENABLED_TOOLS`, passed on unchanged.
    pub enabled_tools: Option<String>,
    /// The value of `GARMIN_DISABLED_TOOLS`, passed on unchanged.
    pub disabled_tools: Option<String>,
    /// Variables of the gateway that a worker needs unchanged: locale, time zone, proxy, certificates.
    pub passed_on: Vec<(String, String)>,
}

/// Variables of the gateway's environment that every worker gets.
pub(super) const PASSED_ON: &[&str] = &[
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "PATH",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
];

impl WorkerSettings {
    pub(super) fn read(reader: &mut SettingsReader<'_>) -> Self {
        let start = reader.number(&settings::WORKER_PORT_START);
        let end = reader.number(&settings::WORKER_PORT_END);
        let max = reader.number(&settings::MAX_WORKERS);
        if end < start {
            reader.problem_with(
                &settings::WORKER_PORT_END,
                "it is below WORKER_PORT_START",
                "write a higher port",
            );
        } else if max > end - start + 1 {
            reader.problem_with(
                &settings::MAX_WORKERS,
                format!("there are only {} ports for them", end - start + 1),
                "lower it, or widen WORKER_PORT_START to WORKER_PORT_END",
            );
        }
        let port = |n: u32| u16::try_from(n).unwrap_or(u16::MAX);
        Self {
            command: reader.command(&settings::GARMIN_MCP_CMD),
            ports: port(start)..=port(end),
            idle_ttl: reader.duration(&settings::WORKER_IDLE_TTL, 1),
            startup_timeout: reader.duration(&settings::WORKER_STARTUP_TIMEOUT, 1),
            max: usize::try_from(max).unwrap_or(usize::MAX),
            enabled_tools: reader.string(&settings::GARMIN_ENABLED_TOOLS),
            disabled_tools: reader.string(&settings::GARMIN_DISABLED_TOOLS),
            passed_on: reader.sources.pick(PASSED_ON),
        }
    }
}
