//! The facts about a day and about weeks, by the names that the templates use.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use serde_json::{Value, json};

use super::dice::{Dice, tenths, whole};
use super::night::Depth;
use super::physique::Physique;
use super::timeline::{DAY_MINUTES, Day, Doing, Timeline, ms, offset_minutes, text};
use super::training::Activity;

/// The version that body battery rows carry.
const BATTERY_VERSION: f64 = 3.0;

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

    /// Rows of `[time, value]`.
    fn readings<T: serde::Serialize>(&self, readings: &[(i64, T)]) -> Value {
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

    /// Walks that the watch detected by itself (the shape of this document is a guess).
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

    /// Levels above zero: below are the codes for "no reading".
    fn stress_levels(&self) -> Value {
        let levels: Vec<i64> = self
            .stress()
            .into_iter()
            .map(|(_, level)| level)
            .filter(|level| *level > 0)
            .collect();
        let average = mean(&levels);
        json!({
            "average": average,
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

    /// Training load of the last seven and 28 days, and its kinds over 28 days.
    fn load(&self, timeline: Timeline<'_>) -> Value {
        let since = |days: i64| -> f64 {
            let days = timeline.days(self.date.saturating_sub((days - 1).days()), self.date);
            days.map(|day| day.activities.iter().map(|activity| activity.load).sum::<f64>()).sum()
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

    fn sleep_charge(&self) -> i64 {
        self.battery(self.night.wake) - self.battery(self.night.bed)
    }

    fn battery_of_day(&self) -> Value {
        let levels: Vec<i64> = (0..=self.until).map(|minute| self.battery(minute)).collect();
        let changes = levels.windows(2).map(|pair| pair[1] - pair[0]);
        let (charged, drained) = changes.fold((0, 0), |(up, down), change| {
            (up + change.max(0), down - change.min(0))
        });
        json!({"charged": charged, "drained": drained, "highest": levels.iter().max(), "lowest": levels.iter().min()})
    }

    fn battery_level(&self) -> Value {
        let (level, feedback) = match self.battery(self.until) {
            ..=25 => ("LOW", "SLEEP_PREPARATION_RECOVERED_AND_INACTIVE"),
            26..=60 => ("MODERATE", "DAY_BALANCED_AND_ACTIVE"),
            _ => ("HIGH", "DAY_RECOVERED_AND_INACTIVE"),
        };
        json!({"level": level, "feedback": feedback})
    }

    fn battery_readings(&self, from: i64, to: i64) -> Value {
        (from..to)
            .step_by(3)
            .map(|minute| {
                json!([
                    self.epoch_ms(minute),
                    "MEASURED",
                    self.battery(minute),
                    BATTERY_VERSION
                ])
            })
            .collect()
    }

    /// What charged and drained the battery, in order of time.
    fn battery_events(&self) -> Value {
        let night = (self.night.bed, self.night.wake, self.sleep_charge(), None);
        let activities = self.activities.iter();
        let activities = activities.map(|a| (a.start, a.end(), self.battery_impact(a), Some(a)));
        std::iter::once(night)
            .chain(activities)
            .map(|(from, to, impact, activity)| self.battery_event(from, to, impact, activity))
            .collect()
    }

    fn battery_event(&self, from: i64, to: i64, impact: i64, activity: Option<&Activity>) -> Value {
        let feedback = match (activity, impact) {
            (None, 55..) => "GOOD_SLEEP",
            (None, _) => "NONE",
            (Some(activity), _) if activity.effort >= 6 => "EXERCISE_TRAINING_EFFECT_4",
            (Some(_), _) => "EXERCISE_TRAINING_EFFECT_2",
        };
        let mut stress = self.stress();
        stress.retain(|(minute, _)| (from..to).contains(minute));
        let levels: Vec<i64> = stress
            .iter()
            .map(|(_, level)| *level)
            .filter(|level| *level > 0)
            .collect();
        json!({
            "kind": if activity.is_some() { "ACTIVITY" } else { "SLEEP" },
            "from": from,
            "offset_ms": offset_minutes(self.person) * 60_000,
            "duration_ms": (to - from) * 60_000,
            "impact": impact,
            "feedback": feedback,
            "activity_name": activity.map(|activity| activity.name),
            "activity_type": activity.map(|activity| activity.sport.type_key),
            "activity_id": activity.map(|activity| activity.id),
            "average_stress": mean(&levels),
            "stress_readings": self.readings(&stress),
            "battery_readings": self.battery_readings(from, to),
        })
    }

    /// Training readiness, newest first; the entry made after waking up comes last.
    fn readiness(&self, timeline: Timeline<'_>) -> Value {
        let mut dice = Dice::on(self.person.seed, "readiness", self.date);
        let week: Vec<Day<'_>> = timeline
            .days(self.date.saturating_sub(6.days()), self.date)
            .collect();
        let load = |until_today: bool| {
            let of = |day: &Day<'_>| day.activities.iter().map(|activity| activity.load).sum::<f64>();
            let days = week.iter().filter(|day| until_today || day.date != self.date);
            days.map(of).sum::<f64>()
        };
        let hrv = mean(&week.iter().map(|day| day.night.hrv_ms).collect::<Vec<_>>());
        // Each point of training load needs some minutes of recovery; half a day has passed since yesterday's.
        let recovery = |activity: &Activity| whole(activity.load * 16.0);
        let yesterday = timeline.day(self.date.saturating_sub(1.day()));
        let rested = yesterday.map_or(0, |day| day.activities.iter().map(recovery).sum());
        let rested = (rested - 720).max(0);
        let mut entry = |minute: i64, context: &str, recovery: i64, load: f64| {
            let score = whole(self.night.score as f64 * 0.9 - recovery as f64 / 90.0) + dice.whole(-4, 6);
            let score = score.clamp(1, 100);
            let (level, feedback) = match score {
                ..=24 => ("POOR", "LET_YOUR_BODY_RECOVER"),
                25..=49 => ("LOW", "TAKE_IT_EASY"),
                50..=74 => ("MODERATE", "LISTEN_TO_YOUR_BODY"),
                75..=94 => ("HIGH", "READY_FOR_THE_DAY"),
                _ => ("PRIME", "READY_TO_GO"),
            };
            let factor = |percent: i64| match percent {
                ..=39 => "POOR",
                40..=69 => "MODERATE",
                70..=89 => "GOOD",
                _ => "VERY_GOOD",
            };
            let recovered = (100 - recovery / 40).clamp(1, 100);
            let loaded = (100 - whole(load / 18.0)).clamp(30, 100);
            let (stress, sleep) = (dice.whole(60, 95), dice.whole(55, 95));
            json!({
                "minute": minute,
                "context": context,
                "score": score,
                "level": level,
                "feedback": feedback,
                "recovery_minutes": recovery,
                "recovered": recovered,
                "loaded": loaded,
                "acute_load": whole(load),
                "stress_history": stress,
                "sleep_history": sleep,
                "hrv_ms": hrv,
                "factors": {
                    "sleep": factor(self.night.score),
                    "recovered": factor(recovered),
                    "loaded": factor(loaded),
                    "stress_history": factor(stress),
                    "sleep_history": factor(sleep),
                },
            })
        };
        let mut entries = vec![entry(self.night.wake, "AFTER_WAKEUP_RESET", rested, load(false))];
        for activity in &self.activities {
            let recovery = rested / 2 + recovery(activity);
            entries.push(entry(
                activity.end(),
                "AFTER_POST_EXERCISE_RESET",
                recovery,
                load(true),
            ));
        }
        entries.reverse();
        entries.into()
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

impl<'p> Timeline<'p> {
    /// The weeks of seven days that end on a day, oldest first: their first day and the days with data.
    fn weeks(self, end: Date, count: i64) -> impl Iterator<Item = (Date, Vec<Day<'p>>)> {
        (0..count.clamp(0, 52)).rev().map(move |back| {
            let last = end.saturating_sub((back * 7).days());
            let first = last.saturating_sub(6.days());
            (first, self.days(first, last).collect())
        })
    }

    pub(super) fn step_weeks(self, end: Date, count: i64) -> Value {
        let week = |(first, days): (Date, Vec<Day<'_>>)| {
            let steps = days.iter().map(Day::total_steps).sum::<i64>() as f64;
            let distance = days.iter().map(Day::distance_m).sum::<i64>() as f64;
            (!days.is_empty()).then(|| {
                json!({
                    "first": first,
                    "steps": steps,
                    "average_steps": steps / days.len() as f64,
                    "days": days.len(),
                    "distance_m": distance,
                    "average_distance_m": distance / days.len() as f64,
                })
            })
        };
        self.weeks(end, count).filter_map(week).collect()
    }

    pub(super) fn stress_weeks(self, end: Date, count: i64) -> Value {
        let week = |(first, days): (Date, Vec<Day<'_>>)| {
            let averages = days
                .iter()
                .filter_map(|day| day.stress_levels()["average"].as_i64());
            let average = mean(&averages.collect::<Vec<_>>());
            average.map(|value| json!({"calendarDate": first, "value": value}))
        };
        self.weeks(end, count).filter_map(week).collect()
    }

    /// Calendar weeks, which begin on Monday.
    pub(super) fn intensity_weeks(self, from: Date, to: Date) -> Value {
        let since_monday = i64::from(from.weekday().since(Weekday::Monday));
        let week = |first: Date| {
            let days: Vec<Day<'_>> = self.days(first, first.saturating_add(6.days())).collect();
            let sum =
                |of: fn(&Activity) -> i64| days.iter().flat_map(|day| &day.activities).map(of).sum::<i64>();
            (!days.is_empty()).then(|| {
                json!({
                    "first": first,
                    "moderate_minutes": sum(|activity| activity.moderate_minutes),
                    "vigorous_minutes": sum(|activity| activity.vigorous_minutes),
                })
            })
        };
        from.saturating_sub(since_monday.days())
            .series(7.days())
            .take_while(|first| *first <= to)
            .take(60)
            .filter_map(week)
            .collect()
    }

    /// The weighings of a range, newest first, and their average.
    pub(super) fn weighings(self, from: Date, to: Date) -> Value {
        let physique = Physique::of(self.person);
        let bmi = |grams: f64| tenths(grams / 1_000.0 / (physique.height_cm / 100.0).powi(2));
        let (mut list, mut sum, mut before): (Vec<Value>, f64, Option<f64>) = (Vec::new(), 0.0, None);
        for day in self.days(from, to) {
            let mut dice = day.dice("scale");
            if !dice.happens(0.45) {
                continue;
            }
            let season = (f64::from(day.date.day_of_year()) / 40.0).sin() * 900.0;
            let grams = ((physique.weight_g + season + dice.number(-500.0, 500.0)) / 100.0).round() * 100.0;
            let usual_fat = if physique.is_female() { 23.5 } else { 15.0 };
            let fat = tenths(usual_fat + season / 900.0 + dice.number(-0.4, 0.4));
            let minute = day.night.wake + dice.whole(4, 14);
            sum += grams;
            list.push(json!({
                "sample_id": day.epoch_ms(minute) + 7,
                "gmt_ms": day.epoch_ms(minute),
                "local_ms": day.local_ms(minute),
                "date": day.date,
                "grams": grams,
                "bmi": bmi(grams),
                "fat_percent": fat,
                "water_percent": tenths(73.0 * (1.0 - fat / 100.0)),
                "bone_g": (grams * 0.045).round(),
                "muscle_g": (grams * (0.955 - fat / 100.0)).round(),
                "change_g": before.map(|before| grams - before),
            }));
            before = Some(grams);
        }
        let average = (!list.is_empty()).then(|| (sum / list.len() as f64).round());
        list.reverse();
        let midnight_ms = |date: Date| ms(date.at(0, 0, 0, 0));
        json!({
            "list": list,
            "from_ms": midnight_ms(from),
            "until_ms": midnight_ms(to.saturating_add(1.day())) - 1,
            "average_g": average,
            "bmi": average.map(bmi),
        })
    }
}

/// The rounded mean; `None` of an empty list.
fn mean(numbers: &[i64]) -> Option<i64> {
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
