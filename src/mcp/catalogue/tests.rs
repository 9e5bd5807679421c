use serde_json::Value;

use super::*;

const SERVER: &str = r#"{"name":"s"}"#;
const OVERLAY: &str = r#"{
    "garmin": {
        "get_stats": {"title": "Daily \"stats\"", "effect": "read"},
        "add_weigh_in": {"title": "Add a weigh-in", "effect": "write", "idempotent": false},
        "delete_workout": {"title": "Delete a workout", "effect": "delete", "idempotent": true},
        "set_fit_download_dir": {"title": "Set a folder", "effect": "local", "idempotent": true}
    },
    "races": {
        "list_races": {"title": "Races", "effect": "read"},
        "stop_tracking": {"title": "Stop tracking", "effect": "write", "idempotent": true}
    }
}"#;

fn catalogue(tools: &str, own_tools: &str) -> Catalogue {
    let lists = Lists {
        own_tools,
        ..Lists::new(tools, r#"[{"uri":"workout://a","name":"a"}]"#)
    };
    Catalogue::from_lists(
        lists,
        &Overlay::parse(OVERLAY, r#"{"tools":[]}"#).unwrap(),
        SERVER,
    )
    .unwrap()
}

fn names(catalogue: &Catalogue, access: Access) -> Vec<String> {
    let list = catalogue.list(McpMethod::ListTools, Era::Legacy, access).unwrap();
    let list: Value = serde_json::from_str(list).unwrap();
    list["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect()
}

/// The overlay's annotations are added, and the rest of the worker's text is kept byte for byte.
#[test]
fn titles_and_annotations_are_laid_over() {
    for (tool, expected) in [
        (
            r#"{"name":"get_stats","description":"caf\u00e9", "inputSchema":{"x": 1.0},"execution":{"taskSupport":"forbidden"}}"#,
            r#"{"name":"get_stats","title":"Daily \"stats\"","description":"caf\u00e9","inputSchema":{"x": 1.0},"execution":{"taskSupport":"forbidden"},"annotations":{"title":"Daily \"stats\"","readOnlyHint":true}}"#,
        ),
        (
            r#"{"annotations":{"openWorldHint":true,"readOnlyHint":true,"x-new":1.0},"title":"worker's","name":"add_weigh_in"}"#,
            r#"{"annotations":{"title":"Add a weigh-in","readOnlyHint":false,"destructiveHint":false,"idempotentHint":false,"openWorldHint":true,"x-new":1.0},"title":"Add a weigh-in","name":"add_weigh_in"}"#,
        ),
        (
            r#"{"name":"delete_workout"}"#,
            r#"{"name":"delete_workout","title":"Delete a workout","annotations":{"title":"Delete a workout","readOnlyHint":false,"destructiveHint":true,"idempotentHint":true}}"#,
        ),
        (
            r#"{"name":"unknown_tool", "x":1.0}"#,
            r#"{"name":"unknown_tool", "x":1.0}"#,
        ),
    ] {
        let catalogue = catalogue(&format!("[{tool}]"), "[]");
        let list = catalogue
            .list(McpMethod::ListTools, Era::Legacy, Access::ReadAndChange)
            .unwrap();
        assert_eq!(list, format!(r#"{{"tools":[{expected}]}}"#));
    }
}

const TOOLS: &str = r#"[{"name":"get_stats"},{"name":"add_weigh_in"},{"name":"unknown","annotations":{"readOnlyHint":true}},
    {"name":"delete_workout"},{"name":"set_fit_download_dir"},{"name":"list_races"}]"#;

/// Read-only access applies to the list and to the call. A tool that the overlay does not classify is excluded,
/// whatever hints it has.
#[test]
fn read_only_connections_see_tools_that_read() {
    let catalogue = catalogue(TOOLS, "[]");
    assert_eq!(names(&catalogue, Access::ReadOnly), ["get_stats"]);
    assert_eq!(names(&catalogue, Access::ReadAndChange).len(), 6);
    assert_eq!(
        (
            catalogue.count(Access::ReadOnly),
            catalogue.count(Access::ReadAndChange)
        ),
        (1, 6)
    );
    for (name, allowed) in [
        ("get_stats", true),
        ("add_weigh_in", false),
        ("unknown", false),
        ("delete_workout", false),
        ("set_fit_download_dir", false),
        ("list_races", false),
    ] {
        let tool = catalogue.find(name).unwrap();
        assert_eq!(tool.allowed(Access::ReadOnly), allowed, "{name}");
        assert!(tool.allowed(Access::ReadAndChange), "{name}");
    }
    assert!(catalogue.find("nope").is_none());
}

/// Every connection is offered the gateway's own tools, with accurate hints. A worker cannot take their names.
#[test]
fn own_tools_are_offered_to_all() {
    let catalogue = catalogue(TOOLS, r#"[{"name":"list_races","x":1},{"name":"stop_tracking"}]"#);
    assert_eq!(
        names(&catalogue, Access::ReadOnly),
        ["list_races", "stop_tracking", "get_stats"]
    );
    assert_eq!(
        names(&catalogue, Access::ReadAndChange)
            .iter()
            .filter(|name| *name == "list_races")
            .count(),
        1
    );
    let list = catalogue
        .list(McpMethod::ListTools, Era::Modern, Access::ReadOnly)
        .unwrap();
    let list: Value = serde_json::from_str(list).unwrap();
    assert_eq!(list["tools"][0]["x"], 1);
    assert_eq!(list["tools"][1]["annotations"]["readOnlyHint"], false);
    assert!(catalogue.find("stop_tracking").unwrap().own);
    assert!(!catalogue.find("get_stats").unwrap().own);
}

/// Modern lists have `ttlMs` and `cacheScope`, and every modern result has its type and server. Legacy lists have none
/// of these.
#[test]
fn lists_have_the_form_of_their_era() {
    let catalogue = catalogue(TOOLS, "[]");
    for (method, key) in [
        (McpMethod::ListTools, "tools"),
        (McpMethod::ListResources, "resources"),
        (McpMethod::ListResourceTemplates, "resourceTemplates"),
        (McpMethod::ListPrompts, "prompts"),
    ] {
        let list = |era| -> Value {
            serde_json::from_str(catalogue.list(method, era, Access::ReadOnly).unwrap()).unwrap()
        };
        let (legacy, modern) = (list(Era::Legacy), list(Era::Modern));
        assert_eq!(legacy.as_object().unwrap().len(), 1);
        assert_eq!(legacy[key], modern[key]);
        assert_eq!(modern["resultType"], "complete");
        assert_eq!(modern["ttlMs"], 300_000);
        assert_eq!(modern["cacheScope"], "private");
        assert_eq!(modern["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "s");
    }
    assert!(
        catalogue
            .list(McpMethod::CallTool, Era::Modern, Access::ReadOnly)
            .is_none()
    );
}

#[test]
fn lists_are_read_as_arrays_or_results() {
    let overlay = Overlay::parse(OVERLAY, r#"{"tools":[]}"#).unwrap();
    let of = |tools: &str| Catalogue::from_lists(Lists::new(tools, "[]"), &overlay, SERVER);
    assert!(
        of(r#"{"tools":[{"name":"get_stats"}],"nextCursor":null}"#)
            .unwrap()
            .find("get_stats")
            .is_some()
    );
    assert!(
        of(r#"[{"name":"get_stats"},{"nameless":1},{"name":"get_stats","twice":1}]"#)
            .unwrap()
            .find("get_stats")
            .is_some()
    );
    for broken in ["", "3", r#"{"resources":[]}"#, r#"{"tools":3}"#] {
        assert_eq!(
            of(broken).unwrap_err(),
            CatalogueError::NotAList("tools"),
            "{broken}"
        );
    }
}

#[test]
fn resources_and_prompts_are_known_by_name() {
    let overlay = Overlay::parse(OVERLAY, r#"{"tools":[]}"#).unwrap();
    let lists = Lists {
        prompts: r#"[{"name":"p"}]"#,
        ..Lists::new("[]", r#"[{"uri":"a://b"}]"#)
    };
    let plain = Catalogue::from_lists(lists, &overlay, SERVER).unwrap();
    assert!(plain.may_have_resource("a://b") && !plain.may_have_resource("a://c"));
    assert!(plain.has_prompt("p") && !plain.has_prompt("q") && plain.completes());
    let lists = Lists {
        resource_templates: r#"[{"uriTemplate":"a://{x}"}]"#,
        ..Lists::new("[]", "[]")
    };
    let templates = Catalogue::from_lists(lists, &overlay, SERVER).unwrap();
    assert!(templates.may_have_resource("a://anything") && templates.completes());
    assert!(!catalogue("[]", "[]").completes());
}

/// A tool that saves files in one worker only reads in another.
#[test]
fn a_local_tool_that_declares_reading_may_be_called_by_everybody() {
    let overlay = Overlay::built_in(&crate::tools::lists().tools).unwrap();
    let allowed = |annotations: &str| {
        let tools = format!(
            r#"[{{"name":"download_activity_file","inputSchema":{{"type":"object"}}{annotations}}}]"#
        );
        let catalogue = Catalogue::from_lists(Lists::new(&tools, "[]"), &overlay, SERVER).unwrap();
        catalogue
            .find("download_activity_file")
            .unwrap()
            .allowed(Access::ReadOnly)
    };
    assert!(allowed(r#","annotations":{"readOnlyHint":true}"#));
    assert!(!allowed(r#","annotations":{"readOnlyHint":false}"#) && !allowed(""));
}

/// Claude silently drops a tool with an input schema over 16,384 bytes, so the catalogue reports it.
#[test]
fn oversized_schemas_are_named() {
    let big = format!(
        r#"[{{"name":"big","inputSchema":{{"x":"{}"}}}},{{"name":"small"}}]"#,
        "y".repeat(17_000)
    );
    assert_eq!(catalogue(&big, "[]").too_large(), ["big"]);
}

/// Every client accepts every schema of the built-in worker, of the gateway's own tools, and of a FastMCP worker.
#[test]
fn all_schemas_are_accepted_by_all_clients() {
    let crate::tools::WorkerListing {
        tools: built_in,
        resources,
        ..
    } = crate::tools::lists();
    let fastmcp = r#"[{"name":"get_stats","inputSchema":{"properties":{"days":{"anyOf":[{"type":"integer"},{"type":"null"}],"default":null,"title":"Days"},"tags":{"items":{"type":["string","null"]},"type":"array"}},"title":"get_statsArguments","type":"object"},"outputSchema":{"properties":{"result":{"anyOf":[{"type":"string"},{"type":"null"}]}},"type":"object"}},{"name":"unknown","inputSchema":{"type":"object","properties":{"x":{"type":["number","null"]}}}}]"#;
    let race_tools = Value::Array(crate::races::tools::RaceTools::listings()).to_string();
    let mut seen = 0;
    for (tools, own) in [(built_in.as_str(), race_tools.as_str()), (fastmcp, "[]")] {
        let lists = Lists {
            own_tools: own,
            ..Lists::new(tools, &resources)
        };
        let catalogue = Catalogue::from_lists(
            lists,
            &Overlay::built_in(&crate::tools::lists().tools).unwrap(),
            SERVER,
        )
        .unwrap();
        let list = catalogue.list(McpMethod::ListTools, Era::Legacy, Access::ReadAndChange);
        let list: Value = serde_json::from_str(list.unwrap()).unwrap();
        for tool in list["tools"].as_array().unwrap() {
            assert_eq!(tool["inputSchema"]["type"], "object", "{}", tool["name"]);
            for schema in ["inputSchema", "outputSchema"] {
                let found = tool.get(schema).map(schema::objections).unwrap_or_default();
                assert_eq!(found, Vec::<String>::new(), "{} {schema}", tool["name"]);
            }
            seen += 1;
        }
        if own == "[]" {
            assert!(list["tools"][0].get("outputSchema").is_none());
            assert_eq!(
                list["tools"][0]["inputSchema"]["properties"]["days"]["type"],
                "integer"
            );
            assert_eq!(
                list["tools"][1]["inputSchema"]["properties"]["x"]["type"],
                "number"
            );
        }
    }
    assert!(seen > 30, "{seen}");
}
