//! The clients that request tokens, and their redirect URIs.
//!
//! A registration is not stored: the client's id *is* its registration, in base64url. Claude registers again for every
//! connection, sometimes twice. The same metadata gives the same id, so there is nothing to clean up, a flood of
//! registrations uses no space, and a restored backup knows clients that registered after it was made. An id is no
//! credential and is not signed, because anybody may register. The redirect URI protects people, and it is checked at
//! each use.
//!
//! The clients that another gateway registered are the exception: [`imported`](super::imported) stores them.
//!
//! Absent on purpose: client secrets (every client is a public client with PKCE, whatever it asks for), and the
//! management of registrations (RFC 7592).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::client::{OAuthClient, display_name};
use super::client_metadata::DocumentUrl;
use super::error::OAuthError;
use super::metadata::SCOPES;
use super::redirect::fence::RedirectFence;
use super::redirect::{RedirectProblem, RedirectUri};

const ID_PREFIX: &str = "cli_";

/// The id travels in URLs, with up to 16 KiB of request around it.
pub(super) const MAX_ID_BYTES: usize = 2048;

/// No known client has as many redirect URIs.
const MAX_REDIRECT_URIS: usize = 32;

/// The two kinds of client id that are recognised by their form. Imported ids are looked up in the store instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ClientId {
    /// The gateway issued it at `/register`.
    Registered(OAuthClient),
    /// The address of a client-id metadata document that has not been fetched yet.
    Document(DocumentUrl),
}

impl ClientId {
    /// Reads a `client_id`. `None`: it is neither kind, so the client must have been imported, or else register.
    pub(super) fn parse(id: &str) -> Option<Self> {
        if id.len() > MAX_ID_BYTES {
            return None;
        }
        if let Some(url) = DocumentUrl::parse(id) {
            return Some(Self::Document(url));
        }
        let json = URL_SAFE_NO_PAD.decode(id.strip_prefix(ID_PREFIX)?).ok()?;
        let registration: Registration = serde_json::from_slice(&json).ok()?;
        // Only the canonical spelling of a client's id is accepted.
        (registration.id().ok()? == id).then(|| {
            Self::Registered(OAuthClient {
                id: id.to_owned(),
                name: registration.client_name,
                redirect_uris: registration.redirect_uris,
            })
        })
    }
}

/// The content of a registered id; the field names are those of RFC 7591.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Registration {
    #[serde(skip_serializing_if = "Option::is_none")]
    client_name: Option<String>,
    redirect_uris: Vec<String>,
}

impl Registration {
    /// The id of this registration; `InvalidClientMetadata` if it would be too long.
    fn id(&self) -> Result<String, OAuthError> {
        let client_name = self.client_name.as_deref().and_then(display_name);
        let redirect_uris = self.redirect_uris.clone();
        let json = serde_json::to_vec(&Self {
            client_name,
            redirect_uris,
        })
        .map_err(|_| OAuthError::ServerError("the registration could not be written".into()))?;
        let mut id = ID_PREFIX.to_owned();
        URL_SAFE_NO_PAD.encode_string(json, &mut id);
        if id.len() > MAX_ID_BYTES {
            return Err(OAuthError::InvalidClientMetadata(
                "the client name and redirect URIs are too long".into(),
            ));
        }
        Ok(id)
    }
}

/// Handles a registration (RFC 7591 §3): returns the id and the registered metadata, for status 201.
///
/// Metadata is adapted rather than refused: the authentication method becomes `none`, redirect URIs that are not
/// allowed are omitted, unknown fields are ignored, and there is neither `client_secret` nor
/// `client_secret_expires_at`.
/// Errors: `InvalidClientMetadata` (caller) if the body is not a JSON object, `InvalidRedirectUri` (caller or
/// operator) if no redirect URI remains.
pub(super) fn register(body: &[u8], fence: &RedirectFence, now: Timestamp) -> Result<Value, OAuthError> {
    let Ok(Value::Object(asked)) = serde_json::from_slice::<Value>(body) else {
        return Err(OAuthError::InvalidClientMetadata(
            "the registration must be a JSON object".into(),
        ));
    };
    let Some(uris) = asked.get("redirect_uris").and_then(Value::as_array) else {
        return Err(OAuthError::InvalidRedirectUri(
            "redirect_uris must be a list of addresses".into(),
        ));
    };
    let mut admitted: Vec<RedirectUri> = Vec::new();
    let mut problem = RedirectProblem::Malformed;
    for uri in uris.iter().take(MAX_REDIRECT_URIS) {
        match uri.as_str().map(|raw| fence.admit(raw)) {
            Some(Ok(uri)) => admitted.push(uri),
            Some(Err(e)) => problem = e,
            None => {}
        }
    }
    if admitted.is_empty() {
        return Err(OAuthError::InvalidRedirectUri(problem.to_string().into()));
    }
    // A native client registers with another port each time and is still the same client.
    let mut redirect_uris: Vec<String> = Vec::new();
    for uri in &admitted {
        let uri = uri.without_loopback_port().as_str().to_owned();
        if !redirect_uris.contains(&uri) {
            redirect_uris.push(uri);
        }
    }
    let client_name = asked.get("client_name").and_then(Value::as_str);
    let registration = Registration {
        client_name: client_name.and_then(display_name),
        redirect_uris,
    };
    let mut answer = json!({
        "client_id": registration.id()?,
        "client_id_issued_at": now.as_second(),
        "redirect_uris": admitted.iter().map(RedirectUri::as_str).collect::<Vec<_>>(),
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": SCOPES,
    });
    if let (Some(name), Some(fields)) = (registration.client_name, answer.as_object_mut()) {
        fields.insert("client_name".into(), name.into());
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::oauth::client::MAX_NAME_CHARS;

    fn ask(body: &Value) -> Result<Value, OAuthError> {
        register(
            body.to_string().as_bytes(),
            &RedirectFence::default(),
            Timestamp::UNIX_EPOCH,
        )
    }

    fn registered(answer: &Value) -> OAuthClient {
        match ClientId::parse(answer["client_id"].as_str().unwrap()) {
            Some(ClientId::Registered(client)) => client,
            other => panic!("{other:?}"),
        }
    }

    /// A registration as observed from Claude Code.
    fn claude_code(port: u16) -> Value {
        json!({
            "client_name": "Claude Code (garmin)",
            "redirect_uris": [format!("http://localhost:{port}/callback")],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "application_type": "native",
            "scope": "garmin offline_access",
        })
    }

    #[test]
    fn dcr_answers_with_what_was_registered() {
        let answer = ask(&claude_code(54321)).unwrap();
        assert_eq!(
            answer["redirect_uris"],
            json!(["http://localhost:54321/callback"])
        );
        assert_eq!(answer["client_name"], "Claude Code (garmin)");
        assert!(answer["client_id_issued_at"].is_i64());
        let client = registered(&answer);
        let elsewhere = RedirectUri::parse("http://localhost:9/callback").unwrap();
        assert!(client.admits(&elsewhere));
        assert!(!client.admits(&RedirectUri::parse("http://localhost:9/other").unwrap()));
    }

    #[test]
    fn dcr_auth_method_is_coerced_to_none_and_there_is_no_secret() {
        for method in [
            json!("client_secret_post"),
            json!("client_secret_basic"),
            json!(7),
            Value::Null,
        ] {
            let mut body = claude_code(1);
            body["token_endpoint_auth_method"] = method;
            let answer = ask(&body).unwrap();
            assert_eq!(answer["token_endpoint_auth_method"], "none");
            let fields = answer.as_object().unwrap();
            assert!(
                !fields.contains_key("client_secret") && !fields.contains_key("client_secret_expires_at")
            );
        }
        let bare = json!({ "redirect_uris": ["https://claude.ai/api/mcp/auth_callback"] });
        let answer = ask(&bare).unwrap();
        assert_eq!(answer["token_endpoint_auth_method"], "none");
        assert!(answer.get("client_name").is_none());
    }

    #[test]
    fn dcr_volume_the_same_client_twice_is_one_client() {
        let first = ask(&claude_code(50001)).unwrap();
        let second = ask(&claude_code(50002)).unwrap();
        assert_eq!(first["client_id"], second["client_id"]);
        let mut other = claude_code(50001);
        other["client_name"] = json!("Another");
        assert_ne!(ask(&other).unwrap()["client_id"], first["client_id"]);
    }

    /// The port is part of the address, except for loopback over plain HTTP, where a native client chooses it.
    #[test]
    fn dcr_keeps_the_port_of_a_loopback_address_with_https() {
        let uri = "https://localhost:3000/callback";
        let client = registered(&ask(&json!({ "redirect_uris": [uri] })).unwrap());
        assert!(client.admits(&RedirectUri::parse(uri).unwrap()));
        assert!(!client.admits(&RedirectUri::parse("https://localhost:3001/callback").unwrap()));
    }

    #[test]
    fn dcr_redirect_fence_leaves_out_what_lies_outside() {
        let mixed = json!({ "redirect_uris": [
            "https://tools.example.org/redirect", 7, "http://127.0.0.1/", "http://127.0.0.1:33418/", "javascript:alert(1)",
        ] });
        let answer = ask(&mixed).unwrap();
        assert_eq!(
            answer["redirect_uris"],
            json!(["http://127.0.0.1/", "http://127.0.0.1:33418/"])
        );
        assert_eq!(registered(&answer).redirect_uris, ["http://127.0.0.1/"]);
    }

    #[test]
    fn dcr_refusals_have_the_codes_of_the_rfc() {
        let many_long: Vec<String> = (0..8)
            .map(|n| format!("http://localhost/{}{n}", "a".repeat(900)))
            .collect();
        for (body, code) in [
            (json!([]), "invalid_client_metadata"),
            (json!("x"), "invalid_client_metadata"),
            (json!({}), "invalid_redirect_uri"),
            (
                json!({ "redirect_uris": "http://localhost/" }),
                "invalid_redirect_uri",
            ),
            (json!({ "redirect_uris": [] }), "invalid_redirect_uri"),
            (
                json!({ "redirect_uris": ["https://evil.example/cb"] }),
                "invalid_redirect_uri",
            ),
            (json!({ "redirect_uris": many_long }), "invalid_client_metadata"),
        ] {
            let error = ask(&body).unwrap_err();
            assert_eq!((error.code(), error.status()), (code, 400), "{body}");
        }
        let error = register(b"\xff{", &RedirectFence::default(), Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(error.code(), "invalid_client_metadata");
    }

    #[test]
    fn unknown_client_ids_are_not_understood() {
        let good = ask(&claude_code(1)).unwrap();
        let good = good["client_id"].as_str().unwrap();
        let id_of = |json: &str| format!("{ID_PREFIX}{}", URL_SAFE_NO_PAD.encode(json));
        for id in [
            String::new(),
            "cli_".to_owned(),
            "cli_!!".to_owned(),
            "claude".to_owned(),
            good[1..].to_owned(),
            format!("{good}="),
            good.to_uppercase(),
            id_of("{}"),
            id_of(r#"{"redirect_uris":["http://localhost/"],"more":1}"#),
            // Other spellings of the same registration.
            id_of(r#"{ "redirect_uris":["http://localhost/"]}"#),
            id_of(r#"{"client_name":"a\u200bb","redirect_uris":["http://localhost/"]}"#),
            "a".repeat(MAX_ID_BYTES + 1),
        ] {
            assert_eq!(ClientId::parse(&id), None, "{id}");
        }
        assert!(ClientId::parse(&id_of(r#"{"redirect_uris":["http://localhost/"]}"#)).is_some());
    }

    #[test]
    fn names_are_one_visible_line() {
        assert_eq!(display_name("  Claude\n\tCode "), Some("Claude Code".into()));
        assert_eq!(display_name("Cla\u{200B}ude\u{202E}\u{0}"), Some("Claude".into()));
        assert_eq!(display_name("\u{200B}\n"), None);
        assert_eq!(display_name(&"x".repeat(200)).unwrap().len(), 80);
    }

    proptest! {
        #[test]
        fn registrations_and_ids_never_panic(body in prop::collection::vec(any::<u8>(), 0..200), id in ".{0,80}") {
            drop(register(&body, &RedirectFence::default(), Timestamp::UNIX_EPOCH));
            drop(ClientId::parse(&id));
            drop(ClientId::parse(&format!("cli_{}", URL_SAFE_NO_PAD.encode(&body))));
        }

        #[test]
        fn names_stay_clean_when_cleaned_again(raw in ".*") {
            if let Some(name) = display_name(&raw) {
                prop_assert!(name.chars().count() <= MAX_NAME_CHARS);
                prop_assert_eq!(display_name(&name), Some(name.clone()));
            }
        }
    }
}
