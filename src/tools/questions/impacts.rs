//! What the events of days, such as sleep and activities, did to the body battery.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::figures::figure;
use crate::tools::fields::at;

/// Count, impact and minutes of each kind of event.
#[derive(Default)]
pub(super) struct Impacts(BTreeMap<String, (i64, f64, f64)>);

/// An event as the history keeps it. The members have Garmin's names.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeptEvent<'a> {
    #[serde(borrow)]
    event_type: Option<Cow<'a, str>>,
    body_battery_impact: Option<f64>,
    duration_in_milliseconds: Option<f64>,
}

impl Impacts {
    /// Adds an event as Garmin sends it.
    pub(super) fn add(&mut self, event: &Value) {
        let number = |key| at(event, key).and_then(Value::as_f64);
        if let Some(kind) = at(event, "eventType").and_then(Value::as_str) {
            let milliseconds = number("durationInMilliseconds");
            self.count(kind, number("bodyBatteryImpact"), milliseconds);
        }
    }

    /// Adds a list of events as the history keeps it. A question about years reads thousands of events, so lists of the
    /// usual form are parsed without building JSON documents.
    pub(super) fn add_all(&mut self, events: &str) {
        if let Ok(events) = serde_json::from_str::<Vec<KeptEvent<'_>>>(events) {
            for event in &events {
                if let Some(kind) = &event.event_type {
                    self.count(kind, event.body_battery_impact, event.duration_in_milliseconds);
                }
            }
            return;
        }
        let events: Vec<Value> = serde_json::from_str(events).unwrap_or_default();
        for event in &events {
            self.add(event);
        }
    }

    fn count(&mut self, kind: &str, points: Option<f64>, milliseconds: Option<f64>) {
        if !self.0.contains_key(kind) {
            self.0.insert(kind.to_owned(), (0, 0.0, 0.0));
        }
        if let Some((count, impact, minutes)) = self.0.get_mut(kind) {
            *count += 1;
            *impact += points.unwrap_or(0.0);
            *minutes += milliseconds.unwrap_or(0.0) / 60_000.0;
        }
    }

    /// How much each kind of event charged or drained the body battery, the largest drain first.
    pub(super) fn told(&self) -> Value {
        let mut sums: Vec<_> = self.0.iter().collect();
        sums.sort_by(|a, b| a.1.1.total_cmp(&b.1.1));
        sums.into_iter()
            .map(|(kind, (count, impact, minutes))| {
                json!({
                    "event": kind.to_lowercase(),
                    "count": count,
                    "impact": figure(*impact, 0),
                    "per_hour": if *minutes > 0.0 { figure(impact / minutes * 60.0, 1) } else { Value::Null },
                })
            })
            .collect()
    }
}
