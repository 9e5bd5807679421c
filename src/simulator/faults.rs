//! What can be made to go wrong, and where.

use serde::{Deserialize, Serialize};

/// Part of Garmin where a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The phone app's sign-in.
    Mobile,
    /// The embedded form: its pages and its submission.
    Widget,
    /// The web site's sign-in: its page and its submission.
    Portal,
    /// The verification of a code, on every way.
    Verify,
    /// A ticket into tokens.
    Exchange,
    /// The next tokens.
    Refresh,
    /// The data API.
    Api,
    /// LiveTrack's pages, short links and profiles.
    LivetrackPage,
    /// LiveTrack's session.
    LivetrackSession,
    /// LiveTrack's points.
    LivetrackPoints,
    /// LiveTrack's course.
    LivetrackCourse,
    /// All of them.
    Anywhere,
}

/// What goes wrong. As JSON: `{"kind": "rate_limited", "retry_after_s": 60}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// 429, or a 200 whose JSON says 429.
    RateLimited {
        /// `Retry-After`, in seconds; none when absent.
        #[serde(default)]
        retry_after_s: Option<u32>,
        /// Say it in the body of a 200.
        #[serde(default)]
        in_body: bool,
    },
    /// A captcha is wanted (JSON ways; elsewhere a challenge page).
    Captcha,
    /// The account is called locked.
    Locked,
    /// A page of the guard in front of Garmin.
    ChallengePage {
        /// 403 or 429, mostly.
        status: u16,
    },
    /// A bare status with an empty JSON object, such as 401 or 503.
    Status {
        /// The status.
        status: u16,
    },
    /// The usual answer, late.
    Slow {
        /// By how many milliseconds.
        ms: u64,
    },
    /// The connection breaks in the middle of the answer.
    HangUp,
    /// An answer of a shape that nobody knows.
    ChangedShape,
    /// Tokens that come of a sign-in here (or, at `api`, all tokens) are "not active" for the API.
    TokenNotAccepted,
    /// Tokens issued here last this long.
    ShortLived {
        /// From the issue to the end.
        seconds: u32,
    },
    /// The refresh answer has no new refresh token; the old one stays good.
    NoRotation,
    /// The token service does not know these client ids any more.
    ClientIdRefused {
        /// The ids.
        ids: Vec<String>,
    },
}

/// A fault with its place, and how long it lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// Where.
    pub place: Place,
    /// What.
    pub fault: Fault,
    /// Only for the person with this e-mail, or the LiveTrack session with this id; requests that don't tell who they
    /// are for are spared then.
    #[serde(default)]
    pub person: Option<String>,
    /// Only for paths that begin so.
    #[serde(default)]
    pub path: Option<String>,
    /// Only so many times; none = until it is taken back.
    #[serde(default)]
    pub times: Option<u32>,
}

impl FaultRule {
    /// A fault for everybody, until it is taken back.
    pub fn new(place: Place, fault: Fault) -> Self {
        Self {
            place,
            fault,
            person: None,
            path: None,
            times: None,
        }
    }

    /// Only for this person, or this LiveTrack session.
    #[must_use]
    pub fn of(self, email: &str) -> Self {
        Self {
            person: Some(email.to_owned()),
            ..self
        }
    }

    /// Only for paths that begin so.
    #[must_use]
    pub fn on(self, path: &str) -> Self {
        Self {
            path: Some(path.to_owned()),
            ..self
        }
    }

    /// Only so many times.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self {
            times: Some(times),
            ..self
        }
    }

    fn strikes(&self, place: Place, path: &str, email: Option<&str>) -> bool {
        (self.place == place || self.place == Place::Anywhere)
            && self.person.as_deref().is_none_or(|person| email == Some(person))
            && self.path.as_deref().is_none_or(|prefix| path.starts_with(prefix))
            && self.times != Some(0)
    }
}

/// The faults that are set.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<FaultRule>);

impl Faults {
    pub(super) fn new(rules: Vec<FaultRule>) -> Self {
        Self(rules)
    }

    pub(super) fn add(&mut self, rule: FaultRule) {
        self.0.push(rule);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The first fault that strikes here and that `wanted` accepts; it has one time less then.
    pub(super) fn strike(
        &mut self,
        place: Place,
        path: &str,
        email: Option<&str>,
        wanted: impl Fn(&Fault) -> bool,
    ) -> Option<Fault> {
        let rule = self
            .0
            .iter_mut()
            .find(|rule| rule.strikes(place, path, email) && wanted(&rule.fault))?;
        if let Some(times) = &mut rule.times {
            *times -= 1;
        }
        Some(rule.fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_where_it_is_set_and_as_often() {
        let rule = FaultRule::new(Place::Mobile, Fault::Captcha)
            .of("ann@example.org")
            .times(2);
        let mut faults = Faults::new(vec![rule]);
        let mut strike = |place, email| faults.strike(place, "/x", email, |_| true).is_some();
        assert!(!strike(Place::Portal, Some("ann@example.org")));
        assert!(!strike(Place::Mobile, Some("ben@example.org")));
        assert!(!strike(Place::Mobile, None));
        assert!(strike(Place::Mobile, Some("ann@example.org")));
        assert!(strike(Place::Mobile, Some("ann@example.org")));
        assert!(!strike(Place::Mobile, Some("ann@example.org")));
    }

    #[test]
    fn rules_are_written_as_json() {
        let text = r#"{"place":"api","fault":{"kind":"rate_limited","retry_after_s":60},"path":"/wellness-service"}"#;
        let rule: FaultRule = serde_json::from_str(text).unwrap();
        let fault = Fault::RateLimited {
            retry_after_s: Some(60),
            in_body: false,
        };
        assert_eq!(rule, FaultRule::new(Place::Api, fault).on("/wellness-service"));
        assert!(
            serde_json::from_str::<FaultRule>(r#"{"place":"api","fault":{"kind":"captcha"},"tims":1}"#)
                .is_err()
        );
    }
}
