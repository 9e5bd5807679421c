//! What each command does to the state, whether a key or the command line triggered it.

use crate::admin::views::ConsoleView;
use crate::console::actions::{RowAction, action, end_share, revoke_all};
use crate::console::command_line::{self, CommandLine};
use crate::console::dialog::Dialog;
use crate::console::keys::{ConsoleCommand, KeyPress, VIEWS};
use crate::console::rehearsal::{RaceReplay, RaceToPlay};
use crate::console::rows::{LEVELS, ViewRow, orders};
use crate::console::state::{ConsoleEffect, ConsoleState, LinkState};
use crate::race::rehearsal::playing_speed;

/// How many times faster than the race a rehearsal runs, unless the operator gives another speed.
const USUAL_SPEED: f64 = 300.0;

impl ConsoleState {
    pub(super) fn command(&mut self, command: ConsoleCommand) -> Vec<ConsoleEffect> {
        match command {
            ConsoleCommand::Quit => return vec![ConsoleEffect::Quit],
            ConsoleCommand::Help => self.help = !self.help,
            ConsoleCommand::Back if self.help => self.help = false,
            ConsoleCommand::Back if self.replay.take().is_some() => {
                self.notice("The rehearsal has ended. Nothing was requested, sent or stored.".into());
                return vec![ConsoleEffect::StopPlaying];
            }
            ConsoleCommand::Back => self.position_mut().filter.clear(),
            ConsoleCommand::Filter => self.filtering = true,
            ConsoleCommand::Line => self.line = Some(CommandLine::default()),
            ConsoleCommand::Order => self.next_order(),
            ConsoleCommand::Show(view) => return self.show(view),
            ConsoleCommand::NextView => return self.turn(1),
            ConsoleCommand::PreviousView => return self.turn(VIEWS.len() - 1),
            ConsoleCommand::Move(by) => return self.go(|at, _| at.saturating_add_signed(by as isize)),
            ConsoleCommand::First => return self.go(|_, _| 0),
            ConsoleCommand::Last if self.view == ConsoleView::Log => self.position_mut().selected = None,
            ConsoleCommand::Last => return self.go(|_, last| last),
            ConsoleCommand::Follow if self.position().selected.is_some() => {
                self.position_mut().selected = None;
            }
            ConsoleCommand::Follow => return self.go(|at, _| at),
            ConsoleCommand::Level => self.level = (self.level + 1) % LEVELS.len(),
            ConsoleCommand::Open => return self.open(),
            ConsoleCommand::Copy => {
                let (rows, at) = self.rows();
                if let Some(text) = rows.get(at).map(ViewRow::copied) {
                    self.notice(format!("Copied {text}"));
                    return vec![ConsoleEffect::Copy(text)];
                }
                self.notice("Nothing is selected.".into());
            }
            ConsoleCommand::Invite => self.dialog = Some(Dialog::invite()),
            ConsoleCommand::RevokeAll => self.dialog = Some(revoke_all(&self.data)),
            ConsoleCommand::StartRace => {
                self.dialog = Some(Dialog::start_race(&self.data.people.accounts));
            }
            ConsoleCommand::Rehearse => return self.rehearse(USUAL_SPEED),
            ConsoleCommand::Approve
            | ConsoleCommand::StopWorker
            | ConsoleCommand::Uninvite
            | ConsoleCommand::Revoke
            | ConsoleCommand::RevokeAccount
            | ConsoleCommand::RevokeClient
            | ConsoleCommand::Forget
            | ConsoleCommand::StopRace
            | ConsoleCommand::Limits
            | ConsoleCommand::Share
            | ConsoleCommand::EndShares
            | ConsoleCommand::Look => {
                let (rows, at) = self.rows();
                match action(command, rows.get(at), &self.data) {
                    RowAction::Act(act) => return self.act(act),
                    RowAction::Ask(dialog) => self.dialog = Some(dialog),
                    RowAction::DoesNotApply(why) => self.notice(why.into()),
                }
            }
        }
        Vec::new()
    }

    fn next_order(&mut self) {
        let offered = orders(self.view);
        if offered.is_empty() {
            self.notice("This view has only one order.".into());
            return;
        }
        let position = self.position_mut();
        position.order = (position.order + 1) % (offered.len() + 1);
        let name = self.order().map_or("the gateway's order", |(name, _)| *name);
        self.notice(format!("Sorted by {name}."));
    }

    fn sort_by(&mut self, wanted: &str) {
        let offered = orders(self.view);
        match offered.iter().position(|(name, _)| *name == wanted) {
            Some(at) => self.position_mut().order = at + 1,
            None if offered.is_empty() => self.notice("This view has only one order.".into()),
            None => {
                let names: Vec<&str> = offered.iter().map(|(name, _)| *name).collect();
                self.notice(format!("This view can be sorted by {}.", names.join(", ")));
            }
        }
    }

    /// Carries out what was typed after the colon.
    pub(super) fn run(&mut self, typed: &str) -> Vec<ConsoleEffect> {
        let (command, argument) = match command_line::parse(self.view, typed) {
            Ok(parsed) => parsed,
            Err(why) => {
                self.notice(why);
                return Vec::new();
            }
        };
        match command {
            ConsoleCommand::Filter => {
                argument.clone_into(&mut self.position_mut().filter);
                return self.load_selected();
            }
            ConsoleCommand::Order if !argument.is_empty() => {
                self.sort_by(argument);
                return Vec::new();
            }
            ConsoleCommand::EndShares if !argument.is_empty() => {
                let (rows, at) = self.rows();
                match rows.get(at) {
                    Some(ViewRow::Race(race)) => self.dialog = Some(end_share(race, argument, &self.data)),
                    _ => self.notice("Nothing is selected.".into()),
                }
                return Vec::new();
            }
            ConsoleCommand::Rehearse if !argument.is_empty() => match playing_speed(argument) {
                Ok(speed) => return self.rehearse(speed),
                Err(why) => {
                    self.notice(format!("{why}."));
                    return Vec::new();
                }
            },
            _ => {}
        }
        let mut effects = self.command(command);
        // If the command opens a question, the rest of the line answers it.
        if !argument.is_empty()
            && let Some(mut dialog) = self.dialog.take()
        {
            argument.chars().for_each(|c| dialog.letter(c));
            self.dialog = Some(dialog);
            effects.extend(self.key(KeyPress::Enter));
        }
        effects
    }

    /// Starts the rehearsal of the selected race.
    fn rehearse(&mut self, speed: f64) -> Vec<ConsoleEffect> {
        let (rows, at) = self.rows();
        let why = match rows.get(at) {
            _ if self.link != LinkState::Live => "Not rehearsed: the gateway is not connected.",
            Some(ViewRow::Race(race)) if race.ended_at.is_some() => {
                let detail = self.data.race.as_ref().filter(|detail| detail.race.id == race.id);
                if let Some(detail) = detail {
                    let race = RaceToPlay::of(detail);
                    self.replay = Some(RaceReplay::of(&race.race, speed));
                    return vec![ConsoleEffect::Play(race)];
                }
                "The race is still being read. Try again."
            }
            Some(ViewRow::Race(_)) => "This race is still on. It can be rehearsed when it is over.",
            _ => "Select a race that is over.",
        };
        self.notice(why.into());
        Vec::new()
    }

    fn show(&mut self, view: ConsoleView) -> Vec<ConsoleEffect> {
        self.view = view;
        self.help = false;
        self.load_selected()
    }

    /// Shows the view `by` places to the right.
    fn turn(&mut self, by: usize) -> Vec<ConsoleEffect> {
        let next = (self.view as usize + by) % VIEWS.len();
        VIEWS
            .get(next)
            .map_or_else(Vec::new, |(view, _)| self.show(*view))
    }

    /// Selects the row at `to(current, last)`.
    fn go(&mut self, to: impl FnOnce(usize, usize) -> usize) -> Vec<ConsoleEffect> {
        let (rows, at) = self.rows();
        let last = rows.len().saturating_sub(1);
        let at = to(at, last).min(last);
        let selected = rows.get(at).map(ViewRow::id);
        let position = self.position_mut();
        position.at = at;
        position.selected = selected;
        self.load_selected()
    }

    /// Whether a command can do something in this view and on this row.
    pub(in crate::console) fn offers(&self, command: ConsoleCommand) -> bool {
        match command {
            ConsoleCommand::Open => self.target().is_some(),
            ConsoleCommand::Order => !orders(self.view).is_empty(),
            _ => true,
        }
    }

    /// The view that shows the subject of the selected row, and its row there.
    fn target(&self) -> Option<(ConsoleView, Option<String>)> {
        let (rows, at) = self.rows();
        let data = &self.data;
        let account = |id: &str| {
            let account = data.account(id)?;
            Some((ConsoleView::Accounts, Some(account.id.clone())))
        };
        match rows.get(at)? {
            ViewRow::Attention(one) if one.view == ConsoleView::Overview => None,
            ViewRow::Attention(one) => Some((one.view, one.account.clone().or_else(|| one.race.clone()))),
            ViewRow::Worker(worker) => account(&worker.account),
            ViewRow::Race(race) => account(&race.account),
            ViewRow::Family(family) => account(&family.account),
            ViewRow::Revocation(revocation) => account(&revocation.account),
            ViewRow::Account(account) => {
                let worker = data.workers.iter().find(|worker| worker.account == account.id)?;
                Some((ConsoleView::Workers, Some(worker.account.clone())))
            }
            ViewRow::Event(_, event) => {
                let field = |name: &str| event.fields.get(name).and_then(|id| id.as_str());
                let race = data
                    .races
                    .iter()
                    .find(|race| Some(race.id.as_str()) == field("race.id"));
                race.map(|race| (ConsoleView::Races, Some(race.id.clone())))
                    .or_else(|| account(field("account.id")?))
            }
            ViewRow::Invitation(_) | ViewRow::AccessRequest(_) => None,
        }
    }

    /// Opens the view that shows the subject of the selected row.
    fn open(&mut self) -> Vec<ConsoleEffect> {
        let Some((view, id)) = self.target() else {
            self.notice("This row has nothing to open.".into());
            return Vec::new();
        };
        self.view = view;
        if let Some(id) = id {
            let position = self.position_mut();
            position.filter.clear();
            position.selected = Some(id);
        }
        self.load_selected()
    }
}
