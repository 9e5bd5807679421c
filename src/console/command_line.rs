//! The command line behind `:`. Its words are the commands that keys trigger, so both do the same.

use super::keys::{ConsoleCommand, KeyPress, valid_in};
use crate::admin::views::ConsoleView;

/// A word of the command line.
struct CommandWord {
    word: &'static str,
    command: ConsoleCommand,
    /// What may follow the word. Empty: nothing.
    argument: &'static str,
}

const fn word(word: &'static str, command: ConsoleCommand, argument: &'static str) -> CommandWord {
    CommandWord {
        word,
        command,
        argument,
    }
}

use ConsoleCommand as C;

const WORDS: [CommandWord; 27] = [
    word("overview", C::Show(ConsoleView::Overview), ""),
    word("workers", C::Show(ConsoleView::Workers), ""),
    word("accounts", C::Show(ConsoleView::Accounts), ""),
    word("races", C::Show(ConsoleView::Races), ""),
    word("tokens", C::Show(ConsoleView::Tokens), ""),
    word("log", C::Show(ConsoleView::Log), ""),
    word("filter", C::Filter, "TEXT"),
    word("sort", C::Order, "[COLUMN]"),
    word("open", C::Open, ""),
    word("copy", C::Copy, ""),
    word("stop-worker", C::StopWorker, ""),
    word("approve", C::Approve, ""),
    word("invite", C::Invite, "E-MAIL"),
    word("uninvite", C::Uninvite, ""),
    word("revoke", C::Revoke, ""),
    word("forget", C::Forget, ""),
    word("watch", C::StartRace, "[E-MAIL] LINK"),
    word("stop-race", C::StopRace, ""),
    word("limits", C::Limits, "NAME=NUMBER"),
    word("page", C::Share, "family|crew [NAME] [LINK]"),
    word("end-pages", C::EndShares, "[ID]"),
    word("look", C::Look, ""),
    word("rehearse", C::Rehearse, "[SPEED]"),
    word("level", C::Level, ""),
    word("follow", C::Follow, ""),
    word("help", C::Help, ""),
    word("quit", C::Quit, ""),
];

/// The words that are valid in a view: those whose command has a key there.
fn words(view: ConsoleView) -> impl Iterator<Item = &'static CommandWord> {
    WORDS
        .iter()
        .filter(move |word| valid_in(view).any(|binding| binding.command == word.command))
}

/// What was typed so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CommandLine {
    pub(super) typed: String,
}

/// The result of a key press on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LineOutcome {
    Open,
    Closed,
    Run(String),
}

impl CommandLine {
    pub(super) fn letter(&mut self, c: char) {
        self.typed.push(c);
    }

    pub(super) fn key(&mut self, view: ConsoleView, key: KeyPress) -> LineOutcome {
        match key {
            KeyPress::Char(c) => self.letter(c),
            KeyPress::Backspace if self.typed.is_empty() => return LineOutcome::Closed,
            KeyPress::Backspace => drop(self.typed.pop()),
            KeyPress::Tab => self.complete(view),
            KeyPress::Enter if self.typed.trim().is_empty() => return LineOutcome::Closed,
            KeyPress::Enter => return LineOutcome::Run(self.typed.trim().to_owned()),
            KeyPress::Esc => return LineOutcome::Closed,
            _ => {}
        }
        LineOutcome::Open
    }

    /// Completes the word as far as all words that begin with it agree.
    fn complete(&mut self, view: ConsoleView) {
        let fitting: Vec<&CommandWord> = words(view)
            .filter(|word| word.word.starts_with(&self.typed))
            .collect();
        let [first, rest @ ..] = fitting.as_slice() else {
            return;
        };
        let agreed = (0..=first.word.len())
            .rev()
            .filter_map(|end| first.word.get(..end))
            .find(|start| rest.iter().all(|word| word.word.starts_with(start)));
        if let Some(agreed) = agreed.filter(|agreed| agreed.len() >= self.typed.len()) {
            agreed.clone_into(&mut self.typed);
        }
        if rest.is_empty() && !first.argument.is_empty() {
            self.typed.push(' ');
        }
    }

    /// The words that begin with the typed one, each with the argument that it takes.
    pub(super) fn hint(&self, view: ConsoleView) -> String {
        let (typed, has_argument) = match self.typed.split_once(' ') {
            Some((typed, _)) => (typed, true),
            None => (self.typed.as_str(), false),
        };
        let fits = |word: &&CommandWord| {
            if has_argument {
                word.word == typed
            } else {
                word.word.starts_with(typed)
            }
        };
        let fitting: Vec<String> = words(view)
            .filter(fits)
            .map(|word| format!("{} {}", word.word, word.argument).trim_end().to_owned())
            .collect();
        fitting.join("  ")
    }
}

/// The command and its argument. A word may be abbreviated as long as no other word begins like it.
///
/// Errors: a sentence for the operator.
pub(super) fn parse(view: ConsoleView, typed: &str) -> Result<(ConsoleCommand, &str), String> {
    let (name, argument) = typed.split_once(' ').unwrap_or((typed, ""));
    let argument = argument.trim();
    let fitting: Vec<&CommandWord> = words(view).filter(|word| word.word.starts_with(name)).collect();
    let exact = fitting.iter().find(|word| word.word == name);
    let found = match (exact, fitting.as_slice()) {
        (Some(exact), _) => exact,
        (None, [only]) => only,
        (None, []) => {
            let elsewhere = WORDS.iter().any(|word| word.word == name);
            return Err(if name == "upgrade" {
                // The notice of a new version names this word, but the gateway may not replace its own program.
                "In a shell: garmin-gateway upgrade".to_owned()
            } else if elsewhere {
                format!("{name} does not apply to this view.")
            } else {
                format!("There is no command {name}. : lists the commands.")
            });
        }
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|word| word.word).collect();
            return Err(format!("{name} is ambiguous: {}.", names.join(", ")));
        }
    };
    if !argument.is_empty() && found.argument.is_empty() {
        return Err(format!("{} takes no argument.", found.word));
    }
    Ok((found.command, argument))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_may_be_short_but_not_ambiguous() {
        let parsed = |view, typed| parse(view, typed).map(|(command, _)| command);
        assert_eq!(parsed(ConsoleView::Overview, "q"), Ok(ConsoleCommand::Quit));
        assert_eq!(
            parse(ConsoleView::Accounts, "inv dee@example.org"),
            Ok((ConsoleCommand::Invite, "dee@example.org"))
        );
        assert_eq!(
            parsed(ConsoleView::Accounts, "o"),
            Err("o is ambiguous: overview, open.".to_owned())
        );
        assert_eq!(
            parsed(ConsoleView::Log, "invite"),
            Err("invite does not apply to this view.".to_owned())
        );
        assert_eq!(
            parsed(ConsoleView::Log, "dance"),
            Err("There is no command dance. : lists the commands.".to_owned())
        );
        assert_eq!(
            parsed(ConsoleView::Overview, "upgrade"),
            Err("In a shell: garmin-gateway upgrade".to_owned())
        );
        assert_eq!(
            parsed(ConsoleView::Log, "quit now"),
            Err("quit takes no argument.".to_owned())
        );
    }

    #[test]
    fn tab_completes_as_far_as_it_is_clear() {
        for (typed, completed) in [
            ("acco", "accounts"),
            ("inv", "invite "),
            ("a", "a"),
            ("ac", "accounts"),
            ("nothing", "nothing"),
            ("invite dee", "invite dee"),
        ] {
            let mut line = CommandLine {
                typed: typed.to_owned(),
            };
            line.key(ConsoleView::Accounts, KeyPress::Tab);
            assert_eq!(line.typed, completed, "{typed}");
        }
    }

    #[test]
    fn every_word_has_a_key_in_some_view() {
        let views = super::super::keys::VIEWS;
        for known in &WORDS {
            assert!(
                views
                    .iter()
                    .any(|(view, _)| words(*view).any(|word| word.word == known.word)),
                "{}",
                known.word
            );
        }
    }
}
