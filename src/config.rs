//! The settings: the environment takes precedence, then the env file, then defaults. No other module reads the
//! environment.
//!
//! All problems are found before anything starts, and are reported together, each with its source and its fix.
//! Settings in [`Live`] take effect while the program runs. A change to any other needs a restart, and is logged.
//!
//! [`settings`] is the table from which the rest of this module is derived.

mod env_file;
mod garmin_mcp;
mod gateway;
mod hosts;
mod invited;
mod live;
mod mailbox;
mod map_tiles;
mod monitoring;
mod mqtt;
mod notify;
mod paths;
mod problem;
mod public_url;
mod races;
mod reader;
mod secret;
pub mod settings;
mod sources;
mod tls;
mod tool_profile;
mod watch;
mod worker;
mod workers;

pub use env_file::EnvFile;
pub use garmin_mcp::{REVIEWED, ReviewedRevision};
pub use gateway::{Config, SignInSettings};
pub use hosts::{GarminDomain, GarminHosts};
pub use invited::Invited;
pub use live::{Live, Operator};
pub use mailbox::{MailSecurity, MailboxConfig};
pub use map_tiles::{MapTiles, OWN_TILES, TileArchive};
pub use monitoring::{Heartbeat, Monitoring, NewsSettings};
pub use mqtt::BrokerConfig;
pub use notify::{ChannelConfig, NotifyConfig, Targets, is_ntfy_topic, is_telegram_chat, webhook_key};
pub use problem::{SettingProblem, SettingSource};
pub use public_url::PublicUrl;
pub use races::{CoachConfig, CoachedBy, RacesConfig};
pub use reader::Effective;
pub use secret::SecretSource;
pub use sources::Sources;
pub use tls::{AcmeSettings, TlsSettings};
pub use tool_profile::ToolProfile;
pub use watch::{SavedSettings, WatchedSettings, watch};
pub use worker::{Transport, WorkerConfig};
pub use workers::WorkerSettings;

#[cfg(test)]
mod tests;
