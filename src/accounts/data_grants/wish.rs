//! A person's request to let a member see data, and its validation. Pure.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::{DataGrant, HeldGrant};
use crate::accounts::account::{Account, AccountId};
use crate::mcp::DataGroup;

/// The longest duration of a grant. A person who wants to extend it gives it again.
pub const MAX_GRANT_DAYS: i64 = 366;

const MAX_NAME: usize = 40;

/// A grant as it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantWish {
    /// The e-mail with which the grantee signs in here.
    pub to: String,
    /// Names of groups.
    pub groups: Vec<String>,
    /// The last day, as YYYY-MM-DD.
    pub until: String,
    /// The name under which the grantee sees the granter; empty for that of the granter's Garmin profile.
    pub name: String,
}

/// Why a wish can't be carried out. The text names the argument and states what is valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantProblem {
    #[error("to: is missing; give the e-mail that the other person uses to sign in to Garmin")]
    NoMember,
    #[error("to: this is your own e-mail; you see your data anyway")]
    OwnEmail,
    #[error(
        "to: nobody has connected to this gateway with this e-mail; give the one that the other person uses to sign in to Garmin"
    )]
    UnknownEmail,
    #[error(
        "to: two accounts have this e-mail; the other person must sign in at /link with another one first"
    )]
    SharedEmail,
    #[error("to: at most {0} members can see your data; take a grant back first")]
    TooMany(usize),
    #[error("groups: is missing; give one or more of {}", all_groups())]
    NoGroup,
    #[error("groups: there is no group {0}; give one or more of {all}", all = all_groups())]
    UnknownGroup(String),
    #[error("until: {why}; give the last day as YYYY-MM-DD, from {first} to {last}")]
    Until {
        why: LastDayProblem,
        first: Date,
        last: Date,
    },
    #[error("name: {0}")]
    Name(GrantNameProblem),
    #[error("name: the name in your Garmin profile can't be used ({0}); give one for the other to see")]
    ProfileName(GrantNameProblem),
    #[error("name: this member already sees somebody else under this name; give another one")]
    NameTaken,
}

/// Why a grant can't end on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LastDayProblem {
    #[error("is missing")]
    Missing,
    #[error("is not a date")]
    NoDay,
    #[error("has passed")]
    Passed,
    #[error("is too far away")]
    TooFar,
}

/// Why a granter can't be shown under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantNameProblem {
    #[error("it is empty")]
    Empty,
    #[error("it is longer than {MAX_NAME} characters")]
    TooLong,
    #[error("it may contain only letters, digits, spaces, dots, hyphens and apostrophes")]
    Characters,
}

fn all_groups() -> String {
    DataGroup::ALL.map(DataGroup::name).join(", ")
}

impl GrantWish {
    /// The grant, if every part is valid. The error names the invalid part and states what is valid.
    pub(super) fn grant(
        &self,
        granter: &Account,
        accounts: &[Account],
        zone: &TimeZone,
        now: Timestamp,
    ) -> Result<DataGrant, GrantProblem> {
        let to_email = self.to.trim().to_lowercase();
        let to = recipient(&to_email, granter, accounts)?;
        let groups = groups(&self.groups)?;
        let (until, ends_at) = end(self.until.trim(), zone, now)?;
        let name = match self.name.trim() {
            "" => checked_name(granter.full_name.trim()).map_err(GrantProblem::ProfileName)?,
            given => checked_name(given).map_err(GrantProblem::Name)?,
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

fn recipient(to: &str, granter: &Account, accounts: &[Account]) -> Result<AccountId, GrantProblem> {
    if to.is_empty() {
        return Err(GrantProblem::NoMember);
    }
    let mut found = accounts.iter().filter(|account| account.email == to);
    match (found.next(), found.next()) {
        (Some(own), None) if own.id == granter.id => Err(GrantProblem::OwnEmail),
        (Some(other), None) => Ok(other.id.clone()),
        (None, _) => Err(GrantProblem::UnknownEmail),
        (Some(_), Some(_)) => Err(GrantProblem::SharedEmail),
    }
}

fn groups(names: &[String]) -> Result<BTreeSet<DataGroup>, GrantProblem> {
    if names.is_empty() {
        return Err(GrantProblem::NoGroup);
    }
    let known = |name: &String| {
        let found = DataGroup::named(name.trim());
        found.ok_or_else(|| GrantProblem::UnknownGroup(name.chars().take(40).collect()))
    };
    names.iter().map(known).collect()
}

/// The last day, and the moment at which it ends.
fn end(until: &str, zone: &TimeZone, now: Timestamp) -> Result<(Date, Timestamp), GrantProblem> {
    let first = now.to_zoned(zone.clone()).date();
    let last = first.saturating_add(MAX_GRANT_DAYS.days());
    let wrong = |why| GrantProblem::Until { why, first, last };
    if until.is_empty() {
        return Err(wrong(LastDayProblem::Missing));
    }
    let day: Date = Date::strptime("%Y-%m-%d", until).map_err(|_| wrong(LastDayProblem::NoDay))?;
    if day < first {
        return Err(wrong(LastDayProblem::Passed));
    }
    if day > last {
        return Err(wrong(LastDayProblem::TooFar));
    }
    let ends_at = day
        .tomorrow()
        .and_then(|next| next.to_zoned(zone.clone()))
        .map_err(|_| wrong(LastDayProblem::NoDay))?;
    Ok((day, ends_at.timestamp()))
}

/// Names appear in the lists and answers of another person, so only plain characters are accepted, and no e-mail.
fn checked_name(name: &str) -> Result<String, GrantNameProblem> {
    if name.is_empty() {
        return Err(GrantNameProblem::Empty);
    }
    if name.chars().count() > MAX_NAME {
        return Err(GrantNameProblem::TooLong);
    }
    let is_plain = |c: char| c.is_alphanumeric() || " -'’.".contains(c);
    if !name.chars().all(is_plain) {
        return Err(GrantNameProblem::Characters);
    }
    Ok(name.to_owned())
}

/// Whether the grantee already sees somebody else under the name that a granter wants.
pub(super) fn is_name_taken(held: &[HeldGrant], granter: &AccountId, name: &str) -> bool {
    let name = name.to_lowercase();
    held.iter()
        .any(|one| one.granter != *granter && one.grant.name.to_lowercase() == name)
}
