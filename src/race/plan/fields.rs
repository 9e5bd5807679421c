//! Reads a plan from `race_config` and changes to it. Every error is reported.

use serde_json::{Map, Value};

use super::recipient_fields::{keep_phones, recipient, refuse_doubles};
use super::{Checkpoint, MOST_CHECKPOINTS, PlanLeg, RacePlan, implied};
use crate::race::fields::{BadFields, FieldReader};
use crate::race::sport::{LegKind, RaceKind};
use crate::race::thresholds::THRESHOLDS;

/// The names of the fields besides the thresholds.
const OTHER_NAMES: [&str; 14] = [
    "race_name",
    "race_type",
    "poll_interval_secs",
    "analyze_interval_secs",
    "analyze_window_min",
    "distance_km",
    "target_time",
    "checkpoints",
    "legs",
    "fuel",
    "notes",
    "recipients",
    "time_zone",
    "course_gpx",
];

const MOST_LEGS: usize = 20;
const MOST_RECIPIENTS: usize = 20;

/// Maximum length of what the coach writes, in characters.
const LONGEST_NOTE: usize = 2000;

impl RacePlan {
    /// Reads a `race_config`. Returns the text of `course_gpx` separately, without parsing it. Errors: all bad fields
    /// at once.
    pub fn read(config: &Map<String, Value>) -> Result<(Self, Option<String>), BadFields> {
        Self::default().with(config)
    }

    /// A copy with `changes` applied: a value sets a field, null restores its default. Errors: all bad fields at once;
    /// then nothing changes.
    pub fn with(&self, changes: &Map<String, Value>) -> Result<(Self, Option<String>), BadFields> {
        let mut fields = FieldReader::new(changes.clone());
        let mut plan = self.clone();
        plan.change_race(&mut fields);
        plan.thresholds = self.thresholds.read(&mut fields);
        let usual = Self::default();
        for (name, slot, usual, (min, max), unit) in [
            (
                "poll_interval_secs",
                &mut plan.poll_interval_s,
                usual.poll_interval_s,
                (5, 600),
                "seconds",
            ),
            (
                "analyze_interval_secs",
                &mut plan.analyze_interval_s,
                usual.analyze_interval_s,
                (60, 7200),
                "seconds",
            ),
            (
                "analyze_window_min",
                &mut plan.analyze_window_min,
                usual.analyze_window_min,
                (1, 120),
                "minutes",
            ),
        ] {
            if fields.has(name) {
                *slot = fields.number(name, min, max, unit).unwrap_or(usual);
            }
        }
        if fields.has("target_time") {
            plan.target_time_s = fields.elapsed("target_time");
        }
        if fields.has("checkpoints") {
            plan.checkpoints = list(&mut fields, "checkpoints", MOST_CHECKPOINTS, checkpoint);
            plan.checkpoints.sort_by(|a, b| a.km.total_cmp(&b.km));
        }
        if fields.has("recipients") {
            plan.recipients = list(&mut fields, "recipients", MOST_RECIPIENTS, recipient);
            keep_phones(&self.recipients, &mut plan.recipients, changes.get("recipients"));
            refuse_doubles(&mut fields, &plan.recipients);
        }
        if fields.has("time_zone") {
            plan.time_zone = fields.time_zone("time_zone");
        }
        if fields.has("fuel") {
            plan.fuel = fields.text("fuel", LONGEST_NOTE);
        }
        if fields.has("notes") {
            plan.notes = fields.text("notes", LONGEST_NOTE);
        }
        let gpx = fields.gpx();
        let known: Vec<_> = THRESHOLDS
            .iter()
            .map(|(name, ..)| *name)
            .chain(OTHER_NAMES)
            .collect();
        fields.finish((plan, gpx), &known)
    }

    /// Name, type, distance and legs. A type implies what is not given.
    fn change_race(&mut self, fields: &mut FieldReader) {
        // Legs that nobody gave change with the distance.
        let are_implied = !self.legs.is_empty() && self.legs == implied::legs(self.kind, self.distance_m);
        if fields.has("race_name") {
            self.name = fields.text("race_name", 80);
        }
        let has_type = fields.has("race_type");
        if has_type {
            self.type_text = fields.text("race_type", 60);
            let text = self.type_text.as_deref();
            self.kind = text.map(RaceKind::from_words).unwrap_or_default();
            self.timed_s = text.and_then(implied::time_s);
        }
        let implied_m = self.type_text.as_deref().and_then(implied::distance_m);
        if fields.has("distance_km") {
            self.distance_m = fields.km("distance_km").or(implied_m);
        } else if has_type {
            self.distance_m = implied_m.or(self.distance_m);
        }
        if fields.has("legs") {
            self.legs = list(fields, "legs", MOST_LEGS, leg);
            let sum_m: f64 = self.legs.iter().map(|leg| leg.distance_m).sum();
            if self.distance_m.is_none() && sum_m > 0.0 {
                self.distance_m = Some(sum_m);
            }
        } else if has_type || are_implied {
            self.legs = implied::legs(self.kind, self.distance_m);
        }
    }
}

/// Reads a list of objects. Errors name the position of the item in the list.
fn list<T>(
    fields: &mut FieldReader,
    name: &str,
    most: usize,
    read: fn(&mut FieldReader) -> (Option<T>, &'static [&'static str]),
) -> Vec<T> {
    let Some(value) = fields.take(name) else {
        return Vec::new();
    };
    let Some(items) = value.as_array().filter(|items| items.len() <= most) else {
        fields.refuse(name, format!("must be a list of at most {most} {name}"));
        return Vec::new();
    };
    let mut all = Vec::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        let place = format!("{name}[{i}]");
        let Some(object) = item.as_object() else {
            fields.refuse(&place, "must be an object");
            continue;
        };
        let mut inner = FieldReader::new(object.clone());
        let (read, known) = read(&mut inner);
        match inner.finish(read, known) {
            Ok(read) => all.extend(read),
            Err(BadFields(bad)) => {
                for bad in bad {
                    fields.refuse(&format!("{place}.{}", bad.field), bad.why);
                }
            }
        }
    }
    all
}

fn checkpoint(fields: &mut FieldReader) -> (Option<Checkpoint>, &'static [&'static str]) {
    fields.require(&["name", "km"]);
    let name = fields.text("name", 40);
    let km = fields.km("km").map(|metres| metres / 1000.0);
    let (cutoff_s, target_s) = (fields.elapsed("cutoff"), fields.elapsed("target"));
    let stop_s = fields.number("stop_min", 0, 1440, "minutes").map(|min| min * 60);
    let read = name.zip(km).map(|(name, km)| Checkpoint {
        name,
        km,
        cutoff_s,
        target_s,
        stop_s,
    });
    (read, &["name", "km", "cutoff", "target", "stop_min"])
}

fn leg(fields: &mut FieldReader) -> (Option<PlanLeg>, &'static [&'static str]) {
    fields.require(&["sport", "km"]);
    let kind = fields.one_of("sport", &SPORTS);
    let distance_m = fields.km("km");
    let target_s = fields.elapsed("target");
    let read = kind.zip(distance_m).map(|(kind, distance_m)| PlanLeg {
        kind,
        distance_m,
        target_s,
    });
    (read, &["sport", "km", "target"])
}

const SPORTS: [(&str, LegKind); 10] = [
    ("swim", LegKind::Swim),
    ("bike", LegKind::Ride),
    ("run", LegKind::Run),
    ("walk", LegKind::Walk),
    ("hike", LegKind::Hike),
    ("row", LegKind::Row),
    ("kayak", LegKind::Kayak),
    ("paddle", LegKind::Paddle),
    ("ski", LegKind::Ski),
    ("skate", LegKind::Skate),
];
