//! The console's state. Only [`ConsoleState::apply`] changes it: it takes a message and returns effects. Nothing in
//! this module touches the terminal or the socket.

mod commands;
mod silence;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::command_line::{CommandLine, LineOutcome};
use super::data::GatewayData;
use super::dialog::{Dialog, DialogOutcome};
use super::keys::{self, KeyPress};
use super::rehearsal::{RaceReplay, RaceToPlay, RehearsedRace};
use super::rows::{RowOrder, ViewRow, orders};
use crate::admin::api::{AdminAct, AdminAnswer, AdminRead, AdminRequest, AdminUpdate};
use crate::admin::views::ConsoleView;

/// The time for which the result of an act stays on the screen.
const NOTICE: SignedDuration = SignedDuration::from_secs(8);

/// The answer to an act while there is no connection.
const NOT_CONNECTED: &str = "Not done: the gateway is not connected. Try again when it is.";

/// An input to the console. All messages come through one channel, in one order.
#[derive(Clone, Debug)]
pub(super) enum ConsoleMessage {
    Key(KeyPress),
    Paste(String),
    Update(Box<AdminUpdate>),
    /// The daemon's answer to a request, or the reason for its refusal.
    Answer(AdminRequest, Result<Box<AdminAnswer>, String>),
    /// The connection was lost before the daemon answered this many acts, so nobody knows whether they were done.
    Unanswered(usize),
    Link(LinkState),
    /// A stored race was replayed through the race watch, or the reason why it can't be.
    Played(Result<Arc<RehearsedRace>, String>),
    /// One second has passed.
    Tick,
    /// The new columns and rows of the terminal.
    Resize(u16, u16),
}

/// The connection to the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LinkState {
    Connecting,
    Live,
    /// The connection is lost, so the screen shows old data.
    Lost {
        why: String,
        retry_at: Timestamp,
    },
}

/// A side effect for the caller to carry out.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ConsoleEffect {
    Send(AdminRequest),
    /// Copy a text to the terminal's clipboard.
    Copy(String),
    /// Play a stored race, and answer with [`ConsoleMessage::Played`].
    Play(RaceToPlay),
    /// Stop reading and playing; no answer comes.
    StopPlaying,
    Quit,
}

/// The selection and filter of one view.
#[derive(Clone, Debug, Default)]
pub(super) struct ListPosition {
    /// Id of the selected row. In the log, `None` is the newest event.
    pub(super) selected: Option<String>,
    /// Index of the row when it was selected, used if the row disappears.
    pub(super) at: usize,
    /// The text that a row must contain to be shown.
    pub(super) filter: String,
    /// The number of the order in [`orders`], counted from 1; 0 is the gateway's own.
    pub(super) order: usize,
}

pub(super) struct ConsoleState {
    pub(super) now: Timestamp,
    /// The time zone in which times are shown.
    pub(super) zone: TimeZone,
    /// The columns and rows of the terminal.
    pub(super) size: (u16, u16),
    pub(super) link: LinkState,
    /// When the last update arrived.
    pub(super) updated_at: Option<Timestamp>,
    /// When the gateway was last heard: the connection, an update, or an answer.
    pub(super) heard_at: Option<Timestamp>,
    /// Whether a question is out that only tests if the gateway still answers.
    probing: bool,
    pub(super) view: ConsoleView,
    pub(super) data: GatewayData,
    /// Index in [`LEVELS`](super::rows::LEVELS) of the least urgent level shown.
    pub(super) level: usize,
    /// The question being asked, if any.
    pub(super) dialog: Option<Dialog>,
    /// The command being typed, if any.
    pub(super) line: Option<CommandLine>,
    /// Whether the filter is being edited.
    pub(super) filtering: bool,
    /// Whether the list of keys is shown.
    pub(super) help: bool,
    /// The rehearsal of a stored race, if one is on.
    pub(super) replay: Option<RaceReplay>,
    /// The result of the last act, and the time until which it is shown.
    pub(super) notice: Option<(String, Timestamp)>,
    positions: BTreeMap<ConsoleView, ListPosition>,
}

impl ConsoleState {
    pub(super) fn new(now: Timestamp, zone: TimeZone, size: (u16, u16)) -> Self {
        Self {
            now,
            zone,
            size,
            link: LinkState::Connecting,
            updated_at: None,
            heard_at: None,
            probing: false,
            view: ConsoleView::Overview,
            data: GatewayData::default(),
            level: 2,
            dialog: None,
            line: None,
            filtering: false,
            help: false,
            replay: None,
            notice: None,
            positions: BTreeMap::new(),
        }
    }

    /// Processes a message that arrived at `now`. Returns the effects to carry out.
    pub(super) fn apply(&mut self, message: ConsoleMessage, now: Timestamp) -> Vec<ConsoleEffect> {
        self.now = now;
        if matches!(
            message,
            ConsoleMessage::Update(_) | ConsoleMessage::Answer(..) | ConsoleMessage::Link(LinkState::Live)
        ) {
            (self.heard_at, self.probing) = (Some(now), false);
        }
        match message {
            ConsoleMessage::Key(key) => return self.key(key),
            ConsoleMessage::Paste(text) => {
                for c in text.chars().filter(|c| !c.is_control()) {
                    if let Some(dialog) = &mut self.dialog {
                        dialog.letter(c);
                    } else if let Some(line) = &mut self.line {
                        line.letter(c);
                    } else if self.filtering {
                        self.position_mut().filter.push(c);
                    }
                }
            }
            ConsoleMessage::Update(update) => {
                self.updated_at = Some(now);
                self.data.update(*update);
                return self.load_selected();
            }
            ConsoleMessage::Answer(request, Ok(answer)) => {
                if let AdminAnswer::Shared { url, .. } = answer.as_ref() {
                    let label = self.data.subject(&request);
                    self.dialog = Some(Dialog::link(url, label.as_deref().unwrap_or("the page")));
                }
                if let Some(sentence) = self.data.answer(&request, *answer) {
                    let subject = self.data.subject(&request);
                    self.notice(subject.map_or(sentence.clone(), |one| format!("{one}: {sentence}")));
                }
            }
            ConsoleMessage::Answer(request @ AdminRequest::Act(_), Err(why)) => {
                let subject = self.data.subject(&request);
                let subject = subject.map_or_else(String::new, |one| format!(" ({one})"));
                self.notice(format!("Not done{subject}: {why}"));
            }
            ConsoleMessage::Unanswered(acts) => {
                let what = if acts == 1 {
                    "The last act".to_owned()
                } else {
                    format!("{acts} acts")
                };
                self.notice(format!(
                    "{what} got no answer before the gateway was lost. See whether it was done."
                ));
            }
            // A read fails if its row has disappeared in the meantime, which is not worth a message.
            ConsoleMessage::Answer(_, Err(_)) => {}
            ConsoleMessage::Link(link) => self.link = link,
            ConsoleMessage::Played(Ok(played)) => {
                if let Some(replay) = &mut self.replay {
                    replay.begin(played, now);
                }
            }
            ConsoleMessage::Played(Err(why)) => {
                self.replay = None;
                self.notice(format!("Not rehearsed: {why}."));
            }
            ConsoleMessage::Tick => {
                if self.notice.as_ref().is_some_and(|(_, until)| *until <= now) {
                    self.notice = None;
                }
                if self.link == LinkState::Live {
                    self.data.tick();
                }
                let mut effects = self.reload_output();
                effects.extend(self.probe());
                return effects;
            }
            ConsoleMessage::Resize(columns, rows) => self.size = (columns, rows),
        }
        Vec::new()
    }

    /// The current time of the races. It differs from the gateway's clock in the demo, whose races run faster than real
    /// time.
    pub(super) fn races_now(&self) -> Timestamp {
        let told = self
            .data
            .overview
            .as_ref()
            .and_then(|overview| overview.races_time);
        let since = |updated_at| self.now.duration_since(updated_at);
        let passed = self.updated_at.map(since).unwrap_or_default();
        told.and_then(|told| told.checked_add(passed).ok())
            .unwrap_or(self.now)
    }

    /// The position in the current view.
    pub(super) fn position(&self) -> ListPosition {
        self.positions.get(&self.view).cloned().unwrap_or_default()
    }

    /// The order of the rows of the view, unless it is the gateway's own.
    pub(super) fn order(&self) -> Option<&'static RowOrder> {
        let number = self.positions.get(&self.view)?.order;
        orders(self.view).get(number.checked_sub(1)?)
    }

    fn position_mut(&mut self) -> &mut ListPosition {
        self.positions.entry(self.view).or_default()
    }

    /// The rows of the view that pass its filter, and the index of the selected one.
    pub(super) fn rows(&self) -> (Vec<ViewRow<'_>>, usize) {
        let position = self.position();
        let wanted = position.filter.to_lowercase();
        let mut rows = ViewRow::all(self.view, &self.data, self.level);
        if !wanted.is_empty() {
            rows.retain(|row| {
                let shown = match row {
                    ViewRow::Event(_, event) => self.data.event_line(event),
                    _ => String::new(),
                };
                // The ids behind the names are found too.
                [row.text(), shown]
                    .iter()
                    .any(|text| text.to_lowercase().contains(&wanted))
            });
        }
        if let Some((_, compare)) = self.order() {
            rows.sort_by(compare);
        }
        let last = rows.len().saturating_sub(1);
        let selected = match &position.selected {
            Some(id) => rows
                .iter()
                .position(|row| row.id() == *id)
                .unwrap_or(position.at.min(last)),
            None if self.view == ConsoleView::Log => last,
            None => 0,
        };
        (rows, selected)
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
                DialogOutcome::Do(_) if self.link != LinkState::Live => {
                    dialog.wrong = Some(NOT_CONNECTED);
                    self.dialog = Some(dialog);
                    Vec::new()
                }
                DialogOutcome::Do(act) => self.act(act),
                DialogOutcome::Copy(text) => {
                    self.dialog = Some(dialog);
                    self.notice("Copied the link.".into());
                    vec![ConsoleEffect::Copy(text)]
                }
            };
        }
        if let Some(mut line) = self.line.take() {
            match line.key(self.view, key) {
                LineOutcome::Open => self.line = Some(line),
                LineOutcome::Closed => {}
                LineOutcome::Run(typed) => return self.run(&typed),
            }
            return Vec::new();
        }
        if self.filtering {
            match key {
                KeyPress::Char(c) => self.position_mut().filter.push(c),
                KeyPress::Backspace => drop(self.position_mut().filter.pop()),
                KeyPress::Enter => self.filtering = false,
                KeyPress::Esc => {
                    self.filtering = false;
                    self.position_mut().filter.clear();
                }
                _ => {}
            }
            return Vec::new();
        }
        if let Some(command) = keys::command(self.view, key) {
            self.command(command)
        } else {
            if let KeyPress::Char(c) = key {
                self.notice(format!("{c} does nothing here. ? shows the keys."));
            }
            Vec::new()
        }
    }

    fn act(&mut self, act: AdminAct) -> Vec<ConsoleEffect> {
        if self.link != LinkState::Live {
            self.notice(NOT_CONNECTED.into());
            return Vec::new();
        }
        vec![ConsoleEffect::Send(AdminRequest::Act(act))]
    }

    fn notice(&mut self, text: String) {
        self.notice = Some((text, self.now + NOTICE));
    }

    /// Requests the details of the selected row, unless they are loaded.
    fn load_selected(&self) -> Vec<ConsoleEffect> {
        let (rows, at) = self.rows();
        let data = &self.data;
        match rows.get(at) {
            Some(ViewRow::Worker(w)) if data.output.as_ref().is_none_or(|(of, _)| *of != w.account) => {
                let account = w.account.clone();
                self.read(AdminRead::WorkerOutput { account })
            }
            Some(ViewRow::Account(a)) if data.usage.as_ref().is_none_or(|(of, _)| *of != a.id) => {
                let account = Some(a.id.clone());
                self.read(AdminRead::Usage { account })
            }
            Some(ViewRow::Race(race)) if data.race.as_ref().is_none_or(|r| r.race != **race) => {
                let race = race.id.clone();
                self.read(AdminRead::Race { race })
            }
            _ => Vec::new(),
        }
    }

    /// Requests the output of the selected worker again, because no update announces new output.
    fn reload_output(&self) -> Vec<ConsoleEffect> {
        let (rows, at) = self.rows();
        match rows.get(at) {
            Some(ViewRow::Worker(worker)) => self.read(AdminRead::WorkerOutput {
                account: worker.account.clone(),
            }),
            _ => Vec::new(),
        }
    }

    fn read(&self, read: AdminRead) -> Vec<ConsoleEffect> {
        if self.link == LinkState::Live {
            vec![ConsoleEffect::Send(AdminRequest::Read(read))]
        } else {
            Vec::new()
        }
    }
}
