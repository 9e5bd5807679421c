//! A cache of decrypted records. A record is decrypted and parsed once per write, not once per read.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Record, Store, StoreError, decode, full_key, not_read};

/// The cache is emptied when it exceeds this number of records.
const MOST: usize = 1_024;

/// Finds records of one type. Every read fetches the stored bytes, so a removed or outdated record is never returned.
/// Decryption is skipped only if the bytes equal those of the last read: each seal has its own nonce, so equal bytes
/// are from the same write.
#[derive(Debug)]
pub struct Reread<R>(Mutex<HashMap<Vec<u8>, CachedRecord<R>>>);

/// A record and the bytes that it was decrypted from.
#[derive(Debug)]
struct CachedRecord<R> {
    sealed: sled::IVec,
    record: Arc<R>,
}

impl<R> Default for Reread<R> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<R: Record> Reread<R> {
    /// The record at `key`. Errors: those of [`Store::find`].
    pub fn find(&self, store: &Store, key: &[u8]) -> Result<Option<Arc<R>>, StoreError> {
        let at = full_key(R::TABLE, key);
        let found = store.core.tree()?.get(&at).map_err(not_read)?;
        let mut known = self.0.lock();
        let Some(sealed) = found else {
            known.remove(&at);
            return Ok(None);
        };
        if let Some(opened) = known.get(&at)
            && opened.sealed == sealed
        {
            return Ok(Some(Arc::clone(&opened.record)));
        }
        let record = Arc::new(decode(&store.core.vault, &at, &sealed)?);
        if known.len() >= MOST {
            known.clear();
        }
        let opened = CachedRecord {
            sealed,
            record: Arc::clone(&record),
        };
        known.insert(at, opened);
        Ok(Some(record))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use serde::{Deserialize, Deserializer, Serialize};

    use super::*;
    use crate::base::secrets::RootSecret;
    use crate::store::Table;

    static PARSED: AtomicU32 = AtomicU32::new(0);

    #[derive(Serialize)]
    struct Counted(u32);

    impl<'de> Deserialize<'de> for Counted {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            PARSED.fetch_add(1, Ordering::Relaxed);
            u32::deserialize(deserializer).map(Counted)
        }
    }

    impl Record for Counted {
        const TABLE: Table = Table("counted");
    }

    #[tokio::test]
    async fn a_record_is_opened_once_and_never_outlives_a_change() {
        let dir = tempfile::tempdir().unwrap();
        let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
        let store = Store::open(&dir.path().join("db"), &secret).unwrap();
        let reread = Reread::<Counted>::default();
        let find = |key: &[u8]| reread.find(&store, key).unwrap().map(|counted| counted.0);
        assert_eq!(find(b"a"), None);
        store.put(b"a", Counted(1)).await.unwrap();
        assert_eq!([find(b"a"), find(b"a"), find(b"a")], [Some(1); 3]);
        assert_eq!(PARSED.load(Ordering::Relaxed), 1);
        store.put(b"a", Counted(2)).await.unwrap();
        assert_eq!(find(b"a"), Some(2));
        store.remove::<Counted>(b"a").await.unwrap();
        assert_eq!(find(b"a"), None);
        // Writing the same value again is a new write.
        store.put(b"a", Counted(2)).await.unwrap();
        assert_eq!(find(b"a"), Some(2));
        assert_eq!(PARSED.load(Ordering::Relaxed), 3);
    }
}
