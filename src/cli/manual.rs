//! What there is to read and to complete: manual pages and shells' completions, made from the command line itself.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use super::{BROKEN, Cli, DISK, NAME, fail, put};
use crate::install::Manual;

/// Prints the completions for one shell.
pub(super) fn completions(shell: Shell) -> ExitCode {
    put(script(shell).as_bytes())
}

/// Prints the manual page, or writes one for each subcommand.
pub(super) fn man(into: Option<&Path>) -> ExitCode {
    let pages = match pages() {
        Ok(pages) => pages,
        Err(e) => return fail(BROKEN, &format!("the manual page can't be made: {e}")),
    };
    let Some(directory) = into else {
        return pages
            .first()
            .map_or(ExitCode::SUCCESS, |(_, page)| put(page.as_bytes()));
    };
    for (name, page) in pages {
        if let Err(e) = std::fs::write(directory.join(name), page) {
            let shown = directory.display();
            return fail(
                DISK,
                &format!("the manual pages can't be written into {shown}: {e}"),
            );
        }
    }
    ExitCode::SUCCESS
}

/// All of it, with its places below `share`.
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
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The page of the program, then those of its subcommands, each with its file's name.
fn pages() -> std::io::Result<Vec<(String, String)>> {
    let mut command = Cli::command().disable_help_subcommand(true);
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

    /// Every subcommand that is shown is completed and has a page; what is hidden has neither.
    #[test]
    fn completions_and_manual_pages_know_every_subcommand() {
        let dir = tempfile::tempdir().unwrap();
        let done = man(Some(dir.path()));
        assert_eq!(format!("{done:?}"), format!("{:?}", ExitCode::SUCCESS));
        let script = script(Shell::Bash);
        let command = Cli::command();
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
