//! The settings of the gateway, typed.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use super::hosts::GarminHosts;
use super::live::Live;
use super::monitoring::Monitoring;
use super::names::near_miss;
use super::paths::Paths;
use super::races::RacesConfig;
use super::reader::{Effective, Problem, Reader, Source};
use super::sources::Sources;
use crate::base::http::is_loopback;
use crate::base::secrets::{RootSecret, RootSecretError, Secret};

/// All settings of the gateway.
#[derive(Clone, Debug)]
pub struct Config {
    /// What Claude and people call the gateway.
    pub public_url: PublicUrl,
    /// Where it listens.
    pub bind: SocketAddr,
    /// Whose forwarded headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Database and workers' logs.
    pub data_dir: PathBuf,
    /// The database.
    pub db_path: PathBuf,
    /// Sockets and workers' directories.
    pub runtime_dir: PathBuf,
    /// Where the secret is.
    pub secret: SecretSource,
    /// How long a sign-in lasts unused; `None` = for ever.
    pub sign_in_ttl: Option<Duration>,
    /// The pace of sign-ins at Garmin.
    pub sign_in: SignInSettings,
    /// The workers.
    pub workers: WorkerSettings,
    /// Garmin.
    pub garmin: GarminHosts,
    /// The races.
    pub races: RacesConfig,
    /// Who watches from elsewhere.
    pub monitoring: Monitoring,
    /// The log, but for its level.
    pub log: LogSettings,
    /// What changes without a restart, as it was at the start.
    pub live: Live,
    /// Every setting as it took effect.
    pub effective: Vec<Effective>,
    /// Names that look like mistakes, and what works but should be otherwise.
    pub warnings: Vec<String>,
}

/// How often Garmin may be asked to sign somebody in.
#[derive(Clone, Copy, Debug)]
pub struct SignInSettings {
    /// Between two sign-ins, of whomever.
    pub spacing: Duration,
    /// Of one person in a day.
    pub daily: u32,
}

/// How workers are run.
#[derive(Clone, Debug)]
pub struct WorkerSettings {
    /// The command as words; `None` = the built-in worker.
    pub command: Option<Vec<String>>,
    /// Ports on 127.0.0.1.
    pub ports: RangeInclusive<u16>,
    /// Unused for so long, a worker is stopped.
    pub idle_ttl: Duration,
    /// It must be healthy by then.
    pub startup_timeout: Duration,
    /// How many run at once.
    pub max: usize,
    /// `GARMIN_ENABLED_TOOLS`, as given.
    pub enabled_tools: Option<String>,
    /// `GARMIN_DISABLED_TOOLS`, as given.
    pub disabled_tools: Option<String>,
    /// Variables of the gateway that a worker needs as they are: locale, time zone, proxy, certificates.
    pub passed_on: Vec<(String, String)>,
}

/// Variables that are handed to workers when they are set.
const PASSED_ON: &[&str] = &[
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

/// The log, but for its level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// A file that gets every event as well.
    pub file: Option<PathBuf>,
}

/// The public address: scheme, host and port, no path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    url: Url,
}

impl PublicUrl {
    /// Reads `https://host[:port]`, or http on loopback. Errors: what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|e| format!("it is not a URL ({e})"))?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err("it has a path; the gateway answers at the root of its host".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it has a user name".into());
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => {
                return Err("Claude connects by https only, and a password would cross the network".into());
            }
            other => return Err(format!("{other} is not a scheme for this")),
        }
        Ok(Self {
            origin: url.origin().ascii_serialization(),
            url,
        })
    }

    /// `http://localhost:port`.
    #[expect(clippy::expect_used, reason = "a number in a constant text")]
    pub fn local(port: u16) -> Self {
        Self::parse(&format!("http://localhost:{port}")).expect("localhost with a port parses")
    }

    /// `https://host`, without a slash: the issuer.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// `https://host/mcp`: the connector URL, and the resource that tokens are for.
    pub fn mcp(&self) -> String {
        format!("{}/mcp", self.origin)
    }

    /// The host, without port.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The port, said or the scheme's own.
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    /// What a `Host` header says: host, and port unless it is the scheme's own.
    pub fn authority(&self) -> &str {
        self.origin
            .split_once("://")
            .map_or("", |(_, authority)| authority)
    }

    /// Whether people reach it over TLS.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether it is this machine only.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }
}

/// Where the secret is.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// In the settings themselves.
    Text(Secret),
    /// In a file that the operator (or systemd) provides.
    File(PathBuf),
    /// In a file that is made when it is missing.
    Made(PathBuf),
}

impl SecretSource {
    /// The secret, and whether it was made just now.
    pub fn resolve(&self) -> Result<(RootSecret, bool), RootSecretError> {
        match self {
            Self::Text(text) => RootSecret::new(text.expose()).map(|secret| (secret, false)),
            Self::File(path) => RootSecret::read(path).map(|secret| (secret, false)),
            Self::Made(path) => RootSecret::read_or_create(path),
        }
    }

    /// The secret; a file that is missing is not made.
    pub fn read(&self) -> Result<RootSecret, RootSecretError> {
        match self {
            Self::Text(text) => RootSecret::new(text.expose()),
            Self::File(path) | Self::Made(path) => RootSecret::read(path),
        }
    }

    /// The file, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Text(_) => None,
            Self::File(path) | Self::Made(path) => Some(path),
        }
    }
}

impl Config {
    /// Reads all settings. Errors: every mistake, at once.
    pub fn load(sources: &Sources) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new(sources);
        let paths = Paths::find(sources);
        let mut warnings = pointed_out(sources);

        let ip = reader.parse(
            "BIND_ADDRESS",
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            "write an IP address",
            |text| text.parse().map_err(|_| "it is not an IP address".into()),
        );
        let port = u16::try_from(reader.number("PORT", 8080, 0, 65_535)).unwrap_or(8080);
        let bind = SocketAddr::new(ip, port);
        let fix = "write https://your.host, without a path; http is for localhost only";
        let public_url = reader.parse("PUBLIC_URL", PublicUrl::local(port), fix, PublicUrl::parse);
        let trusted_proxies = reader.items(
            "TRUSTED_PROXIES",
            "write 127.0.0.1 or 10.0.0.0/8, comma-separated",
            |text| {
                let network = text
                    .parse::<IpNet>()
                    .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
                network.map_err(|_| "an entry is neither an address nor a network".into())
            },
        );
        let data_dir = reader.path("DATA_DIR", paths.data);
        let db_path = reader.path("DB_PATH", Ok(data_dir.join("gateway.db")));
        let runtime_dir = reader.path("RUNTIME_DIR", paths.runtime);
        let secret = secret(&mut reader, paths.config, &mut warnings);
        let days = reader.number("ACCESS_TOKEN_TTL_DAYS", 90, 0, 36_500);
        let sign_in = SignInSettings {
            spacing: reader.seconds("SIGN_IN_SPACING", 5, 0, 3_600),
            daily: reader.number("SIGN_IN_DAILY", 6, 1, 1_000),
        };
        let workers = workers(&mut reader);
        let garmin = GarminHosts::read(&mut reader);
        let races = RacesConfig::read(&mut reader);
        let monitoring = Monitoring::read(&mut reader);
        let log = LogSettings {
            file: reader.text("GATEWAY_LOG_FILE").map(PathBuf::from),
        };
        let live = Live::read(&mut reader);

        reader.show("PUBLIC_URL", public_url.origin());
        reader.show("BIND_ADDRESS", ip);
        reader.show("PORT", port);
        reader.show("TRUSTED_PROXIES", list(&trusted_proxies));
        reader.show("ACCESS_TOKEN_TTL_DAYS", days);
        reader.show("SIGN_IN_SPACING", sign_in.spacing.as_secs());
        reader.show("SIGN_IN_DAILY", sign_in.daily);
        reader.show("DATA_DIR", data_dir.display());
        reader.show("DB_PATH", db_path.display());
        reader.show("RUNTIME_DIR", runtime_dir.display());
        reader.show(
            "GATEWAY_LOG_FILE",
            log.file.as_deref().unwrap_or(Path::new("")).display(),
        );

        let Reader {
            problems,
            mut effective,
            ..
        } = reader;
        if !problems.is_empty() {
            return Err(problems);
        }
        let order = |e: &Effective| super::SETTINGS.iter().position(|s| s.name == e.name);
        effective.sort_by_key(order);
        let sign_in_ttl = (days > 0).then(|| Duration::from_secs(u64::from(days) * 86_400));
        Ok(Self {
            public_url,
            bind,
            trusted_proxies,
            data_dir,
            db_path,
            runtime_dir,
            secret,
            sign_in_ttl,
            sign_in,
            workers,
            garmin,
            races,
            monitoring,
            log,
            live,
            effective,
            warnings,
        })
    }
}

fn list(items: &[impl fmt::Display]) -> String {
    items
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

/// Names that were probably meant to be others.
fn pointed_out(sources: &Sources) -> Vec<String> {
    sources
        .names()
        .filter_map(|(name, source)| {
            near_miss(name).map(|meant| format!("{name} ({source}) is not a setting; did you mean {meant}?"))
        })
        .collect()
}

fn secret(
    reader: &mut Reader<'_>,
    config_dir: Result<PathBuf, &'static str>,
    warnings: &mut Vec<String>,
) -> SecretSource {
    let text = reader.text("GATEWAY_SECRET");
    let file = reader.text("GATEWAY_SECRET_FILE");
    if text.is_some() && file.is_some() {
        reader.problem(
            "GATEWAY_SECRET",
            "GATEWAY_SECRET_FILE is set too",
            "set one of the two",
        );
    }
    if let Some(text) = text {
        if let Err(e) = RootSecret::new(text) {
            reader.problem(
                "GATEWAY_SECRET",
                e.to_string(),
                "or leave it out: a file is made for you",
            );
        }
        if matches!(
            reader.sources.find("GATEWAY_SECRET"),
            Some((_, Source::Environment))
        ) {
            warnings.push(
                "GATEWAY_SECRET is in the environment, where /proc and container tools show it; \
                 GATEWAY_SECRET_FILE is safer"
                    .into(),
            );
        }
        reader.show("GATEWAY_SECRET", "(hidden)");
        return SecretSource::Text(Secret::new(text));
    }
    if let Some(path) = file {
        reader.show("GATEWAY_SECRET_FILE", path);
        return SecretSource::Made(path.into());
    }
    let credential = reader
        .sources
        .find("CREDENTIALS_DIRECTORY")
        .map(|(dir, _)| Path::new(dir).join("secret"))
        .filter(|path| path.exists());
    if let Some(path) = credential {
        reader.show("GATEWAY_SECRET_FILE", path.display());
        return SecretSource::File(path);
    }
    let path = reader.path("GATEWAY_SECRET_FILE", config_dir.map(|dir| dir.join("secret")));
    reader.show("GATEWAY_SECRET_FILE", path.display());
    SecretSource::Made(path)
}

fn workers(reader: &mut Reader<'_>) -> WorkerSettings {
    let command = reader.parse(
        "GARMIN_MCP_CMD",
        None,
        "write a program and its arguments",
        |text| {
            let words = shlex::split(text).ok_or("a quotation mark is not closed")?;
            if words.is_empty() {
                Err("it is empty".into())
            } else {
                Ok(Some(words))
            }
        },
    );
    let start = reader.number("WORKER_PORT_START", 9000, 1024, 65_535);
    let end = reader.number("WORKER_PORT_END", 9099, 1024, 65_535);
    if end < start {
        reader.problem(
            "WORKER_PORT_END",
            "it is below WORKER_PORT_START",
            "write a higher port",
        );
    }
    let max = reader.number("MAX_WORKERS", 10, 1, 10_000);
    if end >= start && max > end - start + 1 {
        let what = format!("there are only {} ports for them", end - start + 1);
        reader.problem(
            "MAX_WORKERS",
            what,
            "lower it, or widen WORKER_PORT_START to WORKER_PORT_END",
        );
    }
    let to_port = |n: u32| u16::try_from(n).unwrap_or(u16::MAX);
    let passed_on = PASSED_ON.iter().filter_map(|name| {
        let (value, _) = reader.sources.find(name)?;
        Some(((*name).to_owned(), value.to_owned()))
    });
    let settings = WorkerSettings {
        command,
        ports: to_port(start)..=to_port(end),
        passed_on: passed_on.collect(),
        idle_ttl: reader.seconds("WORKER_IDLE_TTL", 900, 1, 604_800),
        startup_timeout: reader.seconds("WORKER_STARTUP_TIMEOUT", 20, 1, 600),
        max: usize::try_from(max).unwrap_or(usize::MAX),
        enabled_tools: reader.text("GARMIN_ENABLED_TOOLS").map(str::to_owned),
        disabled_tools: reader.text("GARMIN_DISABLED_TOOLS").map(str::to_owned),
    };
    reader.show(
        "GARMIN_MCP_CMD",
        settings
            .command
            .as_ref()
            .map_or_else(|| "the built-in worker".to_owned(), |words| words.join(" ")),
    );
    reader.show(
        "GARMIN_ENABLED_TOOLS",
        settings.enabled_tools.as_deref().unwrap_or_default(),
    );
    reader.show(
        "GARMIN_DISABLED_TOOLS",
        settings.disabled_tools.as_deref().unwrap_or_default(),
    );
    reader.show("WORKER_PORT_START", start);
    reader.show("WORKER_PORT_END", end);
    reader.show("WORKER_IDLE_TTL", settings.idle_ttl.as_secs());
    reader.show("WORKER_STARTUP_TIMEOUT", settings.startup_timeout.as_secs());
    reader.show("MAX_WORKERS", settings.max);
    settings
}
