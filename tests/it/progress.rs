//! The progress of a long call, from the worker through the gateway to the client.

use serde_json::{Value, json};

use crate::whole::World;

/// The messages of a call in a protocol version with a handshake, in order.
async fn messages(
    world: &World,
    token: &str,
    tool: &str,
    arguments: Value,
    progress: Option<&str>,
) -> Vec<Value> {
    let mut params = json!({"name": tool, "arguments": arguments});
    if let Some(progress) = progress {
        params["_meta"] = json!({"progressToken": progress});
    }
    let body = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params});
    let answer = world
        .http
        .post(world.url("/mcp"))
        .bearer_auth(token)
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-11-25")
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.unwrap();
    let events: Vec<Value> = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    if events.is_empty() {
        vec![serde_json::from_str(&text).unwrap()]
    } else {
        events
    }
}

/// The amounts and texts of the notifications before the answer, which comes last.
fn steps(messages: &[Value]) -> Vec<(u64, String)> {
    let (answer, steps) = messages.split_last().unwrap();
    assert_eq!(
        (&answer["id"], &answer["result"]["isError"]),
        (&json!(7), &json!(false)),
        "{answer}"
    );
    let steps = steps.iter().map(|step| {
        assert_eq!(step["method"], "notifications/progress");
        assert_eq!(step["params"]["progressToken"], "mine");
        let text = step["params"]["message"].as_str().unwrap_or_default().to_owned();
        (step["params"]["progress"].as_u64().unwrap(), text)
    });
    steps.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn long_work_is_told_to_the_client_that_wants_to_know() {
    let world = World::start().await;
    let token = world
        .connect("ann@example.org", "demo-ann", None)
        .await
        .access_token;
    let activity = world
        .told(&token, "get_activities", json!({"limit": 1}))
        .await
        .unwrap()["activities"][0]["id"]
        .clone();

    let month = json!({"start_date": "-30d", "end_date": "-2d"});
    let told = steps(&messages(&world, &token, "get_hrv_trend", month.clone(), Some("mine")).await);
    assert!(told.len() >= 5, "{told:?}");
    assert!(told.is_sorted_by(|one, next| one.0 < next.0), "{told:?}");
    assert!(
        told.iter().any(|(_, text)| text.contains("of 29 requests")),
        "{told:?}"
    );

    let file = json!({"activity_id": activity});
    let told = steps(
        &messages(
            &world,
            &token,
            "get_activity_timeseries",
            file.clone(),
            Some("mine"),
        )
        .await,
    );
    assert!(
        told.iter().any(|(_, text)| text.contains("Reading the file")),
        "{told:?}"
    );

    // A client that did not ask for progress gets a plain answer, and so does a short call.
    let other = json!({"start_date": "-60d", "end_date": "-35d"});
    for (tool, arguments, progress) in [
        ("get_hrv_trend", other, None),
        ("get_activity_timeseries", file, None),
        ("get_stats", json!({"date": "-3d"}), Some("mine")),
    ] {
        let plain = messages(&world, &token, tool, arguments, progress).await;
        assert_eq!(plain.len(), 1, "{tool}: {plain:?}");
    }
    world.end().await;
}
