//! The way in by the HTML form that other sites embed. It has rate limits of its own, so it often works when the JSON
//! ways are throttled.

mod page;

use serde_json::json;
use url::Url;

use super::html;
use super::mfa::{CodeAnswer, Pending};
use super::redeem::Ticket;
use super::trouble::{changed, page_trouble};
use super::{Desk, Turn};
use crate::base::secrets::Secret;
use crate::config::GarminHosts;
use crate::garmin::refusal::{SignInMethod, SignInRefusal};
use crate::garmin::wire::{self, ACCEPT_PAGE, Answer, Ask, BROWSER, Body, Cookies, Heard, Method, Pause};

pub(super) use page::CodePage;
use page::{Page, read};

/// Where in the widget's way a sign-in is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum At {
    /// The frame was asked for: it sets cookies.
    Embed,
    /// The form was asked for.
    Form,
    /// The form was submitted.
    Submitted,
    /// The code was asked to be sent.
    SendCode(Box<CodePage>),
}

/// The first request of the way.
pub(super) fn begin(hosts: &GarminHosts) -> (At, Ask) {
    let mut url = wire::at(&hosts.sso, "/sso/embed");
    url.query_pairs_mut()
        .append_pair("id", "gauth-widget")
        .append_pair("embedWidget", "true")
        .append_pair("gauthHost", wire::at(&hosts.sso, "/sso").as_str());
    (At::Embed, get(url).cookies(Cookies::New))
}

/// What follows from an answer.
pub(super) fn hear(desk: &Desk<'_>, at: At, heard: &Heard) -> Turn<At> {
    let (hosts, place) = (desk.hosts, "widget form");
    // The form was sent and the code asked for: whether that worked is seen by whether a code arrives.
    if let At::SendCode(page) = at {
        return Turn::CodeWanted(Pending::Widget(*page));
    }
    let Heard::Answer(answer) = heard else {
        return Turn::Refused(SignInRefusal::Unreachable);
    };
    if let Some(refusal) = page_trouble(place, answer) {
        return Turn::Refused(refusal);
    }
    match at {
        At::Embed => {
            let ask = get(signin_url(hosts)).header("referer", embed(hosts));
            Turn::Ask(At::Form, ask)
        }
        At::Form => match html::input(&answer.text, "_csrf") {
            Some(csrf) => Turn::Ask(At::Submitted, submit(desk, csrf)),
            None => Turn::Refused(changed(place, "_csrf")),
        },
        At::Submitted | At::SendCode(_) => read_submitted(hosts, answer),
    }
}

/// The code, typed into the page.
pub(super) fn verify(hosts: &GarminHosts, page: &CodePage, code: &Secret) -> Ask {
    let mut url = signin_url(hosts);
    let path = wire::at(&hosts.sso, "/sso/verifyMFA/loginEnterMfaCode")
        .path()
        .to_owned();
    url.set_path(&path);
    let form = vec![
        ("mfa-code", code.expose().to_owned()),
        ("embed", "true".to_owned()),
        ("_csrf", page.csrf.clone()),
        ("fromPage", "setupEnterMfaCode".to_owned()),
    ];
    post(hosts, url, Body::Form(form))
}

/// What the page said to a code. A page that asks again has a new `_csrf` for the next try.
pub(super) fn read_verify(hosts: &GarminHosts, page: &mut CodePage, answer: &Answer) -> CodeAnswer {
    let place = "widget code";
    if let Some(refusal) = page_trouble(place, answer) {
        return CodeAnswer::NotHeard(refusal);
    }
    match read(place, answer) {
        Page::Success(Some(ticket)) => CodeAnswer::Ticket(Ticket {
            ticket,
            service: embed(hosts),
        }),
        Page::Success(None) => CodeAnswer::Refused(changed(place, "ticket")),
        Page::Code(next) => {
            page.csrf = next.csrf;
            CodeAnswer::Wrong
        }
        // The code page's own "invalid code" title; its form is gone, so there is nothing to answer any more.
        Page::Refused(SignInRefusal::WrongCredentials) => CodeAnswer::Refused(SignInRefusal::ChallengeOver),
        Page::Refused(refusal) => CodeAnswer::Refused(refusal),
    }
}

fn embed(hosts: &GarminHosts) -> String {
    super::json::service(hosts, SignInMethod::Widget)
}

fn signin_url(hosts: &GarminHosts) -> Url {
    let embed = embed(hosts);
    let mut url = wire::at(&hosts.sso, "/sso/signin");
    url.query_pairs_mut()
        .append_pair("id", "gauth-widget")
        .append_pair("embedWidget", "true")
        .append_pair("gauthHost", &embed)
        .append_pair("service", &embed)
        .append_pair("source", &embed)
        .append_pair("redirectAfterAccountLoginUrl", &embed)
        .append_pair("redirectAfterAccountCreationUrl", &embed);
    url
}

fn get(url: Url) -> Ask {
    Ask::new(Method::Get, url, Body::Empty)
        .header("user-agent", BROWSER)
        .header("accept", ACCEPT_PAGE)
        .header("accept-language", "en-US,en;q=0.9")
        .cookies(Cookies::Keep)
        .bucket(SignInMethod::Widget)
}

fn post(hosts: &GarminHosts, url: Url, body: Body) -> Ask {
    Ask::new(Method::Post, url, body)
        .header("user-agent", BROWSER)
        .header("accept", ACCEPT_PAGE)
        .header("accept-language", "en-US,en;q=0.9")
        .header("origin", wire::origin(&hosts.sso))
        .header("referer", signin_url(hosts))
        .cookies(Cookies::Keep)
        .bucket(SignInMethod::Widget)
}

fn submit(desk: &Desk<'_>, csrf: String) -> Ask {
    let form = vec![
        ("username", desk.credentials.email.trim().to_owned()),
        ("password", desk.credentials.password.expose().to_owned()),
        ("embed", "true".to_owned()),
        ("_csrf", csrf),
    ];
    post(desk.hosts, signin_url(desk.hosts), Body::Form(form)).pause(Pause::Form)
}

fn read_submitted(hosts: &GarminHosts, answer: &Answer) -> Turn<At> {
    let place = "widget form";
    match read(place, answer) {
        Page::Success(Some(ticket)) => Turn::Won(Ticket {
            ticket,
            service: embed(hosts),
        }),
        Page::Success(None) => Turn::Refused(changed(place, "ticket")),
        Page::Refused(refusal) => Turn::Refused(refusal),
        Page::Code(page) => match send_code(hosts, &page) {
            Some(ask) => Turn::Ask(At::SendCode(page), ask),
            None => Turn::CodeWanted(Pending::Widget(*page)),
        },
    }
}

/// Garmin's own page sends the code only when its script asks for it; without this request e-mail codes never arrive.
/// An authenticator app needs none, and a code that was sent already is not sent again.
fn send_code(hosts: &GarminHosts, page: &CodePage) -> Option<Ask> {
    let wanted =
        matches!(page.method.to_ascii_lowercase().as_str(), "email" | "sms") && page.sent_to.is_none();
    let delivery = page.delivery.as_ref().filter(|_| wanted)?;
    let mut url = wire::at(&hosts.sso, "/sso/verifyMFA/mfaCode");
    url.query_pairs_mut().append_pair("clientId", &delivery.client_id);
    let body = json!({
        "customerGuid": delivery.customer_guid,
        "mfaMethod": page.method,
        "locale": delivery.locale,
    });
    let mut ask = post(hosts, url, Body::Json(body));
    ask.headers.retain(|(name, _)| *name != "accept");
    Some(ask.header("accept", "application/json, text/plain, */*"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{answer, credentials, hosts};
    use super::page::code_page;
    use super::*;

    fn page(title: &str, body: &str) -> String {
        format!("<html><head><title>{title}</title></head><body>{body}</body></html>")
    }

    fn submitted(text: &str) -> Turn<At> {
        read_submitted(&hosts(), &answer(200, "text/html", text))
    }

    const FORM: &str =
        r#"<input type="hidden" name="_csrf" value="c1"><input name="username"><input name="password">"#;
    const CODE_FORM: &str = r#"<input name="_csrf" value="c2"><input name="mfa-code">"#;

    fn variables(method: &str, sent_to: &str) -> String {
        format!(
            r#"<script>var customerGuid = "g"; var mfaMethod = "{method}"; var locale = "en-US";
            var clientId = "gauth-widget"; var codeSentTo = "{sent_to}";</script>{CODE_FORM}"#
        )
    }

    #[test]
    fn each_page_after_the_form_has_its_class() {
        let check = |title: &str, body: &str, wanted: SignInRefusal| match submitted(&page(title, body)) {
            Turn::Refused(refusal) => assert_eq!(refusal, wanted, "{title}"),
            _ => panic!("{title} is a refusal"),
        };
        let usual = "GARMIN Authentication Application";
        check("Account Locked", "", SignInRefusal::AccountLocked);
        check("Account error", "", SignInRefusal::AccountLocked);
        check("Invalid sign in", "", SignInRefusal::WrongCredentials);
        check("Incorrect password", "", SignInRefusal::WrongCredentials);
        check("Unable to sign in", "", SignInRefusal::Restricted);
        check("Unable to login", "", SignInRefusal::Restricted);
        check("502 Bad Gateway", "", SignInRefusal::Temporary);
        check("Service Unavailable", "", SignInRefusal::Temporary);
        check(
            usual,
            &format!("{FORM}<p>Invalid sign in. (Passwords are case sensitive.)"),
            SignInRefusal::WrongCredentials,
        );
        // The form again without a word: not proof of a wrong password.
        check(usual, FORM, SignInRefusal::Unexplained { status: 200 });
        check("Success", "no link", changed("widget form", "ticket"));
        check(
            "Enter MFA code for login",
            "no form",
            changed("widget form", "code page: _csrf"),
        );
        check("Something else", "", changed("widget form", "title"));
        check(usual, "", changed("widget form", "title"));
    }

    #[test]
    fn success_gives_the_ticket_for_the_embedding_page() {
        let text = page(
            "Success",
            r#"<script>var response_url = "https://sso.garmin.com/sso/embed?ticket=ST-9-cas";"#,
        );
        let Turn::Won(ticket) = submitted(&text) else {
            panic!("a ticket")
        };
        assert_eq!(ticket.ticket.expose(), "ST-9-cas");
        assert_eq!(ticket.service, "https://sso.garmin.com/sso/embed");
    }

    #[test]
    fn the_code_is_asked_for_only_when_it_has_to_be() {
        let asked = |method: &str, sent_to: &str| -> bool {
            match submitted(&page(
                "GARMIN Authentication Application",
                &variables(method, sent_to),
            )) {
                Turn::Ask(At::SendCode(_), ask) => {
                    assert_eq!(
                        ask.url.as_str(),
                        "https://sso.garmin.com/sso/verifyMFA/mfaCode?clientId=gauth-widget"
                    );
                    assert!(
                        ask.body
                            == Body::Json(
                                json!({"customerGuid": "g", "mfaMethod": method, "locale": "en-US"})
                            )
                    );
                    true
                }
                Turn::CodeWanted(Pending::Widget(page)) => {
                    assert_eq!(page.method, method);
                    false
                }
                _ => panic!("a code is wanted"),
            }
        };
        assert!(asked("email", ""));
        assert!(asked("sms", ""));
        assert!(!asked("email", "a***@example.org"));
        assert!(!asked("totp", ""));
    }

    #[test]
    fn both_titles_of_a_code_page_are_known() {
        for title in ["Enter MFA code for login", "GARMIN Authentication Application"] {
            let turn = submitted(&page(title, CODE_FORM));
            assert!(matches!(turn, Turn::CodeWanted(Pending::Widget(_))), "{title}");
        }
    }

    #[test]
    fn a_failed_delivery_does_not_end_the_sign_in() {
        let (hosts, credentials) = (hosts(), credentials());
        let desk = Desk {
            hosts: &hosts,
            credentials: &credentials,
        };
        let page = code_page(&variables("email", "")).unwrap();
        let turn = hear(&desk, At::SendCode(Box::new(page)), &Heard::Nothing);
        assert!(matches!(turn, Turn::CodeWanted(_)));
    }

    #[test]
    fn the_form_is_fetched_twice_and_submitted_after_a_pause() {
        let (hosts, credentials) = (hosts(), credentials());
        let desk = Desk {
            hosts: &hosts,
            credentials: &credentials,
        };
        let (at, ask) = begin(&hosts);
        assert_eq!((ask.cookies, ask.url.path()), (Cookies::New, "/sso/embed"));
        let Turn::Ask(at, ask) = hear(&desk, at, &Heard::Answer(answer(200, "text/html", ""))) else {
            panic!("the form")
        };
        assert_eq!((ask.cookies, ask.url.path()), (Cookies::Keep, "/sso/signin"));
        let form = Heard::Answer(answer(200, "text/html", FORM));
        let Turn::Ask(At::Submitted, ask) = hear(&desk, at, &form) else {
            panic!("the submission")
        };
        assert_eq!(ask.pause, Pause::Form);
        let Body::Form(fields) = ask.body else {
            panic!("a form")
        };
        assert!(
            fields.contains(&("_csrf", "c1".to_owned())) && fields.contains(&("embed", "true".to_owned()))
        );
    }

    #[test]
    fn a_wrong_code_brings_a_new_page_for_the_next_try() {
        let mut open = code_page(&variables("email", "")).unwrap();
        let again = page(
            "GARMIN Authentication Application",
            r#"<input name="_csrf" value="c3"><input name="mfa-code">"#,
        );
        let said = read_verify(&hosts(), &mut open, &answer(200, "text/html", &again));
        assert_eq!(said, CodeAnswer::Wrong);
        assert_eq!(open.csrf, "c3");
        let said = read_verify(&hosts(), &mut open, &answer(429, "text/html", ""));
        assert_eq!(
            said,
            CodeAnswer::NotHeard(SignInRefusal::RateLimited { until: None })
        );
        let Body::Form(fields) = verify(&hosts(), &open, &Secret::new("123456")).body else {
            panic!("a form")
        };
        assert!(
            fields.contains(&("mfa-code", "123456".to_owned()))
                && fields.contains(&("_csrf", "c3".to_owned()))
        );
    }
}
