//! What the outcome of a poll means: how long to wait before the next one, and what the operator should know. Pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::base::post::{Answer, NoAnswer};
use crate::notify::telegram::retry_after;

/// A failure that may pass by itself is reported to the operator after this many in a row.
const REPORTED_AFTER: u32 = 3;

/// Why updates could not be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollFailure {
    /// Another program polls with the same token.
    OtherReader,
    /// A webhook is set, so Telegram delivers the updates to its address instead.
    Webhook,
    /// The token is wrong or was withdrawn.
    BadToken,
    RateLimited(Option<Duration>),
    /// No connection, or no answer in time.
    Unreachable,
    /// A refusal or an error of the server, with its status.
    Status(u16),
    /// The answer can't be parsed as one of the Bot API's.
    Unreadable,
}

impl PollFailure {
    /// The failure that an answer stands for; `None` for success.
    pub(super) fn of(answer: &Result<Answer, NoAnswer>) -> Option<Self> {
        let Ok(answer) = answer else {
            return Some(Self::Unreachable);
        };
        match answer.status {
            200..=299 => None,
            401 | 404 => Some(Self::BadToken),
            409 => {
                let says = String::from_utf8_lossy(&answer.body).to_lowercase();
                Some(if says.contains("webhook") {
                    Self::Webhook
                } else {
                    Self::OtherReader
                })
            }
            429 => Some(Self::RateLimited(
                retry_after(&answer.body).or(answer.retry_after),
            )),
            status => Some(Self::Status(status)),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::OtherReader => "other_reader",
            Self::Webhook => "webhook",
            Self::BadToken => "bad_token",
            Self::RateLimited(_) => "rate_limited",
            Self::Unreachable => "unreachable",
            Self::Status(_) => "refused",
            Self::Unreadable => "unreadable",
        }
    }

    /// The problem and the remedy, for the operator.
    pub fn advice(self) -> String {
        match self {
            Self::OtherReader => "another program reads the Telegram bot's messages too, and each gets only some of them; \
                 stop it, give this gateway a bot of its own, or set TELEGRAM_LISTEN to false"
                .to_owned(),
            Self::Webhook => "the Telegram bot has a webhook, so Telegram delivers its messages elsewhere; call the Bot API's \
                 deleteWebhook, give this gateway a bot of its own, or set TELEGRAM_LISTEN to false"
                .to_owned(),
            Self::BadToken => {
                "Telegram rejects the bot's token; copy it again from @BotFather to TELEGRAM_BOT_TOKEN".to_owned()
            }
            Self::RateLimited(_) => {
                "Telegram limits how often the gateway may ask for messages; it now asks less often, and nothing needs doing".to_owned()
            }
            Self::Unreachable => {
                "Telegram can't be reached from this machine, so nobody can command the bot; check the machine's \
                 network and TELEGRAM_API_URL"
                    .to_owned()
            }
            Self::Status(status) => {
                format!("Telegram answers with an error ({status}) instead of the bot's messages; the gateway keeps trying")
            }
            Self::Unreadable => "the server at TELEGRAM_API_URL is not Telegram's Bot API; check the address".to_owned(),
        }
    }

    /// Whether the failure lasts until the operator does something.
    fn needs_the_operator(self) -> bool {
        matches!(self, Self::OtherReader | Self::Webhook | Self::BadToken)
    }

    /// The wait after `times` failures in a row (1 is the first).
    fn back_off(self, times: u32) -> Duration {
        let doubling = |most_s: u64| {
            let factor = 1_u64 << times.saturating_sub(1).min(16);
            Duration::from_secs(factor.min(most_s))
        };
        match self {
            Self::RateLimited(asked) => {
                let asked = asked.unwrap_or_default().min(Duration::from_secs(3600));
                doubling(60).max(asked)
            }
            // Each of our polls cuts off one of the other reader's, so they become rare.
            Self::OtherReader | Self::Webhook | Self::BadToken => doubling(300),
            Self::Unreachable | Self::Status(_) | Self::Unreadable => doubling(60),
        }
    }
}

/// Whether people can command the bot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BotHealth {
    /// No bot is set up, or the gateway does not read its messages.
    #[default]
    Off,
    /// The first answer is still awaited.
    Starting,
    Listening,
    Failing {
        failure: PollFailure,
        /// The failures in a row.
        times: u32,
        since: Timestamp,
    },
}

/// A change that is worth a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HealthEvent {
    Listening,
    Failed(PollFailure),
}

impl BotHealth {
    /// The health after a poll, the wait before the next one, and the event if the kind of health changed.
    pub(super) fn after(
        self,
        failure: Option<PollFailure>,
        now: Timestamp,
    ) -> (Self, Duration, Option<HealthEvent>) {
        let Some(failure) = failure else {
            let event = (self != Self::Listening).then_some(HealthEvent::Listening);
            return (Self::Listening, Duration::ZERO, event);
        };
        let (times, since, is_new) = match self {
            Self::Failing {
                failure: before,
                times,
                since,
            } => (times.saturating_add(1), since, before.name() != failure.name()),
            _ => (1, now, true),
        };
        let next = Self::Failing {
            failure,
            times,
            since,
        };
        let event = is_new.then_some(HealthEvent::Failed(failure));
        (next, failure.back_off(times), event)
    }

    /// What the operator should do, if anything.
    pub fn advice(self) -> Option<String> {
        match self {
            Self::Failing { failure, times, .. }
                if failure.needs_the_operator() || times >= REPORTED_AFTER =>
            {
                Some(failure.advice())
            }
            _ => None,
        }
    }

    /// Whether the gateway receives what people write to the bot; `None` if it is not supposed to.
    pub fn is_listening(self) -> Option<bool> {
        match self {
            Self::Off => None,
            Self::Listening => Some(true),
            Self::Starting | Self::Failing { .. } => Some(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            retry_after: None,
            body: body.into(),
        }
    }

    #[test]
    fn failures_are_told_apart() {
        let webhook = r#"{"description":"Conflict: can't use getUpdates method while webhook is active"}"#;
        let other = r#"{"description":"Conflict: terminated by other getUpdates request"}"#;
        let limited = r#"{"parameters":{"retry_after":33}}"#;
        let wait = Some(Duration::from_secs(33));
        for (status, body, failure) in [
            (200, "{}", None),
            (409, webhook, Some(PollFailure::Webhook)),
            (409, other, Some(PollFailure::OtherReader)),
            (401, "", Some(PollFailure::BadToken)),
            (404, "", Some(PollFailure::BadToken)),
            (429, limited, Some(PollFailure::RateLimited(wait))),
            (502, "", Some(PollFailure::Status(502))),
        ] {
            assert_eq!(PollFailure::of(&Ok(answer(status, body))), failure, "{status}");
        }
        assert_eq!(PollFailure::of(&Err(NoAnswer)), Some(PollFailure::Unreachable));
    }

    #[test]
    fn a_conflict_is_told_once_with_growing_waits() {
        let now: Timestamp = "2026-10-04T09:00:00Z".parse().unwrap();
        let (mut health, mut waits, mut events) = (BotHealth::Starting, vec![], vec![]);
        for _ in 0..12 {
            let (next, wait, event) = health.after(Some(PollFailure::OtherReader), now);
            health = next;
            waits.push(wait.as_secs());
            events.extend(event);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(events, [HealthEvent::Failed(PollFailure::OtherReader)]);
        assert!(health.advice().unwrap().contains("TELEGRAM_LISTEN"));
        let (health, wait, event) = health.after(None, now);
        assert_eq!((health, wait), (BotHealth::Listening, Duration::ZERO));
        assert_eq!(event, Some(HealthEvent::Listening));
        assert_eq!(health.after(None, now).2, None);
    }

    #[test]
    fn a_short_outage_is_no_problem_for_the_operator() {
        let now: Timestamp = "2026-10-04T09:00:00Z".parse().unwrap();
        let mut health = BotHealth::Listening;
        let mut told = Vec::new();
        for _ in 0..3 {
            health = health.after(Some(PollFailure::Unreachable), now).0;
            told.push(health.advice().is_some());
        }
        assert_eq!(told, [false, false, true]);
        assert_eq!(health.is_listening(), Some(false));
        let limited = PollFailure::RateLimited(Some(Duration::from_secs(40)));
        assert_eq!(health.after(Some(limited), now).1, Duration::from_secs(40));
    }
}
