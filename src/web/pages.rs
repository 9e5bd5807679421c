//! The pages that people see.
//!
//! Every page is self-contained: its style is inlined and allowed by its hash, there is no script, and the icon is
//! the only other resource that a browser requests. The page of a shared race, which has a script, is in `race_view`.
//! The templates under `assets/pages` escape all text; the only unescaped value is the gateway's own style sheet. The
//! texts are in `words`, in the languages of the readers.

mod frame;
#[cfg(test)]
mod tests;

use askama::Template;

use super::words::{CodeWords, LandingWords, SignInWords, WelcomeWords, fill};
use crate::garmin::{MfaMethod, SignInRefusal};
use crate::mcp::Access;
use crate::oauth::{MfaCodePage, SignInNotice, SignInPage};

pub(super) use self::frame::{Frame, STYLE, STYLE_SOURCE};

/// The icon, served at `/favicon.svg`.
pub(super) const FAVICON: &str = include_str!("../../assets/pages/favicon.svg");

/// The path of a person's own page, which is also its forms' target.
pub(super) const OWN_PAGE: &str = "/me";

/// The landing page: what the gateway is, how to connect, and who can see which data. It names nobody, because
/// strangers read it.
#[derive(Debug, Template)]
#[template(path = "landing.html", config = ".askama.toml")]
pub(super) struct Landing {
    pub(super) frame: Frame,
    /// The URL that a person pastes into Claude.
    pub(super) connector_url: String,
    pub(super) arrival: Arrival,
}

impl Landing {
    fn words(&self) -> &'static LandingWords {
        &self.frame.words.landing
    }

    fn web_steps(&self) -> [String; 4] {
        let host = [("host", self.frame.host.as_str())];
        self.words().web_steps.map(|step| fill(step, &host))
    }
}

/// How a person came to the landing page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    Home,
    /// The address does not exist.
    Missing,
    /// The person opened the connector's URL, which is meant for Claude.
    Connector,
}

/// The form for e-mail, password and access.
#[derive(Template)]
#[template(path = "sign_in.html", config = ".askama.toml")]
pub(super) struct SignInTemplate {
    pub(super) frame: Frame,
    /// The form's target: the path that showed the page.
    pub(super) action: &'static str,
    pub(super) page: SignInPage,
    /// What can be changed at Garmin, under the gateway's names for it; empty if nothing can.
    pub(super) changes: Vec<&'static str>,
}

impl SignInTemplate {
    pub(super) const FORM: &str = "sign-in";

    fn words(&self) -> &'static SignInWords {
        &self.frame.words.sign_in
    }

    fn title(&self) -> String {
        let heading = self.heading();
        match self.page.notice {
            Some(_) => self.frame.title_of_problem(&heading),
            None => heading,
        }
    }

    fn heading(&self) -> String {
        match &self.page.client {
            Some(_) => self.about_client(self.words().connect),
            None if self.opens_page() => self.words().own_page.to_owned(),
            None => self.words().again.to_owned(),
        }
    }

    /// A sentence about the client and the host that it returns to.
    fn about_client(&self, sentence: &str) -> String {
        let Some(client) = &self.page.client else {
            return String::new();
        };
        let values = [
            ("client", client.name.as_str()),
            ("host", client.redirect_host.as_str()),
        ];
        fill(sentence, &values)
    }

    /// Whether the sign-in opens the person's own page.
    fn opens_page(&self) -> bool {
        self.action == OWN_PAGE
    }

    fn may_change(&self) -> bool {
        self.page.access == Access::ReadAndChange
    }

    fn change_hint(&self) -> String {
        let changes = self.changes.iter().map(|name| self.frame.words.change(name));
        let changes = changes.collect::<Vec<_>>().join(", ");
        fill(self.words().change_hint, &[("changes", &changes)])
    }

    fn is_email_missing(&self) -> bool {
        self.page.notice == Some(SignInNotice::NoEmail)
    }

    fn are_both_refused(&self) -> bool {
        let wrong = |refusal: &SignInRefusal| {
            matches!(
                refusal,
                SignInRefusal::WrongCredentials | SignInRefusal::SamePasswordAgain
            )
        };
        matches!(&self.page.notice, Some(SignInNotice::Refused(refusal)) if wrong(refusal))
    }

    /// Whether the notice stands below the password, which must be typed again.
    fn is_about_password(&self) -> bool {
        self.page.notice == Some(SignInNotice::NoPassword) || self.are_both_refused()
    }

    fn notice(&self) -> String {
        let notice = self.page.notice.as_ref();
        let text = notice.map(|notice| self.frame.words.notice(notice, self.frame.operator()));
        text.unwrap_or_default()
    }

    /// A notice that is not about a field.
    fn notice_about_neither(&self) -> Option<String> {
        let is_other = self.page.notice.is_some() && !self.is_email_missing() && !self.is_about_password();
        is_other.then(|| self.notice())
    }

    fn tries(&self) -> String {
        match self.page.tries_left {
            0 | 1 => self.words().one_try.to_owned(),
            more => fill(self.words().tries, &[("n", &more.to_string())]),
        }
    }

    fn trust(&self) -> String {
        match &self.frame.operator_name {
            Some(name) => fill(self.words().trust_name, &[("name", name)]),
            None => self.words().trust.to_owned(),
        }
    }
}

/// The form for the code of the two-step verification.
#[derive(Template)]
#[template(path = "code.html", config = ".askama.toml")]
pub(super) struct MfaTemplate {
    pub(super) frame: Frame,
    /// The form's target: the path that showed the page.
    pub(super) action: &'static str,
    pub(super) page: MfaCodePage,
}

impl MfaTemplate {
    pub(super) const FORM: &str = "code-form";

    fn words(&self) -> &'static CodeWords {
        &self.frame.words.code_page
    }

    fn title(&self) -> String {
        match self.page.notice {
            Some(_) => self.frame.title_of_problem(self.words().title),
            None => self.words().title.to_owned(),
        }
    }

    fn lead(&self) -> String {
        let words = self.words();
        let lead = match (self.page.method, &self.page.sent_to) {
            (MfaMethod::Email | MfaMethod::Phone, Some(to)) => return fill(words.sent_to, &[("to", to)]),
            (MfaMethod::Email, None) => words.by_email,
            (MfaMethod::Phone, None) => words.by_phone,
            (MfaMethod::Authenticator, _) => words.by_app,
            (MfaMethod::Unknown, _) => words.somehow,
        };
        lead.to_owned()
    }

    fn hint(&self) -> &'static str {
        match self.page.method {
            MfaMethod::Email => self.words().email_hint,
            MfaMethod::Phone => self.words().phone_hint,
            MfaMethod::Authenticator => self.words().app_hint,
            MfaMethod::Unknown => self.words().somehow_hint,
        }
    }

    fn notice(&self) -> String {
        let notice = self.page.notice.as_ref();
        let text = notice.map(|notice| self.frame.words.notice(notice, self.frame.operator()));
        text.unwrap_or_default()
    }

    fn tries(&self) -> String {
        match self.page.tries_left {
            0 | 1 => self.words().one_try.to_owned(),
            more => fill(self.words().tries, &[("n", &more.to_string())]),
        }
    }
}

/// Shown after a sign-in at `/link`.
#[derive(Debug, Template)]
#[template(path = "linked.html", config = ".askama.toml")]
pub(super) struct Linked {
    pub(super) frame: Frame,
    /// The name in Garmin's profile; may be empty.
    pub(super) full_name: String,
    /// Whether the person has connected an app. If not, the page says how to.
    pub(super) has_app: bool,
    pub(super) connector_url: String,
}

impl Linked {
    fn words(&self) -> &'static WelcomeWords {
        let words = &self.frame.words.linked;
        if self.has_app { &words.again } else { &words.first }
    }

    fn welcome(&self) -> String {
        fill(self.words().welcome, &[("name", &self.full_name)])
    }
}

/// The button that opens a person's own page with a one-time code.
#[derive(Template)]
#[template(path = "open_me.html", config = ".askama.toml")]
pub(super) struct OpenOwnPage {
    pub(super) frame: Frame,
    pub(super) code: String,
}

/// Explains what failed and what to do, with a reference for the operator.
#[derive(Debug, Template)]
#[template(path = "message.html", config = ".askama.toml")]
pub(super) struct MessagePage {
    pub(super) frame: Frame,
    pub(super) title: String,
    pub(super) explanation: String,
    /// Steps that the person can take, in order.
    pub(super) steps: Vec<String>,
    /// A few words in English for the maker of the program that sent the person here.
    pub(super) technical: Option<String>,
    /// The request id, which is also in the log.
    pub(super) reference: String,
}

impl MessagePage {
    fn reference_hint(&self) -> String {
        let operator = [("operator", self.frame.operator())];
        fill(self.frame.words.help.reference, &operator)
    }
}
