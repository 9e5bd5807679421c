//! Every setting of the gateway, once: its name, its default, what it is for, and when a change takes effect.

/// When a changed value takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// As soon as the env file is saved.
    Live,
    /// At the next start.
    Restart,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The name of the variable.
    pub name: &'static str,
    /// The default, as a person would write it.
    pub default: &'static str,
    /// What it is for, in one sentence.
    pub about: &'static str,
    /// When a change takes effect.
    pub change: Change,
}

const fn live(name: &'static str, default: &'static str, about: &'static str) -> Setting {
    Setting {
        name,
        default,
        about,
        change: Change::Live,
    }
}

const fn restart(name: &'static str, default: &'static str, about: &'static str) -> Setting {
    Setting {
        name,
        default,
        about,
        change: Change::Restart,
    }
}

/// All settings, in the order in which they are shown.
pub const SETTINGS: &[Setting] = &[
    restart(
        "PUBLIC_URL",
        "http://localhost:PORT",
        "The address that Claude and people use: https://host, no path.",
    ),
    restart("BIND_ADDRESS", "127.0.0.1", "The address to listen on."),
    restart("PORT", "8080", "The port to listen on."),
    restart(
        "TRUSTED_PROXIES",
        "",
        "Addresses or networks whose X-Forwarded-For is believed, comma-separated.",
    ),
    live(
        "INVITED",
        "",
        "Who may sign in: e-mails or @domains, comma-separated.",
    ),
    live(
        "OPEN_SIGN_UP",
        "false",
        "Whether anybody with a Garmin account may sign in.",
    ),
    live(
        "REDIRECT_HOSTS",
        "",
        "Hosts that clients may return to, besides Claude's and loopback.",
    ),
    live("OPERATOR_NAME", "", "Who runs this gateway, shown on its pages."),
    live(
        "OPERATOR_EMAIL",
        "",
        "How to reach the operator, shown on the pages.",
    ),
    restart(
        "ACCESS_TOKEN_TTL_DAYS",
        "90",
        "How many days a sign-in lasts unused; 0 = for ever.",
    ),
    live(
        "CALLS_PER_MINUTE",
        "120",
        "Tool calls that one account may make in a minute.",
    ),
    live(
        "REGISTRATIONS_PER_HOUR",
        "120",
        "Clients that may register in an hour, all together.",
    ),
    restart(
        "SIGN_IN_SPACING",
        "5",
        "Seconds between two sign-ins at Garmin, of all people together.",
    ),
    restart(
        "SIGN_IN_DAILY",
        "6",
        "Sign-ins at Garmin that one person may try in a day.",
    ),
    restart(
        "DATA_DIR",
        "the state directory",
        "Where the database and the workers' logs are.",
    ),
    restart("DB_PATH", "DATA_DIR/gateway.db", "The directory of the database."),
    restart(
        "RUNTIME_DIR",
        "the runtime directory",
        "Where sockets and the workers' directories are; best on tmpfs.",
    ),
    restart(
        "GATEWAY_SECRET",
        "",
        "The secret that seals the data, 32 characters or more; better given as a file.",
    ),
    restart(
        "GATEWAY_SECRET_FILE",
        "the configuration directory/secret",
        "The file that holds the secret; made when missing.",
    ),
    restart(
        "GARMIN_MCP_CMD",
        "the built-in worker",
        "The command that starts a worker, as words; never a shell.",
    ),
    restart("GARMIN_ENABLED_TOOLS", "", "Only these tools, comma-separated."),
    restart("GARMIN_DISABLED_TOOLS", "", "Not these tools, comma-separated."),
    restart(
        "WORKER_PORT_START",
        "9000",
        "The first port for workers on 127.0.0.1.",
    ),
    restart("WORKER_PORT_END", "9099", "The last port for workers."),
    restart(
        "WORKER_IDLE_TTL",
        "900",
        "Seconds before an unused worker is stopped.",
    ),
    restart(
        "WORKER_STARTUP_TIMEOUT",
        "20",
        "Seconds that a worker may take to become healthy.",
    ),
    restart("MAX_WORKERS", "10", "How many workers may run at once."),
    restart("GARMIN_DOMAIN", "garmin.com", "garmin.com or garmin.cn."),
    restart(
        "GARMIN_SSO_URL",
        "https://sso.GARMIN_DOMAIN",
        "Garmin's sign-in host.",
    ),
    restart(
        "GARMIN_DIAUTH_URL",
        "https://diauth.GARMIN_DOMAIN",
        "Garmin's token host.",
    ),
    restart(
        "GARMIN_CONNECTAPI_URL",
        "https://connectapi.GARMIN_DOMAIN",
        "Garmin's API host.",
    ),
    restart(
        "GARMIN_LIVETRACK_URL",
        "https://livetrack.GARMIN_DOMAIN",
        "Garmin's LiveTrack host.",
    ),
    restart(
        "STALE_STOP_MIN",
        "15",
        "Minutes without a new point after which a race is over …",
    ),
    restart(
        "MIN_ELAPSED_MIN",
        "30",
        "… if it has gone on for so many minutes.",
    ),
    restart(
        "RACE_RETENTION_DAYS",
        "0",
        "Days after which past races and what was used are erased; 0 = never.",
    ),
    restart(
        "CLAUDE_RUNNER_URL",
        "",
        "A claude-runner that has Claude look at races (POST /run).",
    ),
    restart(
        "CLAUDE_RUNNER_WORKSPACE",
        "training",
        "The workspace that the runner is told.",
    ),
    restart(
        "CLAUDE_CMD",
        "",
        "Instead of a runner: the Claude Code command, as words, such as claude --model sonnet.",
    ),
    restart(
        "ANALYSIS_TIMEOUT",
        "300",
        "Seconds that one look by Claude may take.",
    ),
    restart("ANALYSIS_AT_ONCE", "2", "Looks by Claude at once."),
    restart(
        "ANALYSIS_DAILY",
        "200",
        "Looks by Claude in a day at one person's races.",
    ),
    restart(
        "ANALYSIS_DAILY_USD",
        "5.00",
        "What the looks of a day may cost together, where the command tells it; 0 = no limit.",
    ),
    live(
        "TELEGRAM_BOT_TOKEN",
        "",
        "The token of the Telegram bot that tells of races; better given as a file.",
    ),
    live("TELEGRAM_BOT_TOKEN_FILE", "", "The file that holds it."),
    live(
        "TELEGRAM_CHAT_ID",
        "",
        "The chat that is told: one for everybody, or e-mail=chat, comma-separated; people may set their own.",
    ),
    live(
        "TELEGRAM_API_URL",
        "https://api.telegram.org",
        "Telegram's server, or your own.",
    ),
    live(
        "NTFY_URL",
        "https://ntfy.sh",
        "The ntfy server; naming one, even this, lets people set their own topics.",
    ),
    live(
        "NTFY_TOPIC",
        "",
        "The ntfy topic that is told: one for everybody, or e-mail=topic, comma-separated; people may set their own.",
    ),
    live(
        "NTFY_TOKEN",
        "",
        "The token for the ntfy server, if it wants one; better given as a file.",
    ),
    live("NTFY_TOKEN_FILE", "", "The file that holds it."),
    restart(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "",
        "An OpenTelemetry collector (OTLP over HTTP) that gets the spans of the races.",
    ),
    restart(
        "METRICS_ADDRESS",
        "",
        "Where Prometheus may ask for metrics: an address of this machine with a port.",
    ),
    restart(
        "HEARTBEAT_URL",
        "",
        "A dead-man's switch, such as healthchecks.io: posted to while all is well.",
    ),
    restart("HEARTBEAT_SECS", "300", "Seconds between two posts to it."),
    restart(
        "GATEWAY_LOG_FILE",
        "",
        "A file that the log is written to as well.",
    ),
    live(
        "GATEWAY_LOG_LEVEL",
        "info",
        "debug, info, warning, error or critical.",
    ),
];

/// Names that belong to other parts and are no mistake of somebody who meant one of ours.
const NEIGHBOURS: &[&str] = &[
    "GARMIN_MCP_REF",
    "GARMIN_MCP_HOST",
    "GARMIN_MCP_PORT",
    "GARMIN_MCP_TRANSPORT",
];

/// The setting that `name` was probably meant to be, if it is none itself.
pub fn near_miss(name: &str) -> Option<&'static str> {
    if SETTINGS.iter().any(|s| s.name == name) || NEIGHBOURS.contains(&name) || name.len() < 5 {
        return None;
    }
    let upper = name.to_ascii_uppercase();
    SETTINGS
        .iter()
        .map(|s| (strsim::damerau_levenshtein(s.name, &upper), s.name))
        .min()
        .filter(|(distance, _)| *distance <= 2 && *distance * 4 <= name.len())
        .map(|(_, name)| name)
}
