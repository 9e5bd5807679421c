//! The days of a metric, read from Garmin's answers for a period or from what the history keeps of them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::figures::{failed, mean, object};
use super::impacts::Impacts;
use super::metrics::{Column, Metric};
use super::period::{Period, gaps};
use crate::history::{KeptRow, KeptRows};
use crate::tools::answer::AnswerError;
use crate::tools::fields::{at, list, pick};
use crate::tools::garmin_get::FAILED;

/// A day's values of each column. Several measurements of a day are averaged.
pub(super) type DayValues = Vec<Option<f64>>;

/// The values of a metric, by day.
pub(super) struct Series {
    pub(super) metric: &'static Metric,
    pub(super) period: Period,
    pub(super) days: BTreeMap<Date, DayValues>,
    /// The newest row in Garmin's shape.
    newest: Option<(Date, Value)>,
    /// What the events of the days did, for a metric that has events.
    pub(super) impacts: Impacts,
    /// The parts of the period that Garmin did not give, with the reason.
    failed: Vec<(String, String)>,
}

impl Series {
    /// Reads Garmin's answers, one for each part of the period.
    pub(super) fn read(
        metric: &'static Metric,
        period: Period,
        answers: &[&Value],
    ) -> Result<Self, AnswerError> {
        let mut measured = MeasuredDays::default();
        let mut newest: Option<(Date, &Value)> = None;
        let mut impacts = Impacts::default();
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
                for row in rows {
                    let number = |path: &str| at(row, path)?.as_f64();
                    measured.add(date, values(metric, number));
                }
                let events = metric.events.and_then(|key| row.get(key)?.as_array());
                events.into_iter().flatten().for_each(|event| impacts.add(event));
                if newest.is_none_or(|(newest, _)| date >= newest) {
                    newest = Some((date, row));
                }
            }
        }
        Ok(Self {
            metric,
            period,
            days: measured.averaged(metric),
            newest: newest.map(|(date, row)| (date, row.clone())),
            impacts,
            failed,
        })
    }

    /// Reads what is kept of the period; `None` if not all of the metric is kept as columns.
    pub(super) fn of_kept(metric: &'static Metric, period: Period, kept: &KeptRows) -> Option<Self> {
        let place = |path: &str| kept.place(&format!("/{}", path.replace('.', "/")));
        if metric.nested.is_some() {
            return None;
        }
        let paths = metric.columns.iter().flat_map(Column::paths);
        let places: Option<Vec<(&str, usize)>> = paths.map(|path| Some((path, place(path)?))).collect();
        let places = places?;
        let number = |row: &KeptRow, path: &str| {
            let (_, place) = places.iter().find(|(known, _)| *known == path)?;
            row.number(*place)
        };
        let events = match metric.events {
            Some(key) => Some(place(key)?),
            None => None,
        };
        let mut measured = MeasuredDays::default();
        let mut impacts = Impacts::default();
        let mut newest: Option<&KeptRow> = None;
        for row in kept.rows() {
            measured.add(row.date, values(metric, |path| number(row, path)));
            if let Some(text) = events.and_then(|place| row.text(place)) {
                impacts.add_all(text);
            }
            if newest.is_none_or(|newest| row.date >= newest.date) {
                newest = Some(row);
            }
        }
        Some(Self {
            metric,
            period,
            days: measured.averaged(metric),
            newest: newest.map(|row| (row.date, kept.row_document(row))),
            impacts,
            failed: Vec::new(),
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

    /// Whether the values of a day can be compared with others: not today's, if they still grow.
    pub(super) fn is_over(&self, date: Date, today: Date) -> bool {
        !self.metric.grows || date < today
    }

    /// The values of the first column that can be compared.
    pub(super) fn comparable(&self, today: Date) -> Vec<(Date, f64)> {
        self.main()
            .filter(|(date, _)| self.is_over(*date, today))
            .collect()
    }

    /// How many days have values that can be compared.
    pub(super) fn days_over(&self, today: Date) -> usize {
        self.days
            .keys()
            .filter(|date| self.is_over(**date, today))
            .count()
    }

    /// Whether today has data that is not compared because the day is not over.
    pub(super) fn waits_for_today(&self, today: Date) -> bool {
        self.days.contains_key(&today) && !self.is_over(today, today)
    }

    pub(super) fn newest(&self) -> Option<&Value> {
        self.newest.as_ref().map(|(_, row)| row)
    }

    pub(super) fn latest(&self) -> Result<Map<String, Value>, AnswerError> {
        let newest = self.newest.as_ref().filter(|_| !self.metric.latest.is_empty());
        let Some((date, row)) = newest else {
            return Ok(Map::new());
        };
        let mut told = object([("date", json!(date))]);
        told.extend(pick(self.metric.latest, row)?);
        Ok(told)
    }

    /// The days that the figures of an answer rest on.
    pub(super) fn rests_on(&self, today: Date) -> Map<String, Value> {
        let (missing, shown) = gaps(self.period, |date| self.days.contains_key(&date), 6);
        let is_daily = self.metric.is_daily && missing > 0;
        object([
            ("days_with_data", json!(self.days_over(today))),
            (
                "days_without_data",
                if is_daily { json!(missing) } else { Value::Null },
            ),
            ("gaps", if is_daily { json!(shown) } else { Value::Null }),
            ("not_counted", self.not_counted(today)),
            ("failed", failed(self.failed.clone())),
        ])
    }

    /// Says that today is not among the days with data; `null` if it is, or has no data.
    fn not_counted(&self, today: Date) -> Value {
        if self.waits_for_today(today) {
            json!(format!("{today}: the day is not over"))
        } else {
            Value::Null
        }
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

/// The measurements of each day.
#[derive(Default)]
struct MeasuredDays(BTreeMap<Date, Vec<DayValues>>);

impl MeasuredDays {
    /// Adds a measurement, unless it has no value.
    fn add(&mut self, date: Date, values: DayValues) {
        if values.iter().any(Option::is_some) {
            self.0.entry(date).or_default().push(values);
        }
    }

    fn averaged(self, metric: &Metric) -> BTreeMap<Date, DayValues> {
        let columns = 0..metric.columns.len();
        let averaged = |rows: Vec<DayValues>| match <[DayValues; 1]>::try_from(rows) {
            Ok([only]) => only,
            Err(rows) => columns
                .clone()
                .map(|index| mean(rows.iter().filter_map(|values| *values.get(index)?)))
                .collect(),
        };
        self.0
            .into_iter()
            .map(|(date, rows)| (date, averaged(rows)))
            .collect()
    }
}

/// The values of the columns in one row. `number_at` reads the number at a path of the row.
fn values(metric: &Metric, number_at: impl Fn(&str) -> Option<f64>) -> DayValues {
    let number = |paths: &[&str]| paths.iter().find_map(|path| number_at(path));
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
