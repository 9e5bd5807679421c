//! Reads the built-in worker's answers from a history: what is unusual, and what a week was like.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::Value;

use super::figure::{COACH_METRICS, CoachFigure, CoachMetric, WEEK_SUMS};

/// The days in which the rules look for something unusual.
pub const UNUSUAL_RANGE: &str = "-2w";

/// Days that `find_unusual` reports together: one day, or a run on one side of what is usual.
#[derive(Clone, Debug, PartialEq)]
pub struct UnusualStretch {
    pub figure: CoachFigure,
    pub is_above: bool,
}

/// The unusual stretches of the metrics that the coach looks at.
pub fn stretches(answer: &Value) -> Vec<UnusualStretch> {
    let told = answer.get("unusual").and_then(Value::as_array);
    told.into_iter().flatten().filter_map(stretch).collect()
}

fn stretch(told: &Value) -> Option<UnusualStretch> {
    let metric = CoachMetric::named(told.get("metric")?.as_str()?)?;
    let number = |key: &str| told.get(key).and_then(Value::as_f64);
    let day = |key: &str| told.get(key)?.as_str()?.parse::<Date>().ok();
    Some(UnusualStretch {
        figure: CoachFigure {
            metric: metric.name.to_owned(),
            from: day("from")?,
            to: day("to")?,
            days: u32::try_from(told.get("days")?.as_u64()?).ok()?,
            value: number("mean")?,
            usual: number("usual_low").zip(number("usual_high")),
        },
        is_above: told.get("is")?.as_str()? == "above",
    })
}

/// The value of `day` in an answer of `baseline`.
pub fn of_day(answer: &Value, day: Date) -> Option<CoachFigure> {
    let latest = answer.get("latest")?;
    let date: Date = latest.get("date")?.as_str()?.parse().ok()?;
    let figure = figure(answer, latest.get("value")?.as_f64()?)?;
    (date == day).then_some(CoachFigure {
        from: day,
        to: day,
        days: 1,
        ..figure
    })
}

/// The mean of the seven days up to `last` in an answer of `baseline`.
pub fn of_week(answer: &Value, last: Date) -> Option<CoachFigure> {
    let week = answer.get("last_7_days")?;
    let figure = figure(answer, week.get("value")?.as_f64()?)?;
    Some(CoachFigure {
        from: last.saturating_sub(6.days()),
        to: last,
        days: u32::try_from(week.get("days")?.as_u64()?).ok()?,
        ..figure
    })
}

fn figure(answer: &Value, value: f64) -> Option<CoachFigure> {
    let metric = CoachMetric::named(answer.get("metric")?.as_str()?)?;
    let usual = answer.get("usual");
    let edge = |key: &str| usual?.get(key)?.as_f64();
    let date = answer.get("date")?.as_str()?.parse().ok()?;
    Some(CoachFigure {
        metric: metric.name.to_owned(),
        from: date,
        to: date,
        days: 1,
        value,
        usual: edge("usual_low").zip(edge("usual_high")),
    })
}

/// The sums over these days in an answer of `get_training_volume`. A sum of zero is left out.
pub fn sums(answer: &Value, (from, to): (Date, Date)) -> Vec<CoachFigure> {
    let totals = answer.pointer("/totals/all").unwrap_or(&Value::Null);
    let keys = ["activities", "hours", "km"];
    let sums = WEEK_SUMS.iter().zip(keys).filter_map(|(metric, key)| {
        let value = totals.get(key)?.as_f64().filter(|value| *value > 0.0)?;
        Some(CoachFigure {
            metric: metric.name.to_owned(),
            from,
            to,
            days: 7,
            value,
            usual: None,
        })
    });
    sums.collect()
}

/// The value of each day in an answer of `get_trend` by day.
pub fn days(answer: &Value) -> Vec<CoachFigure> {
    let read = || {
        let metric = CoachMetric::named(answer.get("metric")?.as_str()?)?;
        let column = answer.get("summary")?.get("of")?.as_str()?;
        let series = answer.get("series")?;
        let first: Date = series.get("first_day")?.as_str()?.parse().ok()?;
        let values = series.get(column)?.as_array()?;
        let figures = values.iter().zip(0_i64..).filter_map(|(value, after)| {
            let day = first.checked_add(after.days()).ok()?;
            Some(CoachFigure {
                metric: metric.name.to_owned(),
                from: day,
                to: day,
                days: 1,
                value: value.as_f64()?,
                usual: None,
            })
        });
        Some(figures.collect())
    };
    read().unwrap_or_default()
}

/// The metrics of the daily morning message, which is sent even if nothing is notable.
pub fn morning_metrics() -> impl Iterator<Item = &'static CoachMetric> {
    let is_told = |metric: &&CoachMetric| matches!(metric.name, "sleep" | "resting_heart_rate" | "hrv");
    COACH_METRICS.iter().filter(is_told)
}
