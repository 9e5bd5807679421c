//! The fence around a started Claude. It may read its program, write its own login and the look's directory, and
//! connect to the model and to the gateway. It cannot reach the store, the secret or a worker's files.

use std::path::{Path, PathBuf};

use url::Url;

use crate::config::{CoachConfig, CoachedBy};
use crate::sandbox::{FencePlan, PATH, PrivatePaths, Program, ReadablePaths, find_program, ports};

/// Writable memory in bytes. The address space has no limit: JavaScript engines reserve far more than they use.
const MEMORY: u64 = 4 << 30;

/// Claude Code's login and settings, below the home directory unless `CLAUDE_CONFIG_DIR` is set.
const CONFIG: &str = ".claude";
/// A file next to that directory, which may hold an older login.
const CONFIG_FILE: &str = ".claude.json";

/// A command together with its fence.
#[derive(Debug)]
pub(super) struct Confined {
    /// The fence with the arguments of `CLAUDE_CMD`. The module `command` appends its own.
    pub(super) plan: FencePlan,
    pub(super) environment: Vec<(String, String)>,
}

impl Confined {
    /// Prepares the command `words` with `environment` for a look that has its own `directory` and `temporary`, with
    /// the gateway at `gateway`. `None` if the program is not found.
    pub(super) fn new(
        words: &[String],
        environment: &[(String, String)],
        (directory, temporary): (&Path, &Path),
        gateway: Option<Url>,
        private: &PrivatePaths,
    ) -> Option<Self> {
        let mut environment = environment.to_vec();
        let (word, arguments) = words.split_first()?;
        let search_path = find(&environment, "PATH").unwrap_or(PATH).to_owned();
        let path = find_program(word, &search_path)?;
        let mut shown = ReadablePaths::system(private, &environment);
        let program = Program {
            path: &path,
            arguments,
            search_path: &search_path,
        };
        program.show(&mut shown);
        let mut write = vec![directory.to_owned()];
        write.extend(
            login(&mut environment)
                .into_iter()
                .filter(|path| private.lets(path)),
        );
        let model = find(&environment, "ANTHROPIC_BASE_URL").and_then(|url| Url::parse(url).ok());
        let connect = ports(&environment, model.into_iter().chain(gateway));
        environment.retain(|(name, _)| name != "TMPDIR");
        environment.push(("TMPDIR".into(), temporary.display().to_string()));
        Some(Self {
            plan: FencePlan {
                gateway: nix::unistd::getpid().as_raw(),
                arguments: arguments.to_vec(),
                read: shown.paths(),
                program: path,
                write,
                listen: Vec::new(),
                connect,
                memory: MEMORY,
                address_space: None,
            },
            environment,
        })
    }
}

/// A warning if `CLAUDE_CMD` names a program that can't be executed.
pub fn missing_program(config: &CoachConfig) -> Option<String> {
    let CoachedBy::Command { words, environment } = &config.by else {
        return None;
    };
    let word = words.first()?;
    let is_there = find_program(word, find(environment, "PATH").unwrap_or(PATH)).is_some();
    (!is_there).then(|| {
        format!(
            "CLAUDE_CMD: there is no program {word} that can be executed; install it, or write its whole path"
        )
    })
}

/// Paths of the login. The fence prevents the replacement of single files in the home directory, so unless an older
/// login file exists, the directory holds everything.
fn login(environment: &mut Vec<(String, String)>) -> Vec<PathBuf> {
    if let Some(directory) = find(environment, "CLAUDE_CONFIG_DIR") {
        return vec![directory.into()];
    }
    let Some(home) = find(environment, "HOME").map(PathBuf::from) else {
        return Vec::new();
    };
    let (directory, file) = (home.join(CONFIG), home.join(CONFIG_FILE));
    if !file.exists() {
        environment.push(("CLAUDE_CONFIG_DIR".into(), directory.display().to_string()));
    }
    // If this fails, the command reports it.
    std::fs::create_dir_all(&directory).ok();
    vec![directory, file]
}

fn find<'a>(environment: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = environment.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Ground {
        dir: tempfile::TempDir,
    }

    impl Ground {
        fn at(&self, path: &str) -> String {
            self.dir.path().join(path).display().to_string()
        }

        fn confined(&self, more: &[(&str, &str)]) -> Confined {
            let private = ["data/db", "run"].map(|path| self.at(path).into());
            let private = PrivatePaths::new(self.at("data").as_ref(), private);
            let mut environment = vec![("HOME".to_owned(), self.at("home"))];
            let more = more
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            environment.extend(more);
            let directory = self.dir.path().join("run/coach/look_1");
            let words = ["/bin/sh".to_owned(), "--model".to_owned()];
            let gateway = Url::parse("http://127.0.0.1:8080").ok();
            let own = (directory.as_path(), &*directory.join("tmp"));
            Confined::new(&words, &environment, own, gateway, &private).unwrap()
        }
    }

    fn ground() -> Ground {
        let dir = tempfile::tempdir().unwrap();
        for path in ["data/db", "data/claude", "run", "home"] {
            std::fs::create_dir_all(dir.path().join(path)).unwrap();
        }
        Ground { dir }
    }

    #[test]
    fn it_writes_its_own_directory_and_its_login_and_reaches_the_model_and_us() {
        let ground = ground();
        let Confined { plan, environment } =
            ground.confined(&[("ANTHROPIC_BASE_URL", "http://127.0.0.1:9999/v1")]);
        let login = ground.at("home/.claude");
        let expected = [
            ground.at("run/coach/look_1"),
            login.clone(),
            ground.at("home/.claude.json"),
        ];
        assert_eq!(plan.write, expected.map(PathBuf::from));
        assert_eq!((plan.connect, plan.listen), (vec![53, 443, 8080, 9999], vec![]));
        assert_eq!(plan.arguments, ["--model"]);
        assert_eq!(find(&environment, "CLAUDE_CONFIG_DIR"), Some(&*login));
        assert_eq!(
            find(&environment, "TMPDIR"),
            Some(&*ground.at("run/coach/look_1/tmp"))
        );
        let home = PathBuf::from(ground.at("home"));
        assert!(
            !plan.read.iter().any(|path| home.starts_with(path)),
            "{:?}",
            plan.read
        );
    }

    #[test]
    fn an_older_login_stays_where_it_is() {
        let ground = ground();
        std::fs::write(ground.at("home/.claude.json"), "{}").unwrap();
        let confined = ground.confined(&[]);
        assert_eq!(find(&confined.environment, "CLAUDE_CONFIG_DIR"), None);
        assert!(
            confined
                .plan
                .write
                .contains(&ground.at("home/.claude.json").into())
        );
    }

    #[test]
    fn a_login_is_no_way_to_what_is_private() {
        let ground = ground();
        for (path, is_let) in [
            ("data/claude", true),
            ("data", false),
            ("data/db", false),
            ("data/db/x", false),
            ("run", false),
            ("", false),
        ] {
            let path = ground.at(path);
            let confined = ground.confined(&[("CLAUDE_CONFIG_DIR", &path)]);
            assert_eq!(
                confined.plan.write.contains(&path.clone().into()),
                is_let,
                "{path}"
            );
        }
    }
}
