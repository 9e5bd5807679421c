//! All settings of the gateway as typed values.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::env_file::{WHOLE_FILE, can_be_setting};
use super::hosts::GarminHosts;
use super::live::Live;
use super::monitoring::Monitoring;
use super::problem::{SettingProblem, SettingSource};
use super::public_url::PublicUrl;
use super::races::{FOR_CLAUDE, RacesConfig};
use super::reader::{Effective, SettingsReader};
use super::secret::{self, SecretSource};
use super::settings::{self, NEIGHBOURS, SETTINGS, near_miss};
use super::sources::Sources;
use super::tls::TlsSettings;
use super::workers::{PASSED_ON, WorkerSettings};

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
        let unknown = unknown(sources);
        let mut warnings = unknown.iter().map(ToString::to_string).collect();
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
            network.map_err(|_| "it is neither an address nor a network".into())
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
        // A misspelt name may be why a value is wrong, so both are told together.
        let effective = reader.finish().map_err(|problems| [problems, unknown].concat())?;
        Ok(Self {
            effective,
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

/// Variables of other programs, and of the system, that an env file may set too.
const OF_OTHERS: &[&str] = &[
    "HOME",
    "TERM",
    "NO_COLOR",
    "STATE_DIRECTORY",
    "CONFIGURATION_DIRECTORY",
    "RUNTIME_DIRECTORY",
    "CREDENTIALS_DIRECTORY",
    "XDG_STATE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "RUST_BACKTRACE",
];

/// What is wrong with names that are set but are not settings. The environment is full of other programs' variables, so
/// only those that resemble a setting are told; the env file is the gateway's own.
fn unknown(sources: &Sources) -> Vec<SettingProblem> {
    let is_others = |name: &str| {
        [OF_OTHERS, PASSED_ON, FOR_CLAUDE, NEIGHBOURS]
            .iter()
            .any(|names| names.contains(&name))
    };
    let problem = |(name, source, line): (&str, SettingSource, Option<usize>)| {
        let is_setting = SETTINGS.iter().any(|setting| setting.name == name);
        let retired = RETIRED.iter().find(|(retired, _)| *retired == name);
        let in_file = line.is_some();
        let (what, fix) = if let Some((_, why)) = retired {
            (
                format!("it no longer has any effect: {why}"),
                "remove the line".to_owned(),
            )
        } else if let Some(meant) = near_miss(name).or_else(|| in_file.then(|| end_of(name)).flatten()) {
            ("it is not a setting".to_owned(), format!("did you mean {meant}?"))
        } else if in_file && !is_setting && !is_others(name) {
            let fix = "remove the line; `garmin-gateway config` shows all settings";
            (
                "it is not a setting, so it has no effect".to_owned(),
                fix.to_owned(),
            )
        } else {
            return None;
        };
        Some(SettingProblem {
            name: if in_file && !can_be_setting(name) {
                WHOLE_FILE
            } else {
                name
            }
            .to_owned(),
            source,
            what: line.map_or_else(|| what.clone(), |line| format!("line {line}: {what}")),
            fix,
        })
    };
    sources.names().filter_map(problem).collect()
}

/// The setting that `name` is in small letters, or the only one that ends like it: `LOG_LEVEL` means
/// `GATEWAY_LOG_LEVEL`. `None` for a setting itself.
fn end_of(name: &str) -> Option<&'static str> {
    let upper = name.to_ascii_uppercase();
    if let Some(meant) = SETTINGS.iter().find(|setting| setting.name == upper) {
        return (upper != name).then_some(meant.name);
    }
    let end = format!("_{upper}");
    let mut settings = SETTINGS.iter().filter(|setting| setting.name.ends_with(&end));
    let meant = settings.next()?;
    settings.next().is_none().then_some(meant.name)
}
