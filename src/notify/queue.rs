//! What waits to be sent, in the store.
//!
//! Keys are `account/race/number`, so one person's part is a prefix, and within a race the order is that of the keys.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::channel::Channel;
use crate::accounts::AccountId;
use crate::base::secrets::sha256;
use crate::notify::message::Message;
use crate::race::alerts::Severity;
use crate::race::id::RaceId;
use crate::store::{Kind, Record, StoreError, Table, Tx};

/// A message that waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) account: AccountId,
    pub(super) race: String,
    pub(super) severity: Severity,
    pub(super) text: String,
    pub(super) queued_at: Timestamp,
    /// Where it is already.
    pub(super) done: Vec<Channel>,
}

impl Record for Waiting {
    const TABLE: Table = Table("outbox");
}

/// The keys under which a race has told something.
#[derive(Default, Serialize, Deserialize)]
struct Told {
    /// The beginnings of their hashes, oldest first.
    keys: Vec<String>,
}

impl Record for Told {
    const TABLE: Table = Table("outbox_told");
}

/// The tables of the outbox.
pub(crate) const KINDS: [Kind; 2] = [Kind::of::<Waiting>(), Kind::of::<Told>()];

/// Races tell some dozens of things; the oldest keys of one that tells more are let go.
const MOST_KEYS: usize = 1000;

/// Both channels take 4,000 characters; nobody who runs reads so many.
const LONGEST_TEXT: usize = 1500;

/// Queues a message, unless its key is known for the race.
pub(super) fn push(tx: &mut Tx<'_>, message: &Message, now: Timestamp) -> Result<(), StoreError> {
    let race = format!("{}/{}", message.account, message.race);
    let mut hash = URL_SAFE_NO_PAD.encode(sha256(message.key.as_bytes()));
    hash.truncate(12);
    let mut told = tx.find::<Told>(race.as_bytes())?.unwrap_or_default();
    if told.keys.contains(&hash) {
        return Ok(());
    }
    told.keys.push(hash);
    let surplus = told.keys.len().saturating_sub(MOST_KEYS);
    told.keys.drain(..surplus);
    tx.put(race.as_bytes(), &told)?;

    let waiting = tx.list::<Waiting>(format!("{race}/").as_bytes())?;
    let last = waiting.last().and_then(|(key, _)| number(key));
    let key = format!("{race}/{:010}", last.map_or(0, |last| last + 1));
    let waiting = Waiting {
        account: message.account.clone(),
        race: message.race.to_string(),
        severity: message.severity,
        text: message.text.chars().take(LONGEST_TEXT).collect(),
        queued_at: now,
        done: vec![],
    };
    tx.put(key.as_bytes(), &waiting)
}

fn number(key: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(key).ok()?;
    text.rsplit('/').next()?.parse().ok()
}

/// Erases what waits for a race, and what it has told.
pub(super) fn forget_race(tx: &mut Tx<'_>, account: &AccountId, race: &RaceId) -> Result<(), StoreError> {
    let race = format!("{account}/{race}");
    for (key, _) in tx.list::<Waiting>(format!("{race}/").as_bytes())? {
        tx.remove::<Waiting>(&key);
    }
    tx.remove::<Told>(race.as_bytes());
    Ok(())
}

/// Erases all that waits for an account, and what it was told.
pub(super) fn forget(tx: &mut Tx<'_>, account: &AccountId) -> Result<(), StoreError> {
    let prefix = format!("{account}/");
    for (key, _) in tx.list::<Waiting>(prefix.as_bytes())? {
        tx.remove::<Waiting>(&key);
    }
    for (key, _) in tx.list::<Told>(prefix.as_bytes())? {
        tx.remove::<Told>(&key);
    }
    Ok(())
}
