//! An alert, and the situation that the rules evaluate.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::phrase::{AlertPhrase, Voice};
use crate::race::course::Course;
use crate::race::goal::RaceGoal;
use crate::race::outlook::Outlook;
use crate::race::plan::RacePlan;
use crate::race::recipients::Units;
use crate::race::schedule::RaceWatch;
use crate::race::track::Track;

/// Data older than this does not describe the present.
const FRESH: SignedDuration = SignedDuration::from_mins(4);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    Started,
    /// No data has arrived for a while.
    NoSignal,
    SignalBack,
    /// The data shows that the athlete is standing still.
    Stopped,
    /// The watch's timer does not run.
    Paused,
    OffCourse,
    /// The window of the arrival reaches a cut-off.
    CutoffRisk,
    /// A cut-off passed before the athlete reached its checkpoint.
    CutoffMissed,
    /// Heart rate above its upper limit.
    HrOver,
    /// Heart rate below its lower limit.
    HrUnder,
    PowerOver,
    PowerUnder,
    CadenceUnder,
    /// Ahead of the plan or behind it.
    OffPace,
    /// A distance mark was passed.
    Split,
    Checkpoint,
    LegChange,
    Finished,
    /// The activity ended before the finish.
    Ended,
    /// The race is presumably over.
    ProbablyFinished,
    /// The link no longer works, but the race is not over.
    LinkGone,
    /// Garmin's answers have an unknown format.
    GarminChanged,
    /// The athlete was not at a place by the time that a person gave.
    Overdue,
    /// The athlete came to a place that a person named.
    PlaceEntered,
    PlaceLeft,
}

impl AlertKind {
    /// Whether family members get this alert. They get no body data, pace or splits, and no place alerts, because a
    /// place may be somebody's home.
    pub fn is_for_family(self) -> bool {
        match self {
            Self::Started
            | Self::NoSignal
            | Self::SignalBack
            | Self::Stopped
            | Self::Paused
            | Self::OffCourse
            | Self::CutoffRisk
            | Self::CutoffMissed
            | Self::Checkpoint
            | Self::LegChange
            | Self::Finished
            | Self::Ended
            | Self::ProbablyFinished
            | Self::LinkGone => true,
            Self::HrOver
            | Self::HrUnder
            | Self::PowerOver
            | Self::PowerUnder
            | Self::CadenceUnder
            | Self::OffPace
            | Self::Split
            | Self::GarminChanged
            | Self::Overdue
            | Self::PlaceEntered
            | Self::PlaceLeft => false,
        }
    }

    /// Whether this alert reports that the race is over or may be.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Finished | Self::ProbablyFinished | Self::Ended)
    }

    /// Whether a person asked for this alert with a rule about a place.
    pub fn is_asked_for(self) -> bool {
        matches!(self, Self::Overdue | Self::PlaceEntered | Self::PlaceLeft)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::NoSignal => "no_signal",
            Self::SignalBack => "signal_back",
            Self::Stopped => "stopped",
            Self::Paused => "paused",
            Self::OffCourse => "off_course",
            Self::CutoffRisk => "cutoff_risk",
            Self::CutoffMissed => "cutoff_missed",
            Self::HrOver => "hr_over",
            Self::HrUnder => "hr_under",
            Self::PowerOver => "power_over",
            Self::PowerUnder => "power_under",
            Self::CadenceUnder => "cadence_under",
            Self::OffPace => "off_pace",
            Self::Split => "split",
            Self::Checkpoint => "checkpoint",
            Self::LegChange => "leg_change",
            Self::Finished => "finished",
            Self::Ended => "ended",
            Self::ProbablyFinished => "probably_finished",
            Self::LinkGone => "link_gone",
            Self::GarminChanged => "garmin_changed",
            Self::Overdue => "overdue",
            Self::PlaceEntered => "place_entered",
            Self::PlaceLeft => "place_left",
        }
    }
}

/// How much an alert matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nice to know; delivered silently.
    Info,
    Notice,
    Warning,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    pub kind: AlertKind,
    pub severity: Severity,
    /// Alerts with the same key are sent only once.
    pub key: String,
    /// In English and metric units.
    pub text: String,
    /// The text for other readers, as far as it differs. Alerts of older versions have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub translations: Vec<AlertTranslation>,
    /// Time at which it was raised, by the gateway's clock.
    pub at: Timestamp,
    /// Time of the event, if it is known better than by the alert. Alerts of older versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub happened_at: Option<Timestamp>,
}

/// The text of an alert in another language or other units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertTranslation {
    pub language: String,
    pub units: Units,
    pub text: String,
}

impl Alert {
    /// Whether recipients who chose important messages only get this alert.
    pub fn is_important(&self) -> bool {
        self.severity == Severity::Warning
            || self.kind.is_end()
            || self.kind.is_asked_for()
            || self.kind == AlertKind::CutoffRisk
    }

    /// The time of the event; of the alert if the event's own is not known.
    pub fn of_event(&self) -> Timestamp {
        self.happened_at.unwrap_or(self.at)
    }

    /// The same alert about an event at this device time.
    pub(super) fn of_device_time(mut self, track: &Track, at: Timestamp) -> Self {
        // The watch's clock is known to a second at best, so an event may seem to come after its alert.
        self.happened_at = Some(track.true_time(at).min(self.at));
        self
    }

    /// The text for one reader.
    pub fn told(&self, voice: Voice) -> &str {
        let in_units = |units: Units| {
            let mut translations = self.translations.iter();
            translations.find(|text| text.language == voice.language() && text.units == units)
        };
        let found = in_units(voice.units()).or_else(|| in_units(Units::Metric));
        found.map_or(&self.text, |found| &found.text)
    }
}

/// The phrase for all readers but those of English with metric units. Without a unit in it, both units read the same.
fn translations(phrase: &AlertPhrase) -> Vec<AlertTranslation> {
    let mut translations = Vec::new();
    for language in Voice::languages() {
        let in_units = |units| AlertTranslation {
            language: language.to_owned(),
            units,
            text: phrase.told(Voice::new(Some(language), units)),
        };
        let (metric, imperial) = (in_units(Units::Metric), in_units(Units::Imperial));
        if imperial.text != metric.text {
            translations.push(imperial);
        }
        if language != Voice::default().language() {
            translations.push(metric);
        }
    }
    translations
}

/// Everything that the rules evaluate.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    pub now: Timestamp,
    pub track: &'a Track,
    pub watch: &'a RaceWatch,
    pub settings: &'a RacePlan,
    /// The course, if the race has one.
    pub course: Option<&'a Course>,
}

impl Situation<'_> {
    /// Whether the newest point is recent enough to describe the present.
    pub(super) fn is_fresh(&self) -> bool {
        let silence = self.watch.silence(self.track);
        silence.is_some_and(|silence| silence < self.watch.quiet_after().min(FRESH))
    }

    pub(super) fn goal(&self) -> RaceGoal<'_> {
        RaceGoal {
            track: self.track,
            plan: self.settings,
            course: self.course,
        }
    }

    /// The outlook at present. Its window widens while there is no signal.
    pub(super) fn outlook(&self) -> Option<Outlook<'_>> {
        let silence = self.watch.silence(self.track);
        let lost = silence.filter(|silence| *silence > self.watch.quiet_after());
        Outlook::of(self.goal(), self.now, lost, self.watch.fades())
    }

    /// Race time at present in seconds; 0 before the start.
    pub(super) fn race_s(&self) -> f64 {
        let started_at = self.track.started_at.map(|at| self.track.true_time(at));
        started_at.map_or(0.0, |at| self.now.duration_since(at).as_secs_f64().max(0.0))
    }

    pub(super) fn alert(
        &self,
        kind: AlertKind,
        severity: Severity,
        key: String,
        phrase: &AlertPhrase,
    ) -> Alert {
        Alert {
            kind,
            severity,
            key,
            text: phrase.told(Voice::default()),
            translations: translations(phrase),
            at: self.now,
            happened_at: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::alerts::phrase::PhraseValue;

    #[test]
    fn every_reader_gets_the_same_words_after_a_restart() {
        let phrase = AlertPhrase::new(|words| words.leg_began)
            .with("sport", PhraseValue::Sport(None))
            .with("time", PhraseValue::Way(5000.0));
        let alert = Alert {
            kind: AlertKind::LegChange,
            severity: Severity::Info,
            key: "leg".to_owned(),
            text: phrase.told(Voice::default()),
            translations: translations(&phrase),
            at: Timestamp::UNIX_EPOCH,
            happened_at: None,
        };
        let stored = serde_json::to_value(&alert).unwrap();
        let loaded: Alert = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(loaded, alert);
        for language in Voice::languages() {
            for units in [Units::Metric, Units::Imperial] {
                let voice = Voice::new(Some(language), units);
                assert_eq!(loaded.told(voice), phrase.told(voice));
            }
        }
        // The version before stored the English text alone.
        let mut older = stored;
        older.as_object_mut().unwrap().remove("translations");
        let older: Alert = serde_json::from_value(older).unwrap();
        assert_eq!(older.told(Voice::new(Some("de"), Units::Imperial)), alert.text);
    }

    #[test]
    fn a_text_without_a_unit_is_stored_once_per_language() {
        let languages: Vec<String> = translations(&AlertPhrase::new(|words| words.often_harmless))
            .into_iter()
            .map(|translation| translation.language)
            .collect();
        assert_eq!(languages, ["de", "fr", "es", "it"]);
    }
}
