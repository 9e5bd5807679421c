//! The settings of the built-in worker. They are the variables of the Python `garmin_mcp`, with the same meanings.
//!
//! One default differs: `GARMIN_MCP_HOST` is loopback, because the worker does not authenticate its callers.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use jiff::tz::TimeZone;
use url::Url;

use super::hosts::{GarminDomain, GarminHosts};
use super::problem::{SettingProblem, SettingSource};
use super::reader::SettingsReader;
use super::sources::Sources;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Standard input and output, with one JSON-RPC message per line.
    Stdio,
    /// HTTP at this address, with the path `/mcp`.
    StreamableHttp(SocketAddr),
}

#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// `GARMIN_MCP_TRANSPORT`, `GARMIN_MCP_HOST`, `GARMIN_MCP_PORT`.
    pub transport: Transport,
    /// `GARMINTOKENS`: the path of the token file.
    pub tokens: PathBuf,
    /// `GARMIN_ENABLED_TOOLS`: the only tools to offer, in lower case; takes precedence over `disabled`.
    pub enabled: Option<BTreeSet<String>>,
    /// `GARMIN_DISABLED_TOOLS`: the tools not to offer, in lower case.
    pub disabled: BTreeSet<String>,
    /// Garmin's hosts, from `GARMIN_IS_CN` or the base URLs.
    pub garmin: GarminHosts,
    /// `GARMIN_TIME_ZONE`: the zone that the person chose; `None` for that of the Garmin profile.
    pub time_zone: Option<TimeZone>,
}

impl WorkerConfig {
    /// Reads the worker's variables. Errors: the list of all problems.
    pub fn load(sources: &Sources) -> Result<Self, Vec<SettingProblem>> {
        let mut problems = Vec::new();
        let var = |name: &str| sources.find(name).map(|(value, _)| value);
        let mut wrong = |name: &str, what: &str, fix: &str| {
            let source = sources.find(name).map(|(_, source)| source);
            problems.push(SettingProblem {
                name: name.into(),
                source: source.unwrap_or(SettingSource::Default),
                what: what.into(),
                fix: fix.into(),
            });
        };
        let host = var("GARMIN_MCP_HOST").map_or(Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)), str::parse);
        let port = var("GARMIN_MCP_PORT").map_or(Ok(8000), str::parse);
        let mut transport = Transport::Stdio;
        match (var("GARMIN_MCP_TRANSPORT").unwrap_or("stdio"), host, port) {
            ("stdio", ..) => {}
            ("streamable-http", Ok(host), Ok(port)) => {
                transport = Transport::StreamableHttp(SocketAddr::new(host, port));
            }
            ("streamable-http", Err(_), _) => {
                wrong("GARMIN_MCP_HOST", "it is not an IP address", "write 127.0.0.1");
            }
            ("streamable-http", _, Err(_)) => {
                wrong(
                    "GARMIN_MCP_PORT",
                    "it is not a port",
                    "write a number from 0 to 65535",
                );
            }
            _ => {
                let fix = "write stdio or streamable-http";
                wrong("GARMIN_MCP_TRANSPORT", "it is not a known transport", fix);
            }
        }
        let tokens = match (var("GARMINTOKENS"), var("HOME").map(PathBuf::from)) {
            (Some(given), home) => token_file(given, home),
            (None, Some(home)) => home.join(".garminconnect/garmin_tokens.json"),
            (None, None) => {
                let fix = "write the path of garmin_tokens.json";
                wrong("GARMINTOKENS", "neither it nor HOME is set", fix);
                PathBuf::new()
            }
        };
        let mut hosts = sources.pick(&["GARMIN_CONNECTAPI_URL", "GARMIN_DIAUTH_URL"]);
        let is_cn = var("GARMIN_IS_CN").map(str::to_ascii_lowercase);
        if is_cn.is_some_and(|text| matches!(text.as_str(), "true" | "1" | "yes")) {
            hosts.push(("GARMIN_DOMAIN".into(), GarminDomain::Cn.to_string()));
        }
        let hosts = Sources::of_pairs(hosts.iter().map(|(k, v)| (k.as_str(), v.as_str())));
        let mut reader = SettingsReader::new(&hosts);
        let garmin = GarminHosts::read(&mut reader);
        problems.append(&mut reader.problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            transport,
            tokens,
            enabled: var("GARMIN_ENABLED_TOOLS").map(names),
            disabled: var("GARMIN_DISABLED_TOOLS").map(names).unwrap_or_default(),
            garmin,
            time_zone: var("GARMIN_TIME_ZONE").and_then(|name| TimeZone::get(name).ok()),
        })
    }

    /// Whether the lists of enabled and disabled tools permit `tool`.
    pub fn offers(&self, tool: &str) -> bool {
        match &self.enabled {
            Some(enabled) => enabled.contains(tool),
            None => !self.disabled.contains(tool),
        }
    }

    pub fn connectapi(&self) -> &Url {
        &self.garmin.connectapi
    }
}

fn names(list: &str) -> BTreeSet<String> {
    list.split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect()
}

/// The token file for a value of `GARMINTOKENS`. A path that is a directory or does not end in `.json` means the
/// default file in that directory; `~` is the home directory.
fn token_file(given: &str, home: Option<PathBuf>) -> PathBuf {
    let path = match (given.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(given),
    };
    if path.extension().is_some_and(|e| e == "json") && !path.is_dir() {
        path
    } else {
        path.join("garmin_tokens.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(pairs: &[(&str, &str)]) -> Result<WorkerConfig, Vec<SettingProblem>> {
        WorkerConfig::load(&Sources::of_pairs(pairs.iter().copied()))
    }

    #[test]
    fn the_variables_mean_what_they_mean_to_garmin_mcp() {
        let config = load(&[("HOME", "/home/ann")]).unwrap();
        assert_eq!(config.transport, Transport::Stdio);
        assert_eq!(
            config.tokens,
            PathBuf::from("/home/ann/.garminconnect/garmin_tokens.json")
        );
        let config = load(&[
            ("GARMIN_MCP_TRANSPORT", "streamable-http"),
            ("GARMIN_MCP_PORT", "9001"),
            ("GARMINTOKENS", "/run/x"),
            ("GARMIN_IS_CN", "true"),
            ("GARMIN_ENABLED_TOOLS", "Get_Stats, get_activity"),
        ])
        .unwrap();
        assert_eq!(
            config.transport,
            Transport::StreamableHttp("127.0.0.1:9001".parse().unwrap())
        );
        assert_eq!(config.tokens, PathBuf::from("/run/x/garmin_tokens.json"));
        assert_eq!(config.connectapi().as_str(), "https://connectapi.garmin.cn/");
        assert!(config.offers("get_stats") && !config.offers("get_steps_data"));
    }

    #[test]
    fn mistakes_are_told_together() {
        let problems = load(&[("GARMIN_MCP_TRANSPORT", "sse")]).unwrap_err();
        let names: Vec<&str> = problems.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["GARMIN_MCP_TRANSPORT", "GARMINTOKENS"]);
    }
}
