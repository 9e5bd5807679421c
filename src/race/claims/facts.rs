//! What is known about a race at one moment, in the terms that messages use.

mod parts;
mod span;

use jiff::{SignedDuration, Timestamp};

use super::quantity::Reading;
use super::roles::Roles;
use super::terms::{ClaimMetric, Progress, Sense};
use crate::race::plan::RacePlan;
use crate::race::snapshot::{RaceStanding, Snapshot};
use crate::race::sport::{LegKind, RaceKind};
use crate::race::text::plain_text;
use crate::race::thresholds::{LegLimits, Thresholds, limits};
use crate::race::track::{Split, Track, TrackStep};
use span::{leg_span, race_span};

pub(crate) use span::{RaceSpan, Spread};

#[derive(Clone, Debug)]
pub(crate) struct LegFacts {
    pub(crate) kind: Option<LegKind>,
    pub(crate) span: RaceSpan,
    pub(crate) from_m: f64,
    pub(crate) limits: LegLimits,
}

#[derive(Clone, Debug)]
pub(crate) struct PlaceFacts {
    /// The words of its name, in lower case.
    pub(crate) words: Vec<String>,
    pub(crate) at_m: f64,
    pub(crate) cutoff_s: Option<f64>,
    pub(crate) target_s: Option<f64>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct StopFacts {
    pub(crate) at_m: f64,
    pub(crate) duration_s: f64,
    pub(crate) leg: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RaceStage {
    Waiting,
    UnderWay,
    /// The race ended without a finish.
    Over,
    Finished,
}

/// A figure in an alert.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ToldFigure {
    pub(crate) reading: Reading,
    pub(crate) sense: Option<Sense>,
    pub(crate) progress: Option<Progress>,
    pub(crate) is_future: bool,
    pub(crate) ago_s: f64,
}

/// The facts of a race that messages are checked against.
#[derive(Clone, Debug)]
pub struct RaceFacts {
    pub(crate) stage: RaceStage,
    pub(crate) is_multisport: bool,
    pub(crate) legs: Vec<LegFacts>,
    pub(crate) race: RaceSpan,
    /// Metres from the start: along the course if there is one.
    pub(crate) progress_m: f64,
    /// The progress when the author of a message may last have looked at the race.
    pub(crate) progress_before_m: f64,
    pub(crate) distance_m: f64,
    pub(crate) elapsed_s: f64,
    /// Seconds since the newest point.
    pub(crate) age_s: f64,
    /// Seconds that the author may have taken to write.
    pub(crate) lag_s: f64,
    pub(crate) is_silent: bool,
    pub(crate) standing_s: Option<f64>,
    pub(crate) whole_m: Option<f64>,
    pub(crate) target_s: Option<f64>,
    /// Seconds from midnight to the start, where the race is.
    pub(crate) start_of_day_s: Option<f64>,
    pub(crate) off_course_m: Option<f64>,
    pub(crate) places: Vec<PlaceFacts>,
    pub(crate) stops: Vec<StopFacts>,
    pub(crate) gaps_s: Vec<f64>,
    pub(crate) ascent_m: f64,
    pub(crate) altitude_m: Option<f64>,
    pub(crate) told: Vec<ToldFigure>,
    /// Seconds from now back to each alert.
    pub(crate) alerts_ago_s: Vec<f64>,
    /// The words of the athlete's name, in lower case.
    pub(crate) athlete: Vec<String>,
    /// Other words of the settings: the name of the race.
    pub(crate) words: Vec<String>,
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

fn places(plan: &RacePlan) -> Vec<PlaceFacts> {
    let places = plan.checkpoints.iter().map(|checkpoint| PlaceFacts {
        words: words(Some(&checkpoint.name)),
        at_m: checkpoint.km * 1000.0,
        cutoff_s: checkpoint.cutoff_s.map(f64::from),
        target_s: checkpoint.target_s.map(f64::from),
    });
    places.collect()
}

/// The stops, and the one in progress.
fn stops(track: &Track) -> Vec<StopFacts> {
    let stops = track.stops().iter().chain(track.standing());
    let stops = stops.map(|stop| StopFacts {
        at_m: stop.at_m,
        duration_s: stop.duration_s(),
        leg: stop.leg,
    });
    stops.collect()
}

/// Bounds of the time between the author's look at the race and the check of the message.
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
        let progress_m = track.progress_m();
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
        let stage = match standing {
            RaceStanding::Finished => RaceStage::Finished,
            _ if race.watch.over().is_some() => RaceStage::Over,
            _ if track.started_at.is_some() => RaceStage::UnderWay,
            _ => RaceStage::Waiting,
        };
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
            stage,
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
            whole_m: race.goal().whole_m(),
            target_s: settings.target_time_s.map(f64::from),
            start_of_day_s: track.started_at.map(|at| {
                let local = at.to_zoned(settings.zone());
                f64::from(local.hour()) * 3600.0
                    + f64::from(local.minute()) * 60.0
                    + f64::from(local.second())
            }),
            off_course_m: track.off_course_m,
            places: places(settings),
            stops: stops(track),
            gaps_s: track
                .gaps
                .iter()
                .map(|gap| gap.to.duration_since(gap.from).as_secs_f64())
                .collect(),
            ascent_m: track.ascent_m,
            altitude_m: track.last.and_then(|last| last.altitude_m),
            told: Vec::new(),
            alerts_ago_s: race
                .alerts
                .iter()
                .map(|alert| race.now.duration_since(alert.at).as_secs_f64())
                .collect(),
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

    pub(crate) fn leg_now(&self) -> Option<&LegFacts> {
        self.legs.last()
    }

    /// Index of the checkpoint that the athlete is at.
    pub(crate) fn place_here(&self) -> Option<usize> {
        self.places
            .iter()
            .position(|place| (place.at_m - self.progress_m).abs() <= 400.0)
    }

    /// The limits on `kind`, or on the current leg.
    pub(crate) fn limits_of(&self, kind: Option<LegKind>) -> Option<LegLimits> {
        let leg = kind.and_then(|kind| self.legs.iter().rev().find(|leg| leg.kind == Some(kind)));
        leg.or(self.leg_now().filter(|_| kind.is_none()))
            .map(|leg| leg.limits)
    }

    /// All limits of a metric, on any leg so far.
    pub(crate) fn all_limits(&self, metric: ClaimMetric) -> Vec<f64> {
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
    pub(crate) fn leg_index(&self, kind: LegKind, number: Option<usize>) -> Option<usize> {
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
    pub(crate) fn spread_of(&self, metric: ClaimMetric, leg: Option<LegKind>) -> Option<Spread> {
        let index = leg.and_then(|kind| self.leg_index(kind, None));
        let span = index
            .and_then(|index| self.legs.get(index))
            .map_or(self.race, |leg| leg.span);
        span.spread(metric)
    }

    /// The lengths of swim, ride and run of a triathlon of a standard distance.
    pub(crate) fn leg_lengths_m(&self) -> Option<[f64; 3]> {
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
        Some(*legs)
    }

    /// The length of the current leg of a triathlon of a standard distance.
    pub(crate) fn leg_length_m(&self) -> Option<f64> {
        let legs = self.leg_lengths_m()?;
        let order = [LegKind::Swim, LegKind::Ride, LegKind::Run];
        let now = self.leg_now()?.kind?;
        let index = order.iter().position(|kind| *kind == now)?;
        legs.get(index).copied()
    }

    /// Whether an alert gave this figure, recently or, if the claim is about the past, at any time.
    pub(crate) fn was_told(&self, reading: Reading, roles: &Roles) -> bool {
        let is_past = roles.is_past();
        let told = self
            .told
            .iter()
            .filter(|told| is_past || told.ago_s <= LONGEST_LAG_S);
        told.into_iter().any(|told| {
            let is_same = told.reading.measure == reading.measure
                && (told.reading.value - reading.value).abs() <= reading.value * 0.001;
            let is_side = |sense: Option<Sense>| sense.and_then(Sense::is_more);
            let is_left = |progress| progress == Some(Progress::ToGo);
            is_same
                && is_side(told.sense) == is_side(roles.sense())
                && is_left(told.progress) == is_left(roles.progress())
                && (told.is_future || !roles.is_future())
        })
    }

    /// Metres into the current leg.
    pub(crate) fn leg_progress_m(&self) -> f64 {
        self.leg_now().map_or(0.0, |leg| self.distance_m - leg.from_m)
    }

    /// How far ahead of an even plan the athlete is, in seconds; negative = behind.
    pub(crate) fn ahead_s(&self) -> Option<f64> {
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
}
