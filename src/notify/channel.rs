//! A way to phones: what is posted to it, and what its answer means. Without I/O.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ntfy, telegram};
use crate::base::post::{Answer, Post};
use crate::config::ChannelConfig;
use crate::race::alerts::Severity;

/// The ways to phones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Channel {
    Telegram,
    Ntfy,
}

/// Why a message did not go out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// No connection, or no answer in time. Passes, or the operator.
    Unreachable,
    /// Too many messages. Passes.
    SlowDown(Option<Duration>),
    /// The server is out of order: its status. Passes.
    Server(u16),
    /// The token or the target is not good: its status. The operator.
    Refused(u16),
}

impl Channel {
    /// In logs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Telegram => "telegram",
            Self::Ntfy => "ntfy",
        }
    }

    /// To people.
    pub(super) fn shown(self) -> &'static str {
        match self {
            Self::Telegram => "Telegram",
            Self::Ntfy => "ntfy",
        }
    }

    /// The request that sends `text` to `target`.
    pub(super) fn post(self, config: &ChannelConfig, target: &str, severity: Severity, text: &str) -> Post {
        match self {
            Self::Telegram => telegram::post(config, target, severity, text),
            Self::Ntfy => ntfy::post(config, target, severity, text),
        }
    }

    /// What the answer means.
    pub(super) fn judge(self, answer: &Answer) -> Result<(), Failure> {
        match answer.status {
            200..=299 => Ok(()),
            429 => {
                let in_body = match self {
                    Self::Telegram => telegram::retry_after(&answer.body),
                    Self::Ntfy => None,
                };
                Err(Failure::SlowDown(in_body.or(answer.retry_after)))
            }
            400..=499 => Err(Failure::Refused(answer.status)),
            status => Err(Failure::Server(status)),
        }
    }
}

impl Failure {
    /// In logs.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::SlowDown(_) => "rate_limited",
            Self::Server(_) => "server_error",
            Self::Refused(_) => "refused",
        }
    }

    /// How long to wait after it happened `times` in a row (1 = the first). A refusal is asked about again too: the
    /// operator may mend it within the day that a message lives.
    pub(super) fn wait(&self, times: u32) -> Duration {
        let doubling = |first: u64, most: u64| {
            let factor = 1_u64 << times.saturating_sub(1).min(16);
            Duration::from_secs(first.saturating_mul(factor).min(most))
        };
        match self {
            Self::SlowDown(asked) => {
                let asked = asked.unwrap_or_default().min(Duration::from_secs(3600));
                doubling(5, 300).max(asked)
            }
            Self::Unreachable | Self::Server(_) => doubling(5, 600),
            Self::Refused(_) => doubling(60, 1800),
        }
    }

    /// What the operator can do about it.
    pub(super) fn advice(&self, channel: Channel) -> String {
        let (shown, token, target) = match channel {
            Channel::Telegram => ("Telegram", "TELEGRAM_BOT_TOKEN", "TELEGRAM_CHAT_ID"),
            Channel::Ntfy => ("The ntfy server", "NTFY_TOKEN", "NTFY_TOPIC"),
        };
        match self {
            Self::Unreachable => format!("{shown} can't be reached from here"),
            Self::SlowDown(_) => format!("{shown} asks us to slow down; try again later"),
            Self::Server(status) => format!("{shown} is out of order ({status}); try again later"),
            Self::Refused(401 | 404) => format!("{shown} does not take the token: check {token}"),
            Self::Refused(status) => format!(
                "{shown} refused the message ({status}): check {target}, and that a bot may write there"
            ),
        }
    }
}
