//! What the widget's pages say: mostly by their title, and where that says nothing, by what is in them.

use super::super::html;
use super::super::trouble::changed;
use crate::base::secrets::Secret;
use crate::garmin::refusal::SignInRefusal;
use crate::garmin::wire::Answer;

/// The page that wants a code: what is needed to answer it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::garmin::sign_in) struct CodePage {
    /// The page's `_csrf`; each page has a new one.
    pub(super) csrf: String,
    /// `email`, `sms`, `totp`, …; empty when the page does not say.
    pub(in crate::garmin::sign_in) method: String,
    /// Masked by Garmin; `None` when nothing was sent yet.
    pub(in crate::garmin::sign_in) sent_to: Option<String>,
    pub(super) delivery: Option<Delivery>,
}

/// What Garmin wants to know to send a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delivery {
    pub(super) customer_guid: String,
    pub(super) locale: String,
    pub(super) client_id: String,
}

/// A page that follows a submitted form.
pub(super) enum Page {
    Success(Option<Secret>),
    Code(Box<CodePage>),
    Refused(SignInRefusal),
}

pub(super) fn read(place: &str, answer: &Answer) -> Page {
    let page = answer.text.as_str();
    let title = html::title(page).unwrap_or_default().to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| title.contains(word));
    if has(&["success"]) {
        return Page::Success(html::ticket(page).map(Secret::new));
    }
    // The e-mail code page has the title of the plain form, so the content decides.
    if has(&["enter mfa code"])
        || html::has_input(page, "mfa-code")
        || html::variable(page, "mfaMethod").is_some()
    {
        return match code_page(page) {
            Some(code_page) => Page::Code(Box::new(code_page)),
            None => Page::Refused(changed(place, "code page: _csrf")),
        };
    }
    Page::Refused(if has(&["unable to sign in", "unable to login"]) {
        SignInRefusal::Restricted
    } else if has(&["locked", "account error"]) {
        SignInRefusal::AccountLocked
    } else if has(&["invalid", "incorrect"]) {
        SignInRefusal::WrongCredentials
    } else if has(&["bad gateway", "service unavailable", "cloudflare", "502", "503"]) {
        SignInRefusal::Temporary
    } else if html::has_input(page, "password") {
        // The form again: something was wrong, and the page says what only in words.
        let page = page.to_lowercase();
        if ["invalid sign in", "incorrect", "passwords are case sensitive"]
            .iter()
            .any(|words| page.contains(words))
        {
            SignInRefusal::WrongCredentials
        } else {
            SignInRefusal::Unexplained {
                status: answer.status,
            }
        }
    } else {
        changed(place, "title")
    })
}

pub(super) fn code_page(page: &str) -> Option<CodePage> {
    let delivery = html::variable(page, "customerGuid").map(|customer_guid| Delivery {
        customer_guid,
        locale: html::variable(page, "locale").unwrap_or_else(|| "en".to_owned()),
        client_id: html::variable(page, "clientId").unwrap_or_default(),
    });
    Some(CodePage {
        csrf: html::input(page, "_csrf")?,
        method: html::variable(page, "mfaMethod").unwrap_or_default(),
        sent_to: html::variable(page, "codeSentTo"),
        delivery,
    })
}
