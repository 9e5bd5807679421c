//! How a request to Garmin's API can fail.

use std::fmt;

use jiff::Timestamp;

/// What went wrong, classified by who can act. `Display` is for the person who asked.
///
/// Cheap to clone, because equal requests share one response and one failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// Only a new sign-in at Garmin helps. Who can act: the person.
    #[error("Garmin wants this person to sign in again: {0}")]
    SignInNeeded(SignInReason),
    /// Garmin asks for fewer requests. Nobody can act; it passes.
    #[error("Garmin asks for fewer requests for a while{}", until_when(*until))]
    RateLimited {
        /// No request is sent before this time.
        until: Option<Timestamp>,
    },
    /// Garmin has nothing at this path. Who can act: the caller.
    #[error("Garmin has nothing there")]
    NotFound,
    /// Garmin refuses this request. Who can act: the caller.
    #[error("Garmin refused the request (status {status}){}", said(message))]
    Refused {
        /// HTTP status, 400 to 499.
        status: u16,
        /// Garmin's own words; may be empty.
        message: String,
    },
    /// Garmin did not answer, or has an outage; a read was tried several times. Nobody can act; it passes.
    #[error("Garmin could not be reached; try again in a minute")]
    Unreachable,
    /// A change was sent and no answer came. Who can act: the person, by checking whether the change was made.
    #[error("Garmin did not answer; the change may or may not have been made, so look before trying again")]
    Uncertain,
    /// An answer of an unknown shape. Who can act: the operator, by an update.
    #[error("Garmin changed its answer ({path}); this program needs an update")]
    Changed {
        /// The place, as a JSON path; never a value.
        path: String,
    },
}

/// Why the stored tokens cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInReason {
    /// No tokens exist, or none that can be read.
    NoTokens,
    /// The access token expired, and the refresh token is missing, spent or too old.
    Spent,
    /// Garmin's data service refuses the token even though it is fresh.
    NotAccepted,
}

impl fmt::Display for SignInReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoTokens => "there is no sign-in yet",
            Self::Spent => "the sign-in has ended",
            Self::NotAccepted => "the sign-in is no longer accepted",
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
