//! The data received from the gateway, and the figures of the last minutes.

use std::collections::VecDeque;

use crate::admin::api::{AdminAct, AdminAnswer, AdminRead, AdminRequest, AdminUpdate};
use crate::admin::views::{
    AccountView, EventView, Overview, People, RaceDetail, RaceView, TokensView, ToolUsage, WorkerView,
};
use crate::console::words::counted;

/// The number of log events kept, which is as many as the daemon keeps.
const MAX_EVENTS: usize = 2_000;

/// The number of seconds of history shown by the sparklines.
const MAX_HISTORY: usize = 600;

/// The fields that tell what an event means, shown first.
const CAUSES: [&str; 7] = [
    "alert", "reason", "failure", "outcome", "state", "class", "status",
];

/// The figures of one second of history.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HistorySecond {
    /// Calls during this second.
    pub(super) calls: f64,
    /// The number of running workers.
    pub(super) workers: f64,
    /// The number of people with access.
    pub(super) people: f64,
    /// The number of races in progress.
    pub(super) races: f64,
}

#[derive(Default)]
pub(super) struct GatewayData {
    pub(super) overview: Option<Overview>,
    pub(super) workers: Vec<WorkerView>,
    pub(super) people: People,
    pub(super) races: Vec<RaceView>,
    pub(super) tokens: TokensView,
    /// Log events, oldest first.
    pub(super) log: VecDeque<EventView>,
    /// The number of events that were dropped from the front of `log`.
    pub(super) log_start: u64,
    pub(super) history: VecDeque<HistorySecond>,
    /// The last lines of one worker, with its account id.
    pub(super) output: Option<(String, Vec<String>)>,
    /// The tool usage of one account, with its id.
    pub(super) usage: Option<(String, Vec<ToolUsage>)>,
    /// The race shown in detail.
    pub(super) race: Option<RaceDetail>,
    calls_before: Option<u64>,
}

impl GatewayData {
    pub(super) fn account(&self, id: &str) -> Option<&AccountView> {
        self.people.accounts.iter().find(|account| account.id == id)
    }

    /// The athlete's name in LiveTrack; if it has none, the person whose account watches the race.
    pub(super) fn athlete<'a>(&'a self, race: &'a RaceView) -> &'a str {
        let person = || self.account(&race.account).map(|account| account.name.as_str());
        race.athlete
            .as_deref()
            .or_else(person)
            .unwrap_or(race.account.as_str())
    }

    /// The athlete and the race, because several races may have the same name.
    pub(super) fn race_label(&self, race: &RaceView) -> String {
        format!("{}, {}", self.athlete(race), race.name)
    }

    /// The race or the account that an act concerns, if its answer does not name it.
    pub(super) fn subject(&self, request: &AdminRequest) -> Option<String> {
        let AdminRequest::Act(act) = request else {
            return None;
        };
        match act {
            AdminAct::StopRace { race }
            | AdminAct::ChangeLimits { race, .. }
            | AdminAct::ShareRace { race, .. }
            | AdminAct::EndShares { race, .. }
            | AdminAct::LookAtRace { race } => {
                let race = self.races.iter().find(|one| one.id == *race)?;
                Some(self.race_label(race))
            }
            AdminAct::StopWorker { account } => Some(self.account(account)?.email.clone()),
            _ => None,
        }
    }

    /// Formats an event on one line: its cause first, then what it is about, with e-mails and races instead of ids.
    /// The task is left out, because the event's name tells it.
    pub(super) fn event_line(&self, event: &EventView) -> String {
        let mut fields: Vec<(&str, String)> = Vec::new();
        for (name, value) in event.fields.iter().filter(|(name, _)| *name != "task") {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            fields.push(match name.as_str() {
                "account.id" => {
                    let email = self.account(&text).map(|account| account.email.clone());
                    ("account", email.unwrap_or(text))
                }
                "race.id" => {
                    let race = self.races.iter().find(|race| race.id == text);
                    ("race", race.map_or(text, |race| self.race_label(race)))
                }
                other => (other, text),
            });
        }
        fields.sort_by_key(|(name, _)| match *name {
            name if CAUSES.contains(&name) => 0,
            "account" | "race" => 2,
            _ => 1,
        });
        fields.iter().fold(event.event.clone(), |line, (name, text)| {
            format!("{line} {name}={text}")
        })
    }

    pub(super) fn update(&mut self, update: AdminUpdate) {
        match update {
            AdminUpdate::Overview(overview) => self.overview = Some(overview),
            AdminUpdate::Workers(workers) => self.workers = workers,
            AdminUpdate::Accounts(people) => self.people = people,
            AdminUpdate::Races(races) => self.races = races,
            AdminUpdate::Tokens(tokens) => self.tokens = tokens,
            AdminUpdate::Log { anew, events } => {
                if anew {
                    self.log_start += self.log.len() as u64;
                    self.log.clear();
                }
                self.log.extend(events);
                let excess = self.log.len().saturating_sub(MAX_EVENTS);
                self.log.drain(..excess);
                self.log_start += excess as u64;
            }
        }
    }

    /// Stores the answer to a read, or returns the sentence for the operator that answers an act.
    pub(super) fn answer(&mut self, request: &AdminRequest, answer: AdminAnswer) -> Option<String> {
        match (request, answer) {
            (AdminRequest::Read(AdminRead::WorkerOutput { account }), AdminAnswer::Lines(lines)) => {
                self.output = Some((account.clone(), lines));
            }
            (
                AdminRequest::Read(AdminRead::Usage {
                    account: Some(account),
                }),
                AdminAnswer::Usage(usage),
            ) => self.usage = Some((account.clone(), usage)),
            (_, AdminAnswer::Race(detail)) => self.race = Some(*detail),
            (_, AdminAnswer::Done(sentence)) => return Some(sentence),
            (_, AdminAnswer::Revoked(ended)) => {
                let ended = counted(&[
                    (ended.families.into(), "sign-in"),
                    (ended.tokens.into(), "access token"),
                    (ended.workers.into(), "worker"),
                    (ended.calls.into(), "call"),
                ]);
                return Some(ended.map_or("There was nothing to end.".into(), |ended| {
                    format!("Ended: {ended}.")
                }));
            }
            _ => {}
        }
        None
    }

    /// Appends one second to the history. Call it only while connected.
    pub(super) fn tick(&mut self) {
        let Some(overview) = &self.overview else {
            return;
        };
        let before = self.calls_before.replace(overview.calls);
        self.history.push_back(HistorySecond {
            calls: overview.calls.saturating_sub(before.unwrap_or(overview.calls)) as f64,
            workers: overview.workers.into(),
            people: overview.people.into(),
            races: overview.races.into(),
        });
        let excess = self.history.len().saturating_sub(MAX_HISTORY);
        self.history.drain(..excess);
    }
}
