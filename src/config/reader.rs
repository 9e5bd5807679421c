//! Reading settings one by one, keeping every mistake until the end.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::names::SETTINGS;
use super::sources::Sources;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The process's environment.
    Environment,
    /// The env file.
    File(PathBuf),
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("environment"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A mistake in the settings, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting.
    pub name: String,
    /// Where the value came from.
    pub source: Source,
    /// What is wrong with it.
    pub what: String,
    /// What to write instead.
    pub fix: String,
}

impl fmt::Display for Problem {
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

/// A setting as it took effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// The setting.
    pub name: &'static str,
    /// Its value; a secret shows as `(hidden)`.
    pub value: String,
    /// Where it came from.
    pub source: Source,
}

/// Reads settings and gathers problems.
pub(super) struct Reader<'a> {
    pub(super) sources: &'a Sources,
    pub(super) problems: Vec<Problem>,
    pub(super) effective: Vec<Effective>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(sources: &'a Sources) -> Self {
        Self {
            sources,
            problems: Vec::new(),
            effective: Vec::new(),
        }
    }

    /// The text of a setting; `None` when it is not set.
    pub(super) fn text(&mut self, name: &'static str) -> Option<&'a str> {
        debug_assert!(
            SETTINGS.iter().any(|s| s.name == name),
            "{name} is not in the table"
        );
        self.sources.find(name).map(|(value, _)| value)
    }

    /// A setting, parsed, or `default`. A value that does not parse is a problem, and the default stands in until
    /// the problems are told.
    pub(super) fn parse<T>(
        &mut self,
        name: &'static str,
        default: T,
        fix: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> T {
        let Some(text) = self.text(name) else {
            return default;
        };
        match parse(text) {
            Ok(value) => value,
            Err(what) => {
                self.problem(name, what, fix);
                default
            }
        }
    }

    /// A whole number between `min` and `max`.
    pub(super) fn number(&mut self, name: &'static str, default: u32, min: u32, max: u32) -> u32 {
        let fix = format!("write a whole number from {min} to {max}");
        self.parse(name, default, &fix, |text| match text.parse::<u32>() {
            Ok(n) if (min..=max).contains(&n) => Ok(n),
            Ok(n) => Err(format!("{n} is out of range")),
            Err(_) => Err("it is not a whole number".into()),
        })
    }

    /// A number of seconds.
    pub(super) fn seconds(&mut self, name: &'static str, default: u32, min: u32, max: u32) -> Duration {
        Duration::from_secs(u64::from(self.number(name, default, min, max)))
    }

    /// true or false, in the usual spellings.
    pub(super) fn flag(&mut self, name: &'static str, default: bool) -> bool {
        self.parse(name, default, "write true or false", |text| {
            match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Ok(true),
                "false" | "0" | "no" | "off" => Ok(false),
                _ => Err("it is neither true nor false".into()),
            }
        })
    }

    /// A comma-separated list; each part is parsed.
    pub(super) fn items<T>(
        &mut self,
        name: &'static str,
        fix: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let parts = self.text(name).unwrap_or_default().split([',', ' ', '\n']);
        let mut values = Vec::new();
        for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
            match parse(part) {
                Ok(value) => values.push(value),
                Err(what) => self.problem(name, what, fix),
            }
        }
        values
    }

    /// A path, absolute.
    pub(super) fn path(&mut self, name: &'static str, default: Result<PathBuf, &'static str>) -> PathBuf {
        if let Some(text) = self.text(name) {
            return std::path::absolute(text).unwrap_or_else(|_| text.into());
        }
        default.unwrap_or_else(|why| {
            self.problem(name, why.to_owned(), "set it");
            PathBuf::new()
        })
    }

    /// Notes a mistake in a setting.
    pub(super) fn problem(&mut self, name: &'static str, what: impl Into<String>, fix: &str) {
        let source = self
            .sources
            .find(name)
            .map_or(Source::Default, |(_, source)| source);
        self.problems.push(Problem {
            name: name.into(),
            source,
            what: what.into(),
            fix: fix.into(),
        });
    }

    /// Notes what a setting came to be, for `garmin-gateway config`.
    pub(super) fn show(&mut self, name: &'static str, value: impl fmt::Display) {
        let source = self
            .sources
            .find(name)
            .map_or(Source::Default, |(_, source)| source);
        self.effective.push(Effective {
            name,
            value: value.to_string(),
            source,
        });
    }
}
