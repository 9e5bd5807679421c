//! Body battery and training readiness of a day.

use jiff::ToSpan;
use serde_json::{Value, json};

use super::day_facts::mean;
use super::dice::{Dice, whole};
use super::timeline::{Day, Timeline, offset_minutes};
use super::training::Activity;

/// The version that body battery rows carry.
const BATTERY_VERSION: f64 = 3.0;

impl Day<'_> {
    pub(super) fn sleep_charge(&self) -> i64 {
        self.battery(self.night.wake) - self.battery(self.night.bed)
    }

    pub(super) fn battery_of_day(&self) -> Value {
        let levels: Vec<i64> = (0..=self.until).map(|minute| self.battery(minute)).collect();
        let changes = levels
            .iter()
            .zip(levels.iter().skip(1))
            .map(|(before, after)| after - before);
        let (charged, drained) = changes.fold((0, 0), |(up, down), change| {
            (up + change.max(0), down - change.min(0))
        });
        json!({"charged": charged, "drained": drained, "highest": levels.iter().max(), "lowest": levels.iter().min()})
    }

    pub(super) fn battery_level(&self) -> Value {
        let (level, feedback) = match self.battery(self.until) {
            ..=25 => ("LOW", "SLEEP_PREPARATION_RECOVERED_AND_INACTIVE"),
            26..=60 => ("MODERATE", "DAY_BALANCED_AND_ACTIVE"),
            _ => ("HIGH", "DAY_RECOVERED_AND_INACTIVE"),
        };
        json!({"level": level, "feedback": feedback})
    }

    pub(super) fn battery_readings(&self, from: i64, to: i64) -> Value {
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

    /// The events that charged and drained the battery, in chronological order.
    pub(super) fn battery_events(&self) -> Value {
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

    /// Training readiness, newest first. The entry made after waking up is therefore last.
    pub(super) fn readiness(&self, timeline: Timeline<'_>) -> Value {
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
        // Each point of training load needs 16 minutes of recovery; half a day has passed since yesterday's activities.
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
}
