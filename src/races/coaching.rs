//! A coaching message on its way to the phone: its numbers are checked first, and what is not true is not sent.

use jiff::SignedDuration;

use super::open::Refused;
use super::race::{Also, State};
use super::{Races, life};
use crate::accounts::AccountId;
use crate::notify::message::{Message, NotSet, Phone, Reach};
use crate::race::alerts::Severity;
use crate::race::claims;
use crate::race::claims::{Known, Untrue};
use crate::race::id::RaceId;
use crate::race::plain::plain_text;

/// The longest message, in characters.
pub const LONGEST_MESSAGE: usize = 600;

/// Who runs reads one message at a time.
const APART: SignedDuration = SignedDuration::from_secs(60);

/// What went to the phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coached {
    /// The message.
    Sent,
    /// The rules' own words instead, because these numbers are not those of the race.
    Corrected(Vec<Untrue>),
}

/// Why nothing went to the phone.
#[derive(Debug, thiserror::Error)]
pub enum NotCoached {
    /// There is no such race, it is over, or the store fails.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Who sent it: nothing in it, or too much.
    #[error("text: must have 1 to {LONGEST_MESSAGE} characters")]
    Length,
    /// Who sent it: the last one is too fresh.
    #[error("a message was sent less than a minute ago; one at a time")]
    TooSoon,
    /// The operator.
    #[error(
        "no phone is set up for this person: set_phone sets one, or the operator TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID, or \
         NTFY_TOPIC"
    )]
    NoPhone,
}

impl Races {
    /// Where the messages to a person go.
    pub fn reach(&self, account: &AccountId) -> Reach {
        self.0.outbox.reach(account)
    }

    /// Sets where a person is told; an empty phone takes it back. Returns where their messages go then.
    pub async fn set_phone(&self, account: &AccountId, phone: Phone) -> Result<Reach, NotSet> {
        self.0.outbox.set_phone(account, phone).await
    }

    /// Sends a message about a race that is watched to the phone of its person. Numbers that are not the race's are never
    /// sent: then the rules' own words go. A text that was sent before is left out quietly.
    pub async fn coach(&self, account: &AccountId, id: &RaceId, text: &str) -> Result<Coached, NotCoached> {
        let text = plain_text(text);
        if text.is_empty() || text.chars().count() > LONGEST_MESSAGE {
            return Err(NotCoached::Length);
        }
        let race = self.live_race(id);
        let Some(race) = race.filter(|race| race.state().row.account == *account) else {
            let there = self.view(account, id).map_err(Refused::from)?.is_some();
            return Err(if there { Refused::Over } else { Refused::NoSuchRace }.into());
        };
        if self.reach(account) == Reach::Nowhere {
            return Err(NotCoached::NoPhone);
        }
        let state = race.state();
        let now = self.0.clock.now();
        let window = life::window(&self.0, &race, &state).map_err(Refused::from)?;
        let snapshot = state.snapshot(id, now);
        let untrue = claims::untrue(&text, &Known::of(&snapshot, &window));
        let said = if untrue.is_empty() {
            text
        } else {
            claims::own_words(&snapshot, &window)
        };
        let message = Message {
            account: account.clone(),
            race: id.clone(),
            severity: Severity::Notice,
            key: format!("coach:{said}"),
            text: said,
        };
        let sent = race.change(&self.0, |state: &mut State| {
            let last = state.progress.coached_at;
            if last.is_some_and(|last| now.duration_since(last) < APART) {
                return Err(NotCoached::TooSoon);
            }
            state.progress.coached_at = Some(now);
            Ok(Also {
                message: Some(message),
                ..Also::default()
            })
        });
        sent.await?.ok_or(Refused::NoSuchRace)?;
        tracing::info!(race.id = %id, account.id = %account, untrue = untrue.len(), "race.coached");
        Ok(if untrue.is_empty() {
            Coached::Sent
        } else {
            Coached::Corrected(untrue)
        })
    }
}

impl From<crate::store::StoreError> for NotCoached {
    fn from(e: crate::store::StoreError) -> Self {
        Self::Refused(e.into())
    }
}
