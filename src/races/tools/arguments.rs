//! The arguments of a call, taken one by one. Unknown ones are refused by name.

use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::mcp::arguments::coerce;
use crate::race::id::RaceId;
use crate::races::answers::{METRICS, USUAL_METRICS};

/// Maximum bytes of a text with a link, which may be a whole e-mail.
const LONGEST_URL: usize = 400_000;

/// Maximum length of a window in minutes: two days.
pub(super) const LONGEST_WINDOW_MIN: u32 = 2880;

/// An argument that is missing, unknown or invalid. The text names it.
#[derive(Debug)]
pub(super) struct ArgumentError(pub(super) String);

#[derive(Default)]
pub(super) struct RaceArguments(Map<String, Value>);

impl RaceArguments {
    /// Reads the arguments in the types of the tool's input schema. Errors: a value has another type or is ambiguous.
    pub(super) fn read(schema: &Value, raw: Option<&RawValue>) -> Result<Self, ArgumentError> {
        // The gateway has already refused everything except objects.
        let given = raw
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
            .unwrap_or_default();
        match coerce(given, schema) {
            Ok(arguments) => Ok(Self(arguments)),
            Err(mismatch) => Err(ArgumentError(mismatch.to_string())),
        }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    /// Sets `race` if it is missing. Returns whether the call refers to this race.
    pub(super) fn is_for(&mut self, race: &RaceId) -> bool {
        let named = self.0.insert("race".into(), race.as_str().into());
        named.is_none_or(|named| named.as_str() == Some(race.as_str()))
    }

    /// A short text. Some clients send digits as a number.
    pub(super) fn name(&mut self, name: &str) -> Result<Option<String>, ArgumentError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(ArgumentError(format!("{name}: must be text"))),
        }
    }

    pub(super) fn text(&mut self, name: &str) -> Result<String, ArgumentError> {
        match self.take(name) {
            Some(Value::String(text)) if !text.trim().is_empty() && text.len() <= LONGEST_URL => Ok(text),
            Some(_) => Err(ArgumentError(format!("{name}: must be text"))),
            None => Err(ArgumentError(format!(
                "{name}: is missing; give the LiveTrack link, https://livetrack.garmin.com/session/<id>/token/<token>"
            ))),
        }
    }

    pub(super) fn words(&mut self, name: &str) -> Result<String, ArgumentError> {
        match self.take(name) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(ArgumentError(format!("{name}: must be text"))),
            None => Err(ArgumentError(format!("{name}: is missing; give the message"))),
        }
    }

    /// An object. Some clients send it as a string of JSON.
    pub(super) fn object(&mut self, name: &str) -> Result<Map<String, Value>, ArgumentError> {
        let value = match self.take(name) {
            Some(Value::String(text)) => serde_json::from_str(&text).ok(),
            other => other.or(Some(json!({}))),
        };
        match value {
            Some(Value::Object(object)) => Ok(object),
            _ => Err(ArgumentError(format!(
                "{name}: must be an object, such as {{\"hr_max\": 150}}"
            ))),
        }
    }

    pub(super) fn race(&mut self, name: &str) -> Result<Option<RaceId>, ArgumentError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let id = value.as_str().and_then(|text| text.trim().parse().ok());
        id.map(Some).ok_or_else(|| {
            ArgumentError(format!(
                "{name}: must be a race id such as race_abcdefgh12345678; list_races shows them"
            ))
        })
    }

    pub(super) fn whole(&mut self, name: &str, min: u32, max: u32) -> Result<Option<u32>, ArgumentError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
        let number = number
            .and_then(|n| u32::try_from(n).ok())
            .filter(|n| (min..=max).contains(n));
        number
            .map(Some)
            .ok_or_else(|| ArgumentError(format!("{name}: must be a whole number from {min} to {max}")))
    }

    pub(super) fn moment(&mut self, name: &str) -> Result<Option<Timestamp>, ArgumentError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let at = value.as_str().and_then(|text| text.parse().ok());
        at.map(Some).ok_or_else(|| {
            ArgumentError(format!(
                "{name}: must be a time with its offset, such as 2026-10-04T10:30:00+02:00"
            ))
        })
    }

    pub(super) fn metrics(&mut self) -> Result<Vec<&'static str>, ArgumentError> {
        let named = self.some_of("metrics", &METRICS)?;
        Ok(named.unwrap_or_else(|| USUAL_METRICS.to_vec()))
    }

    /// A list of some of these names.
    pub(super) fn some_of(
        &mut self,
        name: &str,
        all: &[&'static str],
    ) -> Result<Option<Vec<&'static str>>, ArgumentError> {
        let named: Vec<String> = match self.take(name) {
            None => return Ok(None),
            Some(Value::Array(names)) => names
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            Some(Value::String(names)) => names.split(',').map(|name| name.trim().to_owned()).collect(),
            Some(_) => Vec::new(),
        };
        let known = |name: &String| all.iter().copied().find(|known| known == name);
        let found: Option<Vec<_>> = named.iter().map(known).collect();
        let found = found.filter(|found| !found.is_empty());
        let wanted = || ArgumentError(format!("{name}: must be a list of some of {}", all.join(", ")));
        found.map(Some).ok_or_else(wanted)
    }

    /// One of these words. Errors: it is missing or is another.
    pub(super) fn action(&mut self, words: &[&'static str]) -> Result<&'static str, ArgumentError> {
        let named = self.name("action")?;
        let all = || match words {
            [first @ .., last] => format!("{} or {last}", first.join(", ")),
            [] => String::new(),
        };
        let Some(named) = named else {
            return Err(ArgumentError(format!("action: is missing; give {}", all())));
        };
        let found = words.iter().copied().find(|word| *word == named);
        found.ok_or_else(|| ArgumentError(format!("action: must be {}", all())))
    }

    /// Refuses the arguments that go with other actions. `others` has each of them with its action.
    pub(super) fn refuse_of_others(
        &self,
        action: &str,
        others: &[(&str, &[&str])],
    ) -> Result<(), ArgumentError> {
        let given = |name: &str| self.0.get(name).is_some_and(|value| !value.is_null());
        let wrong = others
            .iter()
            .find(|(name, actions)| given(name) && !actions.contains(&action));
        wrong.map_or(Ok(()), |(name, actions)| {
            let actions = actions.join(" or ");
            Err(ArgumentError(format!("{name}: only with action {actions}")))
        })
    }

    /// Refuses arguments that were not taken.
    pub(super) fn finish(self, names: &[&str]) -> Result<(), ArgumentError> {
        match self.0.into_iter().find(|(_, value)| !value.is_null()) {
            None => Ok(()),
            Some((name, _)) => {
                let name: String = crate::race::text::plain_text(&name).chars().take(40).collect();
                let known = if names.is_empty() {
                    "none".to_owned()
                } else {
                    names.join(", ")
                };
                Err(ArgumentError(format!(
                    "{name}: is not an argument of this tool; its arguments are {known}"
                )))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::races::tools::table::RaceTool;

    fn read(tool: &str, arguments: &Value) -> Result<RaceArguments, String> {
        let raw = RawValue::from_string(arguments.to_string()).unwrap();
        let schema = RaceTool::named(tool).map(RaceTool::input);
        RaceArguments::read(&schema.unwrap(), Some(&raw)).map_err(|ArgumentError(text)| text)
    }

    /// Clients send numbers as strings, and lists and objects as JSON in a string.
    #[test]
    fn arguments_take_the_types_of_the_schema() {
        let config = r#"{"hr_max":"165","hr_min":null,"distance_km":"10,5","checkpoints":"[{\"name\":\"A\",\"km\":\"5\"}]"}"#;
        let mut given = read("start_tracking", &json!({"race_config": config})).unwrap();
        assert_eq!(
            given.object("race_config").unwrap(),
            *json!({"hr_max": 165, "hr_min": null, "distance_km": 10.5, "checkpoints": [{"name": "A", "km": 5}]})
                .as_object()
                .unwrap()
        );
        let mut given = read(
            "get_timeseries",
            &json!({"metrics": format!("[\"{}\"]", METRICS[0]), "window_min": "30"}),
        )
        .unwrap();
        assert_eq!(given.metrics().unwrap(), [METRICS[0]]);
        assert_eq!(given.whole("window_min", 1, 60).unwrap(), Some(30));
        for (arguments, expected) in [
            (
                json!({"race_config": {"distance_km": "42,195"}}),
                "race_config.distance_km",
            ),
            (
                json!({"race_config": {"checkpoints": [{"km": "1,5,0"}]}}),
                "race_config.checkpoints[0].km",
            ),
            (
                json!({"race_config": "marathon"}),
                "race_config: must be an object",
            ),
        ] {
            let refused = read("start_tracking", &arguments).err().unwrap();
            assert!(refused.starts_with(expected), "{refused}");
        }
    }
}
