//! The events of a race: for the crew the messages as they were sent, for a family general sentences without body data.

use jiff::{SignedDuration, Timestamp};

use super::moments::Moments;
use super::report::is_over;
use super::source::PageSource;
use super::words::EventWords;
use crate::race::alerts::{Alert, AlertKind, Voice};
use crate::race::recipients::Units;
use crate::race::share::ShareTerms;

/// How many events the page shows while the race goes on, and in its report.
pub(super) const SHOWN: usize = 10;
const REPORTED: usize = 60;

/// A start longer ago is told as a race under way.
const JOINED_LATE: SignedDuration = SignedDuration::from_mins(5);

/// Shorter parts of a name may also be ordinary words.
const SHORTEST_NAME: usize = 3;

/// One event, with its time of day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    pub when: Timestamp,
    /// The time of day, as the page shows it.
    pub at: String,
    pub text: String,
}

/// The newest events, the newest first. In a report, splits have a table of their own.
pub(super) fn events(source: &PageSource, terms: &ShareTerms, moments: &Moments) -> Vec<EventRow> {
    let in_report = is_over(&source.snapshot);
    let voice = Voice::new(Some(moments.words.code), Units::Metric);
    let alerts = source.snapshot.alerts.iter();
    let alerts = alerts.filter(|alert| !in_report || alert.kind != AlertKind::Split);
    let mut events: Vec<(Timestamp, String)> = if terms.is_crew() {
        let sent = source.sent.iter().cloned();
        alerts
            .map(|alert| (of_message(alert), alert.told(voice).to_owned()))
            .chain(sent)
            .filter(|(_, text)| terms.name.is_some() || !names_athlete(source, text))
            .collect()
    } else {
        let event = |alert: &Alert| {
            Some((
                alert.of_event(),
                told(alert.kind, &moments.words.events)?.to_owned(),
            ))
        };
        alerts.filter_map(event).collect()
    };
    events.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    events
        .into_iter()
        .take(if in_report { REPORTED } else { SHOWN })
        .map(|(at, text)| EventRow {
            when: at,
            at: moments.at(at),
            text,
        })
        .collect()
}

/// The time of an event whose message the crew reads. If the gateway joined the race late, the first message says how far
/// the athlete was when it was sent.
fn of_message(alert: &Alert) -> Timestamp {
    let event_at = alert.of_event();
    let is_late = alert.at.duration_since(event_at) >= JOINED_LATE;
    if alert.kind == AlertKind::Started && is_late {
        alert.at
    } else {
        event_at
    }
}

/// The sentence for a family; `None` for alerts about the body, the pace, splits, and places that somebody asked about,
/// which may be homes.
fn told(kind: AlertKind, words: &'static EventWords) -> Option<&'static str> {
    Some(match kind {
        AlertKind::Started => words.started,
        AlertKind::NoSignal => words.no_signal,
        AlertKind::SignalBack => words.signal_back,
        AlertKind::Stopped => words.stopped,
        AlertKind::Paused => words.paused,
        AlertKind::OffCourse => words.off_course,
        AlertKind::CutoffRisk => words.cutoff_risk,
        AlertKind::CutoffMissed => words.cutoff_missed,
        AlertKind::Checkpoint => words.checkpoint,
        AlertKind::LegChange => words.leg_change,
        AlertKind::Finished => words.finished,
        AlertKind::Ended => words.ended,
        AlertKind::ProbablyFinished => words.probably_finished,
        AlertKind::LinkGone => words.link_gone,
        AlertKind::HrOver
        | AlertKind::HrUnder
        | AlertKind::PowerOver
        | AlertKind::PowerUnder
        | AlertKind::CadenceUnder
        | AlertKind::OffPace
        | AlertKind::Split
        | AlertKind::GarminChanged
        | AlertKind::Overdue
        | AlertKind::PlaceEntered
        | AlertKind::PlaceLeft => return None,
    })
}

/// Whether a text contains a part of the athlete's name at Garmin.
fn names_athlete(source: &PageSource, text: &str) -> bool {
    let session = source.snapshot.watch.session.as_ref();
    let Some(athlete) = session.and_then(|session| session.athlete.as_deref()) else {
        return false;
    };
    let text = text.to_lowercase();
    let mut parts = athlete.split(|c: char| !c.is_alphanumeric());
    parts.any(|part| part.chars().count() >= SHORTEST_NAME && text.contains(&part.to_lowercase()))
}
