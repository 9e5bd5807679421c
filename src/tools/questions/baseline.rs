//! `baseline`: what is usual for this person, and where the last days are against it.

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::day_question::{AskedMetric, DayQuestion};
use super::figures::{figure, mean, object};
use super::metrics::metric;
use super::period::{Period, date};
use super::series::Series;
use super::usual::{BAND, LEAST_DAYS, Usual, position, with_reference};
use crate::tools::answer::{AnswerError, ToolAnswer};
use crate::tools::call::ToolCall;

const WEEK: i64 = 7;

fn period(call: &ToolCall) -> Period {
    with_reference(Period::up_to(date(call), 1))
}

pub(super) const BASELINE: DayQuestion = DayQuestion {
    asked,
    tell: baseline,
};

#[expect(
    clippy::unnecessary_wraps,
    reason = "other questions can refuse their arguments"
)]
fn asked(call: &ToolCall) -> Result<Vec<AskedMetric>, AnswerError> {
    Ok(metric(&call.text("metric"))
        .map(|metric| (metric, period(call)))
        .into_iter()
        .collect())
}

fn baseline(call: &ToolCall, all: &[Series]) -> Result<ToolAnswer, AnswerError> {
    let [series] = all else {
        return Ok(ToolAnswer::Nothing);
    };
    let (metric, date) = (series.metric, date(call));
    let Some(column) = metric.columns.first() else {
        return Ok(ToolAnswer::Nothing);
    };
    let points = series.comparable(call.today);
    let usual = Usual::before(date, &points, metric);
    let mut told = object([
        ("metric", json!(metric.name)),
        ("of", json!(column.name)),
        ("date", json!(date)),
    ]);
    let Some(usual) = usual else {
        if points.is_empty() && series.failures().next().is_none() {
            return Ok(ToolAnswer::Nothing);
        }
        let why = format!("at least {LEAST_DAYS} days with data before {date} are needed");
        told.insert("no_baseline".to_owned(), json!(why));
        told.insert("rests_on".to_owned(), series.rests_on(call.today).into());
        return Ok(ToolAnswer::Json(told.into()));
    };
    let digits = column.digits;
    let mut band = usual.band(digits);
    band.extend(object([
        ("usual_median", figure(usual.middle, digits)),
        ("days", json!(usual.days)),
    ]));
    told.insert("usual".to_owned(), band.into());
    let week = Period::up_to(date, WEEK);
    let recent: Vec<(Date, f64)> = points.into_iter().filter(|(day, _)| *day >= week.first).collect();
    let average = mean(recent.iter().map(|(_, value)| *value));
    told.extend(object([
        (
            "last_7_days",
            average.map_or(Value::Null, |average| {
                let mut told = against(&usual, average, digits.max(1));
                told.insert("days".to_owned(), json!(recent.len()));
                told.into()
            }),
        ),
        (
            "latest",
            recent.last().map_or(Value::Null, |(day, value)| {
                let mut told = against(&usual, *value, digits);
                told.shift_insert(0, "date".to_owned(), json!(day));
                told.into()
            }),
        ),
        ("days_outside_in_a_row", json!(outside(&usual, &recent))),
        ("garmin", series.latest()?.into()),
    ]));
    told.insert("rests_on".to_owned(), series.rests_on(call.today).into());
    Ok(ToolAnswer::Json(told.into()))
}

fn against(usual: &Usual, value: f64, digits: usize) -> Map<String, Value> {
    let deviation = usual.deviation(value);
    object([
        ("value", figure(value, digits)),
        ("is", position(deviation)),
        ("deviation_in_spreads", figure(deviation, 1)),
    ])
}

/// How many of the newest days in a row are outside the band on the same side.
fn outside(usual: &Usual, recent: &[(Date, f64)]) -> usize {
    let side = |value: f64| {
        let deviation = usual.deviation(value);
        (deviation.abs() > BAND).then(|| deviation.is_sign_positive())
    };
    let newest = recent.last().and_then(|(_, value)| side(*value));
    recent
        .iter()
        .rev()
        .take_while(|(_, value)| newest.is_some() && side(*value) == newest)
        .count()
}
