//! Endurance score, VO2 max and the balance of training load: tools of garmin_mcp's module `training`.

use serde_json::{Map, Value, json};

use super::call::ToolCall;
use super::fields::{Changed, Field, at, fields, list, pick};
use super::garmin_get::{FAILED, GarminGet};
use super::json::{is_empty, rounded};
use super::parameter::Parameter;
use super::table::{AnswerError, AnswerShape, GarminQuery, Tool, ToolAnswer};
use super::training::{LOAD_BALANCE_BY_DEVICE, of_primary_device};

const START: Parameter = Parameter::day("start_date", "First day: YYYY-MM-DD, -30d or this month");
const STATUS: &str = "/metrics-service/metrics/trainingstatus/aggregated/";

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "get_endurance_score",
        about: "Endurance score: the current one with its class and the limits of the classes, each week of a range, and how much each sport contributes.",
        parameters: &[
            START,
            Parameter::day("end_date", "Last day: YYYY-MM-DD, today or this week").may_be_future(),
        ],
        ask: GarminQuery::Made(|call| {
            vec![
                call.get(
                    "/metrics-service/metrics/endurancescore/stats?startDate={start_date}&endDate={end_date}&aggregation=weekly",
                ),
                GarminGet::plain("/activity-service/activity/activityTypes").optional(),
            ]
        }),
        tell: AnswerShape::Made(endurance),
        nothing: "No endurance score data found between {start_date} and {end_date}.",
        failing: "Error retrieving endurance score data",
    },
    Tool {
        name: "get_vo2max_trend",
        about: "VO2 max in a range of at most 366 days: each measurement of the main sport, the first, the latest and the change.",
        parameters: &[
            START,
            Parameter::last_day(
                "end_date",
                "Last day: YYYY-MM-DD, today or this week; at most 366 days in all",
                366,
            ),
        ],
        ask: GarminQuery::Steps(vo2max_step),
        tell: AnswerShape::Made(vo2max),
        nothing: "No VO2 max data found between {start_date} and {end_date}.",
        failing: "Error retrieving VO2 max trend",
    },
    Tool {
        name: "get_training_load_balance",
        about: "The training load of four weeks by intensity (low aerobic, high aerobic, anaerobic) against the targets of each.",
        parameters: &[Parameter::day(
            "date",
            "The day: YYYY-MM-DD, today, yesterday or -7d",
        )],
        ask: GarminQuery::Get("/metrics-service/metrics/trainingstatus/aggregated/{date}"),
        tell: AnswerShape::Shaped(load_balance),
        nothing: "No training load balance data found for {date}.",
        failing: "Error retrieving training load balance",
    },
];

const CURRENT: &[Field] = fields! {
    "current_score" <- "overallScore";
    "current_date" <- "calendarDate";
};
const THRESHOLDS: &[Field] = fields! {
    "intermediate" <- "classificationLowerLimitIntermediate";
    "trained" <- "classificationLowerLimitTrained";
    "well_trained" <- "classificationLowerLimitWellTrained";
    "expert" <- "classificationLowerLimitExpert";
    "superior" <- "classificationLowerLimitSuperior";
    "elite" <- "classificationLowerLimitElite";
};
const WEEK: &[Field] = fields! {
    "avg_score" <- "groupAverage";
    "max_score" <- "groupMax";
};
const CLASSES: [&str; 7] = [
    "recreational",
    "intermediate",
    "trained",
    "well_trained",
    "expert",
    "superior",
    "elite",
];

fn endurance(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let document = answers.first().copied().unwrap_or(&Value::Null);
    if is_empty(document) {
        return Ok(ToolAnswer::Nothing);
    }
    let types = answers
        .get(1)
        .and_then(|types| types.as_array())
        .map_or(&[][..], Vec::as_slice);
    let mut told = Map::new();
    let mut put = |key: &str, value: Value| drop(told.insert(key.to_owned(), value));
    put("start_date", json!(call.text("start_date")));
    put("end_date", json!(call.text("end_date")));
    for (key, from) in [("period_avg_score", "avg"), ("period_max_score", "max")] {
        if let Some(value) = at(document, from) {
            put(key, value.clone());
        }
    }
    if let Some(current) = at(document, "enduranceScoreDTO") {
        for (key, value) in pick(CURRENT, current)? {
            put(&key, value);
        }
        if let Some(id) = at(current, "classification") {
            let class = id
                .as_u64()
                .and_then(|id| usize::try_from(id).ok()?.checked_sub(1));
            let class = class.and_then(|index| CLASSES.get(index));
            put(
                "classification",
                json!(class.map_or_else(|| format!("level_{id}"), |class| (*class).to_owned())),
            );
            put("classification_id", id.clone());
        }
        let thresholds = pick(THRESHOLDS, current).unwrap_or_default();
        if !thresholds.is_empty() {
            put("thresholds", thresholds.into());
        }
        if let Some(contributors) = contributors(current, "contributors", types) {
            put("contributors", contributors);
        }
    }
    let mut weeks: Vec<_> = at(document, "groupMap")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .collect();
    weeks.sort_by_key(|(week, _)| *week);
    let week = |(start, week): (&String, &Value)| {
        let mut told = pick(WEEK, week).unwrap_or_default();
        told.shift_insert(0, "week_start".to_owned(), json!(start));
        if let Some(contributors) = contributors(week, "enduranceContributorDTOList", types) {
            told.insert("contributors".to_owned(), contributors);
        }
        Value::Object(told)
    };
    put("weekly_breakdown", weeks.into_iter().map(week).collect());
    Ok(ToolAnswer::object(told))
}

/// The share of each sport, or of a group of sports. What the groups stand for is an estimate, so garmin_mcp adds a
/// question mark.
fn contributors(document: &Value, key: &str, types: &[Value]) -> Option<Value> {
    let told = |contributor: &Value| {
        let mut told = Map::new();
        let share = at(contributor, "contribution").and_then(Value::as_f64);
        if let Some(share) = share.filter(|share| *share != 0.0) {
            told.insert("contribution_percent".to_owned(), rounded(share, 2));
        }
        if let Some(id) = at(contributor, "activityTypeId") {
            let known = types.iter().find(|known| known.get("typeId") == Some(id));
            let name = known.and_then(|known| known.get("typeKey")?.as_str());
            let name = name.map_or_else(|| format!("unknown_{id}"), str::to_owned);
            told.insert("activity_type".to_owned(), json!(name));
            told.insert("activity_type_id".to_owned(), id.clone());
        } else if let Some(group) = at(contributor, "group") {
            let name = match group.as_i64() {
                Some(0) => "running (?)".to_owned(),
                Some(1) => "biking (?)".to_owned(),
                Some(8) => "Other Activities".to_owned(),
                _ => format!("group_{group}"),
            };
            told.insert("group".to_owned(), json!(name));
        }
        Value::Object(told)
    };
    Some(at(document, key)?.as_array()?.iter().map(told).collect())
}

/// A VO2 max that Garmin measured on a day.
#[derive(Debug, Clone, PartialEq)]
struct Measured {
    date: String,
    vo2_max: f64,
}

const SPORTS: [(&str, &str); 2] = [("running", "generic"), ("cycling", "cycling")];

/// Requests the whole history at once. Garmin keeps none for some watches. Each day's training status is then requested
/// instead, but only if the last day's status has a value at all.
fn vo2max_step(call: &ToolCall, answers: &[&Value]) -> Vec<GarminGet> {
    const MOST_SINGLE_DAYS: usize = 90;
    match answers {
        [] => vec![
            call.get("/metrics-service/metrics/maxmet/daily/{start_date}/{end_date}")
                .optional(),
            call.get(&format!("{STATUS}{{end_date}}")).optional(),
        ],
        [history, last]
            if measured(&[history]).iter().all(Vec::is_empty)
                && of_status(last).iter().any(Option::is_some) =>
        {
            let days = call.each_day(&format!("{STATUS}{{day}}"));
            let skipped = days.len().saturating_sub(MOST_SINGLE_DAYS);
            days.into_iter().skip(skipped).collect()
        }
        _ => vec![],
    }
}

/// The measurements in Garmin's history, for each of [`SPORTS`].
fn measured(history: &[&Value]) -> [Vec<Measured>; 2] {
    let entries = history.iter().filter_map(|history| history.as_array()).flatten();
    let entries: Vec<&Value> = entries.collect();
    SPORTS.map(|(_, key)| {
        entries
            .iter()
            .filter_map(|entry| measurement(entry.get(key)?))
            .collect()
    })
}

/// The measurements that a day's training status refers to, which may be older than the day.
fn of_status(status: &Value) -> [Option<Measured>; 2] {
    SPORTS.map(|(_, key)| measurement(at(status, "mostRecentVO2Max")?.get(key)?))
}

fn measurement(entry: &Value) -> Option<Measured> {
    let vo2_max = at(entry, "vo2MaxPreciseValue").or_else(|| at(entry, "vo2MaxValue"))?;
    Some(Measured {
        date: at(entry, "calendarDate")?.as_str()?.to_owned(),
        vo2_max: vo2_max.as_f64()?,
    })
}

fn vo2max(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let (start, end) = (call.text("start_date"), call.text("end_date"));
    if let Some(history) = answers.first().filter(|history| history.get(FAILED).is_none()) {
        list(history, "")?;
    }
    let mut sports = measured(answers.get(..1).unwrap_or_default());
    let has_history = sports.iter().any(|sport| !sport.is_empty());
    if !has_history {
        for status in answers.iter().skip(1) {
            for (sport, found) in sports.iter_mut().zip(of_status(status)) {
                sport.extend(found);
            }
        }
    }
    for sport in &mut sports {
        sport.sort_by(|a, b| a.date.cmp(&b.date));
        sport.dedup_by(|later, kept| later.date == kept.date);
    }
    let newest = |sport: &[Measured]| sport.last().cloned();
    let [running, cycling] = &sports;
    let (name, all, other_name, other) = if cycling.len() > running.len() {
        ("cycling", cycling, "running", running)
    } else {
        ("running", running, "cycling", cycling)
    };
    let in_range: Vec<&Measured> = all
        .iter()
        .filter(|one| start <= one.date && one.date <= end)
        .collect();
    let mut told =
        json!({"start_date": start, "end_date": end, "sport": name, "data_points": in_range.len()});
    let Some(members) = told.as_object_mut() else {
        return Ok(ToolAnswer::Nothing);
    };
    let value = |vo2_max: f64| rounded(vo2_max, 1);
    if let (Some(first), Some(latest)) = (in_range.first(), in_range.last()) {
        let trend: Vec<Value> = in_range
            .iter()
            .map(|one| json!({"date": one.date, "vo2_max": value(one.vo2_max)}))
            .collect();
        members.insert("first_vo2_max".to_owned(), value(first.vo2_max));
        members.insert("latest_vo2_max".to_owned(), value(latest.vo2_max));
        members.insert("change".to_owned(), value(latest.vo2_max - first.vo2_max));
        members.insert("trend".to_owned(), trend.into());
    } else if let Some(last) = newest(all) {
        let older = json!({"date": last.date, "vo2_max": value(last.vo2_max)});
        members.insert("last_measured".to_owned(), older);
        members.insert(
            "note".to_owned(),
            json!("No measurement in this range; last_measured is older."),
        );
    } else {
        return Ok(ToolAnswer::Nothing);
    }
    if let Some(last) = newest(other) {
        let also = json!({"sport": other_name, "date": last.date, "vo2_max": value(last.vo2_max)});
        members.insert("other_sport".to_owned(), also);
    }
    let failed = answers
        .iter()
        .skip(2)
        .filter(|answer| answer.get(FAILED).is_some())
        .count();
    if failed > 0 {
        members.insert("failed_days".to_owned(), json!(failed));
    }
    Ok(ToolAnswer::Json(told))
}

const BANDS: [(&str, &str); 3] = [
    ("aerobic_low", "monthlyLoadAerobicLow"),
    ("aerobic_high", "monthlyLoadAerobicHigh"),
    ("anaerobic", "monthlyLoadAnaerobic"),
];

fn load_balance(call: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    if !document.is_object() {
        return Err(Changed {
            path: "$".to_owned(),
            expected: "an object",
        }
        .into());
    }
    let Some(device) = of_primary_device(document, LOAD_BALANCE_BY_DEVICE) else {
        return Ok(ToolAnswer::Nothing);
    };
    let mut told = Map::new();
    let date = at(device, "calendarDate")
        .cloned()
        .unwrap_or_else(|| json!(call.text("date")));
    told.insert("date".to_owned(), date);
    if let Some(feedback) = at(device, "trainingBalanceFeedbackPhrase") {
        told.insert("feedback".to_owned(), feedback.clone());
    }
    for (key, from) in BANDS {
        let number = |suffix: &str| at(device, &format!("{from}{suffix}")).and_then(Value::as_f64);
        let (load, min, max) = (number(""), number("TargetMin"), number("TargetMax"));
        let mut band = Map::new();
        band.extend(load.map(|load| ("load".to_owned(), rounded(load, 1))));
        band.extend(min.map(|min| ("target_min".to_owned(), json!(min))));
        band.extend(max.map(|max| ("target_max".to_owned(), json!(max))));
        if let (Some(load), Some(min), Some(max)) = (load, min, max) {
            let status = if load < min {
                "below"
            } else if load > max {
                "above"
            } else {
                "within"
            };
            band.insert("status".to_owned(), json!(status));
        }
        if !band.is_empty() {
            told.insert(key.to_owned(), band.into());
        }
    }
    let has_bands = BANDS.iter().any(|(key, _)| told.contains_key(*key));
    Ok(if has_bands {
        ToolAnswer::Json(told.into())
    } else {
        ToolAnswer::Nothing
    })
}
