//! What the pretend Garmin knows of a person: seed + person + date → documents.
//!
//! Nothing is stored. Every document is worked out anew from the person's seed and the day it is asked for, so the
//! same question has the same answer in every run, and the documents agree with each other: the resting heart rate of
//! the daily summary is that of the heart-rate document, an activity in the list is the activity that is told alone.
//!
//! Days to come and days before the person's first day hold no data, each endpoint in its own way (a document of
//! nulls, an empty list, 204). Today ends at noon: what a watch has sent by then.
//!
//! Absent on purpose: sign-in, tokens, faults (the simulator's router), and every endpoint that no tool asks for.

mod dice;
mod profile;

use jiff::civil::Date;
use serde_json::Value;

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
}

/// What Garmin's API would answer this person on this day; none for a path that this part does not know
/// (the router's 404).
pub fn answer(person: &PersonSeed, request: &DataRequest<'_>, _today: Date) -> Option<Answer> {
    let segments: Vec<&str> = request.path.split('/').filter(|s| !s.is_empty()).collect();
    match (request.method, segments.as_slice()) {
        ("GET", ["userprofile-service", "socialProfile"]) => Some(Answer::ok(profile::social(person))),
        ("GET", ["userprofile-service", "userprofile", "user-settings"]) => {
            Some(Answer::ok(profile::user_settings(person)))
        }
        ("GET", ["userprofile-service", "userprofile", "settings"]) => {
            Some(Answer::ok(profile::settings(person)))
        }
        _ => None,
    }
}
