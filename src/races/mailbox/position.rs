//! What is stored about a mailbox: which mails were handled, and which LiveTrack sessions came by mail.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::accounts::AccountId;
use crate::base::secrets::sha256;
use crate::config::MailboxConfig;
use crate::garmin::livetrack::LiveTrackLink;
use crate::store::{Record, Store, StoreError, Table, Tx};

/// A LiveTrack link lives for 24 hours. Older mails are not looked at.
pub(super) const MAIL_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// How long a session is remembered: longer than any mail about it is looked at.
const TAKEN_FOR: SignedDuration = SignedDuration::from_hours(2 * 24);

/// Maximum number of mails that wait for Garmin. The oldest is dropped for a newer one.
const MOST_WAITING: usize = 50;

/// The longest pause between two tries of a mail that waits for Garmin.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(15);

/// The mails of a mailbox that were handled: all with a number below `next`, except for those that wait. The key is the
/// SHA-256 of the server, the user and the mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MailboxPosition {
    /// The mails' numbers are void once the server has changed this value (RFC 9051, 2.3.1.1).
    pub(super) uid_validity: u32,
    pub(super) next: u32,
    #[serde(default)]
    pub(super) waiting: Vec<WaitingMail>,
}

/// A mail whose link could not be followed yet, because Garmin did not answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WaitingMail {
    pub(super) uid: u32,
    pub(super) tries: u32,
    pub(super) again_at: Timestamp,
}

impl Record for MailboxPosition {
    const TABLE: Table = Table("mailbox_position");
}

impl MailboxPosition {
    /// The position before the first mail.
    pub(super) fn new(uid_validity: u32) -> Self {
        Self {
            uid_validity,
            next: 1,
            waiting: Vec::new(),
        }
    }

    pub(super) fn key(config: &MailboxConfig) -> [u8; 32] {
        let parts = [&config.host, &config.user, &config.mailbox];
        sha256(parts.map(String::as_str).join("\n").as_bytes())
    }

    /// The position after a mail was handled.
    pub(super) fn handled(mut self, uid: u32) -> Self {
        self.waiting.retain(|mail| mail.uid != uid);
        self.next = self.next.max(uid.saturating_add(1));
        self
    }

    /// The position after the link of a mail could not be followed.
    pub(super) fn put_off(mut self, uid: u32, now: Timestamp) -> Self {
        let tries = self.waiting.iter().find(|mail| mail.uid == uid);
        let tries = tries.map_or(0, |mail| mail.tries).saturating_add(1);
        let wait = SignedDuration::from_secs(30 << tries.min(6)).min(LONGEST_WAIT);
        self = self.handled(uid);
        self.waiting.push(WaitingMail {
            uid,
            tries,
            again_at: now.checked_add(wait).unwrap_or(now),
        });
        let surplus = self.waiting.len().saturating_sub(MOST_WAITING);
        self.waiting.drain(..surplus);
        self
    }

    /// The mails that have waited long enough for another try.
    pub(super) fn due(&self, now: Timestamp) -> Vec<u32> {
        let due = self.waiting.iter().filter(|mail| mail.again_at <= now);
        due.map(|mail| mail.uid).collect()
    }

    pub(super) fn next_try(&self) -> Option<Timestamp> {
        self.waiting.iter().map(|mail| mail.again_at).min()
    }
}

/// A LiveTrack session that came by mail for a person. It is written before the race is started, and again after its
/// message was queued. The key is the account and the SHA-256 of the session's id and token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct MailedSession {
    pub(super) at: Timestamp,
    /// Whether the session was handled completely. If a crash came in between, the mail is handled from there.
    pub(super) is_done: bool,
}

impl Record for MailedSession {
    const TABLE: Table = Table("mailed_session");
}

impl MailedSession {
    pub(super) fn key(account: &AccountId, link: &LiveTrackLink) -> Vec<u8> {
        // The key includes the token, so that a mail with a wrong token does not mark the session as handled.
        let session = [&link.session_id.to_ascii_lowercase(), link.token.expose()].join("/");
        [account.key(), b"/", &sha256(session.as_bytes())].concat()
    }

    /// The prefix of the keys of an account.
    fn prefix(account: &AccountId) -> Vec<u8> {
        [account.key(), b"/"].concat()
    }

    /// How many sessions came by mail for a person in the last 24 hours.
    pub(super) fn count(store: &Store, account: &AccountId, now: Timestamp) -> Result<usize, StoreError> {
        let sessions = store.list::<Self>(&Self::prefix(account))?;
        let is_recent = |(_, session): &(Vec<u8>, Self)| now.duration_since(session.at) < MAIL_LIFE;
        Ok(sessions.iter().filter(|session| is_recent(session)).count())
    }

    /// Erases the sessions, of all people, whose mails are no longer looked at.
    pub(super) fn sweep(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
        for (key, session) in tx.list::<Self>(b"")? {
            if now.duration_since(session.at) >= TAKEN_FOR {
                tx.remove::<Self>(&key);
            }
        }
        Ok(())
    }
}

/// Erases what is remembered about the mails of an account.
pub(in crate::races) fn forget(tx: &mut Tx<'_>, account: &AccountId) -> Result<(), StoreError> {
    for (key, _) in tx.list::<MailedSession>(&MailedSession::prefix(account))? {
        tx.remove::<MailedSession>(&key);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mail_is_handled_once_and_waits_ever_longer() {
        let now: Timestamp = "2026-10-04T09:00:00Z".parse().unwrap();
        let position = MailboxPosition::new(7).handled(3).put_off(4, now);
        assert_eq!((position.next, position.due(now)), (5, vec![]));
        let later = position.next_try().unwrap();
        assert_eq!(later.duration_since(now).as_secs(), 60);
        assert_eq!(position.due(later), [4]);
        let again = position.clone().put_off(4, later);
        assert_eq!(again.waiting.len(), 1);
        assert_eq!(again.next_try().unwrap().duration_since(later).as_secs(), 120);
        let done = again.handled(4);
        assert_eq!((done.next, done.next_try()), (5, None));
        let longest = (0..20).fold(position, |position, _| position.put_off(4, now));
        assert_eq!(longest.next_try().unwrap().duration_since(now), LONGEST_WAIT);
    }

    #[test]
    fn the_mails_that_wait_are_limited() {
        let now: Timestamp = "2026-10-04T09:00:00Z".parse().unwrap();
        let position = (1..=200).fold(MailboxPosition::new(1), |position, uid| {
            position.put_off(uid, now)
        });
        assert_eq!(position.waiting.len(), MOST_WAITING);
        assert_eq!(position.waiting.first().map(|mail| mail.uid), Some(151));
    }
}
