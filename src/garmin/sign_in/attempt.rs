//! One sign-in in progress: its cookies, its pauses, and its requests.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::cookie::Jar;

use super::governor::GovernorSettings;
use super::method::SignInMethod;
use super::pause::random_duration;
use super::state::{AttemptKeys, SignInState};
use crate::config::GarminHosts;
use crate::garmin::http;
use crate::garmin::request::GarminRequest;
use crate::garmin::response::{GarminResponse, NoResponse};

pub(super) struct SignInAttempt<'a> {
    state: &'a SignInState,
    keys: AttemptKeys,
    id: &'a str,
    jar: Arc<Jar>,
    /// Whether this sign-in has been counted for the person's day.
    is_counted: bool,
}

impl<'a> SignInAttempt<'a> {
    /// Starts a sign-in, which is counted at its first request.
    pub(super) fn new(state: &'a SignInState, keys: AttemptKeys, id: &'a str) -> Self {
        Self {
            state,
            keys,
            id,
            jar: Arc::default(),
            is_counted: false,
        }
    }

    /// Continues a sign-in with a code. It was counted when it began.
    pub(super) fn resume(state: &'a SignInState, keys: AttemptKeys, id: &'a str, jar: Arc<Jar>) -> Self {
        Self {
            jar,
            is_counted: true,
            ..Self::new(state, keys, id)
        }
    }

    pub(super) fn hosts(&self) -> &'a GarminHosts {
        &self.state.hosts
    }

    /// The client ids to try at the token service.
    pub(super) fn client_ids(&self) -> Vec<String> {
        self.state.client_ids()
    }

    pub(super) fn settings(&self) -> &'a GovernorSettings {
        &self.state.settings
    }

    pub(super) fn into_cookies(self) -> Arc<Jar> {
        self.jar
    }

    /// Clears the cookies, because each method starts like a new browser.
    pub(super) fn clear_cookies(&mut self) {
        self.jar = Arc::default();
    }

    /// Waits for a random time within `range`.
    pub(super) async fn pause(&self, range: &RangeInclusive<Duration>) {
        let wait = random_duration(range);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Sends with the cookies of this sign-in. `method`: the sign-in method that a 429 throttles.
    pub(super) async fn send(
        &mut self,
        method: SignInMethod,
        request: GarminRequest,
    ) -> Result<GarminResponse, NoResponse> {
        let jar = Arc::clone(&self.jar);
        self.send_counted(Some(method), request, Some(&jar)).await
    }

    /// Sends without cookies, to the token service and the API. A 429 throttles all methods, because all of them need
    /// these hosts.
    pub(super) async fn send_without_cookies(
        &mut self,
        request: GarminRequest,
    ) -> Result<GarminResponse, NoResponse> {
        self.send_counted(None, request, None).await
    }

    async fn send_counted(
        &mut self,
        method: Option<SignInMethod>,
        request: GarminRequest,
        jar: Option<&Jar>,
    ) -> Result<GarminResponse, NoResponse> {
        let (state, AttemptKeys { person, source, .. }) = (self.state, self.keys);
        // Count the attempt before sending it, so that a crash or a closed tab still counts.
        let is_first = !std::mem::replace(&mut self.is_counted, true);
        if is_first {
            let now = state.clock.now();
            state.governor().count_attempt(person, source, now);
            state.save(person).await;
        }
        let (path, started) = (request.url.path().to_owned(), Instant::now());
        let sent = http::send(&state.http, request, jar, state.clock.now()).await;
        tracing::debug!(
            status = sent.as_ref().map_or(0, |response| response.status),
            path,
            sign_in.id = self.id,
            ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "garmin.answered"
        );
        match &sent {
            Err(NoResponse::NotConnected) if is_first => {
                self.is_counted = false;
                state.governor().uncount_attempt(person, source);
                state.save(person).await;
            }
            Ok(response) if response.is_throttle() => {
                let now = state.clock.now();
                let until = state.governor().throttled(method, response.retry_after, now);
                tracing::warn!(
                    way = method.map(SignInMethod::name), %until, sign_in.id = self.id, "garmin.throttled"
                );
                state.save(person).await;
            }
            _ => {}
        }
        sent
    }
}
