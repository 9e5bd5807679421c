//! Resource indicators (RFC 8707): the server that a token is for.

use url::Url;

use super::error::OAuthError;
use crate::config::PublicUrl;

/// Checks the `resource` parameters of a request and returns the audience, always `https://host/mcp`.
///
/// The endpoint and the origin are accepted in any equivalent spelling, because a person typed the address. A missing
/// `resource` is accepted too, because older clients do not send it.
/// Errors: `InvalidTarget` (caller) if any of them belongs to another server.
pub(super) fn audience<'a>(
    requested: impl Iterator<Item = &'a str>,
    public_url: &PublicUrl,
) -> Result<String, OAuthError> {
    let ours = [canonical(public_url.origin()), canonical(&public_url.mcp())];
    for resource in requested {
        if !canonical(resource).is_some_and(|one| ours.contains(&Some(one))) {
            return Err(OAuthError::InvalidTarget(
                "the resource is not the endpoint of this gateway".into(),
            ));
        }
    }
    Ok(public_url.mcp())
}

/// Lower-case scheme and host, no default port, no fragment, no trailing slash. `None` if it is not a web address.
fn canonical(resource: &str) -> Option<String> {
    let mut url = Url::parse(resource).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https");
    if !is_web || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    url.set_fragment(None);
    Some(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rfc_8707_resource_ours_in_any_spelling_nobody_elses_in_any() {
        let public_url = PublicUrl::parse("https://gw.example.org").unwrap();
        for (requested, is_ours) in [
            (&[][..], true),
            (&["https://gw.example.org/mcp"], true),
            (&["https://gw.example.org"], true),
            (&["https://gw.example.org/"], true),
            (&["https://gw.example.org/mcp/"], true),
            (&["HTTPS://GW.example.org:443/mcp"], true),
            (&["https://gw.example.org/mcp#x"], true),
            (&["https://gw.example.org/mcp", "https://gw.example.org"], true),
            (
                &["https://gw.example.org/mcp", "https://other.example/mcp"],
                false,
            ),
            (&["https://other.example/mcp"], false),
            (&["https://gw.example.org.evil.example/mcp"], false),
            (&["https://gw.example.org@evil.example/mcp"], false),
            (&["https://evil@gw.example.org/mcp"], false),
            (&["https://gw.example.org:8443/mcp"], false),
            (&["http://gw.example.org/mcp"], false),
            (&["https://gw.example.org/mcp?x=1"], false),
            (&["https://gw.example.org/MCP"], false),
            (&["https://gw.example.org/other"], false),
            (&["gw.example.org/mcp"], false),
            (&["urn:gw"], false),
            (&["x"], false),
        ] {
            match audience(requested.iter().copied(), &public_url) {
                Ok(audience) => assert!(
                    is_ours && audience == "https://gw.example.org/mcp",
                    "{requested:?}"
                ),
                Err(e) => assert!(!is_ours && e.code() == "invalid_target", "{requested:?}"),
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_ours_or_refused(text in ".{0,60}") {
            let public_url = PublicUrl::parse("https://gw.example.org").unwrap();
            drop(audience(std::iter::once(text.as_str()), &public_url));
        }
    }
}
