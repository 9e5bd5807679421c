//! The race tools of the connector: arguments in, a result for Claude out.
//!
//! Every tool works on the caller's own races alone. `race` may be left out: then it is the race that is watched, or the
//! newest. A mistake names the argument and says what would be right.

use jiff::{SignedDuration, Timestamp};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use super::answers::{self, METRICS, Wanted};
use super::open::{NotStarted, Refused};
use super::{LONGEST_MESSAGE, NotCoached, RaceGrant, RaceId, Races, View};
use crate::accounts::AccountId;
use crate::foundation::store::StoreError;

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

impl From<NotCoached> for NotDone {
    fn from(e: NotCoached) -> Self {
        match e {
            NotCoached::Refused(e) => e.into(),
            other => Self(other.to_string()),
        }
    }
}

/// The longest text that may hold a link: an e-mail.
const LONGEST_URL: usize = 400_000;

/// The longest window, minutes: a day and some.
const LONGEST_WINDOW_MIN: u32 = 2880;

/// The most rows of an answer; more points are gathered into rows.
const MOST_ROWS: u32 = 400;

/// The tools that a token of a race reaches.
pub const FOR_RACE: [&str; 3] = ["get_timeseries", "update_thresholds", "send_coaching_message"];

impl RaceTools {
    /// The tools, as the JSON text of an array.
    pub fn list() -> String {
        Value::Array(all()).to_string()
    }

    /// Those that a token of a race reaches, the same way.
    pub fn list_for_race() -> String {
        let mut tools = all();
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
        let named = arguments.0.insert("race".into(), grant.race.as_str().into());
        let foreign = named.is_some_and(|named| named.as_str() != Some(grant.race.as_str()));
        if foreign || !FOR_RACE.contains(&tool) {
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

/// The arguments of a call, taken one by one.
#[derive(Default)]
struct Arguments(Map<String, Value>);

impl Arguments {
    fn read(raw: Option<&RawValue>) -> Self {
        // The gateway takes objects only.
        Self(
            raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
                .unwrap_or_default(),
        )
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &str) -> Result<String, NotDone> {
        match self.take(name) {
            Some(Value::String(text)) if !text.trim().is_empty() && text.len() <= LONGEST_URL => Ok(text),
            Some(_) => Err(NotDone(format!("{name}: must be a text"))),
            None => Err(NotDone(format!(
                "{name}: is missing; give the LiveTrack link, https://livetrack.garmin.com/session/<id>/token/<token>"
            ))),
        }
    }

    fn words(&mut self, name: &str) -> Result<String, NotDone> {
        match self.take(name) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(NotDone(format!("{name}: must be a text"))),
            None => Err(NotDone(format!("{name}: is missing; give the message"))),
        }
    }

    /// An object; some clients send it as text.
    fn object(&mut self, name: &str) -> Result<Map<String, Value>, NotDone> {
        let value = match self.take(name) {
            Some(Value::String(text)) => serde_json::from_str(&text).ok(),
            other => other.or(Some(json!({}))),
        };
        match value {
            Some(Value::Object(object)) => Ok(object),
            _ => Err(NotDone(format!(
                "{name}: must be an object, such as {{\"hr_max\": 150}}"
            ))),
        }
    }

    fn race(&mut self, name: &str) -> Result<Option<RaceId>, NotDone> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let id = value.as_str().and_then(|text| text.trim().parse().ok());
        id.map(Some).ok_or_else(|| {
            NotDone(format!(
                "{name}: must be a race id such as race_abcdefgh12345678; list_races tells them"
            ))
        })
    }

    fn whole(&mut self, name: &str, min: u32, max: u32) -> Result<Option<u32>, NotDone> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
        let number = number
            .and_then(|n| u32::try_from(n).ok())
            .filter(|n| (min..=max).contains(n));
        number
            .map(Some)
            .ok_or_else(|| NotDone(format!("{name}: must be a whole number from {min} to {max}")))
    }

    fn moment(&mut self, name: &str) -> Result<Option<Timestamp>, NotDone> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let at = value.as_str().and_then(|text| text.parse().ok());
        at.map(Some)
            .ok_or_else(|| NotDone(format!("{name}: must be a UTC time such as 2026-10-04T08:30:00Z")))
    }

    fn metrics(&mut self) -> Result<Vec<&'static str>, NotDone> {
        let named: Vec<String> = match self.take("metrics") {
            None => {
                return Ok(vec![
                    "heart_rate_bpm",
                    "power_w",
                    "cadence",
                    "speed_kmh",
                    "altitude_m",
                    "distance_m",
                ]);
            }
            Some(Value::Array(names)) => names
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            Some(Value::String(names)) => names.split(',').map(|name| name.trim().to_owned()).collect(),
            Some(_) => Vec::new(),
        };
        let known = |name: &String| METRICS.into_iter().find(|metric| metric == name);
        let metrics: Option<Vec<_>> = named.iter().map(known).collect();
        metrics.filter(|metrics| !metrics.is_empty()).ok_or_else(|| {
            NotDone(format!(
                "metrics: must be a list of some of {}",
                METRICS.join(", ")
            ))
        })
    }

    /// Refuses what is left.
    fn finish(self, names: &[&str]) -> Result<(), NotDone> {
        match self.0.into_iter().find(|(_, value)| !value.is_null()) {
            None => Ok(()),
            Some((name, _)) => {
                let name: String = super::plain::plain_text(&name).chars().take(40).collect();
                let known = if names.is_empty() {
                    "none".to_owned()
                } else {
                    names.join(", ")
                };
                Err(NotDone(format!(
                    "{name}: is not an argument of this tool; it takes {known}"
                )))
            }
        }
    }
}

fn result(answered: Result<Value, NotDone>) -> Box<RawValue> {
    let result = match answered {
        Ok(value) => json!({"content": [{"type": "text", "text": value.to_string()}], "isError": false}),
        Err(reason) => json!({"content": [{"type": "text", "text": reason.to_string()}], "isError": true}),
    };
    to_raw_value(&result).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

const RACE: &str = "Which race, by its id from list_races. Left out: the one that is tracked, or the newest.";

fn tool(name: &str, description: &str, properties: &Value, required: &[&str], open_world: bool) -> Value {
    json!({
        "name": name,
        "description": description,
        "inputSchema": {"type": "object", "properties": properties, "required": required, "additionalProperties": false},
        "annotations": {"openWorldHint": open_world},
    })
}

fn thresholds() -> Map<String, Value> {
    let field = |(name, min, max, unit): (&str, u32, u32, &str)| {
        (
            name.to_owned(),
            json!({"type": ["integer", "null"], "minimum": min, "maximum": max, "description": unit}),
        )
    };
    super::settings::THRESHOLDS.into_iter().map(field).collect()
}

fn race_config() -> Value {
    let mut fields = thresholds();
    let more = json!({
        "race_name": {"type": "string", "description": "What to call it."},
        "race_type": {"type": "string", "description": "marathon, half marathon, 10k, trail run, triathlon, 70.3, duathlon, bike, swim … In a triathlon hr_*, power_* and cadence_min are the bike's and run_* the run's."},
        "distance_km": {"type": "number", "description": "The whole distance, if there is no course."},
        "target_time": {"type": "string", "description": "The time to finish in, h:mm:ss."},
        "checkpoints": {"type": "array", "description": "Places on the way: name, km, and cutoff and target as h:mm:ss after the start.", "items": {"type": "object"}},
        "course_gpx": {"type": "string", "description": "The text of the course's GPX file."},
        "poll_interval_secs": {"type": "integer", "minimum": 5, "maximum": 600, "description": "Seconds between two looks at LiveTrack; 60."},
        "analyze_interval_secs": {"type": "integer", "minimum": 60, "maximum": 7200, "description": "Seconds between two analyses; 600."},
        "analyze_window_min": {"type": "integer", "minimum": 1, "maximum": 120, "description": "Minutes that an analysis is shown; 10."},
    });
    if let Value::Object(more) = more {
        fields.extend(more);
    }
    json!({"type": "object", "properties": fields, "additionalProperties": false, "description": "Limits and settings of the race; all may be left out."})
}

fn all() -> Vec<Value> {
    let race = json!({"type": "string", "description": RACE});
    let only_race = || json!({"race": race.clone()});
    vec![
        tool(
            "start_tracking",
            "Track a race live from its Garmin LiveTrack link: it is polled until it ends, every point is kept, and rules tell \
             the phone of the start, stops, lost signal, splits, limits that are passed, and the finish. Use it when somebody \
             shares a LiveTrack link (or the e-mail with it). Tracking goes on by itself; nothing must stay open.",
            &json!({
                "url": {"type": "string", "description": "The LiveTrack link, a gar.mn link, or the text of the e-mail."},
                "race_config": race_config(),
                "continue_race": {"type": "string", "description": "The id of a race that goes on with this new link, when the athlete had to start LiveTrack again."},
            }),
            &["url"],
            true,
        ),
        tool(
            "stop_tracking",
            "Stop tracking a race; what was recorded stays. Races stop by themselves at their end. Returns the summary.",
            &only_race(),
            &[],
            false,
        ),
        tool(
            "get_tracking_status",
            "How a race stands now: state (running, stopped, no_signal, finished …), elapsed and stale time, last point, \
             distance, leg, limits, poll errors, last alerts. \"no_signal\" is no stop: nothing is known then.",
            &only_race(),
            &[],
            false,
        ),
        tool(
            "get_timeseries",
            "The recorded data of a race as columns and rows: heart rate, power, cadence, speed, altitude, distance, position. \
             Without arguments the last 10 minutes. Where nothing was recorded there is no row.",
            &json!({
                "race": race.clone(),
                "window_min": {"type": "integer", "minimum": 1, "maximum": LONGEST_WINDOW_MIN, "description": "The last so many minutes; 10."},
                "from": {"type": "string", "description": "Instead of window_min: from this time (UTC) …"},
                "to": {"type": "string", "description": "… to this one."},
                "resolution_s": {"type": "integer", "minimum": 1, "maximum": 3600, "description": "Seconds in a row; left out, every point, or what keeps the answer readable."},
                "metrics": {"type": "array", "items": {"type": "string", "enum": METRICS}, "description": "Which columns."},
            }),
            &[],
            false,
        ),
        tool(
            "update_thresholds",
            "Change limits of a race that is tracked: a number sets one, null takes it away. Alerts follow at once.",
            &json!({"race": race.clone(), "thresholds": {"type": "object", "properties": thresholds(), "additionalProperties": false}}),
            &["thresholds"],
            false,
        ),
        tool(
            "trigger_analysis",
            "Have the race analysed now instead of at the next interval; coaching goes to the phone. Needs an analysis that is \
             set up on the server.",
            &only_race(),
            &[],
            true,
        ),
        tool(
            "send_coaching_message",
            "Send a short coaching message about a race that is tracked to the phone of its person. Its numbers are checked against \
             the recorded data: with one that is not there, plain figures are sent in its place.",
            &json!({
                "race": race.clone(),
                "text": {"type": "string", "minLength": 1, "maxLength": LONGEST_MESSAGE, "description": "One or two plain sentences."},
            }),
            &["text"],
            true,
        ),
        tool(
            "list_races",
            "All races of this person, newest first, past ones too.",
            &json!({}),
            &[],
            false,
        ),
        tool(
            "get_race_summary",
            "A race as a whole, under way or past: time, distance, splits, legs, heart-rate zones, stops, gaps in the data, alerts.",
            &only_race(),
            &[],
            false,
        ),
    ]
}
