//! Who may sign in, and who tried without being asked.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Accounts;
use crate::base::secrets::sha256;
use crate::config::Invited;
use crate::store::{Record, Store, StoreError, Table};

/// Somebody may sign in, because the operator said so.
#[derive(Clone, Serialize, Deserialize)]
pub struct Invitation {
    /// Whom, lower case.
    pub email: String,
    /// When it was given.
    pub invited_at: Timestamp,
}

impl Record for Invitation {
    const TABLE: Table = Table("invitation");
}

/// Somebody tried to sign in without an invitation.
#[derive(Clone, Serialize, Deserialize)]
pub struct AccessRequest {
    /// The e-mail that was typed: nobody proved that it is theirs.
    pub email: String,
    /// The first time.
    pub first: Timestamp,
    /// The last time.
    pub last: Timestamp,
    /// How often.
    pub times: u32,
}

impl Record for AccessRequest {
    const TABLE: Table = Table("knock");
}

/// Strangers can make us write these; more are not noted until the operator clears some.
const MAX_ACCESS_REQUESTS: usize = 100;

impl Accounts {
    /// Whether `email` may be taken to Garmin at all.
    pub fn is_invited(&self, email: &str) -> Result<bool, StoreError> {
        let by_settings = {
            let live = self.live.borrow();
            live.open_sign_up || live.invited.iter().any(|invited| invited.covers(email))
        };
        Ok(by_settings || self.store.find::<Invitation>(&email_key(email))?.is_some())
    }

    /// Invites an e-mail and forgets that it note_access_request.
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

    /// Takes an invitation back. What it already let in stays.
    pub async fn uninvite(&self, email: &str) -> Result<(), StoreError> {
        self.store.remove::<Invitation>(&email_key(email)).await
    }

    /// Invitations that were given here (those in the settings are not among them), the oldest first.
    pub fn invitations(&self) -> Result<Vec<Invitation>, StoreError> {
        let mut invitations: Vec<Invitation> = records(&self.store)?;
        invitations.sort_by(|a, b| (a.invited_at, &a.email).cmp(&(b.invited_at, &b.email)));
        Ok(invitations)
    }

    /// Notes that somebody without an invitation tried, so that the operator can see it.
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

    /// Who note_access_request, the first first.
    pub fn access_requests(&self) -> Result<Vec<AccessRequest>, StoreError> {
        let mut requests: Vec<AccessRequest> = records(&self.store)?;
        requests.sort_by(|a, b| (a.first, &a.email).cmp(&(b.first, &b.email)));
        Ok(requests)
    }
}

/// All records of one kind.
fn records<R: Record>(store: &Store) -> Result<Vec<R>, StoreError> {
    let found = store.list(b"")?;
    Ok(found.into_iter().map(|(_, record)| record).collect())
}

/// Whether a text looks like one e-mail address. Only its owner can tell whether it is one.
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
    async fn strangers_cannot_fill_the_store_with_knocks() {
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
