//! The subcommands that talk to the running gateway, with their options.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::admin::api::{AdminAct, RevocationTarget};
use crate::cli::rehearse::RehearseArgs;
use crate::race::share::{MOST_HOURS_AFTER, MOST_PRIVACY_M};

#[derive(Args)]
pub(in crate::cli) struct Common {
    /// The gateway's socket, or its directory [default: in RUNTIME_DIR]
    #[arg(long, value_name = "PATH", global = true)]
    pub(super) socket: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
}

#[derive(Args)]
pub(in crate::cli) struct Confirmation {
    /// Do not ask for confirmation
    #[arg(long)]
    pub(super) yes: bool,
}

#[derive(Subcommand)]
pub(in crate::cli) enum Operate {
    /// Show the state of the gateway and what needs attention
    Status(Common),
    /// List the workers
    Workers(Common),
    /// List accounts, invitations and access requests
    Accounts(Common),
    /// Invite an e-mail address, or list the invitations
    Invite {
        /// The e-mail address of their Garmin account
        email: Option<String>,
        /// Withdraw the invitation, or dismiss the request for access; existing connections keep working
        #[arg(long, requires = "email")]
        remove: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Show the tool calls of the last 30 days
    Usage {
        /// Only this account: e-mail or id
        #[arg(long, value_name = "ACCOUNT")]
        account: Option<String>,
        /// One row per tool
        #[arg(long)]
        tools: bool,
        #[command(flatten)]
        common: Common,
    },
    /// List the clients that have access
    Clients(Common),
    /// List who has access and what was revoked
    Tokens(Common),
    /// List the tools, or set which of them a person's list shows
    Tools {
        /// The account: e-mail or id [default: list all tools]
        #[arg(requires = "tools")]
        account: Option<String>,
        /// core, all, default, or names separated by commas
        tools: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Set the addresses that a person's LiveTrack mails go to, besides the one of their account
    MailAddresses {
        /// The account: e-mail or id
        account: String,
        /// Addresses separated by commas, or none
        addresses: String,
        #[command(flatten)]
        common: Common,
    },
    /// End access at once: tokens, calls in progress, workers
    Revoke {
        #[command(flatten)]
        target: RevokeTarget,
        #[command(flatten)]
        confirmation: Confirmation,
        #[command(flatten)]
        common: Common,
    },
    /// End all access of an account and erase it with its Garmin tokens
    Forget {
        /// The account: e-mail or id
        account: String,
        #[command(flatten)]
        confirmation: Confirmation,
        #[command(flatten)]
        common: Common,
    },
    /// Erase past races and usage counts for good; free disk space
    Purge {
        #[command(flatten)]
        args: PurgeArgs,
        #[command(flatten)]
        confirmation: Confirmation,
        #[command(flatten)]
        common: Common,
    },
    /// List, start, stop and change races
    Races {
        #[command(subcommand)]
        what: Option<RaceCommand>,
        #[command(flatten)]
        common: Common,
    },
    /// Print events as they happen, until Ctrl-C
    Monitor {
        /// Include past and debug events
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Print metrics for Prometheus (OpenMetrics text)
    Metrics(Common),
    /// Test the messages to phones
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
    /// All access of this account: e-mail or id
    #[arg(long, value_name = "ACCOUNT")]
    pub(super) account: Option<String>,
    /// One sign-in of one client: its id in `tokens`
    #[arg(long, value_name = "ID")]
    pub(super) token: Option<String>,
    /// All access through one client: its id in `clients`
    #[arg(long, value_name = "ID")]
    pub(super) client: Option<String>,
    /// All access of everyone
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
    /// Races without a point since this day (UTC), and usage counts of earlier days
    #[arg(long, value_name = "DATE", value_parser = day)]
    races_before: Option<jiff::civil::Date>,
    /// Only this account: e-mail or id. Account and access stay; `forget` erases them
    #[arg(long, value_name = "ACCOUNT")]
    pub(super) account: Option<String>,
    /// Copy the store to free disk space; the gateway keeps running
    #[arg(long)]
    compact: bool,
}

impl PurgeArgs {
    /// A sentence that says what will be erased. `None`: nothing.
    pub(super) fn consequences(&self) -> Option<String> {
        let whose = self.account.as_deref().unwrap_or("everyone");
        let which = match (self.races_before, &self.account) {
            (Some(day), _) => format!("from before {day} "),
            (None, Some(_)) => String::new(),
            (None, None) => return None,
        };
        let and = if self.races_before.is_some() {
            "their usage counts"
        } else {
            "their usage counts, kept days and grants to others"
        };
        Some(format!(
            "This erases the past races {which}of {whose}, and {and}, for good."
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
pub(in crate::cli) enum RaceCommand {
    /// Play recordings through the race watch and judge its alerts; needs no gateway
    Rehearse(RehearseArgs),
    #[command(flatten)]
    Ask(RaceArgs),
}

#[derive(Subcommand)]
pub(in crate::cli) enum RaceArgs {
    /// List all races
    List,
    /// Watch a race
    Start {
        /// The account of the athlete: e-mail or id
        account: String,
        /// The LiveTrack link
        link: String,
    },
    /// Stop watching a race; its recording stays
    Stop {
        /// Id of the race in `races`
        race: String,
    },
    /// Show one race
    Show {
        /// Id of the race in `races`
        race: String,
    },
    /// Make a private link to the live page of a race
    Share {
        /// Id of the race in `races`
        race: String,
        /// Who it is for: family sees no heart rate, power, text of messages, or position near start and finish
        #[arg(long, default_value = "family", value_parser = ["family", "crew"])]
        role: String,
        /// The name on the page; without it, the page names nobody
        #[arg(long)]
        name: Option<String>,
        /// Metres around start and finish within which family sees no position [default: 300]
        #[arg(long, value_name = "METRES", allow_negative_numbers = true)]
        #[arg(value_parser = clap::value_parser!(u32).range(0..=i64::from(MOST_PRIVACY_M)))]
        privacy: Option<u32>,
        /// Hours that the page stays up after the race [default: 24]
        #[arg(long, value_name = "HOURS", allow_negative_numbers = true)]
        #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_HOURS_AFTER)))]
        hours: Option<u32>,
        /// Add the race to the page behind this link, which another athlete made
        #[arg(long, value_name = "LINK")]
        join: Option<String>,
    },
    /// List the links to the page of a race
    Shares {
        /// Id of the race in `races`
        race: String,
    },
    /// End a link to the page of a race, or all of them, at once; or take another athlete off a link that this race made
    EndShare {
        /// Id of the race in `races`
        race: String,
        /// Id of the share in `races shares`, or in its column WITH [default: all of the race]
        share: Option<String>,
    },
    /// Change the limits of a race
    Limits {
        /// Id of the race in `races`
        race: String,
        /// NAME=NUMBER, for example hr_max=150
        #[arg(required = true, value_parser = limit)]
        limits: Vec<(String, f64)>,
    },
}

#[derive(Subcommand)]
pub(in crate::cli) enum NotifyArgs {
    /// Send a test message through every configured channel
    Test,
}

/// Reads a day in the form of `2026-01-31`.
fn day(text: &str) -> Result<jiff::civil::Date, String> {
    text.parse()
        .map_err(|_| "it is not a day; write YYYY-MM-DD, such as 2026-01-31".to_owned())
}

/// Parses `hr_max=150`.
pub(super) fn limit(text: &str) -> Result<(String, f64), String> {
    let wrong = || format!("`{text}` is not NAME=NUMBER");
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    let value: f64 = value.trim().parse().map_err(|_| wrong())?;
    Ok((name.trim().to_owned(), value))
}
