//! Manual pages and shell completions, generated from the command line.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

use super::NAME;
use super::output::put;
use crate::install::Manual;

pub(super) fn completions(shell: Shell) -> anyhow::Result<()> {
    Ok(put(script(shell).as_bytes())?)
}

/// Prints the manual page, or writes one per subcommand into a directory.
pub(super) fn man(into: Option<&Path>) -> anyhow::Result<()> {
    for (name, page) in pages()? {
        let Some(directory) = into else {
            // The program's own page comes first.
            return Ok(put(page.as_bytes())?);
        };
        let path = directory.join(name);
        std::fs::write(&path, page).with_context(|| format!("{} can't be written", path.display()))?;
    }
    Ok(())
}

/// All manual pages and completions, with their paths below `share`.
pub(super) fn manuals() -> std::io::Result<Vec<Manual>> {
    let mut manuals: Vec<Manual> = Vec::new();
    for (name, text) in pages()? {
        manuals.push(Manual {
            path: Path::new("man/man1").join(name),
            text,
        });
    }
    for (shell, path) in [
        (Shell::Bash, "bash-completion/completions/garmin-gateway"),
        (Shell::Zsh, "zsh/site-functions/_garmin-gateway"),
        (Shell::Fish, "fish/vendor_completions.d/garmin-gateway.fish"),
    ] {
        manuals.push(Manual {
            path: PathBuf::from(path),
            text: script(shell),
        });
    }
    Ok(manuals)
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::command(), NAME, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// File name and text of each page; the program's own page is first.
fn pages() -> std::io::Result<Vec<(String, String)>> {
    let mut command = super::command().disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    let mut left = vec![&command];
    while let Some(command) = left.pop() {
        pages.push(page(command)?);
        left.extend(command.get_subcommands().filter(|one| !one.is_hide_set()));
    }
    Ok(pages)
}

fn page(command: &Command) -> std::io::Result<(String, String)> {
    let man = Man::new(command.clone());
    let mut text = Vec::new();
    man.render(&mut text)?;
    Ok((man.get_filename(), String::from_utf8_lossy(&text).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every visible subcommand has completions and a page; a hidden one has neither.
    #[test]
    fn completions_and_manual_pages_know_every_subcommand() {
        let dir = tempfile::tempdir().unwrap();
        man(Some(dir.path())).unwrap();
        let script = script(Shell::Bash);
        let command = super::super::command();
        let (hidden, shown): (Vec<_>, Vec<_>) = command.get_subcommands().partition(|one| one.is_hide_set());
        let page = |name: &str| dir.path().join(format!("{NAME}-{name}.1"));
        for name in shown.iter().map(|one| one.get_name()) {
            assert!(page(name).is_file(), "no page of {name}");
            assert!(script.contains(name), "{name} is not completed");
        }
        assert!(shown.len() > 15 && !hidden.is_empty());
        for name in hidden.iter().map(|one| one.get_name()) {
            assert!(!page(name).exists(), "a page of {name}");
        }
        assert_eq!(pages().unwrap()[0].0, format!("{NAME}.1"));
        assert!(manuals().unwrap().len() > shown.len() + 3);
    }
}
