//! Client-id metadata documents: the client's id is the URL of the document that describes it
//! (draft-ietf-oauth-client-id-metadata-document; MCP 2026-07-28, client registration).
//!
//! This file does not use the network. It decides which addresses are accepted, what a document must contain and how
//! long it stays fresh. Claude's two documents are built in, so that people can sign in while Claude's host has an
//! outage or this machine reaches nothing but Garmin.

use std::time::Duration;

use serde::Deserialize;
use url::{Host, Url};

use super::client::{OAuthClient, display_name};

const MAX_URL_BYTES: usize = 512;

/// A document is fetched again after five minutes to a day, whatever its headers say.
const FRESH_MIN: Duration = Duration::from_secs(300);
const FRESH_MAX: Duration = Duration::from_secs(24 * 3600);

/// A client id that may be fetched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct DocumentUrl {
    /// The id as it was sent, byte for byte.
    raw: String,
    host: String,
}

impl DocumentUrl {
    /// Reads an id: https on the default port, a host name, a path; no user, query, fragment or dot segments, and
    /// written exactly as a browser would write it. The id is compared byte by byte with what the document says.
    pub(super) fn parse(id: &str) -> Option<Self> {
        if id.len() > MAX_URL_BYTES || !id.starts_with("https://") {
            return None;
        }
        let url = Url::parse(id).ok()?;
        let Some(Host::Domain(host)) = url.host() else {
            return None;
        };
        let is_plain = url.as_str() == id
            && url.port().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.path() != "/"
            && host.contains('.')
            && !host.ends_with('.');
        is_plain.then(|| Self {
            raw: id.to_owned(),
            host: host.to_owned(),
        })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.raw
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }
}

/// Why a document does not describe its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DocumentProblem {
    #[error("it is not a JSON object with client_id, client_name and redirect_uris")]
    Shape,
    #[error("it describes another client_id")]
    OtherId,
}

#[derive(Deserialize)]
struct Document {
    client_id: String,
    client_name: String,
    redirect_uris: Vec<String>,
}

/// Reads a fetched document. Its other fields are ignored: every client is a public client here.
pub(super) fn read(url: &DocumentUrl, body: &[u8]) -> Result<OAuthClient, DocumentProblem> {
    let document: Document = serde_json::from_slice(body).map_err(|_| DocumentProblem::Shape)?;
    if document.client_id != url.raw {
        return Err(DocumentProblem::OtherId);
    }
    let name = display_name(&document.client_name).ok_or(DocumentProblem::Shape)?;
    if document.redirect_uris.is_empty() {
        return Err(DocumentProblem::Shape);
    }
    Ok(OAuthClient {
        id: document.client_id,
        name: Some(name),
        redirect_uris: document.redirect_uris,
    })
}

/// The built-in copy, if `url` is one of Claude's documents.
pub(super) fn built_in(url: &DocumentUrl) -> Option<OAuthClient> {
    let (name, redirect_uris): (_, &[&str]) = match url.as_str() {
        "https://claude.ai/oauth/mcp-oauth-client-metadata" => (
            "Claude",
            &[
                "https://claude.ai/api/mcp/auth_callback",
                // Claude's help centre announces this as the next address.
                "https://claude.com/api/mcp/auth_callback",
            ],
        ),
        "https://claude.ai/oauth/claude-code-client-metadata" => (
            "Claude Code",
            &["http://localhost/callback", "http://127.0.0.1/callback"],
        ),
        _ => return None,
    };
    Some(OAuthClient {
        id: url.as_str().to_owned(),
        name: Some(name.to_owned()),
        redirect_uris: redirect_uris.iter().map(ToString::to_string).collect(),
    })
}

/// How long a document stays fresh by its `Cache-Control` (RFC 9111 §5.2.2), within the gateway's own limits.
pub(super) fn freshness(cache_control: Option<&str>) -> Duration {
    let directives = || {
        let text = cache_control.unwrap_or_default().split(',');
        text.map(|directive| directive.trim().to_ascii_lowercase())
    };
    if directives().any(|d| d == "no-store" || d == "no-cache" || d.starts_with("no-cache=")) {
        return FRESH_MIN;
    }
    directives()
        .find_map(|d| d.strip_prefix("max-age=")?.trim_matches('"').parse().ok())
        .map_or(FRESH_MIN, Duration::from_secs)
        .clamp(FRESH_MIN, FRESH_MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::redirect::RedirectUri;
    use super::super::redirect::fence::RedirectFence;
    use super::*;

    const ID: &str = "https://app.example.org/oauth/client.json";

    fn url() -> DocumentUrl {
        DocumentUrl::parse(ID).unwrap()
    }

    #[test]
    fn cimd_fetch_only_after_the_url_checks() {
        assert!(DocumentUrl::parse("https://claude.ai/oauth/mcp-oauth-client-metadata").is_some());
        let long = format!("https://app.example.org/{}", "a".repeat(MAX_URL_BYTES));
        for id in [
            "http://app.example.org/client.json",
            "HTTPS://app.example.org/client.json",
            "https://app.example.org",
            "https://app.example.org/",
            "https://app.example.org:443/client.json",
            "https://app.example.org:8443/client.json",
            "https://user@app.example.org/client.json",
            "https://user:pw@app.example.org/client.json",
            "https://@app.example.org/client.json",
            "https://app.example.org/client.json#x",
            "https://app.example.org/client.json?x=1",
            "https://app.example.org/a/../client.json",
            "https://app.example.org/./client.json",
            "https://app.example.org/%2e%2e/client.json",
            "https://app.example.org\\client.json",
            "https://app.example.org/client\t.json",
            "https://APP.example.org/client.json",
            "https://\u{e4}pp.example.org/client.json",
            "https://app.example.org./client.json",
            "https://localhost/client.json",
            "https://intranet/client.json",
            "https://127.0.0.1/client.json",
            "https://2130706433/client.json",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/client.json",
            "https://[::ffff:169.254.169.254]/x",
            "file:///etc/passwd",
            "",
            &long,
        ] {
            assert_eq!(DocumentUrl::parse(id), None, "{id}");
        }
    }

    #[test]
    fn cimd_content_must_name_its_own_address() {
        let read = |text: &str| read(&url(), text.as_bytes());
        let good = r#"{"client_id":"https://app.example.org/oauth/client.json","client_name":"App","redirect_uris":["http://localhost/cb"],"jwks":{}}"#;
        assert_eq!(read(good).unwrap().name.as_deref(), Some("App"));
        for other in [
            "HTTPS://app.example.org/oauth/client.json",
            "https://app.example.org/oauth/client.json/",
            "https://evil.example/",
        ] {
            assert_eq!(
                read(&good.replace(ID, other)),
                Err(DocumentProblem::OtherId),
                "{other}"
            );
        }
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"client_id":"https://app.example.org/oauth/client.json","redirect_uris":["http://localhost/cb"]}"#,
            r#"{"client_id":"https://app.example.org/oauth/client.json","client_name":"App","redirect_uris":[]}"#,
            r#"{"client_id":"https://app.example.org/oauth/client.json","client_name":" ","redirect_uris":["http://localhost/cb"]}"#,
            r#"{"client_id":"https://app.example.org/oauth/client.json","client_name":"App","redirect_uris":"http://localhost/cb"}"#,
        ] {
            assert_eq!(read(wrong), Err(DocumentProblem::Shape), "{wrong}");
        }
    }

    #[test]
    fn cimd_built_in_are_claudes_two_and_pass_the_fence() {
        for (id, redirect) in [
            (
                "https://claude.ai/oauth/mcp-oauth-client-metadata",
                "https://claude.ai/api/mcp/auth_callback",
            ),
            (
                "https://claude.ai/oauth/mcp-oauth-client-metadata",
                "https://claude.com/api/mcp/auth_callback",
            ),
            (
                "https://claude.ai/oauth/claude-code-client-metadata",
                "http://localhost:54321/callback",
            ),
            (
                "https://claude.ai/oauth/claude-code-client-metadata",
                "http://127.0.0.1:54321/callback",
            ),
        ] {
            let client = built_in(&DocumentUrl::parse(id).unwrap()).unwrap();
            assert!(client.admits(&RedirectUri::parse(redirect).unwrap()));
            for uri in &client.redirect_uris {
                assert!(RedirectFence::default().admit(uri).is_ok());
            }
        }
        assert_eq!(built_in(&url()), None);
    }

    #[test]
    fn cimd_cache_follows_the_headers_within_bounds() {
        for (header, seconds) in [
            (None, 300),
            (Some("max-age=3600"), 3600),
            (Some("public, Max-Age=\"3600\""), 3600),
            (Some("max-age=1"), 300),
            (Some("max-age=99999999"), 24 * 3600),
            (Some("max-age=3600, no-store"), 300),
            (Some("no-cache"), 300),
            (Some("max-age=-5"), 300),
            (Some("rubbish"), 300),
        ] {
            assert_eq!(freshness(header), Duration::from_secs(seconds), "{header:?}");
        }
    }

    proptest! {
        #[test]
        fn documents_and_their_addresses_never_panic(id in "(https://)?[a-z.:@/\\\\#?%\\[\\]0-9]{0,40}", body in prop::collection::vec(any::<u8>(), 0..200)) {
            drop(read(&url(), &body));
            if let Some(url) = DocumentUrl::parse(&id) {
                let rest = id.strip_prefix("https://").unwrap().strip_prefix(url.host());
                prop_assert!(rest.unwrap().starts_with('/'));
            }
        }
    }
}
