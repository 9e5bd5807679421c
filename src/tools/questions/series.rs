//! The days of a metric, read from Garmin's answers for a period.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::figures::{failed, mean, object};
use super::metrics::{Column, Metric};
use super::period::{Period, gaps};
use crate::tools::fields::{at, list, pick};
use crate::tools::garmin_get::{FAILED, GarminGet};
use crate::tools::table::AnswerError;

/// A day's values of each column. Several measurements of a day are averaged.
pub(super) type DayValues = Vec<Option<f64>>;

/// One request for each part of the period. An invalid period has none, and the tool reports it.
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

/// A metric, and the days of it that a tool asks for.
pub(super) type AskedMetric = (&'static Metric, Period);

/// The requests for several metrics.
pub(super) fn requests_of(asked: &[AskedMetric]) -> Vec<GarminGet> {
    asked
        .iter()
        .flat_map(|(metric, period)| requests(metric, *period))
        .collect()
}

/// Reads Garmin's answers to [`requests_of`].
pub(super) fn read_all<'a>(
    asked: &[AskedMetric],
    mut answers: &[&'a Value],
) -> Result<Vec<Series<'a>>, AnswerError> {
    asked
        .iter()
        .map(|(metric, period)| {
            let parts = period.windows(metric.window).count();
            let (own, rest) = answers.split_at_checked(parts).unwrap_or((answers, &[]));
            answers = rest;
            Series::read(metric, *period, own)
        })
        .collect()
}

/// The values of a metric, by day.
pub(super) struct Series<'a> {
    pub(super) metric: &'static Metric,
    pub(super) period: Period,
    pub(super) days: BTreeMap<Date, DayValues>,
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

    /// The values of one column, by day.
    pub(super) fn column(&self, index: usize) -> impl Iterator<Item = (Date, f64)> {
        self.days
            .iter()
            .filter_map(move |(date, values)| Some((*date, (*values.get(index)?)?)))
    }

    /// The values of the metric's first column, by day.
    pub(super) fn main(&self) -> impl Iterator<Item = (Date, f64)> {
        self.column(0)
    }

    /// The values of the first column that can be compared: without today's, if it still grows.
    pub(super) fn comparable(&self, today: Date) -> Vec<(Date, f64)> {
        self.main()
            .filter(|(date, _)| !self.metric.grows || *date < today)
            .collect()
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

    pub(super) fn rests_on(&self) -> Map<String, Value> {
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

    /// The parts that Garmin did not give, each with the metric.
    pub(super) fn failures(&self) -> impl Iterator<Item = (String, String)> {
        self.failed
            .iter()
            .map(|(part, reason)| (format!("{} {part}", self.metric.name), reason.clone()))
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
