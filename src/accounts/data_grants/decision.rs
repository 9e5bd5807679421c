//! Whether a call is within a grant. Pure.

use jiff::Timestamp;

use super::DataGrant;
use crate::accounts::account::AccountId;
use crate::mcp::DataGroup;

/// A valid grant from the grantee's point of view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldGrant {
    pub granter: AccountId,
    pub grant: DataGrant,
}

/// Why a call is not within a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotGranted {
    /// Nobody with this name lets the member see anything.
    Nobody,
    /// The named person does not let the member see this group.
    Group(DataGroup),
}

/// Returns the grant that allows the holder of `held` to read the `wanted` groups of `person`.
pub fn decide<'g>(
    held: &'g [HeldGrant],
    person: &str,
    wanted: &[DataGroup],
    now: Timestamp,
) -> Result<&'g HeldGrant, NotGranted> {
    let person = person.trim().to_lowercase();
    let is_of = |one: &&HeldGrant| one.grant.name.to_lowercase() == person && one.grant.is_valid(now);
    let found = held.iter().find(is_of).ok_or(NotGranted::Nobody)?;
    // A tool that is in no group may read data of any group, so it needs a grant of everything.
    let wanted = if wanted.is_empty() {
        &[DataGroup::Everything]
    } else {
        wanted
    };
    match wanted.iter().find(|group| !found.grant.covers(**group)) {
        Some(group) => Err(NotGranted::Group(*group)),
        None => Ok(found),
    }
}
