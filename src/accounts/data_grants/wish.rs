//! What a person asks for when they let a member see data, checked against what is valid. Pure.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::{DataGrant, HeldGrant};
use crate::accounts::account::{Account, AccountId};
use crate::mcp::DataGroup;

/// The longest grant. A person who still agrees gives it again.
pub const MAX_GRANT_DAYS: i64 = 366;

const MAX_NAME: usize = 40;

/// A grant as it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantWish {
    /// The e-mail with which the other signs in here.
    pub to: String,
    /// Names of groups.
    pub groups: Vec<String>,
    /// The last day, as YYYY-MM-DD.
    pub until: String,
    /// The name under which the other sees the granter; empty for that of the granter's Garmin profile.
    pub name: String,
}

impl GrantWish {
    /// The grant, if all of it is valid. Error: the part that is not, and what is.
    pub(super) fn grant(
        &self,
        granter: &Account,
        accounts: &[Account],
        zone: &TimeZone,
        now: Timestamp,
    ) -> Result<DataGrant, String> {
        let to_email = self.to.trim().to_lowercase();
        let to = recipient(&to_email, granter, accounts)?;
        let groups = groups(&self.groups)?;
        let (until, ends_at) = end(self.until.trim(), zone, now)?;
        let name = match self.name.trim() {
            "" => checked_name(granter.full_name.trim()).map_err(|why| {
                format!("name: the name in your Garmin profile can't be used ({why}); give one for the other to see")
            })?,
            given => checked_name(given).map_err(|why| format!("name: {why}"))?,
        };
        Ok(DataGrant {
            to,
            to_email,
            name,
            groups,
            until,
            ends_at,
            given_at: now,
        })
    }
}

fn recipient(to: &str, granter: &Account, accounts: &[Account]) -> Result<AccountId, String> {
    if to.is_empty() {
        return Err("to: is missing; give the e-mail with which the other signs in at Garmin".to_owned());
    }
    let mut found = accounts.iter().filter(|account| account.email == to);
    match (found.next(), found.next()) {
        (Some(own), None) if own.id == granter.id => {
            Err("to: this is your own e-mail; you see your data anyway".to_owned())
        }
        (Some(other), None) => Ok(other.id.clone()),
        (None, _) => Err(
            "to: nobody has connected to this gateway with this e-mail; give the one with which the other signs in at Garmin"
                .to_owned(),
        ),
        (Some(_), Some(_)) => Err(
            "to: two accounts have this e-mail; the other must sign in at /link with another one first".to_owned(),
        ),
    }
}

fn groups(names: &[String]) -> Result<BTreeSet<DataGroup>, String> {
    let all = || DataGroup::ALL.map(DataGroup::name).join(", ");
    if names.is_empty() {
        return Err(format!("groups: is missing; give some of {}", all()));
    }
    let known = |name: &String| {
        let unknown: String = name.chars().take(40).collect();
        DataGroup::named(name.trim())
            .ok_or_else(|| format!("groups: there is no group {unknown}; give some of {}", all()))
    };
    names.iter().map(known).collect()
}

/// The last day, and the moment at which it ends.
fn end(until: &str, zone: &TimeZone, now: Timestamp) -> Result<(Date, Timestamp), String> {
    let today = now.to_zoned(zone.clone()).date();
    let last = today.saturating_add(MAX_GRANT_DAYS.days());
    let valid = || format!("give the last day as YYYY-MM-DD, from {today} to {last}");
    if until.is_empty() {
        return Err(format!("until: is missing; {}", valid()));
    }
    let day: Date =
        Date::strptime("%Y-%m-%d", until).map_err(|_| format!("until: is no day; {}", valid()))?;
    if day < today {
        return Err(format!("until: has passed; {}", valid()));
    }
    if day > last {
        return Err(format!("until: is too far away; {}", valid()));
    }
    let ends_at = day
        .tomorrow()
        .and_then(|next| next.to_zoned(zone.clone()))
        .map_err(|_| format!("until: is no day; {}", valid()))?;
    Ok((day, ends_at.timestamp()))
}

/// Names reach the lists and answers of another person, so only plain ones are taken, and no e-mail.
fn checked_name(name: &str) -> Result<String, String> {
    if name.is_empty() {
        return Err("it is empty".to_owned());
    }
    if name.chars().count() > MAX_NAME {
        return Err(format!("it is longer than {MAX_NAME} characters"));
    }
    match name
        .chars()
        .find(|c| !c.is_alphanumeric() && !" -'’.".contains(*c))
    {
        Some(_) => Err("it may have only letters, digits, spaces, dots, hyphens and apostrophes".to_owned()),
        None => Ok(name.to_owned()),
    }
}

/// Why a granter can't have this name, if the member sees somebody else under it.
pub(super) fn name_taken(held: &[HeldGrant], granter: &AccountId, name: &str) -> Option<String> {
    let name = name.to_lowercase();
    held.iter()
        .any(|one| one.granter != *granter && one.grant.name.to_lowercase() == name)
        .then(|| "name: this member sees somebody else under this name; give another one".to_owned())
}
