//! The state of the pretend Garmin, and the routing of requests.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use super::data::{self, DataRequest};
use super::faults::{Fault, FaultRule, Faults, Place};
use super::kept::KeptChanges;
use super::livetrack::{SimulatedLiveTrack, without_token};
use super::people::Person;
use super::reply::{SimulatedRequest, SimulatedResponse};
use super::sso::{self, Sso, SsoContext};
use super::token_service::{Bearer, IssueTerms, Mint, TokenRequest, TokenService};

/// The number of requests kept for `GET /simulator/requests`.
const REMEMBERED: usize = 10_000;

/// A recorded request, without its body and without tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recorded {
    pub method: String,
    /// The path, with tokens replaced by `…`.
    pub path: String,
    /// The query without the question mark, with tokens replaced by `…`.
    pub query: String,
    /// The e-mail or the LiveTrack session that the request is for, if known.
    pub person: Option<String>,
    pub status: u16,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) people: Vec<Person>,
    pub(super) faults: Faults,
    pub(super) tokens: TokenService,
    pub(super) livetrack: SimulatedLiveTrack,
    pub(super) recorded: VecDeque<Recorded>,
    /// Documents that are served instead of computed ones, by path.
    pub(super) documents: HashMap<String, Value>,
    pub(super) kept: KeptChanges,
    sso: Sso,
    mint: Mint,
    token_life: SignedDuration,
}

impl World {
    pub(super) fn new(
        people: Vec<Person>,
        faults: Vec<FaultRule>,
        seed: u64,
        token_life: SignedDuration,
    ) -> Self {
        Self {
            people,
            faults: Faults::new(faults),
            tokens: TokenService::default(),
            livetrack: SimulatedLiveTrack::new(seed),
            recorded: VecDeque::new(),
            documents: HashMap::new(),
            kept: KeptChanges::default(),
            sso: Sso::default(),
            mint: Mint::new(seed),
            token_life,
        }
    }

    /// Answers a request to any of Garmin's hosts. Their paths do not overlap.
    pub(super) fn answer(&mut self, request: &SimulatedRequest, now: Timestamp) -> SimulatedResponse {
        let (place, person) = self.place(request, now);
        let reply = self.reply(place, person.as_deref(), request, now);
        if self.recorded.len() == REMEMBERED {
            self.recorded.pop_front();
        }
        self.recorded.push_back(Recorded {
            method: request.method.clone(),
            path: without_token(&request.path),
            query: without_token(&request.query),
            person,
            status: reply.status,
        });
        reply
    }

    fn place(&self, request: &SimulatedRequest, now: Timestamp) -> (Place, Option<String>) {
        if let Some(livetrack) = self.livetrack.place(&request.path) {
            return livetrack;
        }
        let place = match request.path.as_str() {
            "/mobile/api/login" => Place::Mobile,
            "/portal/api/login" | "/portal/sso/en-US/sign-in" => Place::Portal,
            "/mobile/api/mfa/verifyCode"
            | "/portal/api/mfa/verifyCode"
            | "/sso/verifyMFA/loginEnterMfaCode" => Place::Verify,
            path if path.starts_with("/sso/") => Place::Widget,
            "/di-oauth2-service/oauth/token" => {
                let (act, person) = self.tokens.act(request);
                return (
                    if act == TokenRequest::Refresh {
                        Place::Refresh
                    } else {
                        Place::Exchange
                    },
                    person,
                );
            }
            _ => {
                let person = match self.tokens.bearer(request.header("authorization"), now) {
                    Bearer::Good(email) => Some(email),
                    Bearer::NotActive => None,
                };
                return (Place::Api, person);
            }
        };
        (place, self.sso.email(request))
    }

    fn reply(
        &mut self,
        place: Place,
        person: Option<&str>,
        request: &SimulatedRequest,
        now: Timestamp,
    ) -> SimulatedResponse {
        let planned = self.livetrack.fault(place, person, now);
        let mut strike = |wanted: fn(Place, &Fault) -> bool| {
            self.strike(place, request, person, |fault| wanted(place, fault))
                .or_else(|| planned.clone().filter(|fault| wanted(place, fault)))
        };
        let delay_ms = match strike(|_, fault| matches!(fault, Fault::Slow { .. })) {
            Some(Fault::Slow { ms }) => ms,
            _ => 0,
        };
        let drops = strike(|_, fault| *fault == Fault::Dropped).is_some();
        if drops {
            return SimulatedResponse {
                hangs_up: true,
                delay_ms,
                ..SimulatedResponse::empty(200)
            };
        }
        let instead = strike(|place, fault| replacement(place, fault).is_some());
        if let Some(reply) = instead.and_then(|fault| replacement(place, &fault)) {
            return SimulatedResponse { delay_ms, ..reply };
        }
        let changed = strike(|_, fault| *fault == Fault::ChangedShape).is_some();
        let hangs_up = strike(|_, fault| *fault == Fault::HangUp).is_some();
        let late = strike(|_, fault| matches!(fault, Fault::LateStatus { .. }));
        let reply = self.usual(place, person, request, now);
        let reply = match late {
            Some(Fault::LateStatus { status }) => SimulatedResponse::json(status, &json!({})),
            _ => reply,
        };
        let reply = if changed {
            changed_shape(place, reply)
        } else {
            reply
        };
        SimulatedResponse {
            hangs_up,
            delay_ms,
            ..reply
        }
    }

    fn strike(
        &mut self,
        place: Place,
        request: &SimulatedRequest,
        person: Option<&str>,
        wanted: impl Fn(&Fault) -> bool,
    ) -> Option<Fault> {
        self.faults
            .strike(place, (&request.method, &request.path), person, wanted)
    }

    /// The response when no fault replaces it.
    fn usual(
        &mut self,
        place: Place,
        person: Option<&str>,
        request: &SimulatedRequest,
        now: Timestamp,
    ) -> SimulatedResponse {
        match place {
            Place::Exchange | Place::Refresh => return self.token_answer(place, person, request, now),
            Place::Api | Place::Anywhere => return self.api_answer(person, request, now),
            Place::LivetrackPage
            | Place::LivetrackSession
            | Place::LivetrackPoints
            | Place::LivetrackCourse => return self.livetrack.answer(request, now),
            Place::Mobile | Place::Widget | Place::Portal | Place::Verify => {}
        }
        // These two faults affect the submission of a form, not the page that shows it.
        let is_submission = request.method == "POST";
        let fault = self.strike(place, request, person, |fault| {
            is_submission && matches!(fault, Fault::TokenNotAccepted | Fault::Locked)
        });
        let Self {
            people,
            sso,
            mint,
            tokens,
            ..
        } = self;
        let mut context = SsoContext {
            people,
            mint,
            tokens,
            fault,
        };
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/mobile/api/login") => sso.login(&mut context, request, false),
            ("POST", "/portal/api/login") => sso.login(&mut context, request, true),
            ("POST", "/mobile/api/mfa/verifyCode") => sso.verify(&mut context, request, false),
            ("POST", "/portal/api/mfa/verifyCode") => sso.verify(&mut context, request, true),
            ("GET", "/portal/sso/en-US/sign-in" | "/sso/embed") => sso.empty_page(&mut context),
            ("GET", "/sso/signin") => sso.form(&mut context, request),
            ("POST", "/sso/signin") => sso.submit(&mut context, request),
            ("POST", "/sso/verifyMFA/mfaCode") => sso.send_code(request),
            ("POST", "/sso/verifyMFA/loginEnterMfaCode") => sso.enter_code(&mut context, request),
            _ => SimulatedResponse::empty(405),
        }
    }

    fn token_answer(
        &mut self,
        place: Place,
        person: Option<&str>,
        request: &SimulatedRequest,
        now: Timestamp,
    ) -> SimulatedResponse {
        let lasts = match self.strike(place, request, person, |fault| {
            matches!(fault, Fault::ShortLived { .. })
        }) {
            Some(Fault::ShortLived { seconds }) => SignedDuration::from_secs(seconds.into()),
            _ => self.token_life,
        };
        let keeps_refresh_token = self
            .strike(place, request, person, |fault| *fault == Fault::NoRotation)
            .is_some();
        let retired = match self.strike(place, request, person, |fault| {
            matches!(fault, Fault::ClientIdRefused { .. })
        }) {
            Some(Fault::ClientIdRefused { ids }) => ids,
            _ => vec![],
        };
        let terms = IssueTerms {
            lasts,
            keeps_refresh_token,
            now,
        };
        self.tokens.answer(&mut self.mint, request, terms, &retired)
    }

    fn api_answer(
        &mut self,
        person: Option<&str>,
        request: &SimulatedRequest,
        now: Timestamp,
    ) -> SimulatedResponse {
        let refused = self
            .strike(Place::Api, request, person, |fault| {
                *fault == Fault::TokenNotAccepted
            })
            .is_some();
        let person = person.filter(|_| !refused);
        let Some(person) = self
            .people
            .iter()
            .find(|known| person == Some(known.email.as_str()))
        else {
            let challenge = r#"Bearer error="invalid_token", error_description="Token is not active""#;
            return SimulatedResponse::api_error(401, "NotAuthorizedException", "HTTP 401 Unauthorized")
                .header("www-authenticate", challenge);
        };
        if let (Some(document), "GET") = (self.documents.get(&request.path), request.method.as_str()) {
            return SimulatedResponse::json(200, document);
        }
        let today = data::today(&person.data, now);
        if let ("GET", Some(file)) = (
            request.method.as_str(),
            data::file(&person.data, &request.path, today),
        ) {
            return SimulatedResponse::file(file.content_type, file.bytes);
        }
        let computed = |path: &str, query: &str| {
            let method = "GET";
            data::answer(&person.data, &DataRequest { method, path, query }, today)
        };
        let not_found = || SimulatedResponse::api_error(404, "NotFoundException", "HTTP 404 Not Found");
        if request.method != "GET" {
            let read = |target: &str| {
                let (path, query) = target.split_once('?').unwrap_or((target, ""));
                let response = computed(path, query)?;
                response.body.filter(|_| response.status < 300)
            };
            let changed = self.kept.change(&person.email, request, &read);
            return changed.unwrap_or_else(not_found);
        }
        let (status, body) = match computed(&request.path, &request.query) {
            // A refusal stays a refusal. Only a 404 may become a document that the person has created.
            Some(response) if response.status < 300 => (response.status, response.body),
            Some(response) if response.status != 404 => {
                return SimulatedResponse::json(response.status, &response.body.unwrap_or_default());
            }
            _ => (404, None),
        };
        match self
            .kept
            .document(&person.email, &request.path, &request.query, body)
        {
            Some(body) => SimulatedResponse::json(200, &body),
            None if status == 404 => not_found(),
            None if self.kept.hides(&person.email, &request.path) => not_found(),
            None => SimulatedResponse::empty(status),
        }
    }
}

/// The response of a fault that replaces the usual one; `None` for a fault that only changes it.
fn replacement(place: Place, fault: &Fault) -> Option<SimulatedResponse> {
    let speaks_json = !matches!(place, Place::Widget | Place::LivetrackPage);
    Some(match fault {
        Fault::RateLimited { in_body: true, .. } => SimulatedResponse::json(
            200,
            &json!({"error": {"status-code": "429", "request-id": "simulated"}}),
        ),
        Fault::RateLimited { retry_after_s, .. } => {
            let reply = SimulatedResponse::json(429, &json!({"error": {"status-code": "429"}}));
            match retry_after_s {
                Some(seconds) => reply.header("retry-after", seconds.to_string()),
                None => reply,
            }
        }
        Fault::Captcha if speaks_json => SimulatedResponse::json(200, &sso::status("CAPTCHA_REQUIRED")),
        Fault::Captcha => sso::challenge_page(403),
        Fault::ChallengePage { status } => sso::challenge_page(*status),
        Fault::Status { status } => SimulatedResponse::json(*status, &json!({})),
        _ => return None,
    })
}

/// The same response in a shape that no client knows.
fn changed_shape(place: Place, reply: SimulatedResponse) -> SimulatedResponse {
    let body = if matches!(place, Place::Widget | Place::LivetrackPage) {
        "<html><title>Welcome</title></html>".into()
    } else {
        let old: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        json!({"v2": old}).to_string().into()
    };
    SimulatedResponse { body, ..reply }
}
