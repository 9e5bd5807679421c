//! What is known of a race at one moment, in the terms in which messages speak of it.

mod span;

use jiff::{SignedDuration, Timestamp};

use super::claim::{ClaimFrame, ClaimMetric, Length, Sense, When};
use super::quantity::Reading;
use crate::race::figures::WindowFigures;
use crate::race::snapshot::{RaceStanding, Snapshot};
use crate::race::sport::{LegKind, RaceKind, cadence};
use crate::race::text::plain_text;
use crate::race::thresholds::{LegLimits, Thresholds, limits};
use crate::race::track::{Split, TrackStep};
use span::{joined, leg_span, race_span};

pub(super) use span::{RaceSpan, Spread};

#[derive(Clone, Debug)]
pub(super) struct LegFacts {
    pub(super) kind: Option<LegKind>,
    pub(super) span: RaceSpan,
    pub(super) from_m: f64,
    pub(super) limits: LegLimits,
}

#[derive(Clone, Debug)]
pub(super) struct PlaceFacts {
    /// The words of its name, in lower case.
    pub(super) words: Vec<String>,
    pub(super) at_m: f64,
    pub(super) cutoff_s: Option<f64>,
    pub(super) target_s: Option<f64>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct StopFacts {
    pub(super) at_m: f64,
    pub(super) duration_s: f64,
    pub(super) leg: usize,
}

/// A figure in an alert.
#[derive(Clone, Copy, Debug)]
pub(super) struct ToldFigure {
    pub(super) reading: Reading,
    pub(super) sense: Option<Sense>,
    pub(super) ago_s: f64,
}

/// The facts of a race that messages are checked against.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub struct RaceFacts {
    pub(super) started: bool,
    pub(super) finished: bool,
    pub(super) over: bool,
    pub(super) is_multisport: bool,
    pub(super) legs: Vec<LegFacts>,
    pub(super) race: RaceSpan,
    /// Metres from the start: along the course if there is one.
    pub(super) progress_m: f64,
    /// The same, when the author of a message may last have looked.
    pub(super) progress_before_m: f64,
    pub(super) distance_m: f64,
    pub(super) elapsed_s: f64,
    /// Seconds since the newest point.
    pub(super) age_s: f64,
    /// Seconds that the author may have taken to write.
    pub(super) lag_s: f64,
    pub(super) is_silent: bool,
    pub(super) standing_s: Option<f64>,
    pub(super) whole_m: Option<f64>,
    pub(super) target_s: Option<f64>,
    pub(super) off_course_m: Option<f64>,
    pub(super) places: Vec<PlaceFacts>,
    pub(super) stops: Vec<StopFacts>,
    pub(super) gaps_s: Vec<f64>,
    pub(super) ascent_m: f64,
    pub(super) altitude_m: Option<f64>,
    pub(super) told: Vec<ToldFigure>,
    /// The words of the athlete's name, in lower case.
    pub(super) athlete: Vec<String>,
    /// Other words of the settings: the name of the race.
    pub(super) words: Vec<String>,
    thresholds: Thresholds,
    splits: Vec<Split>,
    recent: Vec<TrackStep>,
    started_at: Option<Timestamp>,
    kind_now: Option<LegKind>,
}

/// The words of a name, in lower case.
fn words(text: Option<&str>) -> Vec<String> {
    let plain = plain_text(text.unwrap_or_default()).to_lowercase();
    let words = plain.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// A message is checked later than its author looked.
const SHORTEST_LAG_S: f64 = 90.0;
const LONGEST_LAG_S: f64 = 600.0;

impl RaceFacts {
    /// The facts of a race. `looked_at` is when the author of the message last saw them, if that is known.
    pub fn of(race: &Snapshot, window: &[TrackStep], looked_at: Option<Timestamp>) -> Self {
        let (track, settings) = (&race.track, &race.settings);
        let recent: Vec<TrackStep> = match (track.recent.front(), window.first()) {
            (Some(recent), Some(first)) if recent.at <= first.at => track.recent.iter().copied().collect(),
            (_, Some(_)) => window.to_vec(),
            _ => track.recent.iter().copied().collect(),
        };
        let lag_s = looked_at.map_or(0.0, |at| race.now.duration_since(at).as_secs_f64());
        let lag_s = if lag_s > LONGEST_LAG_S {
            SHORTEST_LAG_S
        } else {
            lag_s.max(SHORTEST_LAG_S)
        };
        let progress_m = track.course_m.unwrap_or_else(|| track.distance_m());
        let last_at = track.last.map(|last| last.at);
        let before = last_at.and_then(|at| {
            let from = at - SignedDuration::from_secs_f64(lag_s);
            recent.iter().find(|step| step.at >= from)
        });
        let silence = race.watch.silence(track);
        let silence_s = silence.map_or(0.0, |silence| silence.as_secs_f64());
        let age_s = last_at.map_or(0.0, |at| {
            race.now.duration_since(track.true_time(at)).as_secs_f64()
        });
        let standing = RaceStanding::of(race.now, &race.watch, track);
        let is_silent = matches!(
            standing,
            RaceStanding::NoSignal | RaceStanding::Unreachable | RaceStanding::ProbablyFinished
        ) || silence.is_some_and(|silence| silence >= race.watch.quiet_after());
        let legs: Vec<LegFacts> = track
            .legs
            .iter()
            .map(|leg| LegFacts {
                kind: leg.kind,
                span: leg_span(leg),
                from_m: leg.from_m,
                limits: limits(&settings.thresholds, settings.kind, leg.kind),
            })
            .collect();
        let session = race.watch.session.as_ref();
        let mut other_words = words(settings.name.as_deref());
        other_words.extend(words(settings.type_text.as_deref()));
        other_words.extend(words(session.and_then(|session| session.name.as_deref())));
        Self {
            started: track.started_at.is_some(),
            finished: standing == RaceStanding::Finished,
            over: race.watch.over().is_some(),
            is_multisport: settings.kind.is_multisport()
                && (legs.len() > 1 || settings.kind != RaceKind::Other),
            race: race_span(&track.legs, track.distance_m(), track.elapsed_s(), track.ascent_m),
            legs,
            progress_m,
            progress_before_m: before.map_or(progress_m, |step| {
                progress_m - (track.distance_m() - step.distance_m)
            }),
            distance_m: track.distance_m(),
            elapsed_s: track.elapsed_s(),
            age_s: age_s.max(silence_s),
            lag_s,
            is_silent,
            standing_s: track
                .standing()
                .map(crate::race::track::Stop::duration_s)
                .filter(|_| !is_silent),
            whole_m: race
                .course
                .as_ref()
                .map(|course| course.length_m())
                .or(settings.distance_m),
            target_s: settings.target_time_s.map(f64::from),
            off_course_m: track.off_course_m,
            places: settings
                .checkpoints
                .iter()
                .map(|checkpoint| PlaceFacts {
                    words: words(Some(&checkpoint.name)),
                    at_m: checkpoint.km * 1000.0,
                    cutoff_s: checkpoint.cutoff_s.map(f64::from),
                    target_s: checkpoint.target_s.map(f64::from),
                })
                .collect(),
            stops: track
                .stops()
                .iter()
                .chain(track.standing())
                .map(|stop| StopFacts {
                    at_m: stop.at_m,
                    duration_s: stop.duration_s(),
                    leg: stop.leg,
                })
                .collect(),
            gaps_s: track
                .gaps
                .iter()
                .map(|gap| gap.to.duration_since(gap.from).as_secs_f64())
                .collect(),
            ascent_m: track.ascent_m,
            altitude_m: track.last.and_then(|last| last.altitude_m),
            told: Vec::new(),
            athlete: words(session.and_then(|session| session.athlete.as_deref())),
            words: other_words,
            thresholds: settings.thresholds.clone(),
            splits: track.splits.clone(),
            recent,
            started_at: track.started_at,
            kind_now: track.leg().and_then(|leg| leg.kind),
        }
    }

    /// Seconds since the newest point.
    pub fn age_s(&self) -> f64 {
        self.age_s
    }

    pub(super) fn leg_now(&self) -> Option<&LegFacts> {
        self.legs.last()
    }

    /// The limits on `kind`, or on the current leg.
    pub(super) fn limits_of(&self, kind: Option<LegKind>) -> Option<LegLimits> {
        let leg = kind.and_then(|kind| self.legs.iter().rev().find(|leg| leg.kind == Some(kind)));
        leg.or(self.leg_now().filter(|_| kind.is_none()))
            .map(|leg| leg.limits)
    }

    /// All limits of a metric, on any leg so far.
    pub(super) fn all_limits(&self, metric: ClaimMetric) -> Vec<f64> {
        let set = &self.thresholds;
        let limits = match metric {
            ClaimMetric::HeartRate => [set.hr_max, set.hr_min, set.run_hr_max, set.run_hr_min],
            ClaimMetric::Power => [set.power_max, set.power_min, None, None],
            ClaimMetric::Cadence => [set.cadence_min, set.run_cadence_min, None, None],
            _ => [None; 4],
        };
        limits.into_iter().flatten().map(f64::from).collect()
    }

    /// Index of the leg of this sport: the last one, or the `number`th.
    pub(super) fn leg_index(&self, kind: LegKind, number: Option<usize>) -> Option<usize> {
        let legs = self
            .legs
            .iter()
            .enumerate()
            .filter(|(_, leg)| leg.kind == Some(kind));
        let indices: Vec<usize> = legs.map(|(index, _)| index).collect();
        match number {
            Some(number) => indices.get(number.checked_sub(1)?).copied(),
            None => indices.last().copied(),
        }
    }

    /// The extremes of a metric over a leg or the race.
    pub(super) fn spread_of(&self, metric: ClaimMetric, leg: Option<LegKind>) -> Option<Spread> {
        let index = leg.and_then(|kind| self.leg_index(kind, None));
        let span = index
            .and_then(|index| self.legs.get(index))
            .map_or(self.race, |leg| leg.span);
        span.spread(metric)
    }

    /// The length of the current leg of a triathlon of a standard distance.
    pub(super) fn leg_length_m(&self) -> Option<f64> {
        const LENGTHS_M: [(f64, [f64; 3]); 4] = [
            (25_750.0, [750.0, 20_000.0, 5000.0]),
            (51_500.0, [1500.0, 40_000.0, 10_000.0]),
            (113_000.0, [1900.0, 90_000.0, 21_098.0]),
            (226_000.0, [3800.0, 180_200.0, 42_195.0]),
        ];
        let whole_m = self.whole_m?;
        let (_, legs) = LENGTHS_M
            .iter()
            .find(|(length, _)| (length - whole_m).abs() < length * 0.02)?;
        let index = match self.leg_now()?.kind? {
            LegKind::Swim => 0,
            LegKind::Ride => 1,
            LegKind::Run => 2,
            LegKind::Transition => return None,
        };
        legs.get(index).copied()
    }

    /// Whether a rule has told this figure: lately, or at any time if the claim is about the past.
    pub(super) fn was_told(&self, reading: Reading, frame: &ClaimFrame) -> bool {
        let is_past = matches!(frame.when, Some(When::Past | When::Perfect));
        let told = self
            .told
            .iter()
            .filter(|told| is_past || told.ago_s <= LONGEST_LAG_S);
        told.into_iter().any(|told| {
            let is_same = told.reading.measure == reading.measure
                && (told.reading.value - reading.value).abs() <= reading.value * 0.001;
            let is_side = |sense: Option<Sense>| sense.and_then(Sense::is_more);
            is_same && is_side(told.sense) == is_side(frame.sense)
        })
    }

    /// Whether the split that ends at `metres` has about the highest mean of all.
    pub(super) fn is_hardest_split(&self, leg: Option<LegKind>, metric: ClaimMetric, metres: f64) -> bool {
        let mean = |span: RaceSpan| span.values(metric, None).first().copied();
        let splits = self.splits_of(leg).into_iter();
        let highest = splits
            .filter_map(|split| mean(joined([split])))
            .fold(0.0, f64::max);
        self.split_to(leg, metres)
            .and_then(mean)
            .is_some_and(|mean| mean >= highest * 0.99)
    }

    /// The split that ends at `metres` from the start of its leg or of the race.
    pub(super) fn split_to(&self, leg: Option<LegKind>, metres: f64) -> Option<RaceSpan> {
        let splits = self.splits_of(leg);
        let split = splits.iter().find(|split| (split.to_m - metres).abs() < 1.0);
        split
            .or_else(|| splits.iter().find(|split| (split.race_m - metres).abs() < 50.0))
            .map(|split| joined([*split]))
    }

    /// Metres into the current leg.
    pub(super) fn leg_progress_m(&self) -> f64 {
        self.leg_now().map_or(0.0, |leg| self.distance_m - leg.from_m)
    }

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

    /// The last `seconds` before the newest point; `None` if they are not kept.
    pub(super) fn last_seconds(&self, seconds: f64) -> Option<RaceSpan> {
        let last = self.recent.last()?.at;
        let from = last - SignedDuration::from_secs_f64(seconds);
        let first = self.recent.first()?.at;
        (first <= from + SignedDuration::from_secs(60)).then(|| self.window(from, last))?
    }

    /// A few minutes around the moment `seconds` ago.
    pub(super) fn around(&self, seconds: f64) -> Option<RaceSpan> {
        let middle = self.recent.last()?.at - SignedDuration::from_secs_f64(seconds);
        let first = self.recent.first()?.at;
        let half = SignedDuration::from_mins(3);
        (first <= middle).then(|| self.window(middle - half, middle + half))?
    }

    /// The windows that describe the present.
    pub(super) fn now(&self) -> Vec<RaceSpan> {
        let spans = [60.0, 120.0, 300.0, 600.0].into_iter();
        let mut spans: Vec<RaceSpan> = spans.filter_map(|seconds| self.last_seconds(seconds)).collect();
        if spans.is_empty() {
            spans.extend(self.window(Timestamp::MIN, Timestamp::MAX));
        }
        spans
    }

    /// The newest values of a metric, and those that the author may have seen.
    pub(super) fn newest(&self, metric: ClaimMetric) -> Vec<f64> {
        let Some(last) = self.recent.last() else {
            return Vec::new();
        };
        let from = last.at - SignedDuration::from_secs_f64(self.lag_s);
        let recent = self.recent.iter().filter(|step| step.at >= from);
        let value = |step: &TrackStep| match metric {
            ClaimMetric::HeartRate => step.heart_rate_bpm.map(f64::from),
            ClaimMetric::Power => step.power_w.map(f64::from),
            ClaimMetric::Cadence => step
                .cadence_rpm
                .map(|sent| f64::from(cadence(self.kind_now, sent))),
            ClaimMetric::Pace => step.speed_mps.filter(|mps| *mps > 0.2),
            _ => None,
        };
        recent.filter_map(value).collect()
    }

    /// The splits of `leg`, or of the current leg.
    pub(super) fn splits_of(&self, leg: Option<LegKind>) -> Vec<&Split> {
        let index = match leg {
            Some(kind) => self.legs.iter().rposition(|leg| leg.kind == Some(kind)),
            None => self.legs.len().checked_sub(1),
        };
        self.splits
            .iter()
            .filter(|split| Some(split.leg) == index)
            .collect()
    }

    /// The part of a leg between two distances from its start. It needs splits that end near both.
    pub(super) fn between(&self, leg: Option<LegKind>, from_m: f64, to_m: f64) -> Option<RaceSpan> {
        let splits = self.splits_of(leg);
        let near = |a: f64, b: f64| (a - b).abs() < 60.0;
        let from = splits.iter().position(|split| near(split.from_m, from_m))?;
        let to = splits.iter().position(|split| near(split.to_m, to_m))?;
        Some(joined(splits.get(from..=to)?.iter().copied()))
    }

    /// The stretch of `metres` that ends now, or with the last split.
    pub(super) fn last_metres(&self, leg: Option<LegKind>, metres: f64) -> Vec<RaceSpan> {
        let mut spans = Vec::new();
        if let Some(last) = self.splits_of(leg).last() {
            spans.extend(self.between(leg, last.to_m - metres, last.to_m));
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

    /// The splits within the last `metres`.
    pub(super) fn last_splits(&self, leg: Option<LegKind>, metres: f64) -> Vec<RaceSpan> {
        let splits = self.splits_of(leg);
        let end_m = splits.last().map_or(0.0, |last| last.to_m);
        let last = splits
            .into_iter()
            .filter(|split| split.from_m >= end_m - metres - 1.0);
        last.map(|split| joined([split])).collect()
    }

    pub(super) fn stretch(&self, leg: Option<LegKind>, from_m: f64, length: Length) -> Option<RaceSpan> {
        match length {
            Length::Metres(metres) => self.between(leg, from_m, from_m + metres),
            Length::Seconds(_) => None,
        }
    }

    /// The first or second half of the distance so far, or of the whole race.
    pub(super) fn half(&self, second: bool) -> Option<RaceSpan> {
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

    /// The fastest or slowest split of a leg.
    pub(super) fn extreme(&self, leg: Option<LegKind>, sense: Sense) -> Option<&Split> {
        let speed = |split: &&Split| (split.to_m - split.from_m) / split.duration_s.max(1.0);
        let splits = self.splits_of(leg).into_iter();
        match sense {
            Sense::Faster => splits.max_by(|a, b| speed(a).total_cmp(&speed(b))),
            _ => splits.min_by(|a, b| speed(a).total_cmp(&speed(b))),
        }
    }

    /// Race time at which `race_m` was passed, between the two nearest known times.
    pub(super) fn passed_s(&self, race_m: f64) -> Option<f64> {
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

    /// How far ahead of an even plan the athlete is, in seconds; negative = behind.
    pub(super) fn ahead_s(&self) -> Option<f64> {
        let mut knots = vec![(0.0, 0.0)];
        knots.extend(
            self.places
                .iter()
                .filter_map(|place| Some((place.at_m, place.target_s?))),
        );
        if !self.is_multisport || knots.len() > 1 {
            knots.extend(self.whole_m.zip(self.target_s));
        }
        knots.windows(2).find_map(|two| {
            let &[(from_m, from_s), (to_m, to_s)] = two else {
                return None;
            };
            let part = (self.progress_m - from_m) / (to_m - from_m);
            (to_m > from_m && (0.0..=1.0).contains(&part))
                .then(|| part.mul_add(to_s - from_s, from_s) - self.elapsed_s)
        })
    }

    /// The earliest and latest race time at which `race_m` is reached at one of the paces seen so far.
    pub(super) fn reaches_s(&self, race_m: f64) -> Option<(f64, f64)> {
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
