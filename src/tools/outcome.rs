//! The result of a call: its text, and whether it is an error.
//!
//! MCP has two kinds of failure. A malformed request is a protocol error. A failure inside a tool is a result with
//! `isError`, so that the model can read the reason and act on it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::fields::Changed;
use super::resources::RESOURCE_SCHEME;
use super::table::{AnswerError, Tool};
use crate::garmin::ApiError;
use crate::mcp::members::write_string;

/// The start of the text when Garmin refuses the person's tokens.
pub const ASKS_FOR_SIGN_IN: &str = "Garmin asks this person to sign in again";

#[derive(Debug, PartialEq)]
pub(super) enum ToolResult {
    /// The answer as compact JSON. `is_object` is false for a bare list or value.
    Json {
        text: String,
        is_object: bool,
        is_error: bool,
    },
    /// A text instead of JSON, usually because there is no data.
    Text(String),
    /// The reason for the failure, and what to do.
    Failed(String),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ToolFailure {
    #[error(transparent)]
    Garmin(#[from] ApiError),
    #[error(transparent)]
    AnswerError(#[from] AnswerError),
    /// A new profile has no display name, which most of Garmin's paths need.
    #[error(
        "the Garmin profile has no display name yet: the person has to choose one at connect.garmin.com, under \
         Profile; a few minutes later this tool works"
    )]
    NoDisplayName,
}

impl From<Changed> for ToolFailure {
    fn from(changed: Changed) -> Self {
        ToolFailure::AnswerError(changed.into())
    }
}

/// Whole seconds, rounded up, because a call after a wait that was rounded down would fail again.
fn ceil_seconds(wait: SignedDuration) -> i64 {
    (wait.as_secs() + i64::from(wait.subsec_nanos() > 0)).max(1)
}

impl ToolFailure {
    /// The text for the model: what happened, and what the person can do about it.
    pub(super) fn told(&self, now: Timestamp) -> String {
        match self {
            ToolFailure::Garmin(ApiError::SignInNeeded(reason)) => format!(
                "{ASKS_FOR_SIGN_IN} ({reason}). Open the gateway's address in a browser, with \
                 /link at its end, sign in to Garmin there, then ask again."
            ),
            ToolFailure::Garmin(ApiError::RateLimited { until }) => {
                let wait = until.map_or(60, |until| ceil_seconds(until.duration_since(now)));
                format!("Garmin limits how often it is asked. Try again in {wait} s.")
            }
            ToolFailure::Garmin(ApiError::Unreachable) => {
                "Garmin Connect is unreachable. Check your network connection or try again later.".to_owned()
            }
            other => other.to_string(),
        }
    }

    /// Whether other requests may still succeed.
    pub(super) fn concerns_one_request(&self) -> bool {
        matches!(
            self,
            ToolFailure::Garmin(
                ApiError::NotFound
                    | ApiError::Refused { .. }
                    | ApiError::Unreachable
                    | ApiError::Changed { .. }
            ) | ToolFailure::AnswerError(AnswerError::File(_))
        )
    }

    /// The class of the failure, for the log.
    pub(super) fn class(&self) -> &'static str {
        match self {
            ToolFailure::Garmin(error) => match error {
                ApiError::SignInNeeded(_) => "sign_in_needed",
                ApiError::RateLimited { .. } => "rate_limited",
                ApiError::NotFound => "not_found",
                ApiError::Refused { .. } => "refused",
                ApiError::Unreachable => "unreachable",
                ApiError::Uncertain => "uncertain",
                ApiError::Changed { .. } => "changed",
            },
            ToolFailure::AnswerError(AnswerError::Changed(_)) => "changed",
            ToolFailure::AnswerError(AnswerError::File(_)) => "file",
            ToolFailure::AnswerError(AnswerError::Private) => "private",
            ToolFailure::AnswerError(AnswerError::Argument(_)) => "argument",
            ToolFailure::NoDisplayName => "no_display_name",
        }
    }
}

impl ToolResult {
    pub(super) fn of_failure(tool: &Tool, failure: &ToolFailure, now: Timestamp) -> Self {
        ToolResult::Failed(format!("{}: {}", tool.failing, failure.told(now)))
    }

    /// A call that was rejected because of its arguments.
    pub(super) fn of_arguments(tool: &str, mistakes: &str) -> Self {
        ToolResult::Failed(format!("Error executing tool {tool}: {mistakes}"))
    }

    pub(super) fn of_json(value: &Value) -> Self {
        ToolResult::Json {
            text: value.to_string(),
            is_object: value.is_object(),
            is_error: false,
        }
    }

    /// An error with an answer as JSON, such as what is known about a change whose response was lost.
    pub(super) fn of_failed_json(value: &Value) -> Self {
        ToolResult::Json {
            text: value.to_string(),
            is_object: value.is_object(),
            is_error: true,
        }
    }

    /// The length of the text in bytes, for the log.
    pub(super) fn bytes(&self) -> usize {
        let (ToolResult::Json { text, .. } | ToolResult::Text(text) | ToolResult::Failed(text)) = self;
        text.len()
    }

    /// The content block that links to a resource, if the answer names one.
    fn link(&self) -> Option<String> {
        let ToolResult::Json {
            text,
            is_object: true,
            ..
        } = self
        else {
            return None;
        };
        if !text.contains(RESOURCE_SCHEME) {
            return None;
        }
        let answer: Value = serde_json::from_str(text).ok()?;
        let uri = answer
            .get("uri")?
            .as_str()
            .filter(|uri| uri.starts_with(RESOURCE_SCHEME))?;
        let link = json!({
            "type": "resource_link",
            "uri": uri,
            "name": uri.trim_start_matches(RESOURCE_SCHEME).replace('/', "_"),
            "mimeType": answer.get("mime_type")?,
            "size": answer.get("size_bytes")?,
        });
        Some(link.to_string())
    }

    /// The `result` of the JSON-RPC response. `structuredContent` is the answer itself. MCP requires an object there,
    /// so a bare list is wrapped in a member `result`. A text answer has no structured content.
    pub(super) fn result(&self) -> String {
        let (ToolResult::Json { text, .. } | ToolResult::Text(text) | ToolResult::Failed(text)) = self;
        let mut out = String::with_capacity(text.len() * 5 / 2 + 120);
        out.push_str(r#"{"content":[{"type":"text","text":"#);
        write_string(&mut out, text);
        out.push('}');
        if let Some(link) = self.link() {
            out.push(',');
            out.push_str(&link);
        }
        out.push(']');
        if let ToolResult::Json { text, is_object, .. } = self {
            out.push_str(r#","structuredContent":"#);
            if *is_object {
                out.push_str(text);
            } else {
                out.push_str(r#"{"result":"#);
                out.push_str(text);
                out.push('}');
            }
        }
        out.push_str(
            if matches!(
                self,
                ToolResult::Failed(_) | ToolResult::Json { is_error: true, .. }
            ) {
                r#","isError":true}"#
            } else {
                r#","isError":false}"#
            },
        );
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::garmin::{ApiError, SignInReason};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[track_caller]
    fn check(failure: impl Into<ToolFailure>, class: &str, told: &str) {
        let failure = failure.into();
        assert_eq!(failure.class(), class);
        let tool = super::super::tools()
            .find(|tool| tool.name == "get_stats")
            .unwrap();
        let expected = ToolResult::Failed(format!("Error retrieving stats: {told}"));
        assert_eq!(ToolResult::of_failure(tool, &failure, NOW), expected);
    }

    #[test]
    fn each_failure_says_what_to_do() {
        check(
            ApiError::SignInNeeded(SignInReason::Spent),
            "sign_in_needed",
            "Garmin asks this person to sign in again (the sign-in has ended). Open the gateway's address in a browser, \
             with /link at its end, sign in to Garmin there, then ask again.",
        );
        let until = Timestamp::from_second(90).unwrap();
        let limited = |until| ApiError::RateLimited { until };
        check(
            limited(Some(until)),
            "rate_limited",
            "Garmin limits how often it is asked. Try again in 90 s.",
        );
        check(
            limited(Some(NOW)),
            "rate_limited",
            "Garmin limits how often it is asked. Try again in 1 s.",
        );
        check(
            limited(None),
            "rate_limited",
            "Garmin limits how often it is asked. Try again in 60 s.",
        );
        check(
            limited(Some(until - SignedDuration::from_millis(1_400))),
            "rate_limited",
            "Garmin limits how often it is asked. Try again in 89 s.",
        );
        check(
            ApiError::Unreachable,
            "unreachable",
            "Garmin Connect is unreachable. Check your network connection or try again later.",
        );
        check(ApiError::NotFound, "not_found", "Garmin has nothing there");
        let refused = ApiError::Refused {
            status: 403,
            message: "HTTP 403 Forbidden".into(),
        };
        check(
            refused,
            "refused",
            "Garmin refused the request (status 403): HTTP 403 Forbidden",
        );
        check(
            ApiError::Changed { path: "$.x".into() },
            "changed",
            "Garmin changed its answer ($.x); this program needs an update",
        );
        check(
            Changed {
                path: "$.laps".into(),
                expected: "a list",
            },
            "changed",
            "Garmin changed its answer: a list was expected at $.laps; this program needs an update",
        );
        check(
            AnswerError::Private,
            "private",
            "Garmin keeps the data of this profile private (privacyProtected)",
        );
        check(
            ToolFailure::NoDisplayName,
            "no_display_name",
            "the Garmin profile has no display name yet: the person has to choose one at connect.garmin.com, under \
             Profile; a few minutes later this tool works",
        );
    }

    #[test]
    fn structured_content_is_the_answer_itself() {
        let result =
            |value: Value| -> Value { serde_json::from_str(&ToolResult::of_json(&value).result()).unwrap() };
        let object = json!({"name": "München", "steps": [1, 2]});
        let told = result(object.clone());
        assert_eq!(told["structuredContent"], object);
        assert_eq!(told["content"][0]["text"], r#"{"name":"München","steps":[1,2]}"#);
        assert_eq!(told["isError"], false);
        let list = result(json!([1, 2]));
        assert_eq!(
            (&list["structuredContent"], &list["content"][0]["text"]),
            (&json!({"result": [1, 2]}), &json!("[1,2]"))
        );
        let words: Value = serde_json::from_str(&ToolResult::Text("No data".into()).result()).unwrap();
        assert_eq!(
            words,
            json!({"content": [{"type": "text", "text": "No data"}], "isError": false})
        );
        assert_eq!(
            ToolResult::of_arguments("x", "y is missing").result(),
            r#"{"content":[{"type":"text","text":"Error executing tool x: y is missing"}],"isError":true}"#
        );
    }
}
