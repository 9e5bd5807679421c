//! Coaching messages: what a message says is checked before it goes to the phone.

use jiff::SignedDuration;

use super::acts::RaceActError;
use super::caller::RaceCaller;
use super::messages;
use super::race::RaceChange;
use super::registry::Races;
use crate::accounts::AccountId;
use crate::coach::look::SaidMessage;
use crate::notify::message::{MessageRoute, MessageSubject, Phone, PhoneMessage, SetPhoneError};
use crate::race::alerts::Severity;
use crate::race::claims;
use crate::race::claims::HeldClaim;
use crate::race::id::RaceId;
use crate::race::recipients::Recipient;
use crate::race::text::plain_text;
use crate::store::{StoreError, Tx};

/// Maximum length of a message in characters.
pub const LONGEST_MESSAGE: usize = 600;

/// Minimum interval between two messages of a race.
const BETWEEN_MESSAGES: SignedDuration = SignedDuration::from_secs(60);

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CoachingOutcome {
    Sent,
    /// Nothing was sent, because the race's data does not support these claims.
    Held(Vec<HeldClaim>),
}

#[derive(Debug, thiserror::Error)]
pub enum CoachingError {
    #[error(transparent)]
    Act(#[from] RaceActError),
    #[error("text: must have 1 to {LONGEST_MESSAGE} characters")]
    Length,
    #[error("a message was sent less than a minute ago; wait a minute")]
    TooSoon,
    /// For the person or the operator: no phone is configured.
    #[error(
        "no phone is set up for this person: set_phone sets one, or the operator sets TELEGRAM_BOT_TOKEN and \
         TELEGRAM_CHAT_ID, NTFY_TOPIC, GOTIFY_URL, WEBHOOK_URL or MQTT_URL"
    )]
    NoPhone,
}

impl From<StoreError> for CoachingError {
    fn from(e: StoreError) -> Self {
        Self::Act(e.into())
    }
}

impl Races {
    /// Where a person's messages go.
    pub fn message_route(&self, account: &AccountId) -> MessageRoute {
        self.0.notifier.route(account)
    }

    /// Whether the operator's home automation shows this person's races.
    pub fn is_at_broker(&self, account: &AccountId) -> Result<bool, StoreError> {
        Ok(self.0.notifier.people_at_broker()?.contains(account))
    }

    /// Sets where a person's messages go; an empty phone restores the operator's settings.
    pub async fn set_phone(&self, caller: &RaceCaller, phone: Phone) -> Result<MessageRoute, SetPhoneError> {
        let (account, caller) = (caller.account(), caller.clone());
        let is_allowed = move |tx: &Tx<'_>| caller.may_write(tx);
        self.0.notifier.set_phone(account, phone, is_allowed).await
    }

    /// Sends a message about a watched race to the phone of its owner, with the age of its data. A message with a claim
    /// that the race's data does not support is held. A text that was already sent about the race is skipped.
    pub async fn coach(
        &self,
        caller: &RaceCaller,
        id: &RaceId,
        text: &str,
    ) -> Result<CoachingOutcome, CoachingError> {
        let (account, text) = (caller.account(), plain_text(text));
        if text.is_empty() || text.chars().count() > LONGEST_MESSAGE {
            return Err(CoachingError::Length);
        }
        let race = self.watched_race_of(account, id)?;
        let (state, now) = (race.state(), self.0.clock.now());
        let recipients = messages::reachable(&self.0.notifier, account, &state.row.settings.recipients)?;
        let has_reader = recipients
            .iter()
            .any(|one| one.phone.is_some() && one.hears_the_coach());
        if self.message_route(account) == MessageRoute::Nowhere && !has_reader {
            return Err(CoachingError::NoPhone);
        }
        let window = state.window(&self.0.store, id)?;
        let snapshot = state.snapshot(id, now);
        let facts = claims::facts(&snapshot, &window, state.progress.looked_at);
        let held = claims::held(&text, &facts);
        if !held.is_empty() {
            tracing::info!(race.id = %id, account.id = %account, claims = held.len(), "race.message_held");
            let why = held.iter().map(|claim| format!("{}: {}", claim.said, claim.why));
            let said = SaidMessage {
                at: now,
                text,
                held: why.collect(),
            };
            let noted = race.change(&self.0.store, &self.0.notifier, |state| {
                state.progress.note(said);
                Ok::<_, CoachingError>(RaceChange {
                    caller: Some(caller.clone()),
                    ..RaceChange::default()
                })
            });
            noted.await?.ok_or(RaceActError::AccessEnded)?;
            return Ok(CoachingOutcome::Held(held));
        }
        let said = SaidMessage {
            at: now,
            text: text.clone(),
            held: Vec::new(),
        };
        let message = PhoneMessage {
            account: account.clone(),
            to: None,
            subject: MessageSubject::Race(id.clone()),
            severity: Severity::Notice,
            key: format!("coach:{text}"),
            title: state.title(),
            text: claims::with_age(&text, facts.age_s()),
        };
        let sent = race.change(&self.0.store, &self.0.notifier, |state| {
            if state.is_over() {
                return Err(RaceActError::Over.into());
            }
            let last = state.progress.coached_at;
            if last.is_some_and(|last| now.duration_since(last) < BETWEEN_MESSAGES) {
                return Err(CoachingError::TooSoon);
            }
            state.progress.coached_at = Some(now);
            state.progress.note(said);
            let is_named = |one: &Recipient| state.row.settings.recipients.contains(one);
            let recipients: Vec<_> = recipients.into_iter().filter(is_named).collect();
            let mut messages = messages::of_coach(&message, &recipients, &mut state.progress, now);
            messages.insert(0, message);
            Ok(RaceChange {
                messages,
                caller: Some(caller.clone()),
                ..RaceChange::default()
            })
        });
        sent.await?.ok_or(RaceActError::AccessEnded)?;
        tracing::info!(race.id = %id, account.id = %account, "race.coached");
        Ok(CoachingOutcome::Sent)
    }
}
