//! Who may sign in, and who requested access by a sign-in attempt.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Accounts;
use crate::base::secrets::sha256;
use crate::config::Invited;
use crate::store::{Record, Store, StoreError, Table, Tx};

/// The operator allows this e-mail to sign in.
#[derive(Clone, Serialize, Deserialize)]
pub struct Invitation {
    /// The address in lower case.
    pub email: String,
    pub invited_at: Timestamp,
}

impl Record for Invitation {
    const TABLE: Table = Table("invitation");
}

/// Someone tried to sign in without an invitation. Stored as a `knock`.
#[derive(Clone, Serialize, Deserialize)]
pub struct AccessRequest {
    /// As typed; nobody has proved that they own the address.
    pub email: String,
    pub first: Timestamp,
    pub last: Timestamp,
    pub times: u32,
}

impl Record for AccessRequest {
    const TABLE: Table = Table("knock");
}

/// Strangers cause these records, so their number is limited.
const MAX_ACCESS_REQUESTS: usize = 100;

/// An access request expires when the operator has ignored it for this long.
const ACCESS_REQUEST_LIFETIME: SignedDuration = SignedDuration::from_hours(14 * 24);

/// When the list is full, a request that is older than this and was made only once gives way to a new one.
const SINGLE_TRY_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

impl AccessRequest {
    fn is_expired(&self, now: Timestamp) -> bool {
        now.duration_since(self.last) >= ACCESS_REQUEST_LIFETIME
    }
}

impl Accounts {
    /// Whether `email` may be sent to Garmin at all.
    pub fn is_invited(&self, email: &str) -> Result<bool, StoreError> {
        if !is_email(email) {
            return Ok(false);
        }
        let by_record = || self.store.find::<Invitation>(&email_key(email));
        Ok(self.is_invited_by_settings(email) || by_record()?.is_some())
    }

    /// The same check inside a unit of work, where an `uninvite` cannot interleave.
    pub(super) fn is_invited_within(&self, tx: &Tx<'_>, email: &str) -> Result<bool, StoreError> {
        if !is_email(email) {
            return Ok(false);
        }
        let by_record = || tx.find::<Invitation>(&email_key(email));
        Ok(self.is_invited_by_settings(email) || by_record()?.is_some())
    }

    fn is_invited_by_settings(&self, email: &str) -> bool {
        let live = self.live.borrow();
        live.open_sign_up || live.invited.iter().any(|invited| invited.covers(email))
    }

    /// Invites an e-mail and removes its access request.
    pub async fn invite(&self, email: &str) -> Result<(), StoreError> {
        let (email, now) = (email.to_owned(), self.clock.now());
        self.store.atomic(move |tx| invite_within(tx, &email, now)).await
    }

    /// Withdraws an invitation, and dismisses a request for access. Existing connections keep working.
    pub async fn uninvite(&self, email: &str) -> Result<(), StoreError> {
        let key = email_key(email);
        let write = move |tx: &mut Tx<'_>| {
            tx.remove::<Invitation>(&key);
            tx.remove::<AccessRequest>(&key);
            Ok(())
        };
        self.store.atomic(write).await
    }

    /// The invitations of the settings, and whether sign-up is open to everyone.
    pub fn standing_invitations(&self) -> (Vec<Invited>, bool) {
        let live = self.live.borrow();
        (live.invited.clone(), live.open_sign_up)
    }

    /// Invitations from the store, oldest first, without those from the settings.
    pub fn invitations(&self) -> Result<Vec<Invitation>, StoreError> {
        let mut invitations: Vec<Invitation> = records(&self.store)?;
        invitations.sort_by(|a, b| (a.invited_at, &a.email).cmp(&(b.invited_at, &b.email)));
        Ok(invitations)
    }

    /// Records a sign-in attempt without an invitation, so that the operator sees it.
    pub async fn note_access_request(&self, email: &str) -> Result<(), StoreError> {
        let (key, email, now) = (email_key(email), email.trim().to_lowercase(), self.clock.now());
        self.store
            .atomic(move |tx| {
                let known = tx
                    .find::<AccessRequest>(&key)?
                    .filter(|known| !known.is_expired(now));
                let request = match known {
                    Some(known) => AccessRequest {
                        last: now,
                        times: known.times.saturating_add(1),
                        ..known
                    },
                    None if !make_room(tx, now)? => return Ok(()),
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

    /// The access requests, oldest first.
    pub fn access_requests(&self) -> Result<Vec<AccessRequest>, StoreError> {
        let mut requests: Vec<AccessRequest> = records(&self.store)?;
        let now = self.clock.now();
        requests.retain(|request| !request.is_expired(now));
        requests.sort_by(|a, b| (a.first, &a.email).cmp(&(b.first, &b.email)));
        Ok(requests)
    }
}

/// Removes expired requests, and from a full list the oldest of those that were made only once. Returns whether there
/// is room for another request.
fn make_room(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let mut requests = tx.list::<AccessRequest>(b"")?;
    requests.retain(|(key, request)| {
        if request.is_expired(now) {
            tx.remove::<AccessRequest>(key);
        }
        !request.is_expired(now)
    });
    if requests.len() < MAX_ACCESS_REQUESTS {
        return Ok(true);
    }
    let is_old = |request: &AccessRequest| now.duration_since(request.last) >= SINGLE_TRY_LIFETIME;
    let oldest = requests
        .iter()
        .filter(|(_, request)| request.times == 1 && is_old(request))
        .min_by_key(|(_, request)| request.last);
    if let Some((key, _)) = oldest {
        tx.remove::<AccessRequest>(key);
    }
    Ok(oldest.is_some())
}

fn records<R: Record>(store: &Store) -> Result<Vec<R>, StoreError> {
    let found = store.list(b"")?;
    Ok(found.into_iter().map(|(_, record)| record).collect())
}

/// Whether a text has the form of one e-mail address. The sign-in form, invitations and the settings all use this or
/// [`Invited::parse`], so that they agree on what an address is.
pub fn is_email(text: &str) -> bool {
    let has_space = |text: &str| text.chars().any(|c| c.is_whitespace() || c.is_control());
    !has_space(text.trim()) && matches!(Invited::parse(text.trim()), Ok(Invited::Email(_)))
}

/// Invites an e-mail and removes its access request, inside a unit of work.
pub(super) fn invite_within(tx: &mut Tx<'_>, email: &str, now: Timestamp) -> Result<(), StoreError> {
    let key = email_key(email);
    let invitation = Invitation {
        email: email.trim().to_lowercase(),
        invited_at: now,
    };
    tx.remove::<AccessRequest>(&key);
    tx.put(&key, &invitation)
}

/// Whether the store has an invitation for exactly this e-mail.
pub(super) fn has_invitation(tx: &Tx<'_>, email: &str) -> Result<bool, StoreError> {
    Ok(tx.find::<Invitation>(&email_key(email))?.is_some())
}

fn email_key(email: &str) -> [u8; 32] {
    sha256(email.trim().to_lowercase().as_bytes())
}

#[cfg(test)]
mod tests;
