//! Daily health and weekly totals: garmin_mcp's module `health_wellness`.

mod body;
mod days;
mod night;
mod readiness;
mod weeks;

use super::parameter::Parameter;
use super::table::{AnswerShape, GarminQuery, Tool};

const DATE: Parameter = Parameter::day("date", "The day: YYYY-MM-DD, today, yesterday or -7d");
const START_DATE: Parameter = Parameter::day("start_date", "First day: YYYY-MM-DD, -30d or this week");
const END_DATE: Parameter =
    Parameter::day("end_date", "Last day: YYYY-MM-DD, today or this week").may_be_future();
const WEEKS: Parameter = Parameter::whole("weeks", "How many weeks (default 4, at most 52)", (1, 52), 4);

const DAILY_SUMMARY: &str = "/usersummary-service/usersummary/daily/{display_name}?calendarDate={date}";
const BODY_COMPOSITION: &str = "/weight-service/weight/dateRange?startDate={date}&endDate={date}";
const HEART_RATE: &str = "/wellness-service/wellness/dailyHeartRate/{display_name}?date={date}";
const SLEEP: &str =
    "/wellness-service/wellness/dailySleepData/{display_name}?date={date}&nonSleepBufferMinutes=60";
const STRESS: &str = "/wellness-service/wellness/dailyStress/{date}";
const RESPIRATION: &str = "/wellness-service/wellness/daily/respiration/{date}";
const READINESS: &str = "/metrics-service/metrics/trainingreadiness/{date}";

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "get_stats",
        about: "One day in numbers: steps, distance, floors, calories, time active, intensity minutes, heart rate, \
                stress, body battery, SpO2 and respiration. The first tool to call for questions about a day.",
        parameters: &[DATE],
        ask: GarminQuery::Get(DAILY_SUMMARY),
        tell: AnswerShape::Shaped(days::stats),
        nothing: "No stats found for {date}",
        failing: "Error retrieving stats",
    },
    Tool {
        name: "get_user_summary",
        about: "Everything that Garmin sums up for one day, unabridged. get_stats has the essentials.",
        parameters: &[DATE],
        ask: GarminQuery::Get(DAILY_SUMMARY),
        tell: AnswerShape::Shaped(days::summary),
        nothing: "No user summary found for {date}",
        failing: "Error retrieving user summary",
    },
    Tool {
        name: "get_body_composition",
        about: "Weight and body composition (fat, water, bone and muscle mass, in grams and percent) of one day or \
                of a range of days.",
        parameters: &[
            Parameter::day(
                "start_date",
                "The day, or the first day of a range, as YYYY-MM-DD",
            ),
            Parameter::day(
                "end_date",
                "Last day of a range, as YYYY-MM-DD; left out for a single day",
            )
            .may_be_future()
            .optional(),
        ],
        ask: GarminQuery::Made(body::composition_gets),
        tell: AnswerShape::Made(|call, answers| Ok(body::composition(call, answers))),
        nothing: "No body composition data found for {start_date}",
        failing: "Error retrieving body composition data",
    },
    Tool {
        name: "get_stats_and_body",
        about: "Everything that Garmin sums up for one day, with the day's body composition beside it (weight in \
                grams).",
        parameters: &[DATE],
        ask: GarminQuery::Both(DAILY_SUMMARY, BODY_COMPOSITION),
        tell: AnswerShape::Made(body::stats_and_body),
        nothing: "No stats and body composition data found for {date}",
        failing: "Error retrieving stats and body composition data",
    },
    Tool {
        name: "get_steps_data",
        about: "Steps of one day in intervals of 15 minutes, as columns. get_stats has the day's total.",
        parameters: &[DATE],
        ask: GarminQuery::Get("/wellness-service/wellness/dailySummaryChart/{display_name}?date={date}"),
        tell: AnswerShape::Series,
        nothing: "No steps data found for {date}",
        failing: "Error retrieving steps data",
    },
    Tool {
        name: "get_daily_steps",
        about: "Steps, distance (in metres) and step goal of each day in a range of days, as columns.",
        parameters: &[
            START_DATE,
            Parameter::last_day(
                "end_date",
                "Last day, as YYYY-MM-DD, at most 1120 days in all",
                days::STEPS_DAYS,
            ),
        ],
        ask: GarminQuery::Made(days::daily_steps_gets),
        tell: AnswerShape::Made(days::daily_steps),
        nothing: "No daily steps data found between {start_date} and {end_date}",
        failing: "Error retrieving daily steps data",
    },
    Tool {
        name: "get_training_readiness",
        about: "How ready the person was to train on a day: score and level, and what they are based on (sleep, \
                recovery, training load, HRV, stress). Usually one entry after waking up and one after each training.",
        parameters: &[DATE],
        ask: GarminQuery::Get(READINESS),
        tell: AnswerShape::Shaped(readiness::all),
        nothing: "No training readiness data found for {date}",
        failing: "Error retrieving training readiness data",
    },
    Tool {
        name: "get_body_battery",
        about: "Body battery of each day in a range: charged and drained points, and the events (sleep, activities, \
                stress) that did it.",
        parameters: &[START_DATE, END_DATE],
        ask: GarminQuery::Get(
            "/wellness-service/wellness/bodyBattery/reports/daily?startDate={start_date}&endDate={end_date}",
        ),
        tell: AnswerShape::Shaped(days::body_battery),
        nothing: "No body battery data found between {start_date} and {end_date}",
        failing: "Error retrieving body battery data",
    },
    Tool {
        name: "get_body_battery_events",
        about: "What charged and drained the body battery on one day, with stress and battery readings.",
        parameters: &[DATE],
        ask: GarminQuery::Get("/wellness-service/wellness/bodyBattery/events/{date}"),
        tell: AnswerShape::Series,
        nothing: "No body battery events found for {date}",
        failing: "Error retrieving body battery events",
    },
    Tool {
        name: "get_blood_pressure",
        about: "Blood pressure readings in a range of days.",
        parameters: &[START_DATE, END_DATE],
        ask: GarminQuery::Get(
            "/bloodpressure-service/bloodpressure/range/{start_date}/{end_date}?includeAll=true",
        ),
        tell: AnswerShape::Raw,
        nothing: "No blood pressure data found between {start_date} and {end_date}",
        failing: "Error retrieving blood pressure data",
    },
    Tool {
        name: "get_floors",
        about: "Floors climbed and descended on one day in intervals of 15 minutes, as columns.",
        parameters: &[DATE],
        ask: GarminQuery::Get("/wellness-service/wellness/floorsChartData/daily/{date}"),
        tell: AnswerShape::Series,
        nothing: "No floors data found for {date}",
        failing: "Error retrieving floors data",
    },
    Tool {
        name: "get_rhr_day",
        about: "Resting heart rate of one day.",
        parameters: &[DATE],
        ask: GarminQuery::Get(
            "/userstats-service/wellness/daily/{display_name}?fromDate={date}&untilDate={date}&metricId=60",
        ),
        tell: AnswerShape::Raw,
        nothing: "No resting heart rate data found for {date}",
        failing: "Error retrieving resting heart rate data",
    },
    Tool {
        name: "get_heart_rates",
        about: "Heart rate of one day every two minutes (bpm, as a column). get_heart_rates_summary is the short form.",
        parameters: &[DATE],
        ask: GarminQuery::Get(HEART_RATE),
        tell: AnswerShape::Series,
        nothing: "No heart rate data found for {date}",
        failing: "Error retrieving heart rate data",
    },
    Tool {
        name: "get_heart_rates_summary",
        about: "Heart rate of one day in short: highest, lowest, resting, average, and the resting average of seven \
                days.",
        parameters: &[DATE],
        ask: GarminQuery::Get(HEART_RATE),
        tell: AnswerShape::Shaped(days::heart_rates),
        nothing: "No heart rate data found for {date}",
        failing: "Error retrieving heart rate summary",
    },
    Tool {
        name: "get_hydration_data",
        about: "What the person drank on one day, the goal, and the estimated sweat loss, in millilitres.",
        parameters: &[DATE],
        ask: GarminQuery::Get("/usersummary-service/usersummary/hydration/daily/{date}"),
        tell: AnswerShape::Raw,
        nothing: "No hydration data found for {date}",
        failing: "Error retrieving hydration data",
    },
    Tool {
        name: "get_sleep_data",
        about: "The night before this day with all details and readings, as columns. get_sleep_summary is the short \
                form.",
        parameters: &[DATE],
        ask: GarminQuery::Get(SLEEP),
        tell: AnswerShape::Series,
        nothing: "No sleep data found for {date}",
        failing: "Error retrieving sleep data",
    },
    Tool {
        name: "get_sleep_summary",
        about: "The night before this day in short: times, hours slept, score, stages in seconds and percent, SpO2, \
                resting heart rate, overnight HRV.",
        parameters: &[DATE],
        ask: GarminQuery::Get(SLEEP),
        tell: AnswerShape::Shaped(night::sleep),
        nothing: "No sleep summary found for {date}",
        failing: "Error retrieving sleep summary",
    },
    Tool {
        name: "get_stress_data",
        about: "Stress and body battery of one day every three minutes, as columns; stress below 0 was not measured \
                (-1) or fell within an activity (-2). get_stress_summary is the short form.",
        parameters: &[DATE],
        ask: GarminQuery::Get(STRESS),
        tell: AnswerShape::Series,
        nothing: "No stress data found for {date}",
        failing: "Error retrieving stress data",
    },
    Tool {
        name: "get_stress_summary",
        about: "Stress of one day in short: highest, average, and the share of readings at rest (below 26), low, \
                medium (from 51) and high (from 76).",
        parameters: &[DATE],
        ask: GarminQuery::Get(STRESS),
        tell: AnswerShape::Shaped(days::stress),
        nothing: "No stress data found for {date}",
        failing: "Error retrieving stress summary",
    },
    Tool {
        name: "get_respiration_data",
        about: "Breaths per minute of one day with all readings, as a column. get_respiration_summary is the short \
                form.",
        parameters: &[DATE],
        ask: GarminQuery::Get(RESPIRATION),
        tell: AnswerShape::Series,
        nothing: "No respiration data found for {date}",
        failing: "Error retrieving respiration data",
    },
    Tool {
        name: "get_respiration_summary",
        about: "Breaths per minute of one day in short: lowest, highest, average awake and asleep.",
        parameters: &[DATE],
        ask: GarminQuery::Get(RESPIRATION),
        tell: AnswerShape::Fields(days::RESPIRATION),
        nothing: "No respiration data found for {date}",
        failing: "Error retrieving respiration summary",
    },
    Tool {
        name: "get_spo2_data",
        about: "Blood oxygen (SpO2) of one day: average, lowest, latest, asleep, by hour.",
        parameters: &[DATE],
        ask: GarminQuery::Get("/wellness-service/wellness/daily/spo2/{date}"),
        tell: AnswerShape::Shaped(days::spo2),
        nothing: "No SpO2 data found for {date}",
        failing: "Error retrieving SpO2 data",
    },
    Tool {
        name: "get_all_day_stress",
        about: "The same as get_stress_data: stress and body battery of one day every three minutes, as columns.",
        parameters: &[DATE],
        ask: GarminQuery::Get(STRESS),
        tell: AnswerShape::Series,
        nothing: "No all-day stress data found for {date}",
        failing: "Error retrieving all-day stress data",
    },
    Tool {
        name: "get_all_day_events",
        about: "What Garmin detected automatically on one day, such as walks not started as an activity.",
        parameters: &[DATE],
        ask: GarminQuery::Get("/wellness-service/wellness/dailyEvents?calendarDate={date}"),
        tell: AnswerShape::Raw,
        nothing: "No daily wellness events found for {date}",
        failing: "Error retrieving daily wellness events",
    },
    Tool {
        name: "get_lifestyle_logging_data",
        about: "Habits that the person logged on one day (alcohol, late meals, …), which Garmin sets against health \
                data.",
        parameters: &[DATE],
        ask: GarminQuery::Get("/lifestylelogging-service/dailyLog/{date}"),
        tell: AnswerShape::Raw,
        nothing: "No lifestyle logging data found for {date}",
        failing: "Error retrieving lifestyle logging data",
    },
    Tool {
        name: "get_weekly_steps",
        about: "Steps and distance by week, newest first.",
        parameters: &[END_DATE, WEEKS],
        ask: GarminQuery::Get("/usersummary-service/stats/steps/weekly/{end_date}/{weeks}"),
        tell: AnswerShape::Shaped(weeks::steps),
        nothing: "No weekly steps data found for {weeks} weeks ending {end_date}",
        failing: "Error retrieving weekly steps data",
    },
    Tool {
        name: "get_weekly_stress",
        about: "Average stress by week, newest first.",
        parameters: &[END_DATE, WEEKS],
        ask: GarminQuery::Get("/usersummary-service/stats/stress/weekly/{end_date}/{weeks}"),
        tell: AnswerShape::Shaped(weeks::stress),
        nothing: "No weekly stress data found for {weeks} weeks ending {end_date}",
        failing: "Error retrieving weekly stress data",
    },
    Tool {
        name: "get_weekly_intensity_minutes",
        about: "Moderate and vigorous intensity minutes by week, newest first. In total_minutes a vigorous \
                minute counts once, while Garmin's goal counts it twice.",
        parameters: &[END_DATE, WEEKS],
        ask: GarminQuery::Made(weeks::intensity_minutes_gets),
        tell: AnswerShape::Shaped(weeks::intensity_minutes),
        nothing: "No weekly intensity minutes data found for {weeks} weeks ending {end_date}",
        failing: "Error retrieving weekly intensity minutes data",
    },
    Tool {
        name: "get_morning_training_readiness",
        about: "How ready the person was to train after waking up: score, level, hours of recovery left, and what \
                they are based on.",
        parameters: &[DATE],
        ask: GarminQuery::Get(READINESS),
        tell: AnswerShape::Shaped(readiness::morning),
        nothing: "No morning training readiness data found for {date}",
        failing: "Error retrieving morning training readiness",
    },
];
