//! The answers of a tool that changes something: the preview, and the outcome of each part.

use serde_json::{Map, Value, json};

use super::super::call::ToolCall;
use super::plan::{ChangePlan, ChangedPart, Landed, PartState, PlanPart, PlannedChange};

/// Whether Garmin shows a change that it accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tools) enum ReadBack {
    Same,
    NotYet,
    Failed,
    /// Garmin has no document that shows it.
    Impossible,
}

impl ReadBack {
    fn text(self) -> &'static str {
        match self {
            ReadBack::Same => "Garmin shows the change",
            ReadBack::NotYet => "Garmin accepted the change, but does not show it yet",
            ReadBack::Failed => "Garmin accepted the change, but could not be asked whether it shows it",
            ReadBack::Impossible => "Garmin accepted the change; Garmin has nothing that would show it",
        }
    }
}

impl PlannedChange {
    /// The outcome of a part that Garmin carried out.
    pub(in crate::tools) fn made(&self, landed: &Landed<'_>, read_back: ReadBack) -> ChangedPart {
        let mut members = self.names.clone();
        if let Value::Object(told) = (self.tell)(landed) {
            members.extend(told.into_iter().filter(|(_, value)| !value.is_null()));
        }
        members.insert("done".to_owned(), json!(true));
        members.insert("read_back".to_owned(), json!(read_back.text()));
        if !self.before.is_null() {
            members.insert("before".to_owned(), self.before.clone());
        }
        let undo = (self.undo)(landed);
        if !undo.is_null() {
            members.insert("undo".to_owned(), undo);
        }
        ChangedPart {
            state: PartState::Made,
            members,
        }
    }

    /// The outcome of a part whose response was lost and that Garmin did not show. `was_seen_missing` says whether a
    /// read succeeded and did not show the change.
    pub(in crate::tools) fn lost(&self, was_seen_missing: bool) -> ChangedPart {
        let check = self.look.as_ref().map_or_else(String::new, |look| {
            format!(" Look with {} before you repeat it with again: true.", look.tool)
        });
        let (done, message) = if was_seen_missing {
            (
                json!(false),
                format!(
                    "The connection broke while this was sent. Garmin does not show the change now, so it was \
                     probably not made.{check}"
                ),
            )
        } else {
            (
                json!("unknown"),
                format!(
                    "The connection broke while this was sent, and Garmin could not be asked since then. The change may \
                     or may not have been made.{check}"
                ),
            )
        };
        let mut members = self.names.clone();
        // The names of a single change include its success.
        members.shift_remove("success");
        members.insert("status".to_owned(), json!("unknown"));
        members.insert("done".to_owned(), done);
        members.insert("message".to_owned(), json!(message));
        if !self.before.is_null() {
            members.insert("before".to_owned(), self.before.clone());
        }
        ChangedPart {
            state: PartState::Unknown,
            members,
        }
    }
}

/// A part that was not carried out.
pub(in crate::tools) fn not_made(names: &Map<String, Value>, reason: &str) -> ChangedPart {
    let mut members = Map::from_iter([("status".to_owned(), Value::Null)]);
    members.extend(names.clone());
    members.shift_remove("success");
    members.insert("status".to_owned(), json!("error"));
    members.insert("done".to_owned(), json!(false));
    members.insert("message".to_owned(), json!(reason));
    ChangedPart {
        state: PartState::NotMade,
        members,
    }
}

/// A part that Garmin already has.
pub(in crate::tools) fn settled(members: &Map<String, Value>) -> ChangedPart {
    ChangedPart {
        state: PartState::Settled,
        members: members.clone(),
    }
}

/// The answer of several parts: `{total, succeeded, failed, results}`.
pub(in crate::tools) fn total(_: &ToolCall, parts: Vec<ChangedPart>) -> Value {
    let succeeded = parts.iter().filter(|part| part.state.is_good()).count();
    let results: Vec<Value> = parts.into_iter().map(|part| part.members.into()).collect();
    json!({
        "total": results.len(),
        "succeeded": succeeded,
        "failed": results.len() - succeeded,
        "results": results,
    })
}

/// The answer of a call that only shows what it would do.
pub(in crate::tools) fn preview(plan: &ChangePlan) -> Value {
    let parts = plan.parts.iter().map(|part| match part {
        PlanPart::Send(change) => {
            let mut members = without_success(&change.names);
            members.insert(
                "would_change".to_owned(),
                difference(&change.before, &change.after),
            );
            let there = there_now(&change.before, &change.after);
            if !there.is_empty() {
                members.insert("there_now".to_owned(), there.into());
            }
            members.into()
        }
        PlanPart::Settled(members) => Value::Object(members.clone()),
        PlanPart::Refused(names, reason) => {
            let mut members = without_success(names);
            members.insert("refused".to_owned(), json!(reason));
            members.into()
        }
    });
    let mut parts: Vec<Value> = parts.collect();
    let mut told = Map::from_iter([
        ("dry_run".to_owned(), json!(true)),
        ("done".to_owned(), json!(false)),
    ]);
    match (plan.whole, parts.pop()) {
        (None, Some(Value::Object(one))) => told.extend(one),
        (_, last) => {
            parts.extend(last);
            told.insert("parts".to_owned(), parts.into());
        }
    }
    told.into()
}

/// What a change is about, without the words that say it was made.
fn without_success(names: &Map<String, Value>) -> Map<String, Value> {
    let mut names = names.clone();
    names.retain(|name, _| !["success", "status", "message"].contains(&name.as_str()));
    names
}

/// What is there beside the change and stays, such as the weigh-ins of the day.
fn there_now(before: &Value, after: &Value) -> Map<String, Value> {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        return Map::new();
    };
    let stays = |(name, value): &(&String, &Value)| !new.contains_key(*name) && !value.is_null();
    old.iter()
        .filter(stays)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The members that differ, each with its value before and after. A creation or deletion is a single difference.
fn difference(before: &Value, after: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        return json!({"before": before, "after": after});
    };
    let changed = new.keys().filter(|name| old.get(*name) != new.get(*name));
    changed
        .map(|name| {
            (
                name.clone(),
                json!({"before": old.get(name), "after": new.get(name)}),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_what_changes() {
        let told = difference(
            &json!({"name": "A", "type": 1}),
            &json!({"name": "B", "type": 1, "rpe": 3}),
        );
        assert_eq!(
            told,
            json!({"name": {"before": "A", "after": "B"}, "rpe": {"before": null, "after": 3}})
        );
        // What a new entry does not replace is no difference.
        let (before, after) = (
            json!({"weigh_ins_of_the_day_kg": [74.5], "namesakes": null}),
            json!({"adds": {"weight": 74.0}}),
        );
        assert_eq!(
            difference(&before, &after),
            json!({"adds": {"before": null, "after": {"weight": 74.0}}})
        );
        assert_eq!(
            Value::Object(there_now(&before, &after)),
            json!({"weigh_ins_of_the_day_kg": [74.5]})
        );
        assert_eq!(there_now(&before, &Value::Null), Map::new(), "a deletion");
        assert_eq!(
            difference(&json!("unknown"), &json!({"a": 1}))["before"],
            "unknown"
        );
    }
}
