//! The HTTP side of LiveTrack: bootstrap, session, points, course, and the page as the last resort.
//!
//! Invariants:
//! - Requests go only to Garmin's LiveTrack host, by URLs built from id and token; redirects are not followed.
//!   Resolving a short link or a profile takes one request, and only the link in its response is used.
//! - One CSRF pair serves all races. If many races need a new one, it is requested once.
//! - Every response has a size limit, and only a few are read at a time, so that a thousand races need little memory.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::{Mutex, MutexGuard};
use reqwest::header::{ACCEPT, COOKIE, HeaderMap, LOCATION, REFERER, SET_COOKIE, USER_AGENT};
use reqwest::{Client, RequestBuilder, Response};
use tokio::sync::Semaphore;
use url::Url;

use super::link::append;
use super::{
    LinkProblem, LiveTrackError, LiveTrackLink, LiveTrackPage, LiveTrackSession, PastedLink, Position,
    Trackpoint, TrackpointBatch, course, csrf_token, find, find_all, page, points,
};
use crate::base::clock::Clock;
use crate::config::GarminHosts;
use crate::garmin::http::{read_up_to, retry_after};
use crate::garmin::request::BROWSER;

/// How long a CSRF pair is used. Garmin's own limit is unknown; other clients use five minutes.
const CSRF_LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// Covers one request, from the connection to the last byte.
const TIMEOUT: Duration = Duration::from_secs(20);

const MAX_PAGE_BYTES: usize = 8 << 20;

/// A day with one point per second is about this size.
const MAX_RESPONSE_BYTES: usize = 48 << 20;

/// Upper bound of responses that are read at the same time.
const MAX_CONCURRENT_READS: usize = 12;

/// Upper bound of the pages read by one call of [`LiveTrack::points`].
const MAX_PAGES: usize = 60;

/// A response with fewer points than this is the last page.
const SHORT_PAGE: usize = 50;

/// Why a pasted link leads to no session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The text is not a usable LiveTrack link. Who can act: the person, by pasting the right one.
    #[error(transparent)]
    Bad(#[from] LinkProblem),
    /// The short link or the profile leads to no session. Who can act: the person, by checking that LiveTrack is
    /// running.
    #[error(
        "the link leads to no LiveTrack session. Check that LiveTrack is running, or paste the link from Garmin's e-mail"
    )]
    NoSession,
    /// Garmin did not resolve the link.
    #[error("the link cannot be followed now: {0}")]
    Failed(#[from] LiveTrackError),
}

/// LiveTrack over HTTP. Clones share everything.
#[derive(Clone, Debug)]
pub struct LiveTrack(Arc<LiveTrackState>);

#[derive(Debug)]
struct LiveTrackState {
    http: Client,
    hosts: GarminHosts,
    clock: Clock,
    pair: Mutex<Option<CsrfPair>>,
    bootstrap: tokio::sync::Mutex<()>,
    reading: Semaphore,
}

/// The CSRF token and the cookies from a session's page, which the JSON interface requires.
#[derive(Clone, Debug)]
struct CsrfPair {
    csrf: String,
    cookies: String,
    made_at: Timestamp,
}

impl LiveTrack {
    /// Creates a client; `http` comes from [`crate::garmin::client`].
    pub fn new(http: Client, hosts: GarminHosts, clock: Clock) -> Self {
        Self(Arc::new(LiveTrackState {
            http,
            hosts,
            clock,
            pair: Mutex::new(None),
            bootstrap: tokio::sync::Mutex::new(()),
            reading: Semaphore::new(MAX_CONCURRENT_READS),
        }))
    }

    /// Finds the link in pasted text, without a request.
    pub fn find(&self, text: &str) -> Result<PastedLink, LinkProblem> {
        find(text, &self.0.hosts)
    }

    /// Finds the distinct links in pasted text, the complete ones first, without a request.
    pub fn find_all(&self, text: &str) -> Result<Vec<PastedLink>, LinkProblem> {
        find_all(text, &self.0.hosts)
    }

    /// The session that a pasted link leads to. A short link is resolved with a request.
    pub async fn resolve(&self, pasted: PastedLink) -> Result<LiveTrackLink, ResolveError> {
        let hosts = &self.0.hosts;
        let (host, path) = match pasted {
            PastedLink::Complete(link) => return Ok(link),
            PastedLink::Short(code) => ("https://gar.mn", code),
            PastedLink::Profile(name) => ("https://live.garmin.com", name),
        };
        let base = if hosts.is_simulated() {
            hosts.livetrack.clone()
        } else {
            Url::parse(host).map_err(|_| ResolveError::NoSession)?
        };
        let request = self.0.http.get(append(&base, &[&path]));
        let response = self.send(request.header(ACCEPT, "text/html")).await?;
        let led_to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
        let text = match led_to {
            Some(to) => to.to_owned(),
            None if response.status().is_success() => self.text(response).await?,
            None => {
                return Err(self
                    .refusal(&response)
                    .map_or(ResolveError::NoSession, unknown_is_none));
            }
        };
        match find(&text, hosts) {
            Ok(PastedLink::Complete(link)) => Ok(link),
            _ => Err(ResolveError::NoSession),
        }
    }

    pub async fn session(&self, link: &LiveTrackLink) -> Result<LiveTrackSession, LiveTrackError> {
        LiveTrackSession::read(
            &self
                .get(link, &["api", "sessions", &link.session_id], None)
                .await?,
        )
    }

    /// All points from `begin` on (`None`: from the start). The result may include a point at `begin` itself.
    pub async fn points(
        &self,
        link: &LiveTrackLink,
        begin: Option<Timestamp>,
    ) -> Result<TrackpointBatch, LiveTrackError> {
        let path = ["api", "sessions", &link.session_id, "track-points", "common"];
        let mut all = TrackpointBatch::default();
        let mut begin = begin;
        for _ in 0..MAX_PAGES {
            let part = points(&self.get(link, &path, begin).await?)?;
            let newest = part.points.iter().map(|point: &Trackpoint| point.at).max();
            let is_last = part.points.len() < SHORT_PAGE
                || newest.is_none_or(|newest| begin.is_some_and(|b| newest <= b));
            all.unreadable += part.unreadable;
            all.points.extend(part.points);
            if is_last {
                break;
            }
            begin = newest.map(|newest| newest + SignedDuration::from_millis(1));
        }
        Ok(all)
    }

    /// The points of the course that the athlete follows; empty without a course.
    pub async fn course(&self, link: &LiveTrackLink) -> Result<Vec<Position>, LiveTrackError> {
        course(
            &self
                .get(
                    link,
                    &["api", "v1", "sessions", &link.session_id, "courses"],
                    None,
                )
                .await?,
        )
    }

    /// The data inside the page of the session, as the last resort. Errors: [`LiveTrackError::Changed`] when the page
    /// holds no known data.
    pub async fn page(&self, link: &LiveTrackLink) -> Result<LiveTrackPage, LiveTrackError> {
        let found = page(&self.bootstrap(link).await?);
        if found.session.is_none() && found.points.is_empty() {
            return Err(LiveTrackError::Changed("page"));
        }
        Ok(found)
    }

    /// Requests JSON, and retries once with a new CSRF pair if Garmin refuses the old one.
    async fn get(
        &self,
        link: &LiveTrackLink,
        path: &[&str],
        begin: Option<Timestamp>,
    ) -> Result<Vec<u8>, LiveTrackError> {
        let mut url = append(&self.0.hosts.livetrack, path);
        url.query_pairs_mut().append_pair("token", link.token.expose());
        if let Some(begin) = begin {
            url.query_pairs_mut().append_pair("begin", &format!("{begin:.3}"));
        }
        let mut refused = None;
        for _ in 0..2 {
            let pair = self.pair(link, refused.take()).await?;
            let request = self
                .0
                .http
                .get(url.clone())
                .header("Livetrack-Csrf-Token", &pair.csrf)
                .header(COOKIE, &pair.cookies)
                .header(ACCEPT, "application/json, text/plain, */*")
                .header(REFERER, link.url(&self.0.hosts.livetrack).as_str());
            let _permit = self.0.reading.acquire().await;
            let response = self.send(request).await?;
            match self.refusal(&response) {
                None => return read(response, MAX_RESPONSE_BYTES).await,
                Some(LiveTrackError::Refused) => refused = Some(pair.csrf),
                Some(failure) => return Err(failure),
            }
        }
        Err(LiveTrackError::Refused)
    }

    /// A CSRF pair that has not expired and is not the `refused` one.
    async fn pair(&self, link: &LiveTrackLink, refused: Option<String>) -> Result<CsrfPair, LiveTrackError> {
        let known = || {
            let now = self.0.clock.now();
            self.kept().clone().filter(|pair| {
                now.duration_since(pair.made_at) < CSRF_LIFETIME && Some(&pair.csrf) != refused.as_ref()
            })
        };
        if let Some(pair) = known() {
            return Ok(pair);
        }
        // A second caller finds the pair that the first one fetched.
        let _one = self.0.bootstrap.lock().await;
        if let Some(pair) = known() {
            return Ok(pair);
        }
        self.bootstrap(link).await?;
        known().ok_or(LiveTrackError::Changed("meta[name=csrf-token]"))
    }

    /// Fetches the page of the session, stores its CSRF pair, and returns the page.
    async fn bootstrap(&self, link: &LiveTrackLink) -> Result<String, LiveTrackError> {
        let request = self.0.http.get(link.url(&self.0.hosts.livetrack));
        let response = self.send(request.header(ACCEPT, "text/html")).await?;
        if let Some(failure) = self.refusal(&response) {
            return Err(failure);
        }
        let cookies = cookies(response.headers());
        let html = self.text(response).await?;
        if let Some(csrf) = csrf_token(&html) {
            *self.kept() = Some(CsrfPair {
                csrf,
                cookies,
                made_at: self.0.clock.now(),
            });
        }
        Ok(html)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, LiveTrackError> {
        let request = request.header(USER_AGENT, BROWSER).timeout(TIMEOUT);
        request.send().await.map_err(|_| LiveTrackError::Unreachable)
    }

    async fn text(&self, response: Response) -> Result<String, LiveTrackError> {
        Ok(String::from_utf8_lossy(&read(response, MAX_PAGE_BYTES).await?).into_owned())
    }

    fn kept(&self) -> MutexGuard<'_, Option<CsrfPair>> {
        self.0.pair.lock()
    }

    /// The error for a status other than success.
    fn refusal(&self, response: &Response) -> Option<LiveTrackError> {
        match response.status().as_u16() {
            200..=299 => None,
            401 | 403 => Some(LiveTrackError::Refused),
            404 | 410 => Some(LiveTrackError::Gone),
            429 => Some(LiveTrackError::RateLimited {
                retry_after: retry_after(response.headers(), self.0.clock.now()),
            }),
            other => Some(LiveTrackError::Server(other)),
        }
    }
}

fn unknown_is_none(failure: LiveTrackError) -> ResolveError {
    match failure {
        LiveTrackError::Gone => ResolveError::NoSession,
        other => ResolveError::Failed(other),
    }
}

/// The `Cookie` header that returns the cookies of these `Set-Cookie` headers.
fn cookies(headers: &HeaderMap) -> String {
    let pairs = headers.get_all(SET_COOKIE).iter().filter_map(|value| {
        let pair = value.to_str().ok()?.split(';').next()?.trim();
        (pair.len() <= 4096).then_some(pair)
    });
    pairs.take(16).collect::<Vec<_>>().join("; ")
}

async fn read(mut response: Response, limit: usize) -> Result<Vec<u8>, LiveTrackError> {
    match read_up_to(&mut response, limit).await {
        Ok(Some(body)) => Ok(body),
        Ok(None) => Err(LiveTrackError::Changed("size")),
        Err(_) => Err(LiveTrackError::Unreachable),
    }
}
