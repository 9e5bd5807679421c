//! The discovery documents, and the challenge that points to them.
//!
//! `issuer`, the entry in `authorization_servers` and the `iss` of answers are one string, because clients compare
//! them byte by byte.

use serde_json::{Value, json};

use crate::config::PublicUrl;

/// The only scope. The person, not the client, chooses the access on the page.
pub(super) const SCOPE: &str = "garmin";

/// The scopes that every client gets. `offline_access` means the refresh token, which is always issued.
pub(super) const SCOPES: &str = "garmin offline_access";

/// The path that claude.ai assumes when discovery fails (the default of MCP 2025-03-26), as it does `/token` and
/// `/register`.
const AUTHORIZE: &str = "/authorize";

/// The protected-resource metadata (RFC 9728 §2), served at `/.well-known/oauth-protected-resource/mcp` and without
/// the `/mcp`. It omits `offline_access`, which concerns only the client and the authorization server.
pub(super) fn protected_resource(public_url: &PublicUrl) -> Value {
    json!({
        "resource": public_url.mcp(),
        "authorization_servers": [public_url.origin()],
        "scopes_supported": [SCOPE],
        "bearer_methods_supported": ["header"],
        "resource_name": "Garmin",
    })
}

/// The authorization-server metadata (RFC 8414 §2), also served under `openid-configuration` and the `/mcp` paths.
pub(super) fn authorization_server(public_url: &PublicUrl) -> Value {
    let origin = public_url.origin();
    json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}{AUTHORIZE}"),
        "token_endpoint": format!("{origin}/token"),
        "registration_endpoint": format!("{origin}/register"),
        "revocation_endpoint": format!("{origin}/revoke"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "client_id_metadata_document_supported": true,
        "authorization_response_iss_parameter_supported": true,
        "scopes_supported": [SCOPE, "offline_access"],
    })
}

/// The value of `WWW-Authenticate` on a 401 (RFC 6750 §3, RFC 9728 §5.1). `presented`: a token was sent and rejected.
/// Without a token, an `error` would report a failure that did not happen.
pub(super) fn challenge(public_url: &PublicUrl, presented: bool) -> String {
    let origin = public_url.origin();
    let error = if presented {
        r#"error="invalid_token", error_description="The access token is unknown, expired or revoked", "#
    } else {
        ""
    };
    format!(
        r#"Bearer {error}resource_metadata="{origin}/.well-known/oauth-protected-resource/mcp", scope="{SCOPE}""#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public_url() -> PublicUrl {
        PublicUrl::parse("https://gw.example.org").unwrap()
    }

    #[test]
    fn rfc_9728_prm_names_the_url_that_a_person_types() {
        assert_eq!(
            protected_resource(&public_url()),
            json!({
                "resource": "https://gw.example.org/mcp",
                "authorization_servers": ["https://gw.example.org"],
                "scopes_supported": ["garmin"],
                "bearer_methods_supported": ["header"],
                "resource_name": "Garmin",
            })
        );
    }

    #[test]
    fn rfc_8414_metadata_has_each_value_of_the_table() {
        assert_eq!(
            authorization_server(&public_url()),
            json!({
                "issuer": "https://gw.example.org",
                "authorization_endpoint": "https://gw.example.org/authorize",
                "token_endpoint": "https://gw.example.org/token",
                "registration_endpoint": "https://gw.example.org/register",
                "revocation_endpoint": "https://gw.example.org/revoke",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
                "revocation_endpoint_auth_methods_supported": ["none"],
                "client_id_metadata_document_supported": true,
                "authorization_response_iss_parameter_supported": true,
                "scopes_supported": ["garmin", "offline_access"],
            })
        );
    }

    #[test]
    fn issuer_is_byte_identical_everywhere() {
        let (prm, server) = (
            protected_resource(&public_url()),
            authorization_server(&public_url()),
        );
        assert_eq!(prm["authorization_servers"][0], server["issuer"]);
        assert_eq!(server["issuer"], public_url().origin());
    }

    #[test]
    fn the_401_challenge_is_bare_without_a_token() {
        assert_eq!(
            challenge(&public_url(), false),
            r#"Bearer resource_metadata="https://gw.example.org/.well-known/oauth-protected-resource/mcp", scope="garmin""#
        );
        let presented = challenge(&public_url(), true);
        assert!(
            presented.starts_with(r#"Bearer error="invalid_token", error_description=""#),
            "{presented}"
        );
        assert!(presented.contains("resource_metadata=") && !presented.contains("offline_access"));
    }
}
