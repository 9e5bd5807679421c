//! What the laps of one activity show: a table, the fade of the pace, and the drift of the heart rate.

use serde_json::{Map, Value, json};

use super::figures::{columns, figure, figure_or_null, mean, object};
use crate::tools::fields::{at, list};
use crate::tools::sport::{SportFamily, clock};
use crate::tools::table::AnswerError;

/// The most laps that are shown one by one. If there are more, neighbouring laps are merged.
const MOST_LAPS: usize = 24;
/// In a shorter activity, the two halves say nothing about endurance.
const SHORTEST_S: f64 = 20.0 * 60.0;

/// A lap, or several neighbouring laps merged into one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Lap {
    count: usize,
    seconds: f64,
    metres: f64,
    /// Metres that the same effort would have covered on the flat.
    flat_metres: Option<f64>,
    /// Heart rate and power, each multiplied by the seconds.
    beats: Option<f64>,
    joules: Option<f64>,
    climb_m: f64,
    is_rest: bool,
}

impl Lap {
    fn read(lap: &Value) -> Option<Self> {
        let number = |key| at(lap, key).and_then(Value::as_f64);
        let positive = |key| number(key).filter(|number| *number > 0.0);
        let seconds = positive("movingDuration").or(positive("duration"))?;
        let intensity = at(lap, "intensityType")
            .and_then(Value::as_str)
            .unwrap_or_default();
        Some(Self {
            count: 1,
            seconds,
            metres: number("distance").unwrap_or(0.0),
            flat_metres: positive("avgGradeAdjustedSpeed").map(|mps| mps * seconds),
            beats: positive("averageHR").map(|bpm| bpm * seconds),
            joules: positive("averagePower").map(|watts| watts * seconds),
            climb_m: number("elevationGain").unwrap_or(0.0),
            is_rest: matches!(intensity, "REST" | "RECOVERY"),
        })
    }

    fn joined(self, other: Self) -> Self {
        let both = |a: Option<f64>, b: Option<f64>| Some(a? + b?);
        Self {
            count: self.count + other.count,
            seconds: self.seconds + other.seconds,
            metres: self.metres + other.metres,
            flat_metres: both(self.flat_metres, other.flat_metres),
            beats: both(self.beats, other.beats),
            joules: both(self.joules, other.joules),
            climb_m: self.climb_m + other.climb_m,
            is_rest: self.is_rest && other.is_rest,
        }
    }

    /// This share of the lap, as if its pace had been even.
    fn part(self, share: f64) -> Self {
        let of = |value: Option<f64>| value.map(|value| value * share);
        Self {
            seconds: self.seconds * share,
            metres: self.metres * share,
            flat_metres: of(self.flat_metres),
            beats: of(self.beats),
            joules: of(self.joules),
            climb_m: self.climb_m * share,
            ..self
        }
    }

    fn mps(self) -> Option<f64> {
        (self.metres > 0.0).then(|| self.metres / self.seconds)
    }

    fn bpm(self) -> Option<f64> {
        Some(self.beats? / self.seconds)
    }

    fn watts(self) -> Option<f64> {
        Some(self.joules? / self.seconds)
    }

    fn row(self, number: usize, family: SportFamily) -> Map<String, Value> {
        let mut row = object([
            ("lap", json!(number)),
            (
                "km",
                figure_or_null((self.metres > 0.0).then_some(self.metres / 1_000.0), 2),
            ),
            ("time", json!(clock(self.seconds))),
        ]);
        // One form of the speed is enough in a table.
        row.extend(object(family.speed(self.mps()).into_iter().take(1)));
        row.extend(object([
            ("avg_bpm", figure_or_null(self.bpm(), 0)),
            ("avg_power_w", figure_or_null(self.watts(), 0)),
            ("climb_m", figure(self.climb_m, 0)),
            ("kind", if self.is_rest { json!("rest") } else { Value::Null }),
        ]));
        row
    }
}

/// The laps in Garmin's document of splits.
pub(super) fn laps(document: &Value) -> Result<Vec<Lap>, AnswerError> {
    Ok(list(document, "lapDTOs")?.iter().filter_map(Lap::read).collect())
}

/// The laps as columns. If there are more than [`MOST_LAPS`], neighbours are merged, and `laps_per_row` says how many.
pub(super) fn table(laps: &[Lap], family: SportFamily) -> Map<String, Value> {
    let per_row = laps.len().div_ceil(MOST_LAPS).max(1);
    let rows: Vec<Map<String, Value>> = laps
        .chunks(per_row)
        .enumerate()
        .filter_map(|(index, laps)| {
            let lap = laps.iter().copied().reduce(Lap::joined)?;
            Some(lap.row(index * per_row + 1, family))
        })
        .collect();
    let mut table = Map::new();
    if per_row > 1 {
        table.insert("laps_per_row".to_owned(), json!(per_row));
    }
    table.extend(columns(&rows));
    table
}

/// The two halves by moving time.
fn halves(laps: &[Lap]) -> Option<(Lap, Lap)> {
    let total: f64 = laps.iter().map(|lap| lap.seconds).sum();
    let (mut first, mut second): (Option<Lap>, Option<Lap>) = (None, None);
    let mut elapsed = 0.0;
    for lap in laps {
        let share = ((total / 2.0 - elapsed) / lap.seconds).clamp(0.0, 1.0);
        elapsed += lap.seconds;
        for (half, share) in [(&mut first, share), (&mut second, 1.0 - share)] {
            if share > 0.0 {
                let part = lap.part(share);
                *half = Some(half.map_or(part, |half| half.joined(part)));
            }
        }
    }
    first.zip(second)
}

/// How far the output of each heartbeat fell from the first half to the second, in percent.
fn decoupling(first: (Option<f64>, Option<f64>), second: (Option<f64>, Option<f64>)) -> Option<f64> {
    let ratio = |(output, bpm): (Option<f64>, Option<f64>)| Some(output? / bpm?);
    Some((1.0 - ratio(second)? / ratio(first)?) * 100.0)
}

/// The second half against the first: pace, heart rate and decoupling; or the reason why a comparison would be
/// meaningless.
pub(super) fn endurance(laps: &[Lap], family: SportFamily) -> Map<String, Value> {
    let not = |why: &str| object([("not_computed", json!(why))]);
    let total: f64 = laps.iter().map(|lap| lap.seconds).sum();
    if laps.len() < 3 {
        return not("fewer than three laps: use the file of the activity");
    }
    if total < SHORTEST_S {
        return not("shorter than 20 minutes");
    }
    if are_intervals(laps) {
        return not("intervals: the halves were not run evenly");
    }
    let Some((first, second)) = halves(laps) else {
        return not("no laps with a duration");
    };
    let change = |a: Option<f64>, b: Option<f64>| Some((b? / a? - 1.0) * 100.0);
    let flat = |half: Lap| half.flat_metres.map(|metres| metres / half.seconds);
    let half = |half: Lap| {
        let mut told = object(family.speed(half.mps()).into_iter().take(1));
        told.extend(object([
            ("avg_bpm", figure_or_null(half.bpm(), 0)),
            ("avg_power_w", figure_or_null(half.watts(), 0)),
        ]));
        Value::Object(told)
    };
    let pace = decoupling((first.mps(), first.bpm()), (second.mps(), second.bpm()));
    let power = decoupling((first.watts(), first.bpm()), (second.watts(), second.bpm()));
    let graded = decoupling((flat(first), first.bpm()), (flat(second), second.bpm()));
    object([
        ("first_half", half(first)),
        ("second_half", half(second)),
        (
            "speed_change_percent",
            figure_or_null(change(first.mps(), second.mps()), 1),
        ),
        (
            "heart_rate_drift_percent",
            figure_or_null(change(first.bpm(), second.bpm()), 1),
        ),
        ("decoupling_pace_percent", figure_or_null(pace, 1)),
        ("decoupling_grade_adjusted_percent", figure_or_null(graded, 1)),
        ("decoupling_power_percent", figure_or_null(power, 1)),
        (
            "note",
            json!(
                "from laps, by moving time; up to 5 percent of decoupling is usual for a well-paced steady effort"
            ),
        ),
    ])
}

/// Whether the halves of the activity can't be compared.
pub(super) fn are_intervals(laps: &[Lap]) -> bool {
    laps.iter().any(|lap| lap.is_rest) || is_uneven(laps)
}

/// Whether the laps differ so much in speed that they were intervals.
fn is_uneven(laps: &[Lap]) -> bool {
    // Short laps don't count: the last one is often a remainder.
    let speeds: Vec<f64> = laps
        .iter()
        .filter(|lap| lap.seconds > 60.0)
        .filter_map(|lap| lap.mps())
        .collect();
    let Some(average) = mean(speeds.iter().copied()) else {
        return false;
    };
    let spread = mean(speeds.iter().map(|speed| (speed - average).powi(2))).map_or(0.0, f64::sqrt);
    spread > average * 0.2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(paces: &[(f64, f64)]) -> Vec<Lap> {
        let laps: Vec<Value> = paces
            .iter()
            .map(|(seconds, bpm)| json!({"distance": 1_000.0, "duration": seconds, "averageHR": bpm, "elevationGain": 4.0}))
            .collect();
        laps_of(&json!(laps))
    }

    fn laps_of(laps_json: &Value) -> Vec<Lap> {
        laps(&json!({"lapDTOs": laps_json})).unwrap()
    }

    #[test]
    fn an_even_run_with_a_rising_heart_rate_decouples() {
        let mut paces = vec![(300.0, 140.0); 4];
        paces.extend([(300.0, 154.0); 4]);
        let told = endurance(&run(&paces), SportFamily::Run);
        assert_eq!(told["decoupling_pace_percent"], json!(9.1));
        assert_eq!(told["heart_rate_drift_percent"], json!(10.0));
        assert_eq!(
            told["first_half"],
            json!({"pace_min_per_km": "5:00", "avg_bpm": 140})
        );
        assert!(!told.contains_key("decoupling_power_percent"));
        // The boundary of the halves may be inside a lap.
        let told = endurance(
            &run(&[(500.0, 140.0), (500.0, 147.0), (500.0, 154.0)]),
            SportFamily::Run,
        );
        assert_eq!(told["first_half"]["avg_bpm"], json!(142));
    }

    #[test]
    fn what_would_mean_nothing_is_not_computed() {
        let why = |laps: &[Lap]| {
            endurance(laps, SportFamily::Run)["not_computed"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        assert!(why(&run(&[(900.0, 140.0), (900.0, 140.0)])).contains("three laps"));
        assert!(why(&run(&[(300.0, 140.0); 3])).contains("20 minutes"));
        let intervals: Vec<(f64, f64)> = (0..8)
            .map(|n| {
                if n % 2 == 0 {
                    (200.0, 170.0)
                } else {
                    (420.0, 130.0)
                }
            })
            .collect();
        assert!(why(&run(&intervals)).contains("intervals"));
    }

    #[test]
    fn many_laps_are_put_together() {
        let laps = run(&[(300.0, 140.0); 50]);
        let table = table(&laps, SportFamily::Run);
        assert_eq!(table["laps_per_row"], json!(3));
        assert_eq!(table["km"].as_array().unwrap().len(), 17);
        assert_eq!(
            (&table["km"][0], &table["time"][0], &table["lap"][16]),
            (&json!(3.0), &json!("15:00"), &json!(49))
        );
        assert!(!table.contains_key("kind"));
    }
}
