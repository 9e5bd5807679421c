//! Answers questions from the documents in a person's history instead of fresh ones from Garmin.

use jiff::Zoned;
use serde_json::{Map, Value, json};

use super::call::ToolCall;
use super::garmin_get::{FAILED, GarminGet};
use super::server::MOST_ROUNDS;
use super::table::{NextStep, Tool, ToolAnswer};
use crate::history::KeptRows;

/// The questions whose documents are all kept.
const ANSWERED: [&str; 7] = [
    "get_trend",
    "find_unusual",
    "baseline",
    "compare_periods",
    "correlate",
    "get_training_volume",
    "get_zone_distribution",
];

/// The questions for which only some documents are kept. Their answers name the missing ones.
const ANSWERED_IN_PART: [&str; 1] = ["get_training_overview"];

const NOT_KEPT: &str = "Garmin was not asked, and the history does not hold this";

/// Whether a history may answer this tool.
pub fn is_answered_from_history(tool: &str) -> bool {
    ANSWERED.contains(&tool) || ANSWERED_IN_PART.contains(&tool)
}

/// What to do about the optional documents that are not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingParts {
    /// Give no answer, because the worker can ask Garmin for everything.
    AreAsked,
    /// Name them in the answer, because Garmin can't be asked.
    AreNamed,
}

/// Answers a question from the kept rows of the documents that it would request from Garmin. `None` if some are not
/// kept, if the arguments are wrong, or if there is no data. The worker then answers instead, and says what is wrong.
pub fn answer_from(
    tool: &str,
    arguments: &Map<String, Value>,
    now: &Zoned,
    missing: MissingParts,
    rows: impl Fn(&str, &[(String, String)]) -> Option<KeptRows>,
) -> Option<Value> {
    let may_miss = missing == MissingParts::AreNamed && ANSWERED_IN_PART.contains(&tool);
    let tool: &Tool = super::tools().find(|known| known.name == tool && is_answered_from_history(tool))?;
    let call = ToolCall::check(tool.parameters, arguments, now).ok()?;
    let rows = |get: &GarminGet| {
        let is_document = get.graphql.is_none() && get.file.is_none();
        rows(&get.path, &get.query).filter(|_| is_document)
    };
    let told = match tool.told_from_kept(&call, rows) {
        Some(told) => told,
        None => told_from_documents(tool, &call, may_miss, rows)?,
    };
    match told {
        ToolAnswer::Json(value) => Some(value),
        ToolAnswer::AsSent | ToolAnswer::Text(_) | ToolAnswer::Nothing => None,
    }
}

/// Requests documents round by round, as a worker does at Garmin.
fn told_from_documents(
    tool: &Tool,
    call: &ToolCall,
    may_miss: bool,
    rows: impl Fn(&GarminGet) -> Option<KeptRows>,
) -> Option<ToolAnswer> {
    let mut answers: Vec<Value> = Vec::new();
    for _ in 0..MOST_ROUNDS {
        let so_far: Vec<&Value> = answers.iter().collect();
        let NextStep::Get(gets) = tool.next(call, &so_far).ok()? else {
            break;
        };
        for get in gets {
            let kept = rows(&get).map(|rows| rows.document());
            let instead = || (may_miss && get.is_optional).then(|| json!({FAILED: NOT_KEPT}));
            answers.push(kept.or_else(instead)?);
        }
    }
    if answers.is_empty() {
        return None;
    }
    let documents: Vec<&Value> = answers.iter().collect();
    tool.told(call, &documents).ok()
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::{Date, date};

    use super::*;
    use crate::simulator::data::{self, DataRequest, PersonSeed};

    const TODAY: Date = date(2026, 1, 29);

    /// The names of the metrics, as the parameter of a question lists them.
    fn metrics() -> Vec<String> {
        let tool = super::super::tools()
            .find(|tool| tool.name == "get_trend")
            .unwrap();
        let listing = tool.listing();
        let names = listing["inputSchema"]["properties"]["metric"]["enum"]
            .as_array()
            .unwrap();
        names
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    }

    fn now() -> Zoned {
        TODAY.at(18, 0, 0, 0).in_tz("UTC").unwrap()
    }

    fn ann() -> PersonSeed {
        PersonSeed {
            seed: 1,
            profile_id: 7,
            display_name: "ann".into(),
            full_name: "Ann".into(),
            unit_system: "metric".into(),
        }
    }

    fn garmin(path: &str, query: &[(String, String)]) -> Value {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .finish();
        let request = DataRequest {
            method: "GET",
            path,
            query: &query,
        };
        data::answer(&ann(), &request, TODAY)
            .and_then(|response| response.body)
            .unwrap_or_default()
    }

    /// The rows of Garmin's document that a history would keep.
    fn kept(path: &str, query: &[(String, String)]) -> Option<KeptRows> {
        KeptRows::of(path, query, &garmin(path, query))
    }

    #[track_caller]
    fn from_history(tool: &str, arguments: &Value, missing: MissingParts) -> Option<Value> {
        answer_from(tool, arguments.as_object().unwrap(), &now(), missing, kept)
    }

    #[track_caller]
    fn from_garmin(tool: &str, arguments: &Value) -> Value {
        let tool: &Tool = super::super::tools().find(|known| known.name == tool).unwrap();
        let call = ToolCall::check(tool.parameters, arguments.as_object().unwrap(), &now()).unwrap();
        let mut answers: Vec<Value> = Vec::new();
        loop {
            let so_far: Vec<&Value> = answers.iter().collect();
            let NextStep::Get(gets) = tool.next(&call, &so_far).unwrap() else {
                break;
            };
            answers.extend(gets.iter().map(|get| garmin(&get.path, &get.query)));
        }
        match tool.told(&call, &answers.iter().collect::<Vec<_>>()) {
            Ok(ToolAnswer::Json(value)) => value,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn check(tool: &str, arguments: &Value) {
        let from_history = from_history(tool, arguments, MissingParts::AreAsked);
        assert_eq!(
            from_history,
            Some(from_garmin(tool, arguments)),
            "{tool} {arguments:?}"
        );
    }

    /// The history keeps every member that a question reads, so the answers are the same.
    #[test]
    fn a_history_gives_the_same_answers_as_garmin() {
        for metric in metrics() {
            if metric == "blood_pressure" {
                continue;
            }
            check("get_trend", &json!({"metric": metric, "range": "-8w"}));
            check("baseline", &json!({"metric": metric}));
            check("compare_periods", &json!({"metric": metric, "range": "-4w"}));
        }
        check("find_unusual", &json!({"range": "-8w"}));
        check(
            "correlate",
            &json!({"metric": "sleep", "other": "hrv", "lag_days": 1, "range": "-3m"}),
        );
        check("get_training_volume", &json!({"range": "-1y"}));
        check("get_zone_distribution", &json!({"range": "-3m", "by": "week"}));
    }

    #[test]
    fn a_question_with_a_part_that_is_not_kept_is_left_to_the_worker() {
        let of_a_sport = json!({"range": "-4w", "sport": "running"});
        for (tool, arguments) in [
            ("get_training_volume", of_a_sport),
            ("get_trend", json!({"range": "soon"})),
            ("get_day_profile", json!({})),
            ("get_training_overview", json!({})),
        ] {
            let answer = from_history(tool, &arguments, MissingParts::AreAsked);
            assert_eq!(answer, None, "{tool}");
        }
    }

    /// Garmin has readiness and training status as one document for each day, which the history does not keep.
    #[test]
    fn without_garmin_an_overview_has_all_that_is_kept_and_names_the_rest() {
        let overview = from_history("get_training_overview", &json!({}), MissingParts::AreNamed).unwrap();
        let mut fresh = from_garmin("get_training_overview", &json!({}));
        let newest = fresh["training"]["newest"].as_object_mut().unwrap();
        assert!(
            newest.shift_remove("name").is_some(),
            "names of activities are not kept"
        );
        for part in ["hrv_ms", "resting_bpm", "sleep_h", "training"] {
            assert_eq!(overview[part], fresh[part], "{part}");
        }
        assert_eq!(overview["readiness"], Value::Null);
        let failed = overview["failed"].to_string();
        for part in ["readiness", "training status"] {
            assert!(failed.contains(part), "{failed}");
        }
        let volume = json!({"range": "-4w", "sport": "running"});
        assert_eq!(
            from_history("get_training_volume", &volume, MissingParts::AreNamed),
            None
        );
    }

    /// A trend over three years stays short, because its series is monthly.
    #[test]
    fn a_trend_over_three_years_is_below_two_kilobytes() {
        let first = TODAY - 1_095.days();
        for metric in metrics() {
            let arguments = json!({"metric": metric, "range": format!("{first}..{TODAY}")});
            if let Some(answer) = from_history("get_trend", &arguments, MissingParts::AreAsked) {
                let bytes = answer.to_string().len();
                assert!(bytes <= 2_048, "{metric}: {bytes}");
            }
        }
    }
}
