//! What a program may read: trees of files, with nothing private in any of them.
//!
//! Landlock lets through whole trees only and has no exception within one, so a tree that holds something private is
//! never named: what lies around the private part is, or nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::fence::SYSTEM;
use super::network::CERTIFICATES;

/// What is kept from every program, as real paths.
#[derive(Debug, Clone)]
pub struct PrivatePaths {
    /// Nothing above one of these is shown as a whole.
    whole: Vec<PathBuf>,
    /// Nothing within one of these is shown at all.
    closed: Vec<PathBuf>,
    /// Where people keep their own things: a program in one of these does not make it a program's directory.
    broad: BTreeSet<PathBuf>,
}

/// Directories that belong to no single program.
const BROAD: &[&str] = &[
    "/", "/boot", "/dev", "/etc", "/home", "/media", "/mnt", "/root", "/run", "/srv", "/tmp", "/var",
    "/var/lib", "/var/tmp",
];

/// The files and trees to name to the kernel, and what was left out.
#[derive(Debug)]
pub(crate) struct ReadablePaths<'a> {
    private: &'a PrivatePaths,
    paths: BTreeSet<PathBuf>,
    left_out: BTreeSet<PathBuf>,
}

impl PrivatePaths {
    /// `closed` in all that is in it; of `data_dir` only what is asked for by its own name is ever readable.
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

    /// Whether a program may have this tree, whole.
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

    /// With what any program needs: the system's own files, and those by which it finds its way out and whom to trust.
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
        // A resolver that rewrites its file is followed: its directory is let through, not the file of today.
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

    /// Shows a file, or a tree: where it holds something private, the parts around that.
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

    /// As [`ReadablePaths::tree`], unless people keep their own things there.
    pub(crate) fn directory(&mut self, path: &Path) {
        match path.canonicalize() {
            Ok(real) if self.private.broad.contains(&real) => drop(self.left_out.insert(path.to_owned())),
            _ => self.tree(path),
        }
    }

    /// Everything that was readable.
    pub(crate) fn paths(self) -> Vec<PathBuf> {
        for path in &self.left_out {
            tracing::info!(path = %path.display(), "fence.narrowed");
        }
        self.paths.into_iter().collect()
    }

    /// The entries of a directory that lead away from what is private. What is private has a directory of its own or
    /// none: nothing beside it is readable.
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

/// The real path; of what is not there yet, that of the nearest directory above.
fn real(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.ancestors()
        .find_map(|above| {
            let rest = path.strip_prefix(above).ok()?;
            Some(above.canonicalize().ok()?.join(rest))
        })
        .unwrap_or(path)
}

/// The home directories of this machine's people.
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
        // The users' directory may come into being later.
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
