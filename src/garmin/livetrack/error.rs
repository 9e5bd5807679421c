//! The errors of LiveTrack, and how long to wait after each.

use std::time::Duration;

/// Why a request to LiveTrack failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiveTrackError {
    /// 401 or 403 despite a new CSRF pair. Nobody can act; it passes.
    #[error("Garmin refuses to show the session at the moment")]
    Refused,
    /// 404 with a valid CSRF pair: the token is wrong, or the session has expired. Who can act: the person, with a
    /// new link.
    #[error("Garmin does not know this session; the link may be wrong or expired")]
    Gone,
    /// 429: Garmin asks for fewer requests. Nobody can act; it passes.
    #[error("Garmin asks for fewer requests")]
    RateLimited {
        /// From the `Retry-After` header, if present.
        retry_after: Option<Duration>,
    },
    /// 5xx, or another status of unknown meaning. Nobody can act.
    #[error("Garmin answered with status {0}")]
    Server(u16),
    /// A page instead of JSON: a bot check, a maintenance notice, or a new interface. Nobody can act.
    #[error("Garmin answered with a page instead of data")]
    Page,
    /// No connection, a broken one, or no response in time. Who can act: the operator, if it lasts.
    #[error("Garmin cannot be reached")]
    Unreachable,
    /// JSON of an unknown shape. Who can act: the operator, by an update.
    #[error("Garmin changed its response at {0}")]
    Changed(&'static str),
}

impl LiveTrackError {
    /// The name used in events and in the status of a race.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Gone => "gone",
            Self::RateLimited { .. } => "rate_limited",
            Self::Server(_) => "server_error",
            Self::Page => "page_instead_of_data",
            Self::Unreachable => "unreachable",
            Self::Changed(_) => "changed",
        }
    }

    /// Whether Garmin's interface has changed.
    pub fn is_change(&self) -> bool {
        matches!(self, Self::Changed(_) | Self::Page)
    }
}

/// How long to wait after `failure` happened `times` in a row (1 = the first); `None` = never retry. A longer
/// `Retry-After` takes precedence, up to an hour.
pub fn back_off(failure: &LiveTrackError, times: u32) -> Option<Duration> {
    let doubling = |first: u64, most: u64| {
        let factor = 1_u64 << times.saturating_sub(1).min(16);
        Duration::from_secs(first.saturating_mul(factor).min(most))
    };
    match failure {
        LiveTrackError::Gone => None,
        LiveTrackError::Refused => Some(doubling(60, 300)),
        LiveTrackError::RateLimited { retry_after } => {
            let asked = retry_after.unwrap_or_default().min(Duration::from_secs(3600));
            Some(doubling(120, 900).max(asked))
        }
        LiveTrackError::Server(_)
        | LiveTrackError::Page
        | LiveTrackError::Unreachable
        | LiveTrackError::Changed(_) => Some(doubling(30, 600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit() {
        let limited = |seconds: Option<u64>| LiveTrackError::RateLimited {
            retry_after: seconds.map(Duration::from_secs),
        };
        for (failure, expected) in [
            (LiveTrackError::Refused, [60, 120, 240, 300, 300]),
            (limited(None), [120, 240, 480, 900, 900]),
            (limited(Some(300)), [300, 300, 480, 900, 900]),
            (limited(Some(1_000_000)), [3600; 5]),
            (LiveTrackError::Server(502), [30, 60, 120, 240, 480]),
            (LiveTrackError::Page, [30, 60, 120, 240, 480]),
            (LiveTrackError::Unreachable, [30, 60, 120, 240, 480]),
            (LiveTrackError::Changed("$"), [30, 60, 120, 240, 480]),
        ] {
            for (times, seconds) in (1..).zip(expected) {
                let wait = back_off(&failure, times);
                assert_eq!(wait, Some(Duration::from_secs(seconds)), "{failure:?} {times}");
            }
        }
        assert_eq!(back_off(&LiveTrackError::Gone, 1), None);
        assert_eq!(
            back_off(&LiveTrackError::Unreachable, u32::MAX),
            Some(Duration::from_secs(600))
        );
    }
}
