//! Reading an object field by field, gathering what is wrong.

use serde_json::{Map, Value};

use super::{BadField, BadFields, Checkpoint, THRESHOLDS, Thresholds};
use crate::race::plain::plain_text;

/// The names of `race_config` besides the thresholds.
const OTHER_NAMES: [&str; 9] = [
    "race_name",
    "race_type",
    "poll_interval_secs",
    "analyze_interval_secs",
    "analyze_window_min",
    "distance_km",
    "target_time",
    "checkpoints",
    "course_gpx",
];

/// The longest GPX text: some 30,000 points.
const LARGEST_GPX: usize = 3 << 20;

/// The most checkpoints of a race.
const MOST_CHECKPOINTS: usize = 100;

/// Reads an object field by field and gathers what is wrong.
pub(super) struct Reading {
    left: Map<String, Value>,
    bad: Vec<BadField>,
}

impl Reading {
    pub(super) fn new(left: Map<String, Value>) -> Self {
        Self {
            left,
            bad: Vec::new(),
        }
    }

    fn refuse(&mut self, field: &str, why: impl Into<String>) {
        self.bad.push(BadField {
            field: field.to_owned(),
            why: why.into(),
        });
    }

    fn take(&mut self, name: &str) -> Option<Value> {
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

    pub(super) fn thresholds(&mut self, from: &Thresholds) -> Thresholds {
        let mut thresholds = from.clone();
        for (name, min, max, unit) in THRESHOLDS {
            let given = self.left.contains_key(name);
            let value = self.number(name, min, max, unit);
            if let Some(slot) = thresholds.slot(name).filter(|_| given) {
                *slot = value;
            }
        }
        for (low_name, low, high_name, high) in [
            ("hr_min", thresholds.hr_min, "hr_max", thresholds.hr_max),
            (
                "power_min",
                thresholds.power_min,
                "power_max",
                thresholds.power_max,
            ),
            (
                "run_hr_min",
                thresholds.run_hr_min,
                "run_hr_max",
                thresholds.run_hr_max,
            ),
        ] {
            if let (Some(low), Some(high)) = (low, high)
                && low >= high
            {
                self.refuse(low_name, format!("must be below {high_name}, which is {high}"));
            }
        }
        thresholds
    }

    pub(super) fn text(&mut self, name: &str, longest: usize) -> Option<String> {
        let value = self.take(name)?;
        let text = value.as_str().map(plain_text);
        match text {
            Some(text) if (1..=longest).contains(&text.chars().count()) => Some(text),
            _ => {
                self.refuse(name, format!("must be a text of 1 to {longest} characters"));
                None
            }
        }
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
                "must be a time after the start as h:mm:ss, such as \"3:29:00\"",
            );
        }
        seconds
    }

    pub(super) fn checkpoints(&mut self) -> Vec<Checkpoint> {
        let Some(value) = self.take("checkpoints") else {
            return Vec::new();
        };
        let Some(items) = value.as_array().filter(|items| items.len() <= MOST_CHECKPOINTS) else {
            self.refuse(
                "checkpoints",
                format!("must be a list of at most {MOST_CHECKPOINTS} checkpoints"),
            );
            return Vec::new();
        };
        let mut checkpoints: Vec<_> = items
            .iter()
            .enumerate()
            .filter_map(|(i, item)| self.checkpoint(&format!("checkpoints[{i}]"), item))
            .collect();
        checkpoints.sort_by(|a, b| a.km.total_cmp(&b.km));
        checkpoints
    }

    fn checkpoint(&mut self, place: &str, item: &Value) -> Option<Checkpoint> {
        let Some(object) = item.as_object() else {
            self.refuse(place, "must be an object with name and km");
            return None;
        };
        let mut inner = Reading::new(object.clone());
        let name = inner.text("name", 40);
        let km = inner.km("km").map(|metres| metres / 1000.0);
        let (cutoff_s, target_s) = (inner.elapsed("cutoff"), inner.elapsed("target"));
        for (field, value) in [("name", name.is_none()), ("km", km.is_none())] {
            if value && !object.contains_key(field) {
                inner.refuse(field, "is missing");
            }
        }
        let unknown: Vec<_> = inner.left.keys().cloned().collect();
        for name in unknown {
            inner.refuse(
                &name,
                "is not known here; a checkpoint has name, km, cutoff, target",
            );
        }
        let bad = inner.bad.into_iter().map(|bad| BadField {
            field: format!("{place}.{}", bad.field),
            why: bad.why,
        });
        self.bad.extend(bad);
        Some(Checkpoint {
            name: name?,
            km: km?,
            cutoff_s,
            target_s,
        })
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

    /// `value`, unless something was refused. What was not taken is unknown.
    pub(super) fn finish<T>(mut self, value: T) -> Result<T, BadFields> {
        let unknown: Vec<_> = self.left.keys().cloned().collect();
        for name in unknown {
            let known = THRESHOLDS.iter().map(|(name, ..)| *name).chain(OTHER_NAMES);
            let near = known
                .map(|known| (strsim::damerau_levenshtein(known, &name), known))
                .min()
                .filter(|(distance, _)| *distance <= 3);
            let hint = near.map_or_else(String::new, |(_, known)| format!("; did you mean {known}?"));
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

/// A whole number, also as 150.0.
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

/// `h:mm:ss` or `h:mm`, up to 999 hours, in seconds.
pub(super) fn elapsed(value: &Value) -> Option<u32> {
    let mut parts = value.as_str()?.trim().split(':').map(|part| {
        let digits = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<u32>().ok().filter(|_| digits)
    });
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = match parts.next() {
        None => 0,
        Some(seconds) => seconds?,
    };
    let fits = minutes < 60 && seconds < 60 && parts.next().is_none();
    let all = hours * 3600 + minutes * 60 + seconds;
    (fits && all > 0).then_some(all)
}
