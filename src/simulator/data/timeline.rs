//! A person's days: which of them hold data, and what happens on each.

use jiff::civil::{Date, date};
use jiff::{ToSpan, tz::TimeZone};

use super::PersonSeed;
use super::dice::{Dice, whole};
use super::night::Night;
use super::training::{Activity, planned};

pub(super) const DAY_MINUTES: i64 = 24 * 60;
/// The watch has sent today's data up to this minute after midnight.
const SENT_TODAY: i64 = 12 * 60;

/// A person's days up to today.
#[derive(Clone, Copy)]
pub(super) struct Timeline<'p> {
    pub(super) person: &'p PersonSeed,
    pub(super) today: Date,
}

/// One day that holds data. Minutes count from local midnight; the evening before is negative.
pub(super) struct Day<'p> {
    pub(super) person: &'p PersonSeed,
    pub(super) date: Date,
    /// The end of the data: midnight, or noon for today.
    pub(super) until: i64,
    /// The night that ended on this day.
    pub(super) night: Night,
    /// The start of the next night, in minutes.
    pub(super) next_bed: i64,
    pub(super) activities: Vec<Activity>,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Doing {
    Sleeping,
    Nothing,
    /// The index of the activity in `activities`.
    Training(usize),
}

impl<'p> Timeline<'p> {
    /// The day on which the person got the watch.
    pub(super) fn first_day(self) -> Date {
        date(2022, 3, 1).saturating_add(Dice::of(self.person.seed, "first day").whole(0, 300).days())
    }

    /// How many activities the person has recorded up to today.
    pub(super) fn activity_count(self) -> usize {
        let days = self
            .first_day()
            .series(1.day())
            .take_while(|date| *date < self.today);
        let past: usize = days.map(|date| planned(self.person, date).len()).sum();
        past + self.day(self.today).map_or(0, |day| day.activities.len())
    }

    /// The day's data; `None` before the first day and after today.
    pub(super) fn day(self, date: Date) -> Option<Day<'p>> {
        if date < self.first_day() || date > self.today {
            return None;
        }
        let person = self.person;
        let until = if date == self.today {
            SENT_TODAY
        } else {
            DAY_MINUTES
        };
        let mut activities = planned(person, date);
        activities.retain(|activity| activity.end() <= until);
        let tomorrow = date.saturating_add(1.day());
        Some(Day {
            person,
            date,
            until,
            night: Night::of(person, date),
            next_bed: Night::of(person, tomorrow).bed + DAY_MINUTES,
            activities,
        })
    }

    /// The days of a range that hold data, oldest first.
    pub(super) fn days(self, from: Date, to: Date) -> impl Iterator<Item = Day<'p>> {
        let from = from.max(self.first_day());
        let to = to.min(self.today);
        from.series(1.day())
            .take_while(move |date| *date <= to)
            .filter_map(move |date| self.day(date))
    }
}

impl Day<'_> {
    pub(super) fn resting_bpm(&self) -> i64 {
        resting_bpm(self.person, self.date)
    }

    /// The average resting heart rate over the last seven days.
    pub(super) fn resting_bpm_of_week(&self) -> i64 {
        let of = |back: i64| resting_bpm(self.person, self.date.saturating_sub(back.days()));
        whole((0..7).map(of).sum::<i64>() as f64 / 7.0)
    }

    pub(super) fn doing(&self, minute: i64) -> Doing {
        if minute < self.night.wake || minute >= self.next_bed {
            return Doing::Sleeping;
        }
        let under_way = |activity: &Activity| (activity.start..activity.end()).contains(&minute);
        self.activities
            .iter()
            .position(under_way)
            .map_or(Doing::Nothing, Doing::Training)
    }

    /// The body battery at this minute. It charges from bedtime to wake-up and drains from wake-up to bedtime, four
    /// times as fast during training.
    pub(super) fn battery(&self, minute: i64) -> i64 {
        let (before, after) = (
            charge(self.person, self.date, -1),
            charge(self.person, self.date, 1),
        );
        let here = charge(self.person, self.date, 0);
        let between = |from: (i64, f64), to: (i64, f64)| {
            let part = (minute - from.0) as f64 / (to.0 - from.0).max(1) as f64;
            whole(from.1 + (to.1 - from.1) * part)
        };
        if minute < self.night.wake {
            return between((self.night.bed, before.low), (self.night.wake, here.peak));
        }
        if minute >= self.next_bed {
            // The coming night ends on the next day, at its wake-up time.
            let wake = Night::of(self.person, self.date.saturating_add(1.day())).wake + DAY_MINUTES;
            return between((self.next_bed, here.low), (wake, after.peak));
        }
        let part = self.effort(minute) / self.effort(self.next_bed);
        whole(here.peak - (here.peak - here.low) * part)
    }

    /// The change of the body battery during an activity, which is negative.
    pub(super) fn battery_impact(&self, activity: &Activity) -> i64 {
        self.battery(activity.end()) - self.battery(activity.start)
    }

    /// Minutes since waking up; minutes of training count four times.
    fn effort(&self, minute: i64) -> f64 {
        let trained = |activity: &Activity| (minute.min(activity.end()) - activity.start).max(0);
        (minute - self.night.wake + 3 * self.activities.iter().map(trained).sum::<i64>()) as f64
    }

    /// A minute of this day as local wall time.
    pub(super) fn local(&self, minute: i64) -> jiff::civil::DateTime {
        self.date.at(0, 0, 0, 0).saturating_add(minute.minutes())
    }

    /// A minute of this day in UTC.
    pub(super) fn gmt(&self, minute: i64) -> jiff::civil::DateTime {
        self.local(minute - offset_minutes(self.person))
    }

    /// A minute of this day as epoch milliseconds.
    pub(super) fn epoch_ms(&self, minute: i64) -> i64 {
        ms(self.gmt(minute))
    }

    /// A local minute as Garmin's "local" epoch milliseconds: wall time treated as if it were UTC.
    pub(super) fn local_ms(&self, minute: i64) -> i64 {
        ms(self.local(minute))
    }
}

struct Charge {
    /// The battery level at wake-up.
    peak: f64,
    /// The battery level at bedtime.
    low: f64,
}

fn charge(person: &PersonSeed, date: Date, days: i64) -> Charge {
    let mut dice = Dice::on(person.seed, "battery", date.saturating_add(days.days()));
    Charge {
        peak: dice.number(72.0, 99.0),
        low: dice.number(8.0, 30.0),
    }
}

fn resting_bpm(person: &PersonSeed, date: Date) -> i64 {
    let base = Dice::of(person.seed, "resting").number(45.0, 56.0);
    // Fitness varies with the season.
    let season = (f64::from(date.day_of_year()) / 58.0).sin() * 2.0;
    whole(base + season + Dice::on(person.seed, "resting", date).number(-1.6, 1.6))
}

/// The person's UTC offset. There is no summer time, so every day has 24 hours.
pub(super) fn offset_minutes(person: &PersonSeed) -> i64 {
    match person.unit_system.as_str() {
        "statute_us" => -5 * 60,
        "statute_uk" => 0,
        _ => 60,
    }
}

/// The name of the zone with that offset. The sign in `Etc` names is inverted: `Etc/GMT-1` is one hour ahead of UTC.
pub(super) fn zone_name(person: &PersonSeed) -> String {
    format!("Etc/GMT{:+}", -offset_minutes(person) / 60)
}

/// A UTC moment as epoch milliseconds.
pub(super) fn ms(moment: jiff::civil::DateTime) -> i64 {
    moment
        .to_zoned(TimeZone::UTC)
        .map_or(0, |zoned| zoned.timestamp().as_millisecond())
}

/// Formats as `2026-01-08T06:00:00.0`, the form that most documents use.
pub(super) fn text(moment: jiff::civil::DateTime) -> String {
    format!("{moment}.0")
}

#[cfg(test)]
mod tests {
    use super::super::tests::ann;
    use super::*;

    #[test]
    fn only_days_from_the_first_to_today_hold_data() {
        let person = ann();
        let life = Timeline {
            person: &person,
            today: date(2026, 1, 8),
        };
        assert!(life.day(date(2026, 1, 9)).is_none());
        assert!(life.day(life.first_day().yesterday().unwrap()).is_none());
        assert_eq!(life.day(life.first_day()).unwrap().until, DAY_MINUTES);
        assert_eq!(life.day(date(2026, 1, 8)).unwrap().until, SENT_TODAY);
        assert_eq!(life.days(date(2026, 1, 5), date(2026, 2, 1)).count(), 4);
    }

    #[test]
    fn the_battery_charges_by_night_drains_by_day_and_does_not_jump_at_midnight() {
        let person = ann();
        let life = Timeline {
            person: &person,
            today: date(2026, 2, 1),
        };
        let mut last = None;
        for day in life.days(date(2026, 1, 1), date(2026, 1, 20)) {
            assert!(day.battery(day.night.wake) > day.battery(0));
            assert!(day.battery(day.next_bed - 1) < day.battery(day.night.wake));
            assert!(
                last.is_none_or(|level: i64| level == day.battery(0)),
                "{}",
                day.date
            );
            last = Some(day.battery(DAY_MINUTES));
            assert!(
                day.activities
                    .iter()
                    .all(|activity| day.battery_impact(activity) < 0)
            );
        }
    }
}
