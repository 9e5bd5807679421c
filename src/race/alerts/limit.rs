//! Heart rate, power and cadence against their limits.
//!
//! The rules evaluate a window of five minutes within one leg, provided that it has enough data. So neither a spike
//! of the heart-rate strap nor a hill of one minute raises an alert. A limit is reported again only if the value gets
//! clearly worse, or breaks the limit again after a pause.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::alert::{Alert, AlertKind, Severity, Situation};
use super::phrase::AlertPhrase;
use super::phrase::PhraseValue::{Part, Sport, Way, Whole};
use super::words::AlertWords;
use crate::race::figures::{WindowFigures, WindowSpread};
use crate::race::thresholds::{LegLimits, limits};

const WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// Seconds of the window that must be covered by points.
const COVERED_S: f64 = 4.0 * 60.0;

/// Share of the points that must have the metric.
const WITH_METRIC: f64 = 0.6;

/// Heart rate needs this long to settle after the start and is not judged before. Lower limits of any kind are not
/// judged for this long on every new leg.
const WARM_UP: SignedDuration = SignedDuration::from_mins(10);

/// Lower limits are not judged if the athlete stood for more than this share of the window.
const MOST_STANDING: f64 = 0.2;

/// Minimum time between two alerts about the same limit.
const COOL_DOWN: SignedDuration = SignedDuration::from_mins(10);

/// How far a value must return within the limit before the breach is over, as a share of the limit.
const HYSTERESIS: f64 = 0.02;

/// How much worse than the reported value a value must get to be reported again, as a share of the limit.
const WORSE: f64 = 0.04;

/// Limits reported on the current leg.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct LimitState {
    /// Index of the leg, from 0.
    leg: usize,
    broken: BTreeMap<AlertKind, LimitBreach>,
}

/// A limit that was broken at least once on this leg.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct LimitBreach {
    now: bool,
    told_at: Timestamp,
    /// The value that was reported.
    value: f64,
}

/// One limit, and the measured value to compare with it.
struct LimitRule {
    kind: AlertKind,
    /// The measured quantity in words.
    what: fn(&AlertWords) -> &'static str,
    unit: fn(&AlertWords) -> &'static str,
    limit: Option<u32>,
    is_ceiling: bool,
    value: Option<f64>,
}

pub(super) fn judge(told: &mut LimitState, situation: &Situation<'_>, alerts: &mut Vec<Alert>) {
    let track = situation.track;
    let (Some(last), Some(leg)) = (track.last, track.leg()) else {
        return;
    };
    if told.leg != last.leg {
        *told = LimitState {
            leg: last.leg,
            ..LimitState::default()
        };
    }
    let from = last.at.checked_sub(WINDOW).unwrap_or(last.at);
    let warm_at = track.started_at.map_or(from, |start| start + WARM_UP);
    let figures = |from: Timestamp| {
        let steps = track
            .recent
            .iter()
            .filter(|step| step.leg == last.leg && step.at >= from);
        WindowFigures::of(leg.kind, steps).filter(|figures| figures.covered_s >= COVERED_S)
    };
    let (Some(all), warm) = (figures(from), figures(from.max(warm_at))) else {
        return;
    };
    let can_be_under =
        leg.elapsed_s() >= WARM_UP.as_secs_f64() && all.standing_s <= MOST_STANDING * all.covered_s;
    let limits = limits(&situation.settings.thresholds, situation.settings.kind, leg.kind);
    for rule in rules(&limits, &all, warm.as_ref()) {
        if rule.is_ceiling || can_be_under {
            hold(told, situation, &rule, alerts);
        }
    }
}

fn rules(limits: &LegLimits, all: &WindowFigures, warm: Option<&WindowFigures>) -> [LimitRule; 5] {
    let enough = |figures: &WindowFigures, spread: Option<WindowSpread>| {
        spread.filter(|spread| spread.count as f64 >= WITH_METRIC * figures.points as f64)
    };
    let bpm = warm
        .and_then(|warm| enough(warm, warm.heart_rate))
        .map(|spread| spread.median);
    // Power varies from second to second; the effort on the legs depends on its mean.
    let watts = enough(all, all.power).map(|spread| spread.mean);
    let rpm = enough(all, all.cadence).map(|spread| spread.median);
    let heart = |kind, limit, is_ceiling| LimitRule {
        kind,
        what: |words| words.heart_rate,
        unit: |words| words.bpm,
        limit,
        is_ceiling,
        value: bpm,
    };
    let power = |kind, limit, is_ceiling| LimitRule {
        kind,
        what: |words| words.power,
        unit: |_| "W",
        limit,
        is_ceiling,
        value: watts,
    };
    [
        heart(AlertKind::HrOver, limits.hr_max, true),
        heart(AlertKind::HrUnder, limits.hr_min, false),
        power(AlertKind::PowerOver, limits.power_max, true),
        power(AlertKind::PowerUnder, limits.power_min, false),
        LimitRule {
            kind: AlertKind::CadenceUnder,
            what: |words| words.cadence,
            unit: |words| words.per_minute,
            limit: limits.cadence_min,
            is_ceiling: false,
            value: rpm,
        },
    ]
}

fn hold(told: &mut LimitState, situation: &Situation<'_>, rule: &LimitRule, alerts: &mut Vec<Alert>) {
    let (Some(limit), Some(value)) = (rule.limit.map(f64::from), rule.value) else {
        return;
    };
    // The rounded value is what people read: 252 W is not over a limit of 252.
    let value = value.round();
    let sign = if rule.is_ceiling { 1.0 } else { -1.0 };
    // Positive if the limit is broken.
    let excess = (value - limit) * sign;
    let before = told.broken.get(&rule.kind).copied();
    let was = before.is_some_and(|before| before.now);
    let is = excess > if was { -HYSTERESIS * limit } else { 0.0 };
    if let Some(broken) = told.broken.get_mut(&rule.kind) {
        broken.now = is;
    }
    let cooled = before.is_none_or(|before| situation.now.duration_since(before.told_at) >= COOL_DOWN);
    let worse = before.is_none_or(|before| (value - before.value) * sign >= WORSE * limit);
    if excess <= 0.0 || !cooled || (was && !worse) {
        return;
    }
    told.broken.insert(
        rule.kind,
        LimitBreach {
            now: true,
            told_at: situation.now,
            value,
        },
    );
    let sport = situation.track.leg().and_then(|leg| leg.kind);
    let on = sport.map(|kind| AlertPhrase::new(|words| words.on_the).with("sport", Sport(Some(kind))));
    let phrase = if rule.is_ceiling {
        AlertPhrase::new(|words| words.over_limit)
    } else {
        AlertPhrase::new(|words| words.under_limit)
    };
    let phrase = phrase
        .with("what", Part(AlertPhrase::new(rule.what)))
        .with("value", Whole(value))
        .with("unit", Part(AlertPhrase::new(rule.unit)))
        .with("limit", Whole(limit))
        .with("on", on)
        .with("way", Way(situation.track.progress_m()));
    let key = format!("{}:{}:{}", rule.kind.name(), told.leg, situation.now.as_second());
    alerts.push(situation.alert(rule.kind, Severity::Notice, key, &phrase));
}
