//! Posting JSON to the servers of the operator: Telegram, ntfy, a runner, a collector.
//!
//! No redirect is followed, answers are read up to a limit, and an error says nothing of the address: it may hold a
//! token.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::Client;
use reqwest::header::RETRY_AFTER;
use serde_json::Value;
use url::Url;

use crate::base::http::is_loopback;
use crate::base::secrets::Secret;

/// The longest that a server may take: less than what a stop waits for.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What is read of an answer.
const LONGEST_ANSWER: usize = 64 * 1024;

/// One request.
#[derive(Debug, Clone)]
pub struct Post {
    /// Where to.
    pub url: Url,
    /// What opens it.
    pub bearer: Option<Secret>,
    /// What is sent.
    pub json: Value,
}

/// An answer, whatever its status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `Retry-After` in seconds, if it was sent so.
    pub retry_after: Option<Duration>,
    /// The beginning of the body.
    pub body: Vec<u8>,
}

/// No connection, a broken one, or no answer in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no answer")]
pub struct NoAnswer;

/// Sends. A client is made when it is first needed: it reads the system's certificates.
#[derive(Debug, Default)]
pub struct Poster {
    /// For servers elsewhere, through the proxy of the environment if there is one.
    usual: Mutex<Option<Client>>,
    /// For servers on this machine, which no proxy reaches.
    local: Mutex<Option<Client>>,
}

impl Poster {
    /// Posts, and reads the answer.
    pub async fn post(&self, post: Post) -> Result<Answer, NoAnswer> {
        let mut request = self.client(&post.url)?.post(post.url).json(&post.json);
        if let Some(bearer) = &post.bearer {
            request = request.bearer_auth(bearer.expose());
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
            if answer.body.len() + chunk.len() > LONGEST_ANSWER {
                break;
            }
            answer.body.extend_from_slice(&chunk);
        }
        Ok(answer)
    }

    fn client(&self, url: &Url) -> Result<Client, NoAnswer> {
        let is_local = url.scheme() == "http" && is_loopback(url);
        let kept = if is_local { &self.local } else { &self.usual };
        let mut made = kept.lock().unwrap_or_else(PoisonError::into_inner);
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
