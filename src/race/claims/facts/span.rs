//! The values of one part of a race.

use crate::race::claims::terms::{ClaimMetric, ClaimStat};
use crate::race::figures::WindowSpread;
use crate::race::sport::LegKind;
use crate::race::track::{Leg, Split, WeightedMean};

/// The mean and the extremes of one metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) mean: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// One part of the race.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct RaceSpan {
    pub(crate) distance_m: f64,
    pub(crate) elapsed_s: f64,
    /// Seconds without the known stops.
    pub(crate) moving_s: f64,
    pub(crate) ascent_m: Option<f64>,
    pub(super) heart_rate: Option<Spread>,
    pub(super) power: Option<Spread>,
    pub(super) cadence: Option<Spread>,
}

impl RaceSpan {
    /// The values of a metric in this part that a claim may name.
    pub(crate) fn values(&self, metric: ClaimMetric, stat: Option<ClaimStat>) -> Vec<f64> {
        let spread = match metric {
            ClaimMetric::HeartRate => self.heart_rate,
            ClaimMetric::Power => self.power,
            ClaimMetric::Cadence => self.cadence,
            ClaimMetric::Pace if stat == Some(ClaimStat::Max) => return Vec::new(),
            ClaimMetric::Pace => return self.speeds(),
            _ => None,
        };
        let Some(spread) = spread else { return Vec::new() };
        match stat {
            Some(ClaimStat::Max) => vec![spread.high],
            Some(ClaimStat::Min) => vec![spread.low],
            Some(ClaimStat::Mean) | None => vec![spread.mean],
        }
    }

    /// The same part without its stops.
    pub(crate) fn moving(self) -> Self {
        Self {
            elapsed_s: self.moving_s,
            ..self
        }
    }

    /// With so many seconds of a stop that splits do not know of.
    pub(crate) fn without(self, stopped_s: f64) -> Self {
        Self {
            moving_s: self.moving_s - stopped_s,
            ..self
        }
    }

    pub(super) fn speeds(&self) -> Vec<f64> {
        let seconds = [self.elapsed_s, self.moving_s];
        let seconds = seconds.into_iter().filter(|s| *s > 0.0);
        seconds
            .map(|s| self.distance_m / s)
            .filter(|mps| *mps > 0.2)
            .collect()
    }

    pub(crate) fn spread(&self, metric: ClaimMetric) -> Option<Spread> {
        match metric {
            ClaimMetric::HeartRate => self.heart_rate,
            ClaimMetric::Power => self.power,
            ClaimMetric::Cadence => self.cadence,
            _ => None,
        }
    }
}

impl From<WindowSpread> for Spread {
    fn from(spread: WindowSpread) -> Self {
        Self {
            mean: spread.mean,
            low: spread.low,
            high: spread.high,
        }
    }
}

fn spread(mean: &WeightedMean, unit: impl Fn(f64) -> f64) -> Option<Spread> {
    Some(Spread {
        mean: unit(mean.mean()?),
        low: unit(mean.lowest()?),
        high: unit(mean.highest()?),
    })
}

/// Converts strides of one leg to steps.
fn steps(kind: Option<LegKind>, sent: f64) -> f64 {
    if kind == Some(LegKind::Run) && sent < 130.0 {
        sent * 2.0
    } else {
        sent
    }
}

pub(crate) fn leg_span(leg: &Leg) -> RaceSpan {
    RaceSpan {
        distance_m: leg.distance_m(),
        elapsed_s: leg.elapsed_s(),
        moving_s: leg.sums.moving_s,
        ascent_m: Some(leg.ascent_m),
        heart_rate: spread(&leg.sums.heart_rate, |bpm| bpm),
        power: spread(&leg.sums.power, |watts| watts),
        cadence: spread(&leg.sums.cadence, |sent| steps(leg.kind, sent)),
    }
}

pub(crate) fn race_span(legs: &[Leg], distance_m: f64, elapsed_s: f64, ascent_m: f64) -> RaceSpan {
    let spans: Vec<RaceSpan> = legs.iter().map(leg_span).collect();
    let all = |pick: fn(&RaceSpan) -> Option<Spread>| {
        let known: Vec<(Spread, f64)> = spans
            .iter()
            .filter_map(|span| Some((pick(span)?, span.elapsed_s)))
            .collect();
        together(&known)
    };
    RaceSpan {
        distance_m,
        elapsed_s,
        moving_s: spans.iter().map(|span| span.moving_s).sum(),
        ascent_m: Some(ascent_m),
        heart_rate: all(|span| span.heart_rate),
        power: all(|span| span.power),
        cadence: all(|span| span.cadence),
    }
}

/// Combines several spreads, each weighted by its seconds.
fn together(known: &[(Spread, f64)]) -> Option<Spread> {
    let seconds: f64 = known.iter().map(|(_, seconds)| seconds).sum();
    let (first, _) = known.first()?;
    let spread = known
        .iter()
        .fold(Spread { mean: 0.0, ..*first }, |all, (one, weight)| Spread {
            mean: all.mean + one.mean * weight / seconds.max(1.0),
            low: all.low.min(one.low),
            high: all.high.max(one.high),
        });
    Some(spread)
}

pub(crate) fn joined<'a>(splits: impl IntoIterator<Item = &'a Split>) -> RaceSpan {
    let splits: Vec<&Split> = splits.into_iter().collect();
    let all = |pick: fn(&Split) -> (Option<f64>, Option<f64>)| {
        let known = splits.iter().filter_map(|split| {
            let (mean, high) = pick(split);
            let mean = mean?;
            let spread = Spread {
                mean,
                low: mean,
                high: high.unwrap_or(mean),
            };
            Some((spread, split.duration_s))
        });
        together(&known.collect::<Vec<_>>())
    };
    let elapsed_s = splits.iter().map(|split| split.duration_s).sum();
    RaceSpan {
        distance_m: splits.iter().map(|split| split.to_m - split.from_m).sum(),
        elapsed_s,
        moving_s: elapsed_s,
        ascent_m: None,
        heart_rate: all(|split| (split.heart_rate_bpm, split.highest_bpm)),
        power: all(|split| (split.power_w, split.highest_w)),
        cadence: None,
    }
}
