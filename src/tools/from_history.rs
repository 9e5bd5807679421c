//! Answers of questions from other documents than Garmin's fresh ones: those of a person's history.

use jiff::Zoned;
use serde_json::{Map, Value};

use super::call::ToolCall;
use super::server::MOST_ROUNDS;
use super::table::{NextStep, Tool, ToolAnswer};

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

/// Whether a history may answer this tool.
pub fn is_answered_from_history(tool: &str) -> bool {
    ANSWERED.contains(&tool)
}

/// The answer of a question, whose requests `document` answers by path and query. `None` if it can't answer all of
/// them, if the arguments are wrong, or if there are no data: then the worker says what is the matter.
pub fn answer_from(
    tool: &str,
    arguments: &Map<String, Value>,
    now: &Zoned,
    document: impl Fn(&str, &[(String, String)]) -> Option<Value>,
) -> Option<Value> {
    let tool: &Tool = super::tools().find(|known| known.name == tool && is_answered_from_history(tool))?;
    let call = ToolCall::check(tool.parameters, arguments, now).ok()?;
    let mut answers: Vec<Value> = Vec::new();
    for _ in 0..MOST_ROUNDS {
        let so_far: Vec<&Value> = answers.iter().collect();
        let NextStep::Get(gets) = tool.next(&call, &so_far).ok()? else {
            break;
        };
        for get in gets {
            if get.graphql.is_some() || get.file.is_some() {
                return None;
            }
            answers.push(document(&get.path, &get.query)?);
        }
    }
    if answers.is_empty() {
        return None;
    }
    let documents: Vec<&Value> = answers.iter().collect();
    match tool.told(&call, &documents).ok()? {
        ToolAnswer::Json(value) => Some(value),
        ToolAnswer::AsSent | ToolAnswer::Text(_) | ToolAnswer::Nothing => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::{Date, date};
    use serde_json::json;

    use super::*;
    use crate::history::kind::KEPT_KINDS;
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

    /// Garmin's document, reduced as a history would keep it.
    fn kept(path: &str, query: &[(String, String)]) -> Option<Value> {
        let kind = KEPT_KINDS.iter().find(|kind| {
            let own = kind.path.split(['{', '?']).next().unwrap();
            path.starts_with(own.trim_end_matches('/'))
        })?;
        Some(kind.reduced(&garmin(path, query)).unwrap())
    }

    #[track_caller]
    fn check(tool: &str, arguments: &Value) {
        let arguments = arguments.as_object().unwrap();
        let fresh = answer_from(tool, arguments, &now(), |path, query| Some(garmin(path, query)));
        let from_history = answer_from(tool, arguments, &now(), kept);
        assert!(fresh.is_some(), "{tool} {arguments:?}");
        assert_eq!(from_history, fresh, "{tool} {arguments:?}");
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
        let arguments = json!({"range": "-4w", "sport": "running"});
        assert_eq!(
            answer_from(
                "get_training_volume",
                arguments.as_object().unwrap(),
                &now(),
                kept
            ),
            None
        );
        let wrong = json!({"range": "soon"});
        assert_eq!(
            answer_from("get_trend", wrong.as_object().unwrap(), &now(), kept),
            None
        );
        assert_eq!(answer_from("get_day_profile", &Map::new(), &now(), kept), None);
    }

    /// A trend over three years stays short, because it is told by month.
    #[test]
    fn a_trend_over_three_years_is_below_two_kilobytes() {
        let first = TODAY - 1_095.days();
        for metric in metrics() {
            let arguments = json!({"metric": metric, "range": format!("{first}..{TODAY}")});
            let answer = answer_from("get_trend", arguments.as_object().unwrap(), &now(), kept);
            if let Some(answer) = answer {
                let bytes = answer.to_string().len();
                assert!(bytes <= 2_048, "{metric}: {bytes}");
            }
        }
    }
}
