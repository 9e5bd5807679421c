//! What the console knows and where the person is in it. [`ConsoleState::apply`] is the only way it changes: what is, what
//! happened, when → what is, what to do. No terminal in here.

mod heard;
mod questions;

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Map;

use super::dialog::{Dialog, DialogOutcome};
use super::keys::{self, ConsoleCommand, KeyPress, VIEWS};
use super::message::{ConsoleEffect, ConsoleMessage, LinkState};
use super::rows::ViewRow;
use crate::admin::api::{
    AccountView, AdminAct, AdminRead, AdminRequest, ConsoleView, EventView, Overview, People, RaceDetail,
    RaceView, TokensView, ToolUsage, WorkerView,
};

/// Events kept, as many as the daemon keeps.
const EVENTS: usize = 2_000;

/// Seconds of history behind the sparklines.
const HISTORY: usize = 600;

/// The levels of the log, most urgent first.
pub(super) const LEVELS: [&str; 4] = ["error", "warn", "info", "debug"];

/// Where the person is in one view.
#[derive(Clone, Debug, Default)]
pub(super) struct ListPosition {
    /// The id of the selected row; in the log none is the newest.
    pub(super) selected: Option<String>,
    /// Its place when it was selected, for when it goes away.
    pub(super) at: usize,
    /// What rows must have in them.
    pub(super) filter: String,
}

/// A second of history.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HistorySecond {
    /// Calls since the second before.
    pub(super) calls: f64,
    /// Workers that ran.
    pub(super) workers: f64,
    /// People with access.
    pub(super) people: f64,
    /// Races under way.
    pub(super) races: f64,
}

/// Everything.
pub(super) struct ConsoleState {
    /// Now.
    pub(super) now: Timestamp,
    /// The person's time zone.
    pub(super) zone: TimeZone,
    /// Columns and rows of the terminal.
    pub(super) size: (u16, u16),
    /// The connection.
    pub(super) link: LinkState,
    /// When the daemon was last heard.
    pub(super) heard_at: Option<Timestamp>,
    /// What is shown.
    pub(super) view: ConsoleView,
    /// The figures of the first view.
    pub(super) overview: Option<Overview>,
    /// The second.
    pub(super) workers: Vec<WorkerView>,
    /// The third.
    pub(super) people: People,
    /// The fourth.
    pub(super) races: Vec<RaceView>,
    /// The fifth.
    pub(super) tokens: TokensView,
    /// The sixth, with the number of the first event.
    pub(super) log: VecDeque<EventView>,
    /// How many events went before those in `log`.
    pub(super) log_start: u64,
    /// The index in [`LEVELS`] of the lowest level shown.
    pub(super) level: usize,
    /// The last minutes.
    pub(super) history: VecDeque<HistorySecond>,
    /// Last lines of a worker, and whose.
    pub(super) output: Option<(String, Vec<String>)>,
    /// What an account used, and which.
    pub(super) usage: Option<(String, Vec<ToolUsage>)>,
    /// The race that is drawn.
    pub(super) race: Option<RaceDetail>,
    /// A question that waits for the person.
    pub(super) dialog: Option<Dialog>,
    /// Whether the filter is being edited.
    pub(super) filtering: bool,
    /// Whether the keys are shown.
    pub(super) help: bool,
    /// What the last act came to, and until when it is shown.
    pub(super) notice: Option<(String, Timestamp)>,
    places: BTreeMap<usize, ListPosition>,
    calls_before: Option<u64>,
}

impl ConsoleState {
    /// Nothing known yet.
    pub(super) fn new(now: Timestamp, zone: TimeZone, size: (u16, u16)) -> Self {
        Self {
            now,
            zone,
            size,
            link: LinkState::Connecting,
            heard_at: None,
            view: ConsoleView::Overview,
            overview: None,
            workers: Vec::new(),
            people: People::default(),
            races: Vec::new(),
            tokens: TokensView::default(),
            log: VecDeque::new(),
            log_start: 0,
            level: 2,
            history: VecDeque::new(),
            output: None,
            usage: None,
            race: None,
            dialog: None,
            filtering: false,
            help: false,
            notice: None,
            places: BTreeMap::new(),
            calls_before: None,
        }
    }

    /// Takes in what happened at `now`; returns what is to be done.
    pub(super) fn apply(&mut self, message: ConsoleMessage, now: Timestamp) -> Vec<ConsoleEffect> {
        self.now = now;
        match message {
            ConsoleMessage::Key(key) => self.key(key),
            ConsoleMessage::Paste(text) => {
                for c in text.chars().filter(|c| !c.is_control()) {
                    if let Some(dialog) = &mut self.dialog {
                        dialog.letter(c);
                    } else if self.filtering {
                        self.place_mut().filter.push(c);
                    }
                }
                Vec::new()
            }
            ConsoleMessage::Update(update) => {
                self.heard_at = Some(now);
                self.update(*update);
                self.look()
            }
            ConsoleMessage::Answer(request, answer) => {
                self.answer(&request, answer);
                Vec::new()
            }
            ConsoleMessage::Link(link) => {
                self.link = link;
                Vec::new()
            }
            ConsoleMessage::Tick => {
                self.second();
                self.look_again()
            }
            ConsoleMessage::Resize(columns, rows) => {
                self.size = (columns, rows);
                Vec::new()
            }
        }
    }

    /// Where the person is in the view that is shown.
    pub(super) fn place(&self) -> ListPosition {
        self.places.get(&self.index()).cloned().unwrap_or_default()
    }

    fn place_mut(&mut self) -> &mut ListPosition {
        let index = self.index();
        self.places.entry(index).or_default()
    }

    fn index(&self) -> usize {
        VIEWS.iter().position(|(view, _)| *view == self.view).unwrap_or(0)
    }

    /// The rows of the view that pass its filter, and the place of the selected one.
    pub(super) fn rows(&self) -> (Vec<ViewRow<'_>>, usize) {
        let place = self.place();
        let wanted = place.filter.to_lowercase();
        let mut rows = ViewRow::all(self);
        if !wanted.is_empty() {
            rows.retain(|row| row.text().to_lowercase().contains(&wanted));
        }
        let last = rows.len().saturating_sub(1);
        let selected = match &place.selected {
            Some(id) => rows
                .iter()
                .position(|row| row.id() == *id)
                .unwrap_or(place.at.min(last)),
            None if self.view == ConsoleView::Log => last,
            None => 0,
        };
        (rows, selected)
    }

    /// The account of an id.
    pub(super) fn account(&self, id: &str) -> Option<&AccountView> {
        self.people.accounts.iter().find(|account| account.id == id)
    }

    fn key(&mut self, key: KeyPress) -> Vec<ConsoleEffect> {
        if key == KeyPress::Interrupt {
            return vec![ConsoleEffect::Quit];
        }
        if let Some(mut dialog) = self.dialog.take() {
            return match dialog.key(key) {
                DialogOutcome::Open => {
                    self.dialog = Some(dialog);
                    Vec::new()
                }
                DialogOutcome::Closed => Vec::new(),
                DialogOutcome::Do(act) => self.act(act),
            };
        }
        if self.filtering {
            match key {
                KeyPress::Char(c) => self.place_mut().filter.push(c),
                KeyPress::Backspace => drop(self.place_mut().filter.pop()),
                KeyPress::Enter => self.filtering = false,
                KeyPress::Esc => {
                    self.filtering = false;
                    self.place_mut().filter.clear();
                }
                _ => {}
            }
            return Vec::new();
        }
        match keys::command(self.view, key) {
            Some(command) => self.command(command),
            None => Vec::new(),
        }
    }

    fn command(&mut self, command: ConsoleCommand) -> Vec<ConsoleEffect> {
        match command {
            ConsoleCommand::Quit => return vec![ConsoleEffect::Quit],
            ConsoleCommand::Help => self.help = !self.help,
            ConsoleCommand::Back if self.help => self.help = false,
            ConsoleCommand::Back => self.place_mut().filter.clear(),
            ConsoleCommand::Filter => self.filtering = true,
            ConsoleCommand::Show(view) => return self.show(view),
            ConsoleCommand::NextView => return self.turn(1),
            ConsoleCommand::PreviousView => return self.turn(VIEWS.len() - 1),
            ConsoleCommand::Move(by) => return self.go(|at, _| at.saturating_add_signed(by as isize)),
            ConsoleCommand::First => return self.go(|_, _| 0),
            ConsoleCommand::Last if self.view == ConsoleView::Log => self.place_mut().selected = None,
            ConsoleCommand::Last => return self.go(|_, last| last),
            ConsoleCommand::Follow => {
                let holds = self.place().selected.is_some();
                if holds {
                    self.place_mut().selected = None;
                } else {
                    return self.go(|at, _| at);
                }
            }
            ConsoleCommand::Level => self.level = (self.level + 1) % LEVELS.len(),
            ConsoleCommand::Open => return self.open(),
            ConsoleCommand::Invite => self.dialog = Some(Dialog::invite()),
            ConsoleCommand::RevokeAll => self.dialog = Some(self.revoke_all()),
            ConsoleCommand::StartRace => self.dialog = Some(Dialog::start_race(&self.people.accounts)),
            ConsoleCommand::Approve
            | ConsoleCommand::StopWorker
            | ConsoleCommand::Uninvite
            | ConsoleCommand::Revoke
            | ConsoleCommand::RevokeAccount
            | ConsoleCommand::RevokeClient
            | ConsoleCommand::Forget
            | ConsoleCommand::StopRace
            | ConsoleCommand::Limits
            | ConsoleCommand::Look => return self.act_on_selected(command),
        }
        Vec::new()
    }

    fn show(&mut self, view: ConsoleView) -> Vec<ConsoleEffect> {
        self.view = view;
        self.help = false;
        self.look()
    }

    fn turn(&mut self, by: usize) -> Vec<ConsoleEffect> {
        let next = (self.index() + by) % VIEWS.len();
        VIEWS
            .get(next)
            .map_or_else(Vec::new, |(view, _)| self.show(*view))
    }

    fn go(&mut self, to: impl FnOnce(usize, usize) -> usize) -> Vec<ConsoleEffect> {
        let (rows, at) = self.rows();
        let last = rows.len().saturating_sub(1);
        let at = to(at, last).min(last);
        let id = rows.get(at).map(ViewRow::id);
        let place = self.place_mut();
        place.at = at;
        place.selected = id;
        self.look()
    }

    /// Goes to where the selected row points.
    fn open(&mut self) -> Vec<ConsoleEffect> {
        let (rows, at) = self.rows();
        let (view, id) = match rows.get(at) {
            Some(ViewRow::Attention(one)) => (one.view, one.account.clone()),
            Some(ViewRow::Worker(worker)) => (ConsoleView::Accounts, Some(worker.account.clone())),
            Some(ViewRow::Family(family)) => (ConsoleView::Accounts, Some(family.account.clone())),
            Some(ViewRow::Event(_, event)) => match event.fields.get("race.id").and_then(|id| id.as_str()) {
                Some(race) => (ConsoleView::Races, Some(race.to_owned())),
                None => match event.fields.get("account.id").and_then(|id| id.as_str()) {
                    Some(account) => (ConsoleView::Accounts, Some(account.to_owned())),
                    None => return Vec::new(),
                },
            },
            Some(ViewRow::Account(account)) => (ConsoleView::Workers, Some(account.id.clone())),
            _ => return Vec::new(),
        };
        self.view = view;
        if let Some(id) = id {
            let place = self.place_mut();
            place.filter.clear();
            place.selected = Some(id);
        }
        self.look()
    }

    fn act(&mut self, act: AdminAct) -> Vec<ConsoleEffect> {
        if self.link != LinkState::Live {
            self.notice("Not done: the gateway is not connected.".into());
            return Vec::new();
        }
        vec![ConsoleEffect::Call(AdminRequest::Act(act))]
    }

    fn notice(&mut self, text: String) {
        let until = self.now + jiff::SignedDuration::from_secs(8);
        self.notice = Some((text, until));
    }

    /// Asks for what belongs to the selected row, if it is not there yet.
    fn look(&mut self) -> Vec<ConsoleEffect> {
        let (rows, at) = self.rows();
        let read = match rows.get(at) {
            Some(ViewRow::Worker(w)) if self.output.as_ref().is_none_or(|(of, _)| *of != w.account) => {
                AdminRead::WorkerOutput {
                    account: w.account.clone(),
                }
            }
            Some(ViewRow::Account(a)) if self.usage.as_ref().is_none_or(|(of, _)| *of != a.id) => {
                AdminRead::Usage {
                    account: Some(a.id.clone()),
                }
            }
            Some(ViewRow::Race(race)) if self.race.as_ref().is_none_or(|r| r.race != **race) => {
                AdminRead::Race {
                    race: race.id.clone(),
                }
            }
            _ => return Vec::new(),
        };
        self.ask(read)
    }

    /// Asks once a second for what no update tells.
    fn look_again(&mut self) -> Vec<ConsoleEffect> {
        let (rows, at) = self.rows();
        match rows.get(at) {
            Some(ViewRow::Worker(worker)) => self.ask(AdminRead::WorkerOutput {
                account: worker.account.clone(),
            }),
            _ => Vec::new(),
        }
    }

    fn ask(&self, read: AdminRead) -> Vec<ConsoleEffect> {
        if self.link == LinkState::Live {
            vec![ConsoleEffect::Call(AdminRequest::Read(read))]
        } else {
            Vec::new()
        }
    }
}

/// Reads `hr_max=150 power_max=165`.
pub(super) fn limits(text: &str) -> Option<Map<String, serde_json::Value>> {
    let mut limits = Map::new();
    for part in text.split([' ', ',']).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        let value: f64 = value.parse().ok()?;
        limits.insert(name.to_owned(), value.into());
    }
    (!limits.is_empty()).then_some(limits)
}
