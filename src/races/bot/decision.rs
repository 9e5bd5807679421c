//! Decides what to do about an update, by its content and its sender. Pure.

#[cfg(test)]
mod tests;

use super::command::{self, ChatCommand, MuteWish};
use crate::accounts::AccountId;
use crate::garmin::livetrack::{LinkProblem, PastedLink, Position};
use crate::notify::bot::{ButtonPress, UpdateContent};

/// The people behind a chat who have access.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ChatPeople {
    /// The people whose race messages go to the chat.
    pub(super) owners: Vec<AccountId>,
    /// The people that the sender is known as.
    pub(super) sender: Vec<AccountId>,
    pub(super) is_private: bool,
    /// Whether somebody accepted an invitation to read a race here.
    pub(super) is_reader: bool,
}

impl ChatPeople {
    fn may_change(&self) -> bool {
        self.is_private || !self.sender.is_empty()
    }

    /// The person for whom a link starts a race: the sender if the chat is theirs, else the chat's only owner.
    fn athlete(&self) -> Option<&AccountId> {
        let own: Vec<_> = self
            .owners
            .iter()
            .filter(|owner| self.sender.contains(owner))
            .collect();
        match (own.as_slice(), self.owners.as_slice()) {
            ([one], _) => Some(one),
            ([], [one]) => Some(one),
            _ => None,
        }
    }
}

/// What to do about an update.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ChatAct {
    Ignore,
    /// Tell an unknown chat that it is unknown.
    TurnAway,
    /// Take up the invitation of this code for the chat.
    Join(String),
    Leave,
    /// Tell a chat that only reads races by invitation how to leave.
    ReaderHint,
    /// End the spinner of a button that was pressed in a chat that is no longer known.
    Release(ButtonPress),
    /// Say that only people whom the gateway knows may do this.
    Refuse,
    /// The same as `Refuse`, as a note at the pressed button.
    RefusePress(ButtonPress),
    /// Tell a person who wrote something else how to ask.
    Hint,
    Help,
    UnknownCommand,
    /// Say that no invitation was accepted in this chat.
    NotInvited,
    /// Say that files can't be read.
    NoFiles,
    /// Explain how to share a race.
    ShareHow,
    Status,
    Eta(Option<String>),
    PassesAt(Position),
    /// Show the figures behind the coach's last message.
    Why,
    /// Say where the person's own page is.
    OwnPage,
    Mute(MuteWish),
    AskToStop,
    Press(ButtonPress),
    Share {
        another: bool,
    },
    /// Add the race of this athlete to another athlete's link.
    JoinLink {
        athlete: AccountId,
        link: String,
        name: Option<String>,
    },
    Start {
        athlete: AccountId,
        text: String,
    },
    /// The chat belongs to several people, and nobody knows whose race it is.
    WhoseRace,
    BadLink(LinkProblem),
}

/// Decides about an update. `find` looks for a LiveTrack link in a text; `is_for_us` says whether a command that names
/// a bot names this one.
pub(super) fn decide(
    content: UpdateContent,
    people: &ChatPeople,
    find: impl Fn(&str) -> Result<PastedLink, LinkProblem>,
    is_for_us: bool,
) -> ChatAct {
    if let UpdateContent::Text { text, .. } = &content
        && people.is_private
        && let Some(act) = of_reader(text, people)
    {
        return act;
    }
    let is_press = matches!(content, UpdateContent::Press(_));
    if people.is_private && people.is_reader && people.owners.is_empty() && !is_press {
        return ChatAct::ReaderHint;
    }
    if people.owners.is_empty() {
        return from_stranger(content, people.is_private, find, is_for_us);
    }
    match content {
        UpdateContent::Press(press) if people.may_change() => ChatAct::Press(press),
        UpdateContent::Press(press) => ChatAct::RefusePress(press),
        UpdateContent::Place(place) => ChatAct::PassesAt(place),
        UpdateContent::Unreadable => ChatAct::NoFiles,
        UpdateContent::Text { text, links } => {
            let searched = [text.as_str(), &links.join("\n")].join("\n");
            of_text(&text, searched, people, find, is_for_us)
        }
    }
}

/// Accepts or ends an invitation to read a race, which a stranger may do too. It is called for private chats only,
/// because nobody can accept for a whole group.
fn of_reader(text: &str, people: &ChatPeople) -> Option<ChatAct> {
    match command::read(text).map(|read| read.command) {
        Some(ChatCommand::Join(code)) => Some(ChatAct::Join(code)),
        Some(ChatCommand::Leave) if people.is_reader => Some(ChatAct::Leave),
        _ => None,
    }
}

/// In a group, people talk to each other. Only what is meant for the bot is answered.
fn from_stranger(
    content: UpdateContent,
    is_private: bool,
    find: impl Fn(&str) -> Result<PastedLink, LinkProblem>,
    is_for_us: bool,
) -> ChatAct {
    match content {
        UpdateContent::Press(press) => ChatAct::Release(press),
        UpdateContent::Text { text, .. } => {
            let is_known = |command| command != ChatCommand::Unknown && is_for_us;
            let is_command = command::read(&text).is_some_and(|read| is_known(read.command));
            if is_private || is_command || find(&text).is_ok() {
                ChatAct::TurnAway
            } else {
                ChatAct::Ignore
            }
        }
        UpdateContent::Place(_) | UpdateContent::Unreadable if is_private => ChatAct::TurnAway,
        UpdateContent::Place(_) | UpdateContent::Unreadable => ChatAct::Ignore,
    }
}

fn of_text(
    text: &str,
    searched: String,
    people: &ChatPeople,
    find: impl Fn(&str) -> Result<PastedLink, LinkProblem>,
    is_for_us: bool,
) -> ChatAct {
    let command = command::read(text).map(|read| read.command);
    if command.is_some() && !is_for_us {
        return ChatAct::Ignore;
    }
    let act = match command {
        // A link starts a race even if it follows `/start` or an unknown command.
        None | Some(ChatCommand::Unknown | ChatCommand::Help | ChatCommand::Join(_) | ChatCommand::Leave) => {
            match find(&searched) {
                Ok(_) => match people.athlete() {
                    Some(athlete) => ChatAct::Start {
                        athlete: athlete.clone(),
                        text: searched,
                    },
                    None => ChatAct::WhoseRace,
                },
                Err(LinkProblem::Incomplete) => ChatAct::BadLink(LinkProblem::Incomplete),
                Err(_) => match command {
                    Some(ChatCommand::Help) => ChatAct::Help,
                    _ if !people.is_private => ChatAct::Ignore,
                    Some(ChatCommand::Leave) => ChatAct::NotInvited,
                    Some(_) => ChatAct::UnknownCommand,
                    None => ChatAct::Hint,
                },
            }
        }
        Some(ChatCommand::Status) => ChatAct::Status,
        Some(ChatCommand::Eta(place)) => ChatAct::Eta(place),
        Some(ChatCommand::Why) => ChatAct::Why,
        Some(ChatCommand::OwnPage) => ChatAct::OwnPage,
        Some(ChatCommand::Mute(wish)) => ChatAct::Mute(wish),
        Some(ChatCommand::Stop) => ChatAct::AskToStop,
        Some(ChatCommand::Share { another }) => ChatAct::Share { another },
        Some(ChatCommand::ShareHow) => ChatAct::ShareHow,
        Some(ChatCommand::JoinLink { link, name }) => match people.athlete() {
            Some(athlete) => ChatAct::JoinLink {
                athlete: athlete.clone(),
                link,
                name,
            },
            None => ChatAct::WhoseRace,
        },
    };
    let changes = matches!(
        act,
        ChatAct::Start { .. }
            | ChatAct::WhoseRace
            | ChatAct::Mute(_)
            | ChatAct::AskToStop
            | ChatAct::Share { .. }
            | ChatAct::JoinLink { .. }
    );
    if changes && !people.may_change() {
        ChatAct::Refuse
    } else {
        act
    }
}
