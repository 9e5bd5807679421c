//! The documents that are kept: where Garmin has them, and which members of each row matter to the questions.
//!
//! Codes, names and the order of members are part of the stored format. A new member goes to the end, with a higher
//! version of the block.

use jiff::ToSpan;
use jiff::civil::{Date, date};

/// Blocks begin at multiples of their length from here, a Monday.
const ORIGIN: Date = date(1970, 1, 5);

const FOUR_WEEKS: i64 = 28;
const TWELVE_WEEKS: i64 = 84;

/// One kind of document about a range of days.
#[derive(Debug)]
pub struct KeptKind {
    pub name: &'static str,
    /// What identifies the kind in keys and blocks.
    pub(super) code: u8,
    /// Path and query of the request, with `{from}` and `{to}`; a paged list also has `{start}` and `{limit}`.
    pub path: &'static str,
    /// The pointer to the list of rows in the document.
    pub(super) rows: &'static str,
    /// The pointers to the day of a row, the usual one first.
    pub(super) date: &'static [&'static str],
    pub(super) members: &'static [Member],
    /// The number of days in one request, and in one block.
    pub(super) unit_days: i64,
    /// Garmin lists these rows from the newest to the oldest.
    pub(super) is_newest_first: bool,
    pub(super) today: TodayRule,
}

/// When a range that includes today may be answered without asking Garmin what came since the morning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TodayRule {
    /// If there is a row for today. Without one, the watch may have synced since.
    HasRow,
    /// If the days were fetched recently: today's run must not be missing, and asking Garmin costs only one request.
    IsRecent,
    /// Always, because most days have no row.
    Any,
}

/// A member of a row that is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    /// A JSON pointer from the row.
    pub(super) at: &'static str,
    pub(super) form: MemberForm,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum MemberForm {
    Number,
    Text,
    /// A list of objects, of which these members are kept.
    List(&'static [&'static str]),
}

const fn number(at: &'static str) -> Member {
    Member {
        at,
        form: MemberForm::Number,
    }
}

const fn text(at: &'static str) -> Member {
    Member {
        at,
        form: MemberForm::Text,
    }
}

const fn list(at: &'static str, members: &'static [&'static str]) -> Member {
    Member {
        at,
        form: MemberForm::List(members),
    }
}

const DATE: &[&str] = &["/calendarDate"];

const DAILY: KeptKind = KeptKind {
    name: "",
    code: 0,
    path: "",
    rows: "",
    date: DATE,
    members: &[],
    unit_days: FOUR_WEEKS,
    is_newest_first: false,
    today: TodayRule::HasRow,
};

/// All kinds that are kept.
pub static KEPT_KINDS: [KeptKind; 11] = [
    KeptKind {
        name: "sleep",
        code: 1,
        path: "/sleep-service/stats/sleep/daily/{from}/{to}",
        rows: "/individualStats",
        members: &[
            number("/values/totalSleepTimeInSeconds"),
            number("/values/sleepScore"),
            number("/values/deepTime"),
            number("/values/remTime"),
            number("/values/awakeTime"),
            number("/values/lightTime"),
            number("/values/localSleepStartTimeInMillis"),
            number("/values/localSleepEndTimeInMillis"),
        ],
        ..DAILY
    },
    KeptKind {
        name: "resting_heart_rate",
        code: 2,
        path: "/usersummary-service/stats/heartRate/daily/{from}/{to}",
        members: &[number("/values/restingHR")],
        ..DAILY
    },
    KeptKind {
        name: "hrv",
        code: 3,
        path: "/hrv-service/hrv/daily/{from}/{to}",
        rows: "/hrvSummaries",
        members: &[
            number("/lastNightAvg"),
            number("/weeklyAvg"),
            number("/baseline/balancedLow"),
            number("/baseline/balancedUpper"),
            text("/status"),
        ],
        ..DAILY
    },
    KeptKind {
        name: "stress",
        code: 4,
        path: "/usersummary-service/stats/stress/daily/{from}/{to}",
        members: &[
            number("/values/overallStressLevel"),
            number("/values/highStressDuration"),
            number("/values/mediumStressDuration"),
        ],
        ..DAILY
    },
    KeptKind {
        name: "body_battery",
        code: 5,
        path: "/wellness-service/wellness/bodyBattery/reports/daily?startDate={from}&endDate={to}",
        date: &["/date", "/calendarDate"],
        members: &[
            number("/drained"),
            number("/charged"),
            list(
                "/bodyBatteryActivityEvent",
                &["eventType", "bodyBatteryImpact", "durationInMilliseconds"],
            ),
        ],
        ..DAILY
    },
    KeptKind {
        name: "steps",
        code: 6,
        path: "/usersummary-service/stats/steps/daily/{from}/{to}",
        members: &[number("/totalSteps"), number("/stepGoal")],
        ..DAILY
    },
    KeptKind {
        name: "intensity_minutes",
        code: 7,
        path: "/usersummary-service/stats/im/daily/{from}/{to}",
        members: &[number("/moderateValue"), number("/vigorousValue")],
        ..DAILY
    },
    KeptKind {
        name: "weight",
        code: 8,
        path: "/weight-service/weight/dateRange?startDate={from}&endDate={to}",
        rows: "/dateWeightList",
        members: &[number("/weight"), number("/bodyFat"), number("/muscleMass")],
        unit_days: TWELVE_WEEKS,
        today: TodayRule::Any,
        ..DAILY
    },
    KeptKind {
        name: "blood_pressure",
        code: 9,
        path: "/bloodpressure-service/bloodpressure/range/{from}/{to}?includeAll=true",
        rows: "/measurementSummaries",
        date: &["/measurementSummaryDate", "/startDate"],
        members: &[list("/measurements", &["systolic", "diastolic", "pulse"])],
        unit_days: TWELVE_WEEKS,
        today: TodayRule::Any,
        ..DAILY
    },
    KeptKind {
        name: "vo2_max",
        code: 10,
        path: "/metrics-service/metrics/maxmet/daily/{from}/{to}",
        date: &["/generic/calendarDate", "/cycling/calendarDate"],
        members: &[
            number("/generic/vo2MaxPreciseValue"),
            number("/generic/vo2MaxValue"),
            number("/cycling/vo2MaxPreciseValue"),
            number("/cycling/vo2MaxValue"),
        ],
        unit_days: TWELVE_WEEKS,
        today: TodayRule::Any,
        ..DAILY
    },
    KeptKind {
        name: "activities",
        code: 11,
        path: "/activitylist-service/activities/search/activities?startDate={from}&endDate={to}&start={start}\
               &limit={limit}",
        date: &["/startTimeLocal"],
        members: &[
            text("/startTimeLocal"),
            text("/startTimeGMT"),
            number("/activityId"),
            text("/activityType/typeKey"),
            number("/duration"),
            number("/movingDuration"),
            number("/distance"),
            number("/elevationGain"),
            number("/averageHR"),
            number("/activityTrainingLoad"),
            number("/hrTimeInZone_1"),
            number("/hrTimeInZone_2"),
            number("/hrTimeInZone_3"),
            number("/hrTimeInZone_4"),
            number("/hrTimeInZone_5"),
        ],
        is_newest_first: true,
        today: TodayRule::IsRecent,
        ..DAILY
    },
];

/// The days and the page of a request that a kind answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AskedDays {
    pub(super) from: Date,
    pub(super) to: Date,
    pub(super) start: usize,
    pub(super) limit: usize,
}

impl KeptKind {
    pub fn named(name: &str) -> Option<&'static Self> {
        KEPT_KINDS.iter().find(|kind| kind.name == name)
    }

    pub(super) fn of_code(code: u8) -> Option<&'static Self> {
        KEPT_KINDS.iter().find(|kind| kind.code == code)
    }

    /// Whether Garmin gives the rows of this kind in pages.
    pub fn is_paged(&self) -> bool {
        self.path.contains("{start}")
    }

    /// Whether this kind keeps the member at `pointer`, a JSON pointer from the row.
    pub fn keeps(&self, pointer: &str) -> bool {
        self.date.contains(&pointer) || self.members.iter().any(|member| member.at == pointer)
    }

    /// The number of the block that holds this day.
    pub(super) fn unit_of(&self, day: Date) -> u32 {
        let days = i64::from((day - ORIGIN).get_days());
        u32::try_from(days.div_euclid(self.unit_days)).unwrap_or(0)
    }

    /// The first day of the block that holds this day.
    pub(super) fn unit_start(&self, day: Date) -> Date {
        ORIGIN.saturating_add((i64::from(self.unit_of(day)) * self.unit_days).days())
    }

    /// The days that a request asks for; `None` if the request is for another document, or filters it in a way that the
    /// history can't, such as the activities of one sport.
    pub(super) fn asked(&self, path: &str, query: &[(String, String)]) -> Option<AskedDays> {
        let (own_path, own_query) = self.path.split_once('?').unwrap_or((self.path, ""));
        let own: Vec<&str> = own_path.split('/').collect();
        let given: Vec<&str> = path.split('/').collect();
        if own.len() != given.len() {
            return None;
        }
        let pairs: Vec<(&str, &str)> = own_query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .collect();
        if pairs.len() != query.len() {
            return None;
        }
        let value = |key: &str| {
            query
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| &**value)
        };
        let mut found: Vec<(&str, &str)> = own.into_iter().zip(given).collect();
        for (key, template) in pairs {
            found.push((template, value(key)?));
        }
        let (mut from, mut to, mut start, mut limit) = (None, None, 0, usize::MAX);
        for (template, value) in found {
            match template {
                "{from}" => from = value.parse().ok(),
                "{to}" => to = value.parse().ok(),
                "{start}" => start = value.parse().ok()?,
                "{limit}" => limit = value.parse().ok()?,
                literal if literal == value => {}
                _ => return None,
            }
        }
        Some(AskedDays {
            from: from?,
            to: to?,
            start,
            limit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn codes_and_names_are_unique() {
        for (n, kind) in KEPT_KINDS.iter().enumerate() {
            let others = &KEPT_KINDS[..n];
            assert!(
                others
                    .iter()
                    .all(|other| other.code != kind.code && other.name != kind.name)
            );
            assert!(!kind.members.is_empty() && !kind.date.is_empty());
        }
    }

    #[test]
    fn units_are_whole_weeks_without_gaps() {
        let kind = KeptKind::named("sleep").unwrap();
        let day = date(2026, 1, 29);
        let start = kind.unit_start(day);
        assert_eq!(start.weekday(), jiff::civil::Weekday::Monday);
        assert!(start <= day && day < start.saturating_add(28.days()));
        assert_eq!(kind.unit_of(start.yesterday().unwrap()) + 1, kind.unit_of(start));
    }

    #[test]
    fn a_request_is_recognized_by_its_path_and_query() {
        let sleep = KeptKind::named("sleep").unwrap();
        let asked = sleep.asked("/sleep-service/stats/sleep/daily/2026-01-01/2026-01-28", &[]);
        assert_eq!(
            asked.map(|asked| (asked.from, asked.to)),
            Some((date(2026, 1, 1), date(2026, 1, 28)))
        );
        assert_eq!(
            sleep.asked("/hrv-service/hrv/daily/2026-01-01/2026-01-28", &[]),
            None
        );

        let activities = KeptKind::named("activities").unwrap();
        let path = "/activitylist-service/activities/search/activities";
        let mut query = pairs(&[
            ("startDate", "2026-01-01"),
            ("endDate", "2026-01-28"),
            ("start", "200"),
            ("limit", "200"),
        ]);
        assert_eq!(activities.asked(path, &query).map(|asked| asked.start), Some(200));
        // Only Garmin knows the subtypes of a type, so the history can't tell which activities match.
        query.push(("activityType".to_owned(), "running".to_owned()));
        assert_eq!(activities.asked(path, &query), None);
    }
}
