//! What each race tool does.

use serde_json::{Value, json};

use super::arguments::RaceArguments;
use super::error::RaceToolError;
use crate::notify::message::{MessageRoute, Phone};
use crate::race::id::RaceId;
use crate::race::report::report;
use crate::race::text;
use crate::race::thresholds::THRESHOLDS;
use crate::races::acts::RaceActError;
use crate::races::answers;
use crate::races::caller::RaceCaller;
use crate::races::coaching::CoachingOutcome;
use crate::races::recipients::ChatInvitation;
use crate::races::registry::{RaceOverview, Races};
use crate::races::started::StartOutcome;

/// One call of a tool.
pub(super) struct RaceCall<'a> {
    pub(super) races: &'a Races,
    pub(super) caller: &'a RaceCaller,
    pub(super) args: RaceArguments,
}

impl RaceCall<'_> {
    /// The race that the call refers to. Refuses arguments that were not taken; `names` are those of the tool besides
    /// `race`.
    pub(super) fn race(&mut self, names: &[&str]) -> Result<RaceId, RaceToolError> {
        let named = self.args.race("race")?;
        let mut all = vec!["race"];
        all.extend(names);
        self.finish(&all)?;
        if let Some(race) = named {
            return Ok(self.view(&race)?.snapshot.race);
        }
        let newest = self.races.newest(self.caller.account())?;
        let newest = newest.ok_or_else(|| {
            RaceToolError(
                "No race is tracked yet. Start one with start_tracking and a LiveTrack link.".into(),
            )
        });
        Ok(newest?.snapshot.race)
    }

    fn finish(&mut self, names: &[&str]) -> Result<(), RaceToolError> {
        Ok(std::mem::take(&mut self.args).finish(names)?)
    }

    pub(super) fn view(&self, race: &RaceId) -> Result<RaceOverview, RaceToolError> {
        let view = self.races.view(self.caller.account(), race)?;
        Ok(view.ok_or(RaceActError::NoSuchRace)?)
    }
}

pub(super) async fn start_tracking(call: &mut RaceCall<'_>) -> Result<Value, RaceToolError> {
    let url = call.args.text("url")?;
    let config = call.args.object("race_config")?;
    let carry_on = call.args.race("continue_race")?;
    call.finish(&["url", "race_config", "continue_race"])?;
    let started = call
        .races
        .start_tracking(call.caller, &url, &config, carry_on.as_ref())
        .await?;
    let view = call.view(&started.race)?;
    let is_known = started.outcome == StartOutcome::Known;
    let mut answer = json!({
        "race": view.snapshot.race.as_str(),
        "was_tracked_already": is_known,
        "continued": started.outcome == StartOutcome::Continued,
        "note": note(is_known, started.unreachable),
        "limits": view.snapshot.settings.thresholds,
        "course_km": view.snapshot.course.as_ref().map(|course| (course.length_m() / 10.0).round() / 100.0),
        "course": view.snapshot.course.as_ref().map(|course| course.describe()),
        "poll_interval_secs": view.snapshot.settings.poll_interval_s,
        "analyze_interval_secs": view.snapshot.settings.analyze_interval_s,
        "messages": reach(call.races.message_route(call.caller.account())),
    });
    if started.left_out > 0
        && let Some(answer) = answer.as_object_mut()
    {
        answer.insert("links_left_out".to_owned(), started.left_out.into());
        let note = "The text has links to other sessions too, which are not watched. To watch one, call start_tracking with it alone.";
        answer.insert("links_note".to_owned(), note.into());
    }
    if started.course_left_out
        && let Some(answer) = answer.as_object_mut()
    {
        let note = "The course in the athlete's LiveTrack session is not used, because it contradicts the distance, places \
                    or legs that were given. To use it, change these with update_race, and give it as course_gpx.";
        answer.insert("course_note".to_owned(), note.into());
    }
    add_invitations(&mut answer, &started.invitations);
    Ok(answer)
}

/// Adds the invitations of new recipients, if there are any.
fn add_invitations(answer: &mut Value, made: &[ChatInvitation]) {
    if let Some(answer) = answer.as_object_mut().filter(|_| !made.is_empty()) {
        answer.insert("invitations".to_owned(), answers::invitations(made).into());
        let note = "Pass each link on to that person. They get the messages in Telegram once they open it and press Start. \
                    A link works once, within 7 days.";
        answer.insert("invitations_note".to_owned(), note.into());
    }
}

pub(super) fn list_races(call: &mut RaceCall<'_>) -> Result<Value, RaceToolError> {
    call.finish(&[])?;
    let lines: Vec<_> = call
        .races
        .list(call.caller.account())?
        .iter()
        .map(answers::line)
        .collect();
    Ok(json!({ "races": lines }))
}

pub(super) async fn stop_tracking(call: &mut RaceCall<'_>) -> Result<Value, RaceToolError> {
    let race = call.race(&[])?;
    let view = call.races.stop_tracking(call.caller.account(), &race).await?;
    Ok(answers::summary(&view))
}

pub(super) fn get_tracking_status(call: &mut RaceCall<'_>) -> Result<Value, RaceToolError> {
    let race = call.race(&[])?;
    Ok(answers::status(&call.view(&race)?))
}

pub(super) fn get_race_summary(call: &mut RaceCall<'_>) -> Result<Value, RaceToolError> {
    let race = call.race(&[])?;
    Ok(answers::summary(&call.view(&race)?))
}

pub(super) fn get_race_report(call: &mut RaceCall<'_>) -> Result<Value, RaceToolError> {
    let race = call.race(&[])?;
    let snapshot = call.view(&race)?.snapshot;
    let said = call.races.sent_messages(call.caller.account(), &race)?;
    Ok(json!({
        "race": race.as_str(),
        "markdown": report(&snapshot, &answers::name(&snapshot), &said),
    }))
}

pub(super) async fn update_thresholds(call: &mut RaceCall<'_>) -> Result<Value, RaceToolError> {
    let mut changes = call.args.object("thresholds")?;
    let removed = call.args.some_of("remove", &THRESHOLDS.map(|(name, ..)| name))?;
    let race = call.race(&["thresholds", "remove"])?;
    for name in removed.unwrap_or_default() {
        if changes
            .insert(name.into(), Value::Null)
            .is_some_and(|set| !set.is_null())
        {
            return Err(RaceToolError(format!("remove: {name} is also set in thresholds")));
        }
    }
    if changes.is_empty() {
        return Err(RaceToolError(
            "thresholds: give at least one, such as {\"hr_max\": 150}, or name some in remove".into(),
        ));
    }
    let limits = call.races.update_thresholds(call.caller, &race, &changes).await?;
    Ok(json!({ "race": race.as_str(), "limits": limits }))
}

pub(super) async fn update_race(call: &mut RaceCall<'_>) -> Result<Value, RaceToolError> {
    let changes = call.args.object("changes")?;
    let race = call.race(&["changes"])?;
    if changes.is_empty() {
        return Err(RaceToolError(
            "changes: give at least one, such as {\"target_time\": \"3:29:00\"}".into(),
        ));
    }
    let invitations = call.races.update_race(call.caller, &race, &changes).await?;
    let snapshot = call.view(&race)?.snapshot;
    let mut answer = answers::outlook(&snapshot, None);
    if let Some(members) = answer.as_object_mut() {
        let plan = &snapshot.settings;
        members.insert("limits".into(), json!(plan.thresholds));
        members.insert("poll_interval_secs".into(), json!(plan.poll_interval_s));
        members.insert("analyze_interval_secs".into(), json!(plan.analyze_interval_s));
    }
    add_invitations(&mut answer, &invitations);
    Ok(answer)
}

pub(super) fn get_outlook(call: &mut RaceCall<'_>) -> Result<Value, RaceToolError> {
    let asked = call.args.name("place")?;
    let race = call.race(&["place"])?;
    let snapshot = call.view(&race)?.snapshot;
    let place = asked.map(|asked| {
        answers::find_place(&snapshot, &asked).ok_or_else(|| {
            if let Some(whole_m) = answers::beyond_finish(&snapshot, &asked) {
                let whole = text::km(whole_m);
                return RaceToolError(format!("place: the race is {whole} long; use \"finish\" for its end"));
            }
            RaceToolError(
                "place: must be the name of a checkpoint, \"finish\", kilometres from the start such as 31.5, or \
                 a position on the course such as 46.62,14.31"
                    .into(),
            )
        })
    });
    Ok(answers::outlook(&snapshot, place.transpose()?.as_ref()))
}

pub(super) fn ask_crew_sheet(call: &mut RaceCall<'_>) -> Result<Value, RaceToolError> {
    let race = call.race(&[])?;
    Ok(answers::crew_sheet(&call.view(&race)?.snapshot))
}

pub(super) fn trigger_analysis(call: &mut RaceCall<'_>) -> Result<Value, RaceToolError> {
    let race = call.race(&[])?;
    call.races.look(call.caller, &race)?;
    Ok(json!({
        "race": race.as_str(),
        "note": "The analysis has started. Its result goes to the phone and to last_analysis in get_tracking_status.",
    }))
}

pub(super) async fn send_coaching_message(call: &mut RaceCall<'_>) -> Result<Value, RaceToolError> {
    let text = call.args.words("text")?;
    let race = call.race(&["text"])?;
    let outcome = call.races.coach(call.caller, &race, &text).await?;
    Ok(coaching_answer(&race, &outcome))
}

pub(super) async fn set_phone(call: &mut RaceCall<'_>) -> Result<Value, RaceToolError> {
    let phone = Phone {
        telegram_chat: call.args.name("telegram_chat")?,
        ntfy_topic: call.args.name("ntfy_topic")?,
    };
    call.finish(&["telegram_chat", "ntfy_topic"])?;
    let now = call.races.set_phone(call.caller, phone).await?;
    Ok(json!({ "messages": reach(now) }))
}

pub(super) fn reach(reach: MessageRoute) -> &'static str {
    match reach {
        MessageRoute::Nowhere => "no phone is set up; use set_phone to set one",
        MessageRoute::Operator => "to the phone that the operator set up; use set_phone to change it",
        MessageRoute::Personal => "to this person's own phone",
    }
}

fn note(known: bool, unreachable: bool) -> &'static str {
    match (known, unreachable) {
        (true, _) => "This race is already tracked and keeps its settings. Use update_race to change them.",
        (_, true) => "Garmin has not answered yet. The gateway keeps trying.",
        _ => "Tracking has started. It stops by itself when the race ends.",
    }
}

fn coaching_answer(race: &RaceId, outcome: &CoachingOutcome) -> Value {
    match outcome {
        CoachingOutcome::Sent => json!({"race": race.as_str(), "sent": true}),
        CoachingOutcome::Held(held) => {
            let held: Vec<_> = held
                .iter()
                .map(|claim| json!({"said": claim.said, "why": claim.why}))
                .collect();
            json!({
                "race": race.as_str(),
                "sent": false,
                "held": held,
                "note": "Nothing was sent. Say it again without these parts, or as the data has them; get_timeseries \
                         shows what was recorded.",
            })
        }
    }
}
