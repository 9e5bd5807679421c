//! Views of accounts, invitations, access requests, and the usage of each account.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::access::access_name;
use super::api::AdminRefusal;
use super::service::AdminService;
use super::views::count;
use super::views::{AccessRequestView, AccountView, HistoryView, InvitationView, People, ToolUsage};

use crate::accounts::{AccountId, GarminLogin};
use crate::gateway::usage;
use crate::history::KeptHistory;
use crate::oauth::FamilyOverview;

/// The number of days over which usage is summed.
const USAGE_DAYS: i64 = 30;

impl AdminService {
    pub(super) fn people(&self) -> Result<People, AdminRefusal> {
        self.people_with(&self.rooms.oauth.families()?)
    }

    pub(super) fn people_with(&self, families: &[FamilyOverview]) -> Result<People, AdminRefusal> {
        let accounts = &self.rooms.accounts;
        let mut people = People::default();
        for account in accounts.list()? {
            let theirs: Vec<_> = families.iter().filter(|f| f.account == account.id).collect();
            let clients: BTreeSet<_> = theirs.iter().map(|f| &f.client_id).collect();
            let access: BTreeSet<_> = theirs.iter().map(|f| access_name(f.access)).collect();
            let garmin_tokens = accounts.tokens(&account.id)?;
            let (garmin, sign_in_needed) = match &account.garmin {
                GarminLogin::Working => ("working".to_owned(), false),
                GarminLogin::SignInNeeded { reason, .. } => (format!("sign-in needed: {reason}"), true),
            };
            people.accounts.push(AccountView {
                clients: count(clients.len()),
                tokens: count(theirs.len()),
                access: access.into_iter().collect::<Vec<_>>().join(", "),
                calls_30d: self.used(&account.id)?.values().map(|usage| usage.calls).sum(),
                history: self
                    .rooms
                    .history
                    .kept(&account.id)?
                    .map(|kept| history_view(&kept)),
                garmin,
                sign_in_needed,
                garmin_token_expires: garmin_tokens.and_then(|held| held.tokens.expires_at()),
                id: account.id.to_string(),
                email: account.email,
                name: account.full_name,
                linked_at: account.linked_at,
                last_seen: theirs.iter().map(|family| family.last_used_at).max(),
            });
        }
        let invitations = accounts.invitations()?.into_iter();
        people.invitations = invitations
            .map(|i| InvitationView {
                email: i.email,
                invited_at: i.invited_at,
            })
            .collect();
        let (invited, open_sign_up) = accounts.standing_invitations();
        people.invited_by_settings = invited.iter().map(ToString::to_string).collect();
        people.open_sign_up = open_sign_up;
        let requests = accounts.access_requests()?.into_iter();
        people.access_requests = requests
            .map(|request| AccessRequestView {
                email: request.email,
                last: request.last,
                times: request.times,
            })
            .collect();
        Ok(people)
    }

    /// Usage by tool, most calls first.
    pub(super) fn usage(&self, account: Option<&str>) -> Result<Vec<ToolUsage>, AdminRefusal> {
        let labels = self.labels()?;
        let accounts = match account {
            Some(account) => vec![self.account(account)?],
            None => labels.keys().cloned().collect(),
        };
        let mut rows = Vec::new();
        for account in accounts {
            let label = labels.get(&account).cloned().unwrap_or_default();
            rows.extend(self.used(&account)?.into_iter().map(|(tool, used)| ToolUsage {
                account: account.to_string(),
                label: label.clone(),
                tool,
                calls: used.calls,
                errors: used.errors,
            }));
        }
        rows.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.tool.cmp(&b.tool)));
        Ok(rows)
    }

    /// Calls of the last [`USAGE_DAYS`] days, by tool.
    fn used(&self, account: &AccountId) -> Result<BTreeMap<String, usage::CallCounts>, AdminRefusal> {
        let since = self.clock.now() - SignedDuration::from_hours(24 * USAGE_DAYS);
        let since = since.to_zoned(TimeZone::UTC).date();
        let mut by_tool: BTreeMap<String, usage::CallCounts> = BTreeMap::new();
        for line in usage::used(&self.rooms.store, account)? {
            if line.day >= since {
                let sum = by_tool.entry(line.tool).or_default();
                sum.calls += line.usage.calls;
                sum.errors += line.usage.errors;
            }
        }
        Ok(by_tool)
    }
}

fn history_view(kept: &KeptHistory) -> HistoryView {
    let of_kinds = kept.kinds.values().filter_map(|kind| kind.trouble.as_ref());
    let trouble = kept.trouble.iter().chain(of_kinds).next();
    HistoryView {
        since: kept.since,
        days: kept.days(),
        bytes: kept.bytes(),
        filled_at: kept.filled_at,
        trouble: trouble.map(|trouble| trouble.class.advice().to_owned()),
    }
}
