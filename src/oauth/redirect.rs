//! Redirect URIs: their form, their allowed targets, and when two are equal.
//!
//! Invariants:
//! - The fence is checked at registration, at `/authorize`, and when the code is written. A host that the operator
//!   removes is therefore closed at once, for registered clients and client-id metadata documents alike.
//! - Two spellings of one address are different. The one exception is the port of a loopback address, which a native
//!   client picks when it starts (RFC 8252 §7.3).

use serde::{Deserialize, Serialize};
use url::{Host, Url};

const MAX_BYTES: usize = 1024;

/// Return addresses of Claude and ChatGPT: the host, and the start of the path. Another page on these hosts could pass
/// a code on, so the path is checked too. ChatGPT gives each connector a path of its own.
const SERVICES: [(&str, &str); 3] = [
    ("claude.ai", "/api/mcp/"),
    ("claude.com", "/api/mcp/"),
    ("chatgpt.com", "/connector/oauth/"),
];

/// Return addresses of well-known apps, each exactly as the app registers it. Another maker's app can claim
/// the same scheme on a person's device, but without the code verifier (PKCE) the code is useless to it.
pub(super) const APPS: [&str; 4] = [
    "https://chatgpt.com/connector_platform_oauth_redirect",
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "https://insiders.vscode.dev/redirect",
    "https://vscode.dev/redirect",
];

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

/// The allowed return addresses: loopback, well-known services and apps, and the operator's additions.
#[derive(Clone, Debug, Default)]
pub(super) struct RedirectFence {
    /// Whole host names in lower case; any path is allowed on these.
    hosts: Vec<String>,
    /// Whole addresses of apps, exactly as registered.
    apps: Vec<String>,
}

impl RedirectFence {
    /// A fence with the operator's additions: host names, and whole addresses such as `app://host/callback`.
    pub(super) fn new(added: &[String]) -> Self {
        let added = added.iter().map(|one| one.trim());
        let (apps, hosts): (Vec<&str>, Vec<&str>) = added.partition(|one| one.contains("://"));
        Self {
            hosts: hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            apps: apps.into_iter().map(str::to_owned).collect(),
        }
    }

    /// Reads `raw` and checks that codes may go there.
    pub(super) fn admit(&self, raw: &str) -> Result<RedirectUri, RedirectProblem> {
        let uri = RedirectUri::parse(raw)?;
        if uri.is_loopback() {
            return Ok(uri);
        }
        if APPS.contains(&uri.as_str()) || self.apps.contains(&uri.raw) {
            return Ok(uri);
        }
        if uri.is_app() {
            return Err(RedirectProblem::ForeignApp);
        }
        let host = uri.url.host_str().unwrap_or_default();
        let is_service = SERVICES.iter().any(|(name, path)| {
            host == *name && uri.url.path().starts_with(path) && uri.url.port().is_none()
        });
        if is_service || self.hosts.iter().any(|name| name == host) {
            Ok(uri)
        } else {
            Err(RedirectProblem::ForeignHost)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fence() -> RedirectFence {
        RedirectFence::new(&["tools.example.org".into(), "myapp://oauth/callback".into()])
    }

    #[test]
    fn dcr_redirect_fence_lets_in_claude_loopback_and_what_the_operator_added() {
        for uri in [
            "https://claude.ai/api/mcp/auth_callback",
            "https://claude.com/api/mcp/auth_callback",
            "http://localhost/callback",
            "http://localhost:54321/callback",
            "http://localhost:3000",
            "http://127.0.0.1:6276/oauth/callback",
            "http://[::1]:8080/callback",
            "https://localhost:8443/callback",
            "https://tools.example.org/cb?app=1",
            "https://tools.example.org:8443/cb",
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "https://vscode.dev/redirect",
            "https://insiders.vscode.dev/redirect",
            "https://chatgpt.com/connector_platform_oauth_redirect",
            "https://chatgpt.com/connector/oauth/Ab12_x-9",
            "myapp://oauth/callback",
        ] {
            assert_eq!(fence().admit(uri).map(|u| u.raw), Ok(uri.to_owned()));
        }
    }

    #[test]
    fn look_alikes_are_refused() {
        use RedirectProblem::{Extra, ForeignApp, ForeignHost, Malformed, Scheme};
        for (uri, problem) in [
            ("", Malformed),
            ("/callback", Malformed),
            ("//claude.ai/api/mcp/auth_callback", Malformed),
            ("javascript:alert(1)", Scheme),
            ("javascript://claude.ai/api/mcp/%0aalert(1)", Scheme),
            ("data:text/html,x", Scheme),
            ("file:///etc/passwd", Scheme),
            ("https://chatgpt.com/", ForeignHost),
            (
                "https://chatgpt.com/connector_platform_oauth_redirect/x",
                ForeignHost,
            ),
            ("https://chatgpt.com/connector/oauth", ForeignHost),
            ("https://chatgpt.com:8443/connector/oauth/x", ForeignHost),
            ("https://chatgpt.com.evil.example/connector/oauth/x", ForeignHost),
            ("https://chat.chatgpt.com/connector/oauth/x", ForeignHost),
            ("cursor://callback", ForeignApp),
            ("cursor://anysphere.cursor-mcp/oauth/callback/", ForeignApp),
            ("cursor://anysphere.cursor-mcp/oauth/callback?x=1", ForeignApp),
            ("cursor://anysphere.cursor-mcp.evil/oauth/callback", ForeignApp),
            ("cursor://evil@anysphere.cursor-mcp/oauth/callback", Extra),
            ("cursor:oauth/callback", Scheme),
            ("cursor:///oauth/callback", Scheme),
            ("CURSOR://anysphere.cursor-mcp/oauth/callback", Malformed),
            ("vscode://vscode.dev/redirect", ForeignApp),
            ("https://vscode.dev/redirect?x=1", ForeignHost),
            ("https://vscode.dev/", ForeignHost),
            ("https://evil.vscode.dev/redirect", ForeignHost),
            ("http://vscode.dev/redirect", Scheme),
            ("myapp://oauth/callback2", ForeignApp),
            ("myapp://oauth", ForeignApp),
            ("vbscript://x/y", Scheme),
            ("http://claude.ai/api/mcp/auth_callback", Scheme),
            ("http://127.0.0.2/callback", Scheme),
            ("http://localhost.evil.example/callback", Scheme),
            ("http://localhost@evil.example/callback", Extra),
            ("http://[::ffff:127.0.0.1]/callback", Malformed),
            ("http://0/callback", Malformed),
            ("http://127.1/callback", Malformed),
            ("http://2130706433/callback", Malformed),
            ("HTTPS://claude.ai/api/mcp/auth_callback", Malformed),
            ("https://CLAUDE.ai/api/mcp/auth_callback", Malformed),
            ("https://claude.ai:443/api/mcp/auth_callback", Malformed),
            ("https://claude.ai:8443/api/mcp/auth_callback", ForeignHost),
            ("https://claude.ai./api/mcp/auth_callback", ForeignHost),
            ("https://claude.ai/", ForeignHost),
            ("https://claude.ai/public/artifacts/evil", ForeignHost),
            ("https://claude.ai/api/mcp/../../evil", Malformed),
            ("https://claude.ai/api/mcp/%2e%2e/%2e%2e/evil", Malformed),
            ("https://claude.ai\\@evil.example/api/mcp/", Malformed),
            ("https://claude.ai%2eevil.example/api/mcp/", Malformed),
            (
                "https://claude.ai.evil.example/api/mcp/auth_callback",
                ForeignHost,
            ),
            ("https://evil.claude.ai/api/mcp/auth_callback", ForeignHost),
            ("https://claude.ai@evil.example/api/mcp/", Extra),
            ("https://user:pw@claude.ai/api/mcp/auth_callback", Extra),
            ("https://@claude.ai/api/mcp/auth_callback", Malformed),
            ("https://claude.ai/api/mcp/auth_callback#", Extra),
            ("https://claude.ai/api/mcp/auth_callback#x", Extra),
            ("https://claude.ai/api/mcp/auth_callback\n", Malformed),
            ("https://claude.ai/api/mcp/auth\tcallback", Malformed),
            (" https://claude.ai/api/mcp/auth_callback", Malformed),
            ("https://claude.ai/api/mcp/auth callback", Malformed),
            ("https://claude.ai\u{0}/api/mcp/auth_callback", Malformed),
            // A Cyrillic a, in both spellings.
            ("https://cl\u{430}ude.ai/api/mcp/auth_callback", Malformed),
            ("https://xn--clude-3ve.ai/api/mcp/auth_callback", ForeignHost),
            ("https://tools.example.org.evil.example/", ForeignHost),
            ("https:claude.ai/api/mcp/auth_callback", Malformed),
            ("https:///claude.ai/api/mcp/auth_callback", Malformed),
            (
                "https://claude.ai/api/mcp/auth_callback?iss=https://evil.example",
                Extra,
            ),
            ("http://localhost/callback?st%61te=x", Extra),
        ] {
            assert_eq!(fence().admit(uri).map(|u| u.raw), Err(problem), "{uri}");
        }
        let long = format!("https://tools.example.org/{}", "a".repeat(MAX_BYTES));
        assert_eq!(fence().admit(&long).err(), Some(Malformed));
    }

    #[test]
    fn redirect_match_is_exact_except_for_the_loopback_port() {
        for (registered, requested, same) in [
            (
                "http://localhost/callback",
                "http://localhost:54321/callback",
                true,
            ),
            ("http://localhost:1/callback", "http://localhost:2/callback", true),
            ("http://127.0.0.1/callback", "http://127.0.0.1:9/callback", true),
            ("http://[::1]/callback", "http://[::1]:9/callback", true),
            ("http://localhost:3000", "http://localhost:4000/", true),
            ("http://localhost/callback", "http://127.0.0.1/callback", false),
            ("http://localhost/callback", "http://localhost/callback/", false),
            (
                "http://localhost/callback",
                "http://localhost:1/callback?x=1",
                false,
            ),
            ("http://localhost/callback", "http://localhost:1/other", false),
            ("http://localhost/callback", "https://localhost:1/callback", false),
            (
                "https://localhost:1/callback",
                "https://localhost:2/callback",
                false,
            ),
            (
                "https://tools.example.org/cb",
                "https://tools.example.org:8443/cb",
                false,
            ),
            (
                "https://tools.example.org/cb",
                "https://tools.example.org/cb/",
                false,
            ),
            (
                "https://tools.example.org/cb",
                "https://tools.example.org/cb?",
                false,
            ),
        ] {
            let read = |raw| RedirectUri::parse(raw).unwrap();
            assert_eq!(
                read(registered).admits(&read(requested)),
                same,
                "{registered} {requested}"
            );
        }
    }

    #[test]
    fn what_the_answer_adds_stands_beside_what_the_client_had() {
        let uri = RedirectUri::parse("https://tools.example.org/cb?app=1").unwrap();
        assert_eq!(
            uri.with(&[("code", "a&b=c"), ("state", "x y")]),
            "https://tools.example.org/cb?app=1&code=a%26b%3Dc&state=x+y"
        );
        assert_eq!(uri.host(), "tools.example.org");
        assert_eq!(
            RedirectUri::parse("http://localhost:99/").unwrap().form_action(),
            "http://localhost:99"
        );
        let cursor = RedirectUri::parse("cursor://anysphere.cursor-mcp/oauth/callback").unwrap();
        assert_eq!(
            cursor.with(&[("code", "a&b"), ("state", "x")]),
            "cursor://anysphere.cursor-mcp/oauth/callback?code=a%26b&state=x"
        );
        assert_eq!(cursor.form_action(), "cursor:");
        assert_eq!(cursor.host(), "cursor://anysphere.cursor-mcp");
        assert!(cursor.is_on_this_device() && !cursor.is_loopback());
    }

    proptest! {
        #[test]
        fn nothing_panics_and_an_admitted_uri_leads_where_it_says(raw in "(https?:/{0,3})?[a-z@:./\\\\%0-9\\[\\]#?]{0,40}") {
            if let Ok(uri) = fence().admit(&raw) {
                let host = uri.url.host_str().unwrap();
                prop_assert!(["claude.ai", "claude.com", "localhost", "127.0.0.1", "[::1]", "tools.example.org"].contains(&host));
                // A second parse, by plain string operations, finds the same host.
                let rest = raw.split_once("://").unwrap().1;
                prop_assert!(rest.starts_with(host));
                prop_assert!(matches!(rest.as_bytes().get(host.len()), None | Some(b'/' | b':' | b'?')));
            }
        }

        #[test]
        fn one_changed_character_is_another_address(at in 0_usize..39, to in "[!-~]") {
            let registered = RedirectUri::parse("https://claude.ai/api/mcp/auth_callback").unwrap();
            let mut raw = registered.raw.clone();
            raw.replace_range(at..=at, &to);
            if let Ok(other) = RedirectUri::parse(&raw) {
                prop_assert_eq!(registered.admits(&other), raw == registered.raw);
            }
        }
    }
}
