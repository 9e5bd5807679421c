//! Faults that tests and rehearsals can inject: what goes wrong, and where.

use serde::{Deserialize, Serialize};

/// The part of Garmin that a fault applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The sign-in of the phone app.
    Mobile,
    /// The embedded sign-in form: its pages and its submission.
    Widget,
    /// The web site's sign-in: its page and its submission.
    Portal,
    /// The verification of an MFA code, for all three sign-in methods.
    Verify,
    /// The exchange of a service ticket for tokens.
    Exchange,
    Refresh,
    Api,
    /// LiveTrack's pages, short links and profiles.
    LivetrackPage,
    LivetrackSession,
    LivetrackPoints,
    LivetrackCourse,
    Anywhere,
}

/// What goes wrong. As JSON: `{"kind": "rate_limited", "retry_after_s": 60}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Status 429, or status 200 with a 429 in the JSON body.
    RateLimited {
        /// `Retry-After` in seconds; `None` omits the header.
        #[serde(default)]
        retry_after_s: Option<u32>,
        /// Respond with status 200 and put the 429 into the body.
        #[serde(default)]
        in_body: bool,
    },
    /// Garmin asks for a captcha: in JSON, or as a challenge page where the place serves pages.
    Captcha,
    /// Garmin reports that the account is locked.
    Locked,
    /// The challenge page of the bot protection in front of Garmin.
    ChallengePage {
        /// The HTTP status, usually 403 or 429.
        status: u16,
    },
    /// An HTTP status such as 401 or 503, with an empty JSON object.
    Status { status: u16 },
    /// The usual response, delayed by `ms`.
    Slow { ms: u64 },
    /// The connection breaks in the middle of the response.
    HangUp,
    /// The connection breaks before the request is carried out.
    Dropped,
    /// The request is carried out, but the response has this status, as if a proxy had timed out.
    LateStatus { status: u16 },
    /// A response in a shape that no client knows.
    ChangedShape,
    /// The API refuses tokens from a sign-in at this place as "not active". At `api` it refuses all tokens.
    TokenNotAccepted,
    /// Access tokens issued here expire after `seconds`.
    ShortLived { seconds: u32 },
    /// The response to a refresh has no new refresh token, and the old one stays valid.
    NoRotation,
    /// The token service has retired these client ids.
    ClientIdRefused { ids: Vec<String> },
}

/// A fault, the place where it occurs, and how long it lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    pub place: Place,
    pub fault: Fault,
    /// Limits the fault to the person with this e-mail, or the LiveTrack session with this id. Requests that identify
    /// neither are not affected.
    #[serde(default)]
    pub person: Option<String>,
    /// Limits the fault to paths with this prefix.
    #[serde(default)]
    pub path: Option<String>,
    /// Limits the fault to requests of this method, such as `PUT`, or to `changes`: every method except `GET`.
    #[serde(default)]
    pub method: Option<String>,
    /// The number of times it applies; `None` = until it is cleared.
    #[serde(default)]
    pub times: Option<u32>,
}

impl FaultRule {
    /// A fault that affects everybody until it is cleared.
    pub fn new(place: Place, fault: Fault) -> Self {
        Self {
            place,
            fault,
            person: None,
            path: None,
            method: None,
            times: None,
        }
    }

    /// Limits the fault to a person's e-mail or a LiveTrack session's id.
    #[must_use]
    pub fn of(self, email: &str) -> Self {
        Self {
            person: Some(email.to_owned()),
            ..self
        }
    }

    /// Limits the fault to paths with this prefix.
    #[must_use]
    pub fn on(self, path: &str) -> Self {
        Self {
            path: Some(path.to_owned()),
            ..self
        }
    }

    /// Limits the fault to a method, or to `changes`.
    #[must_use]
    pub fn to(self, method: &str) -> Self {
        Self {
            method: Some(method.to_owned()),
            ..self
        }
    }

    /// Limits how many times the fault applies.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self {
            times: Some(times),
            ..self
        }
    }

    fn strikes(&self, place: Place, method: &str, path: &str, email: Option<&str>) -> bool {
        (self.place == place || self.place == Place::Anywhere)
            && self.person.as_deref().is_none_or(|person| email == Some(person))
            && self.path.as_deref().is_none_or(|prefix| path.starts_with(prefix))
            && self
                .method
                .as_deref()
                .is_none_or(|wanted| wanted == method || wanted == "changes" && method != "GET")
            && self.times != Some(0)
    }
}

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

    /// The first fault that applies here and that `wanted` accepts. Returning it uses up one of its times.
    pub(super) fn strike(
        &mut self,
        place: Place,
        (method, path): (&str, &str),
        email: Option<&str>,
        wanted: impl Fn(&Fault) -> bool,
    ) -> Option<Fault> {
        let rule = self
            .0
            .iter_mut()
            .find(|rule| rule.strikes(place, method, path, email) && wanted(&rule.fault))?;
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
    fn a_fault_applies_only_to_its_place_person_and_times() {
        let rule = FaultRule::new(Place::Mobile, Fault::Captcha)
            .of("ann@example.org")
            .times(2);
        let mut faults = Faults::new(vec![rule]);
        let mut strike = |place, email| faults.strike(place, ("GET", "/x"), email, |_| true).is_some();
        assert!(!strike(Place::Portal, Some("ann@example.org")));
        assert!(!strike(Place::Mobile, Some("ben@example.org")));
        assert!(!strike(Place::Mobile, None));
        assert!(strike(Place::Mobile, Some("ann@example.org")));
        assert!(strike(Place::Mobile, Some("ann@example.org")));
        assert!(!strike(Place::Mobile, Some("ann@example.org")));
    }

    #[test]
    fn rules_are_read_from_json_and_typos_are_refused() {
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
