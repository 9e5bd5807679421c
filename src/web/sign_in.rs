//! The sign-in pages over HTTP: reads the forms, and returns the next page.

mod form;

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, Method, StatusCode};

use self::form::read_posted;
use super::face::Face;
use super::oauth::form;
use super::pages;
use super::problem::{Problem, start_again};
use super::reply::{self, Forms, Response};
use super::request::Exchange;
use super::words::fill;
use crate::base::source::Peer;
use crate::oauth::{AuthorizeStep, ClientOnPage, PostedAnswer, PostedForm, Visitor};

/// The authorization endpoint (RFC 6749, section 4.1.1), and the forms of its pages.
pub(super) async fn authorize(face: Arc<Face>, exchange: Exchange) -> Response {
    sign_in(face, exchange, SignInPath::Authorize).await
}

/// The same forms without a client: the person renews a login that Garmin has ended.
pub(super) async fn link(face: Arc<Face>, exchange: Exchange) -> Response {
    sign_in(face, exchange, SignInPath::Link).await
}

/// The path of a sign-in, which is also its forms' target.
#[derive(Clone, Copy)]
enum SignInPath {
    Authorize,
    Link,
    OwnPage,
}

impl SignInPath {
    fn as_str(self) -> &'static str {
        match self {
            Self::Authorize => "/authorize",
            Self::Link => "/link",
            Self::OwnPage => pages::OWN_PAGE,
        }
    }
}

async fn sign_in(face: Arc<Face>, mut exchange: Exchange, path: SignInPath) -> Response {
    if !face.is_own_host(&exchange) {
        return face.refuse_page(&exchange, Problem::WrongHost);
    }
    if exchange.method == Method::POST {
        return match posted(&face, &mut exchange).await {
            Ok(form) => {
                let step = submit(&face, FormSender::of(&face, &exchange), form).await;
                show(&face, &exchange, path, step)
            }
            Err(problem) => face.refuse_page(&exchange, problem),
        };
    }
    let (oauth, browser) = (&face.parts.oauth, face.browser(&exchange));
    let visitor = visitor(&exchange, browser.as_deref());
    let step = match path {
        SignInPath::Authorize => oauth.authorize(&exchange.query, visitor).await,
        SignInPath::Link => oauth.link_page(visitor),
        SignInPath::OwnPage => oauth.own_page_sign_in(visitor),
    };
    show(&face, &exchange, path, step)
}

/// The sign-in in front of a person's own page.
pub(super) fn own_page(face: &Face, exchange: &Exchange) -> Response {
    let browser = face.browser(exchange);
    let step = face
        .parts
        .oauth
        .own_page_sign_in(visitor(exchange, browser.as_deref()));
    show(face, exchange, SignInPath::OwnPage, step)
}

/// Carries out a form of that sign-in. Returns its next step, or [`AuthorizeStep::OwnPage`] with the code that opens
/// the page. `None`: the body is no such form.
pub(super) async fn own_page_step(face: &Face, sender: FormSender, body: &[u8]) -> Option<AuthorizeStep> {
    let form = read_posted(body)?;
    Some(submit(face, sender, form).await)
}

/// The page that shows a step of that sign-in.
pub(super) fn show_own_page_step(face: &Face, exchange: &Exchange, step: AuthorizeStep) -> Response {
    show(face, exchange, SignInPath::OwnPage, step)
}

fn visitor<'a>(exchange: &Exchange, browser: Option<&'a str>) -> Visitor<'a> {
    Visitor {
        browser,
        source: exchange.peer().map(|peer| peer.source),
    }
}

/// Who posted a form. It is kept while Garmin answers, when the request is already gone.
pub(super) struct FormSender {
    browser: Option<String>,
    peer: Option<Peer>,
}

impl FormSender {
    pub(super) fn of(face: &Face, exchange: &Exchange) -> Self {
        Self {
            browser: face.browser(exchange),
            peer: exchange.peer(),
        }
    }
}

async fn submit(face: &Face, sender: FormSender, form: PostedForm) -> AuthorizeStep {
    let kind = FormKind::of(&form.answer);
    let visitor = Visitor {
        browser: sender.browser.as_deref(),
        source: sender.peer.map(|peer| peer.source),
    };
    let step = face.parts.oauth.submit(form, visitor).await;
    if kind.has_failed(&step) {
        log_failure(sender.peer.map(|peer| peer.address));
    }
    step
}

/// Which form was posted, to distinguish a failed guess from an ordinary next page.
#[derive(Clone, Copy)]
enum FormKind {
    Credentials,
    Code,
    Deny,
    Language,
}

impl FormKind {
    fn of(answer: &PostedAnswer) -> Self {
        match answer {
            PostedAnswer::Credentials { .. } => Self::Credentials,
            PostedAnswer::Code(_) => Self::Code,
            PostedAnswer::Deny => Self::Deny,
            PostedAnswer::ChangeLanguage { .. } => Self::Language,
        }
    }

    fn has_failed(self, step: &AuthorizeStep) -> bool {
        match self {
            Self::Credentials => matches!(step, AuthorizeStep::SignIn(_) | AuthorizeStep::Refused(_)),
            Self::Code => !matches!(
                step,
                AuthorizeStep::Redirect { .. } | AuthorizeStep::Linked { .. } | AuthorizeStep::OwnPage { .. }
            ),
            Self::Deny | Self::Language => false,
        }
    }
}

/// Writes the line that `packaging/fail2ban` reads, the only one with an address: the firewall blocks sources that
/// guess passwords or codes, and learns nothing else about them.
fn log_failure(address: Option<IpAddr>) {
    if let Some(address) = address {
        tracing::warn!(client.address = %address, "sign_in.failed");
    }
}

async fn posted(face: &Face, exchange: &mut Exchange) -> Result<PostedForm, Problem> {
    // The signed form and the cookie are the protection; this check only refuses earlier.
    if exchange
        .header("sec-fetch-site")
        .is_some_and(|site| site == "cross-site")
    {
        return Err(Problem::CrossSite);
    }
    let body = form(face, exchange).await?;
    exchange.note_language(&body);
    read_posted(&body).ok_or(Problem::BadForm)
}

/// Turns a step of a sign-in into a response.
fn show(face: &Face, exchange: &Exchange, path: SignInPath, step: AuthorizeStep) -> Response {
    let (frame, action) = (face.frame(exchange), path.as_str());
    match step {
        AuthorizeStep::SignIn(mut page) => {
            let (client, set_browser) = (page.client.clone(), page.set_browser.take());
            let page = pages::SignInTemplate {
                frame: frame.around_form(pages::SignInTemplate::FORM),
                action,
                page,
                changes: face.parts.gateway.changes(),
            };
            let mut response = reply::page(StatusCode::OK, &page, forms(client.as_ref()));
            if let Some(browser) = set_browser
                && let Ok(cookie) = HeaderValue::from_str(&face.cookie(browser.expose()))
            {
                response.headers_mut().insert(SET_COOKIE, cookie);
            }
            response
        }
        AuthorizeStep::Mfa(page) => {
            let client = page.client.clone();
            let page = pages::MfaTemplate {
                frame: frame.around_form(pages::MfaTemplate::FORM),
                action,
                page,
            };
            reply::page(StatusCode::OK, &page, forms(client.as_ref()))
        }
        AuthorizeStep::Redirect { url } => reply::see_other(&url).unwrap_or_else(|| {
            tracing::error!(place = "redirect is no header value", "bug");
            face.refuse_page(exchange, Problem::Broken)
        }),
        AuthorizeStep::Linked { full_name, has_app } => {
            let page = pages::Linked {
                frame,
                full_name,
                has_app,
                connector_url: face.parts.public_url.mcp(),
            };
            reply::page(StatusCode::OK, &page, Forms::None)
        }
        // The form was posted to another path than that of the own page.
        AuthorizeStep::OwnPage { .. } => face.refuse_page(exchange, Problem::SpentCode),
        AuthorizeStep::Refused(refusal) => {
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
            let words = frame.words;
            let text = words.refusal(&refusal, frame.operator());
            let page = pages::MessagePage {
                frame,
                title: text.title.to_owned(),
                explanation: text.text,
                technical: text.technical,
                steps: match path {
                    SignInPath::Authorize => start_again(words, face.origin()),
                    SignInPath::Link | SignInPath::OwnPage => {
                        let address = format!("{}{action}", face.origin());
                        vec![fill(words.failures.steps.begin_again, &[("address", &address)])]
                    }
                },
                reference: exchange.id.to_string(),
            };
            let mut response = reply::page(status, &page, Forms::None);
            let retry_after_s = match status {
                StatusCode::SERVICE_UNAVAILABLE => Some("5"),
                StatusCode::TOO_MANY_REQUESTS => Some("60"),
                _ => None,
            };
            if let Some(seconds) = retry_after_s {
                response
                    .headers_mut()
                    .insert(RETRY_AFTER, HeaderValue::from_static(seconds));
            }
            response
        }
    }
}

/// The allowed targets of a page's forms: the gateway, and from there the client.
fn forms(client: Option<&ClientOnPage>) -> Forms<'_> {
    client.map_or(Forms::Own, |client| Forms::OnTo(&client.form_action))
}

impl Face {
    /// The name of the cookie that binds a sign-in to one browser. `__Host-` requires https (RFC 6265bis, section
    /// 4.1.3.2).
    fn cookie_name(&self) -> &'static str {
        if self.parts.public_url.is_https() {
            "__Host-gateway"
        } else {
            "gateway"
        }
    }

    fn cookie(&self, value: &str) -> String {
        let secure = if self.parts.public_url.is_https() {
            "; Secure"
        } else {
            ""
        };
        format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}",
            self.cookie_name()
        )
    }

    /// The cookie that binds a sign-in to this browser.
    fn browser(&self, exchange: &Exchange) -> Option<String> {
        exchange.cookie(self.cookie_name()).map(str::to_owned)
    }

    /// Refuses with a page even if the browser does not ask for HTML, because forms are for people.
    pub(super) fn refuse_page(&self, exchange: &Exchange, problem: Problem) -> Response {
        problem.as_page(self.frame(exchange), self.origin(), exchange.id)
    }
}
