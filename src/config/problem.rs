//! The source of a setting's value, and what is wrong with the value.

use std::fmt;
use std::path::PathBuf;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingSource {
    Environment,
    /// The env file at this path.
    File(PathBuf),
    Default,
}

impl fmt::Display for SettingSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("environment"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A mistake in the settings, for the operator. It contains no values, because they may be secret, and it is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingProblem {
    /// The setting, or `--env-file` if the whole file can't be read.
    pub name: String,
    pub source: SettingSource,
    pub what: String,
    /// A description of a valid value.
    pub fix: String,
}

impl fmt::Display for SettingProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            source,
            what,
            fix,
        } = self;
        write!(f, "{name} ({source}): {what}; {fix}")
    }
}
