//! Garmin's three sign-in interfaces.

use serde::{Deserialize, Serialize};

/// One of Garmin's sign-in interfaces. All yield the same tokens; Garmin's edge throttles each separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInMethod {
    /// The JSON interface of the phone app.
    Mobile,
    /// The HTML form that other sites embed.
    Widget,
    /// The JSON interface of the web site.
    Portal,
}

impl SignInMethod {
    /// The order in which they are tried: the fast one, the one with its own rate limits, the slow one.
    pub const ALL: [Self; 3] = [Self::Mobile, Self::Widget, Self::Portal];

    /// The name used in events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Widget => "widget",
            Self::Portal => "portal",
        }
    }
}
