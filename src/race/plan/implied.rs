//! What the name of a race implies: its distance, its fixed time, its legs.

use super::PlanLeg;
use crate::race::sport::{LegKind, RaceKind};

/// The distance in metres that a common race name implies: "marathon", "70.3", "100 km", "50 miles".
pub(super) fn distance_m(type_text: &str) -> Option<f64> {
    let text = type_text.to_lowercase();
    let text = text.trim();
    let named = NAMED_DISTANCES.into_iter().find(|(name, _)| *name == text);
    named
        .map(|(_, metres)| metres)
        .or_else(|| measured(text, &DISTANCE_UNITS).filter(|m| (100.0..=2_000_000.0).contains(m)))
}

const NAMED_DISTANCES: [(&str, f64); 9] = [
    ("marathon", 42_195.0),
    ("half marathon", 21_097.5),
    ("half-marathon", 21_097.5),
    ("half_marathon", 21_097.5),
    ("70.3", 113_000.0),
    ("ironman 70.3", 113_000.0),
    ("ironman", 226_000.0),
    ("140.6", 226_000.0),
    ("olympic triathlon", 51_500.0),
];

const DISTANCE_UNITS: [(&str, f64); 9] = [
    ("km", 1000.0),
    ("k", 1000.0),
    ("kilometre", 1000.0),
    ("kilometres", 1000.0),
    ("kilometer", 1000.0),
    ("kilometers", 1000.0),
    ("miles", 1609.344),
    ("mile", 1609.344),
    ("mi", 1609.344),
];

const TIME_UNITS: [(&str, f64); 5] = [
    ("h", 3600.0),
    ("hours", 3600.0),
    ("hour", 3600.0),
    ("hrs", 3600.0),
    ("hr", 3600.0),
];

/// The duration in seconds of a race over a fixed time: "24 h", "12-hour run".
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most six days in seconds"
)]
pub(super) fn time_s(type_text: &str) -> Option<u32> {
    measured(&type_text.to_lowercase(), &TIME_UNITS)
        .filter(|s| (3600.0..=518_400.0).contains(s))
        .map(|s| s as u32)
}

/// The first number in `text` that is followed by one of the units, converted to the base unit.
fn measured(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let bare = text.replace(['-', '_'], " ");
    let mut rest = bare.as_str();
    while let Some(from) = rest.find(|c: char| c.is_ascii_digit()) {
        let number = rest.get(from..)?;
        let length = number
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(number.len());
        let (digits, after) = number.split_at_checked(length)?;
        let word: String = after
            .trim_start()
            .chars()
            .take_while(|c| c.is_alphabetic())
            .collect();
        let unit = units.iter().find(|(unit, _)| *unit == word);
        if let (Ok(value), Some((_, base))) = (digits.parse::<f64>(), unit) {
            return Some(value * base);
        }
        rest = after;
    }
    None
}

/// Swim, bike and run of the usual triathlons, in metres.
const TRIATHLONS: [[f64; 3]; 4] = [
    [750.0, 20_000.0, 5000.0],
    [1500.0, 40_000.0, 10_000.0],
    [1900.0, 90_000.0, 21_097.5],
    [3800.0, 180_000.0, 42_195.0],
];

/// The whole of a usual triathlon may differ from the sum of its legs by this share.
const SAME_RACE: f64 = 0.03;

/// The legs of a usual triathlon of this length; empty for another race.
pub(super) fn legs(kind: RaceKind, whole_m: Option<f64>) -> Vec<PlanLeg> {
    let (RaceKind::Triathlon, Some(whole_m)) = (kind, whole_m) else {
        return Vec::new();
    };
    let usual = TRIATHLONS.into_iter().find(|legs| {
        let sum_m: f64 = legs.iter().sum();
        (sum_m / whole_m - 1.0).abs() <= SAME_RACE
    });
    let kinds = [LegKind::Swim, LegKind::Ride, LegKind::Run];
    let leg = |(kind, distance_m)| PlanLeg {
        kind,
        distance_m,
        target_s: None,
    };
    usual.map_or_else(Vec::new, |legs| kinds.into_iter().zip(legs).map(leg).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_imply_distance_time_and_legs() {
        for (text, metres, seconds) in [
            ("marathon", Some(42_195.0), None),
            ("Ironman 70.3", Some(113_000.0), None),
            ("trail run 100 km", Some(100_000.0), None),
            ("50k", Some(50_000.0), None),
            ("100-mile ultra", Some(160_934.4), None),
            ("24 h", None, Some(86_400)),
            ("12-hour run", None, Some(43_200)),
            ("trail run", None, None),
            ("140.6", Some(226_000.0), None),
        ] {
            assert_eq!((distance_m(text), time_s(text)), (metres, seconds), "{text}");
        }
        let legs = legs(RaceKind::Triathlon, Some(113_000.0));
        assert_eq!((legs.len(), legs[1].distance_m), (3, 90_000.0));
        assert!(super::legs(RaceKind::Triathlon, Some(70_000.0)).is_empty());
    }
}
