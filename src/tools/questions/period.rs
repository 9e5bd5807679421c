//! A period in words, and its division into days, weeks, months or weekdays.

use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan};
use serde_json::{Value, json};

use crate::tools::answer::AnswerError;
use crate::tools::call::ToolCall;
use crate::tools::days::{Edge, day, no_such_day};
use crate::tools::garmin_get::GarminGet;
use crate::tools::parameter::Parameter;

/// The longest period. Garmin is asked in parts of a few weeks, so a longer one would take minutes.
const MOST_DAYS: i64 = 1_100;

const FORM: &str = "-8w, -90d, -3m or -1y (up to today), this or last week, month or year, a day, or two days as \
                    2026-01-01..2026-03-31";

pub(super) const fn range(default: &'static str) -> Parameter {
    Parameter::text(
        "range",
        "-8w, -90d, -3m, -1y, this week, last month, this year, or 2026-01-01..2026-03-31",
        default,
    )
}

/// The argument `date`; today when it is left out.
pub(super) fn date(call: &ToolCall) -> Date {
    call.day("date").unwrap_or(call.today)
}

/// An optional request about the argument `date`.
pub(super) fn of_date(call: &ToolCall, template: &str) -> GarminGet {
    GarminGet::of(template, |_| date(call).to_string()).optional()
}

/// The first and the last day of a range, neither of them in the future.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) first: Date,
    pub(super) last: Date,
}

impl Period {
    /// The period that the argument `range` describes.
    pub(super) fn of(call: &ToolCall) -> Result<Self, AnswerError> {
        Self::of_argument(call, "range")
    }

    pub(super) fn of_argument(call: &ToolCall, name: &str) -> Result<Self, AnswerError> {
        let text = call.text(name);
        let refused = |why: &str| AnswerError::Argument(format!("{name} {text:?} {why}: give {FORM}"));
        let period = Self::parse(&text, call.today).ok_or_else(|| {
            let mut ends = text.split("..").flat_map(|part| part.split(" to "));
            match ends.find_map(no_such_day) {
                Some(why) => AnswerError::Argument(format!("{name} {text:?}: {why}")),
                None => refused("is not a period"),
            }
        })?;
        if period.first > call.today {
            return Err(refused("begins in the future"));
        }
        if period.first > period.last {
            return Err(refused("ends before it begins"));
        }
        let period = Self {
            last: period.last.min(call.today),
            ..period
        };
        if period.days() > MOST_DAYS {
            return Err(refused("is longer than three years"));
        }
        Ok(period)
    }

    /// The given number of days up to `today`, which is included.
    pub(super) fn up_to(today: Date, days: i64) -> Self {
        Self {
            first: today.saturating_sub((days - 1).days()),
            last: today,
        }
    }

    fn parse(text: &str, today: Date) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let now = || today;
        let january = |year: i16| Date::new(year, 1, 1).ok();
        match text.as_str() {
            "this year" => {
                return Some(Self {
                    first: january(today.year())?,
                    last: today,
                });
            }
            "last year" => {
                let first = january(today.year() - 1)?;
                return Some(Self {
                    first,
                    last: first.last_of_year(),
                });
            }
            _ => {}
        }
        if let Some((first, last)) = text.split_once("..").or_else(|| text.split_once(" to ")) {
            return Some(Self {
                first: day(first, Edge::First, &now)?,
                last: day(last, Edge::Last, &now)?,
            });
        }
        if let Some((first, last)) = day(&text, Edge::First, &now).zip(day(&text, Edge::Last, &now))
            && !text.starts_with('-')
        {
            return Some(Self { first, last });
        }
        let first = today.checked_sub(back(&text)?).ok()?.tomorrow().ok()?;
        Some(Self { first, last: today })
    }

    pub(super) fn days(self) -> i64 {
        i64::from((self.last - self.first).get_days()) + 1
    }

    /// Consecutive parts of at most `most` days.
    pub(super) fn windows(self, most: i64) -> impl Iterator<Item = Period> {
        self.first
            .series(most.days())
            .take_while(move |first| *first <= self.last)
            .map(move |first| Period {
                first,
                last: first.saturating_add((most - 1).days()).min(self.last),
            })
    }

    pub(super) fn told(self) -> Value {
        json!({"start": self.first, "end": self.last, "days": self.days()})
    }
}

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.first == self.last {
            return write!(f, "{}", self.first);
        }
        write!(f, "{} to {}", self.first, self.last)
    }
}

/// `-8w`, `8 weeks` or `last 8 weeks` as a span.
fn back(text: &str) -> Option<Span> {
    let text = text
        .trim_start_matches("last ")
        .trim_start_matches("past ")
        .trim_start_matches('-');
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let number: i64 = number
        .parse()
        .ok()
        .filter(|number| (1..=10_000).contains(number))?;
    match unit.trim() {
        "d" | "day" | "days" => Some(number.days()),
        "w" | "week" | "weeks" => Some(number.weeks()),
        "m" | "month" | "months" => Some(number.months()),
        "y" | "year" | "years" => Some(number.years()),
        _ => None,
    }
}

/// How a period is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Division {
    Day,
    /// Weeks from Monday to Sunday.
    Week,
    Month,
    /// All Mondays together, and so on; and the days from Monday to Friday against the weekend.
    Weekday,
}

impl Division {
    /// The argument `by`. `auto` gives at most about 30 rows.
    pub(super) fn of(call: &ToolCall, period: Period) -> Self {
        match call.text("by").as_str() {
            "day" => Division::Day,
            "week" => Division::Week,
            "month" => Division::Month,
            "weekday" => Division::Weekday,
            _ if period.days() <= 31 => Division::Day,
            _ if period.days() <= 200 => Division::Week,
            _ => Division::Month,
        }
    }

    /// The rows of a period: their names, and the days that belong to each.
    pub(super) fn rows(self, period: Period) -> Vec<(String, Rows)> {
        let dates = |step: Span, first: Date| {
            first
                .series(step)
                .take_while(|date| *date <= period.last)
                .collect::<Vec<_>>()
        };
        let since_monday = i64::from(period.first.weekday().since(Weekday::Monday));
        let monday = period.first.saturating_sub(since_monday.days());
        match self {
            Division::Day => dates(1.day(), period.first)
                .into_iter()
                .map(|date| (date.to_string(), Rows::From(date, date)))
                .collect(),
            Division::Week => dates(7.days(), monday)
                .into_iter()
                .map(|date| (date.to_string(), Rows::From(date, date.saturating_add(6.days()))))
                .collect(),
            Division::Month => dates(1.month(), period.first.first_of_month())
                .into_iter()
                .map(|date| {
                    let name = format!("{}-{:02}", date.year(), date.month());
                    (name, Rows::From(date, date.last_of_month()))
                })
                .collect(),
            Division::Weekday => {
                let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
                let single = (0_i8..).zip(days).map(|(index, name)| (name, index, index));
                let groups = [("Mon-Fri", 0, 4), ("Sat-Sun", 5, 6)];
                single
                    .chain(groups)
                    .map(|(name, from, to)| (name.to_owned(), Rows::Weekdays(from, to)))
                    .collect()
            }
        }
    }

    /// The members that say which row is which: a first day with an interval, or names.
    pub(super) fn index(self, rows: &[(String, Rows)]) -> Vec<(&'static str, Value)> {
        let names = || rows.iter().map(|(name, _)| name.clone()).collect::<Value>();
        let first = || rows.first().map_or(Value::Null, |(name, _)| json!(name));
        match self {
            Division::Day => vec![("first_day", first()), ("interval_days", json!(1))],
            Division::Week => vec![("first_week_from", first()), ("interval_days", json!(7))],
            Division::Month => vec![("month", names())],
            Division::Weekday => vec![("weekday", names())],
        }
    }
}

/// The days that belong to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    From(Date, Date),
    /// Days since Monday, from and to.
    Weekdays(i8, i8),
}

impl Rows {
    pub(super) fn hold(self, date: Date) -> bool {
        match self {
            Rows::From(first, last) => (first..=last).contains(&date),
            Rows::Weekdays(from, to) => (from..=to).contains(&date.weekday().to_monday_zero_offset()),
        }
    }
}

/// The number of missing days, and at most `most` of the periods in which they lie.
pub(super) fn gaps(period: Period, has: impl Fn(Date) -> bool, most: usize) -> (usize, Vec<String>) {
    let mut gaps: Vec<Period> = Vec::new();
    let mut missing = 0;
    for date in period
        .first
        .series(1.day())
        .take_while(|date| *date <= period.last)
    {
        if has(date) {
            continue;
        }
        missing += 1;
        match gaps.last_mut() {
            Some(gap) if gap.last.tomorrow().ok() == Some(date) => gap.last = date,
            _ => gaps.push(Period {
                first: date,
                last: date,
            }),
        }
    }
    let shown = gaps.iter().take(most).map(Period::to_string).collect();
    (missing, shown)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// This day is a Thursday.
    const TODAY: Date = date(2026, 1, 29);

    #[track_caller]
    fn check(text: &str, first: Date, last: Date) {
        assert_eq!(Period::parse(text, TODAY), Some(Period { first, last }), "{text}");
    }

    #[test]
    fn a_period_may_be_written_in_several_ways() {
        check("-1d", TODAY, TODAY);
        check("today", TODAY, TODAY);
        for text in ["-4w", "28d", "last 4 weeks", "past 28 days"] {
            check(text, date(2026, 1, 2), TODAY);
        }
        check("-1y", date(2025, 1, 30), TODAY);
        check("-3m", date(2025, 10, 30), TODAY);
        check("This Year", date(2026, 1, 1), TODAY);
        check("last year", date(2025, 1, 1), date(2025, 12, 31));
        check("this week", date(2026, 1, 26), TODAY);
        check("last month", date(2025, 12, 1), date(2025, 12, 31));
        check("2025-03-01..2025-03-09", date(2025, 3, 1), date(2025, 3, 9));
        check("2025-03-01 to yesterday", date(2025, 3, 1), date(2026, 1, 28));
        for wrong in ["", "soon", "-w", "-0d", "8x", "2026-13-01..today", "-99999999d"] {
            assert_eq!(Period::parse(wrong, TODAY), None, "{wrong}");
        }
    }

    #[test]
    fn windows_cover_every_day_once() {
        let period = Period::up_to(TODAY, 57);
        let windows: Vec<Period> = period.windows(28).collect();
        assert_eq!(
            windows.iter().map(|window| window.days()).collect::<Vec<_>>(),
            [28, 28, 1]
        );
        assert_eq!((windows[0].first, windows[2].last), (period.first, period.last));
    }

    #[test]
    fn every_day_belongs_to_its_row() {
        let period = Period::up_to(TODAY, 40);
        for division in [Division::Day, Division::Week, Division::Month] {
            let rows = division.rows(period);
            for day in period.first.series(1.day()).take(40) {
                assert_eq!(
                    rows.iter().filter(|(_, row)| row.hold(day)).count(),
                    1,
                    "{division:?} {day}"
                );
            }
        }
        let names: Vec<String> = Division::Weekday
            .rows(period)
            .into_iter()
            .filter(|(_, row)| row.hold(date(2026, 1, 31)))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["Sat", "Sat-Sun"]);
        assert_eq!(Division::Month.rows(period)[0].0, "2025-12");
    }

    #[test]
    fn gaps_are_told_as_periods() {
        let period = Period::up_to(date(2026, 1, 10), 10);
        let has = |date: Date| ![2, 3, 7].contains(&date.day());
        let (missing, gaps) = gaps(period, has, 5);
        assert_eq!(
            (missing, gaps),
            (
                3,
                vec!["2026-01-02 to 2026-01-03".to_owned(), "2026-01-07".to_owned()]
            )
        );
    }
}
