//! Activities: the read-only tools of garmin_mcp's module `activity_management`.

mod details;
mod lists;
mod single;

pub(super) use details::{celsius, wind_mps};
pub(super) use lists::{known_type, near};

use super::parameter::Parameter;
use super::table::{AnswerShape, GarminQuery, Tool};
use super::user_profile::USER_SETTINGS;

const ACTIVITY_ID: Parameter = Parameter::id(
    "activity_id",
    "The activity's id, from one of the lists of activities",
);
/// The text about event types that the description of every list contains.
macro_rules! event_types {
    () => {
        " Each has an event_type (race, training, …) as the person tagged it; no argument filters by it. Most are \
         uncategorized, so a race is one with event_type race."
    };
}

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "get_activities_by_date",
        about: concat!(
            "Activities between two days, newest first, a page at a time: while has_more is true, call again with \
             page set to next_page.",
            event_types!()
        ),
        parameters: &[
            Parameter::day("start_date", "First day: YYYY-MM-DD, -30d or this week"),
            Parameter::day("end_date", "Last day: YYYY-MM-DD, today or this week").may_be_future(),
            Parameter::text(
                "activity_type",
                "Only this type and the types below it, such as running, cycling or swimming; empty: all",
                "",
            ),
            Parameter::whole("page", "Which page, from 0 (default 0)", (0, 1_000_000), 0),
            Parameter::whole(
                "page_size",
                "Activities on a page (default 100, at most 200)",
                (1, 200),
                100,
            ),
        ],
        ask: GarminQuery::Made(lists::by_date_gets),
        tell: AnswerShape::Made(lists::by_date),
        nothing: "No activities found between {start_date} and {end_date}",
        failing: "Error retrieving activities by date",
    },
    Tool {
        name: "get_activities_fordate",
        about: "Activities of one day.",
        parameters: &[Parameter::day(
            "date",
            "The day: YYYY-MM-DD, today, yesterday or -7d",
        )],
        ask: GarminQuery::Get("/mobile-gateway/heartRate/forDate/{date}"),
        tell: AnswerShape::Shaped(lists::of_day),
        nothing: "No activities found for {date}",
        failing: "Error retrieving activities for date",
    },
    Tool {
        name: "get_activity",
        about: "One activity in detail: times, distance, speed, heart rate, running form, power, training effect and \
                load, elevation, recovery, how it felt (workout_feel 0 to 100, workout_rpe ten times the effort of \
                0 to 10). A multisport activity has its parts with it.",
        parameters: &[ACTIVITY_ID],
        ask: GarminQuery::Get("/activity-service/activity/{activity_id}"),
        tell: AnswerShape::Fields(single::ACTIVITY),
        nothing: "No activity found with ID {activity_id}",
        failing: "Error retrieving activity",
    },
    Tool {
        name: "get_activity_splits",
        about: "The laps of an activity, and the lengths of a swim.",
        parameters: &[ACTIVITY_ID],
        ask: GarminQuery::Get("/activity-service/activity/{activity_id}/splits"),
        tell: AnswerShape::Shaped(details::splits),
        nothing: "No splits found for activity with ID {activity_id}",
        failing: "Error retrieving activity splits",
    },
    Tool {
        name: "get_activity_typed_splits",
        about: "The parts of an activity by kind: run, walk and stand, intervals, climbs.",
        parameters: &[ACTIVITY_ID],
        ask: GarminQuery::Get("/activity-service/activity/{activity_id}/typedsplits"),
        tell: AnswerShape::Raw,
        nothing: "No typed splits found for activity with ID {activity_id}",
        failing: "Error retrieving activity typed splits",
    },
    Tool {
        name: "get_activity_split_summaries",
        about: "The parts of an activity summed up by kind: run, walk and stand, intervals, climbs.",
        parameters: &[ACTIVITY_ID],
        ask: GarminQuery::Get("/activity-service/activity/{activity_id}/split_summaries"),
        tell: AnswerShape::Raw,
        nothing: "No split summaries found for activity with ID {activity_id}",
        failing: "Error retrieving activity split summaries",
    },
    Tool {
        name: "get_activity_weather",
        about: "The weather at the start of an activity: temperatures in °C, wind in m/s.",
        parameters: &[ACTIVITY_ID],
        ask: GarminQuery::Both("/activity-service/activity/{activity_id}/weather", USER_SETTINGS),
        tell: AnswerShape::Made(details::weather),
        nothing: "No weather data found for activity with ID {activity_id}",
        failing: "Error retrieving activity weather data",
    },
    Tool {
        name: "get_activity_hr_in_timezones",
        about: "Seconds of an activity in each heart rate zone.",
        parameters: &[ACTIVITY_ID],
        ask: GarminQuery::Get("/activity-service/activity/{activity_id}/hrTimeInZones"),
        tell: AnswerShape::Raw,
        nothing: "No heart rate time zone data found for activity with ID {activity_id}",
        failing: "Error retrieving activity heart rate time zone data",
    },
    Tool {
        name: "get_activity_power_in_timezones",
        about: "Seconds of an activity in each power zone; needs a power meter.",
        parameters: &[ACTIVITY_ID],
        ask: GarminQuery::Get("/activity-service/activity/{activity_id}/powerTimeInZones"),
        tell: AnswerShape::Raw,
        nothing: "No power zone data found for activity {activity_id}. \
                  Ensure the activity was recorded with a power meter.",
        failing: "Error retrieving activity power zone data",
    },
    Tool {
        name: "get_activity_gear",
        about: "Shoes, bike and other gear used in an activity.",
        parameters: &[ACTIVITY_ID],
        ask: GarminQuery::Get("/gear-service/gear/filterGear?activityId={activity_id}"),
        tell: AnswerShape::Raw,
        nothing: "No gear data found for activity with ID {activity_id}",
        failing: "Error retrieving activity gear data",
    },
    Tool {
        name: "get_activity_exercise_sets",
        about: "Sets, repetitions and weights (in grams) of a strength training.",
        parameters: &[ACTIVITY_ID],
        ask: GarminQuery::Get("/activity-service/activity/{activity_id}/exerciseSets"),
        tell: AnswerShape::Raw,
        nothing: "No exercise sets found for activity with ID {activity_id}",
        failing: "Error retrieving activity exercise sets",
    },
    Tool {
        name: "count_activities",
        about: "How many activities the person has at Garmin.",
        parameters: &[],
        ask: GarminQuery::Get("/activitylist-service/activities/count"),
        tell: AnswerShape::Made(lists::count),
        nothing: "Unable to retrieve activity count",
        failing: "Error counting activities",
    },
    Tool {
        name: "get_activities",
        about: concat!(
            "The newest activities, or a part of the whole list: while has_more is true, call again with start set \
             to next_start.",
            event_types!()
        ),
        parameters: &[
            Parameter::whole(
                "start",
                "How many of the newest to skip (default 0)",
                (0, 100_000_000),
                0,
            ),
            Parameter::whole(
                "limit",
                "How many to return (default 20, at most 100)",
                (1, 100),
                20,
            ),
        ],
        ask: GarminQuery::Get(
            "/activitylist-service/activities/search/activities?start={start}&limit={limit}",
        ),
        tell: AnswerShape::Shaped(lists::page),
        nothing: "No activities found at index {start}",
        failing: "Error retrieving activities",
    },
    Tool {
        name: "get_activity_types",
        about: "All activity types that Garmin knows.",
        parameters: &[],
        ask: GarminQuery::Get("/activity-service/activity/activityTypes"),
        tell: AnswerShape::Shaped(details::types),
        nothing: "No activity types found",
        failing: "Error retrieving activity types",
    },
];
