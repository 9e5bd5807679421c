//! The HTTP side of LiveTrack: bootstrap, session, points, course, and the page as the last resort (D.3).
//!
//! Invariants:
//! - Only Garmin's LiveTrack host is asked, by URLs built from id and token; no redirect is followed. A short link or a
//!   profile is asked for once, and only the link in its answer is taken.
//! - One CSRF pair serves all races. It is asked for once however many need it, and again when Garmin refuses it.
//! - No answer is read past its limit, and never more than some at a time, so that a thousand races stay small.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{ACCEPT, COOKIE, HeaderMap, LOCATION, REFERER, SET_COOKIE, USER_AGENT};
use reqwest::{Client, RequestBuilder, Response};
use tokio::sync::Semaphore;
use url::Url;

use super::link::at;
use super::{
    LinkProblem, LiveTrackError, LiveTrackLink, LiveTrackPage, LiveTrackSession, PastedLink, Position,
    Trackpoint, TrackpointBatch, course, csrf_token, find, page, points,
};
use crate::base::clock::Clock;
use crate::config::GarminHosts;
use crate::garmin::http::retry_after;
use crate::garmin::wire::BROWSER;

/// How long a pair is used. Garmin's own time is not known; clients use five minutes.
const PAIR_LASTS: SignedDuration = SignedDuration::from_mins(5);

/// One request of LiveTrack, from connection to the last byte.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The largest page, and the largest answer: a day with a point a second.
const LARGEST_PAGE: usize = 8 << 20;
const LARGEST_ANSWER: usize = 48 << 20;

/// Answers that are read at the same time.
const AT_ONCE: usize = 12;

/// How many pages of points are read in one go.
const MOST_PAGES: usize = 60;

/// An answer with fewer points than this was the last page.
const SHORT_PAGE: usize = 50;

/// Why a pasted link leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// It is none, or leads elsewhere. The person: paste the right one.
    #[error(transparent)]
    Bad(#[from] LinkProblem),
    /// The short link or the profile leads to no session. The person: is LiveTrack running?
    #[error(
        "the link leads to no LiveTrack session; is it running? Paste the link from Garmin's e-mail instead"
    )]
    NoSession,
    /// Garmin did not answer as it should.
    #[error("the link can't be followed now: {0}")]
    Failed(#[from] LiveTrackError),
}

/// LiveTrack over HTTP. Clones are the same.
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

/// What a page gives that opens the interface.
#[derive(Clone, Debug)]
struct CsrfPair {
    csrf: String,
    cookies: String,
    made_at: Timestamp,
}

impl LiveTrack {
    /// `http` is [`crate::garmin::client`]'s.
    pub fn new(http: Client, hosts: GarminHosts, clock: Clock) -> Self {
        Self(Arc::new(LiveTrackState {
            http,
            hosts,
            clock,
            pair: Mutex::new(None),
            bootstrap: tokio::sync::Mutex::new(()),
            reading: Semaphore::new(AT_ONCE),
        }))
    }

    /// The link in what a person pasted; a short one is looked up.
    pub async fn resolve(&self, text: &str) -> Result<LiveTrackLink, ResolveError> {
        let hosts = &self.0.hosts;
        let (host, path) = match find(text, hosts)? {
            PastedLink::Link(link) => return Ok(link),
            PastedLink::Short(code) => ("https://gar.mn", code),
            PastedLink::Profile(name) => ("https://live.garmin.com", name),
        };
        let base = if hosts.is_simulated() {
            hosts.livetrack.clone()
        } else {
            Url::parse(host).map_err(|_| ResolveError::NoSession)?
        };
        let request = self.0.http.get(at(&base, &[&path]));
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
        match find(&text.replace("\\/", "/"), hosts) {
            Ok(PastedLink::Link(link)) => Ok(link),
            _ => Err(ResolveError::NoSession),
        }
    }

    /// Who, since when, until when.
    pub async fn session(&self, link: &LiveTrackLink) -> Result<LiveTrackSession, LiveTrackError> {
        LiveTrackSession::read(
            &self
                .get(link, &["api", "sessions", &link.session_id], None)
                .await?,
        )
    }

    /// The points from `begin` on (`None`: all that there are), all pages of them. A point at `begin` itself may be
    /// there or not.
    pub async fn points(
        &self,
        link: &LiveTrackLink,
        begin: Option<Timestamp>,
    ) -> Result<TrackpointBatch, LiveTrackError> {
        let path = ["api", "sessions", &link.session_id, "track-points", "common"];
        let mut all = TrackpointBatch::default();
        let mut begin = begin;
        for _ in 0..MOST_PAGES {
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

    /// The places of the course that the athlete follows; empty when there is none.
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

    /// What the person's page was drawn from: the last resort. Errors: [`LiveTrackError::Changed`] when it holds nothing that
    /// we know.
    pub async fn page(&self, link: &LiveTrackLink) -> Result<LiveTrackPage, LiveTrackError> {
        let found = page(&self.bootstrap(link).await?);
        if found.session.is_none() && found.points.is_empty() {
            return Err(LiveTrackError::Changed("page"));
        }
        Ok(found)
    }

    /// Asks the interface, with a new pair if the old one is refused.
    async fn get(
        &self,
        link: &LiveTrackLink,
        path: &[&str],
        begin: Option<Timestamp>,
    ) -> Result<Vec<u8>, LiveTrackError> {
        let mut url = at(&self.0.hosts.livetrack, path);
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
            let _place = self.0.reading.acquire().await;
            let response = self.send(request).await?;
            match self.refusal(&response) {
                None => return read(response, LARGEST_ANSWER).await,
                Some(LiveTrackError::Refused) => refused = Some(pair.csrf),
                Some(failure) => return Err(failure),
            }
        }
        Err(LiveTrackError::Refused)
    }

    /// A pair that is not too old, nor the one that was refused.
    async fn pair(&self, link: &LiveTrackLink, refused: Option<String>) -> Result<CsrfPair, LiveTrackError> {
        let known = || {
            let now = self.0.clock.now();
            self.kept().clone().filter(|pair| {
                now.duration_since(pair.made_at) < PAIR_LASTS && Some(&pair.csrf) != refused.as_ref()
            })
        };
        if let Some(pair) = known() {
            return Ok(pair);
        }
        // Whoever comes second finds what the first one fetched.
        let _one = self.0.bootstrap.lock().await;
        if let Some(pair) = known() {
            return Ok(pair);
        }
        self.bootstrap(link).await?;
        known().ok_or(LiveTrackError::Changed("meta[name=csrf-token]"))
    }

    /// Fetches the page of the link; its pair is kept. Returns the page.
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
        Ok(String::from_utf8_lossy(&read(response, LARGEST_PAGE).await?).into_owned())
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<CsrfPair>> {
        self.0.pair.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a status other than success means.
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

/// The cookies as they are sent back.
fn cookies(headers: &HeaderMap) -> String {
    let pairs = headers.get_all(SET_COOKIE).iter().filter_map(|value| {
        let pair = value.to_str().ok()?.split(';').next()?.trim();
        (pair.len() <= 4096).then_some(pair)
    });
    pairs.take(16).collect::<Vec<_>>().join("; ")
}

async fn read(mut response: Response, limit: usize) -> Result<Vec<u8>, LiveTrackError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| LiveTrackError::Unreachable)? {
        if body.len() + chunk.len() > limit {
            return Err(LiveTrackError::Changed("size"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
