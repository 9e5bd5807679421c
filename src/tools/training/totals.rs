//! `get_progress_summary_between_dates`: the totals of one metric by type of activity.
//!
//! Garmin sums lengths up in centimetres and times in milliseconds. The answer has meters and seconds.

use serde_json::{Map, Value, json};

use crate::tools::answer::{AnswerError, ToolAnswer};
use crate::tools::call::ToolCall;
use crate::tools::fields::{at, list};
use crate::tools::json::rounded;

/// The metrics whose unit at Garmin is known.
pub(super) const METRICS: &[&str] = &["distance", "duration", "movingDuration", "elevationGain"];

/// The unit of a metric in the answer, and how many of Garmin's units it has.
fn unit(metric: &str) -> (&'static str, f64) {
    if metric.ends_with("uration") {
        ("seconds", 1_000.0)
    } else {
        ("meters", 100.0)
    }
}

pub(super) fn totals(call: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let Some(summary) = list(document, "")?.first() else {
        return Ok(ToolAnswer::Nothing);
    };
    let metric = call.text("metric");
    let (unit, divisor) = unit(&metric);
    let of_type = |(kind, stats): (&String, &Value)| {
        let stats = stats.get(&metric)?;
        let count = stats.get("count")?.as_i64().filter(|count| *count > 0)?;
        let mut told = Map::from_iter([("count".to_owned(), json!(count))]);
        for key in ["sum", "avg", "min", "max"] {
            let value = stats.get(key).map(|value| {
                value
                    .as_f64()
                    .map_or(Value::Null, |value| rounded(value / divisor, 2))
            });
            told.extend(value.map(|value| (key.to_owned(), value)));
        }
        Some((kind.clone(), Value::Object(told)))
    };
    let stats = at(summary, "stats").and_then(Value::as_object);
    let by_type: Map<String, Value> = stats.into_iter().flatten().filter_map(of_type).collect();
    let mut told = Map::from_iter([
        ("metric".to_owned(), json!(metric)),
        ("unit".to_owned(), json!(unit)),
    ]);
    for key in ["start_date", "end_date"] {
        told.insert(key.to_owned(), json!(call.text(key)));
    }
    for (key, from) in [("date", "date"), ("count_of_activities", "countOfActivities")] {
        told.extend(at(summary, from).map(|value| (key.to_owned(), value.clone())));
    }
    told.insert("stats_by_activity_type".to_owned(), by_type.into());
    Ok(ToolAnswer::object(told))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::tools::training::TOOLS;

    fn told(metric: &str) -> Result<Value, String> {
        let tool = TOOLS
            .iter()
            .find(|tool| tool.name == "get_progress_summary_between_dates")
            .unwrap();
        let noon = date(2026, 1, 31).at(12, 0, 0, 0).in_tz("UTC").unwrap();
        let arguments = json!({"start_date": "-30d", "end_date": "today", "metric": metric});
        let call = ToolCall::check(tool.parameters, arguments.as_object().unwrap(), &noon)
            .map_err(|mistakes| mistakes.to_string())?;
        let sums = |sum: f64| json!({"count": 2, "sum": sum, "avg": sum / 2.0, "min": 0.0, "max": sum});
        let garmin = json!([{"stats": {"running": {
            "distance": sums(1_234_567.0), "duration": sums(3_600_000.0), "movingDuration": sums(3_500_000.0),
            "elevationGain": sums(45_678.0),
        }}}]);
        match totals(&call, &garmin) {
            Ok(ToolAnswer::Json(told)) => Ok(told),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_metric_has_its_unit() {
        for (metric, unit, sum) in [
            ("distance", "meters", 12_345.67),
            ("duration", "seconds", 3_600.0),
            ("movingDuration", "seconds", 3_500.0),
            ("elevationGain", "meters", 456.78),
        ] {
            let told = told(metric).unwrap();
            assert_eq!(told["unit"], unit, "{metric}");
            assert_eq!(told["stats_by_activity_type"]["running"]["sum"], sum, "{metric}");
        }
        let refused = told("calories").unwrap_err();
        assert!(refused.contains("movingDuration"), "{refused}");
    }
}
