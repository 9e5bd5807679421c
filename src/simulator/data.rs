//! What the pretend Garmin knows of a person: seed + person + date → documents.
//!
//! Nothing is stored. Every document is worked out anew from the person's seed and the day it is asked for, so the
//! same question has the same answer in every run, and the documents agree with each other: the resting heart rate of
//! the daily summary is that of the heart-rate document, an activity in the list is the activity that is told alone.
//!
//! Days to come and days before the person's first day hold no data, each endpoint in its own way (a document of
//! nulls, an empty list, 204). Today ends at noon: what a watch has sent by then.
//!
//! | file | |
//! |---|---|
//! | [`dice`] | chance that is the same in every run |
//! | [`life`], [`night`], [`training`] | what is true of a person's days |
//! | [`series`] | what a watch measures of that |
//! | `…_documents`, [`activities`], [`mod@profile`] | the same as Garmin's documents |
//!
//! Absent on purpose: sign-in, tokens, faults (the simulator's router), and every endpoint that no tool asks for.

mod activities;
mod activity_documents;
mod battery_documents;
mod body_documents;
mod day_documents;
mod life;
mod night;
mod profile;
mod series;
mod training;
mod vital_documents;

#[cfg(test)]
mod tests;

use jiff::civil::Date;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::dice;
use activities::Search;
use life::Life;

/// One pretend person; everything about them follows from these.
#[derive(Clone, Debug)]
pub struct PersonSeed {
    /// Where all chance comes from.
    pub seed: u64,
    /// Garmin's number of the profile.
    pub profile_id: u64,
    /// The key of the person in Garmin's URLs.
    pub display_name: String,
    /// As people call them.
    pub full_name: String,
    /// `metric`, `statute_us` or `statute_uk`.
    pub unit_system: String,
}

/// One request to Garmin's API, already known to carry this person's token.
#[derive(Clone, Copy, Debug)]
pub struct DataRequest<'a> {
    /// `GET`, `PUT`, …
    pub method: &'a str,
    /// The path, percent-encoded as it came, with its leading slash.
    pub path: &'a str,
    /// The query as it came, without the question mark; empty when there is none.
    pub query: &'a str,
}

/// What Garmin's API answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body; none with 204.
    pub body: Option<Value>,
}

impl Answer {
    fn ok(body: Value) -> Self {
        Self {
            status: 200,
            body: Some(body),
        }
    }

    /// The body, or 204 where there is no data.
    fn found(body: Option<Value>) -> Self {
        body.map_or(
            Self {
                status: 204,
                body: None,
            },
            Self::ok,
        )
    }

    fn refused(status: u16, error: &str, message: &str) -> Self {
        Self {
            status,
            body: Some(json!({"message": message, "error": error})),
        }
    }
}

/// What Garmin's API would answer this person on this day; none for a path that this part does not know
/// (the router's 404).
pub fn answer(person: &PersonSeed, request: &DataRequest<'_>, today: Date) -> Option<Answer> {
    let life = Life { person, today };
    let segments: Vec<&str> = request
        .path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    if request.method != "GET" {
        return None;
    }
    let query = Query(request.query);
    match segments.as_slice() {
        ["userprofile-service", rest @ ..] => profile(person, rest),
        ["activity-service", "activity", rest @ ..] => activity(&life, rest),
        ["activitylist-service", "activities", rest @ ..] => activity_list(&life, rest, &query),
        ["gear-service", "gear", "filterGear"] => {
            let id = query.get("activityId")?;
            Some(of_activity(&life, &id, |day, activity| {
                Some(activity_documents::gear(day, activity))
            }))
        }
        _ => Some(health(&life, &segments, &query)?.unwrap_or_else(|refusal| refusal)),
    }
}

fn profile(person: &PersonSeed, rest: &[&str]) -> Option<Answer> {
    Some(Answer::ok(match rest {
        ["socialProfile"] => profile::social(person),
        ["userprofile", "user-settings"] => profile::user_settings(person),
        ["userprofile", "settings"] => profile::settings(person),
        _ => return None,
    }))
}

/// Documents of days: none for an unknown path, an error for a day or a person that can't be.
fn health(life: &Life<'_>, segments: &[&str], query: &Query<'_>) -> Option<Result<Answer, Answer>> {
    let named = |name: &str, answer: &dyn Fn() -> Result<Answer, Answer>| {
        if decoded(name) == life.person.display_name {
            answer()
        } else {
            Err(Answer::refused(403, "ForbiddenException", "HTTP 403 Forbidden"))
        }
    };
    let ok = |answer: Value| Ok(Answer::ok(answer));
    let found = |answer: Option<Value>| Ok(Answer::found(answer));
    let answered = match segments {
        ["usersummary-service", "usersummary", "daily", name] => named(name, &|| {
            ok(day_documents::summary(life, query.day("calendarDate")?))
        }),
        ["wellness-service", "wellness", "dailySummaryChart", name] => {
            named(name, &|| ok(day_documents::steps_chart(life, query.day("date")?)))
        }
        ["wellness-service", "wellness", "dailyHeartRate", name] => named(name, &|| {
            found(vital_documents::heart_rate(life, query.day("date")?))
        }),
        ["wellness-service", "wellness", "dailySleepData", name] => {
            named(name, &|| ok(vital_documents::sleep(life, query.day("date")?)))
        }
        ["userstats-service", "wellness", "daily", name] => named(name, &|| {
            let (from, to) = (query.day("fromDate")?, query.day("untilDate")?);
            found(vital_documents::resting_heart_rate(life, from, to))
        }),
        ["usersummary-service", "stats", "steps", "daily", from, to] => range(from, to, |from, to| {
            ok(day_documents::daily_steps(life, from, to))
        }),
        ["usersummary-service", "stats", "steps", "weekly", end, weeks] => {
            weekly(end, weeks, |end, weeks| {
                ok(day_documents::weekly_steps(life, end, weeks))
            })
        }
        ["usersummary-service", "stats", "stress", "weekly", end, weeks] => {
            weekly(end, weeks, |end, weeks| {
                ok(day_documents::weekly_stress(life, end, weeks))
            })
        }
        ["usersummary-service", "stats", "im", "weekly", from, to] => range(from, to, |from, to| {
            ok(day_documents::weekly_intensity(life, from, to))
        }),
        ["usersummary-service", "usersummary", "hydration", "daily", date] => {
            on(date, |date| found(body_documents::hydration(life, date)))
        }
        ["wellness-service", "wellness", "dailyStress", date] => {
            on(date, |date| found(battery_documents::stress(life, date)))
        }
        ["wellness-service", "wellness", "bodyBattery", "reports", "daily"] => query
            .day("startDate")
            .and_then(|from| Ok((from, query.day("endDate")?)))
            .and_then(|(from, to)| ok(battery_documents::reports(life, from, to))),
        ["wellness-service", "wellness", "bodyBattery", "events", date] => {
            on(date, |date| ok(battery_documents::events(life, date)))
        }
        ["wellness-service", "wellness", "daily", "respiration", date] => {
            on(date, |date| found(vital_documents::respiration(life, date)))
        }
        ["wellness-service", "wellness", "daily", "spo2", date] => {
            on(date, |date| found(vital_documents::spo2(life, date)))
        }
        ["wellness-service", "wellness", "floorsChartData", "daily", date] => {
            on(date, |date| found(day_documents::floors(life, date)))
        }
        ["wellness-service", "wellness", "dailyEvents"] => query
            .day("calendarDate")
            .and_then(|date| ok(body_documents::events(life, date))),
        ["metrics-service", "metrics", "trainingreadiness", date] => {
            on(date, |date| ok(battery_documents::readiness(life, date)))
        }
        ["mobile-gateway", "heartRate", "forDate", date] => {
            on(date, |date| ok(vital_documents::of_day(life, date)))
        }
        ["bloodpressure-service", "bloodpressure", "range", from, to] => range(from, to, |from, to| {
            ok(body_documents::blood_pressure(life, from, to))
        }),
        ["lifestylelogging-service", "dailyLog", date] => {
            on(date, |date| found(body_documents::lifestyle(life, date)))
        }
        ["weight-service", "weight", "dateRange"] => query
            .day("startDate")
            .and_then(|from| Ok((from, query.day("endDate")?)))
            .and_then(|(from, to)| ok(body_documents::weights(life, from, to))),
        _ => return None,
    };
    Some(answered)
}

fn activity_list(life: &Life<'_>, rest: &[&str], query: &Query<'_>) -> Option<Answer> {
    match rest {
        ["count"] => Some(Answer::ok(activities::count(life))),
        ["search", "activities"] => {
            let number = |name: &str| query.get(name).and_then(|text| text.parse().ok());
            let search = Search {
                from: query.day("startDate").ok(),
                to: query.day("endDate").ok(),
                type_key: query.get("activityType").filter(|key| !key.is_empty()),
                start: number("start").unwrap_or(0),
                limit: number("limit").unwrap_or(20).min(1_000),
            };
            Some(Answer::ok(activities::search(life, &search)))
        }
        _ => None,
    }
}

fn activity(life: &Life<'_>, rest: &[&str]) -> Option<Answer> {
    use activity_documents as documents;
    Some(match rest {
        ["activityTypes"] => Answer::ok(documents::types()),
        [id] => of_activity(life, id, |day, activity| Some(activities::single(day, activity))),
        [id, "splits"] => of_activity(life, id, |day, activity| Some(documents::splits(day, activity))),
        [id, "typedsplits"] => of_activity(life, id, documents::typed_splits),
        [id, "split_summaries"] => of_activity(life, id, |_, activity| documents::split_summaries(activity)),
        [id, "weather"] => of_activity(life, id, documents::weather),
        [id, "hrTimeInZones"] => of_activity(life, id, |_, activity| {
            Some(documents::heart_rate_zones(activity))
        }),
        [id, "powerTimeInZones"] => {
            of_activity(life, id, |_, activity| Some(documents::power_zones(activity)))
        }
        [id, "exerciseSets"] => of_activity(life, id, documents::exercise_sets),
        _ => return None,
    })
}

/// A document of one of the person's activities; 404 for every other id.
fn of_activity(
    life: &Life<'_>,
    id: &str,
    document: impl Fn(&life::Day<'_>, &training::Activity) -> Option<Value>,
) -> Answer {
    let id: Option<i64> = id.parse().ok();
    let day = id
        .and_then(|id| training::day_of(life.person, id))
        .and_then(|date| life.day(date));
    let activity = day
        .as_ref()
        .and_then(|day| Some((day, day.activities.iter().find(|a| Some(a.id) == id)?)));
    match activity {
        Some((day, activity)) => Answer::found(document(day, activity)),
        None => Answer::refused(404, "NotFoundException", "HTTP 404 Not Found"),
    }
}

/// Garmin's answer to a day that is none.
fn day(text: &str) -> Result<Date, Answer> {
    text.parse()
        .map_err(|_| Answer::refused(400, "BadRequestException", "HTTP 400 Bad Request"))
}

fn on(date: &str, answer: impl Fn(Date) -> Result<Answer, Answer>) -> Result<Answer, Answer> {
    answer(day(date)?)
}

fn range(
    from: &str,
    to: &str,
    answer: impl Fn(Date, Date) -> Result<Answer, Answer>,
) -> Result<Answer, Answer> {
    answer(day(from)?, day(to)?)
}

fn weekly(
    end: &str,
    weeks: &str,
    answer: impl Fn(Date, i64) -> Result<Answer, Answer>,
) -> Result<Answer, Answer> {
    let weeks = weeks
        .parse()
        .map_err(|_| Answer::refused(400, "BadRequestException", "HTTP 400 Bad Request"))?;
    answer(day(end)?, weeks)
}

/// One document of two halves: a literal of this size is more than the macro takes.
fn joined(mut first: Value, second: Value) -> Value {
    if let (Some(members), Value::Object(more)) = (first.as_object_mut(), second) {
        members.extend(more);
    }
    first
}

/// A part of a path, percent-decoded.
fn decoded(segment: &str) -> String {
    // A plus is itself in a path, and a blank in a form.
    let form = format!("v={}", segment.replace('+', "%2B"));
    form_urlencoded::parse(form.as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

struct Query<'a>(&'a str);

impl Query<'_> {
    fn get(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.0.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    fn day(&self, name: &str) -> Result<Date, Answer> {
        day(&self.get(name).unwrap_or_default())
    }
}
