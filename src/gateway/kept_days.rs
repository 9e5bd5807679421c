//! A person's history at the gateway: the tool that switches it on and off, and answers from it without a worker.

use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::discovery::{failed, told};
use crate::accounts::AccountId;
use crate::history::reading::{AsOf, KeptFreshness};
use crate::history::{History, HistoryTrouble, KeptHistory, Switched};
use crate::races::RaceCaller;
use crate::store::StoreError;
use crate::tools::{self, MissingParts};

pub(super) const KEEP: &str = "keep_history";

const CONNECTION_ENDED: &str = "This connection's access has ended. Nothing was changed. Connect again.";
const NOT_STORED: &str = "The gateway's store can't be used at present. Nothing was changed. Try again.";

/// The tool, as an entry of `tools/list`.
pub(super) fn listing() -> Value {
    json!({
        "name": KEEP,
        "description": "Keep this person's own days on the gateway, sealed, so that trends over years are answered at \
                        once, even while Garmin is down. Off by default. Ask the person before switching it; off \
                        erases what is kept.",
        "inputSchema": {
            "type": "object",
            "properties": {"action": {"type": "string", "enum": ["on", "off", "status"], "description": "What to do"}},
            "required": ["action"],
        },
    })
}

/// The question tools, which the gateway itself offers if the people's worker does not have them.
pub(super) fn question_listings() -> Vec<Value> {
    let lists: Value = serde_json::from_str(&tools::lists().tools).unwrap_or_default();
    let all = lists.get("tools").and_then(Value::as_array).into_iter().flatten();
    let is_question = |tool: &&Value| {
        let name = tool.get("name").and_then(Value::as_str);
        name.is_some_and(tools::is_answered_from_history)
    };
    all.filter(is_question).cloned().collect()
}

/// The result of a question whose only source is the history.
pub(super) fn answer_or_advice(
    history: &History,
    account: &AccountId,
    tool: &str,
    arguments: Option<&RawValue>,
) -> Box<RawValue> {
    let arguments = arguments.map_or("{}", RawValue::get);
    let params = RawValue::from_string(format!(r#"{{"arguments":{arguments}}}"#)).ok();
    let freshness = KeptFreshness::MayBeOld;
    answer(history, account, tool, params.as_deref(), freshness).unwrap_or_else(|| {
        failed(
            "This person's kept days can't answer this. range must lie within them, and sport can't be given. keep_history \
             with action status shows which days are kept; if none are, action on starts keeping them.",
        )
    })
}

/// Answers [`KEEP`].
pub(super) async fn keep(
    history: &History,
    caller: &RaceCaller,
    arguments: Option<&RawValue>,
    now: Timestamp,
) -> Box<RawValue> {
    if matches!(caller, RaceCaller::Race(_)) {
        return failed("This token reaches one race, and only the tools of a race.");
    }
    let arguments: Map<String, Value> = arguments
        .and_then(|arguments| serde_json::from_str(arguments.get()).ok())
        .unwrap_or_default();
    let (account, writing) = (caller.account(), caller.clone());
    let done = match arguments.get("action").and_then(Value::as_str).map(str::trim) {
        Some("on") => history
            .switch_on(account, move |tx| writing.may_write(tx))
            .await
            .map(|switched| (switched, "History is on. The days are being fetched from Garmin in the background, newest first; several years take about half an hour.")),
        Some("off") => history
            .switch_off(account, move |tx| writing.may_write(tx))
            .await
            .map(|switched| (switched, "History is off. Everything that was kept is erased.")),
        Some("status") => Ok((Switched::Unchanged, "")),
        _ => return failed("action must be on, off or status."),
    };
    match done {
        Ok((Switched::NotAllowed, _)) => failed(CONNECTION_ENDED),
        Ok((_, note)) => match history.kept(account) {
            Ok(kept) => told(&status(kept.as_ref(), note, now)),
            Err(reason) => not_readable(&reason),
        },
        Err(reason) => {
            tracing::error!(%reason, "history.not_switched");
            failed(NOT_STORED)
        }
    }
}

fn not_readable(reason: &StoreError) -> Box<RawValue> {
    tracing::error!(%reason, "history.not_read");
    failed("What is kept can't be read. keep_history off erases it; on then fetches it again from Garmin.")
}

/// What is kept, and which problems there are.
fn status(kept: Option<&KeptHistory>, note: &str, now: Timestamp) -> Value {
    let Some(kept) = kept else {
        return json!({"history": "off", "note": if note.is_empty() { "Nothing is kept." } else { note }});
    };
    let local = |at: Timestamp| kept.local(at).strftime("%Y-%m-%dT%H:%M%:z").to_string();
    let covered: Map<String, Value> = kept
        .kinds
        .iter()
        .filter(|(_, kind)| kind.first <= kind.last)
        .map(|(name, kind)| {
            let days = json!({
                "from": kind.first,
                "to": kind.last,
                "days_with_data": kind.days,
                "is_complete": kind.is_complete,
            });
            (name.clone(), days)
        })
        .collect();
    let problem = |of: &str, trouble: &HistoryTrouble| {
        json!({
            "of": of,
            "what": trouble.class.advice(),
            "since": local(trouble.since),
            "next_try": local(trouble.retry_at.max(now)),
        })
    };
    let person = kept.trouble.iter().map(|trouble| problem("all", trouble));
    let single = kept
        .kinds
        .iter()
        .filter_map(|(name, kind)| Some(problem(name, kind.trouble.as_ref()?)));
    let problems: Vec<Value> = person.chain(single).collect();
    let is_filled = !kept.kinds.is_empty() && kept.kinds.values().all(|kind| kind.is_complete);
    let mut answer = json!({
        "history": "on",
        "since": local(kept.since),
        "is_filled": is_filled,
        "last_filled": kept.filled_at.map(local),
        "days_with_data": kept.days(),
        "bytes": kept.bytes(),
        "covered": covered,
        "problems": problems,
    });
    if let Value::Object(members) = &mut answer
        && !note.is_empty()
    {
        members.insert("note".to_owned(), json!(note));
    }
    answer
}

/// Answers a question from a person's history; `None` if it must go to the worker. `params` are those of `tools/call`.
pub(super) fn answer(
    history: &History,
    account: &AccountId,
    tool: &str,
    params: Option<&RawValue>,
    freshness: KeptFreshness,
) -> Option<Box<RawValue>> {
    if !tools::is_answered_from_history(tool) {
        return None;
    }
    let documents = history
        .documents(account, freshness)
        .inspect_err(|reason| tracing::error!(%reason, "history.not_read"))
        .ok()??;
    let params: Value = params.and_then(|params| serde_json::from_str(params.get()).ok())?;
    let arguments = match params.get("arguments") {
        None | Some(Value::Null) => Map::new(),
        Some(arguments) => arguments.as_object()?.clone(),
    };
    let missing = match freshness {
        KeptFreshness::Complete => MissingParts::AreAsked,
        KeptFreshness::MayBeOld => MissingParts::AreNamed,
    };
    let answer = tools::answer_from(tool, &arguments, documents.now(), missing, |path, query| {
        documents.rows(path, query)
    });
    if let Some(reason) = documents.failure() {
        tracing::error!(%reason, "history.not_read");
    }
    let mut answer = answer?;
    let as_of = documents.as_of()?;
    if let Value::Object(members) = &mut answer {
        members.extend(freshness_of(&as_of));
    }
    Some(told(&answer))
}

fn freshness_of(as_of: &AsOf) -> Map<String, Value> {
    let at = as_of.at.strftime("%Y-%m-%dT%H:%M%:z").to_string();
    let members = json!({
        "source": "history",
        "as_of": at,
        "last_day": {"date": as_of.last_day, "was_over": as_of.is_last_day_over},
    });
    members.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::TroubleClass;

    #[test]
    fn the_status_says_what_to_do() {
        let now: Timestamp = "2026-01-29T12:00:00Z".parse().unwrap();
        assert_eq!(
            status(None, "", now),
            json!({"history": "off", "note": "Nothing is kept."})
        );
        let mut kept = KeptHistory::new(now);
        kept.zone = Some("+01:00".to_owned());
        kept.trouble = Some(HistoryTrouble::again(None, TroubleClass::SignInNeeded, now, None));
        let told = status(Some(&kept), "", now);
        assert_eq!(told["since"], "2026-01-29T13:00+01:00");
        assert_eq!(told["is_filled"], false);
        assert_eq!(told["problems"][0]["of"], "all");
        assert!(told["problems"][0]["what"].as_str().unwrap().contains("/link"));
    }
}
