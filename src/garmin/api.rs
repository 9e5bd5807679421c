//! Garmin's API as a worker uses it: one person's data.
//!
//! Reads are paced, cached for a minute, and retried during an outage. Equal concurrent reads share one request. Cached
//! documents are returned even while Garmin wants no requests. A change that Garmin may have carried out is never sent
//! again. Tokens are refreshed before they expire, by one request at a time, and are saved to the token file before
//! their first use, unless the file cannot be written. A refresh outlives its caller, because Garmin invalidates the
//! old refresh token.
//!
//! | what | where |
//! |---|---|
//! | reads, retries and the cache; changes | here, [`cache`], [`past`] |
//! | one request and its response | [`exchange`], [`answer`], [`body`] |
//! | permits to send, and pauses | [`pace`], [`settings`] |
//! | bearer tokens | [`bearer`], [`keyring`] |
//!
//! Absent on purpose: interpreting the documents, which is the tools' job.

mod answer;
mod bearer;
mod body;
mod cache;
mod error;
mod exchange;
mod keyring;
mod pace;
mod past;
mod settings;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::tz::TimeZone;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use self::bearer::BearerSource;
use self::cache::{Cache, ForgetsOnDrop, ReadResult};
use self::exchange::{PROFILE, RequestOutcome, RequestSender};
use self::pace::RequestPace;
use super::request::join;
use super::response::is_challenge_page;
use super::token_file::TokenFile;
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::base::secrets::random_bytes;
use crate::config::GarminHosts;

pub use body::ApiBody;
pub use error::{ApiError, SignInReason};
pub use pace::{Permission, PermitDesk, PermitRequest};
pub use settings::{ApiSettings, RequestRate};

/// Fuzzer entry point: reads one response of the API.
#[cfg(fuzzing)]
pub(super) fn fuzz(status: u16, body: &[u8]) {
    drop(answer::document(status, body));
    answer::refusal(status, body);
}

/// Upper bound of attempts for one read.
const READ_TRIES: u32 = 3;

/// How many bytes of a file are searched for the marks of a bot-protection page.
const PAGE_HEAD: usize = 4_096;

/// Garmin's GraphQL endpoint.
const GRAPHQL: &str = "/graphql-gateway/graphql";

pub struct ApiParts {
    /// Grants the permits to send; `None` if this process limits its own rate.
    pub permits: Option<PermitDesk>,
    /// The person's token file. It need not exist yet, and is rewritten at every refresh.
    pub tokens: PathBuf,
    pub hosts: GarminHosts,
    /// The client that [`super::client`] builds.
    pub http: Client,
    pub clock: Clock,
    /// Runs the refreshes, which must outlive their callers.
    pub lifecycle: Lifecycle,
    pub settings: ApiSettings,
}

/// The API for one person. Clones share everything.
#[derive(Clone)]
pub struct Api(Arc<ApiState>);

struct ApiState {
    requests: RequestSender,
    settings: ApiSettings,
    cache: Cache,
    display_name: OnceLock<String>,
}

impl Api {
    /// Creates the API without sending a request.
    pub fn new(parts: ApiParts) -> Self {
        let ApiParts {
            permits,
            tokens,
            hosts,
            http,
            clock,
            lifecycle,
            settings,
        } = parts;
        let pace = RequestPace::new(settings.in_flight, settings.rate, permits);
        let tokens = BearerSource {
            hosts,
            http,
            clock,
            lifecycle,
            file: TokenFile::new(tokens),
            keyring: Arc::default(),
        };
        Self(Arc::new(ApiState {
            requests: RequestSender::new(tokens, pace),
            cache: Cache::default(),
            display_name: OnceLock::new(),
            settings,
        }))
    }

    /// The document at `path` (percent-encoded, such as `/userprofile-service/socialProfile`); `query` is not encoded.
    ///
    /// `null` when Garmin answers without content (204).
    pub async fn get_json(
        &self,
        path: &str,
        query: &[(impl AsRef<str>, impl AsRef<str>)],
    ) -> Result<Arc<Value>, ApiError> {
        let url = self.url(path, query);
        let key = url[url::Position::BeforePath..].to_owned();
        let api = self.clone();
        self.0
            .cache
            .get(&key, self.age(&key), || async move { api.read(url, None).await })
            .await
    }

    /// The document that a GraphQL query reads. It is sent by POST, but cached and retried like any other read.
    pub async fn graphql(&self, query: &str) -> Result<Arc<Value>, ApiError> {
        const NO_QUERY: [(&str, &str); 0] = [];
        let url = self.url(GRAPHQL, &NO_QUERY);
        let body = ApiBody::json(&json!({"query": query}));
        let api = self.clone();
        self.0
            .cache
            .get(
                &format!("{GRAPHQL} {query}"),
                self.0.settings.keep,
                || async move { api.read(url, Some(body)).await },
            )
            .await
    }

    /// A file at `path`, such as an activity's download; empty when Garmin has none. Files are large, so they are not
    /// cached.
    pub async fn get_bytes(&self, path: &str) -> Result<Vec<u8>, ApiError> {
        const NO_QUERY: [(&str, &str); 0] = [];
        let bytes = self.body(self.url(path, &NO_QUERY), None).await?;
        let head = bytes.get(..bytes.len().min(PAGE_HEAD)).unwrap_or_default();
        if is_challenge_page(head) {
            return Err(ApiError::Unreachable);
        }
        Ok(bytes)
    }

    /// Empties the cache, so that the next reads ask Garmin again, for example to check whether a change was made.
    pub fn forget_reads(&self) {
        self.0.cache.forget();
    }

    /// Sends a change once. Returns the document of the response, or `null` if the response is empty.
    ///
    /// Errors: [`ApiError::Uncertain`] when no response came, because the change may have been made.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(impl AsRef<str>, impl AsRef<str>)],
        body: Option<&ApiBody>,
    ) -> Result<Value, ApiError> {
        let url = self.url(path, query);
        // The cache is emptied even if the call is cancelled, because the change may have reached Garmin.
        let forgets = ForgetsOnDrop(&self.0.cache);
        let sent = self.0.requests.authorized(&method, &url, body).await;
        drop(forgets);
        match sent? {
            RequestOutcome::Response { status, body } => match status {
                200..300 => answer::document(status, &body),
                400..500 => Err(answer::refusal(status, &body)),
                _ => Err(ApiError::Uncertain),
            },
            RequestOutcome::NotConnected => Err(ApiError::Unreachable),
            RequestOutcome::Lost => Err(ApiError::Uncertain),
        }
    }

    /// The person's name in Garmin's paths; empty when the profile has none yet. The profile is read only once.
    pub async fn display_name(&self) -> Result<&str, ApiError> {
        if let Some(name) = self.0.display_name.get() {
            return Ok(name);
        }
        let none: [(&str, &str); 0] = [];
        let profile = self.get_json(PROFILE, &none).await?;
        let name = profile
            .get("displayName")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !name.is_empty() {
            // A concurrent equal read may have set the same name already.
            drop(self.0.display_name.set(name.to_owned()));
        }
        Ok(self.0.display_name.get().map_or("", String::as_str))
    }

    /// How long a document is kept. What a watch measured on a past day no longer changes; three full days leave time
    /// for a late synchronization.
    fn age(&self, key: &str) -> Duration {
        let today = self.0.requests.tokens.clock.now().to_zoned(TimeZone::UTC).date();
        let settled = today.saturating_sub(jiff::Span::new().days(4));
        if past::is_settled(key, settled) {
            Duration::MAX
        } else {
            self.0.settings.keep
        }
    }

    fn url(&self, path: &str, query: &[(impl AsRef<str>, impl AsRef<str>)]) -> url::Url {
        let mut url = join(&self.0.requests.tokens.hosts.connectapi, path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn read(&self, url: url::Url, body: Option<ApiBody>) -> ReadResult {
        let body = self.body(url, body).await?;
        Ok((Arc::new(answer::document(200, &body)?), body.len()))
    }

    /// Reads the body of a response, and retries during an outage. It is empty if there is no content.
    async fn body(&self, url: url::Url, body: Option<ApiBody>) -> Result<Vec<u8>, ApiError> {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        for tried in 1..=READ_TRIES {
            match self.0.requests.authorized(&method, &url, body.as_ref()).await? {
                RequestOutcome::Response {
                    status: status @ 200..300,
                    body,
                } => {
                    return Ok(if status == 204 { Vec::new() } else { body });
                }
                RequestOutcome::Response { status, body } if !answer::is_passing(status) => {
                    return Err(match status {
                        400..500 => answer::refusal(status, &body),
                        300..400 => ApiError::Changed {
                            path: "redirect".to_owned(),
                        },
                        _ => ApiError::Unreachable,
                    });
                }
                RequestOutcome::Response { .. } | RequestOutcome::NotConnected | RequestOutcome::Lost => {}
            }
            if tried < READ_TRIES {
                tokio::time::sleep(jitter(self.0.settings.retry_wait * 2_u32.pow(tried - 1))).await;
            }
        }
        Err(ApiError::Unreachable)
    }
}

/// A random wait up to `most`, so that requests that failed together are not repeated together.
fn jitter(most: Duration) -> Duration {
    most.mul_f64(f64::from(u32::from_be_bytes(random_bytes())) / f64::from(u32::MAX))
}
