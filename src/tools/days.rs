//! The notations of a day that the tools accept.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

/// Describes the values that a parameter for a day up to today accepts.
pub(super) const DAY_FORM: &str = "a day as YYYY-MM-DD, or today, yesterday, -7d or 3 days ago; in a range also this week, last week, this month, last month, this year";

/// Describes the values that a parameter for a day accepts, with `tomorrow` if the day may be in the future.
pub(super) fn day_form(may_be_future: bool) -> String {
    if may_be_future {
        DAY_FORM.replace("today, yesterday", "today, tomorrow, yesterday")
    } else {
        DAY_FORM.to_owned()
    }
}

/// Whether a parameter is the start or the end of a range: `this week` begins on Monday and ends today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    /// A single day, for which weeks and months are not accepted.
    Only,
    First,
    Last,
}

impl Edge {
    /// Determined by the name of the parameter.
    pub(super) fn of(parameter: &str) -> Self {
        match parameter {
            "start_date" => Edge::First,
            "end_date" => Edge::Last,
            _ => Edge::Only,
        }
    }
}

/// Parses a day; `None` if the text is not a day.
pub(super) fn day(text: &str, edge: Edge, today: &impl Fn() -> Date) -> Option<Date> {
    let text = text.trim().to_ascii_lowercase();
    let period = |first: Date, last: Date| match edge {
        Edge::Only => None,
        Edge::First => Some(first),
        Edge::Last => Some(last),
    };
    let back = |days: i64| today().checked_sub(days.days()).ok();
    let monday = || back(i64::from(today().weekday().since(Weekday::Monday)));
    match text.as_str() {
        "today" => Some(today()),
        "yesterday" => back(1),
        "tomorrow" => today().tomorrow().ok(),
        "this week" => period(monday()?, today()),
        "last week" => period(monday()?.checked_sub(7.days()).ok()?, monday()?.yesterday().ok()?),
        "this year" => period(today().first_of_year(), today()),
        "this month" => period(today().first_of_month(), today()),
        "last month" => {
            let last = today().first_of_month().yesterday().ok()?;
            period(last.first_of_month(), last)
        }
        // The parser also accepts other ISO forms (20260108), which are invalid in Garmin's URLs.
        day if day.len() == 10 && day.get(4..5) == Some("-") => day.parse().ok(),
        other => back(days_back(other)?),
    }
}

/// The days in `-7d`, `-2w`, `3 days ago` or `1 week ago`.
fn days_back(text: &str) -> Option<i64> {
    let (number, unit) = match text.strip_prefix('-') {
        Some(short) => short.split_at_checked(short.len().checked_sub(1)?)?,
        None => text.strip_suffix(" ago")?.split_once(' ')?,
    };
    let days_of_unit = match unit {
        "d" | "day" | "days" => 1,
        "w" | "week" | "weeks" => 7,
        _ => return None,
    };
    let number = match number {
        "a" | "one" => 1,
        digits => digits.parse::<u16>().ok()?,
    };
    Some(i64::from(number) * days_of_unit)
}

/// Says why a text of the form YYYY-MM-DD is not a day, such as 2026-02-29. `None` if it is one, or has another form.
pub(super) fn no_such_day(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.trim().split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return None;
    };
    let has_form = [(year, 4), (month, 2), (day, 2)]
        .iter()
        .all(|(part, digits)| part.len() == *digits && part.bytes().all(|byte| byte.is_ascii_digit()));
    if !has_form {
        return None;
    }
    let (year, month, day): (i16, i8, i8) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let Ok(first) = Date::new(year, month, 1) else {
        return Some(format!("there is no month {month}"));
    };
    let last = first.days_in_month();
    (!(1..=last).contains(&day)).then(|| {
        let month = first.strftime("%B");
        format!("there is no {day} {month} {year}; that month has {last} days")
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn weeks_and_months_have_two_ends() {
        // 1 March 2026 is a Sunday.
        let today = || date(2026, 3, 1);
        let range = |text: &str| [Edge::First, Edge::Last].map(|edge| day(text, edge, &today).unwrap());
        assert_eq!(range("this week"), [date(2026, 2, 23), date(2026, 3, 1)]);
        assert_eq!(range("Last week"), [date(2026, 2, 16), date(2026, 2, 22)]);
        assert_eq!(range("this month"), [date(2026, 3, 1), date(2026, 3, 1)]);
        assert_eq!(range("last month"), [date(2026, 2, 1), date(2026, 2, 28)]);
        assert_eq!(range("-30d"), [date(2026, 1, 30); 2]);
        assert_eq!(day("this week", Edge::Only, &today), None);
        assert_eq!(range("this year"), [date(2026, 1, 1), date(2026, 3, 1)]);
        for (text, told) in [
            ("3 days ago", date(2026, 2, 26)),
            ("1 day ago", date(2026, 2, 28)),
            ("A week ago", date(2026, 2, 22)),
            ("2 weeks ago", date(2026, 2, 15)),
            ("-2w", date(2026, 2, 15)),
        ] {
            assert_eq!(day(text, Edge::Only, &today), Some(told), "{text}");
        }
        for wrong in [
            "-d",
            "-7",
            "7d",
            "--7d",
            "-99999d",
            "next week",
            "days ago",
            "-1 days ago",
            "3 months ago",
            "-ü",
        ] {
            assert_eq!(day(wrong, Edge::First, &today), None, "{wrong}");
        }
    }
    #[test]
    fn a_day_that_no_calendar_has_is_told() {
        let told = |text: &str| no_such_day(text).unwrap();
        assert_eq!(
            told("2026-02-29"),
            "there is no 29 February 2026; that month has 28 days"
        );
        assert_eq!(
            told(" 2024-04-31 "),
            "there is no 31 April 2024; that month has 30 days"
        );
        assert_eq!(
            told("2026-01-00"),
            "there is no 0 January 2026; that month has 31 days"
        );
        assert_eq!(told("2026-13-01"), "there is no month 13");
        assert_eq!(told("2026-00-10"), "there is no month 0");
        for fine in [
            "2024-02-29",
            "2026-1-1",
            "2026-02-29T07:00",
            "today",
            "",
            "ü026-02-29",
        ] {
            assert_eq!(no_such_day(fine), None, "{fine}");
        }
    }
}
