//! Facts about tools that a worker does not provide: a title for people, and the effect of a call.
//!
//! For Garmin's tools, the effect is that of the built-in worker's tool with the same name, whichever worker runs. The
//! file states an effect only where the tool of garmin_mcp differs.

use std::collections::HashMap;

use serde::Deserialize;

use super::data_group::ToolSharing;
use super::error::CatalogueError;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolEffect {
    Read,
    /// Adds or changes data at Garmin.
    Write,
    /// Deletes data at Garmin.
    Delete,
    /// Changes data on the worker's machine only.
    Local,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classified {
    /// A display name of a few words.
    pub title: String,
    pub effect: ToolEffect,
    /// Whether repeating a call with the same arguments changes nothing more. Absent for tools that only read.
    #[serde(default)]
    pub idempotent: bool,
    /// Who may use it on a person's data. Absent for tools that change something.
    #[serde(default)]
    pub group: Option<ToolSharing>,
}

/// The contents of `assets/catalogue.json`: tools by name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct OverlayFile {
    garmin: HashMap<String, TitledTool>,
    races: HashMap<String, Classified>,
    #[serde(default)]
    gateway: HashMap<String, Classified>,
    #[serde(default)]
    core: Vec<String>,
}

/// One of Garmin's tools in the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct TitledTool {
    title: String,
    #[serde(default)]
    effect: Option<ToolEffect>,
    #[serde(default)]
    idempotent: bool,
    #[serde(default)]
    group: Option<ToolSharing>,
}

/// What is known about tools, by name.
#[derive(Debug, Clone)]
pub struct Overlay {
    garmin: HashMap<String, Classified>,
    races: HashMap<String, Classified>,
    /// The gateway's tools that are not about races.
    gateway: HashMap<String, Classified>,
    /// The names of the tools that are listed unless a person chooses otherwise.
    core: Vec<String>,
}

/// The built-in worker's list of tools.
#[derive(Deserialize)]
struct ListedTools {
    tools: Vec<ListedTool>,
}

#[derive(Deserialize)]
struct ListedTool {
    name: String,
    #[serde(default)]
    annotations: ToolAnnotations,
}

/// The hints of a tool, with the defaults of MCP.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ToolAnnotations {
    read_only_hint: bool,
    destructive_hint: bool,
    idempotent_hint: bool,
}

impl ToolAnnotations {
    /// The effect, and whether repeating a call changes nothing more.
    fn effect(self) -> (ToolEffect, bool) {
        if self.read_only_hint {
            (ToolEffect::Read, false)
        } else if self.destructive_hint {
            (ToolEffect::Delete, self.idempotent_hint)
        } else {
            (ToolEffect::Write, self.idempotent_hint)
        }
    }
}

impl Overlay {
    /// `tools` is the built-in worker's result of `tools/list`. Its annotations are the effects.
    pub fn built_in(tools: &str) -> Result<Self, CatalogueError> {
        Self::parse(include_str!("../../../assets/catalogue.json"), tools)
    }

    /// A tool whose effect is neither in `json` nor in `tools` stays unknown.
    pub fn parse(json: &str, tools: &str) -> Result<Self, CatalogueError> {
        let damaged = |error: serde_json::Error| CatalogueError::Overlay(error.to_string());
        let file: OverlayFile = serde_json::from_str(json).map_err(damaged)?;
        let tools: ListedTools = serde_json::from_str(tools).map_err(damaged)?;
        let annotated: HashMap<&str, ToolAnnotations> = tools
            .tools
            .iter()
            .map(|tool| (tool.name.as_str(), tool.annotations))
            .collect();
        let classified = |(name, tool): (String, TitledTool)| {
            let (effect, idempotent) = match tool.effect {
                Some(effect) => (effect, tool.idempotent),
                None => annotated.get(name.as_str())?.effect(),
            };
            let TitledTool { title, group, .. } = tool;
            Some((
                name,
                Classified {
                    title,
                    effect,
                    idempotent,
                    group,
                },
            ))
        };
        Ok(Self {
            garmin: file.garmin.into_iter().filter_map(classified).collect(),
            races: file.races,
            gateway: file.gateway,
            core: file.core,
        })
    }

    /// Looks up a tool. The gateway's own tools and those of workers have separate tables.
    pub fn find(&self, name: &str, own: bool) -> Option<&Classified> {
        if own {
            let own = self.races.get(name).or_else(|| self.gateway.get(name));
            // With a foreign worker, the gateway itself answers some question tools of the built-in worker.
            own.or_else(|| self.garmin.get(name))
        } else {
            self.garmin.get(name)
        }
    }

    /// Whether a tool is in the core. A tool about which nothing is known counts as core, because only a foreign worker
    /// can have it.
    pub fn is_core(&self, name: &str, classified: Option<&Classified>) -> bool {
        classified.is_none() || self.core.iter().any(|core| core == name)
    }

    /// The number of tools in the core.
    pub fn core_size(&self) -> usize {
        self.core.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::DataGroup;

    const NO_TOOLS: &str = r#"{"tools":[]}"#;

    /// Checks the effect column of garmin_mcp's 138 tools, and of the built-in worker's own.
    #[test]
    fn every_garmin_tool_is_classified() {
        let overlay = Overlay::built_in(&crate::tools::lists().tools).unwrap();
        let count = |effect| {
            overlay
                .garmin
                .values()
                .filter(|tool| tool.effect == effect)
                .count()
        };
        assert!(count(ToolEffect::Read) >= 97);
        assert_eq!(
            (
                count(ToolEffect::Write),
                count(ToolEffect::Delete),
                count(ToolEffect::Local)
            ),
            (34, 9, 2)
        );
        assert_eq!(overlay.races.len(), 16);
    }

    /// Tools that read are shared by group, tools that change are never shared. `download_activity_file` saves a file
    /// in one worker and only reads in another, so it has a group in any case.
    #[test]
    fn every_tool_that_reads_has_one_group_and_no_other_has() {
        let overlay = Overlay::built_in(&crate::tools::lists().tools).unwrap();
        let all = [&overlay.garmin, &overlay.races, &overlay.gateway];
        for (name, tool) in all.into_iter().flatten() {
            let reads = tool.effect == ToolEffect::Read || name == "download_activity_file";
            assert_eq!(tool.group.is_some(), reads, "{name}: {:?}", tool.group);
        }
        let listed: ListedTools = serde_json::from_str(&crate::tools::lists().tools).unwrap();
        for tool in listed.tools.iter().filter(|tool| tool.annotations.read_only_hint) {
            let known = overlay.find(&tool.name, false);
            assert!(known.is_some_and(|known| known.group.is_some()), "{}", tool.name);
        }
        for group in DataGroup::ALL {
            let has = |tool: &Classified| tool.group == Some(ToolSharing::Group(group));
            assert!(all.into_iter().flatten().any(|(_, tool)| has(tool)), "{group}");
        }
    }

    #[test]
    fn names_and_effects_agree() {
        let overlay = Overlay::built_in(&crate::tools::lists().tools).unwrap();
        for (name, tool) in &overlay.garmin {
            let reads = [
                "get_",
                "count_",
                "search_",
                "download_workout",
                "analyze_",
                "compare_",
                "find_",
                "baseline",
                "correlate",
            ]
            .iter()
            .any(|start| name.starts_with(start));
            assert_eq!(tool.effect == ToolEffect::Read, reads, "{name}");
            let deletes = ["delete_", "unschedule_"]
                .iter()
                .any(|start| name.starts_with(start));
            assert_eq!(tool.effect == ToolEffect::Delete, deletes, "{name}");
            assert!(
                !tool.title.is_empty() && tool.title.chars().count() <= 45,
                "{name}"
            );
        }
        let titles: std::collections::BTreeSet<_> = overlay.garmin.values().map(|tool| &tool.title).collect();
        assert_eq!(titles.len(), overlay.garmin.len(), "a title names one tool");
    }

    #[test]
    fn the_core_has_known_tools_and_the_race_tools() {
        let overlay = Overlay::built_in(&crate::tools::lists().tools).unwrap();
        for name in &overlay.core {
            assert!(
                overlay.garmin.contains_key(name) || overlay.find(name, true).is_some(),
                "{name}"
            );
        }
        // A read-only connection has no `use_change_tool`, so all race tools that change something must be listed.
        let unlisted = overlay
            .races
            .iter()
            .filter(|(name, _)| !overlay.core.contains(name));
        assert!(
            unlisted.clone().all(|(_, tool)| tool.effect == ToolEffect::Read),
            "{unlisted:?}"
        );
        assert!(
            (25..=40).contains(&overlay.core_size()),
            "{}",
            overlay.core_size()
        );
    }

    #[test]
    fn a_damaged_overlay_is_told() {
        assert!(matches!(
            Overlay::parse("{}", NO_TOOLS),
            Err(CatalogueError::Overlay(_))
        ));
        let misspelt = r#"{"garmin":{"a":{"title":"A","effect":"raed"}},"races":{}}"#;
        assert!(
            Overlay::parse(misspelt, NO_TOOLS)
                .unwrap_err()
                .to_string()
                .contains("raed")
        );
    }

    #[test]
    fn the_effect_is_that_of_the_built_in_tool_unless_the_file_has_one() {
        let file = r#"{"garmin":{"get_a":{"title":"A"},"set_b":{"title":"B"},"delete_c":{"title":"C"},
            "save_d":{"title":"D","effect":"local","idempotent":true},"other":{"title":"E"}},"races":{}}"#;
        let tools = r#"{"tools":[{"name":"get_a","annotations":{"readOnlyHint":true,"openWorldHint":true}},
            {"name":"set_b","annotations":{"readOnlyHint":false,"destructiveHint":false,"idempotentHint":true}},
            {"name":"delete_c","annotations":{"destructiveHint":true,"idempotentHint":true}},
            {"name":"save_d","annotations":{"readOnlyHint":true}}]}"#;
        let overlay = Overlay::parse(file, tools).unwrap();
        let effect = |name: &str| {
            overlay
                .find(name, false)
                .map(|known| (known.effect, known.idempotent))
        };
        assert_eq!(effect("get_a"), Some((ToolEffect::Read, false)));
        assert_eq!(effect("set_b"), Some((ToolEffect::Write, true)));
        assert_eq!(effect("delete_c"), Some((ToolEffect::Delete, true)));
        assert_eq!(effect("save_d"), Some((ToolEffect::Local, true)));
        // A tool without an effect stays unknown, which counts as a change.
        assert_eq!(effect("other"), None);
    }
}
