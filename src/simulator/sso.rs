//! The pretend single sign-on: the two JSON APIs and the widget's pages. One session cookie ties the steps together.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::faults::Fault;
use super::people::{MfaBy, Person};
use super::reply::{SimulatedRequest, SimulatedResponse};
use super::token_service::{Mint, TokenService};

/// The name of the session cookie.
const SESSION: &str = "SESSION";

#[derive(Debug, Default)]
pub(super) struct Sso {
    sessions: HashMap<String, SsoSession>,
}

#[derive(Debug, Default)]
struct SsoSession {
    /// The CSRF token that the widget's form must send.
    csrf: String,
    /// A sign-in whose password was correct and which still needs an MFA code.
    pending: Option<AwaitedCode>,
}

#[derive(Debug)]
struct AwaitedCode {
    email: String,
    /// Whether the API will accept the tokens of this sign-in.
    is_active: bool,
    /// Whether the code was sent. The widget sends an e-mail only on request.
    was_sent: bool,
    service: String,
}

/// What a sign-in request has access to.
pub(super) struct SsoContext<'a> {
    pub(super) people: &'a [Person],
    pub(super) mint: &'a mut Mint,
    pub(super) tokens: &'a mut TokenService,
    /// A fault that changes the outcome without replacing the response.
    pub(super) fault: Option<Fault>,
}

impl SsoContext<'_> {
    fn person(&self, email: &str) -> Option<&Person> {
        self.people
            .iter()
            .find(|person| person.email.eq_ignore_ascii_case(email.trim()))
    }

    fn tokens_are_good(&self) -> bool {
        self.fault != Some(Fault::TokenNotAccepted)
    }

    fn ticket(&mut self, email: &str, service: &str, is_active: bool) -> String {
        self.tokens.ticket(self.mint, email, service, is_active)
    }
}

enum PasswordCheck {
    Right(Person),
    Wrong,
    Locked,
}

fn judge(context: &SsoContext<'_>, email: &str, password: &str) -> PasswordCheck {
    match context.person(email) {
        Some(person) if person.is_locked || context.fault == Some(Fault::Locked) => PasswordCheck::Locked,
        Some(person) if person.password == password => PasswordCheck::Right(person.clone()),
        _ => PasswordCheck::Wrong,
    }
}

impl Sso {
    /// The e-mail that a request is for, from its body or from its session.
    pub(super) fn email(&self, request: &SimulatedRequest) -> Option<String> {
        let typed = request
            .json()
            .and_then(|json| json.get("username")?.as_str().map(str::to_owned));
        typed.or_else(|| request.field("username")).or_else(|| {
            let session = self.sessions.get(request.cookie(SESSION)?)?;
            Some(session.pending.as_ref()?.email.clone())
        })
    }

    /// `GET /portal/sso/en-US/sign-in` and `/sso/embed`: an empty page that sets the session cookie.
    pub(super) fn empty_page(&mut self, context: &mut SsoContext<'_>) -> SimulatedResponse {
        self.with_session(
            context.mint,
            SimulatedResponse::html(200, page("GARMIN Authentication Application", "")),
        )
    }

    /// `POST /mobile/api/login` and `/portal/api/login`: checks the password.
    pub(super) fn login(
        &mut self,
        context: &mut SsoContext<'_>,
        request: &SimulatedRequest,
        is_portal: bool,
    ) -> SimulatedResponse {
        let body = request.json().unwrap_or_default();
        let text = |key: &str| {
            body.get(key)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let (Some(email), Some(password)) = (text("username"), text("password")) else {
            return SimulatedResponse::problem();
        };
        let (Some(service), true) = (request.parameter("service"), is_known_client(request, is_portal))
        else {
            return SimulatedResponse::problem();
        };
        // The portal's API accepts only requests from its own page, which has set the cookie.
        if is_portal && !self.knows(request) {
            return challenge_page(403);
        }
        let person = match judge(context, email, password) {
            PasswordCheck::Locked => return SimulatedResponse::json(200, &status("ACCOUNT_LOCKED")),
            PasswordCheck::Wrong => {
                return SimulatedResponse::json(401, &status("INVALID_USERNAME_PASSWORD"));
            }
            PasswordCheck::Right(person) => person,
        };
        let is_active = context.tokens_are_good();
        let Some(mfa) = &person.mfa else {
            let ticket = context.ticket(&person.email, &service, is_active);
            return SimulatedResponse::json(200, &success(&ticket, &service));
        };
        let (id, session) = self.session(context.mint, request);
        session.pending = Some(AwaitedCode {
            email: person.email.clone(),
            is_active,
            was_sent: true,
            service,
        });
        let method = if mfa.method == MfaBy::Email {
            "email"
        } else {
            "totp"
        };
        let mut answer = status("MFA_REQUIRED");
        set(
            &mut answer,
            "customerMfaInfo",
            json!({
                "email": person.masked_email(),
                "phoneNumber": null,
                "mfaLastMethodUsed": method,
                "defaultMfaMethod": method,
                "mfaUISetting": {"allowPhoneOption": false, "allowAddEmailAddress": false, "chooseDifferentWayShown": false},
            }),
        );
        SimulatedResponse::json(200, &answer).header("set-cookie", cookie(&id))
    }

    /// `POST /mobile/api/mfa/verifyCode` and `/portal/api/mfa/verifyCode`: checks the MFA code.
    pub(super) fn verify(
        &mut self,
        context: &mut SsoContext<'_>,
        request: &SimulatedRequest,
        is_portal: bool,
    ) -> SimulatedResponse {
        let body = request.json().unwrap_or_default();
        let Some(code) = body.get("mfaVerificationCode").and_then(Value::as_str) else {
            return SimulatedResponse::problem();
        };
        if !is_known_client(request, is_portal) {
            return SimulatedResponse::problem();
        }
        match self.take_code(context, request, code) {
            Some(pending) => {
                let ticket = context.ticket(&pending.email, &pending.service, pending.is_active);
                SimulatedResponse::json(200, &success(&ticket, &pending.service))
            }
            None => SimulatedResponse::json(401, &status("INVALID_MFA_VERIFICATION_CODE")),
        }
    }

    /// `GET /sso/signin`: serves the sign-in form.
    pub(super) fn form(
        &mut self,
        context: &mut SsoContext<'_>,
        request: &SimulatedRequest,
    ) -> SimulatedResponse {
        let (id, session) = self.session(context.mint, request);
        let html = form_page(&session.csrf);
        SimulatedResponse::html(200, html).header("set-cookie", cookie(&id))
    }

    /// `POST /sso/signin`: handles the submitted form.
    pub(super) fn submit(
        &mut self,
        context: &mut SsoContext<'_>,
        request: &SimulatedRequest,
    ) -> SimulatedResponse {
        if !self.has_csrf(request) {
            return challenge_page(403);
        }
        let service = request.parameter("service").unwrap_or_default();
        let (email, password) = (
            request.field("username").unwrap_or_default(),
            request.field("password").unwrap_or_default(),
        );
        let person = match judge(context, &email, &password) {
            PasswordCheck::Locked => return SimulatedResponse::html(200, page("Account locked", "")),
            PasswordCheck::Wrong => return SimulatedResponse::html(200, page("Invalid sign in", "")),
            PasswordCheck::Right(person) => person,
        };
        let is_active = context.tokens_are_good();
        let Some(mfa) = person.mfa.clone() else {
            let ticket = context.ticket(&person.email, &service, is_active);
            return success_page(&service, &ticket);
        };
        let csrf = context.mint.next();
        let (_, session) = self.session(context.mint, request);
        session.csrf.clone_from(&csrf);
        // An authenticator app always has a code; an e-mail is sent only on request.
        let was_sent = mfa.method == MfaBy::Totp;
        session.pending = Some(AwaitedCode {
            email: person.email.clone(),
            is_active,
            was_sent,
            service,
        });
        SimulatedResponse::html(200, code_page(mfa.method, &csrf, ""))
    }

    /// `POST /sso/verifyMFA/mfaCode`: sends the code by e-mail.
    pub(super) fn send_code(&mut self, request: &SimulatedRequest) -> SimulatedResponse {
        let body = request.json().unwrap_or_default();
        let is_whole = ["customerGuid", "mfaMethod", "locale"]
            .iter()
            .all(|key| body.get(key).is_some_and(Value::is_string));
        let session = request.cookie(SESSION).and_then(|id| self.sessions.get_mut(id));
        match session.and_then(|session| session.pending.as_mut()) {
            Some(pending) if is_whole && request.parameter("clientId").is_some() => {
                pending.was_sent = true;
                SimulatedResponse::json(200, &json!({"codeSent": true}))
            }
            _ => SimulatedResponse::problem(),
        }
    }

    /// `POST /sso/verifyMFA/loginEnterMfaCode`: handles the submitted code.
    pub(super) fn enter_code(
        &mut self,
        context: &mut SsoContext<'_>,
        request: &SimulatedRequest,
    ) -> SimulatedResponse {
        if !self.has_csrf(request) {
            return challenge_page(403);
        }
        let code = request.field("mfa-code").unwrap_or_default();
        if let Some(pending) = self.take_code(context, request, &code) {
            let ticket = context.ticket(&pending.email, &pending.service, pending.is_active);
            return success_page(&pending.service, &ticket);
        }
        let csrf = context.mint.next();
        let (_, session) = self.session(context.mint, request);
        session.csrf.clone_from(&csrf);
        let email = session
            .pending
            .as_ref()
            .map(|pending| pending.email.clone())
            .unwrap_or_default();
        let person = context.person(&email);
        let method = person
            .and_then(|person| person.mfa.as_ref())
            .map_or(MfaBy::Email, |mfa| mfa.method);
        let sent_to = person.map(Person::masked_email).unwrap_or_default();
        SimulatedResponse::html(200, code_page(method, &csrf, &sent_to))
    }

    /// Completes the pending sign-in of this session if the code is correct. A wrong code leaves it pending.
    fn take_code(
        &mut self,
        context: &SsoContext<'_>,
        request: &SimulatedRequest,
        code: &str,
    ) -> Option<AwaitedCode> {
        let session = self.sessions.get_mut(request.cookie(SESSION)?)?;
        let is_right = |pending: &AwaitedCode| {
            let mfa = context
                .person(&pending.email)
                .and_then(|person| person.mfa.as_ref());
            pending.was_sent && mfa.is_some_and(|mfa| mfa.code == code)
        };
        session.pending.take_if(|pending| is_right(pending))
    }

    fn knows(&self, request: &SimulatedRequest) -> bool {
        request
            .cookie(SESSION)
            .is_some_and(|id| self.sessions.contains_key(id))
    }

    fn has_csrf(&self, request: &SimulatedRequest) -> bool {
        let session = request.cookie(SESSION).and_then(|id| self.sessions.get(id));
        session.is_some_and(|session| request.field("_csrf").as_deref() == Some(&session.csrf))
    }

    /// The session that the request's cookie identifies, or a new one.
    fn session(&mut self, mint: &mut Mint, request: &SimulatedRequest) -> (String, &mut SsoSession) {
        let known = request
            .cookie(SESSION)
            .filter(|id| self.sessions.contains_key(*id))
            .map(str::to_owned);
        let id = known.unwrap_or_else(|| mint.next());
        let session = self.sessions.entry(id.clone()).or_default();
        if session.csrf.is_empty() {
            session.csrf = mint.next();
        }
        (id, session)
    }

    fn with_session(&mut self, mint: &mut Mint, reply: SimulatedResponse) -> SimulatedResponse {
        let (id, _) = self.session(mint, &SimulatedRequest::default());
        reply.header("set-cookie", cookie(&id))
    }
}

fn is_known_client(request: &SimulatedRequest, is_portal: bool) -> bool {
    let wanted = if is_portal {
        "GarminConnect"
    } else {
        "GCM_IOS_DARK"
    };
    request.parameter("clientId").as_deref() == Some(wanted)
}

fn cookie(id: &str) -> String {
    format!("{SESSION}={id}; Path=/; HttpOnly; SameSite=Lax")
}

/// A JSON response that contains only a status.
pub(super) fn status(kind: &str) -> Value {
    json!({
        "serviceURL": null,
        "serviceTicketId": null,
        "responseStatus": {"type": kind, "message": "", "httpStatus": "OK"},
        "customerMfaInfo": null,
        "consentTypeList": [],
        "captchaAlreadyPassed": false,
        "responseReason": null,
        "samlResponse": null,
        "authType": null,
    })
}

fn success(ticket: &str, service: &str) -> Value {
    let mut answer = status("SUCCESSFUL");
    set(&mut answer, "serviceURL", json!(service));
    set(&mut answer, "serviceTicketId", json!(ticket));
    set(&mut answer, "authType", json!("CAS"));
    answer
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><p>Simulated.</p>{body}</body></html>\n"
    )
}

fn form_page(csrf: &str) -> String {
    let form = format!(
        r#"<form method="post"><input type="hidden" name="_csrf" value="{csrf}"/><input name="username"/>
<input type="password" name="password"/></form>"#
    );
    page("GARMIN Authentication Application", &form)
}

/// The page for an e-mailed code has the same title as the sign-in form, as at Garmin.
fn code_page(method: MfaBy, csrf: &str, sent_to: &str) -> String {
    let (title, method) = match method {
        MfaBy::Email => ("GARMIN Authentication Application", "email"),
        MfaBy::Totp => ("Enter MFA code for login", "totp"),
    };
    let body = format!(
        r#"<script>
var customerGuid = "00000000-0000-4000-8000-00000000abcd";
var mfaMethod = "{method}";
var locale = "en-US";
var clientId = "gauth-widget";
var codeSentTo = "{sent_to}";
</script>
<form method="post"><input type="hidden" name="_csrf" value="{csrf}"/><input name="mfa-code"/></form>"#
    );
    page(title, &body)
}

fn success_page(service: &str, ticket: &str) -> SimulatedResponse {
    let body = format!(r#"<script>var response_url = "{service}?ticket={ticket}";</script>"#);
    SimulatedResponse::html(200, page("Success", &body))
}

/// The challenge page of the bot protection in front of Garmin.
pub(super) fn challenge_page(status: u16) -> SimulatedResponse {
    SimulatedResponse::html(status, page("Just a moment...", "<h1>Attention Required</h1>"))
}
