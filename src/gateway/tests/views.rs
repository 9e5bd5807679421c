//! Tests of who gets the views of tools, and of what then differs.

use super::*;
use crate::accounts::Choices;
use crate::mcp::views::{EXTENSION, VIEW_TYPE, VIEWS};

/// How much longer views may make the list: by the links, and by the tools that are listed only for their view.
const MOST_MORE_CHARACTERS: usize = 4_500;

/// A gateway with the tools of the built-in worker.
async fn bench() -> Bench {
    let crate::tools::WorkerListing {
        tools,
        resources,
        resource_templates,
    } = crate::tools::lists();
    let lists = WorkerLists::BuiltIn {
        tools,
        resources,
        resource_templates,
    };
    Bench::with(Access::ReadOnly, lists, tempfile::tempdir().unwrap()).await
}

fn shows() -> Value {
    json!({"extensions": {EXTENSION: {"mimeTypes": [VIEW_TYPE]}}})
}

/// A modern request of a client with these capabilities.
async fn modern(bench: &Bench, method: &str, capabilities: &Value, uri: Option<&str>) -> Value {
    let mut params = json!({"_meta": {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    }});
    if let Some(uri) = uri {
        params["uri"] = json!(uri);
    }
    let body = legacy_body(method, &params.to_string());
    json_of(bench.send(&modern_headers(method, uri), &body).await).1
}

/// The tools of a list and their views.
fn links(list: &Value) -> Vec<(String, String)> {
    let tools = list["result"]["tools"].as_array().unwrap();
    let link = |tool: &Value| {
        let uri = tool["_meta"]["ui"]["resourceUri"].as_str()?.to_owned();
        assert_eq!(tool["_meta"]["ui/resourceUri"], json!(uri));
        Some((tool["name"].as_str().unwrap().to_owned(), uri))
    };
    tools.iter().filter_map(link).collect()
}

fn views(list: &Value) -> usize {
    let resources = list["result"]["resources"].as_array().unwrap();
    let is_view = |one: &&Value| one["uri"].as_str().unwrap().starts_with("ui://");
    resources.iter().filter(is_view).count()
}

#[tokio::test]
async fn a_modern_client_that_names_the_extension_gets_the_views() {
    let bench = bench().await;
    let plain = modern(&bench, "tools/list", &json!({}), None).await;
    assert!(!plain.to_string().contains("ui://"));
    let shown = modern(&bench, "tools/list", &shows(), None).await;
    let more = shown.to_string().chars().count() - plain.to_string().chars().count();
    assert!(more <= MOST_MORE_CHARACTERS, "{more} characters more");
    let links = links(&shown);
    // Every tool with a view is in the list, because a view is shown only for a tool that is called by its name.
    assert_eq!(
        links.len(),
        VIEWS.iter().map(|view| view.tools.len()).sum::<usize>()
    );
    for (tool, uri) in &links {
        let view = VIEWS.iter().find(|view| view.uri == uri).unwrap();
        assert!(view.tools.contains(&tool.as_str()), "{tool}: {uri}");
    }
    assert_eq!(
        views(&modern(&bench, "resources/list", &json!({}), None).await),
        0
    );
    assert_eq!(
        views(&modern(&bench, "resources/list", &shows(), None).await),
        VIEWS.len()
    );
    let discovered = modern(&bench, "server/discover", &shows(), None).await;
    assert!(discovered["result"]["capabilities"]["extensions"][EXTENSION].is_object());
    let discovered = modern(&bench, "server/discover", &json!({}), None).await;
    assert!(discovered["result"]["capabilities"].get("extensions").is_none());
}

#[tokio::test]
async fn a_view_is_read_without_a_worker() {
    let bench = bench().await;
    for view in &VIEWS {
        let read = modern(&bench, "resources/read", &json!({}), Some(view.uri)).await;
        let content = &read["result"]["contents"][0];
        assert_eq!(
            (&content["text"], &content["mimeType"]),
            (&json!(view.html), &json!(VIEW_TYPE))
        );
        assert_eq!(read["result"]["resultType"], "complete");
        let (status, read) = bench
            .legacy("resources/read", &json!({"uri": view.uri}).to_string())
            .await;
        assert_eq!(
            (status, &read["result"]["contents"][0]["uri"]),
            (200, &json!(view.uri))
        );
    }
    assert!(bench.worker.asked().is_empty());
}

#[tokio::test]
async fn a_legacy_client_names_the_extension_once() {
    let bench = bench().await;
    let list = || bench.legacy("tools/list", "{}");
    let initialize = async |capabilities: Value| {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": {"name": "c", "version": "1"}});
        bench.legacy("initialize", &params.to_string()).await.1
    };
    assert!(
        initialize(json!({})).await["result"]["capabilities"]
            .get("extensions")
            .is_none()
    );
    assert!(links(&list().await.1).is_empty());
    assert!(initialize(shows()).await["result"]["capabilities"]["extensions"][EXTENSION].is_object());
    assert!(!links(&list().await.1).is_empty());
    assert_eq!(views(&bench.legacy("resources/list", "{}").await.1), VIEWS.len());
    // Another client of the same sign-in does not take the views away from the first.
    initialize(json!({})).await;
    assert!(!links(&list().await.1).is_empty());
}

#[tokio::test]
async fn a_short_catalogue_has_the_views_of_its_own_tools() {
    let bench = Bench::new(Access::ReadAndChange).await;
    let plain = modern(&bench, "tools/list", &json!({}), None).await;
    let shown = modern(&bench, "tools/list", &shows(), None).await;
    let count = |list: &Value| list["result"]["tools"].as_array().unwrap().len();
    assert_eq!(count(&plain), count(&shown));
    assert!(links(&shown).iter().all(|(_, uri)| uri == "ui://garmin/race"));
    // This worker has no tool for nights.
    let resources = modern(&bench, "resources/list", &shows(), None).await;
    assert_eq!(views(&resources), 1);
    assert_eq!(resources["result"]["resources"].as_array().unwrap().len(), 2);
    let read = modern(&bench, "resources/read", &shows(), Some("ui://garmin/night")).await;
    assert!(read.get("error").is_some());
}

#[tokio::test]
async fn a_person_switches_the_views_off() {
    let bench = bench().await;
    let choices = Choices {
        are_views_off: true,
        ..Choices::default()
    };
    let chosen = bench
        .store
        .atomic(move |tx| tx.put(account("a").as_str().as_bytes(), &choices));
    chosen.await.unwrap();
    assert!(links(&modern(&bench, "tools/list", &shows(), None).await).is_empty());
    assert_eq!(views(&modern(&bench, "resources/list", &shows(), None).await), 0);
    let discovered = modern(&bench, "server/discover", &shows(), None).await;
    assert!(discovered["result"]["capabilities"].get("extensions").is_none());
    let read = modern(&bench, "resources/read", &shows(), Some(VIEWS[0].uri)).await;
    assert!(read.get("error").is_some(), "{read}");
}
