//! The calendar: an event on the first Sunday of each month, and the activities that were done.

use jiff::civil::{Date, Weekday, date};
use serde_json::{Value, json};

use super::timeline::Timeline;
use super::training::RACE_MONTHS;

/// The document of a month; `None` if the path is not that of a month. Garmin counts months from zero.
pub(super) fn month(timeline: Timeline<'_>, path: &str) -> Option<Value> {
    let (year, month) = path
        .strip_prefix("/calendar-service/year/")?
        .split_once("/month/")?;
    let month: i8 = month.parse().ok().filter(|month| (0..12).contains(month))?;
    let year: i16 = year.parse().ok().filter(|year| (2000..2100).contains(year))?;
    let first = date(year, month + 1, 1);
    let event = |day: Date| {
        let is_race = RACE_MONTHS.contains(&day.month());
        json!({
            "id": i64::from(year) * 100 + i64::from(month),
            "itemType": "event",
            "title": if is_race { "Half marathon" } else { "Club breakfast" },
            "date": day,
            "isRace": is_race,
            "primaryEvent": is_race,
            "location": "Simulated",
            "eventTimeLocal": {"startTimeHhMm": "09:30", "timeZoneId": "Europe/Vienna"},
        })
    };
    let days = first.series(jiff::Span::new().days(1)).take(7);
    let mut items: Vec<Value> = days
        .filter(|day| day.weekday() == Weekday::Sunday)
        .map(event)
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
