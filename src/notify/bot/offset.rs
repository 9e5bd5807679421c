//! Which updates were taken, so that none is taken twice.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::base::secrets::sha256;
use crate::config::ChannelConfig;
use crate::store::{Record, Table};

/// How long an offset may be used. After a week without updates, Telegram continues the ids at a random number, and
/// updates with ids below the offset would never arrive. Telegram keeps an update for at most a day, so after this time
/// no update can arrive twice, even without an offset.
const VALID_FOR: SignedDuration = SignedDuration::from_hours(5 * 24);

/// The updates of a bot that were taken: all before `next`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::notify) struct TakenUpdates {
    pub(super) next: i64,
    /// When the last one was taken.
    pub(super) at: Timestamp,
}

impl Record for TakenUpdates {
    const TABLE: Table = Table("telegram_taken");
}

impl TakenUpdates {
    /// The key of a bot's record. The number before the colon is the bot's id, which survives a new token.
    pub(super) fn key(config: &ChannelConfig) -> [u8; 32] {
        let token = config.token.clone().unwrap_or_default();
        let bot = token.expose().split(':').next().unwrap_or_default();
        sha256(bot.as_bytes())
    }

    /// The offset for the next poll; `None` if it is too old.
    pub(super) fn offset(&self, now: Timestamp) -> Option<i64> {
        (now.duration_since(self.at) < VALID_FOR).then_some(self.next)
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::base::secrets::Secret;
    use crate::config::Targets;

    #[test]
    fn an_old_offset_is_not_used() {
        let at: Timestamp = "2026-10-04T09:00:00Z".parse().unwrap();
        let taken = TakenUpdates { next: 8, at };
        let after = |hours| taken.offset(at + SignedDuration::from_hours(hours));
        assert_eq!((after(0), after(30), after(121)), (Some(8), Some(8), None));
    }

    #[test]
    fn a_new_token_of_the_same_bot_goes_on() {
        let key = |token: &str| {
            TakenUpdates::key(&ChannelConfig {
                url: Url::parse("https://api.telegram.org").unwrap(),
                token: Some(Secret::new(token)),
                targets: Targets::default(),
            })
        };
        assert_eq!(key("1:old"), key("1:new"));
        assert_ne!(key("1:old"), key("2:old"));
    }
}
