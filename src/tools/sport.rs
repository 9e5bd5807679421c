//! Families of sports, and how the speed of each is shown.

use serde_json::{Value, json};

use super::json::rounded;

/// A lower speed counts as standing still.
const SLOWEST_MPS: f64 = 0.05;

/// A family of sports, which decides how a speed is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SportFamily {
    Run,
    Ride,
    Swim,
    Walk,
    Strength,
    Other,
}

impl SportFamily {
    pub(super) fn of(type_key: &str) -> Self {
        const WORDS: &[(&str, SportFamily)] = &[
            ("run", SportFamily::Run),
            ("swim", SportFamily::Swim),
            ("cycling", SportFamily::Ride),
            ("biking", SportFamily::Ride),
            ("bmx", SportFamily::Ride),
            ("cyclocross", SportFamily::Ride),
            ("virtual_ride", SportFamily::Ride),
            ("walking", SportFamily::Walk),
            ("hiking", SportFamily::Walk),
            ("strength", SportFamily::Strength),
        ];
        WORDS
            .iter()
            .find(|(word, _)| type_key.contains(word))
            .map_or(SportFamily::Other, |(_, family)| *family)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            SportFamily::Run => "run",
            SportFamily::Ride => "ride",
            SportFamily::Swim => "swim",
            SportFamily::Walk => "walk",
            SportFamily::Strength => "strength",
            SportFamily::Other => "other",
        }
    }

    /// A speed in m/s in the units that are usual for the sport, with the unit in the name.
    pub(super) fn speed(self, mps: Option<f64>) -> Vec<(&'static str, Value)> {
        let Some(mps) = mps.filter(|mps| *mps > SLOWEST_MPS) else {
            return Vec::new();
        };
        let kmh = ("speed_kmh", rounded(mps * 3.6, 1));
        match self {
            SportFamily::Run | SportFamily::Walk => {
                vec![("pace_min_per_km", json!(clock(1_000.0 / mps))), kmh]
            }
            SportFamily::Swim => vec![("pace_min_per_100m", json!(clock(100.0 / mps)))],
            _ => vec![kmh],
        }
    }
}

/// The time for a distance in metres at this speed, as `5:03`; `None` for standing still.
pub(super) fn pace(mps: f64, metres: f64) -> Option<String> {
    (mps > SLOWEST_MPS).then(|| clock(metres / mps))
}

/// Seconds as `1:42:01` or `5:03`.
pub(super) fn clock(seconds: f64) -> String {
    let total: i64 = format!("{:.0}", seconds.max(0.0)).parse().unwrap_or(0);
    let (hours, minutes, seconds) = (total / 3_600, total / 60 % 60, total % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_has_minutes_and_seconds() {
        assert_eq!(["5:03", "1:00:00", "0:00"], [303.4, 3_599.6, -5.0].map(clock)[..]);
        assert_eq!(pace(3.333_333, 1_000.0).as_deref(), Some("5:00"));
        assert_eq!(pace(1.25, 100.0).as_deref(), Some("1:20"));
        assert_eq!(pace(0.0, 100.0), None);
    }

    #[test]
    fn each_type_has_a_family() {
        let of = SportFamily::of;
        assert_eq!(
            [of("trail_running"), of("lap_swimming")],
            [SportFamily::Run, SportFamily::Swim]
        );
        assert_eq!(
            [of("gravel_cycling"), of("yoga")],
            [SportFamily::Ride, SportFamily::Other]
        );
    }
}
