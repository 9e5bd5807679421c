//! Why a channel did not accept a message. What happens next depends on it: wait, follow a move, or give up.

use std::time::Duration;

/// Why a message was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SendError {
    /// No connection, or no reply in time.
    Unreachable,
    /// Rate limited, with the wait that the server asked for.
    RateLimited(Option<Duration>),
    /// A server error, with its status.
    Server(u16),
    /// The server refused the token or the target, with its status. The operator or the person can fix this.
    Refused(u16),
    /// A Telegram group became a supergroup. Send to the new id.
    Moved { to: String },
    /// The person blocked the bot, or never wrote to it. The person can fix this.
    Blocked,
    /// The bot was removed from the group, or may not write there. The group's admin can fix this.
    NotAllowed,
    /// There is no such chat, or the bot has never seen it.
    UnknownChat,
    /// The topic of the group is closed or was deleted.
    ClosedTopic,
    /// The server's certificate is not trusted by this machine, or is for another name.
    Untrusted,
}

impl SendError {
    /// Whether the error may pass without anybody doing anything.
    pub(super) fn passes_by_itself(&self) -> bool {
        matches!(self, Self::Unreachable | Self::Server(_) | Self::RateLimited(_))
    }
}
