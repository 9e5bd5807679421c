//! A person's weekly totals and weigh-ins.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use serde_json::{Value, json};

use super::day_facts::mean;
use super::dice::tenths;
use super::physique::Physique;
use super::timeline::{Day, Timeline, ms};
use super::training::Activity;

impl<'p> Timeline<'p> {
    /// The last `count` seven-day weeks up to `end`, oldest first: the first day of each, and its days with data.
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
                .filter_map(|day| day.stress_levels().get("average")?.as_i64());
            let average = mean(&averages.collect::<Vec<_>>());
            average.map(|value| json!({"calendarDate": first, "value": value}))
        };
        self.weeks(end, count).filter_map(week).collect()
    }

    /// Totals of calendar weeks, which begin on Monday.
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

    /// The weigh-ins of a range, newest first, and their average.
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
