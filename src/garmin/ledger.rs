//! What the governor must not forget when the gateway starts anew: else a crash would be a way to a seventh sign-in of the
//! day, or to a door that Garmin has just closed.
//!
//! Of people there are keyed hashes, as in the governor; the key is sealed with the store. Only sign-ins that reached
//! Garmin are written down, so strangers write nothing.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::governor::{General, OfPerson, Person};
use crate::store::{Kind, Record, Store, StoreError, Table};

impl Record for General {
    const TABLE: Table = Table("sign_ins");
}

/// A person, and what is known of them. Key: the hash that the person is, in hexadecimal digits.
#[derive(Serialize, Deserialize)]
struct Row {
    person: Person,
    known: OfPerson,
}

impl Record for Row {
    const TABLE: Table = Table("sign_ins_of");
}

/// The tables of this room.
pub(super) const KINDS: [Kind; 2] = [Kind::of::<General>(), Kind::of::<Row>()];

/// The one record of its table.
const GENERAL: &[u8] = b"governor";

/// Nothing that the governor knows of a person matters for longer.
const MATTERS: SignedDuration = SignedDuration::from_hours(24);

/// What the governor knows of all, and of each.
type Known = (General, Vec<(Person, OfPerson)>);

/// What was written down, if anything was. Errors: the store's.
pub(super) fn read(store: &Store) -> Result<Option<Known>, StoreError> {
    let Some(general) = store.find::<General>(GENERAL)? else {
        return Ok(None);
    };
    let people = store.list::<Row>(b"")?.into_iter();
    Ok(Some((
        general,
        people.map(|(_, row)| (row.person, row.known)).collect(),
    )))
}

/// Writes down what is known, and takes out what no longer matters. Errors: the store's.
pub(super) async fn write(
    store: &Store,
    general: General,
    person: Person,
    known: OfPerson,
    now: Timestamp,
) -> Result<(), StoreError> {
    let written = store.atomic(move |tx| {
        tx.put(GENERAL, &general)?;
        tx.put(person.to_string().as_bytes(), &Row { person, known })?;
        for (key, row) in tx.list::<Row>(b"")? {
            let newest = row.known.newest();
            if newest.is_none_or(|newest| now.duration_since(newest) >= MATTERS) {
                tx.remove::<Row>(&key);
            }
        }
        Ok(())
    });
    written.await
}
