//! All settings of the gateway as typed values.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::hosts::GarminHosts;
use super::live::Live;
use super::monitoring::Monitoring;
use super::problem::{SettingProblem, SettingSource};
use super::public_url::PublicUrl;
use super::races::RacesConfig;
use super::reader::{Effective, SettingsReader};
use super::secret::{self, SecretSource};
use super::settings::{self, near_miss};
use super::sources::Sources;
use super::tls::TlsSettings;
use super::workers::WorkerSettings;

#[derive(Clone, Debug)]
pub struct Config {
    pub public_url: PublicUrl,
    /// The address on which the gateway listens.
    pub bind: SocketAddr,
    pub tls: TlsSettings,
    /// The port where plain http is redirected to https.
    pub http_port: Option<u16>,
    /// Proxies whose `X-Forwarded-For` header is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// The directory of the database and the workers' logs.
    pub data_dir: PathBuf,
    pub db_path: PathBuf,
    /// The directory of the sockets and the workers' directories.
    pub runtime_dir: PathBuf,
    pub secret: SecretSource,
    /// The time without use after which a connection expires; `None`: never.
    pub sign_in_ttl: Option<Duration>,
    pub sign_in: SignInSettings,
    pub workers: WorkerSettings,
    pub garmin: GarminHosts,
    pub races: RacesConfig,
    /// The time between two requests for the history of one person.
    pub history_pace: Duration,
    pub monitoring: Monitoring,
    /// A file to which the log is also written.
    pub log_file: Option<PathBuf>,
    /// The settings that may change without a restart, as they were at the start.
    pub live: Live,
    /// Every setting with the value in effect.
    pub effective: Vec<Effective>,
    /// Names that are probably misspelt, and values that are accepted but discouraged.
    pub warnings: Vec<String>,
}

/// Rate limits for sign-ins at Garmin.
#[derive(Clone, Copy, Debug)]
pub struct SignInSettings {
    /// The minimum time between two sign-ins, across all people.
    pub spacing: Duration,
    /// The number of attempts per person and day.
    pub daily: u32,
}

impl Config {
    /// Reads all settings. Errors: the list of all problems.
    pub fn load(sources: &Sources) -> Result<Self, Vec<SettingProblem>> {
        let mut reader = SettingsReader::new(sources);
        let mut warnings = unknown(sources);
        let tls = TlsSettings::read(&mut reader);
        let ip: IpAddr = reader.get(&settings::BIND_ADDRESS, |text| {
            text.parse().map_err(|_| "it is not an IP address".into())
        });
        let port = u16::try_from(reader.number(&settings::PORT)).unwrap_or_default();
        let public_url = reader.get(&settings::PUBLIC_URL, PublicUrl::parse);
        tls.check(&mut reader, &public_url);
        let http_port = tls.http_port(&mut reader, port);
        let trusted_proxies = reader.items(&settings::TRUSTED_PROXIES, |text| {
            let address = || text.parse::<IpAddr>().map(IpNet::from);
            let network = text.parse::<IpNet>().or_else(|_| address());
            network.map_err(|_| "an entry is neither an address nor a network".into())
        });
        let data_dir = reader.path(&settings::DATA_DIR);
        let db_path = reader.path(&settings::DB_PATH);
        let runtime_dir = reader.path(&settings::RUNTIME_DIR);
        let secret = secret::read(&mut reader, &db_path, &mut warnings);
        let sign_in_ttl = reader.days(&settings::ACCESS_TOKEN_TTL_DAYS);
        let sign_in = SignInSettings {
            spacing: reader.duration(&settings::SIGN_IN_SPACING, 1),
            daily: reader.number(&settings::SIGN_IN_DAILY),
        };
        let workers = WorkerSettings::read(&mut reader);
        let garmin = GarminHosts::read(&mut reader);
        let races = RacesConfig::read(&mut reader);
        let history_pace = reader.duration(&settings::HISTORY_PACE, 1);
        let monitoring = Monitoring::read(&mut reader);
        let log_file = reader.string(&settings::GATEWAY_LOG_FILE).map(PathBuf::from);
        let live = Live::read(&mut reader);
        Ok(Self {
            effective: reader.finish()?,
            public_url,
            bind: SocketAddr::new(ip, port),
            tls,
            http_port,
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
            history_pace,
            monitoring,
            log_file,
            live,
            warnings,
        })
    }
}

/// Settings of earlier versions, and why nothing replaces them.
const RETIRED: [(&str, &str); 1] = [(
    "REGISTRATIONS_PER_HOUR",
    "a registration stores nothing, so there is nothing to limit",
)];

/// Warnings about names that are set but are not settings.
fn unknown(sources: &Sources) -> Vec<String> {
    let warning = |(name, source): (&str, SettingSource)| {
        if let Some((_, why)) = RETIRED.iter().find(|(retired, _)| *retired == name) {
            return Some(format!(
                "{name} ({source}) no longer has any effect: {why}; remove the line"
            ));
        }
        near_miss(name).map(|meant| format!("{name} ({source}) is not a setting; did you mean {meant}?"))
    };
    sources.names().filter_map(warning).collect()
}
