//! The settings: environment, then the env file, then defaults. The only reader of the environment.
//!
//! All mistakes are found before anything is started and are told together, each with its source and its fix.
//! What may change while the program runs is [`Live`]; everything else wants a restart, and says so.

mod gateway;
mod hosts;
mod live;
mod monitoring;
mod names;
mod paths;
mod races;
mod reader;
mod sources;
mod watch;
mod worker;

pub use gateway::{Config, LogSettings, PublicUrl, SecretSource, SignInSettings, WorkerSettings};
pub use hosts::{GarminDomain, GarminHosts};
pub use live::{Invited, Live, Operator};
pub use monitoring::{Heartbeat, Monitoring};
pub use names::{Change, SETTINGS, Setting, near_miss};
pub use races::{
    ChannelConfig, CoachConfig, CoachedBy, NotifyConfig, RacesConfig, Targets, is_ntfy_topic,
    is_telegram_chat,
};
pub use reader::{Effective, Problem, Source};
pub use sources::Sources;
pub use watch::watch;
pub use worker::{Transport, WorkerConfig};

#[cfg(test)]
mod tests;
