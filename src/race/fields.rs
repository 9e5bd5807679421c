//! Reads a JSON object field by field and collects all errors.

use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::race::text::plain_text;

/// Maximum size of a GPX text in bytes, enough for about 30,000 points.
const LARGEST_GPX: usize = 3 << 20;

/// A field that was rejected, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct BadField {
    /// Name as the sender wrote it.
    pub field: String,
    /// What is wrong, and what would be valid.
    pub why: String,
}

/// All rejected fields. The sender can fix them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFields(pub Vec<BadField>);

impl std::error::Error for BadFields {}

impl std::fmt::Display for BadFields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, bad) in self.0.iter().enumerate() {
            write!(f, "{}{bad}", if i == 0 { "" } else { ". " })?;
        }
        Ok(())
    }
}

/// Reads an object field by field and collects all errors.
pub(super) struct FieldReader {
    left: Map<String, Value>,
    bad: Vec<BadField>,
}

impl FieldReader {
    pub(super) fn new(left: Map<String, Value>) -> Self {
        Self {
            left,
            bad: Vec::new(),
        }
    }

    pub(super) fn refuse(&mut self, field: &str, why: impl Into<String>) {
        self.bad.push(BadField {
            field: field.to_owned(),
            why: why.into(),
        });
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.left.contains_key(name)
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.left.remove(name).filter(|value| !value.is_null())
    }

    pub(super) fn number(&mut self, name: &str, min: u32, max: u32, unit: &str) -> Option<u32> {
        let value = self.take(name)?;
        let number = whole(&value).filter(|n| (min..=max).contains(n));
        if number.is_none() {
            self.refuse(
                name,
                format!("must be a whole number from {min} to {max} ({unit})"),
            );
        }
        number
    }

    pub(super) fn text(&mut self, name: &str, longest: usize) -> Option<String> {
        let value = self.take(name)?;
        let text = value.as_str().map(plain_text);
        match text {
            Some(text) if (1..=longest).contains(&text.chars().count()) => Some(text),
            _ => {
                self.refuse(name, format!("must be a string of 1 to {longest} characters"));
                None
            }
        }
    }

    /// Reads the IANA name of a time zone.
    pub(super) fn time_zone(&mut self, name: &str) -> Option<String> {
        let value = self.take(name)?;
        let zone = value.as_str().and_then(|name| TimeZone::get(name.trim()).ok());
        let known = zone.as_ref().and_then(TimeZone::iana_name).map(str::to_owned);
        if known.is_none() {
            self.refuse(
                name,
                "must be the name of a time zone, such as Europe/Vienna or America/Denver",
            );
        }
        known
    }

    /// Refuses the fields that are missing.
    pub(super) fn require(&mut self, names: &[&str]) {
        for name in names {
            if self.left.get(*name).is_none_or(Value::is_null) {
                self.refuse(name, "is missing");
            }
        }
    }

    /// Reads a word from a fixed list, whatever its case.
    pub(super) fn one_of<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> Option<T> {
        let value = self.take(name)?;
        let given = value.as_str().map(str::trim);
        let found = words
            .iter()
            .find(|(word, _)| given.is_some_and(|given| given.eq_ignore_ascii_case(word)));
        if found.is_none() {
            let all: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            self.refuse(name, format!("must be one of {}", all.join(", ")));
        }
        found.map(|(_, value)| *value)
    }

    pub(super) fn km(&mut self, name: &str) -> Option<f64> {
        let value = self.take(name)?;
        let metres = kilometres(&value).map(|km| km * 1000.0);
        if metres.is_none() {
            self.refuse(name, "must be a number of kilometres from 0.1 to 2000");
        }
        metres
    }

    pub(super) fn elapsed(&mut self, name: &str) -> Option<u32> {
        let value = self.take(name)?;
        let seconds = elapsed(&value);
        if seconds.is_none() {
            self.refuse(
                name,
                "must be a time after the start as h:mm:ss, such as \"3:29:00\", or \"0:45:00\" for 45 minutes",
            );
        }
        seconds
    }

    pub(super) fn gpx(&mut self) -> Option<String> {
        match self.take("course_gpx")? {
            Value::String(text) if text.len() <= LARGEST_GPX => Some(text),
            _ => {
                self.refuse("course_gpx", "must be the text of a GPX file of at most 3 MB");
                None
            }
        }
    }

    /// Returns `value` unless a field was rejected. Fields that were not taken count as unknown.
    pub(super) fn finish<T>(mut self, value: T, known: &[&str]) -> Result<T, BadFields> {
        let all = known.join(", ");
        let unknown: Vec<_> = self.left.keys().cloned().collect();
        for name in unknown {
            let known = known.iter().copied();
            let near = known
                .map(|known| (strsim::damerau_levenshtein(known, &name), known))
                .min()
                .filter(|(distance, _)| *distance <= 3);
            let hint = match near {
                Some((_, known)) => format!("; did you mean {known}?"),
                None if all.is_empty() => String::new(),
                None => format!("; those are {all}"),
            };
            self.refuse(
                &plain_text(&name),
                format!("is not a field that can be set{hint}"),
            );
        }
        if self.bad.is_empty() {
            Ok(value)
        } else {
            Err(BadFields(self.bad))
        }
    }
}

/// A whole number, also if written as 150.0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it was just found to be a whole number within u32"
)]
fn whole(value: &Value) -> Option<u32> {
    let number = value.as_f64()?;
    (number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number)).then_some(number as u32)
}

fn kilometres(value: &Value) -> Option<f64> {
    value.as_f64().filter(|km| (0.1..=2000.0).contains(km))
}

/// Parses `h:mm:ss`, up to 999 hours, into seconds. Two parts could be hours and minutes or minutes and seconds, so they
/// are refused.
pub(super) fn elapsed(value: &Value) -> Option<u32> {
    let mut parts = value.as_str()?.trim().split(':').map(|part| {
        let digits = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<u32>().ok().filter(|_| digits)
    });
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let fits = minutes < 60 && seconds < 60 && parts.next().is_none();
    let all = hours * 3600 + minutes * 60 + seconds;
    (fits && all > 0).then_some(all)
}
