//! Garmin's recorded answers, and the results that a tool builds from them.

use super::*;

/// A tool call for one of three kinds of person (rich, sparse and broken), recorded with garmin_mcp.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Example {
    pub(super) tool: String,
    pub(super) variant: String,
    pub(super) arguments: Map<String, Value>,
    pub(super) requests: Vec<Request>,
    pub(super) answers: Vec<Reply>,
    pub(super) tells: Value,
    /// What garmin_mcp gets wrong in this tool.
    #[serde(default)]
    pub(super) known_wrong: Option<Value>,
    /// This worker's answer, where garmin_mcp's is wrong.
    #[serde(default)]
    pub(super) ours: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct Request {
    pub(super) path: String,
    pub(super) query: String,
    /// The GraphQL query of a read that is sent by POST.
    #[serde(default)]
    pub(super) body: Value,
}

#[derive(Deserialize)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Value,
}

pub(super) fn examples() -> Vec<Example> {
    serde_json::from_str(include_str!("../../../tests/tools/examples.json")).unwrap()
}

/// The tools in `examples.json` send the same requests and give the same answers as garmin_mcp, except where garmin_mcp
/// is known to be wrong.
#[test]
fn examples_have_the_recorded_requests_and_results() {
    let mut wrong = Vec::new();
    for example in examples() {
        let tool = tools().find(|tool| tool.name == example.tool).unwrap();
        let call = ToolCall::check(tool.parameters, &example.arguments, &noon(date(2026, 12, 31))).unwrap();
        let documents: Vec<Value> = example
            .answers
            .iter()
            .map(|reply| {
                if reply.body == "" || reply.status >= 300 {
                    Value::Null
                } else {
                    reply.body.clone()
                }
            })
            .collect();
        let documents: Vec<&Value> = documents.iter().collect();
        let mut asked: Vec<String> = Vec::new();
        while let Some(answers) = documents.get(..asked.len()) {
            let gets = gets(tool, &call, answers);
            if gets.is_empty() {
                break;
            }
            asked.extend(gets.into_iter().map(|get| {
                let get = get.of_person(&format!("dn-{}", example.variant));
                if let Some(query) = get.graphql {
                    return format!("{GRAPHQL}?{query}");
                }
                let query = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(&get.query)
                    .finish();
                format!("{}?{query}", get.path)
            }));
        }
        if example.variant == "broken" {
            // garmin_mcp stops at the first failure, but this worker sends the requests of one round together.
            asked.truncate(1);
        }
        // This worker omits `searchExpression=` when it has no value.
        let expected: Vec<String> = example
            .requests
            .iter()
            .map(|request| {
                let graphql = request.body.get("query").and_then(Value::as_str);
                format!("{}?{}", request.path, graphql.unwrap_or(&request.query))
            })
            .map(|url| url.replace("=True", "=true").replace("searchExpression=&", ""))
            .map(|url| url.replace("<now 0000-00-00>", "2026-12-31"))
            .take(if example.variant == "broken" {
                1
            } else {
                usize::MAX
            })
            .collect();
        if asked != expected {
            wrong.push(format!(
                "{} {} asked {asked:?}\nnot {expected:?}",
                example.tool, example.variant
            ));
        }
        // The API client turns an error status, or an HTML page instead of a document, into its own errors.
        if example.variant == "broken" {
            continue;
        }
        let told = match tool.told(&call, &documents) {
            Ok(ToolAnswer::AsSent) => documents[0].clone(),
            Ok(ToolAnswer::Json(value)) => value,
            Ok(ToolAnswer::Text(text)) => text.into(),
            Ok(ToolAnswer::Nothing) => call.fill(tool.nothing).into(),
            Err(error) => format!("Error: {error}").into(),
        };
        assert!(
            example.ours.is_none() || example.known_wrong.is_some(),
            "{} differs without a reason",
            example.tool
        );
        let right = example.ours.as_ref().unwrap_or(&example.tells);
        if !same(&told, right) {
            wrong.push(format!(
                "{} {} told {told}\nnot {right}",
                example.tool, example.variant
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n\n"));
}

/// Whether our answer contains everything that garmin_mcp's does. It may contain more.
pub(super) fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => theirs
            .iter()
            .all(|(key, theirs)| theirs.is_null() || ours.get(key).is_some_and(|ours| same(ours, theirs))),
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Number(ours), Value::Number(theirs)) => ours.as_f64() == theirs.as_f64(),
        (ours, theirs) => ours == theirs,
    }
}
