//! Documents about past days, which no longer change.

use jiff::civil::Date;

/// Services whose data a watch measures by itself. Data that a person enters, such as weight or food, may still be
/// added to a past day, and an activity may be renamed.
const MEASURED: [&str; 7] = [
    "/wellness-service/",
    "/hrv-service/",
    "/metrics-service/",
    "/sleep-service/",
    "/userstats-service/",
    "/fitnessage-service/",
    "/usersummary-service/stats/",
];

/// Whether a document covers only measured days up to and including `settled`. `target` is path and query.
pub(super) fn is_settled(target: &str, settled: Date) -> bool {
    let is_measured = MEASURED.iter().any(|service| target.starts_with(service));
    let mut days = target
        .split(['/', '=', '&', '?'])
        .filter(|part| part.len() == 10)
        .filter_map(|part| part.parse::<Date>().ok())
        .peekable();
    // Hydration is entered by hand, although it is among the statistics.
    is_measured && !target.contains("hydration") && days.peek().is_some() && days.all(|day| day <= settled)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn only_measured_days_of_the_past_are_settled() {
        let check = |target: &str, expected: bool| {
            assert_eq!(is_settled(target, date(2026, 1, 10)), expected, "{target}");
        };
        check("/hrv-service/hrv/2026-01-10", true);
        check("/hrv-service/hrv/2026-01-11", false);
        check("/hrv-service/hrv/daily/2025-12-20/2026-01-10", true);
        check("/hrv-service/hrv/daily/2025-12-20/2026-01-12", false);
        check("/wellness-service/wellness/dailyStress/2026-01-01", true);
        check(
            "/wellness-service/wellness/dailyHeartRate/ann?date=2026-01-01",
            true,
        );
        check(
            "/userstats-service/wellness/daily/ann?fromDate=2026-01-01&untilDate=2026-01-12",
            false,
        );
        check(
            "/usersummary-service/stats/hydration/daily/2026-01-01/2026-01-02",
            false,
        );
        check("/weight-service/weight/dayview/2026-01-01", false);
        check(
            "/activitylist-service/activities/search/activities?startDate=2026-01-01&endDate=2026-01-02",
            false,
        );
        check("/metrics-service/metrics/racepredictions/latest/ann", false);
    }
}
