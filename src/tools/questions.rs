//! Questions: tools that compute an answer from several of Garmin's documents.
//!
//! | file | tools |
//! |---|---|
//! | [`overview`] | get_training_overview |
//! | [`trend`] | get_trend |
//! | [`unusual`], [`baseline`] | find_unusual, baseline |
//! | [`relation`], [`two_periods`] | correlate, compare_periods |
//! | [`volume`] | get_training_volume, get_zone_distribution |
//! | [`analysis`], [`laps`] | analyze_activity |
//! | [`compare`] | compare_activities, find_similar_activities |
//! | [`day`] | get_day_profile |
//! | [`day_question`], [`metrics`], [`series`] | questions about metrics by day |
//! | [`usual`], [`statistics`], [`impacts`] | what is usual, what is chance, and what events did |
//! | [`period`], [`effort`], [`listing`], [`figures`] | what the questions share |
//!
//! # Invariants
//!
//! - An answer says what it rests on: days with data, gaps, activities. A part that Garmin did not give is named in
//!   `failed`, and the answer has the rest.
//! - With the default arguments an answer is below 2,000 tokens.
//! - The unit of a figure is in its name. Series are columns with an interval.
//! - Each of these tools has an output schema, and no other tool has one: the others pass on Garmin's documents, or say
//!   in words that there is no data, and a validating client would refuse both.

mod analysis;
mod baseline;
mod compare;
mod day;
pub(super) mod day_question;
mod effort;
mod figures;
mod impacts;
mod laps;
mod listing;
mod metrics;
mod overview;
mod period;
mod relation;
mod series;
mod statistics;
#[cfg(test)]
mod tests;
mod trend;
mod two_periods;
mod unusual;
mod usual;
mod volume;

use super::parameter::Parameter;
use super::table::{AnswerShape, GarminQuery, Tool};
use crate::mcp::DataGroup;

/// The metrics that a question can name, each with its group of data.
pub(super) fn metric_groups() -> impl Iterator<Item = (&'static str, DataGroup)> {
    metrics::METRICS.iter().map(|metric| (metric.name, metric.group))
}

const BY: Parameter = Parameter::one_of(
    "by",
    "A row for each day, week (from Monday), month or weekday; auto depends on the length",
    &["auto", "day", "week", "month", "weekday"],
    "auto",
);
const SPORT: Parameter = Parameter::required_text(
    "sport",
    "Only this type and the types below it, such as running, cycling or swimming; left out: all",
)
.optional();
const METRIC: Parameter = Parameter::one_of("metric", "Which metric", metrics::NAMES, "sleep").required();
const DAY: Parameter =
    Parameter::day("date", "The day: YYYY-MM-DD, today (default), yesterday or -7d").optional();
const ACTIVITY: Parameter =
    Parameter::id("activity_id", "The activity's id; left out: the newest one").optional();
const TYPE_OF_NEWEST: Parameter = Parameter::required_text(
    "activity_type",
    "Without activity_id: the newest of this type, such as running; left out: of any type",
)
.optional();

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "get_training_overview",
        about: "Training state up to a day in one call: readiness, load ratio, VO2 max, HRV against the baseline, \
                resting heart rate, sleep, training of the last 7 and 28 days, signs of overreaching.",
        parameters: &[DAY],
        ask: GarminQuery::Made(overview::gets),
        tell: AnswerShape::Made(overview::overview),
        nothing: "No training data found for this day.",
        failing: "Error retrieving the training overview",
    },
    Tool {
        name: "get_trend",
        about: "One metric over weeks, months or years: mean, extremes, change, and a series by day, week, month or \
                weekday. body_battery also sums up what drains it; steps has the share of days on which the goal was \
                reached.",
        parameters: &[
            Parameter::one_of("metric", "What to follow", metrics::NAMES, "sleep"),
            period::range("-8w"),
            BY,
        ],
        ask: GarminQuery::ByDay(trend::TREND),
        tell: AnswerShape::ByDay,
        nothing: "No {metric} data found in {range}.",
        failing: "Error retrieving the trend",
    },
    Tool {
        name: "find_unusual",
        about: "Days and runs of days that are far from what is usual for this person (the two months before them): \
                resting heart rate, HRV, sleep, stress and weight, or one metric.",
        parameters: &[
            period::range("-4w"),
            Parameter::one_of(
                "metric",
                "What to look at; all: everything that says something about health",
                metrics::NAMES_OR_ALL,
                "all",
            ),
        ],
        ask: GarminQuery::ByDay(unusual::UNUSUAL),
        tell: AnswerShape::ByDay,
        nothing: "No data found in {range}.",
        failing: "Error looking for unusual days",
    },
    Tool {
        name: "baseline",
        about: "What is usual for this person in one metric, such as resting heart rate (band and median of two months), \
                and where the last seven days and the newest one are against it.",
        parameters: &[METRIC, DAY],
        ask: GarminQuery::ByDay(baseline::BASELINE),
        tell: AnswerShape::ByDay,
        nothing: "No {metric} data found in the two months before this day.",
        failing: "Error computing the baseline",
    },
    Tool {
        name: "compare_periods",
        about: "One metric in two periods, such as this month and last month: means, difference, and whether it is more \
                than chance.",
        parameters: &[
            METRIC,
            period::range("-4w"),
            Parameter::text(
                "against",
                "The other period: before (as long, just before), a year before, or a range like the first",
                "before",
            ),
        ],
        ask: GarminQuery::ByDay(two_periods::TWO_PERIODS),
        tell: AnswerShape::ByDay,
        nothing: "No {metric} data found in either period.",
        failing: "Error comparing the periods",
    },
    Tool {
        name: "correlate",
        about: "Whether two metrics move together, on the same day or some days later: rank correlation with its \
                interval, and the other's mean on days with low, middle and high values.",
        parameters: &[
            METRIC,
            Parameter::one_of("other", "The metric that may follow it", metrics::NAMES, "hrv").required(),
            Parameter::whole(
                "lag_days",
                "How many days later the other one is taken",
                (0, 14),
                0,
            )
            .advising("for the other direction, swap metric and other"),
            period::range("-6m"),
        ],
        ask: GarminQuery::ByDay(relation::RELATION),
        tell: AnswerShape::ByDay,
        nothing: "No data of one of the metrics found in {range}.",
        failing: "Error correlating the metrics",
    },
    Tool {
        name: "get_training_volume",
        about: "Kilometres, hours, climbing and load of all activities of a period by sport: totals, and a series by \
                week or month.",
        parameters: &[period::range("this year"), BY, SPORT],
        ask: GarminQuery::Steps(volume::pages_step),
        tell: AnswerShape::Made(volume::volume),
        nothing: "No activities found in {range}.",
        failing: "Error retrieving the training volume",
    },
    Tool {
        name: "analyze_activity",
        about: "One activity in full: figures, laps with pace and heart rate, time in zones, weather, and the second \
                half against the first (pace, heart rate drift, decoupling by pace, grade-adjusted pace and power), from \
                the recording where Garmin has it.",
        parameters: &[ACTIVITY, TYPE_OF_NEWEST],
        ask: GarminQuery::Steps(analysis::step),
        tell: AnswerShape::Made(analysis::analysis),
        nothing: "No activity found.",
        failing: "Error analyzing the activity",
    },
    Tool {
        name: "compare_activities",
        about: "Activities side by side with pace, heart rate, metres per heartbeat, climbing, load and weather: those \
                of activity_ids, or the newest ones of a type.",
        parameters: &[
            Parameter::required_text(
                "activity_ids",
                "Up to 10 ids with commas between them; left out: the newest ones",
            )
            .optional(),
            Parameter::required_text(
                "activity_type",
                "Type of the newest ones, such as running; left out: all",
            )
            .optional(),
            Parameter::whole("last", "How many of the newest ones", (1, 10), 2),
            Parameter::whole(
                "min_minutes",
                "Of the newest ones, only those that took at least this long",
                (0, 1_440),
                0,
            ),
        ],
        ask: GarminQuery::Steps(compare::compare_step),
        tell: AnswerShape::Made(compare::compare),
        nothing: "No such activities found.",
        failing: "Error comparing activities",
    },
    Tool {
        name: "find_similar_activities",
        about: "Earlier activities like this one in type, distance and climbing, with pace, heart rate and weather, \
                and this one against their median: shows whether heat, hills or form made the difference.",
        parameters: &[ACTIVITY, TYPE_OF_NEWEST],
        ask: GarminQuery::Steps(compare::similar_step),
        tell: AnswerShape::Made(compare::similar),
        nothing: "No activity found.",
        failing: "Error looking for similar activities",
    },
    Tool {
        name: "get_zone_distribution",
        about: "Time in heart rate zones over all activities of a period: minutes, shares of easy, moderate and hard, \
                and a series.",
        parameters: &[period::range("-4w"), BY, SPORT],
        ask: GarminQuery::Steps(volume::zones_step),
        tell: AnswerShape::Made(volume::zones),
        nothing: "No heart rate zones found in {range}.",
        failing: "Error retrieving the zone distribution",
    },
    Tool {
        name: "get_day_profile",
        about: "One day hour by hour: stress, body battery, heart rate and steps, with its sleep, its activities and \
                its totals.",
        parameters: &[DAY],
        ask: GarminQuery::Made(day::gets),
        tell: AnswerShape::Made(day::profile),
        nothing: "No data found for this day.",
        failing: "Error retrieving the day",
    },
];
