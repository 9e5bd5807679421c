//! Gear shifts, which electronic derailleurs record.

use serde_json::{Map, Value, json};

use super::local_time;
use crate::garmin::files::Recording;
use crate::garmin::files::fit::FitMessage;
use crate::tools::json::rounded;
use crate::tools::recordings::power::index;
use crate::tools::recordings::{Analysis, SampleQuantity, Window};

/// When a shift happened, and its members in the answer.
pub(super) type Shift = (f64, Map<String, Value>);

/// The front and the rear derailleur.
const GEAR_EVENTS: [(f64, &str); 2] = [(42.0, "front_gear_change"), (43.0, "rear_gear_change")];

/// A gear change. Its data has four bytes: rear gear, rear teeth, front gear, front teeth.
pub(super) fn shift(
    event: &FitMessage<'_>,
    cadence: Option<f64>,
    recording: &Recording,
    start_s: f64,
) -> Option<Shift> {
    let kind = event.number(0)?;
    let (_, name) = GEAR_EVENTS
        .into_iter()
        .find(|(known, _)| (*known - kind).abs() < f64::EPSILON)?;
    let at_s = event.time_s()? - start_s;
    let data = event.number(3)?;
    let byte = |place: i32| (data / 256_f64.powi(place)).floor() % 256.0;
    let [rear_number, rear_teeth, front_number, front_teeth] = [byte(0), byte(1), byte(2), byte(3)];
    let quality = match cadence {
        None => "unknown",
        Some(0.0) => "coasting",
        Some(rpm) if rpm < 70.0 => "reactive",
        Some(rpm) if rpm > 100.0 => "spun_out",
        Some(_) => "proactive",
    };
    let whole = |value: f64| {
        rounded(value, 0)
            .as_f64()
            .map_or(Value::Null, |value| json!(index(value)))
    };
    let told = json!({
        "timestamp": local_time(recording, at_s),
        "event": name,
        "cadence_at_shift_rpm": cadence.map(whole),
        "rear_gear_num": whole(rear_number),
        "front_gear_num": whole(front_number),
        "rear_teeth": whole(rear_teeth),
        "front_teeth": whole(front_teeth),
        "gear_combo": format!("{front_teeth:.0}/{rear_teeth:.0}t"),
        "quality": quality,
    });
    let Value::Object(told) = told else { return None };
    Some((at_s, told))
}

pub(super) fn shift_summary(analysis: &Analysis<'_>, shifts: &[Shift]) -> Value {
    if shifts.is_empty() {
        return json!({"total_shifts": 0, "note": "No DI2 shift events found in FIT file"});
    }
    let text = |told: &Map<String, Value>, key: &str| {
        told.get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let of = |quality: &str| {
        shifts
            .iter()
            .filter(|(_, told)| text(told, "quality") == quality)
            .count()
    };
    let percent = |count: usize| rounded(count as f64 / shifts.len() as f64 * 100.0, 1);
    let fronts = shifts
        .iter()
        .filter(|(_, told)| text(told, "event").contains("front"))
        .count();
    let mut usage: Vec<(String, usize)> = Vec::new();
    let mut terrain: Map<String, Value> = Map::new();
    for (at_s, told) in shifts {
        let combo = text(told, "gear_combo");
        match usage.iter_mut().find(|(known, _)| *known == combo) {
            Some((_, count)) => *count += 1,
            None => usage.push((combo, 1)),
        }
        let around = Window {
            from_s: *at_s,
            to_s: at_s + 1.0,
        };
        if let Some(grade) = analysis.mean(SampleQuantity::Grade, around) {
            let name = match grade.average {
                grade if grade >= 3.0 => "climbing",
                grade if grade <= -3.0 => "descending",
                _ => "flat",
            };
            let count = terrain.get(name).and_then(Value::as_u64).unwrap_or(0);
            terrain.insert(name.to_owned(), json!(count + 1));
        }
    }
    usage.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let usage: Map<String, Value> = usage
        .into_iter()
        .map(|(combo, count)| (combo, json!(count)))
        .collect();
    json!({
        "total_shifts": shifts.len(),
        "front_shifts": fronts,
        "rear_shifts": shifts.len() - fronts,
        "proactive_shifts": of("proactive"),
        "reactive_shifts": of("reactive"),
        "coasting_shifts": of("coasting"),
        "spun_out_shifts": of("spun_out"),
        "proactive_pct": percent(of("proactive")),
        "reactive_pct": percent(of("reactive")),
        "gear_usage": usage,
        "by_terrain": terrain,
    })
}
