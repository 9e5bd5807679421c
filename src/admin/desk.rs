//! Reads the rooms for whoever looks, and passes acts on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Map;

use super::api::{
    Account, Act, Answer, Attention, Client, Family, Invitation, Knock, Overview, People, Read, Refusal,
    Revocation, Target, Tokens, Usage, View, Worker,
};
use super::feed::Views;
use super::metrics;
use super::operations::Rooms;
use crate::accounts::{self, AccountId, GarminLogin};
use crate::foundation::clock::Clock;
use crate::foundation::store::{Health, StoreError};
use crate::gateway;
use crate::mcp::Access;
use crate::oauth::{FamilyId, FamilyOverview};
use crate::races::notify::{Notifier, Tested};
use crate::workers::StopReason;
use crate::workers::rehearsal::{self, Rehearsal, Script};

/// How many revocations are shown.
const REVOCATIONS: usize = 200;

/// How far back usage is summed.
const USAGE_DAYS: i64 = 30;

/// Knows the rooms.
#[derive(Clone)]
pub struct Desk {
    /// What is read and acted on.
    pub rooms: Rooms,
    /// What the daemon is.
    pub facts: Facts,
    /// The time.
    pub clock: Clock,
    /// The way to phones.
    pub notifier: Notifier,
    /// How the workers' program is tried.
    pub script: Script,
}

/// What does not change while the daemon runs.
#[derive(Clone, Debug)]
pub struct Facts {
    /// When it started.
    pub started_at: Timestamp,
    /// The connector URL.
    pub url: String,
    /// Whether its Garmin is pretended.
    pub simulated: bool,
    /// `MAX_WORKERS`
    pub max_workers: usize,
}

impl From<StoreError> for Refusal {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::NotWritten(_) | StoreError::NotRead(_) | StoreError::Busy | StoreError::Closed => {
                Self::Unavailable(e.to_string())
            }
            other => Self::Internal(other.to_string()),
        }
    }
}

impl Desk {
    /// Answers a read.
    pub(super) fn read(&self, read: &Read) -> Result<Answer, Refusal> {
        Ok(match read {
            Read::Overview => Answer::Overview(self.views()?.overview),
            Read::Workers => Answer::Workers(self.workers(&self.labels()?)),
            Read::WorkerOutput { account } => {
                Answer::Lines(self.rooms.workers.output(&self.account(account)?))
            }
            Read::Accounts => Answer::Accounts(self.people(&self.rooms.oauth.families()?)?),
            Read::Usage { account } => Answer::Usage(self.usage(account.as_deref())?),
            Read::Clients => Answer::Clients(clients(&self.rooms.oauth.families()?)),
            Read::Tokens => Answer::Tokens(self.tokens(&self.rooms.oauth.families()?, &self.labels()?)?),
            Read::Races => Answer::Races(self.races()?),
            Read::Metrics => Answer::Metrics(self.metrics()?),
            Read::Race { race } => Answer::Race(Box::new(self.race(race)?)),
        })
    }

    /// Does an act. Who did it is in the log.
    pub(super) async fn act(&self, act: Act, uid: Option<u32>) -> Result<Answer, Refusal> {
        let (op, rooms) = (name_of(&act), &self.rooms);
        let answer = match act {
            Act::Invite { email } => {
                let email = accounts::is_email(&email)
                    .then_some(email)
                    .ok_or_else(|| Refusal::Invalid("that is no e-mail address".into()))?;
                rooms.accounts.invite(&email).await?;
                Answer::Done("They may sign in now.".into())
            }
            Act::Uninvite { email } => {
                rooms.accounts.uninvite(&email).await?;
                Answer::Done(
                    "They may not sign in any more. Access that they have stays: revoke it if it shall end."
                        .into(),
                )
            }
            Act::StopWorker { account } => {
                rooms
                    .workers
                    .stop(&self.account(&account)?, StopReason::Operator)
                    .await;
                Answer::Done("It is stopped. The next call starts a new one.".into())
            }
            Act::Revoke(Target::Account(account)) => {
                Answer::Revoked(rooms.revoke_account(&self.account(&account)?, uid).await?)
            }
            Act::Revoke(Target::Token(family)) => {
                let family: FamilyId = family
                    .parse()
                    .map_err(|_| Refusal::Invalid("that is no id of a sign-in: see `tokens`".into()))?;
                Answer::Revoked(rooms.revoke_family(&family, uid).await?)
            }
            Act::Revoke(Target::Client(client)) => Answer::Revoked(rooms.revoke_client(&client, uid).await?),
            Act::Revoke(Target::All) => Answer::Revoked(rooms.revoke_all(uid).await?),
            Act::Forget { account } => Answer::Revoked(rooms.forget(&self.account(&account)?, uid).await?),
            Act::StartRace { account, link } => {
                let account = self.account(&account)?;
                let started = rooms
                    .races
                    .start_tracking(&account, &link, &Map::new(), None)
                    .await?;
                Answer::Done(format!("{} is watched.", started.race))
            }
            Act::StopRace { race } => {
                let (account, race) = self.race_of(&race)?;
                rooms.races.stop_tracking(&account, &race).await?;
                Answer::Done("It is watched no more. What was recorded stays.".into())
            }
            Act::ChangeLimits { race, limits } => {
                let (account, race) = self.race_of(&race)?;
                rooms.races.update_thresholds(&account, &race, &limits).await?;
                Answer::Done("The limits are changed.".into())
            }
            Act::LookAtRace { race } => {
                let (account, race) = self.race_of(&race)?;
                rooms.races.look(&account, &race)?;
                Answer::Done("Claude is asked to look at it.".into())
            }
            Act::TestNotify => Answer::Done(tested(&self.notifier.test().await?)?),
            Act::RehearseWorker => match rehearsal::rehearse(self.script.clone()).await {
                Rehearsal::Fails(reason) => return Err(Refusal::Unavailable(reason)),
                works => Answer::Done(works.to_string()),
            },
            Act::Probe => Answer::Probe {
                token: rooms.gateway.probe().expose().to_owned(),
            },
            Act::Purge {
                account,
                before,
                erase,
                compact,
            } => {
                let before = before.unwrap_or(Timestamp::MAX);
                let erase = erase.then_some(before);
                Answer::Purged(self.purge(account.as_deref(), erase, compact).await?)
            }
            Act::PrepareSecret { current, new } => Answer::Done(self.prepare_secret(&current, &new).await?),
            Act::SettleSecret { new } => Answer::Done(self.settle_secret(&new).await?),
        };
        if let Answer::Revoked(fell) = &answer {
            tracing::info!(
                op,
                peer.uid = uid,
                families = fell.families,
                access_tokens = fell.tokens,
                workers = fell.workers,
                calls = fell.calls,
                races = fell.races,
                accounts = fell.accounts,
                "admin.acted"
            );
        } else {
            tracing::info!(op, peer.uid = uid, "admin.acted");
        }
        Ok(answer)
    }

    /// Everything that the console shows all the time.
    pub(super) fn views(&self) -> Result<Views, Refusal> {
        let families = self.rooms.oauth.families()?;
        let labels = self.labels()?;
        let people = self.people(&families)?;
        let workers = self.workers(&labels);
        let tokens = self.tokens(&families, &labels)?;
        let overview = self.overview(&people, &workers, &families);
        Ok(Views {
            overview,
            workers,
            people,
            races: self.races()?,
            tokens,
        })
    }

    /// What Prometheus is told, as text.
    pub fn metrics(&self) -> Result<String, Refusal> {
        let Views {
            overview,
            workers,
            people,
            ..
        } = self.views()?;
        let writes = *self.rooms.store.health().borrow() == Health::Writing;
        metrics::page(&overview, &people, &workers, writes).map_err(|e| Refusal::Internal(e.to_string()))
    }

    fn overview(&self, people: &People, workers: &[Worker], families: &[FamilyOverview]) -> Overview {
        let with_access: BTreeSet<_> = families.iter().map(|family| &family.account).collect();
        let clients: BTreeSet<_> = families.iter().map(|family| &family.client_id).collect();
        let used = self.rooms.gateway.used_since_start();
        Overview {
            program: env!("CARGO_PKG_VERSION").into(),
            started_at: self.facts.started_at,
            url: self.facts.url.clone(),
            simulated: self.facts.simulated,
            people: count(with_access.len()),
            accounts: count(people.accounts.len()),
            clients: count(clients.len()),
            tokens: count(families.len()),
            workers: count(workers.iter().filter(|w| w.pid.is_some()).count()),
            max_workers: count(self.facts.max_workers),
            races: count(self.rooms.races.count()),
            calls: used.calls,
            errors: used.errors,
            memory_bytes: own_memory_bytes(),
            store_bytes: self.rooms.store.size_on_disk(),
            attention: self.attention(people, workers),
        }
    }

    fn attention(&self, people: &People, workers: &[Worker]) -> Vec<Attention> {
        let mut attention = Vec::new();
        if let Health::Degraded(reason) = &*self.rooms.store.health().borrow() {
            attention.push(Attention {
                subject: "store".into(),
                text: format!("it can't write ({reason}); make room on the disk, it goes on by itself"),
                account: None,
                view: View::Log,
            });
        }
        attention.extend(
            people
                .accounts
                .iter()
                .filter(|account| account.sign_in_needed)
                .map(|account| Attention {
                    subject: account.email.clone(),
                    text: format!("Garmin wants a new sign-in: send them to {}", self.link()),
                    account: Some(account.id.clone()),
                    view: View::Accounts,
                }),
        );
        attention.extend(
            workers
                .iter()
                .filter(|worker| worker.state == "failed")
                .map(|worker| Attention {
                    subject: worker.label.clone(),
                    text: format!(
                        "the worker ended {} times in a row; its output says why",
                        worker.failures
                    ),
                    account: Some(worker.account.clone()),
                    view: View::Workers,
                }),
        );
        attention.extend(people.knocks.iter().map(|knock| Attention {
            subject: knock.email.clone(),
            text: "knocked without an invitation".into(),
            account: None,
            view: View::Accounts,
        }));
        attention
    }

    fn link(&self) -> String {
        self.facts.url.replace("/mcp", "/link")
    }

    fn workers(&self, labels: &BTreeMap<AccountId, String>) -> Vec<Worker> {
        let workers = self.rooms.workers.list().into_iter();
        workers
            .map(|info| {
                let process = info.process.as_ref();
                Worker {
                    label: labels.get(&info.account).cloned().unwrap_or_default(),
                    account: info.account.to_string(),
                    kind: info.kind,
                    state: info.state,
                    pid: process.map(|p| p.pid),
                    port: process.map(|p| p.port),
                    memory_bytes: process.map(|p| p.resident_bytes),
                    cpu_s: process.map(|p| p.cpu.as_secs_f64()),
                    calls: process.map_or(0, |p| p.calls),
                    fence: process.map(|p| p.fence.clone()),
                    in_flight: count(info.in_flight),
                    waiting: count(info.waiting),
                    idle_s: info.idle.map(|idle| idle.as_secs()),
                    starts: info.starts,
                    failures: info.failures,
                    retry_at: info
                        .retry_in
                        .and_then(|pause| self.clock.now().checked_add(pause).ok()),
                }
            })
            .collect()
    }

    fn people(&self, families: &[FamilyOverview]) -> Result<People, Refusal> {
        let accounts = &self.rooms.accounts;
        let mut people = People::default();
        for account in accounts.list()? {
            let theirs: Vec<_> = families.iter().filter(|f| f.account == account.id).collect();
            let clients: BTreeSet<_> = theirs.iter().map(|f| &f.client_id).collect();
            let access: BTreeSet<_> = theirs.iter().map(|f| words(f.access)).collect();
            let held = accounts.tokens(&account.id)?;
            let (garmin, sign_in_needed) = match &account.garmin {
                GarminLogin::Working => ("working".to_owned(), false),
                GarminLogin::SignInNeeded { reason, .. } => (format!("sign-in needed: {reason}"), true),
            };
            people.accounts.push(Account {
                clients: count(clients.len()),
                tokens: count(theirs.len()),
                access: access.into_iter().collect::<Vec<_>>().join(", "),
                calls_30d: self.used(&account.id)?.values().map(|usage| usage.calls).sum(),
                garmin,
                sign_in_needed,
                garmin_token_expires: held.and_then(|held| held.tokens.expires_at()),
                id: account.id.to_string(),
                email: account.email,
                name: account.full_name,
                linked_at: account.linked_at,
                last_seen: theirs.iter().map(|family| family.last_used_at).max(),
            });
        }
        let invitations = accounts.invitations()?.into_iter();
        people.invitations = invitations
            .map(|i| Invitation {
                email: i.email,
                invited_at: i.invited_at,
            })
            .collect();
        let knocks = accounts.knocks()?.into_iter();
        people.knocks = knocks
            .map(|k| Knock {
                email: k.email,
                last: k.last,
                times: k.times,
            })
            .collect();
        Ok(people)
    }

    fn tokens(
        &self,
        families: &[FamilyOverview],
        labels: &BTreeMap<AccountId, String>,
    ) -> Result<Tokens, Refusal> {
        let label = |account: &AccountId| labels.get(account).cloned().unwrap_or_default();
        let mut shown: Vec<Family> = families
            .iter()
            .map(|family| Family {
                id: family.id.as_str().to_owned(),
                account: family.account.to_string(),
                label: label(&family.account),
                client: family.client_name.clone(),
                client_id: family.client_id.clone(),
                access: words(family.access).to_owned(),
                issued_at: family.created_at,
                last_used: Some(family.last_used_at),
                expires_at: family.expires_at,
            })
            .collect();
        shown.sort_by(|a, b| b.issued_at.cmp(&a.issued_at).then_with(|| a.id.cmp(&b.id)));
        let revocations = self.rooms.oauth.revocations(REVOCATIONS)?.into_iter();
        let revocations = revocations
            .map(|one| Revocation {
                at: one.at,
                family: one.family.as_str().to_owned(),
                label: label(&one.account),
                account: one.account.to_string(),
                client: one.client_name,
                reason: one.reason.as_str().to_owned(),
                by_uid: one.by_uid,
                tokens: count(one.n_access_tokens),
            })
            .collect();
        Ok(Tokens {
            families: shown,
            revocations,
        })
    }

    fn usage(&self, account: Option<&str>) -> Result<Vec<Usage>, Refusal> {
        let labels = self.labels()?;
        let accounts = match account {
            Some(account) => vec![self.account(account)?],
            None => labels.keys().cloned().collect(),
        };
        let mut rows = Vec::new();
        for account in accounts {
            let label = labels.get(&account).cloned().unwrap_or_default();
            rows.extend(self.used(&account)?.into_iter().map(|(tool, used)| Usage {
                account: account.to_string(),
                label: label.clone(),
                tool,
                calls: used.calls,
                errors: used.errors,
            }));
        }
        rows.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.tool.cmp(&b.tool)));
        Ok(rows)
    }

    /// What an account used of late, by tool.
    fn used(&self, account: &AccountId) -> Result<BTreeMap<String, gateway::usage::Usage>, Refusal> {
        let since = self.clock.now() - SignedDuration::from_hours(24 * USAGE_DAYS);
        let since = since.to_zoned(jiff::tz::TimeZone::UTC).date();
        let mut by_tool: BTreeMap<String, gateway::usage::Usage> = BTreeMap::new();
        for line in gateway::usage::used(&self.rooms.store, account)? {
            if line.day >= since {
                let sum = by_tool.entry(line.tool).or_default();
                sum.calls += line.usage.calls;
                sum.errors += line.usage.errors;
            }
        }
        Ok(by_tool)
    }

    /// What people call each account.
    fn labels(&self) -> Result<BTreeMap<AccountId, String>, Refusal> {
        Ok(self
            .rooms
            .accounts
            .list()?
            .into_iter()
            .map(|account| (account.id, account.email))
            .collect())
    }

    /// The account that `text` names: by its id, or by the e-mail of its last sign-in.
    pub(super) fn account(&self, text: &str) -> Result<AccountId, Refusal> {
        let wanted = text.trim().to_lowercase();
        let mut found = self.rooms.accounts.list()?.into_iter();
        found
            .find(|account| account.id.as_str() == wanted || account.email == wanted)
            .map(|account| account.id)
            .ok_or_else(|| Refusal::NotFound(format!("there is no account {text}; `accounts` lists them")))
    }
}

/// Resident memory of this process, from the kernel; 0 where it does not tell.
fn own_memory_bytes() -> u64 {
    let pages = || -> Option<u64> {
        let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
        statm.split_whitespace().nth(1)?.parse().ok()
    };
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)
        .ok()
        .flatten();
    pages().unwrap_or_default() * page.and_then(|size| u64::try_from(size).ok()).unwrap_or(4096)
}

/// What became of the test messages; an error when any did not go out.
fn tested(tested: &[Tested]) -> Result<String, Refusal> {
    if tested.is_empty() {
        let how = "no phone is set: set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID, or NTFY_TOPIC, or let people set their own";
        return Err(Refusal::Unavailable(how.into()));
    }
    let failed: Vec<_> = tested.iter().filter_map(|one| one.failed.clone()).collect();
    if !failed.is_empty() {
        return Err(Refusal::Unavailable(failed.join("; ")));
    }
    let sent: Vec<_> = tested
        .iter()
        .map(|one| format!("{} ({})", one.channel, one.sent))
        .collect();
    Ok(format!("A test message is on its way: {}.", sent.join(", ")))
}

/// Clients are known by the access they have: a registration alone leaves no trace.
fn clients(families: &[FamilyOverview]) -> Vec<Client> {
    let mut clients: BTreeMap<&str, Client> = BTreeMap::new();
    for family in families {
        let client = clients.entry(&family.client_id).or_insert_with(|| Client {
            id: family.client_id.clone(),
            name: family.client_name.clone(),
            first_used_at: family.created_at,
            tokens: 0,
        });
        client.first_used_at = client.first_used_at.min(family.created_at);
        client.tokens += 1;
    }
    clients.into_values().collect()
}

fn words(access: Access) -> &'static str {
    match access {
        Access::ReadOnly => "read only",
        Access::ReadAndChange => "read and change",
    }
}

/// An act's name in the log.
fn name_of(act: &Act) -> &'static str {
    match act {
        Act::Invite { .. } => "invite",
        Act::Uninvite { .. } => "uninvite",
        Act::StopWorker { .. } => "stop_worker",
        Act::Revoke(Target::Account(_)) => "revoke_account",
        Act::Revoke(Target::Token(_)) => "revoke_token",
        Act::Revoke(Target::Client(_)) => "revoke_client",
        Act::Revoke(Target::All) => "revoke_all",
        Act::Forget { .. } => "forget",
        Act::StartRace { .. } => "start_race",
        Act::StopRace { .. } => "stop_race",
        Act::ChangeLimits { .. } => "change_limits",
        Act::LookAtRace { .. } => "look_at_race",
        Act::TestNotify => "test_notify",
        Act::RehearseWorker => "rehearse_worker",
        Act::Probe => "probe",
        Act::Purge { .. } => "purge",
        Act::PrepareSecret { .. } => "prepare_secret",
        Act::SettleSecret { .. } => "settle_secret",
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
