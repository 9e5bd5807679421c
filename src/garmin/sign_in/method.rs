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
    /// The order in which the methods are tried. Mobile is the fastest, the widget often works while the JSON methods
    /// are throttled, and the portal is the slowest.
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
