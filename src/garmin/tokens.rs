//! Garmin's tokens, as they are kept after a sign-in.
//!
//! The access token is a JWT of Garmin's DI token service, and only Garmin validates it. This program reads two claims
//! of its payload, as hints about when to refresh and with which client id, and never verifies its signature.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::base::secrets::Secret;

/// JWTs omit the padding; a token that has it is read too.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What Garmin issues at a sign-in, and what the token file holds.
///
/// Format: exactly `garmin_tokens.json` of garminconnect 0.3: one JSON object with these three keys, `null` for
/// missing values. Unknown keys are ignored, so that a newer library's file can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GarminTokens {
    /// The access token: a JWT that goes into `Authorization: Bearer`.
    pub di_token: Secret,
    /// Valid for one use: the response to a refresh carries the next one.
    #[serde(default)]
    pub di_refresh_token: Option<Secret>,
    /// The client id that the tokens were issued to; a refresh must name the same one.
    #[serde(default)]
    pub di_client_id: Option<String>,
}

/// The claims of an access token that this program reads.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) expires_at: Option<Timestamp>,
    pub(super) client_id: Option<String>,
}

impl GarminTokens {
    /// When Garmin will stop accepting the access token (the JWT claim `exp`). `None` when the claim cannot be read;
    /// then only a refusal shows the end.
    pub fn expires_at(&self) -> Option<Timestamp> {
        Claims::of(&self.di_token).expires_at
    }

    /// The client id to refresh with: the saved one, else the JWT's own.
    pub(super) fn client_id(&self) -> Option<String> {
        self.di_client_id
            .clone()
            .filter(|id| !id.is_empty())
            .or_else(|| Claims::of(&self.di_token).client_id)
    }
}

impl Claims {
    /// Reads the claims that can be read; text that is not a JWT has none.
    pub(super) fn of(token: &Secret) -> Self {
        let payload = token
            .expose()
            .split('.')
            .nth(1)
            .and_then(|part| BASE64URL.decode(part).ok())
            .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
        let Some(payload) = payload else {
            return Self::default();
        };
        Self {
            expires_at: payload
                .get("exp")
                .and_then(seconds)
                .and_then(|s| Timestamp::from_second(s).ok()),
            client_id: payload
                .get("client_id")
                .and_then(serde_json::Value::as_str)
                .filter(|id| !id.is_empty())
                .map(str::to_owned),
        }
    }
}

/// RFC 7519 allows fractions of a second in a NumericDate; some issuers write it as text.
fn seconds(value: &serde_json::Value) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a date far beyond the range is refused by Timestamp"
    )]
    let whole = |number: f64| number as i64;
    value
        .as_i64()
        .or_else(|| value.as_f64().map(whole))
        .or_else(|| value.as_str()?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(payload: &str) -> Secret {
        Secret::new(format!("eyJhbGciOiJSUzI1NiJ9.{}.c2ln", BASE64URL.encode(payload)))
    }

    #[track_caller]
    fn check(token: &Secret, expires_at: Option<i64>, client_id: Option<&str>) {
        let claims = Claims::of(token);
        assert_eq!(claims.expires_at.map(Timestamp::as_second), expires_at);
        assert_eq!(claims.client_id.as_deref(), client_id);
    }

    #[test]
    fn claims_are_read_tolerantly() {
        check(
            &jwt(r#"{"exp":1700000000,"client_id":"A"}"#),
            Some(1_700_000_000),
            Some("A"),
        );
        check(&jwt(r#"{"exp":1700000000.75}"#), Some(1_700_000_000), None);
        check(
            &jwt(r#"{"exp":"1700000000","client_id":7}"#),
            Some(1_700_000_000),
            None,
        );
        check(&jwt(r#"{"exp":1e300,"client_id":""}"#), None, None);
        check(&jwt("[]"), None, None);
        check(&jwt("not json"), None, None);
        check(&Secret::new("opaque"), None, None);
        check(&Secret::new("a.%%%.c"), None, None);
        // The same payload, with its padding kept.
        check(
            &Secret::new("h.eyJleHAiOjE3MDAwMDAwMDB9Cg==.s"),
            Some(1_700_000_000),
            None,
        );
    }

    #[test]
    fn the_file_is_garminconnects_own() {
        let file =
            r#"{"di_token": "a.b.c", "di_refresh_token": null, "di_client_id": "X", "added_later": 1}"#;
        let tokens: GarminTokens = serde_json::from_str(file).unwrap();
        assert_eq!(tokens.di_client_id.as_deref(), Some("X"));
        assert_eq!(
            serde_json::to_string(&tokens).unwrap(),
            r#"{"di_token":"a.b.c","di_refresh_token":null,"di_client_id":"X"}"#
        );
    }

    #[test]
    fn the_saved_client_id_wins_over_the_claim() {
        let tokens = |saved: Option<&str>| GarminTokens {
            di_token: jwt(r#"{"client_id":"CLAIMED"}"#),
            di_refresh_token: None,
            di_client_id: saved.map(str::to_owned),
        };
        assert_eq!(tokens(Some("SAVED")).client_id().as_deref(), Some("SAVED"));
        assert_eq!(tokens(Some("")).client_id().as_deref(), Some("CLAIMED"));
        assert_eq!(tokens(None).client_id().as_deref(), Some("CLAIMED"));
    }

    #[test]
    fn nothing_of_the_tokens_is_printed() {
        let tokens = GarminTokens {
            di_token: Secret::new("planted-1"),
            di_refresh_token: Some(Secret::new("planted-2")),
            di_client_id: None,
        };
        assert!(!format!("{tokens:?}").contains("planted"));
    }
}
