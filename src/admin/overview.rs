//! The overview, and a snapshot of all views.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::api::AdminRefusal;
use super::metrics;
use super::service::AdminService;
use super::views::count;
use super::views::{Attention, ConsoleView, ConsoleViews, Overview, People, RaceView, WorkerView};

use crate::accounts::AccountId;
use crate::oauth::FamilyOverview;
use crate::store::Health;

impl AdminService {
    pub(super) fn views(&self) -> Result<ConsoleViews, AdminRefusal> {
        let families = self.rooms.oauth.families()?;
        let labels = self.labels()?;
        let people = self.people_with(&families)?;
        let workers = self.workers_with(&labels);
        let races = self.races()?;
        let overview = self.overview(&people, &workers, &families, &races);
        Ok(ConsoleViews {
            overview,
            workers,
            people,
            races,
            tokens: self.tokens_with(&families, &labels)?,
        })
    }

    /// Metrics for Prometheus, as OpenMetrics text.
    pub fn metrics(&self) -> Result<String, AdminRefusal> {
        let writable = *self.rooms.store.health().borrow() == Health::Writing;
        let bot = self.notifier.bot_health().is_listening();
        metrics::page(&self.views()?, writable, bot).map_err(|e| AdminRefusal::Internal(e.to_string()))
    }

    pub(super) fn workers(&self) -> Result<Vec<WorkerView>, AdminRefusal> {
        Ok(self.workers_with(&self.labels()?))
    }

    /// The e-mail of each account.
    pub(super) fn labels(&self) -> Result<BTreeMap<AccountId, String>, AdminRefusal> {
        let accounts = self.rooms.accounts.list()?.into_iter();
        Ok(accounts.map(|account| (account.id, account.email)).collect())
    }

    fn overview(
        &self,
        people: &People,
        workers: &[WorkerView],
        families: &[FamilyOverview],
        races: &[RaceView],
    ) -> Overview {
        let with_access: BTreeSet<_> = families.iter().map(|family| &family.account).collect();
        let clients: BTreeSet<_> = families.iter().map(|family| &family.client_id).collect();
        let used = self.rooms.gateway.used_since_start();
        let histories = || {
            people
                .accounts
                .iter()
                .filter_map(|account| account.history.as_ref())
        };
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
            histories: count(histories().count()),
            history_days: histories().map(|history| u64::from(history.days)).sum(),
            history_filled_at: histories().filter_map(|history| history.filled_at).max(),
            garmin_paused_until: self.rooms.workers.garmin_pause(self.clock.now()),
            races_time: self.races_time(),
            mailbox: self.mailbox.told(),
            attention: self.attention(people, workers, races),
        }
    }

    fn races_time(&self) -> Option<Timestamp> {
        let (races, own) = (self.rooms.races.clock().now(), self.clock.now());
        // The two clocks are read one after the other, so a small difference means nothing.
        (own.duration_since(races).abs() > SignedDuration::from_secs(1)).then_some(races)
    }

    /// Most urgent first: the gateway itself, races, then sign-ins, workers and access requests.
    fn attention(&self, people: &People, workers: &[WorkerView], races: &[RaceView]) -> Vec<Attention> {
        let mut attention = self.own_attention();
        attention.extend(nobody_invited(people));
        attention.extend(races.iter().filter_map(race_attention));
        let mut add = |subject: &str, text: String, account: Option<&String>, view| {
            attention.push(Attention {
                account: account.cloned(),
                ..Attention::new(subject, text, view)
            });
        };
        let link_page = self.facts.url.replace("/mcp", "/link");
        for account in people.accounts.iter().filter(|account| account.sign_in_needed) {
            let text = format!("Garmin requires a new sign-in: send them to {link_page}");
            add(&account.email, text, Some(&account.id), ConsoleView::Accounts);
        }
        for worker in workers.iter().filter(|worker| worker.state == "failed") {
            let text = format!(
                "the worker exited unexpectedly {} times in a row; see its output",
                worker.failures
            );
            add(&worker.label, text, Some(&worker.account), ConsoleView::Workers);
        }
        for request in &people.access_requests {
            // A stranger wrote the address, so it must not stand in a command that the operator may copy into a shell.
            let text = "tried to sign in without an invitation; `invite E-MAIL` lets them in, `invite E-MAIL --remove` \
                        dismisses this";
            add(&request.email, text.to_owned(), None, ConsoleView::Accounts);
        }
        attention
    }

    /// Problems that concern the gateway as a whole.
    fn own_attention(&self) -> Vec<Attention> {
        let mut attention = Vec::new();
        let mut add = |subject: &str, text| attention.push(Attention::new(subject, text, ConsoleView::Log));
        if let Health::Degraded(reason) = &*self.rooms.store.health().borrow() {
            let text =
                format!("cannot write ({reason}); free some disk space, and it recovers automatically");
            add("store", text);
        }
        let certificate = self.certificate.iter();
        for sentence in certificate.flat_map(|health| health.sentences(self.clock.now())) {
            add("certificate", sentence);
        }
        for sentence in self.saved.borrow().sentences() {
            add("settings", sentence);
        }
        if let Some(proxy) = self.facts.proxies.missing() {
            let text = format!(
                "a proxy at {proxy} passes requests on but is not in TRUSTED_PROXIES, so its clients can't be told apart; add it there, and let it set X-Forwarded-For"
            );
            add("proxy", text);
        }
        if let Some(proxy) = self.facts.proxies.silent() {
            let text = format!(
                "the proxy at {proxy} does not pass on its clients' addresses, so they can't be told apart; let it set X-Forwarded-For"
            );
            add("proxy", text);
        }
        if let Some(text) = self.notifier.bot_health().advice() {
            add("telegram", text);
        }
        if let Some(text) = self.mailbox.health().advice() {
            add("mailbox", text);
        }
        if let Some(text) = self.notifier.broker_advice() {
            add("mqtt", text);
        }
        for sentence in self.news.sentences(self.clock.now()) {
            add("news", sentence);
        }
        if let Some(until) = self.rooms.workers.garmin_pause(self.clock.now()) {
            let until = until.strftime("%H:%M UTC");
            let text = format!("asked for a pause until {until} (429); no request is sent to it before then");
            add("garmin", text);
        }
        attention
    }

    fn workers_with(&self, labels: &BTreeMap<AccountId, String>) -> Vec<WorkerView> {
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
}

/// Without any invitation nobody can sign in, which no error tells.
fn nobody_invited(people: &People) -> Option<Attention> {
    let is_closed =
        !people.open_sign_up && people.invited_by_settings.is_empty() && people.invitations.is_empty();
    let text = "nobody is invited, so nobody can sign in; use `garmin-gateway invite E-MAIL`, or set INVITED";
    is_closed.then(|| Attention::new("sign-in", text.to_owned(), ConsoleView::Accounts))
}

/// What the operator should look at in a race. The text contains no elapsed time, so that the problem stays the same
/// one.
fn race_attention(race: &RaceView) -> Option<Attention> {
    let too_late = race.next_cutoff.as_ref().filter(|cutoff| cutoff.margin_s < 0.0);
    let text = match (race.state.as_str(), too_late) {
        ("no signal", _) => "no data is arriving, which does not mean that they stopped".to_owned(),
        ("stopped", _) => "is standing still with a good signal".to_owned(),
        ("garmin unreachable", _) => "Garmin does not answer, so the state of the race is unknown".to_owned(),
        (_, Some(cutoff)) => format!("is likely to miss the cut-off at {}", cutoff.place),
        _ => return None,
    };
    let subject = race.athlete.as_ref().unwrap_or(&race.name);
    Some(Attention {
        race: Some(race.id.clone()),
        ..Attention::new(subject, text, ConsoleView::Races)
    })
}

/// Resident memory of this process; 0 if the kernel does not report it.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_without_any_invitation_needs_attention() {
        assert!(nobody_invited(&People::default()).is_some());
        let invited = People {
            invited_by_settings: vec!["@example.org".to_owned()],
            ..People::default()
        };
        let open = People {
            open_sign_up: true,
            ..People::default()
        };
        assert!(nobody_invited(&invited).is_none() && nobody_invited(&open).is_none());
    }
}
