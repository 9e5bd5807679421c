//! Alerts that a person asked for about a place: the athlete is not there by a time, arrives, or leaves.
//!
//! A time that passes raises an alert even if there is no signal, Garmin is down, or the activity has ended. The text
//! says which of these is the case.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::alert::{Alert, AlertKind, Severity, Situation};
use super::phrase::AlertPhrase;
use super::phrase::PhraseValue::{self, Mark, Minutes, Name, Part};
use crate::garmin::livetrack::Position;
use crate::race::ending::EndReason;
use crate::race::geo::{distance_m, plane_m};
use crate::race::place_rule::{PlaceEvent, PlaceRule, RulePlace};
use crate::race::schedule::RacePhase;
use crate::race::track::TrackStep;

/// The athlete has left a place when farther from it than its radius plus this; metres. Positions jitter at the border.
const BEYOND_M: f64 = 40.0;

/// A time is judged this long after it passed, unless newer data has come: points arrive up to a minute late.
const GRACE: SignedDuration = SignedDuration::from_mins(3);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct PlaceAlertState {
    /// Keys of the rules with a time that are done: the alert was raised, or the athlete was there in time.
    settled: BTreeSet<String>,
    /// Whether the event of a rule has happened: for an arrival, whether the athlete is there; for a departure, whether
    /// the athlete is away.
    happened: BTreeMap<String, bool>,
    /// Device time of the last step that was judged.
    judged_to: Option<Timestamp>,
}

impl PlaceAlertState {
    /// When the next rule with a time is judged, even if LiveTrack sends nothing before then.
    pub(super) fn next_due(&self, rules: &[PlaceRule]) -> Option<Timestamp> {
        let open = rules.iter().filter(|rule| !self.settled.contains(&rule.key()));
        open.filter_map(PlaceRule::due_at).min()?.checked_add(GRACE).ok()
    }
}

pub(super) fn judge(told: &mut PlaceAlertState, situation: &Situation<'_>, alerts: &mut Vec<Alert>) {
    let rules = &situation.settings.place_rules;
    let (keys, track) = (
        rules.iter().map(PlaceRule::key).collect::<BTreeSet<_>>(),
        situation.track,
    );
    told.settled.retain(|key| keys.contains(key));
    told.happened.retain(|key, _| keys.contains(key));
    // Include the last judged step, because the first new one continues from it.
    let first_new = track
        .recent
        .partition_point(|step| Some(step.at) <= told.judged_to);
    let steps: Vec<&TrackStep> = track.recent.range(first_new.saturating_sub(1)..).collect();
    for rule in rules {
        let before = told.happened.get(&rule.key()).copied();
        let visit = PlaceVisit::of(rule, situation, &steps, before);
        if let PlaceEvent::NotThereBy(by) = rule.event {
            if told.settled.contains(&rule.key()) {
                continue;
            }
            let seen_after = track.last.is_some_and(|last| track.true_time(last.at) >= by);
            let has_passed = situation.now >= by && (seen_after || situation.now.duration_since(by) >= GRACE);
            if visit.was_there || has_passed {
                told.settled.insert(rule.key());
            }
            if has_passed && !visit.was_there {
                alerts.push(overdue(rule, by, situation));
            }
            continue;
        }
        // A rule reports only what happens after it was added, so the first point only records where the athlete is.
        let Some(last) = track.last else { continue };
        let (kind, phrase) = match rule.event {
            PlaceEvent::Leaves => (AlertKind::PlaceLeft, AlertPhrase::new(|words| words.left)),
            PlaceEvent::Enters | PlaceEvent::NotThereBy(_) => {
                let phrase = AlertPhrase::new(|words| words.reached);
                (AlertKind::PlaceEntered, phrase)
            }
        };
        told.happened.insert(rule.key(), visit.happened);
        let is_news = before.is_some_and(|before| (visit.happened && !before) || visit.passed_through);
        if is_news {
            let at = clock(situation, track.true_time(visit.changed_at.unwrap_or(last.at)));
            let phrase = phrase.with("place", Name(rule.name.clone())).with("clock", at);
            let key = format!("{}:{}", rule.key(), last.at.as_second());
            alerts.push(situation.alert(kind, Severity::Notice, key, &phrase));
        }
    }
    told.judged_to = track.last.map(|last| last.at).max(told.judged_to);
}

/// What the newest steps show about a place.
#[derive(Default)]
struct PlaceVisit {
    /// Whether the athlete was there at any of the steps, or passed between two of them.
    was_there: bool,
    /// Whether the event of the rule has happened as of now. A mark that was reached stays reached.
    happened: bool,
    /// Whether the athlete came and left within these steps.
    passed_through: bool,
    /// Device time of the last arrival or departure.
    changed_at: Option<Timestamp>,
}

impl PlaceVisit {
    /// `happened` is the state of the event before these steps.
    fn of(rule: &PlaceRule, situation: &Situation<'_>, steps: &[&TrackStep], happened: Option<bool>) -> Self {
        match rule.place {
            RulePlace::Finish => {
                let ended = has_ended(situation);
                Self {
                    was_there: ended,
                    happened: ended && rule.event != PlaceEvent::Leaves,
                    ..Self::default()
                }
            }
            RulePlace::Mark { at_m } => {
                let at_m = checkpoint_m(rule, situation).unwrap_or(at_m);
                let (reached, left) = (
                    situation.track.crossing(at_m),
                    situation.track.crossing(at_m + BEYOND_M),
                );
                let event = if rule.event == PlaceEvent::Leaves {
                    left
                } else {
                    reached
                };
                Self {
                    was_there: reached.is_some(),
                    happened: event.is_some(),
                    passed_through: false,
                    changed_at: event.map(|crossing| crossing.at),
                }
            }
            RulePlace::Circle { lat, lon, radius_m } => {
                let leaves = rule.event == PlaceEvent::Leaves;
                let was_inside = happened.is_some_and(|happened| happened != leaves);
                let center = Position { lat, lon };
                Self::of_circle(center, f64::from(radius_m), steps, was_inside, leaves)
            }
        }
    }

    fn of_circle(
        center: Position,
        radius_m: f64,
        steps: &[&TrackStep],
        was_inside: bool,
        leaves: bool,
    ) -> Self {
        let mut visit = Self {
            was_there: was_inside,
            ..Self::default()
        };
        let (mut is_inside, mut came, mut last) = (was_inside, false, None::<Position>);
        for step in steps {
            let Some(here) = step.position else { continue };
            let nearest_m =
                last.map_or_else(|| distance_m(center, here), |last| passing_m(center, last, here));
            if !is_inside && nearest_m <= radius_m {
                (is_inside, came) = (true, true);
                (visit.was_there, visit.changed_at) = (true, Some(step.at));
            }
            if is_inside && distance_m(center, here) > radius_m + BEYOND_M {
                is_inside = false;
                visit.passed_through |= came;
                visit.changed_at = Some(step.at);
            }
            last = Some(here);
        }
        visit.happened = is_inside != leaves;
        visit
    }
}

/// The smallest distance between a place and the straight line from `a` to `b`, in metres.
fn passing_m(place: Position, a: Position, b: Position) -> f64 {
    let ((ax, ay), (bx, by)) = (plane_m(place, a), plane_m(place, b));
    let (dx, dy) = (bx - ax, by - ay);
    let length = dx * dx + dy * dy;
    let share = if length > 0.0 {
        (-(ax * dx + ay * dy) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (ax + share * dx).hypot(ay + share * dy)
}

/// Distance of the checkpoint that has the rule's name, in metres from the start. The plan may have moved it since.
fn checkpoint_m(rule: &PlaceRule, situation: &Situation<'_>) -> Option<f64> {
    let mut checkpoints = situation.settings.checkpoints.iter();
    let named = checkpoints.find(|checkpoint| checkpoint.name.eq_ignore_ascii_case(&rule.name));
    named.map(|checkpoint| checkpoint.km * 1000.0)
}

/// Whether the activity ended, at the finish or before it. An early end raises an alert of its own.
fn has_ended(situation: &Situation<'_>) -> bool {
    let ended = matches!(
        situation.watch.phase,
        RacePhase::Closing { reason, .. } | RacePhase::Over { reason, .. }
            if reason.is_finish() || reason == EndReason::EndedEarly
    );
    ended || situation.watch.finished_at.is_some()
}

fn overdue(rule: &PlaceRule, by: Timestamp, situation: &Situation<'_>) -> Alert {
    let phrase = match rule.place {
        RulePlace::Finish => AlertPhrase::new(|words| words.not_finished_by),
        RulePlace::Mark { .. } | RulePlace::Circle { .. } => {
            AlertPhrase::new(|words| words.not_there_by).with("place", Name(rule.name.clone()))
        }
    };
    let phrase = phrase
        .with("clock", clock(situation, by))
        .with("known", Part(whereabouts(rule, situation)));
    situation.alert(AlertKind::Overdue, Severity::Warning, rule.key(), &phrase)
}

/// What is known about the athlete instead: that the activity ended, or where and when the athlete was last seen.
fn whereabouts(rule: &PlaceRule, situation: &Situation<'_>) -> AlertPhrase {
    let (track, watch) = (situation.track, situation.watch);
    let Some(last) = track.last.filter(|_| track.started_at.is_some()) else {
        return AlertPhrase::new(|words| words.nothing_seen_yet);
    };
    let seen = AlertPhrase::new(|words| words.seen_there)
        .with("mark", Mark(track.progress_m()))
        .with("clock", clock(situation, track.true_time(last.at)));
    let seen = |phrase: AlertPhrase| phrase.with("seen", Part(seen.clone()));
    match watch.phase {
        RacePhase::Over {
            reason: EndReason::LinkGone | EndReason::LinkExpired,
            ..
        } => {
            return seen(AlertPhrase::new(|words| words.link_gone_seen));
        }
        RacePhase::Over {
            reason: EndReason::Stale,
            ..
        } => {
            return seen(AlertPhrase::new(|words| words.long_silent_seen));
        }
        RacePhase::Over { .. } | RacePhase::Closing { .. } => {
            return seen(AlertPhrase::new(|words| words.ended_there));
        }
        RacePhase::Live | RacePhase::Waiting => {}
    }
    if watch.is_unreachable(situation.now) {
        return seen(AlertPhrase::new(|words| words.unreachable_seen));
    }
    let silence = watch
        .silence(track)
        .filter(|silence| *silence > watch.quiet_after());
    let known = match silence {
        Some(silence) => {
            seen(AlertPhrase::new(|words| words.no_signal_seen)).with("long", Minutes(silence.as_secs_f64()))
        }
        None => seen(AlertPhrase::new(|words| words.last_seen)),
    };
    let outlook = situation.outlook();
    let at_m = match rule.place {
        RulePlace::Finish => situation.goal().whole_m(),
        RulePlace::Mark { at_m } => checkpoint_m(rule, situation).or(Some(at_m)),
        RulePlace::Circle { .. } => None,
    };
    let arrival = outlook
        .as_ref()
        .zip(at_m)
        .and_then(|(outlook, at_m)| Some((outlook, outlook.at(at_m)?)));
    match arrival {
        Some((outlook, arrival)) => {
            let [early, likely, late] = outlook.times(&arrival).map(|at| clock(situation, at));
            let phrase = if early == late {
                AlertPhrase::new(|words| words.likely_at)
            } else {
                AlertPhrase::new(|words| words.likely_between)
                    .with("early", early)
                    .with("late", late)
            };
            phrase.with("known", Part(known)).with("likely", likely)
        }
        None => known,
    }
}

/// The time of day where the race is.
fn clock(situation: &Situation<'_>, at: Timestamp) -> PhraseValue {
    let at = at.to_zoned(situation.settings.zone());
    Name(at.strftime("%H:%M").to_string())
}
