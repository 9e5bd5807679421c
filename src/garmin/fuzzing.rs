//! Entry points for the fuzzer (`tests/fuzz`), built with `--cfg fuzzing` only.

use super::response::GarminResponse;
use super::tokens::GarminTokens;
use super::{api, sign_in, token_service};
use crate::base::secrets::Secret;

/// Reads one response with every parser of Garmin's JSON and pages.
pub fn read_response(status: u16, content_type: &str, text: &str) {
    let response = GarminResponse {
        status,
        retry_after: None,
        content_type: content_type.to_owned(),
        text: text.to_owned(),
    };
    sign_in::fuzzing::read_response(&response);
    api::fuzz(status, text.as_bytes());

    let old = GarminTokens {
        di_token: Secret::new("old"),
        di_refresh_token: Some(Secret::new("kept")),
        di_client_id: None,
    };
    // A refresh never loses the refresh token.
    if let token_service::RefreshOutcome::Refreshed(tokens) = token_service::read_refresh(Ok(response), &old)
    {
        assert!(tokens.di_refresh_token.is_some_and(|token| !token.is_empty()));
        assert!(!tokens.di_token.is_empty());
    }
}

/// Reads a code as a person typed it.
pub fn read_code(text: &str) {
    sign_in::fuzzing::read_code(text);
}
