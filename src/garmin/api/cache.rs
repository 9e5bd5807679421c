//! Recent documents: equal concurrent reads share one request, and a read repeated within a minute is answered from
//! the cache.
//!
//! A document about days that are over may be kept for as long as the process runs, if there is room. Every change
//! empties the cache. A document requested before a change is not cached after it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;

use super::error::ApiError;

/// Larger documents, in bytes of JSON, are not cached. Most documents of a day are smaller.
const MAX_DOCUMENT_BYTES: usize = 128 * 1024;

/// Upper bound of the whole cache, in bytes of JSON. It holds text, because a parsed series takes ten times the
/// memory.
const MAX_CACHE_BYTES: usize = 512 * 1024;

/// A document and the length of its JSON.
pub(super) type ReadResult = Result<(Arc<Value>, usize), ApiError>;

#[derive(Default)]
pub(super) struct Cache {
    state: Mutex<CacheState>,
}

#[derive(Default)]
struct CacheState {
    kept: HashMap<String, CachedJson>,
    pending: HashMap<String, WeakShared<BoxFuture<'static, ReadResult>>>,
    changes: u64,
}

struct CachedJson {
    at: Instant,
    /// How long this document answers equal reads.
    age: Duration,
    json: Box<[u8]>,
    size: usize,
}

impl Cache {
    /// Returns the cached document if it is younger than `age`, else the result of an equal read in progress, else
    /// that of `read`. A read is cancelled when the last future that waits for it is dropped.
    pub(super) async fn get<F>(
        &self,
        key: &str,
        age: Duration,
        read: impl FnOnce() -> F,
    ) -> Result<Arc<Value>, ApiError>
    where
        F: Future<Output = ReadResult> + Send + 'static,
    {
        let (shared, changes) = {
            let mut state = self.lock();
            let kept = state.kept.get(key).filter(|kept| kept.at.elapsed() < age);
            if let Some(value) = kept.and_then(|kept| serde_json::from_slice(&kept.json).ok()) {
                return Ok(Arc::new(value));
            }
            let joined = state.pending.get(key).and_then(WeakShared::upgrade);
            let shared = joined.unwrap_or_else(|| {
                let shared: Shared<BoxFuture<'static, ReadResult>> = read().boxed().shared();
                state.pending.retain(|_, other| other.upgrade().is_some());
                if let Some(weak) = shared.downgrade() {
                    state.pending.insert(key.to_owned(), weak);
                }
                shared
            });
            (shared, state.changes)
        };
        let (value, size) = shared.await?;
        let mut state = self.lock();
        state.pending.remove(key);
        if state.changes == changes && size <= MAX_DOCUMENT_BYTES {
            state.keep(key, &value, size, age);
        }
        Ok(value)
    }

    /// Empties the cache after a change, because documents read before it may be out of date.
    pub(super) fn forget(&self) {
        let mut state = self.lock();
        state.changes += 1;
        state.kept.clear();
        state.pending.clear();
    }

    fn lock(&self) -> MutexGuard<'_, CacheState> {
        self.state.lock()
    }
}

/// Empties the cache when a change has ended, however it ended.
pub(super) struct ForgetsOnDrop<'a>(pub(super) &'a Cache);

impl Drop for ForgetsOnDrop<'_> {
    fn drop(&mut self) {
        self.0.forget();
    }
}

impl CacheState {
    fn keep(&mut self, key: &str, value: &Value, size: usize, age: Duration) {
        let Ok(json) = serde_json::to_vec(value) else {
            return;
        };
        self.kept.retain(|_, kept| kept.at.elapsed() < kept.age);
        while self.kept.values().map(|kept| kept.size).sum::<usize>() + size > MAX_CACHE_BYTES {
            let Some(oldest) = self
                .kept
                .iter()
                .min_by_key(|(_, kept)| kept.at)
                .map(|(key, _)| key.clone())
            else {
                break;
            };
            self.kept.remove(&oldest);
        }
        let kept = CachedJson {
            at: Instant::now(),
            age,
            json: json.into(),
            size,
        };
        self.kept.insert(key.to_owned(), kept);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::json;
    use tokio::sync::Notify;

    use super::*;

    const AGE: Duration = Duration::from_secs(60);

    fn counted(count: &Arc<AtomicUsize>, size: usize) -> impl Future<Output = ReadResult> + Send + use<> {
        let count = Arc::clone(count);
        async move { Ok((Arc::new(json!(count.fetch_add(1, Ordering::SeqCst))), size)) }
    }

    #[tokio::test]
    async fn a_read_is_kept_until_something_changes() {
        let (cache, count) = (Cache::default(), Arc::default());
        for _ in 0..3 {
            assert_eq!(
                *cache.get("a", AGE, || counted(&count, 1)).await.unwrap(),
                json!(0)
            );
        }
        cache.forget();
        assert_eq!(
            *cache.get("a", AGE, || counted(&count, 1)).await.unwrap(),
            json!(1)
        );
        assert_eq!(
            *cache
                .get("a", Duration::ZERO, || counted(&count, 1))
                .await
                .unwrap(),
            json!(2)
        );
    }

    #[tokio::test]
    async fn equal_reads_share_one_request_even_if_the_first_is_cancelled() {
        let (cache, count, go) = (
            Cache::default(),
            Arc::new(AtomicUsize::new(0)),
            Arc::new(Notify::new()),
        );
        let read = || {
            let (count, go) = (Arc::clone(&count), Arc::clone(&go));
            async move {
                go.notified().await;
                Ok((Arc::new(json!(count.fetch_add(1, Ordering::SeqCst))), 1))
            }
        };
        let mut first = Box::pin(cache.get("a", AGE, read));
        assert!(first.as_mut().now_or_never().is_none());
        let mut second = Box::pin(cache.get("a", AGE, read));
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        go.notify_one();
        assert_eq!(*second.await.unwrap(), json!(0));
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_read_from_before_a_change_is_not_kept() {
        let (cache, count, go) = (Cache::default(), Arc::default(), Arc::new(Notify::new()));
        let waiting = Arc::clone(&go);
        let mut early = Box::pin(cache.get("a", AGE, || async move {
            waiting.notified().await;
            Ok((Arc::new(json!("before")), 1))
        }));
        assert!(early.as_mut().now_or_never().is_none());
        cache.forget();
        go.notify_one();
        assert_eq!(*early.await.unwrap(), json!("before"));
        assert_eq!(
            *cache.get("a", AGE, || counted(&count, 1)).await.unwrap(),
            json!(0)
        );
    }

    #[tokio::test]
    async fn failures_and_large_documents_are_not_kept_and_the_size_is_bounded() {
        let (cache, count) = (Cache::default(), Arc::default());
        let failure = cache.get("a", AGE, || async { Err(ApiError::NotFound) }).await;
        assert_eq!(failure, Err(ApiError::NotFound));
        assert_eq!(
            *cache
                .get("a", AGE, || counted(&count, MAX_DOCUMENT_BYTES + 1))
                .await
                .unwrap(),
            json!(0)
        );
        assert_eq!(
            *cache.get("a", AGE, || counted(&count, 1)).await.unwrap(),
            json!(1)
        );
        for key in 0..20 {
            cache
                .get(&key.to_string(), AGE, || counted(&count, MAX_DOCUMENT_BYTES))
                .await
                .unwrap();
        }
        let kept: usize = cache.lock().kept.values().map(|kept| kept.size).sum();
        assert!(kept <= MAX_CACHE_BYTES);
    }
}
