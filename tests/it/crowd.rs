//! Fifty people, each with their own worker process, call at the same time. Everybody must get an answer, and only
//! their own.

use futures_util::future::join_all;
use garmin_gateway::simulator::{Person, SimulatorSettings};
use serde_json::{Value, json};

use crate::whole::World;

const PEOPLE: u64 = 50;

/// The number of concurrent calls per person. All people use the same request ids.
const CALLS: u64 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_accounts_call_at_once_and_each_sees_its_own() {
    let people = (1..=PEOPLE).map(|n| {
        let email = format!("person{n}@example.org");
        Person::new(n, &format!("Person{n}"), &email, &format!("demo-{n}"))
    });
    let settings = SimulatorSettings {
        people: people.collect(),
        ..SimulatorSettings::default()
    };
    let mut world = World::of(settings, u16::try_from(PEOPLE).unwrap()).await;
    let mut tokens = Vec::new();
    for n in 1..=PEOPLE {
        let email = format!("person{n}@example.org");
        let connected = world.connect(&email, &format!("demo-{n}"), None).await;
        tokens.push(connected.access_token);
    }

    // Cold: all calls wait while fifty workers start. Then again with warm workers, and after a restart of the gateway.
    for round in ["cold", "warm", "restarted"] {
        if round == "restarted" {
            world.restart().await;
        }
        let here = &world;
        let calls = (0..CALLS).flat_map(|id| tokens.iter().zip(1..).map(move |(token, n)| (id, token, n)));
        let answers = join_all(calls.map(|(id, token, n)| async move {
            let name = call(here, token, id, "get_full_name", &json!({})).await;
            (n, name["full_name"].clone())
        }));
        for (n, name) in answers.await {
            let expected = format!("Person{n} Example");
            assert_eq!(name, expected.as_str(), "{round}: somebody else's name");
        }
        let workers = world.workers();
        assert_eq!(workers.len(), tokens.len(), "{round}: one process for each");
    }
}

/// Calls a tool whose answer is JSON. Even ids use the modern era, odd ids the legacy one.
async fn call(world: &World, token: &str, id: u64, tool: &str, arguments: &Value) -> Value {
    let request = world
        .http
        .post(world.url("/mcp"))
        .bearer_auth(token)
        .header("accept", "application/json, text/event-stream");
    let mut params = json!({ "name": tool, "arguments": arguments });
    let request = if id.is_multiple_of(2) {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "progressToken": id,
        });
        request
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", tool)
    } else {
        request.header("mcp-protocol-version", "2025-11-25")
    };
    let body = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
    let answer = request.json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.unwrap();
    let last = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .next_back();
    let answer: Value = serde_json::from_str(last.unwrap_or(&text)).unwrap();
    assert_eq!(answer["id"], id, "{answer}");
    let told = answer["result"]["content"][0]["text"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"));
    serde_json::from_str(told).unwrap_or_else(|_| panic!("{told}"))
}
