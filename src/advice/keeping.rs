//! Switches the coach on and off, and keeps and erases what it said.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::choice::CoachWishes;
use super::records::{CoachChoice, CoachSaid, LinkNotice, SentAdvice};
use super::tokens::WordingTokens;
use super::wording;
use crate::accounts::{AccountId, Accounts};
use crate::base::clock::Clock;
use crate::coach::Claude;
use crate::history::{History, KeptHistory};
use crate::notify::Notifier;
use crate::notify::message::{MessageRoute, MessageSubject};
use crate::store::{Store, StoreError, Tx};

/// The parts of the gateway that the coach reads and writes through.
pub struct AdviceParts {
    pub store: Store,
    pub clock: Clock,
    pub accounts: Accounts,
    pub history: History,
    pub notifier: Notifier,
    /// Claude, which words the messages if it is set up.
    pub claude: Option<Claude>,
    /// `PUBLIC_URL/link`, where a person signs in at Garmin again.
    pub link: String,
}

/// The coach of all people. Clones share everything.
#[derive(Clone)]
pub struct Advice(pub(super) Arc<AdviceState>);

pub(super) struct AdviceState {
    pub(super) parts: AdviceParts,
    pub(super) changed: watch::Sender<()>,
    pub(super) tokens: Mutex<WordingTokens>,
    /// The looks in progress, each with the token that cancels it.
    pub(super) running: Mutex<BTreeMap<AccountId, CancellationToken>>,
    /// Signals that a look has ended.
    pub(super) ended: watch::Sender<()>,
}

/// The outcome of switching the coach on or off, or of changing its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CoachSet {
    Done,
    /// The account was forgotten, or the caller's access has ended.
    NotAllowed,
    /// The coach reads a history, and the person keeps none.
    NoHistory,
    /// The person has not set a phone of their own.
    NoPhone,
    /// A setting was not understood; the text says why.
    Wrong(String),
}

/// The state of a person's coach.
#[derive(Clone, Debug)]
pub struct CoachStanding {
    pub since: Timestamp,
    pub wishes: CoachWishes,
    pub has_history: bool,
    pub has_phone: bool,
    pub last: Option<SentAdvice>,
}

impl Advice {
    pub(super) fn new(parts: AdviceParts) -> Self {
        Self(Arc::new(AdviceState {
            parts,
            changed: watch::Sender::new(()),
            tokens: Mutex::default(),
            running: Mutex::default(),
            ended: watch::Sender::new(()),
        }))
    }

    /// Switches the coach on, or changes its settings. `said` pairs names of `set_coach` arguments with their texts.
    /// `is_allowed` is checked in the transaction that stores the choice.
    pub async fn switch_on(
        &self,
        account: &AccountId,
        said: &[(&str, &str)],
        is_allowed: impl FnOnce(&Tx<'_>) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<CoachSet, StoreError> {
        let parts = &self.0.parts;
        let known: Option<CoachChoice> = parts.store.find(account.key())?;
        let before = known.map(|known| known.wishes).unwrap_or_default();
        let wishes = match before.with(said) {
            Ok(wishes) => wishes,
            Err(wrong) => return Ok(CoachSet::Wrong(wrong)),
        };
        if parts.notifier.route(account) != MessageRoute::Personal {
            return Ok(CoachSet::NoPhone);
        }
        let (id, now) = (account.clone(), parts.clock.now());
        let set = parts.store.atomic(move |tx| {
            if !Accounts::exists_within(tx, &id)? || !is_allowed(tx)? {
                return Ok(CoachSet::NotAllowed);
            }
            if tx.find::<KeptHistory>(id.key())?.is_none() {
                return Ok(CoachSet::NoHistory);
            }
            let known: Option<CoachChoice> = tx.find(id.key())?;
            let choice = CoachChoice {
                since: known.as_ref().map_or(now, |known| known.since),
                looked_on: known.and_then(|known| known.looked_on),
                wishes,
            };
            tx.put(id.key(), &choice)?;
            Ok::<_, StoreError>(CoachSet::Done)
        });
        let set = set.await?;
        if set == CoachSet::Done {
            tracing::info!(account.id = %account, "coach.switched_on");
        }
        self.wake();
        Ok(set)
    }

    /// Switches the coach off and erases what it said, in one write.
    pub async fn switch_off(
        &self,
        account: &AccountId,
        is_allowed: impl FnOnce(&Tx<'_>) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<CoachSet, StoreError> {
        let id = account.clone();
        let set = self.0.parts.store.atomic(move |tx| {
            if !is_allowed(tx)? {
                return Ok(CoachSet::NotAllowed);
            }
            tx.remove::<CoachChoice>(id.key());
            tx.remove::<CoachSaid>(id.key());
            Notifier::withdraw(tx, &id, &MessageSubject::Coach)?;
            Ok::<_, StoreError>(CoachSet::Done)
        });
        let set = set.await?;
        if set == CoachSet::Done {
            self.end_look(account).await;
            tracing::info!(account.id = %account, "coach.erased");
        }
        self.wake();
        Ok(set)
    }

    /// The state of a person's coach; `None` if it is off.
    pub fn standing(&self, account: &AccountId) -> Result<Option<CoachStanding>, StoreError> {
        let parts = &self.0.parts;
        let Some(choice) = parts.store.find::<CoachChoice>(account.key())? else {
            return Ok(None);
        };
        Ok(Some(CoachStanding {
            since: choice.since,
            wishes: choice.wishes,
            has_history: parts.history.kept(account)?.is_some(),
            has_phone: parts.notifier.route(account) == MessageRoute::Personal,
            last: self.said(account)?.pop(),
        }))
    }

    /// What was said to a person, oldest first.
    pub fn said(&self, account: &AccountId) -> Result<Vec<SentAdvice>, StoreError> {
        let said: Option<CoachSaid> = self.0.parts.store.find(account.key())?;
        Ok(said.unwrap_or_default().said)
    }

    /// The answer to `/why` in the chat of these people.
    pub fn why(&self, people: &[AccountId]) -> Result<String, StoreError> {
        let mut texts = Vec::new();
        for account in people {
            if let Some(last) = self.said(account)?.pop() {
                texts.push(wording::why(&last.text, &last.advice));
            }
        }
        if texts.is_empty() {
            return Ok(wording::NOTHING_SAID.to_owned());
        }
        Ok(texts.join("\n\n"))
    }

    /// What is stored about a person, for their own export; `None` if there is nothing.
    pub fn export(&self, account: &AccountId) -> Result<Option<Value>, StoreError> {
        let choice: Option<CoachChoice> = self.0.parts.store.find(account.key())?;
        let said = self.said(account)?;
        if choice.is_none() && said.is_empty() {
            return Ok(None);
        }
        Ok(Some(json!({"choice": choice, "said": said})))
    }

    /// Erases the messages and figures of a person who no longer keeps a history.
    pub async fn forget_said(&self, account: &AccountId) -> Result<(), StoreError> {
        self.0.parts.store.remove::<CoachSaid>(account.key()).await
    }

    /// Ends a person's look if one is in progress. It has ended when this returns.
    pub(super) async fn end_look(&self, account: &AccountId) {
        let mut ended = self.0.ended.subscribe();
        loop {
            ended.borrow_and_update();
            match self.0.running.lock().get(account) {
                Some(look) => look.cancel(),
                None => return,
            }
            if ended.changed().await.is_err() {
                return;
            }
        }
    }

    /// Wakes the task, which then checks everybody again.
    pub fn wake(&self) {
        self.0.changed.send_replace(());
    }
}

/// Erases everything of an account.
pub fn erase(tx: &mut Tx<'_>, account: &AccountId) {
    tx.remove::<CoachChoice>(account.key());
    tx.remove::<CoachSaid>(account.key());
    tx.remove::<LinkNotice>(account.key());
}
