//! What the sign-in pages show, and what their forms send back.

use std::net::IpAddr;

use crate::base::secrets::Secret;
use crate::garmin::MfaMethod;
use crate::mcp::Access;

/// Who sends a request to these pages.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    /// The value of our cookie, if the browser sent it.
    pub browser: Option<&'a str>,
    /// The client's address, as far as it is known. Behind a proxy that is not in `TRUSTED_PROXIES` it is the proxy's.
    pub source: Option<IpAddr>,
}

/// What the browser gets next.
///
/// No `Debug`: pages hold an e-mail address, and a redirect holds a code.
pub enum AuthorizeStep {
    /// 200: the form for e-mail, password and access.
    SignIn(SignInPage),
    /// 200: the form for Garmin's code.
    Mfa(MfaCodePage),
    /// 303 to the client, with a code or an error.
    Redirect { url: String },
    /// 200: Garmin's sign-in was renewed at `/link`; there is no client to return to.
    Linked {
        /// From Garmin's profile; may be empty.
        full_name: String,
    },
    /// A page that explains why the sign-in stops here. Nothing was sent to the client.
    Refused(AuthorizeRefusal),
}

/// The client as the pages show it. Names come from the client: text, never markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientOnPage {
    /// What the client calls itself: one line of at most 80 characters. Any client can call itself anything.
    pub name: String,
    /// Where the browser returns to, which a client can't make up: a host, or the name of a native app.
    pub redirect_host: String,
    /// The browser hands the code to a program on the same device, which nobody can vouch for.
    pub on_this_device: bool,
    /// `scheme://host[:port]` or `scheme:` for the page's `form-action`, beside `'self'`.
    pub form_action: String,
}

/// The two hidden fields of every form. Together with the cookie they identify the sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HiddenFields {
    /// What is asked for, readable, and bound to this page by `csrf`.
    pub transaction: String,
    /// A signature over `transaction` and the browser's cookie.
    pub csrf: String,
}

/// The first page. Its form is posted with `step=credentials` or `step=deny`.
pub struct SignInPage {
    pub hidden: HiddenFields,
    /// The cookie to set (a session cookie, `HttpOnly`, `SameSite=Lax`); `None`: the browser has it already.
    pub set_browser: Option<Secret>,
    pub client: Option<ClientOnPage>,
    /// What was typed before; empty at first.
    pub email: String,
    /// What was chosen before; read only at first.
    pub access: Access,
    /// Why the last try failed, in words for the person.
    pub notice: Option<String>,
    /// Passwords that this page still takes.
    pub tries_left: u8,
}

/// The second page. Its form is posted with `step=code` or `step=deny`.
pub struct MfaCodePage {
    pub hidden: HiddenFields,
    pub client: Option<ClientOnPage>,
    /// How the code reaches the person.
    pub method: MfaMethod,
    /// Where Garmin sent the code, masked by Garmin.
    pub sent_to: Option<String>,
    /// Codes that Garmin still takes.
    pub tries_left: u8,
    /// Why the last code failed, in words for the person.
    pub notice: Option<String>,
}

/// A page that explains why a sign-in stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizeRefusal {
    pub title: String,
    /// What happened and what to do, in plain sentences.
    pub explanation: String,
    /// 400; 503 when the fault is ours; 429 when too much is under way; 200 when the person asked to stop.
    pub status: u16,
}

/// A form that one of our pages sent back.
pub struct PostedForm {
    pub hidden: HiddenFields,
    pub answer: PostedAnswer,
}

/// What the person answered. No `Debug`: it holds a password.
pub enum PostedAnswer {
    /// `step=credentials`.
    Credentials {
        email: String,
        password: Secret,
        access: Access,
    },
    /// `step=code`: Garmin's code, as typed.
    Code(Secret),
    /// `step=deny`.
    Deny,
}
