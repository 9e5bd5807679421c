//! What a worker is told and shown: its variables, its program, and what the fence lets through. Plain data in, plain
//! data out, but for looks at where a program lies.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use url::Url;

use super::child::find_program;
use super::fence::Plan;
use crate::foundation::config::{GarminDomain, GarminHosts, WorkerSettings};

/// Where programs are when the gateway has no `PATH` itself.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Everything about the workers' program that is the same for all of them.
#[derive(Debug, Clone)]
pub(super) struct Recipe {
    settings: WorkerSettings,
    garmin: GarminHosts,
    self_exe: PathBuf,
    /// Nothing that holds one of these is shown to a worker.
    private: Vec<PathBuf>,
    /// Where `uv` keeps what it downloaded, for all workers.
    uv_cache: PathBuf,
}

/// The program is missing. *The operator* can act.
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
        runtime_dir: &Path,
    ) -> Self {
        let private = [data_dir, runtime_dir].map(|path| path.canonicalize().unwrap_or_else(|_| path.into()));
        Recipe {
            settings,
            garmin,
            self_exe,
            private: private.into(),
            uv_cache: data_dir.join("uv"),
        }
    }

    /// Our own binary.
    pub(super) fn self_exe(&self) -> &Path {
        &self.self_exe
    }

    /// `builtin` or the name of the program.
    pub(super) fn kind(&self) -> String {
        match self.settings.command.as_deref() {
            Some([program, ..]) => base_name(Path::new(program)),
            _ => "builtin".to_owned(),
        }
    }

    /// The whole environment of a worker whose directory is `directory`, listening on `port`.
    pub(super) fn environment(&self, directory: &Path, port: u16) -> Vec<(String, String)> {
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
        if self.settings.command.is_none() {
            set("GARMIN_CONNECTAPI_URL", self.garmin.connectapi.to_string());
            set("GARMIN_DIAUTH_URL", self.garmin.diauth.to_string());
        } else {
            if !self.settings.passed_on.iter().any(|(name, _)| name == "PATH") {
                set("PATH", PATH.into());
            }
            // Otherwise written to the home directory, where it is wiped just as well; said here to be sure.
            set("GARMINTOKENS_BASE64", format!("{own}/garmin_tokens.base64"));
            set("PYTHONUNBUFFERED", "1".into());
            set("PYTHONDONTWRITEBYTECODE", "1".into());
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

    /// What the fence is told about that worker.
    pub(super) fn plan(&self, directory: &Path, port: u16) -> Result<Plan, ProgramMissing> {
        let (program, arguments) = match self.settings.command.as_deref() {
            Some([program, arguments @ ..]) => (self.program(program)?, arguments.to_vec()),
            _ => (self.self_exe.clone(), vec!["worker".to_owned()]),
        };
        let mut read: BTreeSet<PathBuf> = match self.settings.command {
            None => [program.clone()].into(),
            Some(_) => program_files(&program),
        };
        read.extend(
            self.variables(&[
                "SSL_CERT_FILE",
                "SSL_CERT_DIR",
                "REQUESTS_CA_BUNDLE",
                "CURL_CA_BUNDLE",
            ])
            .map(PathBuf::from),
        );
        // A resolver that rewrites its file is followed: its directory is let through, not the file of today.
        if let Ok(resolver) = fs::canonicalize("/etc/resolv.conf")
            && let Some(directory) = resolver
                .parent()
                .filter(|directory| *directory != Path::new("/etc"))
        {
            read.insert(directory.to_owned());
        }
        read.retain(|path| !self.shows_private(path));
        let mut write = vec![directory.to_owned()];
        if self.uses_uv() {
            write.push(self.uv_cache.clone());
        }
        Ok(Plan {
            gateway: nix::unistd::getpid().as_raw(),
            program,
            arguments,
            read: read.into_iter().collect(),
            write,
            listen: port,
            connect: self.connects(),
        })
    }

    fn program(&self, word: &str) -> Result<PathBuf, ProgramMissing> {
        let path = self.variables(&["PATH"]).next().unwrap_or(PATH);
        find_program(word, path).ok_or_else(|| ProgramMissing {
            program: word.to_owned(),
        })
    }

    /// A directory that other workers' code runs from is shared by all of them: fine for a command that the operator
    /// installed, a compromise for one that `uv` downloads, in exchange for one download.
    fn uses_uv(&self) -> bool {
        matches!(self.settings.command.as_deref(), Some([program, ..]) if matches!(base_name(Path::new(program)).as_str(), "uv" | "uvx"))
    }

    /// Makes the directories that a plan speaks of.
    pub(super) fn prepare(&self) -> std::io::Result<()> {
        if self.uses_uv() {
            fs::create_dir_all(&self.uv_cache)
        } else {
            Ok(())
        }
    }

    fn shows_private(&self, path: &Path) -> bool {
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let shows = self.private.iter().any(|private| private.starts_with(&real));
        if shows {
            tracing::warn!(path = %path.display(), "worker.fence_narrowed");
        }
        shows
    }

    /// HTTPS, name servers, a proxy, and Garmin where it is played by somebody else.
    fn connects(&self) -> Vec<u16> {
        let port = |url: Url| url.port_or_known_default();
        let proxies = self
            .variables(&["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"])
            // `proxy:3128` would be read as a URL of the scheme `proxy`.
            .filter_map(|text| {
                let scheme = if text.contains("://") { "" } else { "http://" };
                Url::parse(&format!("{scheme}{text}")).ok()
            });
        let garmin = [&self.garmin.sso, &self.garmin.diauth, &self.garmin.connectapi].map(Url::clone);
        let ports: BTreeSet<u16> = [443, 53]
            .into_iter()
            .chain(proxies.filter_map(port))
            .chain(garmin.into_iter().filter_map(port))
            .collect();
        ports.into_iter().collect()
    }

    fn variables<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
        let passed_on = &self.settings.passed_on;
        passed_on
            .iter()
            .filter(|(name, _)| names.contains(&name.as_str()))
            .map(|(_, value)| value.as_str())
    }
}

fn base_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// The files that belong to a program: itself and the libraries beside its `bin` directory, for every link and
/// interpreter on the way. (A Python program is a script of a virtual environment whose `python` links to another.)
fn program_files(program: &Path) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    let mut next = Some(program.to_owned());
    // A chain that is longer goes in circles.
    for _ in 0..12 {
        let Some(path) = next.take() else { break };
        files.insert(path.clone());
        if let Some(directory) = path.parent()
            && directory.file_name().is_some_and(|name| name == "bin")
            && let Some(prefix) = directory.parent()
        {
            files.extend(["bin", "lib", "lib64", "pyvenv.cfg"].map(|name| prefix.join(name)));
        }
        next = match fs::read_link(&path) {
            Ok(target) => path.parent().map(|directory| directory.join(target)),
            Err(_) => interpreter(&path),
        };
    }
    files.retain(|file| file.exists());
    files
}

/// The program that a script names in its first line.
fn interpreter(script: &Path) -> Option<PathBuf> {
    let mut line = Vec::new();
    BufReader::new(fs::File::open(script).ok()?.take(512))
        .read_until(b'\n', &mut line)
        .ok()?;
    let line = String::from_utf8(line).ok()?;
    let program = line.strip_prefix("#!")?.split_whitespace().next()?;
    Some(PathBuf::from(program)).filter(|program| program.is_absolute())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::time::Duration;

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
            "/opt/garmin-gateway".into(),
            &base.join("data"),
            &base.join("run"),
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
            lines(recipe.environment(Path::new("/run/acc"), 9001)),
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
                "TMPDIR=/run/acc",
            ]
        );
        let plan = recipe.plan(Path::new("/run/acc"), 9001).unwrap();
        assert_eq!(
            (plan.program, plan.arguments),
            ("/opt/garmin-gateway".into(), vec!["worker".to_owned()])
        );
        assert!(plan.read.contains(&"/opt/garmin-gateway".into()));
        assert_eq!((plan.write, plan.listen), (vec!["/run/acc".into()], 9001));
        assert_eq!(plan.connect, [53, 443, 7777]);
    }

    #[test]
    fn a_foreign_worker_gets_garmin_mcps_variables() {
        let recipe = recipe(
            Some("uvx --from x garmin-mcp"),
            &[("PATH", "/nowhere"), ("HTTPS_PROXY", "proxy.example:3128")],
            Path::new("/x"),
        );
        let variables = lines(recipe.environment(Path::new("/run/acc"), 9001));
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
    fn the_files_of_a_python_program_are_found_through_links_and_interpreters() {
        let base = tempfile::tempdir().unwrap();
        let at = |path: &str| base.path().join(path);
        for directory in [
            "home/bin",
            "venv/bin",
            "venv/lib",
            "python/bin",
            "python/lib",
            "data/users",
            "run",
        ] {
            fs::create_dir_all(at(directory)).unwrap();
        }
        let script = format!("#!{}\nprint()\n", at("venv/bin/python").display());
        fs::write(at("venv/bin/garmin-mcp"), script).unwrap();
        fs::set_permissions(at("venv/bin/garmin-mcp"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(at("python/bin/python3"), "\x7fELF").unwrap();
        symlink("../../venv/bin/garmin-mcp", at("home/bin/garmin-mcp")).unwrap();
        symlink(at("python/bin/python3"), at("venv/bin/python")).unwrap();

        let path = at("home/bin").display().to_string();
        let recipe = recipe(Some("garmin-mcp"), &[("PATH", &path)], base.path());
        let plan = recipe.plan(&at("run/acc"), 9001).unwrap();
        assert_eq!(plan.program, at("home/bin/garmin-mcp"));
        let read: BTreeSet<PathBuf> = plan
            .read
            .iter()
            .map(|path| path.canonicalize().unwrap())
            .collect();
        for expected in ["venv/bin", "venv/lib", "python/bin", "python/lib"] {
            assert!(
                read.contains(&at(expected).canonicalize().unwrap()),
                "{expected} in {read:?}"
            );
        }
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
