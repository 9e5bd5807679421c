//! `set_coach`: switches the proactive coach on and off, and sets when it may write.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::discovery::{failed, told};
use crate::advice::choice::{MorningWish, clock};
use crate::advice::{Advice, CoachSet, CoachStanding, SEND_WORDS};
use crate::base::secrets::Secret;
use crate::races::RaceCaller;

pub(super) const SET: &str = "set_coach";

const NO_HISTORY: &str = "Nothing was changed. The coach reads the person's kept days, and none are kept. Ask the person, then call \
                          keep_history with action on, and set_coach again.";
const NO_PHONE: &str = "Nothing was changed. The coach writes only to the person's own phone, and none is set. Ask for their \
                        Telegram chat or ntfy topic, then call set_phone, which sends a test, and set_coach again.";

/// The tool, as an entry of `tools/list`.
pub(super) fn listing() -> Value {
    let text = |about: &str| json!({"type": "string", "description": about});
    let one_of = |names: &[&str], about: &str| json!({"type": "string", "enum": names, "description": about});
    json!({
        "name": SET,
        "description": "A coach that messages this person's phone unprompted when their kept days are unusual: at most one \
                        message a day, and a weekly review. Off by default; off erases its messages. Ask the person before \
                        switching it on. Needs keep_history and set_phone.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "action": one_of(&["on", "off", "status"], "What to do; on also changes the other settings"),
                "morning": one_of(&["notable", "daily"], "When something is notable (default), or every day"),
                "weekly": one_of(&["on", "off"], "A review on Mondays (default on)"),
                "at": text("When it writes, local time (default 09:15; the history fetches nights from 09:00)"),
                "quiet": text("When it is silent, such as 21:00-07:00 (default), or off"),
            },
            "required": ["action"],
        },
    })
}

/// Answers a call of [`SET`] with the resulting state.
pub(super) async fn set(advice: &Advice, caller: &RaceCaller, arguments: Option<&RawValue>) -> Box<RawValue> {
    if matches!(caller, RaceCaller::Race(_)) {
        return failed("This token reaches one race, and only the tools of a race.");
    }
    let arguments: Map<String, Value> = arguments
        .and_then(|arguments| serde_json::from_str(arguments.get()).ok())
        .unwrap_or_default();
    let (account, writing) = (caller.account(), caller.clone());
    let is_allowed = move |tx: &crate::store::Tx<'_>| writing.may_write(tx);
    let done = match arguments.get("action").and_then(Value::as_str).map(str::trim) {
        Some("on") => {
            let said: Vec<(&str, &str)> = arguments
                .iter()
                .filter_map(|(name, value)| Some((&**name, word(value)?)))
                .collect();
            advice.switch_on(account, &said, is_allowed).await.map(|set| (set, "The coach is on. In the Telegram chat, /why shows the figures behind its last message, and /mute silences the chat for up to 24 hours."))
        }
        Some("off") => advice
            .switch_off(account, is_allowed)
            .await
            .map(|set| (set, "The coach is off. Its messages are erased.")),
        Some("status") => Ok((CoachSet::Done, "")),
        _ => return failed("action must be on, off or status."),
    };
    let (set, note) = match done {
        Ok(done) => done,
        Err(reason) => {
            tracing::error!(%reason, "coach.not_switched");
            return failed("The gateway's store can't be used at present. Nothing was changed. Try again.");
        }
    };
    match set {
        CoachSet::Done => {}
        CoachSet::NotAllowed => {
            return failed("This connection's access has ended. Nothing was changed. Connect again.");
        }
        CoachSet::NoHistory => return failed(NO_HISTORY),
        CoachSet::NoPhone => return failed(NO_PHONE),
        CoachSet::Wrong(wrong) => return failed(&format!("{wrong}. Nothing was changed.")),
    }
    match advice.standing(account) {
        Ok(standing) => told(&status(standing.as_ref(), note)),
        Err(reason) => {
            tracing::error!(%reason, "coach.not_read");
            failed("The gateway's store can't be read at present. Try again.")
        }
    }
}

/// The tool through which Claude submits its wording of a message.
pub(super) fn send_words_listing() -> Value {
    json!({
        "name": SEND_WORDS,
        "description": "Submit the message that you were asked to write. Its numbers are checked; the answer says what is wrong.",
        "inputSchema": {
            "type": "object",
            "properties": {"text": {"type": "string", "description": "The message"}},
            "required": ["text"],
        },
    })
}

/// Accepts the wording that Claude submits with [`SEND_WORDS`].
pub(super) fn send_words(advice: &Advice, token: &Secret, arguments: Option<&RawValue>) -> Box<RawValue> {
    let arguments: Map<String, Value> = arguments
        .and_then(|arguments| serde_json::from_str(arguments.get()).ok())
        .unwrap_or_default();
    let text = arguments.get("text").and_then(Value::as_str).unwrap_or_default();
    match advice.take_words(token.expose(), text) {
        Ok(()) => told(&json!({"sent": true})),
        Err(why) => failed(&why),
    }
}

/// A text, or `on` or `off` for a boolean.
fn word(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Bool(true) => Some("on"),
        Value::Bool(false) => Some("off"),
        _ => None,
    }
}

fn status(standing: Option<&CoachStanding>, note: &str) -> Value {
    let Some(standing) = standing else {
        return json!({"coach": "off", "note": if note.is_empty() { "Off is the default. Without the coach, the person gets messages only about races and about a broken link to Garmin." } else { note }});
    };
    let wishes = &standing.wishes;
    let mut problems = Vec::new();
    if !standing.has_history {
        problems
            .push("No days are kept, so the coach has nothing to go on: call keep_history with action on.");
    }
    if !standing.has_phone {
        problems.push("The person has set no phone of their own, so nothing can be sent: call set_phone.");
    }
    let mut answer = json!({
        "coach": "on",
        "since": standing.since,
        "morning": match wishes.morning {
            MorningWish::Notable => "notable",
            MorningWish::Daily => "daily",
        },
        "weekly": if wishes.weekly { "on" } else { "off" },
        "at": clock(wishes.at),
        "quiet": wishes.quiet.map_or("off".to_owned(), crate::advice::choice::MinuteSpan::told),
        "problems": problems,
        "last_message": standing.last.as_ref().map(|last| json!({
            "at": last.at,
            "text": last.text,
            "worded_by": if last.by_claude { "Claude" } else { "rules" },
        })),
    });
    if let Value::Object(members) = &mut answer
        && !note.is_empty()
    {
        members.insert("note".to_owned(), json!(note));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::choice::CoachWishes;

    #[test]
    fn the_status_says_what_stands_in_the_way() {
        assert_eq!(status(None, "")["coach"], "off");
        let standing = CoachStanding {
            since: "2026-05-06T09:00:00Z".parse().unwrap(),
            wishes: CoachWishes::default(),
            has_history: false,
            has_phone: true,
            last: None,
        };
        let told = status(Some(&standing), "");
        assert_eq!(
            (told["at"].as_str(), told["quiet"].as_str()),
            (Some("09:15"), Some("21:00-07:00"))
        );
        assert_eq!(told["problems"].as_array().map(Vec::len), Some(1));
        assert!(
            told["problems"][0]
                .as_str()
                .is_some_and(|problem| problem.contains("keep_history"))
        );
    }
}
