//! Decides what to say in the morning, from what the history holds and what was said before: a message, or silence.
//! Pure.
//!
//! | part | when |
//! |---|---|
//! | a run | a metric has left the usual band for five days or more, and the run still lasts |
//! | strain | two or more metrics are far outside in the last three days, one of them on two days or more |
//! | the week | Mondays, if the person wants it |
//! | the night | each morning, if the person wants it |
//!
//! One day far outside is no reason to speak: a late evening has that effect, and the person knows about it. A part
//! about the same metric on the same side is not repeated within [`SILENT_DAYS`]. All parts of a morning go into one
//! message.

use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

use super::choice::{CoachWishes, MorningWish};
use super::figure::{CoachFigure, CoachMetric};
use super::reading::UnusualStretch;

/// A stretch of at least this many days is a run. `find_unusual` joins days only if together they are far enough
/// outside.
const RUN_DAYS: u32 = 5;
/// How old the newest day of a run may be, in days. Weight is not measured each day, and stress is known a day later.
const LASTS_DAYS: i32 = 2;
/// The days in which several metrics count as one event.
const STRAIN_DAYS: i32 = 3;
const STRAIN_METRICS: usize = 2;
/// Days without another message about the same metric on the same side.
const SILENT_DAYS: i32 = 21;

/// What is known on a morning.
#[derive(Clone, Debug, Default)]
pub struct MorningFacts {
    pub stretches: Vec<UnusualStretch>,
    /// The figures of the night, for the daily message.
    pub night: Vec<CoachFigure>,
    /// The figures of the seven days before today, for the review.
    pub week: Vec<CoachFigure>,
}

/// A reason to speak, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdvicePart {
    Run {
        metric: String,
        is_above: bool,
    },
    Strain {
        /// Each metric, and whether it is above the usual band.
        metrics: Vec<(String, bool)>,
    },
    Week,
    Night,
}

/// A message, whether already sent or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SaidAdvice {
    pub day: Date,
    /// Each part with the figures on which it rests.
    pub parts: Vec<(AdvicePart, Vec<CoachFigure>)>,
}

impl SaidAdvice {
    pub fn figures(&self) -> impl Iterator<Item = &CoachFigure> {
        self.parts.iter().flat_map(|(_, figures)| figures)
    }
}

/// What a look found: the message, and the values of single days that a sentence may name.
#[derive(Clone, Debug)]
pub struct LookFindings {
    pub advice: SaidAdvice,
    pub days: Vec<CoachFigure>,
}

/// The message for the morning of `today`; `None` for silence. `said`: what was said before.
pub fn decide(
    wishes: &CoachWishes,
    said: &[SaidAdvice],
    facts: MorningFacts,
    today: Date,
) -> Option<SaidAdvice> {
    let mut parts = Vec::new();
    let is_new = |metric: &str, is_above: bool| !was_said(said, metric, is_above, today);
    let concerning: Vec<UnusualStretch> = facts
        .stretches
        .into_iter()
        .filter(|stretch| concerns(stretch) && (today - stretch.figure.to).get_days() <= LASTS_DAYS)
        .collect();
    let runs = concerning
        .iter()
        .filter(|stretch| stretch.figure.days >= RUN_DAYS && is_far(&stretch.figure));
    for run in runs {
        if is_new(&run.figure.metric, run.is_above) {
            let part = AdvicePart::Run {
                metric: run.figure.metric.clone(),
                is_above: run.is_above,
            };
            parts.push((part, vec![run.figure.clone()]));
        }
    }
    if parts.is_empty() {
        parts.extend(
            strain(&concerning, today)
                .filter(|(metrics, _)| metrics.iter().any(|(metric, is_above)| is_new(metric, *is_above)))
                .map(|(metrics, figures)| (AdvicePart::Strain { metrics }, figures)),
        );
    }
    if wishes.weekly && may_review(today) && !facts.week.is_empty() && !had_review(said, today) {
        parts.push((AdvicePart::Week, facts.week));
    }
    if wishes.morning == MorningWish::Daily && !facts.night.is_empty() {
        parts.push((AdvicePart::Night, facts.night));
    }
    (!parts.is_empty()).then_some(SaidAdvice { day: today, parts })
}

fn concerns(stretch: &UnusualStretch) -> bool {
    CoachMetric::named(&stretch.figure.metric).is_some_and(|metric| {
        if stretch.is_above {
            metric.tells.above
        } else {
            metric.tells.below
        }
    })
}

/// Whether a run is far enough from what is usual to be worth a message.
fn is_far(run: &CoachFigure) -> bool {
    let (Some(metric), Some((low, high))) = (run.metric(), run.usual) else {
        return false;
    };
    let (middle, half) = (f64::midpoint(low, high), (high - low) / 2.0);
    let distance = (run.value - middle).abs();
    distance >= metric.far * half / f64::from(run.days).sqrt() && distance >= metric.far_share * middle
}

/// A metric, and whether it was above what is usual.
type SidedMetric = (String, bool);

/// Several metrics that are far outside, one of them on several of the last days.
fn strain(concerning: &[UnusualStretch], today: Date) -> Option<(Vec<SidedMetric>, Vec<CoachFigure>)> {
    let lately: Vec<&UnusualStretch> = concerning
        .iter()
        .filter(|stretch| {
            (today - stretch.figure.to).get_days() < STRAIN_DAYS && stretch.figure.metric != "weight"
        })
        .collect();
    let mut metrics: Vec<SidedMetric> = lately
        .iter()
        .map(|stretch| (stretch.figure.metric.clone(), stretch.is_above))
        .collect();
    metrics.sort();
    metrics.dedup();
    let days_of = |metric: &str| -> u32 {
        let own = lately.iter().filter(|stretch| stretch.figure.metric == metric);
        own.map(|stretch| stretch.figure.days).sum()
    };
    let lasts = metrics.iter().any(|(metric, _)| days_of(metric) >= 2);
    let figures = lately.iter().map(|stretch| stretch.figure.clone()).collect();
    (metrics.len() >= STRAIN_METRICS && lasts).then_some((metrics, figures))
}

fn was_said(said: &[SaidAdvice], metric: &str, is_above: bool, today: Date) -> bool {
    let lately = said
        .iter()
        .filter(|before| (today - before.day).get_days() < SILENT_DAYS);
    lately
        .flat_map(|before| &before.parts)
        .any(|(part, _)| match part {
            AdvicePart::Run {
                metric: known,
                is_above: side,
            } => known == metric && *side == is_above,
            AdvicePart::Strain { metrics } => metrics
                .iter()
                .any(|(known, side)| known == metric && *side == is_above),
            AdvicePart::Week | AdvicePart::Night => false,
        })
}

/// Whether a review of the week may come on this day.
pub fn may_review(today: Date) -> bool {
    matches!(today.weekday(), Weekday::Monday | Weekday::Tuesday)
}

/// Whether this week's review was already sent. It comes on Tuesday if the gateway did not run on Monday.
fn had_review(said: &[SaidAdvice], today: Date) -> bool {
    said.iter().any(|before| {
        (today - before.day).get_days() <= 1 && before.parts.iter().any(|(part, _)| *part == AdvicePart::Week)
    })
}

#[cfg(test)]
mod lives;
#[cfg(test)]
mod tests;
