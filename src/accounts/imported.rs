//! Accounts that come from another gateway, which identified a person by the e-mail of their Garmin sign-in instead of
//! their profile.

use jiff::Timestamp;

use super::account::{Account, AccountId, GarminLogin, HeldTokens};
use super::invitations::invite_within;
use super::{Accounts, StoreError, Tx};
use crate::garmin::GarminTokens;

/// An account as another gateway kept it.
pub struct ImportedAccount {
    /// The e-mail with which Garmin accepted the person there, in lower case.
    pub email: String,
    pub tokens: GarminTokens,
    /// When the person first signed in there.
    pub linked_at: Timestamp,
}

impl Accounts {
    /// Stores the account and invites its person, inside a unit of work. Returns `None` if an account with this e-mail
    /// exists; that account is left as it is.
    pub fn import_within(
        tx: &mut Tx<'_>,
        imported: ImportedAccount,
        now: Timestamp,
    ) -> Result<Option<AccountId>, StoreError> {
        let mut known = tx.list::<Account>(b"")?.into_iter();
        if known.any(|(_, account)| account.email == imported.email) {
            return Ok(None);
        }
        invite_within(tx, &imported.email, now)?;
        let account = Account {
            id: AccountId::random(),
            profile_id: None,
            email: imported.email,
            full_name: String::new(),
            linked_at: imported.linked_at,
            garmin: GarminLogin::Working,
        };
        let key = account.id.as_str().as_bytes();
        let held = HeldTokens {
            tokens: imported.tokens,
            generation: 1,
            changed_at: now,
        };
        tx.put(key, &held)?;
        tx.put(key, &account)?;
        Ok(Some(account.id))
    }
}

/// The imported account with this e-mail whose profile is not known yet. Garmin accepted the e-mail at both sign-ins,
/// so both belong to the same person.
pub(super) fn find_without_profile(tx: &Tx<'_>, email: &str) -> Result<Option<Account>, StoreError> {
    let mut accounts = tx.list::<Account>(b"")?.into_iter().map(|(_, account)| account);
    Ok(accounts.find(|account| account.profile_id.is_none() && account.email == email))
}

#[cfg(test)]
mod tests {
    use crate::accounts::tests::{Fixture, fixture, signed_in, tokens};

    use super::*;

    const ANN: &str = "ann@example.org";

    async fn import(accounts: &Accounts, email: &str) -> Option<AccountId> {
        let imported = ImportedAccount {
            email: email.to_owned(),
            tokens: tokens("old"),
            linked_at: Timestamp::UNIX_EPOCH,
        };
        let imported = accounts
            .store
            .atomic(move |tx| Accounts::import_within(tx, imported, Timestamp::UNIX_EPOCH));
        imported.await.unwrap()
    }

    #[tokio::test]
    async fn an_imported_person_is_invited_and_keeps_the_account_at_the_next_sign_in() {
        let Fixture { accounts, .. } = fixture();
        let id = import(&accounts, ANN).await.unwrap();
        assert!(accounts.is_invited(ANN).unwrap());
        assert_eq!(accounts.tokens(&id).unwrap().unwrap().tokens, tokens("old"));
        // Somebody else's sign-in does not take the account over.
        let other = accounts.link("bob@example.org", signed_in(8, "b")).await.unwrap();
        assert_ne!(other.id, id);
        let again = accounts.link(ANN, signed_in(7, "new")).await.unwrap();
        assert_eq!((again.id, again.profile_id), (id.clone(), Some(7)));
        assert_eq!(accounts.tokens(&id).unwrap().unwrap().tokens, tokens("new"));
        // From then on, the profile identifies the account.
        let another = accounts.link(ANN, signed_in(9, "c")).await.unwrap();
        assert_ne!(another.id, id);
        assert!(accounts.forget(&id).await.unwrap());
    }

    #[tokio::test]
    async fn an_account_that_is_there_is_kept() {
        let Fixture { accounts, .. } = fixture();
        let own = accounts.link(ANN, signed_in(7, "own")).await.unwrap();
        assert_eq!(import(&accounts, ANN).await, None);
        assert_eq!(accounts.tokens(&own.id).unwrap().unwrap().tokens, tokens("own"));
        assert!(import(&accounts, "bob@example.org").await.is_some());
        assert_eq!(import(&accounts, "bob@example.org").await, None);
        assert_eq!(accounts.list().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn an_account_without_a_profile_can_be_forgotten() {
        let Fixture { accounts, .. } = fixture();
        let id = import(&accounts, ANN).await.unwrap();
        assert!(accounts.forget(&id).await.unwrap());
        assert!(accounts.list().unwrap().is_empty() && accounts.tokens(&id).unwrap().is_none());
    }
}
