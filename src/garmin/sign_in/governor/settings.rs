//! The limits of sign-ins, and their pauses.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::config::{GarminHosts, SignInSettings};

/// The limits of all sign-ins together, and the pauses within a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GovernorSettings {
    /// The minimum time from the end of one sign-in to the start of the next (`SIGN_IN_SPACING`).
    pub spacing: Duration,
    /// Upper bound of sign-ins per e-mail in 24 hours that reached Garmin (`SIGN_IN_DAILY`).
    pub daily: u32,
    /// How long a method is not used after a 429 that names no time.
    pub cool_down: Duration,
    /// How long the governor remembers a wrong password.
    pub wrong_password_memory: Duration,
    /// The longest wait in the queue.
    pub patience: Duration,
    /// The pause between the widget's form and its submission.
    pub form_pause: RangeInclusive<Duration>,
    /// The pause between the portal's page and its submission.
    pub portal_pause: RangeInclusive<Duration>,
    /// The pause before the profile is read again.
    pub again_pause: Duration,
}

impl Default for GovernorSettings {
    /// The values for the real Garmin.
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            spacing: seconds(5),
            daily: 6,
            // Users report that throttling lasts for hours; each further 429 restarts this pause.
            cool_down: seconds(3600),
            wrong_password_memory: seconds(15 * 60),
            patience: seconds(60),
            // The time that a person needs to type; faster submissions were throttled.
            form_pause: seconds(3)..=seconds(8),
            portal_pause: seconds(10)..=seconds(20),
            again_pause: seconds(1),
        }
    }
}

impl GovernorSettings {
    /// The configured settings. A simulated Garmin on this machine needs no pauses within a sign-in, so they are left
    /// out there; the limits stay.
    pub fn new(sign_in: SignInSettings, hosts: &GarminHosts) -> Self {
        let usual = if hosts.is_simulated() {
            Self::without_pauses()
        } else {
            Self::default()
        };
        Self {
            spacing: sign_in.spacing,
            daily: sign_in.daily,
            ..usual
        }
    }

    /// For a simulated Garmin on this machine: the same limits without any pause.
    pub fn without_pauses() -> Self {
        let none = Duration::ZERO..=Duration::ZERO;
        Self {
            spacing: Duration::ZERO,
            form_pause: none.clone(),
            portal_pause: none,
            again_pause: Duration::ZERO,
            ..Self::default()
        }
    }
}
