//! Checks the tool names in the operator's settings against the tools that exist, because a mistyped name would hide or
//! keep a tool unnoticed.

use std::collections::BTreeSet;

use serde_json::Value;

use super::service::own_tools;
use super::tool_names::meant;
use crate::config::{Config, ToolProfile};

/// Where the operator finds the names.
const LISTED: &str = "`garmin-gateway tools` lists the names";

/// A sentence for each name in `TOOL_PROFILE`, `GARMIN_ENABLED_TOOLS` and `GARMIN_DISABLED_TOOLS` that no tool has.
/// `worker_tools` is the built-in worker's `tools/list`. Nothing is checked for a foreign worker, whose tools are known
/// only once it runs.
pub fn unknown_names(config: &Config, worker_tools: &str) -> Vec<String> {
    if config.workers.command.is_some() {
        return Vec::new();
    }
    let own = own_tools(false);
    let lists =
        [own.as_str(), worker_tools].map(|list| serde_json::from_str::<Value>(list).unwrap_or_default());
    let known: BTreeSet<&str> = lists
        .iter()
        .filter_map(|list| list.get("tools").unwrap_or(list).as_array())
        .flatten()
        .filter_map(|tool| tool.get("name")?.as_str())
        .collect();
    let profile = match &config.live.tool_profile {
        ToolProfile::Only(names) => names.join(","),
        ToolProfile::Core | ToolProfile::All => String::new(),
    };
    let workers = &config.workers;
    // Each setting with the names in it, and the words that it takes in place of names.
    let settings: [(_, _, &[&str]); 3] = [
        ("TOOL_PROFILE", profile.as_str(), &["core", "all"]),
        (
            "GARMIN_ENABLED_TOOLS",
            workers.enabled_tools.as_deref().unwrap_or_default(),
            &[],
        ),
        (
            "GARMIN_DISABLED_TOOLS",
            workers.disabled_tools.as_deref().unwrap_or_default(),
            &[],
        ),
    ];
    let mut sentences = Vec::new();
    for (setting, names, words) in settings {
        for name in names.split(',').map(|name| name.trim().to_lowercase()) {
            if name.is_empty() || known.contains(name.as_str()) {
                continue;
            }
            sentences.push(if words.contains(&name.as_str()) {
                format!("{setting} names {name:?} in a list, but {name} stands alone: write {name}, or only names of tools")
            } else {
                let meant = meant(&name, &known, words);
                format!("{setting} names {name:?}, but there is no tool with that name{meant} ({LISTED})")
            });
        }
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    const WORKER: &str = r#"{"tools": [{"name": "get_stats"}, {"name": "get_sleep_data"}]}"#;

    fn said(name: &str, value: &str) -> Vec<String> {
        let sources = Sources::of_pairs([
            ("HOME", "/h"),
            ("GATEWAY_SECRET", "0123456789abcdef0123456789abcdef"),
            (name, value),
        ]);
        unknown_names(&Config::load(&sources).unwrap(), WORKER)
    }

    #[test]
    fn a_name_that_no_tool_has_is_told_with_the_one_that_was_meant() {
        for (setting, value, meant) in [
            ("TOOL_PROFILE", "cor", "did you mean core?"),
            (
                "TOOL_PROFILE",
                "get_stats, get_sleep_dta",
                "did you mean get_sleep_data?",
            ),
            ("GARMIN_ENABLED_TOOLS", "Get_Stat", "did you mean get_stats?"),
            (
                "TOOL_PROFILE",
                "core,get_stats",
                "core stands alone: write core, or only names of tools",
            ),
            // Only a profile has words.
            ("GARMIN_ENABLED_TOOLS", "cor", "no tool with that name"),
            (
                "GARMIN_DISABLED_TOOLS",
                "upload_everything",
                "no tool with that name",
            ),
        ] {
            let sentences = said(setting, value);
            let [sentence] = &sentences[..] else {
                panic!("{setting}={value}: {sentences:?}")
            };
            assert!(
                sentence.starts_with(setting) && sentence.contains(meant),
                "{sentence}"
            );
        }
        assert!(said("TOOL_PROFILE", "nope")[0].contains("`garmin-gateway tools`"));
        for (setting, value) in [
            ("TOOL_PROFILE", "core"),
            ("TOOL_PROFILE", "get_stats,find_tools"),
            ("GARMIN_DISABLED_TOOLS", "GET_STATS"),
        ] {
            assert_eq!(said(setting, value), Vec::<String>::new(), "{setting}={value}");
        }
    }
}
