//! Proof key for code exchange (RFC 7636), only with S256.
//!
//! `plain` is refused, as is a missing method, which the RFC treats as `plain`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::error::OAuthError;
use crate::base::secrets::{constant_time_eq, sha256};

/// The SHA-256 of the client's secret verifier, as base64url.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CodeChallenge(String);

impl CodeChallenge {
    /// Reads `code_challenge` and `code_challenge_method` of an authorization request.
    /// Errors: `InvalidRequest` (caller) unless the method is S256 and the challenge the base64url of 32 bytes.
    pub(super) fn parse(challenge: Option<&str>, method: Option<&str>) -> Result<Self, OAuthError> {
        let refuse = |text: &'static str| Err(OAuthError::InvalidRequest(text.into()));
        let Some(challenge) = challenge else {
            return refuse("code_challenge is missing; PKCE with S256 is required");
        };
        if method != Some("S256") {
            return refuse("code_challenge_method must be S256");
        }
        match URL_SAFE_NO_PAD.decode(challenge) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(challenge.to_owned())),
            _ => refuse("code_challenge is not the base64url of a SHA-256"),
        }
    }

    /// Whether `verifier` has 43 to 128 unreserved characters (RFC 7636 §4.1) and matches this hash.
    pub(super) fn is_met_by(&self, verifier: &str) -> bool {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        (43..=128).contains(&verifier.len())
            && verifier.bytes().all(unreserved)
            && constant_time_eq(
                URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes())).as_bytes(),
                self.0.as_bytes(),
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example verifier of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc_holds() {
        let challenge = CodeChallenge::parse(Some(CHALLENGE), Some("S256")).ok().unwrap();
        assert!(challenge.is_met_by(VERIFIER));
        let changed = VERIFIER.replacen('d', "e", 1);
        let too_short = &VERIFIER[..42];
        let too_long = "a".repeat(129);
        for wrong in [
            "",
            CHALLENGE,
            &changed,
            too_short,
            &too_long,
            "with space 0123456789012345678901234567890123",
        ] {
            assert!(!challenge.is_met_by(wrong), "{wrong}");
        }
    }

    #[test]
    fn pkce_s256_for_all_and_no_downgrade() {
        let plain = "a".repeat(43);
        for (challenge, method) in [
            (None, None),
            (None, Some("S256")),
            (Some(CHALLENGE), None),
            (Some(CHALLENGE), Some("plain")),
            (Some(CHALLENGE), Some("s256")),
            (Some(""), Some("S256")),
            (Some("short"), Some("S256")),
            (Some(&CHALLENGE[..42]), Some("S256")),
            (Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM="), Some("S256")),
            // The last of the 43 characters carries four bits; with other bits set it would be a second spelling.
            (Some(plain.replace('a', "/").as_str()), Some("S256")),
            (Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN"), Some("S256")),
        ] {
            assert!(
                CodeChallenge::parse(challenge, method).is_err(),
                "{challenge:?} {method:?}"
            );
        }
    }
}
