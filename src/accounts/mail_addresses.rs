//! The e-mail addresses that a person sets, so that LiveTrack mails to them start the person's races.
//!
//! The gateway sends no mails, so nobody proves that they own an address. For that reason, an address that could be
//! somebody else's is refused, and the e-mail of an account always takes precedence.

use super::account::{Account, AccountId, Choices};
use super::{Accounts, invitations};
use crate::config::Invited;
use crate::store::{StoreError, Tx};

/// Maximum number of addresses of a person.
pub const MOST_MAIL_ADDRESSES: usize = 5;

/// Why the addresses of a person were not set. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum MailAddressProblem {
    #[error("{0:?} is not an e-mail address; write addresses such as ann@example.org, comma-separated")]
    NoAddress(String),
    #[error("{0} addresses are too many; at most {MOST_MAIL_ADDRESSES} can be set")]
    TooMany(usize),
    /// It is the e-mail of another account, another's address, or that of somebody who was invited.
    #[error("{0} belongs to somebody else here; leave it out, or remove it there first")]
    Taken(String),
    /// All mails arrive at this address, so it would not identify the person.
    #[error(
        "{0} is the mailbox itself, where everybody's mails arrive; use an address such as name+races@example.org"
    )]
    Mailbox(String),
    #[error("access ended while this was under way; nothing was changed. Connect again")]
    AccessEnded,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Sets the addresses of a person from a list separated by commas or blanks; an empty text removes them all.
    /// Returns the new list. `is_allowed` is checked in the same unit of work.
    pub async fn choose_mail_addresses(
        &self,
        id: &AccountId,
        text: &str,
        is_allowed: impl FnOnce(&Tx<'_>) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<Vec<String>, MailAddressProblem> {
        let addresses = read(text)?;
        let mailbox = self
            .live
            .borrow()
            .mailbox
            .as_ref()
            .map(|mailbox| mailbox.user.clone());
        if let Some(same) =
            mailbox.and_then(|user| addresses.iter().find(|one| one.eq_ignore_ascii_case(&user)))
        {
            return Err(MailAddressProblem::Mailbox(same.clone()));
        }
        let (accounts, account) = (self.clone(), id.clone());
        let chosen = self.store.atomic(move |tx| {
            if !Self::exists_within(tx, &account)? || !is_allowed(tx)? {
                return Err(MailAddressProblem::AccessEnded);
            }
            for address in &addresses {
                if accounts.is_anothers(tx, &account, address)? {
                    return Err(MailAddressProblem::Taken(address.clone()));
                }
            }
            let mut choices: Choices = tx.find(account.key())?.unwrap_or_default();
            choices.mail_addresses.clone_from(&addresses);
            tx.put(account.key(), &choices)?;
            Ok(addresses)
        });
        let chosen = chosen.await?;
        tracing::info!(account.id = %id, addresses = chosen.len(), "choices.mail_addresses_set");
        Ok(chosen)
    }

    /// Whether an address is somebody else's, or may become so by an invitation.
    fn is_anothers(&self, tx: &Tx<'_>, own: &AccountId, address: &str) -> Result<bool, StoreError> {
        let mut is_own_email = false;
        for (_, account) in tx.list::<Account>(b"")? {
            let has_email = account.email.eq_ignore_ascii_case(address);
            let choices: Choices = tx.find(account.id.key())?.unwrap_or_default();
            if account.id == *own {
                is_own_email = has_email;
            } else if has_email || choices.mail_addresses.iter().any(|one| one == address) {
                return Ok(true);
            }
        }
        if is_own_email {
            return Ok(false);
        }
        let live = self.live.borrow();
        let is_named = |invited: &Invited| matches!(invited, Invited::Email(email) if email.eq_ignore_ascii_case(address));
        Ok(live.invited.iter().any(is_named) || invitations::has_invitation(tx, address)?)
    }
}

/// Reads a list of addresses, in lower case and without repetitions.
fn read(text: &str) -> Result<Vec<String>, MailAddressProblem> {
    let parts = text
        .split([',', ';', ' ', '\n', '\r', '\t'])
        .filter(|part| !part.is_empty());
    let mut addresses: Vec<String> = Vec::new();
    for part in parts {
        let address = part.to_lowercase();
        if !invitations::is_email(&address) {
            return Err(MailAddressProblem::NoAddress(part.chars().take(80).collect()));
        }
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.len() > MOST_MAIL_ADDRESSES {
        return Err(MailAddressProblem::TooMany(addresses.len()));
    }
    Ok(addresses)
}
