//! The pretend single sign-on: the two JSON ways and the widget's pages, bound together by one session cookie.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::faults::Fault;
use super::people::{MfaBy, Person};
use super::reply::{Asked, Reply};
use super::token_service::{Mint, TokenService};

/// The cookie that a code is bound to.
const SESSION: &str = "SESSION";

/// Sessions by cookie.
#[derive(Debug, Default)]
pub(super) struct Sso {
    sessions: HashMap<String, Session>,
}

#[derive(Debug, Default)]
struct Session {
    /// What the widget's form must carry.
    csrf: String,
    /// Who gave the right password, and needs a code.
    pending: Option<Pending>,
}

#[derive(Debug)]
struct Pending {
    email: String,
    /// Whether the tokens will be taken by the API.
    is_active: bool,
    /// Whether the person has got a code: the widget's e-mail has to be asked for.
    was_sent: bool,
    service: String,
}

/// What the sign-on works with.
pub(super) struct Desk<'a> {
    pub(super) people: &'a [Person],
    pub(super) mint: &'a mut Mint,
    pub(super) tokens: &'a mut TokenService,
    /// What goes wrong in this request without replacing the answer.
    pub(super) fault: Option<Fault>,
}

impl Desk<'_> {
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

/// How a password was found.
enum Judged {
    Right(Person),
    Wrong,
    Locked,
}

fn judge(desk: &Desk<'_>, email: &str, password: &str) -> Judged {
    match desk.person(email) {
        Some(person) if person.is_locked || desk.fault == Some(Fault::Locked) => Judged::Locked,
        Some(person) if person.password == password => Judged::Right(person.clone()),
        _ => Judged::Wrong,
    }
}

impl Sso {
    /// For whom a request is, as far as it says.
    pub(super) fn email(&self, asked: &Asked) -> Option<String> {
        let typed = asked
            .json()
            .and_then(|json| json.get("username")?.as_str().map(str::to_owned));
        typed.or_else(|| asked.field("username")).or_else(|| {
            let session = self.sessions.get(asked.cookie(SESSION)?)?;
            Some(session.pending.as_ref()?.email.clone())
        })
    }

    /// `GET /portal/sso/en-US/sign-in`: a page, for its cookie.
    pub(super) fn portal_page(&mut self, desk: &mut Desk<'_>) -> Reply {
        self.with_session(
            desk.mint,
            Reply::html(200, page("GARMIN Authentication Application", "")),
        )
    }

    /// `POST /mobile/api/login` and `/portal/api/login`.
    pub(super) fn login(&mut self, desk: &mut Desk<'_>, asked: &Asked, is_portal: bool) -> Reply {
        let body = asked.json().unwrap_or_default();
        let text = |key: &str| {
            body.get(key)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let (Some(email), Some(password)) = (text("username"), text("password")) else {
            return Reply::problem();
        };
        let (Some(service), true) = (asked.parameter("service"), is_known_client(asked, is_portal)) else {
            return Reply::problem();
        };
        // The web site's interface serves its own page only, and that has a cookie.
        if is_portal && !self.knows(asked) {
            return challenge_page(403);
        }
        let person = match judge(desk, email, password) {
            Judged::Locked => return Reply::json(200, &status("ACCOUNT_LOCKED")),
            Judged::Wrong => return Reply::json(401, &status("INVALID_USERNAME_PASSWORD")),
            Judged::Right(person) => person,
        };
        let is_active = desk.tokens_are_good();
        let Some(mfa) = &person.mfa else {
            let ticket = desk.ticket(&person.email, &service, is_active);
            return Reply::json(200, &success(&ticket, &service));
        };
        let (id, session) = self.session(desk.mint, asked);
        session.pending = Some(Pending {
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
        Reply::json(200, &answer).header("set-cookie", cookie(&id))
    }

    /// `POST /mobile/api/mfa/verifyCode` and `/portal/api/mfa/verifyCode`.
    pub(super) fn verify(&mut self, desk: &mut Desk<'_>, asked: &Asked, is_portal: bool) -> Reply {
        let body = asked.json().unwrap_or_default();
        let Some(code) = body.get("mfaVerificationCode").and_then(Value::as_str) else {
            return Reply::problem();
        };
        if !is_known_client(asked, is_portal) {
            return Reply::problem();
        }
        match self.take_code(desk, asked, code) {
            Some(pending) => {
                let ticket = desk.ticket(&pending.email, &pending.service, pending.is_active);
                Reply::json(200, &success(&ticket, &pending.service))
            }
            None => Reply::json(401, &status("INVALID_MFA_VERIFICATION_CODE")),
        }
    }

    /// `GET /sso/embed`: a frame, for its cookie.
    pub(super) fn embed(&mut self, desk: &mut Desk<'_>) -> Reply {
        self.with_session(
            desk.mint,
            Reply::html(200, page("GARMIN Authentication Application", "")),
        )
    }

    /// `GET /sso/signin`: the form.
    pub(super) fn form(&mut self, desk: &mut Desk<'_>, asked: &Asked) -> Reply {
        let (id, session) = self.session(desk.mint, asked);
        let html = form_page(&session.csrf);
        Reply::html(200, html).header("set-cookie", cookie(&id))
    }

    /// `POST /sso/signin`: the form, filled in.
    pub(super) fn submit(&mut self, desk: &mut Desk<'_>, asked: &Asked) -> Reply {
        if !self.has_csrf(asked) {
            return challenge_page(403);
        }
        let service = asked.parameter("service").unwrap_or_default();
        let (email, password) = (
            asked.field("username").unwrap_or_default(),
            asked.field("password").unwrap_or_default(),
        );
        let person = match judge(desk, &email, &password) {
            Judged::Locked => return Reply::html(200, page("Account locked", "")),
            Judged::Wrong => return Reply::html(200, page("Invalid sign in", "")),
            Judged::Right(person) => person,
        };
        let is_active = desk.tokens_are_good();
        let Some(mfa) = person.mfa.clone() else {
            let ticket = desk.ticket(&person.email, &service, is_active);
            return success_page(&service, &ticket);
        };
        let csrf = desk.mint.next();
        let (_, session) = self.session(desk.mint, asked);
        session.csrf.clone_from(&csrf);
        // An app has its code already; an e-mail has to be asked for.
        let was_sent = mfa.method == MfaBy::Totp;
        session.pending = Some(Pending {
            email: person.email.clone(),
            is_active,
            was_sent,
            service,
        });
        Reply::html(200, code_page(mfa.method, &csrf, ""))
    }

    /// `POST /sso/verifyMFA/mfaCode`: send the code.
    pub(super) fn send_code(&mut self, asked: &Asked) -> Reply {
        let body = asked.json().unwrap_or_default();
        let is_whole = ["customerGuid", "mfaMethod", "locale"]
            .iter()
            .all(|key| body.get(key).is_some_and(Value::is_string));
        let session = asked.cookie(SESSION).and_then(|id| self.sessions.get_mut(id));
        match session.and_then(|session| session.pending.as_mut()) {
            Some(pending) if is_whole && asked.parameter("clientId").is_some() => {
                pending.was_sent = true;
                Reply::json(200, &json!({"codeSent": true}))
            }
            _ => Reply::problem(),
        }
    }

    /// `POST /sso/verifyMFA/loginEnterMfaCode`: the code, typed into the widget's page.
    pub(super) fn enter_code(&mut self, desk: &mut Desk<'_>, asked: &Asked) -> Reply {
        if !self.has_csrf(asked) {
            return challenge_page(403);
        }
        let code = asked.field("mfa-code").unwrap_or_default();
        if let Some(pending) = self.take_code(desk, asked, &code) {
            let ticket = desk.ticket(&pending.email, &pending.service, pending.is_active);
            return success_page(&pending.service, &ticket);
        }
        let csrf = desk.mint.next();
        let (_, session) = self.session(desk.mint, asked);
        session.csrf.clone_from(&csrf);
        let email = session
            .pending
            .as_ref()
            .map(|pending| pending.email.clone())
            .unwrap_or_default();
        let person = desk.person(&email);
        let method = person
            .and_then(|person| person.mfa.as_ref())
            .map_or(MfaBy::Email, |mfa| mfa.method);
        let sent_to = person.map(Person::masked_email).unwrap_or_default();
        Reply::html(200, code_page(method, &csrf, &sent_to))
    }

    /// The pending sign-in of this session, if the code is its person's. A wrong code leaves it open.
    fn take_code(&mut self, desk: &Desk<'_>, asked: &Asked, code: &str) -> Option<Pending> {
        let session = self.sessions.get_mut(asked.cookie(SESSION)?)?;
        let is_right = |pending: &Pending| {
            let mfa = desk.person(&pending.email).and_then(|person| person.mfa.as_ref());
            pending.was_sent && mfa.is_some_and(|mfa| mfa.code == code)
        };
        session.pending.take_if(|pending| is_right(pending))
    }

    fn knows(&self, asked: &Asked) -> bool {
        asked
            .cookie(SESSION)
            .is_some_and(|id| self.sessions.contains_key(id))
    }

    fn has_csrf(&self, asked: &Asked) -> bool {
        let session = asked.cookie(SESSION).and_then(|id| self.sessions.get(id));
        session.is_some_and(|session| asked.field("_csrf").as_deref() == Some(&session.csrf))
    }

    /// The session of the request, or a new one.
    fn session(&mut self, mint: &mut Mint, asked: &Asked) -> (String, &mut Session) {
        let known = asked
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

    fn with_session(&mut self, mint: &mut Mint, reply: Reply) -> Reply {
        let (id, _) = self.session(mint, &Asked::default());
        reply.header("set-cookie", cookie(&id))
    }
}

fn is_known_client(asked: &Asked, is_portal: bool) -> bool {
    let wanted = if is_portal {
        "GarminConnect"
    } else {
        "GCM_IOS_DARK"
    };
    asked.parameter("clientId").as_deref() == Some(wanted)
}

fn cookie(id: &str) -> String {
    format!("{SESSION}={id}; Path=/; HttpOnly; SameSite=Lax")
}

/// The frame of every JSON answer.
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

/// The e-mail variant has the title of the plain form, as Garmin's has.
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

fn success_page(service: &str, ticket: &str) -> Reply {
    let body = format!(r#"<script>var response_url = "{service}?ticket={ticket}";</script>"#);
    Reply::html(200, page("Success", &body))
}

/// A page of the guard in front of Garmin.
pub(super) fn challenge_page(status: u16) -> Reply {
    Reply::html(status, page("Just a moment...", "<h1>Attention Required</h1>"))
}
