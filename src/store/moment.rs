//! A snapshot of the store, read while writes continue.
//!
//! Nothing is copied in advance and no write waits. During a read, the writer saves the old value of each record that
//! it changes ahead of the reader, so a snapshot costs only the memory of those old values.

use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::Arc;

use parking_lot::MutexGuard;

use super::tx::TxChanges;
use super::{Core, Store, StoreError, census, not_read};

/// The approximate number of bytes of records in one read.
const PART_BYTES: usize = 64 * 1024;

/// The reader's progress, which the writer consults.
#[derive(Default)]
pub(super) struct MomentReading {
    /// The last key read so far.
    read_to: Option<Vec<u8>>,
    /// The old values of records after that key that have changed since the snapshot; `None`: the record did not
    /// exist.
    then: TxChanges,
}

/// Stored entries: full keys and sealed values.
pub(super) type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// A snapshot of all records, in the order of their keys. Only one can exist at a time.
pub(super) struct Moment {
    core: Arc<Core>,
}

impl Store {
    /// Takes a snapshot. Errors: [`StoreError::Busy`] while another one exists.
    pub(super) fn moment(&self) -> Result<Moment, StoreError> {
        let mut reading = lock(&self.core);
        if reading.is_some() {
            return Err(StoreError::Busy);
        }
        *reading = Some(MomentReading::default());
        Ok(Moment {
            core: Arc::clone(&self.core),
        })
    }
}

impl Moment {
    /// The next records; empty at the end. Errors: the database can't be read.
    pub(super) fn next(&mut self) -> Result<Entries, StoreError> {
        let mut reading = lock(&self.core);
        let Some(MomentReading { read_to, then }) = reading.as_mut() else {
            return Ok(Vec::new());
        };
        // The census sorts before all records and is not one of them.
        let after = Bound::Excluded(read_to.take().unwrap_or_else(|| census::KEY.to_vec()));
        let tree = self.core.tree()?;
        let mut now = tree.range((after, Bound::Unbounded));
        let mut kept = std::mem::take(then).into_iter().peekable();
        let (mut entries, mut n_bytes) = (Entries::new(), 0);
        let mut live = now.next().transpose().map_err(not_read)?;
        while n_bytes < PART_BYTES {
            let order = match (kept.peek(), &live) {
                (Some((kept, _)), Some((live, _))) => kept.as_slice().cmp(live),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => break,
            };
            let mut entry = None;
            if order.is_ge() {
                entry = live.take().map(|(at, value)| (at.to_vec(), Some(value.to_vec())));
                live = now.next().transpose().map_err(not_read)?;
            }
            if order.is_le() {
                entry = kept.next();
            }
            let Some((at, value)) = entry else { break };
            *read_to = Some(at.clone());
            // A record that did not exist when the snapshot was taken is skipped.
            if let Some(value) = value {
                n_bytes += at.len() + value.len();
                entries.push((at, value));
            }
        }
        *then = kept.collect();
        if entries.is_empty() {
            *reading = None;
        }
        Ok(entries)
    }
}

impl Drop for Moment {
    fn drop(&mut self) {
        lock(&self.core).take();
    }
}

/// Takes the lock that the writer holds while it changes the tree, so that a reader sees either all or none of a
/// group of changes.
pub(super) fn lock(core: &Core) -> MutexGuard<'_, Option<MomentReading>> {
    core.reading.lock()
}

impl MomentReading {
    /// Saves the old values of records that are about to change and have not been read yet.
    pub(super) fn keep(&mut self, tree: &sled::Tree, changes: &TxChanges) -> Result<(), sled::Error> {
        let is_ahead = |at: &Vec<u8>| self.read_to.as_ref().is_none_or(|read_to| at > read_to);
        let ahead: Vec<_> = changes.keys().filter(|at| is_ahead(at)).collect();
        for at in ahead {
            if !self.then.contains_key(at) {
                let value = tree.get(at)?.map(|value| value.to_vec());
                self.then.insert(at.clone(), value);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::base::secrets::RootSecret;
    use crate::store::writer::write;

    /// One step: read the next records, or set these keys to these values (`None`: remove).
    #[derive(Clone, Debug)]
    enum Step {
        Read,
        Change(Vec<(u8, Option<u8>)>),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let change = (1..40_u8, proptest::option::of(any::<u8>()));
        let step = prop_oneof![
            Just(Step::Read),
            proptest::collection::vec(change, 1..6).prop_map(Step::Change)
        ];
        proptest::collection::vec(step, 1..40)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Concurrent writes do not appear in the snapshot.
        #[test]
        fn a_moment_is_one_point_in_time(first in proptest::collection::btree_map(1..40_u8, any::<u8>(), 0..30), steps in steps()) {
            let dir = tempfile::tempdir().unwrap();
            let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
            let store = Store::open(&dir.path().join("db"), &secret).unwrap();
            let opened = store.core.opened().unwrap();
            // The values are large, so that a snapshot takes several reads.
            let value = |n: u8| vec![n; PART_BYTES / 4];
            let change = |changes: Vec<(u8, Option<u8>)>| {
                let changes = changes.into_iter().map(|(key, n)| (vec![key], n.map(value))).collect();
                write(&store.core, &opened, changes).unwrap();
            };
            change(first.iter().map(|(key, n)| (*key, Some(*n))).collect());
            let mut moment = store.moment().unwrap();
            prop_assert!(matches!(store.moment(), Err(StoreError::Busy)));
            let mut read = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Read => read.extend(moment.next().unwrap()),
                    Step::Change(changes) => change(changes),
                }
            }
            loop {
                let entries = moment.next().unwrap();
                if entries.is_empty() { break }
                for (at, value) in entries {
                    prop_assert!(read.insert(at, value).is_none());
                }
            }
            let wanted: BTreeMap<_, _> = first.iter().map(|(key, n)| (vec![*key], value(*n))).collect();
            prop_assert!(read == wanted);
            drop(moment);
            store.moment().unwrap();
        }
    }
}
