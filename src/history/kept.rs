//! The state of one person's history: since when it is kept, which days are covered, and what prevents fetching.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use crate::store::{Record, Table};

/// The hour at which the newest days are fetched. Most watches have synced the night by then.
const MORNING_HOUR: i8 = 9;

/// The history of one person. It exists while the person wants it. Key: the account's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptHistory {
    /// When the person switched it on.
    pub since: Timestamp,
    /// The person's time zone: a name such as `Europe/Vienna`, or an offset such as `+02:00`. `None` until a worker has
    /// reported it.
    #[serde(default)]
    pub zone: Option<String>,
    /// The progress of each kind, by the name of the kind.
    #[serde(default)]
    pub kinds: BTreeMap<String, KindProgress>,
    /// When days were last stored.
    #[serde(default)]
    pub filled_at: Option<Timestamp>,
    /// Why no days can be fetched at present.
    #[serde(default)]
    pub trouble: Option<HistoryTrouble>,
}

impl Record for KeptHistory {
    const TABLE: Table = Table("history");
}

/// How far one kind has come. All days from `first` to `last` are covered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindProgress {
    pub first: Date,
    pub last: Date,
    /// When `last` was fetched. It shows whether that day was over then.
    pub fetched_at: Timestamp,
    /// The morning on which the newest days were last fetched.
    pub refreshed_on: Date,
    /// Days without data at the beginning of the covered period.
    #[serde(default)]
    pub empty_days: u32,
    /// Garmin has nothing before `first`.
    #[serde(default)]
    pub is_complete: bool,
    /// The number of days that have data.
    #[serde(default)]
    pub days: u32,
    /// The bytes of the blocks before they are sealed.
    #[serde(default)]
    pub bytes: u32,
    /// Why this kind alone is not fetched at present.
    #[serde(default)]
    pub trouble: Option<HistoryTrouble>,
}

impl KindProgress {
    /// The progress of a kind whose first days were requested at `now`.
    pub(super) fn new(first: Date, last: Date, now: Timestamp, morning: Date) -> Self {
        Self {
            first,
            last,
            fetched_at: now,
            refreshed_on: morning,
            empty_days: 0,
            is_complete: false,
            days: 0,
            bytes: 0,
            trouble: None,
        }
    }
}

/// Why days were not fetched, and when to try again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryTrouble {
    pub class: TroubleClass,
    pub since: Timestamp,
    /// The number of failures in a row.
    pub times: u32,
    pub retry_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TroubleClass {
    /// Garmin no longer accepts the tokens.
    SignInNeeded,
    /// Garmin asked for a pause.
    RateLimited,
    Unreachable,
    /// Garmin refused this kind of document.
    Refused,
    /// Garmin's document no longer has the expected shape.
    Changed,
    /// The worker did not answer.
    Worker,
    /// What was fetched could not be stored.
    NotStored,
}

impl TroubleClass {
    /// The word in the log, spelled as in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignInNeeded => "sign_in_needed",
            Self::RateLimited => "rate_limited",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Changed => "changed",
            Self::Worker => "worker",
            Self::NotStored => "not_stored",
        }
    }
}

impl TroubleClass {
    /// Whether other kinds may still be fetched.
    pub fn concerns_one_kind(self) -> bool {
        matches!(self, Self::Refused | Self::Changed | Self::NotStored)
    }

    /// What happened, and what to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::SignInNeeded => {
                "Garmin asks for a new sign-in: open the gateway's address with /link at its end; filling then resumes"
            }
            Self::RateLimited => "Garmin asked for a pause; filling resumes after it",
            Self::Unreachable => "Garmin Connect is unreachable; the gateway keeps trying",
            Self::Refused => "Garmin refused this kind of data; the gateway tries again once a day",
            Self::Changed => "Garmin changed the shape of its data; the gateway needs an update",
            Self::Worker => {
                "the worker did not answer; the gateway keeps trying, and the operator finds the worker's output in the console"
            }
            Self::NotStored => "the days could not be stored; the operator finds the reason in the log",
        }
    }
}

impl HistoryTrouble {
    /// The trouble after one more failure. Waits grow from a minute to an hour; trouble with a single kind waits a day.
    pub fn again(
        before: Option<&Self>,
        class: TroubleClass,
        now: Timestamp,
        not_before: Option<Timestamp>,
    ) -> Self {
        let (since, times) = match before {
            Some(before) if before.class == class => (before.since, before.times.saturating_add(1)),
            _ => (now, 1),
        };
        let wait = if class.concerns_one_kind() {
            SignedDuration::from_hours(24)
        } else {
            SignedDuration::from_mins(1 << times.saturating_sub(1).min(6)).min(SignedDuration::from_hours(1))
        };
        let retry_at = now.saturating_add(wait).unwrap_or(now);
        Self {
            class,
            since,
            times,
            // Garmin said exactly when its pause ends.
            retry_at: not_before.unwrap_or(retry_at),
        }
    }

    pub fn lasts(&self, now: Timestamp) -> bool {
        self.retry_at > now
    }
}

impl KeptHistory {
    pub fn new(now: Timestamp) -> Self {
        Self {
            since: now,
            zone: None,
            kinds: BTreeMap::new(),
            filled_at: None,
            trouble: None,
        }
    }

    /// The person's local time; UTC until their zone is known.
    pub fn local(&self, now: Timestamp) -> Zoned {
        let zone = self.zone.as_deref().and_then(time_zone);
        now.to_zoned(zone.unwrap_or(TimeZone::UTC))
    }

    /// The day whose morning began last: today, or yesterday before [`MORNING_HOUR`].
    pub fn morning(&self, now: Timestamp) -> Date {
        let local = self.local(now);
        if local.hour() >= MORNING_HOUR {
            local.date()
        } else {
            local.date().yesterday().unwrap_or(local.date())
        }
    }

    /// When the next morning begins.
    pub fn next_morning(&self, now: Timestamp) -> Timestamp {
        let local = self.local(now);
        let day = self.morning(now).tomorrow().unwrap_or(local.date());
        let begins = day.at(MORNING_HOUR, 0, 0, 0).to_zoned(local.time_zone().clone());
        begins.map_or(now, |begins| begins.timestamp())
    }

    /// Whether last night's data has already been requested.
    pub fn has_asked_this_morning(&self, now: Timestamp) -> bool {
        let morning = self.morning(now);
        let nights = ["sleep", "resting_heart_rate", "hrv"];
        nights.iter().all(|name| {
            self.kinds
                .get(*name)
                .is_some_and(|kind| kind.refreshed_on >= morning)
        })
    }

    /// The most days that any kind has data for.
    pub fn days(&self) -> u32 {
        self.kinds.values().map(|kind| kind.days).max().unwrap_or(0)
    }

    pub fn bytes(&self) -> u64 {
        self.kinds.values().map(|kind| u64::from(kind.bytes)).sum()
    }
}

/// Reads a time zone that is given as a name or an offset.
pub fn time_zone(text: &str) -> Option<TimeZone> {
    if let Some(offset) = text.strip_prefix(['+', '-']) {
        let (hours, minutes) = offset.split_once(':')?;
        let seconds = hours.parse::<i32>().ok()? * 3_600 + minutes.parse::<i32>().ok()? * 60;
        let signed = if text.starts_with('-') { -seconds } else { seconds };
        return Offset::from_seconds(signed).ok().map(TimeZone::fixed);
    }
    TimeZone::get(text).ok()
}

/// The zone as text that [`time_zone`] reads.
pub fn zone_text(now: &Zoned) -> String {
    if let Some(name) = now.time_zone().iana_name() {
        return name.to_owned();
    }
    let seconds = now.offset().seconds();
    let (sign, seconds) = if seconds < 0 {
        ('-', -seconds)
    } else {
        ('+', seconds)
    };
    format!("{sign}{:02}:{:02}", seconds / 3_600, seconds / 60 % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_zone_is_a_name_or_an_offset() {
        let now = at("2026-01-29T12:00:00Z");
        for text in ["Europe/Vienna", "+05:30", "-03:00", "UTC"] {
            let zoned = now.to_zoned(time_zone(text).unwrap());
            assert_eq!(zone_text(&zoned), text);
        }
        assert!(time_zone("+x").is_none() && time_zone("Nowhere/There").is_none());
    }

    #[test]
    fn the_morning_is_the_persons_own() {
        let mut kept = KeptHistory::new(at("2026-01-01T00:00:00Z"));
        kept.zone = Some("+05:30".to_owned());
        let before = at("2026-01-29T03:00:00Z");
        assert_eq!(kept.morning(before).to_string(), "2026-01-28");
        assert_eq!(kept.next_morning(before), at("2026-01-29T03:30:00Z"));
        let after = at("2026-01-29T03:30:00Z");
        assert_eq!(kept.morning(after).to_string(), "2026-01-29");
        assert_eq!(kept.next_morning(after), at("2026-01-30T03:30:00Z"));
    }

    #[test]
    fn waits_grow_to_an_hour_and_a_pause_is_exact() {
        let now = at("2026-01-29T12:00:00Z");
        let mut trouble = None;
        let mut waits = Vec::new();
        for _ in 0..9 {
            let next = HistoryTrouble::again(trouble.as_ref(), TroubleClass::Unreachable, now, None);
            waits.push(next.retry_at.duration_since(now).as_mins());
            trouble = Some(next);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        let until = at("2026-01-29T12:00:07Z");
        let paused = HistoryTrouble::again(trouble.as_ref(), TroubleClass::RateLimited, now, Some(until));
        assert_eq!((paused.times, paused.retry_at), (1, until));
        assert!(paused.lasts(now) && !paused.lasts(until));
    }

    #[test]
    fn a_record_without_newer_members_opens() {
        let old = serde_json::json!({"since": "2026-01-01T00:00:00Z"});
        let kept: KeptHistory = serde_json::from_value(old).unwrap();
        assert_eq!(kept, KeptHistory::new(at("2026-01-01T00:00:00Z")));
    }
}
