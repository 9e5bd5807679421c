//! Times, ages, distances and numbers in the reader's language.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::words::{PageWords, fill};
use crate::race::outlook::PlaceOutlook;

/// How times and numbers are written on one page.
#[derive(Clone, Debug)]
pub(super) struct Moments {
    pub(super) words: &'static PageWords,
    zone: TimeZone,
    now: Timestamp,
}

impl Moments {
    pub(super) fn new(words: &'static PageWords, zone: TimeZone, now: Timestamp) -> Self {
        Self { words, zone, now }
    }

    /// The time of day where the race is, such as `13:05`; with the weekday on another day than now.
    pub(super) fn at(&self, at: Timestamp) -> String {
        let (at, now) = (
            at.to_zoned(self.zone.clone()),
            self.now.to_zoned(self.zone.clone()),
        );
        let clock = format!("{:02}:{:02}", at.hour(), at.minute());
        if at.date() == now.date() {
            return clock;
        }
        let day = usize::try_from(at.weekday().to_monday_zero_offset()).unwrap_or_default();
        let weekday = self.words.weekdays.get(day).copied().unwrap_or_default();
        fill(self.words.other_day, &[("day", weekday), ("time", &clock)])
    }

    /// A length of time, such as `14 minutes`.
    pub(super) fn long(&self, seconds: f64) -> String {
        let minutes = whole(seconds / 60.0);
        match minutes {
            0 | 1 => self.words.one_minute.to_owned(),
            2..=119 => fill(self.words.minutes, &[("n", &minutes.to_string())]),
            more => fill(
                self.words.hours,
                &[("h", &(more / 60).to_string()), ("m", &(more % 60).to_string())],
            ),
        }
    }

    /// The age of a moment, such as `2 minutes ago`.
    pub(super) fn ago(&self, at: Timestamp) -> String {
        let age_s = self.now.duration_since(at).as_secs_f64();
        if age_s < 60.0 {
            return self.words.just_now.to_owned();
        }
        fill(self.words.ago, &[("long", &self.long(age_s))])
    }

    /// Kilometres with one decimal, without the unit.
    pub(super) fn km(&self, metres: f64) -> String {
        format!("{:.1}", metres / 1000.0).replace('.', &self.words.decimal.to_string())
    }

    /// A distance mark in kilometres, with a decimal only where it has one.
    pub(super) fn mark(&self, metres: f64) -> String {
        let km = metres / 1000.0;
        if (km - km.round()).abs() < 0.01 {
            format!("{km:.0}")
        } else {
            self.km(metres)
        }
    }

    /// Text with numbers, written with the decimal sign of the language.
    pub(super) fn localized(&self, text: &str) -> String {
        text.replace('.', &self.words.decimal.to_string())
    }

    /// The name of a place in the reader's language.
    pub(super) fn place_name<'a>(&self, place: &'a PlaceOutlook) -> &'a str {
        if place.name == "finish" {
            self.words.finish
        } else {
            &place.name
        }
    }

    /// The zone of the times, such as `Vienna` of `Europe/Vienna`.
    pub(super) fn zone_name(&self) -> String {
        let name = self.zone.iana_name().unwrap_or("UTC");
        let city = name.rsplit('/').next().unwrap_or(name);
        city.replace('_', " ")
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "minutes, not negative"
)]
fn whole(minutes: f64) -> u64 {
    minutes.max(0.0).floor() as u64
}
