//! The parsers of the sign-in, for the fuzzer.

use super::login::PendingMfa;
use super::{SignInMethod, html, json_api, mfa, redeem, widget, widget_page};
use crate::base::secrets::Secret;
use crate::config::GarminHosts;
use crate::garmin::response::GarminResponse;
use crate::garmin::tokens::GarminTokens;

pub(in crate::garmin) fn read_response(response: &GarminResponse) {
    let Ok(base) = "https://sso.garmin.com".parse() else {
        return;
    };
    let hosts = GarminHosts::at(&base);
    for method in [SignInMethod::Mobile, SignInMethod::Portal] {
        drop(json_api::read_login(&hosts, method, response));
        drop(json_api::read_code_response(&hosts, method, response));
    }
    drop(widget::read_submitted(&hosts, response));
    if let Some(mut page) = widget_page::read_mfa_page(&response.text) {
        drop(widget::read_code_response(&hosts, &mut page, response));
        assert!(!page.csrf.is_empty());
        drop(PendingMfa::Widget(page));
    }
    if let Some(ticket) = html::ticket(&response.text) {
        assert!(ticket.starts_with("ST-"));
    }
    drop(redeem::read_exchange(Ok(response.clone()), "client"));
    let tokens = GarminTokens {
        di_token: Secret::new("token"),
        di_refresh_token: None,
        di_client_id: None,
    };
    drop(redeem::read_profile(Ok(response.clone()), &tokens));
}

pub(in crate::garmin) fn read_code(text: &str) {
    if let Some(code) = mfa::read_code(&Secret::new(text)) {
        let digits = code.expose();
        assert!((4..=10).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()));
    }
}
