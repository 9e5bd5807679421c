//! The clients behind client-id metadata documents. Documents are cached as their headers say, and the last good copy
//! is used while their host has an outage.

use std::collections::HashMap;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::client::OAuthClient;
use super::client_metadata::DocumentUrl;
use super::fetch::{DocumentFetcher, FetchProblem, FetchedClient};
use super::grants::after;
use crate::base::clock::Clock;
use crate::store::{Kind, Record, Store, StoreError, Table};

/// The most documents kept in memory. When the cache is full, the one that would be refetched first is dropped.
const MAX_CACHED: usize = 128;

/// After a failure, the host is not contacted for this long.
const RETRY_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// The last good copy remains valid for this long while its host fails.
const LAST_GOOD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The last good copy of a document. It is stored once somebody has signed in with its client, so that an outage of
/// its host goes unnoticed even after a restart, and strangers store nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct GoodCopy {
    client: OAuthClient,
    fetched_at: Timestamp,
}

impl Record for GoodCopy {
    const TABLE: Table = Table("client_document");
}

pub(super) const KIND: Kind = Kind::of::<GoodCopy>();

#[derive(Clone)]
struct CachedClientDocument {
    good: Option<GoodCopy>,
    ask_at: Timestamp,
}

/// Finds the clients behind document URLs.
pub(super) struct Documents {
    store: Store,
    clock: Clock,
    fetcher: DocumentFetcher,
    cache: Mutex<HashMap<DocumentUrl, CachedClientDocument>>,
}

impl Documents {
    pub(super) fn new(store: Store, clock: Clock, fetcher: DocumentFetcher) -> Self {
        Self {
            store,
            clock,
            fetcher,
            cache: Mutex::default(),
        }
    }

    /// The client that `url` describes: from the cache, from its host, or the last good copy. `source`: the
    /// requester's address.
    pub(super) async fn find(&self, url: &DocumentUrl, source: Option<IpAddr>) -> Option<OAuthClient> {
        let now = self.clock.now();
        let cached = self.cache.lock().get(url).cloned();
        let last = match cached {
            Some(cached) if now < cached.ask_at => return cached.good.map(|good| good.client),
            Some(cached) => cached.good,
            None => self.kept(url),
        };
        match self.fetcher.fetch(url, source).await {
            Ok(FetchedClient { client, fresh_for }) => {
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
                // The gateway's own load says nothing about this host.
                if !matches!(problem, FetchProblem::Busy) {
                    self.remember(url, last.clone(), after(now, RETRY_AFTER));
                }
                last.map(|good| good.client)
            }
        }
    }

    /// Stores the document of a client that has just received a code, if it was fetched since it was last stored.
    pub(super) async fn keep(&self, url: &DocumentUrl) -> Result<(), StoreError> {
        let Some(good) = self.cache.lock().get(url).and_then(|cached| cached.good.clone()) else {
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

    fn remember(&self, url: &DocumentUrl, good: Option<GoodCopy>, ask_at: Timestamp) {
        let mut cache = self.cache.lock();
        if cache.len() >= MAX_CACHED && !cache.contains_key(url) {
            let oldest = cache.iter().min_by_key(|(_, cached)| cached.ask_at);
            if let Some(oldest) = oldest.map(|(url, _)| url.clone()) {
                cache.remove(&oldest);
            }
        }
        cache.insert(url.clone(), CachedClientDocument { good, ask_at });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secrets::RootSecret;

    #[tokio::test]
    async fn strangers_do_not_fill_the_cache() {
        let dir = tempfile::tempdir().unwrap();
        let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
        let store = Store::open(&dir.path().join("db"), &secret).unwrap();
        let nowhere = DocumentFetcher {
            lookup: |_| Box::pin(std::future::ready(Vec::new())),
            ..DocumentFetcher::default()
        };
        let documents = Documents::new(store, Clock::manual(Timestamp::UNIX_EPOCH), nowhere);
        for n in 0..MAX_CACHED + 20 {
            let url = DocumentUrl::parse(&format!("https://app{n}.example.org/client.json")).unwrap();
            assert_eq!(documents.find(&url, None).await, None);
        }
        assert_eq!(documents.cache.lock().len(), MAX_CACHED);
    }
}
