//! What a worker receives and may access: its environment variables, its program, and its fence. Pure functions,
//! except that they look up programs in the file system.

use std::fs;
use std::path::{Path, PathBuf};

use crate::config::{GarminDomain, GarminHosts, WorkerSettings};
use crate::sandbox::{FencePlan, PATH, PrivatePaths, Program, ReadablePaths, find_program, ports};

/// Limit of a worker's heap and other writable memory, in bytes.
const MEMORY: u64 = 1 << 30;
/// Blocks of this many bytes or more go back to the system as soon as they are freed. By default, glibc raises this
/// threshold to the size of the largest block that was freed, so a worker that has read a large file would keep its
/// memory (mallopt(3)).
const RETURNED_AT_ONCE: u64 = 1 << 20;
/// Limit of a worker's address space, in bytes.
const ADDRESS_SPACE: u64 = 8 << 30;

/// The part of a worker's configuration that is the same for all workers.
#[derive(Debug, Clone)]
pub(super) struct Recipe {
    settings: WorkerSettings,
    garmin: GarminHosts,
    self_exe: PathBuf,
    private: PrivatePaths,
    /// Where `uv` keeps its downloads, shared by all workers.
    uv_cache: PathBuf,
}

/// The program was not found. *The operator* can fix it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{program} was not found: is it installed, and is GARMIN_MCP_CMD right?")]
pub(super) struct ProgramMissing {
    program: String,
}

impl Recipe {
    pub(super) fn new(
        settings: WorkerSettings,
        garmin: GarminHosts,
        self_exe: PathBuf,
        data_dir: &Path,
        private: PrivatePaths,
    ) -> Self {
        Recipe {
            settings,
            garmin,
            self_exe,
            private,
            uv_cache: data_dir.join("uv"),
        }
    }

    pub(super) fn is_built_in(&self) -> bool {
        self.settings.command.is_none()
    }

    /// `builtin` or the name of the program.
    pub(super) fn kind(&self) -> String {
        match self.settings.command.as_deref() {
            Some([program, ..]) => base_name(Path::new(program)),
            _ => "builtin".to_owned(),
        }
    }

    /// The complete environment of a worker that uses `directory` and listens on `port`. `time_zone` is the name of the
    /// zone that the person chose.
    pub(super) fn environment(
        &self,
        directory: &Path,
        port: u16,
        time_zone: Option<&str>,
    ) -> Vec<(String, String)> {
        let mut variables = self.settings.passed_on.clone();
        let mut set = |name: &str, value: String| {
            variables.retain(|(known, _)| known != name);
            variables.push((name.to_owned(), value));
        };
        let own = directory.display().to_string();
        set("HOME", own.clone());
        set("TMPDIR", own.clone());
        set("GARMINTOKENS", own.clone());
        set("GARMIN_MCP_TRANSPORT", "streamable-http".into());
        set("GARMIN_MCP_HOST", "127.0.0.1".into());
        set("GARMIN_MCP_PORT", port.to_string());
        if self.garmin.domain == GarminDomain::Cn {
            set("GARMIN_IS_CN", "true".into());
        }
        for (name, value) in [
            ("GARMIN_ENABLED_TOOLS", &self.settings.enabled_tools),
            ("GARMIN_DISABLED_TOOLS", &self.settings.disabled_tools),
        ] {
            if let Some(value) = value {
                set(name, value.clone());
            }
        }
        if let Some(zone) = time_zone {
            // The built-in worker has a variable of its own, because TZ is only its last resort.
            let is_built_in = self.settings.command.is_none();
            set(
                if is_built_in { "GARMIN_TIME_ZONE" } else { "TZ" },
                zone.to_owned(),
            );
        }
        if self.settings.command.is_none() {
            set("GARMIN_CONNECTAPI_URL", self.garmin.connectapi.to_string());
            set("GARMIN_DIAUTH_URL", self.garmin.diauth.to_string());
            set("MALLOC_MMAP_THRESHOLD_", RETURNED_AT_ONCE.to_string());
        } else {
            if !self.settings.passed_on.iter().any(|(name, _)| name == "PATH") {
                set("PATH", PATH.into());
            }
            // By default this file goes to the home directory, which is the same place; the variable makes
            // this explicit.
            set("GARMINTOKENS_BASE64", format!("{own}/garmin_tokens.base64"));
            set("PYTHONUNBUFFERED", "1".into());
            set("PYTHONDONTWRITEBYTECODE", "1".into());
            if let Some([word, ..]) = self.settings.command.as_deref()
                && let Ok(program) = self.program(word)
                && let Some(base) = self.belongings(&program, &[]).user_base()
            {
                set("PYTHONUSERBASE", base.display().to_string());
            }
            if self.uses_uv() {
                for (name, below) in [
                    ("UV_CACHE_DIR", "cache"),
                    ("UV_PYTHON_INSTALL_DIR", "python"),
                    ("UV_TOOL_DIR", "tools"),
                ] {
                    set(name, self.uv_cache.join(below).display().to_string());
                }
            }
        }
        variables
    }

    /// The fence for a worker that uses `directory` and listens on `port`.
    pub(super) fn plan(&self, directory: &Path, port: u16) -> Result<FencePlan, ProgramMissing> {
        let (program, arguments) = match self.settings.command.as_deref() {
            Some([program, arguments @ ..]) => (self.program(program)?, arguments.to_vec()),
            _ => (self.self_exe.clone(), vec!["worker".to_owned()]),
        };
        let mut shown = ReadablePaths::system(&self.private, &self.settings.passed_on);
        if self.settings.command.is_none() {
            shown.tree(&program);
        } else {
            self.belongings(&program, &arguments).show(&mut shown);
            for path in python_settings() {
                shown.tree(&path);
            }
        }
        let mut write = vec![directory.to_owned()];
        if self.uses_uv() {
            write.push(self.uv_cache.clone());
        }
        Ok(FencePlan {
            gateway: nix::unistd::getpid().as_raw(),
            program,
            arguments,
            read: shown.paths(),
            write,
            listen: vec![port],
            connect: self.connects(),
            memory: MEMORY,
            address_space: Some(ADDRESS_SPACE),
        })
    }

    fn belongings<'a>(&'a self, path: &'a Path, arguments: &'a [String]) -> Program<'a> {
        Program {
            path,
            arguments,
            search_path: self.search_path(),
        }
    }

    fn search_path(&self) -> &str {
        let passed_on = &self.settings.passed_on;
        let path = passed_on.iter().find(|(name, _)| name == "PATH");
        path.map_or(PATH, |(_, path)| path)
    }

    fn program(&self, word: &str) -> Result<PathBuf, ProgramMissing> {
        find_program(word, self.search_path()).ok_or_else(|| ProgramMissing {
            program: word.to_owned(),
        })
    }

    /// Whether the command is `uv` or `uvx`, whose downloads all workers share. Workers can then write to a directory
    /// that other workers run code from. That is the price of downloading only once.
    fn uses_uv(&self) -> bool {
        matches!(self.settings.command.as_deref(), Some([program, ..]) if matches!(base_name(Path::new(program)).as_str(), "uv" | "uvx"))
    }

    /// Creates the directories that a plan refers to.
    pub(super) fn prepare(&self) -> std::io::Result<()> {
        if self.uses_uv() {
            fs::create_dir_all(&self.uv_cache)
        } else {
            Ok(())
        }
    }

    /// The ports that the worker may connect to. They include those of a stand-in for Garmin, as in tests.
    fn connects(&self) -> Vec<u16> {
        let garmin = [&self.garmin.sso, &self.garmin.diauth, &self.garmin.connectapi];
        ports(&self.settings.passed_on, garmin.into_iter().cloned())
    }
}

fn base_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Directories such as `/etc/python3.12`, which Debian's Python reads when it starts.
fn python_settings() -> Vec<PathBuf> {
    let entries = fs::read_dir("/etc").into_iter().flatten();
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| base_name(path).starts_with("python"))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use url::Url;

    use super::*;

    fn recipe(command: Option<&str>, variables: &[(&str, &str)], base: &Path) -> Recipe {
        let settings = WorkerSettings {
            command: command.map(|command| command.split(' ').map(str::to_owned).collect()),
            ports: 9000..=9099,
            idle_ttl: Duration::from_secs(900),
            startup_timeout: Duration::from_secs(20),
            max: 10,
            enabled_tools: None,
            disabled_tools: Some("delete_activity".into()),
            passed_on: variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        let garmin = GarminHosts::at(&Url::parse("http://127.0.0.1:7777").unwrap());
        Recipe::new(
            settings,
            garmin,
            "/usr/bin/env".into(),
            &base.join("data"),
            PrivatePaths::new(&base.join("data"), [base.join("run")]),
        )
    }

    fn lines(variables: Vec<(String, String)>) -> Vec<String> {
        let mut lines: Vec<_> = variables
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn the_built_in_worker_gets_what_is_documented_and_nothing_else() {
        let recipe = recipe(None, &[("LANG", "C.UTF-8"), ("HOME", "/root")], Path::new("/x"));
        assert_eq!(
            lines(recipe.environment(Path::new("/run/acc"), 9001, None)),
            [
                "GARMINTOKENS=/run/acc",
                "GARMIN_CONNECTAPI_URL=http://127.0.0.1:7777/",
                "GARMIN_DIAUTH_URL=http://127.0.0.1:7777/",
                "GARMIN_DISABLED_TOOLS=delete_activity",
                "GARMIN_MCP_HOST=127.0.0.1",
                "GARMIN_MCP_PORT=9001",
                "GARMIN_MCP_TRANSPORT=streamable-http",
                "HOME=/run/acc",
                "LANG=C.UTF-8",
                "MALLOC_MMAP_THRESHOLD_=1048576",
                "TMPDIR=/run/acc",
            ]
        );
        let zone = recipe.environment(Path::new("/run/acc"), 9001, Some("Europe/Vienna"));
        assert!(lines(zone).contains(&"GARMIN_TIME_ZONE=Europe/Vienna".to_owned()));
        let plan = recipe.plan(Path::new("/run/acc"), 9001).unwrap();
        assert_eq!(
            (plan.program, plan.arguments),
            ("/usr/bin/env".into(), vec!["worker".to_owned()])
        );
        assert!(plan.read.contains(&"/usr/bin/env".into()));
        assert_eq!((plan.write, plan.listen), (vec!["/run/acc".into()], vec![9001]));
        assert_eq!(plan.connect, [53, 443, 7777]);
    }

    #[test]
    fn a_foreign_worker_gets_garmin_mcps_variables() {
        let recipe = recipe(
            Some("uvx --from x garmin-mcp"),
            &[("PATH", "/nowhere"), ("HTTPS_PROXY", "proxy.example:3128")],
            Path::new("/x"),
        );
        let variables = lines(recipe.environment(Path::new("/run/acc"), 9001, None));
        for expected in [
            "PATH=/nowhere",
            "UV_CACHE_DIR=/x/data/uv/cache",
            "GARMINTOKENS_BASE64=/run/acc/garmin_tokens.base64",
        ] {
            assert!(
                variables.contains(&expected.to_owned()),
                "{expected} in {variables:?}"
            );
        }
        assert!(
            !variables
                .iter()
                .any(|line| line.starts_with("GARMIN_CONNECTAPI_URL"))
        );
        assert_eq!(recipe.connects(), [53, 443, 3128, 7777]);
        assert_eq!(
            recipe.plan(Path::new("/run/acc"), 9001).unwrap_err().to_string(),
            "uvx was not found: is it installed, and is GARMIN_MCP_CMD right?"
        );
    }

    #[test]
    fn what_holds_the_gateways_own_files_is_never_shown() {
        let base = tempfile::tempdir().unwrap();
        for directory in ["data", "run"] {
            fs::create_dir_all(base.path().join(directory)).unwrap();
        }
        let certificates = base.path().display().to_string();
        let recipe = recipe(None, &[("SSL_CERT_DIR", &certificates)], base.path());
        assert!(
            !recipe
                .plan(&base.path().join("run/acc"), 1)
                .unwrap()
                .read
                .contains(&base.path().to_owned())
        );
    }
}
