//! Redirect URIs: their form, and when two are equal; [`fence`] says which are allowed.
//!
//! Invariants:
//! - The fence is checked at registration, at `/authorize`, and when the code is written. A host that the operator
//!   removes is therefore closed at once, for registered clients and client-id metadata documents alike.
//! - Two spellings of one address are different. The one exception is the port of a loopback address, which a native
//!   client picks when it starts (RFC 8252 §7.3).

pub(super) mod fence;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

const MAX_BYTES: usize = 1024;

/// Schemes that a browser runs or opens itself. They are never allowed as a return address, not even by a setting.
const NEVER: [&str; 9] = [
    "about",
    "blob",
    "data",
    "file",
    "filesystem",
    "ftp",
    "javascript",
    "vbscript",
    "view-source",
];

/// Why a redirect URI is refused. Who can act: the caller, or the operator for [`RedirectProblem::ForeignHost`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum RedirectProblem {
    #[error("the redirect URI is not a plain absolute address")]
    Malformed,
    #[error(
        "the redirect URI must begin with https, with http on a loopback address, or with the scheme of an app"
    )]
    Scheme,
    #[error(
        "the redirect URI must not carry a user name, a password, a fragment, or parameters of the answer"
    )]
    Extra,
    #[error("the redirect URI leads to a host that the operator of this gateway has not allowed")]
    ForeignHost,
    #[error("the redirect URI leads to an app that the operator of this gateway has not allowed")]
    ForeignApp,
}

/// A well-formed redirect URI. The fence decides whether it is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct RedirectUri {
    /// The URI as it was sent. Codes go to exactly this address.
    raw: String,
    url: Url,
}

impl RedirectUri {
    /// Reads an absolute URL that is already written as a browser would write it. That excludes tabs, backslashes,
    /// dot segments, ambiguous hosts, and letters that only look like ASCII.
    pub(super) fn parse(raw: &str) -> Result<Self, RedirectProblem> {
        let printable = raw.bytes().all(|b| b.is_ascii_graphic());
        if raw.len() > MAX_BYTES || !printable || raw.contains(['\\', '"', '<', '>', '`', '{', '}', '|', '^'])
        {
            return Err(RedirectProblem::Malformed);
        }
        let url = Url::parse(raw).map_err(|_| RedirectProblem::Malformed)?;
        // `app://host/path`: without a host, parsers would disagree about the address.
        let is_app = !matches!(url.scheme(), "https" | "http");
        if is_app && (NEVER.contains(&url.scheme()) || url.host_str().is_none_or(str::is_empty)) {
            return Err(RedirectProblem::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(RedirectProblem::Extra);
        }
        // `http://localhost:3000` is common and means `…/`.
        let without_slash = (url.path() == "/")
            .then(|| url.as_str().strip_suffix('/'))
            .flatten();
        if raw != url.as_str() && Some(raw) != without_slash {
            return Err(RedirectProblem::Malformed);
        }
        // The gateway adds each of these exactly once.
        if url
            .query_pairs()
            .any(|(name, _)| matches!(&*name, "code" | "state" | "iss" | "error"))
        {
            return Err(RedirectProblem::Extra);
        }
        let uri = Self {
            raw: raw.to_owned(),
            url,
        };
        if uri.url.scheme() == "http" && !uri.is_loopback() {
            return Err(RedirectProblem::Scheme);
        }
        Ok(uri)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.raw
    }

    /// The host as the sign-in page shows it, with the port if it has one; for an app, its scheme and name.
    pub(super) fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        if self.is_app() {
            return format!("{}://{host}", self.url.scheme());
        }
        match self.url.port() {
            Some(port) if !self.is_loopback() => format!("{host}:{port}"),
            _ => host.to_owned(),
        }
    }

    /// `scheme://host[:port]`, or `scheme:` for an app: the source that the Content-Security-Policy's `form-action`
    /// must allow.
    pub(super) fn form_action(&self) -> String {
        if self.is_app() {
            format!("{}:", self.url.scheme())
        } else {
            self.url.origin().ascii_serialization()
        }
    }

    /// Whether the URI has the private scheme of an app on the person's device.
    fn is_app(&self) -> bool {
        !matches!(self.url.scheme(), "https" | "http")
    }

    /// Whether the code goes to a program on the person's own device, so that only PKCE protects it.
    pub(super) fn is_on_this_device(&self) -> bool {
        self.is_app() || self.is_loopback()
    }

    pub(super) fn is_loopback(&self) -> bool {
        if self.is_app() {
            return false;
        }
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => ip == std::net::Ipv4Addr::LOCALHOST,
            Some(Host::Ipv6(ip)) => ip == std::net::Ipv6Addr::LOCALHOST,
            None => false,
        }
    }

    /// Whether a request for `requested` may use this registered URI: the same string, or the same loopback address
    /// with another port.
    pub(super) fn admits(&self, requested: &Self) -> bool {
        if self.raw == requested.raw {
            return true;
        }
        let (ours, theirs) = (&self.url, &requested.url);
        self.is_loopback()
            && ours.scheme() == "http"
            && theirs.scheme() == "http"
            && ours.host() == theirs.host()
            && ours.path() == theirs.path()
            && ours.query() == theirs.query()
    }

    /// The same URI without a port that [`Self::admits`] ignores, so that a native client keeps its id.
    pub(super) fn without_loopback_port(&self) -> Self {
        let mut url = self.url.clone();
        let is_any = self.is_loopback() && url.scheme() == "http";
        if !is_any || url.port().is_none() || url.set_port(None).is_err() {
            return self.clone();
        }
        Self {
            raw: url.as_str().to_owned(),
            url,
        }
    }

    /// The URI with `parameters` added to the client's own query.
    pub(super) fn with(&self, parameters: &[(&str, &str)]) -> String {
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(parameters);
        url.into()
    }
}

impl From<RedirectUri> for String {
    fn from(uri: RedirectUri) -> Self {
        uri.raw
    }
}

impl TryFrom<String> for RedirectUri {
    type Error = RedirectProblem;

    fn try_from(raw: String) -> Result<Self, RedirectProblem> {
        Self::parse(&raw)
    }
}
