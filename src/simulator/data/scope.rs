//! The facts that fill in a template: facts about a person and, nested inside them, about a day, an activity and a row.
//!
//! Inner facts hide outer ones: `$duration_s` is the lap's inside `$each laps`, and the activity's outside it.

use std::cell::RefCell;
use std::collections::HashMap;

use jiff::civil::Date;
use serde_json::{Value, json};

use super::templates;
use super::timeline::{Day, Timeline, text};
use super::training::Activity;

/// The facts in scope while a template is filled in.
pub(super) struct FactScope<'a> {
    pub(super) timeline: Timeline<'a>,
    /// The requested day, whether or not it holds data.
    pub(super) date: Option<Date>,
    pub(super) from: Option<Date>,
    pub(super) to: Option<Date>,
    /// The number of weeks that end on `to`.
    pub(super) weeks: i64,
    pub(super) day: Option<&'a Day<'a>>,
    pub(super) activity: Option<&'a Activity>,
    row: Option<&'a Value>,
    /// Facts that were already computed, by the first segment of their path.
    known: RefCell<HashMap<String, Value>>,
}

impl<'a> FactScope<'a> {
    pub(super) fn new(timeline: Timeline<'a>) -> Self {
        Self {
            timeline,
            date: None,
            from: None,
            to: None,
            weeks: 0,
            day: None,
            activity: None,
            row: None,
            known: RefCell::default(),
        }
    }

    pub(super) fn of_day(timeline: Timeline<'a>, day: &'a Day<'a>) -> Self {
        Self {
            date: Some(day.date),
            day: Some(day),
            ..Self::new(timeline)
        }
    }

    pub(super) fn of_activity(timeline: Timeline<'a>, day: &'a Day<'a>, activity: &'a Activity) -> Self {
        Self {
            activity: Some(activity),
            ..Self::of_day(timeline, day)
        }
    }

    /// Whether a fact has content: it is neither null nor an empty list.
    pub(super) fn has(&self, fact: &str) -> bool {
        !matches!(self.fact(fact), Value::Null | Value::Bool(false))
            && self.fact(fact).as_array().is_none_or(|rows| !rows.is_empty())
    }

    /// The template with its placeholders replaced.
    pub(super) fn fill(&self, template: &Value) -> Value {
        match template {
            Value::String(text) => text
                .strip_prefix('$')
                .map_or_else(|| template.clone(), |placeholder| self.replaced(placeholder)),
            Value::Array(items) => match items.as_slice() {
                [Value::String(text), template] if text.starts_with("$each ") => {
                    self.each(text.trim_start_matches("$each "), template).into()
                }
                items => items.iter().map(|item| self.fill(item)).collect(),
            },
            Value::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(key, template)| (key.clone(), self.fill(template)))
                    .collect(),
            ),
            other => other.clone(),
        }
    }

    fn replaced(&self, placeholder: &str) -> Value {
        let Some((function, argument)) = placeholder.split_once(' ') else {
            return self.fact(placeholder);
        };
        if function == "use" {
            return templates::part(argument).map_or(Value::Null, |part| self.fill(part));
        }
        let argument = argument
            .parse::<i64>()
            .map_or_else(|_| self.fact(argument), Value::from);
        if function == "float" {
            return json!(argument.as_f64());
        }
        let (Some(day), Some(minute)) = (self.day, argument.as_i64()) else {
            return Value::Null;
        };
        let listed = |moment: jiff::civil::DateTime| moment.strftime("%Y-%m-%d %H:%M:%S").to_string();
        match function {
            "gmt" => text(day.gmt(minute)).into(),
            "local" => text(day.local(minute)).into(),
            "gmt_ms" => day.epoch_ms(minute).into(),
            "local_ms" => day.local_ms(minute).into(),
            "listed_gmt" => listed(day.gmt(minute)).into(),
            "listed_local" => listed(day.local(minute)).into(),
            "battery" => day.battery(minute).into(),
            _ => Value::Null,
        }
    }

    fn each(&self, rows: &str, template: &Value) -> Vec<Value> {
        let timeline = self.timeline;
        let of_activity = |activity| {
            self.day
                .map(|day| FactScope::of_activity(timeline, day, activity).fill(template))
        };
        match rows {
            "days" => self
                .days()
                .map(|day| FactScope::of_day(timeline, &day).fill(template))
                .collect(),
            "activities_newest_first" => {
                let activities = self.day.map_or(&[][..], |day| &day.activities);
                activities.iter().rev().filter_map(of_activity).collect()
            }
            rows => {
                let rows = self.fact(rows);
                let rows = rows.as_array().map_or(&[][..], Vec::as_slice);
                rows.iter().map(|row| self.of_row(row).fill(template)).collect()
            }
        }
    }

    fn of_row<'b>(&'b self, row: &'b Value) -> FactScope<'b> {
        FactScope {
            date: self.date,
            day: self.day,
            activity: self.activity,
            row: Some(row),
            ..FactScope::new(self.timeline)
        }
    }

    /// The days of the requested range that hold data, oldest first.
    pub(super) fn days(&self) -> impl Iterator<Item = Day<'a>> + use<'a> {
        let range = self.from.zip(self.to);
        let timeline = self.timeline;
        range
            .into_iter()
            .flat_map(move |(from, to)| timeline.days(from, to))
    }

    /// The fact at a dotted path of names; null when it does not exist.
    pub(super) fn fact(&self, path: &str) -> Value {
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        let within = |value: &Value| {
            let member = |value: &Value, name: &str| match value {
                Value::Array(items) => name.parse::<usize>().ok().and_then(|at| items.get(at).cloned()),
                value => value.get(name).cloned(),
            };
            if rest.is_empty() {
                value.clone()
            } else {
                member(value, rest).unwrap_or_default()
            }
        };
        if let Some(value) = self.row.and_then(|row| row.get(name)) {
            return within(value);
        }
        if let Some(value) = self.known.borrow().get(name) {
            return within(value);
        }
        let value = self.computed(name);
        let found = within(&value);
        self.known.borrow_mut().insert(name.to_owned(), value);
        found
    }

    fn computed(&self, name: &str) -> Value {
        let of_activity = || {
            self.day
                .zip(self.activity)
                .and_then(|(day, activity)| day.activity_fact(activity, name))
        };
        let of_day = || self.day.and_then(|day| day.fact(self.timeline, name));
        of_activity()
            .or_else(of_day)
            .or_else(|| self.person_fact(name))
            .unwrap_or_default()
    }

    /// Distances in centimetres and durations in milliseconds of the activities in the range, by sport.
    fn progress(&self) -> Value {
        let days: Vec<Day<'_>> = self.days().collect();
        let activities: Vec<&Activity> = days.iter().flat_map(|day| &day.activities).collect();
        let mut stats = serde_json::Map::new();
        for sport in ["running", "cycling", "swimming", "fitness_equipment"] {
            let of_sport = || activities.iter().filter(|activity| activity.sport.is_of(sport));
            let summed = |values: Vec<f64>| {
                let sum: f64 = values.iter().sum();
                json!({
                    "count": values.len(),
                    "sum": sum,
                    "avg": sum / values.len().max(1) as f64,
                    "min": values.iter().copied().reduce(f64::min),
                    "max": values.iter().copied().reduce(f64::max),
                })
            };
            let distances = summed(
                of_sport()
                    .filter_map(|activity| Some(activity.distance_m? * 100.0))
                    .collect(),
            );
            let durations = summed(of_sport().map(|activity| activity.duration_s * 1_000.0).collect());
            stats.insert(
                sport.to_owned(),
                json!({"distance": distances, "duration": durations}),
            );
        }
        json!({"count": activities.len(), "stats": stats})
    }

    fn person_fact(&self, name: &str) -> Option<Value> {
        let person = self.timeline.person;
        Some(match name {
            "person" => json!(person),
            "user_id" => json!(person.profile_id - person.profile_id % 1_000 + 111),
            "guid" => json!(format!("00000000-0000-4000-8000-{:012x}", person.profile_id)),
            "device_id" => json!(person.device_id()),
            "body" => json!(super::physique::Physique::of(person)),
            "fitness" => super::physique::fitness(person),
            "date" => json!(self.date),
            "from_date" => json!(self.from),
            "to_date" => json!(self.to),
            "has_days" => json!(self.days().next().is_some()),
            "zone" => json!(super::timeline::zone_name(person)),
            "activity_types" => super::training::activity_types(),
            "activity_count" => json!(self.timeline.activity_count()),
            "weighings" => self.timeline.weighings(self.from?, self.to?),
            "weighings_of_day" => self.timeline.weighings(self.date?, self.date?),
            "today" => json!(self.timeline.today),
            "progress" => self.progress(),
            "blood_pressures" => self.days().filter_map(|day| day.blood_pressure()).collect(),
            "step_weeks" => self.timeline.step_weeks(self.to?, self.weeks),
            "stress_weeks" => self.timeline.stress_weeks(self.to?, self.weeks),
            "intensity_weeks" => self.timeline.intensity_weeks(self.from?, self.to?),
            _ => return None,
        })
    }
}
