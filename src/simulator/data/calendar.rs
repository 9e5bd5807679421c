//! The calendar: races, and the activities that were done.

use jiff::civil::{Date, Weekday, date};
use serde_json::{Value, json};

use super::timeline::Timeline;
use super::training::RACE_MONTHS;

/// The document of a month; `None` if the path names none. Garmin counts months from zero.
pub(super) fn month(timeline: Timeline<'_>, path: &str) -> Option<Value> {
    let (year, month) = path
        .strip_prefix("/calendar-service/year/")?
        .split_once("/month/")?;
    let month: i8 = month.parse().ok().filter(|month| (0..12).contains(month))?;
    let year: i16 = year.parse().ok().filter(|year| (2000..2100).contains(year))?;
    let first = date(year, month + 1, 1);
    let race = |day: Date| {
        json!({
            "id": i64::from(year) * 100 + i64::from(month),
            "itemType": "event",
            "title": "Half marathon",
            "date": day,
            "isRace": true,
            "primaryEvent": true,
            "location": "Simulated",
            "eventTimeLocal": {"startTimeHhMm": "09:30", "timeZoneId": "Europe/Vienna"},
        })
    };
    let is_race = |day: &Date| day.weekday() == Weekday::Sunday && RACE_MONTHS.contains(&day.month());
    let mut items: Vec<Value> = first
        .series(jiff::Span::new().days(1))
        .take(7)
        .filter(is_race)
        .map(race)
        .collect();
    for day in timeline.days(first, first.last_of_month()) {
        items.extend(day.activities.iter().map(|activity| {
            json!({
                "id": activity.id,
                "itemType": "activity",
                "title": activity.name,
                "date": day.date,
                "sportTypeKey": activity.sport.type_key,
            })
        }));
    }
    Some(json!({
        "startDayOfMonth": first.weekday().to_monday_zero_offset(),
        "numOfDaysInMonth": first.days_in_month(),
        "month": month,
        "year": year,
        "calendarItems": items,
    }))
}
