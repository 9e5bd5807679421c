//! Reads a text from a chat as a command. Pure.

use jiff::SignedDuration;

use crate::notify::CODE_PREFIX;

/// The longest time for which a chat may be muted.
pub(super) const LONGEST_MUTE: SignedDuration = SignedDuration::from_hours(24);

const USUAL_MUTE: SignedDuration = SignedDuration::from_hours(1);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ChatCommand {
    Help,
    /// Take up the invitation of this code.
    Join(String),
    /// End the invitations that were accepted in this chat.
    Leave,
    Status,
    /// When the athlete arrives, at this place if one is named.
    Eta(Option<String>),
    Why,
    Mute(MuteWish),
    Stop,
    OwnPage,
    Share {
        /// Whether to make another link even if there is one.
        another: bool,
    },
    /// Explain how to share: the word after `/share` means nothing.
    ShareHow,
    /// Add the sender's race to a link that another athlete made, under this name.
    JoinLink {
        link: String,
        name: Option<String>,
    },
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MuteWish {
    For(SignedDuration),
    Off,
    /// The text is not a length of time, or it is too long a time.
    Unclear,
}

/// A command, and the bot to which it is addressed: `/status@name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AddressedCommand {
    pub(super) command: ChatCommand,
    pub(super) bot: Option<String>,
}

/// Reads a text that begins with a slash; `None` for another text.
pub(super) fn read(text: &str) -> Option<AddressedCommand> {
    let text = text.trim().strip_prefix('/')?;
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let (name, bot) = match word.split_once('@') {
        Some((name, bot)) => (name, Some(bot.to_owned())),
        None => (word, None),
    };
    let rest = rest.split_whitespace().collect::<Vec<_>>().join(" ");
    let command = match name.to_lowercase().as_str() {
        "start" if rest.starts_with(CODE_PREFIX) => ChatCommand::Join(rest),
        "help" | "start" => ChatCommand::Help,
        "leave" => ChatCommand::Leave,
        "status" => ChatCommand::Status,
        "eta" => ChatCommand::Eta(Some(rest).filter(|place| !place.is_empty())),
        "why" => ChatCommand::Why,
        "mute" => ChatCommand::Mute(mute(&rest)),
        "unmute" => ChatCommand::Mute(MuteWish::Off),
        "stop" => ChatCommand::Stop,
        "me" => ChatCommand::OwnPage,
        "share" => share(&rest),
        _ => ChatCommand::Unknown,
    };
    Some(AddressedCommand { command, bot })
}

fn share(rest: &str) -> ChatCommand {
    let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
    // A link is public, so it is made only if that is surely meant.
    match (word.to_lowercase().as_str(), after) {
        ("", "") => return ChatCommand::Share { another: false },
        ("new", "") => return ChatCommand::Share { another: true },
        ("join", _) => {}
        _ => return ChatCommand::ShareHow,
    }
    let (link, name) = after.split_once(' ').unwrap_or((after, ""));
    ChatCommand::JoinLink {
        link: link.to_owned(),
        name: (!name.is_empty()).then(|| name.to_owned()),
    }
}

fn mute(text: &str) -> MuteWish {
    if text.is_empty() {
        return MuteWish::For(USUAL_MUTE);
    }
    if text.eq_ignore_ascii_case("off") {
        return MuteWish::Off;
    }
    match length(text) {
        Some(time) if time.is_positive() && time <= LONGEST_MUTE => MuteWish::For(time),
        _ => MuteWish::Unclear,
    }
}

/// Reads `1h`, `90 min`, `1h30`, `2 hours`, `1:30`.
fn length(text: &str) -> Option<SignedDuration> {
    let text = text.to_lowercase();
    if let Some((hours, minutes)) = text.split_once(':') {
        return of_minutes(hours.trim().parse().ok()?, minutes.trim().parse().ok()?);
    }
    let (mut hours, mut minutes, mut was_hours) = (0, 0, false);
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: i64 = rest.get(..digits)?.parse().ok()?;
        let after = rest.get(digits..)?.trim_start();
        let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        match after.get(..letters)? {
            "h" | "hr" | "hrs" | "hour" | "hours" => (hours, was_hours) = (number, true),
            "m" | "min" | "mins" | "minute" | "minutes" => minutes = number,
            // `1h30`
            "" if was_hours => minutes = number,
            _ => return None,
        }
        rest = after.get(letters..)?.trim_start();
    }
    of_minutes(hours, minutes)
}

fn of_minutes(hours: i64, minutes: i64) -> Option<SignedDuration> {
    let all = hours.checked_mul(60)?.checked_add(minutes)?;
    (0..=1_000_000)
        .contains(&all)
        .then(|| SignedDuration::from_mins(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> ChatCommand {
        read(text).unwrap().command
    }

    #[test]
    fn commands_are_read_as_people_write_them() {
        for (text, wanted) in [
            ("/start", ChatCommand::Help),
            ("/start payload", ChatCommand::Help),
            ("/start join_aBc-9", ChatCommand::Join("join_aBc-9".into())),
            ("/leave", ChatCommand::Leave),
            (" /HELP ", ChatCommand::Help),
            ("/status", ChatCommand::Status),
            ("/eta", ChatCommand::Eta(None)),
            (
                "/eta  Upper   Mill\n",
                ChatCommand::Eta(Some("Upper Mill".into())),
            ),
            ("/why", ChatCommand::Why),
            ("/stop", ChatCommand::Stop),
            ("/me", ChatCommand::OwnPage),
            ("/share", ChatCommand::Share { another: false }),
            ("/share new", ChatCommand::Share { another: true }),
            ("/share NEW", ChatCommand::Share { another: true }),
            ("/share off", ChatCommand::ShareHow),
            ("/share end", ChatCommand::ShareHow),
            ("/share help", ChatCommand::ShareHow),
            ("/share crew", ChatCommand::ShareHow),
            ("/share new crew", ChatCommand::ShareHow),
            (
                "/share join https://gw/r/x Ben  B",
                ChatCommand::JoinLink {
                    link: "https://gw/r/x".into(),
                    name: Some("Ben B".into()),
                },
            ),
            (
                "/share JOIN",
                ChatCommand::JoinLink {
                    link: String::new(),
                    name: None,
                },
            ),
            ("/dance", ChatCommand::Unknown),
            ("/", ChatCommand::Unknown),
        ] {
            assert_eq!(command(text), wanted, "{text}");
        }
        for text in ["", "status", "see https://x/status", "and/or"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(
            read("/status@race_bot x").unwrap().bot.as_deref(),
            Some("race_bot")
        );
    }

    /// Telegram accepts lower-case names of at most 32 letters, and descriptions of at most 256.
    #[test]
    fn each_command_on_offer_is_known() {
        for (name, does) in crate::races::BOT_MENU {
            assert_ne!(command(&format!("/{name}")), ChatCommand::Unknown, "{name}");
            assert!(name.len() <= 32 && name.bytes().all(|byte| byte.is_ascii_lowercase()));
            assert!((1..=256).contains(&does.len()), "{does}");
        }
    }

    #[test]
    fn lengths_of_time_are_read() {
        for (text, minutes) in [
            ("/mute", 60),
            ("/mute 1h", 60),
            ("/mute 30m", 30),
            ("/mute 90 min", 90),
            ("/mute 1h30", 90),
            ("/mute 1 h 5 m", 65),
            ("/mute 2 hours", 120),
            ("/mute 0:45", 45),
            ("/mute 24h", 1440),
        ] {
            let wanted = MuteWish::For(SignedDuration::from_mins(minutes));
            assert_eq!(command(text), ChatCommand::Mute(wanted), "{text}");
        }
        for text in ["/mute off", "/mute OFF", "/unmute"] {
            assert_eq!(command(text), ChatCommand::Mute(MuteWish::Off), "{text}");
        }
        for text in [
            "/mute 25h",
            "/mute 0h",
            "/mute 5",
            "/mute soon",
            "/mute 1x",
            "/mute -1h",
            "/mute h",
        ] {
            assert_eq!(command(text), ChatCommand::Mute(MuteWish::Unclear), "{text}");
        }
    }
}
