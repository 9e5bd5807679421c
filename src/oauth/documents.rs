//! Fetching client-id metadata documents, without becoming somebody's way into the operator's network.
//!
//! Invariants:
//! - The host's addresses are looked up once; all must be global; the connection goes to exactly these.
//! - No redirects, no proxy, five seconds and 5 kB for everything, few fetches at once.
//! - What went wrong is told to the log and to nobody else: outside, a document is there or not.

use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::addresses::is_global;
use super::client_metadata::{self, DocumentProblem, DocumentUrl};
use super::clients::Client;
use crate::foundation::clock::Clock;
use crate::foundation::store::{Record, Store, StoreError, Table};

/// For the lookup, the connection and the whole document.
const DEADLINE: Duration = Duration::from_secs(5);

const MAX_BODY_BYTES: usize = 5 * 1024;

/// More at once would make this gateway a tool against others.
const MAX_FETCHES: usize = 4;

/// Documents in memory; the oldest make room.
const MAX_CACHED: usize = 128;

/// After a failure nobody is asked again for this long.
const RETRY_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// A document that can't be fetched any more still counts for this long.
const LAST_GOOD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Why a document could not be had. For the log.
#[derive(Debug, thiserror::Error)]
enum FetchProblem {
    #[error("too many other documents are being fetched")]
    Busy,
    #[error("it took longer than five seconds")]
    TooSlow,
    #[error("the host has no address")]
    NoAddress,
    #[error("the host has an address that is not global")]
    NotGlobal,
    #[error("the request failed")]
    Request(#[source] reqwest::Error),
    #[error("the answer has status {0}")]
    Status(u16),
    #[error("the answer is not application/json")]
    NotJson,
    #[error("the document is too long")]
    TooLong,
    #[error("the document does not count")]
    Document(#[from] DocumentProblem),
}

/// The addresses of a host.
pub(super) type Lookup =
    Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = Vec<IpAddr>> + Send>> + Send + Sync>;

/// Asks the system's resolver.
pub(super) fn system_lookup() -> Lookup {
    Arc::new(|host| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 443)).await;
            found.map_or_else(|_| Vec::new(), |addresses| addresses.map(|a| a.ip()).collect())
        })
    })
}

/// A document of a client that somebody signed in with, so that an outage of its host goes unnoticed after a restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct KeptDocument {
    client: Client,
    fetched_at: Timestamp,
}

impl Record for KeptDocument {
    const TABLE: Table = Table("client_document");
}

#[derive(Clone)]
struct Cached {
    /// The newest good copy.
    good: Option<KeptDocument>,
    /// When to ask again.
    ask_at: Timestamp,
}

/// Finds the clients behind document addresses.
pub(super) struct Documents {
    store: Store,
    clock: Clock,
    lookup: Lookup,
    cache: Mutex<HashMap<DocumentUrl, Cached>>,
    fetches: Semaphore,
}

impl Documents {
    pub(super) fn new(store: Store, clock: Clock, lookup: Lookup) -> Self {
        Self {
            store,
            clock,
            lookup,
            cache: Mutex::default(),
            fetches: Semaphore::new(MAX_FETCHES),
        }
    }

    /// The client that `url` describes: from the cache, from its host, or the last good copy.
    pub(super) async fn find(&self, url: &DocumentUrl) -> Option<Client> {
        let now = self.clock.now();
        let cached = self.locked().get(url).cloned();
        let good = match cached {
            Some(cached) if now < cached.ask_at => return cached.good.map(|good| good.client),
            Some(cached) => cached.good,
            None => self.kept(url),
        };
        match self.fetch(url).await {
            Ok((client, fresh_for)) => {
                let fresh_for = SignedDuration::try_from(fresh_for).unwrap_or(RETRY_AFTER);
                let good = KeptDocument {
                    client: client.clone(),
                    fetched_at: now,
                };
                self.remember(url, Some(good), now.saturating_add(fresh_for).unwrap_or(now));
                Some(client)
            }
            Err(problem) => {
                tracing::info!(host = url.host(), problem = %problem, "client.document_not_fetched");
                let good = good.filter(|good| now.duration_since(good.fetched_at) < LAST_GOOD);
                // What kept others busy says nothing of this host.
                if !matches!(problem, FetchProblem::Busy) {
                    self.remember(url, good.clone(), now.saturating_add(RETRY_AFTER).unwrap_or(now));
                }
                good.map(|good| good.client)
            }
        }
    }

    /// Keeps the document of a client that was just given a code, if it was fetched and is newer than what is kept.
    pub(super) async fn keep(&self, url: &DocumentUrl) -> Result<(), StoreError> {
        let Some(good) = self.locked().get(url).and_then(|cached| cached.good.clone()) else {
            return Ok(());
        };
        let kept_at = self.kept(url).map(|kept| kept.fetched_at);
        if kept_at.is_some_and(|at| at >= good.fetched_at) {
            return Ok(());
        }
        self.store.put(url.as_str().as_bytes(), good).await
    }

    fn kept(&self, url: &DocumentUrl) -> Option<KeptDocument> {
        self.store.find(url.as_str().as_bytes()).ok().flatten()
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<DocumentUrl, Cached>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, url: &DocumentUrl, good: Option<KeptDocument>, ask_at: Timestamp) {
        let mut cache = self.locked();
        if cache.len() >= MAX_CACHED && !cache.contains_key(url) {
            let oldest = cache.iter().min_by_key(|(_, cached)| cached.ask_at);
            if let Some(oldest) = oldest.map(|(url, _)| url.clone()) {
                cache.remove(&oldest);
            }
        }
        cache.insert(url.clone(), Cached { good, ask_at });
    }

    async fn fetch(&self, url: &DocumentUrl) -> Result<(Client, Duration), FetchProblem> {
        let _permit = self.fetches.try_acquire().map_err(|_| FetchProblem::Busy)?;
        let work = async {
            let addresses = (self.lookup)(url.host().to_owned()).await;
            let http = pinned(url.host(), &addresses)?;
            let (body, fresh_for) = download(&http, url.as_str()).await?;
            Ok((client_metadata::read(url, &body)?, fresh_for))
        };
        tokio::time::timeout(DEADLINE, work)
            .await
            .unwrap_or(Err(FetchProblem::TooSlow))
    }
}

/// A client that reaches `host` at `addresses` and nowhere else. Errors: none, or one that is not global.
fn pinned(host: &str, addresses: &[IpAddr]) -> Result<reqwest::Client, FetchProblem> {
    if addresses.is_empty() {
        return Err(FetchProblem::NoAddress);
    }
    if !addresses.iter().all(|ip| is_global(*ip)) {
        return Err(FetchProblem::NotGlobal);
    }
    let addresses: Vec<SocketAddr> = addresses.iter().map(|ip| SocketAddr::new(*ip, 443)).collect();
    fenced(
        reqwest::Client::builder()
            .https_only(true)
            .resolve_to_addrs(host, &addresses),
    )
}

/// What holds for every fetch, wherever it goes.
fn fenced(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, FetchProblem> {
    builder
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .timeout(DEADLINE)
        .pool_max_idle_per_host(0)
        .user_agent("garmin-gateway (client-id metadata)")
        .build()
        .map_err(FetchProblem::Request)
}

/// The body, and how long it is good for.
async fn download(http: &reqwest::Client, url: &str) -> Result<(Vec<u8>, Duration), FetchProblem> {
    let request = http.get(url).header(header::ACCEPT, "application/json");
    let mut response = request.send().await.map_err(FetchProblem::Request)?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(FetchProblem::Status(response.status().as_u16()));
    }
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let essence = text(header::CONTENT_TYPE).unwrap_or_default();
    let essence = essence
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let is_json =
        essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    if !is_json {
        return Err(FetchProblem::NotJson);
    }
    let fresh_for = client_metadata::freshness(text(header::CACHE_CONTROL));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(FetchProblem::Request)? {
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(FetchProblem::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body, fresh_for))
}
