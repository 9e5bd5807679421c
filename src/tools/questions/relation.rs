//! `correlate`: whether two metrics move together, on the same day or some days later.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::day_question::{AskedMetric, DayQuestion};
use super::figures::{failed, figure, figure_or_null, mean, object};
use super::metrics::metric;
use super::period::Period;
use super::series::Series;
use super::statistics::{independent, interval, persistence, rank_correlation};
use crate::tools::answer::{AnswerError, ToolAnswer};
use crate::tools::call::ToolCall;

/// Fewer pairs of days than this say nothing.
const LEAST_PAIRS: usize = 14;

const CAUTION: &str = "Moving together is not cause: illness, travel, training and the season move both. Of many pairs \
                       that are tried, some agree by chance.";

pub(super) const RELATION: DayQuestion = DayQuestion {
    asked,
    tell: relation,
};

fn asked(call: &ToolCall) -> Result<Vec<AskedMetric>, AnswerError> {
    let period = Period::of(call)?;
    let (first, second) = (call.text("metric"), call.text("other"));
    if first == second && call.whole("lag_days") == 0 {
        let why = "metric and other are the same: give two, or lag_days to compare a metric with its own later days";
        return Err(AnswerError::Argument(why.to_owned()));
    }
    let (Some(first), Some(second)) = (metric(&first), metric(&second)) else {
        return Err(AnswerError::Argument(
            "metric and other must be metrics".to_owned(),
        ));
    };
    Ok(vec![(first, period), (second, period)])
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "other questions find that Garmin's answer has changed"
)]
fn relation(call: &ToolCall, all: &[Series]) -> Result<ToolAnswer, AnswerError> {
    let [first, second] = all else {
        return Ok(ToolAnswer::Nothing);
    };
    let has_failed = all.iter().any(|series| series.failures().next().is_some());
    if !has_failed && (first.days.is_empty() || second.days.is_empty()) {
        return Ok(ToolAnswer::Nothing);
    }
    let lag = call.whole("lag_days");
    let pairs = pairs(first, second, lag, call.today);
    let mut told = object([
        ("metric", name(first)),
        ("other", name(second)),
        ("lag_days", json!(lag)),
        ("range", first.period.told()),
        ("pairs_of_days", json!(pairs.len())),
    ]);
    if pairs.len() < LEAST_PAIRS {
        let why = format!("too few: {LEAST_PAIRS} days with both values are needed; give a longer range");
        told.insert("result".to_owned(), json!(why));
    } else {
        told.extend(result(&pairs));
        told.insert(
            "by_thirds_of_metric".to_owned(),
            thirds(&pairs, first, second).into(),
        );
        told.insert("caution".to_owned(), json!(CAUTION));
    }
    let days = |series: &Series| {
        (
            series.metric.name.to_owned(),
            json!(series.comparable(call.today).len()),
        )
    };
    let days: Map<String, Value> = all.iter().map(days).collect();
    told.insert("rests_on".to_owned(), json!({"days_with_data": days}));
    told.extend(object([(
        "failed",
        failed(all.iter().flat_map(Series::failures)),
    )]));
    Ok(ToolAnswer::Json(told.into()))
}

fn name(series: &Series) -> Value {
    json!(series.metric.columns.first().map(|column| column.name))
}

/// The value of each day, and that of the other metric `lag` days later.
fn pairs(first: &Series, second: &Series, lag: i64, today: Date) -> Vec<(f64, f64)> {
    let later: BTreeMap<Date, f64> = second.comparable(today).into_iter().collect();
    first
        .comparable(today)
        .into_iter()
        .filter_map(|(date, value)| Some((value, *later.get(&date.checked_add(lag.days()).ok()?)?)))
        .collect()
}

fn result(pairs: &[(f64, f64)]) -> Map<String, Value> {
    let Some(correlation) = rank_correlation(pairs) else {
        return object([("result", json!("none: one of them never changed"))]);
    };
    let side = |of: fn(&(f64, f64)) -> f64| persistence(&pairs.iter().map(of).collect::<Vec<_>>());
    let observations = independent(pairs.len(), side(|pair| pair.0) * side(|pair| pair.1));
    let interval = interval(correlation, observations);
    let is_clear = interval.is_some_and(|(low, high)| low > 0.0 || high < 0.0);
    let strength = match correlation.abs() {
        _ if !is_clear => "not distinguishable from chance",
        weak if weak < 0.3 => "weak",
        moderate if moderate < 0.5 => "moderate",
        _ => "strong",
    };
    object([
        ("result", json!(strength)),
        ("rank_correlation", figure(correlation, 2)),
        (
            "interval_95",
            interval.map_or(Value::Null, |(low, high)| {
                json!([figure(low, 2), figure(high, 2)])
            }),
        ),
    ])
}

/// The mean of the other metric on the days with low, middle and high values, which says more to people than a
/// coefficient.
fn thirds(pairs: &[(f64, f64)], first: &Series, second: &Series) -> Map<String, Value> {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let digits = |series: &Series| {
        series
            .metric
            .columns
            .first()
            .map_or(1, |column| column.digits.max(1))
    };
    let mut of_first = Vec::new();
    let mut of_second = Vec::new();
    for third in sorted.chunks(sorted.len().div_ceil(3)) {
        of_first.push(figure_or_null(
            mean(third.iter().map(|pair| pair.0)),
            digits(first),
        ));
        of_second.push(figure_or_null(
            mean(third.iter().map(|pair| pair.1)),
            digits(second),
        ));
    }
    object([("metric_mean", of_first.into()), ("other_mean", of_second.into())])
}
