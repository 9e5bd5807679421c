//! The way from `/authorize` (or `/link`) to a code.
//!
//! A transaction is one visit: one request of a client, one browser, one quarter of an hour. [`step`] says what
//! happens in it, [`flow`] does it. Here is what the pages are given and what they send back.
//!
//! Invariants:
//! - Nothing is possible without the three that one browser alone has together: the cookie, the transaction and its
//!   CSRF value. Whatever does not fit is one page, the same for all reasons.
//! - There is no sign-in that lasts in a browser: every consent is given with Garmin's password, for one client, after
//!   its name and return host were shown.
//! - Until the redirect URI is proven, errors are pages; from then on they go to the client with `state` and `iss`.
//! - Whoever was not invited gets what a wrong password gets, after as long a time, and Garmin hears nothing of it.

mod flow;
mod refusals;
mod request;
mod step;
mod transactions;

#[cfg(fuzzing)]
pub(super) use request::way_back;
pub(super) use transactions::Transactions;

use crate::base::secrets::Secret;
use crate::mcp::Access;

/// What the browser gets next.
///
/// No `Debug`: pages hold an e-mail address, and a redirect holds a code.
pub enum AuthorizeStep {
    /// 200: the form that asks for e-mail, password and access.
    SignIn(SignInPage),
    /// 200: the form that asks for Garmin's code.
    Code(CodePage),
    /// 303 to the client, with a code or an error; no page of ours in between.
    Redirect {
        /// The whole `Location`.
        url: String,
    },
    /// 200: Garmin's sign-in was renewed at `/link`; there is no client to return to.
    Linked {
        /// The name that Garmin knows the person by.
        full_name: String,
    },
    /// A page that explains why it does not go on. Nothing was sent to the client.
    Refused(AuthorizeRefusal),
}

/// Whom the person signs in for, as the pages show it. Names come from the client: text, never markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientOnPage {
    /// What the client calls itself, cleaned and at most 80 characters; anybody can call itself anything.
    pub name: String,
    /// The host that the person returns to: the part that can't be made up.
    pub redirect_host: String,
    /// The client runs on the person's own machine; whatever program listens there gets the code.
    pub loopback_only: bool,
    /// `scheme://host[:port]` for the page's `form-action`, beside `'self'`.
    pub form_action_origin: String,
}

/// The form of the first page. It is posted with `step=credentials` or `step=deny`.
pub struct SignInPage {
    /// Hidden field `transaction`.
    pub transaction: String,
    /// Hidden field `csrf`.
    pub csrf: String,
    /// The cookie to set (a session cookie, `HttpOnly`, `SameSite=Lax`); `None`: the browser has it already.
    pub set_browser: Option<Secret>,
    /// Whom it is for; `None` at `/link`.
    pub client: Option<ClientOnPage>,
    /// What to have in the e-mail field; empty at first.
    pub email: String,
    /// What is chosen; read only at first.
    pub access: Access,
    /// What went wrong with the last try, in words for the person.
    pub notice: Option<String>,
    /// How many more tries this page takes.
    pub tries_left: u8,
}

/// The form of the second page. It is posted with `step=code` or `step=deny`.
pub struct CodePage {
    /// Hidden field `transaction`.
    pub transaction: String,
    /// Hidden field `csrf`.
    pub csrf: String,
    /// Whom it is for; `None` at `/link`.
    pub client: Option<ClientOnPage>,
    /// How the code reaches the person: `email`, `phone`, `authenticator`, or empty if Garmin does not say.
    pub method: String,
    /// Where Garmin sent it, masked by Garmin, if it says so.
    pub sent_to: Option<String>,
    /// How many more codes Garmin takes.
    pub tries_left: u8,
    /// What went wrong with the last code, in words for the person.
    pub notice: Option<String>,
}

/// Why there is no way on from here, as a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizeRefusal {
    /// A heading.
    pub title: String,
    /// What happened and what to do, in plain sentences.
    pub explanation: String,
    /// The HTTP status: 400, 503 when it is ours, or 200 when the person wanted it so.
    pub status: u16,
}

/// `step=credentials`.
pub struct CredentialsForm {
    /// As on the page.
    pub transaction: String,
    /// As on the page.
    pub csrf: String,
    /// As typed.
    pub email: String,
    /// As typed.
    pub password: Secret,
    /// As chosen; without a choice, read only.
    pub access: Access,
}

/// `step=code`.
pub struct CodeForm {
    /// As on the page.
    pub transaction: String,
    /// As on the page.
    pub csrf: String,
    /// As typed; spaces are forgiven.
    pub code: Secret,
}

/// `step=deny`.
pub struct DenyForm {
    /// As on the page.
    pub transaction: String,
    /// As on the page.
    pub csrf: String,
}
