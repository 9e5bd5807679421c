//! Who may sign in, and who asked for access by trying to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Accounts;
use crate::base::secrets::sha256;
use crate::config::Invited;
use crate::store::{Record, Store, StoreError, Table, Tx};

/// The operator allows this e-mail to sign in.
#[derive(Clone, Serialize, Deserialize)]
pub struct Invitation {
    /// Lower case.
    pub email: String,
    pub invited_at: Timestamp,
}

impl Record for Invitation {
    const TABLE: Table = Table("invitation");
}

/// Somebody tried to sign in without an invitation. Stored as a `knock`.
#[derive(Clone, Serialize, Deserialize)]
pub struct AccessRequest {
    /// As typed; nobody has proved that it is theirs.
    pub email: String,
    pub first: Timestamp,
    pub last: Timestamp,
    pub times: u32,
}

impl Record for AccessRequest {
    const TABLE: Table = Table("knock");
}

/// Strangers cause these records, so their number is bounded.
const MAX_ACCESS_REQUESTS: usize = 100;

impl Accounts {
    /// Whether `email` may be sent to Garmin at all.
    pub fn is_invited(&self, email: &str) -> Result<bool, StoreError> {
        let by_record = || self.store.find::<Invitation>(&email_key(email));
        Ok(self.is_invited_by_settings(email) || by_record()?.is_some())
    }

    /// The same inside a unit of work, which an `uninvite` can't interleave with.
    pub(super) fn is_invited_within(&self, tx: &Tx<'_>, email: &str) -> Result<bool, StoreError> {
        let by_record = || tx.find::<Invitation>(&email_key(email));
        Ok(self.is_invited_by_settings(email) || by_record()?.is_some())
    }

    fn is_invited_by_settings(&self, email: &str) -> bool {
        let live = self.live.borrow();
        live.open_sign_up || live.invited.iter().any(|invited| invited.covers(email))
    }

    /// Invites an e-mail and removes its access request.
    pub async fn invite(&self, email: &str) -> Result<(), StoreError> {
        let key = email_key(email);
        let invitation = Invitation {
            email: email.trim().to_lowercase(),
            invited_at: self.clock.now(),
        };
        self.store
            .atomic(move |tx| {
                tx.remove::<AccessRequest>(&key);
                tx.put(&key, &invitation)
            })
            .await
    }

    /// Withdraws an invitation. Existing connections keep working.
    pub async fn uninvite(&self, email: &str) -> Result<(), StoreError> {
        self.store.remove::<Invitation>(&email_key(email)).await
    }

    /// Invitations from the store, oldest first. Those from the settings are not among them.
    pub fn invitations(&self) -> Result<Vec<Invitation>, StoreError> {
        let mut invitations: Vec<Invitation> = records(&self.store)?;
        invitations.sort_by(|a, b| (a.invited_at, &a.email).cmp(&(b.invited_at, &b.email)));
        Ok(invitations)
    }

    /// Records a sign-in without an invitation, so that the operator sees it.
    pub async fn note_access_request(&self, email: &str) -> Result<(), StoreError> {
        let (key, email, now) = (email_key(email), email.trim().to_lowercase(), self.clock.now());
        self.store
            .atomic(move |tx| {
                let request = match tx.find::<AccessRequest>(&key)? {
                    Some(request) => AccessRequest {
                        last: now,
                        times: request.times.saturating_add(1),
                        ..request
                    },
                    None if tx.list::<AccessRequest>(b"")?.len() >= MAX_ACCESS_REQUESTS => return Ok(()),
                    None => AccessRequest {
                        email,
                        first: now,
                        last: now,
                        times: 1,
                    },
                };
                tx.put(&key, &request)
            })
            .await
    }

    /// Oldest first.
    pub fn access_requests(&self) -> Result<Vec<AccessRequest>, StoreError> {
        let mut requests: Vec<AccessRequest> = records(&self.store)?;
        requests.sort_by(|a, b| (a.first, &a.email).cmp(&(b.first, &b.email)));
        Ok(requests)
    }
}

fn records<R: Record>(store: &Store) -> Result<Vec<R>, StoreError> {
    let found = store.list(b"")?;
    Ok(found.into_iter().map(|(_, record)| record).collect())
}

/// Whether a text has the form of one e-mail address.
pub fn is_email(text: &str) -> bool {
    matches!(Invited::parse(text.trim()), Ok(Invited::Email(_)))
}

fn email_key(email: &str) -> [u8; 32] {
    sha256(email.trim().to_lowercase().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Fixture, fixture};
    use super::*;

    #[tokio::test]
    async fn invitations_come_from_settings_and_store() {
        let Fixture { accounts, live, .. } = fixture();
        assert!(!accounts.is_invited("ann@example.org").unwrap());
        accounts.note_access_request("Ann@example.org").await.unwrap();
        accounts.note_access_request("ann@example.org").await.unwrap();
        assert_eq!(accounts.access_requests().unwrap()[0].times, 2);
        accounts.invite(" Ann@Example.org").await.unwrap();
        assert!(accounts.is_invited("ann@example.org").unwrap());
        assert!(accounts.access_requests().unwrap().is_empty());
        accounts.uninvite("ann@example.org").await.unwrap();
        assert!(!accounts.is_invited("ann@example.org").unwrap());
        live.send_modify(|live| live.invited.push(Invited::parse("@example.org").unwrap()));
        assert!(accounts.is_invited("ann@example.org").unwrap());
    }

    #[tokio::test]
    async fn strangers_cannot_fill_the_store_with_access_requests() {
        let Fixture { accounts, .. } = fixture();
        for n in 0..MAX_ACCESS_REQUESTS + 5 {
            accounts
                .note_access_request(&format!("{n}@example.org"))
                .await
                .unwrap();
        }
        assert_eq!(accounts.access_requests().unwrap().len(), MAX_ACCESS_REQUESTS);
    }
}
