//! Doors for the fuzzer (`tests/fuzz`): whatever Garmin, or somebody in its place, answers. Built with `--cfg fuzzing`
//! alone.

use super::tokens::GarminTokens;
use super::wire::{Answer, Heard};
use super::{api, sign_in, token_service};
use crate::base::secrets::Secret;

/// A conversation with Garmin in which it answers these: status, content type, body.
///
/// A sign-in comes to an end before the answers of all its ways in are used up; a refresh never loses the refresh token.
pub fn answers(answers: Vec<(u16, String, String)>) {
    let heard: Vec<Heard> = answers.into_iter().map(heard).collect();
    sign_in::fuzz(&heard);
    let old = GarminTokens {
        di_token: Secret::new("old"),
        di_refresh_token: Some(Secret::new("kept")),
        di_client_id: None,
    };
    for heard in &heard {
        if let token_service::Refreshed::Tokens(tokens) = token_service::read_refresh(heard, &old) {
            assert!(tokens.di_refresh_token.is_some_and(|token| !token.is_empty()));
            assert!(!tokens.di_token.is_empty());
        }
        if let Heard::Answer(answer) = heard {
            api::fuzz(answer.status, answer.text.as_bytes());
        }
    }
}

fn heard((status, content_type, text): (u16, String, String)) -> Heard {
    match status {
        0 => Heard::Nothing,
        1 => Heard::NoConnection,
        _ => Heard::Answer(Answer {
            status,
            retry_after: None,
            content_type,
            text,
        }),
    }
}
