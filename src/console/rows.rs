//! The rows of each view: one list for moving, filtering and drawing.

use super::state::{ConsoleState, LEVELS};
use super::words::event;
use crate::admin::api::{
    AccessRequestView, AccountView, Attention, ConsoleView, EventView, FamilyView, InvitationView, RaceView,
    RevocationView, WorkerView,
};

/// A row of a view.
pub(super) enum ViewRow<'a> {
    /// Something that needs a person.
    Attention(&'a Attention),
    /// A worker.
    Worker(&'a WorkerView),
    /// An account.
    Account(&'a AccountView),
    /// An invitation.
    Invitation(&'a InvitationView),
    /// A knock.
    Knock(&'a AccessRequestView),
    /// A race.
    Race(&'a RaceView),
    /// A family of tokens.
    Family(&'a FamilyView),
    /// A revocation.
    Revocation(&'a RevocationView),
    /// An event, and its number.
    Event(u64, &'a EventView),
}

impl<'a> ViewRow<'a> {
    /// All rows of the view that is shown.
    pub(super) fn all(state: &'a ConsoleState) -> Vec<Self> {
        match state.view {
            ConsoleView::Overview => {
                let attention = state.overview.iter().flat_map(|o| &o.attention);
                attention.map(ViewRow::Attention).collect()
            }
            ConsoleView::Workers => state.workers.iter().map(ViewRow::Worker).collect(),
            ConsoleView::Accounts => {
                let people = &state.people;
                let mut rows: Vec<Self> = people.knocks.iter().map(ViewRow::Knock).collect();
                rows.extend(people.accounts.iter().map(ViewRow::Account));
                rows.extend(people.invitations.iter().map(ViewRow::Invitation));
                rows
            }
            ConsoleView::Races => state.races.iter().map(ViewRow::Race).collect(),
            ConsoleView::Tokens => {
                let tokens = &state.tokens;
                let mut rows: Vec<Self> = tokens.families.iter().map(ViewRow::Family).collect();
                rows.extend(tokens.revocations.iter().map(ViewRow::Revocation));
                rows
            }
            ConsoleView::Log => (state.log_start..)
                .zip(&state.log)
                .filter(|(_, event)| {
                    let level = LEVELS.iter().position(|level| *level == event.level);
                    level.is_none_or(|level| level <= state.level)
                })
                .map(|(n, event)| ViewRow::Event(n, event))
                .collect(),
        }
    }

    /// What it is known by while it moves about.
    pub(super) fn id(&self) -> String {
        match self {
            Self::Attention(one) => format!("{} {}", one.subject, one.text),
            Self::Worker(worker) => worker.account.clone(),
            Self::Account(account) => account.id.clone(),
            Self::Invitation(invitation) => format!("invited {}", invitation.email),
            Self::Knock(knock) => format!("knocked {}", knock.email),
            Self::Race(race) => race.id.clone(),
            Self::Family(family) => family.id.clone(),
            Self::Revocation(revocation) => format!("revoked {}", revocation.family),
            Self::Event(n, _) => n.to_string(),
        }
    }

    /// What the filter looks at.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Attention(a) => format!("{} {}", a.subject, a.text),
            Self::Worker(w) => format!("{} {} {} {}", w.label, w.account, w.kind, w.state),
            Self::Account(a) => format!("{} {} {} {} {}", a.email, a.id, a.name, a.garmin, a.access),
            Self::Invitation(i) => format!("invited {}", i.email),
            Self::Knock(k) => format!("knocked {}", k.email),
            Self::Race(r) => format!("{} {} {}", r.name, r.id, r.state),
            Self::Family(f) => format!("{} {} {} {}", f.id, f.label, f.client, f.access),
            Self::Revocation(r) => format!("{} {} {} {}", r.family, r.label, r.client, r.reason),
            Self::Event(_, e) => event(e),
        }
    }
}
