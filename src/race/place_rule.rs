//! A person's requests for alerts about places: the athlete is not there by a time, arrives, or leaves.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::garmin::livetrack::Position;

/// Maximum number of rules of one race.
pub const MOST_PLACE_RULES: usize = 20;

/// Radius in metres around a position: the default, and its bounds. In a town, receivers are off by about 20 m.
pub const USUAL_RADIUS_M: u32 = 100;
pub const RADIUS_M: (u32, u32) = (30, 5000);

/// One request. A race has at most one for the same place and event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlaceRule {
    /// What the person calls the place.
    pub name: String,
    pub place: RulePlace,
    pub event: PlaceEvent,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RulePlace {
    /// The end of the activity.
    Finish,
    /// A distance from the start. A checkpoint of the rule's name takes precedence, because checkpoints can be moved.
    Mark { at_m: f64 },
    /// A circle around a position in WGS 84 degrees, which need not lie on a course.
    Circle { lat: f64, lon: f64, radius_m: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceEvent {
    NotThereBy(Timestamp),
    Enters,
    Leaves,
}

impl PlaceRule {
    /// Identifies the rule among the alerts that were raised.
    pub fn key(&self) -> String {
        match self.event {
            PlaceEvent::NotThereBy(at) => format!("overdue:{}:{}", self.name, at.as_second()),
            PlaceEvent::Enters => format!("enters:{}", self.name),
            PlaceEvent::Leaves => format!("leaves:{}", self.name),
        }
    }

    /// The time of a rule that waits for one.
    pub fn due_at(&self) -> Option<Timestamp> {
        match self.event {
            PlaceEvent::NotThereBy(at) => Some(at),
            PlaceEvent::Enters | PlaceEvent::Leaves => None,
        }
    }
}

/// A position as `46.62, 14.31`, in degrees.
pub fn read_position(text: &str) -> Option<Position> {
    let (lat, lon) = text.split_once(',')?;
    let degrees = |text: &str, most: f64| {
        let degrees: f64 = text.trim().parse().ok()?;
        (-most..=most).contains(&degrees).then_some(degrees)
    };
    Some(Position {
        lat: degrees(lat, 90.0)?,
        lon: degrees(lon, 180.0)?,
    })
}

/// A distance from the start as `31.5`, `31.5 km` or `km 31.5`, in metres.
pub fn read_kilometres(text: &str) -> Option<f64> {
    let bare = text.to_lowercase().replace("km", "");
    let bare = bare.trim().replace(',', ".");
    let is_plain = bare.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let km: f64 = bare.parse().ok().filter(|_| is_plain)?;
    (0.0..=2000.0).contains(&km).then_some(km * 1000.0)
}

/// Why a time can't be waited for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDueTime {
    #[error(
        "must be a time of day such as 18:00, a local time such as 2026-10-04 18:00, or a time with its offset"
    )]
    Unreadable,
    #[error("{0} has already passed")]
    Past(String),
    #[error("{clock} has just passed today; give a later time, or \"{tomorrow}\" if tomorrow is meant")]
    JustPassed { clock: String, tomorrow: String },
    #[error("{0} is more than a week away")]
    Far(String),
}

/// The longest wait. Races of more than a week are not tracked by one link.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A time of day that passed less than this long ago is refused, because it may be a mistake.
const JUST_PASSED: SignedDuration = SignedDuration::from_hours(3);

/// Reads a time of day (the next one after `now`), a local date and time, or a time with its offset.
pub fn read_due_time(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, BadDueTime> {
    let text = text.trim();
    if let Some(clock) = read_clock(text) {
        let today = now.to_zoned(zone.clone()).date();
        let today_at = today.to_datetime(clock).to_zoned(zone.clone()).ok();
        // A time of day that has just passed hardly means tomorrow.
        if let Some(past) = today_at.filter(|at| {
            let ago = now.duration_since(at.timestamp());
            ago >= SignedDuration::ZERO && ago < JUST_PASSED
        }) {
            let tomorrow = past.date().tomorrow().unwrap_or(today);
            return Err(BadDueTime::JustPassed {
                clock: past.strftime("%H:%M").to_string(),
                tomorrow: format!("{tomorrow} {}", past.strftime("%H:%M")),
            });
        }
        return next_at(clock, now, zone).ok_or(BadDueTime::Unreadable);
    }
    let local = |text: &str| {
        let civil: DateTime = text.parse().ok()?;
        Some(civil.to_zoned(zone.clone()).ok()?.timestamp())
    };
    // A date without a time of day would mean midnight, which nobody intends.
    let has_clock = text.contains(':');
    let at = text
        .parse()
        .ok()
        .or_else(|| local(text).filter(|_| has_clock))
        .ok_or(BadDueTime::Unreadable)?;
    let shown = || at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
    if at <= now {
        return Err(BadDueTime::Past(shown()));
    }
    if at.duration_since(now) > LONGEST_WAIT {
        return Err(BadDueTime::Far(shown()));
    }
    Ok(at)
}

/// Reads a time of day such as `18:00` or `18:00:30`.
fn read_clock(text: &str) -> Option<Time> {
    let is_clock = text.bytes().all(|b| b.is_ascii_digit() || b == b':');
    let mut parts = text.split(':').map(|part| part.parse::<i8>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().map_or(Some(0), |second| second)?;
    let fits = is_clock && parts.next().is_none();
    Time::new(hour, minute, second, 0).ok().filter(|_| fits)
}

fn next_at(clock: Time, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let today = now.to_zoned(zone.clone()).date();
    [Some(today), today.tomorrow().ok()]
        .into_iter()
        .flatten()
        .filter_map(|day| Some(day.to_datetime(clock).to_zoned(zone.clone()).ok()?.timestamp()))
        .find(|at| *at > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_times_are_local_and_ahead() {
        let vienna = TimeZone::get("Europe/Vienna").unwrap();
        let now: Timestamp = "2026-10-04T12:30:00Z".parse().unwrap();
        for (text, expected) in [
            ("18:00", Ok("2026-10-04T16:00:00Z")),
            // 14:30 in Vienna is now.
            (
                "14:25",
                Err(BadDueTime::JustPassed {
                    clock: "14:25".into(),
                    tomorrow: "2026-10-05 14:25".into(),
                }),
            ),
            ("11:29", Ok("2026-10-05T09:29:00Z")),
            ("9:05:30", Ok("2026-10-05T07:05:30Z")),
            ("2026-10-05 02:00", Ok("2026-10-05T00:00:00Z")),
            ("2026-10-05T02:00", Ok("2026-10-05T00:00:00Z")),
            ("2026-10-04T18:00:00-05:00", Ok("2026-10-04T23:00:00Z")),
            (
                "2026-10-04 14:00",
                Err(BadDueTime::Past("2026-10-04 14:00".into())),
            ),
            (
                "2026-11-04 14:00",
                Err(BadDueTime::Far("2026-11-04 14:00".into())),
            ),
            ("6 pm", Err(BadDueTime::Unreadable)),
            ("24:00", Err(BadDueTime::Unreadable)),
            ("2026-10-05", Err(BadDueTime::Unreadable)),
            ("18:0:0:0", Err(BadDueTime::Unreadable)),
            ("", Err(BadDueTime::Unreadable)),
        ] {
            let expected = expected.map(|at| at.parse::<Timestamp>().unwrap());
            assert_eq!(read_due_time(text, now, &vienna), expected, "{text}");
        }
        // The clocks skip the hour from 2:00 to 3:00 on this day, so the time after the change is taken.
        let before: Timestamp = "2026-03-28T23:30:00Z".parse().unwrap();
        let at = read_due_time("02:30", before, &vienna).unwrap();
        assert_eq!(at.to_string(), "2026-03-29T01:30:00Z");
    }

    #[test]
    fn places_are_read_as_people_write_them() {
        for text in ["31.5", "31,5 km", "km 31.5"] {
            assert_eq!(read_kilometres(text), Some(31_500.0), "{text}");
        }
        for text in ["K3", "1e3", "-5", "inf", "NaN"] {
            assert_eq!(read_kilometres(text), None, "{text}");
        }
        assert_eq!(
            read_position("46.62, -14.31"),
            Some(Position {
                lat: 46.62,
                lon: -14.31
            })
        );
        assert_eq!(read_position("96.62, 14.31"), None);
    }
}
