//! `get_training_overview`: readiness, load, recovery and training up to a day, and signs of overreaching.

use serde_json::{Map, Value, json};

use super::day_question::requests;
use super::effort::Effort;
use super::figures::{failed, figure, figure_or_null, mean, object};
use super::listing::{efforts, page};
use super::metrics::metric;
use super::period::{Period, date, of_date};
use super::series::Series;
use crate::tools::call::ToolCall;
use crate::tools::fields::{self, Field, at, fields, pick};
use crate::tools::garmin_get::{FAILED, GarminGet};
use crate::tools::table::{AnswerError, ToolAnswer};
use crate::tools::training::{STATUS_BY_DEVICE, of_primary_device};

/// The number of days that the day is compared with. Garmin gives this many in one answer.
const FOUR_WEEKS: i64 = 28;
const LISTED: usize = 200;

const READINESS: &[Field] = fields! {
    "score" <- "score";
    "level" <- "level";
    "feedback" <- "feedbackShort";
    "recovery_time_h" <- hours "recoveryTime";
    "sleep_score" <- "sleepScore";
    "acute_load" <- "acuteLoad";
};

const STATUS: &[Field] = fields! {
    "status" <- "trainingStatusFeedbackPhrase";
    "acute_load" <- "acuteTrainingLoadDTO.dailyTrainingLoadAcute";
    "chronic_load" <- "acuteTrainingLoadDTO.dailyTrainingLoadChronic";
    "load_ratio" <- "acuteTrainingLoadDTO.dailyAcuteChronicWorkloadRatio";
    "load_ratio_status" <- "acuteTrainingLoadDTO.acwrStatus";
};

fn period(call: &ToolCall) -> Period {
    Period::up_to(date(call), FOUR_WEEKS)
}

/// The metrics of which four weeks are read, in the order of the requests.
const SERIES: [&str; 3] = ["hrv", "resting_heart_rate", "sleep"];

pub(super) fn gets(call: &ToolCall) -> Vec<GarminGet> {
    let period = period(call);
    let mut gets = vec![
        of_date(call, "/metrics-service/metrics/trainingreadiness/{date}"),
        of_date(call, "/metrics-service/metrics/trainingstatus/aggregated/{date}"),
        page(period, "", 0, LISTED).optional(),
    ];
    let series = SERIES.iter().filter_map(|name| metric(name));
    gets.extend(series.flat_map(|metric| requests(metric, period)));
    gets
}

pub(super) fn overview(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let period = period(call);
    let [readiness, status, activities, series @ ..] = answers else {
        return Ok(ToolAnswer::Nothing);
    };
    let mut failures = Vec::new();
    let names = ["readiness", "training status", "activities"];
    for (name, answer) in names.into_iter().zip(answers) {
        if let Some(reason) = answer.get(FAILED).and_then(Value::as_str) {
            failures.push((name.to_owned(), reason.to_owned()));
        }
    }
    let mut read = Vec::new();
    for (name, answer) in SERIES.into_iter().zip(series) {
        let Some(metric) = metric(name) else { continue };
        let series = Series::read(metric, period, &[answer])?;
        if let Some(reason) = series.first_failure() {
            failures.push((name.to_owned(), reason.to_owned()));
        }
        read.push(series);
    }
    let [hrv, resting, sleep] = read.as_slice() else {
        return Ok(ToolAnswer::Nothing);
    };
    let training = if activities.get(FAILED).is_some() {
        Vec::new()
    } else {
        efforts(&[activities])?.0
    };
    let load = load(status);
    let signs = signs(&[
        load_sign(&load),
        above_usual("resting_bpm", &Recent::of(resting, period), 4.0),
        below_baseline(hrv),
        below_usual("sleep_h", &Recent::of(sleep, period), 0.75),
    ]);
    let entries = readiness.as_array().into_iter().flatten();
    let newest = fields::newest(entries, "timestampLocal")
        .map(|entry| pick(READINESS, entry))
        .transpose()?
        .unwrap_or_default();
    let mut told = object([
        ("readiness", newest.into()),
        ("training_status", load.into()),
        ("hrv_ms", hrv_told(hrv, period)?.into()),
        ("resting_bpm", Recent::of(resting, period).told(1).into()),
        ("sleep_h", Recent::of(sleep, period).told(1).into()),
        ("training", trained(&training, period).into()),
    ]);
    if told.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    told.shift_insert(0, "date".to_owned(), json!(period.last));
    told.insert("signs_of_overreaching".to_owned(), signs.into());
    let days = |series: &Series| series.main().count();
    told.insert(
        "rests_on".to_owned(),
        json!({
            "days": FOUR_WEEKS,
            "days_with_hrv": days(hrv),
            "days_with_resting_heart_rate": days(resting),
            "nights": days(sleep),
            "activities": training.len(),
        }),
    );
    told.extend(object([("failed", failed(failures))]));
    Ok(ToolAnswer::Json(told.into()))
}

fn load(status: &Value) -> Map<String, Value> {
    let device = of_primary_device(status, STATUS_BY_DEVICE);
    let mut told = device
        .and_then(|device| pick(STATUS, device).ok())
        .unwrap_or_default();
    if let Some(ratio) = told.get_mut("load_ratio") {
        *ratio = figure_or_null(ratio.as_f64(), 2);
    }
    let precise = ["vo2MaxPreciseValue", "vo2MaxValue"];
    for (name, sport) in [("vo2_max", "generic"), ("cycling_vo2_max", "cycling")] {
        let value = precise
            .iter()
            .find_map(|key| at(status, &format!("mostRecentVO2Max.{sport}.{key}"))?.as_f64());
        told.extend(value.map(|value| (name.to_owned(), figure(value, 1))));
    }
    told
}

/// The newest value of a metric against the last seven days and four weeks.
struct Recent {
    newest: Option<f64>,
    week: Option<f64>,
    four_weeks: Option<f64>,
}

impl Recent {
    fn of(series: &Series, period: Period) -> Self {
        let week = Period::up_to(period.last, 7);
        Self {
            newest: series
                .main()
                .find(|(date, _)| *date == period.last)
                .map(|(_, value)| value),
            week: mean(
                series
                    .main()
                    .filter(|(date, _)| *date >= week.first)
                    .map(|(_, value)| value),
            ),
            four_weeks: mean(series.main().map(|(_, value)| value)),
        }
    }

    fn told(&self, digits: usize) -> Map<String, Value> {
        object([
            ("on_this_day", figure_or_null(self.newest, digits)),
            ("mean_7_days", figure_or_null(self.week, digits)),
            ("mean_28_days", figure_or_null(self.four_weeks, digits)),
        ])
    }
}

/// The 7-day average and the lower edge of the baseline, from the newest night that has both.
fn baseline(hrv: &Series) -> Option<(f64, f64)> {
    let newest = hrv.newest()?;
    let number = |path: &str| at(newest, path)?.as_f64();
    Some((number("weeklyAvg")?, number("baseline.balancedLow")?))
}

fn hrv_told(hrv: &Series, period: Period) -> Result<Map<String, Value>, AnswerError> {
    let mut told = Recent::of(hrv, period).told(0);
    told.extend(hrv.latest()?);
    Ok(told)
}

fn trained(efforts: &[Effort], period: Period) -> Map<String, Value> {
    let week = Period::up_to(period.last, 7);
    let sum = |of: &dyn Fn(&Effort) -> f64, since| {
        efforts
            .iter()
            .filter(|effort| effort.date() >= since)
            .map(of)
            .sum::<f64>()
    };
    let weeks = FOUR_WEEKS as f64 / 7.0;
    let pair = |of: &dyn Fn(&Effort) -> f64, digits| {
        json!({
            "last_7_days": figure(sum(of, week.first), digits),
            "mean_week_of_28_days": figure(sum(of, period.first) / weeks, digits),
        })
    };
    if efforts.is_empty() {
        return Map::new();
    }
    object([
        ("hours", pair(&|effort| effort.duration_s / 3_600.0, 1)),
        ("km", pair(&|effort| effort.distance_m / 1_000.0, 1)),
        ("load", pair(&|effort| effort.load.unwrap_or(0.0), 0)),
        ("activities", pair(&|_| 1.0, 1)),
        (
            "newest",
            efforts
                .first()
                .map_or(Value::Null, |effort| newest(effort).into()),
        ),
    ])
}

/// The newest activity. It has no name if it comes from a history.
fn newest(effort: &Effort) -> Map<String, Value> {
    let name = Some(&effort.name).filter(|name| !name.is_empty());
    object([
        ("activity_id", json!(effort.id)),
        ("name", json!(name)),
        ("start", json!(effort.start_text())),
    ])
}

/// A sign: whether it is there, and the figures. `None` when Garmin gave no figures.
type Sign = Option<(bool, String)>;

fn signs(signs: &[Sign]) -> Map<String, Value> {
    let those = |there: bool| {
        signs
            .iter()
            .flatten()
            .filter(|(is_there, _)| *is_there == there)
            .map(|(_, text)| json!(text))
            .collect::<Vec<_>>()
    };
    let unknown = signs.iter().filter(|sign| sign.is_none()).count();
    let mut told = Map::new();
    told.insert("found".to_owned(), those(true).into());
    told.insert("not_found".to_owned(), those(false).into());
    if unknown > 0 {
        told.insert("without_data".to_owned(), json!(unknown));
    }
    told
}

fn load_sign(load: &Map<String, Value>) -> Sign {
    let ratio = load.get("load_ratio")?.as_f64()?;
    Some((
        ratio > 1.5,
        format!("load ratio {ratio} (above 1.5 is much more than usual)"),
    ))
}

fn above_usual(name: &str, recent: &Recent, by: f64) -> Sign {
    let (week, usual) = recent.week.zip(recent.four_weeks)?;
    let text = format!("{name} {week:.1} over 7 days, {usual:.1} over 28 ({by} more is a sign)");
    Some((week - usual >= by, text))
}

fn below_usual(name: &str, recent: &Recent, by: f64) -> Sign {
    let (week, usual) = recent.week.zip(recent.four_weeks)?;
    let text = format!("{name} {week:.1} over 7 days, {usual:.1} over 28 ({by} less is a sign)");
    Some((usual - week >= by, text))
}

fn below_baseline(hrv: &Series) -> Sign {
    let (week, low) = baseline(hrv)?;
    Some((
        week < low,
        format!("HRV {week:.0} ms over 7 days, baseline from {low:.0} ms"),
    ))
}
