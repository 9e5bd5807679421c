//! When the coach looks at a person's days: once a day, at the time that the person chose. Pure.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, Zoned};

use super::choice::CoachWishes;

/// How many minutes the coach waits for the data of the night if the history has not requested it yet.
const PATIENCE: u16 = 120;
/// A message that is this many minutes late is skipped: the morning's news is no news in the evening.
const LATEST: u16 = 6 * 60;
/// The wait before the same person is checked again.
const SOON: SignedDuration = SignedDuration::from_mins(5);

/// What to do about a person now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoachTurn {
    Look,
    Wait(Timestamp),
}

/// What to do now. `looked_on`: the day of the last look. `has_night`: whether the history has already requested the
/// data of last night.
pub fn turn(wishes: &CoachWishes, looked_on: Option<Date>, now: &Zoned, has_night: bool) -> CoachTurn {
    let (today, minute) = (now.date(), minute_of(now));
    if looked_on.is_some_and(|day| day >= today) || minute >= wishes.at.saturating_add(LATEST) {
        return CoachTurn::Wait(time_on(today.tomorrow().unwrap_or(today), wishes.at, now));
    }
    if minute < wishes.at {
        return CoachTurn::Wait(time_on(today, wishes.at, now));
    }
    let is_quiet = wishes.quiet.is_some_and(|quiet| quiet.holds(minute));
    if is_quiet || (!has_night && minute < wishes.at.saturating_add(PATIENCE)) {
        return CoachTurn::Wait(now.timestamp().saturating_add(SOON).unwrap_or(now.timestamp()));
    }
    CoachTurn::Look
}

/// The end of the usual quiet hours, if `now` is within them. For messages to people who chose no quiet hours.
pub fn end_of_night(now: &Zoned) -> Option<Timestamp> {
    let night = CoachWishes::default().quiet?;
    let (today, minute) = (now.date(), minute_of(now));
    if !night.holds(minute) {
        return None;
    }
    let day = if minute < night.to {
        today
    } else {
        today.tomorrow().ok()?
    };
    Some(time_on(day, night.to, now))
}

fn minute_of(now: &Zoned) -> u16 {
    u16::try_from(i32::from(now.hour()) * 60 + i32::from(now.minute())).unwrap_or(0)
}

fn time_on(day: Date, minute: u16, now: &Zoned) -> Timestamp {
    let (hour, minute) = (minute / 60, minute % 60);
    let (hour, minute) = (i8::try_from(hour).unwrap_or(0), i8::try_from(minute).unwrap_or(0));
    let at = day.at(hour, minute, 0, 0).to_zoned(now.time_zone().clone());
    at.map_or(now.timestamp(), |at| at.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::choice::MinuteSpan;

    fn at(text: &str) -> Zoned {
        let now: jiff::civil::DateTime = text.parse().unwrap();
        now.in_tz("Europe/Vienna").unwrap()
    }

    #[test]
    fn a_person_has_one_turn_a_day() {
        let wishes = CoachWishes::default();
        let wait = |text: &str| CoachTurn::Wait(at(text).timestamp());
        let turn_at = |text: &str, looked_on: Option<&str>, has_night| {
            turn(
                &wishes,
                looked_on.map(|day| day.parse().unwrap()),
                &at(text),
                has_night,
            )
        };
        assert_eq!(turn_at("2026-05-06T08:00", None, true), wait("2026-05-06T09:15"));
        assert_eq!(turn_at("2026-05-06T09:15", None, true), CoachTurn::Look);
        assert_eq!(
            turn_at("2026-05-06T09:16", Some("2026-05-06"), true),
            wait("2026-05-07T09:15")
        );
        assert_eq!(
            turn_at("2026-05-06T09:16", Some("2026-05-05"), true),
            CoachTurn::Look
        );
        // The coach waits for the data of the night, but not for ever.
        assert_eq!(turn_at("2026-05-06T09:16", None, false), wait("2026-05-06T09:21"));
        assert_eq!(turn_at("2026-05-06T11:15", None, false), CoachTurn::Look);
        // The gateway did not run in the morning.
        assert_eq!(turn_at("2026-05-06T15:14", None, true), CoachTurn::Look);
        assert_eq!(turn_at("2026-05-06T15:15", None, true), wait("2026-05-07T09:15"));
    }

    #[test]
    fn quiet_hours_delay() {
        let wishes = CoachWishes {
            quiet: Some(MinuteSpan { from: 600, to: 660 }),
            ..CoachWishes::default()
        };
        let later = CoachTurn::Wait(at("2026-05-06T10:35").timestamp());
        assert_eq!(turn(&wishes, None, &at("2026-05-06T10:30"), true), later);
        assert_eq!(
            turn(&wishes, None, &at("2026-05-06T11:00"), true),
            CoachTurn::Look
        );
    }

    #[test]
    fn a_night_ends_in_the_morning_of_the_place() {
        for (now, morning) in [
            ("2026-01-29T20:59", None),
            ("2026-01-29T21:00", Some("2026-01-30T07:00")),
            ("2026-01-30T06:59", Some("2026-01-30T07:00")),
            ("2026-01-30T07:00", None),
            // Clocks go forward in the night.
            ("2026-03-28T23:00", Some("2026-03-29T07:00")),
        ] {
            let morning = morning.map(|text| at(text).timestamp());
            assert_eq!(end_of_night(&at(now)), morning, "{now}");
        }
    }
}
