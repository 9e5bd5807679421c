//! The figures of a report, independent of language: for the Markdown that Claude reads and for the page that people
//! read.

use jiff::{SignedDuration, Timestamp};

use crate::garmin::livetrack::Position;
use crate::race::outlook::{PlaceOutlook, PlaceState};
use crate::race::pacing::planned_s;
use crate::race::snapshot::Snapshot;
use crate::race::sport::LegKind;
use crate::race::track::{Leg, Split, Stop, Track};
use crate::race::trend;

/// Maximum number of rows in a table.
pub(super) const MOST_ROWS: usize = 60;

/// The race as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportFigures {
    pub time_s: f64,
    /// Whether the finish was reached.
    pub is_whole: bool,
    /// The planned time of the whole race.
    pub target_s: Option<f64>,
    /// Seconds behind the plan where the athlete is or was last; negative = ahead.
    pub behind_s: Option<f64>,
    pub moving_s: f64,
    pub distance_m: f64,
    /// The length of the race, if it is known.
    pub whole_m: Option<f64>,
    /// Sport and mean speed while moving, in a race of one leg.
    pub average: Option<(Option<LegKind>, f64)>,
    pub ascent_m: f64,
    /// Mean and highest heart rate.
    pub heart_rate: Option<(f64, f64)>,
    /// How many percent more heartbeats a metre took in the second half.
    pub drift_percent: Option<f64>,
    /// Number of stops, and seconds in all.
    pub stops: (usize, f64),
    /// Number of times without data, and seconds in all.
    pub gaps: (usize, f64),
}

/// A leg of a race of several sports.
#[derive(Clone, Debug, PartialEq)]
pub struct LegFigures {
    pub kind: Option<LegKind>,
    pub distance_m: f64,
    pub time_s: f64,
    /// Mean speed while moving; `None` if the leg was not seen.
    pub mps: Option<f64>,
    pub heart_rate_bpm: Option<f64>,
    pub power_w: Option<f64>,
}

/// Several splits in a row, or one.
#[derive(Clone, Debug, PartialEq)]
pub struct SplitFigures {
    pub kind: Option<LegKind>,
    /// Start and end in metres from the start of the race.
    pub from_m: f64,
    pub to_m: f64,
    pub time_s: f64,
    pub mps: f64,
    pub estimated: bool,
    pub heart_rate_bpm: Option<f64>,
    pub power_w: Option<f64>,
    /// Seconds behind the plan at the end; negative = ahead.
    pub behind_s: Option<f64>,
}

/// A checkpoint or the finish.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaceFigures {
    pub place: PlaceOutlook,
    /// When it was passed, in seconds of the race.
    pub race_s: Option<f64>,
    pub behind_s: Option<f64>,
    /// Seconds before the cut-off; negative = too late.
    pub margin_s: Option<f64>,
}

/// A stop, with its start in true time.
#[derive(Clone, Debug, PartialEq)]
pub struct StopFigures {
    pub from: Timestamp,
    pub at_m: f64,
    pub position: Option<Position>,
    pub time_s: f64,
    pub is_paused: bool,
}

impl ReportFigures {
    pub fn of(snapshot: &Snapshot) -> Self {
        let (track, plan) = (&snapshot.track, &snapshot.settings);
        let is_whole = snapshot.is_finished();
        let target_s = plan.target_time_s.map(f64::from);
        let line = line(snapshot);
        let time_s = snapshot.race_s();
        let end = line.unwrap_or(Timestamp::MAX);
        let after = AfterLine::of(track, end);
        let moving_s: f64 = track.legs.iter().map(|leg| leg.sums.moving_s).sum();
        let moving_s = (moving_s - after.moving_s).max(0.0);
        let distance_m = track.distance_m() - after.distance_m;
        let single = track.legs.first().filter(|_| track.legs.len() == 1);
        let stopped = track.stops().iter().filter(|stop| stop.from < end);
        let gaps = track.gaps.iter().filter(|gap| gap.from < end);
        Self {
            time_s,
            is_whole,
            target_s,
            behind_s: if is_whole {
                target_s.map(|target_s| time_s - target_s)
            } else {
                planned_s(snapshot.goal(), track.progress_m()).map(|planned_s| time_s - planned_s)
            },
            moving_s,
            distance_m,
            whole_m: snapshot.goal().whole_m(),
            average: single.map(|leg| (leg.kind, distance_m / moving_s.max(1.0))),
            ascent_m: track.ascent_m,
            heart_rate: heart_rate(track),
            drift_percent: trend::drift_percent(track),
            stops: (stopped.clone().count(), stopped.map(Stop::duration_s).sum()),
            gaps: (
                gaps.clone().count(),
                gaps.map(|gap| gap.to.min(end).duration_since(gap.from).as_secs_f64())
                    .sum(),
            ),
        }
    }
}

/// When the race ended. The watch may run on.
fn line(snapshot: &Snapshot) -> Option<Timestamp> {
    snapshot.finish().map(|crossing| crossing.at)
}

/// What the watch recorded after the line.
#[derive(Default)]
struct AfterLine {
    moving_s: f64,
    distance_m: f64,
}

impl AfterLine {
    fn of(track: &Track, line: Timestamp) -> Self {
        let Some(last) = track.last.filter(|last| last.at > line) else {
            return Self::default();
        };
        let way = track.way.iter().map(|mark| (mark.at, mark.walked_m));
        let recent = track.recent.iter().map(|step| (step.at, step.distance_m));
        let begins_at = track.recent.front().map_or(last.at, |step| step.at);
        let mut way = way.filter(|(at, _)| *at < begins_at).chain(recent);
        let mut before = (line, 0.0);
        let next = way.find(|now| {
            let is_after = now.0 > line;
            if !is_after {
                before = *now;
            }
            is_after
        });
        let (at, walked_m) = next.unwrap_or((last.at, last.distance_m));
        let seconds = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs_f64();
        let part = seconds(before.0, line) / seconds(before.0, at).max(0.001);
        let at_line_m = part.mul_add(walked_m - before.1, before.1);
        let stood = track.stops().iter().chain(track.standing());
        let stood_s: f64 = stood
            .map(|stop| seconds(stop.from.max(line), stop.to.max(line)))
            .sum();
        let gaps = track.gaps.iter();
        let unseen_s: f64 = gaps
            .map(|gap| seconds(gap.from.max(line), gap.to.max(line)))
            .sum();
        Self {
            moving_s: (seconds(line, last.at) - stood_s - unseen_s).max(0.0),
            distance_m: (last.distance_m - at_line_m).max(0.0),
        }
    }
}

fn heart_rate(track: &Track) -> Option<(f64, f64)> {
    let weighed = |leg: &Leg| Some((leg.sums.heart_rate.mean()?, leg.sums.moving_s.max(1.0)));
    let legs: Vec<_> = track.legs.iter().filter_map(weighed).collect();
    let seconds: f64 = legs.iter().map(|(_, seconds)| seconds).sum();
    let mean = legs.iter().map(|(bpm, seconds)| bpm * seconds).sum::<f64>() / seconds;
    let highest = track
        .legs
        .iter()
        .filter_map(|leg| leg.sums.heart_rate.highest())
        .max_by(f64::total_cmp)?;
    Some((mean, highest))
}

/// The legs of a race of several sports; empty for one sport.
pub fn legs(snapshot: &Snapshot) -> Vec<LegFigures> {
    let legs = &snapshot.track.legs;
    if legs.len() < 2 {
        return Vec::new();
    }
    let figures = |leg: &Leg| LegFigures {
        kind: leg.kind,
        distance_m: leg.distance_m(),
        time_s: leg.elapsed_s(),
        mps: (!leg.unseen).then(|| leg.distance_m() / leg.sums.moving_s.max(1.0)),
        heart_rate_bpm: leg.sums.heart_rate.mean(),
        power_w: leg.sums.power.mean(),
    };
    legs.iter().take(MOST_ROWS).map(figures).collect()
}

/// The splits that were mostly before the line, several together if there are many. A watch measures the last one a
/// little longer or shorter than the course.
pub fn splits(snapshot: &Snapshot) -> Vec<SplitFigures> {
    let splits = &snapshot.track.splits;
    let end = line(snapshot).unwrap_or(Timestamp::MAX);
    let middle = |split: &Split| split.at - SignedDuration::from_secs_f64(split.duration_s / 2.0);
    let n_before = splits.iter().take_while(|split| middle(split) < end).count();
    let splits = splits.get(..n_before).unwrap_or_default();
    let per_row = splits.len().div_ceil(MOST_ROWS).max(1);
    let mut rows = Vec::new();
    for leg in splits.chunk_by(|a, b| a.leg == b.leg) {
        rows.extend(
            leg.chunks(per_row)
                .filter_map(|splits| split_row(snapshot, splits)),
        );
    }
    rows
}

fn split_row(snapshot: &Snapshot, splits: &[Split]) -> Option<SplitFigures> {
    let (first, last) = (splits.first()?, splits.last()?);
    let track = &snapshot.track;
    let time_s: f64 = splits.iter().map(|split| split.duration_s).sum();
    let mean = |value: fn(&Split) -> Option<f64>| {
        let known = splits
            .iter()
            .filter_map(|split| Some((value(split)?, split.duration_s)));
        let (sum, seconds) = known.fold((0.0, 0.0), |(sum, all), (value, s)| (sum + value * s, all + s));
        (seconds > 0.0).then(|| sum / seconds)
    };
    let race_s = last.at.duration_since(track.started_at?).as_secs_f64();
    let length_m = last.to_m - first.from_m;
    Some(SplitFigures {
        kind: track.legs.get(last.leg).and_then(|leg| leg.kind),
        from_m: last.race_m - length_m,
        to_m: last.race_m,
        time_s,
        mps: length_m / time_s.max(1.0),
        estimated: splits.iter().any(|split| split.estimated),
        heart_rate_bpm: mean(|split| split.heart_rate_bpm),
        power_w: mean(|split| split.power_w),
        behind_s: planned_s(snapshot.goal(), last.race_m).map(|planned_s| race_s - planned_s),
    })
}

/// The checkpoints and the finish.
pub fn places(snapshot: &Snapshot) -> Vec<PlaceFigures> {
    let all = snapshot.places();
    all.into_iter()
        .take(MOST_ROWS)
        .map(|place| place_row(snapshot, place))
        .collect()
}

fn place_row(snapshot: &Snapshot, place: PlaceOutlook) -> PlaceFigures {
    let start = snapshot.track.started_at;
    let race_s = match &place.state {
        PlaceState::Passed(crossing) => start.map(|start| crossing.at.duration_since(start).as_secs_f64()),
        PlaceState::Ahead(_) | PlaceState::Unknown => None,
    };
    let target_s = place
        .target_s
        .map(f64::from)
        .or_else(|| planned_s(snapshot.goal(), place.at_m));
    PlaceFigures {
        race_s,
        behind_s: race_s.zip(target_s).map(|(race_s, target_s)| race_s - target_s),
        margin_s: race_s
            .zip(place.cutoff_s)
            .map(|(race_s, cutoff_s)| f64::from(cutoff_s) - race_s),
        place,
    }
}

/// The longest stops before the line, in the order in which they were made.
pub fn stops(snapshot: &Snapshot) -> Vec<StopFigures> {
    let track = &snapshot.track;
    let end = line(snapshot).unwrap_or(Timestamp::MAX);
    let mut longest: Vec<_> = track.stops().iter().filter(|stop| stop.from < end).collect();
    longest.sort_by(|a, b| b.duration_s().total_cmp(&a.duration_s()));
    longest.truncate(MOST_ROWS);
    longest.sort_by_key(|stop| stop.from);
    longest
        .into_iter()
        .map(|stop| StopFigures {
            from: track.true_time(stop.from),
            at_m: stop.at_m,
            position: stop.position,
            time_s: stop.duration_s(),
            is_paused: stop.is_paused(),
        })
        .collect()
}
