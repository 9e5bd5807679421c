//! Selects the tools that are listed for a person.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The tools in a person's list. All others can still be found and called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ToolProfile {
    /// A few tools that answer most questions.
    #[default]
    Core,
    All,
    /// The person's own list of names.
    Only(Vec<String>),
}

/// The maximum number of names in a person's own list.
const MOST_NAMES: usize = 200;

impl ToolProfile {
    /// Reads `core`, `all`, or names separated by commas. Whether such tools exist is not checked.
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_name = |name: &&str| {
            let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            name.len() <= 64 && name.chars().all(is_letter)
        };
        let text = text.to_ascii_lowercase();
        let names: Vec<&str> = text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        match names.as_slice() {
            [] => Err("it names no tool".to_owned()),
            ["core"] => Ok(Self::Core),
            ["all"] => Ok(Self::All),
            names if names.len() > MOST_NAMES => Err(format!("it has more than {MOST_NAMES} names")),
            names if names.iter().all(is_name) => {
                Ok(Self::Only(names.iter().map(|name| (*name).to_owned()).collect()))
            }
            _ => Err("an entry is not the name of a tool".to_owned()),
        }
    }
}

impl fmt::Display for ToolProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ToolProfile::Core => f.write_str("core"),
            ToolProfile::All => f.write_str("all"),
            ToolProfile::Only(names) => f.write_str(&names.join(", ")),
        }
    }
}

impl TryFrom<String> for ToolProfile {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<ToolProfile> for String {
    fn from(profile: ToolProfile) -> Self {
        profile.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_a_word_or_a_list_of_names() {
        assert_eq!(ToolProfile::parse(" Core "), Ok(ToolProfile::Core));
        assert_eq!(ToolProfile::parse("all"), Ok(ToolProfile::All));
        let own = ToolProfile::parse("get_stats, get_trend,").unwrap();
        assert_eq!(
            own,
            ToolProfile::Only(vec!["get_stats".into(), "get_trend".into()])
        );
        assert_eq!(ToolProfile::parse(&own.to_string()), Ok(own.clone()));
        let json = serde_json::to_string(&own).unwrap();
        assert_eq!(serde_json::from_str::<ToolProfile>(&json).unwrap(), own);
        for wrong in ["", " , ", "get stats", "get-stats", &"a,".repeat(201)] {
            assert!(ToolProfile::parse(wrong).is_err(), "{wrong}");
        }
    }
}
