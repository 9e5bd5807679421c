//! Finds out what a command consists of: its program, and every file the program needs beyond the system's own.
//!
//! Python programs are scripts of a virtual environment. Its `python` links to another installation, and its packages
//! may be in a third place. The links and references in these files are followed to the end.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use url::Url;

use super::child::find_program;
use super::readable::ReadablePaths;

/// Directories next to a program's `bin` directory that belong to it.
const BESIDE_BIN: &[&str] = &[
    "bin",
    "lib",
    "lib64",
    "libexec",
    "pyvenv.cfg",
    "share/zoneinfo",
    "ssl",
];
/// The maximum number of links and interpreters to follow; a longer chain is taken for a loop.
const LONGEST_CHAIN: usize = 16;
/// Size limit in bytes of text files that are read to locate a program's parts.
const LARGEST_TEXT: u64 = 64 << 10;

/// A command, and where its programs are looked up.
#[derive(Debug)]
pub(crate) struct Program<'a> {
    /// The resolved path of the program.
    pub(crate) path: &'a Path,
    pub(crate) arguments: &'a [String],
    /// The `PATH` in which other programs are looked up.
    pub(crate) search_path: &'a str,
}

impl Program<'_> {
    /// Makes everything that belongs to the program readable.
    pub(crate) fn show(&self, readable: &mut ReadablePaths<'_>) {
        let mut search = ProgramSearch {
            search_path: self.search_path,
            readable,
            seen: BTreeSet::new(),
            next: vec![self.path.to_owned()],
        };
        search
            .next
            .extend(self.arguments.iter().filter_map(|word| path_in(word)));
        if is_env(self.path) {
            search
                .next
                .extend(search.named_by_env(self.arguments.iter().map(String::as_str)));
        }
        search.follow();
    }

    /// Where `pip install --user` put the packages of this program. Python looks for them in the home directory, and
    /// a worker has its own.
    pub(crate) fn user_base(&self) -> Option<&Path> {
        let base = self.path.parent()?.parent()?;
        (base.file_name()? == ".local" && !site_packages(base).is_empty()).then_some(base)
    }
}

struct ProgramSearch<'a, 'b> {
    search_path: &'a str,
    readable: &'a mut ReadablePaths<'b>,
    seen: BTreeSet<PathBuf>,
    next: Vec<PathBuf>,
}

impl ProgramSearch<'_, '_> {
    fn follow(&mut self) {
        while let Some(path) = self.next.pop() {
            if self.seen.len() < LONGEST_CHAIN && self.seen.insert(path.clone()) {
                self.look_at(&path);
            }
        }
    }

    fn look_at(&mut self, path: &Path) {
        if path.is_dir() {
            return self.readable.directory(path);
        }
        self.readable.tree(path);
        let Some(directory) = path.parent() else { return };
        match (directory.file_name().and_then(OsStr::to_str), directory.parent()) {
            (Some("bin" | "sbin"), Some(prefix)) => self.installation(prefix),
            // A shim of pyenv or a similar tool: a script that looks for the right version next to itself.
            (Some("shims"), Some(root)) => self.readable.directory(root),
            _ => self.readable.directory(directory),
        }
        match fs::read_link(path) {
            Ok(target) => self.next.push(directory.join(target)),
            Err(_) => self.next.extend(self.interpreter(path)),
        }
    }

    /// Adds everything that was installed together: the program in `bin` and its libraries next to it.
    fn installation(&mut self, prefix: &Path) {
        for part in BESIDE_BIN {
            self.readable.tree(&prefix.join(part));
        }
        // A virtual environment has its own packages, but uses the libraries of the Python that created it.
        if let Some(home) = read_text(&prefix.join("pyvenv.cfg")).as_deref().and_then(home_of) {
            self.next.push(home.join("python3"));
        }
        for packages in site_packages(prefix) {
            for elsewhere in packages_elsewhere(&packages) {
                self.readable.tree(&elsewhere);
            }
        }
    }

    /// The program named in a script's first line.
    fn interpreter(&self, script: &Path) -> Option<PathBuf> {
        let mut line = Vec::new();
        BufReader::new(fs::File::open(script).ok()?.take(512))
            .read_until(b'\n', &mut line)
            .ok()?;
        let line = String::from_utf8(line).ok()?;
        let mut words = line.strip_prefix("#!")?.split_whitespace();
        let program = PathBuf::from(words.next()?);
        if is_env(&program) {
            return self.named_by_env(words);
        }
        Some(program).filter(|program| program.is_absolute())
    }

    /// The program in `env python3`, `env -S python3 -u` or `env A=1 python3`.
    fn named_by_env<'w>(&self, mut words: impl Iterator<Item = &'w str>) -> Option<PathBuf> {
        let word = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
        find_program(word, self.search_path)
    }
}

/// The path in one word of a command: the word itself, or the part after `=` as in `--from=/opt/x`. Relative paths
/// are ignored, because they would refer to the worker's own directory.
fn path_in(word: &str) -> Option<PathBuf> {
    let word = word
        .strip_prefix("--")
        .and_then(|option| Some(option.split_once('=')?.1))
        .unwrap_or(word);
    Some(PathBuf::from(word)).filter(|path| path.is_absolute() && path.exists())
}

fn is_env(program: &Path) -> bool {
    program.file_name().is_some_and(|name| name == "env")
}

/// The directory in the line `home = /usr/bin` of a `pyvenv.cfg`.
fn home_of(settings: &str) -> Option<PathBuf> {
    let mut pairs = settings.lines().filter_map(|line| line.split_once('='));
    let (_, home) = pairs.find(|(name, _)| name.trim() == "home")?;
    Some(PathBuf::from(home.trim()))
}

/// The directories `lib/python3.X/site-packages`, and Debian's equivalents.
fn site_packages(prefix: &Path) -> Vec<PathBuf> {
    let libraries = fs::read_dir(prefix.join("lib")).into_iter().flatten();
    libraries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.as_encoded_bytes().starts_with(b"python"))
        })
        .flat_map(|python| ["site-packages", "dist-packages"].map(|name| python.join(name)))
        .filter(|packages| packages.is_dir())
        .collect()
}

/// Packages that are used from their source directory (`pip install -e`, `uv sync`): `.pth` files name directories,
/// and `direct_url.json` names a project.
fn packages_elsewhere(packages: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(packages).into_iter().flatten();
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .flat_map(|path| match path.extension().and_then(OsStr::to_str) {
            Some("pth") => named_by_pth(&path),
            Some("dist-info") => editable_project(&path).into_iter().collect(),
            _ => Vec::new(),
        })
        .collect()
}

fn named_by_pth(file: &Path) -> Vec<PathBuf> {
    let text = read_text(file).unwrap_or_default();
    text.lines().map(str::trim).filter_map(path_in).collect()
}

fn editable_project(dist_info: &Path) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Origin {
        url: String,
        #[serde(default)]
        dir_info: DirInfo,
    }
    #[derive(Default, Deserialize)]
    struct DirInfo {
        #[serde(default)]
        editable: bool,
    }
    let origin: Origin = serde_json::from_str(&read_text(&dist_info.join("direct_url.json"))?).ok()?;
    let url = Url::parse(&origin.url)
        .ok()
        .filter(|_| origin.dir_info.editable)?;
    url.to_file_path().ok()
}

fn read_text(path: &Path) -> Option<String> {
    let mut text = String::new();
    let file = fs::File::open(path).ok()?;
    file.take(LARGEST_TEXT).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::super::readable::PrivatePaths;
    use super::*;

    struct Ground {
        base: PathBuf,
        _owned: tempfile::TempDir,
    }

    /// Creates files below a temporary directory. `-> x` makes a link, no text makes a directory, and `{}` is
    /// replaced by the path of the temporary directory.
    fn ground(files: &[(&str, &str)]) -> Ground {
        let owned = tempfile::tempdir().unwrap();
        let base = owned.path().canonicalize().unwrap();
        for (path, text) in files {
            let path = base.join(path);
            let text = text.replace("{}", base.to_str().unwrap());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            match text.strip_prefix("-> ") {
                Some(target) => symlink(target, path).unwrap(),
                None if text.is_empty() => fs::create_dir_all(path).unwrap(),
                None => {
                    fs::write(&path, text).unwrap();
                    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
                }
            }
        }
        Ground { base, _owned: owned }
    }

    impl Ground {
        /// The paths below this directory that become readable for a command, resolved.
        fn shown(&self, command: &str) -> Vec<String> {
            let command = command.replace("{}", self.base.to_str().unwrap());
            let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
            let search_path = self.base.join("path").display().to_string();
            let path = find_program(&words[0], &search_path).unwrap();
            let program = Program {
                path: &path,
                arguments: &words[1..],
                search_path: &search_path,
            };
            let private = PrivatePaths::new(&self.base.join("data"), [self.base.join("data/db")]);
            let mut readable = ReadablePaths::new(&private);
            program.show(&mut readable);
            let real: BTreeSet<String> = readable
                .paths()
                .iter()
                .filter_map(|path| {
                    let real = path.canonicalize().unwrap();
                    Some(real.strip_prefix(&self.base).ok()?.display().to_string())
                })
                .collect();
            real.into_iter().collect()
        }
    }

    #[test]
    fn a_virtual_environment_is_followed_to_its_python_and_its_editable_packages() {
        let ground = ground(&[
            ("path/garmin-mcp", "-> ../venv/bin/garmin-mcp"),
            ("venv/bin/garmin-mcp", "#!{}/venv/bin/python -u\n"),
            ("venv/bin/python", "-> {}/python/bin/python3"),
            ("venv/pyvenv.cfg", "home = {}/python/bin\nversion = 3.12\n"),
            (
                "venv/lib/python3.12/site-packages/_garmin_mcp.pth",
                "import this\n{}/project/src\n{}/gone\n",
            ),
            (
                "venv/lib/python3.12/site-packages/other-1.dist-info/direct_url.json",
                r#"{"url": "file://{}/other", "dir_info": {"editable": true}}"#,
            ),
            ("project/src/garmin_mcp", ""),
            ("other", ""),
            ("python/bin/python3", "\x7fELF"),
            ("python/lib/python3.12", ""),
            ("python/private", ""),
        ]);
        assert_eq!(
            ground.shown("garmin-mcp"),
            [
                "other",
                "path",
                "project/src",
                "python/bin",
                "python/bin/python3",
                "python/lib",
                "venv/bin",
                "venv/bin/garmin-mcp",
                "venv/lib",
                "venv/pyvenv.cfg"
            ]
        );
    }

    #[test]
    fn paths_among_the_arguments_are_shown_with_their_directory() {
        let ground = ground(&[
            ("path/python3", "\x7fELF"),
            ("app/x.py", "#!/usr/bin/env -S python3 -u\n"),
            ("tree/src", ""),
            ("data/x.py", "print()"),
            ("data/db", ""),
        ]);
        assert_eq!(
            ground.shown("{}/app/x.py"),
            ["app", "app/x.py", "path", "path/python3"]
        );
        assert_eq!(
            ground.shown("python3 {}/app/x.py --from={}/tree {}/gone"),
            ["app", "app/x.py", "path", "path/python3", "tree"]
        );
        // For a script next to the gateway's data, only the script itself becomes readable.
        assert_eq!(
            ground.shown("python3 {}/data/x.py {}/data/db"),
            ["data/x.py", "path", "path/python3"]
        );
    }

    #[test]
    fn a_shim_is_shown_with_its_versions() {
        let ground = ground(&[
            ("pyenv/shims/python3", "#!/bin/sh\n"),
            ("pyenv/versions/3.12/bin/python3", "\x7fELF"),
        ]);
        assert_eq!(
            ground.shown("{}/pyenv/shims/python3 -m garmin_mcp"),
            ["pyenv", "pyenv/shims/python3"]
        );
        assert_eq!(
            ground.shown("/usr/bin/env A=1 {}/pyenv/shims/python3"),
            ["pyenv", "pyenv/shims/python3"]
        );
    }
}
