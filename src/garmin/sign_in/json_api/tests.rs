//! The requests to the JSON interface, and the meaning of its responses.

use serde_json::json;

use super::super::tests::{credentials, hosts, response};
use super::*;
use crate::config::GarminDomain;

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

fn status(status_type: &str) -> String {
    json!({"responseStatus": {"type": status_type, "message": "", "httpStatus": "OK"}, "serviceTicketId": null})
        .to_string()
}

#[test]
fn each_login_response_has_its_class() {
    let changed = |path: &str| SignInRefusal::Changed {
        path: format!("mobile login: {path}"),
    };
    let limited = SignInRefusal::RateLimited { until: None };
    let check = |http_status, content_type, text: &str, wanted: SignInRefusal| {
        let read = read_login(
            &hosts(),
            SignInMethod::Mobile,
            &response(http_status, content_type, text),
        );
        assert_eq!(read, Err(wanted), "{http_status} {text}");
    };
    let wrong = status("INVALID_USERNAME_PASSWORD");
    check(200, JSON, &wrong, SignInRefusal::WrongCredentials);
    check(401, JSON, &wrong, SignInRefusal::WrongCredentials);
    check(200, JSON, &status("ACCOUNT_LOCKED"), SignInRefusal::AccountLocked);
    check(
        200,
        JSON,
        &status("CAPTCHA_REQUIRED"),
        SignInRefusal::BotChallenge,
    );
    check(429, JSON, "{}", limited.clone());
    check(200, JSON, r#"{"error":{"status-code":"429"}}"#, limited.clone());
    check(200, JSON, r#"{"error":{"status-code":429}}"#, limited);
    check(403, JSON, "{}", SignInRefusal::BotChallenge);
    let blocked = "<title>Access denied</title>";
    check(429, "text/html", blocked, SignInRefusal::BotChallenge);
    let challenge = "<title>Just a moment...</title>";
    check(200, "text/html", challenge, SignInRefusal::BotChallenge);
    let problem = r#"{"title":"Bad Request"}"#;
    check(400, PROBLEM, problem, SignInRefusal::RequestRejected);
    check(401, JSON, "{}", SignInRefusal::Unexplained { status: 401 });
    check(401, "", "", SignInRefusal::Unexplained { status: 401 });
    check(404, JSON, "{}", SignInRefusal::Unexplained { status: 404 });
    for outage in [408, 425, 500, 502, 503] {
        check(outage, JSON, "{}", SignInRefusal::Temporary);
    }
    check(200, "text/plain", "maintenance", SignInRefusal::Temporary);
    check(302, "", "", changed("redirect"));
    check(200, JSON, "{}", changed("responseStatus.type"));
    let number = r#"{"responseStatus":{"type":7}}"#;
    check(200, JSON, number, changed("responseStatus.type"));
    check(
        200,
        JSON,
        &status("SOMETHING_NEW"),
        changed("responseStatus.type"),
    );
    check(200, JSON, &status("SUCCESSFUL"), changed("serviceTicketId"));
}

#[test]
fn a_mobile_login_is_the_phone_apps_request() {
    let request = login_request(&hosts(), SignInMethod::Mobile, &credentials());
    assert_eq!(
        request.url.as_str(),
        "https://sso.garmin.com/mobile/api/login?clientId=GCM_IOS_DARK&locale=en-US\
         &service=https%3A%2F%2Fmobile.integration.garmin.com%2Fgcm%2Fios"
    );
    assert_eq!(
        request.text(),
        r#"{"username":"ann@example.org","password":"secret","rememberMe":true,"captchaToken":""}"#
    );
    assert!(request.has_header("origin", "https://sso.garmin.com"));
    assert!(request.has_header("user-agent", PHONE));
    assert!(!request.headers.iter().any(|(name, _)| *name == "referer"));
}

#[test]
fn a_portal_login_is_the_web_sites_request() {
    let request = login_request(&hosts(), SignInMethod::Portal, &credentials());
    assert_eq!(
        request.url.as_str(),
        "https://sso.garmin.com/portal/api/login?clientId=GarminConnect&locale=en-US\
         &service=https%3A%2F%2Fconnect.garmin.com%2Fapp"
    );
    let page = "https://sso.garmin.com/portal/sso/en-US/sign-in?clientId=GarminConnect\
                &service=https%3A%2F%2Fconnect.garmin.com%2Fapp";
    assert!(request.has_header("referer", page));
    assert!(request.has_header("user-agent", BROWSER));
}

#[test]
fn a_code_goes_by_the_path_of_the_method() {
    let request = code_request(&hosts(), SignInMethod::Portal, "sms", &Secret::new("123456"));
    assert_eq!(request.url.path(), "/portal/api/mfa/verifyCode");
    assert_eq!(
        request.text(),
        r#"{"mfaMethod":"sms","mfaVerificationCode":"123456","rememberMyBrowser":true,"reconsentList":[],"mfaSetup":false}"#
    );
}

#[test]
fn a_ticket_is_bound_to_the_service_of_its_domain() {
    let china = GarminHosts {
        domain: GarminDomain::Cn,
        ..hosts()
    };
    let text = json!({"responseStatus": {"type": "SUCCESSFUL"}, "serviceTicketId": "ST-1-sso"}).to_string();
    let read = read_login(&china, SignInMethod::Mobile, &response(200, JSON, &text));
    let Ok(Login::Ticket(ticket)) = read else {
        panic!("{read:?}")
    };
    assert_eq!(ticket.ticket.expose(), "ST-1-sso");
    assert_eq!(ticket.service_url, "https://mobile.integration.garmin.cn/gcm/ios");
}

#[test]
fn a_wanted_code_says_how_it_reaches_the_person() {
    let check = |info: Value, wanted: (&str, Option<&str>)| {
        let text = json!({"responseStatus": {"type": "MFA_REQUIRED"}, "customerMfaInfo": info}).to_string();
        let read = read_login(&hosts(), SignInMethod::Mobile, &response(200, JSON, &text));
        let Ok(Login::CodeWanted(PendingMfa::Json { channel, sent_to, .. })) = read else {
            panic!("{read:?}")
        };
        assert_eq!((channel.as_str(), sent_to.as_deref()), wanted);
    };
    check(
        json!({"email": "a***@x", "mfaLastMethodUsed": "email"}),
        ("email", Some("a***@x")),
    );
    check(
        json!({"phoneNumber": "***12", "email": "a***@x", "mfaLastMethodUsed": "sms"}),
        ("sms", Some("***12")),
    );
    check(
        json!({"email": "a***@x", "mfaLastMethodUsed": "totp"}),
        ("totp", None),
    );
    check(Value::Null, ("email", None));
}

#[test]
fn each_response_to_a_code_has_its_class() {
    let check = |http_status, content_type, text: &str, wanted: Result<CasTicket, CodeFailure>| {
        let response = response(http_status, content_type, text);
        let read = read_code_response(&hosts(), SignInMethod::Mobile, &response);
        assert_eq!(read, wanted, "{http_status} {text}");
    };
    let good = json!({"responseStatus": {"type": "SUCCESSFUL"}, "serviceTicketId": "ST-1-sso"}).to_string();
    let ticket = CasTicket::new(&hosts(), SignInMethod::Mobile, "ST-1-sso");
    check(200, JSON, &good, Ok(ticket));
    for status_type in [
        "INVALID_MFA_CODE",
        "INVALID_USERNAME_PASSWORD",
        "MFA_REQUIRED",
        "ANYTHING",
    ] {
        check(401, JSON, &status(status_type), Err(CodeFailure::Wrong));
    }
    check(403, JSON, r#"{"message":"no"}"#, Err(CodeFailure::Wrong));
    let locked = CodeFailure::Final(SignInRefusal::AccountLocked);
    check(200, JSON, &status("ACCOUNT_LOCKED"), Err(locked));
    let limited = SignInRefusal::RateLimited { until: None };
    check(429, JSON, "{}", Err(CodeFailure::NotRead(limited)));
    let outage = CodeFailure::NotRead(SignInRefusal::Temporary);
    check(503, "text/html", "<h1>", Err(outage));
    let rejected = CodeFailure::NotRead(SignInRefusal::RequestRejected);
    check(400, PROBLEM, "{}", Err(rejected));
    let no_ticket = changed("code verification", "serviceTicketId");
    check(
        200,
        JSON,
        &status("SUCCESSFUL"),
        Err(CodeFailure::Final(no_ticket)),
    );
}
