//! The parts of a race: windows, splits, stretches, and when places were or will be reached.

use jiff::{SignedDuration, Timestamp};

use super::RaceFacts;
use super::span::{RaceSpan, joined};
use crate::race::claims::terms::{ClaimMetric, ClaimStat, Length, Sense};
use crate::race::figures::WindowFigures;
use crate::race::sport::{LegKind, cadence};
use crate::race::track::{Split, TrackStep, split_length_m};

impl RaceFacts {
    fn window(&self, from: Timestamp, to: Timestamp) -> Option<RaceSpan> {
        let steps = self.recent.iter().filter(|step| step.at >= from && step.at <= to);
        let steps: Vec<&TrackStep> = steps.collect();
        let figures = WindowFigures::of(self.kind_now, steps.iter().copied())?;
        let elapsed_s = figures.to.duration_since(figures.from).as_secs_f64();
        (figures.points > 1).then(|| RaceSpan {
            distance_m: figures.distance_m,
            elapsed_s,
            moving_s: elapsed_s - figures.standing_s,
            ascent_m: None,
            heart_rate: figures.heart_rate.map(Into::into),
            power: figures.power.map(Into::into),
            cadence: figures.cadence.map(Into::into),
        })
    }

    /// The last `seconds` before the newest point; `None` if the kept points do not go back that far.
    pub(crate) fn last_seconds(&self, seconds: f64) -> Option<RaceSpan> {
        let last = self.recent.last()?.at;
        let from = last - SignedDuration::from_secs_f64(seconds);
        let first = self.recent.first()?.at;
        (first <= from + SignedDuration::from_secs(60)).then(|| self.window(from, last))?
    }

    /// A few minutes around the moment `seconds` ago.
    pub(crate) fn around(&self, seconds: f64) -> Option<RaceSpan> {
        let middle = self.recent.last()?.at - SignedDuration::from_secs_f64(seconds);
        let first = self.recent.first()?.at;
        let half = SignedDuration::from_mins(3);
        (first <= middle).then(|| self.window(middle - half, middle + half))?
    }

    /// The windows that describe the present.
    pub(crate) fn now(&self) -> Vec<RaceSpan> {
        let spans = [60.0, 120.0, 300.0, 600.0].into_iter();
        let mut spans: Vec<RaceSpan> = spans.filter_map(|seconds| self.last_seconds(seconds)).collect();
        if spans.is_empty() {
            spans.extend(self.window(Timestamp::MIN, Timestamp::MAX));
        }
        spans
    }

    /// The newest values of a metric, and those that the author may have seen.
    pub(crate) fn newest(&self, metric: ClaimMetric) -> Vec<f64> {
        let Some(last) = self.recent.last() else {
            return Vec::new();
        };
        let from = last.at - SignedDuration::from_secs_f64(self.lag_s);
        let recent = self.recent.iter().filter(|step| step.at >= from);
        recent.filter_map(|step| self.value_of(step, metric)).collect()
    }

    fn value_of(&self, step: &TrackStep, metric: ClaimMetric) -> Option<f64> {
        match metric {
            ClaimMetric::HeartRate => step.heart_rate_bpm.map(f64::from),
            ClaimMetric::Power => step.power_w.map(f64::from),
            ClaimMetric::Cadence => step
                .cadence_rpm
                .map(|sent| f64::from(cadence(self.kind_now, sent))),
            ClaimMetric::Pace => step.speed_mps.filter(|mps| *mps > 0.2),
            _ => None,
        }
    }

    /// Where the last stop of the current leg was, in metres from the start of the leg; `None` while the athlete stands.
    pub(crate) fn last_stop_m(&self) -> Option<f64> {
        let now = self.legs.len().checked_sub(1)?;
        let stop = self.stops.iter().rfind(|stop| stop.leg == now)?;
        let at_m = stop.at_m - self.legs.last()?.from_m;
        self.standing_s.is_none().then_some(at_m)
    }

    pub(crate) fn leg_from_m(&self) -> f64 {
        self.legs.last().map_or(0.0, |leg| leg.from_m)
    }

    /// Metres of a split of the current leg.
    pub(crate) fn split_m(&self) -> f64 {
        split_length_m(self.kind_now).unwrap_or(1000.0)
    }

    /// The highest value between two distances from the start of a leg.
    pub(crate) fn highest(
        &self,
        metric: ClaimMetric,
        leg: Option<LegKind>,
        from_m: f64,
        to_m: f64,
    ) -> Option<f64> {
        let splits = self.splits_of(leg);
        let end_m = splits.last().map_or(0.0, |last| last.to_m);
        let within = splits
            .into_iter()
            .filter(|split| split.from_m < to_m - 1.0 && split.to_m > from_m + 1.0);
        let of_splits = within.flat_map(|split| joined([split]).values(metric, Some(ClaimStat::Max)));
        let start_m = self.legs.last().map_or(0.0, |leg| leg.from_m);
        let is_now = leg.is_none_or(|leg| self.kind_now == Some(leg));
        let since = (start_m + end_m.max(from_m))..(start_m + to_m);
        let steps = self
            .recent
            .iter()
            .filter(|step| is_now && since.contains(&step.distance_m));
        let of_steps = steps.filter_map(|step| self.value_of(step, metric));
        of_splits.chain(of_steps).reduce(f64::max)
    }

    /// The splits of `leg`, or of the current leg.
    pub(crate) fn splits_of(&self, leg: Option<LegKind>) -> Vec<&Split> {
        let index = match leg {
            Some(kind) => self.legs.iter().rposition(|leg| leg.kind == Some(kind)),
            None => self.legs.len().checked_sub(1),
        };
        self.splits
            .iter()
            .filter(|split| Some(split.leg) == index)
            .collect()
    }

    /// The part of a leg between two distances from its start. `None` unless splits begin and end near them.
    pub(crate) fn between(&self, leg: Option<LegKind>, from_m: f64, to_m: f64) -> Option<RaceSpan> {
        let splits = self.splits_of(leg);
        let near = |a: f64, b: f64| (a - b).abs() < 60.0;
        let from = splits.iter().position(|split| near(split.from_m, from_m))?;
        let to = splits.iter().position(|split| near(split.to_m, to_m))?;
        Some(joined(splits.get(from..=to)?.iter().copied()))
    }

    /// The stretch of `metres` that ends now, or with the last split.
    pub(crate) fn last_metres(&self, leg: Option<LegKind>, metres: f64) -> Vec<RaceSpan> {
        let mut spans = Vec::new();
        if let Some(last) = self.splits_of(leg).last() {
            spans.extend(self.between(leg, last.to_m - metres, last.to_m));
        }
        if let (true, Some(last)) = (spans.is_empty(), self.splits_of(leg).last()) {
            // If no split begins exactly there, take one that begins near it.
            let splits = self.splits_of(leg);
            let wanted_m = self.leg_progress_m() - metres;
            let first = splits
                .iter()
                .position(|split| (split.from_m - wanted_m).abs() <= metres * 0.05);
            let part = first.and_then(|first| splits.get(first..));
            spans.extend(
                part.filter(|_| last.to_m > wanted_m)
                    .map(|part| joined(part.iter().copied())),
            );
        }
        let to_m = self.distance_m - self.legs.last().map_or(0.0, |leg| leg.from_m);
        let first = self
            .recent
            .iter()
            .rev()
            .find(|step| step.distance_m <= self.distance_m - metres);
        if let (Some(first), Some(last), true) = (first, self.recent.last(), to_m >= metres) {
            spans.extend(self.window(first.at, last.at));
        }
        spans
    }

    /// The splits from `from_m` to `to_m` of a leg.
    pub(crate) fn splits_between(&self, leg: Option<LegKind>, from_m: f64, to_m: f64) -> Vec<RaceSpan> {
        let within = |split: &&Split| split.from_m >= from_m - 60.0 && split.to_m <= to_m + 60.0;
        let splits = self.splits_of(leg).into_iter().filter(within);
        splits.map(|split| joined([split])).collect()
    }

    /// The splits within the last `metres`.
    pub(crate) fn last_splits(&self, leg: Option<LegKind>, metres: f64) -> Vec<RaceSpan> {
        let splits = self.splits_of(leg);
        let end_m = splits.last().map_or(0.0, |last| last.to_m);
        let last = splits
            .into_iter()
            .filter(|split| split.from_m >= end_m - metres - 1.0);
        last.map(|split| joined([split])).collect()
    }

    pub(crate) fn stretch(&self, leg: Option<LegKind>, from_m: f64, length: Length) -> Option<RaceSpan> {
        match length {
            Length::Metres(metres) => self.between(leg, from_m, from_m + metres),
            Length::Seconds(_) => None,
        }
    }

    /// The first or second half of the splits of the current leg.
    pub(crate) fn half(&self, second: bool) -> Option<RaceSpan> {
        let splits = self.splits_of(None);
        let middle = splits.len() / 2;
        let part = if second {
            splits.get(middle..)
        } else {
            splits.get(..middle)
        };
        part.filter(|part| !part.is_empty())
            .map(|part| joined(part.iter().copied()))
    }

    /// The fastest or slowest split of a leg; with a `rank` of 2, the second fastest or slowest.
    pub(crate) fn extreme(&self, leg: Option<LegKind>, sense: Sense, rank: usize) -> Option<&Split> {
        let speed = |split: &&Split| (split.to_m - split.from_m) / split.duration_s.max(1.0);
        let mut splits = self.splits_of(leg);
        splits.sort_by(|a, b| speed(a).total_cmp(&speed(b)));
        if sense == Sense::Faster {
            splits.reverse();
        }
        splits.get(rank.checked_sub(1)?).copied()
    }

    /// The split that ends at `metres` from the start of its leg or of the race.
    pub(crate) fn split_to(&self, leg: Option<LegKind>, metres: f64) -> Option<RaceSpan> {
        let splits = self.splits_of(leg);
        let split = splits.iter().find(|split| (split.to_m - metres).abs() < 1.0);
        split
            .or_else(|| splits.iter().find(|split| (split.race_m - metres).abs() < 50.0))
            .map(|split| joined([*split]))
    }

    /// Race time at which `race_m` was passed, interpolated between the two nearest known times.
    pub(crate) fn passed_s(&self, race_m: f64) -> Option<f64> {
        let start = self.started_at?;
        let since = |at: Timestamp| at.duration_since(start).as_secs_f64();
        let mut known = vec![(0.0, 0.0)];
        known.extend(self.splits.iter().map(|split| (split.race_m, since(split.at))));
        known.extend(self.recent.iter().map(|step| (step.distance_m, since(step.at))));
        known.sort_by(|a, b| a.1.total_cmp(&b.1));
        known.windows(2).find_map(|two| {
            let &[(from_m, from_s), (to_m, to_s)] = two else {
                return None;
            };
            let part = (race_m - from_m) / (to_m - from_m);
            (to_m > from_m && (0.0..=1.0).contains(&part)).then(|| part.mul_add(to_s - from_s, from_s))
        })
    }

    /// The earliest and latest race time at which `race_m` is reached at one of the paces seen so far.
    pub(crate) fn reaches_s(&self, race_m: f64) -> Option<(f64, f64)> {
        let left_m = race_m - self.progress_m;
        let moving = [600.0, 1800.0]
            .into_iter()
            .filter_map(|s| self.last_seconds(s))
            .map(RaceSpan::moving);
        let spans = moving
            .chain(self.leg_now().map(|leg| leg.span))
            .chain([self.race]);
        let speeds: Vec<f64> = spans
            .flat_map(|span| span.speeds())
            .filter(|mps| *mps > 0.3)
            .collect();
        let fastest = speeds.iter().copied().reduce(f64::max)?;
        let slowest = speeds.iter().copied().reduce(f64::min)?;
        (left_m >= 0.0).then_some((
            self.elapsed_s + left_m / fastest,
            self.elapsed_s + left_m / slowest,
        ))
    }
}
