//! What the daemon said, taken in.

use super::super::message::LinkState;
use super::super::words::many;
use super::{ConsoleState, EVENTS, HISTORY, HistorySecond};
use crate::admin::api::{AdminAnswer, AdminRead, AdminRequest, AdminUpdate};

impl ConsoleState {
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
                let over = self.log.len().saturating_sub(EVENTS);
                self.log.drain(..over);
                self.log_start += over as u64;
            }
        }
    }

    pub(super) fn answer(&mut self, request: &AdminRequest, answer: Result<Box<AdminAnswer>, String>) {
        let answer = match answer {
            Ok(answer) => *answer,
            Err(why) => {
                // What was only looked at may be gone by now; an act is answered for.
                if matches!(request, AdminRequest::Act(_)) {
                    self.notice(format!("Not done: {why}"));
                }
                return;
            }
        };
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
            (_, AdminAnswer::Done(sentence)) => self.notice(sentence),
            (_, AdminAnswer::Revoked(fell)) => self.notice(format!(
                "Ended: {}, {}, {}, {}.",
                many(fell.families, "sign-in"),
                many(fell.tokens, "access token"),
                many(fell.workers, "worker"),
                many(fell.calls, "call"),
            )),
            _ => {}
        }
    }

    pub(super) fn second(&mut self) {
        if self.notice.as_ref().is_some_and(|(_, until)| *until <= self.now) {
            self.notice = None;
        }
        let Some(overview) = self.overview.as_ref().filter(|_| self.link == LinkState::Live) else {
            return;
        };
        let before = self.calls_before.replace(overview.calls);
        self.history.push_back(HistorySecond {
            calls: overview.calls.saturating_sub(before.unwrap_or(overview.calls)) as f64,
            workers: overview.workers.into(),
            people: overview.people.into(),
            races: overview.races.into(),
        });
        let over = self.history.len().saturating_sub(HISTORY);
        self.history.drain(..over);
    }
}
