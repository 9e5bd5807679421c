//! The task that looks at each person's days at the time they chose, and tells people about broken links to Garmin.
//!
//! A look reads the history, asks the rules, and has the message worded. The message, its figures and the day of the
//! look are stored in the same write that queues the message for the phone, so a crash neither repeats a message nor
//! loses one.

use std::collections::btree_map::Entry;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::choice::{CoachWishes, MorningWish};
use super::figure::COACH_METRICS;
use super::keeping::{Advice, AdviceParts};
use super::reading;
use super::records::{CoachChoice, CoachSaid, LinkNotice, SentAdvice};
use super::rules::{self, LookFindings, MorningFacts, SaidAdvice};
use super::schedule::{self, CoachTurn};
use super::wording;
use crate::accounts::{Account, AccountId, GarminLogin};
use crate::base::lifecycle::Lifecycle;
use crate::history::KeptHistory;
use crate::history::reading::{KeptDocuments, KeptFreshness};
use crate::notify::Notifier;
use crate::notify::message::{MessageRoute, MessageSubject, PhoneMessage};
use crate::oauth::OAuth;
use crate::race::alerts::Severity;
use crate::store::StoreError;
use crate::tools::{self, MissingParts};

/// The longest wait between two passes. A change wakes the task at once.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(10);
/// The wait after the store could not be read or written.
const STORE_RETRY: SignedDuration = SignedDuration::from_mins(1);
/// The title of the messages.
const TITLE: &str = "Coach";
/// The fewest days with data from which a weekly mean is taken.
const LEAST_WEEK_DAYS: u32 = 4;
/// The days whose single values Claude may name.
const NAMED_DAYS: &str = "-10d";

/// A person whose look is due.
struct DueLook {
    account: AccountId,
    choice: CoachChoice,
    now: Zoned,
}

impl Advice {
    /// Starts the task that looks at people's days and reports broken links.
    pub fn start(parts: AdviceParts, lifecycle: &Lifecycle) -> Self {
        let advice = Self::new(parts);
        let (task, starting, stopping) = (advice.clone(), lifecycle.clone(), lifecycle.stopping());
        lifecycle.spawn("coach", async move {
            let parts = &task.0.parts;
            let (mut own, mut histories) = (task.0.changed.subscribe(), parts.history.changes());
            let mut refusals = parts.accounts.refusals();
            loop {
                own.borrow_and_update();
                histories.borrow_and_update();
                refusals.borrow_and_update();
                let now = parts.clock.now();
                let until = match task.pass(now, &starting).await {
                    Ok(next) => next.min(later(now, LOOK_AGAIN)),
                    Err(reason) => {
                        tracing::error!(%reason, "coach.store_failed");
                        later(now, STORE_RETRY)
                    }
                };
                tokio::select! {
                    () = stopping.cancelled() => return,
                    _ = own.changed() => {}
                    _ = histories.changed() => {}
                    _ = refusals.changed() => {}
                    () = parts.clock.sleep_until(until) => {}
                }
            }
        });
        advice
    }

    /// Reports broken links and starts the looks that are due. Returns the time of the next look.
    async fn pass(&self, now: Timestamp, lifecycle: &Lifecycle) -> Result<Timestamp, StoreError> {
        let parts = &self.0.parts;
        let mut next = Timestamp::MAX;
        for account in parts.accounts.list()? {
            self.tell_link(&account).await?;
            let Some(choice) = parts.store.find::<CoachChoice>(account.id.key())? else {
                continue;
            };
            let Some(kept) = parts.history.kept(&account.id)? else {
                if !self.said(&account.id)?.is_empty() {
                    self.forget_said(&account.id).await?;
                }
                continue;
            };
            let (local, has_night) = (kept.local(now), kept.has_asked_this_morning(now));
            match schedule::turn(&choice.wishes, choice.looked_on, &local, has_night) {
                CoachTurn::Wait(until) => next = next.min(until),
                CoachTurn::Look => {
                    let due = DueLook {
                        account: account.id,
                        choice,
                        now: local,
                    };
                    self.spawn(due, lifecycle);
                }
            }
        }
        Ok(next)
    }

    /// Starts a person's look, unless one is already in progress.
    fn spawn(&self, due: DueLook, lifecycle: &Lifecycle) {
        let ended = CancellationToken::new();
        match self.0.running.lock().entry(due.account.clone()) {
            Entry::Occupied(_) => return,
            Entry::Vacant(free) => free.insert(ended.clone()),
        };
        let (advice, stopping) = (self.clone(), lifecycle.stopping());
        lifecycle.spawn("coach look", async move {
            let looked = tokio::select! {
                biased;
                () = stopping.cancelled() => None,
                () = ended.cancelled() => None,
                looked = advice.look(&due) => Some(looked),
            };
            advice.0.running.lock().remove(&due.account);
            advice.0.ended.send_replace(());
            match looked {
                Some(Ok(())) => advice.wake(),
                Some(Err(reason)) => {
                    tracing::error!(account.id = %due.account, %reason, "coach.look_failed");
                }
                None => {}
            }
        });
    }

    /// Looks at a person's days, and queues what there is to say.
    async fn look(&self, due: &DueLook) -> Result<(), StoreError> {
        let parts = &self.0.parts;
        let (account, today) = (&due.account, due.now.date());
        let is_reachable = OAuth::has_access(&parts.store, account)?
            && parts.notifier.route(account) == MessageRoute::Personal;
        let found = if is_reachable {
            self.find(account, &due.choice.wishes, today)?
        } else {
            None
        };
        let sent = match found {
            None => None,
            Some(found) => {
                let (own, found) = (wording::text(&found.advice), Arc::new(found));
                let by_claude = self.words_of_claude(account, &found, &own).await;
                Some(SentAdvice {
                    at: parts.clock.now(),
                    by_claude: by_claude.is_some(),
                    text: by_claude.unwrap_or(own),
                    advice: found.advice.clone(),
                })
            }
        };
        let is_said = self.store_look(due, sent).await?;
        tracing::info!(account.id = %account, is_said, "coach.looked_at_days");
        Ok(())
    }

    /// What the rules say about a person's days.
    fn find(
        &self,
        account: &AccountId,
        wishes: &CoachWishes,
        today: Date,
    ) -> Result<Option<LookFindings>, StoreError> {
        let Some(documents) = self.0.parts.history.documents(account, KeptFreshness::MayBeOld)? else {
            return Ok(None);
        };
        let said: Vec<SaidAdvice> = self.said(account)?.into_iter().map(|sent| sent.advice).collect();
        let facts = facts(&documents, wishes, today);
        let advice = rules::decide(wishes, &said, facts, today);
        let found = advice.map(|advice| LookFindings {
            days: COACH_METRICS
                .iter()
                .filter_map(|metric| {
                    let arguments = json!({"metric": metric.name, "range": NAMED_DAYS, "by": "day"});
                    answer(&documents, "get_trend", &arguments)
                })
                .flat_map(|trend| reading::days(&trend))
                .collect(),
            advice,
        });
        match documents.failure() {
            Some(reason) => Err(reason),
            None => Ok(found),
        }
    }

    /// Stores that the day was looked at, and queues the message. Returns whether one was queued.
    async fn store_look(&self, due: &DueLook, sent: Option<SentAdvice>) -> Result<bool, StoreError> {
        let parts = &self.0.parts;
        let (id, since, today) = (due.account.clone(), due.choice.since, due.now.date());
        let notifier = parts.notifier.clone();
        let stored = parts.store.atomic(move |tx| {
            let choice = tx.find::<CoachChoice>(id.key())?;
            let choice = choice.filter(|choice| choice.since == since && choice.looked_on != Some(today));
            let Some(mut choice) = choice else {
                return Ok(false);
            };
            choice.looked_on = Some(today);
            tx.put(id.key(), &choice)?;
            let keeps_days = tx.find::<KeptHistory>(id.key())?.is_some();
            let Some(sent) = sent.filter(|_| keeps_days) else {
                return Ok(false);
            };
            if !OAuth::has_access_within(tx, &id)? {
                return Ok(false);
            }
            let message = PhoneMessage {
                account: id.clone(),
                to: None,
                subject: MessageSubject::Coach,
                severity: Severity::Notice,
                title: TITLE.to_owned(),
                key: format!("coach:{since}:{today}"),
                text: sent.text.clone(),
            };
            notifier.push(tx, &message)?;
            let said: CoachSaid = tx.find(id.key())?.unwrap_or_default();
            tx.put(id.key(), &said.with(sent))?;
            Ok::<_, StoreError>(true)
        });
        let is_said = stored.await?;
        parts.notifier.wake();
        Ok(is_said)
    }

    /// Tells a person once that their link to Garmin is broken.
    async fn tell_link(&self, account: &Account) -> Result<(), StoreError> {
        let parts = &self.0.parts;
        let GarminLogin::SignInNeeded { since, .. } = account.garmin else {
            return Ok(());
        };
        let told: Option<LinkNotice> = parts.store.find(account.id.key())?;
        let route = parts.notifier.route(&account.id);
        if told.is_some_and(|told| told.since == since)
            || route == MessageRoute::Nowhere
            || !OAuth::has_access(&parts.store, &account.id)?
        {
            return Ok(());
        }
        // The operator's chat may get the messages of several people.
        let whose = (route == MessageRoute::Operator).then_some(&*account.email);
        let message = PhoneMessage {
            account: account.id.clone(),
            to: None,
            subject: MessageSubject::Link,
            // A warning gets through a mute. A muted message would never be sent.
            severity: Severity::Warning,
            title: "Garmin".to_owned(),
            key: format!("link:{since}"),
            text: wording::broken_link(whose, &parts.link),
        };
        let (id, notifier) = (account.id.clone(), parts.notifier.clone());
        let told = parts.store.atomic(move |tx| {
            let is_broken = tx.find::<Account>(id.key())?.is_some_and(
                |account| matches!(account.garmin, GarminLogin::SignInNeeded { since: at, .. } if at == since),
            );
            if is_broken {
                notifier.push(tx, &message)?;
                tx.put(id.key(), &LinkNotice { since })?;
            }
            Ok::<_, StoreError>(is_broken)
        });
        if told.await? {
            tracing::info!(account.id = %account.id, "coach.broken_link_told");
            parts.notifier.wake();
        }
        Ok(())
    }

    /// Ends what the coach does for a person whose access has ended: the look in progress and the queued messages.
    pub async fn withdraw(&self, account: &AccountId) -> Result<(), StoreError> {
        self.end_look(account).await;
        let id = account.clone();
        let withdrawn = self.0.parts.store.atomic(move |tx| {
            Notifier::withdraw(tx, &id, &MessageSubject::Coach)?;
            Notifier::withdraw(tx, &id, &MessageSubject::Link)
        });
        withdrawn.await
    }
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(now)
}

fn answer(documents: &KeptDocuments, tool: &str, arguments: &Value) -> Option<Value> {
    let rows = |path: &str, query: &[(String, String)]| documents.rows(path, query);
    let missing = MissingParts::AreAsked;
    tools::answer_from(tool, arguments.as_object()?, documents.now(), missing, rows)
}

/// What the history knows this morning.
fn facts(documents: &KeptDocuments, wishes: &CoachWishes, today: Date) -> MorningFacts {
    let unusual = answer(
        documents,
        "find_unusual",
        &json!({"range": reading::UNUSUAL_RANGE}),
    );
    let baseline =
        |metric: &str, day: Date| answer(documents, "baseline", &json!({"metric": metric, "date": day}));
    let mut facts = MorningFacts {
        stretches: unusual.iter().flat_map(reading::stretches).collect(),
        ..MorningFacts::default()
    };
    if wishes.morning == MorningWish::Daily {
        facts.night = reading::morning_metrics()
            .filter_map(|metric| reading::of_day(&baseline(metric.name, today)?, today))
            .collect();
    }
    let yesterday = today.saturating_sub(1.day());
    if wishes.weekly && rules::may_review(today) {
        let week = (yesterday.saturating_sub(6.days()), yesterday);
        let means = COACH_METRICS
            .iter()
            .filter_map(|metric| reading::of_week(&baseline(metric.name, yesterday)?, yesterday))
            .filter(|figure| figure.days >= LEAST_WEEK_DAYS);
        facts.week = means.collect();
        let range = format!("{}..{}", week.0, week.1);
        let volume = answer(documents, "get_training_volume", &json!({"range": range}));
        facts
            .week
            .extend(volume.iter().flat_map(|volume| reading::sums(volume, week)));
    }
    facts
}
