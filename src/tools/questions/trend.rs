//! `get_trend`: one metric over a period, by day, week, month or weekday.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::figures::{failed, figure, figure_or_null, mean, object, slope};
use super::metrics::{Column, Metric, metric};
use super::period::{Division, Period, Rows, gaps};
use crate::tools::call::ToolCall;
use crate::tools::fields::{at, list, pick};
use crate::tools::garmin_get::{FAILED, GarminGet};
use crate::tools::table::{AnswerError, ToolAnswer};

/// A day's values of each column. Several measurements of a day are averaged.
type DayValues = Vec<Option<f64>>;

/// One request for each part of the period. An invalid period has none, and [`trend`] reports it.
pub(super) fn requests(metric: &Metric, period: Period) -> Vec<GarminGet> {
    period
        .windows(metric.window)
        .map(|part| {
            let value = |name: &str| match name {
                "from" => part.first.to_string(),
                "to" => part.last.to_string(),
                _ => String::new(),
            };
            GarminGet::of(metric.path, value).optional()
        })
        .collect()
}

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

/// The values of a metric, by day.
pub(super) struct Series<'a> {
    metric: &'static Metric,
    period: Period,
    days: BTreeMap<Date, DayValues>,
    /// The newest row as Garmin sent it.
    newest: Option<(Date, &'a Value)>,
    /// The parts of the period that Garmin did not give, with the reason.
    failed: Vec<(String, String)>,
}

impl<'a> Series<'a> {
    /// Reads Garmin's answers to [`requests`].
    pub(super) fn read(
        metric: &'static Metric,
        period: Period,
        answers: &[&'a Value],
    ) -> Result<Self, AnswerError> {
        let mut measured: BTreeMap<Date, Vec<DayValues>> = BTreeMap::new();
        let mut newest: Option<(Date, &Value)> = None;
        let mut failed = Vec::new();
        for (part, answer) in period.windows(metric.window).zip(answers) {
            if let Some(reason) = answer.get(FAILED) {
                failed.push((part.to_string(), reason.as_str().unwrap_or_default().to_owned()));
                continue;
            }
            for row in list(answer, metric.rows)? {
                let date = metric
                    .date
                    .iter()
                    .find_map(|path| at(row, path)?.as_str()?.get(..10));
                let Some(date) = date.and_then(|date| date.parse::<Date>().ok()) else {
                    continue;
                };
                let rows = match metric.nested {
                    Some(key) => list(row, key)?,
                    None => std::slice::from_ref(row),
                };
                let values = rows.iter().map(|row| values(metric, row));
                let values = values.filter(|values| values.iter().any(Option::is_some));
                measured.entry(date).or_default().extend(values);
                if newest.is_none_or(|(newest, _)| date >= newest) {
                    newest = Some((date, row));
                }
            }
        }
        measured.retain(|_, rows| !rows.is_empty());
        let days = measured
            .into_iter()
            .map(|(date, rows)| (date, averaged(metric.columns.len(), &rows)))
            .collect();
        Ok(Self {
            metric,
            period,
            days,
            newest,
            failed,
        })
    }

    /// The values of the metric's first column, by day.
    pub(super) fn main(&self) -> impl Iterator<Item = (Date, f64)> {
        self.days
            .iter()
            .filter_map(|(date, values)| Some((*date, (*values.first()?)?)))
    }

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

    pub(super) fn newest(&self) -> Option<(Date, &'a Value)> {
        self.newest
    }

    pub(super) fn latest(&self) -> Result<Map<String, Value>, AnswerError> {
        let Some((date, row)) = self.newest.filter(|_| !self.metric.latest.is_empty()) else {
            return Ok(Map::new());
        };
        let mut told = object([("date", json!(date))]);
        told.extend(pick(self.metric.latest, row)?);
        Ok(told)
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

    fn rests_on(&self) -> Map<String, Value> {
        let (missing, shown) = gaps(self.period, |date| self.days.contains_key(&date), 6);
        let is_daily = self.metric.is_daily && missing > 0;
        object([
            ("days_with_data", json!(self.days.len())),
            (
                "days_without_data",
                if is_daily { json!(missing) } else { Value::Null },
            ),
            ("gaps", if is_daily { json!(shown) } else { Value::Null }),
            ("failed", failed(self.failed.clone())),
        ])
    }

    pub(super) fn first_failure(&self) -> Option<&str> {
        self.failed.first().map(|(_, reason)| reason.as_str())
    }
}

fn values(metric: &Metric, row: &Value) -> DayValues {
    let number = |paths: &[&str]| paths.iter().find_map(|path| at(row, path)?.as_f64());
    let value = |column: &Column| {
        let value = number(column.from)?;
        match column.reached {
            None => Some(value / column.divisor),
            Some(goal) => {
                let goal = number(&[goal]).filter(|goal| *goal > 0.0)?;
                Some(if value >= goal { 100.0 } else { 0.0 })
            }
        }
    };
    metric.columns.iter().map(value).collect()
}

fn averaged(columns: usize, rows: &[DayValues]) -> DayValues {
    (0..columns)
        .map(|index| mean(rows.iter().filter_map(|values| *values.get(index)?)))
        .collect()
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
