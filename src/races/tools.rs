//! The race tools of the connector: arguments in, a tool result out.
//!
//! Every tool uses only the caller's own races. Without `race` it uses the newest watched race, else the newest. An
//! error names the argument and says what is valid.

mod arguments;
mod schemas;

use jiff::{SignedDuration, Timestamp};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use self::arguments::{ArgumentError, LONGEST_WINDOW_MIN, RaceArguments};
use super::acts::RaceActError;
use super::answers::{self, SeriesRequest};
use super::caller::RaceCaller;
use super::coaching::{CoachingError, CoachingOutcome};
use super::registry::{RaceOverview, Races};
use super::start::TrackingError;
use crate::accounts::AccountId;
use crate::notify::message::{MessageRoute, Phone, SetPhoneError};
use crate::race::id::RaceId;
use crate::race::thresholds::THRESHOLDS;
use crate::store::StoreError;
use crate::tools::page::page;

/// The race tools. Clones share the same races.
#[derive(Clone)]
pub struct RaceTools(pub Races);

/// Why a call failed, in words for Claude and the person.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RaceToolError(String);

impl From<ArgumentError> for RaceToolError {
    fn from(e: ArgumentError) -> Self {
        Self(e.0)
    }
}

impl From<StoreError> for RaceToolError {
    fn from(e: StoreError) -> Self {
        tracing::error!(reason = %e, "race.tool_failed");
        Self(
            "The races can't be read or written now. Try again; if it keeps failing, tell the operator."
                .into(),
        )
    }
}

impl From<RaceActError> for RaceToolError {
    fn from(e: RaceActError) -> Self {
        match e {
            RaceActError::Store(e) => e.into(),
            other => Self(other.to_string()),
        }
    }
}

impl From<TrackingError> for RaceToolError {
    fn from(e: TrackingError) -> Self {
        match e {
            TrackingError::Store(e) => e.into(),
            other => Self(other.to_string()),
        }
    }
}

impl From<SetPhoneError> for RaceToolError {
    fn from(e: SetPhoneError) -> Self {
        match e {
            SetPhoneError::Store(e) => e.into(),
            other => Self(other.to_string()),
        }
    }
}

impl From<CoachingError> for RaceToolError {
    fn from(e: CoachingError) -> Self {
        match e {
            CoachingError::Act(e) => e.into(),
            other => Self(other.to_string()),
        }
    }
}

/// The argument that continues a long answer.
const CURSOR: &str = "cursor";

/// Maximum number of rows in an answer. If there are more points, they are averaged.
const MOST_ROWS: u32 = 400;

/// The tools that the token of a race may call.
pub const FOR_RACE: [&str; 3] = ["get_timeseries", "update_thresholds", "send_coaching_message"];

impl RaceTools {
    /// All tools, as entries of `tools/list`. The fields of a race are described once, at `start_tracking`.
    pub fn listings() -> Vec<Value> {
        let mut tools = schemas::all();
        let update = tools
            .iter_mut()
            .find(|tool| tool.get("name").is_some_and(|name| name == "update_race"));
        if let Some(changes) = update.and_then(|tool| tool.pointer_mut("/inputSchema/properties/changes")) {
            *changes =
                json!({"type": "object", "description": "Fields of race_config, as in start_tracking"});
        }
        tools
    }

    /// The tools of [`FOR_RACE`], as a JSON array.
    pub fn list_for_race() -> String {
        let mut tools = schemas::all();
        tools.retain(|tool| {
            tool.get("name")
                .and_then(Value::as_str)
                .is_some_and(|n| FOR_RACE.contains(&n))
        });
        Value::Array(tools).to_string()
    }

    /// Calls a tool. A failure is also returned as a tool result. A race's token gives access to that race only.
    pub async fn call(&self, caller: &RaceCaller, tool: &str, arguments: Option<&RawValue>) -> Box<RawValue> {
        result(self.answer(caller, tool, arguments).await)
    }

    async fn answer(
        &self,
        caller: &RaceCaller,
        tool: &str,
        arguments: Option<&RawValue>,
    ) -> Result<Value, RaceToolError> {
        let mut args = RaceArguments::read(tool, arguments)?;
        let cursor = args.whole(CURSOR, 0, u32::MAX)?.unwrap_or_default() as usize;
        let answer = self.whole_answer(caller, tool, args).await?;
        Ok(page(&answer, cursor).unwrap_or(answer))
    }

    /// The answer before it is cut into pages.
    #[expect(clippy::too_many_lines, reason = "one arm a tool")]
    async fn whole_answer(
        &self,
        caller: &RaceCaller,
        tool: &str,
        mut args: RaceArguments,
    ) -> Result<Value, RaceToolError> {
        if let RaceCaller::Race(grant) = caller
            && (!args.is_for(&grant.race) || !FOR_RACE.contains(&tool))
        {
            return Err(RaceToolError(
                "This token reaches one race, and only the tools of a race.".into(),
            ));
        }
        let (races, account) = (&self.0, caller.account());
        match tool {
            "start_tracking" => {
                let url = args.text("url")?;
                let config = args.object("race_config")?;
                let carry_on = args.race("continue_race")?;
                args.finish(&["url", "race_config", "continue_race"])?;
                let started = races
                    .start_tracking(caller, &url, &config, carry_on.as_ref())
                    .await?;
                let view = self.view(account, Some(started.race))?;
                Ok(json!({
                    "race": view.snapshot.race.as_str(),
                    "was_tracked_already": started.known,
                    "continued": started.continued,
                    "note": note(started.known, started.unreachable),
                    "limits": view.snapshot.settings.thresholds,
                    "course_km": view.snapshot.course.as_ref().map(|course| (course.length_m() / 10.0).round() / 100.0),
                    "course": view.snapshot.course.as_ref().map(|course| course.describe()),
                    "poll_interval_secs": view.snapshot.settings.poll_interval_s,
                    "analyze_interval_secs": view.snapshot.settings.analyze_interval_s,
                    "messages": reach(races.message_route(account)),
                }))
            }
            "list_races" => {
                args.finish(&[])?;
                let lines: Vec<_> = races.list(account)?.iter().map(answers::line).collect();
                Ok(json!({ "races": lines }))
            }
            "stop_tracking" => {
                let race = self.which(account, &mut args, &[])?;
                let view = races.stop_tracking(account, &race).await?;
                Ok(answers::summary(&view))
            }
            "get_tracking_status" => {
                let race = self.which(account, &mut args, &[])?;
                Ok(answers::status(&self.view(account, Some(race))?))
            }
            "get_race_summary" => {
                let race = self.which(account, &mut args, &[])?;
                Ok(answers::summary(&self.view(account, Some(race))?))
            }
            "get_timeseries" => self.timeseries(account, args),
            "update_thresholds" => {
                let mut changes = args.object("thresholds")?;
                let removed = args.some_of("remove", &THRESHOLDS.map(|(name, ..)| name))?;
                let race = self.which(account, &mut args, &["thresholds", "remove"])?;
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
                        "thresholds: give at least one, such as {\"hr_max\": 150}, or name some in remove"
                            .into(),
                    ));
                }
                let limits = races.update_thresholds(caller, &race, &changes).await?;
                Ok(json!({ "race": race.as_str(), "limits": limits }))
            }
            "update_race" => {
                let changes = args.object("changes")?;
                let race = self.which(account, &mut args, &["changes"])?;
                if changes.is_empty() {
                    return Err(RaceToolError(
                        "changes: give at least one, such as {\"target_time\": \"3:29:00\"}".into(),
                    ));
                }
                races.update_race(caller, &race, &changes).await?;
                Ok(answers::outlook(&self.view(account, Some(race))?.snapshot, None))
            }
            "get_outlook" => {
                let asked = args.name("place")?;
                let race = self.which(account, &mut args, &["place"])?;
                let snapshot = self.view(account, Some(race))?.snapshot;
                let place = asked.map(|asked| {
                    answers::find_place(&snapshot, &asked).ok_or_else(|| {
                        RaceToolError(
                            "place: must be the name of a checkpoint, \"finish\", kilometres from the start such as 31.5, or \
                             a position on the course such as 46.62,14.31"
                                .into(),
                        )
                    })
                });
                Ok(answers::outlook(&snapshot, place.transpose()?.as_ref()))
            }
            "ask_crew_sheet" => {
                let race = self.which(account, &mut args, &[])?;
                Ok(answers::crew_sheet(&self.view(account, Some(race))?.snapshot))
            }
            "trigger_analysis" => {
                let race = self.which(account, &mut args, &[])?;
                races.look(caller, &race)?;
                Ok(json!({
                    "race": race.as_str(),
                    "note": "The analysis has started. Its result goes to the phone and to last_analysis in get_tracking_status.",
                }))
            }
            "send_coaching_message" => {
                let text = args.words("text")?;
                let race = self.which(account, &mut args, &["text"])?;
                let outcome = races.coach(caller, &race, &text).await?;
                Ok(coaching_answer(&race, &outcome))
            }
            "set_phone" => {
                let phone = Phone {
                    telegram_chat: args.name("telegram_chat")?,
                    ntfy_topic: args.name("ntfy_topic")?,
                };
                args.finish(&["telegram_chat", "ntfy_topic"])?;
                let now = races.set_phone(caller, phone).await?;
                Ok(json!({ "messages": reach(now) }))
            }
            other => Err(RaceToolError(format!("There is no tool {other}."))),
        }
    }

    fn timeseries(&self, account: &AccountId, mut args: RaceArguments) -> Result<Value, RaceToolError> {
        let window_min = args.whole("window_min", 1, LONGEST_WINDOW_MIN)?;
        let (from, to) = (args.moment("from")?, args.moment("to")?);
        let resolution_s = args.whole("resolution_s", 1, 3600)?;
        let metrics = args.metrics()?;
        let names = ["window_min", "from", "to", "resolution_s", "metrics"];
        let race = self.which(account, &mut args, &names)?;
        let snapshot = self.view(account, Some(race))?.snapshot;
        let Some(last) = snapshot.track.last else {
            let request = SeriesRequest {
                from: snapshot.now,
                to: snapshot.now,
                resolution_s,
                metrics,
            };
            return Ok(answers::timeseries(&snapshot, &[], &request));
        };
        if from.is_some() && window_min.is_some() {
            return Err(RaceToolError(
                "window_min: set either window_min or from, not both".into(),
            ));
        }
        let to = to.unwrap_or(last.at);
        let minutes = SignedDuration::from_mins(window_min.unwrap_or(10).into());
        let from = from.unwrap_or_else(|| to.checked_sub(minutes).unwrap_or(to));
        if from > to {
            return Err(RaceToolError("from: must be before to".into()));
        }
        let samples = self.0.samples(account, &snapshot.race, from, to)?;
        let resolution_s = resolution_s.or_else(|| coarse(samples.len(), from, to));
        let rows = |s: u32| to.duration_since(from).as_secs() / i64::from(s.max(1));
        if resolution_s
            .is_some_and(|s| rows(s) > 4 * i64::from(MOST_ROWS) && samples.len() > 4 * MOST_ROWS as usize)
        {
            return Err(RaceToolError(
                "resolution_s: too small for this window; leave it out or use a larger value".into(),
            ));
        }
        let request = SeriesRequest {
            from,
            to,
            resolution_s,
            metrics,
        };
        Ok(answers::timeseries(&snapshot, &samples, &request))
    }

    /// The race that the call refers to. Refuses arguments that were not taken.
    fn which(
        &self,
        account: &AccountId,
        args: &mut RaceArguments,
        names: &[&str],
    ) -> Result<RaceId, RaceToolError> {
        let named = args.race("race")?;
        let mut all = vec!["race"];
        all.extend(names);
        std::mem::take(args).finish(&all)?;
        Ok(self.view(account, named)?.snapshot.race)
    }

    fn view(&self, account: &AccountId, race: Option<RaceId>) -> Result<RaceOverview, RaceToolError> {
        if let Some(race) = race {
            return Ok(self.0.view(account, &race)?.ok_or(RaceActError::NoSuchRace)?);
        }
        self.0.newest(account)?.ok_or_else(|| {
            RaceToolError(
                "No race is tracked yet. Start one with start_tracking and a LiveTrack link.".into(),
            )
        })
    }
}

fn reach(reach: MessageRoute) -> &'static str {
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

/// Seconds per row that keep the answer within [`MOST_ROWS`].
fn coarse(points: usize, from: Timestamp, to: Timestamp) -> Option<u32> {
    let span_s = u32::try_from(to.duration_since(from).as_secs()).unwrap_or(u32::MAX);
    let least = span_s.div_ceil(MOST_ROWS);
    let rounds = [10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
    (points > MOST_ROWS as usize).then(|| rounds.into_iter().find(|s| *s >= least).unwrap_or(3600))
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

fn result(answered: Result<Value, RaceToolError>) -> Box<RawValue> {
    let result = match answered {
        Ok(value) => {
            let text = value.to_string();
            // MCP requires an object here, so a bare list is wrapped in `result`.
            let structured = if value.is_object() {
                value
            } else {
                json!({"result": value})
            };
            json!({"content": [{"type": "text", "text": text}], "structuredContent": structured, "isError": false})
        }
        Err(reason) => json!({"content": [{"type": "text", "text": reason.to_string()}], "isError": true}),
    };
    to_raw_value(&result).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
