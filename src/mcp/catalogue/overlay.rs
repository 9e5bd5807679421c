//! Facts about tools that a worker does not provide: a title for people, and the effect of a call.

use std::collections::HashMap;

use serde::Deserialize;

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
}

/// The contents of `assets/catalogue.json`: tools by name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    garmin: HashMap<String, Classified>,
    races: HashMap<String, Classified>,
    /// The gateway's tools about tools.
    #[serde(default)]
    gateway: HashMap<String, Classified>,
    /// The names of the tools that are listed unless a person chooses otherwise.
    #[serde(default)]
    core: Vec<String>,
}

impl Overlay {
    pub fn built_in() -> Result<Self, CatalogueError> {
        Self::parse(include_str!("../../../assets/catalogue.json"))
    }

    pub fn parse(json: &str) -> Result<Self, CatalogueError> {
        serde_json::from_str(json).map_err(|error| CatalogueError::Overlay(error.to_string()))
    }

    /// Looks up a tool. The gateway's own tools and those of workers have separate tables.
    pub fn find(&self, name: &str, own: bool) -> Option<&Classified> {
        if own {
            self.races.get(name).or_else(|| self.gateway.get(name))
        } else {
            self.garmin.get(name)
        }
    }

    /// Whether a tool is in the core. A tool of which nothing is known is, because the operator's own worker has it.
    pub fn is_core(&self, name: &str, classified: Option<&Classified>) -> bool {
        classified.is_none() || self.gateway.contains_key(name) || self.core.iter().any(|core| core == name)
    }

    /// The number of tools in the core.
    pub fn core_size(&self) -> usize {
        self.core.len() + self.gateway.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the effect column of garmin_mcp's 138 tools, and of the built-in worker's own.
    #[test]
    fn every_garmin_tool_is_classified() {
        let overlay = Overlay::built_in().unwrap();
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
        assert_eq!(overlay.races.len(), 13);
    }

    #[test]
    fn names_and_effects_agree() {
        let overlay = Overlay::built_in().unwrap();
        for (name, tool) in &overlay.garmin {
            let reads = [
                "get_",
                "count_",
                "search_",
                "download_workout",
                "analyze_",
                "compare_",
                "find_",
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
    fn the_core_has_known_tools_and_all_race_tools() {
        let overlay = Overlay::built_in().unwrap();
        for name in &overlay.core {
            assert!(
                overlay.garmin.contains_key(name) || overlay.races.contains_key(name),
                "{name}"
            );
        }
        assert!(overlay.races.keys().all(|name| overlay.core.contains(name)));
        assert!(
            (25..=40).contains(&overlay.core_size()),
            "{}",
            overlay.core_size()
        );
    }

    #[test]
    fn a_damaged_overlay_is_told() {
        assert!(matches!(Overlay::parse("{}"), Err(CatalogueError::Overlay(_))));
        let misspelt = r#"{"garmin":{"a":{"title":"A","effect":"raed"}},"races":{}}"#;
        assert!(Overlay::parse(misspelt).unwrap_err().to_string().contains("raed"));
    }
}
