//! The rows of each view. Moving, filtering and drawing all use this list.

use std::cmp::Ordering;

use jiff::Timestamp;

use crate::admin::views::{
    AccessRequestView, AccountView, Attention, ConsoleView, EventView, FamilyView, InvitationView, RaceView,
    RevocationView, WorkerView,
};
use crate::console::data::GatewayData;
use crate::console::words::event_line;

/// An order of the rows of a view: its name, and how it compares two rows.
pub(super) type RowOrder = (&'static str, fn(&ViewRow<'_>, &ViewRow<'_>) -> Ordering);

/// The orders that a view offers in addition to the gateway's own.
pub(super) fn orders(view: ConsoleView) -> &'static [RowOrder] {
    match view {
        ConsoleView::Workers => &[
            ("account", |a, b| a.copied().cmp(&b.copied())),
            ("memory", |a, b| b.memory().cmp(&a.memory())),
            ("calls", |a, b| b.calls().cmp(&a.calls())),
        ],
        ConsoleView::Accounts => &[
            ("e-mail", |a, b| a.copied().cmp(&b.copied())),
            ("last seen", |a, b| b.seen().cmp(&a.seen())),
            ("calls", |a, b| b.calls().cmp(&a.calls())),
        ],
        ConsoleView::Races => &[
            ("name", |a, b| a.text().cmp(&b.text())),
            ("last point", |a, b| b.seen().cmp(&a.seen())),
        ],
        ConsoleView::Tokens => &[
            ("account", |a, b| a.label().cmp(b.label())),
            ("last used", |a, b| b.seen().cmp(&a.seen())),
        ],
        ConsoleView::Overview | ConsoleView::Log => &[],
    }
}

/// Log levels, most urgent first.
pub(super) const LEVELS: [&str; 4] = ["error", "warn", "info", "debug"];

pub(super) enum ViewRow<'a> {
    Attention(&'a Attention),
    Worker(&'a WorkerView),
    Account(&'a AccountView),
    Invitation(&'a InvitationView),
    AccessRequest(&'a AccessRequestView),
    Race(&'a RaceView),
    Family(&'a FamilyView),
    Revocation(&'a RevocationView),
    /// An event, numbered from the start of the console.
    Event(u64, &'a EventView),
}

impl<'a> ViewRow<'a> {
    /// All rows of a view. `level` is the index in [`LEVELS`] of the least urgent level shown.
    pub(super) fn all(view: ConsoleView, data: &'a GatewayData, level: usize) -> Vec<Self> {
        match view {
            ConsoleView::Overview => {
                let attention = data.overview.iter().flat_map(|o| &o.attention);
                attention.map(ViewRow::Attention).collect()
            }
            ConsoleView::Workers => data.workers.iter().map(ViewRow::Worker).collect(),
            ConsoleView::Accounts => {
                let people = &data.people;
                let mut rows: Vec<Self> = people.access_requests.iter().map(Self::AccessRequest).collect();
                rows.extend(people.accounts.iter().map(ViewRow::Account));
                rows.extend(people.invitations.iter().map(ViewRow::Invitation));
                rows
            }
            ConsoleView::Races => data.races.iter().map(ViewRow::Race).collect(),
            ConsoleView::Tokens => {
                let mut rows: Vec<Self> = data.tokens.families.iter().map(ViewRow::Family).collect();
                rows.extend(data.tokens.revocations.iter().map(ViewRow::Revocation));
                rows
            }
            ConsoleView::Log => (data.log_start..)
                .zip(&data.log)
                .filter(|(_, event)| {
                    let rank = LEVELS.iter().position(|name| *name == event.level);
                    rank.is_none_or(|rank| rank <= level)
                })
                .map(|(n, event)| ViewRow::Event(n, event))
                .collect(),
        }
    }

    fn memory(&self) -> Option<u64> {
        match self {
            Self::Worker(worker) => worker.memory_bytes,
            _ => None,
        }
    }

    fn calls(&self) -> Option<u64> {
        match self {
            Self::Worker(worker) => Some(worker.calls),
            Self::Account(account) => Some(account.calls_30d),
            _ => None,
        }
    }

    /// The time of the latest event about the row's subject.
    fn seen(&self) -> Option<Timestamp> {
        match self {
            Self::Account(account) => account.last_seen,
            Self::AccessRequest(request) => Some(request.last),
            Self::Race(race) => race.last_point_at,
            Self::Family(family) => family.last_used,
            Self::Revocation(revocation) => Some(revocation.at),
            Self::Attention(_) | Self::Worker(_) | Self::Invitation(_) | Self::Event(..) => None,
        }
    }

    /// The account that a sign-in belongs or belonged to.
    fn label(&self) -> &str {
        match self {
            Self::Family(family) => &family.label,
            Self::Revocation(revocation) => &revocation.label,
            _ => "",
        }
    }

    /// The id by which the row is found again after the list has changed.
    pub(super) fn id(&self) -> String {
        match self {
            Self::Attention(one) => format!("{} {}", one.subject, one.text),
            Self::Worker(worker) => worker.account.clone(),
            Self::Account(account) => account.id.clone(),
            Self::Invitation(invitation) => format!("invited {}", invitation.email),
            Self::AccessRequest(request) => format!("asked {}", request.email),
            Self::Race(race) => race.id.clone(),
            Self::Family(family) => family.id.clone(),
            Self::Revocation(revocation) => format!("revoked {}", revocation.family),
            Self::Event(n, _) => n.to_string(),
        }
    }

    /// The text that is copied to the clipboard.
    pub(super) fn copied(&self) -> String {
        match self {
            Self::Attention(one) => one.subject.clone(),
            Self::Worker(worker) => worker.label.clone(),
            Self::Account(account) => account.email.clone(),
            Self::Invitation(invitation) => invitation.email.clone(),
            Self::AccessRequest(request) => request.email.clone(),
            Self::Race(race) => race.id.clone(),
            Self::Family(family) => family.id.clone(),
            Self::Revocation(revocation) => revocation.family.clone(),
            Self::Event(_, event) => event_line(event),
        }
    }

    /// The text that the filter searches.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Attention(a) => format!("{} {}", a.subject, a.text),
            Self::Worker(w) => format!("{} {} {} {}", w.label, w.account, w.kind, w.state),
            Self::Account(a) => format!("{} {} {} {} {}", a.email, a.id, a.name, a.garmin, a.access),
            Self::Invitation(i) => format!("invited {}", i.email),
            Self::AccessRequest(r) => format!("access request {}", r.email),
            Self::Race(r) => {
                let athlete = r.athlete.as_deref().unwrap_or_default();
                format!("{} {athlete} {} {}", r.name, r.id, r.state)
            }
            Self::Family(f) => format!("{} {} {} {}", f.id, f.label, f.client, f.access),
            Self::Revocation(r) => format!("revoked {} {} {} {}", r.family, r.label, r.client, r.reason),
            Self::Event(_, e) => event_line(e),
        }
    }
}
