//! Dates, times and numbers as a language writes them.

use jiff::Zoned;
use jiff::civil::Date;

use super::fill::fill;
use super::table::SiteWords;

impl SiteWords {
    /// Day and month, without the year.
    pub(super) fn day_of_month(&self, date: Date) -> String {
        let month = usize::try_from(date.month() - 1).unwrap_or_default();
        let month = self.months.get(month).copied().unwrap_or_default();
        let day = match date.day() {
            1 => self.first_of_month.to_owned(),
            day => day.to_string(),
        };
        fill(self.date, &[("day", &day), ("month", month)])
    }

    /// A date with its year.
    pub(in crate::web) fn full_date(&self, date: Date) -> String {
        let values = [
            ("date", self.day_of_month(date)),
            ("year", date.year().to_string()),
        ];
        fill(
            self.full_date,
            &values.each_ref().map(|(name, value)| (*name, value.as_str())),
        )
    }

    /// A date with its year, and the time of day.
    pub(in crate::web) fn date_and_time(&self, at: &Zoned) -> String {
        let values = [
            ("date", self.full_date(at.date())),
            ("time", at.strftime("%H:%M").to_string()),
        ];
        fill(
            self.date_and_time,
            &values.each_ref().map(|(name, value)| (*name, value.as_str())),
        )
    }

    /// A whole number with the language's thousands separators.
    pub(in crate::web) fn number(&self, number: u64) -> String {
        let digits = number.to_string();
        if digits.len() < self.apart_from_digits {
            return digits;
        }
        let mut text = String::with_capacity(digits.len() + 6);
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                text.push(self.thousands);
            }
            text.push(digit);
        }
        text
    }
}
