//! One request to the API and its response: the bearer token, the permit to send, and how a refusal affects both.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Method;
use tokio::sync::SemaphorePermit;

use super::answer;
use super::bearer::BearerSource;
use super::body::ApiBody;
use super::error::{ApiError, SignInReason};
use super::pace::RequestPace;
use crate::base::secrets::Secret;
use crate::garmin::http;
use crate::garmin::request::{APP_HEADERS, join};
use crate::garmin::response::is_challenge_page;

/// Garmin's slowest documents take a few seconds.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The longest history in one response is far smaller.
const MAX_RESPONSE_BYTES: usize = 32 * 1024 * 1024;

/// Paths that answer with a file.
const FILES: [&str; 2] = ["/download-service/", "/workout-service/workout/FIT/"];

/// A path that every valid token may read.
pub(super) const PROFILE: &str = "/userprofile-service/socialProfile";

/// How long to pause after a 429 without `Retry-After`.
const THROTTLE_PAUSE: Duration = Duration::from_secs(60);

/// How long to pause when the bot protection in front of Garmin demands a browser. More requests would prolong it.
const CHALLENGE_PAUSE: Duration = Duration::from_secs(300);

pub(super) enum RequestOutcome {
    Response {
        status: u16,
        body: Vec<u8>,
    },
    NotConnected,
    /// Garmin may have received the request, but no whole response came.
    Lost,
}

/// Sends requests for one person.
pub(super) struct RequestSender {
    pub(super) tokens: BearerSource,
    pub(super) pace: RequestPace,
    /// Whether any path has answered 401 to a valid token.
    refuses_good_tokens: AtomicBool,
}

impl RequestSender {
    pub(super) fn new(tokens: BearerSource, pace: RequestPace) -> Self {
        Self {
            tokens,
            pace,
            refuses_good_tokens: AtomicBool::new(false),
        }
    }

    /// Sends with a bearer token, and once more with a new one if Garmin refuses the first.
    pub(super) async fn authorized(
        &self,
        method: &Method,
        url: &url::Url,
        body: Option<&ApiBody>,
    ) -> Result<RequestOutcome, ApiError> {
        let mut refused: Option<Secret> = None;
        loop {
            let slot = self.pace.permit(&self.tokens.clock).await?;
            let bearer = self.tokens.bearer(refused.as_ref()).await?;
            let sent = self.once(slot, method, url, body, &bearer).await?;
            let RequestOutcome::Response {
                status: 401,
                body: said,
            } = &sent
            else {
                return Ok(sent);
            };
            let is_suspicious = refused.is_some() || self.refuses_good_tokens.load(Ordering::Relaxed);
            if is_suspicious && self.is_accepted(&bearer).await? {
                self.refuses_good_tokens.store(true, Ordering::Relaxed);
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
        let url = join(&self.tokens.hosts.connectapi, PROFILE);
        let slot = self.pace.permit(&self.tokens.clock).await?;
        match self.once(slot, &Method::GET, &url, None, bearer).await? {
            RequestOutcome::Response { status: 200..300, .. } => Ok(true),
            RequestOutcome::Response {
                status: 401 | 403, ..
            } => Ok(false),
            _ => Err(ApiError::Unreachable),
        }
    }

    /// Sends one request, which holds its slot until the response has been read.
    async fn once(
        &self,
        _slot: SemaphorePermit<'_>,
        method: &Method,
        url: &url::Url,
        body: Option<&ApiBody>,
        bearer: &Secret,
    ) -> Result<RequestOutcome, ApiError> {
        let mut request = self
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
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(e) if e.is_connect() => return Ok(RequestOutcome::NotConnected),
            Err(_) => return Ok(RequestOutcome::Lost),
        };
        let status = response.status().as_u16();
        if status == 429 {
            let wait = http::retry_after(response.headers(), self.tokens.clock.now());
            return Err(self.pause(wait.unwrap_or(THROTTLE_PAUSE)));
        }
        Ok(match http::read_up_to(&mut response, MAX_RESPONSE_BYTES).await {
            Ok(Some(body)) if is_challenge_page(&body) => return Err(self.pause(CHALLENGE_PAUSE)),
            Ok(Some(body)) => RequestOutcome::Response { status, body },
            Ok(None) | Err(_) => RequestOutcome::Lost,
        })
    }

    fn pause(&self, wait: Duration) -> ApiError {
        self.pace.pause(wait, self.tokens.clock.now())
    }
}
