//! The two ways in that speak JSON: the phone app's and the web site's. One form of request and answer, two clients.

mod code;

use serde_json::{Value, json};
use url::Url;

use super::redeem::Ticket;
use super::trouble::{changed, json_trouble, page_trouble};
use super::{Credentials, Desk, Turn};
use crate::base::secrets::Secret;
use crate::config::GarminHosts;
use crate::garmin::refusal::{SignInMethod, SignInRefusal};
use crate::garmin::wire::{self, ACCEPT_PAGE, Answer, Ask, BROWSER, Body, Cookies, Heard, Method, Pause};

pub(super) use code::{read_verify, verify};

/// What the phone app calls itself.
const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148";
const ACCEPT_JSON: &str = "application/json, text/plain, */*";

/// Where in one of the JSON ways a sign-in is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// The page with the form was asked for (the portal only): it sets cookies.
    Page,
    /// E-mail and password were sent.
    Login,
}

/// The first request of a way.
pub(super) fn begin(desk: &Desk<'_>, way: SignInMethod) -> (At, Ask) {
    match way {
        SignInMethod::Portal => (At::Page, page(desk.hosts)),
        _ => (At::Login, login(desk, way).cookies(Cookies::New)),
    }
}

/// What follows from an answer.
pub(super) fn hear(desk: &Desk<'_>, way: SignInMethod, at: At, heard: &Heard) -> Turn<At> {
    let place = match (way, at) {
        (SignInMethod::Portal, At::Page) => "portal page",
        (SignInMethod::Portal, At::Login) => "portal login",
        _ => "mobile login",
    };
    let Heard::Answer(answer) = heard else {
        return Turn::Refused(SignInRefusal::Unreachable);
    };
    match at {
        At::Page => match page_trouble(place, answer) {
            Some(refusal) => Turn::Refused(refusal),
            None => Turn::Ask(At::Login, login(desk, way).pause(Pause::Portal)),
        },
        At::Login => read_login(desk.hosts, way, place, answer),
    }
}

/// `service` of a way: where Garmin would send the browser. The ticket is bound to it.
pub(super) fn service(hosts: &GarminHosts, way: SignInMethod) -> String {
    let domain = hosts.domain;
    match way {
        SignInMethod::Mobile => format!("https://mobile.integration.{domain}/gcm/ios"),
        SignInMethod::Widget => wire::at(&hosts.sso, "/sso/embed").into(),
        SignInMethod::Portal => format!("https://connect.{domain}/app"),
    }
}

fn page_url(hosts: &GarminHosts) -> Url {
    let mut url = wire::at(&hosts.sso, "/portal/sso/en-US/sign-in");
    url.query_pairs_mut()
        .append_pair("clientId", "GarminConnect")
        .append_pair("service", &service(hosts, SignInMethod::Portal));
    url
}

fn page(hosts: &GarminHosts) -> Ask {
    Ask::new(Method::Get, page_url(hosts), Body::Empty)
        .header("user-agent", BROWSER)
        .header("accept", ACCEPT_PAGE)
        .header("accept-language", "en-US,en;q=0.9")
        .cookies(Cookies::New)
        .bucket(SignInMethod::Portal)
}

fn login(desk: &Desk<'_>, way: SignInMethod) -> Ask {
    let Credentials { email, password } = desk.credentials;
    let path = if way == SignInMethod::Portal {
        "/portal/api/login"
    } else {
        "/mobile/api/login"
    };
    let body = json!({"username": email.trim(), "password": password.expose(), "rememberMe": true, "captchaToken": ""});
    post(desk.hosts, way, path, body)
}

fn post(hosts: &GarminHosts, way: SignInMethod, path: &str, body: Value) -> Ask {
    let mut url = wire::at(&hosts.sso, path);
    url.query_pairs_mut()
        .append_pair(
            "clientId",
            if way == SignInMethod::Portal {
                "GarminConnect"
            } else {
                "GCM_IOS_DARK"
            },
        )
        .append_pair("locale", "en-US")
        .append_pair("service", &service(hosts, way));
    let ask = Ask::new(Method::Post, url, Body::Json(body))
        .header(
            "user-agent",
            if way == SignInMethod::Portal {
                BROWSER
            } else {
                PHONE
            },
        )
        .header("accept", ACCEPT_JSON)
        .header("origin", wire::origin(&hosts.sso))
        .cookies(Cookies::Keep)
        .bucket(way);
    if way == SignInMethod::Portal {
        ask.header("referer", page_url(hosts))
    } else {
        ask
    }
}

fn read_login(hosts: &GarminHosts, way: SignInMethod, place: &str, answer: &Answer) -> Turn<At> {
    let Some(kind) = status_type(answer) else {
        return Turn::Refused(
            json_trouble(place, answer).unwrap_or_else(|| changed(place, "responseStatus.type")),
        );
    };
    match kind.as_str() {
        "SUCCESSFUL" => match ticket(hosts, way, place, answer) {
            Ok(ticket) => Turn::Won(ticket),
            Err(refusal) => Turn::Refused(refusal),
        },
        "MFA_REQUIRED" => Turn::CodeWanted(code::pending(way, answer)),
        "INVALID_USERNAME_PASSWORD" => Turn::Refused(SignInRefusal::WrongCredentials),
        "ACCOUNT_LOCKED" => Turn::Refused(SignInRefusal::AccountLocked),
        "CAPTCHA_REQUIRED" => Turn::Refused(SignInRefusal::BotChallenge),
        _ => Turn::Refused(
            json_trouble(place, answer).unwrap_or_else(|| changed(place, "responseStatus.type")),
        ),
    }
}

fn ticket(
    hosts: &GarminHosts,
    way: SignInMethod,
    place: &str,
    answer: &Answer,
) -> Result<Ticket, SignInRefusal> {
    let json = answer.json().unwrap_or_default();
    match json
        .get("serviceTicketId")
        .and_then(Value::as_str)
        .filter(|ticket| !ticket.is_empty())
    {
        Some(ticket) => Ok(Ticket {
            ticket: Secret::new(ticket),
            service: service(hosts, way),
        }),
        None => Err(changed(place, "serviceTicketId")),
    }
}

/// `responseStatus.type`, the heart of every JSON answer, whatever the HTTP status.
fn status_type(answer: &Answer) -> Option<String> {
    answer
        .json()?
        .pointer("/responseStatus/type")?
        .as_str()
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{answer, credentials, hosts};
    use super::*;

    pub(super) const JSON: &str = "application/json";
    pub(super) const PROBLEM: &str = "application/problem+json";

    pub(super) fn said(kind: &str) -> String {
        json!({"responseStatus": {"type": kind, "message": "", "httpStatus": "OK"}, "serviceTicketId": null})
            .to_string()
    }

    /// What a login makes of an answer: the class, or `None` for something else than a refusal.
    fn login_class(status: u16, content_type: &str, text: &str) -> Option<SignInRefusal> {
        let (hosts, credentials) = (hosts(), credentials());
        let desk = Desk {
            hosts: &hosts,
            credentials: &credentials,
        };
        let heard = Heard::Answer(answer(status, content_type, text));
        match hear(&desk, SignInMethod::Mobile, At::Login, &heard) {
            Turn::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    #[test]
    fn each_signal_of_a_login_has_its_class() {
        let changed = |path: &str| SignInRefusal::Changed {
            path: format!("mobile login: {path}"),
        };
        let limited = SignInRefusal::RateLimited { until: None };
        let check = |status, content_type, text: &str, wanted: SignInRefusal| {
            assert_eq!(
                login_class(status, content_type, text),
                Some(wanted),
                "{status} {text}"
            );
        };
        check(
            200,
            JSON,
            &said("INVALID_USERNAME_PASSWORD"),
            SignInRefusal::WrongCredentials,
        );
        check(
            401,
            JSON,
            &said("INVALID_USERNAME_PASSWORD"),
            SignInRefusal::WrongCredentials,
        );
        check(200, JSON, &said("ACCOUNT_LOCKED"), SignInRefusal::AccountLocked);
        check(200, JSON, &said("CAPTCHA_REQUIRED"), SignInRefusal::BotChallenge);
        check(429, JSON, "{}", limited.clone());
        check(200, JSON, r#"{"error":{"status-code":"429"}}"#, limited.clone());
        check(200, JSON, r#"{"error":{"status-code":429}}"#, limited);
        check(403, JSON, "{}", SignInRefusal::BotChallenge);
        check(
            429,
            "text/html",
            "<title>Access denied</title>",
            SignInRefusal::BotChallenge,
        );
        check(
            200,
            "text/html",
            "<title>Just a moment...</title>",
            SignInRefusal::BotChallenge,
        );
        check(
            400,
            PROBLEM,
            r#"{"title":"Bad Request"}"#,
            SignInRefusal::RequestRejected,
        );
        check(401, JSON, "{}", SignInRefusal::Unexplained { status: 401 });
        check(401, "", "", SignInRefusal::Unexplained { status: 401 });
        check(404, JSON, "{}", SignInRefusal::Unexplained { status: 404 });
        for status in [408, 425, 500, 502, 503] {
            check(status, JSON, "{}", SignInRefusal::Temporary);
        }
        check(200, "text/plain", "maintenance", SignInRefusal::Temporary);
        check(302, "", "", changed("redirect"));
        check(200, JSON, "{}", changed("responseStatus.type"));
        check(
            200,
            JSON,
            r#"{"responseStatus":{"type":7}}"#,
            changed("responseStatus.type"),
        );
        check(200, JSON, &said("SOMETHING_NEW"), changed("responseStatus.type"));
        check(200, JSON, &said("SUCCESSFUL"), changed("serviceTicketId"));
    }

    #[test]
    fn no_answer_is_not_a_refusal_of_garmin() {
        let (hosts, credentials) = (hosts(), credentials());
        let desk = Desk {
            hosts: &hosts,
            credentials: &credentials,
        };
        let turn = hear(&desk, SignInMethod::Mobile, At::Login, &Heard::Nothing);
        assert!(matches!(turn, Turn::Refused(SignInRefusal::Unreachable)));
    }

    #[test]
    fn a_login_asks_as_the_phone_app_does() {
        let (hosts, credentials) = (hosts(), credentials());
        let desk = Desk {
            hosts: &hosts,
            credentials: &credentials,
        };
        let (at, ask) = begin(&desk, SignInMethod::Mobile);
        assert_eq!(
            (at, ask.cookies, ask.pause),
            (At::Login, Cookies::New, Pause::None)
        );
        assert_eq!(
            ask.url.as_str(),
            "https://sso.garmin.com/mobile/api/login?clientId=GCM_IOS_DARK&locale=en-US\
             &service=https%3A%2F%2Fmobile.integration.garmin.com%2Fgcm%2Fios"
        );
        let body = json!({"username": "ann@example.org", "password": "secret", "rememberMe": true, "captchaToken": ""});
        assert!(ask.body == Body::Json(body));
        assert!(
            ask.headers
                .contains(&("origin", "https://sso.garmin.com".to_owned()))
        );
    }

    #[test]
    fn the_portal_is_opened_as_a_page_first_and_then_waited_for() {
        let (hosts, credentials) = (hosts(), credentials());
        let desk = Desk {
            hosts: &hosts,
            credentials: &credentials,
        };
        let (at, page) = begin(&desk, SignInMethod::Portal);
        assert_eq!(
            (at, page.method, page.cookies),
            (At::Page, Method::Get, Cookies::New)
        );
        let heard = Heard::Answer(answer(200, "text/html", "<title>GARMIN</title>"));
        let Turn::Ask(At::Login, ask) = hear(&desk, SignInMethod::Portal, at, &heard) else {
            panic!("a login follows")
        };
        assert_eq!((ask.pause, ask.cookies), (Pause::Portal, Cookies::Keep));
        assert_eq!(
            ask.url.as_str(),
            "https://sso.garmin.com/portal/api/login?clientId=GarminConnect&locale=en-US\
             &service=https%3A%2F%2Fconnect.garmin.com%2Fapp"
        );
        assert!(ask.headers.contains(&("referer", page.url.to_string())));
    }

    #[test]
    fn a_ticket_is_bound_to_the_service_of_its_domain() {
        let china = GarminHosts {
            domain: crate::config::GarminDomain::Cn,
            ..hosts()
        };
        let text =
            json!({"responseStatus": {"type": "SUCCESSFUL"}, "serviceTicketId": "ST-1-sso"}).to_string();
        let credentials = credentials();
        let desk = Desk {
            hosts: &china,
            credentials: &credentials,
        };
        let heard = Heard::Answer(answer(200, JSON, &text));
        let Turn::Won(ticket) = hear(&desk, SignInMethod::Mobile, At::Login, &heard) else {
            panic!("a ticket")
        };
        assert_eq!(ticket.ticket.expose(), "ST-1-sso");
        assert_eq!(ticket.service, "https://mobile.integration.garmin.cn/gcm/ios");
    }
}
