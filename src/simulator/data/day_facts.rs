//! The facts about a day, by the names that the templates use.

use jiff::ToSpan;
use serde_json::{Value, json};

use super::dice::{tenths, whole};
use super::night::Depth;
use super::physique::Physique;
use super::timeline::{DAY_MINUTES, Day, Doing, Timeline, text};

impl Day<'_> {
    pub(super) fn fact(&self, timeline: Timeline<'_>, name: &str) -> Option<Value> {
        Some(match name {
            "until" => json!(self.until),
            "night" => json!(self.night),
            "day_uuid" => json!(format!("{:032x}", self.epoch_ms(0))),
            "has_activities" => json!(!self.activities.is_empty()),
            "moderate_minutes" => json!(self.activities.iter().map(|a| a.moderate_minutes).sum::<i64>()),
            "vigorous_minutes" => json!(self.activities.iter().map(|a| a.vigorous_minutes).sum::<i64>()),
            "energy" => self.energy(),
            "total_steps" => json!(self.total_steps()),
            "step_goal" => json!(self.step_goal()),
            "distance_m" => json!(self.distance_m()),
            "step_quarters" => self.step_quarters(),
            "walks" => self.walks(),
            "floors" => self.floors_climbed(),
            "floor_quarters" => self
                .floors()
                .into_iter()
                .map(
                    |(minute, (up, down))| json!({"from": minute, "to": minute + 15, "up": up, "down": down}),
                )
                .collect(),
            "lowest_bpm" => json!(self.lowest_bpm()),
            "highest_bpm" => json!(self.highest_bpm()),
            "resting_bpm" => json!(self.resting_bpm()),
            "resting_bpm_of_week" => json!(self.resting_bpm_of_week()),
            "heart_rate_readings" => self.readings(&self.heart_rates()),
            "stress" => self.stress_levels(),
            "stress_readings" => self.readings(&self.stress()),
            "breaths" => self.breath_rates(),
            "breath_readings" => self.readings(&self.breaths()),
            "spo2_of_week" => {
                let week = timeline.days(self.date.saturating_sub(6.days()), self.date);
                let levels: Vec<i64> = week.map(|day| day.night.spo2).collect();
                json!(levels.iter().sum::<i64>() as f64 / levels.len().max(1) as f64)
            }
            "spo2_hours" => (0..self.night.wake)
                .step_by(60)
                .enumerate()
                .map(|(index, minute)| {
                    json!([self.epoch_ms(minute), self.night.spo2 - i64::from(index % 3 == 1)])
                })
                .collect(),
            "hrv_of_week" => {
                let week = timeline.days(self.date.saturating_sub(6.days()), self.date);
                json!(mean(&week.map(|day| day.night.hrv_ms).collect::<Vec<_>>()))
            }
            "hrv_high" => json!(self.night.hrv_ms + 28),
            "load" => self.load(timeline),
            "hill" => {
                let mut dice = self.dice("hill");
                json!({"overall": dice.whole(30, 60), "strength": dice.whole(20, 50), "endurance": dice.whole(20, 50)})
            }
            "age" => {
                let years = i64::from(self.date.year()) - Physique::of(self.person).birth_year;
                json!({"years": years, "fitness": years as f64 - 2.37, "achievable": years as f64 - 5.12})
            }
            "sleep" => self.sleep(),
            "sleep_charge" => json!(self.sleep_charge()),
            "sleep_movement" => (self.night.bed..self.night.wake)
                .step_by(10)
                .map(|minute| {
                    let level = ((minute as f64 / 17.0).sin() + 1.0) * 1.4;
                    let hrv = self.night.hrv_ms + whole(level * 4.0);
                    json!({"from": minute, "to": minute + 10, "level": tenths(level), "hrv_ms": hrv})
                })
                .collect(),
            "battery_of_day" => self.battery_of_day(),
            "battery_level" => self.battery_level(),
            "battery_readings" => self.battery_readings(0, self.until),
            "battery_quarters" => (0..self.until)
                .step_by(15)
                .map(|minute| json!([self.epoch_ms(minute), self.battery(minute)]))
                .collect(),
            "battery_events" => self.battery_events(),
            "readiness" => self.readiness(timeline),
            "hydration" => self.hydration(),
            "habits" => self.habits(),
            _ => return None,
        })
    }

    /// JSON rows of `[time, value]`.
    pub(super) fn readings<T: serde::Serialize>(&self, readings: &[(i64, T)]) -> Value {
        readings
            .iter()
            .map(|(minute, value)| json!([self.epoch_ms(*minute), value]))
            .collect()
    }

    fn energy(&self) -> Value {
        let part = self.until as f64 / DAY_MINUTES as f64;
        let bmr = (Physique::of(self.person).bmr_kcal(self.date) * part).round();
        let trained: f64 = self.activities.iter().map(|activity| activity.calories).sum();
        let active = trained + (self.total_steps() as f64 * 0.025).round();
        let highly_active: i64 = self.activities.iter().map(|activity| activity.minutes * 60).sum();
        let walked = self.steps().iter().filter(|(_, steps)| *steps > 200).count();
        let slept = self.sleeping_s();
        let moving = (i64::try_from(walked).unwrap_or(0) * 15 * 60 - highly_active).max(0) / 2;
        json!({
            "total_kcal": bmr + active,
            "active_kcal": active,
            "bmr_kcal": bmr,
            "highly_active_s": highly_active,
            "active_s": moving,
            "sedentary_s": self.until * 60 - highly_active - moving - slept,
            "sleeping_s": slept,
        })
    }

    fn step_quarters(&self) -> Value {
        let quarter = |(minute, steps): (i64, i64)| {
            let level = match steps {
                _ if minute < self.night.wake || minute >= self.next_bed => "sleeping",
                0..=99 => "sedentary",
                100..=999 => "active",
                _ => "highlyActive",
            };
            json!({"from": minute, "to": minute + 15, "steps": steps, "level": level, "is_asleep": level == "sleeping"})
        };
        self.steps().into_iter().map(quarter).collect()
    }

    /// Walks that the watch detected automatically (the shape of this document is a guess).
    fn walks(&self) -> Value {
        self.steps()
            .iter()
            .filter(|(minute, steps)| *steps >= 300 && self.doing(*minute) == Doing::Nothing)
            .map(|(minute, steps)| json!({"from": minute, "to": minute + 15, "steps": steps}))
            .collect()
    }

    fn floors_climbed(&self) -> Value {
        let floors = self.floors();
        let up: i64 = floors.iter().map(|(_, (up, _))| up).sum();
        let down: i64 = floors.iter().map(|(_, (_, down))| down).sum();
        // Watches measure height, so the number of floors is rarely whole.
        let (up, down) = (up as f64 * 1.0421, down as f64 * 0.9873);
        json!({"up": up, "down": down, "up_m": up * 3.048, "down_m": down * 3.048})
    }

    /// Only levels above zero. Values below zero are the codes for "no reading".
    pub(super) fn stress_levels(&self) -> Value {
        let levels: Vec<i64> = self
            .stress()
            .into_iter()
            .map(|(_, level)| level)
            .filter(|level| *level > 0)
            .collect();
        let average = mean(&levels);
        // A reading every three minutes.
        let seconds =
            |from: i64, to: i64| 180 * levels.iter().filter(|level| (from..=to).contains(*level)).count();
        json!({
            "average": average,
            "rest_s": seconds(0, 25),
            "low_s": seconds(26, 50),
            "medium_s": seconds(51, 75),
            "high_s": seconds(76, 100),
            "highest": levels.iter().max(),
            "qualifier": if average > Some(38) { "STRESSFUL" } else { "BALANCED" },
        })
    }

    fn breath_rates(&self) -> Value {
        let breaths = self.breaths();
        let rates = || breaths.iter().map(|(_, rate)| *rate);
        let of = |awake: bool| -> Vec<f64> {
            let within = breaths
                .iter()
                .filter(|(minute, _)| (*minute >= self.night.wake) == awake);
            within.map(|(_, rate)| *rate).collect()
        };
        let (awake, asleep) = (of(true), of(false));
        json!({
            "lowest": rates().reduce(f64::min),
            "highest": rates().reduce(f64::max),
            "latest": rates().next_back(),
            "awake": (!awake.is_empty()).then(|| (awake.iter().sum::<f64>() / awake.len() as f64).round()),
            "asleep": (asleep.iter().sum::<f64>() / asleep.len().max(1) as f64).round(),
        })
    }

    /// Training load of the last 7 and 28 days, and its distribution by kind over 28 days.
    fn load(&self, timeline: Timeline<'_>) -> Value {
        let since = |days: i64| -> f64 {
            let days = timeline.days(self.date.saturating_sub((days - 1).days()), self.date);
            days.map(|day| day.activities.iter().map(|activity| activity.load).sum::<f64>())
                .sum()
        };
        let (acute, month) = (since(7), since(28));
        let chronic = month / 4.0;
        json!({
            "acute": whole(acute),
            "chronic": whole(chronic),
            "ratio": (acute / chronic.max(1.0) * 100.0).round() / 100.0,
            "low": tenths(month * 0.5),
            "high": tenths(month * 0.35),
            "anaerobic": tenths(month * 0.15),
        })
    }

    fn sleep(&self) -> Value {
        let night = &self.night;
        let seconds = |depth| night.minutes(depth) * 60;
        let share = |depth, low: f64, high: f64| {
            let percent = whole(night.minutes(depth) as f64 / night.asleep() as f64 * 100.0);
            json!({
                "value": percent,
                "qualifierKey": qualifier(if (low..=high).contains(&(percent as f64)) { 85 } else { 65 }),
                "optimalStart": low,
                "optimalEnd": high,
                "idealStartInSeconds": (night.asleep() * 60) as f64 * low / 100.0,
                "idealEndInSeconds": (night.asleep() * 60) as f64 * high / 100.0,
            })
        };
        json!({
            "asleep_s": night.asleep() * 60,
            "deep_s": seconds(Depth::Deep),
            "light_s": seconds(Depth::Light),
            "rem_s": seconds(Depth::Rem),
            "awake_s": seconds(Depth::Awake),
            "awakenings": night.awakenings(),
            "feedback": if night.score >= 80 { "POSITIVE_LONG_AND_DEEP" } else { "NEGATIVE_NOT_RESTORATIVE" },
            "score_qualifier": qualifier(night.score),
            "stress_qualifier": qualifier(night.score + 4),
            "rem_share": share(Depth::Rem, 21.0, 31.0),
            "light_share": share(Depth::Light, 30.0, 64.0),
            "deep_share": share(Depth::Deep, 16.0, 33.0),
            "spo2_bpm": self.resting_bpm() as f64 + 3.0,
        })
    }

    fn hydration(&self) -> Value {
        let mut dice = self.dice("hydration");
        let glasses = dice.whole(4, 10) * self.until / DAY_MINUTES;
        let last = self.night.wake + dice.whole(20, (self.until - self.night.wake - 20).min(900));
        let sweat: i64 = self.activities.iter().map(|activity| activity.minutes * 11).sum();
        json!({
            "drunk_ml": glasses as f64 * 250.0,
            "goal_ml": 2_500.0 + sweat as f64,
            "sweat_ml": sweat as f64,
            "last_minute": last,
        })
    }

    /// Logged habits (the shape of this document is a guess).
    fn habits(&self) -> Value {
        let mut dice = self.dice("habits");
        [
            ("ALCOHOL", 0.15),
            ("CAFFEINE_LATE", 0.3),
            ("LATE_MEAL", 0.25),
            ("MEDITATION", 0.2),
        ]
        .into_iter()
        .map(|(behavior, likely)| json!({"behavior": behavior, "logged": dice.happens(likely)}))
        .collect()
    }

    pub(super) fn blood_pressure(&self) -> Option<Value> {
        let mut dice = self.dice("pressure");
        let minute = self.night.wake + dice.whole(10, 40);
        let (systolic, diastolic) = (dice.whole(108, 128), dice.whole(66, 82));
        dice.happens(0.2).then(|| {
            json!({
                "date": self.date,
                "systolic": systolic,
                "diastolic": diastolic,
                "pulse_bpm": self.resting_bpm() + 9,
                "gmt_ms": self.epoch_ms(minute),
                "gmt": text(self.gmt(minute)),
                "local": text(self.local(minute)),
            })
        })
    }
}

/// The rounded mean; `None` for an empty list.
pub(super) fn mean(numbers: &[i64]) -> Option<i64> {
    (!numbers.is_empty()).then(|| whole(numbers.iter().sum::<i64>() as f64 / numbers.len() as f64))
}

fn qualifier(score: i64) -> &'static str {
    match score {
        ..=59 => "POOR",
        60..=79 => "FAIR",
        80..=89 => "GOOD",
        _ => "EXCELLENT",
    }
}
