//! Posts JSON to servers that the operator configured: Telegram, ntfy, a runner, a collector.
//!
//! Redirects are not followed, responses are read up to a limit, and errors never contain the URL, because it may
//! include a token.

use std::time::Duration;

use parking_lot::Mutex;
use reqwest::Client;
use reqwest::header::RETRY_AFTER;
use serde_json::Value;
use url::Url;

use crate::base::loopback::is_loopback;
use crate::base::secrets::Secret;

/// The time limit of a request, shorter than the drain time at shutdown.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The maximum number of bytes read of a response.
const LONGEST_ANSWER: usize = 64 * 1024;

#[derive(Debug, Clone)]
pub struct Post {
    /// The destination, which may contain a token.
    pub url: Url,
    /// The bearer token for the `Authorization` header, if needed.
    pub bearer: Option<Secret>,
    /// Further headers, such as a signature.
    pub headers: Vec<(&'static str, String)>,
    pub json: Value,
}

/// A response with any status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// The `Retry-After` header, if it is a number of seconds.
    pub retry_after: Option<Duration>,
    /// The beginning of the body, up to a size limit.
    pub body: Vec<u8>,
}

/// The connection failed or broke, or the response did not arrive in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no answer")]
pub struct NoAnswer;

/// Sends requests. Each client is created on first use, because that reads the system's certificates.
#[derive(Debug, Default)]
pub struct Poster {
    /// For remote servers, through the proxy in the environment, if any.
    usual: Mutex<Option<Client>>,
    /// For servers on this machine, which must not go through a proxy.
    local: Mutex<Option<Client>>,
}

impl Poster {
    /// Sends the request and reads the response.
    pub async fn post(&self, post: Post) -> Result<Answer, NoAnswer> {
        self.post_within(post, TIMEOUT, LONGEST_ANSWER).await
    }

    /// As [`Poster::post`], for a server that answers late or at length: within `timeout`, and up to `longest` bytes.
    pub async fn post_within(
        &self,
        post: Post,
        timeout: Duration,
        longest: usize,
    ) -> Result<Answer, NoAnswer> {
        let request = self.client(&post.url)?.post(post.url).json(&post.json);
        let mut request = request.timeout(timeout);
        if let Some(bearer) = &post.bearer {
            request = request.bearer_auth(bearer.expose());
        }
        for (name, value) in &post.headers {
            request = request.header(*name, value);
        }
        let mut response = request.send().await.map_err(|_| NoAnswer)?;
        let seconds = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let mut answer = Answer {
            status: response.status().as_u16(),
            retry_after: seconds.map(Duration::from_secs),
            body: Vec::new(),
        };
        while let Some(chunk) = response.chunk().await.map_err(|_| NoAnswer)? {
            if answer.body.len() + chunk.len() > longest {
                break;
            }
            answer.body.extend_from_slice(&chunk);
        }
        Ok(answer)
    }

    fn client(&self, url: &Url) -> Result<Client, NoAnswer> {
        let is_local = url.scheme() == "http" && is_loopback(url);
        let kept = if is_local { &self.local } else { &self.usual };
        let mut made = kept.lock();
        if let Some(client) = &*made {
            return Ok(client.clone());
        }
        let mut client = Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false);
        if is_local {
            client = client.no_proxy().tls_certs_only([]);
        }
        let client = client.build().map_err(|e| {
            tracing::warn!(reason = %e, "post.no_client");
            NoAnswer
        })?;
        Ok(made.insert(client).clone())
    }
}
