//! The data that the pretend Garmin holds about a person: a pure function from seed, person and date to a JSON
//! document.
//!
//! Nothing is stored. Every document is computed from the person's seed and the requested day, so the same request gets
//! the same answer in every run. Documents agree with each other: the resting heart rate of the daily summary is the
//! one in the heart-rate document, and an activity in a list equals the activity requested by its id.
//!
//! Future days, and days before the person's first day, hold no data. Each endpoint reports that as Garmin does (a
//! document of nulls, an empty list, or 204). Today's data ends at noon, as if the watch had last synchronized then.
//!
//! | file | |
//! |---|---|
//! | [`dice`] | randomness that repeats in every run |
//! | [`timeline`], [`night`], [`training`], [`physique`] | what happens on a person's days |
//! | [`series`] | the sensor readings of those days |
//! | [`track`], [`files`] | an activity second by second, and its files |
//! | [`calendar`] | the calendar |
//! | [`scope`], [`day_facts`], [`battery_facts`], [`period_facts`], [`activity_facts`] | the same data as named facts |
//! | [`templates`], `documents/*.json` | Garmin's endpoints, and document templates that are filled in with facts |
//!
//! Out of scope: sign-in, tokens and faults (the router's job), and every endpoint that no tool requests.

mod activity_facts;
mod battery_facts;
mod calendar;
mod day_facts;
mod files;
mod night;
mod period_facts;
mod physique;
mod scope;
mod series;
mod templates;
mod timeline;
mod track;
mod training;

#[cfg(test)]
mod tests;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use url::form_urlencoded;

pub use files::DataFile;

use super::dice;
use scope::FactScope;
use timeline::Timeline;

/// One simulated person. All of the person's data follows from these fields.
#[derive(Clone, Debug, Serialize)]
pub struct PersonSeed {
    /// The seed from which the person's data is computed.
    pub seed: u64,
    /// Garmin's numeric id of the profile.
    pub profile_id: u64,
    /// The person's identifier in Garmin's URLs.
    pub display_name: String,
    pub full_name: String,
    /// `metric`, `statute_us` or `statute_uk`.
    pub unit_system: String,
}

/// One request to Garmin's API. Its bearer token was already matched to the person.
#[derive(Clone, Copy, Debug)]
pub struct DataRequest<'a> {
    /// The HTTP method: `GET`, `PUT`, …
    pub method: &'a str,
    /// The path, still percent-encoded, with its leading slash.
    pub path: &'a str,
    /// The raw query without the question mark; empty when there is none.
    pub query: &'a str,
}

/// A response of Garmin's API.
#[derive(Clone, Debug, PartialEq)]
pub struct DataResponse {
    pub status: u16,
    /// The JSON body; `None` for status 204.
    pub body: Option<Value>,
}

impl DataResponse {
    fn ok(body: Value) -> Self {
        Self {
            status: 200,
            body: Some(body),
        }
    }

    /// An error in the form of Garmin's API, such as `error(404, "NotFound", "Not Found")`.
    fn error(status: u16, class: &str, reason: &str) -> Self {
        let body =
            json!({"message": format!("HTTP {status} {reason}"), "error": format!("{class}Exception")});
        Self {
            status,
            body: Some(body),
        }
    }
}

/// The current day where the person lives.
pub fn today(person: &PersonSeed, now: Timestamp) -> Date {
    let offset = SignedDuration::from_mins(timeline::offset_minutes(person));
    (now + offset).to_zoned(TimeZone::UTC).date()
}

/// Garmin's response for this person on this day; `None` for an unknown path (the router answers 404).
pub fn answer(person: &PersonSeed, request: &DataRequest<'_>, today: Date) -> Option<DataResponse> {
    if request.method != "GET" {
        return None;
    }
    let timeline = Timeline { person, today };
    let query = DataQuery(request.query);
    if request.path == "/activitylist-service/activities/search/activities" {
        return Some(DataResponse::ok(search(timeline, &query)));
    }
    if let Some(month) = calendar::month(timeline, request.path) {
        return Some(DataResponse::ok(month));
    }
    let (endpoint, bindings) = templates::find(request.path, &query)?;
    Some(respond(timeline, endpoint, &bindings).unwrap_or_else(|refusal| refusal))
}

/// The file at this path, such as an activity's download.
pub fn file(person: &PersonSeed, path: &str, today: Date) -> Option<DataFile> {
    files::file(Timeline { person, today }, path)
}

/// Fills in the document of an endpoint. Errors are Garmin's: 400, 403 and 404.
fn respond(
    timeline: Timeline<'_>,
    endpoint: &Value,
    bindings: &[(&str, String)],
) -> Result<DataResponse, DataResponse> {
    let bad_request = || DataResponse::error(400, "BadRequest", "Bad Request");
    let date = |text: &str| text.parse::<Date>().map_err(|_| bad_request());
    let mut scope = FactScope::new(timeline);
    let mut activity_id = None;
    let mut is_beyond = false;
    for (name, value) in bindings {
        match *name {
            "name" if *value != timeline.person.display_name => {
                return Err(DataResponse::error(403, "Forbidden", "Forbidden"));
            }
            "date" => scope.date = Some(date(value)?),
            "from" => scope.from = Some(date(value)?),
            "to" => scope.to = Some(date(value)?),
            "weeks" => scope.weeks = value.parse().map_err(|_| bad_request())?,
            // A paged list has a single page, so any later page is empty.
            "start" => is_beyond = value != "0",
            "id" => activity_id = Some(value.parse::<i64>().unwrap_or_default()),
            _ => {}
        }
    }
    if let Some(id) = activity_id {
        scope.date = training::day_of(timeline.person, id);
    }
    let day = scope.date.and_then(|date| timeline.day(date));
    let needs_day = scope.date.is_some() || activity_id.is_some();
    scope.day = day.as_ref();
    if let Some(id) = activity_id {
        let activity = day
            .as_ref()
            .and_then(|day| day.activities.iter().find(|activity| activity.id == id));
        scope.activity = Some(activity.ok_or_else(|| DataResponse::error(404, "NotFound", "Not Found"))?);
    }
    let needed = endpoint.get("needs").and_then(Value::as_str);
    let has_data = !is_beyond && (day.is_some() || !needs_day) && needed.is_none_or(|fact| scope.has(fact));
    let template = endpoint.get(if has_data { "document" } else { "otherwise" });
    Ok(template.map_or(
        DataResponse {
            status: 204,
            body: None,
        },
        |template| DataResponse::ok(scope.fill(template)),
    ))
}

/// The list of activities, newest first. Days without a match are skipped before their data is computed.
fn search(timeline: Timeline<'_>, query: &DataQuery<'_>) -> Value {
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<usize>().ok());
    let day = |name: &str| query.get(name).and_then(|text| text.parse::<Date>().ok());
    let type_key = query.get("activityType").filter(|key| !key.is_empty());
    let limit = number("limit").unwrap_or(20).min(1_000);
    let mut skip = number("start").unwrap_or(0);
    let first = day("startDate").map_or(timeline.first_day(), |from| from.max(timeline.first_day()));
    let mut date = day("endDate").map_or(timeline.today, |to| to.min(timeline.today));
    let is_wanted =
        |activity: &training::Activity| type_key.as_deref().is_none_or(|key| activity.sport.is_of(key));
    let mut found: Vec<Value> = Vec::new();
    while date >= first && found.len() < limit {
        if training::planned(timeline.person, date).iter().any(is_wanted)
            && let Some(day) = timeline.day(date)
        {
            for activity in day.activities.iter().rev().filter(|activity| is_wanted(activity)) {
                if skip > 0 {
                    skip -= 1;
                } else if found.len() < limit {
                    found.push(
                        FactScope::of_activity(timeline, &day, activity).fill(&"$use activity_item".into()),
                    );
                }
            }
        }
        let Ok(yesterday) = date.yesterday() else { break };
        date = yesterday;
    }
    found.into()
}

struct DataQuery<'a>(&'a str);

impl DataQuery<'_> {
    fn get(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.0.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}
