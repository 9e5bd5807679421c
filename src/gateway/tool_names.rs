//! Says what is wrong with a name in a list of tools: a word that stands alone, or a typing error.

use std::collections::BTreeSet;

use crate::config::ToolProfile;
use crate::mcp::{Access, Catalogue};

/// Upper bound of typing errors in a name for which another name is suggested.
const SLIPS: usize = 3;

/// The words that a person's choice takes in place of a list of names.
const CHOICES: [&str; 3] = ["core", "all", "default"];

/// A name in a person's list of tools that no tool has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTool {
    pub name: String,
    /// Whether it is a word that stands alone in place of a list.
    pub is_choice: bool,
    /// What is wrong with it, as a sentence.
    pub wrong: String,
}

/// The first name in a choice that no tool of the catalogue has.
pub(super) fn unknown_choice(catalogue: &Catalogue, profile: Option<&ToolProfile>) -> Option<UnknownTool> {
    let Some(ToolProfile::Only(names)) = profile else {
        return None;
    };
    let known = catalogue.entries(Access::ReadAndChange);
    let known: BTreeSet<&str> = known.map(|(tool, _)| &*tool.name).collect();
    wrong_choice(names, &known)
}

/// The first name in a list that none of the `known` tools has.
fn wrong_choice(names: &[String], known: &BTreeSet<&str>) -> Option<UnknownTool> {
    let name = names.iter().find(|name| !known.contains(name.as_str()))?;
    let is_choice = CHOICES.contains(&name.as_str());
    let wrong = if is_choice {
        format!("{name} stands alone: write {name}, or only names of tools")
    } else {
        format!("there is no tool {name}{}", meant(name, known, &CHOICES))
    };
    Some(UnknownTool {
        name: name.clone(),
        is_choice,
        wrong,
    })
}

/// Asks whether another name was meant, if one is near.
pub(super) fn meant(name: &str, known: &BTreeSet<&str>, words: &[&str]) -> String {
    let near = known
        .iter()
        .chain(words)
        .map(|tool| (strsim::damerau_levenshtein(tool, name), *tool));
    let near = near
        .min()
        .filter(|(slips, meant)| *slips <= SLIPS && *slips * 2 < meant.len());
    near.map_or(String::new(), |(_, meant)| format!("; did you mean {meant}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_of_names_has_only_names_of_tools() {
        let known = BTreeSet::from(["get_stats", "get_sleep_data"]);
        let wrong = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            wrong_choice(&names, &known).map(|unknown| unknown.wrong)
        };
        assert_eq!(wrong(&["get_stats", "get_sleep_data"]), None);
        assert_eq!(wrong(&["get_stats", "nope"]).unwrap(), "there is no tool nope");
        assert_eq!(
            wrong(&["get_stat"]).unwrap(),
            "there is no tool get_stat; did you mean get_stats?"
        );
        for word in CHOICES {
            assert!(
                wrong(&[word, "get_stats"])
                    .unwrap()
                    .starts_with(&format!("{word} stands alone"))
            );
        }
    }
}
