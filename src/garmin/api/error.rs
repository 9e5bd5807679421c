//! How a request to Garmin's API can fail.

use std::fmt;

use jiff::Timestamp;

/// What went wrong, by who can do something about it. `Display` is for the person who asked.
///
/// Cheap to clone: equal requests share one answer, and one failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// Only signing in at Garmin again helps. The person.
    #[error("Garmin wants this person to sign in again: {0}")]
    SignInNeeded(SignInReason),
    /// Garmin asks for fewer requests. Nobody: wait.
    #[error("Garmin asks for fewer requests for a while{}", until_when(*until))]
    RateLimited {
        /// Nothing is sent before this.
        until: Option<Timestamp>,
    },
    /// Garmin knows no such thing. The caller.
    #[error("Garmin has nothing there")]
    NotFound,
    /// Garmin refuses this request. The caller.
    #[error("Garmin refused the request (status {status}){}", said(message))]
    Refused {
        /// HTTP status, 400 to 499.
        status: u16,
        /// Garmin's own words; may be empty.
        message: String,
    },
    /// Garmin did not answer, or is out of order; a read was tried several times. Nobody: try later.
    #[error("Garmin could not be reached; try again in a minute")]
    Unreachable,
    /// A change was sent and no answer came. The person: look whether it happened.
    #[error("Garmin did not answer; the change may or may not have been made, so look before trying again")]
    Uncertain,
    /// An answer that this program does not understand. The operator: an update is needed.
    #[error("Garmin changed its answer ({path}); this program needs an update")]
    Changed {
        /// Where, as a JSON path; never a value.
        path: String,
    },
}

/// Why the tokens at hand don't do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInReason {
    /// There are none, or none that can be read.
    NoTokens,
    /// The access token ran out, and the refresh token is missing, spent or too old.
    Spent,
    /// Garmin's data service does not take the token, fresh as it is.
    NotAccepted,
}

impl fmt::Display for SignInReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoTokens => "there is no sign-in yet",
            Self::Spent => "the sign-in has ended",
            Self::NotAccepted => "the sign-in is not accepted any more",
        })
    }
}

fn until_when(until: Option<Timestamp>) -> String {
    until
        .map(|until| format!(", until {}", until.strftime("%H:%M:%S UTC")))
        .unwrap_or_default()
}

fn said(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}
