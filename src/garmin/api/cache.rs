//! Answers that were just given: equal reads at the same time share one request, and a read that a conversation asks
//! again within the minute is not sent again.
//!
//! Every change that is sent empties it, and an answer that was asked for before the change is not kept after it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use serde_json::Value;

use super::error::ApiError;

/// Longest answer that is kept, in bytes of JSON: most documents of a day are shorter.
const LARGEST: usize = 128 * 1024;

/// All that is kept, in bytes of JSON. It is kept as text: as a tree, a series of readings takes ten times that.
const ROOM: usize = 512 * 1024;

/// An answer and the length of its JSON.
pub(super) type Read = Result<(Arc<Value>, usize), ApiError>;

#[derive(Default)]
pub(super) struct Cache {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    kept: HashMap<String, Kept>,
    under_way: HashMap<String, WeakShared<BoxFuture<'static, Read>>>,
    /// Counts the changes that were sent.
    changes: u64,
}

struct Kept {
    at: Instant,
    json: Box<[u8]>,
    size: usize,
}

impl Cache {
    /// The kept answer, or that of an equal read under way, or that of `read`. Dropping the future of the last one who
    /// waits stops the read.
    pub(super) async fn get<F>(
        &self,
        key: &str,
        age: Duration,
        read: impl FnOnce() -> F,
    ) -> Result<Arc<Value>, ApiError>
    where
        F: Future<Output = Read> + Send + 'static,
    {
        let (shared, changes) = {
            let mut state = self.lock();
            let kept = state.kept.get(key).filter(|kept| kept.at.elapsed() < age);
            if let Some(value) = kept.and_then(|kept| serde_json::from_slice(&kept.json).ok()) {
                return Ok(Arc::new(value));
            }
            let joined = state.under_way.get(key).and_then(WeakShared::upgrade);
            let shared = joined.unwrap_or_else(|| {
                let shared: Shared<BoxFuture<'static, Read>> = read().boxed().shared();
                state.under_way.retain(|_, other| other.upgrade().is_some());
                if let Some(weak) = shared.downgrade() {
                    state.under_way.insert(key.to_owned(), weak);
                }
                shared
            });
            (shared, state.changes)
        };
        let (value, size) = shared.await?;
        let mut state = self.lock();
        state.under_way.remove(key);
        if state.changes == changes && size <= LARGEST {
            state.keep(key, &value, size, age);
        }
        Ok(value)
    }

    /// Something was changed: nothing that was read before holds any more.
    pub(super) fn forget(&self) {
        let mut state = self.lock();
        state.changes += 1;
        state.kept.clear();
        state.under_way.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn keep(&mut self, key: &str, value: &Value, size: usize, age: Duration) {
        let Ok(json) = serde_json::to_vec(value) else {
            return;
        };
        self.kept.retain(|_, kept| kept.at.elapsed() < age);
        while self.kept.values().map(|kept| kept.size).sum::<usize>() + size > ROOM {
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
        let kept = Kept {
            at: Instant::now(),
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

    fn counted(count: &Arc<AtomicUsize>, size: usize) -> impl Future<Output = Read> + Send + use<> {
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
    async fn equal_reads_share_one_request_even_when_the_first_asker_leaves() {
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
    async fn failures_and_giants_are_not_kept_and_the_room_is_bounded() {
        let (cache, count) = (Cache::default(), Arc::default());
        let failure = cache.get("a", AGE, || async { Err(ApiError::NotFound) }).await;
        assert_eq!(failure, Err(ApiError::NotFound));
        assert_eq!(
            *cache
                .get("a", AGE, || counted(&count, LARGEST + 1))
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
                .get(&key.to_string(), AGE, || counted(&count, LARGEST))
                .await
                .unwrap();
        }
        let kept: usize = cache.lock().kept.values().map(|kept| kept.size).sum();
        assert!(kept <= ROOM);
    }
}
