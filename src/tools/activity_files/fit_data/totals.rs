//! The totals that the device computed for a session or a lap.

use serde_json::{Map, Value, json};

use crate::garmin::files::Recording;
use crate::garmin::files::fit::FitMessage;
use crate::tools::activity_files::{local_time, messages};
use crate::tools::json::rounded;

/// Our key, and the field numbers to read it from: the enhanced field first.
pub(super) type Totals = &'static [(&'static str, &'static [u8])];

pub(super) const SESSION: Totals = &[
    ("sport", &[5]),
    ("sub_sport", &[6]),
    ("total_elapsed_time_s", &[7]),
    ("total_timer_time_s", &[8]),
    ("total_distance_m", &[9]),
    ("total_calories", &[11]),
    ("avg_speed_mps", &[124, 14]),
    ("max_speed_mps", &[125, 15]),
    ("avg_power_w", &[20]),
    ("max_power_w", &[21]),
    ("normalized_power_w", &[34]),
    ("avg_cadence_rpm", &[18]),
    ("max_cadence_rpm", &[19]),
    ("avg_heart_rate_bpm", &[16]),
    ("max_heart_rate_bpm", &[17]),
    ("total_ascent_m", &[22]),
    ("total_descent_m", &[23]),
    ("total_training_effect", &[24]),
    ("total_anaerobic_training_effect", &[137]),
    ("avg_left_power_phase_start_deg", &[116]),
    ("avg_right_power_phase_start_deg", &[118]),
    ("avg_left_pco_mm", &[114]),
    ("avg_right_pco_mm", &[115]),
    ("avg_left_torque_effectiveness_pct", &[101]),
    ("avg_right_torque_effectiveness_pct", &[102]),
    ("avg_left_pedal_smoothness_pct", &[103]),
    ("avg_right_pedal_smoothness_pct", &[104]),
];

pub(super) const LAP: Totals = &[
    ("total_elapsed_time_s", &[7]),
    ("total_timer_time_s", &[8]),
    ("total_distance_m", &[9]),
    ("avg_speed_mps", &[110, 13]),
    ("max_speed_mps", &[111, 14]),
    ("avg_power_w", &[19]),
    ("normalized_power_w", &[33]),
    ("avg_cadence_rpm", &[17]),
    ("avg_heart_rate_bpm", &[15]),
    ("max_heart_rate_bpm", &[16]),
    ("avg_left_pco_mm", &[100]),
    ("avg_right_pco_mm", &[101]),
    ("avg_left_torque_effectiveness_pct", &[91]),
    ("avg_right_torque_effectiveness_pct", &[92]),
    ("avg_left_pedal_smoothness_pct", &[93]),
    ("avg_right_pedal_smoothness_pct", &[94]),
    ("total_ascent_m", &[21]),
    ("total_descent_m", &[22]),
];

/// The field of the left-right balance, in hundredths of a percent.
pub(super) const SESSION_BALANCE: u8 = 37;
pub(super) const LAP_BALANCE: u8 = 34;

/// The totals of a session or a lap.
pub(super) fn totals(
    message: &FitMessage<'_>,
    keys: Totals,
    balance: u8,
    recording: &Recording,
    start_s: f64,
) -> Map<String, Value> {
    let mut told = Map::new();
    let start = message
        .time_of(2)
        .and_then(|at_s| local_time(recording, at_s - start_s));
    told.extend(start.map(|start| ("start_time".to_owned(), json!(start))));
    for (key, fields) in keys {
        let value = fields
            .iter()
            .find_map(|field| messages::value(message.number, message.field(*field)?));
        told.extend(value.map(|value| ((*key).to_owned(), value)));
    }
    if let Some(left) = message.number(balance).and_then(left_percent) {
        told.insert("avg_left_power_pct".to_owned(), rounded(left, 1));
        told.insert("avg_right_power_pct".to_owned(), rounded(100.0 - left, 1));
    }
    let number = |key: &str| told.get(key).and_then(Value::as_f64);
    let powers = number("normalized_power_w").zip(number("avg_power_w"));
    if let Some((normalized, average)) = powers.filter(|(_, average)| *average > 0.0) {
        told.insert("variability_index".to_owned(), rounded(normalized / average, 3));
    }
    told
}

/// The left leg's share. A bit says which leg the value stands for.
fn left_percent(raw: f64) -> Option<f64> {
    const RIGHT: f64 = 32_768.0;
    let (share, is_right) = if raw >= RIGHT {
        (raw - RIGHT, true)
    } else {
        (raw, false)
    };
    let percent = share / 100.0;
    (0.0..=100.0)
        .contains(&percent)
        .then_some(if is_right { 100.0 - percent } else { percent })
}
