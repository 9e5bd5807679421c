//! Carries out a plan: sends each part once, reads it back from Garmin, and reports what is known.

use std::time::Duration;

use parking_lot::MutexGuard;
use serde_json::{Map, Value, json};

use super::super::call::ToolCall;
use super::super::change::{
    ChangePlan, ChangedPart, EarlierChange, Landed, PartState, PlanPart, PlannedChange, ReadBack,
    RecentChanges, RequestedChange, Sight, not_made, preview, settled,
};
use super::super::outcome::{ToolFailure, ToolResult};
use super::super::page::clipped;
use super::super::progress::CallProgress;
use super::super::table::{AnswerError, NextStep, Tool};
use super::Server;
use super::reads::MOST_ROUNDS;
use crate::garmin::ApiError;

/// The waits before each check whether Garmin shows a change. Its lists are updated with a delay.
const LOOKS: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_millis(300),
    Duration::from_millis(1_200),
];

/// The member with the steps of a part that were made before one of them failed.
const ALREADY_DONE: &str = "already_done";

impl Server {
    /// The answer of a tool that changes something.
    pub(super) async fn change(
        &self,
        tool: &Tool,
        call: &ToolCall,
        progress: &CallProgress,
    ) -> Result<ToolResult, ToolFailure> {
        if call.dry_run {
            let plan = self.plan(tool, call, progress).await?;
            return Ok(ToolResult::of_json(&clipped(preview(&plan))));
        }
        let RequestedChange { content, again } = RequestedChange::of_call(tool, call);
        let begun = self.recent().begin(&content, again, self.0.clock.now());
        begun.map_err(AnswerError::Argument)?;
        // A call that is dropped from here on has an unknown result.
        let mut record = ChangeRecord {
            server: self,
            content,
            end: Some(EarlierChange::Unknown),
        };
        let plan = match self.plan(tool, call, progress).await {
            Ok(plan) => plan,
            Err(failure) => {
                record.end = None;
                return Err(failure);
            }
        };
        let whole = plan.whole;
        let mut parts = Vec::with_capacity(plan.parts.len());
        let mut failure = None;
        progress.begin(plan.parts.len());
        for part in plan.parts {
            let (part, failed) = self.carry_out(part, tool.failing).await;
            parts.push(part);
            progress.answered();
            failure = failure.or(failed);
        }
        let has = |state| parts.iter().any(|part: &ChangedPart| part.state == state);
        // Repeating a part whose first steps succeeded would make those steps twice.
        let is_half_made = parts.iter().any(|part| part.members.contains_key(ALREADY_DONE));
        record.end = if has(PartState::Unknown) || is_half_made && !has(PartState::Made) {
            Some(EarlierChange::Unknown)
        } else if has(PartState::Made) {
            Some(EarlierChange::Made)
        } else {
            None
        };
        let all_failed = !parts.is_empty() && parts.iter().all(|part| !part.state.is_good());
        let told = match whole {
            Some(whole) => whole(call, parts),
            None => match (parts.pop(), failure) {
                (Some(part), Some(failure))
                    if part.state == PartState::NotMade && !part.members.contains_key(ALREADY_DONE) =>
                {
                    return Err(failure);
                }
                (part, _) => Value::Object(part.map(|part| part.members).unwrap_or_default()),
            },
        };
        Ok(if all_failed {
            ToolResult::of_failed_json(&clipped(told))
        } else {
            ToolResult::of_json(&clipped(told))
        })
    }

    /// Reads what the tool needs to know, until it has a plan.
    async fn plan(
        &self,
        tool: &Tool,
        call: &ToolCall,
        progress: &CallProgress,
    ) -> Result<ChangePlan, ToolFailure> {
        let mut answers = Vec::new();
        for _ in 0..MOST_ROUNDS {
            let documents: Vec<&Value> = answers.iter().map(AsRef::as_ref).collect();
            match tool.next(call, &documents)? {
                NextStep::Get(gets) => answers.extend(self.round(call, gets, false, progress).await?),
                NextStep::Change(plan) => return Ok(plan),
                NextStep::Done => break,
            }
        }
        Err(AnswerError::Argument("the change could not be planned".to_owned()).into())
    }

    /// Carries out a part and those that follow from it. Also returns the failure of a request that Garmin refused.
    async fn carry_out(&self, part: PlanPart, failing: &str) -> (ChangedPart, Option<ToolFailure>) {
        let mut change = match part {
            PlanPart::Send(change) => *change,
            PlanPart::Settled(members) => return (settled(&members), None),
            PlanPart::Refused(names, reason) => {
                let failure = AnswerError::Argument(reason.clone()).into();
                return (not_made(&names, &format!("{failing}: {reason}")), Some(failure));
            }
        };
        let mut already_done: Vec<Value> = Vec::new();
        loop {
            let then = change.then.take();
            let (mut part, response, seen, failure) = self.send(&change, failing).await;
            if part.state != PartState::Made {
                if !already_done.is_empty() {
                    part.members.insert(ALREADY_DONE.to_owned(), already_done.into());
                }
                return (part, failure);
            }
            let Some(then) = then else {
                if !change.undoes_earlier {
                    undo_all(&mut part.members, &already_done);
                }
                if !already_done.is_empty() {
                    part.members.insert("first".to_owned(), already_done.into());
                }
                return (part, None);
            };
            let landed = Landed {
                response: &response,
                seen: seen.as_ref(),
            };
            let following = then(&landed);
            already_done.push(Value::Object(part.members));
            match following {
                Ok(next) => change = next,
                Err(reason) => {
                    let mut part = not_made(&Map::new(), &reason);
                    part.members.insert(ALREADY_DONE.to_owned(), already_done.into());
                    return (part, Some(AnswerError::Argument(reason).into()));
                }
            }
        }
    }

    /// Sends one request once, and checks whether Garmin shows the change.
    async fn send(
        &self,
        change: &PlannedChange,
        failing: &str,
    ) -> (ChangedPart, Value, Option<Value>, Option<ToolFailure>) {
        const NO_QUERY: [(&str, &str); 0] = [];
        let request = &change.request;
        let sent = self
            .0
            .api
            .send(
                request.method.clone(),
                &request.path,
                &NO_QUERY,
                request.body().as_ref(),
            )
            .await;
        let (response, is_lost) = match sent {
            Ok(response) => (response, false),
            // A success whose body can't be read may come from a proxy in front of Garmin.
            Err(ApiError::Uncertain | ApiError::Changed { .. }) => (Value::Null, true),
            Err(error) => {
                let failure = ToolFailure::from(error);
                let reason = format!("{failing}: {}", failure.told(self.0.clock.now()));
                return (not_made(&change.names, &reason), Value::Null, None, Some(failure));
            }
        };
        let sight = self.look(change, &response).await;
        let seen = match &sight {
            Some(Sight::Made(id)) => id.clone(),
            _ => None,
        };
        let landed = Landed {
            response: &response,
            seen: seen.as_ref(),
        };
        let part = match (&sight, is_lost) {
            (Some(Sight::Made(_)), false) => change.made(&landed, ReadBack::Same),
            (Some(Sight::Made(_)), true) => {
                let mut part = change.made(&landed, ReadBack::Same);
                let note =
                    "The connection broke before Garmin answered. Garmin shows the change, so it was made.";
                part.members.insert("note".to_owned(), json!(note));
                part
            }
            (Some(Sight::NotMade), true) => change.lost(true),
            (None, true) => change.lost(false),
            (Some(Sight::NotMade), false) => change.made(&landed, ReadBack::NotYet),
            (None, false) if change.look.is_some() => change.made(&landed, ReadBack::Failed),
            (None, false) => change.made(&landed, ReadBack::Impossible),
        };
        if is_lost {
            tracing::warn!(state = part.state.name(), "tool.change_lost");
        }
        (part, response, seen, None)
    }

    /// Whether Garmin shows the change; `None` if it can't be asked.
    async fn look(&self, change: &PlannedChange, response: &Value) -> Option<Sight> {
        let look = change.look.as_ref()?;
        let mut sight = None;
        for wait in LOOKS {
            tokio::time::sleep(wait).await;
            self.0.api.forget_reads();
            match self.get(look.read(response)).await {
                Ok(document) => sight = Some(look.sight(&document)),
                // A deleted item is no longer found.
                Err(ToolFailure::Garmin(ApiError::NotFound)) => sight = Some(look.sight(&Value::Null)),
                Err(_) => {}
            }
            if matches!(sight, Some(Sight::Made(_))) {
                break;
            }
        }
        sight
    }

    fn recent(&self) -> MutexGuard<'_, RecentChanges> {
        self.0.recent.lock()
    }
}

/// Adds the undos of the earlier parts to that of the last one. What was made last is undone first.
fn undo_all(members: &mut Map<String, Value>, earlier: &[Value]) {
    let earlier: Vec<&Value> = earlier.iter().rev().filter_map(|part| part.get("undo")).collect();
    if earlier.is_empty() {
        return;
    }
    let own = members.get("undo");
    let all: Value = own.into_iter().chain(earlier).cloned().collect();
    members.insert("undo".to_owned(), all);
}

/// Records how a change ended, even if its call is dropped.
struct ChangeRecord<'a> {
    server: &'a Server,
    content: String,
    end: Option<EarlierChange>,
}

impl Drop for ChangeRecord<'_> {
    fn drop(&mut self) {
        self.server.recent().end(&self.content, self.end);
    }
}
