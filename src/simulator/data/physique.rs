//! A person's body measurements. Weights, calories and distances are derived from them.

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Value, json};

use super::PersonSeed;
use super::dice::Dice;

#[derive(Serialize)]
pub(super) struct Physique {
    pub(super) weight_g: f64,
    pub(super) height_cm: f64,
    /// `FEMALE` or `MALE`.
    pub(super) gender: &'static str,
    birth_date: String,
    pub(super) birth_year: i64,
}

impl Physique {
    pub(super) fn of(person: &PersonSeed) -> Self {
        let mut dice = Dice::of(person.seed, "body");
        let female = dice.happens(0.5);
        let (low, high) = if female { (158, 178) } else { (170, 194) };
        let height_cm = dice.whole(low, high) as f64;
        let bmi = dice.number(20.5, 24.5);
        let birth_year = dice.whole(1970, 2000);
        Self {
            weight_g: (bmi * height_cm * height_cm / 10_000.0 * 10.0).round() * 100.0,
            height_cm,
            gender: if female { "FEMALE" } else { "MALE" },
            birth_date: format!("{birth_year}-04-12"),
            birth_year,
        }
    }

    pub(super) fn is_female(&self) -> bool {
        self.gender == "FEMALE"
    }

    /// Daily resting energy expenditure in kcal (Mifflin-St Jeor equation).
    pub(super) fn bmr_kcal(&self, date: Date) -> f64 {
        let age = (i64::from(date.year()) - self.birth_year) as f64;
        10.0 * self.weight_g / 1_000.0 + 6.25 * self.height_cm - 5.0 * age
            + if self.is_female() { -161.0 } else { 5.0 }
    }
}

/// The fitness figures of the user settings.
pub(super) fn fitness(person: &PersonSeed) -> Value {
    let mut dice = Dice::of(person.seed, "settings");
    let vo2max = dice.whole(42, 56);
    json!({"vo2max": vo2max, "threshold_bpm": dice.whole(164, 176)})
}

impl PersonSeed {
    /// The id of the person's watch.
    pub(super) fn device_id(&self) -> i64 {
        3_400_000_000 + i64::try_from(self.seed % 1_000_000).unwrap_or(0)
    }
}
