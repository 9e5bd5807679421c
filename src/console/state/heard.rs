//! What the daemon said, taken in.

use super::super::message::Link;
use super::super::words::many;
use super::{EVENTS, HISTORY, Second, State};
use crate::admin::api::{Answer, Read, Request, Update};

impl State {
    pub(super) fn update(&mut self, update: Update) {
        match update {
            Update::Overview(overview) => self.overview = Some(overview),
            Update::Workers(workers) => self.workers = workers,
            Update::Accounts(people) => self.people = people,
            Update::Races(races) => self.races = races,
            Update::Tokens(tokens) => self.tokens = tokens,
            Update::Log { anew, events } => {
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

    pub(super) fn answer(&mut self, request: &Request, answer: Result<Box<Answer>, String>) {
        let answer = match answer {
            Ok(answer) => *answer,
            Err(why) => {
                // What was only looked at may be gone by now; an act is answered for.
                if matches!(request, Request::Act(_)) {
                    self.notice(format!("Not done: {why}"));
                }
                return;
            }
        };
        match (request, answer) {
            (Request::Read(Read::WorkerOutput { account }), Answer::Lines(lines)) => {
                self.output = Some((account.clone(), lines));
            }
            (
                Request::Read(Read::Usage {
                    account: Some(account),
                }),
                Answer::Usage(usage),
            ) => self.usage = Some((account.clone(), usage)),
            (_, Answer::Race(detail)) => self.race = Some(*detail),
            (_, Answer::Done(sentence)) => self.notice(sentence),
            (_, Answer::Revoked(fell)) => self.notice(format!(
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
        let Some(overview) = self.overview.as_ref().filter(|_| self.link == Link::Live) else {
            return;
        };
        let before = self.calls_before.replace(overview.calls);
        self.history.push_back(Second {
            calls: overview.calls.saturating_sub(before.unwrap_or(overview.calls)) as f64,
            workers: overview.workers.into(),
            people: overview.people.into(),
            races: overview.races.into(),
        });
        let over = self.history.len().saturating_sub(HISTORY);
        self.history.drain(..over);
    }
}
