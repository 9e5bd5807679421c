//! Where settings come from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::paths::Paths;
use super::reader::{Problem, Source};

/// The environment and the env file, as they were read.
#[derive(Clone, Default)]
pub struct Sources {
    environment: BTreeMap<String, String>,
    file: Option<(PathBuf, BTreeMap<String, String>)>,
}

impl Sources {
    /// The process's environment and `env_file`; without one, `.env` in the working directory if it is there.
    /// Errors: the file can't be read, or a line of it.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn of_process(env_file: Option<&Path>) -> Result<Self, Problem> {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let found = env_file.map(Path::to_owned).or_else(|| {
            let usual = PathBuf::from(".env");
            usual.is_file().then_some(usual)
        });
        Self {
            environment,
            file: None,
        }
        .with_file(found.as_deref())
    }

    /// As [`Sources::of_process`], for whoever operates a gateway that is installed: without an env file here, the one of
    /// the installation, as far as this user may read it.
    pub fn of_operator(env_file: Option<&Path>) -> Result<Self, Problem> {
        let sources = Self::of_process(env_file)?;
        if sources.file.is_some() {
            return Ok(sources);
        }
        let own = Paths::find(&sources).config.ok();
        let found = own
            .into_iter()
            .chain([PathBuf::from("/etc/garmin-gateway")])
            .map(|directory| directory.join("gateway.env"))
            .find(|file| std::fs::File::open(file).is_ok());
        sources.with_file(found.as_deref())
    }

    /// Settings from pairs, as if they were the environment.
    pub fn of_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let environment = pairs
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        Self {
            environment,
            file: None,
        }
    }

    /// The same environment with (another) env file. Errors: as [`Sources::of_process`].
    pub fn with_file(mut self, path: Option<&Path>) -> Result<Self, Problem> {
        let Some(path) = path else { return Ok(self) };
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let problem = |what: String, fix: &str| Problem {
            name: "--env-file".into(),
            source: Source::File(path.clone()),
            what,
            fix: fix.to_owned(),
        };
        let lines = dotenvy::from_path_iter(&path).map_err(|e| {
            problem(
                format!("it can't be read ({e})"),
                "check the path and its permissions",
            )
        })?;
        let pairs = lines.collect::<Result<_, _>>().map_err(|e| match e {
            // The library's message quotes the line, which may hold a secret.
            dotenvy::Error::LineParse(_, at) => problem(
                format!("a line can't be read near its character {at}"),
                "write NAME=value, one a line",
            ),
            other => problem(other.to_string(), "write NAME=value, one a line"),
        })?;
        self.file = Some((path, pairs));
        Ok(self)
    }

    /// The env file, if there is one.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_ref().map(|(path, _)| path.as_path())
    }

    /// The person's home directory.
    pub fn home(&self) -> Option<PathBuf> {
        let home = self.find("HOME").map(|(home, _)| PathBuf::from(home));
        home.filter(|home| home.is_absolute())
    }

    /// A variable that is set and not blank, and where.
    pub(super) fn find(&self, name: &str) -> Option<(&str, Source)> {
        let set = |value: &&String| !value.trim().is_empty();
        if let Some(value) = self.environment.get(name).filter(set) {
            return Some((value.trim(), Source::Environment));
        }
        let (path, pairs) = self.file.as_ref()?;
        pairs
            .get(name)
            .filter(set)
            .map(|value| (value.trim(), Source::File(path.clone())))
    }

    /// Whether the person wants no colours (`NO_COLOR`), and whether their terminal can show more than ASCII
    /// (`LC_ALL`, `LC_CTYPE`, `LANG`; the bare Linux console has no braille).
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

    /// The names that are set anywhere, and where.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, Source)> {
        let environment = self
            .environment
            .keys()
            .map(|name| (name.as_str(), Source::Environment));
        let file = self.file.iter().flat_map(|(path, pairs)| {
            pairs
                .keys()
                .map(|name| (name.as_str(), Source::File(path.clone())))
        });
        environment.chain(file)
    }
}
