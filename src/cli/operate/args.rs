//! What is typed: the subcommands with their options.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::admin::api::{AdminAct, RevocationTarget};

/// Where the gateway is, and how to print.
#[derive(Args)]
pub(in crate::cli) struct Common {
    /// The gateway's socket, or the directory it is in; without it RUNTIME_DIR says where it is.
    #[arg(long, value_name = "PATH")]
    pub(super) socket: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Before an act that hurts.
#[derive(Args)]
pub(in crate::cli) struct Sure {
    /// Don't ask.
    #[arg(long)]
    pub(super) yes: bool,
}

#[derive(Subcommand)]
pub(in crate::cli) enum Operate {
    /// Show the state of the running gateway, and what needs you.
    Status(Common),
    /// Show the workers.
    Workers(Common),
    /// Show the accounts, who is invited, and who knocked.
    Accounts(Common),
    /// Let an e-mail address sign in; without one, show who is invited.
    Invite {
        /// Whom.
        email: Option<String>,
        /// Take the invitation back. Access that they have stays.
        #[arg(long, requires = "email")]
        remove: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Show what was used in the last 30 days.
    Usage {
        /// One account: its e-mail or id.
        #[arg(long)]
        account: Option<String>,
        /// By tool.
        #[arg(long)]
        tools: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Show the clients that have access.
    Clients(Common),
    /// Show who has access, and what was revoked.
    Tokens(Common),
    /// End access at once: tokens, calls under way, workers.
    Revoke {
        #[command(flatten)]
        target: RevokeTarget,
        #[command(flatten)]
        sure: Sure,
        #[command(flatten)]
        common: Common,
    },
    /// End all access of an account and erase it with its Garmin tokens.
    Forget {
        /// Its e-mail or id.
        account: String,
        #[command(flatten)]
        sure: Sure,
        #[command(flatten)]
        common: Common,
    },
    /// Erase past races, and what was used, for good; give the room on the disk back.
    Purge {
        #[command(flatten)]
        args: PurgeArgs,
        #[command(flatten)]
        sure: Sure,
        #[command(flatten)]
        common: Common,
    },
    /// Watch races.
    Races {
        #[command(subcommand)]
        what: Option<RaceArgs>,
        #[command(flatten)]
        common: Common,
    },
    /// Print events as they happen, until Ctrl-C.
    Monitor {
        /// Also those of the past and those for debugging.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Print numbers of the whole for Prometheus (OpenMetrics text).
    Metrics(Common),
    /// Try the messages to phones.
    Notify {
        #[command(subcommand)]
        what: NotifyArgs,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(in crate::cli) struct RevokeTarget {
    /// All access of one person: e-mail or id.
    #[arg(long, value_name = "ACCOUNT")]
    pub(super) account: Option<String>,
    /// One sign-in of one client: its id in `tokens`.
    #[arg(long, value_name = "ID")]
    pub(super) token: Option<String>,
    /// All access through one client: its id in `clients`.
    #[arg(long, value_name = "ID")]
    pub(super) client: Option<String>,
    /// All access of everybody.
    #[arg(long)]
    pub(super) all: bool,
}

impl RevokeTarget {
    pub(super) fn target(self) -> RevocationTarget {
        match (self.account, self.token, self.client) {
            (Some(account), ..) => RevocationTarget::Account(account),
            (_, Some(token), _) => RevocationTarget::Token(token),
            (.., Some(client)) => RevocationTarget::Client(client),
            (None, None, None) => RevocationTarget::All,
        }
    }
}

#[derive(Args)]
#[group(required = true, multiple = true)]
pub(in crate::cli) struct PurgeArgs {
    /// Races that told nothing new since the beginning of this day (UTC), and what was used before it.
    #[arg(long, value_name = "DATE")]
    races_before: Option<jiff::civil::Date>,
    /// Of one person alone: e-mail or id. Their account and access stay; `forget` takes those.
    #[arg(long, value_name = "WHO")]
    pub(super) account: Option<String>,
    /// Copy the store, so that it is small again; people notice nothing.
    #[arg(long)]
    compact: bool,
}

impl PurgeArgs {
    /// What will be erased, in a sentence; nothing for room alone.
    pub(super) fn consequences(&self) -> Option<String> {
        let whose = self.account.as_deref().unwrap_or("everybody");
        let which = match (self.races_before, &self.account) {
            (Some(day), _) => format!("from before {day} "),
            (None, Some(_)) => String::new(),
            (None, None) => return None,
        };
        Some(format!(
            "This erases the past races {which}of {whose}, and what they used, for good."
        ))
    }

    pub(super) fn act(self) -> AdminAct {
        let before = self
            .races_before
            .and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok());
        AdminAct::Purge {
            erase: self.races_before.is_some() || self.account.is_some(),
            account: self.account,
            before: before.map(|day| day.timestamp()),
            compact: self.compact,
        }
    }
}

#[derive(Subcommand)]
pub(in crate::cli) enum RaceArgs {
    /// Show all races.
    List,
    /// Watch a race.
    Start {
        /// The account: e-mail or id.
        account: String,
        /// Its LiveTrack link.
        link: String,
    },
    /// Stop watching one.
    Stop {
        /// Its id in `races`.
        race: String,
    },
    /// Show one.
    Show {
        /// Its id in `races`.
        race: String,
    },
    /// Change its limits.
    Limits {
        /// Its id in `races`.
        race: String,
        /// As NAME=NUMBER, for example hr_max=150.
        #[arg(required = true, value_parser = limit)]
        limits: Vec<(String, f64)>,
    },
}

#[derive(Subcommand)]
pub(in crate::cli) enum NotifyArgs {
    /// Send a test message by every way that is set up.
    Test,
}

/// Reads `hr_max=150`.
pub(super) fn limit(text: &str) -> Result<(String, f64), String> {
    let wrong = || format!("`{text}` is not NAME=NUMBER");
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    let value: f64 = value.trim().parse().map_err(|_| wrong())?;
    Ok((name.trim().to_owned(), value))
}
