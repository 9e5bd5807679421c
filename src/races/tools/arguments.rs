//! The arguments of a call, taken one by one; what is left is refused by name.

use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::super::answers::{METRICS, USUAL_METRICS};
use super::NotDone;
use crate::race::id::RaceId;

/// The longest text that may hold a link: an e-mail.
const LONGEST_URL: usize = 400_000;

/// The arguments of a call, taken one by one.
#[derive(Default)]
pub(super) struct Arguments(Map<String, Value>);

impl Arguments {
    pub(super) fn read(raw: Option<&RawValue>) -> Self {
        // The gateway takes objects only.
        Self(
            raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
                .unwrap_or_default(),
        )
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    /// Names a race where none is named. Whether it is this one then.
    pub(super) fn is_for(&mut self, race: &RaceId) -> bool {
        let named = self.0.insert("race".into(), race.as_str().into());
        named.is_none_or(|named| named.as_str() == Some(race.as_str()))
    }

    /// A short text; some clients send numbers as numbers.
    pub(super) fn name(&mut self, name: &str) -> Result<Option<String>, NotDone> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(NotDone(format!("{name}: must be a text"))),
        }
    }

    pub(super) fn text(&mut self, name: &str) -> Result<String, NotDone> {
        match self.take(name) {
            Some(Value::String(text)) if !text.trim().is_empty() && text.len() <= LONGEST_URL => Ok(text),
            Some(_) => Err(NotDone(format!("{name}: must be a text"))),
            None => Err(NotDone(format!(
                "{name}: is missing; give the LiveTrack link, https://livetrack.garmin.com/session/<id>/token/<token>"
            ))),
        }
    }

    pub(super) fn words(&mut self, name: &str) -> Result<String, NotDone> {
        match self.take(name) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(NotDone(format!("{name}: must be a text"))),
            None => Err(NotDone(format!("{name}: is missing; give the message"))),
        }
    }

    /// An object; some clients send it as text.
    pub(super) fn object(&mut self, name: &str) -> Result<Map<String, Value>, NotDone> {
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

    pub(super) fn race(&mut self, name: &str) -> Result<Option<RaceId>, NotDone> {
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

    pub(super) fn whole(&mut self, name: &str, min: u32, max: u32) -> Result<Option<u32>, NotDone> {
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

    pub(super) fn moment(&mut self, name: &str) -> Result<Option<Timestamp>, NotDone> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let at = value.as_str().and_then(|text| text.parse().ok());
        at.map(Some)
            .ok_or_else(|| NotDone(format!("{name}: must be a UTC time such as 2026-10-04T08:30:00Z")))
    }

    pub(super) fn metrics(&mut self) -> Result<Vec<&'static str>, NotDone> {
        let named: Vec<String> = match self.take("metrics") {
            None => return Ok(USUAL_METRICS.to_vec()),
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
    pub(super) fn finish(self, names: &[&str]) -> Result<(), NotDone> {
        match self.0.into_iter().find(|(_, value)| !value.is_null()) {
            None => Ok(()),
            Some((name, _)) => {
                let name: String = crate::race::plain::plain_text(&name).chars().take(40).collect();
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
