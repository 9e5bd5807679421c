//! Everything that the pretend Garmin knows, and the way from a request to a reply.

use std::collections::VecDeque;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use super::data::{self, DataRequest};
use super::faults::{Fault, FaultRule, Faults, Place};
use super::livetrack::{LiveTrack, without_token};
use super::people::Person;
use super::reply::{Asked, Reply};
use super::sso::{self, Desk, Sso};
use super::token_service::{Act, Bearer, Mint, Terms, TokenService};

/// How many requests are remembered.
const REMEMBERED: usize = 10_000;

/// A request as it is remembered: nothing that was typed, no token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recorded {
    /// `GET`, `POST`, …
    pub method: String,
    /// As it came, but for a token.
    pub path: String,
    /// As it came, without the question mark and a token.
    pub query: String,
    /// For whom, as far as the request told: an e-mail, or the session of LiveTrack.
    pub person: Option<String>,
    /// What was answered.
    pub status: u16,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) people: Vec<Person>,
    pub(super) faults: Faults,
    pub(super) tokens: TokenService,
    pub(super) livetrack: LiveTrack,
    pub(super) recorded: VecDeque<Recorded>,
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
            livetrack: LiveTrack::new(seed),
            recorded: VecDeque::new(),
            sso: Sso::default(),
            mint: Mint::new(seed),
            token_life,
        }
    }

    /// Answers a request to any of Garmin's hosts: their paths don't meet.
    pub(super) fn answer(&mut self, asked: &Asked, now: Timestamp) -> Reply {
        let (place, person) = self.place(asked, now);
        let reply = self.reply(place, person.as_deref(), asked, now);
        if self.recorded.len() == REMEMBERED {
            self.recorded.pop_front();
        }
        self.recorded.push_back(Recorded {
            method: asked.method.clone(),
            path: without_token(&asked.path),
            query: without_token(&asked.query),
            person,
            status: reply.status,
        });
        reply
    }

    fn place(&self, asked: &Asked, now: Timestamp) -> (Place, Option<String>) {
        if let Some(livetrack) = self.livetrack.place(&asked.path) {
            return livetrack;
        }
        let place = match asked.path.as_str() {
            "/mobile/api/login" => Place::Mobile,
            "/portal/api/login" | "/portal/sso/en-US/sign-in" => Place::Portal,
            "/mobile/api/mfa/verifyCode"
            | "/portal/api/mfa/verifyCode"
            | "/sso/verifyMFA/loginEnterMfaCode" => Place::Verify,
            path if path.starts_with("/sso/") => Place::Widget,
            "/di-oauth2-service/oauth/token" => {
                let (act, person) = self.tokens.act(asked);
                return (
                    if act == Act::Refresh {
                        Place::Refresh
                    } else {
                        Place::Exchange
                    },
                    person,
                );
            }
            _ => {
                let person = match self.tokens.bearer(asked.header("authorization"), now) {
                    Bearer::Good(email) => Some(email),
                    Bearer::NotActive => None,
                };
                return (Place::Api, person);
            }
        };
        (place, self.sso.email(asked))
    }

    fn reply(&mut self, place: Place, person: Option<&str>, asked: &Asked, now: Timestamp) -> Reply {
        let planned = self.livetrack.fault(place, person, now);
        let mut strike = |wanted: fn(Place, &Fault) -> bool| {
            self.strike(place, asked, person, |fault| wanted(place, fault))
                .or_else(|| planned.clone().filter(|fault| wanted(place, fault)))
        };
        let delay_ms = match strike(|_, fault| matches!(fault, Fault::Slow { .. })) {
            Some(Fault::Slow { ms }) => ms,
            _ => 0,
        };
        let instead = strike(|place, fault| replacement(place, fault).is_some());
        if let Some(reply) = instead.and_then(|fault| replacement(place, &fault)) {
            return Reply { delay_ms, ..reply };
        }
        let changed = strike(|_, fault| *fault == Fault::ChangedShape).is_some();
        let hangs_up = strike(|_, fault| *fault == Fault::HangUp).is_some();
        let reply = self.usual(place, person, asked, now);
        let reply = if changed {
            changed_shape(place, reply)
        } else {
            reply
        };
        Reply {
            hangs_up,
            delay_ms,
            ..reply
        }
    }

    fn strike(
        &mut self,
        place: Place,
        asked: &Asked,
        person: Option<&str>,
        wanted: impl Fn(&Fault) -> bool,
    ) -> Option<Fault> {
        self.faults.strike(place, &asked.path, person, wanted)
    }

    /// The answer of a Garmin that works.
    fn usual(&mut self, place: Place, person: Option<&str>, asked: &Asked, now: Timestamp) -> Reply {
        match place {
            Place::Exchange | Place::Refresh => return self.token_answer(place, person, asked, now),
            Place::Api | Place::Anywhere => return self.api_answer(person, asked, now),
            Place::LivetrackPage
            | Place::LivetrackSession
            | Place::LivetrackPoints
            | Place::LivetrackCourse => return self.livetrack.answer(asked, now),
            Place::Mobile | Place::Widget | Place::Portal | Place::Verify => {}
        }
        // A page is no sign-in yet: its faults are those above.
        let is_submission = asked.method == "POST";
        let fault = self.strike(place, asked, person, |fault| {
            is_submission && matches!(fault, Fault::TokenNotAccepted | Fault::Locked)
        });
        let Self {
            people,
            sso,
            mint,
            tokens,
            ..
        } = self;
        let mut desk = Desk {
            people,
            mint,
            tokens,
            fault,
        };
        match (asked.method.as_str(), asked.path.as_str()) {
            ("POST", "/mobile/api/login") => sso.login(&mut desk, asked, false),
            ("POST", "/portal/api/login") => sso.login(&mut desk, asked, true),
            ("POST", "/mobile/api/mfa/verifyCode") => sso.verify(&mut desk, asked, false),
            ("POST", "/portal/api/mfa/verifyCode") => sso.verify(&mut desk, asked, true),
            ("GET", "/portal/sso/en-US/sign-in") => sso.portal_page(&mut desk),
            ("GET", "/sso/embed") => sso.embed(&mut desk),
            ("GET", "/sso/signin") => sso.form(&mut desk, asked),
            ("POST", "/sso/signin") => sso.submit(&mut desk, asked),
            ("POST", "/sso/verifyMFA/mfaCode") => sso.send_code(asked),
            ("POST", "/sso/verifyMFA/loginEnterMfaCode") => sso.enter_code(&mut desk, asked),
            _ => Reply::empty(405),
        }
    }

    fn token_answer(&mut self, place: Place, person: Option<&str>, asked: &Asked, now: Timestamp) -> Reply {
        let lasts = match self.strike(place, asked, person, |fault| {
            matches!(fault, Fault::ShortLived { .. })
        }) {
            Some(Fault::ShortLived { seconds }) => SignedDuration::from_secs(seconds.into()),
            _ => self.token_life,
        };
        let keeps_refresh_token = self
            .strike(place, asked, person, |fault| *fault == Fault::NoRotation)
            .is_some();
        let retired = match self.strike(place, asked, person, |fault| {
            matches!(fault, Fault::ClientIdRefused { .. })
        }) {
            Some(Fault::ClientIdRefused { ids }) => ids,
            _ => vec![],
        };
        let terms = Terms {
            lasts,
            keeps_refresh_token,
            now,
        };
        self.tokens.answer(&mut self.mint, asked, terms, &retired)
    }

    fn api_answer(&mut self, person: Option<&str>, asked: &Asked, now: Timestamp) -> Reply {
        let refused = self
            .strike(Place::Api, asked, person, |fault| {
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
            return Reply::api_error(401, "NotAuthorizedException", "HTTP 401 Unauthorized")
                .header("www-authenticate", challenge);
        };
        let request = DataRequest {
            method: &asked.method,
            path: &asked.path,
            query: &asked.query,
        };
        let today = now.to_zoned(TimeZone::UTC).date();
        match data::answer(&person.data, &request, today) {
            Some(data::DataResponse {
                status,
                body: Some(body),
            }) => Reply::json(status, &body),
            Some(data::DataResponse { status, body: None }) => Reply::empty(status),
            None => Reply::api_error(404, "NotFoundException", "HTTP 404 Not Found"),
        }
    }
}

/// What is answered instead of the usual, for a fault that leaves nothing of it.
fn replacement(place: Place, fault: &Fault) -> Option<Reply> {
    let speaks_json = !matches!(place, Place::Widget | Place::LivetrackPage);
    Some(match fault {
        Fault::RateLimited { in_body: true, .. } => Reply::json(
            200,
            &json!({"error": {"status-code": "429", "request-id": "simulated"}}),
        ),
        Fault::RateLimited { retry_after_s, .. } => {
            let reply = Reply::json(429, &json!({"error": {"status-code": "429"}}));
            match retry_after_s {
                Some(seconds) => reply.header("retry-after", seconds.to_string()),
                None => reply,
            }
        }
        Fault::Captcha if speaks_json => Reply::json(200, &sso::status("CAPTCHA_REQUIRED")),
        Fault::Captcha => sso::challenge_page(403),
        Fault::ChallengePage { status } => sso::challenge_page(*status),
        Fault::Status { status } => Reply::json(*status, &json!({})),
        _ => return None,
    })
}

/// The same answer, told in a way that nobody knows.
fn changed_shape(place: Place, reply: Reply) -> Reply {
    let body = if matches!(place, Place::Widget | Place::LivetrackPage) {
        "<html><title>Welcome</title></html>".into()
    } else {
        let old: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        json!({"v2": old}).to_string().into()
    };
    Reply { body, ..reply }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::simulator::demo_people;

    fn now() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    fn world() -> World {
        World::new(demo_people(), vec![], 1, SignedDuration::from_hours(1))
    }

    fn post(path: &str, body: impl Into<bytes::Bytes>) -> Asked {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (path, query) = (path.to_owned(), query.to_owned());
        Asked {
            method: "POST".to_owned(),
            path,
            query,
            body: body.into(),
            headers: HashMap::new(),
        }
    }

    fn get(path: &str, bearer: &str) -> Asked {
        let headers = HashMap::from([("authorization".to_owned(), format!("Bearer {bearer}"))]);
        Asked {
            method: "GET".to_owned(),
            path: path.to_owned(),
            headers,
            ..Asked::default()
        }
    }

    fn body(reply: &Reply) -> Value {
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// Ann's tokens, as the service gives them out.
    fn tokens(world: &mut World) -> Value {
        let service = "https://mobile.integration.garmin.com/gcm/ios";
        let login = post(
            &format!("/mobile/api/login?clientId=GCM_IOS_DARK&service={service}"),
            r#"{"username":"ann@example.org","password":"demo-ann","rememberMe":true}"#,
        );
        let ticket = body(&world.answer(&login, now()))["serviceTicketId"]
            .as_str()
            .unwrap()
            .to_owned();
        let form = format!(
            "client_id=GARMIN_CONNECT_MOBILE_IOS_DI&service_ticket={ticket}&service_url={service}\
             &grant_type=https://connectapi.garmin.com/di-oauth2-service/oauth/grant/service_ticket"
        );
        body(&world.answer(&token_request(form), now()))
    }

    fn token_request(form: String) -> Asked {
        let mut asked = post("/di-oauth2-service/oauth/token", form);
        // base64("GARMIN_CONNECT_MOBILE_IOS_DI:")
        asked.headers.insert(
            "authorization".to_owned(),
            "Basic R0FSTUlOX0NPTk5FQ1RfTU9CSUxFX0lPU19ESTo=".to_owned(),
        );
        asked
    }

    fn refresh_request(token: &Value) -> Asked {
        let token = token.as_str().unwrap();
        token_request(format!(
            "grant_type=refresh_token&client_id=GARMIN_CONNECT_MOBILE_IOS_DI&refresh_token={token}"
        ))
    }

    #[test]
    fn a_spent_refresh_token_is_refused_in_garmins_words() {
        let mut world = world();
        let first = tokens(&mut world);
        let second = body(&world.answer(&refresh_request(&first["refresh_token"]), now()));
        assert_ne!(second["refresh_token"], first["refresh_token"]);
        let again = world.answer(&refresh_request(&first["refresh_token"]), now());
        let spent = first["refresh_token"].as_str().unwrap();
        assert_eq!(again.status, 400);
        assert_eq!(
            body(&again),
            json!({"error": "invalid_grant", "error_description": format!("Invalid refresh token: {spent}")})
        );
        assert_eq!(world.tokens.live_refresh_tokens("ann@example.org").len(), 1);
    }

    #[test]
    fn the_api_wants_a_token_that_is_known_and_not_over() {
        let mut world = world();
        let tokens = tokens(&mut world);
        let path = "/userprofile-service/socialProfile";
        let asked = get(path, tokens["access_token"].as_str().unwrap());
        assert_eq!(body(&world.answer(&asked, now()))["displayName"], "ann1");
        let hour_later = now() + SignedDuration::from_hours(1);
        for (asked, when) in [(&asked, hour_later), (&get(path, "made.up.token"), now())] {
            let reply = world.answer(asked, when);
            assert_eq!(reply.status, 401);
            let (_, challenge) = reply
                .headers
                .iter()
                .find(|(name, _)| *name == "www-authenticate")
                .unwrap();
            assert!(challenge.contains("Token is not active"));
        }
    }

    #[test]
    fn an_empty_login_is_a_problem_of_the_client() {
        let reply = world().answer(
            &post("/mobile/api/login?clientId=GCM_IOS_DARK&service=x", ""),
            now(),
        );
        assert_eq!(
            (reply.status, reply.headers[0].1.as_str()),
            (400, "application/problem+json")
        );
    }

    #[test]
    fn a_request_is_remembered_without_what_was_typed() {
        let mut world = world();
        tokens(&mut world);
        let remembered = format!("{:?}", world.recorded);
        assert!(remembered.contains("/mobile/api/login") && !remembered.contains("demo-ann"));
    }
}
