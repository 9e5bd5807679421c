//! Tests of the person's list of tools, and of finding and calling the others.

use super::*;
use crate::config::ToolProfile;

/// Equivalent to 7,000 tokens at 3.2 characters each.
const MOST_CHARACTERS: usize = 22_400;

/// A gateway with the tools of the built-in worker.
async fn bench(access: Access) -> Bench {
    let crate::tools::WorkerListing {
        tools,
        resources,
        resource_templates,
    } = crate::tools::lists();
    Bench::with(
        access,
        WorkerLists::BuiltIn {
            tools,
            resources,
            resource_templates,
        },
        tempfile::tempdir().unwrap(),
    )
    .await
}

async fn tools(bench: &Bench) -> Vec<Value> {
    let (_, list) = bench.legacy("tools/list", "{}").await;
    list["result"]["tools"].as_array().unwrap().clone()
}

fn has(tools: &[Value], name: &str) -> bool {
    tools.iter().any(|tool| tool["name"] == name)
}

async fn call(bench: &Bench, tool: &str, arguments: Value) -> Value {
    let params = json!({"name": tool, "arguments": arguments});
    bench.legacy("tools/call", &params.to_string()).await.1["result"].clone()
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap()
}

#[tokio::test]
async fn the_core_is_short_and_has_the_races_and_the_way_to_the_rest() {
    let bench = bench(Access::ReadAndChange).await;
    let core = tools(&bench).await;
    let length = json!({"tools": core}).to_string().chars().count();
    assert!(
        length <= MOST_CHARACTERS,
        "{} tools, {length} characters",
        core.len()
    );
    assert!((25..=40).contains(&core.len()), "{}", core.len());
    for name in [
        "find_tools",
        "use_read_tool",
        "start_tracking",
        "get_trend",
        "get_sleep_summary",
    ] {
        assert!(has(&core, name), "{name}");
    }
    assert!(!has(&core, "get_floors"));
    // Output schemas would take up space that tools need.
    assert!(core.iter().all(|tool| tool.get("outputSchema").is_none()));
    bench
        .live
        .send_modify(|live| live.tool_profile = ToolProfile::All);
    let all = tools(&bench).await;
    assert!(has(&all, "get_floors"));
    let trend = all.iter().find(|tool| tool["name"] == "get_trend").unwrap();
    assert_eq!(trend["outputSchema"]["properties"]["series"]["type"], "object");
    // Only the questions and the reading race tools have output schemas.
    let with_output = all.iter().filter(|tool| tool.get("outputSchema").is_some());
    assert_eq!(with_output.count(), 12 + 6);
    assert_eq!(all.len(), bench.gateway.tool_count(Access::ReadAndChange));
    bench
        .live
        .send_modify(|live| live.tool_profile = ToolProfile::Only(vec!["get_floors".into()]));
    let own = tools(&bench).await;
    assert_eq!(
        (own.len(), has(&own, "get_floors"), has(&own, "find_tools")),
        (5, true, true)
    );
}

#[tokio::test]
async fn a_tool_that_is_not_listed_is_found_and_called() {
    let bench = bench(Access::ReadOnly).await;
    for (query, name) in [
        ("how many floors did I climb", "get_floors"),
        ("solar charging of my watch", "get_device_solar_data"),
        ("food log", "get_nutrition_daily_food_log"),
        ("breathing rate respiration", "get_respiration_data"),
        ("is anything unusual with my body", "find_unusual"),
        ("compare this month with last month", "compare_periods"),
        ("what is my usual resting heart rate", "baseline"),
        ("do stress and sleep correlate", "correlate"),
        ("write up the race as a report", "get_race_report"),
    ] {
        let found = call(&bench, "find_tools", json!({"query": query})).await;
        let found = found["structuredContent"]["tools"].as_array().unwrap().clone();
        let tool = found.iter().find(|tool| tool["name"] == name);
        let tool = tool.unwrap_or_else(|| panic!("{query}: {found:?}"));
        assert_eq!(tool["call_with"], "use_read_tool");
        assert_eq!(tool["inputSchema"]["type"], "object");
    }
    let nothing = call(&bench, "find_tools", json!({"query": "qqqq"})).await;
    assert!(
        text(&nothing).contains("get_floors"),
        "all names, when nothing fits"
    );
    assert_eq!(call(&bench, "find_tools", json!({})).await["isError"], true);
    bench.worker.asked();
    let arguments = json!({"tool": "get_floors", "arguments": {"date": "today"}});
    call(&bench, "use_read_tool", arguments.clone()).await;
    let asked = bench.worker.asked();
    assert!(
        asked
            .iter()
            .any(|asked| asked.contains("get_floors") && asked.contains("today")),
        "{asked:?}"
    );
    // A client may also call it by its own name.
    call(&bench, "get_floors", arguments["arguments"].clone()).await;
    assert!(
        bench
            .worker
            .asked()
            .iter()
            .any(|asked| asked.contains("get_floors"))
    );
}

#[tokio::test]
async fn what_a_found_tool_may_do_is_limited_by_the_connection_and_by_the_outer_tool() {
    let reading = bench(Access::ReadOnly).await;
    assert!(!has(&tools(&reading).await, "use_change_tool"));
    let change = json!({"tool": "set_activity_name", "arguments": {"activity_id": 1, "name": "x"}});
    for outer in ["use_read_tool", "use_change_tool"] {
        let denied = call(&reading, outer, change.clone()).await;
        assert!(text(&denied).contains("may only read"), "{outer}: {denied}");
    }
    let changing = bench(Access::ReadAndChange).await;
    let denied = call(&changing, "use_read_tool", change.clone()).await;
    assert!(text(&denied).contains("use_change_tool"), "{denied}");
    for wrong in [
        json!({}),
        json!({"tool": "nope"}),
        json!({"tool": "find_tools"}),
        json!({"tool": "get_floors", "arguments": 3}),
    ] {
        assert_eq!(
            call(&changing, "use_read_tool", wrong.clone()).await["isError"],
            true,
            "{wrong}"
        );
    }
    assert_eq!(changing.worker.asked(), [] as [String; 0]);
    call(&changing, "use_change_tool", change).await;
    assert!(
        changing
            .worker
            .asked()
            .iter()
            .any(|asked| asked.contains("set_activity_name"))
    );
}

#[tokio::test]
async fn an_own_list_names_only_tools_that_there_are() {
    let bench = bench(Access::ReadOnly).await;
    for (tools, named) in [
        ("get_floors, nope", "nope"),
        ("", "tools"),
        // The bench's account is not in the store, so it counts as one without access.
        ("all", "connection's access has ended"),
    ] {
        let result = call(&bench, "choose_tools", json!({"tools": tools})).await;
        assert_eq!(result["isError"], true, "{tools}: {result}");
        assert!(text(&result).contains(named), "{tools}: {result}");
    }
}

/// The gateway fills in its own prompts without a worker.
#[tokio::test]
async fn prompts_are_listed_and_filled_in() {
    let bench = bench(Access::ReadOnly).await;
    let (_, list) = bench.modern("prompts/list", "").await;
    let names: Vec<&str> = list["result"]["prompts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|prompt| prompt["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "morning_check",
            "weekly_review",
            "plan_week",
            "race_debrief",
            "explain_activity"
        ]
    );
    let (_, prompt) = bench
        .modern(
            "prompts/get",
            r#""name":"weekly_review","arguments":{"week":"this week"}"#,
        )
        .await;
    assert_eq!(prompt["result"]["resultType"], "complete");
    let text = prompt["result"]["messages"][0]["content"]["text"]
        .as_str()
        .unwrap();
    assert!(text.contains("my training week: this week."), "{text}");
    let (_, wrong) = bench
        .legacy(
            "prompts/get",
            r#"{"name":"weekly_review","arguments":{"month":"x"}}"#,
        )
        .await;
    assert_eq!(wrong["error"]["code"], -32602);
    assert_eq!(bench.worker.asked(), [] as [String; 0]);
    // Prompts are not offered without the tools that they name.
    let (_, list) = Bench::new(Access::ReadOnly)
        .await
        .legacy("prompts/list", "{}")
        .await;
    assert_eq!(list["result"]["prompts"], json!([]));
}

/// The properties of a schema, at every depth, that have no description, or are numbers without a lower bound.
fn undescribed(path: &str, schema: &Value, found: &mut Vec<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let is_number = property["type"] == "integer" || property["type"] == "number";
        if property["description"].as_str().is_none_or(str::is_empty)
            || is_number && property.get("minimum").is_none()
        {
            found.push(path.clone());
        }
        undescribed(&path, property, found);
        undescribed(&path, &property["items"], found);
    }
}

#[tokio::test]
async fn every_parameter_of_every_tool_is_described() {
    let bench = bench(Access::ReadAndChange).await;
    bench
        .live
        .send_modify(|live| live.tool_profile = ToolProfile::All);
    let mut found = Vec::new();
    for tool in tools(&bench).await {
        undescribed(tool["name"].as_str().unwrap(), &tool["inputSchema"], &mut found);
    }
    assert!(found.is_empty(), "{found:?}");
}
