//! The key bindings of each view. The footer and the help are built from this table.

use crate::admin::views::ConsoleView;

/// A key that was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyPress {
    Char(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    Interrupt,
}

/// The command that a key triggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConsoleCommand {
    Quit,
    /// Show or hide the list of keys.
    Help,
    Show(ConsoleView),
    /// Switch to the view to the right.
    NextView,
    /// Switch to the view to the left.
    PreviousView,
    Move(i32),
    First,
    Last,
    Open,
    Back,
    Filter,
    Line,
    /// Sort the rows in the next order.
    Order,
    StopWorker,
    Approve,
    Invite,
    Uninvite,
    Revoke,
    RevokeAccount,
    RevokeClient,
    RevokeAll,
    Forget,
    StartRace,
    StopRace,
    Limits,
    /// Make a link to the page of the selected race.
    Share,
    EndShares,
    /// Copy the selected row's name or id to the clipboard.
    Copy,
    /// Have Claude look at the selected race.
    Look,
    /// Replay the selected race through the race watch.
    Rehearse,
    Level,
    Follow,
}

/// A key binding: one row of the table.
pub(super) struct Binding {
    /// The keys that trigger the command.
    pub(super) keys: &'static [KeyPress],
    /// The keys as the footer and the help show them.
    pub(super) shown: &'static str,
    pub(super) command: ConsoleCommand,
    /// The view in which the binding is valid. `None`: all views.
    pub(super) view: Option<ConsoleView>,
    /// Its label in the footer. Empty: it is not shown there.
    pub(super) short: &'static str,
    /// The line that describes it in the help.
    pub(super) long: &'static str,
}

const fn binding(
    keys: &'static [KeyPress],
    shown: &'static str,
    command: ConsoleCommand,
    view: Option<ConsoleView>,
    short: &'static str,
    long: &'static str,
) -> Binding {
    Binding {
        keys,
        shown,
        command,
        view,
        short,
        long,
    }
}

/// The views and their titles, in the order of their keys.
pub(super) const VIEWS: [(ConsoleView, &str); 6] = [
    (ConsoleView::Overview, "Overview"),
    (ConsoleView::Workers, "Workers"),
    (ConsoleView::Accounts, "Accounts"),
    (ConsoleView::Races, "Races"),
    (ConsoleView::Tokens, "Tokens"),
    (ConsoleView::Log, "Log"),
];

use ConsoleCommand as C;
use KeyPress as K;

const WORKERS: Option<ConsoleView> = Some(ConsoleView::Workers);
const ACCOUNTS: Option<ConsoleView> = Some(ConsoleView::Accounts);
const RACES: Option<ConsoleView> = Some(ConsoleView::Races);
const TOKENS: Option<ConsoleView> = Some(ConsoleView::Tokens);
const LOG: Option<ConsoleView> = Some(ConsoleView::Log);

/// All keys. A view's own keys come first, because the footer shows as many as fit.
#[rustfmt::skip]
pub(super) const BINDINGS: &[Binding] = &[
    binding(&[K::Char('s')], "s", C::StopWorker, WORKERS, "stop", "stop the worker; the next call starts a new one"),
    binding(&[K::Char('a')], "a", C::Approve, ACCOUNTS, "approve", "approve an access request"),
    binding(&[K::Char('i')], "i", C::Invite, ACCOUNTS, "invite", "invite an e-mail address"),
    binding(&[K::Char('u')], "u", C::Uninvite, ACCOUNTS, "uninvite", "withdraw an invitation"),
    binding(&[K::Char('x')], "x", C::Revoke, ACCOUNTS, "revoke", "end all access of the account"),
    binding(&[K::Char('F')], "F", C::Forget, ACCOUNTS, "forget", "end all access and erase the account"),
    binding(&[K::Char('n')], "n", C::StartRace, RACES, "new", "watch a race: paste its LiveTrack link"),
    binding(&[K::Char('s')], "s", C::StopRace, RACES, "stop", "stop watching the race"),
    binding(&[K::Char('l')], "l", C::Limits, RACES, "limits", "change a limit of the race"),
    binding(&[K::Char('p')], "p", C::Share, RACES, "page", "make a link to the race's live page"),
    binding(&[K::Char('P')], "P", C::EndShares, RACES, "", "end all links to the race's page"),
    binding(&[K::Char('r')], "r", C::Rehearse, RACES, "rehearse", "replay a finished race through the race watch"),
    binding(&[K::Char('w')], "w", C::Look, RACES, "look", "ask Claude to look at the race now"),
    binding(&[K::Char('x')], "x", C::Revoke, TOKENS, "revoke", "end this sign-in of this client"),
    binding(&[K::Char('X')], "X", C::RevokeAccount, TOKENS, "account", "end all access of this account"),
    binding(&[K::Char('C')], "C", C::RevokeClient, TOKENS, "client", "end everyone's access through this client"),
    binding(&[K::Char('A')], "A", C::RevokeAll, TOKENS, "all", "end everyone's access"),
    binding(&[K::Char('v')], "v", C::Level, LOG, "level", "change the level shown: error, warn, info, debug"),
    binding(&[K::Char('f')], "f", C::Follow, LOG, "follow", "follow the newest event, or hold"),
    binding(&[K::Enter], "enter", C::Open, None, "open", "go to what the row is about"),
    binding(&[K::Char('y')], "y", C::Copy, None, "", "copy the e-mail, link or id of the row"),
    binding(&[K::Char('/')], "/", C::Filter, None, "filter", "show only rows that contain a text"),
    binding(&[K::Char('o')], "o", C::Order, None, "", "sort the rows by another column"),
    binding(&[K::Char(':')], ":", C::Line, None, "", "type a command; tab completes it"),
    binding(&[K::Char('?')], "?", C::Help, None, "help", "show or hide this"),
    binding(&[K::Char('q'), K::Interrupt], "q", C::Quit, None, "quit", "quit; the gateway keeps running"),
    binding(&[K::Char('1')], "1", C::Show(ConsoleView::Overview), None, "", "Overview"),
    binding(&[K::Char('2')], "2", C::Show(ConsoleView::Workers), None, "", "Workers"),
    binding(&[K::Char('3')], "3", C::Show(ConsoleView::Accounts), None, "", "Accounts"),
    binding(&[K::Char('4')], "4", C::Show(ConsoleView::Races), None, "", "Races"),
    binding(&[K::Char('5')], "5", C::Show(ConsoleView::Tokens), None, "", "Tokens and revocations"),
    binding(&[K::Char('6')], "6", C::Show(ConsoleView::Log), None, "", "Log"),
    binding(&[K::Tab, K::Right], "tab", C::NextView, None, "", "next view"),
    binding(&[K::BackTab, K::Left], "shift-tab", C::PreviousView, None, "", "previous view"),
    binding(&[K::Char('j'), K::Down], "j", C::Move(1), None, "", "down"),
    binding(&[K::Char('k'), K::Up], "k", C::Move(-1), None, "", "up"),
    binding(&[K::PageDown], "pgdn", C::Move(10), None, "", "ten down"),
    binding(&[K::PageUp], "pgup", C::Move(-10), None, "", "ten up"),
    binding(&[K::Char('g'), K::Home], "g", C::First, None, "", "to the first"),
    binding(&[K::Char('G'), K::End], "G", C::Last, None, "", "to the last"),
    binding(&[K::Esc], "esc", C::Back, None, "", "close, end a rehearsal or clear the filter"),
];

/// The command that a key triggers in a view.
pub(super) fn command(view: ConsoleView, key: KeyPress) -> Option<ConsoleCommand> {
    valid_in(view)
        .find(|binding| binding.keys.contains(&key))
        .map(|binding| binding.command)
}

/// The bindings that are valid in a view.
pub(super) fn valid_in(view: ConsoleView) -> impl Iterator<Item = &'static Binding> {
    BINDINGS
        .iter()
        .filter(move |binding| binding.view.is_none_or(|one| one == view))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_commands_share_a_key_in_one_place() {
        for (view, name) in VIEWS {
            let mut keys: Vec<KeyPress> = valid_in(view).flat_map(|b| b.keys).copied().collect();
            while let Some(key) = keys.pop() {
                assert!(!keys.contains(&key), "{key:?} means two things in {name}");
            }
        }
    }

    #[test]
    fn a_key_means_what_the_view_says() {
        for (view, key, expected) in [
            (
                ConsoleView::Workers,
                KeyPress::Char('s'),
                Some(ConsoleCommand::StopWorker),
            ),
            (
                ConsoleView::Races,
                KeyPress::Char('s'),
                Some(ConsoleCommand::StopRace),
            ),
            (ConsoleView::Log, KeyPress::Char('s'), None),
            (ConsoleView::Log, KeyPress::Interrupt, Some(ConsoleCommand::Quit)),
        ] {
            assert_eq!(command(view, key), expected);
        }
    }
}
