//! Settings for the end of a race, its retention, and its analysis by Claude.

use std::time::Duration;

use url::Url;

use super::hosts::any_url;
use super::map_tiles::MapTiles;
use super::reader::SettingsReader;
use super::settings;

#[derive(Clone, Debug)]
pub struct RacesConfig {
    /// A race is considered over after this time without a new point …
    pub stale_stop: Duration,
    /// … provided that it has lasted at least this long.
    pub min_elapsed: Duration,
    /// The time for which finished races are kept; `None`: forever.
    pub retention: Option<Duration>,
    /// The map below the course on live pages.
    pub map_tiles: Option<MapTiles>,
    pub coach: CoachConfig,
}

/// Settings for the analysis of races by Claude.
#[derive(Clone, Debug)]
pub struct CoachConfig {
    pub by: CoachedBy,
    /// The maximum duration of one analysis.
    pub timeout: Duration,
    /// The maximum number of concurrent analyses.
    pub at_once: usize,
    /// The maximum number of analyses per day for one person's races.
    pub daily: u32,
    /// The maximum reported cost of all analyses of a day, in US cents; `None`: no limit.
    pub daily_cents: Option<u32>,
}

/// The way in which Claude is started.
#[derive(Clone, Debug)]
pub enum CoachedBy {
    Nobody,
    /// A runner that accepts jobs over HTTP.
    Runner {
        /// Jobs are posted to `/run` below this address.
        url: Url,
        workspace: String,
    },
    /// A command that the gateway starts.
    Command {
        words: Vec<String>,
        /// The complete environment of the command.
        environment: Vec<(String, String)>,
    },
}

/// Variables that Claude Code needs unchanged: the location of its login, proxies, certificates, keys.
pub(super) const FOR_CLAUDE: &[&str] = &[
    "HOME",
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_MODEL",
    "CLAUDE_CONFIG_DIR",
    "CLAUDE_CODE_OAUTH_TOKEN",
];

impl RacesConfig {
    pub(super) fn read(reader: &mut SettingsReader<'_>) -> Self {
        Self {
            stale_stop: reader.duration(&settings::STALE_STOP_MIN, 60),
            min_elapsed: reader.duration(&settings::MIN_ELAPSED_MIN, 60),
            retention: reader.days(&settings::RACE_RETENTION_DAYS),
            map_tiles: MapTiles::read(reader),
            coach: CoachConfig::read(reader),
        }
    }
}

impl CoachConfig {
    fn read(reader: &mut SettingsReader<'_>) -> Self {
        let runner = reader.optional(&settings::CLAUDE_RUNNER_URL, any_url);
        let command = reader.command(&settings::CLAUDE_CMD);
        let workspace = reader.get(&settings::CLAUDE_RUNNER_WORKSPACE, |text| Ok(text.to_owned()));
        let by = match (runner, command) {
            (None, None) => CoachedBy::Nobody,
            (Some(url), None) => CoachedBy::Runner { url, workspace },
            (runner, Some(words)) => {
                if runner.is_some() {
                    reader.problem_with(
                        &settings::CLAUDE_CMD,
                        "CLAUDE_RUNNER_URL is set too",
                        "set only one of them",
                    );
                }
                let environment = reader.sources.pick(FOR_CLAUDE);
                CoachedBy::Command { words, environment }
            }
        };
        let cents = reader.get(&settings::ANALYSIS_DAILY_USD, cents);
        Self {
            by,
            timeout: reader.duration(&settings::ANALYSIS_TIMEOUT, 1),
            at_once: usize::try_from(reader.number(&settings::ANALYSIS_AT_ONCE)).unwrap_or(1),
            daily: reader.number(&settings::ANALYSIS_DAILY),
            daily_cents: (cents > 0).then_some(cents),
        }
    }
}

/// Parses dollars with up to two decimals and returns cents. Errors: what is wrong, for a setting.
fn cents(text: &str) -> Result<u32, String> {
    let not_money = || "it is not an amount".to_owned();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = format!("{part:0<2}");
    let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    let (whole, part) = (
        whole.parse::<u32>().ok(),
        part.parse::<u32>().ok().filter(|_| digits),
    );
    whole
        .zip(part)
        .and_then(|(whole, part)| whole.checked_mul(100)?.checked_add(part))
        .ok_or_else(not_money)
}
