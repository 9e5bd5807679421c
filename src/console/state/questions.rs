//! Acts on what is selected: those that hurt say what falls, and ask.

use super::super::dialog::Dialog;
use super::super::keys::ConsoleCommand;
use super::super::message::ConsoleEffect;
use super::super::rows::ViewRow;
use super::super::words::many;
use super::ConsoleState;
use crate::admin::api::{AdminAct, FamilyView, RevocationTarget};

impl ConsoleState {
    pub(super) fn act_on_selected(&mut self, command: ConsoleCommand) -> Vec<ConsoleEffect> {
        let (rows, at) = self.rows();
        let selected = rows.get(at);
        let dialog = match (command, selected) {
            (ConsoleCommand::Approve, Some(ViewRow::Knock(knock))) => {
                let email = knock.email.clone();
                return self.act(AdminAct::Invite { email });
            }
            (ConsoleCommand::Look, Some(ViewRow::Race(race))) => {
                let race = race.id.clone();
                return self.act(AdminAct::LookAtRace { race });
            }
            (ConsoleCommand::Uninvite, Some(ViewRow::Invitation(invitation))) => Dialog::confirm(
                "Take the invitation back",
                vec![
                    format!("of {}?", invitation.email),
                    "Access that they have stays.".into(),
                ],
                AdminAct::Uninvite {
                    email: invitation.email.clone(),
                },
            ),
            (ConsoleCommand::StopWorker, Some(ViewRow::Worker(worker))) => Dialog::confirm(
                "Stop the worker",
                vec![
                    format!("of {}?", worker.label),
                    format!(
                        "It cuts {}. The next call starts a new one.",
                        many(worker.in_flight + worker.waiting, "call")
                    ),
                ],
                AdminAct::StopWorker {
                    account: worker.account.clone(),
                },
            ),
            (ConsoleCommand::Revoke, Some(ViewRow::Account(account))) => self.revoke_account(&account.id),
            (ConsoleCommand::RevokeAccount, Some(ViewRow::Family(family))) => {
                self.revoke_account(&family.account)
            }
            (ConsoleCommand::RevokeClient, Some(ViewRow::Family(family))) => self.revoke_client(family),
            (ConsoleCommand::Revoke, Some(ViewRow::Family(family))) => Dialog::confirm(
                "End this sign-in",
                vec![
                    format!("of {}", family.label),
                    format!("through {} ({})?", family.client, family.id),
                ],
                AdminAct::Revoke(RevocationTarget::Token(family.id.clone())),
            ),
            (ConsoleCommand::Forget, Some(ViewRow::Account(account))) => Dialog::confirm(
                "Forget the account",
                vec![
                    format!("of {}?", account.email),
                    self.falls(&account.id),
                    "It is erased with its Garmin tokens.".into(),
                ],
                AdminAct::Forget {
                    account: account.id.clone(),
                },
            )
            .with_word("forget"),
            (ConsoleCommand::StopRace, Some(ViewRow::Race(race))) => Dialog::confirm(
                "Stop watching",
                vec![format!("{}?", race.name), "What was recorded stays.".into()],
                AdminAct::StopRace {
                    race: race.id.clone(),
                },
            ),
            (ConsoleCommand::Limits, Some(ViewRow::Race(race))) => Dialog::limits(&race.id),
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
            AdminAct::Revoke(RevocationTarget::Account(id.to_owned())),
        )
    }

    fn revoke_client(&self, family: &FamilyView) -> Dialog {
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
            AdminAct::Revoke(RevocationTarget::Client(family.client_id.clone())),
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
            AdminAct::Revoke(RevocationTarget::All),
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
