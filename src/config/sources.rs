//! The sources of settings: the environment of this process, and the env file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::env_file::EnvFile;
use super::paths::Paths;
use super::problem::{SettingProblem, SettingSource};

/// The environment and the env file as they were read.
#[derive(Clone, Default)]
pub struct Sources {
    environment: BTreeMap<String, String>,
    file: Option<(PathBuf, EnvFile)>,
    /// What is wrong with lines of the file. [`super::Config::load`] reports them together with wrong values.
    pub(super) problems: Vec<SettingProblem>,
}

impl Sources {
    /// The environment of this process, and `env_file` if one is named. Errors: the file can't be read.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn of_process(env_file: Option<&Path>) -> Result<Self, Vec<SettingProblem>> {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            environment,
            file: None,
            problems: Vec::new(),
        }
        .with_file(env_file)
    }

    /// Like [`Sources::of_process`], but only for `serve`: if no env file is named, reads `.env` in the working
    /// directory if it exists.
    pub fn of_gateway(env_file: Option<&Path>) -> Result<Self, Vec<SettingProblem>> {
        let usual = Path::new(".env");
        Self::of_process(env_file.or_else(|| usual.is_file().then_some(usual)))
    }

    /// Like [`Sources::of_process`], but for commands that operate a gateway: if no env file is named, reads that of
    /// the installation if this user may read it.
    pub fn of_operator(env_file: Option<&Path>) -> Result<Self, Vec<SettingProblem>> {
        let sources = Self::of_process(env_file)?;
        if sources.file.is_some() {
            return Ok(sources);
        }
        let paths = Paths::find(|name| sources.find(name).map(|(value, _)| value));
        let found = paths
            .config
            .into_iter()
            .chain([PathBuf::from("/etc/garmin-gateway")])
            .map(|directory| directory.join("gateway.env"))
            .find(|file| std::fs::File::open(file).is_ok());
        sources.with_file(found.as_deref())
    }

    /// Uses the given pairs instead of the environment.
    pub fn of_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let environment = pairs
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        Self {
            environment,
            file: None,
            problems: Vec::new(),
        }
    }

    /// The same environment with the env file at `path`. Errors: the file can't be read.
    pub fn with_file(mut self, path: Option<&Path>) -> Result<Self, Vec<SettingProblem>> {
        if let Some(path) = path {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            let (file, problems) = EnvFile::read(&path).map_err(|problem| vec![problem])?;
            (self.file, self.problems) = (Some((path, file)), problems);
        }
        Ok(self)
    }

    pub fn file(&self) -> Option<&Path> {
        self.file.as_ref().map(|(path, _)| path.as_path())
    }

    pub fn home(&self) -> Option<PathBuf> {
        let home = self.find("HOME").map(|(home, _)| PathBuf::from(home));
        home.filter(|home| home.is_absolute())
    }

    /// A variable that is set and not blank, and its source.
    pub(super) fn find(&self, name: &str) -> Option<(&str, SettingSource)> {
        let set = |value: &&str| !value.is_empty();
        let value = self.environment.get(name).map(|value| value.trim());
        if let Some(value) = value.filter(set) {
            return Some((value, SettingSource::Environment));
        }
        let (path, file) = self.file.as_ref()?;
        let value = file.get(name).map(str::trim).filter(set)?;
        Some((value, SettingSource::File(path.clone())))
    }

    /// The line of the env file that the value of `name` comes from.
    pub(super) fn line_of(&self, name: &str) -> Option<usize> {
        let (_, source) = self.find(name)?;
        let (_, file) = self.file.as_ref()?;
        matches!(source, SettingSource::File(_))
            .then(|| file.line_of(name))
            .flatten()
    }

    /// The variables among `names` that are set, with their values.
    pub(super) fn pick(&self, names: &[&str]) -> Vec<(String, String)> {
        let pair = |name: &&str| Some(((*name).to_owned(), self.find(name)?.0.to_owned()));
        names.iter().filter_map(pair).collect()
    }

    /// Whether colours are disabled (`NO_COLOR`), and whether the terminal shows more than ASCII (`LC_ALL`,
    /// `LC_CTYPE`, `LANG`; the plain Linux console has no braille).
    pub fn terminal(&self) -> (bool, bool) {
        let no_color = self.find("NO_COLOR").is_some();
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .iter()
            .find_map(|name| self.find(name));
        let speaks_utf8 = locale.is_some_and(|(locale, _)| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        let is_bare = self.find("TERM").is_some_and(|(term, _)| term == "linux");
        (no_color, speaks_utf8 && !is_bare)
    }

    /// All names that are set, each with its source and its line in the file.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, SettingSource, Option<usize>)> {
        let environment = self.environment.keys();
        let environment = environment.map(|name| (name.as_str(), SettingSource::Environment, None));
        let file = self.file.iter().flat_map(|(path, file)| {
            let source = SettingSource::File(path.clone());
            file.names()
                .map(move |name| (name, source.clone(), file.line_of(name)))
        });
        environment.chain(file)
    }
}
