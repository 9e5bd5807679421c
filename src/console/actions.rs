//! The effect of a key on the selected row. A destructive act asks first and says what it ends.

use super::data::GatewayData;
use super::dialog::Dialog;
use super::keys::ConsoleCommand;
use super::rows::ViewRow;
use super::words::{counted, many};
use crate::admin::api::{AdminAct, RevocationTarget};
use crate::admin::views::{FamilyView, RaceView};

pub(super) enum RowAction {
    Act(AdminAct),
    Ask(Dialog),
    /// The key does not apply to this row; the text says why.
    DoesNotApply(&'static str),
}

pub(super) fn action(command: ConsoleCommand, row: Option<&ViewRow<'_>>, data: &GatewayData) -> RowAction {
    let Some(row) = row else {
        return RowAction::DoesNotApply("Nothing is selected.");
    };
    RowAction::Ask(match (command, row) {
        (ConsoleCommand::Approve, ViewRow::AccessRequest(request)) => Dialog::confirm(
            "Approve the access request",
            vec![
                format!("of {}?", request.email),
                "Anyone can type an address: approve only a person whom you expect.".into(),
            ],
            AdminAct::Invite {
                email: request.email.clone(),
            },
        ),
        (ConsoleCommand::Look, ViewRow::Race(race)) => {
            let race = race.id.clone();
            return RowAction::Act(AdminAct::LookAtRace { race });
        }
        (ConsoleCommand::Uninvite, ViewRow::Invitation(invitation)) => Dialog::confirm(
            "Withdraw the invitation",
            vec![
                format!("of {}?", invitation.email),
                "Existing connections keep working.".into(),
            ],
            AdminAct::Uninvite {
                email: invitation.email.clone(),
            },
        ),
        (ConsoleCommand::StopWorker, ViewRow::Worker(worker)) => Dialog::confirm(
            "Stop the worker",
            vec![
                format!("of {}?", worker.label),
                match counted(&[(u64::from(worker.in_flight + worker.waiting), "call")]) {
                    Some(calls) => format!("This cuts off {calls}. The next call starts a new one."),
                    None => "The next call starts a new one.".into(),
                },
            ],
            AdminAct::StopWorker {
                account: worker.account.clone(),
            },
        ),
        (ConsoleCommand::Revoke, ViewRow::Account(account)) => revoke_account(&account.id, data),
        (ConsoleCommand::RevokeAccount, ViewRow::Family(family)) => revoke_account(&family.account, data),
        (ConsoleCommand::RevokeClient, ViewRow::Family(family)) => revoke_client(family, data),
        (ConsoleCommand::Revoke, ViewRow::Family(family)) => Dialog::confirm(
            "End this sign-in",
            vec![
                format!("of {}", family.label),
                format!("through {} ({})?", family.client, family.id),
            ],
            AdminAct::Revoke(RevocationTarget::Token(family.id.clone())),
        ),
        (ConsoleCommand::Forget, ViewRow::Account(account)) => Dialog::confirm(
            "Forget the account",
            vec![
                format!("of {}?", account.email),
                consequences(&account.id, data),
                "The account is erased with its Garmin tokens.".into(),
            ],
            AdminAct::Forget {
                account: account.id.clone(),
            },
        )
        .with_word("forget"),
        (ConsoleCommand::StopRace, ViewRow::Race(race)) if race.is_over() => {
            return RowAction::DoesNotApply("This race is over. Watching it ends by itself.");
        }
        (ConsoleCommand::StopRace, ViewRow::Race(race)) => Dialog::confirm(
            "Stop watching",
            vec![
                format!("{}?", data.race_label(race)),
                "The recording stays.".into(),
            ],
            AdminAct::StopRace {
                race: race.id.clone(),
            },
        ),
        (ConsoleCommand::Limits, ViewRow::Race(race)) => Dialog::limits(&race.id, &data.race_label(race)),
        (ConsoleCommand::Share, ViewRow::Race(race)) => Dialog::share(&race.id, &data.race_label(race)),
        (ConsoleCommand::EndShares, ViewRow::Race(race)) => Dialog::confirm(
            "End all links to the page",
            vec![
                format!("of {}?", data.race_label(race)),
                "Open pages end at once.".into(),
            ],
            AdminAct::EndShares {
                race: race.id.clone(),
                share: None,
            },
        ),
        _ => return RowAction::DoesNotApply(wrong_row(command)),
    })
}

/// Asks before one link of a race is ended, or another athlete is taken off a link that the race made.
pub(super) fn end_share(race: &RaceView, share: &str, data: &GatewayData) -> Dialog {
    Dialog::confirm(
        "End a link to the page",
        vec![
            format!("{share}, of {}?", data.race_label(race)),
            "Open pages show it at once. If it is another athlete's, their race and their own links stay."
                .into(),
        ],
        AdminAct::EndShares {
            race: race.id.clone(),
            share: Some(share.to_owned()),
        },
    )
}

/// The sentence that says which kind of row the key needs.
fn wrong_row(command: ConsoleCommand) -> &'static str {
    match command {
        ConsoleCommand::Approve => "a approves an access request; select one.",
        ConsoleCommand::Uninvite => "u withdraws an invitation; select one.",
        ConsoleCommand::Revoke | ConsoleCommand::Forget => {
            "This key ends access, and the selected row has none; select an account or a sign-in."
        }
        ConsoleCommand::RevokeAccount | ConsoleCommand::RevokeClient => {
            "This key needs a sign-in that is still valid; select one."
        }
        _ => "This key does not apply to the selected row.",
    }
}

fn revoke_account(id: &str, data: &GatewayData) -> Dialog {
    let label = data.account(id).map_or(id, |account| account.email.as_str());
    Dialog::confirm(
        "End all access",
        vec![format!("of {label}?"), consequences(id, data)],
        AdminAct::Revoke(RevocationTarget::Account(id.to_owned())),
    )
}

fn revoke_client(family: &FamilyView, data: &GatewayData) -> Dialog {
    let families = data.tokens.families.iter();
    let n = families
        .filter(|other| other.client_id == family.client_id)
        .count();
    let ends = many(n as u64, "sign-in");
    Dialog::confirm(
        "End all access through this client",
        vec![
            format!("{}?", family.client),
            format!("This ends {ends}, for everyone who uses it."),
        ],
        AdminAct::Revoke(RevocationTarget::Client(family.client_id.clone())),
    )
}

pub(super) fn revoke_all(data: &GatewayData) -> Dialog {
    let running = data.workers.iter().filter(|worker| worker.pid.is_some()).count();
    let ends = counted(&[
        (data.tokens.families.len() as u64, "sign-in"),
        (running as u64, "worker"),
    ]);
    Dialog::confirm(
        "End everyone's access",
        vec![ending(ends)],
        AdminAct::Revoke(RevocationTarget::All),
    )
}

/// A sentence that says what ends when the access of an account is revoked.
fn consequences(account: &str, data: &GatewayData) -> String {
    let families = data.tokens.families.iter().filter(|f| f.account == account);
    let workers = data.workers.iter();
    let workers = workers.filter(|w| w.account == account && w.pid.is_some());
    let calls: u32 = workers.clone().map(|w| w.in_flight + w.waiting).sum();
    ending(counted(&[
        (families.count() as u64, "sign-in"),
        (workers.count() as u64, "worker"),
        (calls.into(), "call"),
    ]))
}

fn ending(counted: Option<String>) -> String {
    counted.map_or("There is nothing in use to end.".into(), |ends| {
        format!("This ends {ends}.")
    })
}
