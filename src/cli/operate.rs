//! The subcommands that talk to the running gateway over its socket: ask once, print, leave.
//!
//! What may be typed is in `args`. On a terminal an act that hurts says what it hits and asks; elsewhere it wants `--yes`.

mod args;

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;

pub(super) use self::args::Operate;
use self::args::{Common, NotifyArgs, RaceArgs, Sure};
use super::print::Print;
use super::{BROKEN, UNAVAILABLE, USAGE, fail};
use crate::admin::SOCKET_NAME;
use crate::admin::api::{
    AdminAct, AdminAnswer, AdminLine, AdminRead, AdminRefusal, AdminRequest, AdminUpdate, RevocationTarget,
};

use crate::admin::client::{AdminClient, ClientError};
use crate::admin::views::{EventView, TokensView};
use crate::base::causes::chain;
use crate::base::clock::Clock;
use crate::config::{Config, Problem, Sources};
use crate::console::words::{many, plain};

/// What may take its time takes no longer.
const LONG: Duration = Duration::from_secs(600);

const NOT_ALLOWED: u8 = 77;
/// The person said no.
const DECLINED: u8 = 1;

/// Why a subcommand ended without doing what was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum OperateError {
    #[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Config { problems: Vec<Problem> },
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the gateway answered something else than was asked; use a program of the same version")]
    OtherAnswer,
    #[error("this wants a person to say yes; there is no terminal, so add --yes")]
    NobodyToAsk,
    #[error("nothing was done")]
    Declined,
    #[error("the output can't be written")]
    Output(#[from] std::io::Error),
}

impl OperateError {
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Config { .. } => super::CONFIG,
            Self::Client(e) => client_exit_code(e),
            Self::NobodyToAsk => USAGE,
            Self::OtherAnswer => BROKEN,
            Self::Declined => DECLINED,
            Self::Output(_) => 74,
        }
    }
}

/// The exit code of a gateway that can't be asked, or refuses.
pub(super) fn client_exit_code(error: &ClientError) -> u8 {
    match error {
        ClientError::NotAllowed(_) => NOT_ALLOWED,
        ClientError::Refused(AdminRefusal::Invalid(_) | AdminRefusal::NotFound(_)) => USAGE,
        ClientError::Refused(AdminRefusal::Internal(_)) => BROKEN,
        _ => UNAVAILABLE,
    }
}

/// Runs one of these subcommands.
pub(super) fn run(operate: Operate) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(e) => return fail(BROKEN, &format!("the runtime does not start: {e}")),
    };
    match runtime.block_on(operate.run()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has seen enough.
        Err(OperateError::Output(e)) if e.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(e) => fail(e.exit_code(), &plain(&chain(&e))),
    }
}

/// Where the machine's own gateway runs, as `packaging/` has it.
const OF_THE_MACHINE: &str = "/run/garmin-gateway";

/// The socket that is meant.
pub(super) fn socket_path(given: Option<PathBuf>) -> Result<PathBuf, OperateError> {
    if let Some(path) = given {
        return Ok(socket_in(path));
    }
    let config = Sources::of_operator(None)
        .map_err(|problem| vec![problem])
        .and_then(|sources| Config::load(&sources))
        .map_err(|problems| OperateError::Config { problems })?;
    Ok(usual_socket(&config.runtime_dir))
}

/// The socket that is meant where none is named: whoever runs no gateway of their own means the machine's.
pub(super) fn usual_socket(own: &Path) -> PathBuf {
    usual_of(own, Path::new(OF_THE_MACHINE))
}

fn usual_of(own: &Path, of_the_machine: &Path) -> PathBuf {
    let is_own = own.join(SOCKET_NAME).exists() || !of_the_machine.exists();
    socket_in(if is_own { own } else { of_the_machine }.to_owned())
}

/// The socket itself, or the one in this directory.
pub(super) fn socket_in(path: PathBuf) -> PathBuf {
    if path.is_dir() {
        path.join(SOCKET_NAME)
    } else {
        path
    }
}

/// A connection, and how to print what comes.
struct Operator {
    client: AdminClient,
    print: Print,
}

impl Operator {
    async fn open(common: Common) -> Result<Self, OperateError> {
        let path = socket_path(common.socket)?;
        Ok(Self {
            client: AdminClient::connect(&path).await?,
            print: Print::new(common.json),
        })
    }

    /// Asks, and prints the answer as it is.
    async fn show(mut self, request: AdminRequest) -> Result<(), OperateError> {
        let answer = self.client.ask(request).await?;
        Ok(self.print.answer(&answer)?)
    }

    /// Asks the person, unless they said before that they are sure.
    fn confirm(sure: &Sure, what: &str, word: Option<&str>) -> Result<(), OperateError> {
        if sure.yes {
            return Ok(());
        }
        if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
            return Err(OperateError::NobodyToAsk);
        }
        let mut err = std::io::stderr().lock();
        let wanted = word.map_or("[y/N]".to_owned(), |word| format!("Type {word} to go on:"));
        write!(err, "{} {wanted} ", plain(what))?;
        err.flush()?;
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        let said = line.trim().to_lowercase();
        let agreed = word.map_or(matches!(said.as_str(), "y" | "yes"), |word| said == word);
        if agreed {
            Ok(())
        } else {
            Err(OperateError::Declined)
        }
    }

    async fn tokens(&mut self) -> Result<TokensView, OperateError> {
        match self.client.ask(AdminRequest::Read(AdminRead::Tokens)).await? {
            AdminAnswer::Tokens(tokens) => Ok(tokens),
            _ => Err(OperateError::OtherAnswer),
        }
    }
}

impl Operate {
    async fn run(self) -> Result<(), OperateError> {
        let read = AdminRequest::Read;
        match self {
            Self::Status(common) => {
                Operator::open(common)
                    .await?
                    .show(read(AdminRead::Overview))
                    .await
            }
            Self::Workers(common) => Operator::open(common).await?.show(read(AdminRead::Workers)).await,
            Self::Accounts(common) => {
                Operator::open(common)
                    .await?
                    .show(read(AdminRead::Accounts))
                    .await
            }
            Self::Clients(common) => Operator::open(common).await?.show(read(AdminRead::Clients)).await,
            Self::Tokens(common) => Operator::open(common).await?.show(read(AdminRead::Tokens)).await,
            Self::Metrics(common) => Operator::open(common).await?.show(read(AdminRead::Metrics)).await,
            Self::Usage {
                account,
                tools,
                common,
            } => {
                let mut desk = Operator::open(common).await?;
                let AdminAnswer::Usage(rows) = desk.client.ask(read(AdminRead::Usage { account })).await?
                else {
                    return Err(OperateError::OtherAnswer);
                };
                Ok(desk.print.usage(rows, tools)?)
            }
            Self::Invite {
                email,
                remove,
                common,
            } => {
                let desk = Operator::open(common).await?;
                let request = match email {
                    None => read(AdminRead::Accounts),
                    Some(email) if remove => AdminRequest::Act(AdminAct::Uninvite { email }),
                    Some(email) => AdminRequest::Act(AdminAct::Invite { email }),
                };
                desk.show(request).await
            }
            Self::Revoke { target, sure, common } => {
                let mut desk = Operator::open(common).await?;
                let target = target.target();
                let what = consequences(&target, &desk.tokens().await?);
                Operator::confirm(&sure, &what, None)?;
                desk.show(AdminRequest::Act(AdminAct::Revoke(target))).await
            }
            Self::Forget {
                account,
                sure,
                common,
            } => {
                let desk = Operator::open(common).await?;
                let what = format!(
                    "This ends all access of {account} and erases the account with its Garmin tokens."
                );
                Operator::confirm(&sure, &what, Some("forget"))?;
                desk.show(AdminRequest::Act(AdminAct::Forget { account })).await
            }
            Self::Purge { args, sure, common } => {
                let mut desk = Operator::open(common).await?;
                if let Some(what) = args.consequences() {
                    Operator::confirm(&sure, &what, None)?;
                }
                let answer = desk
                    .client
                    .ask_within(AdminRequest::Act(args.act()), LONG)
                    .await?;
                Ok(desk.print.answer(&answer)?)
            }
            Self::Races { what, common } => {
                let desk = Operator::open(common).await?;
                desk.show(race_request(what.unwrap_or(RaceArgs::List))).await
            }
            Self::Notify {
                what: NotifyArgs::Test,
                common,
            } => {
                Operator::open(common)
                    .await?
                    .show(AdminRequest::Act(AdminAct::TestNotify))
                    .await
            }
            Self::Monitor { all, common } => monitor(Operator::open(common).await?, all).await,
        }
    }
}

fn race_request(args: RaceArgs) -> AdminRequest {
    match args {
        RaceArgs::List => AdminRequest::Read(AdminRead::Races),
        RaceArgs::Show { race } => AdminRequest::Read(AdminRead::Race { race }),
        RaceArgs::Start { account, link } => AdminRequest::Act(AdminAct::StartRace { account, link }),
        RaceArgs::Stop { race } => AdminRequest::Act(AdminAct::StopRace { race }),
        RaceArgs::Limits { race, limits } => AdminRequest::Act(AdminAct::ChangeLimits {
            race,
            limits: limits.into_iter().map(|(name, n)| (name, n.into())).collect(),
        }),
    }
}

/// What a revocation will end, in a sentence.
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
        RevocationTarget::Client(wanted) => format!("This ends everybody's access through {wanted}."),
        RevocationTarget::All => format!(
            "This ends all access of everybody: {}.",
            ends(tokens.families.len())
        ),
    }
}

async fn monitor(mut desk: Operator, all: bool) -> Result<(), OperateError> {
    let since = Clock::system().now();
    desk.client.send(AdminRequest::Follow).await?;
    loop {
        let AdminLine::Update { update, .. } = desk.client.next().await? else {
            continue;
        };
        // The daemon also tells the past.
        let AdminUpdate::Log { events, .. } = update else {
            continue;
        };
        for event in events
            .iter()
            .filter(|event| all || (event.at >= since && is_telling(event)))
        {
            desk.print.event(event)?;
        }
    }
}

/// Whether an event is for somebody who watches what happens.
fn is_telling(event: &EventView) -> bool {
    event.level != "debug" && event.event != "stats"
}

/// One JSON value on a line.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::operate::args::limit;

    #[test]
    fn a_limit_is_a_name_and_a_number() {
        assert_eq!(limit("hr_max=150"), Ok(("hr_max".into(), 150.0)));
        for wrong in ["hr_max", "hr_max=", "hr_max=fast"] {
            assert!(limit(wrong).unwrap_err().contains("NAME=NUMBER"), "{wrong}");
        }
    }

    #[test]
    fn who_runs_no_gateway_of_their_own_means_the_machines() {
        let place = tempfile::tempdir().unwrap();
        let (own, of_the_machine) = (place.path().join("own"), place.path().join("machine"));
        assert_eq!(usual_of(&own, &of_the_machine), own, "there is none");
        std::fs::create_dir(&of_the_machine).unwrap();
        assert_eq!(usual_of(&own, &of_the_machine), of_the_machine.join(SOCKET_NAME));
        std::fs::create_dir(&own).unwrap();
        assert_eq!(usual_of(&own, &of_the_machine), of_the_machine.join(SOCKET_NAME));
        std::fs::write(own.join(SOCKET_NAME), "").unwrap();
        assert_eq!(usual_of(&own, &of_the_machine), own.join(SOCKET_NAME));
    }

    #[test]
    fn what_falls_is_counted() {
        let at = jiff::Timestamp::UNIX_EPOCH;
        let family = |id: &str, label: &str| crate::admin::views::FamilyView {
            id: id.into(),
            account: format!("acc_{label}"),
            label: label.into(),
            client: "Claude".into(),
            client_id: "cli_claude".into(),
            access: "read only".into(),
            issued_at: at,
            last_used: None,
            expires_at: None,
        };
        let tokens = TokensView {
            families: vec![
                family("fam_1", "ann"),
                family("fam_2", "ann"),
                family("fam_3", "ben"),
            ],
            revocations: Vec::new(),
        };
        for (target, words) in [
            (
                RevocationTarget::Account("Ann".into()),
                "This ends all access of Ann: 2 sign-ins.",
            ),
            (
                RevocationTarget::Token("fam_3".into()),
                "This ends the access of ben through Claude.",
            ),
            (
                RevocationTarget::All,
                "This ends all access of everybody: 3 sign-ins.",
            ),
        ] {
            assert_eq!(consequences(&target, &tokens), words);
        }
    }

    #[test]
    fn every_end_has_its_exit_code() {
        let refused = |refusal| OperateError::Client(ClientError::Refused(refusal)).exit_code();
        assert_eq!(refused(AdminRefusal::NotFound(String::new())), 64);
        assert_eq!(refused(AdminRefusal::Unavailable(String::new())), 69);
        assert_eq!(refused(AdminRefusal::Internal(String::new())), 70);
        assert_eq!(
            OperateError::Client(ClientError::NotRunning(PathBuf::new())).exit_code(),
            69
        );
        assert_eq!(
            OperateError::Client(ClientError::NotAllowed(PathBuf::new())).exit_code(),
            77
        );
        assert_eq!(OperateError::Declined.exit_code(), 1);
        assert_eq!(OperateError::NobodyToAsk.exit_code(), 64);
    }
}
