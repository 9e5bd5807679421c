//! Garmin's API as a worker uses it: one person's data.
//!
//! Reads are paced, shared when equal, cached for a minute, and retried during an outage. A change that Garmin may
//! have carried out is never sent again. Tokens are refreshed before they expire, by one request at a time, and are
//! written to the token file before their first use. A refresh outlives its caller, because Garmin invalidates the
//! old refresh token.
//!
//! Absent on purpose: interpreting the documents, which is the tools' job.

mod answer;
mod bearer;
mod body;
mod cache;
mod error;
mod keyring;
mod pace;
mod past;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use self::bearer::BearerSource;
use self::cache::{Cache, ReadResult};
use self::pace::RequestPace;
use super::http;
use super::request::{APP_HEADERS, join};
use super::response::is_challenge_page;
use super::token_file::TokenFile;
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::base::secrets::{Secret, random_bytes};
use crate::config::GarminHosts;

pub use body::ApiBody;
pub use error::{ApiError, SignInReason};

/// Fuzzer entry point: reads one response of the API.
#[cfg(fuzzing)]
pub(super) fn fuzz(status: u16, body: &[u8]) {
    drop(answer::document(status, body));
    answer::refusal(status, body);
}

/// Garmin's slowest documents take a few seconds.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The longest history in one response is far smaller.
const MAX_RESPONSE_BYTES: usize = 32 * 1024 * 1024;

/// Upper bound of attempts for one read.
const READ_TRIES: u32 = 3;

/// How much of a file is looked at to tell it from a page of the bot protection.
const PAGE_HEAD: usize = 4_096;

/// Paths that answer with a file.
const FILES: [&str; 2] = ["/download-service/", "/workout-service/workout/FIT/"];

/// Garmin's GraphQL endpoint.
const GRAPHQL: &str = "/graphql-gateway/graphql";

/// A path that every valid token may read.
const PROFILE: &str = "/userprofile-service/socialProfile";

/// How long to pause after a 429 without `Retry-After`.
const THROTTLE_PAUSE: Duration = Duration::from_secs(60);

/// How long to pause when the protection in front of Garmin demands a browser. More requests would prolong it.
const CHALLENGE_PAUSE: Duration = Duration::from_secs(300);

/// The pace of requests, and how long documents are cached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiSettings {
    /// Maximum number of concurrent requests.
    pub in_flight: usize,
    /// The interval between two requests, once the burst is used up.
    pub interval: Duration,
    /// Number of requests that may skip the interval.
    pub burst: u32,
    /// How long a cached document answers equal reads.
    pub keep: Duration,
    /// Upper bound of the random wait before a read is retried; it doubles each time.
    pub retry_wait: Duration,
}

impl Default for ApiSettings {
    /// For the real Garmin: two requests a second, a rate that no report has seen throttled.
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
    /// The default settings, but without waits for a simulated Garmin on this machine.
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

/// Called with the end of a pause that Garmin asked for.
pub type OnPause = Box<dyn Fn(Timestamp) + Send + Sync>;

pub struct ApiParts {
    /// Told whenever Garmin wants no requests until a time.
    pub on_pause: OnPause,
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
    on_pause: OnPause,
    tokens: BearerSource,
    settings: ApiSettings,
    pace: RequestPace,
    cache: Cache,
    throttled_until: Mutex<Option<Timestamp>>,
    /// Whether any path has answered 401 to a valid token.
    refuses_good_tokens: AtomicBool,
    display_name: OnceLock<String>,
}

impl Api {
    /// Creates the API without sending a request.
    pub fn new(parts: ApiParts) -> Self {
        let ApiParts {
            on_pause,
            tokens,
            hosts,
            http,
            clock,
            lifecycle,
            settings,
        } = parts;
        Self(Arc::new(ApiState {
            on_pause,
            pace: RequestPace::new(settings.in_flight, settings.interval, settings.burst),
            tokens: BearerSource {
                hosts,
                http,
                clock,
                lifecycle,
                file: TokenFile::new(tokens),
                keyring: Arc::default(),
            },
            cache: Cache::default(),
            throttled_until: Mutex::default(),
            refuses_good_tokens: AtomicBool::new(false),
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

    /// Makes the next reads ask Garmin again, such as those that look whether a change was made.
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
        let sent = self.authorized(&method, &url, body).await;
        self.0.cache.forget();
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

    /// How long a document is kept. What a watch measured on a past day no longer changes; after three days even a late
    /// synchronization has arrived.
    fn age(&self, key: &str) -> Duration {
        let today = self.0.tokens.clock.now().to_zoned(TimeZone::UTC).date();
        let settled = today.saturating_sub(jiff::Span::new().days(4));
        if past::is_settled(key, settled) {
            Duration::MAX
        } else {
            self.0.settings.keep
        }
    }

    fn url(&self, path: &str, query: &[(impl AsRef<str>, impl AsRef<str>)]) -> url::Url {
        let mut url = join(&self.0.tokens.hosts.connectapi, path);
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
            match self.authorized(&method, &url, body.as_ref()).await? {
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

    /// Sends with a bearer token, and once more with a new one if Garmin refuses the first.
    async fn authorized(
        &self,
        method: &Method,
        url: &url::Url,
        body: Option<&ApiBody>,
    ) -> Result<RequestOutcome, ApiError> {
        let mut refused: Option<Secret> = None;
        loop {
            self.check_throttle()?;
            let bearer = self.0.tokens.bearer(refused.as_ref()).await?;
            let sent = self.once(method, url, body, &bearer).await?;
            let RequestOutcome::Response {
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
            // Garmin does not carry out a request whose token it refuses, so even a change may be sent again.
            refused = Some(bearer);
        }
    }

    /// Whether the API accepts the token for the person's own profile.
    ///
    /// Without this check, a single path that answers 401 for another reason would end the whole sign-in.
    async fn is_accepted(&self, bearer: &Secret) -> Result<bool, ApiError> {
        let url = join(&self.0.tokens.hosts.connectapi, PROFILE);
        match self.once(&Method::GET, &url, None, bearer).await? {
            RequestOutcome::Response { status: 200..300, .. } => Ok(true),
            RequestOutcome::Response {
                status: 401 | 403, ..
            } => Ok(false),
            _ => Err(ApiError::Unreachable),
        }
    }

    async fn once(
        &self,
        method: &Method,
        url: &url::Url,
        body: Option<&ApiBody>,
        bearer: &Secret,
    ) -> Result<RequestOutcome, ApiError> {
        let mut request = self
            .0
            .tokens
            .http
            .request(method.clone(), url.clone())
            .timeout(TIMEOUT);
        for (name, value) in APP_HEADERS {
            request = request.header(name, value);
        }
        let is_file = FILES.iter().any(|path| url.path().starts_with(path));
        request = request
            .header("accept", if is_file { "*/*" } else { "application/json" })
            .bearer_auth(bearer.expose());
        if let Some(body) = body {
            request = request
                .header("content-type", &body.content_type)
                .body(body.bytes.clone());
        }
        let _slot = self.0.pace.wait().await;
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(e) if e.is_connect() => return Ok(RequestOutcome::NotConnected),
            Err(_) => return Ok(RequestOutcome::Lost),
        };
        let status = response.status().as_u16();
        if status == 429 {
            return Err(self.throttle(http::retry_after(response.headers(), self.0.tokens.clock.now())));
        }
        Ok(match http::read_up_to(&mut response, MAX_RESPONSE_BYTES).await {
            Ok(Some(body)) if is_challenge_page(&body) => return Err(self.throttle(Some(CHALLENGE_PAUSE))),
            Ok(Some(body)) => RequestOutcome::Response { status, body },
            Ok(None) | Err(_) => RequestOutcome::Lost,
        })
    }

    fn check_throttle(&self) -> Result<(), ApiError> {
        let until = *self.0.throttled_until.lock();
        match until.filter(|until| *until > self.0.tokens.clock.now()) {
            Some(until) => Err(ApiError::RateLimited { until: Some(until) }),
            None => Ok(()),
        }
    }

    fn throttle(&self, wait: Option<Duration>) -> ApiError {
        let wait =
            SignedDuration::try_from(wait.unwrap_or(THROTTLE_PAUSE)).unwrap_or(SignedDuration::from_mins(1));
        let until = {
            let mut throttled_until = self.0.throttled_until.lock();
            *throttled_until = self
                .0
                .tokens
                .clock
                .now()
                .checked_add(wait)
                .ok()
                .max(*throttled_until);
            *throttled_until
        };
        tracing::warn!(until = until.map(tracing::field::display), "garmin.throttled");
        if let Some(until) = until {
            (self.0.on_pause)(until);
        }
        ApiError::RateLimited { until }
    }
}

enum RequestOutcome {
    Response {
        status: u16,
        body: Vec<u8>,
    },
    NotConnected,
    /// Garmin may have received the request, but no whole response came.
    Lost,
}

/// A random wait up to `most`, so that requests that failed together are not repeated together.
fn jitter(most: Duration) -> Duration {
    most.mul_f64(f64::from(u32::from_be_bytes(random_bytes())) / f64::from(u32::MAX))
}
