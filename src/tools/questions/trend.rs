//! `get_trend`: one metric over a period, by day, week, month or weekday.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::figures::{figure, figure_or_null, mean, object, slope};
use super::metrics::metric;
use super::period::{Division, Period, Rows};
use super::series::{DayValues, Series, requests};
use crate::tools::call::ToolCall;
use crate::tools::fields::at;
use crate::tools::garmin_get::GarminGet;
use crate::tools::table::{AnswerError, ToolAnswer};

pub(super) fn gets(call: &ToolCall) -> Vec<GarminGet> {
    match (metric(&call.text("metric")), Period::of(call)) {
        (Some(metric), Ok(period)) => requests(metric, period),
        _ => Vec::new(),
    }
}

pub(super) fn trend(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let period = Period::of(call)?;
    let Some(metric) = metric(&call.text("metric")) else {
        return Ok(ToolAnswer::Nothing);
    };
    let series = Series::read(metric, period, answers)?;
    if series.days.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    let division = Division::of(call, period);
    let mut told = Map::new();
    told.insert("metric".to_owned(), json!(metric.name));
    told.insert("range".to_owned(), period.told());
    told.insert("summary".to_owned(), series.summary().into());
    told.extend(object([("latest", series.latest()?.into())]));
    if metric.name == "body_battery" {
        told.extend(object([("impact_by_event", impacts(answers))]));
    }
    told.insert("series".to_owned(), series.table(division).into());
    told.insert("rests_on".to_owned(), series.rests_on().into());
    Ok(ToolAnswer::Json(told.into()))
}

impl Series<'_> {
    fn summary(&self) -> Map<String, Value> {
        let Some(column) = self.metric.columns.first() else {
            return Map::new();
        };
        let digits = column.digits.max(1);
        let points: Vec<(Date, f64)> = self.main().collect();
        let since = |date: Date| f64::from((date - self.period.first).get_days());
        let line: Vec<(f64, f64)> = points
            .iter()
            .map(|(date, value)| (since(*date), *value))
            .collect();
        let extreme = |point: Option<&(Date, f64)>| match point {
            Some((date, value)) => json!({"date": date, "value": figure(*value, column.digits)}),
            None => Value::Null,
        };
        let half = points.len() / 2;
        let half_mean =
            |points: &[(Date, f64)]| figure_or_null(mean(points.iter().map(|(_, value)| *value)), digits);
        let (earlier, later) = points.split_at_checked(half).unwrap_or_default();
        let is_long = points.len() >= 6;
        object([
            ("of", json!(column.name)),
            (
                "mean",
                figure_or_null(mean(points.iter().map(|(_, value)| *value)), digits),
            ),
            (
                "lowest",
                extreme(points.iter().min_by(|a, b| a.1.total_cmp(&b.1))),
            ),
            (
                "highest",
                extreme(points.iter().max_by(|a, b| a.1.total_cmp(&b.1))),
            ),
            (
                "earlier_half_mean",
                if is_long { half_mean(earlier) } else { Value::Null },
            ),
            (
                "later_half_mean",
                if is_long { half_mean(later) } else { Value::Null },
            ),
            (
                "change_per_week",
                figure_or_null(
                    slope(&line).map(|slope| slope * 7.0).filter(|_| is_long),
                    digits + 1,
                ),
            ),
        ])
    }

    /// The columns, one value for each row of the division.
    fn table(&self, division: Division) -> Map<String, Value> {
        let rows = division.rows(self.period);
        let of_row = |row: &Rows| {
            let days = self.days.iter().filter(|(date, _)| row.hold(**date));
            days.map(|(_, values)| values).collect::<Vec<_>>()
        };
        let grouped: Vec<Vec<&DayValues>> = rows.iter().map(|(_, row)| of_row(row)).collect();
        let mut table = object(division.index(&rows));
        if division != Division::Day {
            let counts: Value = grouped.iter().map(Vec::len).collect();
            table.insert("days_with_data".to_owned(), counts);
        }
        for (index, column) in self.metric.columns.iter().enumerate() {
            let value = |days: &Vec<&DayValues>| {
                figure_or_null(
                    mean(days.iter().filter_map(|values| *values.get(index)?)),
                    column.digits,
                )
            };
            let values: Vec<Value> = grouped.iter().map(value).collect();
            if values.iter().any(|value| !value.is_null()) {
                table.insert(column.name.to_owned(), values.into());
            }
        }
        table
    }
}

/// How much each kind of event charged or drained the body battery, the largest drain first.
fn impacts(answers: &[&Value]) -> Value {
    let mut sums: BTreeMap<&str, (i64, f64, f64)> = BTreeMap::new();
    let days = answers.iter().filter_map(|answer| answer.as_array()).flatten();
    let events = days
        .filter_map(|day| day.get("bodyBatteryActivityEvent")?.as_array())
        .flatten();
    for event in events {
        let Some(kind) = at(event, "eventType").and_then(Value::as_str) else {
            continue;
        };
        let number = |key| at(event, key).and_then(Value::as_f64).unwrap_or(0.0);
        let (count, impact, minutes) = sums.entry(kind).or_default();
        *count += 1;
        *impact += number("bodyBatteryImpact");
        *minutes += number("durationInMilliseconds") / 60_000.0;
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by(|a, b| a.1.1.total_cmp(&b.1.1));
    sums.into_iter()
        .map(|(kind, (count, impact, minutes))| {
            json!({
                "event": kind.to_lowercase(),
                "count": count,
                "impact": figure(impact, 0),
                "per_hour": if minutes > 0.0 { figure(impact / minutes * 60.0, 1) } else { Value::Null },
            })
        })
        .collect()
}
