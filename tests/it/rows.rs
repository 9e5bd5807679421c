//! Requirements that only a test of the whole gateway can check.

use serde_json::{Value, json};

use crate::whole::World;

/// A token never appears in a URL, and a token sent in a URL or a form is not accepted.
#[tokio::test]
async fn a_token_in_the_url_or_in_a_form_opens_nothing() {
    let world = World::start().await;
    let ann = world.connect("ann@example.org", "demo-ann", None).await;
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    let token = &ann.access_token;
    for url in [
        format!("/mcp?access_token={token}"),
        format!("/mcp/?token={token}"),
    ] {
        let answer = world.http.post(world.url(&url)).json(&ping).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{url:.20}");
        let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
        assert!(!challenge.contains("error="), "it was taken for one: {challenge}");
    }
    let form = world
        .http
        .post(world.url("/mcp"))
        .form(&[("access_token", token)]);
    assert_eq!(form.send().await.unwrap().status(), 401);
    let header = world.http.post(world.url("/mcp")).bearer_auth(token).json(&ping);
    assert_eq!(header.send().await.unwrap().status(), 200);
}

/// `/token` never sends a request to Garmin.
#[tokio::test]
async fn the_token_endpoint_does_not_ask_garmin() {
    let world = World::start().await;
    let verifier = "a-verifier-that-has-the-length-it-needs-0123456789";
    let (client_id, callback) = world
        .authorize("ann@example.org", "demo-ann", None, verifier)
        .await;
    let code = callback.query_pairs().find(|(name, _)| name == "code").unwrap().1;
    let asked = world.simulator().requests().len();
    assert!(asked > 0);
    let exchange = [
        ("grant_type", "authorization_code"),
        ("client_id", &client_id),
        ("redirect_uri", crate::whole::CALLBACK),
        ("code", &code),
        ("code_verifier", verifier),
    ];
    let first = world.token(&exchange).await;
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", &client_id),
        ("refresh_token", first["refresh_token"].as_str().unwrap()),
    ];
    world.token(&refresh).await;
    assert_eq!(world.simulator().requests().len(), asked);
}

/// Claude caches discovery documents globally per URL, so they must stay identical, byte for byte.
#[tokio::test]
async fn discovery_documents_are_the_same_after_a_restart() {
    let mut world = World::start().await;
    let read = async |world: &World| {
        let mut read = Vec::new();
        for path in [
            "/.well-known/oauth-protected-resource",
            "/.well-known/oauth-protected-resource/mcp",
            "/.well-known/oauth-authorization-server",
            "/.well-known/oauth-authorization-server/mcp",
            "/.well-known/openid-configuration",
            "/.well-known/openid-configuration/mcp",
        ] {
            let answer = world.http.get(world.url(path)).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            assert_eq!(answer.headers()["cache-control"], "public, max-age=300", "{path}");
            read.push(answer.text().await.unwrap());
        }
        read
    };
    let before = read(&world).await;
    assert_eq!(before[0], before[1]);
    assert!(before[2..].iter().all(|one| *one == before[2]));
    world.restart().await;
    assert_eq!(read(&world).await, before);
}

/// Claude has room for 256 tools in total, and the gateway uses at most half of it. No schema is so large that Claude
/// drops it, and none asks for an `Mcp-Param-*` header.
#[tokio::test]
async fn the_tools_take_at_most_half_of_claudes_room() {
    let world = World::start().await;
    let ann = world.connect("ann@example.org", "demo-ann", None).await;
    let listed = world.ask(&ann.access_token, "tools/list", json!({})).await;
    let tools = listed["tools"].as_array().unwrap();
    assert!((1..=128).contains(&tools.len()), "{}", tools.len());
    for tool in tools {
        let schema = tool["inputSchema"].to_string();
        assert!(schema.len() <= 16_384, "{}", tool["name"]);
        assert!(!schema.contains("x-mcp-header"), "{}", tool["name"]);
        assert_ne!(tool["title"], Value::Null, "{}", tool["name"]);
    }
}
