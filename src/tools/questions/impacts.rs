//! What the events of days, such as sleep and activities, did to the body battery.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::figures::figure;
use crate::tools::fields::at;

/// Count, impact and minutes of each kind of event.
#[derive(Default)]
pub(super) struct Impacts(BTreeMap<String, (i64, f64, f64)>);

impl Impacts {
    /// Adds one of Garmin's events.
    pub(super) fn add(&mut self, event: &Value) {
        let Some(kind) = at(event, "eventType").and_then(Value::as_str) else {
            return;
        };
        let number = |key| at(event, key).and_then(Value::as_f64).unwrap_or(0.0);
        if !self.0.contains_key(kind) {
            self.0.insert(kind.to_owned(), (0, 0.0, 0.0));
        }
        if let Some((count, impact, minutes)) = self.0.get_mut(kind) {
            *count += 1;
            *impact += number("bodyBatteryImpact");
            *minutes += number("durationInMilliseconds") / 60_000.0;
        }
    }

    /// Adds a list of events as JSON.
    pub(super) fn add_all(&mut self, events: &str) {
        let events: Vec<Value> = serde_json::from_str(events).unwrap_or_default();
        events.iter().for_each(|event| self.add(event));
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
