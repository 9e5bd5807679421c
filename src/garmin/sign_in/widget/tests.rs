//! The requests to the widget, and the meaning of its pages.

use super::super::tests::{credentials, hosts, response};
use super::super::widget_page::read_mfa_page;
use super::*;

const FORM: &str =
    r#"<input type="hidden" name="_csrf" value="c1"><input name="username"><input name="password">"#;
const CODE_FORM: &str = r#"<input name="_csrf" value="c2"><input name="mfa-code">"#;
const AMBIGUOUS_TITLE: &str = "GARMIN Authentication Application";

fn page(title: &str, body: &str) -> String {
    format!("<html><head><title>{title}</title></head><body>{body}</body></html>")
}

fn submitted(text: &str) -> Result<Login, SignInRefusal> {
    read_submitted(&hosts(), &response(200, "text/html", text))
}

fn mfa_page(channel: &str, sent_to: &str) -> String {
    format!(
        r#"<script>var customerGuid = "g"; var mfaMethod = "{channel}"; var locale = "en-US";
        var clientId = "gauth-widget"; var codeSentTo = "{sent_to}";</script>{CODE_FORM}"#
    )
}

#[test]
fn each_page_after_the_form_has_its_class() {
    let check = |title: &str, body: &str, wanted: SignInRefusal| {
        assert_eq!(submitted(&page(title, body)), Err(wanted), "{title}");
    };
    check("Account Locked", "", SignInRefusal::AccountLocked);
    check("Account error", "", SignInRefusal::AccountLocked);
    check("Invalid sign in", "", SignInRefusal::WrongCredentials);
    check("Incorrect password", "", SignInRefusal::WrongCredentials);
    check("Unable to sign in", "", SignInRefusal::Restricted);
    check("Unable to login", "", SignInRefusal::Restricted);
    check("502 Bad Gateway", "", SignInRefusal::Temporary);
    check("Service Unavailable", "", SignInRefusal::Temporary);
    let with_phrase = format!("{FORM}<p>Invalid sign in. (Passwords are case sensitive.)");
    check(AMBIGUOUS_TITLE, &with_phrase, SignInRefusal::WrongCredentials);
    // The repeated form without a reason is no proof of a wrong password.
    check(AMBIGUOUS_TITLE, FORM, SignInRefusal::Unexplained { status: 200 });
    check("Success", "no link", changed("widget form", "ticket"));
    let no_form = changed("widget form", "code page: _csrf");
    check("Enter MFA code for login", "no form", no_form);
    check("Something else", "", changed("widget form", "title"));
    check(AMBIGUOUS_TITLE, "", changed("widget form", "title"));
}

#[test]
fn success_has_a_ticket_for_the_embedding_page() {
    let link = r#"<script>var response_url = "https://sso.garmin.com/sso/embed?ticket=ST-9-cas";"#;
    let Ok(Login::Ticket(ticket)) = submitted(&page("Success", link)) else {
        panic!("a ticket")
    };
    assert_eq!(ticket.ticket.expose(), "ST-9-cas");
    assert_eq!(ticket.service_url, "https://sso.garmin.com/sso/embed");
}

#[test]
fn both_titles_of_a_code_page_are_known() {
    for title in ["Enter MFA code for login", AMBIGUOUS_TITLE] {
        let read = submitted(&page(title, CODE_FORM));
        assert!(
            matches!(read, Ok(Login::CodeWanted(PendingMfa::Widget(_)))),
            "{title}: {read:?}"
        );
    }
}

#[test]
fn delivery_is_requested_only_for_a_code_that_garmin_has_yet_to_send() {
    let requested = |channel: &str, sent_to: &str| {
        let page = read_mfa_page(&mfa_page(channel, sent_to)).unwrap();
        let request = delivery_request(&hosts(), &page)?;
        Some((request.url.to_string(), request.text().to_owned()))
    };
    let url = "https://sso.garmin.com/sso/verifyMFA/mfaCode?clientId=gauth-widget";
    for channel in ["email", "sms"] {
        let body = format!(r#"{{"customerGuid":"g","mfaMethod":"{channel}","locale":"en-US"}}"#);
        assert_eq!(requested(channel, ""), Some((url.to_owned(), body)));
    }
    assert_eq!(requested("email", "a***@example.org"), None);
    assert_eq!(requested("totp", ""), None);
}

#[test]
fn the_form_is_submitted_with_its_csrf_token() {
    let request = submit_request(&hosts(), &credentials(), "c1");
    assert_eq!(
        request.text(),
        "username=ann%40example.org&password=secret&embed=true&_csrf=c1"
    );
    assert_eq!(request.url.path(), "/sso/signin");
    assert!(request.has_header("referer", form_url(&hosts()).as_str()));
    assert!(request.has_header("origin", "https://sso.garmin.com"));
}

#[test]
fn a_wrong_code_brings_a_new_csrf_token_for_the_next_try() {
    let mut open = read_mfa_page(&mfa_page("email", "")).unwrap();
    let again = page(
        AMBIGUOUS_TITLE,
        r#"<input name="_csrf" value="c3"><input name="mfa-code">"#,
    );
    let mut read = |status, text: &str| {
        let response = response(status, "text/html", text);
        read_code_response(&hosts(), &mut open, &response)
    };
    assert_eq!(read(200, &again), Err(CodeFailure::Wrong));
    let limited = SignInRefusal::RateLimited { until: None };
    assert_eq!(read(429, ""), Err(CodeFailure::NotRead(limited)));
    let over = CodeFailure::Final(SignInRefusal::ChallengeOver);
    assert_eq!(read(200, &page("Invalid code", "")), Err(over));
    let request = code_request(&hosts(), &open, &Secret::new("123456"));
    assert_eq!(
        request.text(),
        "mfa-code=123456&embed=true&_csrf=c3&fromPage=setupEnterMfaCode"
    );
}
