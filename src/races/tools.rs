//! The race tools of the connector: arguments in, a result for Claude out.
//!
//! Every tool works on the caller's own races alone. `race` may be left out: then it is the race that is watched, or the
//! newest. A mistake names the argument and says what would be right.

mod arguments;
mod schemas;

use jiff::{SignedDuration, Timestamp};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use self::arguments::Arguments;
use super::answers::{self, Wanted};
use super::open::{NotStarted, Refused};
use super::{NotCoached, RaceGrant, Races, View};
use crate::accounts::AccountId;
use crate::notify::message::{NotSet, Phone, Reach};
use crate::race::id::RaceId;
use crate::store::StoreError;

/// The tools, over all races. Clones are the same.
#[derive(Clone)]
pub struct RaceTools(pub Races);

/// Why a call has no result; the text is for Claude and the person.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotDone(String);

impl From<StoreError> for NotDone {
    fn from(e: StoreError) -> Self {
        tracing::error!(reason = %e, "race.tool_failed");
        Self(
            "The races can't be read or written at the moment. Try again; if it stays, tell the operator."
                .into(),
        )
    }
}

impl From<Refused> for NotDone {
    fn from(e: Refused) -> Self {
        match e {
            Refused::Store(e) => e.into(),
            other => Self(other.to_string()),
        }
    }
}

impl From<NotStarted> for NotDone {
    fn from(e: NotStarted) -> Self {
        match e {
            NotStarted::Store(e) => e.into(),
            other => Self(other.to_string()),
        }
    }
}

impl From<NotSet> for NotDone {
    fn from(e: NotSet) -> Self {
        match e {
            NotSet::Store(e) => e.into(),
            other => Self(other.to_string()),
        }
    }
}

impl From<NotCoached> for NotDone {
    fn from(e: NotCoached) -> Self {
        match e {
            NotCoached::Refused(e) => e.into(),
            other => Self(other.to_string()),
        }
    }
}

/// The longest window, minutes: a day and some.
const LONGEST_WINDOW_MIN: u32 = 2880;

/// The most rows of an answer; more points are gathered into rows.
const MOST_ROWS: u32 = 400;

/// The tools that a token of a race reaches.
pub const FOR_RACE: [&str; 3] = ["get_timeseries", "update_thresholds", "send_coaching_message"];

impl RaceTools {
    /// The tools, as the JSON text of an array.
    pub fn list() -> String {
        Value::Array(schemas::all()).to_string()
    }

    /// Those that a token of a race reaches, the same way.
    pub fn list_for_race() -> String {
        let mut tools = schemas::all();
        tools.retain(|tool| {
            tool.get("name")
                .and_then(Value::as_str)
                .is_some_and(|n| FOR_RACE.contains(&n))
        });
        Value::Array(tools).to_string()
    }

    /// Answers a call with a tool result, good or bad.
    pub async fn call(&self, account: &AccountId, tool: &str, arguments: Option<&RawValue>) -> Box<RawValue> {
        result(self.answer(account, tool, Arguments::read(arguments)).await)
    }

    /// Answers a call of who holds a token of a race: that race, and none other.
    pub async fn call_for_race(
        &self,
        grant: &RaceGrant,
        tool: &str,
        arguments: Option<&RawValue>,
    ) -> Box<RawValue> {
        let mut arguments = Arguments::read(arguments);
        if !arguments.is_for(&grant.race) || !FOR_RACE.contains(&tool) {
            return result(Err(NotDone(
                "This token reaches one race and its own tools only.".into(),
            )));
        }
        result(self.answer(&grant.account, tool, arguments).await)
    }

    async fn answer(&self, account: &AccountId, tool: &str, mut given: Arguments) -> Result<Value, NotDone> {
        let races = &self.0;
        match tool {
            "start_tracking" => {
                let url = given.text("url")?;
                let config = given.object("race_config")?;
                let carry_on = given.race("continue_race")?;
                given.finish(&["url", "race_config", "continue_race"])?;
                let started = races
                    .start_tracking(account, &url, &config, carry_on.as_ref())
                    .await?;
                let view = self.view(account, Some(started.race))?;
                Ok(json!({
                    "race": view.snapshot.race.as_str(),
                    "was_tracked_already": started.known,
                    "continued": started.continued,
                    "note": note(started.known, started.unreachable),
                    "limits": view.snapshot.settings.thresholds,
                    "course_km": view.snapshot.course.as_ref().map(|course| (course.length_m() / 10.0).round() / 100.0),
                    "poll_interval_secs": view.snapshot.settings.poll_interval_s,
                    "analyze_interval_secs": view.snapshot.settings.analyze_interval_s,
                    "messages": reach(races.reach(account)),
                }))
            }
            "list_races" => {
                given.finish(&[])?;
                let lines: Vec<_> = races.list(account)?.iter().map(answers::line).collect();
                Ok(json!({ "races": lines }))
            }
            "stop_tracking" => {
                let race = self.which(account, &mut given, &[])?;
                let view = races.stop_tracking(account, &race).await?;
                Ok(answers::summary(&view))
            }
            "get_tracking_status" => {
                let race = self.which(account, &mut given, &[])?;
                Ok(answers::status(&self.view(account, Some(race))?))
            }
            "get_race_summary" => {
                let race = self.which(account, &mut given, &[])?;
                Ok(answers::summary(&self.view(account, Some(race))?))
            }
            "get_timeseries" => self.timeseries(account, given),
            "update_thresholds" => {
                let changes = given.object("thresholds")?;
                let race = self.which(account, &mut given, &["thresholds"])?;
                if changes.is_empty() {
                    return Err(NotDone(
                        "thresholds: give at least one, such as {\"hr_max\": 150}".into(),
                    ));
                }
                let limits = races.update_thresholds(account, &race, &changes).await?;
                Ok(json!({ "race": race.as_str(), "limits": limits }))
            }
            "trigger_analysis" => {
                let race = self.which(account, &mut given, &[])?;
                races.look(account, &race)?;
                Ok(json!({
                    "race": race.as_str(),
                    "note": "The analysis has begun. What it finds goes to the phone, and to last_analysis in get_tracking_status.",
                }))
            }
            "send_coaching_message" => {
                let text = given.words("text")?;
                let race = self.which(account, &mut given, &["text"])?;
                let coached = races.coach(account, &race, &text).await?;
                Ok(answers::coached(&race, &coached))
            }
            "set_phone" => {
                let phone = Phone {
                    telegram_chat: given.name("telegram_chat")?,
                    ntfy_topic: given.name("ntfy_topic")?,
                };
                given.finish(&["telegram_chat", "ntfy_topic"])?;
                let now = races.set_phone(account, phone).await?;
                Ok(json!({ "messages": reach(now) }))
            }
            other => Err(NotDone(format!("There is no tool {other}."))),
        }
    }

    fn timeseries(&self, account: &AccountId, mut given: Arguments) -> Result<Value, NotDone> {
        let window_min = given.whole("window_min", 1, LONGEST_WINDOW_MIN)?;
        let (from, to) = (given.moment("from")?, given.moment("to")?);
        let resolution_s = given.whole("resolution_s", 1, 3600)?;
        let metrics = given.metrics()?;
        let names = ["window_min", "from", "to", "resolution_s", "metrics"];
        let race = self.which(account, &mut given, &names)?;
        let snapshot = self.view(account, Some(race))?.snapshot;
        let Some(last) = snapshot.track.last else {
            let wanted = Wanted {
                from: snapshot.now,
                to: snapshot.now,
                resolution_s,
                metrics,
            };
            return Ok(answers::timeseries(&snapshot, &[], &wanted));
        };
        if from.is_some() && window_min.is_some() {
            return Err(NotDone(
                "window_min: give either window_min or from, not both".into(),
            ));
        }
        let to = to.unwrap_or(last.at);
        let minutes = SignedDuration::from_mins(window_min.unwrap_or(10).into());
        let from = from.unwrap_or_else(|| to.checked_sub(minutes).unwrap_or(to));
        if from > to {
            return Err(NotDone("from: must be before to".into()));
        }
        let samples = self.0.samples(account, &snapshot.race, from, to)?;
        let resolution_s = resolution_s.or_else(|| coarse(samples.len(), from, to));
        let rows = |s: u32| to.duration_since(from).as_secs() / i64::from(s.max(1));
        if resolution_s
            .is_some_and(|s| rows(s) > 4 * i64::from(MOST_ROWS) && samples.len() > 4 * MOST_ROWS as usize)
        {
            return Err(NotDone(
                "resolution_s: too fine for so long a window; leave it out, or choose a larger one".into(),
            ));
        }
        let wanted = Wanted {
            from,
            to,
            resolution_s,
            metrics,
        };
        Ok(answers::timeseries(&snapshot, &samples, &wanted))
    }

    /// The race that is meant; nothing else may be left of the arguments.
    fn which(&self, account: &AccountId, given: &mut Arguments, names: &[&str]) -> Result<RaceId, NotDone> {
        let named = given.race("race")?;
        let mut all = vec!["race"];
        all.extend(names);
        std::mem::take(given).finish(&all)?;
        Ok(self.view(account, named)?.snapshot.race)
    }

    fn view(&self, account: &AccountId, race: Option<RaceId>) -> Result<View, NotDone> {
        if let Some(race) = race {
            return Ok(self.0.view(account, &race)?.ok_or(Refused::NoSuchRace)?);
        }
        self.0.newest(account)?.ok_or_else(|| {
            NotDone("No race is tracked yet. start_tracking with a LiveTrack link begins one.".into())
        })
    }
}

fn reach(reach: Reach) -> &'static str {
    match reach {
        Reach::Nowhere => "nobody's phone is told; set_phone changes that",
        Reach::Usual => "to the phone that the operator set; set_phone changes that",
        Reach::Own => "to this person's own phone",
    }
}

fn note(known: bool, unreachable: bool) -> &'static str {
    match (known, unreachable) {
        (true, _) => {
            "This race was tracked already; its settings stay. Use update_thresholds to change limits."
        }
        (_, true) => "Garmin did not answer yet; it is tried again by itself.",
        _ => "Tracking has begun. It stops by itself when the race ends.",
    }
}

/// A row length that keeps an answer readable.
fn coarse(points: usize, from: Timestamp, to: Timestamp) -> Option<u32> {
    let span_s = u32::try_from(to.duration_since(from).as_secs()).unwrap_or(u32::MAX);
    let least = span_s.div_ceil(MOST_ROWS);
    let rounds = [10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
    (points > MOST_ROWS as usize).then(|| rounds.into_iter().find(|s| *s >= least).unwrap_or(3600))
}

fn result(answered: Result<Value, NotDone>) -> Box<RawValue> {
    let result = match answered {
        Ok(value) => {
            let text = value.to_string();
            // MCP wants an object here; a bare list stands under `result`.
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
