//! `get_trend`: one metric over a period, by day, week, month or weekday.

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::day_question::{AskedMetric, DayQuestion};
use super::figures::{figure, figure_or_null, mean, object, slope};
use super::metrics::metric;
use super::period::{Division, Period, Rows};
use super::series::{DayValues, Series};
use crate::tools::answer::{AnswerError, ToolAnswer};
use crate::tools::call::ToolCall;

pub(super) const TREND: DayQuestion = DayQuestion { asked, tell: trend };

fn asked(call: &ToolCall) -> Result<Vec<AskedMetric>, AnswerError> {
    let period = Period::of(call)?;
    Ok(metric(&call.text("metric"))
        .map(|metric| (metric, period))
        .into_iter()
        .collect())
}

fn trend(call: &ToolCall, all: &[Series]) -> Result<ToolAnswer, AnswerError> {
    let [series] = all else {
        return Ok(ToolAnswer::Nothing);
    };
    let (metric, period) = (series.metric, series.period);
    if series.days.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    let division = Division::of(call, period);
    let mut told = Map::new();
    told.insert("metric".to_owned(), json!(metric.name));
    told.insert("range".to_owned(), period.told());
    told.insert("summary".to_owned(), series.summary(call.today).into());
    told.extend(object([("latest", series.latest()?.into())]));
    if metric.events.is_some() {
        told.extend(object([("impact_by_event", series.impacts.told())]));
    }
    told.insert("series".to_owned(), series.table(division, call.today).into());
    told.insert("rests_on".to_owned(), series.rests_on(call.today).into());
    Ok(ToolAnswer::Json(told.into()))
}

impl Series {
    fn summary(&self, today: Date) -> Map<String, Value> {
        let Some(column) = self.metric.columns.first() else {
            return Map::new();
        };
        let digits = column.digits.max(1);
        let points: Vec<(Date, f64)> = self.comparable(today);
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

    /// The columns, one value for each row of the division. A day that is not over has a row, but is not in a mean.
    fn table(&self, division: Division, today: Date) -> Map<String, Value> {
        let rows = division.rows(self.period);
        let of_row = |row: &Rows| {
            let days = self.days.iter().filter(|(date, _)| {
                row.hold(**date) && (division == Division::Day || self.is_over(**date, today))
            });
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
