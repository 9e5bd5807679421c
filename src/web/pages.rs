//! The pages people see, each a struct with samples.
//!
//! Every page is one self-contained answer: its style is inlined and allowed by its hash, no script exists, and
//! the icon is the only other thing a browser asks for. All text from outside is escaped by the templates; the
//! only unescaped value is our own style sheet. Texts live in the templates under `assets/pages`, except for what
//! depends on a decision, which lives here.

use std::sync::LazyLock;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::base::secrets::sha256;

/// The icon, served at `/favicon.svg`.
pub(super) const FAVICON: &str = include_str!("../../assets/pages/favicon.svg");

const STYLE: &str = include_str!("../../assets/pages/page.css");

/// The source expression of the inlined style sheet for `style-src` (CSP level 3, section 2.3.1).
pub(super) static STYLE_SOURCE: LazyLock<String> =
    LazyLock::new(|| format!("'sha256-{}'", STANDARD.encode(sha256(STYLE.as_bytes()))));

/// What stands around the content of every page.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// Host of the public URL, with its port if it names one.
    pub(super) host: String,
    /// Who runs the gateway, if set.
    pub(super) operator_name: Option<String>,
    /// Where to reach that person, if set.
    pub(super) operator_email: Option<String>,
    /// Garmin is the simulator: every page says so.
    pub(super) simulated: bool,
    css: &'static str,
}

impl Frame {
    /// The frame of one answer.
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

/// What the gateway is, how to connect, who sees what.
#[derive(Debug, Template)]
#[template(path = "landing.html", config = ".askama.toml")]
pub(super) struct Landing {
    pub(super) frame: Frame,
    /// What a person pastes into Claude.
    pub(super) connector_url: String,
    /// What brought the person here.
    pub(super) arrival: Arrival,
}

/// How a person came to the landing page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// By its address.
    Home,
    /// By an address that doesn't exist.
    Missing,
    /// By the connector's address, which is Claude's.
    Connector,
}

/// The app that asks, as the sign-in page shows it before any password.
#[derive(Debug, Clone)]
pub(super) struct AskingClient {
    /// The name the client gave itself.
    pub(super) name: String,
    /// Host the browser returns to.
    pub(super) redirect_host: String,
    /// It returns to this device only, so nobody vouches for the name.
    pub(super) loopback_only: bool,
}

/// E-mail, password and the choice of access.
#[derive(Debug, Template)]
#[template(path = "sign_in.html", config = ".askama.toml")]
pub(super) struct SignIn {
    pub(super) frame: Frame,
    /// Where the forms post to: the path that showed the page.
    pub(super) action: &'static str,
    pub(super) transaction: String,
    pub(super) csrf: String,
    /// `None` = no app asks: the person renews the login at Garmin.
    pub(super) client: Option<AskingClient>,
    /// What to put into the e-mail field.
    pub(super) email: String,
    /// Preselects *read and change*.
    pub(super) may_change: bool,
    /// Why the last try failed, in the person's words.
    pub(super) notice: Option<String>,
    /// How many more tries this page takes; told once one has failed.
    pub(super) tries_left: u8,
}

impl SignIn {
    fn heading(&self) -> String {
        self.client.as_ref().map_or_else(
            || "Sign in at Garmin again".to_owned(),
            |client| format!("Connect Garmin to {}", client.name),
        )
    }
}

/// How the code reaches the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    Email,
    Phone,
    Authenticator,
    Unknown,
}

impl Channel {
    /// From the sign-in's word for it.
    pub(super) fn of(method: &str) -> Self {
        match method {
            "email" => Self::Email,
            "phone" => Self::Phone,
            "authenticator" => Self::Authenticator,
            _ => Self::Unknown,
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::Email => "It can take a minute. Look in the spam folder too, and use the newest code.",
            Self::Phone => "It can take a minute. If several arrive, use the newest.",
            Self::Authenticator => "It changes every 30 seconds; a fresh one is best.",
            Self::Unknown => "By e-mail, by text message or in your authenticator app.",
        }
    }
}

/// The code of the two-step verification.
#[derive(Debug, Template)]
#[template(path = "code.html", config = ".askama.toml")]
pub(super) struct Code {
    pub(super) frame: Frame,
    /// Where the forms post to: the path that showed the page.
    pub(super) action: &'static str,
    pub(super) transaction: String,
    pub(super) csrf: String,
    pub(super) channel: Channel,
    /// Where Garmin sent it, masked by Garmin.
    pub(super) sent_to: Option<String>,
    /// How often a code may still be sent in this sign-in.
    pub(super) tries_left: u8,
    /// Why the last code failed, in the person's words.
    pub(super) notice: Option<String>,
}

impl Code {
    fn lead(&self) -> String {
        match (self.channel, &self.sent_to) {
            (Channel::Email | Channel::Phone, Some(to)) => format!("Garmin has sent a code to {to}."),
            (Channel::Email, None) => {
                "Garmin has sent a code to the e-mail address of your account.".to_owned()
            }
            (Channel::Phone, None) => "Garmin has sent a code to your phone.".to_owned(),
            (Channel::Authenticator, _) => {
                "Open your authenticator app and type the code it shows for Garmin.".to_owned()
            }
            (Channel::Unknown, _) => "Garmin asks for the code of your two-step verification.".to_owned(),
        }
    }

    fn tries(&self) -> String {
        match self.tries_left {
            0 | 1 => "This is the last try; after that you start again.".to_owned(),
            more => format!("You have {more} tries."),
        }
    }
}

/// The login at Garmin works again.
#[derive(Debug, Template)]
#[template(path = "linked.html", config = ".askama.toml")]
pub(super) struct Linked {
    pub(super) frame: Frame,
    /// The name that Garmin knows the person by.
    pub(super) full_name: String,
}

/// Why something did not work, what to do, and a reference for whoever runs the gateway.
#[derive(Debug, Template)]
#[template(path = "message.html", config = ".askama.toml")]
pub(super) struct Message {
    pub(super) frame: Frame,
    pub(super) title: String,
    pub(super) explanation: String,
    /// What the person can do, in order.
    pub(super) steps: Vec<String>,
    /// The request id, which the log has too.
    pub(super) reference: String,
}

#[cfg(test)]
mod tests;
