//! Refuses a change that the same account made or sent a moment ago, so that a blindly repeated call changes nothing,
//! even if the worker or this program was restarted in between.
//!
//! The built-in worker refuses repetitions too, but its memory ends with its process. The gateway therefore stores a
//! record of each change before passing the change on. A record holds the SHA-256 of the change and none of the
//! person's data.
//!
//! A foreign worker's tools are not covered: they have no argument with which a person could insist on a repetition.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::accounts::AccountId;
use crate::base::clock::Clock;
use crate::base::secrets::sha256;
use crate::races::RaceCaller;
use crate::store::{Record, Store, StoreError, Table, Tx};
use crate::tools::{EarlierChange, REPETITION_WINDOW, RequestedChange, requested_change};
use crate::workers::{UpstreamAnswer, WorkerError};

/// Upper bound of changes that are remembered for one account. Beyond it, the oldest is forgotten.
const MOST: usize = 200;

/// The text for a person whose access ended before the change was passed on.
const ACCESS_ENDED: &str = "this connection's access has ended. Nothing was sent. Connect again.";

/// A change that was passed on. Key: the account, and the SHA-256 of the change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SentChange {
    at: Timestamp,
    became: EarlierChange,
}

impl Record for SentChange {
    const TABLE: Table = Table("sent_change");
}

/// The changes that were passed on within the last minutes. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct RepeatGuard {
    store: Store,
    clock: Clock,
    /// The keys of the changes whose answer is outstanding.
    in_progress: Arc<Mutex<HashSet<Vec<u8>>>>,
}

/// A change that is being passed on. If it is dropped, the change stays recorded with an unknown result.
#[derive(Debug)]
pub(super) struct BegunChange {
    guard: RepeatGuard,
    key: Vec<u8>,
    /// An equal change that was made before.
    earlier: Option<SentChange>,
}

impl RepeatGuard {
    pub(super) fn new(store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            in_progress: Arc::default(),
        }
    }

    /// Records a change that is about to be passed on. `None` if the call asks for no change. Error: the text for a
    /// repetition.
    ///
    /// If the store can't write, the call goes on: the worker still refuses what it remembers itself.
    pub(super) async fn begin(
        &self,
        caller: &RaceCaller,
        tool: &str,
        params: Option<&RawValue>,
    ) -> Result<Option<BegunChange>, String> {
        let (now, account) = (self.clock.now(), caller.account());
        let Some(change) = requested_change(tool, &arguments(params), now) else {
            return Ok(None);
        };
        let key = key(account, &change);
        match self.record(caller, &key, change.again, now).await {
            Ok(Ok(begun)) => Ok(Some(begun)),
            Ok(Err(refused)) => {
                tracing::info!(account.id = %account, "change.refused");
                Err(refused)
            }
            Err(reason) => {
                tracing::warn!(account.id = %account, %reason, "change.not_recorded");
                Ok(None)
            }
        }
    }

    async fn record(
        &self,
        caller: &RaceCaller,
        key: &[u8],
        again: bool,
        now: Timestamp,
    ) -> Result<Result<BegunChange, String>, StoreError> {
        if !self.in_progress.lock().insert(key.to_vec()) {
            let earlier = self.store.find::<SentChange>(key)?;
            let age = now.duration_since(earlier.map_or(now, |earlier| earlier.at));
            return Ok(Err(EarlierChange::InProgress
                .refuse(age, again)
                .err()
                .unwrap_or_default()));
        }
        let mut begun = BegunChange {
            guard: self.clone(),
            key: key.to_vec(),
            earlier: None,
        };
        let (caller, own) = (caller.clone(), key.to_vec());
        let recorded = self.store.atomic(move |tx| {
            if !caller.may_write(tx)? {
                return Ok(Err(ACCESS_ENDED.to_owned()));
            }
            forget_old(tx, caller.account(), now)?;
            let earlier = tx.find::<SentChange>(&own)?;
            if let Some(earlier) = &earlier
                && let Err(refused) = earlier.became.refuse(now.duration_since(earlier.at), again)
            {
                return Ok(Err(refused));
            }
            let became = EarlierChange::Unknown;
            tx.put(&own, &SentChange { at: now, became })?;
            Ok::<_, StoreError>(Ok(earlier))
        });
        Ok(recorded.await?.map(|earlier| {
            begun.earlier = earlier;
            begun
        }))
    }
}

impl BegunChange {
    /// Records the result of the change.
    pub(super) async fn end(self, outcome: &Result<UpstreamAnswer, WorkerError>) {
        let now = self.guard.clock.now();
        let record = match became(outcome) {
            Some(EarlierChange::Made) => Some(SentChange {
                at: now,
                became: EarlierChange::Made,
            }),
            // An unknown result was already recorded when the change began.
            Some(_) => return,
            None => self.earlier.clone(),
        };
        let key = self.key.clone();
        let written = self.guard.store.atomic(move |tx| {
            // An account that was forgotten in the meantime has no record, and must not get one again.
            if tx.find::<SentChange>(&key)?.is_some() {
                match &record {
                    Some(record) => tx.put(&key, record)?,
                    None => tx.remove::<SentChange>(&key),
                }
            }
            Ok::<_, StoreError>(())
        });
        if let Err(reason) = written.await {
            tracing::warn!(%reason, "change.not_recorded");
        }
    }
}

impl Drop for BegunChange {
    fn drop(&mut self) {
        self.guard.in_progress.lock().remove(&self.key);
    }
}

/// Erases the changes that are remembered for an account.
pub fn forget(tx: &mut Tx<'_>, account: &AccountId) -> Result<(), StoreError> {
    for (key, _) in tx.list::<SentChange>(&prefix(account))? {
        tx.remove::<SentChange>(&key);
    }
    Ok(())
}

/// Removes what is too old to matter, and the oldest if there are too many. A time in the future was written while the
/// clock was ahead, so it is removed too.
fn forget_old(tx: &mut Tx<'_>, account: &AccountId, now: Timestamp) -> Result<(), StoreError> {
    let mut recent = Vec::new();
    for (key, sent) in tx.list::<SentChange>(&prefix(account))? {
        let age = now.duration_since(sent.at);
        if age < REPETITION_WINDOW && age > SignedDuration::from_secs(-60) {
            recent.push((sent.at, key));
        } else {
            tx.remove::<SentChange>(&key);
        }
    }
    recent.sort();
    for (_, key) in recent.iter().take((recent.len() + 1).saturating_sub(MOST)) {
        tx.remove::<SentChange>(key);
    }
    Ok(())
}

fn prefix(account: &AccountId) -> Vec<u8> {
    format!("{account}/").into_bytes()
}

fn key(account: &AccountId, change: &RequestedChange) -> Vec<u8> {
    let mut key = prefix(account);
    key.extend(sha256(change.content.as_bytes()));
    key
}

/// The arguments of a `tools/call`; empty if they can't be read, which the worker will report.
fn arguments(params: Option<&RawValue>) -> Map<String, Value> {
    let params: Option<Value> = params.and_then(|params| serde_json::from_str(params.get()).ok());
    match params.and_then(|mut params| params.get_mut("arguments").map(Value::take)) {
        Some(Value::Object(arguments)) => arguments,
        _ => Map::new(),
    }
}

/// The result of a change, as far as its answer shows; `None` if nothing was changed.
fn became(outcome: &Result<UpstreamAnswer, WorkerError>) -> Option<EarlierChange> {
    match outcome {
        Ok(UpstreamAnswer::Result(result)) => {
            let result: Value = serde_json::from_str(result.get()).unwrap_or_default();
            let parts = DoneParts::of(result.get("structuredContent").unwrap_or(&Value::Null));
            let is_error = result.get("isError").and_then(Value::as_bool) == Some(true);
            match parts {
                DoneParts { unknown: true, .. } => Some(EarlierChange::Unknown),
                DoneParts { made: true, .. } if is_error => Some(EarlierChange::Unknown),
                DoneParts { made: true, .. } => Some(EarlierChange::Made),
                DoneParts { .. } => None,
            }
        }
        // For example the error of a cancelled call.
        Ok(UpstreamAnswer::Error(_))
        | Err(
            WorkerError::MayHaveHappened
            | WorkerError::TimedOut
            | WorkerError::BadAnswer { .. }
            | WorkerError::Stopped,
        ) => Some(EarlierChange::Unknown),
        Err(
            WorkerError::GarminSignInNeeded
            | WorkerError::Busy { .. }
            | WorkerError::StartFailed { .. }
            | WorkerError::Died,
        ) => None,
    }
}

/// What an answer and its parts report as done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct DoneParts {
    made: bool,
    unknown: bool,
}

impl DoneParts {
    /// Reads `done` and `status` of the answer and of its parts, but not of data that an answer only quotes.
    fn of(answer: &Value) -> Self {
        let mut parts = Self::default();
        match answer {
            Value::Object(members) => {
                parts.made = members.get("done") == Some(&Value::Bool(true));
                parts.unknown = members.get("status").and_then(Value::as_str) == Some("unknown");
                for (name, member) in members {
                    if !["before", "undo"].contains(&name.as_str()) {
                        parts.add(Self::of(member));
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| parts.add(Self::of(item))),
            _ => {}
        }
        parts
    }

    fn add(&mut self, other: Self) {
        self.made |= other.made;
        self.unknown |= other.unknown;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_tells_what_became_of_a_change() {
        let answer = |is_error: bool, content: Value| {
            let result = json!({"content": [], "structuredContent": content, "isError": is_error});
            let raw = serde_json::value::to_raw_value(&result).unwrap();
            became(&Ok(UpstreamAnswer::Result(raw)))
        };
        let made = json!({"done": true, "read_back": "Garmin shows the change"});
        let lost = json!({"done": false, "status": "unknown", "message": "The connection broke"});
        for (is_error, content, expected) in [
            (false, made.clone(), Some(EarlierChange::Made)),
            (true, lost.clone(), Some(EarlierChange::Unknown)),
            (
                false,
                json!({"total": 2, "results": [made, lost]}),
                Some(EarlierChange::Unknown),
            ),
            (
                false,
                json!({"deleted": [made], "deleted_count": 1}),
                Some(EarlierChange::Made),
            ),
            (
                true,
                json!({"done": false, "already_done": [made]}),
                Some(EarlierChange::Unknown),
            ),
            (false, json!({"done": false, "idempotent": true}), None),
            (
                false,
                json!({"done": false, "before": {"done": true}, "undo": {"status": "unknown"}}),
                None,
            ),
            (true, Value::Null, None),
        ] {
            assert_eq!(answer(is_error, content.clone()), expected, "{content}");
        }
        assert_eq!(became(&Err(WorkerError::Stopped)), Some(EarlierChange::Unknown));
        assert_eq!(became(&Err(WorkerError::GarminSignInNeeded)), None);
    }
}
