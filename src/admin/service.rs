//! Carries out requests from the admin socket. Every act is logged with the operator's uid.
//!
//! Reads are implemented in `overview`, `people`, `access` and `races`; an act of more than a few lines has its own
//! file.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Map;
use tokio::sync::watch;

use super::api::{AdminAct, AdminAnswer, AdminRead, AdminRefusal, RevocationSummary, RevocationTarget};
use super::news::News;
use super::operations::Rooms;
use crate::accounts::{self, AccountId, MailAddressProblem};
use crate::base::clock::Clock;
use crate::base::source::Proxies;
use crate::config::{Invited, SavedSettings};
use crate::notify::{ChannelTest, Notifier};
use crate::oauth::{EndedBy, RevocationScope};
use crate::races::{RaceCaller, RaceMailbox};
use crate::store::StoreError;
use crate::tls::CertificateHealth;
use crate::workers::StopReason;
use crate::workers::rehearsal::{self, Rehearsal, Script};

/// The shortest prefix of a client id that identifies a client.
const SHORTEST_CLIENT_ID: usize = 8;

/// The service behind the admin socket.
#[derive(Clone)]
pub struct AdminService {
    pub rooms: Rooms,
    pub facts: GatewayFacts,
    pub clock: Clock,
    pub notifier: Notifier,
    /// The mailbox that starts races.
    pub mailbox: RaceMailbox,
    /// The news about releases of this program.
    pub news: News,
    /// Starts the worker program for a test.
    pub script: Script,
    /// The certificate, if the gateway serves https itself.
    pub certificate: Option<CertificateHealth>,
    /// What was saved in the env file and is not in effect.
    pub saved: watch::Receiver<SavedSettings>,
}

/// Facts that do not change while the daemon runs.
#[derive(Clone, Debug)]
pub struct GatewayFacts {
    pub started_at: Timestamp,
    /// The URL that people add as a connector.
    pub url: String,
    /// Whether Garmin is the built-in simulator.
    pub simulated: bool,
    /// The value of the setting `MAX_WORKERS`.
    pub max_workers: usize,
    pub proxies: Arc<Proxies>,
}

impl From<StoreError> for AdminRefusal {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::NotWritten(_) | StoreError::NotRead(_) | StoreError::Busy | StoreError::Closed => {
                Self::Unavailable(e.to_string())
            }
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<MailAddressProblem> for AdminRefusal {
    fn from(e: MailAddressProblem) -> Self {
        match e {
            MailAddressProblem::Store(e) => e.into(),
            other => Self::Invalid(other.to_string()),
        }
    }
}

impl AdminService {
    pub(super) fn read(&self, read: &AdminRead) -> Result<AdminAnswer, AdminRefusal> {
        Ok(match read {
            AdminRead::Overview => AdminAnswer::Overview(self.views()?.overview),
            AdminRead::Workers => AdminAnswer::Workers(self.workers()?),
            AdminRead::WorkerOutput { account } => {
                AdminAnswer::Lines(self.rooms.workers.output(&self.account(account)?))
            }
            AdminRead::Accounts => AdminAnswer::Accounts(self.people()?),
            AdminRead::Usage { account } => AdminAnswer::Usage(self.usage(account.as_deref())?),
            AdminRead::Clients => AdminAnswer::Clients(self.clients()?),
            AdminRead::Tokens => AdminAnswer::Tokens(self.tokens()?),
            AdminRead::Tools => AdminAnswer::Tools(self.tools()),
            AdminRead::Races => AdminAnswer::Races(self.races()?),
            AdminRead::Metrics => AdminAnswer::Metrics(self.metrics()?),
            AdminRead::Race { race } => AdminAnswer::Race(Box::new(self.race(race)?)),
            AdminRead::Shares { race } => AdminAnswer::Shares(self.shares(race)?),
        })
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each act")]
    pub(super) async fn act(&self, act: AdminAct, uid: Option<u32>) -> Result<AdminAnswer, AdminRefusal> {
        let (op, rooms) = (op_name(&act), &self.rooms);
        let answer = match act {
            AdminAct::Invite { email } => {
                if !accounts::is_email(&email) {
                    return Err(not_an_email(&email));
                }
                rooms.accounts.invite(&email).await?;
                AdminAnswer::Done(format!("{} may sign in now.", email.trim().to_lowercase()))
            }
            AdminAct::Uninvite { email } => AdminAnswer::Done(self.uninvite(&email).await?),
            AdminAct::ChooseTools { account, tools } => self.choose_tools(&account, &tools).await?,
            AdminAct::ChooseMailAddresses { account, addresses } => {
                let account = self.account(&account)?;
                let chosen = rooms
                    .accounts
                    .choose_mail_addresses(&account, &addresses, |_| Ok(true))
                    .await?;
                AdminAnswer::Done(told_addresses(&chosen))
            }
            AdminAct::StopWorker { account } => {
                let account = self.account(&account)?;
                rooms.workers.stop(&account, StopReason::Operator).await;
                AdminAnswer::Done("The worker was stopped. The next call starts a new one.".into())
            }
            AdminAct::Revoke(target) => AdminAnswer::Revoked(self.revoke(target, uid).await?),
            AdminAct::Forget { account } => AdminAnswer::Revoked(
                rooms
                    .forget(&self.account(&account)?, EndedBy::Operator(uid))
                    .await?,
            ),
            AdminAct::StartRace { account, link } => {
                let operator = RaceCaller::Operator(self.account(&account)?);
                let limits = Map::new();
                let started = rooms
                    .races
                    .start_tracking(&operator, &link, &limits, None)
                    .await?;
                AdminAnswer::Done(format!("Race {} is being watched.", started.race))
            }
            AdminAct::StopRace { race } => {
                let (account, race) = self.race_of(&race)?;
                if !rooms.races.is_watched(&account, &race)? {
                    return Err(AdminRefusal::Invalid(
                        "the race is already over; its recording stays".into(),
                    ));
                }
                rooms.races.stop_tracking(&account, &race).await?;
                AdminAnswer::Done("The race is no longer watched. Its recording stays.".into())
            }
            AdminAct::ChangeLimits { race, limits } => {
                let (account, race) = self.race_of(&race)?;
                let operator = RaceCaller::Operator(account);
                rooms.races.update_thresholds(&operator, &race, &limits).await?;
                AdminAnswer::Done("The limits have been changed.".into())
            }
            AdminAct::ShareRace {
                race,
                role,
                name,
                privacy_m,
                hours_after,
                with,
            } => {
                let terms = Self::share_terms(&role, name.as_deref(), privacy_m, hours_after)?;
                self.share_race(&race, terms, with.as_deref()).await?
            }
            AdminAct::EndShares { race, share } => {
                AdminAnswer::Done(self.end_shares(&race, share.as_deref()).await?)
            }
            AdminAct::LookAtRace { race } => {
                let (account, race) = self.race_of(&race)?;
                rooms.races.look(&RaceCaller::Operator(account), &race)?;
                AdminAnswer::Done("Claude has been asked to look at the race.".into())
            }
            AdminAct::TestNotify => AdminAnswer::Done(test_report(&self.notifier.test().await?)?),
            AdminAct::RehearseWorker => match rehearsal::rehearse(self.script.clone()).await {
                Rehearsal::Fails(reason) => return Err(AdminRefusal::Unavailable(reason)),
                works => AdminAnswer::Done(works.to_string()),
            },
            AdminAct::Probe => AdminAnswer::Probe {
                token: rooms.gateway.probe().expose().to_owned(),
            },
            AdminAct::Purge {
                account,
                before,
                erase,
                compact,
            } => {
                let before = erase.then(|| before.unwrap_or(Timestamp::MAX));
                AdminAnswer::Purged(self.purge(account.as_deref(), before, compact).await?)
            }
            AdminAct::PrepareSecret { current, new } => {
                AdminAnswer::Done(self.prepare_secret(&current, &new).await?)
            }
            AdminAct::SettleSecret { new } => AdminAnswer::Done(self.settle_secret(&new).await?),
        };
        if let AdminAnswer::Revoked(ended) = &answer {
            tracing::info!(
                op,
                peer.uid = uid,
                families = ended.families,
                access_tokens = ended.tokens,
                workers = ended.workers,
                calls = ended.calls,
                races = ended.races,
                accounts = ended.accounts,
                "admin.acted"
            );
        } else {
            tracing::info!(op, peer.uid = uid, "admin.acted");
        }
        Ok(answer)
    }

    /// Ends access. A client that nobody knows is refused, unless a sign-in through it was under way.
    async fn revoke(
        &self,
        target: RevocationTarget,
        uid: Option<u32>,
    ) -> Result<RevocationSummary, AdminRefusal> {
        let scope = self.scope(target)?;
        let unknown = match &scope {
            RevocationScope::Client(id) => {
                let is_known = self.clients()?.iter().any(|client| client.id == *id);
                (!is_known).then(|| format!("there is no client {id}; `clients` lists them"))
            }
            _ => None,
        };
        let ended = self.rooms.revoke(scope, EndedBy::Operator(uid)).await?;
        match unknown {
            Some(unknown) if ended == RevocationSummary::default() => Err(AdminRefusal::NotFound(unknown)),
            _ => Ok(ended),
        }
    }

    /// Withdraws an invitation, or dismisses a request for access. The returned sentence says what access the person
    /// still has.
    async fn uninvite(&self, email: &str) -> Result<String, AdminRefusal> {
        let email = email.trim().to_lowercase();
        let accounts = &self.rooms.accounts;
        let was_invited = accounts.invitations()?.iter().any(|one| one.email == email);
        let has_asked = accounts.access_requests()?.iter().any(|one| one.email == email);
        self.rooms.uninvite(&email).await?;
        let (standing, open_sign_up) = accounts.standing_invitations();
        let still = if open_sign_up {
            Some("OPEN_SIGN_UP lets everyone sign in".to_owned())
        } else {
            let covering = standing.iter().find(|invited| invited.covers(&email));
            covering
                .map(|invited| format!("INVITED in the settings still lets them sign in, through {invited}"))
        };
        let withdrawn = if was_invited {
            format!("The invitation for {email} has been withdrawn")
        } else if has_asked {
            format!("The access request of {email} has been dismissed")
        } else {
            format!("There was no invitation for {email} to withdraw")
        };
        let connected = if self.account(&email).is_ok() {
            format!(" Existing connections keep working; `revoke --account {email}` ends them.")
        } else {
            String::new()
        };
        Ok(match still {
            Some(still) => format!("{withdrawn}, but {still}.{connected}"),
            None => format!("{withdrawn}; they can't sign in.{connected}"),
        })
    }

    /// The account that `text` identifies, by id or by the e-mail of its last sign-in.
    pub(super) fn account(&self, text: &str) -> Result<AccountId, AdminRefusal> {
        let wanted = text.trim().to_lowercase();
        let mut found = self.rooms.accounts.list()?.into_iter();
        found
            .find(|account| account.id.as_str() == wanted || account.email == wanted)
            .map(|account| account.id)
            .ok_or_else(|| {
                AdminRefusal::NotFound(format!("there is no account {text}; `accounts` lists them"))
            })
    }

    /// The client that `text` identifies, by id or by an unambiguous prefix of one.
    fn client(&self, text: &str) -> Result<String, AdminRefusal> {
        let wanted = text.trim();
        let clients = self.clients()?;
        let is_short = wanted.len() < SHORTEST_CLIENT_ID;
        let mut found = clients
            .iter()
            .filter(|client| !is_short && client.id.starts_with(wanted));
        let (first, second) = (found.next(), found.next());
        let exact = clients.iter().find(|client| client.id == wanted);
        match (exact, first, second) {
            (Some(client), ..) | (None, Some(client), None) => Ok(client.id.clone()),
            (None, Some(_), Some(_)) => Err(AdminRefusal::Invalid(format!(
                "more than one client id begins with {wanted}; write more of it"
            ))),
            // Nobody has signed in through it, but authorization codes may have been issued.
            (None, None, _) => Ok(wanted.to_owned()),
        }
    }

    fn scope(&self, target: RevocationTarget) -> Result<RevocationScope, AdminRefusal> {
        Ok(match target {
            RevocationTarget::Account(account) => RevocationScope::Account(self.account(&account)?),
            RevocationTarget::Token(family) => RevocationScope::Family(family.parse().map_err(|_| {
                AdminRefusal::Invalid(format!(
                    "{family} is not the id of a sign-in; `tokens` lists them"
                ))
            })?),
            RevocationTarget::Client(client) => RevocationScope::Client(self.client(&client)?),
            RevocationTarget::All => RevocationScope::All,
        })
    }
}

/// Why a text can't be invited. A domain is invited by a setting.
fn not_an_email(text: &str) -> AdminRefusal {
    let text = text.trim();
    let is_domain = text
        .strip_prefix('@')
        .is_some_and(|name| Invited::parse(text).is_ok() && name.contains('.'));
    AdminRefusal::Invalid(if is_domain {
        format!(
            "{text} is a domain, and domains are invited in the settings: add it to the list there, such as INVITED={text}"
        )
    } else {
        format!("{text:?} is not an e-mail address; write name@example.org")
    })
}

/// The result of the test messages. Errors: no channel is configured, or a channel failed.
fn test_report(tested: &[ChannelTest]) -> Result<String, AdminRefusal> {
    if tested.is_empty() {
        return Err(AdminRefusal::Unavailable(
            "no phone is configured: set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID, NTFY_TOPIC, GOTIFY_URL, WEBHOOK_URL or MQTT_URL, \
             or let people set their own"
                .into(),
        ));
    }
    let failed: Vec<_> = tested.iter().filter_map(|one| one.failed.clone()).collect();
    if !failed.is_empty() {
        return Err(AdminRefusal::Unavailable(failed.join("; ")));
    }
    let sent: Vec<_> = tested
        .iter()
        .map(|one| format!("{} ({})", one.channel, one.sent))
        .collect();
    let notes: String = tested
        .iter()
        .flat_map(|one| &one.notes)
        .flat_map(|note| [" Note: ", note.as_str(), "."])
        .collect();
    Ok(format!(
        "A test message is on its way: {}.{notes}",
        sent.join(", ")
    ))
}

/// A sentence about the addresses whose mails start the person's races now.
fn told_addresses(chosen: &[String]) -> String {
    if chosen.is_empty() {
        return "Only mails to the e-mail of their account start their races now.".into();
    }
    format!(
        "LiveTrack mails to the e-mail of their account, {} start their races now.",
        chosen.join(", ")
    )
}

/// The name of an act in the log.
fn op_name(act: &AdminAct) -> &'static str {
    match act {
        AdminAct::Invite { .. } => "invite",
        AdminAct::Uninvite { .. } => "uninvite",
        AdminAct::ChooseTools { .. } => "choose_tools",
        AdminAct::ChooseMailAddresses { .. } => "choose_mail_addresses",
        AdminAct::StopWorker { .. } => "stop_worker",
        AdminAct::Revoke(RevocationTarget::Account(_)) => "revoke_account",
        AdminAct::Revoke(RevocationTarget::Token(_)) => "revoke_token",
        AdminAct::Revoke(RevocationTarget::Client(_)) => "revoke_client",
        AdminAct::Revoke(RevocationTarget::All) => "revoke_all",
        AdminAct::Forget { .. } => "forget",
        AdminAct::StartRace { .. } => "start_race",
        AdminAct::StopRace { .. } => "stop_race",
        AdminAct::ChangeLimits { .. } => "change_limits",
        AdminAct::ShareRace { .. } => "share_race",
        AdminAct::EndShares { .. } => "end_shares",
        AdminAct::LookAtRace { .. } => "look_at_race",
        AdminAct::TestNotify => "test_notify",
        AdminAct::RehearseWorker => "rehearse_worker",
        AdminAct::Probe => "probe",
        AdminAct::Purge { .. } => "purge",
        AdminAct::PrepareSecret { .. } => "prepare_secret",
        AdminAct::SettleSecret { .. } => "settle_secret",
    }
}
