//! Where a value came from, and what is wrong with it.

use std::fmt;
use std::path::PathBuf;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingSource {
    Environment,
    /// The env file.
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

/// A mistake in the settings, for the operator. Holds no values: they may be secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingProblem {
    /// The setting, or `--env-file` when the file as a whole can't be read.
    pub name: String,
    pub source: SettingSource,
    pub what: String,
    /// What to write instead.
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
