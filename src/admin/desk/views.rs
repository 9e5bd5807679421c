//! What can be known.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::Desk;
use crate::accounts::{AccountId, GarminLogin};
use crate::admin::api::{
    AccessRequestView, AccountView, AdminAnswer, AdminRead, AdminRefusal, Attention, ClientView, ConsoleView,
    FamilyView, InvitationView, Overview, People, RevocationView, TokensView, ToolUsage, WorkerView,
};
use crate::admin::feed::Views;
use crate::admin::metrics;
use crate::gateway;
use crate::mcp::Access;
use crate::oauth::FamilyOverview;
use crate::store::Health;

/// How many revocations are shown.
const REVOCATIONS: usize = 200;

/// How far back usage is summed.
const USAGE_DAYS: i64 = 30;

impl Desk {
    /// Answers a read.
    pub(in crate::admin) fn read(&self, read: &AdminRead) -> Result<AdminAnswer, AdminRefusal> {
        Ok(match read {
            AdminRead::Overview => AdminAnswer::Overview(self.views()?.overview),
            AdminRead::Workers => AdminAnswer::Workers(self.workers(&self.labels()?)),
            AdminRead::WorkerOutput { account } => {
                AdminAnswer::Lines(self.rooms.workers.output(&self.account(account)?))
            }
            AdminRead::Accounts => AdminAnswer::Accounts(self.people(&self.rooms.oauth.families()?)?),
            AdminRead::Usage { account } => AdminAnswer::Usage(self.usage(account.as_deref())?),
            AdminRead::Clients => AdminAnswer::Clients(clients(&self.rooms.oauth.families()?)),
            AdminRead::Tokens => {
                AdminAnswer::Tokens(self.tokens(&self.rooms.oauth.families()?, &self.labels()?)?)
            }
            AdminRead::Races => AdminAnswer::Races(self.races()?),
            AdminRead::Metrics => AdminAnswer::Metrics(self.metrics()?),
            AdminRead::Race { race } => AdminAnswer::Race(Box::new(self.race(race)?)),
        })
    }

    /// Everything that the console shows all the time.
    pub(in crate::admin) fn views(&self) -> Result<Views, AdminRefusal> {
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
    pub fn metrics(&self) -> Result<String, AdminRefusal> {
        let Views {
            overview,
            workers,
            people,
            ..
        } = self.views()?;
        let writes = *self.rooms.store.health().borrow() == Health::Writing;
        metrics::page(&overview, &people, &workers, writes).map_err(|e| AdminRefusal::Internal(e.to_string()))
    }

    fn overview(&self, people: &People, workers: &[WorkerView], families: &[FamilyOverview]) -> Overview {
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

    fn attention(&self, people: &People, workers: &[WorkerView]) -> Vec<Attention> {
        let mut attention = Vec::new();
        if let Health::Degraded(reason) = &*self.rooms.store.health().borrow() {
            attention.push(Attention {
                subject: "store".into(),
                text: format!("it can't write ({reason}); make room on the disk, it goes on by itself"),
                account: None,
                view: ConsoleView::Log,
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
                    view: ConsoleView::Accounts,
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
                    view: ConsoleView::Workers,
                }),
        );
        attention.extend(people.knocks.iter().map(|knock| Attention {
            subject: knock.email.clone(),
            text: "knocked without an invitation".into(),
            account: None,
            view: ConsoleView::Accounts,
        }));
        attention
    }

    fn link(&self) -> String {
        self.facts.url.replace("/mcp", "/link")
    }

    fn workers(&self, labels: &BTreeMap<AccountId, String>) -> Vec<WorkerView> {
        let workers = self.rooms.workers.list().into_iter();
        workers
            .map(|info| {
                let process = info.process.as_ref();
                WorkerView {
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

    fn people(&self, families: &[FamilyOverview]) -> Result<People, AdminRefusal> {
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
            people.accounts.push(AccountView {
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
            .map(|i| InvitationView {
                email: i.email,
                invited_at: i.invited_at,
            })
            .collect();
        let knocks = accounts.access_requests()?.into_iter();
        people.knocks = knocks
            .map(|k| AccessRequestView {
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
    ) -> Result<TokensView, AdminRefusal> {
        let label = |account: &AccountId| labels.get(account).cloned().unwrap_or_default();
        let mut shown: Vec<FamilyView> = families
            .iter()
            .map(|family| FamilyView {
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
            .map(|one| RevocationView {
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
        Ok(TokensView {
            families: shown,
            revocations,
        })
    }

    fn usage(&self, account: Option<&str>) -> Result<Vec<ToolUsage>, AdminRefusal> {
        let labels = self.labels()?;
        let accounts = match account {
            Some(account) => vec![self.account(account)?],
            None => labels.keys().cloned().collect(),
        };
        let mut rows = Vec::new();
        for account in accounts {
            let label = labels.get(&account).cloned().unwrap_or_default();
            rows.extend(self.used(&account)?.into_iter().map(|(tool, used)| ToolUsage {
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
    fn used(&self, account: &AccountId) -> Result<BTreeMap<String, gateway::usage::Usage>, AdminRefusal> {
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

/// Clients are known by the access they have: a registration alone leaves no trace.
fn clients(families: &[FamilyOverview]) -> Vec<ClientView> {
    let mut clients: BTreeMap<&str, ClientView> = BTreeMap::new();
    for family in families {
        let client = clients.entry(&family.client_id).or_insert_with(|| ClientView {
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

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
