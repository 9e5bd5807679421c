//! The pages people sign in on: what they send, and what they get next.

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, Method, StatusCode};
use url::form_urlencoded;

use super::face::Face;
use super::oauth::form;
use super::pages::{self, Channel};
use super::problem::{Problem, start_again};
use super::reply::{self, Forms, Response};
use super::request::Exchange;
use crate::base::secrets::Secret;
use crate::mcp::Access;
use crate::oauth::{AuthorizeStep, ClientOnPage, CodeForm, CredentialsForm, DenyForm};

/// How many sign-ins may be begun for each registration that may be made; each takes memory for a while.
const SIGN_INS_PER_REGISTRATION: u32 = 10;

/// RFC 6749, section 4.1.1, and the forms that the pages there post.
pub(super) async fn authorize(face: Arc<Face>, exchange: Exchange) -> Response {
    sign_in(face, exchange, Way::Authorize).await
}

/// The same forms without a client: Garmin has ended the login, the person renews it.
pub(super) async fn link(face: Arc<Face>, exchange: Exchange) -> Response {
    sign_in(face, exchange, Way::Link).await
}

/// Where a sign-in began; its forms post there too.
#[derive(Clone, Copy)]
enum Way {
    Authorize,
    Link,
}

impl Way {
    fn path(self) -> &'static str {
        match self {
            Self::Authorize => "/authorize",
            Self::Link => "/link",
        }
    }
}

async fn sign_in(face: Arc<Face>, mut exchange: Exchange, way: Way) -> Response {
    if !face.is_own_host(&exchange) {
        return face.refuse_page(&exchange, Problem::WrongHost);
    }
    let oauth = &face.parts.oauth;
    let browser = exchange.cookie(face.cookie_name()).map(str::to_owned);
    let browser = browser.as_deref();
    let source = face.client_address(&exchange);
    let step = if exchange.method == Method::POST {
        match posted(&face, &mut exchange).await {
            Ok(Posted::Credentials(form)) => {
                let step = oauth.submit_credentials(form, browser).await;
                tell_failure(
                    source,
                    matches!(step, AuthorizeStep::SignIn(_) | AuthorizeStep::Refused(_)),
                );
                step
            }
            Ok(Posted::Code(form)) => {
                let step = oauth.submit_code(form, browser).await;
                let is_through = matches!(
                    step,
                    AuthorizeStep::Redirect { .. } | AuthorizeStep::Linked { .. }
                );
                tell_failure(source, !is_through);
                step
            }
            Ok(Posted::Deny(form)) => oauth.deny(form, browser).await,
            Err(problem) => return face.refuse_page(&exchange, problem),
        }
    } else {
        let now = face.parts.clock.now();
        let registrations = face.parts.live.borrow().registrations_per_hour;
        let per_hour = registrations.saturating_mul(SIGN_INS_PER_REGISTRATION);
        if let Err(exhausted) = face.sign_ins.take(source, per_hour, now) {
            tracing::warn!(reason = "budget", "sign_in.refused");
            return face.refuse_page(&exchange, Problem::Busy(exhausted));
        }
        match way {
            Way::Authorize => oauth.authorize(&exchange.query, browser).await,
            Way::Link => oauth.link_page(browser).await,
        }
    };
    show(&face, &exchange, way, step)
}

/// The line that `packaging/fail2ban` reads, and the only one with an address: whoever guesses passwords or codes is to be
/// kept out by the firewall, which knows nothing else of them.
fn tell_failure(source: Option<IpAddr>, has_failed: bool) {
    if let Some(source) = source.filter(|_| has_failed) {
        tracing::warn!(client.address = %source, "sign_in.failed");
    }
}

/// What a page of ours sent back.
enum Posted {
    Credentials(CredentialsForm),
    Code(CodeForm),
    Deny(DenyForm),
}

async fn posted(face: &Face, exchange: &mut Exchange) -> Result<Posted, Problem> {
    // The token in the form and the cookie are what protects it; this only refuses sooner.
    if exchange
        .header("sec-fetch-site")
        .is_some_and(|site| site == "cross-site")
    {
        return Err(Problem::CrossSite);
    }
    let body = form(face, exchange).await?;
    read_posted(&body).ok_or(Problem::BadForm)
}

/// `None`: a field is missing or doubled, or a value is none of ours.
fn read_posted(body: &[u8]) -> Option<Posted> {
    let field = |name: &str| {
        let mut values = form_urlencoded::parse(body)
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value);
        let first = values.next()?;
        values.next().is_none().then(|| first.into_owned())
    };
    let (transaction, csrf) = (field("transaction")?, field("csrf")?);
    match field("step")?.as_str() {
        "credentials" => Some(Posted::Credentials(CredentialsForm {
            transaction,
            csrf,
            email: field("email")?.trim().to_owned(),
            password: Secret::new(field("password")?),
            access: match field("access")?.as_str() {
                "read_only" => Access::ReadOnly,
                "read_and_change" => Access::ReadAndChange,
                _ => return None,
            },
        })),
        "code" => Some(Posted::Code(CodeForm {
            transaction,
            csrf,
            code: Secret::new(field("code")?),
        })),
        "deny" => Some(Posted::Deny(DenyForm { transaction, csrf })),
        _ => None,
    }
}

/// A step of a sign-in as what the browser gets.
fn show(face: &Face, exchange: &Exchange, way: Way, step: AuthorizeStep) -> Response {
    match step {
        AuthorizeStep::SignIn(step) => {
            let origin = onward(step.client.as_ref());
            let client = step.client.map(|client| pages::AskingClient {
                name: client.name,
                redirect_host: client.redirect_host,
                loopback_only: client.loopback_only,
            });
            let page = pages::SignIn {
                frame: face.frame(),
                action: way.path(),
                transaction: step.transaction,
                csrf: step.csrf,
                client,
                email: step.email,
                may_change: step.access == Access::ReadAndChange,
                notice: step.notice,
                tries_left: step.tries_left,
            };
            let mut response = reply::page(StatusCode::OK, &page, forms(origin.as_deref()));
            if let Some(browser) = step.set_browser
                && let Ok(cookie) = HeaderValue::from_str(&face.cookie(browser.expose()))
            {
                response.headers_mut().insert(SET_COOKIE, cookie);
            }
            response
        }
        AuthorizeStep::Code(step) => {
            let origin = onward(step.client.as_ref());
            let page = pages::Code {
                frame: face.frame(),
                action: way.path(),
                transaction: step.transaction,
                csrf: step.csrf,
                channel: Channel::of(&step.method),
                sent_to: step.sent_to,
                tries_left: step.tries_left,
                notice: step.notice,
            };
            reply::page(StatusCode::OK, &page, forms(origin.as_deref()))
        }
        AuthorizeStep::Redirect { url } => reply::see_other(&url).unwrap_or_else(|| {
            tracing::error!(place = "redirect is no header value", "bug");
            face.refuse_page(exchange, Problem::Broken)
        }),
        AuthorizeStep::Linked { full_name } => {
            let page = pages::Linked {
                frame: face.frame(),
                full_name,
            };
            reply::page(StatusCode::OK, &page, Forms::None)
        }
        AuthorizeStep::Refused(refusal) => {
            let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
            let page = pages::Message {
                frame: face.frame(),
                title: refusal.title,
                explanation: refusal.explanation,
                steps: match way {
                    Way::Authorize => start_again(face.origin()),
                    Way::Link => vec![format!("Begin again at {}/link", face.origin())],
                },
                reference: exchange.id.to_string(),
            };
            let mut response = reply::page(status, &page, Forms::None);
            if status == StatusCode::SERVICE_UNAVAILABLE {
                response
                    .headers_mut()
                    .insert(RETRY_AFTER, HeaderValue::from_static("5"));
            }
            response
        }
    }
}

fn onward(client: Option<&ClientOnPage>) -> Option<String> {
    client.map(|client| client.form_action_origin.clone())
}

fn forms(origin: Option<&str>) -> Forms<'_> {
    origin.map_or(Forms::Own, Forms::OnTo)
}

impl Face {
    /// The cookie that binds a sign-in to one browser. `__Host-` needs https (RFC 6265bis, section 4.1.3.2).
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

    /// Forms are for people, even where a browser doesn't say so.
    fn refuse_page(&self, exchange: &Exchange, problem: Problem) -> Response {
        problem.as_page(self.frame(), self.origin(), exchange.id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_a_form_or_none(body: Vec<u8>) {
            read_posted(&body);
        }

        #[test]
        fn what_was_typed_arrives(email in "[^ \\s]{0,40}", password: String) {
            let body = form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("transaction", "t"), ("csrf", "c"), ("step", "credentials"), ("access", "read_only")])
                .append_pair("email", &email)
                .append_pair("password", &password)
                .finish();
            let Some(Posted::Credentials(form)) = read_posted(body.as_bytes()) else {
                panic!("{body}");
            };
            prop_assert_eq!(form.email.as_str(), email.trim());
            prop_assert_eq!(form.password.expose(), password.as_str());
        }
    }

    #[test]
    fn forms_are_read_exactly() {
        let kind = |body: &str| {
            read_posted(body.as_bytes()).map(|posted| match posted {
                Posted::Credentials(form) => {
                    format!(
                        "{} {} {} {:?}",
                        form.transaction,
                        form.email,
                        form.password.expose(),
                        form.access
                    )
                }
                Posted::Code(form) => format!("{} {}", form.transaction, form.code.expose()),
                Posted::Deny(form) => format!("{} {}", form.transaction, form.csrf),
            })
        };
        let check =
            |body: &str, expected: Option<&str>| assert_eq!(kind(body).as_deref(), expected, "{body}");
        let credentials = "transaction=t&csrf=c&step=credentials&email=+a%40b.c+&password=+p%26%C3%BC+";
        check(
            &format!("{credentials}&access=read_only"),
            Some("t a@b.c  p&ü  ReadOnly"),
        );
        check(
            &format!("{credentials}&access=read_and_change"),
            Some("t a@b.c  p&ü  ReadAndChange"),
        );
        check("transaction=t&csrf=c&step=code&code=123456", Some("t 123456"));
        check("transaction=t&csrf=c&step=deny", Some("t c"));
        check("step=deny&csrf=c&transaction=t&unknown=1", Some("t c"));
        check(credentials, None);
        check(&format!("{credentials}&access=everything"), None);
        check(
            &format!("{credentials}&access=read_only&access=read_and_change"),
            None,
        );
        check("transaction=t&transaction=u&csrf=c&step=deny", None);
        check("transaction=t&csrf=c&step=code", None);
        check("transaction=t&csrf=c&step=other", None);
        check("transaction=t&step=deny", None);
        check("csrf=c&step=deny", None);
        check("", None);
        check("\u{0}%%%", None);
    }
}
