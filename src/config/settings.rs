//! The table of settings. Each setting is defined only here: its name, default, range, help, and when a change takes
//! effect.
//!
//! Parsing, error messages, `garmin-gateway config`, the README's table and the value in use are all derived from
//! these rows. Code reads a setting by its constant (`settings::PORT`), so a misspelt name does not compile.
//!
//! A default may contain the name of another setting in capitals (`DATA_DIR/gateway.db`) or of a directory of this
//! machine ("the state directory"); [`super::reader`] replaces them.

/// When a changed value takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// As soon as the env file is saved.
    Live,
    /// At the next start of the program.
    Restart,
}

/// The kind of a value, as needed to parse and show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
    /// A whole number within an inclusive range.
    Number(u32, u32),
    Text,
    /// A program and its arguments. These may contain a key, so only the program is shown.
    Command,
    /// A list of people. Only the number of entries is shown.
    People,
    Secret,
}

#[derive(Debug)]
pub struct Setting {
    /// The name of the environment variable.
    pub name: &'static str,
    pub change: Change,
    pub kind: SettingKind,
    /// The default as a person would write it; empty if there is none.
    pub default: &'static str,
    /// The purpose of the setting, in one sentence.
    pub help: &'static str,
    /// A description of valid values, for error messages. Empty for numbers, where the range is enough.
    pub(super) hint: &'static str,
}

impl Setting {
    /// A description of the valid values of this setting.
    pub(super) fn fix(&self) -> String {
        match self.kind {
            SettingKind::Number(min, max) => format!("write a whole number from {min} to {max}"),
            _ => self.hint.to_owned(),
        }
    }
}

macro_rules! settings {
    ($($name:ident: $change:ident, $kind:ident $(($min:literal, $max:literal))?, $default:literal, $help:literal $(, $hint:literal)?;)*) => {
        $(
            pub static $name: Setting = Setting {
                name: stringify!($name),
                change: Change::$change,
                kind: SettingKind::$kind $(($min, $max))?,
                default: $default,
                help: $help,
                hint: concat!("" $(, $hint)?),
            };
        )*

        /// All settings, in the order in which they are shown.
        pub static SETTINGS: &[&Setting] = &[$(&$name),*];
    };
}

settings! {
    PUBLIC_URL: Restart, Text, "http://localhost:PORT",
        "The address that Claude and people use: `https://host`, no path.",
        "write https://your.host, without a path; http is for localhost only";
    BIND_ADDRESS: Restart, Text, "127.0.0.1",
        "The address to listen on; with `TLS` or `TLS_CERT`, 0.0.0.0.",
        "write an IP address";
    PORT: Restart, Number(0, 65_535), "8080",
        "The port to listen on; with `TLS` or `TLS_CERT`, 443. 0 takes a free one.";
    HTTP_PORT: Restart, Number(0, 65_535), "0",
        "With `TLS` or `TLS_CERT`: a second port, where plain http is redirected to https; 80 if `PORT` is 443. 0 is none.";
    TLS: Restart, Text, "",
        "`acme`: the gateway serves https itself, with a certificate from Let's Encrypt, whose terms you thereby accept.",
        "write acme, or leave it out";
    TLS_CERT: Restart, Text, "",
        "Instead: the PEM file of your own certificate and its chain; read again when it changes.",
        "name a readable PEM file";
    TLS_KEY: Restart, Text, "",
        "The PEM file of the certificate's private key.",
        "name a readable PEM file";
    ACME_DIRECTORY: Restart, Text, "https://acme-v02.api.letsencrypt.org/directory",
        "The ACME authority that issues the certificate.",
        "write the https address of an ACME directory";
    ACME_ROOT: Restart, Text, "",
        "The PEM file of a private ACME authority's own root certificate.",
        "name a readable PEM file";
    TRUSTED_PROXIES: Restart, Text, "",
        "Addresses or networks whose `X-Forwarded-For` is believed, comma-separated.",
        "write 127.0.0.1 or 10.0.0.0/8, comma-separated";
    INVITED: Live, People, "",
        "Who may sign in: e-mail addresses or `@domain`s, comma-separated.",
        "write e-mail addresses or @domains, comma-separated";
    OPEN_SIGN_UP: Live, Text, "false",
        "Whether anybody with a Garmin account may sign in.",
        "write true or false";
    REDIRECT_HOSTS: Live, Text, "",
        "Hosts that clients may return to, and whole addresses of apps, in addition to the built-in ones.",
        "write host names, or addresses like myapp://host/callback, comma-separated";
    OPERATOR_NAME: Live, Text, "",
        "Who runs this gateway, shown on its pages.";
    OPERATOR_EMAIL: Live, Text, "",
        "How to reach the operator, shown on the pages.",
        "write one e-mail address, such as ann@example.org";
    OPERATOR_PHONE: Live, People, "",
        "Your own phone, for news of this program: `telegram:CHAT`, `ntfy:TOPIC`, `gotify:TOKEN`, `webhook` or `mqtt`, comma-separated; each needs its channel below.",
        "write telegram:123456789, ntfy:your-topic, gotify:token, webhook or mqtt, comma-separated";
    ACCESS_TOKEN_TTL_DAYS: Restart, Number(0, 36_500), "90",
        "Days after which an unused connection expires; 0 = never.";
    TOOL_PROFILE: Live, Text, "core",
        "Which tools people see in the list unless they choose: `core`, `all`, or names, comma-separated; all others can be found and called.",
        "write core, all, or the names of tools, comma-separated";
    CALLS_PER_MINUTE: Live, Number(1, 1_000_000), "120",
        "Tool calls that one account may make per minute.";
    SIGN_IN_SPACING: Restart, Number(0, 3_600), "5",
        "Seconds between two sign-ins at Garmin, for all people together.";
    SIGN_IN_DAILY: Restart, Number(1, 1_000), "6",
        "Sign-ins at Garmin that one person may attempt per day from one address; all addresses together have half as many again.";
    DATA_DIR: Restart, Text, "the state directory",
        "Where the database and the workers' logs are.";
    DB_PATH: Restart, Text, "DATA_DIR/gateway.db",
        "The path of the database, which is a directory.";
    RUNTIME_DIR: Restart, Text, "the runtime directory",
        "Where sockets and the workers' directories are; best on tmpfs.";
    GATEWAY_SECRET: Restart, Secret, "",
        "The secret that seals the data, at least 32 characters; better given as a file.",
        "or leave it out: a file is created for you";
    GATEWAY_SECRET_FILE: Restart, Text, "the configuration directory/secret",
        "The file that holds the secret; created when it is missing and there is no data yet.";
    GARMIN_MCP_CMD: Restart, Text, "the built-in worker",
        "The command that starts a worker, as words; never run by a shell.",
        "write a program and its arguments";
    GARMIN_ENABLED_TOOLS: Restart, Text, "",
        "Offer only these tools, comma-separated.";
    GARMIN_DISABLED_TOOLS: Restart, Text, "",
        "Do not offer these tools, comma-separated.";
    WORKER_PORT_START: Restart, Number(1_024, 65_535), "9000",
        "The first port for workers on 127.0.0.1.";
    WORKER_PORT_END: Restart, Number(1_024, 65_535), "9099",
        "The last port for workers.";
    WORKER_IDLE_TTL: Restart, Number(1, 604_800), "900",
        "Seconds after which an unused worker is stopped.";
    WORKER_STARTUP_TIMEOUT: Restart, Number(1, 600), "20",
        "Seconds that a worker may take to become ready.";
    MAX_WORKERS: Restart, Number(1, 10_000), "10",
        "How many workers may run at once.";
    GARMIN_DOMAIN: Restart, Text, "garmin.com",
        "`garmin.com` or `garmin.cn`.",
        "write garmin.com or garmin.cn";
    GARMIN_SSO_URL: Restart, Text, "https://sso.GARMIN_DOMAIN",
        "Garmin's sign-in host.",
        "write https://host; plain http is for loopback only";
    GARMIN_DIAUTH_URL: Restart, Text, "https://diauth.GARMIN_DOMAIN",
        "Garmin's token host.",
        "write https://host; plain http is for loopback only";
    GARMIN_CONNECTAPI_URL: Restart, Text, "https://connectapi.GARMIN_DOMAIN",
        "Garmin's API host.",
        "write https://host; plain http is for loopback only";
    GARMIN_CLIENT_IDS: Live, Text, "",
        "Client ids of Garmin's apps that a sign-in tries before the built-in ones, comma-separated; for when Garmin retires those.",
        "write ids such as GARMIN_CONNECT_MOBILE_ANDROID_DI_2025Q2, comma-separated";
    GARMIN_LIVETRACK_URL: Restart, Text, "https://livetrack.GARMIN_DOMAIN",
        "Garmin's LiveTrack host.",
        "write https://host; plain http is for loopback only";
    STALE_STOP_MIN: Restart, Number(1, 1_440), "15",
        "Minutes without a new point after which a race is over …";
    MIN_ELAPSED_MIN: Restart, Number(1, 1_440), "30",
        "… provided that it has lasted this many minutes.";
    MAP_TILES_URL: Restart, Text, "",
        "A map that the live pages of races show below the course: a tile server, such as `https://host/{z}/{x}/{y}.png`, from which readers' browsers load it, or a PMTiles file of pictures, such as `file:///srv/map.pmtiles`, which the gateway serves itself.",
        "write an https address with {z}, {x} and {y}, or file:// and the path of a PMTiles file";
    MAP_TILES_CREDIT: Restart, Text, "",
        "The credit for the map, as its server asks for it, such as `© OpenStreetMap contributors`; without it, the name of the host or the file.",
        "write a short text";
    RACE_RETENTION_DAYS: Restart, Number(0, 36_500), "0",
        "Days after which past races and usage records are erased; 0 = never.";
    HISTORY_PACE: Restart, Number(0, 3_600), "4",
        "Seconds between two requests to Garmin for the kept days of one person, for those who keep a history.";
    CLAUDE_RUNNER_URL: Restart, Text, "",
        "A claude-runner that lets Claude analyse races (`POST /run`).",
        "write http://host:port or https://host";
    CLAUDE_RUNNER_WORKSPACE: Restart, Text, "training",
        "The workspace that the runner is given.";
    CLAUDE_CMD: Restart, Command, "",
        "Instead of a runner: the Claude Code command, as words, such as `claude --model sonnet`.",
        "write a program and its arguments";
    ANALYSIS_TIMEOUT: Restart, Number(10, 3_600), "300",
        "Seconds that one analysis by Claude may take.";
    ANALYSIS_AT_ONCE: Restart, Number(1, 100), "2",
        "Analyses by Claude that may run at once.";
    ANALYSIS_DAILY: Restart, Number(0, 100_000), "200",
        "Analyses per day of one person's races.";
    ANALYSIS_DAILY_USD: Restart, Text, "5.00",
        "What one day's analyses may cost together, if the command reports its cost; 0 = no limit.",
        "write an amount such as 2.50; 0 = no limit";
    TELEGRAM_BOT_TOKEN: Live, Secret, "",
        "The token of the Telegram bot that sends race messages; better given as a file.",
        "copy it again, whole";
    TELEGRAM_BOT_TOKEN_FILE: Live, Text, "",
        "The file that holds the token of the Telegram bot.",
        "name a readable file that holds the whole token";
    TELEGRAM_CHAT_ID: Live, People, "",
        "The Telegram chat for messages: one for everybody, or `e-mail=chat`, comma-separated; `-1001234567890_7` is topic 7 of a group; people may set their own.",
        "write one for everybody, or e-mail=target, comma-separated";
    TELEGRAM_LISTEN: Live, Text, "true",
        "Whether the bot also reads what people write to it, and answers. Only one program may read a bot's messages: set this to false if another one does.",
        "write true or false";
    TELEGRAM_API_URL: Live, Text, "https://api.telegram.org",
        "Telegram's server, or your own.",
        "write https://host; plain http is for loopback only";
    NTFY_URL: Live, Text, "https://ntfy.sh",
        "The ntfy server. If it is set (even to the default), people may set their own topics.",
        "write https://host; plain http is for loopback only";
    NTFY_TOPIC: Live, People, "",
        "The ntfy topic for messages: one for everybody, or `e-mail=topic`, comma-separated; people may set their own.",
        "write one for everybody, or e-mail=target, comma-separated";
    NTFY_TOKEN: Live, Secret, "",
        "The token for the ntfy server, if it needs one; better given as a file.",
        "copy it again, whole";
    NTFY_TOKEN_FILE: Live, Text, "",
        "The file that holds the token for the ntfy server.",
        "name a readable file that holds the whole token";
    GOTIFY_URL: Live, Text, "",
        "Your Gotify server, for people without a phone of their own.",
        "write http://host or https://host";
    GOTIFY_TOKEN: Live, People, "",
        "The token of an application of the Gotify server, whose owner receives the messages: one for everybody, or `e-mail=token`, comma-separated; better given as a file.",
        "write one for everybody, or e-mail=token, comma-separated; an application's token begins with A";
    GOTIFY_TOKEN_FILE: Live, Text, "",
        "The file that holds the tokens of Gotify.",
        "name a readable file that holds the tokens";
    WEBHOOK_URL: Live, Secret, "",
        "A server of yours, such as a home automation, that receives messages as signed JSON; for people without a phone of their own.",
        "write http://host/path or https://host/path";
    WEBHOOK_SECRET: Live, Secret, "",
        "The secret that signs what the webhook receives: `whsec_` and base64 of 24 to 64 random bytes; better given as a file.",
        "make one with: echo whsec_$(openssl rand -base64 32)";
    WEBHOOK_SECRET_FILE: Live, Text, "",
        "The file that holds the secret of the webhook.",
        "name a readable file that holds the whole secret";
    IMAP_URL: Live, Text, "",
        "A mailbox whose LiveTrack mails start races: `imaps://user@host/Mailbox`; write an @ in the user as %40.",
        "write imaps://user@host/Mailbox; imap:// needs STARTTLS, except on this machine";
    IMAP_PASSWORD: Live, Secret, "",
        "The password of that user, or an app password; better given as a file.",
        "copy it again, in one line";
    IMAP_PASSWORD_FILE: Live, Text, "",
        "The file that holds the password of the mailbox.",
        "name a readable file that holds the password in one line";
    MQTT_URL: Live, Text, "",
        "Your MQTT broker, such as the one of Home Assistant: `mqtt://host`, or `mqtts://host` with TLS.",
        "write mqtt://host or mqtts://host, with :port unless it is 1883 or 8883";
    MQTT_PEOPLE: Live, People, "",
        "Whose messages and races the broker receives: `all`, or e-mail addresses, comma-separated; never those of people with a phone of their own.",
        "write all, or e-mail addresses, comma-separated";
    MQTT_USER: Live, Text, "",
        "The user name at the broker, if it needs one.",
        "write the user's name";
    MQTT_PASSWORD: Live, Secret, "",
        "The user's password at the broker; better given as a file.",
        "copy it again, whole";
    MQTT_PASSWORD_FILE: Live, Text, "",
        "The file that holds the password at the broker.",
        "name a readable file that holds the password alone";
    MQTT_TOPIC: Live, Text, "garmin-gateway",
        "The first part of the gateway's topics. Two gateways at one broker need different ones.",
        "write a topic without spaces, # or +, such as garmin-gateway";
    MQTT_DISCOVERY: Live, Text, "homeassistant",
        "The topic under which Home Assistant looks for devices.",
        "write a topic without spaces, # or +, such as homeassistant";
    OTEL_EXPORTER_OTLP_ENDPOINT: Restart, Text, "",
        "An OpenTelemetry collector (OTLP over HTTP) that receives the spans of races.",
        "write the collector's address, such as http://127.0.0.1:4318";
    METRICS_ADDRESS: Restart, Text, "",
        "Where Prometheus may fetch metrics: a loopback address with a port.",
        "write a loopback address with a port, such as 127.0.0.1:9464";
    NEWS_URL: Restart, Text, "",
        "The address of the news of this program, such as `https://host/latest/download/notes.json`; read once a day, and nothing about this gateway is sent. `upgrade` takes new versions from the same place.",
        "write an https address";
    NEWS_KEY: Restart, Text, "",
        "The public key that the news is signed with: `ssh-ed25519 AAAA…`.",
        "write the line of the key's .pub file";
    HEARTBEAT_URL: Restart, Secret, "",
        "A dead man's switch, such as healthchecks.io: receives a POST while all is well.",
        "write the address that the service gave you, such as https://hc-ping.com/…";
    HEARTBEAT_SECS: Restart, Number(10, 86_400), "300",
        "Seconds between two heartbeats.";
    GATEWAY_LOG_FILE: Restart, Text, "",
        "A file that the log is also written to.";
    GATEWAY_LOG_LEVEL: Live, Text, "info",
        "`debug`, `info`, `warning`, `error` or `critical`.",
        "write debug, info, warning, error or critical";
}

/// Variables of other programs whose names resemble settings of the gateway.
pub(super) const NEIGHBOURS: &[&str] = &[
    "GARMIN_MCP_REF",
    "GARMIN_MCP_HOST",
    "GARMIN_MCP_PORT",
    "GARMIN_MCP_TRANSPORT",
];

/// The setting that `name` was probably meant to be; `None` if `name` is a setting itself.
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
