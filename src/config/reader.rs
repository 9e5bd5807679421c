//! Reads settings one by one and collects all problems.
//!
//! A value that does not parse is a problem. Its default is used until all problems are reported together.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::env_file::in_quotation_marks;
use super::paths::Paths;
use super::problem::{SettingProblem, SettingSource};
use super::settings::{self, SETTINGS, Setting, SettingKind};
use super::sources::Sources;

/// A setting with the value in effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    pub name: &'static str,
    /// The value to show; for a secret, `(hidden)`.
    pub value: String,
    pub source: SettingSource,
}

pub(super) struct SettingsReader<'a> {
    pub(super) sources: &'a Sources,
    pub(super) problems: Vec<SettingProblem>,
    paths: Paths,
    /// Defaults that depend on another setting.
    defaults: BTreeMap<&'static str, &'static str>,
    /// The settings read so far, with the values to display.
    shown: BTreeMap<&'static str, String>,
}

impl<'a> SettingsReader<'a> {
    pub(super) fn new(sources: &'a Sources) -> Self {
        Self {
            sources,
            problems: sources.problems.clone(),
            paths: Paths::find(|name| sources.find(name).map(|(value, _)| value)),
            defaults: BTreeMap::new(),
            shown: BTreeMap::new(),
        }
    }

    /// The text that was set, if any.
    pub(super) fn text(&mut self, setting: &'static Setting) -> Option<&'a str> {
        let text = self.sources.find(setting.name).map(|(text, _)| text);
        let shown = match (text, setting.kind) {
            (None, _) => setting.default.to_owned(),
            (Some(_), SettingKind::Secret) => "(hidden)".to_owned(),
            (Some(text), SettingKind::Command) => text.split(' ').next().unwrap_or_default().to_owned(),
            (Some(text), SettingKind::People) => format!("{} entries", entries(text).count()),
            (Some(text), _) => text.to_owned(),
        };
        self.shown.insert(setting.name, shown);
        text
    }

    /// The text that was set. Enclosing quotation marks are reported as a problem: a shell or Docker passed them on as
    /// part of the value.
    pub(super) fn string(&mut self, setting: &'static Setting) -> Option<String> {
        let text = self.text(setting)?;
        if in_quotation_marks(text) {
            let what = "it is in quotation marks, which count as part of the value";
            self.problem_with(setting, what, "write it without them");
            return None;
        }
        Some(text.to_owned())
    }

    /// The parsed value, or the default if nothing is set.
    #[expect(clippy::expect_used, reason = "defaults are constants, which a test parses")]
    pub(super) fn get<T>(
        &mut self,
        setting: &'static Setting,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> T {
        if let Some(value) = self.optional(setting, &parse) {
            return value;
        }
        let default = self.default_of(setting);
        let value = parse(&default).expect("the default of a setting parses");
        self.shown.insert(setting.name, default);
        value
    }

    /// The parsed value; `None` if nothing is set.
    pub(super) fn optional<T>(
        &mut self,
        setting: &'static Setting,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.string(setting)?;
        parse(&text).map_err(|what| self.problem(setting, what)).ok()
    }

    pub(super) fn number(&mut self, setting: &'static Setting) -> u32 {
        let (min, max) = match setting.kind {
            SettingKind::Number(min, max) => (min, max),
            _ => (0, u32::MAX),
        };
        let number = self.get(setting, |text| match text.parse::<u32>() {
            Ok(n) if (min..=max).contains(&n) => Ok(n),
            Ok(n) => Err(format!("{n} is out of range")),
            Err(_) if is_whole(text) => Err(format!("{text} is out of range")),
            Err(_) => Err("it is not a whole number".into()),
        });
        self.shown.insert(setting.name, number.to_string());
        number
    }

    /// A duration that is set as a number of units of `unit_s` seconds.
    pub(super) fn duration(&mut self, setting: &'static Setting, unit_s: u64) -> Duration {
        Duration::from_secs(u64::from(self.number(setting)) * unit_s)
    }

    /// A number of days; `None` for 0, which means no limit.
    pub(super) fn days(&mut self, setting: &'static Setting) -> Option<Duration> {
        Some(self.duration(setting, 86_400)).filter(|days| !days.is_zero())
    }

    pub(super) fn flag(&mut self, setting: &'static Setting) -> bool {
        self.get(setting, |text| match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err("it is neither true nor false".into()),
        })
    }

    /// A list separated by commas or blanks. Each wrong entry is reported as a separate problem, with its number if
    /// there are several.
    pub(super) fn items<T>(
        &mut self,
        setting: &'static Setting,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let text = self.string(setting).unwrap_or_default();
        self.items_of(setting, &text, parse)
    }

    /// The entries of a list that is in the setting itself or in the file that it names. Problems are reported for the
    /// setting.
    pub(super) fn items_of<T>(
        &mut self,
        setting: &'static Setting,
        text: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let mut values = Vec::new();
        let is_single = entries(text).nth(1).is_none();
        for (number, entry) in (1_usize..).zip(entries(text)) {
            match parse(entry) {
                Ok(value) => values.push(value),
                Err(what) if is_single => self.problem(setting, what),
                Err(what) => self.problem(setting, format!("entry {number}: {what}")),
            }
        }
        values
    }

    /// A path, which is made absolute.
    pub(super) fn path(&mut self, setting: &'static Setting) -> PathBuf {
        let text = match self.string(setting) {
            Some(text) => text,
            None => self.default_of(setting),
        };
        let path = std::path::absolute(&text).unwrap_or_else(|_| text.into());
        self.shown.insert(setting.name, path.display().to_string());
        path
    }

    /// A program and its arguments, split as a shell would.
    pub(super) fn command(&mut self, setting: &'static Setting) -> Option<Vec<String>> {
        let words = shlex::split(self.text(setting)?);
        match words {
            Some(words) if !words.is_empty() => Some(words),
            Some(_) => {
                self.problem(setting, "it is empty");
                None
            }
            None => {
                self.problem(setting, "a quotation mark is not closed");
                None
            }
        }
    }

    /// Replaces the default of a setting that is read later.
    pub(super) fn replace_default(&mut self, setting: &'static Setting, default: &'static str) {
        self.defaults.insert(setting.name, default);
    }

    /// The default, with the names of settings and directories in it replaced by their values.
    fn default_of(&mut self, setting: &'static Setting) -> String {
        let default = self.defaults.get(setting.name);
        let mut text = default.copied().unwrap_or(setting.default).to_owned();
        for (words, path) in [
            ("the state directory", &self.paths.data),
            ("the configuration directory", &self.paths.config),
            ("the runtime directory", &self.paths.runtime),
        ] {
            if !text.contains(words) {
                continue;
            }
            match path {
                Ok(path) => text = text.replace(words, &path.display().to_string()),
                Err(why) => {
                    self.problems.push(SettingProblem {
                        name: setting.name.into(),
                        source: SettingSource::Default,
                        what: (*why).to_owned(),
                        fix: "set it".to_owned(),
                    });
                    return String::new();
                }
            }
        }
        // DATA_DIR is replaced last, because its path may contain the names of other settings.
        for named in [&settings::PORT, &settings::GARMIN_DOMAIN, &settings::DATA_DIR] {
            if setting.default.contains(named.name)
                && let Some(value) = self.shown.get(named.name)
            {
                text = text.replace(named.name, value);
            }
        }
        text
    }

    pub(super) fn problem(&mut self, setting: &Setting, what: impl Into<String>) {
        self.problem_with(setting, what, setting.fix());
    }

    /// Records a problem with a specific fix instead of the setting's general one.
    pub(super) fn problem_with(
        &mut self,
        setting: &Setting,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) {
        let what = what.into();
        self.problems.push(SettingProblem {
            name: setting.name.into(),
            source: self.source(setting.name),
            what: match self.sources.line_of(setting.name) {
                Some(line) => format!("line {line}: {what}"),
                None => what,
            },
            fix: fix.into(),
        });
    }

    fn source(&self, name: &str) -> SettingSource {
        let found = self.sources.find(name);
        found.map_or(SettingSource::Default, |(_, source)| source)
    }

    /// Records a value that was determined without reading the setting.
    pub(super) fn show(&mut self, setting: &'static Setting, value: &impl ToString) {
        self.shown.insert(setting.name, value.to_string());
    }

    /// All settings read, in the order of the table. Errors: all problems, in the same order.
    pub(super) fn finish(mut self) -> Result<Vec<Effective>, Vec<SettingProblem>> {
        if !self.problems.is_empty() {
            let order = |name: &str| SETTINGS.iter().position(|s| s.name == name);
            self.problems.sort_by_key(|problem| order(&problem.name));
            return Err(self.problems);
        }
        let effective = SETTINGS.iter().filter_map(|setting| {
            Some(Effective {
                name: setting.name,
                value: self.shown.get(setting.name)?.clone(),
                source: self.source(setting.name),
            })
        });
        Ok(effective.collect())
    }
}

fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

fn entries(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split([',', ' ', '\n']).map(str::trim);
    parts.filter(|part| !part.is_empty())
}
