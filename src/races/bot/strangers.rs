//! Limits how often a chat that nobody has set as theirs is answered. Pure.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// One chat is answered once in this time.
const EACH: SignedDuration = SignedDuration::from_hours(24);

/// All such chats together get this many answers an hour, so that a crowd can't use up what Telegram lets the bot send.
const MOST_AN_HOUR: usize = 20;

/// Maximum number of chats that are remembered. The hourly limit keeps the number far below.
const MOST_CHATS: usize = 1000;

/// The unknown chats that were answered, and when.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    answered: BTreeMap<i64, Timestamp>,
}

impl Strangers {
    /// Whether to answer this chat now. Counts the answer.
    pub(super) fn admits(&mut self, chat: i64, now: Timestamp) -> bool {
        self.answered.retain(|_, at| now.duration_since(*at) < EACH);
        let lately = self.answered.values();
        let hour = SignedDuration::from_hours(1);
        let lately = lately.filter(|at| now.duration_since(**at) < hour).count();
        let is_admitted =
            !self.answered.contains_key(&chat) && lately < MOST_AN_HOUR && self.answered.len() < MOST_CHATS;
        if is_admitted {
            self.answered.insert(chat, now);
        }
        is_admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::support::at;

    #[test]
    fn a_stranger_is_answered_once_a_day() {
        let mut strangers = Strangers::default();
        let times = [0, 1, 3600, 86_399, 86_400, 86_401];
        let answered = times.map(|seconds| strangers.admits(42, at(seconds)));
        assert_eq!(answered, [true, false, false, false, true, false]);
    }

    #[test]
    fn a_crowd_gets_twenty_answers_an_hour() {
        let mut strangers = Strangers::default();
        let answered = |strangers: &mut Strangers, seconds| {
            (0..100)
                .filter(|chat| strangers.admits(*chat, at(seconds)))
                .count()
        };
        assert_eq!(answered(&mut strangers, 0), 20);
        assert_eq!(answered(&mut strangers, 3599), 0);
        assert_eq!(answered(&mut strangers, 3600), 20);
    }
}
