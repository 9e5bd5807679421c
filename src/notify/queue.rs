//! The messages waiting in the store.
//!
//! A key is `account/race/number`: a person's messages share a prefix, and within a race the keys sort in order of
//! sending. In messages to a recipient's phone, a dot and a hash of the phone follow the race. In messages to the
//! operator, [`OPERATOR`] replaces both the account and the race.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::bot::offset::TakenUpdates;
use super::channel::PhoneChannel;
use super::chat_records::{ChatMute, InvitationCode, InvitedChat, OwnChats};
use super::telegram::ChatMove;
use crate::accounts::AccountId;
use crate::base::secrets::sha256;
use crate::notify::message::{MessageSubject, OperatorMessage, PhoneMessage};
use crate::race::alerts::Severity;
use crate::race::id::RaceId;
use crate::race::recipients::RecipientPhone;
use crate::store::{Kind, Record, StoreError, Table, Tx};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct QueuedMessage {
    /// The person; `None` for the operator, who may have no account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) account: Option<AccountId>,
    /// The phone of a recipient whom the person named for the race.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<RecipientPhone>,
    /// The race and the phone, or the name of another subject.
    pub(super) race: String,
    pub(super) severity: Severity,
    /// Empty in messages stored by earlier versions.
    #[serde(default)]
    pub(super) title: String,
    pub(super) text: String,
    pub(super) queued_at: Timestamp,
    /// The channels on which it was already sent.
    pub(super) done: Vec<PhoneChannel>,
}

impl Record for QueuedMessage {
    const TABLE: Table = Table("outbox");
}

impl QueuedMessage {
    /// The kind of the message, and its race if it is about one.
    pub(super) fn about(&self) -> (&'static str, Option<&str>) {
        if self.account.is_none() {
            ("operator", None)
        } else if self.race.starts_with("coach_") {
            ("coach", None)
        } else if self.race.starts_with("link_") {
            ("link", None)
        } else if self.race.starts_with("mail_") {
            ("mail", None)
        } else {
            ("race", self.race.split('.').next())
        }
    }

    /// Whose message it is, for keys and for the log.
    pub(super) fn owner(&self) -> &str {
        self.account.as_ref().map_or(OPERATOR, AccountId::as_str)
    }
}

/// The message keys that a race has already used.
#[derive(Default, Serialize, Deserialize)]
struct UsedKeys {
    /// Prefixes of the keys' hashes, oldest first.
    keys: Vec<String>,
}

impl Record for UsedKeys {
    const TABLE: Table = Table("outbox_told");
}

pub(crate) const KINDS: [Kind; 8] = [
    Kind::of::<QueuedMessage>(),
    Kind::of::<UsedKeys>(),
    Kind::of::<ChatMove>(),
    Kind::of::<TakenUpdates>(),
    Kind::of::<ChatMute>(),
    Kind::of::<OwnChats>(),
    Kind::of::<InvitedChat>(),
    Kind::of::<InvitationCode>(),
];

/// In keys, the owner and the subject of messages to the operator.
const OPERATOR: &str = "operator";

/// Maximum number of used keys per race; the oldest are dropped. A race sends a few dozen messages.
const MOST_KEYS: usize = 1000;

/// Maximum characters of a message. The channels accept about 4,000, but nobody reads that much during a race.
const LONGEST_TEXT: usize = 1500;

/// Queues a message, unless its key was used before in this race.
pub(super) fn push(tx: &mut Tx<'_>, message: &PhoneMessage, now: Timestamp) -> Result<(), StoreError> {
    let queued = QueuedMessage {
        account: Some(message.account.clone()),
        to: message.to.clone(),
        race: message.lane(),
        severity: message.severity,
        title: message.title.clone(),
        text: message.text.chars().take(LONGEST_TEXT).collect(),
        queued_at: now,
        done: vec![],
    };
    push_once(tx, &message.key, &queued)
}

/// Queues a message to the operator, unless its key was used before.
pub(super) fn push_to_operator(
    tx: &mut Tx<'_>,
    message: &OperatorMessage,
    now: Timestamp,
) -> Result<(), StoreError> {
    let queued = QueuedMessage {
        account: None,
        to: None,
        race: OPERATOR.to_owned(),
        severity: Severity::Notice,
        title: "garmin-gateway".to_owned(),
        text: message.text.chars().take(LONGEST_TEXT).collect(),
        queued_at: now,
        done: vec![],
    };
    push_once(tx, &message.key, &queued)
}

fn push_once(tx: &mut Tx<'_>, key: &str, message: &QueuedMessage) -> Result<(), StoreError> {
    let race = format!("{}/{}", message.owner(), message.race);
    let mut hash = URL_SAFE_NO_PAD.encode(sha256(key.as_bytes()));
    hash.truncate(12);
    let mut used = tx.find::<UsedKeys>(race.as_bytes())?.unwrap_or_default();
    if used.keys.contains(&hash) {
        return Ok(());
    }
    used.keys.push(hash);
    let surplus = used.keys.len().saturating_sub(MOST_KEYS);
    used.keys.drain(..surplus);
    tx.put(race.as_bytes(), &used)?;

    let queued = tx.list::<QueuedMessage>(format!("{race}/").as_bytes())?;
    let last = queued.last().and_then(|(key, _)| number(key));
    let key = format!("{race}/{:010}", last.map_or(0, |last| last + 1));
    tx.put(key.as_bytes(), message)
}

fn number(key: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(key).ok()?;
    text.rsplit('/').next()?.parse().ok()
}

/// Erases the queued messages about a subject, whichever phone they go to. Their keys stay used.
pub(super) fn withdraw(
    tx: &mut Tx<'_>,
    account: &AccountId,
    subject: &MessageSubject,
) -> Result<(), StoreError> {
    let lane = subject.lane(account);
    remove_queued(tx, &format!("{account}/{lane}/"))?;
    remove_queued(tx, &format!("{account}/{lane}."))
}

/// Erases the messages of a race that are queued for a recipient's phone.
pub(super) fn withdraw_from(
    tx: &mut Tx<'_>,
    account: &AccountId,
    race: &RaceId,
    phone: &RecipientPhone,
) -> Result<(), StoreError> {
    remove_queued(tx, &format!("{account}/{race}.{}/", phone.key()))
}

fn remove_queued(tx: &mut Tx<'_>, prefix: &str) -> Result<(), StoreError> {
    for (key, _) in tx.list::<QueuedMessage>(prefix.as_bytes())? {
        tx.remove::<QueuedMessage>(&key);
    }
    Ok(())
}

/// Erases the queued messages and used keys of a race.
pub(super) fn forget_race(tx: &mut Tx<'_>, account: &AccountId, race: &RaceId) -> Result<(), StoreError> {
    withdraw(tx, account, &MessageSubject::Race(race.clone()))?;
    tx.remove::<UsedKeys>(format!("{account}/{race}").as_bytes());
    for (key, _) in tx.list::<UsedKeys>(format!("{account}/{race}.").as_bytes())? {
        tx.remove::<UsedKeys>(&key);
    }
    Ok(())
}

/// Erases the queued messages and used keys of an account.
pub(super) fn forget_account(tx: &mut Tx<'_>, account: &AccountId) -> Result<(), StoreError> {
    let prefix = format!("{account}/");
    remove_queued(tx, &prefix)?;
    for (key, _) in tx.list::<UsedKeys>(prefix.as_bytes())? {
        tx.remove::<UsedKeys>(&key);
    }
    Ok(())
}
