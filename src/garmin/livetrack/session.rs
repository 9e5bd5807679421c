//! The session behind a link: the athlete, the start, the end.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::LiveTrackError;
use super::json_fields::JsonFields;
use super::point::json;

/// A LiveTrack session. Every field may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveTrackSession {
    /// The athlete's name as shown. It is a stranger's text, so it must never be treated as an instruction.
    pub athlete: Option<String>,
    /// The session's name, which is a stranger's text too.
    pub name: Option<String>,
    pub start: Option<Timestamp>,
    /// Start + 24 h while the session is live, later the real end.
    pub end: Option<Timestamp>,
    /// The interval at which the phone posts its points.
    pub post_frequency_s: Option<u32>,
    /// False when the session is hidden or has expired.
    pub viewable: Option<bool>,
    /// `InProgress`, `Complete` or `Expired`; not sent by every generation.
    pub status: Option<String>,
    /// Whether the athlete cancelled the session.
    pub cancelled: Option<bool>,
    /// The planned or the current activity's type.
    pub activity_type: Option<String>,
}

/// How far the `end` of a live session may be from start + 24 h. Deviations of ±2 s were observed.
const LIVE_END_TOLERANCE: SignedDuration = SignedDuration::from_secs(120);

impl LiveTrackSession {
    /// Parses a session response. Errors: [`LiveTrackError::Changed`] when it is not a session.
    pub fn read(body: &[u8]) -> Result<Self, LiveTrackError> {
        let value = json(body)?.ok_or(LiveTrackError::Changed("$"))?;
        Self::from_value(&value).ok_or(LiveTrackError::Changed("$.sessionId"))
    }

    /// Reads a session object; `None` when it has none of the members that identify one.
    pub(super) fn from_value(value: &Value) -> Option<Self> {
        let mut fields = JsonFields(value.as_object()?.clone());
        let has_marker = ["sessionId", "start", "userDisplayName"]
            .iter()
            .any(|name| fields.0.contains_key(*name));
        let publisher = fields.object("publisher").and_then(|mut of| of.text("nickname"));
        let activity = fields.object("activity").and_then(|mut of| of.text("name"));
        let session = Self {
            athlete: fields.text("userDisplayName").or(publisher),
            name: fields.text("sessionName"),
            start: fields.moment("start"),
            end: fields.moment("end"),
            post_frequency_s: fields.whole("postTrackPointFrequency", 1..=3600),
            viewable: fields.flag("viewable"),
            status: fields.text("sessionStatus"),
            cancelled: fields.flag("cancelled"),
            activity_type: fields.text("activityType").or(activity),
        };
        has_marker.then_some(session)
    }

    /// The athlete's name, normalised for comparison. People choose their own names, so equal names prove nothing.
    pub fn athlete_key(&self) -> Option<String> {
        let name = self.athlete.as_deref()?.trim().to_lowercase();
        (!name.is_empty()).then_some(name)
    }

    /// Whether the athlete is clearly the person with this name in Garmin's profile: both names are the same, and more
    /// than a first name.
    pub fn is_clearly(&self, full_name: &str) -> bool {
        let words = |name: &str| -> Vec<String> { name.split_whitespace().map(str::to_lowercase).collect() };
        let (shown, own) = (
            words(self.athlete.as_deref().unwrap_or_default()),
            words(full_name),
        );
        own.len() > 1 && shown == own
    }

    /// When Garmin usually closes the link: 24 hours after the start.
    pub fn link_ends_at(&self) -> Option<Timestamp> {
        self.start?.checked_add(SignedDuration::from_hours(24)).ok()
    }

    /// When the athlete ended the session: according to the status, or to an `end` in the past that is not start + 24
    /// h.
    pub fn ended_at(&self, now: Timestamp) -> Option<Timestamp> {
        let over = |word: &str| {
            self.status
                .as_deref()
                .is_some_and(|status| status.eq_ignore_ascii_case(word))
        };
        if over("Complete") || over("Expired") || self.cancelled == Some(true) {
            return Some(self.end.map_or(now, |end| end.min(now)));
        }
        let (end, live_end) = (self.end?, self.link_ends_at()?);
        let moved = end.duration_until(live_end).abs() > LIVE_END_TOLERANCE;
        (moved && end <= now).then_some(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = r#"{"sessionId":"11112222-3333-4444-8555-666677778888",
        "sessionToken":"0A1B2C3D4E5F60718293A4B5C6D7E8F","userDisplayName":"Ann E","sessionName":"Activity",
        "start":"2026-10-04T07:58:12.000Z","end":"2026-10-05T07:58:12.000Z","postTrackPointFrequency":15,
        "viewable":true,"privacyLevel":"PUBLIC","publisher":{"nickname":"Ann"},"position":{"lat":46.62,"lon":14.31}}"#;

    #[test]
    fn a_session_is_read() {
        let session = LiveTrackSession::read(EXAMPLE.as_bytes()).unwrap();
        assert_eq!(session.athlete.as_deref(), Some("Ann E"));
        assert_eq!(session.post_frequency_s, Some(15));
        assert_eq!(session.viewable, Some(true));
        for (body, failure) in [
            ("{}", LiveTrackError::Changed("$.sessionId")),
            ("", LiveTrackError::Changed("$")),
            ("[]", LiveTrackError::Changed("$.sessionId")),
            ("<html>", LiveTrackError::Page),
        ] {
            assert_eq!(LiveTrackSession::read(body.as_bytes()), Err(failure), "{body}");
        }
    }

    #[test]
    fn only_the_same_full_name_is_clearly_the_same_person() {
        let session = |athlete: Option<&str>| LiveTrackSession {
            athlete: athlete.map(str::to_owned),
            ..LiveTrackSession::default()
        };
        assert!(session(Some(" Ann  EXAMPLE ")).is_clearly("Ann Example"));
        for (shown, own) in [
            (Some("Ann E"), "Ann Example"),
            (Some("Ann"), "Ann"),
            (Some("Example Ann"), "Ann Example"),
            (Some(""), ""),
            (None, "Ann Example"),
            (None, ""),
        ] {
            assert!(!session(shown).is_clearly(own), "{shown:?} {own}");
        }
    }

    #[test]
    fn the_real_end_is_told_from_the_24_hour_placeholder() {
        let now: Timestamp = "2026-10-04T12:00:00Z".parse().unwrap();
        let session = LiveTrackSession::read(EXAMPLE.as_bytes()).unwrap();
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        for (end, status, expected) in [
            (session.end, None, None),
            (at("2026-10-05T07:58:14Z"), None, None),
            (at("2026-10-04T11:30:00Z"), None, at("2026-10-04T11:30:00Z")),
            (at("2026-10-04T13:00:00Z"), None, None),
            (session.end, Some("InProgress"), None),
            (session.end, Some("Complete"), Some(now)),
            (None, Some("EXPIRED"), Some(now)),
        ] {
            let session = LiveTrackSession {
                end,
                status: status.map(str::to_owned),
                ..session.clone()
            };
            assert_eq!(session.ended_at(now), expected, "{end:?} {status:?}");
        }
    }
}
