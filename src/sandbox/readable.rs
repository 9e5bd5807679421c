//! The file trees that a program may read, without private files.
//!
//! A landlock rule covers a whole tree, without exceptions. A tree that contains private files is therefore never
//! named; the entries around the private part are named instead, or nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::fence::SYSTEM;
use super::network::CERTIFICATES;

/// Paths that no program may read, resolved.
#[derive(Debug, Clone)]
pub struct PrivatePaths {
    /// No directory that contains one of these becomes readable as a whole.
    whole: Vec<PathBuf>,
    /// Nothing inside these is ever readable.
    closed: Vec<PathBuf>,
    /// Home directories and other shared places. They don't become readable just because a program is installed
    /// there.
    broad: BTreeSet<PathBuf>,
}

/// Directories that don't belong to a single program.
const BROAD: &[&str] = &[
    "/", "/boot", "/dev", "/etc", "/home", "/media", "/mnt", "/root", "/run", "/srv", "/tmp", "/var",
    "/var/lib", "/var/tmp",
];

/// The files and trees that become readable, and those that were left out.
#[derive(Debug)]
pub(crate) struct ReadablePaths<'a> {
    private: &'a PrivatePaths,
    paths: BTreeSet<PathBuf>,
    left_out: BTreeSet<PathBuf>,
}

impl PrivatePaths {
    /// Everything in `closed` is private. In `data_dir`, only what is named explicitly becomes readable.
    pub fn new(data_dir: &Path, closed: impl IntoIterator<Item = PathBuf>) -> Self {
        let closed: Vec<PathBuf> = closed.into_iter().map(|path| real(&path)).collect();
        let mut whole = closed.clone();
        whole.push(real(data_dir));
        PrivatePaths {
            whole,
            closed,
            broad: BROAD.iter().map(PathBuf::from).chain(homes()).collect(),
        }
    }

    fn holds(&self, tree: &Path) -> bool {
        self.whole.iter().any(|private| private.starts_with(tree))
    }

    /// Whether a program may read this whole tree.
    pub(crate) fn lets(&self, tree: &Path) -> bool {
        let real = real(tree);
        !self.holds(&real) && !self.is_closed(&real)
    }

    fn is_closed(&self, path: &Path) -> bool {
        self.closed.iter().any(|closed| path.starts_with(closed))
    }
}

impl<'a> ReadablePaths<'a> {
    pub(crate) fn new(private: &'a PrivatePaths) -> Self {
        ReadablePaths {
            private,
            paths: BTreeSet::new(),
            left_out: BTreeSet::new(),
        }
    }

    /// Starts with what every program needs: system files, certificates, and the resolver's configuration.
    pub(crate) fn system(private: &'a PrivatePaths, environment: &[(String, String)]) -> Self {
        let mut readable = Self::new(private);
        for path in SYSTEM {
            readable.tree(Path::new(path));
        }
        for (_, path) in environment
            .iter()
            .filter(|(name, _)| CERTIFICATES.contains(&name.as_str()))
        {
            readable.tree(Path::new(path));
        }
        // A resolver may replace its file, so its directory is made readable rather than the present file.
        if let Ok(resolver) = fs::canonicalize("/etc/resolv.conf")
            && let Some(directory) = resolver
                .parent()
                .filter(|directory| *directory != Path::new("/etc"))
        {
            readable.tree(&resolver);
            readable.directory(directory);
        }
        readable
    }

    /// Makes a file or tree readable. If it contains private files, only the entries around them become readable.
    pub(crate) fn tree(&mut self, path: &Path) {
        let Ok(real) = path.canonicalize() else { return };
        if self.private.is_closed(&real) {
            self.left_out.insert(path.to_owned());
        } else if self.private.holds(&real) {
            self.left_out.insert(path.to_owned());
            self.around(&real);
        } else {
            self.paths.insert(path.to_owned());
        }
    }

    /// Like [`ReadablePaths::tree`], but leaves out home directories and other shared places.
    pub(crate) fn directory(&mut self, path: &Path) {
        match path.canonicalize() {
            Ok(real) if self.private.broad.contains(&real) => drop(self.left_out.insert(path.to_owned())),
            _ => self.tree(path),
        }
    }

    /// Returns the readable paths, and logs what was left out.
    pub(crate) fn paths(self) -> Vec<PathBuf> {
        for path in &self.left_out {
            tracing::info!(path = %path.display(), "fence.narrowed");
        }
        self.paths.into_iter().collect()
    }

    /// Adds the entries of a directory that don't lead to private files. Adds nothing in a directory that is itself
    /// private, such as the data directory.
    fn around(&mut self, directory: &Path) {
        if self.private.whole.iter().any(|private| private == directory) {
            return;
        }
        let Ok(entries) = fs::read_dir(directory) else {
            return;
        };
        for entry in entries.filter_map(Result::ok) {
            let path = entry.path();
            let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            let Ok(real) = path.canonicalize() else { continue };
            if self.private.is_closed(&real) {
                continue;
            }
            if !self.private.holds(&real) {
                self.paths.insert(path);
            } else if !is_link {
                self.around(&real);
            }
        }
    }
}

/// Resolves a path. The part that does not exist yet is appended to the nearest existing parent.
fn real(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.ancestors()
        .find_map(|above| {
            let rest = path.strip_prefix(above).ok()?;
            Some(above.canonicalize().ok()?.join(rest))
        })
        .unwrap_or(path)
}

/// The home directories of this machine's users.
fn homes() -> Vec<PathBuf> {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let listed = passwd.lines().filter_map(|line| line.split(':').nth(5));
    let under_home = fs::read_dir("/home").into_iter().flatten();
    listed
        .map(PathBuf::from)
        .chain(under_home.filter_map(|entry| Some(entry.ok()?.path())))
        .filter(|home| !home.starts_with("/usr") && !home.starts_with("/bin") && !home.starts_with("/opt"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ground(directories: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let base = tempfile::tempdir().unwrap();
        for directory in directories {
            fs::create_dir_all(base.path().join(directory)).unwrap();
        }
        let real = base.path().canonicalize().unwrap();
        (base, real)
    }

    #[test]
    fn a_tree_with_something_private_in_it_is_shown_around_it() {
        let (_base, at) = ground(&[
            "opt/app/bin",
            "opt/app/var/data/db",
            "opt/app/var/cache",
            "opt/lib",
        ]);
        fs::write(at.join("opt/app/var/secret"), "x").unwrap();
        std::os::unix::fs::symlink("app/var", at.join("opt/link")).unwrap();
        let data = at.join("opt/app/var/data");
        let private = PrivatePaths::new(&data, [data.join("db"), at.join("opt/app/var/secret")]);
        let mut readable = ReadablePaths::new(&private);
        readable.tree(&at.join("opt"));
        let expected = ["opt/app/bin", "opt/app/var/cache", "opt/lib"].map(|path| at.join(path));
        assert_eq!(readable.paths(), expected);
    }

    #[test]
    fn what_is_closed_is_never_shown_and_what_is_asked_for_by_name_beside_it_is() {
        let (_base, at) = ground(&["data/db", "data/users/acc", "data/venv/lib"]);
        let data = at.join("data");
        // The users' directory may be created later.
        let private = PrivatePaths::new(&data, ["db", "users", "later/on"].map(|name| data.join(name)));
        let mut readable = ReadablePaths::new(&private);
        for path in [
            "data",
            "data/db",
            "data/users/acc",
            "data/venv/lib",
            "data/nothing",
        ] {
            readable.tree(&at.join(path));
        }
        fs::create_dir_all(data.join("later/on/now")).unwrap();
        readable.tree(&data.join("later/on/now"));
        readable.directory(&data);
        assert_eq!(readable.paths(), [data.join("venv/lib")]);
    }

    #[test]
    fn a_home_is_nobodys_program_directory() {
        let (_base, at) = ground(&["app"]);
        let private = PrivatePaths::new(&at.join("data"), []);
        let mut readable = ReadablePaths::new(&private);
        for broad in ["/", "/tmp", "/etc", "/root"] {
            readable.directory(Path::new(broad));
        }
        readable.directory(&at.join("app"));
        assert_eq!(readable.paths(), [at.join("app")]);
    }
}
