//! The pages that people see.
//!
//! Every page is self-contained: its style is inlined and allowed by its hash, there is no script, and the icon is
//! the only other resource that a browser requests. The page of a shared race, which has a script, is in `race_view`. The templates escape all external text; the only unescaped value
//! is the gateway's own style sheet. Texts are in the templates under `assets/pages`, except where they depend on a
//! decision.

use std::sync::LazyLock;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::base::secrets::sha256;
use crate::garmin::MfaMethod;
use crate::mcp::Access;
use crate::oauth::{MfaCodePage, SignInField, SignInPage};

/// The icon, served at `/favicon.svg`.
pub(super) const FAVICON: &str = include_str!("../../assets/pages/favicon.svg");

pub(super) const STYLE: &str = include_str!("../../assets/pages/page.css");

/// The source expression of the inlined style sheet for `style-src` (CSP level 3, section 2.3.1).
pub(super) static STYLE_SOURCE: LazyLock<String> =
    LazyLock::new(|| format!("'sha256-{}'", STANDARD.encode(sha256(STYLE.as_bytes()))));

/// The path of a person's own page, which is also its forms' target.
pub(super) const OWN_PAGE: &str = "/me";

/// The header and footer of every page.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// The host of the public URL, with its port if it has one.
    pub(super) host: String,
    pub(super) operator_name: Option<String>,
    pub(super) operator_email: Option<String>,
    /// The data come from the simulator, and every page says so.
    pub(super) simulated: bool,
    pub(super) css: &'static str,
}

impl Frame {
    pub(super) fn new(
        host: &str,
        operator_name: Option<&str>,
        operator_email: Option<&str>,
        simulated: bool,
    ) -> Self {
        Self {
            host: host.to_owned(),
            operator_name: operator_name.map(str::to_owned),
            operator_email: operator_email.map(str::to_owned),
            simulated,
            css: STYLE,
        }
    }
}

/// The landing page: what the gateway is, how to connect, and who can see which data.
#[derive(Debug, Template)]
#[template(path = "landing.html", config = ".askama.toml")]
pub(super) struct Landing {
    pub(super) frame: Frame,
    /// The URL that a person pastes into Claude.
    pub(super) connector_url: String,
    pub(super) arrival: Arrival,
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
    /// What can be changed at Garmin, in words; empty if nothing can.
    pub(super) changes: Vec<&'static str>,
}

impl SignInTemplate {
    fn heading(&self) -> String {
        match &self.page.client {
            Some(client) => format!("Connect Garmin to {}", client.name),
            None if self.opens_page() => "Your page".to_owned(),
            None => "Sign in at Garmin again".to_owned(),
        }
    }

    /// Whether the sign-in opens the person's own page.
    fn opens_page(&self) -> bool {
        self.action == OWN_PAGE
    }

    fn may_change(&self) -> bool {
        self.page.access == Access::ReadAndChange
    }

    fn is_about(&self, field: SignInField) -> bool {
        self.page.notice.is_some() && self.page.notice_about == field
    }

    fn notice_about(&self, field: SignInField) -> Option<&str> {
        self.page.notice.as_deref().filter(|_| self.is_about(field))
    }

    fn tries(&self) -> String {
        match self.page.tries_left {
            0 | 1 => "This page takes one more try; too many would make Garmin lock your account.".to_owned(),
            more => format!("This page takes {more} more tries."),
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
    fn lead(&self) -> String {
        match (self.page.method, &self.page.sent_to) {
            (MfaMethod::Email | MfaMethod::Phone, Some(to)) => format!("Garmin has sent a code to {to}."),
            (MfaMethod::Email, None) => {
                "Garmin has sent a code to the e-mail address of your account.".to_owned()
            }
            (MfaMethod::Phone, None) => "Garmin has sent a code to your phone.".to_owned(),
            (MfaMethod::Authenticator, _) => {
                "Open your authenticator app and type the code it shows for Garmin.".to_owned()
            }
            (MfaMethod::Unknown, _) => "Garmin asks for the code of your two-step verification.".to_owned(),
        }
    }

    fn hint(&self) -> &'static str {
        match self.page.method {
            MfaMethod::Email => "It can take a minute. Look in the spam folder too, and use the newest code.",
            MfaMethod::Phone => "It can take a minute. If several arrive, use the newest.",
            MfaMethod::Authenticator => "It changes every 30 seconds; a fresh one is best.",
            MfaMethod::Unknown => "By e-mail, by text message or in your authenticator app.",
        }
    }

    fn tries(&self) -> String {
        match self.page.tries_left {
            0 | 1 => "This is the last try; after that you start again.".to_owned(),
            more => format!("You have {more} tries."),
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
    /// The request id, which is also in the log.
    pub(super) reference: String,
}

#[cfg(test)]
mod tests;
