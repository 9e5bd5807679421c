//! A worker's view of Garmin's API: one person's data, asked for politely.
//!
//! Reads are paced, shared when equal, kept for a short while, and sent again when Garmin is out of order. Changes are
//! sent once, whatever happens. The tokens are refreshed in time, by one request at a time, and are in the token file
//! before anybody uses them; that goes on when the asker has left, because Garmin spends a refresh token by use.
//!
//! Absent on purpose: what the documents mean (the tools know), and any write that is tried twice.

mod answer;
mod bearer;
mod cache;
mod error;
pub(in crate::garmin) mod headers;
mod keyring;
mod pace;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, Method};
use serde_json::Value;

use self::cache::{Cache, Read};
use self::keyring::Keyring;
use self::pace::Pace;
use super::http;
use super::token_file::TokenFile;
use super::wire;
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::base::secrets::{Secret, random_bytes};
use crate::config::GarminHosts;

pub use error::{ApiError, SignInReason};

/// For the fuzzer: what an answer of the API means.
#[cfg(fuzzing)]
pub(super) fn fuzz(status: u16, body: &[u8]) {
    drop(answer::document(status, body));
    answer::refusal(status, body);
}

/// Garmin's slowest documents take some seconds.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The longest history in one answer is far below.
const LONGEST_ANSWER: usize = 32 * 1024 * 1024;

/// How often a read is sent at most.
const READ_TRIES: u32 = 3;

/// Who the person is.
const PROFILE: &str = "/userprofile-service/socialProfile";

/// After a 429 that does not say.
const THROTTLED: Duration = Duration::from_secs(60);

/// The pace, and how long answers are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiSettings {
    /// Requests at the same time.
    pub in_flight: usize,
    /// Between two requests, once the burst is used up.
    pub interval: Duration,
    /// Requests that may go without that distance.
    pub burst: u32,
    /// How long an answer serves equal reads.
    pub keep: Duration,
    /// Before a read is sent again: a random wait up to this, doubling.
    pub retry_wait: Duration,
}

impl Default for ApiSettings {
    /// For the real Garmin: two a second, which no report has seen throttled.
    fn default() -> Self {
        Self {
            in_flight: 4,
            interval: Duration::from_millis(500),
            burst: 8,
            keep: Duration::from_secs(60),
            retry_wait: Duration::from_millis(400),
        }
    }
}

impl ApiSettings {
    /// The usual ones; a Garmin of our own on this machine minds no haste.
    pub fn new(hosts: &GarminHosts) -> Self {
        let usual = Self::default();
        if hosts.is_simulated() {
            Self {
                interval: Duration::ZERO,
                retry_wait: Duration::from_millis(1),
                ..usual
            }
        } else {
            usual
        }
    }
}

/// What an [`Api`] is made of.
pub struct ApiParts {
    /// The person's token file; it need not exist yet, and is rewritten at every refresh.
    pub tokens: PathBuf,
    /// Garmin.
    pub hosts: GarminHosts,
    /// From [`super::client`].
    pub http: Client,
    /// The time.
    pub clock: Clock,
    /// Runs the refreshes, which must not end with their asker.
    pub lifecycle: Lifecycle,
    /// The pace.
    pub settings: ApiSettings,
}

/// The API for one person. Clones are the same.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    hosts: GarminHosts,
    http: Client,
    clock: Clock,
    lifecycle: Lifecycle,
    settings: ApiSettings,
    file: TokenFile,
    keyring: Arc<tokio::sync::Mutex<Keyring>>,
    pace: Pace,
    cache: Cache,
    throttled_until: Mutex<Option<Timestamp>>,
    /// Whether a path was seen that answers 401 to a token that is good.
    refuses_good_tokens: AtomicBool,
    display_name: OnceLock<String>,
}

impl Api {
    /// Sends nothing yet.
    pub fn new(parts: ApiParts) -> Self {
        let ApiParts {
            tokens,
            hosts,
            http,
            clock,
            lifecycle,
            settings,
        } = parts;
        Self(Arc::new(Inner {
            pace: Pace::new(settings.in_flight, settings.interval, settings.burst),
            file: TokenFile::new(tokens),
            keyring: Arc::default(),
            cache: Cache::default(),
            throttled_until: Mutex::default(),
            refuses_good_tokens: AtomicBool::new(false),
            display_name: OnceLock::new(),
            hosts,
            http,
            clock,
            lifecycle,
            settings,
        }))
    }

    /// The document at `path` (percent-encoded, such as `/userprofile-service/socialProfile`); `query` is not encoded.
    ///
    /// `null` when Garmin answers with nothing (204).
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
            .get(&key, self.0.settings.keep, || async move { api.read(url).await })
            .await
    }

    /// Sends a change once, with `body` as JSON if there is one; the answer's document, `null` when it is empty.
    ///
    /// Errors: [`ApiError::Uncertain`] when no answer came: it may have happened.
    pub async fn send_json(
        &self,
        method: Method,
        path: &str,
        query: &[(impl AsRef<str>, impl AsRef<str>)],
        body: Option<&Value>,
    ) -> Result<Value, ApiError> {
        let url = self.url(path, query);
        let sent = self.authorized(&method, &url, body).await;
        self.0.cache.forget();
        match sent? {
            Sent::Answer { status, body } => match status {
                200..300 => answer::document(status, &body),
                400..500 => Err(answer::refusal(status, &body)),
                _ => Err(ApiError::Uncertain),
            },
            Sent::NoConnection => Err(ApiError::Unreachable),
            Sent::Nothing => Err(ApiError::Uncertain),
        }
    }

    /// The name of this person in Garmin's paths; empty when the profile has none yet. Asked once.
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
            // Somebody else may have been quicker, with the same name.
            drop(self.0.display_name.set(name.to_owned()));
        }
        Ok(self.0.display_name.get().map_or("", String::as_str))
    }

    fn url(&self, path: &str, query: &[(impl AsRef<str>, impl AsRef<str>)]) -> url::Url {
        let mut url = wire::at(&self.0.hosts.connectapi, path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// A read, sent again while that may help.
    async fn read(&self, url: url::Url) -> Read {
        for tried in 1..=READ_TRIES {
            match self.authorized(&Method::GET, &url, None).await? {
                Sent::Answer {
                    status: status @ 200..300,
                    body,
                } => {
                    let value = answer::document(status, &body)?;
                    return Ok((Arc::new(value), body.len()));
                }
                Sent::Answer { status, body } if !answer::is_passing(status) => {
                    return Err(match status {
                        400..500 => answer::refusal(status, &body),
                        300..400 => ApiError::Changed {
                            path: "redirect".to_owned(),
                        },
                        _ => ApiError::Unreachable,
                    });
                }
                Sent::Answer { .. } | Sent::NoConnection | Sent::Nothing => {}
            }
            if tried < READ_TRIES {
                tokio::time::sleep(jitter(self.0.settings.retry_wait * 2_u32.pow(tried - 1))).await;
            }
        }
        Err(ApiError::Unreachable)
    }

    /// Sends with a bearer token; once more with a new one when Garmin refuses it.
    async fn authorized(
        &self,
        method: &Method,
        url: &url::Url,
        body: Option<&Value>,
    ) -> Result<Sent, ApiError> {
        let mut refused: Option<Secret> = None;
        loop {
            self.check_throttle()?;
            let bearer = self.bearer(refused.as_ref()).await?;
            let sent = self.once(method, url, body, &bearer).await?;
            let Sent::Answer {
                status: 401,
                body: said,
            } = &sent
            else {
                return Ok(sent);
            };
            let is_suspicious = refused.is_some() || self.0.refuses_good_tokens.load(Ordering::Relaxed);
            if is_suspicious && self.is_accepted(&bearer).await? {
                self.0.refuses_good_tokens.store(true, Ordering::Relaxed);
                return Err(answer::refusal(401, said));
            }
            if refused.is_some() {
                return Err(ApiError::SignInNeeded(SignInReason::NotAccepted));
            }
            // A request that was refused for its token was not carried out, so it may be sent again.
            refused = Some(bearer);
        }
    }

    /// Whether the API takes the token for what everybody may read: the person's own profile.
    ///
    /// Without this, one path that answers 401 for reasons of its own would end the whole sign-in.
    async fn is_accepted(&self, bearer: &Secret) -> Result<bool, ApiError> {
        let url = wire::at(&self.0.hosts.connectapi, PROFILE);
        match self.once(&Method::GET, &url, None, bearer).await? {
            Sent::Answer { status: 200..300, .. } => Ok(true),
            Sent::Answer {
                status: 401 | 403,
                body,
            } if !wire::is_challenge_page(&body) => Ok(false),
            _ => Err(ApiError::Unreachable),
        }
    }

    async fn once(
        &self,
        method: &Method,
        url: &url::Url,
        body: Option<&Value>,
        bearer: &Secret,
    ) -> Result<Sent, ApiError> {
        let mut request = self.0.http.request(method.clone(), url.clone()).timeout(TIMEOUT);
        for (name, value) in headers::native() {
            request = request.header(name, value);
        }
        request = request
            .header("accept", "application/json")
            .bearer_auth(bearer.expose());
        if let Some(body) = body {
            request = request.json(body);
        }
        let _slot = self.0.pace.wait().await;
        let response = match request.send().await {
            Ok(response) => response,
            Err(e) if e.is_connect() => return Ok(Sent::NoConnection),
            Err(_) => return Ok(Sent::Nothing),
        };
        let status = response.status().as_u16();
        if status == 429 {
            return Err(self.throttle(http::retry_after(response.headers(), self.0.clock.now())));
        }
        Ok(match read_body(response).await {
            Some(body) => Sent::Answer { status, body },
            None => Sent::Nothing,
        })
    }

    fn check_throttle(&self) -> Result<(), ApiError> {
        let until = *self
            .0
            .throttled_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match until.filter(|until| *until > self.0.clock.now()) {
            Some(until) => Err(ApiError::RateLimited { until: Some(until) }),
            None => Ok(()),
        }
    }

    fn throttle(&self, wait: Option<Duration>) -> ApiError {
        let wait =
            SignedDuration::try_from(wait.unwrap_or(THROTTLED)).unwrap_or(SignedDuration::from_mins(1));
        let told = self.0.clock.now().checked_add(wait).ok();
        let mut held = self
            .0
            .throttled_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let until = told.max(*held);
        *held = until;
        drop(held);
        tracing::warn!(until = until.map(tracing::field::display), "garmin.throttled");
        ApiError::RateLimited { until }
    }
}

/// What became of one request.
enum Sent {
    Answer {
        status: u16,
        body: Bytes,
    },
    NoConnection,
    /// Sent, perhaps, and no whole answer.
    Nothing,
}

async fn read_body(mut response: reqwest::Response) -> Option<Bytes> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body.into())
}

/// Anything up to `most`, so that many who failed together do not come back together.
fn jitter(most: Duration) -> Duration {
    most.mul_f64(f64::from(u32::from_be_bytes(random_bytes())) / f64::from(u32::MAX))
}
