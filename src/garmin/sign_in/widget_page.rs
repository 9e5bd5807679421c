//! Interprets the widget's pages: mostly by their title, and where the title is ambiguous, by their content.

use super::html;
use super::refusal::SignInRefusal;
use super::signals::changed;
use crate::garmin::response::GarminResponse;

/// A page that follows a submitted form and is not a refusal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum WidgetPage {
    Success { ticket: String },
    Code(WidgetMfaPage),
}

/// The page that asks for a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WidgetMfaPage {
    /// The CSRF token, new on each page.
    pub(super) csrf: String,
    /// `email`, `sms`, `totp`, …; empty when the page does not say.
    pub(super) channel: String,
    /// The recipient, masked by Garmin; `None` when nothing was sent yet.
    pub(super) sent_to: Option<String>,
    pub(super) delivery: Option<CodeDelivery>,
}

/// The data that Garmin needs to send a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CodeDelivery {
    pub(super) customer_guid: String,
    pub(super) locale: String,
    pub(super) client_id: String,
}

pub(super) fn read_page(place: &str, response: &GarminResponse) -> Result<WidgetPage, SignInRefusal> {
    let page = response.text.as_str();
    let title = html::title(page).unwrap_or_default().to_lowercase();
    let has = |phrases: &[&str]| phrases.iter().any(|phrase| title.contains(phrase));
    if has(&["success"]) {
        let ticket = html::ticket(page).ok_or_else(|| changed(place, "ticket"))?;
        return Ok(WidgetPage::Success { ticket });
    }
    // The page for e-mail codes has the same title as the sign-in form.
    if has(&["enter mfa code"])
        || html::has_input(page, "mfa-code")
        || html::variable(page, "mfaMethod").is_some()
    {
        let page = read_mfa_page(page).ok_or_else(|| changed(place, "code page: _csrf"))?;
        return Ok(WidgetPage::Code(page));
    }
    Err(if has(&["unable to sign in", "unable to login"]) {
        SignInRefusal::Restricted
    } else if has(&["locked", "account error"]) {
        SignInRefusal::AccountLocked
    } else if has(&["invalid", "incorrect"]) {
        SignInRefusal::WrongCredentials
    } else if has(&["bad gateway", "service unavailable", "cloudflare", "502", "503"]) {
        SignInRefusal::Temporary
    } else if html::has_input(page, "password") {
        read_repeated_form(response)
    } else {
        changed(place, "title")
    })
}

/// The form was returned again. Only a phrase in its text can identify a wrong password.
fn read_repeated_form(response: &GarminResponse) -> SignInRefusal {
    const WRONG: [&str; 3] = ["invalid sign in", "incorrect", "passwords are case sensitive"];
    let page = response.text.to_lowercase();
    if WRONG.iter().any(|phrase| page.contains(phrase)) {
        SignInRefusal::WrongCredentials
    } else {
        SignInRefusal::Unexplained {
            status: response.status,
        }
    }
}

pub(super) fn read_mfa_page(page: &str) -> Option<WidgetMfaPage> {
    let delivery = html::variable(page, "customerGuid").map(|customer_guid| CodeDelivery {
        customer_guid,
        locale: html::variable(page, "locale").unwrap_or_else(|| "en".to_owned()),
        client_id: html::variable(page, "clientId").unwrap_or_default(),
    });
    Some(WidgetMfaPage {
        csrf: html::input(page, "_csrf")?,
        channel: html::variable(page, "mfaMethod").unwrap_or_default(),
        sent_to: html::variable(page, "codeSentTo"),
        delivery,
    })
}
