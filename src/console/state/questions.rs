//! Acts on what is selected: those that hurt say what falls, and ask.

use super::super::dialog::Dialog;
use super::super::keys::Command;
use super::super::message::Effect;
use super::super::rows::Row;
use super::super::words::many;
use super::State;
use crate::admin::api::{Act, Family, Target};

impl State {
    pub(super) fn act_on_selected(&mut self, command: Command) -> Vec<Effect> {
        let (rows, at) = self.rows();
        let selected = rows.get(at);
        let dialog = match (command, selected) {
            (Command::Approve, Some(Row::Knock(knock))) => {
                let email = knock.email.clone();
                return self.act(Act::Invite { email });
            }
            (Command::Look, Some(Row::Race(race))) => {
                let race = race.id.clone();
                return self.act(Act::LookAtRace { race });
            }
            (Command::Uninvite, Some(Row::Invitation(invitation))) => Dialog::confirm(
                "Take the invitation back",
                vec![
                    format!("of {}?", invitation.email),
                    "Access that they have stays.".into(),
                ],
                Act::Uninvite {
                    email: invitation.email.clone(),
                },
            ),
            (Command::StopWorker, Some(Row::Worker(worker))) => Dialog::confirm(
                "Stop the worker",
                vec![
                    format!("of {}?", worker.label),
                    format!(
                        "It cuts {}. The next call starts a new one.",
                        many(worker.in_flight + worker.waiting, "call")
                    ),
                ],
                Act::StopWorker {
                    account: worker.account.clone(),
                },
            ),
            (Command::Revoke, Some(Row::Account(account))) => self.revoke_account(&account.id),
            (Command::RevokeAccount, Some(Row::Family(family))) => self.revoke_account(&family.account),
            (Command::RevokeClient, Some(Row::Family(family))) => self.revoke_client(family),
            (Command::Revoke, Some(Row::Family(family))) => Dialog::confirm(
                "End this sign-in",
                vec![
                    format!("of {}", family.label),
                    format!("through {} ({})?", family.client, family.id),
                ],
                Act::Revoke(Target::Token(family.id.clone())),
            ),
            (Command::Forget, Some(Row::Account(account))) => Dialog::confirm(
                "Forget the account",
                vec![
                    format!("of {}?", account.email),
                    self.falls(&account.id),
                    "It is erased with its Garmin tokens.".into(),
                ],
                Act::Forget {
                    account: account.id.clone(),
                },
            )
            .with_word("forget"),
            (Command::StopRace, Some(Row::Race(race))) => Dialog::confirm(
                "Stop watching",
                vec![format!("{}?", race.name), "What was recorded stays.".into()],
                Act::StopRace {
                    race: race.id.clone(),
                },
            ),
            (Command::Limits, Some(Row::Race(race))) => Dialog::limits(&race.id),
            _ => return Vec::new(),
        };
        self.dialog = Some(dialog);
        Vec::new()
    }

    fn revoke_account(&self, id: &str) -> Dialog {
        let label = self
            .account(id)
            .map_or_else(|| id.to_owned(), |account| account.email.clone());
        Dialog::confirm(
            "End all access",
            vec![format!("of {label}?"), self.falls(id)],
            Act::Revoke(Target::Account(id.to_owned())),
        )
    }

    fn revoke_client(&self, family: &Family) -> Dialog {
        let families = self.tokens.families.iter();
        let n = families
            .filter(|other| other.client_id == family.client_id)
            .count();
        Dialog::confirm(
            "End all access through this client",
            vec![
                format!("{}?", family.client),
                format!(
                    "This ends {}, of everybody who uses it.",
                    many(n as u64, "sign-in")
                ),
            ],
            Act::Revoke(Target::Client(family.client_id.clone())),
        )
    }

    pub(super) fn revoke_all(&self) -> Dialog {
        let running = self.workers.iter().filter(|worker| worker.pid.is_some()).count();
        Dialog::confirm(
            "End all access of everybody",
            vec![format!(
                "This ends {} and {}.",
                many(self.tokens.families.len() as u64, "sign-in"),
                many(running as u64, "worker")
            )],
            Act::Revoke(Target::All),
        )
    }

    /// What falls with the access of an account.
    fn falls(&self, account: &str) -> String {
        let families = self.tokens.families.iter().filter(|f| f.account == account);
        let workers = self
            .workers
            .iter()
            .filter(|w| w.account == account && w.pid.is_some());
        let calls: u32 = workers.clone().map(|w| w.in_flight + w.waiting).sum();
        format!(
            "This ends {}, {} and {}.",
            many(families.count() as u64, "sign-in"),
            many(workers.count() as u64, "worker"),
            many(calls, "call under way").replace("call under ways", "calls under way"),
        )
    }
}
