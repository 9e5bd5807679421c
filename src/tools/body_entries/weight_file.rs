//! The FIT file of a scale, the only form in which Garmin accepts a body composition.

use super::super::call::ToolCall;
use crate::garmin::files::fit::{FitValue, FitWriter, fit_time};

/// Message numbers and the kind of file, from the FIT profile.
const FILE_ID: u16 = 0;
const DEVICE_INFO: u16 = 23;
const WEIGHT_SCALE: u16 = 30;
const FILE_CREATOR: u16 = 49;
const WEIGHT_FILE: u8 = 9;

/// The figures that are stored in 16 bits: parameter, field and scale.
const SHORTS: [(&str, u8, f64); 9] = [
    ("weight", 0, 100.0),
    ("percent_fat", 1, 100.0),
    ("percent_hydration", 2, 100.0),
    ("visceral_fat_mass", 3, 100.0),
    ("bone_mass", 4, 100.0),
    ("muscle_mass", 5, 100.0),
    ("basal_met", 7, 4.0),
    ("active_met", 9, 4.0),
    ("bmi", 13, 10.0),
];

/// The figures that are stored in one byte.
const BYTES: [(&str, u8); 3] = [
    ("physique_rating", 8),
    ("metabolic_age", 10),
    ("visceral_fat_rating", 11),
];

/// A file with the figures of this call, measured at `at` and written at `now`, both in Unix seconds.
pub(super) fn weight_file(call: &ToolCall, at: i64, now: i64) -> Vec<u8> {
    let given = |name: &str| {
        let number = call.number(name).and_then(|number| number.as_f64());
        number.or_else(|| call.text(name).parse().ok())
    };
    let mut fields = Vec::new();
    for (name, field, scale) in SHORTS {
        if let Some(value) = given(name).and_then(|value| format!("{:.0}", value * scale).parse().ok()) {
            fields.push((field, FitValue::Short(value)));
        }
    }
    for (name, field) in BYTES {
        if let Some(value) = given(name).and_then(|value| format!("{value:.0}").parse().ok()) {
            fields.push((field, FitValue::Byte(value)));
        }
    }
    let mut file = FitWriter::default();
    file.message(
        FILE_ID,
        &[
            (0, FitValue::Byte(WEIGHT_FILE)),
            (4, FitValue::Whole(fit_time(now))),
        ],
    );
    file.message(FILE_CREATOR, &[(0, FitValue::Short(u16::MAX))]);
    file.timed(DEVICE_INFO, at, &[]);
    file.timed(WEIGHT_SCALE, at, &fields);
    file.finish()
}
