//! The subcommands that talk to the running gateway over its socket: send one request, print the answer, exit.
//!
//! On a terminal, a destructive act says what it ends and asks for confirmation. Without a terminal it requires
//! `--yes`.

mod args;

use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

pub(super) use self::args::Operate;
use self::args::{Common, Confirmation, NotifyArgs, RaceArgs, RaceCommand};
use super::exit::{OperateError, UsageError};
use super::location::socket_path;
use super::print::Print;
use super::rehearse;
use crate::admin::api::{
    AdminAct, AdminAnswer, AdminLine, AdminRead, AdminRefusal, AdminRequest, AdminUpdate, RevocationTarget,
};
use crate::admin::client::{AdminClient, ClientError};
use crate::admin::views::{EventView, TokensView};
use crate::base::clock::Clock;
use crate::console::words::{many, plain};

/// Upper bound for slow commands.
const SLOW: Duration = Duration::from_secs(600);

/// A connection to the gateway, and the format in which answers are printed.
struct OperatorSession {
    client: AdminClient,
    print: Print,
}

impl OperatorSession {
    async fn connect(common: Common) -> anyhow::Result<Self> {
        let path = socket_path(common.socket)?;
        Ok(Self {
            client: AdminClient::connect(&path).await?,
            print: Print::new(common.json),
        })
    }

    /// Sends a request and prints its answer.
    async fn show(mut self, request: AdminRequest) -> anyhow::Result<()> {
        let answer = self.client.ask(request).await?;
        Ok(self.print.answer(&answer)?)
    }

    /// Sends a request about races. Their ages are told by the clock by which they are watched.
    async fn show_races(mut self, request: AdminRequest) -> anyhow::Result<()> {
        match self.client.ask(AdminRequest::Read(AdminRead::Overview)).await? {
            AdminAnswer::Overview(overview) => {
                if let Some(races_now) = overview.races_time {
                    self.print = self.print.with_races_now(races_now);
                }
                self.show(request).await
            }
            _ => Err(OperateError::OtherAnswer.into()),
        }
    }

    async fn tokens(&mut self) -> anyhow::Result<TokensView> {
        match self.client.ask(AdminRequest::Read(AdminRead::Tokens)).await? {
            AdminAnswer::Tokens(tokens) => Ok(tokens),
            _ => Err(OperateError::OtherAnswer.into()),
        }
    }

    /// Invites someone and prints a message to forward to them.
    async fn invite(mut self, email: String) -> anyhow::Result<()> {
        let invite = AdminAct::Invite { email: email.clone() };
        let AdminAnswer::Done(done) = self.client.ask(AdminRequest::Act(invite)).await? else {
            return Err(OperateError::OtherAnswer.into());
        };
        match self.client.ask(AdminRequest::Read(AdminRead::Overview)).await? {
            AdminAnswer::Overview(overview) => {
                Ok(self.print.invitation(email.trim(), &overview.url, &done)?)
            }
            _ => Err(OperateError::OtherAnswer.into()),
        }
    }

    async fn invitations(mut self) -> anyhow::Result<()> {
        match self.client.ask(AdminRequest::Read(AdminRead::Accounts)).await? {
            AdminAnswer::Accounts(people) => Ok(self.print.invitations(&people)?),
            _ => Err(OperateError::OtherAnswer.into()),
        }
    }

    /// Prints events until the gateway stops or the reader closes the pipe.
    async fn monitor(mut self, all: bool) -> anyhow::Result<()> {
        let since = Clock::system().now();
        self.client.send(AdminRequest::Follow).await?;
        loop {
            let AdminLine::Update { update, .. } = self.client.next().await? else {
                continue;
            };
            let AdminUpdate::Log { events, .. } = update else {
                continue;
            };
            // The first update also carries past events.
            let shown = |event: &&EventView| {
                all || (event.at >= since && event.level != "debug" && event.event != "stats")
            };
            for event in events.iter().filter(shown) {
                self.print.event(event)?;
            }
        }
    }
}

/// Asks the operator for confirmation, unless `--yes` was given. If `word` is given, it must be typed instead of `y`.
fn confirm(confirmation: &Confirmation, what: &str, word: Option<&str>) -> anyhow::Result<()> {
    if confirmation.yes {
        return Ok(());
    }
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Err(OperateError::NobodyToAsk.into());
    }
    let mut err = std::io::stderr().lock();
    let wanted = word.map_or("[y/N]".to_owned(), |word| format!("Type {word} to go on:"));
    write!(err, "{} {wanted} ", plain(what))?;
    err.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let answer = line.trim().to_lowercase();
    let agreed = word.map_or(matches!(answer.as_str(), "y" | "yes"), |word| answer == word);
    if agreed {
        Ok(())
    } else {
        Err(OperateError::Declined.into())
    }
}

impl Operate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let read = AdminRequest::Read;
        let (request, common) = match self {
            Self::Status(common) => (read(AdminRead::Overview), common),
            Self::Workers(common) => (read(AdminRead::Workers), common),
            Self::Accounts(common) => (read(AdminRead::Accounts), common),
            Self::Clients(common) => (read(AdminRead::Clients), common),
            Self::Tokens(common) => (read(AdminRead::Tokens), common),
            Self::Metrics(common) => (read(AdminRead::Metrics), common),
            Self::Usage {
                account,
                tools,
                common,
            } => {
                let mut operator = OperatorSession::connect(common).await?;
                let request = read(AdminRead::Usage { account });
                let AdminAnswer::Usage(rows) = operator.client.ask(request).await? else {
                    return Err(OperateError::OtherAnswer.into());
                };
                return Ok(operator.print.usage(rows, tools)?);
            }
            Self::Invite {
                email,
                remove,
                common,
            } => match email {
                None => return OperatorSession::connect(common).await?.invitations().await,
                Some(email) if remove => (AdminRequest::Act(AdminAct::Uninvite { email }), common),
                Some(email) => return OperatorSession::connect(common).await?.invite(email).await,
            },
            Self::Tools {
                account,
                tools,
                common,
            } => match account.zip(tools) {
                None => (read(AdminRead::Tools), common),
                Some((account, tools)) => (
                    AdminRequest::Act(AdminAct::ChooseTools { account, tools }),
                    common,
                ),
            },
            Self::MailAddresses {
                account,
                addresses,
                common,
            } => {
                let addresses = Some(addresses).filter(|text| text != "none").unwrap_or_default();
                let act = AdminAct::ChooseMailAddresses { account, addresses };
                (AdminRequest::Act(act), common)
            }
            Self::Revoke {
                target,
                confirmation,
                common,
            } => {
                let mut operator = OperatorSession::connect(common).await?;
                let target = target.target();
                let what = consequences(&target, &operator.tokens().await?);
                confirm(&confirmation, &what, None)?;
                let revoke = AdminRequest::Act(AdminAct::Revoke(target));
                return operator.show(revoke).await;
            }
            Self::Forget {
                account,
                confirmation,
                common,
            } => {
                let what = format!(
                    "This ends all access of {account} and erases the account with its Garmin tokens."
                );
                confirm(&confirmation, &what, Some("forget"))?;
                (AdminRequest::Act(AdminAct::Forget { account }), common)
            }
            Self::Purge {
                args,
                confirmation,
                common,
            } => {
                let mut operator = OperatorSession::connect(common).await?;
                if let Some(what) = args.consequences() {
                    confirm(&confirmation, &what, None)?;
                }
                let purge = AdminRequest::Act(args.act());
                let answer = operator.client.ask_within(purge, SLOW).await?;
                return Ok(operator.print.answer(&answer)?);
            }
            Self::Races { what, common } => return run_races(what, common).await,
            Self::Notify {
                what: NotifyArgs::Test,
                common,
            } => (AdminRequest::Act(AdminAct::TestNotify), common),
            Self::Monitor { all, common } => {
                return OperatorSession::connect(common).await?.monitor(all).await;
            }
        };
        OperatorSession::connect(common).await?.show(request).await
    }
}

/// Runs a command about races, with the gateway or without it.
async fn run_races(what: Option<RaceCommand>, common: Common) -> anyhow::Result<()> {
    let args = match what {
        Some(RaceCommand::Rehearse(_)) if common.socket.is_some() => {
            anyhow::bail!(UsageError(
                "races rehearse needs no gateway; leave out --socket".to_owned()
            ));
        }
        Some(RaceCommand::Rehearse(args)) => return rehearse::run(&args, common.json),
        Some(RaceCommand::Ask(args)) => args,
        None => RaceArgs::List,
    };
    let operator = OperatorSession::connect(common).await?;
    let shown = operator.show_races(race_request(args)).await;
    shown.map_err(|e| match e.downcast_ref() {
        Some(ClientError::Refused(AdminRefusal::Invalid(why) | AdminRefusal::NotFound(why))) => {
            with_option(why).map_or(e, |told| UsageError(told).into())
        }
        _ => e,
    })
}

/// A refusal that begins with the name of a field, with the name of the option for it instead.
fn with_option(why: &str) -> Option<String> {
    const OPTIONS: [(&str, &str); 5] = [
        ("name: ", "--name"),
        ("role: ", "--role"),
        ("privacy_m: ", "--privacy"),
        ("hours_after: ", "--hours"),
        ("with: ", "--join"),
    ];
    let mut options = OPTIONS.into_iter();
    options.find_map(|(field, option)| Some(format!("{option}: {}", why.strip_prefix(field)?)))
}

fn race_request(args: RaceArgs) -> AdminRequest {
    match args {
        RaceArgs::List => AdminRequest::Read(AdminRead::Races),
        RaceArgs::Show { race } => AdminRequest::Read(AdminRead::Race { race }),
        RaceArgs::Start { account, link } => AdminRequest::Act(AdminAct::StartRace { account, link }),
        RaceArgs::Stop { race } => AdminRequest::Act(AdminAct::StopRace { race }),
        RaceArgs::Share {
            race,
            role,
            name,
            privacy,
            hours,
            join,
        } => AdminRequest::Act(AdminAct::ShareRace {
            race,
            role,
            name,
            privacy_m: privacy,
            hours_after: hours,
            with: join,
        }),
        RaceArgs::Shares { race } => AdminRequest::Read(AdminRead::Shares { race }),
        RaceArgs::EndShare { race, share } => AdminRequest::Act(AdminAct::EndShares { race, share }),
        RaceArgs::Limits { race, limits } => AdminRequest::Act(AdminAct::ChangeLimits {
            race,
            limits: limits.into_iter().map(|(name, n)| (name, n.into())).collect(),
        }),
    }
}

/// A sentence that says what a revocation will end.
fn consequences(target: &RevocationTarget, tokens: &TokensView) -> String {
    let families = || tokens.families.iter();
    let ends = |n: usize| many(n as u64, "sign-in");
    match target {
        RevocationTarget::Account(wanted) => {
            let n = families()
                .filter(|f| f.account == *wanted || f.label.eq_ignore_ascii_case(wanted))
                .count();
            format!("This ends all access of {wanted}: {}.", ends(n))
        }
        RevocationTarget::Token(wanted) => match families().find(|f| f.id == *wanted) {
            Some(f) => format!("This ends the access of {} through {}.", f.label, f.client),
            None => format!("This ends the sign-in {wanted}."),
        },
        RevocationTarget::Client(wanted) => {
            let n = families().filter(|f| f.client_id.starts_with(wanted)).count();
            format!("This ends everyone's access through {wanted}: {}.", ends(n))
        }
        RevocationTarget::All => format!("This ends everyone's access: {}.", ends(tokens.families.len())),
    }
}

#[cfg(test)]
mod tests;
