//! The clients behind client-id metadata documents: cached as their headers say, and the last good copy while their
//! host has an outage.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::client_metadata::DocumentUrl;
use super::clients::Client;
use super::fetch::{Fetch, FetchProblem};
use super::grants::after;
use crate::base::clock::Clock;
use crate::store::{Kind, Record, Store, StoreError, Table};

/// Documents in memory; those that are asked for again soonest make room.
const MAX_CACHED: usize = 128;

/// After a failure nobody is asked again for this long.
const RETRY_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// A document that can't be fetched any more still counts for this long.
const LAST_GOOD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A document that was good. It is kept in the store once somebody signed in with its client, so that an outage of its
/// host goes unnoticed after a restart too, and strangers fill nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct GoodCopy {
    client: Client,
    fetched_at: Timestamp,
}

impl Record for GoodCopy {
    const TABLE: Table = Table("client_document");
}

/// The table of the copies.
pub(super) const KIND: Kind = Kind::of::<GoodCopy>();

#[derive(Clone)]
struct Cached {
    good: Option<GoodCopy>,
    ask_at: Timestamp,
}

/// Finds the clients behind document addresses.
pub(super) struct Documents {
    store: Store,
    clock: Clock,
    fetch: Box<dyn Fetch>,
    cache: Mutex<HashMap<DocumentUrl, Cached>>,
}

impl Documents {
    pub(super) fn new(store: Store, clock: Clock, fetch: Box<dyn Fetch>) -> Self {
        Self {
            store,
            clock,
            fetch,
            cache: Mutex::default(),
        }
    }

    /// The client that `url` describes: from the cache, from its host, or the last good copy.
    pub(super) async fn find(&self, url: &DocumentUrl) -> Option<Client> {
        let now = self.clock.now();
        let cached = self.locked().get(url).cloned();
        let last = match cached {
            Some(cached) if now < cached.ask_at => return cached.good.map(|good| good.client),
            Some(cached) => cached.good,
            None => self.kept(url),
        };
        match self.fetch.fetch(url).await {
            Ok((client, fresh_for)) => {
                let fresh_for = SignedDuration::try_from(fresh_for).unwrap_or(RETRY_AFTER);
                let good = GoodCopy {
                    client: client.clone(),
                    fetched_at: now,
                };
                self.remember(url, Some(good), after(now, fresh_for));
                Some(client)
            }
            Err(problem) => {
                tracing::info!(host = url.host(), %problem, "client.document_not_fetched");
                let last = last.filter(|good| now.duration_since(good.fetched_at) < LAST_GOOD);
                // That others are being fetched says nothing of this host.
                if !matches!(problem, FetchProblem::Busy) {
                    self.remember(url, last.clone(), after(now, RETRY_AFTER));
                }
                last.map(|good| good.client)
            }
        }
    }

    /// Keeps the document of a client that was just given a code, if it was fetched since it was kept.
    pub(super) async fn keep(&self, url: &DocumentUrl) -> Result<(), StoreError> {
        let Some(good) = self.locked().get(url).and_then(|cached| cached.good.clone()) else {
            return Ok(());
        };
        match self.kept(url) {
            Some(kept) if kept.fetched_at >= good.fetched_at => Ok(()),
            _ => self.store.put(url.as_str().as_bytes(), good).await,
        }
    }

    fn kept(&self, url: &DocumentUrl) -> Option<GoodCopy> {
        self.store.find(url.as_str().as_bytes()).ok().flatten()
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<DocumentUrl, Cached>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, url: &DocumentUrl, good: Option<GoodCopy>, ask_at: Timestamp) {
        let mut cache = self.locked();
        if cache.len() >= MAX_CACHED && !cache.contains_key(url) {
            let oldest = cache.iter().min_by_key(|(_, cached)| cached.ask_at);
            if let Some(oldest) = oldest.map(|(url, _)| url.clone()) {
                cache.remove(&oldest);
            }
        }
        cache.insert(url.clone(), Cached { good, ask_at });
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::fetch::Fetched;
    use super::*;
    use crate::base::secrets::RootSecret;

    /// A host that answers with what it is told to, and counts.
    #[derive(Default)]
    struct Host {
        is_down: bool,
        n_asked: usize,
    }

    struct Asks(Arc<Mutex<Host>>);

    impl Fetch for Asks {
        fn fetch<'a>(&'a self, url: &'a DocumentUrl) -> Pin<Box<dyn Future<Output = Fetched> + Send + 'a>> {
            let mut host = self.0.lock().unwrap();
            host.n_asked += 1;
            let answer = if host.is_down {
                Err(FetchProblem::TooSlow)
            } else {
                Ok((client(url), Duration::from_secs(600)))
            };
            Box::pin(std::future::ready(answer))
        }
    }

    fn client(url: &DocumentUrl) -> Client {
        Client {
            id: url.as_str().to_owned(),
            name: Some("App".into()),
            redirect_uris: vec!["http://localhost/cb".into()],
        }
    }

    #[tokio::test]
    async fn cimd_cache_and_last_good_copy() {
        let dir = tempfile::tempdir().unwrap();
        let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
        let store = Store::open(&dir.path().join("db"), &secret).unwrap();
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let host = Arc::new(Mutex::new(Host::default()));
        let open = || Documents::new(store.clone(), clock.clone(), Box::new(Asks(Arc::clone(&host))));
        let url = DocumentUrl::parse("https://app.example.org/client.json").unwrap();
        let is_down = |is_down| host.lock().unwrap().is_down = is_down;
        let n_asked = || host.lock().unwrap().n_asked;

        let documents = open();
        is_down(true);
        assert_eq!(documents.find(&url).await, None);
        assert_eq!(documents.find(&url).await, None);
        assert_eq!(n_asked(), 1, "a host that is down is not asked again at once");

        is_down(false);
        clock.advance(SignedDuration::from_secs(60));
        assert_eq!(documents.find(&url).await, Some(client(&url)));
        clock.advance(SignedDuration::from_secs(599));
        assert_eq!(documents.find(&url).await, Some(client(&url)));
        assert_eq!(n_asked(), 2, "a fresh document is not asked for again");

        is_down(true);
        clock.advance(SignedDuration::from_secs(1));
        assert_eq!(documents.find(&url).await, Some(client(&url)));
        assert_eq!(n_asked(), 3);

        // A restart forgets what nobody signed in with, and keeps the rest.
        assert_eq!(open().find(&url).await, None);
        documents.keep(&url).await.unwrap();
        assert_eq!(open().find(&url).await, Some(client(&url)));
        clock.advance(LAST_GOOD);
        assert_eq!(open().find(&url).await, None);
    }

    #[tokio::test]
    async fn strangers_do_not_fill_the_cache() {
        let dir = tempfile::tempdir().unwrap();
        let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
        let store = Store::open(&dir.path().join("db"), &secret).unwrap();
        let documents = Documents::new(
            store,
            Clock::manual(Timestamp::UNIX_EPOCH),
            Box::new(Asks(Arc::default())),
        );
        for n in 0..MAX_CACHED + 20 {
            let url = DocumentUrl::parse(&format!("https://app{n}.example.org/client.json")).unwrap();
            documents.find(&url).await.unwrap();
        }
        assert_eq!(documents.locked().len(), MAX_CACHED);
    }
}
