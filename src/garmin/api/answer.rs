//! Interprets the responses of the API.

use serde_json::Value;

use super::error::ApiError;
use crate::garmin::response::is_challenge_page;

/// Upper bound for a message from Garmin that is passed on.
const LONGEST_MESSAGE: usize = 500;

/// The document of a successful response; `null` for an empty one, which is how Garmin says that a day has no data.
pub(super) fn document(status: u16, body: &[u8]) -> Result<Value, ApiError> {
    if status == 204 || body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|_| {
        if is_challenge_page(body) {
            ApiError::Unreachable
        } else {
            ApiError::Changed { path: "$".to_owned() }
        }
    })
}

/// The error for a status from 400 to 499. The sender handles 429, and a 401 that a new token may cure.
pub(super) fn refusal(status: u16, body: &[u8]) -> ApiError {
    match status {
        404 => ApiError::NotFound,
        // The bot protection in front of Garmin blocked the request.
        403 if is_challenge_page(body) => ApiError::Unreachable,
        _ => ApiError::Refused {
            status,
            message: message(body),
        },
    }
}

/// Whether a retry of the same read may succeed.
pub(super) fn is_passing(status: u16) -> bool {
    // 520 to 524 come from Cloudflare when Garmin's server behind it did not answer.
    matches!(status, 500 | 502 | 503 | 504 | 507 | 520..=524)
}

/// Garmin's own error message, from any of the members where its services put it.
fn message(body: &[u8]) -> String {
    let Ok(json) = serde_json::from_slice::<Value>(body) else {
        return String::new();
    };
    let places = [
        "/message",
        "/content",
        "/detailedImportResult/failures/0/messages/0/content",
        "/error_description",
        "/error",
    ];
    let found = places
        .iter()
        .find_map(|place| json.pointer(place)?.as_str())
        .unwrap_or_default();
    found
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_MESSAGE)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_empty_answer_is_null() {
        let check = |status, body: &str, wanted: Result<Value, ApiError>| {
            assert_eq!(document(status, body.as_bytes()), wanted, "{body}");
        };
        check(204, "", Ok(Value::Null));
        check(200, " \n", Ok(Value::Null));
        check(200, r#"{"a":1}"#, Ok(json!({"a": 1})));
        check(200, "[]", Ok(json!([])));
        check(200, "<title>Just a moment...</title>", Err(ApiError::Unreachable));
        check(200, "<html>", Err(ApiError::Changed { path: "$".to_owned() }));
    }

    #[test]
    fn garmins_words_are_passed_on_from_where_they_are() {
        let check = |body: &str, wanted: &str| {
            let wanted = ApiError::Refused {
                status: 400,
                message: wanted.to_owned(),
            };
            assert_eq!(refusal(400, body.as_bytes()), wanted, "{body}");
        };
        check(r#"{"message":"Bad date"}"#, "Bad date");
        check(r#"{"content":"Bad\ndate"}"#, "Baddate");
        let nested =
            r#"{"detailedImportResult":{"failures":[{"messages":[{"code":1,"content":"Duplicate"}]}]}}"#;
        check(nested, "Duplicate");
        check(r#"{"message":null}"#, "");
        check("<html>", "");
        assert_eq!(refusal(404, b"{}"), ApiError::NotFound);
        assert_eq!(
            message(format!(r#"{{"message":"{}"}}"#, "x".repeat(900)).as_bytes()).len(),
            LONGEST_MESSAGE
        );
    }
}
