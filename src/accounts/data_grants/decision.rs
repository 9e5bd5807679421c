//! Whether a call is within a grant. Pure.

use jiff::Timestamp;

use super::DataGrant;
use crate::accounts::account::AccountId;
use crate::mcp::DataGroup;

/// A grant as the member has it who may see the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldGrant {
    pub granter: AccountId,
    pub grant: DataGrant,
}

/// Why a call is not within a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotGranted {
    /// Nobody of this name lets the member see anything.
    Nobody,
    /// The named person does not let the member see this group.
    Group(DataGroup),
}

/// The grant that allows a member who holds `held` to read these groups of `person`.
pub fn decide<'g>(
    held: &'g [HeldGrant],
    person: &str,
    wanted: &[DataGroup],
    now: Timestamp,
) -> Result<&'g HeldGrant, NotGranted> {
    let person = person.trim().to_lowercase();
    let is_of = |one: &&HeldGrant| one.grant.name.to_lowercase() == person && one.grant.is_valid(now);
    let found = held.iter().find(is_of).ok_or(NotGranted::Nobody)?;
    // A tool without any group is in all of them.
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
