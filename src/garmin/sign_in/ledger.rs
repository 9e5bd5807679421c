//! The part of the governor's state that must survive a restart. Otherwise a crash would allow a seventh attempt of
//! the day, or an attempt by a method that Garmin has just throttled.
//!
//! People are stored as keyed hashes, as in the governor; the key is sealed with the store. Only attempts that
//! reached Garmin are stored, so strangers cannot add records.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::governor::{PersonHistory, PersonKey, SharedLimits};
use crate::store::{Kind, Record, Store, StoreError, Table};

impl Record for SharedLimits {
    const TABLE: Table = Table("sign_ins");
}

/// Key: the person's hash in hexadecimal digits.
#[derive(Serialize, Deserialize)]
struct PersonRecord {
    person: PersonKey,
    known: PersonHistory,
}

impl Record for PersonRecord {
    const TABLE: Table = Table("sign_ins_of");
}

pub(in crate::garmin) const KINDS: &[Kind] = &[Kind::of::<SharedLimits>(), Kind::of::<PersonRecord>()];

/// The key of the only [`SharedLimits`].
const SHARED: &[u8] = b"governor";

type Records = (SharedLimits, Vec<(PersonKey, PersonHistory)>);

/// The stored records, if there are any. Errors: the store's.
pub(super) fn read(store: &Store) -> Result<Option<Records>, StoreError> {
    let Some(shared) = store.find::<SharedLimits>(SHARED)? else {
        return Ok(None);
    };
    let people = store.list::<PersonRecord>(b"")?.into_iter();
    let people = people.map(|(_, record)| (record.person, record.known));
    Ok(Some((shared, people.collect())))
}

/// Stores what changed, and removes records that no longer matter. Errors: the store's.
pub(super) async fn write(
    store: &Store,
    shared: SharedLimits,
    person: PersonKey,
    history: PersonHistory,
    now: Timestamp,
) -> Result<(), StoreError> {
    let record = PersonRecord {
        person,
        known: history,
    };
    let written = store.atomic(move |tx| {
        tx.put(SHARED, &shared)?;
        tx.put(person.to_string().as_bytes(), &record)?;
        for (key, record) in tx.list::<PersonRecord>(b"")? {
            if record.known.expires_at().is_none_or(|at| at <= now) {
                tx.remove::<PersonRecord>(&key);
            }
        }
        Ok(())
    });
    written.await
}
