//! The contents of the sign-in pages, and of the forms that they post.

use std::net::IpAddr;

use super::refusals::{AuthorizeRefusal, SignInNotice};
use crate::base::secrets::Secret;
use crate::garmin::MfaMethod;
use crate::mcp::Access;

/// The sender of a request to these pages.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    /// The value of the gateway's cookie, if the browser sent it.
    pub browser: Option<&'a str>,
    /// The source that the limits apply to, if known.
    pub source: Option<IpAddr>,
}

/// The next response to the browser.
///
/// Implements no `Debug`, because pages contain an e-mail address, and a redirect contains a code.
pub enum AuthorizeStep {
    /// 200: the form for e-mail, password and access.
    SignIn(SignInPage),
    /// 200: the form for Garmin's code.
    Mfa(MfaCodePage),
    /// 303 to the client, with a code or an error.
    Redirect { url: String },
    /// 200: Garmin's sign-in was renewed at `/link`, so there is no client to return to.
    Linked {
        /// The name in Garmin's profile; may be empty.
        full_name: String,
        /// Whether the person has connected an app. Until then, nothing can read their data.
        has_app: bool,
    },
    /// 303 to the person's own page, which this code opens once.
    OwnPage { code: Secret },
    /// A page that explains why the sign-in stops here. The client is not informed.
    Refused(AuthorizeRefusal),
}

impl From<AuthorizeRefusal> for AuthorizeStep {
    fn from(refusal: AuthorizeRefusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The client as the pages show it. Names come from the client, so they are text, never markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientOnPage {
    /// The client's own name for itself: one line of at most 80 characters. Any client can use any name.
    pub name: String,
    /// Where the browser returns to, which a client cannot invent: a host, or the name of a native app.
    pub redirect_host: String,
    /// The browser passes the code to a program on the same device, whose identity cannot be verified.
    pub on_this_device: bool,
    /// The host that the browser returns to has published the client's metadata document, so it vouches for the name.
    pub is_verified: bool,
    /// `scheme://host[:port]` or `scheme:`, for the page's `form-action` in addition to `'self'`.
    pub form_action: String,
}

/// The two hidden fields of every form. Together with the cookie they identify the sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HiddenFields {
    /// The request in readable form, bound to this page by `csrf`.
    pub transaction: String,
    /// A signature over `transaction` and the browser's cookie.
    pub csrf: String,
}

/// The first page. Its form is posted with `step=credentials` or `step=deny`.
pub struct SignInPage {
    pub hidden: HiddenFields,
    /// The cookie to set (a session cookie, `HttpOnly`, `SameSite=Lax`); `None`: the browser already has it.
    pub set_browser: Option<Secret>,
    pub client: Option<ClientOnPage>,
    /// The e-mail typed before; empty at first.
    pub email: String,
    /// The access chosen before; read-only at first.
    pub access: Access,
    /// Why the last attempt failed.
    pub notice: Option<SignInNotice>,
    /// Number of passwords that this page still accepts.
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
    /// Number of codes that Garmin still accepts.
    pub tries_left: u8,
    /// Why the last code failed.
    pub notice: Option<SignInNotice>,
}

/// A form posted from one of the sign-in pages.
pub struct PostedForm {
    pub hidden: HiddenFields,
    pub answer: PostedAnswer,
}

/// The person's input. It implements no `Debug`, because it contains a password.
pub enum PostedAnswer {
    Credentials {
        email: String,
        password: Secret,
        access: Access,
    },
    /// `step=code`: Garmin's code, as typed.
    Code(Secret),
    Deny,
    /// The person chose another language. No sign-in is tried; the page is shown again with what was typed, except for
    /// a password or a code.
    ChangeLanguage {
        email: Option<String>,
        access: Option<Access>,
    },
}
