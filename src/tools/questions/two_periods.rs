//! `compare_periods`: a metric in two periods, and whether the difference is more than chance.

use jiff::ToSpan;
use serde_json::{Map, Value, json};

use super::day_question::{AskedMetric, DayQuestion};
use super::figures::{failed, figure, mean, object};
use super::metrics::{Column, metric};
use super::period::Period;
use super::series::Series;
use super::statistics::{independent, persistence, variance};
use crate::tools::answer::{AnswerError, ToolAnswer};
use crate::tools::call::ToolCall;

/// With fewer days on one side, nothing can be said about a difference.
const LEAST_DAYS: usize = 5;
/// A difference of more standard errors than this is clear.
const CLEAR: f64 = 2.0;

pub(super) const TWO_PERIODS: DayQuestion = DayQuestion {
    asked,
    tell: two_periods,
};

fn asked(call: &ToolCall) -> Result<Vec<AskedMetric>, AnswerError> {
    let period = Period::of(call)?;
    let against = match call.text("against").trim().to_ascii_lowercase().as_str() {
        "before" => before(period),
        "a year before" => Period {
            first: period.first.saturating_sub(1.year()),
            last: period.last.saturating_sub(1.year()),
        },
        _ => Period::of_argument(call, "against")?,
    };
    let metric = metric(&call.text("metric"));
    Ok(metric.map_or_else(Vec::new, |metric| vec![(metric, period), (metric, against)]))
}

/// The period of the same length that ends the day before this one begins.
fn before(period: Period) -> Period {
    let last = period.first.saturating_sub(1.day());
    Period {
        first: last.saturating_sub((period.days() - 1).days()),
        last,
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "other questions find that Garmin's answer has changed"
)]
fn two_periods(call: &ToolCall, all: &[Series]) -> Result<ToolAnswer, AnswerError> {
    let [now, then] = all else {
        return Ok(ToolAnswer::Nothing);
    };
    let has_failed = all.iter().any(|series| series.failures().next().is_some());
    if !has_failed && now.days.is_empty() && then.days.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    let columns = now.metric.columns.iter().enumerate();
    let why_missing = if all.iter().any(|series| series.waits_for_today(call.today)) {
        "one of the periods has no data of days that are over"
    } else {
        "one of the periods has no data"
    };
    let compared: Map<String, Value> = columns
        .filter_map(|(index, column)| {
            let values = |series: &Series| {
                let settled = series
                    .column(index)
                    .filter(|(date, _)| series.is_over(*date, call.today));
                settled.map(|(_, value)| value).collect::<Vec<f64>>()
            };
            Some((
                column.name.to_owned(),
                compared(column, &values(now), &values(then), why_missing)?,
            ))
        })
        .collect();
    let mut told = object([
        ("metric", json!(now.metric.name)),
        ("range", now.period.told()),
        ("against", then.period.told()),
    ]);
    told.insert("compared".to_owned(), compared.into());
    let [days, days_against] = [now, then].map(|series| series.days_over(call.today));
    let days = json!({"days_with_data": days, "days_with_data_against": days_against});
    told.insert("rests_on".to_owned(), days);
    told.extend(object([(
        "failed",
        failed(all.iter().flat_map(Series::failures)),
    )]));
    Ok(ToolAnswer::Json(told.into()))
}

fn compared(column: &Column, now: &[f64], then: &[f64], why_missing: &str) -> Option<Value> {
    let (mean_now, mean_then) = (mean(now.iter().copied()), mean(then.iter().copied()));
    let digits = column.digits.max(1);
    let (Some(mean_now), Some(mean_then)) = (mean_now, mean_then) else {
        let only = mean_now.or(mean_then)?;
        let side = if mean_now.is_some() {
            "mean"
        } else {
            "mean_against"
        };
        return Some(json!({side: figure(only, digits), "result": why_missing}));
    };
    let difference = mean_now - mean_then;
    let percent = (mean_then.abs() > f64::EPSILON).then(|| difference / mean_then * 100.0);
    let told = object([
        ("mean", figure(mean_now, digits)),
        ("mean_against", figure(mean_then, digits)),
        ("difference", figure(difference, digits)),
        (
            "difference_percent",
            percent.map_or(Value::Null, |percent| figure(percent, 1)),
        ),
        ("result", json!(verdict(difference, now, then))),
    ]);
    Some(told.into())
}

fn verdict(difference: f64, now: &[f64], then: &[f64]) -> &'static str {
    if now.len() < LEAST_DAYS || then.len() < LEAST_DAYS {
        return "too few days to tell";
    }
    let share = |values: &[f64]| {
        let days = independent(values.len(), persistence(values)).max(1.0);
        variance(values).map(|variance| variance / days)
    };
    let (Some(of_now), Some(of_then)) = (share(now), share(then)) else {
        return "too few days to tell";
    };
    match difference {
        same if same.abs() <= CLEAR * (of_now + of_then).sqrt() => "no clear difference",
        more if more > 0.0 => "higher",
        _ => "lower",
    }
}
