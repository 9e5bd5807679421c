//! `find_unusual`: days and runs of days that are far from what is usual for this person.

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::day_question::{AskedMetric, DayQuestion};
use super::figures::{failed, figure_or_null, mean, object};
use super::metrics::{Metric, metric};
use super::period::Period;
use super::series::Series;
use super::usual::{LEAST_DAYS, Usual, with_reference};
use crate::tools::answer::{AnswerError, ToolAnswer};
use crate::tools::call::ToolCall;

/// The metrics that are examined if none is named: those that say something about health.
const HEALTH: [&str; 5] = ["resting_heart_rate", "hrv", "sleep", "stress", "weight"];
/// The longest range. Garmin gives only a few weeks at a time, for each metric.
const MOST_DAYS: i64 = 184;
/// A single day is unusual from this many spreads on. What is usual is only an estimate, so chance gets there more
/// often than the normal distribution says: in simulated lives, about once in ten years in one metric.
const DAY: f64 = 4.0;
/// Days in a row on one side, each at least this far from the middle, are a run if together they are far enough for
/// their number.
const RUN: f64 = 1.25;
const RUN_DAYS: usize = 5;
const RUN_TOGETHER: f64 = 5.0;
/// Two days of a run may be this far apart, so a day without data does not end it.
const RUN_GAP_DAYS: i32 = 2;
const MOST_TOLD: usize = 12;

pub(super) const UNUSUAL: DayQuestion = DayQuestion { asked, tell: unusual };

/// The metrics with their periods, which begin early enough to know what is usual.
fn asked(call: &ToolCall) -> Result<Vec<AskedMetric>, AnswerError> {
    let period = Period::of(call)?;
    if period.days() > MOST_DAYS {
        let range = call.text("range");
        let why = format!("range {range:?} is longer than half a year: give a shorter one, such as -8w");
        return Err(AnswerError::Argument(why));
    }
    let metrics = match call.text("metric").as_str() {
        "all" => HEALTH.into_iter().filter_map(metric).collect(),
        name => metric(name).into_iter().collect::<Vec<_>>(),
    };
    let from = with_reference(period);
    Ok(metrics.into_iter().map(|metric| (metric, from)).collect())
}

fn unusual(call: &ToolCall, all: &[Series]) -> Result<ToolAnswer, AnswerError> {
    let period = Period::of(call)?;
    if all
        .iter()
        .all(|series| series.days.is_empty() && series.failures().next().is_none())
    {
        return Ok(ToolAnswer::Nothing);
    }
    let (mut found, mut ordinary, mut not_judged) = (Vec::new(), Vec::new(), Vec::new());
    let mut days_with_data = Map::new();
    for series in all {
        let metric = series.metric;
        let points = series.comparable(call.today);
        let with_data = points.iter().filter(|(date, _)| *date >= period.first).count();
        let days = deviations(&points, metric, period);
        days_with_data.insert(metric.name.to_owned(), json!(with_data));
        if days.is_empty() {
            let why = match with_data {
                0 if series.waits_for_today(call.today) => NotJudged::TodayIsNotOver,
                0 if series.failures().next().is_none() => NotJudged::NoData,
                _ => NotJudged::TooFewBefore,
            };
            not_judged.push((metric.name, why));
            continue;
        }
        let stretches = stretches(&days);
        if stretches.is_empty() {
            ordinary.push(metric.name);
        }
        found.extend(stretches.into_iter().map(|stretch| (metric, stretch)));
    }
    found.sort_by(|a, b| b.1.weight().total_cmp(&a.1.weight()));
    let more = found.len().saturating_sub(MOST_TOLD);
    let told: Vec<Value> = found
        .iter()
        .take(MOST_TOLD)
        .map(|(metric, stretch)| stretch.told(metric))
        .collect();
    let mut answer = object([("range", period.told())]);
    answer.insert("unusual".to_owned(), told.into());
    answer.extend(object([
        ("more", if more > 0 { json!(more) } else { Value::Null }),
        ("ordinary", json!(ordinary)),
        (
            "not_judged",
            not_judged.iter().map(|(name, _)| json!(name)).collect(),
        ),
    ]));
    if !not_judged.is_empty() {
        answer.insert("not_judged_because".to_owned(), json!(why_not(&not_judged)));
    }
    answer.insert("rests_on".to_owned(), json!({"days_with_data": days_with_data}));
    answer.extend(object([(
        "failed",
        failed(all.iter().flat_map(Series::failures)),
    )]));
    Ok(ToolAnswer::Json(answer.into()))
}

/// Why no day of a metric is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NotJudged {
    TodayIsNotOver,
    NoData,
    TooFewBefore,
}

/// The reasons, each with its metrics if there are several.
fn why_not(not_judged: &[(&str, NotJudged)]) -> String {
    let reasons = [
        (
            NotJudged::TodayIsNotOver,
            "today is not over, and a day is judged when it is".to_owned(),
        ),
        (NotJudged::NoData, "the range has no data".to_owned()),
        (
            NotJudged::TooFewBefore,
            format!("a day is judged if {LEAST_DAYS} days in the two months before have data"),
        ),
    ];
    let told = reasons.into_iter().filter_map(|(reason, text)| {
        let with_it = not_judged.iter().filter(|(_, why)| *why == reason);
        let names: Vec<&str> = with_it.map(|(name, _)| *name).collect();
        match names.len() {
            0 => None,
            all if all == not_judged.len() => Some(text),
            _ => Some(format!("{}: {text}", names.join(", "))),
        }
    });
    told.collect::<Vec<_>>().join("; ")
}

/// A day of the range, with what was usual before it.
#[derive(Debug, Clone, Copy)]
struct JudgedDay {
    date: Date,
    value: f64,
    usual: Usual,
}

impl JudgedDay {
    fn deviation(&self) -> f64 {
        self.usual.deviation(self.value)
    }
}

fn deviations(points: &[(Date, f64)], metric: &Metric, period: Period) -> Vec<JudgedDay> {
    points
        .iter()
        .filter(|(date, _)| *date >= period.first)
        .filter_map(|(date, value)| {
            Some(JudgedDay {
                date: *date,
                value: *value,
                usual: Usual::before(*date, points, metric)?,
            })
        })
        .collect()
}

/// One unusual day, or a run of days.
#[derive(Debug)]
struct Stretch(Vec<JudgedDay>);

/// The runs, and the single days outside them.
fn stretches(days: &[JudgedDay]) -> Vec<Stretch> {
    let side = |day: &JudgedDay| {
        let deviation = day.deviation();
        (deviation.abs() >= RUN).then(|| deviation.is_sign_positive())
    };
    let follows = |a: &JudgedDay, b: &JudgedDay| {
        side(a).is_some() && side(a) == side(b) && (b.date - a.date).get_days() <= RUN_GAP_DAYS
    };
    let mut found = Vec::new();
    for stretch in days.chunk_by(follows) {
        let run = Stretch(stretch.to_vec());
        if stretch.len() >= RUN_DAYS && run.weight() / (stretch.len() as f64).sqrt() >= RUN_TOGETHER {
            found.push(run);
            continue;
        }
        let single = stretch.iter().filter(|day| day.deviation().abs() >= DAY);
        found.extend(single.map(|day| Stretch(vec![*day])));
    }
    found
}

impl Stretch {
    /// The sum of the deviations of its days. Far and long stretches weigh more, and come first in the answer.
    fn weight(&self) -> f64 {
        self.0.iter().map(|day| day.deviation().abs()).sum()
    }

    fn told(&self, metric: &Metric) -> Value {
        let (Some(first), Some(last), Some(column)) = (self.0.first(), self.0.last(), metric.columns.first())
        else {
            return Value::Null;
        };
        let average =
            |of: &dyn Fn(&JudgedDay) -> f64, digits| figure_or_null(mean(self.0.iter().map(of)), digits);
        let mut told = object([
            ("metric", json!(metric.name)),
            ("from", json!(first.date)),
            ("to", json!(last.date)),
            ("days", json!(self.0.len())),
            ("of", json!(column.name)),
            ("mean", average(&|day| day.value, column.digits)),
            (
                "is",
                json!(if first.deviation() > 0.0 { "above" } else { "below" }),
            ),
        ]);
        told.extend(first.usual.band(column.digits));
        told.insert(
            "deviation_in_spreads".to_owned(),
            average(&JudgedDay::deviation, 1),
        );
        told.into()
    }
}
